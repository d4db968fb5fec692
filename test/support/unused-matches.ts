/**
 * The matches of HTTP routes that istiod calls unused, with a warning at each apply: `analyzeUnreachableHTTPRules` of its validation.
 */
import { Manifest } from './manifests';

/** Route and match of each warning. */
export function unusedMatches(routes: Manifest[]): string[] {
  const matches: Manifest[] = routes.flatMap(({ name, match = [] }) => match.map((one: Manifest, index: number) => ({ ...one, place: `${name} ${index}` })));
  const everything = routes.findIndex(({ match = [] }) => match.length === 0);
  return [
    ...everything >= 0 ? routes.slice(everything + 1).map(({ name }) => `${name} after the route for every request`) : [],
    ...matches.filter((one, index) => matches.findIndex((earlier) => matchKeyOf(earlier) === matchKeyOf(one)) < index).map(({ place }) => `${place} is repeated`),
    ...matches.filter((one, index) => matches.slice(0, index).some((earlier) => seemsToCover(earlier, one))).map(({ place }) => `${place} seems to be covered`),
  ];
}

function matchKeyOf({ place: _, ...match }: Manifest): string {
  return JSON.stringify(match, (_key, value) => value === null || typeof value !== 'object' || Array.isArray(value) ? value
    : Object.fromEntries(Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1)));
}

/**
 * istiod compares prefixes, and calls a later one covered if everything else of the match seems to be the same. It takes a method that is a
 * regular expression, or none, for GET, and a value that begins with another one for the same value.
 */
function seemsToCover(earlier: Manifest, later: Manifest): boolean {
  const [a, b] = [earlier.uri?.prefix, later.uri?.prefix];
  return Boolean(a && b && a !== b && b.startsWith(a))
    && (fixed(earlier.method) ?? 'exactGET').startsWith(fixed(later.method) ?? 'exactGET')
    && (['headers', 'withoutHeaders'] as const).every((field) => {
      const [ofEarlier, ofLater]: { [name: string]: Manifest }[] = [earlier[field] ?? {}, later[field] ?? {}];
      return Object.keys(ofEarlier).length === Object.keys(ofLater).length && Object.entries(ofEarlier).every(([name, value]) =>
        Object.hasOwn(ofLater, name) && (fixed(value) ?? '').startsWith(fixed(ofLater[name]) ?? ''));
    });
}

/** The text that istiod compares: none for a regular expression. */
function fixed(value: { readonly exact?: string; readonly prefix?: string } | undefined): string | undefined {
  return value?.exact !== undefined ? `exact${value.exact}` : value?.prefix !== undefined ? `prefix${value.prefix}` : undefined;
}
