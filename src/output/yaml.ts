import { Yaml } from 'cdk8s';

/*
 * A document as cdk8s writes it, byte for byte, in a fraction of the time. Only collections, and texts that surely need no quotes, are
 * written here; every other scalar is given to cdk8s, and so is a whole document with something in it that is no plain data.
 * test/yaml.test.ts holds the two against each other over arbitrary documents.
 */

/** Texts that begin like a word or a path and hold nothing that means something in YAML. */
const PLAIN = /^(?:[A-Za-z]|\.?\/)(?:[A-Za-z0-9._/:@+=,*-]*[A-Za-z0-9._/@+=,*])?$/;
/** Of these, what YAML 1.1 takes for something else: words, and an exponent alone for a number. */
const RESERVED = /^(?:true|false|yes|no|on|off|null|y|n|e[-+]?[0-9]+)$/i;
/** Other keys may mean something at the beginning of a line, or are written in two. */
const KEY = /^[A-Za-z0-9_/][A-Za-z0-9._/-]{0,1000}$/;
/** So many texts are remembered: labels and ports come again and again, but a large program has no end of different ones. */
const REMEMBERED = 10_000;

const texts = new Map<string, string>();
const NOT_PLAIN_DATA = new Error('not plain data');

/** What `Yaml.stringify` gives for one document. */
export function documentOf(document: unknown): string {
  if (!isMap(document)) return Yaml.stringify(document);
  try {
    return Object.keys(document).length === 0 ? '{}\n' : mapOf(document, '', '', new Set());
  } catch (error) {
    if (error !== NOT_PLAIN_DATA) throw error;
    return Yaml.stringify(document);
  }
}

/** A map with something in it. Its first line begins with `lead`: that of a map in a list has the dash. */
function mapOf(map: { [key: string]: unknown }, indent: string, lead: string, seen: Set<object>): string {
  enter(map, seen);
  let text = '';
  for (const key of Object.keys(map)) {
    const value = map[key];
    text += `${text === '' ? lead : indent}${keyOf(key)}:`;
    if (isCollection(value)) {
      const inner = `${indent}  `;
      text += isEmpty(value) ? ` ${emptyOf(value, seen)}` : `\n${collectionOf(value, inner, inner, seen)}`;
    } else {
      text += ` ${scalarOf(value, indent)}\n`;
    }
  }
  return text;
}

function listOf(list: unknown[], indent: string, lead: string, seen: Set<object>): string {
  enter(list, seen);
  let text = '';
  for (const item of list) {
    const dash = `${text === '' ? lead : indent}- `;
    if (isCollection(item)) text += isEmpty(item) ? `${dash}${emptyOf(item, seen)}` : collectionOf(item, `${indent}  `, dash, seen);
    else text += `${dash}${scalarOf(item, indent)}\n`;
  }
  return text;
}

function collectionOf(value: object, indent: string, lead: string, seen: Set<object>): string {
  return Array.isArray(value) ? listOf(value, indent, lead, seen) : mapOf(value as { [key: string]: unknown }, indent, lead, seen);
}

function emptyOf(value: object, seen: Set<object>): string {
  enter(value, seen);
  return Array.isArray(value) ? '[]\n' : '{}\n';
}

/** What stands twice in a document is written as a reference. */
function enter(collection: object, seen: Set<object>): void {
  if (seen.has(collection)) throw NOT_PLAIN_DATA;
  seen.add(collection);
}

function isMap(value: unknown): value is { [key: string]: unknown } {
  return value !== null && typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype;
}

function isCollection(value: unknown): value is object {
  if (value === null || typeof value !== 'object') return false;
  if (!Array.isArray(value) && !isMap(value)) throw NOT_PLAIN_DATA;
  return true;
}

function isEmpty(value: object): boolean {
  return Array.isArray(value) ? value.length === 0 : Object.keys(value).length === 0;
}

function keyOf(key: string): string {
  if (isPlain(key)) return key;
  if (!KEY.test(key)) throw NOT_PLAIN_DATA;
  return remembered(`key ${key}`, () => Yaml.stringify({ [key]: 0 }).slice(0, -': 0\n'.length));
}

function scalarOf(value: unknown, indent: string): string {
  if (typeof value === 'string') {
    if (isPlain(value)) return value;
    if (!value.includes('\n')) return remembered(`text ${value}`, () => alone(value));
    return alone(value).replace(/\n(?=[^\n])/g, `\n${indent}`);
  }
  if (value === null || value === undefined) return 'null';
  if (typeof value === 'boolean') return value ? 'true' : 'false';
  if (typeof value === 'number') return Number.isSafeInteger(value) && !Object.is(value, -0) ? String(value) : alone(value);
  throw NOT_PLAIN_DATA;
}

function isPlain(text: string): boolean {
  return text.length <= 1000 && PLAIN.test(text) && !RESERVED.test(text);
}

/** A scalar as it stands behind a key. */
function alone(value: unknown): string {
  return Yaml.stringify({ k: value }).slice('k: '.length, -1);
}

function remembered(key: string, write: () => string): string {
  const known = texts.get(key);
  if (known !== undefined) return known;
  const text = write();
  if (texts.size < REMEMBERED) texts.set(key, text);
  return text;
}
