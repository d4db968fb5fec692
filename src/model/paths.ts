import { compare } from './order';

/*
 * Path patterns: `/a/b` is that path, `/a/*` is every path that begins with `/a/`. Two of them either lie one inside the other or have
 * nothing in common.
 */

/** What all paths of a prefix pattern begin with; undefined for a single path. */
export function prefixOf(pattern: string): string | undefined {
  return pattern.endsWith('/*') ? pattern.slice(0, -1) : undefined;
}

/** Whether all that one pattern stands for lies in another. */
export function covers(outer: string, inner: string): boolean {
  const prefix = prefixOf(outer);
  return prefix === undefined ? outer === inner : (prefixOf(inner) ?? inner).startsWith(prefix);
}

/** The narrowest first, so that the first that a path matches is the narrowest that it matches. */
export function narrowestFirst(patterns: string[]): string[] {
  const rank = (pattern: string) => prefixOf(pattern) === undefined ? Infinity : pattern.length;
  return [...new Set(patterns)].sort((a, b) => rank(b) - rank(a) || compare(a, b));
}
