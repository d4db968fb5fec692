import { App, Chart } from 'cdk8s';
import { Construct } from 'constructs';
import {
  BoundaryGateway, Caller, FederatedMesh, HttpRule, IExposedService, IMeshPeer, LocalName, LocalService, RemoteMesh, ServicePort, SpiffeId,
  TrustBundle,
} from '../src';
import { find, Manifest, names } from './support/manifests';
import { meshOf, trustOf } from './support/meshes';
import { any, bankWith, EXISTING_GATEWAY, pair } from './support/pair';
import { errorOf } from './support/rejections';

/*
 * Values that a program gives to a call, or receives: what was checked is what is used, whatever the program changes afterwards.
 * test/random-programs.test.ts changes everything in generated programs.
 */

const objectsIn = (mesh: FederatedMesh): Manifest[] => Chart.of(mesh).toJson();
const addressesIn = (mesh: FederatedMesh) => objectsIn(mesh).filter(({ kind }) => kind === 'ServiceEntry')
  .flatMap(({ spec }) => (spec.endpoints ?? []).map(({ address }: Manifest) => address));
const codeOf = (run: () => unknown) => errorOf(run).message.slice(0, 6);

/** East, which binds an export of a peer after `change` has changed the peer. */
function bound<Peer extends IMeshPeer>(peer: Peer, source: () => IExposedService, change: () => unknown): FederatedMesh {
  const east = meshOf(new App(), 'east');
  east.addPeer(peer);
  change();
  east.bind('Cards', { source: source(), localName: LocalName.newService('cards', 'web') }).allowFrom(Caller.serviceAccount('page', 'web'));
  return east;
}

/** A peer and an export of classes of the program's own. */
function foreign() {
  const core = { meshName: 'bank', trustDomain: 'bank.example', trustBundle: trustOf('bank'), endpoints: [{ address: 'fed.bank.example' }] };
  const peer = Object.assign(new Construct(new App(), 'Bank'), {
    ...core,
    ingressIdentity: SpiffeId.parse('spiffe://bank.example/ns/dmz/sa/in'),
    egressIdentity: SpiffeId.parse('spiffe://bank.example/ns/dmz/sa/out'),
  });
  const source = Object.assign(new Construct(peer, 'cards'), {
    mesh: peer,
    exportName: 'cards',
    ports: [ServicePort.http(443), ServicePort.http(8443)],
    sniFor: (_: IMeshPeer, exportPort: number) => `p${exportPort}.cards.east.fed.bank.example`,
  });
  return { peer, source };
}

/** A property that answers with the first value once, and with the second one from then on. */
function changing<Value>(object: object, name: string, first: Value, later: Value): void {
  let reads = 0;
  Object.defineProperty(object, name, { get: () => reads++ === 0 ? first : later });
}

test('an endpoint that a program adds to the list of a peer after addPeer does not reach the ServiceEntry', () => {
  const bank = bankWith({ knownAs: 'east' });
  expect(addressesIn(bound(bank, () => bank.exposedService('cards'), () => bank.endpoints.push({ address: '10.0.0.1' })))).toEqual(['fed.bank.example']);
});

test('an address that a program changes in the props of a peer does not reach the ServiceEntry', () => {
  const endpoints = [{ address: 'fed.bank.example' }];
  const bank = bankWith({ knownAs: 'east', endpoints });
  const change = () => { endpoints[0].address = '10.0.0.1'; };
  expect(addressesIn(bound(bank, () => bank.exposedService('cards'), change))).toEqual(['fed.bank.example']);
});

test('changes of a peer of another class after addPeer have no effect', () => {
  const { peer, source } = foreign();
  const east = bound(peer, () => source, () => {
    peer.endpoints.push({ address: '10.0.0.1' });
    Object.assign(peer, { endpoints: [{ address: '10.0.0.2' }], ingressIdentity: SpiffeId.parse('spiffe://evil.example/ns/a/sa/b'), trustBundle: trustOf('core') });
  });
  expect(addressesIn(east)).toEqual(['fed.bank.example', 'fed.bank.example']);
  expect(Object.values(find(objectsIn(east), 'ConfigMap', 'fed-out-trust').data)).toEqual([trustOf('bank')._pem]);
  expect(JSON.stringify(objectsIn(east))).not.toContain('evil.example');
});

