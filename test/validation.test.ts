import { mkdtempSync, writeFileSync } from 'fs';
import { tmpdir } from 'os';
import { join } from 'path';
import { ApiObject, App, Chart, Include } from 'cdk8s';
import * as kplus from 'cdk8s-plus-27';
import { Construct } from 'constructs';
import {
  AddPeerOptions, BoundaryGateway, Caller, FederatedMesh, FederatedMeshProps, GatewayCredential, HttpRule, LocalName, LocalService,
  RemoteServiceBinding, ServicePort,
} from '../src';
import { find, Manifest, names, objectsOf } from './support/manifests';
import { meshOf, trustOf } from './support/meshes';
import { bankWith, EXISTING_GATEWAY, pair } from './support/pair';
import { errorOf } from './support/rejections';

/*
 * Which complete programs are accepted at the end of synthesis, and which are not: the cases beside those of test/errors.
 */

/** The codes at the end of synthesis. */
const codesOf = (app: App): string[] => errorOf(() => app.synthYaml()).message.match(/FED\d{3}/g) ?? [];

/* Local names that are Services of the mesh. */

const till = (apiVersion: string, kind: string, namespace?: string) => ({ apiVersion, kind, metadata: { name: 'till', namespace } });

/** West binds the local name till, in the namespace default and in a chart of its own. */
function bindTill() {
  const made = pair();
  made.reviews.allowFrom(made.west);
  new RemoteServiceBinding(new Chart(made.app, 'apps'), 'Till', { mesh: made.west, source: made.reviews, localName: LocalName.newService('till', 'default') });
  return made;
}

test.each<[string, string[], (made: ReturnType<typeof bindTill>) => unknown]>([
  ['rejects a Service in the chart of the mesh', ['FED402'], ({ west }) => new ApiObject(Chart.of(west), 'Till', till('v1', 'Service'))],
  ['rejects a Service in a construct of that chart', ['FED402'], ({ west }) => new ApiObject(new Construct(Chart.of(west), 'Team'), 'Till', till('v1', 'Service'))],
  ['rejects a Service with the namespace of the local name', ['FED402'], ({ west }) => new ApiObject(Chart.of(west), 'Till', till('v1', 'Service', 'default'))],
  ['rejects a Service in the chart of the binding', ['FED402'], ({ app }) => new ApiObject(app.node.findChild('apps') as Chart, 'Own', till('v1', 'Service'))],
  ['accepts a Service in another namespace', [], ({ west }) => new ApiObject(Chart.of(west), 'Till', till('v1', 'Service', 'shop'))],
  ['accepts a Service of Knative, which has no address of its own', [], ({ west }) => new ApiObject(Chart.of(west), 'Till', till('serving.knative.dev/v1', 'Service'))],
  ['accepts another object of the core API', [], ({ west }) => new ApiObject(Chart.of(west), 'Till', till('v1', 'ConfigMap'))],
  ['accepts a Service in the chart of another mesh', [], ({ east }) => new ApiObject(Chart.of(east), 'Till', till('v1', 'Service'))],
  ['accepts a Service in a chart of another mesh inside of that of the mesh', [], ({ app, west }) => {
    const inside = new Chart(Chart.of(west), 'inside');
    meshOf(app, 'north').addPeer(west);
    new FederatedMesh(inside, 'Mesh', { meshName: 'other', trustDomain: 'other.example', trustBundle: trustOf('bank') });
    new ApiObject(inside, 'Till', till('v1', 'Service'));
  }],
  ['rejects a Service in a chart inside of that of the mesh', ['FED402'], ({ west }) => new ApiObject(new Chart(Chart.of(west), 'inside'), 'Till', till('v1', 'Service'))],
  ['rejects a Service in a chart inside of a chart inside of that of the mesh', ['FED402'], ({ west }) =>
    new ApiObject(new Construct(new Chart(new Chart(Chart.of(west), 'inside'), 'more'), 'Team'), 'Till', till('v1', 'Service'))],
  ['rejects a Service of cdk8s-plus in a chart inside of that of the mesh', ['FED402'], ({ west }) =>
    new kplus.Service(new Chart(Chart.of(west), 'inside'), 'Till', { metadata: { name: 'till' }, ports: [{ port: 80 }] })],
  ['rejects a Service below another object', ['FED402'], ({ west }) =>
    new ApiObject(new ApiObject(Chart.of(west), 'Map', { apiVersion: 'v1', kind: 'ConfigMap' }), 'Till', till('v1', 'Service'))],
  ['rejects a Service in a list in a chart inside of that of the mesh', ['FED402'], ({ west }) =>
    new ApiObject(new Chart(Chart.of(west), 'inside'), 'List', { apiVersion: 'v1', kind: 'List', items: [till('v1', 'Service')] })],
  ['rejects a Service in a YAML file that a chart inside of that of the mesh includes', ['FED402'], ({ west }) => {
    const file = join(mkdtempSync(join(tmpdir(), 'include-')), 'till.yaml');
    writeFileSync(file, JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [till('v1', 'Service', 'default')] }));
    new Include(new Chart(Chart.of(west), 'inside'), 'Till', { url: file });
  }],
])('a new local name %s', (_, codes, declare) => {
  const made = bindTill();
  declare(made);
  expect(codesOf(made.app)).toEqual(codes);
});

