import { App } from 'cdk8s';
import fc from 'fast-check';
import { build, federation, Federation, withoutGrant } from './support/federations';
import { keyOf, Manifest, objectsOf } from './support/manifests';
import { parametersOf } from './support/random';
import { rbacOf } from './support/rbac';
import { schemaErrors } from './support/schemas';

/*
 * Properties of every federation, tested with generated ones. The seed is fixed, so a failure is caused by the change; FC_SEED and FC_RUNS
 * override the seed and the number of runs.
 */
const parameters = parametersOf(60);

const LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

interface Built { readonly app: App; readonly files: Manifest[][]; readonly texts: Map<string, string> }
const built = new Map<string, Built>();

/** All properties use the same programs, so each program is built and rendered once. */
function programOf(program: Federation): Built {
  const key = JSON.stringify(program);
  const result = built.get(key) ?? rendered(build(program));
  built.set(key, result);
  return result;
}

function rendered(app: App): Built {
  const charts = app.charts.map((chart): [string, Manifest[]] => [chart.node.path, chart.toJson()]);
  const texts = charts.flatMap(([chart, objects]) => objects.map((object): [string, string] => [`${chart} ${keyOf(object)}`, JSON.stringify(object)]));
  return { app, files: charts.map(([, objects]) => objects), texts: new Map(texts) };
}

function holds(title: string, check: (objects: Manifest[]) => void): void {
  test(title, () => {
    fc.assert(fc.property(federation, (program) => programOf(program).files.forEach(check)), parameters);
  });
}

function of(objects: Manifest[], kind: string): Manifest[] {
  return objects.filter((object) => object.kind === kind);
}

holds('no two declarations emit the same object', (objects) => {
  const keys = objects.map(keyOf);
  expect(keys).toEqual([...new Set(keys)]);
});

holds('no two objects of a mesh have the same kind and name in any namespaces, except Services of new local names', (objects) => {
  const ours = objects.filter(({ kind, metadata }) => kind !== 'Service' || metadata.name.startsWith('federation-'));
  const named = ours.map(({ kind, metadata }) => `${kind}.${metadata.name}`);
  expect(named).toEqual([...new Set(named)]);
});

/** Patches of the EnvoyFilter that every gateway has. */
function edgePatches(objects: Manifest[], side: 'in' | 'out'): Manifest[] {
  return of(objects, 'EnvoyFilter').filter(({ metadata }) => metadata.name === `fed-${side}-edge`).flatMap(({ spec }) => spec.configPatches);
}

/** The SNIs of a gateway's listeners for HTTP and gRPC (`requests`), or for TCP and TLS. */
function serversOf(objects: Manifest[], side: 'in' | 'out', requests: boolean): string[] {
  return of(objects, 'VirtualService').filter(({ spec }) => spec.gateways[0].includes(`/fed-${side}-`) && requests === (spec.http !== undefined))
    .map(({ spec }) => spec.hosts[0]).sort();
}

holds('no two declarations emit the same listener, subset, host, or SNI suffix of an ALLOW policy', (objects) => {
  const listeners = of(objects, 'Gateway').flatMap(({ spec }) => spec.servers.map(({ hosts }: Manifest) => hosts[0]));
  const ports = of(objects, 'Gateway').map(({ spec }) => spec.servers.map(({ port }: Manifest) => port.name));
  const subsets = of(objects, 'DestinationRule').flatMap(({ metadata, spec }) => (spec.subsets ?? []).map(({ name }: Manifest) => `${metadata.namespace} ${name}`));
  const hosts = [...of(objects, 'ServiceEntry'), ...of(objects, 'VirtualService')].map(({ kind, spec }) => `${kind} ${spec.hosts[0]}`);
  const allowed = of(objects, 'AuthorizationPolicy').filter(({ spec }) => spec.action === 'ALLOW').map(({ spec }) => spec.rules[0].when[0].values[0]);
  for (const unique of [listeners, subsets, hosts, allowed, ...ports]) expect(unique).toEqual([...new Set(unique)]);
});

