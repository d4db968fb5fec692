import { fail, FederationError, Where } from '../checks/errors';

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
const PRIVATE_KEY = /-----BEGIN [A-Z0-9 ]*PRIVATE KEY/;
const BASE64 = /^[A-Za-z0-9+/\s]+=*\s*$/;

/** Reads the PEM blocks of a text. Text around the blocks is ignored. Rejects private keys, also in base64. */
export function readPem(where: Where, text: string, { code, fix }: Expected): PemBlock[] {
  const decoded = BASE64.test(text) ? Buffer.from(text, 'base64').toString('latin1') : '';
  if (PRIVATE_KEY.test(text) || PRIVATE_KEY.test(decoded)) {
    fail('FED201', where, 'the text contains a private key',
      'remove the key from the file and from its source: a trust bundle contains only public certificates');
  }
  const blocks = [...text.matchAll(BLOCK)].map(([, label, base64]) => ({ label, der: Buffer.from(base64, 'base64') }));
  const begun = text.match(/-----BEGIN /g)?.length ?? 0;
  if (begun > blocks.length) {
    const escaped = /-----\\r?\\n|-----\\n/.test(text);
    fail(code, where, `the text contains a PEM block that ${escaped ? 'has "\\n" as two characters in place of line ends' : 'does not end'}`,
      escaped ? 'replace each "\\n" by a line end, for example with JSON.parse' : fix);
  }
  if (begun === 0) fail(code, where, ...describeText(text, decoded, fix));
  return blocks;
}

/** The problem and the fix of a text without a PEM block. */
function describeText(text: string, decoded: string, fix: string): [problem: string, fix: string] {
  if (decoded.includes('-----BEGIN ')) return ['the text is base64 of PEM', 'decode it first, for example with Buffer.from(text, "base64").toString()'];
  if (/\0-\0|-\0-/.test(text)) return ['the text is UTF-16', 'save the file as UTF-8'];
  if (/^0[\x80-\x84\ufffd]/.test(text) || /^0[\x80-\x84]/.test(decoded)) {
    return ['the text is DER, not PEM', 'convert it, for example with openssl x509 -inform der'];
  }
  return ['the text contains no PEM block', fix];
}
