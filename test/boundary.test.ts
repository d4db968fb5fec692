import { App } from 'cdk8s';
import {
  BoundaryGateway, Caller, ExposedService, FederatedMeshProps, IMeshPeer, LocalName, LocalService, RemoteMesh, ServicePort, TrustBundle,
} from '../src';
import { makeCertificate } from './support/certificates';
import { find, Manifest, objectsOf } from './support/manifests';
import { meshOf } from './support/meshes';
import { bankWith, EXISTING_GATEWAY } from './support/pair';

/*
 * Fields of the objects of one boundary, one test for each.
 */

const PORTS = [ServicePort.http(80), ServicePort.grpc(90), ServicePort.tcp(3306)];

/** East exports to the bank and calls it, over HTTP, gRPC and TCP. */
function east(props: Partial<FederatedMeshProps> = {}, endpoints = [{ address: 'fed.bank.example' }]): Manifest[] {
  const app = new App();
  const mesh = meshOf(app, 'east', props);
  const bank = bankWith({ knownAs: 'east', endpoints, exposedServices: [{ exportName: 'cards', ports: PORTS }] });
  mesh.addPeer(bank);
  mesh.expose('Reviews', { service: LocalService.fromName('reviews', 'default'), exportName: 'reviews', ports: PORTS }).allowFrom(bank);
  mesh.bind('Cards', { source: bank.exposedService('cards'), localName: LocalName.newService('cards', 'web') }).allowFrom(Caller.serviceAccount('page', 'web'));
  return objectsOf(app);
}

const written = east();
const inBoundary = (kind: string, objects = written) => objects.filter((object) => object.kind === kind && object.metadata.namespace === 'istio-federation');
const requestRoutes = (prefix: string): Manifest[] => inBoundary('VirtualService').filter(({ metadata }) => metadata.name.startsWith(prefix))
  .flatMap(({ spec }) => spec.http ?? []);

test('nothing of the boundary is exported from its namespace', () => {
  const exported = ['VirtualService', 'ServiceEntry', 'DestinationRule'].flatMap((kind) => inBoundary(kind));
  expect(exported.map(({ kind }) => kind).sort()).toEqual([...Array(3).fill('DestinationRule'), ...Array(3).fill('ServiceEntry'), ...Array(6).fill('VirtualService')]);
  expect(exported.map(({ kind, metadata, spec }) => [kind, metadata.name, spec.exportTo])).toEqual(exported.map(({ kind, metadata }) => [kind, metadata.name, ['.']]));
});

/* Routes to a peer. */

test('the ServiceEntry of a peer has the location MESH_EXTERNAL', () => {
  expect(inBoundary('ServiceEntry').map(({ spec }) => spec.location)).toEqual(Array(3).fill('MESH_EXTERNAL'));
});

test.each<[string, { address: string }[], string]>([
  ['the ServiceEntry of a peer with a DNS name has the resolution DNS', [{ address: 'fed.bank.example' }], 'DNS'],
  ['the ServiceEntry of a peer with IPv4 addresses has the resolution STATIC', [{ address: '203.0.113.7' }, { address: '203.0.113.8' }], 'STATIC'],
  ['the ServiceEntry of a peer with an IPv6 address has the resolution STATIC', [{ address: '2001:db8::7' }], 'STATIC'],
])('%s', (_, endpoints, resolution) => {
  expect(inBoundary('ServiceEntry', east({}, endpoints)).map(({ spec }) => spec.resolution)).toEqual(Array(3).fill(resolution));
});

test('the ingress gateway rewrites the authority to the host of the exported service', () => {
  expect(requestRoutes('fed-in-').map(({ rewrite }) => rewrite)).toEqual(Array(2).fill({ authority: 'reviews.default.svc.cluster.local' }));
});

test('the egress gateway rewrites the authority to the SNI of the export', () => {
  expect(requestRoutes('fed-out-').map(({ rewrite }) => rewrite.authority).sort()).toEqual(['p80.cards.east.fed.bank.example', 'p90.cards.east.fed.bank.example']);
});

