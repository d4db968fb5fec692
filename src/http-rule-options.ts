/**
 * Options of `HttpRule.allow`. A request must satisfy every field that is set; values of a list are alternatives.
 *
 * Set at least one field (FED308).
 *
 * @exampleMetadata fixture=meshes
 * @example
 * const readOnly = HttpRule.allow({
 *   methods: ['GET', 'HEAD'],
 *   paths: ['/orders', '/orders/*'],
 *   exceptPaths: ['/orders/drafts/*'],
 *   requiredHeaders: { 'x-api-version': '2' },
 * });
 */
export interface HttpRuleOptions {
  /**
   * HTTP methods in upper case, such as `['GET', 'HEAD']`. `CONNECT` cannot be listed.
   * @default - every method
   */
  readonly methods?: string[];
  /**
   * Paths such as `['/a/b', '/a/*']`: `/a/b` is exact, `/a/*` is every path that begins with `/a/`, without `/a`
   * itself.
   *
   * Rejects other patterns, such as `/a*` (FED307). The query is not matched.
   * @default - every path
   */
  readonly paths?: string[];
  /**
   * Paths within `paths` that stay denied, in the same form, such as `['/orders/drafts/*']`.
   *
   * Spellings that a common backend reads as such a path are denied too. `/a/*` also denies `/a`, `/a/b` also denies
   * `/a/b/` and `/a/b.json`, and upper case counts as lower case. A path that the same rule lists in `paths` stays
   * allowed. On this port, paths with `//`, `;` or escaped letters get 400. Prefer `paths` that list what is allowed.
   * @default - none
   */
  readonly exceptPaths?: string[];
  /**
   * Headers that a request must have with exactly these values, such as `{ 'x-api-version': '2' }`. Names in lower
   * case.
   *
   * A peer can write any header, so use them to distinguish requests, never to authenticate callers.
   * @default - none
   */
  readonly requiredHeaders?: { [name: string]: string };
}