holds('every route of callers prefers the egress gateway of their own cluster, and ejects no gateway', (objects) => {
  const subsets = of(objects, 'DestinationRule').flatMap(({ spec }) => spec.subsets ?? []);
  for (const { trafficPolicy } of subsets) {
    expect(trafficPolicy.loadBalancer).toEqual({ localityLbSetting: { failoverPriority: ['topology.istio.io/cluster'] } });
    expect(trafficPolicy.outlierDetection).toEqual({ consecutive5xxErrors: 0, consecutiveGatewayErrors: 0 });
  }
});

holds('each listener has separate RBAC rules, except TCP at the ingress gateway, and nothing else has RBAC rules', (objects) => {
  for (const side of ['in', 'out'] as const) {
    const patches = edgePatches(objects, side);
    const ofRequests = patches.filter(({ applyTo }) => applyTo === 'VIRTUAL_HOST').map(({ match }) => match.routeConfiguration.vhost.name);
    const ofBytes = patches.filter(({ patch }) => patch.operation === 'INSERT_FIRST').map(({ match }) => match.listener.filterChain.sni);
    expect(ofRequests.sort()).toEqual(serversOf(objects, side, true).map((sni) => `${sni}:15443`));
    expect(ofBytes.sort()).toEqual(side === 'in' ? [] : serversOf(objects, side, false));
    const bindConfigs = patches.filter(({ patch }) => patch.value.upstream_bind_config).length;
    const others = patches.slice(0, patches.length - ofRequests.length - ofBytes.length - bindConfigs);
    expect(others.map(({ applyTo }) => applyTo))
      .toEqual(patches.length === 0 ? [] : ['HTTP_FILTER', 'FILTER_CHAIN', 'NETWORK_FILTER', ...side === 'in' ? ['LISTENER'] : [], 'CLUSTER']);
    const services = new Set(of(objects, 'ServiceEntry').filter(({ spec }) => spec.ports[0].protocol === 'TCP' && spec.location === 'MESH_EXTERNAL' && spec.endpoints)
      .map(({ spec }) => spec.hosts[0]));
    expect(bindConfigs).toBe(patches.length === 0 || side === 'in' ? 0 : 1 + services.size);
  }
});

holds('the RBAC rules of a local name allow exactly the callers of its listener, or a DENY policy restricts callers by prefix', (objects) => {
  for (const { hosts, tls } of of(objects, 'Gateway').filter(({ metadata }) => metadata.name.startsWith('fed-out-')).flatMap(({ spec }) => spec.servers)) {
    const sni = hosts[0].replace('./', '');
    const { principals } = rbacOf(objects, sni).policies.callers;
    const guards = of(objects, 'AuthorizationPolicy').filter(({ spec }) => spec.rules?.[0].when[0].values?.[0] === sni).map(({ spec }) => spec.rules[0].from[0].source);
    const patterns = principals.map(({ authenticated: { principal_name: { exact, prefix } } }: Manifest) => exact ?? `${prefix}*`);
    expect(tls.subjectAltNames ?? 'unlisted').toEqual(patterns.some((one: string) => one.endsWith('*')) ? 'unlisted' : patterns);
    expect(guards).toEqual(tls.subjectAltNames ? [] : [{ notPrincipals: patterns.map((one: string) => one.replace('spiffe://', '')) }]);
  }
});

holds('names of objects, subsets, labels and hosts are valid', (objects) => {
  const labels = [
    ...objects.map(({ metadata }) => metadata.name),
    ...of(objects, 'DestinationRule').flatMap(({ spec }) => (spec.subsets ?? []).map(({ name }: Manifest) => name)),
    ...of(objects, 'Deployment').flatMap(({ spec }) => Object.values<string>(spec.template.metadata.labels)),
  ];
  expect(labels.filter((label) => !LABEL.test(label))).toEqual([]);
  for (const { spec } of [...of(objects, 'ServiceEntry'), ...of(objects, 'VirtualService')]) {
    expect(spec.hosts[0].length).toBeLessThanOrEqual(253);
    expect(spec.hosts[0].split('.').filter((label: string) => !LABEL.test(label))).toEqual([]);
  }
});

