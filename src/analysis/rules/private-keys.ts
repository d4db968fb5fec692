import { secretIn } from '../../pki/jwks';
import type { Rule } from '../rule';

const PRIVATE_KEY = /-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----/;

export const privateKeys: Rule = {
  name: 'private-keys',
  recommendation: 'Private keys have no place in manifests: whoever reads the repository could be the gateway.',
  fix: 'Treat the key as leaked. Use the identity that the mesh gives to its gateways, or a Secret that is made in the cluster (GatewayCredential).',
  errorsIn,
};

function errorsIn(document: any): string[] {
  return textsIn(document).flatMap(({ path, text }) => {
    const isBase64 = document.kind === 'Secret' && path.startsWith('data.') || document.kind === 'ConfigMap' && path.startsWith('binaryData.');
    const readings = isBase64 ? [text, Buffer.from(text, 'base64').toString('latin1')] : [text];
    const isTls = document.kind === 'Secret' && /^(?:data|stringData)\.tls\.key$/.test(path) && text !== '';
    return isTls || readings.some((reading) => PRIVATE_KEY.test(reading) || holdsSigningKey(reading)) ? [`${path} holds a private key`] : [];
  });
}

/** One key, a list of some or a set. */
function holdsSigningKey(text: string): boolean {
  if (!text.includes('"kty"')) return false;
  try {
    const parsed = JSON.parse(text);
    const keys = Array.isArray(parsed.keys) ? parsed.keys : [parsed].flat();
    return keys.some((key: any) => key?.kty !== undefined && secretIn(key) !== undefined);
  } catch {
    return false;
  }
}

function textsIn(value: unknown, path: string[] = []): { readonly path: string; readonly text: string }[] {
  if (typeof value === 'string') return [{ path: path.join('.'), text: value }];
  if (value === null || typeof value !== 'object') return [];
  return Object.entries(value).flatMap(([key, child]) => textsIn(child, [...path, key]));
}
