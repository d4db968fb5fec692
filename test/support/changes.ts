/**
 * Every change of one field of an object: removed, emptied, widened or set to another value.
 */
import { Manifest } from './manifests';

/** A changed copy of an object. */
export interface Change {
  /** What was changed, as a JSON pointer with the operation. */
  readonly what: string;
  readonly changed: Manifest;
}

/** All changes of the fields of an object, metadata and identity excepted. */
export function* changesOf(object: Manifest): Generator<Change> {
  for (const field of Object.keys(object).filter((key) => !['apiVersion', 'kind', 'metadata'].includes(key))) yield* changesAt(object, [field]);
}

function* changesAt(object: Manifest, path: (string | number)[]): Generator<Change> {
  const value = at(object, path);
  const pointer = `/${path.join('/')}`;
  yield { what: `remove ${pointer}`, changed: changed(object, path, REMOVED) };
  for (const [what, other] of widened(value)) {
    if (JSON.stringify(other) !== JSON.stringify(value)) yield { what: `${what} ${pointer}`, changed: changed(object, path, other) };
  }
  if (value === null || typeof value !== 'object') return;
  const keys = Array.isArray(value) ? [...value.keys()] : Object.keys(value);
  // Of a long list, such as the headers that a route removes, the first and the last items stand for the others.
  for (const key of keys.length > 4 && Array.isArray(value) ? [keys[0], keys.at(-1)!] : keys) yield* changesAt(object, [...path, key]);
}

function widened(value: unknown): [what: string, value: unknown][] {
  switch (typeof value) {
    case 'string': return [['set to *', '*'], ['empty', ''], ['lengthen', `${value}x`]];
    case 'number': return [['increase', value + 1], ['set to 0', 0]];
    case 'boolean': return [['invert', !value]];
    default: return Array.isArray(value)
      ? [['empty', []], ['add {} to', [...value, {}]], ['repeat the last of', [...value, ...value.slice(-1)]]]
      : [['empty', {}], ['add a field to', { ...value as object, insecureSkipVerify: true }]];
  }
}

const REMOVED = Symbol('removed');

function at(object: Manifest, path: (string | number)[]): unknown {
  return path.reduce((value, key) => value[key], object);
}

/** A copy in which only the objects on the path are new. */
function changed(object: any, [key, ...rest]: (string | number)[], value: unknown): any {
  const copy = Array.isArray(object) ? [...object] : { ...object };
  if (rest.length > 0) copy[key] = changed(object[key], rest, value);
  else if (value !== REMOVED) copy[key] = value;
  else if (Array.isArray(copy)) copy.splice(key as number, 1);
  else delete copy[key];
  return copy;
}
