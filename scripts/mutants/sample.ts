import { createHash } from 'crypto';

/** No room gets fewer: below that its row says nothing. */
const LEAST = 4;

/** Items in an order that follows from a seed and from what each is called, so that a change elsewhere does not give another sample. */
export function shuffled<T>(items: readonly T[], seed: number, nameOf: (item: T) => string): T[] {
  return items.map((item) => ({ item, key: createHash('sha256').update(`${seed} ${nameOf(item)}`).digest('hex') }))
    .sort((a, b) => a.key < b.key ? -1 : a.key > b.key ? 1 : 0)
    .map(({ item }) => item);
}

/** How many of a sample each room gets: by its size, and at least a few. */
export function quotas(sizes: ReadonlyMap<string, number>, size: number): Map<string, number> {
  const all = [...sizes.values()].reduce((sum, n) => sum + n, 0);
  return new Map([...sizes].map(([room, n]) => [room, Math.min(n, Math.max(LEAST, Math.round(size * n / all)))]));
}
