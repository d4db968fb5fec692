import { isSigningKey } from '../key-texts';
import { containsPrivateKey, joined } from '../private-keys';
import type { Rule } from '../rule';

export const privateKeys: Rule = {
  name: 'private-keys',
  recommendation: 'Manifests must not contain private keys: whoever reads the repository could impersonate the gateway.',
  fix: 'Treat the key as leaked. Use the identity that the mesh issues to its gateways, or a Secret that is generated in the cluster (GatewayCredential).',
  errorsIn: ({ document }) => keysIn(document, document, []),
};

/** Errors for the fields that contain a private key. */
function keysIn(document: any, value: unknown, path: string[]): string[] {
  if (typeof value === 'string') return isTlsKey(document, path, value) || containsPrivateKey(value) ? [contains(path)] : [];
  if (value === null || typeof value !== 'object') return [];
  if (isSigningKey(value)) return [contains(path)];
  const found = Object.entries(value).flatMap(([key, child]) => containsPrivateKey(key)
    ? [`${nameOf(path)} has a field whose name contains a private key`] : keysIn(document, child, [...path, key]));
  return found.length === 0 && joined(value).some((text) => containsPrivateKey(text)) ? [contains(path)] : found;
}

function contains(path: string[]): string {
  return `${nameOf(path)} contains a private key`;
}

function nameOf(path: string[]): string {
  return path.length === 0 ? 'the document' : path.join('.');
}

/** The key of a Secret for TLS, in whatever form, unless it is a reference or a placeholder. */
function isTlsKey({ kind }: any, path: string[], text: string): boolean {
  const field = path.join('.');
  if (kind !== 'Secret' || text === '' || field !== 'data.tls.key' && field !== 'stringData.tls.key') return false;
  return ![text, ...field.startsWith('data') ? decoded(text) : []].some(isPlaceholder);
}

/** What tools replace in the pipeline or in the cluster, or decrypt there: `${KEY}`, `ENC[…]`, `ref+vault://…`, `vault:a/b#c`. */
const REFERENCE = /^\s*["']?(?:ENC\[|<[^<>]+>|\$[{(]|\{\{|\{%|%\w+%|@@?\w|[a-z][\w+.-]*:(?!\s)[^\s]+$)/;
const BEGIN_OR_END = /-----(?:BEGIN|END) [A-Z ]+-----/g;
/** Values that SOPS encrypted are longer than the key. */
const LONGEST_PLACEHOLDER = 20_000;
const LONG_WORD = /[\w+/]{24}/;

/** A text of short words, of which none is a key. Text that base64 could be is a placeholder only if it is a word. */
function isPlaceholder(text: string): boolean {
  if (text.length > LONGEST_PLACEHOLDER) return false;
  if (REFERENCE.test(text)) return true;
  const words = text.replace(BEGIN_OR_END, '').trim();
  const couldBeBase64 = /^[A-Za-z0-9+/]+=*$/.test(words) && !/^[A-Za-z]{5,}$/.test(words);
  return isPrintable(words) && !LONG_WORD.test(words) && !couldBeBase64;
}

/** The text that a value of base64 contains. */
function decoded(text: string): string[] {
  const word = text.trim();
  return /^[A-Za-z0-9+/]+={0,2}$/.test(word) && word.length % 4 === 0 ? [Buffer.from(word, 'base64').toString('latin1')] : [];
}

function isPrintable(text: string): boolean {
  return /^[\x20-\x7e\s]*$/.test(text);
}
