import { fail, show, Where } from './errors';

/*
 * Values of the wrong type. TypeScript rejects them; plain JavaScript, a spread or `ts-node --transpile-only` does not.
 */

/** The fields of an options type. The compiler rejects a list with a missing or an extra field. */
export function fieldsOf<Options extends object>(fields: { readonly [field in keyof Required<Options>]: true }): readonly string[] {
  return Object.keys(fields);
}

/** Rejects unknown fields, since a misspelt option would silently be omitted, and fields without a value. */
export function checkFields(where: Where, what: string, value: unknown, known: readonly string[]): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    fail('FED120', where, `${what} must be an object, not ${show(value)}`, `use an object with ${known.join(', ')}`);
  }
  for (const [key, given] of Object.entries(value)) {
    if (!known.includes(key)) fail('FED120', where, `unknown field ${show(key)} in ${what}`, `use only ${known.join(', ')}`);
    // An empty key of a YAML file: the default would apply in place of what somebody wanted to set.
    if (given === null) fail('FED120', where, `${key} is null in ${what}`, 'set a value, or omit the field');
  }
}

/** A class with a private constructor: its static members create its instances, or are instances. */
interface Kind {
  readonly name: string;
  readonly prototype: object;
}

/** Requires an instance of a class. */
export function checkGiven(where: Where, what: string, value: unknown, kind: Kind): void {
  if (Object.prototype.isPrototypeOf.call(kind.prototype, value as object)) return;
  fail('FED120', where, `${what} must be of type ${kind.name}, not ${show(value)}`, `use ${membersOf(kind).join(', ')}`);
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

export function checkList(where: Where, what: string, value: unknown): void {
  if (!Array.isArray(value)) fail('FED120', where, `${what} must be a list, not ${show(value)}`, 'use a list, also for a single value');
}

export function checkMap(where: Where, what: string, value: unknown, example: string): void {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return;
  fail('FED120', where, `${what} must be a map, not ${show(value)}`, `use names and values, for example ${example}`);
}

/** Requires a boolean or undefined: a string such as "false" would count as true. */
export function checkFlag(where: Where, what: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'boolean') fail('FED120', where, `${what} must be a boolean, not ${show(value)}`, 'use true or false');
}
