import { compare } from './order';

/*
 * Path patterns: `/a/b` matches that path, `/a/*` matches every path that begins with `/a/`. Of two patterns, either
 * one covers the other or no path matches both.
 */

/** Prefix of a prefix pattern: `/a/` of `/a/*`. Undefined for an exact path. */
export function prefixOf(pattern: string): string | undefined {
  return pattern.endsWith('/*') ? pattern.slice(0, -1) : undefined;
}

/** Whether every path that matches `inner` also matches `outer`. */
export function covers(outer: string, inner: string): boolean {
  const prefix = prefixOf(outer);
  return prefix === undefined ? outer === inner : (prefixOf(inner) ?? inner).startsWith(prefix);
}

/** Distinct patterns, the narrowest first: the first one that matches a path is the narrowest one that matches it. */
export function narrowestFirst(patterns: string[]): string[] {
  return [...new Set(patterns)].sort((a, b) => compareRank(a, b) || compare(a, b));
}

/** Order of patterns: exact paths, then prefixes, the longer ones first. */
export function compareRank(a: string, b: string): number {
  const [rankOfA, rankOfB] = [a, b].map((pattern) => prefixOf(pattern)?.length ?? Number.MAX_SAFE_INTEGER);
  return rankOfB - rankOfA;
}
