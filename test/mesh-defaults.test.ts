import { SCENARIOS } from './scenarios';
import { filesOf, keyOf, Manifest, parse } from './support/manifests';

/*
 * Settings of MeshConfig that apply where an object says nothing. So all objects of all golden scenarios say something.
 */

const all = Object.values(SCENARIOS).flatMap((program) => [...filesOf(program()).values()].flatMap((text) => parse(text)));
const ofKind = (kind: string) => all.filter((object) => object.kind === kind);
/** The traffic policies that decide about one connection: those of subsets, where there are subsets. */
const policies = ofKind('DestinationRule').flatMap(({ spec }) => spec.subsets ? spec.subsets.map(({ trafficPolicy }: Manifest) => trafficPolicy) : [spec.trafficPolicy]);

/** The objects that do not have a property, by kind and name. */
function without(kind: string, has: (object: Manifest) => boolean): string[] {
  expect(ofKind(kind).length).toBeGreaterThan(0);
  return ofKind(kind).filter((object) => !has(object)).map(keyOf);
}

test('every traffic policy sets each block that it would inherit from meshConfig.defaultTrafficPolicy', () => {
  expect(policies.length).toBeGreaterThan(0);
  for (const policy of policies) {
    expect(Object.keys(policy)).toEqual(expect.arrayContaining(['connectionPool', 'outlierDetection']));
    expect(Object.keys({ ...policy.connectionPool.tcp, ...policy.connectionPool.http })).not.toEqual([]);
    // Port settings would replace all these blocks, and inherit nothing from them.
    expect(policy.portLevelSettings).toBeUndefined();
  }
});

test('no outlier detection counts a response of the peer, whatever its status', () => {
  for (const { outlierDetection } of policies) {
    // Envoy counts five responses with a status of 5xx unless the field says 0, and gateway errors only if it is asked to.
    expect([outlierDetection.consecutive5xxErrors, outlierDetection.consecutiveGatewayErrors ?? 0]).toEqual([0, 0]);
  }
});

test('every traffic policy has settings of its own in place of meshConfig.localityLbSetting: callers prefer their own cluster, and nothing else counts', () => {
  expect(policies.map(({ loadBalancer }) => loadBalancer)).toEqual(ofKind('DestinationRule').flatMap(({ spec }) => spec.subsets
    ? spec.subsets.map(() => ({ localityLbSetting: { failoverPriority: ['topology.istio.io/cluster'] } }))
    : [{ localityLbSetting: { enabled: false } }]));
});

test('every traffic policy sets the time to connect, so meshConfig.connectTimeout does not apply', () => {
  expect(policies.map(({ connectionPool }) => connectionPool.tcp.connectTimeout).filter((timeout) => !['2s', '5s', '10s'].includes(timeout))).toEqual([]);
});

test.each(['DestinationRule', 'VirtualService', 'ServiceEntry'])('every %s says to which namespaces it is exported', (kind) => {
  expect(without(kind, ({ spec }) => Array.isArray(spec.exportTo) && spec.exportTo.length > 0)).toEqual([]);
});

test('every Service says to which namespaces it is exported, except for those of ingress gateways, which the mesh does not call', () => {
  const silent = without('Service', ({ metadata }) => metadata.annotations?.['networking.istio.io/exportTo'] !== undefined);
  expect(silent.filter((key) => !key.endsWith('federation-ingress'))).toEqual([]);
});

test('every HTTP route of a gateway says whether it retries, so meshConfig.defaultHttpRetryPolicy does not apply', () => {
  const routes = ofKind('VirtualService').filter(({ spec }) => !spec.gateways.includes('mesh')).flatMap(({ spec }) => spec.http ?? [])
    .filter(({ directResponse }: Manifest) => directResponse === undefined);
  expect(routes.length).toBeGreaterThan(0);
  expect(routes.filter(({ retries }: Manifest) => retries?.attempts === undefined)).toEqual([]);
});

test('no gateway of our own inherits a drain time, runtime values or another way to end from meshConfig.defaultConfig', () => {
  const configs = ofKind('Deployment').map(({ spec }) => parse(spec.template.metadata.annotations['proxy.istio.io/config'])[0]);
  expect(configs.length).toBeGreaterThan(0);
  for (const { drainDuration, terminationDrainDuration, runtimeValues, proxyMetadata } of configs) {
    expect({ drainDuration, terminationDrainDuration, runtimeValues }).toEqual({
      drainDuration: '45s', terminationDrainDuration: '30s', runtimeValues: {},
    });
    expect(proxyMetadata.EXIT_ON_ZERO_ACTIVE_CONNECTIONS).toBe('false');
  }
});

test('every gateway of our own sets the proxy headers that it would inherit from meshConfig.defaultConfig', () => {
  const configs = ofKind('Deployment').map(({ spec }) => parse(spec.template.metadata.annotations['proxy.istio.io/config'])[0]);
  expect(configs.length).toBeGreaterThan(0);
  for (const { proxyHeaders, gatewayTopology } of configs) {
    expect(Object.keys(proxyHeaders).sort()).toEqual(['attemptCount', 'envoyDebugHeaders', 'requestId', 'server']);
    expect(gatewayTopology.forwardClientCertDetails).toMatch(/^SANITIZE/);
  }
});
