import { Yaml } from 'cdk8s';

/*
 * YAML of a document, with the same bytes as from cdk8s, in a fraction of the time. Only collections, and strings that
 * certainly need no quotes, are written here. cdk8s writes every other scalar, and every document that contains
 * something else than plain data. test/yaml.test.ts compares the two with arbitrary documents.
 */

/** Strings that begin like a word or a path and contain no character with a meaning in YAML. */
const PLAIN = /^(?:[A-Za-z]|\.?\/)(?:[A-Za-z0-9._/:@+=,*-]*[A-Za-z0-9._/@+=,*])?$/;
/**
 * Those of them that YAML 1.1 does not read as strings: booleans and null, and an exponent, which it reads as a number.
 */
const RESERVED = /^(?:true|false|yes|no|on|off|null|y|n|e[-+]?[0-9]+)$/i;
/**
 * Keys that can be written here, such as the JWT claim `@request.auth.claims[iss]` of a route. Others may have a meaning
 * at the beginning of a line, or need two lines.
 */
const KEY = /^[A-Za-z0-9_/@][A-Za-z0-9._/@[\]-]{0,1000}$/;
/**
 * Maximum number of cached strings: labels and ports repeat often, but the number of different strings in a large
 * program is unbounded.
 */
const MAX_CACHED = 10_000;

const texts = new Map<string, string>();
const NOT_PLAIN_DATA = new Error('not plain data');

/** The result of `Yaml.stringify` for one document. */
export function documentOf(document: unknown): string {
  if (!isMap(document)) return Yaml.stringify(document);
  try {
    return Object.keys(document).length === 0 ? '{}\n' : mapOf(document, '', '', new Set());
  } catch (error) {
    if (error !== NOT_PLAIN_DATA) throw error;
    return Yaml.stringify(document);
  }
}

/** A map that is not empty. Its first line begins with `lead`, which contains the dash for a map in a list. */
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

/** Registers a collection. One that occurs twice in a document becomes an alias, which cdk8s writes. */
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
  return cached(`key ${key}`, () => Yaml.stringify({ [key]: 0 }).slice(0, -': 0\n'.length));
}

function scalarOf(value: unknown, indent: string): string {
  if (typeof value === 'string') {
    if (isPlain(value)) return value;
    if (!value.includes('\n')) return cached(`text ${value}`, () => scalarByCdk8s(value));
    return scalarByCdk8s(value).replace(/\n(?=[^\n])/g, `\n${indent}`);
  }
  if (value === null || value === undefined) return 'null';
  if (typeof value === 'boolean') return value ? 'true' : 'false';
  if (typeof value === 'number') return Number.isSafeInteger(value) && !Object.is(value, -0) ? String(value) : scalarByCdk8s(value);
  throw NOT_PLAIN_DATA;
}

function isPlain(text: string): boolean {
  return text.length <= 1000 && PLAIN.test(text) && !RESERVED.test(text);
}

/** A scalar as cdk8s writes it after a key. */
function scalarByCdk8s(value: unknown): string {
  return Yaml.stringify({ k: value }).slice('k: '.length, -1);
}

function cached(key: string, write: () => string): string {
  const known = texts.get(key);
  if (known !== undefined) return known;
  const text = write();
  if (texts.size < MAX_CACHED) texts.set(key, text);
  return text;
}