test('an existing Service in a chart inside of that of the mesh is checked against its binding', () => {
  const { app, west, reviews } = pair();
  reviews.allowFrom(west);
  west.bind('Till', { source: reviews, localName: LocalName.existingService('till', 'default') });
  new ApiObject(new Chart(Chart.of(west), 'inside'), 'Till', { ...till('v1', 'Service'), spec: { ports: [{ port: 80, name: 'http' }], selector: { app: 'till' } } });
  expect(codesOf(app)).toEqual(['FED321', 'FED321']);
});

/* Names of two or three labels, which pods read as a Service or as a pod of one if the label at the end is a namespace. */

test.each<[string, string[], (west: FederatedMesh) => unknown]>([
  ['an exported Service', ['FED412', 'FED412'], (west) => west.expose('Own', { service: LocalService.fromName('own', 'it'), exportName: 'own', ports: [ServicePort.http(80)] })],
  ['a restriction', ['FED412', 'FED412'], (west) => west.restrictNamespace('it', { reason: 'agreed with the security team' })],
  ['an object in a chart of the mesh', ['FED412', 'FED412'], (west) => new ApiObject(new Chart(Chart.of(west), 'inside', { namespace: 'it' }), 'Account', { apiVersion: 'v1', kind: 'ServiceAccount' })],
  ['a Namespace in a chart of the mesh', ['FED412', 'FED412'], (west) => new ApiObject(Chart.of(west), 'It', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'it' } })],
  ['another binding', ['FED412', 'FED412'], (west) => west.bind('More', { source: bankWith({ knownAs: 'west' }).exposedService('cards'), localName: LocalName.newService('more', 'it') })],
  ['a later boundary', ['FED412', 'FED412'], (west) => new FederatedMesh(new Chart(west.node.root as App, 'second'), 'Mesh', {
    meshName: 'west', trustDomain: 'west.example', trustBundle: west.trustBundle, namespaceName: 'it',
  })],
  ['nothing', [], () => undefined],
])('an additional host below the top-level domain it, where %s uses the namespace it, gives %j', (_, codes, declare) => {
  const { app, west, reviews } = pair();
  reviews.allowFrom(west);
  west.bind('Till', { source: reviews, localName: LocalName.newService('till', 'default'), additionalHosts: ['payments.it', 'www.payments.it', 'a.www.payments.it'] });
  declare(west);
  expect(codesOf(app).filter((code) => code !== 'FED108')).toEqual(codes);
});

test('an additional host of three labels may end in a namespace of the program if an endpoint of a peer of the binding shows that it is in a domain', () => {
  const codesWith = (namespaceName: string, ...addresses: string[]) => {
    const { app, west, reviews } = pair();
    reviews.allowFrom(west);
    const peers = addresses.map((address, index) => bankWith({ knownAs: 'west', ...index > 0 && { meshName: `bank-${index}`, knownAs: `west-${index}` }, endpoints: [{ address }] }));
    const [first, ...others] = peers.map((peer) => peer.exposedService('cards'));
    const binding = west.bind('Cards', { source: first, localName: LocalName.newService('cards', namespaceName), additionalHosts: ['api.acquirer.shop'], weight: 1 });
    others.forEach((source) => binding.addSource(source, { weight: 1 }));
    return codesOf(app).filter((code) => code === 'FED412');
  };
  expect(codesWith('shop', 'federation.acquirer.shop')).toEqual([]);
  expect(codesWith('shop', 'federation.partner.example')).toEqual(['FED412']);
  expect(codesWith('shop', 'federation.other.shop')).toEqual(['FED412']);
  expect(codesWith('shop', 'federation.partner.example', 'federation.acquirer.shop')).toEqual([]);
  expect(codesWith('web', 'federation.partner.example')).toEqual([]);
});