holds('no gateway trusts one CA for two peers', (objects) => {
  const ingress = of(objects, 'ConfigMap').filter(({ metadata }) => metadata.name.startsWith('fed-in-trust-')).map(({ data }) => data['ca.crt']);
  const egress = of(objects, 'ConfigMap').filter(({ metadata }) => metadata.name === 'fed-out-trust').flatMap(({ data }) => Object.values(data));
  for (const cas of [ingress, egress]) expect(cas).toEqual([...new Set(cas)]);
  for (const ca of [...ingress, ...egress]) expect(String(ca).match(/BEGIN CERTIFICATE/g)).toHaveLength(1);
});

holds('every listener of a boundary has one host, requires client certificates and pins identities', (objects) => {
  for (const { tls, hosts } of of(objects, 'Gateway').flatMap(({ spec }) => spec.servers)) {
    expect(hosts).toEqual([expect.stringMatching(/^\.\/p\d+(-[0-9a-f]{8})?\./)]);
    expect(['MUTUAL', 'ISTIO_MUTUAL']).toContain(tls.mode);
    // Only a listener of the egress gateway can be without identities, for callers by namespace or mesh.
    if (tls.mode === 'MUTUAL') expect(tls.subjectAltNames).toHaveLength(1);
    if (tls.subjectAltNames) expect(tls.subjectAltNames.length).toBeGreaterThan(0);
    for (const identity of tls.subjectAltNames ?? []) expect(identity).toMatch(/^spiffe:\/\/m\d\.example\/ns\/[^/]+\/sa\/[^/]+$/);
  }
});

holds('every DestinationRule for a peer sets the SNI and pins the server identity', (objects) => {
  const upstreams = of(objects, 'DestinationRule').filter(({ spec }) => spec.trafficPolicy);
  for (const { spec } of upstreams) {
    expect(spec.trafficPolicy.tls).toMatchObject({ mode: 'MUTUAL', sni: spec.host });
    expect(spec.trafficPolicy.tls.subjectAltNames).toHaveLength(1);
    expect(spec.workloadSelector.matchLabels).toEqual({ istio: 'istio-federation-egress' });
  }
});

holds('an issuer is configured where its JWTs are required, and JWT checks are disabled elsewhere', (objects) => {
  const withJwt = of(objects, 'VirtualService').filter(({ spec }) => JSON.stringify(spec).includes('@request.auth.claims[iss]'));
  const issuers = withJwt.flatMap(({ spec }) => spec.http.flatMap(({ match }: Manifest) => match ?? []))
    .flatMap(({ headers }: Manifest) => headers?.['@request.auth.claims[iss]']?.exact ?? []);
  expect(of(objects, 'RequestAuthentication').map(({ spec }) => spec.jwtRules[0].issuer).sort()).toEqual([...new Set(issuers)].sort());
  const servers = of(objects, 'VirtualService').filter(({ spec }) => spec.http && spec.gateways[0].includes('/fed-in-')).map(({ spec }) => spec.hosts[0]);
  const elsewhere = servers.filter((host) => !withJwt.some(({ spec }) => spec.hosts[0] === host));
  const patched = of(objects, 'EnvoyFilter').filter(({ metadata }) => metadata.name === 'fed-in-jwt-elsewhere')
    .flatMap(({ spec }) => spec.configPatches.map(({ match }: Manifest) => match.listener.filterChain.sni));
  expect(patched).toEqual(withJwt.length > 0 ? elsewhere.sort() : []);
});

holds('a boundary never emits private keys, Secrets, passthrough TLS or rules that match everything', (objects) => {
  const text = JSON.stringify(objects);
  for (const never of ['PRIVATE KEY', 'AUTO_PASSTHROUGH', 'PASSTHROUGH', 'SIMPLE', '"cluster.local/', 'spiffe://cluster.local', '"*"]', '"./*', 'insecure']) {
    // Local names for callers in the whole mesh are visible in all namespaces.
    const allowed = never === '"*"]' ? text.replaceAll(/"(apiVersions|resources)":\["\*"\]/g, '').replaceAll('"exportTo":["*"]', '') : text;
    expect(allowed).not.toContain(never);
  }
  expect(of(objects, 'Secret')).toEqual([]);
  for (const { spec } of of(objects, 'AuthorizationPolicy')) {
    for (const { from, when } of spec.rules ?? []) expect(from ?? when).toBeDefined();
    expect(JSON.stringify(spec)).not.toMatch(/"(namespaces|trustDomains|serviceAccounts)"/);
  }
});

