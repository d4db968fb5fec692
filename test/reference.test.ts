import { readFileSync } from 'fs';
import { join } from 'path';
import { Yaml } from 'cdk8s';
import { SCENARIOS } from './scenarios';
import { filesOf, find, keyOf, Manifest, parse } from './support/manifests';
import { allows, deniesByDefault, principalsOf, rbacOf, Sample } from './support/rbac';

/*
 * The library generates the reference manifests, except for the listed differences. The reference manifests (`test/reference/`) were
 * written by hand and tested on real proxies. Each difference is intentional (ADR 10), and is reverted before the comparison.
 */

/**
 * Headers that the library removes in addition to the reference manifests: instructions to proxies and servers, and more spellings of
 * claims of an earlier hop.
 */
const MORE_HEADERS = [
  'cf-connecting-ip', 'cf-connecting-ipv6', 'client-cert', 'client-cert-chain', 'cloudfront-forwarded-proto', 'cloudfront-viewer-address',
  'fastly-client-ip', 'front-end-https', 'proxy-authorization', 'ssl-client-cert', 'te', 'x-accel-mapping', 'x-accel-redirect',
  'x-amzn-mtls-clientcert', 'x-amzn-mtls-clientcert-leaf', 'x-amzn-mtls-clientcert-subject', 'x-appengine-user-ip', 'x-arr-clientcert',
  'x-azure-clientip', 'x-azure-socketip', 'x-client-cert', 'x-cluster-client-ip', 'x-envoy-degraded', 'x-envoy-hedge-on-per-try-timeout',
  'x-envoy-immediate-health-check-fail', 'x-envoy-original-method', 'x-envoy-original-url', 'x-envoy-retriable-header-names',
  'x-envoy-retriable-status-codes', 'x-envoy-upstream-rq-per-try-timeout-ms', 'x-envoy-upstream-stream-duration-ms', 'x-forwarded',
  'x-forwarded-context', 'x-forwarded-method', 'x-forwarded-prefix', 'x-forwarded-protocol', 'x-forwarded-scheme', 'x-forwarded-server',
  'x-forwarded-ssl', 'x-forwarded-tls-client-cert', 'x-forwarded-tls-client-cert-info', 'x-forwarded-uri', 'x-host', 'x-http-host-override',
  'x-http-method', 'x-http-method-override', 'x-lighttpd-send-file', 'x-method-override', 'x-middleware-subrequest',
  'x-original-forwarded-for', 'x-original-host', 'x-original-method', 'x-original-path', 'x-original-proto', 'x-original-url',
  'x-override-url', 'x-remote-addr', 'x-remote-ip', 'x-reproxy-url', 'x-rewrite-path', 'x-rewrite-url', 'x-scheme', 'x-script-name',
  'x-sendfile', 'x-sendfile-type', 'x-ssl-client-cert', 'x-ssl-client-verify', 'x-url-scheme',
];

const files = filesOf(SCENARIOS['two-meshes-http']());

function generated(mesh: string): Manifest[] {
  return parse(files.get(mesh)!).map(withoutOwnerLabels).map(comparable);
}

/** Removes the labels for the owner of an object, which the reference manifests do not have. */
function withoutOwnerLabels({ metadata: { labels, ...metadata }, ...rest }: Manifest): Manifest {
  const { 'app.kubernetes.io/managed-by': by, 'app.kubernetes.io/part-of': of, 'cdk8s-mesh-federation/mesh': mesh, ...others } = labels;
  expect([by, of, mesh]).toEqual(['cdk8s-mesh-federation', 'mesh-federation', expect.stringMatching(/^(east|west)$/)]);
  return { ...rest, metadata: { ...metadata, ...Object.keys(others).length > 0 ? { labels: others } : {} } };
}

function reference(mesh: string): Manifest[] {
  return parse(readFileSync(join(__dirname, 'reference', `${mesh}.yaml`), 'utf8')).map(comparable);
}

