/** Options of `HttpRule.allow`. Values of a list are alternatives; a request must satisfy every field that is set. At least one field. */
export interface HttpRuleOptions {
  /**
   * Upper-case methods. `CONNECT` cannot be allowed by name.
   * @default - every method
   */
  readonly methods?: string[];
  /**
   * `/a/b` is that path only. `/a/*` is everything below `/a/`, without `/a` itself. Other patterns throw.
   * @default - every path
   */
  readonly paths?: string[];
  /**
   * Paths, same form, that stay closed. They lie in `paths`.
   *
   * Whatever a common backend may read as one of them stays closed as well: `/a/*` closes `/a`, upper case is lower case, `/a/b` closes
   * `/a/b/` and `/a/b.json`. A path that the same rule lists in `paths` is open. Paths of this port with `//`, `;` or escaped letters get 400.
   * @default - none
   */
  readonly exceptPaths?: string[];
  /**
   * Headers with the exact value that they must have, names in lower case. A peer can write any of them: they tell kinds of requests
   * apart, not callers.
   * @default - none
   */
  readonly requiredHeaders?: { [name: string]: string };
}