holds('the schemas of an API server accept every object', (objects) => {
  expect(objects.flatMap((object) => schemaErrors(object).map((error) => `${keyOf(object)}: ${error}`))).toEqual([]);
});

test('a second rendering equals the first one', () => {
  fc.assert(fc.property(federation, (program) => {
    const { app, texts } = programOf(program);
    expect(rendered(app).texts).toEqual(texts);
  }), parameters);
});

test('the order of calls changes no object', () => {
  fc.assert(fc.property(federation, fc.array(fc.nat(1000), { minLength: 7, maxLength: 40 }), (program, order) => {
    expect(rendered(build(program, order)).texts).toEqual(programOf(program).texts);
  }), parameters);
});

test('removing a grant and its bindings removes their objects, and changes only objects that list them, but no policy', () => {
  const listing = /\/(Gateway|ValidatingAdmissionPolicy|NetworkPolicy) |\/EnvoyFilter istio-federation\/fed-(?:in|out)-edge$|\/ConfigMap istio-federation\/fed-out-trust$|\/Service istio-federation\/federation-egress$|\/EnvoyFilter istio-federation\/fed-in-jwt-elsewhere$/;
  fc.assert(fc.property(federation, fc.nat(), (program, choice) => {
    const removed = choice % program.grants.length;
    const { exportIndex, peer } = program.grants[removed];
    const { mesh, exportName } = program.exportedServices[exportIndex];
    const [before, after] = [programOf(program), programOf(withoutGrant(program, removed))].map(({ texts }) => texts);
    for (const [key, text] of after) {
      if (!before.has(key) || !listing.test(key) && text !== before.get(key)) expect({ key, text }).toEqual({ key, text: before.get(key) });
    }
    const sni = new RegExp(`[^.a-z0-9-]p\\d+\\.${exportName.replaceAll('.', '\\.')}\\.${program.meshes[peer]}\\.fed\\.m${mesh}\\.example`);
    const removedTexts = [...before].filter(([key]) => !after.has(key));
    expect([...after.values()].filter((text) => sni.test(text))).toEqual([]);
    const [open] = program.grants[removed].ports ?? program.exportedServices[exportIndex].ports.map(([, exportPort]) => exportPort);
    expect(removedTexts.filter(([key]) => key.startsWith(`mesh${mesh} `) && key.includes('/VirtualService ')).length).toBeGreaterThanOrEqual(1);
    // RBAC rules of virtual hosts change, but no filter chain.
    const edge = `mesh${mesh} networking.istio.io/EnvoyFilter istio-federation/fed-in-edge`;
    const patches = (texts: Map<string, string>): Manifest[] => JSON.parse(texts.get(edge)!).spec.configPatches
      .filter(({ applyTo }: Manifest) => applyTo !== 'VIRTUAL_HOST');
    expect(patches(after)).toEqual(patches(before));
    const requests = program.exportedServices[exportIndex].ports.some(([, exportPort, protocol]) => exportPort === open && ['http', 'grpc'].includes(protocol));
    if (requests) expect(before.get(edge)).toMatch(sni);
    expect(removedTexts.filter(([key]) => !key.startsWith(`mesh${mesh} `) && !key.startsWith(`mesh${peer} `))).toEqual([]);
  }), parameters);
});

test('objects whose names are equal when joined with dashes have different names', () => {
  const names = of(objectsOf(build({
    meshes: ['own', 'c', 'b-80-c'],
    exportedServices: [
      { mesh: 0, exportName: 'a-80-b', service: 'one', ports: [[80, 80, 'http']] }, { mesh: 0, exportName: 'a', service: 'one', ports: [[80, 80, 'http']] },
    ],
    grants: [{ exportIndex: 0, peer: 1 }, { exportIndex: 1, peer: 2 }],
    bindings: [],
  })), 'VirtualService').map(({ metadata }) => metadata.name);
  expect(names).toEqual(['fed-in-a-80-b-80-c', expect.stringMatching(/^fed-in-a-80-b-80-c-[0-9a-f]{8}$/)]);
});
