/** Compares strings by code units, independent of the locale. */
export function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Distinct strings, sorted by `compare`. */
export function distinct(texts: readonly string[]): string[] {
  return [...new Set(texts)].sort(compare);
}
