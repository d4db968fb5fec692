import { createHash } from 'crypto';

/** Minimum number of mutants of a room; the score of fewer mutants would mean nothing. */
const LEAST = 4;

/** Sorts items by a hash of the seed and of their names, so that an unrelated change does not change the sample. */
export function shuffled<T>(items: readonly T[], seed: number, nameOf: (item: T) => string): T[] {
  return items.map((item) => ({ item, key: createHash('sha256').update(`${seed} ${nameOf(item)}`).digest('hex') }))
    .sort((a, b) => a.key < b.key ? -1 : a.key > b.key ? 1 : 0)
    .map(({ item }) => item);
}

/** Returns the number of mutants of each room in a sample: in proportion to its size, with a minimum. */
export function quotas(sizes: ReadonlyMap<string, number>, size: number): Map<string, number> {
  const all = [...sizes.values()].reduce((sum, n) => sum + n, 0);
  return new Map([...sizes].map(([room, n]) => [room, Math.min(n, Math.max(LEAST, Math.round(size * n / all)))]));
}