/**
 * Reverts differences in values: certificates and their path, the order of removed headers, the namespace in pod labels and selectors, the
 * peer in names of listeners and routes, and the list of Envoy metrics.
 */
function comparable(manifest: Manifest): Manifest {
  const text = JSON.stringify(manifest, (key, value) => key === 'remove' && Array.isArray(value) ? value.filter((name) => !MORE_HEADERS.includes(name)).sort() : value)
    .replace(/-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----/g, 'PEM')
    .replaceAll('/var/run/federation/workload', '/etc/federation/workload')
    .replace(/proxyStatsMatcher:\\n +inclusionRegexps:\\n(?: +- \S+?\\n)+/, '')
    .replace(/"name":"((?:https-)?reviews-9080)-west(-[a-z-]+)?"/g, '"name":"$1$2"')
    .replaceAll('"istio":"istio-federation-', '"istio":"federation-')
    .replaceAll('\'istio\': \'istio-federation-', '\'istio\': \'federation-');
  return JSON.parse(text);
}

/**
 * Reverts the limits of a connection: Envoy's overload manager with half the memory, connection settings, and the number of connections;
 * and what the gateways do not inherit from the mesh. A gateway has no other difference from the reference manifests.
 */
function withoutBounds(manifests: Manifest[], side: 'in' | 'out'): Manifest[] {
  const [[bootstrap], others] = partition(manifests, `ConfigMap fed-${side}-bootstrap`);
  expect(Object.keys(JSON.parse(bootstrap.data['custom_bootstrap.json']))).toEqual(['overload_manager', 'memory_allocator_manager']);
  return others.map((manifest) => {
    if (manifest.kind !== 'Deployment') return manifest;
    const { annotations } = manifest.spec.template.metadata;
    expect(annotations['sidecar.istio.io/bootstrapOverride']).toBe(bootstrap.metadata.name);
    delete annotations['sidecar.istio.io/bootstrapOverride'];
    const {
      connectionSettings,
      drainDuration,
      runtimeValues,
      proxyHeaders: { requestId, ...proxyHeaders },
      proxyMetadata: { ISTIO_META_GLOBAL_DOWNSTREAM_MAX_CONNECTIONS: maxConnections, EXIT_ON_ZERO_ACTIVE_CONNECTIONS: exits, ...proxyMetadata },
      ...config
    } = parse(annotations['proxy.istio.io/config'])[0];
    expect([typeof connectionSettings, maxConnections, requestId]).toEqual(['object', '4096', { disabled: false }]);
    expect([drainDuration, runtimeValues, exits]).toEqual(['45s', {}, 'false']);
    annotations['proxy.istio.io/config'] = Yaml.stringify({ ...config, proxyHeaders, ...Object.keys(proxyMetadata).length > 0 ? { proxyMetadata } : {} });
    const { limits } = manifest.spec.template.spec.containers[0].resources;
    expect(limits.memory).toBe('512Mi');
    limits.memory = '1Gi';
    return manifest;
  });
}

/**
 * Reverts what other platforms than the reference's need: DNS pods of OpenShift and Gardener, keep-alive probes that are early enough for
 * Azure, and dead addresses behind one DNS name.
 */
function withoutPlatforms(manifest: Manifest): Manifest {
  const { kind, metadata, spec } = manifest;
  if (kind === 'NetworkPolicy' && metadata.name !== 'federation-default-deny') {
    expect(spec.egress.slice(1, 3).map(({ to: [{ namespaceSelector }] }: Manifest) => Object.values(namespaceSelector.matchLabels))).toEqual([['openshift-dns'], ['kube-system']]);
    spec.egress.splice(1, 2);
  }
  if (kind === 'DestinationRule' && spec.trafficPolicy) {
    const { trafficPolicy: { connectionPool: { tcp, http }, outlierDetection } } = spec;
    expect([tcp.tcpKeepalive, http.idleTimeout, tcp.connectTimeout, outlierDetection.maxEjectionPercent]).toEqual([{ time: '120s', interval: '30s', probes: 3 }, '180s', '2s', 50]);
    Object.assign(tcp, { tcpKeepalive: { time: '300s', interval: '60s', probes: 3 }, connectTimeout: '5s' });
    http.idleTimeout = '300s';
    spec.trafficPolicy.outlierDetection = { consecutive5xxErrors: 0, consecutiveGatewayErrors: 0 };
  }
  const retried = kind === 'VirtualService' ? spec.http.filter(({ retries }: Manifest) => retries?.attempts) : [];
  for (const route of retried) {
    expect(route.retries).toEqual({ attempts: 2, retryOn: 'connect-failure,refused-stream' });
    route.retries = { attempts: 0 };
  }
  return manifest;
}

