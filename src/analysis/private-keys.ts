import { gunzipSync } from 'zlib';
import { beginsLikeKey, isPrivateKey } from './key-formats';
import { PEM_KEY } from '../model/private-keys';

/*
 * Private keys in texts, in every form that a manifest can hold: PEM, DER, keystores and JWKs, with the escapes of other
 * formats, in base64 or hexadecimal, and all of that inside other texts. Each step reads a text once, so the time is
 * linear in its size.
 */

/** Layers of encodings and of JSON: a Secret in base64, in the text of a ConfigMap, in an annotation. */
const MAX_LAYERS = 5;
/** Longest key. */
const MAX_BLOCK = 20_000;
/** No private key is shorter, in any encoding. */
const SHORTEST_TEXT = 24;

/** Whether a text contains a private key. */
export function containsPrivateKey(text: string, layer = 0): boolean {
  if (text.length < SHORTEST_TEXT || layer > MAX_LAYERS) return false;
  const json = parsedJson(text);
  if (json !== undefined) return isKeyIn(json, layer + 1);
  const plain = unescaped(text);
  return isPrivateKey(Buffer.from(text.slice(0, MAX_BLOCK), 'latin1')) || isPem(plain) || isSigningKeyText(plain) || isOtherKeyText(plain)
    || encodedIn(plain).some((bytes) => isKeyOf(bytes, layer + 1));
}

/** Whether a value, or one inside it, is or contains a private key. */
function isKeyIn(value: unknown, layer: number): boolean {
  if (typeof value === 'string') return containsPrivateKey(value, layer);
  if (value === null || typeof value !== 'object') return false;
  return isSigningKey(value) || joined(value).some((text) => containsPrivateKey(text, layer))
    || Object.entries(value).some(([key, one]) => containsPrivateKey(key, layer) || isKeyIn(one, layer));
}

/** Lists whose items are a key together: lines of text, or bytes. */
export function joined(value: object): string[] {
  if (!Array.isArray(value) || value.length < 2) return [];
  if (value.every((one) => typeof one === 'string')) return [value.join('\n')];
  const areBytes = value.length >= SHORTEST_TEXT && value.every((one) => Number.isInteger(one) && one >= 0 && one < 256);
  return areBytes ? [Buffer.from(value).toString('base64')] : [];
}