test.each<[string, unknown, unknown]>([
  ['endpoints', [{ address: 'fed.bank.example' }], [{ address: '10.0.0.1' }]],
  ['trustDomain', 'bank.example', 'east.example'],
  ['meshName', 'bank', 'UPPER'],
  ['ingressIdentity', SpiffeId.parse('spiffe://bank.example/ns/dmz/sa/in'), SpiffeId.parse('spiffe://evil.example/ns/a/sa/b')],
])('the property %s of a peer is read once, so a second answer has no effect', (name, first, later) => {
  const { peer, source } = foreign();
  changing(peer, name, first, later);
  const usual = foreign();
  expect(objectsIn(bound(peer, () => source, () => undefined))).toEqual(objectsIn(bound(usual.peer, () => usual.source, () => undefined)));
});

test('a rejected peer is read again by the next call', () => {
  const { peer } = foreign();
  const east = meshOf(new App(), 'east');
  peer.endpoints[0].address = '10.0.0.1';
  expect(codeOf(() => east.addPeer(peer))).toBe('FED105');
  peer.endpoints[0].address = 'fed.bank.example';
  east.addPeer(peer);
});

test('every port of a source needs a valid SNI, not only the first one', () => {
  const { peer, source } = foreign();
  const sniFor = (_: IMeshPeer, exportPort: number) => exportPort === 443 ? 'p443.cards.east.fed.bank.example' : 'p8443.loans.east.fed.bank.example';
  Object.assign(source, { sniFor });
  expect(codeOf(() => bound(peer, () => source, () => undefined))).toBe('FED301');
});

test('the SNI of a source is asked for once, so a second answer has no effect', () => {
  const { peer, source } = foreign();
  let calls = 0;
  const sniFor = (_: IMeshPeer, exportPort: number) => `p${exportPort}.cards.${calls++ < 2 ? 'east' : 'evil'}.fed.bank.example`;
  Object.assign(source, { sniFor });
  expect(JSON.stringify(objectsIn(bound(peer, () => source, () => undefined)))).not.toContain('evil');
});

test('a port that a program adds to the list of an export is not exported', () => {
  const { east, west, reviews } = pair();
  reviews.ports.push(ServicePort.tcp(22));
  reviews.allowFrom(west);
  expect(names(objectsIn(east), 'VirtualService')).toEqual(['fed-in-reviews-9080-west', 'fed-in-reviews-9081-west']);
  expect(codeOf(() => reviews.allowFrom(west, { ports: [22] }))).toBe('FED306');
});

test('lists and maps of a gateway that a program changes after the call do not reach the manifests', () => {
  const options = {
    sourceRanges: ['203.0.113.0/28'], labels: { team: 'edge' }, nodeSelector: { pool: 'dmz' }, serviceAnnotations: { a: 'b' }, imagePullSecretNames: ['a'],
  };
  const objects = (change: (given: typeof options) => unknown) => {
    const given = structuredClone(options);
    const mesh = meshOf(new App(), 'east', { ingressGateway: BoundaryGateway.dedicated(given) });
    change(given);
    mesh.expose('Own', { service: LocalService.fromName('own', 'apps'), exportName: 'own', ports: [ServicePort.http(80)] });
    return JSON.stringify(objectsIn(mesh));
  };
  expect(objects(({ sourceRanges, labels, nodeSelector, serviceAnnotations, imagePullSecretNames }) => {
    sourceRanges.push('0.0.0.0/0');
    imagePullSecretNames.push('b');
    [labels, nodeSelector, serviceAnnotations].forEach((map) => Object.assign(map, { added: 'added' }));
  })).toBe(objects(() => undefined));
});