test('no gateway retries a request that was sent, since the retries of three hops would multiply', () => {
  expect(requestRoutes('fed-in-').map(({ retries }) => retries)).toEqual(Array(2).fill({ attempts: 0 }));
  expect(requestRoutes('fed-out-').map(({ retries }) => retries)).toEqual(Array(2).fill({ attempts: 2, retryOn: 'connect-failure,refused-stream' }));
});

/* Policies. */

/** Whether a value matches a pattern of an Istio policy. */
const isLike = (value: string) => (pattern: string) => pattern.startsWith('*') ? value.endsWith(pattern.slice(1))
  : pattern.endsWith('*') ? value.startsWith(pattern.slice(0, -1)) : value === pattern;
/** Whether a DENY policy denies a connection with this SNI, from any identity. */
const denies = (policy: Manifest, sni: string) => {
  expect([policy.spec.action, policy.spec.rules.map(Object.keys)]).toEqual(['DENY', [['when']]]);
  const [{ when }] = policy.spec.rules;
  expect(when.map(({ key }: Manifest) => key)).toEqual(['connection.sni']);
  return when.every(({ values, notValues }: Manifest) => (!values || values.some(isLike(sni))) && (!notValues || !notValues.some(isLike(sni))));
};

test.each([['fed-in-guard', 'fed-in-bank'], ['fed-out-guard', 'fed-out-bank']])('the guard policy %s denies every SNI except those of its own gateway', (name, gateway) => {
  const policy = find(written, 'AuthorizationPolicy', name);
  const own: string[] = find(written, 'Gateway', gateway).spec.servers.map(({ hosts: [host] }: Manifest) => host.slice('./'.length));
  expect(own).toHaveLength(3);
  expect(own.map((sni) => denies(policy, sni))).toEqual([false, false, false]);
  const others = [...own.map((sni) => `${sni}.org`), 'fed.east.example', 'xfed.east.example', 'p80.reviews.bank.fed.west.example', 'shop.example', ''];
  expect(others.map((sni) => denies(policy, sni))).toEqual(others.map(() => true));
});

test('the reason for omitting the admission policy is an annotation of the guard policy of an existing gateway', () => {
  const objects = east({ ingressGateway: BoundaryGateway.fromExisting(EXISTING_GATEWAY), withoutAdmissionPolicy: { reason: 'a policy of the platform does it' } });
  expect(find(objects, 'AuthorizationPolicy', 'fed-in-guard', 'istio-ingress').metadata.annotations)
    .toEqual({ 'cdk8s-mesh-federation/without-admission-policy': 'a policy of the platform does it' });
});

/* One of two peers. */

describe('two peers with a TCP port at an existing gateway', () => {
  /** East allows west and the bank the same TCP port, and isolates some of them. */
  const shared = (...isolated: string[]) => {
    const app = new App();
    const mesh = meshOf(app, 'east', { connectAfterHandshake: true, ingressGateway: BoundaryGateway.fromExisting(EXISTING_GATEWAY) });
    const peers: IMeshPeer[] = [meshOf(new App(), 'west'), bankWith()];
    const mysql: ExposedService = mesh.expose('Mysql', { service: LocalService.fromName('mysql', 'db'), exportName: 'mysql', ports: [ServicePort.tcp(3306)] });
    peers.forEach((peer) => mysql.allowFrom(peer));
    for (const peer of peers) mesh.addPeer(peer, isolated.includes(peer.meshName) ? { isolated: { reason: 'their gateway was broken into' } } : {});
    return objectsOf(app).filter(({ kind }) => kind === 'EnvoyFilter').filter(({ metadata }) => metadata.name === 'fed-in-connect-after-tls')
      .map(({ spec }) => spec.configPatches.map(({ match }: Manifest) => match.listener.filterChain.sni).sort());
  };

  test('the isolation of one peer does not remove the connect-after-TLS patch of the other', () => {
    expect(shared()).toEqual([['p3306.mysql.bank.fed.east.example', 'p3306.mysql.west.fed.east.example']]);
    expect(shared('west')).toEqual([['p3306.mysql.bank.fed.east.example']]);
    expect(shared('bank')).toEqual([['p3306.mysql.west.fed.east.example']]);
  });

  test('the isolation of both peers removes the connect-after-TLS EnvoyFilter', () => {
    expect(shared('west', 'bank')).toEqual([]);
  });
});

