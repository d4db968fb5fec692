import { fail, show, Where } from './errors';

/*
 * Values of another kind: what the types of TypeScript refuse, and what plain JavaScript, a spread or `ts-node --transpile-only` let through.
 */

/** The fields of an options object, derived from its type: the compiler refuses a list that lacks one, or has one too many. */
export function fieldsOf<Options extends object>(fields: { readonly [field in keyof Required<Options>]: true }): readonly string[] {
  return Object.keys(fields);
}

/** Refuses unknown fields: a misspelt option would be an option that is not there. */
export function checkFields(where: Where, what: string, value: unknown, known: readonly string[]): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    fail('FED120', where, `${what} must be an object, not ${show(value)}`, `use an object with ${known.join(', ')}`);
  }
  const unknown = Object.keys(value).find((key) => !known.includes(key));
  if (unknown === undefined) return;
  fail('FED120', where, `unknown field ${show(unknown)} in ${what}`, `use only ${known.join(', ')}`);
}

/** Requires an object of one of our classes. */
export function checkGiven(where: Where, what: string, value: unknown, kind: { readonly name: string; readonly prototype: object }): void {
  if (Object.prototype.isPrototypeOf.call(kind.prototype, value as object)) return;
  fail('FED120', where, `${what} must be of type ${kind.name}, not ${show(value)}`, `use a static member of ${kind.name}`);
}

/** The same for an option that may be left out. */
export function checkOptional(where: Where, what: string, value: unknown, kind: { readonly name: string; readonly prototype: object }): void {
  if (value !== undefined) checkGiven(where, what, value, kind);
}

export function checkList(where: Where, what: string, value: unknown): void {
  if (!Array.isArray(value)) fail('FED120', where, `${what} must be a list, not ${show(value)}`, 'use a list, also for a single value');
}

export function checkMap(where: Where, what: string, value: unknown, example: string): void {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return;
  fail('FED120', where, `${what} must be a map, not ${show(value)}`, `use names and values, for example ${example}`);
}

/** Requires `true`, `false` or nothing: a text such as "false" would count as true. */
export function checkFlag(where: Where, what: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'boolean') fail('FED120', where, `${what} must be a boolean, not ${show(value)}`, 'use true or false');
}
