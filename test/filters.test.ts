import { IstioVersion } from '../src';
import { Manifest, names } from './support/manifests';
import { EXISTING_GATEWAY } from './support/pair';
import { everythingFor } from './support/supported';
import { ISTIO_VERSIONS } from './support/versions';

/*
 * Types and required fields of the Envoy configuration in EnvoyFilters. istiod does not validate it, and a proxy rejects a listener with
 * an unknown type, so this test lists the types and the fields that each requires a second time.
 */

const FILTERS = 'type.googleapis.com/envoy.extensions.filters';

/** An extension of Envoy: its name where a patch names it, and the fields that it requires unless a patch only adds to them. */
interface Extension { readonly name: string; readonly requires: readonly string[] }

const TYPES: { readonly [type: string]: Extension } = {
  [`${FILTERS}.network.http_connection_manager.v3.HttpConnectionManager`]: { name: 'envoy.filters.network.http_connection_manager', requires: ['stat_prefix', 'rds'] },
  [`${FILTERS}.network.tcp_proxy.v3.TcpProxy`]: { name: 'envoy.filters.network.tcp_proxy', requires: ['stat_prefix', 'cluster'] },
  [`${FILTERS}.network.connection_limit.v3.ConnectionLimit`]: { name: 'envoy.filters.network.connection_limit', requires: ['stat_prefix', 'max_connections'] },
  [`${FILTERS}.network.rbac.v3.RBAC`]: { name: 'mesh-federation.rules', requires: ['stat_prefix', 'rules'] },
  [`${FILTERS}.http.rbac.v3.RBAC`]: { name: 'mesh-federation.rules', requires: ['rules'] },
  [`${FILTERS}.http.rbac.v3.RBACPerRoute`]: { name: 'mesh-federation.rules', requires: ['rbac'] },
  [`${FILTERS}.http.local_ratelimit.v3.LocalRateLimit`]: {
    name: 'envoy.filters.http.local_ratelimit', requires: ['stat_prefix', 'token_bucket', 'filter_enabled', 'filter_enforced'],
  },
  'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext': { name: 'envoy.transport_sockets.tls', requires: ['common_tls_context'] },
};
/** Filters of Istio and Envoy that our patches match. */
const MATCHED_FILTERS = [
  'envoy.filters.network.http_connection_manager', 'envoy.filters.network.tcp_proxy', 'envoy.filters.http.router', 'envoy.filters.http.jwt_authn',
];

/** The EnvoyFilter patches of objects. */
const patchesOf = (objects: Manifest[]) => objects.filter(({ kind }) => kind === 'EnvoyFilter').flatMap(({ spec }) => spec.configPatches);

const BOUNDARIES: [string, Manifest[]][] = ISTIO_VERSIONS.flatMap((version): [string, Manifest[]][] => [
  [`dedicated gateways of Istio ${version.minor}`, patchesOf(everythingFor(version))],
  [`an existing gateway of Istio ${version.minor}`, patchesOf(everythingFor(version, EXISTING_GATEWAY))],
]);

const tested = everythingFor(IstioVersion.V1_31);

test('the boundaries of this file have every EnvoyFilter that the library writes', () => {
  expect(names(tested, 'EnvoyFilter')).toEqual([
    'fed-in-connect-after-tls', 'fed-in-edge', 'fed-in-idle-reviews-3306-bank', 'fed-in-idle-reviews-80-bank', 'fed-in-idle-reviews-90-bank', 'fed-in-jwt-elsewhere',
    'fed-in-limits-bank', 'fed-lock-reviews-default', 'fed-out-connect-after-tls', 'fed-out-edge',
  ]);
});

/** A typed_config, the name of its extension, and whether it is complete (not merged into another one). */
interface Typed { readonly config: Manifest; readonly name: string; readonly whole: boolean }

