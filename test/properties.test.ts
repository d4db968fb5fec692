import { App } from 'cdk8s';
import fc from 'fast-check';
import { build, federation, Federation, withoutGrant } from './support/federations';
import { keyOf, Manifest, objectsOf } from './support/manifests';
import { parametersOf } from './support/random';
import { rbacOf } from './support/rbac';
import { refusals } from './support/schemas';
import { NEWEST } from './support/versions';

/*
 * Properties that hold for every federation, tried on random ones. The seed is fixed, so that a red run is about the change; FC_SEED and
 * FC_RUNS look further.
 */
const parameters = parametersOf(60);

const LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

interface Built { readonly app: App; readonly files: Manifest[][]; readonly texts: Map<string, string> }
const built = new Map<string, Built>();

/** The same programs for every property, so each is built and rendered once. */
function programOf(program: Federation): Built {
  const key = JSON.stringify(program);
  const known = built.get(key) ?? rendered(build(program));
  built.set(key, known);
  return known;
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

holds('no two declarations give one object', (objects) => {
  const keys = objects.map(keyOf);
  expect(keys).toEqual([...new Set(keys)]);
});

holds('no two objects of a mesh have one kind and name, in whatever namespaces, but for Services whose names are the user\'s', (objects) => {
  const ours = objects.filter(({ kind, metadata }) => kind !== 'Service' || metadata.name.startsWith('federation-'));
  const named = ours.map(({ kind, metadata }) => `${kind}.${metadata.name}`);
  expect(named).toEqual([...new Set(named)]);
});

/** Patches of the one EnvoyFilter that a gateway always has. */
function edgePatches(objects: Manifest[], side: 'in' | 'out'): Manifest[] {
  return of(objects, 'EnvoyFilter').filter(({ metadata }) => metadata.name === `fed-${side}-edge`).flatMap(({ spec }) => spec.configPatches);
}

/** The TLS server names (SNI) of a gateway's listeners, of those that see requests or of those that see bytes. */
function serversOf(objects: Manifest[], side: 'in' | 'out', requests: boolean): string[] {
  return of(objects, 'VirtualService').filter(({ spec }) => spec.gateways[0].includes(`/fed-${side}-`) && requests === (spec.http !== undefined))
    .map(({ spec }) => spec.hosts[0]).sort();
}

holds('no two declarations give one listener, one subset, one host or one policy for a suffix of server names', (objects) => {
  const listeners = of(objects, 'Gateway').flatMap(({ spec }) => spec.servers.map(({ hosts }: Manifest) => hosts[0]));
  const ports = of(objects, 'Gateway').map(({ spec }) => spec.servers.map(({ port }: Manifest) => port.name));
  const subsets = of(objects, 'DestinationRule').flatMap(({ metadata, spec }) => (spec.subsets ?? []).map(({ name }: Manifest) => `${metadata.namespace} ${name}`));
  const hosts = [...of(objects, 'ServiceEntry'), ...of(objects, 'VirtualService')].map(({ kind, spec }) => `${kind} ${spec.hosts[0]}`);
  const allowed = of(objects, 'AuthorizationPolicy').filter(({ spec }) => spec.action === 'ALLOW').map(({ spec }) => spec.rules[0].when[0].values[0]);
  for (const unique of [listeners, subsets, hosts, allowed, ...ports]) expect(unique).toEqual([...new Set(unique)]);
});

holds('each listener has RBAC rules of its own but TCP at the ingress gateway, and there are no rules for anything else', (objects) => {
  for (const side of ['in', 'out'] as const) {
    const patches = edgePatches(objects, side);
    const ofRequests = patches.filter(({ applyTo }) => applyTo === 'VIRTUAL_HOST').map(({ match }) => match.routeConfiguration.vhost.name);
    const ofBytes = patches.filter(({ patch }) => patch.operation === 'INSERT_FIRST').map(({ match }) => match.listener.filterChain.sni);
    expect(ofRequests.sort()).toEqual(serversOf(objects, side, true).map((sni) => `${sni}:15443`));
    expect(ofBytes.sort()).toEqual(side === 'in' ? [] : serversOf(objects, side, false));
    const silent = patches.filter(({ patch }) => patch.value.upstream_bind_config).length;
    const others = patches.slice(0, patches.length - ofRequests.length - ofBytes.length - silent);
    expect(others.map(({ applyTo }) => applyTo))
      .toEqual(patches.length === 0 ? [] : ['HTTP_FILTER', 'FILTER_CHAIN', 'NETWORK_FILTER', 'CLUSTER']);
    const services = new Set(of(objects, 'ServiceEntry').filter(({ spec }) => spec.ports[0].protocol === 'TCP' && spec.location === 'MESH_EXTERNAL' && spec.endpoints)
      .map(({ spec }) => spec.hosts[0]));
    expect(silent).toBe(patches.length === 0 || side === 'in' ? 0 : 1 + services.size);
  }
});

holds('the RBAC rules of a local name allow exactly whom its listener asks for, and a guard stands where the handshake can list nobody', (objects) => {
  for (const { hosts, tls } of of(objects, 'Gateway').filter(({ metadata }) => metadata.name.startsWith('fed-out-')).flatMap(({ spec }) => spec.servers)) {
    const sni = hosts[0].replace('./', '');
    const { principals } = rbacOf(objects, sni).policies.callers;
    const guards = of(objects, 'AuthorizationPolicy').filter(({ spec }) => spec.rules?.[0].when[0].values?.[0] === sni).map(({ spec }) => spec.rules[0].from[0].source);
    const spelt = principals.map(({ authenticated: { principal_name: { exact, prefix } } }: Manifest) => exact ?? `${prefix}*`);
    expect(tls.subjectAltNames ?? 'nobody').toEqual(spelt.some((one: string) => one.endsWith('*')) ? 'nobody' : spelt);
    expect(guards).toEqual(tls.subjectAltNames ? [] : [{ notPrincipals: spelt.map((one: string) => one.replace('spiffe://', '')) }]);
  }
});

holds('names are legal wherever they stand', (objects) => {
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

holds('no CA is trusted for two peers, at either gateway', (objects) => {
  const ingress = of(objects, 'ConfigMap').filter(({ metadata }) => metadata.name.startsWith('fed-in-trust-')).map(({ data }) => data['ca.crt']);
  const egress = of(objects, 'ConfigMap').filter(({ metadata }) => metadata.name === 'fed-out-trust').flatMap(({ data }) => Object.values(data));
  for (const cas of [ingress, egress]) expect(cas).toEqual([...new Set(cas)]);
  for (const ca of [...ingress, ...egress]) expect(String(ca).match(/BEGIN CERTIFICATE/g)).toHaveLength(1);
});

holds('every boundary listener names one host, asks for certificates and pins identities', (objects) => {
  for (const { tls, hosts } of of(objects, 'Gateway').flatMap(({ spec }) => spec.servers)) {
    expect(hosts).toEqual([expect.stringMatching(/^\.\/p\d+(-[0-9a-f]{8})?\./)]);
    expect(['MUTUAL', 'ISTIO_MUTUAL']).toContain(tls.mode);
    // Who is not listed cannot be asked for: at the egress gateway only, and never by a peer.
    if (tls.mode === 'MUTUAL') expect(tls.subjectAltNames).toHaveLength(1);
    if (tls.subjectAltNames) expect(tls.subjectAltNames.length).toBeGreaterThan(0);
    for (const identity of tls.subjectAltNames ?? []) expect(identity).toMatch(/^spiffe:\/\/m\d\.example\/ns\/[^/]+\/sa\/[^/]+$/);
  }
});

holds('every call to a peer names the server and pins its identity', (objects) => {
  const upstreams = of(objects, 'DestinationRule').filter(({ spec }) => spec.trafficPolicy);
  for (const { spec } of upstreams) {
    expect(spec.trafficPolicy.tls).toMatchObject({ mode: 'MUTUAL', sni: spec.host });
    expect(spec.trafficPolicy.tls.subjectAltNames).toHaveLength(1);
    expect(spec.workloadSelector.matchLabels).toEqual({ istio: 'istio-federation-egress' });
  }
});

holds('an issuer is believed where its tokens are demanded, and tokens are looked at nowhere else', (objects) => {
  const demanded = of(objects, 'VirtualService').filter(({ spec }) => JSON.stringify(spec).includes('@request.auth.claims[iss]'));
  const issuers = demanded.flatMap(({ spec }) => spec.http.flatMap(({ match }: Manifest) => match ?? []))
    .flatMap(({ headers }: Manifest) => headers?.['@request.auth.claims[iss]']?.exact ?? []);
  expect(of(objects, 'RequestAuthentication').map(({ spec }) => spec.jwtRules[0].issuer).sort()).toEqual([...new Set(issuers)].sort());
  const servers = of(objects, 'VirtualService').filter(({ spec }) => spec.http && spec.gateways[0].includes('/fed-in-')).map(({ spec }) => spec.hosts[0]);
  const elsewhere = servers.filter((host) => !demanded.some(({ spec }) => spec.hosts[0] === host));
  const patched = of(objects, 'EnvoyFilter').filter(({ metadata }) => metadata.name === 'fed-in-jwt-elsewhere')
    .flatMap(({ spec }) => spec.configPatches.map(({ match }: Manifest) => match.listener.filterChain.sni));
  expect(patched).toEqual(demanded.length > 0 ? elsewhere.sort() : []);
});

holds('nothing is written that a boundary must never hold', (objects) => {
  const text = JSON.stringify(objects);
  for (const never of ['PRIVATE KEY', 'AUTO_PASSTHROUGH', 'PASSTHROUGH', 'SIMPLE', '"cluster.local/', 'spiffe://cluster.local', '"*"]', '"./*', 'insecure']) {
    // The names for callers anywhere are known anywhere.
    const allowed = never === '"*"]' ? text.replaceAll('"apiVersions":["*"]', '').replaceAll('"exportTo":["*"]', '') : text;
    expect(allowed).not.toContain(never);
  }
  expect(of(objects, 'Secret')).toEqual([]);
  for (const { spec } of of(objects, 'AuthorizationPolicy')) {
    for (const { from, when } of spec.rules ?? []) expect(from ?? when).toBeDefined();
    expect(JSON.stringify(spec)).not.toMatch(/"(namespaces|trustDomains|serviceAccounts)"/);
  }
});

holds('an API server accepts every object', (objects) => {
  expect(objects.flatMap((object) => refusals(object, NEWEST).map((refusal) => `${keyOf(object)}: ${refusal}`))).toEqual([]);
});

test('a second rendering equals the first', () => {
  fc.assert(fc.property(federation, (program) => {
    const { app, texts } = programOf(program);
    expect(rendered(app).texts).toEqual(texts);
  }), parameters);
});

test('the order of calls changes no document', () => {
  fc.assert(fc.property(federation, fc.array(fc.nat(1000), { minLength: 7, maxLength: 40 }), (program, order) => {
    expect(rendered(build(program, order)).texts).toEqual(programOf(program).texts);
  }), parameters);
});

test('removing a grant with the bindings that used it removes its objects, and changes only what lists them: no policy', () => {
  const lists = /\/(Gateway|ValidatingAdmissionPolicy|NetworkPolicy) |\/EnvoyFilter istio-federation\/fed-(?:in|out)-edge$|\/ConfigMap istio-federation\/fed-out-trust$|\/Service istio-federation\/federation-egress$|\/EnvoyFilter istio-federation\/fed-in-jwt-elsewhere$/;
  fc.assert(fc.property(federation, fc.nat(), (program, choice) => {
    const removed = choice % program.grants.length;
    const { exposure, peer } = program.grants[removed];
    const { mesh, exportName } = program.exposures[exposure];
    const [before, after] = [programOf(program), programOf(withoutGrant(program, removed))].map(({ texts }) => texts);
    for (const [key, text] of after) {
      if (!before.has(key) || !lists.test(key) && text !== before.get(key)) expect({ key, text }).toEqual({ key, text: before.get(key) });
    }
    const serverName = new RegExp(`[^.a-z0-9-]p\\d+\\.${exportName.replaceAll('.', '\\.')}\\.${program.meshes[peer]}\\.fed\\.m${mesh}\\.example`);
    const gone = [...before].filter(([key]) => !after.has(key));
    expect([...after.values()].filter((text) => serverName.test(text))).toEqual([]);
    const [open] = program.grants[removed].ports ?? program.exposures[exposure].ports.map(([, exported]) => exported);
    expect(gone.filter(([key]) => key.startsWith(`mesh${mesh} `) && key.includes('/VirtualService ')).length).toBeGreaterThanOrEqual(1);
    // Rules go with the routes: every filter chain that stays is as it was.
    const edge = `mesh${mesh} networking.istio.io/EnvoyFilter istio-federation/fed-in-edge`;
    const patches = (texts: Map<string, string>): Manifest[] => JSON.parse(texts.get(edge)!).spec.configPatches
      .filter(({ applyTo }: Manifest) => applyTo !== 'VIRTUAL_HOST');
    expect(patches(after)).toEqual(patches(before));
    const requests = program.exposures[exposure].ports.some(([, exported, protocol]) => exported === open && ['http', 'grpc'].includes(protocol));
    if (requests) expect(before.get(edge)).toMatch(serverName);
    expect(gone.filter(([key]) => !key.startsWith(`mesh${mesh} `) && !key.startsWith(`mesh${peer} `))).toEqual([]);
  }), parameters);
});

test('names that are the same when they are joined with dashes stay apart', () => {
  const names = of(objectsOf(build({
    meshes: ['own', 'c', 'b-80-c'],
    exposures: [
      { mesh: 0, exportName: 'a-80-b', service: 'one', ports: [[80, 80, 'http']] }, { mesh: 0, exportName: 'a', service: 'one', ports: [[80, 80, 'http']] },
    ],
    grants: [{ exposure: 0, peer: 1 }, { exposure: 1, peer: 2 }],
    bindings: [],
  })), 'VirtualService').map(({ metadata }) => metadata.name);
  expect(names).toEqual(['fed-in-a-80-b-80-c', expect.stringMatching(/^fed-in-a-80-b-80-c-[0-9a-f]{8}$/)]);
});