/** Reverts the preference of callers for the egress gateway of their own cluster, which the proved manifests lack. */
function withoutOwnCluster(manifest: Manifest): Manifest {
  const { kind, spec } = manifest;
  if (kind !== 'DestinationRule' || !spec.subsets) return manifest;
  const { trafficPolicy } = spec.subsets[0];
  expect(trafficPolicy.loadBalancer).toEqual({ localityLbSetting: { failoverPriority: ['topology.istio.io/cluster'] } });
  trafficPolicy.loadBalancer = { localityLbSetting: { enabled: false } };
  return manifest;
}

/** Reverts HTTP/2 from callers to the egress gateway and from there to the peer, and the higher upstream limits. */
function withoutHttp2(manifest: Manifest): Manifest {
  const { kind, spec } = manifest;
  if (kind === 'ServiceEntry' && spec.location === 'MESH_EXTERNAL') {
    expect(spec.ports).toEqual([{ name: 'http2-federation', number: 15443, protocol: 'HTTP2' }]);
    return JSON.parse(JSON.stringify(manifest).replaceAll('http2-federation', 'http-federation').replace('"HTTP2"', '"HTTP"'));
  }
  if (kind !== 'DestinationRule') return manifest;
  withoutMeshDefaults(spec.trafficPolicy ?? spec.subsets[0].trafficPolicy);
  if (spec.subsets) {
    expect(spec.subsets[0].trafficPolicy.connectionPool).toEqual({ tcp: { connectTimeout: '10s' }, http: { h2UpgradePolicy: 'UPGRADE', maxConcurrentStreams: 100 } });
    delete spec.subsets[0].trafficPolicy.connectionPool;
    return manifest;
  }
  const { tcp, http } = spec.trafficPolicy.connectionPool;
  expect([tcp.maxConnections, http.http1MaxPendingRequests, http.http2MaxRequests]).toEqual([4096, 16384, 16384]);
  tcp.maxConnections = http.http1MaxPendingRequests = http.http2MaxRequests = 1024;
  expect(http.maxConcurrentStreams).toBe(100);
  delete http.maxConcurrentStreams;
  return manifest;
}

/** Removes the blocks of a traffic policy that keep settings of the mesh off it. */
function withoutMeshDefaults(policy: Manifest): void {
  expect(policy).toMatchObject({
    outlierDetection: { consecutive5xxErrors: 0, consecutiveGatewayErrors: 0 }, loadBalancer: { localityLbSetting: { enabled: false } },
  });
  delete policy.outlierDetection;
  delete policy.loadBalancer;
}

function expectSame(actual: Manifest[], expected: Manifest[]): void {
  expect(actual.map(keyOf).sort()).toEqual(expected.map(keyOf).sort());
  for (const manifest of expected) {
    expect(find(actual, manifest.kind, manifest.metadata.name, manifest.metadata.namespace)).toEqual(manifest);
  }
}

/**
 * The admission policy without its rules: they protect more than those of the reference manifests. admission.test.ts checks which objects
 * it denies and with which message; the policy binding and the failure policy are compared here.
 */
function withoutExpressions(manifests: Manifest[]): Manifest[] {
  return manifests.map((manifest) => manifest.kind !== 'ValidatingAdmissionPolicy' ? manifest
    : { ...manifest, spec: { failurePolicy: manifest.spec.failurePolicy } });
}