test('the endpoint of a peer is private if its name is that of a Service in a namespace of the program', () => {
  const codesWith = (address: string, namespaceName: string, privateAddress?: { reason: string }) => {
    const app = new App();
    const east = meshOf(app, 'east');
    east.addPeer(bankWith({ endpoints: [{ address, privateAddress }] }));
    east.expose('Own', { service: LocalService.fromName('own', namespaceName), exportName: 'own', ports: [ServicePort.http(80)] });
    return codesOf(app);
  };
  expect(codesWith('gateway.prod', 'prod')).toEqual(['FED105']);
  expect(codesWith('gateway.prod', 'shop')).toEqual([]);
  expect(codesWith('www.gateway.prod', 'prod')).toEqual([]);
  expect(codesWith('gateway.prod', 'prod', { reason: 'both meshes are in one cluster' })).toEqual([]);
});

/* One Secret for both gateways. */

const secret = (name: string, namespaceName?: string) => BoundaryGateway.dedicated({ credential: GatewayCredential.fromSecret(name), namespaceName });
const exporting = (mesh: FederatedMesh) => mesh.expose('Own', { service: LocalService.fromName('own', 'default'), exportName: 'own', ports: [ServicePort.http(80)] });
const calling = (mesh: FederatedMesh) => {
  const bank = bankWith({ knownAs: 'east' });
  mesh.addPeer(bank);
  mesh.bind('Cards', { source: bank.exposedService('cards'), localName: LocalName.newService('cards', 'web') }).allowFrom(Caller.serviceAccount('page', 'web'));
  return bank;
};

test.each<[string, string[], Partial<FederatedMeshProps>, ((mesh: FederatedMesh) => unknown)[]]>([
  ['both gateways is rejected', ['FED132'], { ingressGateway: secret('tls'), egressGateway: secret('tls') }, [exporting, calling]],
  ['both gateways of a mesh that only exports is accepted', [], { ingressGateway: secret('tls'), egressGateway: secret('tls') }, [exporting]],
  ['both gateways of a mesh that only calls is accepted', [], { ingressGateway: secret('tls'), egressGateway: secret('tls') }, [calling]],
  ['gateways in two namespaces is accepted', [], { ingressGateway: secret('tls'), egressGateway: secret('tls', 'dmz') }, [exporting, calling]],
  ['one gateway is accepted', [], { ingressGateway: secret('tls') }, [exporting, calling]],
])('one name of a Secret for %s', (_, codes, props, declare) => {
  const app = new App();
  const mesh = meshOf(app, 'east', props);
  declare.forEach((part) => part(mesh));
  expect(codesOf(app)).toEqual(codes);
});

/* Rules about several boundaries and peers. */

/** Two boundaries of east. */
function boundaries(props: Partial<FederatedMeshProps> = {}) {
  const app = new App();
  const first = meshOf(app, 'east', props);
  const second = new FederatedMesh(new Chart(app, 'second'), 'Mesh', {
    meshName: 'east', trustDomain: 'east.example', trustBundle: first.trustBundle, endpoints: first.endpoints, namespaceName: 'partners',
  });
  return { app, first, second };
}

test('one boundary of a mesh cannot restrict a namespace that another one has restricted', () => {
  const { first, second } = boundaries();
  first.restrictNamespace('finance', { reason: 'money leaves through the boundary only' });
  expect(() => second.restrictNamespace('finance', { reason: 'money leaves through the boundary only' })).toThrow(/^FED121 /);
});

test('a peer whose export is bound keeps its name for itself, before it is added', () => {
  const mesh = meshOf(new App(), 'east');
  mesh.bind('Cards', { source: bankWith({ knownAs: 'east' }).exposedService('cards'), localName: LocalName.newService('cards', 'web') });
  const other = bankWith({ trustDomain: 'other.example', ingressIdentity: undefined, egressIdentity: undefined, exposedServices: [] });
  expect(() => mesh.addPeer(other)).toThrow(/^FED110 east\/Mesh: the name "bank" is already used by another peer/);
});

test('a chart of two meshes is rejected with the name of the construct that claimed it first', () => {
  const { app, east, west, reviews } = pair();
  const chart = new Chart(app, 'apps', { namespace: 'default' });
  const account = new ApiObject(chart, 'Account', { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'page' } });
  const bind = (mesh: FederatedMesh, id: string) => mesh.bind(id, { source: reviews, localName: LocalName.newService(id.toLowerCase(), 'default') });
  for (const id of ['First', 'Second']) bind(west, id).allowFrom(Caller.fromConstruct(account));
  const { message } = errorOf(() => new RemoteServiceBinding(chart, 'Third', {
    mesh: meshOf(app, 'north'), source: exporting(east), localName: LocalName.newService('third', 'default'),
  }));
  expect(message).toContain('contains west/Mesh/First of mesh "west"');
});

