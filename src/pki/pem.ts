import { fail, FederationError, Where } from '../checks/errors';
import { PEM_KEY } from '../model/private-keys';

/*
 * PEM blocks (RFC 7468), as files, mails and ConfigMaps contain them: with a byte order mark, indentation and any line
 * ends. Messages do not quote the text, since it may contain a private key.
 */

/** A PEM block: the label of its first line, and the bytes inside. */
export interface PemBlock {
  readonly label: string;
  readonly der: Buffer;
}

/** What the caller of `readPem` expects, for its messages. */
interface Expected {
  /** Code and fix of a text without valid PEM. */
  readonly code: FederationError['code'];
  readonly fix: string;
}

const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----([A-Za-z0-9+/=\s]*)-----END \1-----/g;
const BASE64 = /^[A-Za-z0-9+/\s]+=*\s*$/;

/** Number of times that a text is decoded: a value of a Secret, in base64 once more. */
const MAX_LAYERS = 3;

/** Reads the PEM blocks of a text. Text around the blocks is ignored. Rejects private keys, also in base64. */
export function readPem(where: Where, text: string, { code, fix }: Expected): PemBlock[] {
  const layers = layersOf(text);
  if (layers.some((layer) => PEM_KEY.test(layer))) {
    fail('FED201', where, 'the text contains a private key',
      'remove the key from the file and from its source: a trust bundle contains only public certificates');
  }
  const blocks = [...text.matchAll(BLOCK)].map(([, label, base64]) => ({ label, der: Buffer.from(base64, 'base64') }));
  const begun = text.match(/-----BEGIN /g)?.length ?? 0;
  if (begun > blocks.length) fail(code, where, ...describeBlock(text, fix));
  if (begun === 0) fail(code, where, ...describeText(layers, fix));
  return blocks;
}

/** A text, and what it contains in base64, one layer after the other. */
function layersOf(text: string): string[] {
  const layers = [text];
  while (layers.length <= MAX_LAYERS && BASE64.test(layers.at(-1)!)) layers.push(Buffer.from(layers.at(-1)!, 'base64').toString('latin1'));
  return layers;
}

/** The problem and the fix of a text with a PEM block that is not complete. */
function describeBlock(text: string, fix: string): [problem: string, fix: string] {
  if (/-----\\r?\\n|-----\\n/.test(text)) {
    return ['the text contains a PEM block that has "\\n" as two characters in place of line ends', 'replace each "\\n" by a line end, for example with JSON.parse'];
  }
  const [, label, end] = /-----BEGIN ([A-Z0-9 ]+)-----[^-]*(?:-----END ([A-Z0-9 ]+)-----)?/.exec(text.replace(BLOCK, '')) ?? [];
  if (end === undefined) return ['the text contains a PEM block that does not end', fix];
  if (end !== label) return [`the text contains a PEM block that begins with ${label} and ends with ${end}`, 'use the file as its source wrote it'];
  return ['the text contains a PEM block with other characters than base64, such as quotes or comments',
    'keep only the lines of base64 between the first and the last line of the block'];
}

/** The problem and the fix of a text without a PEM block. */
function describeText([text, ...decoded]: string[], fix: string): [problem: string, fix: string] {
  const times = decoded.findIndex((layer) => layer.includes('-----BEGIN ')) + 1;
  if (times === 1) return ['the text is base64 of PEM', 'decode it first, for example with Buffer.from(text, "base64").toString()'];
  if (times > 1) return [`the text is PEM that is encoded ${times} times in base64`, `decode it ${times} times, for example with Buffer.from(text, "base64").toString()`];
  if (text.includes('-----BEGIN%20') || text.includes('-----BEGIN+')) return ['the text is percent-encoded PEM', 'decode it first, for example with decodeURIComponent'];
  if (text.includes('LS0tLS1CRUdJTi')) {
    return ['the text contains PEM in base64, as a Secret does', 'use the decoded value only, for example with kubectl get … -o jsonpath and base64 -d'];
  }
  if (/\0-\0|-\0-/.test(text)) return ['the text is UTF-16', 'save the file as UTF-8'];
  if (/^0[\x80-\x84\ufffd]/.test(text) || /^0[\x80-\x84]/.test(decoded[0] ?? '')) {
    return ['the text is DER, not PEM', 'convert it, for example with openssl x509 -inform der'];
  }
  return ['the text contains no PEM block', fix];
}