/** What an EnvoyFilter patches: RBAC rules, and limits and separation of connections (connections.test.ts). */
function kindsOf({ spec }: Manifest): string[] {
  return spec.configPatches.map(({ applyTo }: Manifest) => applyTo);
}

function renamed(manifest: Manifest, name: string): Manifest {
  return { ...manifest, metadata: { ...manifest.metadata, name } };
}

/** Splits manifests into the named ones, each as `Kind name`, and all others. */
function partition(manifests: Manifest[], ...names: string[]): [named: Manifest[], others: Manifest[]] {
  const nameOf = ({ kind, metadata }: Manifest) => `${kind} ${metadata.name}`;
  const named = names.map((name) => manifests.filter((manifest) => nameOf(manifest) === name));
  expect(named.map(({ length }) => length)).toEqual(names.map(() => 1));
  return [named.flat(), manifests.filter((manifest) => !names.includes(nameOf(manifest)))];
}

/** Whether an operation of a policy matches a request, as Istio evaluates it: a missing list matches all. */
function isOperation({ methods, notMethods = [], paths, notPaths = [] }: Manifest, { method, path }: Sample): boolean {
  const isAt = (pattern: string) => pattern.endsWith('*') ? path.startsWith(pattern.slice(0, -1)) : path === pattern;
  return (methods?.includes(method) ?? true) && !notMethods.includes(method) && (paths?.some(isAt) ?? true) && !notPaths.some(isAt);
}

/** Requests that match the rules of the scenario, and requests that nearly match. */
const SAMPLES = ['GET', 'POST', 'HEAD', 'DELETE'].flatMap((method) =>
  ['/', '/reviews', '/reviews/', '/reviews/1', '/reviews/1/2', '/reviewsX', '/Reviews/1', '/health'].map((path): Sample => ({ method, path, headers: {} })));

test('east equals its reference, except RBAC rules, rejected spellings, reachable namespaces, connection limits and an annotation', () => {
  const [[deny, allow], expected] = partition(
    reference('east'), 'AuthorizationPolicy fed-in-guard-reviews-9080-west', 'AuthorizationPolicy fed-in-reviews-9080-west',
  );
  const [[peer, edge], others] = partition(generated('east'), 'AuthorizationPolicy fed-in-peer-west', 'EnvoyFilter fed-in-edge');
  const [rule] = allow.spec.rules;
  const [sni] = rule.when[0].values;
  // The RBAC rules allow exactly the requests that the two policies of the export in the reference allow.
  const matches = ({ spec }: Manifest, sample: Sample) => spec.rules.flatMap(({ to }: Manifest) => to)
    .some(({ operation }: Manifest) => isOperation(operation, sample));
  const passed = SAMPLES.filter((sample) => matches(allow, sample) && !matches(deny, sample));
  expect(passed.map(({ method, path }) => `${method} ${path}`)).toEqual(['GET /reviews/', 'GET /reviews/1', 'GET /reviews/1/2']);
  expect(SAMPLES.filter((sample) => allows(rbacOf([edge], sni), sample))).toEqual(passed);
  expect(deniesByDefault([edge], 'istio-federation', sni)).toBe(true);
  expect(kindsOf(edge)).toEqual(['HTTP_FILTER', 'FILTER_CHAIN', 'NETWORK_FILTER', 'LISTENER', 'CLUSTER', 'VIRTUAL_HOST']);
  // A policy for all SNIs of the peer lists the callers, in addition to the guard of the reference.
  expect(peer).toEqual({
    ...renamed(allow, 'fed-in-peer-west'),
    spec: {
      ...allow.spec,
      rules: [{
        from: rule.from,
        to: [{ operation: { ports: ['15443'] } }],
        when: find(expected, 'AuthorizationPolicy', 'fed-in-guard-west').spec.rules[0].when,
      }],
    },
  });
  const actual = others.map((manifest) => {
    if (manifest.kind === 'NetworkPolicy' && manifest.metadata.name === 'federation-ingress') {
      const [names, openShift, gardener, backends] = manifest.spec.egress;
      expect(backends.to.map(({ namespaceSelector }: Manifest) => namespaceSelector.matchLabels)).toEqual([
        { 'kubernetes.io/metadata.name': 'default' }, { 'kubernetes.io/metadata.name': 'monitoring' },
      ]);
      return { ...manifest, spec: { ...manifest.spec, egress: [names, openShift, gardener, { to: [{ namespaceSelector: {} }] }] } };
    }
    if (manifest.kind === 'Gateway') {
      expect(manifest.metadata.annotations).toEqual({ 'galley.istio.io/analyze-suppress': 'IST0101,IST0138' });
      delete manifest.metadata.annotations;
    }
    if (manifest.kind !== 'VirtualService') return manifest;
    const [ambiguous, open, rejected] = manifest.spec.http;
    expect(rejected).toEqual({ name: 'reviews-9080-refused', directResponse: { status: 403 } });
    expect(ambiguous.match[0].uri.regex).toContain('2[eEfF]|5[cC]');
    ambiguous.match[0].uri.regex = '.*(%2[fF]|%5[cC]|%00|\\\\).*';
    expect(open.match).toEqual([{ method: { exact: 'GET' }, uri: { prefix: '/reviews/' } }]);
    delete open.match;
    return { ...manifest, spec: { ...manifest.spec, http: [ambiguous, open] } };
  });
  expectSame(withoutExpressions(withoutBounds(actual.map(withoutPlatforms), 'in')), withoutExpressions(expected));
});

