import { beginsLikeKey, beginsLikePgpKey } from './key-formats';
import { PEM_KEY } from '../model/private-keys';

/*
 * Texts of private keys: PEM, JWK, XML, and those of OpenSSL, PuTTY, age, WireGuard and BIND. Each pattern reads a text
 * once.
 */

/** Whether a text contains a private key that is not encoded any further. */
export function hasKeyText(text: string): boolean {
  return hasPem(text) || hasSigningKey(text) || OTHER_KEYS.some(([sign, pattern]) => text.includes(sign) && pattern.test(text)) || hasNamedKey(text);
}

/** Longest key. */
const MAX_BLOCK = 20_000;
const BEGIN = new RegExp(`${PEM_KEY.source}([ +]BLOCK)?-----`, 'g');
/** Header lines of PGP and of encrypted keys. */
const HEADERS = /^\W{0,8}(?:Version|Comment|Charset|Hash|Proc-Type|DEK-Info):.*$/gm;
/** Fewer bytes of an encrypted key are an example. */
const SHORTEST_ENCRYPTED = 32;
/** The first line of a block. Signs of comments, line numbers, timestamps and levels of a log in front of it are shorter words. */
const FIRST_LINES = /[A-Za-z0-9][A-Za-z0-9+/]{19,}/g;

/** A PEM block, not prose about one and no placeholder: after the first line comes base64 that begins like a key. */
function hasPem(text: string): boolean {
  for (const begin of text.includes('PRIVATE') ? text.matchAll(BEGIN) : []) {
    const from = begin.index + begin[0].length;
    const end = text.indexOf('-----', from);
    const block = text.slice(from, Math.min(end < 0 ? text.length : end, from + MAX_BLOCK));
    const lines = block.replace(HEADERS, '');
    // Strings of a program, one for each line, may be joined by "+".
    const bytes = Buffer.from(lines.replace(/(["'])\s*\+/g, '$1').replace(/[^A-Za-z0-9+/]/g, ''), 'base64');
    const isKey = (content: Buffer) => beginsLikeKey(content) || begin[1] !== undefined && beginsLikePgpKey(content);
    if (/DEK-Info:/.test(block)) {
      if (bytes.length >= SHORTEST_ENCRYPTED) return true; // whatever its first bytes are
    } else if ([bytes, ...firstLines(lines)].some(isKey) && !isExample(lines, bytes)) {
      return true;
    }
  }
  return false;
}

/** Bytes of each word that may be the first line of a block. */
function firstLines(lines: string): Buffer[] {
  return (lines.match(FIRST_LINES) ?? []).map((word) => Buffer.from(word.slice(0, SHORTEST_ENCRYPTED), 'base64'));
}

/** A block of which only the beginning is shown. */
function isExample(lines: string, bytes: Buffer): boolean {
  return /\.\.\.|…/.test(lines) && bytes.length < 2 * SHORTEST_ENCRYPTED;
}

/** Keys that a word in the text announces, and what they look like. */
const OTHER_KEYS: readonly (readonly [sign: string, pattern: RegExp])[] = [
  ['PuTTY-User-Key-File', /^Private-Lines: \d+\s+[A-Za-z0-9+/]{40}/m],
  ['AGE-SECRET-KEY-1', /\bAGE-SECRET-KEY-1[0-9A-Z]{58}\b/],
  ['<RSAKeyValue', /<(?:D|P|Q)>\s*[A-Za-z0-9+/]{40}/],
  // What `openssl pkey -text` prints.
  ['priv', /^[ \t]*(?:priv|privateExponent):[ \t]*\r?\n[ \t]*(?:[0-9a-f]{2}:\s{0,20}){15}/m],
];

/** A key of WireGuard (32 bytes) or BIND behind its name. */
const NAMED_KEY = /^[ \t]*[Pp]rivateKey[ \t]*[=:][ \t]*["']?([A-Za-z0-9+/]{42,88}={0,2})["']?[ \t]*\r?$/gm;

function hasNamedKey(text: string): boolean {
  return text.includes('rivateKey') && [...text.matchAll(NAMED_KEY)]
    .some(([, value]) => value.length % 4 === 0 && /\d/.test(value) && /[A-Z]/.test(value) && !isFiller(value));
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
  return typeof value === 'string' && BASE64URL.test(value) && !isFiller(value) && !(value.length <= LONGEST_NAME && WORDS.test(value));
}

/** A value that is blacked out or filled up: `xxxx`, `0000`, `XXXX-XXXX`. */
function isFiller(value: string): boolean {
  return value.length > 2 && new Set(value.slice(0, LONGEST_NAME)).size <= 2;
}

/** Whether an object is a private JWK itself. In a JSON schema of JWKs the members are objects. */
export function isSigningKey(value: any): boolean {
  const { kty } = value;
  return typeof kty === 'string' && Object.hasOwn(SECRET_MEMBERS, kty)
    && SECRET_MEMBERS[kty].some((member) => isSecretValue(value[member]));
}

const KTY = /["']?\bkty["']?\s*[:=>]\s*["']?(RSA|EC|OKP|AKP|oct)\b/g;
const MEMBER = /(?:^|[\s{,"'<&?])(d|p|q|dp|dq|qi|k|priv)["']?\s*[:=>]\s*["']?([\w-]{22,2000})/gm;

/** A private JWK in YAML, XML, a form, in a text of a program, or in JSON inside another text. */
function hasSigningKey(text: string): boolean {
  if (!text.includes('kty')) return false;
  const members = new Set([...text.matchAll(KTY)].flatMap(([, kty]) => SECRET_MEMBERS[kty]));
  return members.size > 0 && [...text.matchAll(MEMBER)].some(([, member, value]) => members.has(member) && isSecretValue(value));
}