test('labels and headers that a program changes after the call do not reach the manifests', () => {
  const objects = (later: string) => {
    const { east, west, reviews } = pair();
    const podLabels = { app: 'reviews' };
    const whenHeaders = { 'x-tester': 'yes' };
    reviews.allowFrom(west);
    reviews.lockWorkload({ reason: 'listed callers only', podLabels });
    const binding = west.bind('Own', { source: reviews, localName: LocalName.existingService('own', 'web'), whenHeaders });
    binding.addLocalSource();
    binding.allowFrom(Caller.serviceAccount('page', 'web'));
    podLabels.app = later;
    whenHeaders['x-tester'] = later;
    return JSON.stringify([east, west].map(objectsIn));
  };
  expect(objects('changed')).not.toContain('changed');
});

test('an option whose getter answers differently the second time has the value that was checked', () => {
  const endpoint = { address: 'x' };
  changing(endpoint, 'address', 'fed.bank.example', '10.0.0.1');
  expect(bankWith({ endpoints: [endpoint] }).endpoints).toEqual([{ address: 'fed.bank.example' }]);
});

test('options may be of a class, whose getters are read like fields', () => {
  class Options {
    public get ports() { return [9080]; }
    public get purpose() { return 'of a class'; }
  }
  const { east, west, reviews } = pair();
  reviews.allowFrom(west, new Options());
  const [route, ...others] = objectsIn(east).filter(({ kind }) => kind === 'VirtualService');
  expect(others).toEqual([]);
  expect(route.metadata).toMatchObject({ name: 'fed-in-reviews-9080-west', annotations: { 'cdk8s-mesh-federation/purpose': 'of a class' } });
});

test('a Map in place of an object literal is rejected, since its entries would be omitted', () => {
  const labels = any(new Map([['app', 'edge']]));
  expect(codeOf(() => BoundaryGateway.dedicated({ labels }))).toBe('FED120');
  expect(codeOf(() => BoundaryGateway.fromExisting({ ...EXISTING_GATEWAY, podLabels: labels }))).toBe('FED120');
});

test('an option that contains itself is rejected', () => {
  const circle: { self?: unknown } = {};
  circle.self = circle;
  expect(codeOf(() => meshOf(new App(), 'east').addPeer(bankWith(), { purpose: any(circle) }))).toBe('FED120');
});

test.each<[string, object, string]>([
  ['the port of a ServicePort', ServicePort.http(80), 'port'],
  ['the name of a LocalService', LocalService.fromName('a', 'b'), 'serviceName'],
  ['the URI of a SpiffeId', SpiffeId.parse('spiffe://a.example/ns/b/sa/c'), 'uri'],
  ['the fingerprints of a TrustBundle', trustOf('east'), 'fingerprints'],
  ['the name of a mesh', meshOf(new App(), 'east'), 'meshName'],
  ['the endpoints of a remote mesh', bankWith(), 'endpoints'],
  ['the ports of an export', pair().reviews, 'ports'],
])('%s cannot be assigned', (_, object, name) => {
  expect(() => { (object as any)[name] = 'changed'; }).toThrow(TypeError);
});

test.each<[string, object]>([
  ['TrustBundle', TrustBundle.fromPem(trustOf('east')._pem)],
  ['HttpRule', HttpRule.allow({ methods: ['GET'] })],
  ['LocalName', LocalName.newService('a', 'b')],
  ['Caller', Caller.serviceAccount('a', 'b')],
  ['BoundaryGateway', BoundaryGateway.dedicated({ sourceRanges: ['203.0.113.0/28'] })],
])('a %s has no property that a program could change', (_, value) => {
  expect(Object.keys(value)).toEqual([]);
});

test('each read of a public list or map returns a new one', () => {
  const { east, reviews } = pair();
  const bank: RemoteMesh = bankWith();
  const reads = [() => east.endpoints, () => east.ingressGateway, () => east.egressGateway.podLabels, () => bank.endpoints, () => reviews.ports];
  for (const get of reads) {
    expect(get()).toEqual(get());
    expect(get()).not.toBe(get());
  }
});
