/** Order of texts that no locale changes. */
export function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Each text once, in that order. */
export function distinct(texts: readonly string[]): string[] {
  return [...new Set(texts)].sort(compare);
}
