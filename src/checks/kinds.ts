import { FederationError, fail, hasPath, show, Where } from './errors';

/*
 * Values of the wrong type. TypeScript rejects them; plain JavaScript, a spread or `ts-node --transpile-only` does not.
 */

/** The fields of an options type. The compiler rejects a list with a missing or an extra field. */
export function fieldsOf<Options extends object>(fields: { readonly [field in keyof Required<Options>]: true }): readonly string[] {
  return Object.keys(fields);
}

/**
 * A copy of options, in which each field was read once. Code that takes it uses exactly what was checked, whatever the
 * program does with its own objects afterwards, and whatever a getter answers the next time.
 *
 * Rejects unknown fields, since a misspelt option would silently be omitted, and fields without a value.
 */
export function parseFields<Options extends object>(where: Where, what: string, value: Options, known: readonly string[]): Options {
  const fields = readGiven(where, what, () => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      fail('FED120', where, `${what} must be an object, not ${show(value)}`, `use an object with ${known.join(', ')}`);
    }
    const unknown = Object.keys(value).find((key) => !known.includes(key));
    if (unknown !== undefined) fail('FED120', where, `unknown field ${show(unknown)} in ${what}`, `use only ${known.join(', ')}`);
    return known.map((key): [string, unknown] => [key, copyOf(value[key as keyof Options])]).filter(([, given]) => given !== undefined);
  });
  const empty = fields.find(([, given]) => given === null);
  // An empty key of a YAML file: the default would apply in place of what somebody wanted to set.
  if (empty) fail('FED120', where, `${empty[0]} is null in ${what}`, 'set a value, or omit the field');
  return Object.fromEntries(fields) as Options;
}

/** Options are nested less deeply than this, so a value that contains itself ends. */
const DEEPEST = 8;

/** A copy of lists and maps, down to the values in them. Constructs and instances of classes are not copied. */
function copyOf(value: unknown, depth = 0): unknown {
  if (depth === DEEPEST) return value;
  if (Array.isArray(value)) return Array.from(value, (item) => copyOf(item, depth + 1));
  if (!isPlain(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, copyOf(item, depth + 1)]));
}

/** Whether a value is an object without a class. A program may also write a construct as such an object. */
function isPlain(value: unknown): value is object {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || hasPath(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** Reads a value of the program. A getter or a proxy may throw any error, which would name neither the construct nor the value. */
export function readGiven<Value>(where: Where, what: string, read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    if (error instanceof FederationError) throw error;
    return fail('FED120', where, `${what} cannot be read: ${show((error as Partial<Error> | undefined)?.message)}`, 'use a value that can be read');
  }
}

/** A class with a private constructor: its static members create its instances, or are instances. */
interface Kind {
  readonly name: string;
  readonly prototype: object;
}

/** Requires an instance of a class. */
export function checkGiven(where: Where, what: string, value: unknown, kind: Kind): void {
  if (isMadeBy(kind, value)) return;
  fail('FED120', where, `${what} must be of type ${kind.name}, not ${show(value)}`, `use ${membersOf(kind).join(', ')}`);
}

/**
 * Whether a class has created a value. Getters of our classes read private fields, which an object with only the prototype
 * does not have, and a proxy neither. Classes of cdk8s have public ones.
 */
function isMadeBy({ prototype }: Kind, value: unknown): boolean {
  try {
    if (!Object.prototype.isPrototypeOf.call(prototype, value as object)) return false;
    const getter = Object.values(Object.getOwnPropertyDescriptors(prototype)).find(({ get }) => get !== undefined)?.get;
    if (!getter) return Object.keys(value as object).length > 0;
    getter.call(value);
    return true;
  } catch {
    return false;
  }
}

function membersOf(kind: Kind): string[] {
  return Object.entries(Object.getOwnPropertyDescriptors(kind))
    .filter(([name]) => !['length', 'name', 'prototype'].includes(name))
    .map(([name, { value }]) => `${kind.name}.${name}${typeof value === 'function' ? '(…)' : ''}`);
}

/** Requires an instance of a class, or undefined. */
export function checkOptional(where: Where, what: string, value: unknown, kind: Kind): void {
  if (value !== undefined) checkGiven(where, what, value, kind);
}

/** Requires a string or undefined. Anything else would reach the manifest as another type. */
export function checkText(where: Where, what: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'string') fail('FED120', where, `${what} must be a string, not ${show(value)}`, 'use a string, in quotes');
}

/** Whether a value is a list. A revoked proxy throws. */
export function isList(value: unknown): value is unknown[] {
  try {
    return Array.isArray(value);
  } catch {
    return false;
  }
}

export function checkList(where: Where, what: string, value: unknown): void {
  if (!isList(value)) fail('FED120', where, `${what} must be a list, not ${show(value)}`, 'use a list, also for a single value');
}

/** Requires a map as an object literal. The entries of a `Map` would be omitted. */
export function checkMap(where: Where, what: string, value: unknown, example: string): void {
  if (isPlain(value)) return;
  fail('FED120', where, `${what} must be a map, not ${show(value)}`, `use names and values, for example ${example}`);
}

/** Requires a boolean or undefined: a string such as "false" would count as true. */
export function checkFlag(where: Where, what: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'boolean') fail('FED120', where, `${what} must be a boolean, not ${show(value)}`, 'use true or false');
}