/* Revocation lists. */

test('both gateways get the revocation list of a peer in the ConfigMap with its CA, and the DestinationRule references it', async () => {
  const authority = await makeCertificate('bank', true);
  const list = await authority.list();
  const bundle = TrustBundle.fromPem(authority.certificate).withRevocationList(list);
  const app = new App();
  const mesh = meshOf(app, 'east');
  const bank: RemoteMesh = bankWith({ knownAs: 'east', trustBundle: bundle });
  mesh.addPeer(bank);
  mesh.expose('Reviews', { service: LocalService.fromName('reviews', 'default'), exportName: 'reviews', ports: PORTS }).allowFrom(bank);
  mesh.bind('Cards', { source: bank.exposedService('cards'), localName: LocalName.newService('cards', 'web') }).allowFrom(Caller.serviceAccount('page', 'web'));
  const objects = objectsOf(app);
  expect(find(objects, 'ConfigMap', 'fed-in-trust-bank').data).toEqual({ 'ca.crt': bundle._pem, 'ca.crl': list });
  expect(find(objects, 'ConfigMap', 'fed-out-trust').data).toEqual({ 'bank.crt': bundle._pem, 'bank.crl': list });
  expect(find(objects, 'DestinationRule', 'fed-out-cards-443-bank').spec.trafficPolicy.tls).toMatchObject({
    caCertificates: '/etc/federation/trust/bank.crt', caCrl: '/etc/federation/trust/bank.crl',
  });
});

test('the egress gateway sends keep-alive probes to peers in time for Azure, which drops connections after 240 seconds, and gives a dead one up by then', () => {
  const pools = inBoundary('DestinationRule').map(({ spec }) => spec.trafficPolicy.connectionPool.tcp);
  expect(pools).toHaveLength(3);
  expect(pools.map(({ tcpKeepalive, connectTimeout }) => [tcpKeepalive, connectTimeout]))
    .toEqual(Array(3).fill([{ time: '120s', interval: '30s', probes: 3 }, '2s']));
});

test('a route of TCP takes the connections of port 15443 only', () => {
  const routes = inBoundary('VirtualService').flatMap(({ metadata, spec }) => (spec.tcp ?? []).map(({ match }: Manifest) => [metadata.name, match]));
  expect(routes).toEqual([['fed-in-reviews-3306-bank', [{ port: 15443 }]], ['fed-out-cards-3306-web-bank', [{ port: 15443 }]]]);
});

test('each route of requests has a name of its own in the access log, which ends in the port of the local name', () => {
  const routes = written.filter(({ kind, metadata }) => kind === 'VirtualService' && metadata.namespace === 'web').flatMap(({ spec }) => spec.http);
  expect(routes.map(({ name }) => name)).toEqual(['cards-80', 'cards-90']);
});
test('the egress gateway closes connections for HTTP and gRPC that have carried no request for three minutes, before the network drops them', () => {
  const pools = inBoundary('DestinationRule').map(({ metadata, spec }) => [metadata.name, spec.trafficPolicy.connectionPool.http?.idleTimeout]);
  expect(pools.sort()).toEqual([['fed-out-cards-3306-bank', undefined], ['fed-out-cards-80-bank', '180s'], ['fed-out-cards-90-bank', '180s']]);
});

test('every route of a gateway is attached to a Gateway of the boundary that exists', () => {
  const gateways = inBoundary('Gateway').map(({ metadata }) => `istio-federation/${metadata.name}`);
  const attached = inBoundary('VirtualService').flatMap(({ spec }) => spec.gateways);
  expect(attached).toHaveLength(6);
  expect(attached.filter((name) => !gateways.includes(name))).toEqual([]);
});

test('the routes of both gateways have names, which the access log shows', () => {
  const named = ['fed-in-', 'fed-out-'].flatMap((prefix) => requestRoutes(prefix).map(({ name }) => name));
  expect(named).toEqual(['reviews-80-bank', 'reviews-90-bank', 'cards-80-web-bank', 'cards-90-web-bank']);
});
