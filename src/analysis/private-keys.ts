import { unpacked } from './archives';
import { encodedIn, listedIn, SHORTEST_TEXT, unescaped } from './encodings';
import { isPrivateKey } from './key-formats';
import { hasKeyText, isSigningKey } from './key-texts';

/*
 * Private keys in texts, in every form that a manifest can hold: PEM, DER, keystores and JWKs, with the escapes of other
 * formats, in base64 or hexadecimal, compressed, and all of that inside other texts. Each step reads a text once, and all
 * of them together read a multiple of it at most, so the time is linear in its size.
 */

/** Layers of encodings and of JSON: a Secret in base64, in the text of a ConfigMap, in an annotation. */
const MAX_LAYERS = 10;
/** Longest key. */
const MAX_KEY = 20_000;
/** Longer texts are read in pieces, which overlap by a key: regular expressions fail for some matches of 8 MB. */
const MAX_PIECE = 4_000_000;
/** How much is read for one piece, over all layers: so many times its length, and as much again of what was compressed. */
const MAX_RATIO = 32;

/** Whether a text contains a private key. */
export function containsPrivateKey(text: string): boolean {
  for (let from = 0; from === 0 || from + MAX_KEY < text.length; from += MAX_PIECE - MAX_KEY) {
    const piece = text.slice(from, from + MAX_PIECE);
    if (new Search(MAX_RATIO * piece.length + MAX_PIECE).isKeyIn(piece, 0)) return true;
  }
  return false;
}

class Search {
  constructor(private left: number) {}

  public isKeyIn(text: string, layer: number): boolean {
    this.left -= text.length;
    if (text.length < SHORTEST_TEXT || layer > MAX_LAYERS || this.left < 0) return false;
    const json = parsedJson(text);
    if (json !== undefined) return allIn(json).some((one) => this.isKey(one, layer + 1));
    if (isPrivateKey(Buffer.from(text.slice(0, MAX_KEY), 'latin1')) || listedIn(text).some((bytes) => this.isKeyOf(bytes, layer + 1))) return true;
    const plain = unescaped(text);
    if (plain !== text) return this.isKeyIn(plain, layer + 1);
    return hasKeyText(text) || encodedIn(text).some((bytes) => this.isKeyOf(bytes, layer + 1));
  }

  private isKey(value: unknown, layer: number): boolean {
    if (typeof value === 'string') return this.isKeyIn(value, layer);
    return isObject(value) && (isSigningKey(value) || joined(value).some((text) => this.isKeyIn(text, layer)));
  }

  private isKeyOf(bytes: Buffer, layer: number): boolean {
    if (isPrivateKey(bytes)) return true;
    const contents = unpacked(bytes, Math.min(this.left, MAX_PIECE));
    this.left -= contents.reduce((sum, { length }) => sum + length, 0);
    if (contents.length > 0) return layer < MAX_LAYERS && contents.some((content) => this.isKeyOf(content, layer + 1));
    return isText(bytes) && this.isKeyIn(bytes.toString('latin1'), layer);
  }
}

/** A value and all values and names inside it, without recursion: JSON may be nested deeper than the stack is. */
function allIn(value: unknown): unknown[] {
  const all = [value];
  for (const one of all) {
    if (isObject(one)) Object.entries(one).forEach(([key, inner]) => all.push(key, inner));
  }
  return all;
}

function isObject(value: unknown): value is object {
  return value !== null && typeof value === 'object';
}

/** Lists whose items are a key together: lines of text, bytes, or the members of a JWK with their names. */
export function joined(value: object): string[] {
  if (!Array.isArray(value) || value.length < 2) return [];
  if (value.every((one) => typeof one === 'string')) return [value.join('\n')];
  if (value.every((one) => typeof one?.name === 'string')) {
    return [value.filter((one) => typeof one.value === 'string').map((one) => `${one.name}: ${one.value}`).join('\n')];
  }
  const areBytes = value.length >= SHORTEST_TEXT && value.every((one) => Number.isInteger(one) && one >= -128 && one < 256);
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

/** Whether bytes may be a text: without control characters, but with the zeros of UTF-16. */
function isText(bytes: Buffer): boolean {
  return !bytes.subarray(0, 256).some((byte) => byte > 0 && byte < 9 || byte > 13 && byte < 32);
}
