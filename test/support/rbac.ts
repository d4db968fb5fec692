/**
 * Evaluation of Envoy's RBAC rules in the emitted EnvoyFilters.
 */
import { Manifest } from './manifests';

/** A request as RBAC rules match it. JWT claims are headers, under the name that Istio's routes use for them. */
export interface Sample { readonly method: string; readonly path: string; readonly headers: { readonly [name: string]: string } }

/** The RBAC rules for one TLS server name (SNI): those of its virtual host, or of its filter chain. */
export function rbacOf(objects: Manifest[], sni: string): Manifest {
  const patches: Manifest[] = objects.filter(({ kind }) => kind === 'EnvoyFilter').flatMap(({ spec }) => spec.configPatches);
  const ofRequests = patches.filter(({ match }) => match.routeConfiguration?.vhost.name === `${sni}:15443`)
    .map(({ patch }) => patch.value.typed_per_filter_config['mesh-federation.rules'].rbac.rules);
  const ofBytes = patches.filter(({ match, patch }) => match.listener?.filterChain?.sni === sni && patch.value?.typed_config?.['@type'].endsWith('network.rbac.v3.RBAC'))
    .map(({ patch }) => patch.value.typed_config.rules);
  const all = [...ofRequests, ...ofBytes];
  expect(all).toHaveLength(1);
  expect(all[0].action).toBe('ALLOW');
  return all[0];
}

/** The permissions of the RBAC rules for an SNI. */
export function permissionsOf(objects: Manifest[], sni: string): Manifest[] {
  return Object.values<Manifest>(rbacOf(objects, sni).policies).flatMap(({ permissions }) => permissions);
}

/** Whether an EnvoyFilter inserts a filter that denies every request before the router of a server. */
export function deniesByDefault(objects: Manifest[], namespace: string, sni: string): boolean {
  return objects.filter(({ kind, metadata }) => kind === 'EnvoyFilter' && metadata.namespace === namespace).flatMap(({ spec }) => spec.configPatches)
    .some(({ applyTo, match, patch }: Manifest) => applyTo === 'HTTP_FILTER' && patch.operation === 'INSERT_BEFORE'
      && [undefined, sni].includes(match.listener.filterChain.sni)
      && patch.value.name === 'mesh-federation.rules' && JSON.stringify(patch.value.typed_config.rules) === '{"action":"ALLOW","policies":{}}');
}

/** Whether the rules allow a request. */
export function allows({ policies }: Manifest, sample: Sample): boolean {
  return Object.values<Manifest>(policies).some(({ permissions }) => permissions.some((one: Manifest) => permits(one, sample)));
}

/** Principals that the rules allow, in Istio's spelling. */
export function principalsOf({ policies }: Manifest): string[] {
  return Object.values<Manifest>(policies).flatMap(({ principals }) => principals)
    .map(({ authenticated: { principal_name: { exact, prefix } } }: Manifest) => (exact ?? `${prefix}*`).replace('spiffe://', ''));
}

/** Methods, path patterns and headers that the rules name. */
export function namedIn(rules: Manifest): { methods: string[]; patterns: string[]; headerSets: Sample['headers'][] } {
  const permissions = Object.values<Manifest>(rules.policies).flatMap((policy) => policy.permissions);
  const leaves = permissions.flatMap(leavesOf);
  return {
    methods: leaves.flatMap(({ header }) => header?.name === ':method' ? [header.string_match.exact] : []),
    patterns: leaves.flatMap(({ url_path: path }) => path ? [path.path.exact ?? `${path.path.prefix}*`] : []),
    headerSets: permissions.flatMap((permission) => nearlyRequired(leavesOf(permission))),
  };
}

/** The issuers of the JWTs that the rules require. */
export function issuersIn(rules: Manifest): string[] {
  return Object.values<Manifest>(rules.policies).flatMap(({ permissions }) => permissions).flatMap(leavesOf)
    .filter(({ metadata }) => metadata && claimOf(metadata) === '@request.auth.claims[iss]').flatMap(({ metadata }) => matchedTextsOf(metadata));
}

function leavesOf(permission: Manifest): Manifest[] {
  const { and_rules: and, or_rules: or, not_rule: not } = permission;
  return and ? and.rules.flatMap(leavesOf) : or ? or.rules.flatMap(leavesOf) : not ? leavesOf(not) : [permission];
}

function permits(permission: Manifest, sample: Sample): boolean {
  const { and_rules: and, or_rules: or, not_rule: not, header, url_path: path, metadata, any } = permission;
  if (any) return true;
  if (and) return and.rules.every((rule: Manifest) => permits(rule, sample));
  if (or) return or.rules.some((rule: Manifest) => permits(rule, sample));
  if (not) return !permits(not, sample);
  if (header) return (header.name === ':method' ? sample.method : sample.headers[header.name]) === header.string_match.exact;
  if (path) return path.path.exact === undefined ? sample.path.startsWith(path.path.prefix) : sample.path === path.path.exact;
  return matchedTextsOf(metadata).includes(sample.headers[claimOf(metadata)]);
}

function claimOf({ filter, path }: Manifest): string {
  expect([filter, path[0].key]).toEqual(['envoy.filters.http.jwt_authn', 'payload']);
  return `@request.auth.claims${path.slice(1).map(({ key }: Manifest) => `[${key}]`).join('')}`;
}

/** The values of a claim. The rules match them both as a string and as an element of a string array. */
function matchedTextsOf({ value }: Manifest): string[] {
  const [text, list] = value.or_match.value_matchers;
  expect(list.list_match.one_of).toEqual(text);
  return (text.or_match?.value_matchers ?? [text]).map(({ string_match: { exact } }: Manifest) => exact);
}

/** Header sets with all headers and claims that a rule requires, with each of their values, and with one of them empty or longer. */
function nearlyRequired(leaves: Manifest[]): Sample['headers'][] {
  const required: [string, string[]][] = leaves.flatMap(({ header, metadata }): [string, string[]][] =>
    metadata ? [[claimOf(metadata), matchedTextsOf(metadata)]] : header && header.name !== ':method' ? [[header.name, [header.string_match.exact]]] : []);
  const first = Object.fromEntries(required.map(([name, [value]]) => [name, value]));
  const all = [first, ...required.flatMap(([name, values]) =>
    [...values.map((value) => ({ ...first, [name]: value })), { ...first, [name]: `${values[0]}.more` }, { ...first, [name]: '' }])];
  // A request with claims has its JWT in the authorization header.
  return all.map((headers) => required.some(([name]) => name.startsWith('@')) ? { ...headers, authorization: 'Bearer a.b.c' } : headers);
}