function parsedJson(text: string): unknown {
  const start = /\S/.exec(text)?.[0];
  if (start !== '{' && start !== '[' && start !== '"') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const ESCAPES = /(?<!\\)\\+(?:u00([0-9a-f]{2})|x([0-9a-f]{2})|([nrt])|(["'/]))|%([0-9a-f]{2})|&#x0*([0-9a-f]{1,2});|&#0*(\d{1,3});/gi;

/** A text without the escapes of JSON, programming languages, URLs and XML. UTF-16 loses its zero bytes. */
function unescaped(text: string): string {
  const narrow = text.includes('\0') ? text.replaceAll('\0', '') : text;
  if (!/[\\%]|&#/.test(narrow)) return narrow;
  return narrow.replace(ESCAPES, (_, unicode, byte, space, quote, percent, hex, decimal) => {
    if (space !== undefined) return '\n';
    return quote ?? String.fromCharCode(decimal === undefined ? parseInt(unicode ?? byte ?? percent ?? hex, 16) : Number(decimal));
  });
}

const BEGIN = new RegExp(`${PEM_KEY.source}(?:[ +]BLOCK)?-----`, 'g');
/** Header lines of PGP and of encrypted keys. */
const HEADERS = /^\W{0,8}(?:Version|Comment|Charset|Hash|Proc-Type|DEK-Info):.*$/gm;
/** Fewer bytes of an encrypted key are an example. */
const SHORTEST_ENCRYPTED = 32;

/** A PEM block, not prose about one and no placeholder: after the first line comes base64 that begins like a key. */
function isPem(text: string): boolean {
  for (const begin of text.includes('PRIVATE') ? text.matchAll(BEGIN) : []) {
    const from = begin.index + begin[0].length;
    const end = text.indexOf('-----', from);
    const block = text.slice(from, Math.min(end < 0 ? text.length : end, from + MAX_BLOCK));
    const lines = block.replace(HEADERS, '');
    // Strings of a program, one for each line, may be joined by "+".
    const bytes = Buffer.from(lines.replace(/(["'])\s*\+/g, '$1').replace(/[^A-Za-z0-9+/]/g, ''), 'base64');
    if (/DEK-Info:/.test(block)) {
      if (bytes.length >= SHORTEST_ENCRYPTED) return true; // whatever its first bytes are
    } else if (beginsLikeKey(bytes) && !isExample(lines, bytes)) {
      return true;
    }
  }
  return false;
}

/** A block of which only the beginning is shown. */
function isExample(lines: string, bytes: Buffer): boolean {
  return /\.\.\.|…/.test(lines) && bytes.length < 2 * SHORTEST_ENCRYPTED;
}

const PUTTY = /^Private-Lines: \d+\s+[A-Za-z0-9+/]{40}/m;
const AGE = /\bAGE-SECRET-KEY-1[0-9A-Z]{58}\b/;

function isOtherKeyText(text: string): boolean {
  return text.includes('PuTTY-User-Key-File') && PUTTY.test(text) || text.includes('AGE-SECRET-KEY-1') && AGE.test(text);
}

/** For each type of JWK: the members with which it signs. */
const SECRET_MEMBERS: { readonly [kty: string]: readonly string[] } = {
  RSA: ['d', 'p', 'q', 'dp', 'dq', 'qi'], EC: ['d'], OKP: ['d'], AKP: ['priv'], oct: ['k'],
};
const BASE64URL = /^[\w-]+={0,2}$/;
/** Words in place of a value, such as `descriptionOfK` or `JWK_KEY`. */
const WORDS = /^(?=.{5})(?:[A-Z]?[a-z]+(?:\d{1,3}[a-z]+|[A-Z][a-z]+|[_-][A-Z]?[a-z]+)*(?:[A-Z]|\d{1,3})?|[A-Z]+(?:[_-][A-Z\d]+)*)$/;
const LONGEST_NAME = 100;

function isSecretValue(value: unknown): boolean {
  return typeof value === 'string' && BASE64URL.test(value) && !(value.length <= LONGEST_NAME && WORDS.test(value));
}

/** Whether an object is a private JWK itself. In a JSON schema of JWKs the members are objects. */
export function isSigningKey(value: any): boolean {
  const { kty } = value;
  return typeof kty === 'string' && Object.hasOwn(SECRET_MEMBERS, kty)
    && SECRET_MEMBERS[kty].some((member) => isSecretValue(value[member]));
}

const KTY = /["']?\bkty["']?\s*[:=]\s*["']?(RSA|EC|OKP|AKP|oct)\b/g;
const MEMBER = /(?:^|[\s{,"'])(d|p|q|dp|dq|qi|k|priv)["']?\s*[:=]\s*["']?([\w-]{22,2000})/gm;

/** A private JWK in YAML, in a text of a program, or in JSON inside another text. */
function isSigningKeyText(text: string): boolean {
  if (!text.includes('kty')) return false;
  const members = new Set([...text.matchAll(KTY)].flatMap(([, kty]) => SECRET_MEMBERS[kty]));
  return members.size > 0 && [...text.matchAll(MEMBER)].some(([, member, value]) => members.has(member) && isSecretValue(value));
}

/** Characters of base64 and base64url. */
const WORD = /[\w+/-]+={0,2}/g;
/** A line of base64 in a longer text has at least this length, but the last one. */
const SHORTEST_LINE = 40;
/** Space between two lines of base64. */
const LINE_END = /^[ \t]*\r?\n[\s>|#*-]{0,80}$/;
/** How DER of a private key, OpenSSH and PEM begin in base64, behind a word without a space between them. */
const KEY_IN_BASE64 = /MI[GH].AgE[AB]|MII..[AQgw]IBA|M[A-H][AEIMQUYcgkosw048]CAQ|b3BlbnNzaC1rZXktdjE|LS0tLS1CRUdJTi/g;
const HEX = /^(?:[0-9a-f]{2})+$/i;
/** Bytes in hexadecimal with a colon or a space between them. */
const SEPARATED_HEX = /(?:[0-9a-f]{2}[:\s]){32,}[0-9a-f]{2}/gi;

/** The bytes of each word of a text that may be base64 or hexadecimal. */
function encodedIn(text: string): Buffer[] {
  const words: string[] = [];
  let [end, continues] = [0, false];
  for (const { 0: word, index } of text.matchAll(WORD)) {
    if (continues && LINE_END.test(text.slice(end, Math.min(index, end + 100))) && index - end < 100) words[words.length - 1] += word;
    else words.push(word);
    [end, continues] = [index + word.length, word.length >= SHORTEST_LINE];
  }
  const separated = text.length >= 3 * 32 && /[:\s]/.test(text) ? (text.match(SEPARATED_HEX) ?? []).map((hex) => hex.replace(/[:\s]/g, '')) : [];
  return [...words, ...separated].filter((word) => word.length >= SHORTEST_TEXT).flatMap((word) => [
    ...HEX.test(word) ? [Buffer.from(word, 'hex')] : [],
    Buffer.from(word, 'base64'),
    ...[...word.matchAll(KEY_IN_BASE64)].filter(({ index }) => index > 0).slice(0, 1).map(({ index }) => Buffer.from(word.slice(index), 'base64')),
  ]);
}

/** How much larger the content of a compressed text may be. */
const MAX_RATIO = 32;

function isKeyOf(bytes: Buffer, layer: number): boolean {
  if (isPrivateKey(bytes)) return true;
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) return isKeyOf(decompressed(bytes), layer + 1);
  return isText(bytes) && containsPrivateKey(bytes.toString('latin1'), layer);
}

function decompressed(bytes: Buffer): Buffer {
  try {
    return gunzipSync(bytes, { maxOutputLength: MAX_RATIO * bytes.length });
  } catch {
    return Buffer.alloc(0);
  }
}

/** Whether bytes may be a text: without control characters, but with the zeros of UTF-16. */
function isText(bytes: Buffer): boolean {
  return !bytes.subarray(0, 256).some((byte) => byte > 0 && byte < 9 || byte > 13 && byte < 32);
}