/** Every typed_config in a patch, at any depth. */
function typedIn(value: Manifest, whole: boolean): Typed[] {
  if (value === null || typeof value !== 'object') return [];
  const own = value.typed_config ? [{ config: value.typed_config, name: value.name, whole }] : [];
  const ofRoutes = Object.entries<Manifest>(value.typed_per_filter_config ?? {}).map(([name, config]) => ({ config, name, whole: true }));
  return [...own, ...ofRoutes, ...Object.values(value).flatMap((child) => typedIn(child, whole))];
}

function typedOf({ match, patch }: Manifest): Typed[] {
  const found = typedIn(patch.value, patch.operation !== 'MERGE');
  // A patch that is merged into a filter names the filter in its match.
  return found.map((one) => one.name === undefined ? { ...one, name: match.listener.filterChain.filter.name } : one);
}

describe.each(BOUNDARIES)('at %s', (_, patches) => {
  const typed = patches.flatMap(typedOf);

  test('every typed_config has a type of Envoy and the name of that extension', () => {
    expect(typed.length).toBeGreaterThan(5);
    expect(typed.map(({ config, name }) => [config['@type'], name])).toEqual(typed.map(({ config }) => [config['@type'], TYPES[config['@type']]?.name ?? 'no type of Envoy']));
  });

  test('every typed_config that is not merged has non-empty values in the fields that Envoy requires', () => {
    const whole = typed.filter(({ whole: complete }) => complete);
    const isMissing = (value: unknown) => value === undefined || value === '' || value === 0;
    expect(whole.flatMap(({ config }) => TYPES[config['@type']].requires.filter((field) => isMissing(config[field])).map((field) => [config['@type'], field]))).toEqual([]);
  });

  test('every patch that adds or changes a filter has a typed_config', () => {
    const untyped = patches.filter(({ applyTo, patch }) => ['NETWORK_FILTER', 'HTTP_FILTER'].includes(applyTo) && patch.operation !== 'REMOVE')
      .filter((one) => typedOf(one).length === 0);
    expect(untyped).toEqual([]);
  });

  test('every filter that a patch matches is a filter of Istio or Envoy', () => {
    const matched = patches.flatMap(({ match }) => {
      const filter = match.listener?.filterChain?.filter;
      return filter ? [filter.name, ...filter.subFilter ? [filter.subFilter.name] : []] : [];
    });
    expect(matched.length).toBeGreaterThan(0);
    expect(matched.filter((name) => !MATCHED_FILTERS.includes(name))).toEqual([]);
  });
});

test('the tested boundaries generate every listed type', () => {
  const written = new Set(BOUNDARIES.flatMap(([, patches]) => patches.flatMap(typedOf)).map(({ config }) => config['@type']));
  expect([...written].sort()).toEqual(Object.keys(TYPES).sort());
});

test('requestsPerSecond fills the token bucket each second and applies to every request', () => {
  const limits = patchesOf(tested).flatMap(typedOf).filter(({ name }) => name === 'envoy.filters.http.local_ratelimit').map(({ config }) => config);
  expect(limits).toEqual(Array(2).fill({
    '@type': `${FILTERS}.http.local_ratelimit.v3.LocalRateLimit`,
    'stat_prefix': 'federation',
    'token_bucket': { max_tokens: 50, tokens_per_fill: 50, fill_interval: '1s' },
    'filter_enabled': { default_value: { numerator: 100 } },
    'filter_enforced': { default_value: { numerator: 100 } },
    'rate_limited_as_resource_exhausted': true,
  }));
});

test('with connectAfterHandshake, both gateways connect to the backend of a TCP port after the handshake, without early data', () => {
  const early = patchesOf(tested).map(({ patch }) => patch.value?.typed_config).filter((config) => config?.max_early_data_bytes !== undefined);
  expect(early.map((config) => [config.upstream_connect_mode, config.max_early_data_bytes])).toEqual(Array(2).fill(['ON_DOWNSTREAM_TLS_HANDSHAKE', 0]));
});