test('the addresses that are private stand in one annotation, each with its reason', () => {
  const app = new App();
  exporting(meshOf(app, 'east', {
    endpoints: ['10.1.2.3', '10.1.2.4'].map((address) => ({ address, privateAddress: { reason: `leased line to ${address}` } })),
  }));
  expect(find(objectsOf(app), 'Service', 'federation-ingress').metadata.annotations['cdk8s-mesh-federation/private-address'])
    .toBe('10.1.2.3: leased line to 10.1.2.3; 10.1.2.4: leased line to 10.1.2.4');
});

/* Existing gateways: objects that concern several peers. */

const existing = { ingressGateway: BoundaryGateway.fromExisting(EXISTING_GATEWAY), connectAfterHandshake: true };

/** East, with an existing gateway, exports HTTP to north and west, and TCP to west only unless `tcp` says otherwise. */
function shared(west: AddPeerOptions, tcp = ['west']) {
  const app = new App();
  const [mesh, ...peers] = [meshOf(app, 'east', existing), meshOf(app, 'west'), meshOf(app, 'north')];
  const own = mesh.expose('Own', { service: LocalService.fromName('own', 'default'), exportName: 'own', ports: [ServicePort.http(80), ServicePort.tcp(90)] });
  for (const peer of peers) {
    peer.addPeer(mesh);
    mesh.addPeer(peer, peer.meshName === 'west' ? west : {});
    own.allowFrom(peer, { ports: [80], http: [HttpRule.allow({ methods: ['GET'] })] });
    if (tcp.includes(peer.meshName)) own.allowFrom(peer, { ports: [90] });
  }
  return objectsOf(app);
}
const isolated = { isolated: { reason: 'compromised build server at west' } };
const AFTER_HANDSHAKE = 'fed-in-connect-after-tls';

test('the filter that connects after the handshake goes with the last TCP grant of an existing gateway', () => {
  expect(names(shared({}), 'EnvoyFilter')).toContain(AFTER_HANDSHAKE);
  expect(names(shared(isolated), 'EnvoyFilter')).not.toContain(AFTER_HANDSHAKE);
  expect(names(shared(isolated, ['west', 'north']), 'EnvoyFilter')).toContain(AFTER_HANDSHAKE);
});

test('the guard of an existing gateway lists its peers by name, whatever the order of the grants', () => {
  const guard = JSON.stringify(find(shared({}), 'AuthorizationPolicy', 'fed-in-guard').spec);
  expect(guard.indexOf('north')).toBeGreaterThan(0);
  expect(guard.indexOf('north')).toBeLessThan(guard.indexOf('west'));
});
test('the isolation of a peer at an existing gateway leaves its guard and its servers out, whenever it is declared', () => {
  const ofWest = (objects: Manifest[]) => objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`).filter((name) => /west/.test(name));
  const app = new App();
  const [mesh, west] = [meshOf(app, 'east', existing), meshOf(app, 'west')];
  exporting(mesh).allowFrom(west);
  mesh.addPeer(west, isolated);
  expect(ofWest(objectsOf(app))).toEqual(ofWest(shared(isolated)));
  expect(ofWest(shared(isolated))).not.toContain('AuthorizationPolicy fed-in-guard-west');
  expect(ofWest(shared({}))).toContain('AuthorizationPolicy fed-in-guard-west');
});

test('of several own exports of one Service, FED402 names the same one whatever their order', () => {
  const messageOf = (ids: string[]) => {
    const { app, west, reviews } = pair();
    reviews.allowFrom(west);
    for (const id of ids) west.expose(id, { service: LocalService.fromName('till', 'shop'), exportName: id.toLowerCase(), ports: [ServicePort.http(80)] });
    west.bind('Till', { source: reviews, localName: LocalName.newService('till', 'shop') });
    return errorOf(() => app.synthYaml()).message.split('\n').filter((line) => line.includes('FED402'));
  };
  expect(messageOf(['One', 'Two'])).toEqual(messageOf(['Two', 'One']));
  expect(messageOf(['One', 'Two'])).toEqual([expect.stringContaining('is the Service that west/Mesh/Two exports')]);
});
