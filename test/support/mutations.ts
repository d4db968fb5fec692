/**
 * Changes of everything that a program can change after a declaration: what it gave to a call, and what a public property returned.
 */

import { Duration } from 'cdk8s';

/** What is attempted, so that a test can check that anything was. */
export interface Attempts { changed: number; refused: number }

/**
 * Changes a value and everything that public properties lead to: adds, replaces and removes items and fields. Constructs that `inside` does
 * not accept, such as those of a user, are not changed.
 */
export function changeEverything(value: unknown, inside: (construct: object) => boolean, attempts: Attempts, seen = new Set<unknown>()): void {
  if (typeof value !== 'object' || value === null || seen.has(value)) return;
  seen.add(value);
  // The units of a Duration belong to cdk8s, and so to every program of the process.
  if (value instanceof Duration || 'node' in value && !inside(value)) return;
  const names = namesOf(value);
  for (const name of names) changeEverything(read(value, name), inside, attempts, seen);
  const attempt = (change: () => void) => {
    try {
      change();
      attempts.changed += 1;
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      attempts.refused += 1;
    }
  };
  if (Array.isArray(value)) {
    attempt(() => value.push(value[0]));
    attempt(() => value.splice(0, 1, '10.0.0.1'));
    attempt(() => value.reverse());
    attempt(() => { value.length = 0; });
    return;
  }
  for (const name of names) {
    attempt(() => { (value as any)[name] = typeof read(value, name) === 'number' ? 1 : 'changed'; });
    attempt(() => { delete (value as any)[name]; });
  }
  attempt(() => { (value as any).added = 'added'; });
}

/** Names of the public properties of an object and of its class. Names with an underscore are internal; `node` is of `constructs`. */
function namesOf(value: object): string[] {
  const names = new Set<string>();
  for (let each = value; each && each !== Object.prototype && each !== Array.prototype; each = Object.getPrototypeOf(each)) {
    for (const [name, { get, value: own }] of Object.entries(Object.getOwnPropertyDescriptors(each))) {
      if (get !== undefined || typeof own !== 'function') names.add(name);
    }
  }
  return [...names].filter((name) => !name.startsWith('_') && !['node', 'length'].includes(name));
}

function read(value: object, name: string): unknown {
  return (value as any)[name];
}