test('west equals its reference, except RBAC rules, names of upstream and caller objects, HTTP/2, and limits', () => {
  const [[deny, allow], others] = partition(
    reference('west'), 'AuthorizationPolicy fed-out-guard-reviews-9080-default-east', 'AuthorizationPolicy fed-out-reviews-9080-default-east',
  );
  const [[mesh, edge], actual] = partition(generated('west'), 'AuthorizationPolicy fed-out-mesh', 'EnvoyFilter fed-out-edge');
  const [rule] = allow.spec.rules;
  const [sni] = rule.when[0].values;
  // The RBAC rules allow exactly the principals that the two policies of the local name in the reference allow.
  const rules = rbacOf([edge], sni);
  expect(principalsOf(rules)).toEqual(rule.from[0].source.principals);
  expect(principalsOf(rules)).toEqual(deny.spec.rules[0].from[0].source.notPrincipals);
  expect(SAMPLES.every((sample) => allows(rules, sample))).toBe(true);
  expect(deniesByDefault([edge], 'istio-federation', sni)).toBe(true);
  expect(kindsOf(edge)).toEqual(['HTTP_FILTER', 'FILTER_CHAIN', 'NETWORK_FILTER', 'CLUSTER', 'CLUSTER', 'VIRTUAL_HOST']);
  // A policy for all local names allows the workloads of the mesh.
  expect(mesh).toEqual({
    ...renamed(allow, 'fed-out-mesh'),
    spec: {
      ...allow.spec,
      rules: [{
        ...rule,
        from: [{ source: { principals: ['west.example/*'] } }],
        when: [{ key: 'connection.sni', values: find(others, 'AuthorizationPolicy', 'fed-out-guard').spec.rules[0].when[0].notValues }],
      }],
    },
  });
  const expected = others.map((manifest) => {
    const upstream = manifest.kind === 'ServiceEntry' || manifest.kind === 'DestinationRule' && manifest.metadata.namespace === 'istio-federation';
    if (manifest.kind === 'DestinationRule' && !upstream) return renamed(manifest, 'fed-call-reviews-9080-default-east-default');
    if (manifest.metadata.name === 'fed-out-reviews') return renamed(manifest, 'fed-name-reviews-default');
    return upstream ? renamed(manifest, 'fed-out-reviews-9080-east') : manifest;
  });
  expectSame(withoutExpressions(withoutBounds(actual, 'out').map(withoutPlatforms).map(withoutOwnCluster).map(withoutHttp2)), withoutExpressions(expected));
});
