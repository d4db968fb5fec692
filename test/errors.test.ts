import { generateKeyPairSync } from 'crypto';
import { readFileSync } from 'fs';
import { join } from 'path';
import { ApiObject, App, Chart, Duration, Testing } from 'cdk8s';
import { Construct } from 'constructs';
import {
  AddPeerOptions, AllowFromOptions, BoundaryGateway, Caller, CertManagerOptions, DedicatedGatewayOptions, ExposedService, FederatedMesh,
  FederatedMeshProps, GatewayCredential, GatewayEndpoint, GatewayServiceType, HttpRule, IMeshPeer, IstioVersion, JwtRule, KeyAlgorithm, LocalName,
  LocalService, LockWorkloadOptions, RemoteMesh, RemoteMeshProps, RemoteServiceBinding, ServicePort, SpiffeId, TrustBundle,
} from '../src';
import { CHANGES_ONLY, Made, makeCertificate, NO_LISTS, RSA_SHA1 } from './support/certificates';
import { meshOf, trustOf } from './support/scenarios';
import { ERRORS } from '../src/checks/errors';

/*
 * One test, or more, for each error code: what a tired person types, and what they read. Every message names the construct or the call,
 * the value, and the cure.
 */

let ca: Made;
let leaf: Made;
let lists: { readonly [what: string]: string };
let listless: Made;
let weak: Made;
const triggered = new Set<string>();

beforeAll(async () => {
  [ca, leaf, listless, weak] = await Promise.all([
    makeCertificate('root', true), makeCertificate('gateway', false), makeCertificate('root', true, undefined, NO_LISTS),
    makeCertificate('root', true, RSA_SHA1),
  ]);
  lists = {
    own: await ca.list(),
    changes: await ca.list(undefined, CHANGES_ONLY),
    renamed: await ca.list('renamed'),
    listless: await listless.list(),
    weak: await weak.list(),
  };
});

/** Two meshes that deal with each other, and one service. */
function pair() {
  const app = new App();
  const east = meshOf(app, 'east');
  const west = meshOf(app, 'west');
  east.addPeer(west);
  west.addPeer(east);
  const reviews = east.expose('Reviews', {
    service: LocalService.fromName('reviews', 'default'), exportName: 'reviews', ports: [ServicePort.http(9080), ServicePort.http(9081)],
  });
  return { app, east, west, reviews };
}

function messageOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    return (error as Error).message;
  }
  return 'nothing was refused';
}

const trustPem = (meshName: string) => readFileSync(join(__dirname, 'trust', `${meshName}.pem`), 'utf8');

/** The whole message: code, place, what is wrong with the value, what to do. */
function fails(code: keyof typeof ERRORS, title: string, run: () => unknown, ...parts: string[]): void {
  test(`${code} fails for ${title}`, () => {
    triggered.add(code);
    const message = messageOf(run);
    expect(message).toMatch(new RegExp(`(^|\\] )${code} [^:]+.*: .+ → .+`, 'm'));
    for (const part of parts) expect(message).toContain(part);
  });
}

const own = (props: Partial<FederatedMeshProps>) => () => meshOf(new App(), 'east', props);
const endpoint = (...addresses: (string | GatewayEndpoint)[]) => own({
  endpoints: addresses.map((address) => typeof address === 'string' ? { address } : address),
});
const gateway = (options: DedicatedGatewayOptions) => () => BoundaryGateway.dedicated(options);
const grant = (options: AllowFromOptions) => () => {
  const { reviews, west } = pair();
  reviews.allowFrom(west, options);
};
const peerWith = (options: AddPeerOptions) => () => meshOf(new App(), 'east').addPeer(meshOf(new App(), 'west'), options);
const rule = (...http: HttpRule[]) => grant({ http });
const LOGIN_KEYS = readFileSync(join(__dirname, 'trust', 'login.jwks'), 'utf8');
const jwt = (change: object = {}): JwtRule => ({
  issuer: 'https://login.example', jwksUri: 'https://login.example/keys', audiences: ['accounts'], ...change,
});
const remote = (props: Partial<RemoteMeshProps> = {}) => new RemoteMesh(new App(), 'Bank', {
  meshName: 'bank',
  trustDomain: 'bank.example',
  trustBundle: trustOf('bank'),
  ingressIdentity: SpiffeId.parse('spiffe://bank.example/ns/dmz/sa/in'),
  egressIdentity: SpiffeId.parse('spiffe://bank.example/ns/dmz/sa/out'),
  endpoints: [{ address: 'fed.bank.example' }],
  exposedServices: [{ exportName: 'cards', ports: [ServicePort.http(443)] }],
  ...props,
});
const object = (kind: string, namespace?: string, spec: object = {}) => {
  const chart = new Chart(new App(), 'apps', { namespace });
  return new ApiObject(chart, 'Object', { apiVersion: kind === 'Service' || kind === 'ConfigMap' ? 'v1' : 'apps/v1', kind, metadata: { name: 'till' }, spec });
};

describe('meshes, peers, endpoints', () => {
  fails('FED101', 'a mesh name with a capital', own({ meshName: 'East' }), 'east/Mesh', '"East"', 'lower-case');
  fails('FED101', 'a mesh name with a dot', own({ meshName: 'east.example' }), '"east.example"');
  fails('FED101', 'an empty mesh name', own({ meshName: '' }), '""');
  fails('FED101', 'the word that stands in listener names', own({ meshName: 'egress' }), '"egress"', 'another name');
  fails('FED101', 'a peer whose name for us is none', () => remote({ knownAs: 'web shop' }), 'Bank', '"web shop"');
  fails('FED102', 'the trust domain of everybody', own({ trustDomain: 'cluster.local' }), 'cluster.local', 'meshConfig.trustDomain');
  fails('FED102', 'a trust domain with a scheme', own({ trustDomain: 'spiffe://east.example' }), '"spiffe://east.example"');
  fails('FED102', 'a trust domain that leaves no room for names', own({ trustDomain: `${'a'.repeat(60)}.${'b'.repeat(60)}.${'c'.repeat(60)}` }), '150');
  fails('FED102', 'a peer with the trust domain of everybody', () => remote({ trustDomain: 'cluster.local' }), 'Bank');
  const restrict = (allowedHosts?: any, reason = 'money leaves through the boundary only', name = 'finance') => () => {
    const { app, west } = pair();
    west.restrictNamespace(name, { reason, allowedHosts });
    app.synth();
  };
  fails('FED111', 'a gateway in a namespace of no name', () => BoundaryGateway.dedicated({ namespaceName: 'Edge.In' }), '"Edge.In"');
  fails('FED111', 'a restricted namespace that is none', restrict(undefined, undefined, 'Finance'), '"Finance"');
  fails('FED114', 'a restriction without a reason', restrict([], 'because'), 'west/Mesh', '"finance"', '"because"');
  fails('FED118', 'a restriction of the boundary', restrict([], undefined, 'istio-federation'), 'the boundary');
  fails('FED118', 'a restriction of Istio itself', restrict([], undefined, 'istio-system'), 'Istio itself');
  fails('FED120', 'one allowed host in place of a list', restrict('egress/api.acquirer.example'), 'allowedHosts', 'no list');
  fails('FED120', 'a restriction with a field that does not exist', () => pair().west.restrictNamespace('finance', { reason: 'money stays here', hosts: [] } as any), '"hosts"');
  fails('FED121', 'a namespace that is restricted twice', () => {
    const { west } = pair();
    west.restrictNamespace('finance', { reason: 'money leaves through the boundary only' });
    west.restrictNamespace('finance', { reason: 'money leaves through the boundary only' });
  }, '"finance"', 'one call');
  for (const host of ['api.acquirer.example', '*/*', 'egress/*', 'egress/api', 'Egress/api.acquirer.example', 'egress/api.acquirer.example:443', 'egress/a*.acquirer.example',
    'a/b/c.example', '~/*', '', 7]) {
    fails('FED122', `the allowed host ${JSON.stringify(host)}`, restrict([host]), JSON.stringify(host), 'namespace/host');
  }
  fails('FED122', 'the gateway of a peer as an allowed host', restrict(['*/federation.east.example']), '"*/federation.east.example"', '"east"', 'bind');
  fails('FED122', 'a wildcard above the gateway of a peer', restrict(['./*.east.example']), '"./*.east.example"', '"east"');
  fails('FED103', 'two meshes with one trust domain', () => {
    const app = new App();
    meshOf(app, 'east');
    meshOf(app, 'west', { trustDomain: 'east.example' });
  }, 'west/Mesh', '"east"', '"east.example"', 'of its own');
  fails('FED103', 'a peer with our trust domain', () => {
    const app = new App();
    meshOf(app, 'east').addPeer(remoteOf(app, 'partner', 'east.example', trustOf('north')));
  }, 'east/Mesh', '"partner"', '"east.example"', 'of its own');
  fails('FED104', 'an endpoint with a scheme', endpoint('https://federation.east.example'), 'https://federation.east.example', 'without a scheme');
  fails('FED104', 'an endpoint with a port in it', endpoint('federation.east.example:443'), 'port: …');
  fails('FED104', 'an IPv6 endpoint with a port in it', endpoint('[2001:db8::1]:443'), 'port: …');
  fails('FED104', 'an IPv6 endpoint in brackets', endpoint('[2001:db8::1]'), '"[2001:db8::1]"', 'without brackets');
  fails('FED104', 'an endpoint that is half an address', endpoint('203.0.113'), '"203.0.113"');
  fails('FED104', 'an endpoint in capitals', endpoint('Federation.east.example'), 'lower case');
  fails('FED104', 'an address with a zone', endpoint('fe80::1%eth0'), 'eth0');
  fails('FED104', 'a wildcard endpoint', endpoint('*.east.example'), '"*.east.example"');
  fails('FED104', 'a port that is none', endpoint({ address: 'federation.east.example', port: 70000 }), '70000', '65535');
  fails('FED104', 'an endpoint twice', endpoint('a.example', { address: 'a.example', port: 15443 }), '"a.example"');
  for (const address of ['10.1.2.3', '172.16.0.1', '192.168.1.1', '127.0.0.1', '169.254.1.1', '100.64.0.1', '::1', 'fd00::1', 'fe80::1',
    '::ffff:10.1.2.3', '224.0.0.1', '255.255.255.255', 'fec0::1', 'ff02::1', 'nas.lan', 'localhost', 'ingress', 'federation-ingress.istio-federation.svc', 'a.svc.cluster.local', 'db.internal']) {
    fails('FED105', `the private address ${address}`, endpoint(address), address, 'privateAddress');
  }
  fails('FED106', 'DNS names and addresses together', endpoint('federation.east.example', '203.0.113.1'), '203.0.113.1', 'only DNS names or only IP');
  fails('FED107', 'an exposure without an endpoint, at the end', () => {
    const mesh = meshOf(new App(), 'east', { endpoints: undefined });
    mesh.expose('Reviews', { service: LocalService.fromName('reviews', 'default'), exportName: 'reviews', ports: [ServicePort.http(1)] });
    mesh.node.root.node.children.forEach((chart) => Testing.synth(chart as Chart));
  }, 'east/Mesh', '"reviews"', 'endpoints: [');
  fails('FED107', 'a binding to a mesh without an endpoint', () => {
    const bank = remote({ endpoints: [] });
    meshOf(new App(), 'east').bind('Cards', { source: bank.exposedService('cards'), localName: LocalName.newService('cards', 'web') });
  }, 'east/Mesh/Cards', '"bank"');
  fails('FED108', 'a grant to a mesh that is no peer, at the end', () => {
    const { app, reviews } = pair();
    reviews.allowFrom(meshOf(app, 'north'));
    app.synthYaml();
  }, 'east/Mesh', 'east/Mesh/Reviews', '"north"', 'addPeer');
  fails('FED108', 'a binding to a mesh that is no peer, at the end', () => {
    const { app, reviews } = pair();
    const north = meshOf(app, 'north');
    reviews.allowFrom(north);
    north.bind('Reviews', { source: reviews, localName: LocalName.newService('reviews', 'default') });
    app.synthYaml();
  }, 'north/Mesh', '"east"', 'addPeer(…) with the construct east/Mesh');
  fails('FED109', 'a peer with other options than before', () => {
    const { east, west } = pair();
    east.addPeer(west, { agreementId: 'ISA-1' });
  }, 'east/Mesh', '"west"');
  for (const options of [{ stripTracing: true }, { removeRequestHeaders: ['x-team'] }, { allowTls12: { reason: 'their appliance ends in 2027' } },
    { limits: { maxConnections: 5 } }, { upstreamLimits: { maxConnections: 5 } }]) {
    fails('FED109', `a peer with ${Object.keys(options)[0]} only the second time`, () => {
      const { east, west } = pair();
      east.addPeer(west, options);
    }, 'east/Mesh', '"west"');
  }
  fails('FED109', 'a peer with other upstream limits than before', () => {
    const { app, east } = pair();
    const north = meshOf(app, 'north');
    for (const maxRequests of [5, 6]) east.addPeer(north, { upstreamLimits: { maxRequests } });
  }, 'east/Mesh', '"north"');
  fails('FED109', 'a peer that is isolated in one call only', () => {
    const { east, west } = pair();
    east.addPeer(west, { isolated: { reason: 'a build server was taken over' } });
  }, '"west"', 'put all options into one call');
  fails('FED110', 'two peers of one name', () => meshTwice('west', 'west'), 'east/Mesh', '"west"', 'another meshName');
  fails('FED110', 'a second boundary of a peer', () => {
    const { app, east, west } = pair();
    east.addPeer(new FederatedMesh(new Chart(app, 'second'), 'Mesh', {
      meshName: 'west', trustDomain: 'west.example', trustBundle: west.trustBundle, namespaceName: 'partners',
    }));
  }, 'east/Mesh', '"west"', 'west/Mesh', 'as a RemoteMesh', 'knownAs');
  fails('FED110', 'a peer with our own name', () => meshTwice('east', 'other'), '"east"', 'this mesh');
  fails('FED110', 'grants to two peers of one name', () => {
    const { app, reviews } = pair();
    reviews.allowFrom(remoteOf(app, 'one', 'one.example', trustOf('north')));
    reviews.allowFrom(remoteOf(new Construct(app, 'Second'), 'one', 'two.example', trustOf('bank')));
  }, 'east/Mesh/Reviews', '"one"');
  fails('FED110', 'two boundaries of a peer that know us by one name', () => {
    const app = new App();
    const east = meshOf(app, 'east');
    for (const meshName of ['bank-a', 'bank-b']) {
      const bank = remote({ meshName, exposedServices: [{ exportName: 'cards', ports: [ServicePort.http(443)] }] });
      east.bind(meshName, { source: bank.exposedService('cards'), localName: LocalName.newService(meshName, 'web') });
    }
  }, 'east/Mesh/bank-b', '"bank-a"', '*.east.fed.bank.example', 'knownAs');
  fails('FED111', 'a revision that is no label', own({ revision: 'r'.repeat(64) }), 'revision');
  fails('FED111', 'a service name with its namespace', () => LocalService.fromName('reviews.default', 'default'), '"reviews.default"', 'an argument of its own');
  fails('FED111', 'a service name that begins with a digit', () => LocalName.newService('1st', 'default'), 'LocalName.newService', '"1st"');
  fails('FED111', 'a namespace with an underscore', own({ namespaceName: 'istio_federation' }), '"istio_federation"');
  fails('FED111', 'an account that is a principal', () => Caller.serviceAccount('ns/default/sa/x', 'default'), '"ns/default/sa/x"');
  fails('FED111', 'a cluster domain that is none', own({ clusterDomain: 'cluster local' }), '"cluster local"');
  fails('FED112', 'two meshes in one chart', () => {
    const chart = new Chart(new App(), 'both');
    [['east', 'A'], ['west', 'B']].map(([meshName, id]) => new FederatedMesh(chart, id, { meshName, trustDomain: `${meshName}.example`, trustBundle: trustOf(meshName) }));
  }, 'both/B', '"both"', '"east"', 'a chart of its own');
  fails('FED112', 'an exposure in the chart of another mesh', () => {
    const { east, west } = pair();
    new ExposedService(Chart.of(west), 'Details', {
      mesh: east, service: LocalService.fromName('details', 'default'), exportName: 'details', ports: [ServicePort.http(9080)],
    });
  }, 'west/Details', '"west"');
  fails('FED112', 'a binding in the chart of another mesh', () => {
    const { east, west, reviews } = pair();
    new RemoteServiceBinding(Chart.of(east), 'Bound', { mesh: west, source: reviews, localName: LocalName.newService('reviews', 'default') });
  }, 'east/Bound');
  fails('FED112', 'a caller from the chart of another mesh', () => {
    const { app, west, reviews } = pair();
    const chart = new Chart(app, 'apps', { namespace: 'default' });
    const account = new ApiObject(chart, 'Account', { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'client' } });
    const north = meshOf(app, 'north');
    for (const mesh of [west, north]) {
      mesh.bind('Reviews', { source: reviews, localName: LocalName.newService('reviews', 'default') }).allowFrom(Caller.fromConstruct(account));
    }
  }, 'north/Mesh/Reviews', '"apps"', '"west"');
  fails('FED112', 'a mesh outside of any chart', () => new FederatedMesh(new App(), 'Mesh', {
    meshName: 'east', trustDomain: 'east.example', trustBundle: trustOf('east'),
  }), 'in a Chart');
  fails('FED113', 'two boundaries in one namespace', () => {
    const app = new App();
    meshOf(app, 'east');
    new FederatedMesh(new Chart(app, 'again'), 'Mesh', { meshName: 'east', trustDomain: 'east.example', trustBundle: trustOf('east') });
  }, 'again/Mesh', '"istio-federation"', 'namespaceName');
  fails('FED113', 'two boundaries that share the namespace of one gateway', () => {
    const app = new App();
    meshOf(app, 'east', { egressGateway: BoundaryGateway.dedicated({ namespaceName: 'dmz' }) });
    new FederatedMesh(new Chart(app, 'again'), 'Mesh', { meshName: 'east', trustDomain: 'east.example', trustBundle: trustOf('east'), namespaceName: 'dmz' });
  }, 'again/Mesh', '"dmz"', 'no other boundary');
  fails('FED114', 'a reason that says nothing', own({ withoutAdmissionPolicy: { reason: 'because' } }), '"because"', 'ten characters');
  for (const none of [null, false, '']) {
    fails('FED120', `isolation that is ${JSON.stringify(none)}`, () => own({})().addPeer(meshOf(new App(), 'west'), { isolated: none as any }), 'isolating peer "west"');
  }
  fails('FED120', 'a switch that is a text', () => own({})().addPeer(meshOf(new App(), 'west'), { stripTracing: 'false' as any }), 'stripTracing', 'true or false');
  fails('FED120', 'a switch of the mesh that is a text', own({ connectAfterHandshake: 'false' as any }), 'connectAfterHandshake is "false"');
  fails('FED120', 'a gateway that is an object of options', own({ ingressGateway: { sourceRanges: ['10.0.0.0/8'] } as any }), 'ingressGateway', 'no BoundaryGateway');
  fails('FED114', 'headers with underscores for no reason', own({ allowHeadersWithUnderscores: { reason: 'gRPC' } }), 'east/Mesh',
    'allowing headers with underscores', '"gRPC"', 'ten characters');
  fails('FED114', 'a peer that is isolated for no reason', () => own({})().addPeer(meshOf(new App(), 'west'), { isolated: { reason: 'incident' } }),
    'isolating peer "west"', '"incident"');
  fails('FED114', 'a private address for no reason', endpoint({ address: '10.1.2.3', privateAddress: { reason: ' '.repeat(20) } }), '10.1.2.3');
  fails('FED114', 'TLS 1.2 for no reason', peerWith({ allowTls12: { reason: 'legacy' } }), 'east/Mesh', 'TLS 1.2', '"legacy"');
  fails('FED115', 'a day in another order', grant({ reviewBy: '30.06.2027' }), 'east/Mesh/Reviews', '"30.06.2027"', 'YYYY-MM-DD');
  fails('FED115', 'a day that does not exist', () => {
    const { east, west } = pair();
    east.addPeer(west, { reviewBy: '2027-02-30' });
  }, '"2027-02-30"');
  fails('FED116', 'more pods than the largest number', gateway({ minReplicas: 6 }), '6', '5', 'minReplicas ≤ maxReplicas');
  fails('FED116', 'no pods', gateway({ minReplicas: 0 }), '0');
  fails('FED116', 'a quantity that is none', gateway({ memoryLimit: '1 GB' }), 'memoryLimit', '"1 GB"', '1Gi');
  fails('FED116', 'a request above its limit', gateway({ cpuRequest: '2500m' }), '2500m', '"2"');
  fails('FED116', 'a memory request above its limit', gateway({ memoryRequest: '2Gi', memoryLimit: '2000M' }), '2Gi');
  fails('FED116', 'a source range without mask', gateway({ sourceRanges: ['203.0.113.7'] }), '"203.0.113.7"', '/28');
  fails('FED116', 'an empty list of source ranges', gateway({ sourceRanges: [] }), 'empty');
  fails('FED116', 'a toleration of an unknown effect', gateway({ tolerations: [{ key: 'dmz', effect: 'NoRun' }] }), '"NoRun"', 'NoSchedule');
  fails('FED116', 'a label that selects the pods', gateway({ labels: { istio: 'mine' } }), '"istio"');
  fails('FED116', 'a label from which Istio makes another', gateway({ labels: { 'app.kubernetes.io/name': 'edge' } }), 'app.kubernetes.io/name');
  fails('FED116', 'a label value that would break out of a policy', gateway({ labels: { team: '\' || true || \'' } }), 'team');
  fails('FED116', 'a load balancer class without a load balancer', gateway({ serviceType: GatewayServiceType.NODE_PORT, loadBalancerClass: 'nlb' }), 'NodePort');
  fails('FED116', 'source ranges that cannot be seen', gateway({
    serviceType: GatewayServiceType.NODE_PORT, sourceRanges: ['203.0.113.0/28'], preserveClientAddress: false,
  }), 'preserveClientAddress');
  fails('FED116', 'source ranges of one family for addresses of both', gateway({ dualStack: true, sourceRanges: ['203.0.113.0/28'] }), '203.0.113.0/28', 'both families');
  fails('FED116', 'an egress gateway with a load balancer', own({
    egressGateway: BoundaryGateway.dedicated({ serviceType: GatewayServiceType.LOAD_BALANCER }),
  }), 'east/Mesh', 'serviceType', 'ingressGateway');
  fails('FED117', 'an identity of another trust domain', () => remote({ egressIdentity: SpiffeId.parse('spiffe://cluster.local/ns/dmz/sa/out') }),
    'spiffe://cluster.local/ns/dmz/sa/out', '"bank.example"');
  fails('FED117', 'a peer of another make with such an identity', () => {
    const app = new App();
    const bank = remoteOf(app, 'bank', 'bank.example', trustOf('bank'));
    meshOf(app, 'east').addPeer(Object.assign(new Construct(app, 'Own'), {
      meshName: 'bank',
      trustDomain: 'bank.example',
      endpoints: [],
      ingressIdentity: bank.ingressIdentity,
      egressIdentity: SpiffeId.parse('spiffe://east.example/ns/a/sa/b'),
      trustBundle: bank.trustBundle,
    }));
  }, 'east/Mesh');
  fails('FED118', 'a service of Istio itself', () => pair().east.expose('Istiod', {
    service: LocalService.fromName('istiod', 'istio-system'), exportName: 'istiod', ports: [ServicePort.http(15014)],
  }), 'east/Mesh/Istiod', '"istiod"', '"istio-system"');
  fails('FED118', 'a local name in the boundary', () => {
    const { west, reviews } = pair();
    west.bind('Reviews', { source: reviews, localName: LocalName.newService('federation-egress', 'istio-federation') });
  }, '"federation-egress"', 'the boundary');
  fails('FED118', 'our own gateway as a caller', () => {
    const { west, reviews } = pair();
    west.bind('Reviews', { source: reviews, localName: LocalName.newService('reviews', 'default') })
      .allowFrom(Caller.serviceAccount('federation-ingress', 'istio-federation'));
  }, '"federation-ingress"');
  for (const namespaceName of ['default', 'kube-system']) {
    fails('FED118', `a boundary in ${namespaceName}`, own({ namespaceName }), 'of its own');
  }
  fails('FED118', 'the DNS of the cluster', () => {
    const { west, reviews } = pair();
    west.bind('Dns', { source: reviews, localName: LocalName.newService('kube-dns', 'kube-system') });
  }, 'Kubernetes itself');
  const ownGateway = (namespaceName: string) => own({ egressGateway: BoundaryGateway.dedicated({ namespaceName }) });
  fails('FED118', 'a gateway in the root namespace', ownGateway('istio-system'), 'east/Mesh', 'the egress gateway', 'root namespace');
  fails('FED118', 'a gateway among applications', ownGateway('default'), '"default"');
  fails('FED118', 'a caller in the namespace of one gateway', () => {
    const { app, reviews } = pair();
    const mesh = meshOf(app, 'north', { egressGateway: BoundaryGateway.dedicated({ namespaceName: 'dmz' }) });
    mesh.bind('Reviews', { source: reviews, localName: LocalName.newService('reviews', 'default') }).allowFrom(Caller.serviceAccount('a', 'dmz'));
  }, '"dmz"', 'the boundary');
  fails('FED118', 'a boundary in the root namespace', own({ namespaceName: 'istio-system' }), 'east/Mesh', 'root namespace');
  fails('FED119', 'two peers with one CA', () => {
    const { app, east } = pair();
    east.addPeer(new RemoteMesh(app, 'North', {
      meshName: 'north',
      trustDomain: 'north.example',
      trustBundle: trustOf('west'),
      ingressIdentity: SpiffeId.parse('spiffe://north.example/ns/a/sa/in'),
      egressIdentity: SpiffeId.parse('spiffe://north.example/ns/a/sa/out'),
    }));
  }, '"north"', '"west"', 'root of its own');
  fails('FED119', 'two peers with one CA, each at another boundary', () => {
    const { app, east } = pair();
    const second = new FederatedMesh(new Chart(app, 'second'), 'Mesh', {
      meshName: 'east', trustDomain: 'east.example', trustBundle: east.trustBundle, namespaceName: 'partners',
    });
    second.addPeer(remoteOf(app, 'north', 'north.example', trustOf('west')));
  }, 'second/Mesh', '"west"');
  fails('FED119', 'a peer with our own CA', () => {
    const app = new App();
    meshOf(app, 'east').addPeer(meshOf(app, 'west', { trustBundle: trustOf('east') }));
  }, '"west"', 'our own');
  fails('FED119', 'a CA that was issued anew with the same key', () => {
    const app = new App();
    meshOf(app, 'east', { trustBundle: TrustBundle.fromPem(ca.certificate) }).addPeer(meshOf(app, 'west', { trustBundle: TrustBundle.fromPem(ca.renewed) }));
  }, 'our own');
  fails('FED119', 'one trust domain with two CAs', () => {
    const { app, east } = pair();
    east.addPeer(remoteOf(app, 'partner', 'west.example', trustOf('north')));
  }, '"partner"', 'another CA');
});

describe('values of another kind, from programs without types', () => {
  const any = (value: unknown) => value as never;
  const shop = (name: string, value: unknown) => own({ [name]: value });
  const account = object('ServiceAccount', 'default');
  fails('FED120', 'a file name in place of a bundle', shop('trustBundle', 'east.pem'), 'trustBundle', '"east.pem"', 'TrustBundle');
  fails('FED120', 'no bundle', shop('trustBundle', undefined), 'undefined');
  fails('FED120', 'one endpoint in place of a list', shop('endpoints', { address: 'a.example' }), 'endpoints', 'list');
  fails('FED120', 'a name in place of a peer', () => pair().east.addPeer(any('west')), 'east/Mesh', '"west"', 'RemoteMesh');
  fails('FED120', 'no peer', () => pair().east.addPeer(any(undefined)), 'undefined');
  fails('FED120', 'a limit that is spelt wrong', peerWith({ limits: any({ maxRequests: 5 }) }), '"maxRequests"', 'requestsPerSecond');
  fails('FED120', 'limits that are nothing', peerWith(any({ limits: 5 })), 'limits', 'was given 5');
  fails('FED120', 'a life as a number', peerWith({ limits: { maxConnectionDuration: any(60) } }), 'maxConnectionDuration', '60', 'Duration');
  fails('FED120', 'a header in place of a list', peerWith(any({ removeRequestHeaders: 'x-team' })), 'removeRequestHeaders', '"x-team"');
  fails('FED120', 'a peer with an option that is spelt wrong', peerWith(any({ stripTraces: true })), '"stripTraces"', 'stripTracing');
  fails('FED124', 'no header to remove', peerWith({ removeRequestHeaders: [] }), 'removeRequestHeaders', 'empty list');
  fails('FED124', 'a header in capitals', peerWith({ removeRequestHeaders: ['X-Team'] }), '"X-Team"', 'lower-case');
  fails('FED124', 'a part of the request itself', peerWith({ removeRequestHeaders: [':path'] }), '":path"');
  fails('FED124', 'a pattern of headers', peerWith({ removeRequestHeaders: ['x-team-*'] }), '"x-team-*"', 'write each name out');
  fails('FED124', 'the host', peerWith({ removeRequestHeaders: ['host'] }), '"host"', 'another one');
  fails('FED124', 'what gRPC needs', peerWith({ removeRequestHeaders: ['te'] }), '"te"', 'another one');
  fails('FED124', 'what never leaves', peerWith({ removeRequestHeaders: ['x-real-ip'] }), '"x-real-ip"', 'never leaves');
  fails('FED124', 'no text', peerWith(any({ removeRequestHeaders: [null] })), 'null');
  const older = { istioVersion: IstioVersion.V1_30 };
  fails('FED125', 'connections after the handshake with an Istio that was not tried', own({ ...older, connectAfterHandshake: true }), 'connectAfterHandshake', '1.30', 'Istio 1.31');
  fails('FED125', 'limits with an Istio that was not tried', () => meshOf(new App(), 'east', older).addPeer(meshOf(new App(), 'west'), { limits: { maxConnections: 1 } }),
    'limits', '1.30');
  fails('FED126', 'no limit at all', peerWith({ limits: {} }), 'limits has no field');
  fails('FED126', 'no connection', peerWith({ limits: { maxConnections: 0 } }), 'maxConnections is 0', 'whole number');
  fails('FED126', 'half a request', peerWith({ limits: { requestsPerSecond: 0.5 } }), 'requestsPerSecond is 0.5');
  fails('FED126', 'more than a counter holds', peerWith({ limits: { maxConnections: 2 ** 32 } }), '4294967296');
  fails('FED126', 'a limit as a text', peerWith({ limits: { maxConnections: any('5') } }), 'maxConnections is "5"');
  fails('FED126', 'a connection that does not live', peerWith({ limits: { maxConnectionDuration: Duration.millis(0) } }), '0 ms');
  fails('FED126', 'no upstream limit at all', peerWith({ upstreamLimits: {} }), 'east/Mesh', 'upstreamLimits has no field', 'leave upstreamLimits out');
  for (const [shown, value] of [['0', 0], ['1.5', 1.5], ['2147483648', 2 ** 31], ['"5"', any('5')]]) {
    for (const name of ['maxConnections', 'maxRequests']) {
      fails('FED126', `an upstream limit ${name} of ${shown}`, peerWith({ upstreamLimits: { [name]: value } }), `${name} is ${shown} `,
        'a whole number from 1 to 2147483647', 'leave it out for the default');
    }
  }
  fails('FED120', 'a grant to a name', () => pair().reviews.allowFrom(any('west')), 'east/Mesh/Reviews', '"west"');
  fails('FED120', 'a grant with an empty key of a file', grant(any({ http: null })), 'http is null');
  fails('FED120', 'a grant with a field that is spelt wrong', grant(any({ rules: [] })), '"rules"', 'ports, http');
  fails('FED120', 'a rule with a field that is spelt wrong', rule(any({ methods: ['GET'], path: ['/a'] })), '"path"', 'methods, paths');
  fails('FED120', 'a rule that is nothing', rule(any(null)), 'null');
  fails('FED120', 'a method in place of a list', rule(any({ methods: 'GET' })), 'methods', '"GET"');
  fails('FED120', 'ports as numbers', () => pair().east.expose('X', { service: LocalService.fromName('x', 'apps'), exportName: 'x', ports: any([9080]) }), '9080', 'ServicePort');
  fails('FED120', 'a name in place of a service', () => pair().east.expose('X', { service: any('x'), exportName: 'x', ports: [] }), '"x"', 'LocalService');
  fails('FED120', 'a name in place of a local name', () => {
    const { west, reviews } = pair();
    west.bind('X', { source: reviews, localName: any('reviews') });
  }, 'west/Mesh/X', 'LocalName');
  fails('FED120', 'a construct in place of a caller', () => {
    const { west, reviews } = pair();
    west.bind('X', { source: reviews, localName: LocalName.newService('x', 'web') }).allowFrom(any(account));
  }, 'apps/Object', 'Caller');
  fails('FED120', 'a binding without a source', () => pair().west.bind('X', { source: any(undefined), localName: LocalName.newService('x', 'web') }), 'source is undefined');
  fails('FED120', 'a text in place of a source', () => pair().west.bind('X', { source: any('reviews'), localName: LocalName.newService('x', 'web') }),
    'west/Mesh/X', 'the source is "reviews"', 'exposedService');
  fails('FED120', 'a mesh in place of a source', () => {
    const { east, west } = pair();
    west.bind('X', { source: any(east), localName: LocalName.newService('x', 'web') });
  }, 'the source is the construct east/Mesh', 'exposedService');
  fails('FED120', 'an identity as a text', () => remote({ ingressIdentity: any('spiffe://bank.example/a') }), 'ingressIdentity', 'SpiffeId');
  fails('FED120', 'one category in place of a list', grant(any({ dataCategories: 'cardholder' })), 'dataCategories', '"cardholder"');
  /** Objects of fields: one that is spelt wrong, nothing at all, and a text. */
  const because = 'agreed with the security team';
  const bound = (change: (binding: RemoteServiceBinding, source: ExposedService) => void, portMappings?: unknown) => () => {
    const { west, reviews } = pair();
    change(west.bind('X', { source: reviews, localName: LocalName.existingService('x', 'web'), portMappings: any(portMappings) }), reviews);
  };
  const objects: { readonly [what: string]: [given: (value: any) => () => unknown, misspelt: object, known: string] } = {
    'a gateway': [(value) => gateway(value), { sourceRange: ['203.0.113.0/28'] }, 'sourceRanges'],
    'a toleration': [(value) => gateway({ tolerations: [value] }), { key: 'dmz', efect: 'NoExecute' }, 'effect'],
    'a certificate': [(value) => () => GatewayCredential.fromCertManager(value), { issuerName: 'ca', renewedBefore: 1 }, 'renewBefore'],
    'an HTTP port': [(value) => () => ServicePort.http(80, value), { exportport: 443 }, 'exportPort'],
    'a gRPC port': [(value) => () => ServicePort.grpc(80, value), { exportport: 443 }, 'exportPort'],
    'a TCP port': [(value) => () => ServicePort.tcp(80, value), { exportport: 443 }, 'exportPort'],
    'a TLS port': [(value) => () => ServicePort.tls(80, value), { exportport: 443 }, 'exportPort'],
    'an endpoint': [(value) => shop('endpoints', [value]), { address: 'fed.east.example', ports: 443 }, 'port'],
    'an endpoint of a peer': [(value) => () => remote({ endpoints: [value] }), { address: 'fed.bank.example', prot: 443 }, 'port'],
    'a private address': [(value) => endpoint({ address: '10.1.2.3', privateAddress: value }), { reason: because, approvedby: 'Jo' }, 'approvedBy'],
    'a mapping': [(value) => bound(() => undefined, [value]), { localPort: 80, exportPort: 9080, protocol: 'tcp' }, 'localPort, exportPort'],
    'a source': [(value) => bound((binding, source) => binding.addSource(source, value)), { portMapping: [] }, 'portMappings'],
    'a local source': [(value) => bound((binding) => binding.addLocalSource(value)), { wieght: 1 }, 'weight'],
    'a peer': [(value) => peerWith(value), { isolate: { reason: because } }, 'isolated'],
    'isolating a peer': [(value) => peerWith({ isolated: value }), { reason: because, tickets: 'INC-1' }, 'ticket'],
    'allowing TLS 1.2': [(value) => peerWith({ allowTls12: value }), { reason: because, until: '2027-01-01' }, 'ticket'],
    'limits of a peer': [(value) => peerWith({ limits: value }), { maxConnection: 1 }, 'maxConnections'],
    'upstream limits of a peer': [(value) => peerWith({ upstreamLimits: value }), { requestsPerSecond: 1 }, 'maxConnections, maxRequests'],
    'allowing headers with underscores': [(value) => shop('allowHeadersWithUnderscores', value), { reason: because, headers: ['user_id'] }, 'approvedBy'],
    'leaving the admission policy out': [(value) => shop('withoutAdmissionPolicy', value), { reason: because, owner: 'Jo' }, 'approvedBy'],
    'a grant': [(value) => grant(value), { path: ['/a'] }, 'http'],
    'a rule': [(value) => rule(value), { method: ['GET'] }, 'methods'],
    'a lock': [(value) => () => pair().reviews.lockWorkload(value), { reason: because, callers: [] }, 'localCallers'],
    'a restriction': [(value) => () => pair().west.restrictNamespace('finance', value), { reason: because, hosts: [] }, 'allowedHosts'],
    'a gateway of others': [(value) => () => BoundaryGateway.fromExisting(value), { namespace: 'istio-ingress' }, 'namespaceName'],
  };
  for (const [what, [given, misspelt, known]] of Object.entries(objects)) {
    const unknown = Object.keys(misspelt).find((key) => !['address', 'issuerName', 'key', 'localPort', 'exportPort', 'reason'].includes(key))!;
    fails('FED120', `${what} with a field that is spelt wrong`, given(misspelt), `unknown field "${unknown}"`, known);
    fails('FED120', `${what} that is nothing`, given(null), 'takes fields, and was given null', known);
    fails('FED120', `${what} that is a text`, given('a text'), 'takes fields, and was given "a text"', known);
  }
  fails('FED120', 'source ranges with an empty key of a file', gateway(any({ sourceRanges: null })), 'sourceRanges is null', 'no list');
  fails('FED120', 'one source range in place of a list', gateway(any({ sourceRanges: '203.0.113.0/28' })), 'sourceRanges', 'no list');
  fails('FED120', 'labels of a gateway in a list', gateway(any({ labels: ['edge'] })), 'labels is ["edge"]', 'no map');
  fails('FED120', 'options in place of a gateway', shop('ingressGateway', { sourceRanges: ['203.0.113.0/28'] }), 'ingressGateway', 'no BoundaryGateway');
  fails('FED116', 'a source range that is a number', gateway(any({ sourceRanges: [8] })), 'the source range 8');
  fails('FED120', 'a life of a certificate as a number', () => GatewayCredential.fromCertManager(any({ issuerName: 'ca', duration: 86400 })), 'duration is 86400', 'Duration');
  fails('FED114', 'a reason that is a number', own({ withoutAdmissionPolicy: any({ reason: 12345678901 }) }), '12345678901', 'ten characters');
  fails('FED111', 'a construct in place of a name', () => LocalService.fromName(any(account), 'default'), 'apps/Object');
  fails('FED303', 'a port of another number type', () => ServicePort.http(any(80n)), '80');
  fails('FED111', 'an access log provider that is empty', shop('accessLogProvider', ''), 'access log provider');
});

describe('trust', () => {
  fails('FED201', 'a private key', () => TrustBundle.fromPem(ca.privateKey), 'TrustBundle.fromPem', 'remove the key');
  fails('FED201', 'a certificate with its key', () => TrustBundle.fromPem(`${ca.certificate}\n${ca.privateKey}`), 'private key');
  fails('FED201', 'an encrypted key', () => TrustBundle.fromPem('-----BEGIN ENCRYPTED PRIVATE KEY-----\nabc\n-----END ENCRYPTED PRIVATE KEY-----'), 'private key');
  fails('FED202', 'a leaf', () => TrustBundle.fromPem(leaf.certificate), 'CN=gateway', 'authority');
  fails('FED202', 'a leaf behind a root', () => TrustBundle.fromPem(`${ca.certificate}\n${leaf.certificate}`), 'certificate 2');
  fails('FED203', 'nothing', () => TrustBundle.fromPem(''), 'istio-ca-root-cert');
  fails('FED203', 'white space', () => TrustBundle.fromPem(' \n\t\n'), 'nothing');
  fails('FED204', 'garbage', () => TrustBundle.fromPem('east.pem'), 'no PEM block');
  fails('FED204', 'garbage in a block', () => TrustBundle.fromPem('-----BEGIN CERTIFICATE-----\nbm8gY2VydGlmaWNhdGU=\n-----END CERTIFICATE-----'), 'block 1');
  fails('FED204', 'a block of another kind', () => TrustBundle.fromPem('-----BEGIN CERTIFICATE REQUEST-----\nbm8=\n-----END CERTIFICATE REQUEST-----'), 'CERTIFICATE REQUEST');
  fails('FED204', 'a file that was cut off', () => TrustBundle.fromPem(ca.certificate.slice(0, -30)), 'does not end');
  fails('FED204', 'a second block that was cut off', () => TrustBundle.fromPem(`${ca.certificate}\n${ca.renewed.slice(0, 100)}`), 'does not end');
  fails('FED205', 'a file that is not there', () => TrustBundle.fromPemFile('trust/nobody.pem'), '"trust/nobody.pem"', 'ENOENT', process.cwd());
  fails('FED205', 'a folder', () => TrustBundle.fromPemFile(__dirname), 'EISDIR');
  for (const uri of ['east.example/ns/a/sa/b', 'spiffe://east.example', 'spiffe://East.example/ns/a', 'spiffe://east.example/ns//sa/b',
    'spiffe://east.example/ns/a/', 'spiffe://east.example/../a', 'spiffe://east.example:443/ns/a', 'spiffe://east.example/ns/*', '']) {
    fails('FED206', `"${uri}"`, () => SpiffeId.parse(uri), JSON.stringify(uri));
  }

  const certManager = (options: Partial<CertManagerOptions>) => () => GatewayCredential.fromCertManager({ issuerName: 'boundary-ca', ...options });
  fails('FED111', 'an issuer with capitals', certManager({ issuerName: 'Boundary_CA' }), '"Boundary_CA"', 'issuer');
  fails('FED111', 'a group that is no domain', certManager({ issuerGroup: 'cert manager' }), '"cert manager"', 'API group');
  fails('FED111', 'a Secret that Istio reads as a CA', () => GatewayCredential.fromSecret('partner-cacert'), '"partner-cacert"', '-cacert');
  fails('FED111', 'a reference in place of the name of a Secret', () => GatewayCredential.fromSecret('kubernetes://partner'), 'Secret');
  fails('FED131', 'a kind that is none', certManager({ issuerKind: 'clusterissuer' }), '"clusterissuer"');
  fails('FED131', 'an algorithm that the gateways do not use', certManager({ keyAlgorithm: 'RSA_1024' as KeyAlgorithm }), '"RSA_1024"');
  fails('FED131', 'a life of less than an hour', certManager({ duration: Duration.minutes(59) }), '3540 seconds', 'an hour');
  fails('FED131', 'a life of half a second more', certManager({ duration: Duration.millis(3_600_500) }), '3600.5 seconds');
  fails('FED131', 'a renewal in the last minutes', certManager({ renewBefore: Duration.minutes(4) }), '240 seconds', 'five minutes');
  fails('FED131', 'a renewal before the issue', certManager({ duration: Duration.hours(2), renewBefore: Duration.hours(2) }), '7200 seconds');
  fails('FED120', 'a Secret\'s name in place of a credential', own({ credential: 'partner' as unknown as GatewayCredential }), 'credential', '"partner"');
  fails('FED120', 'the same for one gateway', gateway({ credential: 'partner' as unknown as GatewayCredential }), 'BoundaryGateway.dedicated', '"partner"');
  const existing = { namespaceName: 'istio-ingress', serviceAccountName: 'shared', serviceName: 'shared', podLabels: { app: 'shared' } };
  const others = (change: object) => () => BoundaryGateway.fromExisting({ ...existing, ...change });
  fails('FED111', 'a gateway of others in a namespace of no name', others({ namespaceName: '' }), 'namespace');
  fails('FED111', 'a gateway of others without an account', others({ serviceAccountName: undefined }), 'service account');
  fails('FED111', 'a gateway of others behind no Service', others({ serviceName: 'shared.istio-ingress' }), '"shared.istio-ingress"');
  fails('FED113', 'two boundaries at one gateway of others', () => {
    const app = new App();
    const ingressGateway = BoundaryGateway.fromExisting(existing);
    meshOf(app, 'east', { ingressGateway });
    new FederatedMesh(new Chart(app, 'again'), 'Mesh', {
      meshName: 'east', trustDomain: 'east.example', trustBundle: trustOf('east'), namespaceName: 'partner-federation', ingressGateway,
    });
  }, 'again/Mesh', '"istio-ingress"');
  for (const namespaceName of ['istio-system', 'kube-system', 'default']) {
    fails('FED118', `a gateway of others in ${namespaceName}`, own({ ingressGateway: BoundaryGateway.fromExisting({ ...existing, namespaceName }) }),
      'the ingress gateway "shared", which others run', `"${namespaceName}"`, 'cannot be used');
  }
  fails('FED118', 'a service in the namespace of a gateway of others', () => own({ ingressGateway: BoundaryGateway.fromExisting(existing) })().expose('Self', {
    service: LocalService.fromName('shared', 'istio-ingress'), exportName: 'self', ports: [ServicePort.http(80)],
  }), '"shared"', 'the boundary');
  fails('FED120', 'a gateway of others with a list of labels', others({ podLabels: ['app'] }), 'podLabels', 'no map');
  fails('FED120', 'a gateway of others with options of our own', others({ minReplicas: 3 }), '"minReplicas"');
  fails('FED120', 'a gateway of others with a text as credential', others({ credential: 'partner' }), '"partner"', 'GatewayCredential');
  fails('FED127', 'a gateway of others without labels', others({ podLabels: {} }), 'every pod of the namespace');
  fails('FED127', 'a gateway of others with a label that no pod can have', others({ podLabels: { app: 'the gateway' } }), '"the gateway"');
  fails('FED127', 'an egress gateway of others', own({ egressGateway: BoundaryGateway.fromExisting(existing) }), 'east/Mesh', '"shared"', 'dedicated');
  fails('FED127', 'one gateway of others for both directions', own({
    ingressGateway: BoundaryGateway.fromExisting(existing), egressGateway: BoundaryGateway.fromExisting(existing),
  }), 'egressGateway');
  fails('FED127', 'a gateway of others in the namespace of our own', own({
    ingressGateway: BoundaryGateway.fromExisting(existing), egressGateway: BoundaryGateway.dedicated({ namespaceName: 'istio-ingress' }),
  }), '"istio-ingress"', 'network policies');
  fails('FED127', 'a gateway of others in the namespace of the mesh', own({ ingressGateway: BoundaryGateway.fromExisting(existing), namespaceName: 'istio-ingress' }),
    '"istio-ingress"', 'another namespaceName');
  fails('FED128', 'a gateway of others that keeps out of traces', () => own({ ingressGateway: BoundaryGateway.fromExisting(existing) })()
    .addPeer(meshOf(new App(), 'west'), { stripTracing: true }), 'east/Mesh', 'stripTracing', '"west"');
  fails('FED128', 'a token that a gateway of others would demand of others', () => own({ ingressGateway: BoundaryGateway.fromExisting(existing) })()
    .expose('Reviews', { service: LocalService.fromName('reviews', 'default'), exportName: 'reviews', ports: [ServicePort.http(80)] })
    .allowFrom(meshOf(new App(), 'west'), { jwt: { issuer: 'https://login.example', jwksUri: 'https://login.example/keys', audiences: ['shop'] } }),
  'east/Mesh/Reviews', '"https://login.example"', 'others run');
  fails('FED132', 'one Secret for both gateways', () => {
    const app = new App();
    const east = meshOf(app, 'east', { credential: GatewayCredential.fromSecret('partner') });
    const west = meshOf(app, 'west');
    const details = west.expose('Details', { service: LocalService.fromName('details', 'default'), exportName: 'details', ports: [ServicePort.http(80)] });
    east.addPeer(west);
    west.addPeer(east);
    details.allowFrom(east);
    east.expose('Reviews', { service: LocalService.fromName('reviews', 'default'), exportName: 'reviews', ports: [ServicePort.http(80)] });
    east.bind('Bound', { source: details, localName: LocalName.newService('details', 'web') });
    app.synth();
  }, 'east/Mesh', '"partner"', 'Secret of its own');
  const elsewhere = (props: Partial<FederatedMeshProps>) => own({ workloadTrustDomain: 'cluster.local', ...props });
  fails('FED133', 'workloads of cluster.local and a gateway with their certificate', elsewhere({}), 'ingress gateway', '"cluster.local"', '"east.example"');
  fails('FED133', 'the same for one gateway', elsewhere({ ingressGateway: BoundaryGateway.dedicated({ credential: GatewayCredential.fromSecret('a') }) }),
    'egress gateway');
  fails('FED133', 'two boundaries of one mesh with workloads of two trust domains', () => {
    const app = new App();
    const boundary = (namespaceName: string, props: Partial<FederatedMeshProps>) => new FederatedMesh(new Chart(app, namespaceName), 'Mesh', {
      meshName: 'east', trustDomain: 'boundary.east.example', trustBundle: trustOf('east'), namespaceName, credential: GatewayCredential.fromCertManager({ issuerName: 'ca' }), ...props,
    });
    boundary('first', { workloadTrustDomain: 'cluster.local' });
    boundary('second', {});
  }, 'second/Mesh', '"boundary.east.example"', '"cluster.local"', 'same workloadTrustDomain');
  fails('FED102', 'workloads of a trust domain that is none', own({ workloadTrustDomain: 'East' }), '"East"');
  fails('FED103', 'a peer with the trust domain of our workloads', () => own({
    trustDomain: 'boundary.east.example', workloadTrustDomain: 'west.example', credential: GatewayCredential.fromCertManager({ issuerName: 'ca' }),
  })().addPeer(meshOf(new App(), 'west')), '"west.example"');

  const listed = (list: () => string, bundle: () => string = () => ca.certificate) => () => TrustBundle.fromPem(bundle()).withRevocationList(list());
  const kept = (name: string, bundle?: TrustBundle) => () => {
    const east = meshOf(new App(), 'east');
    east.addPeer(remote(), { trustConfigMapName: 'bank-roots' });
    east.addPeer(meshOf(new App(), 'west', bundle && { trustBundle: bundle }), { trustConfigMapName: name });
  };
  fails('FED111', 'a trust ConfigMap with capitals', kept('West_Roots'), '"West_Roots"', 'ConfigMap');
  fails('FED134', 'a trust ConfigMap that is ours', kept('fed-out-trust'), '"fed-out-trust"', 'that we write');
  fails('FED134', 'a trust ConfigMap that every namespace has', kept('kube-root-ca.crt'), '"kube-root-ca.crt"', 'our own cluster');
  fails('FED134', 'one trust ConfigMap for two peers', kept('bank-roots'), '"bank-roots"', 'peer "bank"', 'one for each peer');
  fails('FED134', 'revocation lists that would be lost', () => kept('west-roots', listed(() => lists.own)())(), 'peer "west"', '"west-roots"');
  fails('FED135', 'more rules than one object can hold', () => {
    const app = new App();
    const east = meshOf(app, 'east');
    const west = meshOf(app, 'west');
    east.addPeer(west);
    const ports = Array.from({ length: 60 }, (_, index) => ServicePort.http(8000 + index));
    const paths = Array.from({ length: 700 }, (_, index) => `/orders/${index}/items`);
    east.expose('Orders', { service: LocalService.fromName('orders', 'shop'), exportName: 'orders', ports }).allowFrom(west, { http: [{ paths }] });
    throw new Error(east.node.validate().join());
  }, 'EnvoyFilter istio-federation/fed-in-edge', 'bytes', 'a boundary of their own');
  const served = (gateways: object, count: number) => () => {
    const app = new App();
    const [east, west] = [meshOf(app, 'east', gateways), meshOf(app, 'west')];
    east.addPeer(west);
    west.addPeer(east);
    const ports = Array.from({ length: count }, (_, index) => ServicePort.http(8000 + index));
    const service = LocalService.fromName('orders', 'shop');
    east.expose('Orders', { service, exportName: 'orders', ports }).allowFrom(west);
    const source = west.expose('Stock', { service, exportName: 'stock', ports });
    source.allowFrom(east);
    east.bind('Stock', { source, localName: LocalName.newService('stock', 'shop') }).allowFrom(Caller.serviceAccount('page', 'shop'));
    const mistakes = east.node.validate();
    if (mistakes.length > 0) throw new Error(mistakes.join());
  };
  const holding = (memoryLimit: string) => BoundaryGateway.dedicated({ memoryLimit });
  fails('FED136', 'an ingress gateway with too little memory', served({ ingressGateway: holding('256Mi') }, 257),
    'east/Mesh', 'ingress gateway serves 257 ports', '"256Mi" holds the configuration of 256', '"257Mi" or more');
  fails('FED136', 'an egress gateway with too little memory', served({ egressGateway: holding('200M') }, 200),
    'egress gateway serves 200 ports', '"200M" holds the configuration of 190', '"200Mi" or more');
  test('a memory limit that is just enough is accepted', () => {
    expect(served({ ingressGateway: holding('256Mi'), egressGateway: holding('256Mi') }, 256)).not.toThrow();
  });
  fails('FED207', 'an empty text in place of a revocation list', listed(() => ''), 'no PEM block');
  fails('FED207', 'a certificate in place of a revocation list', listed(() => ca.certificate), 'no revocation list');
  fails('FED207', 'a list that was cut', listed(() => lists.own.replace(/\n.*\n(-----END)/, '\n$1')), 'block 1');
  fails('FED207', 'a certificate that calls itself a list', listed(() => ca.certificate.replaceAll('CERTIFICATE', 'X509 CRL')), 'block 1');
  fails('FED207', 'a list of changes only', listed(() => lists.changes), 'critical extension', 'complete list');
  fails('FED208', 'a list of another CA', listed(() => lists.own, () => trustPem('east')), 'none of the CAs "O=east.example, CN=east mesh root"');
  fails('FED208', 'a list that another key signed in the name of the CA', listed(() => lists.own, () => listless.certificate),
    'not signed by the CA "CN=root"');
  fails('FED208', 'a list in another name than the certificate of that key', listed(() => lists.renamed), 'none of the CAs');
  fails('FED208', 'a CA whose key may not sign lists', listed(() => lists.listless, () => listless.certificate), 'cRLSign', 'istiod');
  fails('FED208', 'a signature with SHA-1', listed(() => lists.weak, () => weak.certificate), 'cannot be checked');
  fails('FED208', 'a bundle of two CAs with the list of one', listed(() => lists.own, () => `${ca.certificate}\n${trustPem('east')}`),
    'there is no list of the CA "O=east.example, CN=east mesh root"', 'refuse all');
  fails('FED208', 'two lists of one CA', listed(() => `${lists.own}${lists.own}`), 'there are 2 lists of the CA "CN=root"');
  fails('FED208', 'a rotation with the list of the old CA only', () => listed(() => lists.own)().withNext(trustOf('east')), 'the next bundle');
  fails('FED209', 'a rotation to the same root', () => trustOf('east').withNext(trustOf('east')), trustOf('east').fingerprint);
  fails('FED209', 'a rotation that goes backwards', () => trustOf('east').withNext(trustOf('west')).withNext(trustOf('east')), 'new one alone');
  fails('FED120', 'PEM text in place of the next bundle', () => trustOf('east').withNext(trustPem('west') as unknown as TrustBundle), 'TrustBundle');
});

describe('exposing', () => {
  const expose = (exportName: string, ports = [ServicePort.http(1)]) => () =>
    pair().east.expose('Other', { service: LocalService.fromName('other', 'default'), exportName, ports });
  fails('FED301', 'an export name with a slash', expose('reviews/v1'), 'east/Mesh/Other', '"reviews/v1"');
  fails('FED301', 'an export name in capitals', expose('Reviews'), '"Reviews"', 'lower case');
  fails('FED301', 'a wildcard', expose('*'), '"*"');
  fails('FED301', 'an export name that makes server names too long', expose(Array(4).fill('a'.repeat(50)).join('.')), 'shorten it by');
  fails('FED301', 'a server name of another make that is none', () => {
    const { app, west } = pair();
    const bank = remoteOf(app, 'bank', 'bank.example', trustOf('bank'));
    const source = Object.assign(new Construct(app, 'Odd'), {
      mesh: Object.assign(new Construct(app, 'Mesh'), { ...bank, endpoints: [{ address: 'fed.bank.example' }] }),
      exportName: 'x',
      ports: [ServicePort.http(80)],
      sniFor: () => 'p80.x.\'] + [\'',
    });
    west.bind('Odd', { source: source as never, localName: LocalName.newService('x', 'web') });
  }, 'west/Mesh/Odd');
  fails('FED302', 'an export name twice', expose('reviews'), 'east/Mesh/Other', '"reviews"', 'east/Mesh/Reviews');
  fails('FED302', 'a remote service twice', () => remote({
    exposedServices: [{ exportName: 'cards', ports: [ServicePort.http(1)] }, { exportName: 'cards', ports: [ServicePort.http(2)] }],
  }), '"cards"');
  fails('FED303', 'no port', expose('other', []), 'no port');
  fails('FED303', 'an exported port twice', expose('other', [ServicePort.http(80), ServicePort.http(8080, { exportPort: 80 })]), '80', 'exportPort');
  fails('FED303', 'a port that is none', () => ServicePort.http(0), 'ServicePort.http', '0');
  fails('FED303', 'a port that is text', () => ServicePort.http('http' as unknown as number), '"http"');
  fails('FED304', 'a port that the Service does not have, at the end', () => {
    const { app, east } = pair();
    const chart = new Chart(app, 'apps', { namespace: 'default' });
    const service = new ApiObject(chart, 'Details', {
      apiVersion: 'v1', kind: 'Service', metadata: { name: 'details' }, spec: { ports: [{ port: 9080 }, { port: 53, protocol: 'UDP' }] },
    });
    east.expose('Details', { service: LocalService.fromConstruct(service), exportName: 'details', ports: [ServicePort.http(53)] });
    app.synthYaml();
  }, 'east/Mesh/Details', '"details"', 'no TCP port 53', '9080');
  fails('FED305', 'a Deployment in place of a Service', () => LocalService.fromConstruct(object('Deployment', 'default')), 'apps/Object', 'apps/v1 Deployment');
  fails('FED305', 'a construct without an object', () => LocalService.fromConstruct(new Construct(new App(), 'Nothing')), 'no Kubernetes object');
  fails('FED305', 'a Service without a namespace', () => LocalService.fromConstruct(object('Service')), '"till"', 'namespace: "default"');
  fails('FED306', 'a grant for a port that is not exported', grant({ ports: [80] }), 'east/Mesh/Reviews', '80', '9080, 9081');
  fails('FED306', 'a grant for no port', grant({ ports: [] }), 'empty');
  fails('FED306', 'the server name of a port that is not exported', () => {
    const { reviews, west } = pair();
    reviews.sniFor(west, 80);
  }, '80');
  for (const path of ['reviews', '/reviews*', '/*/reviews', '/a/*/b', '/a/**', '*', '', '/a//b', '/a/../b', '/a/./b', '/a?b', '/a#b', '/a%2Fb', '/a b',
    '/{*}', '/a\\b', '/a/..', '//', '/a/..;/b', '/.;/*']) {
    fails('FED307', `the path "${path}"`, rule({ paths: [path] }), 'east/Mesh/Reviews', JSON.stringify(path), '/a/*');
  }
  fails('FED308', 'an empty list of rules', rule(), 'empty list');
  fails('FED308', 'a rule without a field', rule({}), 'no field');
  fails('FED308', 'an empty list of methods', rule({ methods: [] }), 'methods');
  fails('FED308', 'an empty list of paths', rule({ methods: ['GET'], paths: [] }), 'paths');
  fails('FED308', 'a method in small letters', rule({ methods: ['get'] }), '"get"', 'upper case');
  fails('FED308', 'a method that is a pattern', rule({ methods: ['*'] }), '"*"');
  fails('FED308', 'a method that is a tunnel', rule({ methods: ['CONNECT'] }), 'CONNECT');
  fails('FED309', 'a grant with rules after one without', () => {
    const { reviews, west } = pair();
    reviews.allowFrom(west);
    reviews.allowFrom(west, { ports: [9081], http: [{ methods: ['GET'] }] });
  }, 'east/Mesh/Reviews', '"west"', '9081');
  fails('FED309', 'a grant without rules after one with', () => {
    const { reviews, west } = pair();
    reviews.allowFrom(west, { http: [{ methods: ['GET'] }] });
    reviews.allowFrom(west);
  }, '9080');
  const ofPorts = (options: AllowFromOptions, ...ports: ServicePort[]) => () => {
    const { east, west } = pair();
    east.expose('Ledger', { service: LocalService.fromName('ledger', 'books'), exportName: 'ledger', ports }).allowFrom(west, options);
  };
  fails('FED307', 'a gRPC method without a slash', ofPorts({ grpcMethods: ['books.Export.Stream'] }, ServicePort.grpc(1)), '"books.Export.Stream"', '/package.Service/Method');
  fails('FED307', 'a gRPC method with half a wildcard', ofPorts({ grpcMethods: ['/books.Export/St*'] }, ServicePort.grpc(1)), '/books.Export/St*');
  fails('FED308', 'no gRPC method', ofPorts({ grpcMethods: [] }, ServicePort.grpc(1)), 'empty list');
  fails('FED308', 'an exception outside of the paths', rule({ paths: ['/a/*'], exceptPaths: ['/b'] }), '"/b"', '["/a/*"]');
  fails('FED308', 'an exception that is the path', rule({ paths: ['/a/*'], exceptPaths: ['/a/*'] }), 'allowed and excepted');
  fails('FED308', 'an exception of everything', rule({ exceptPaths: ['/*'] }), '"/*"', 'leaves no path');
  fails('FED308', 'no exception', rule({ exceptPaths: [] }), 'exceptPaths is an empty list');
  fails('FED307', 'an exception of another form', rule({ paths: ['/a/*'], exceptPaths: ['/a/*.js'] }), '/a/*.js');
  fails('FED308', 'an exception with a path parameter', rule({ paths: ['/a/*'], exceptPaths: ['/a/b;c'] }), '"/a/b;c"', 'without ";"');
  fails('FED308', 'a path with a parameter beside an exception', rule({ paths: ['/a/*'], exceptPaths: ['/a/b'] }, { paths: ['/m;x=1/*'] }), '"/m;x=1/*"');
  fails('FED308', 'the same in a later grant', () => {
    const { reviews, west } = pair();
    reviews.allowFrom(west, { http: [{ paths: ['/m;x=1/*'] }] });
    reviews.allowFrom(west, { http: [{ paths: ['/a/*'], exceptPaths: ['/a/b'] }] });
  }, '"/m;x=1/*"');
  fails('FED307', 'an exception whose spellings are too many', rule({ paths: ['/a/*'], exceptPaths: [`/a/${'i'.repeat(80)}`] }), 'too long');
  fails('FED308', 'a required header with an underscore', rule({ requiredHeaders: { x_tester: 'yes' } }), '"x_tester"', 'underscores');
  fails('FED308', 'a required header in capitals', rule({ requiredHeaders: { 'X-Tester': 'yes' } }), '"X-Tester"', 'lower-case');
  fails('FED308', 'a required header that proxies write', rule({ requiredHeaders: { 'x-forwarded-for': '10.0.0.1' } }), 'x-forwarded-for');
  fails('FED308', 'a required value that would stand for others', rule({ requiredHeaders: { 'x-tester': 'y*' } }), '"y*"', 'exact value');
  fails('FED308', 'an empty required value', rule({ requiredHeaders: { 'x-tester': '' } }), '"x-tester"');
  fails('FED308', 'no required header', rule({ requiredHeaders: {} }), 'requiredHeaders is empty');
  fails('FED120', 'required headers that are a list', rule({ requiredHeaders: ['x-tester'] as never }), 'no map');
  fails('FED310', 'HTTP rules for a TCP port', ofPorts({ http: [{ methods: ['GET'] }] }, ServicePort.tcp(3306)), 'port 3306', 'speaks tcp', '→ take http away');
  fails('FED310', 'HTTP rules for all ports of which one is gRPC', ofPorts({ http: [{ methods: ['GET'] }] }, ServicePort.http(80), ServicePort.grpc(90)), 'port 90', 'ports: [80]');
  fails('FED310', 'gRPC methods for an HTTP port', ofPorts({ grpcMethods: ['/a.B/C'] }, ServicePort.http(80)), 'grpcMethods', 'speaks http', '→ rule the requests with http');
  fails('FED310', 'HTTP rules where all ports are gRPC', ofPorts({ http: [{ methods: ['GET'] }] }, ServicePort.grpc(90), ServicePort.grpc(91)), 'speaks grpc', '→ name the methods instead: grpcMethods');
  fails('FED310', 'HTTP rules for TLS that ends in the application', ofPorts({ http: [{ methods: ['GET'] }] }, ServicePort.tls(8443)), 'speaks tls', '→ take http away');
  fails('FED310', 'a token for a TCP port', ofPorts({ jwt: jwt() }, ServicePort.tcp(3306)), 'jwt would rule port 3306', 'speaks tcp', '→ take jwt away');
  fails('FED310', 'a token for TLS that ends in the application', ofPorts({ jwt: jwt() }, ServicePort.grpc(90), ServicePort.tls(8443)), 'ports: [90]');
  fails('FED315', 'a grant with a token after one without', () => {
    const { reviews, west } = pair();
    reviews.allowFrom(west, { http: [{ methods: ['GET'] }] });
    reviews.allowFrom(west, { ports: [9081], http: [{ methods: ['POST'] }], jwt: jwt() });
  }, 'east/Mesh/Reviews', '"west"', '9081');
  fails('FED315', 'a grant without a token after one with', () => {
    const { reviews, west } = pair();
    reviews.allowFrom(west, { jwt: jwt() });
    reviews.allowFrom(west);
  }, '9080');
  fails('FED309', 'a grant with a token alone beside one with a token and rules', () => {
    const { reviews, west } = pair();
    reviews.allowFrom(west, { jwt: jwt() });
    reviews.allowFrom(west, { http: [{ methods: ['GET'] }], jwt: jwt({ audiences: ['other'] }) });
  }, '9080');
  fails('FED316', 'other keys of an issuer', () => {
    const { east, reviews, west } = pair();
    reviews.allowFrom(west, { jwt: jwt() });
    east.expose('Ledger', { service: LocalService.fromName('ledger', 'books'), exportName: 'ledger', ports: [ServicePort.http(80)] })
      .allowFrom(west, { jwt: jwt({ jwksUri: 'https://login.example/other' }) });
  }, 'east/Mesh/Ledger', '"https://login.example"', 'east/Mesh/Reviews');
  const token = (change: { [field: string]: unknown }) => grant({ jwt: jwt(change) });
  fails('FED120', 'a token that is a text', grant({ jwt: 'https://login.example' as any }), 'jwt takes fields', '"https://login.example"', 'audiences');
  fails('FED120', 'no token at all', grant({ jwt: null as any }), 'jwt', 'was given null');
  fails('FED120', 'a field of a token that does not exist', token({ audience: ['a'] }), '"audience"', 'audiences');
  fails('FED120', 'one audience in place of a list', token({ audiences: 'accounts' }), 'audiences is "accounts"');
  fails('FED120', 'no audiences', token({ audiences: undefined }), 'audiences is undefined');
  fails('FED120', 'a list of claims', token({ claims: ['scope'] }), 'claims is ["scope"]', 'no map');
  fails('FED120', 'one value in place of a list', token({ claims: { scope: 'read' } }), '"read"');
  fails('FED120', 'a key set that is an object', token({ jwks: { keys: [] }, jwksUri: undefined }), 'jwks is no text but of the kind object');
  fails('FED125', 'a token with an Istio with which it was not proved', () => meshOf(new App(), 'east', { istioVersion: IstioVersion.V1_30 })
    .expose('Reviews', { service: LocalService.fromName('reviews', 'default'), exportName: 'reviews', ports: [ServicePort.http(80)] })
    .allowFrom(meshOf(new App(), 'west'), { jwt: jwt() }), 'jwt was not proved with Istio 1.30 → take it away, or run Istio 1.31');
  fails('FED314', 'an issuer that is missing', token({ issuer: undefined }), 'the issuer is undefined');
  fails('FED314', 'an issuer that is a number', token({ issuer: 7 }), 'the issuer is 7');
  fails('FED314', 'an empty issuer', token({ issuer: '' }), 'the issuer is ""');
  fails('FED314', 'an issuer that would stand for others', token({ issuer: 'https://login.example/*' }), '"https://login.example/*"', '"*"');
  fails('FED314', 'values that are too long for a route together', token({ audiences: Array.from({ length: 30 }, (_, i) => `https://api.example/${i}/${'x'.repeat(20)}`) }),
    'audiences has 30 values', '1024', 'name fewer');
  fails('FED314', 'an issuer with a blank', token({ issuer: ' https://login.example' }), 'without blanks');
  fails('FED314', 'no audience', token({ audiences: [] }), 'audiences is an empty list');
  fails('FED314', 'an empty audience', token({ audiences: [''] }), 'audiences has the value ""');
  fails('FED314', 'an audience that is a number', token({ audiences: [7] }), 'audiences has the value 7');
  fails('FED314', 'an audience that would stand for others', token({ audiences: ['accounts*'] }), '"accounts*"', 'exact text');
  fails('FED314', 'no claim', token({ claims: {} }), 'claims is empty');
  fails('FED314', 'a claim without a value', token({ claims: { scope: [] } }), 'the claim "scope" is an empty list');
  fails('FED314', 'a value of a claim that would stand for others', token({ claims: { groups: ['*'] } }), 'the claim "groups" has the value "*"');
  fails('FED314', 'a value of a claim with a control character', token({ claims: { groups: ['a\nb'] } }), '"groups"');
  fails('FED314', 'several words for a claim that is read word by word', token({ claims: { scope: ['read write'] } }), '"read write"', 'one word');
  fails('FED314', 'the issuer among the claims', token({ claims: { iss: ['https://login.example'] } }), '"iss"', 'issuer');
  fails('FED314', 'the audience among the claims', token({ claims: { aud: ['a'] } }), '"aud"', 'audiences');
  fails('FED314', 'a claim that is a time', token({ claims: { exp: ['1'] } }), '"exp"', 'number');
  fails('FED314', 'a claim with a bracket', token({ claims: { 'roles[0]': ['a'] } }), '"roles[0]"', '[a][b]');
  fails('FED314', 'a claim without a name', token({ claims: { '': ['a'] } }), 'claims names ""');
  fails('FED314', 'one claim in brackets', token({ claims: { '[scope]': ['a'] } }), '"[scope]"');
  fails('FED314', 'no keys', token({ jwksUri: undefined }), 'neither jwks nor jwksUri');
  fails('FED314', 'keys in two ways', token({ jwks: LOGIN_KEYS }), 'jwks and jwksUri');
  fails('FED314', 'keys that are fetched in the clear', token({ jwksUri: 'http://login.example/keys' }), '"http://login.example/keys"', 'https://');
  fails('FED314', 'keys that are fetched with a password', token({ jwksUri: 'https://us:secret@login.example/keys' }), 'names no user');
  for (const host of ['x:99999', 'x:0', 'a..b', '1.2.3.4.5']) {
    fails('FED314', `keys at ${host}`, token({ jwksUri: `https://${host}/keys` }), host);
  }
  fails('FED314', 'an address that is a number', token({ jwksUri: 7 }), 'jwksUri is 7');
  fails('FED314', 'a header that holds the token', grant({ http: [{ requiredHeaders: { authorization: 'Basic abc' } }], jwt: jwt() }), '"authorization"');
  const keys = (...all: unknown[]) => token({ jwksUri: undefined, jwks: JSON.stringify({ keys: all }) });
  const [rsa] = JSON.parse(LOGIN_KEYS).keys;
  const [elliptic] = JSON.parse(readFileSync(join(__dirname, 'trust', 'staff.jwks'), 'utf8')).keys;
  for (const e of ['AA', 'AQ', 'Ag']) fails('FED314', `an RSA key with the exponent ${e}`, keys({ ...rsa, e }), 'of jwks has the exponent');
  fails('FED314', 'an algorithm of another curve', keys({ ...elliptic, alg: elliptic.crv === 'P-256' ? 'ES512' : 'ES256' }), elliptic.crv);
  fails('FED314', 'operations that are no list', keys({ ...rsa, key_ops: 'verify' }), 'no key that verifies');
  fails('FED314', 'keys that are no JSON', token({ jwksUri: undefined, jwks: 'https://login.example/keys' }), 'jwks is no JSON');
  fails('FED314', 'a key that is no set', token({ jwksUri: undefined, jwks: JSON.stringify(rsa) }), 'jwks is no key set');
  fails('FED314', 'a set of texts', token({ jwksUri: undefined, jwks: '{"keys":["a"]}' }), 'jwks is no key set');
  fails('FED314', 'nothing in JSON', token({ jwksUri: undefined, jwks: 'null' }), 'jwks is no key set');
  fails('FED314', 'an empty key set', keys(), 'no key that verifies');
  fails('FED314', 'a key set for encryption', keys({ ...rsa, use: 'enc' }), 'no key that verifies');
  fails('FED314', 'a key of no kind', keys({ ...rsa, kty: undefined }), 'key "login-1" of jwks is of the kind undefined');
  fails('FED314', 'a key of a kind that everything has', keys({ ...rsa, kty: 'constructor' }), '"constructor"');
  fails('FED314', 'a key for another algorithm', keys({ ...rsa, alg: 'RSA-OAEP' }), '"RSA-OAEP"');
  fails('FED314', 'a key whose algorithm is of another kind', keys({ ...elliptic, alg: 'RS256' }), '"RS256"', '"EC"');
  fails('FED314', 'a key on another curve', keys({ ...elliptic, alg: undefined, crv: 'secp256k1' }), '"secp256k1"', 'P-256');
  fails('FED314', 'a key with a part missing', keys({ ...rsa, n: undefined }), 'is no public key');
  fails('FED314', 'a key whose point lies nowhere', keys({ ...elliptic, y: elliptic.x }), 'is no public key');
  fails('FED314', 'a key with a number as its name', keys({ ...rsa, kid: 7 }), 'kid that is no text');
  fails('FED314', 'a key that is too short', () => {
    const short = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ format: 'jwk' });
    keys(short)();
  }, 'key 0 of jwks has 1024 bits', '2048');
  fails('FED317', 'a secret that both sides share', keys(rsa, { kty: 'oct', k: 'c2VjcmV0' }), 'key 1 of jwks has kty "oct"', 'leaked');
  fails('FED317', 'a secret of an unknown kind', keys({ kty: 'new', kid: 'x', k: 'c2VjcmV0' }), 'key "x" of jwks has k');
  fails('FED317', 'a key that signs and is for encryption', keys(rsa, { ...rsa, use: 'enc', d: 'AQAB' }), 'has d');
  test('a key that signs stands in no message', () => {
    const secret = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' });
    const messages = [keys(secret), token({ jwksUri: undefined, jwks: `${JSON.stringify({ keys: [secret] })}]` }), token({ jwksUri: undefined, jwks: JSON.stringify(secret) })]
      .map(messageOf);
    for (const message of messages) {
      expect(message).toMatch(/^FED31[47] /);
      expect(message).not.toContain(secret.d);
    }
  });
  const timed = (requestTimeout: Duration, port = ServicePort.http(80)) => () => pair().east.expose('Ledger', {
    service: LocalService.fromName('ledger', 'books'), exportName: 'ledger', ports: [port], requestTimeout,
  });
  fails('FED311', 'no time at all', timed(Duration.millis(0)), '0 ms');
  fails('FED311', 'a time for requests where there are none', timed(Duration.seconds(1), ServicePort.tcp(1)), '"ledger"', 'no requests');
  const silent = (idleTimeout: Duration, props: Partial<FederatedMeshProps> = {}) => () => meshOf(new App(), 'east', props).expose('Ledger', {
    service: LocalService.fromName('ledger', 'books'), exportName: 'ledger', ports: [ServicePort.tcp(1)], idleTimeout,
  });
  for (const none of [null, false, 0, '']) {
    fails('FED120', `a silence that is ${JSON.stringify(none)}`, silent(none as never), 'idleTimeout', 'no Duration');
    fails('FED120', `a time that is ${JSON.stringify(none)}`, timed(none as never), 'requestTimeout', 'no Duration');
  }
  fails('FED311', 'a part of a millisecond', silent(Duration.millis(1.5)), '1.5 ms', 'whole milliseconds');
  fails('FED311', 'no silence at all', silent(Duration.millis(0)), 'idleTimeout is 0 ms');
  fails('FED120', 'a silence that is a number', silent(600 as never), 'idleTimeout', 'no Duration');
  fails('FED125', 'an end of silence with an Istio that was not tried', silent(Duration.minutes(1), { istioVersion: IstioVersion.V1_30 }), 'idleTimeout', '1.30');
  const lock = (options: Partial<LockWorkloadOptions> = {}, change?: (made: ReturnType<typeof pair>) => ExposedService) => () => {
    const made = pair();
    (change?.(made) ?? made.reviews).lockWorkload({ reason: 'nobody else in the mesh may call it', podLabels: { app: 'reviews' }, ...options });
    made.app.synth();
  };
  fails('FED114', 'a lock without a reason', lock({ reason: ' ' }), 'east/Mesh/Reviews', 'locking the workload');
  fails('FED118', 'a local caller of the boundary', lock({ localCallers: [Caller.serviceAccount('federation-egress', 'istio-federation')] }), 'the boundary');
  fails('FED120', 'a text as local caller', lock({ localCallers: ['teller' as any] }), '"teller"', 'Caller');
  fails('FED120', 'one local caller in place of a list', lock({ localCallers: Caller.anyInMesh() as any }), 'localCallers');
  fails('FED120', 'a list of labels', lock({ podLabels: ['app'] as any }), 'podLabels', 'no map');
  fails('FED120', 'a lock with a field that does not exist', lock({ callers: [] } as any), '"callers"');
  fails('FED312', 'a lock of a service of which only the name is known', lock({ podLabels: undefined }), '"reviews"', 'fromConstruct');
  fails('FED312', 'a lock with labels that select everything', lock({ podLabels: {} }), 'every pod of the namespace');
  fails('FED312', 'a lock with a label that no pod can have', lock({ podLabels: { app: 'review service' } }), '"review service"');
  fails('FED312', 'a lock with a value that is no text', lock({ podLabels: { version: 2 as any } }), '"version":2');
  fails('FED312', 'a lock of a Service without selector', () => {
    const app = new App();
    const chart = new Chart(app, 'apps', { namespace: 'till' });
    const service = new ApiObject(chart, 'Object', { apiVersion: 'v1', kind: 'Service', metadata: { name: 'till' }, spec: { ports: [{ port: 80 }] } });
    meshOf(app, 'east').expose('Till', { service: LocalService.fromConstruct(service), exportName: 'till', ports: [ServicePort.http(80)] })
      .lockWorkload({ reason: 'nobody else in the mesh may call it' });
    app.synth();
  }, 'east/Mesh/Till', '"till"', 'podLabels');
  fails('FED313', 'a service that is locked by two exposures', () => {
    const { east, reviews } = pair();
    const again = east.expose('Again', { service: LocalService.fromName('reviews', 'default'), exportName: 'again', ports: [ServicePort.http(9080)] });
    for (const exposure of [reviews, again]) exposure.lockWorkload({ reason: 'nobody else in the mesh may call it', podLabels: { app: 'reviews' } });
  }, 'east/Mesh/Again', 'east/Mesh/Reviews', 'one call');
  fails('FED120', 'a time that is a number', timed(5 as never), 'requestTimeout', 'no Duration');
});

describe('binding', () => {
  const bind = (serviceName: string, mappings?: { localPort: number; exportPort: number }[]) => () => {
    const { west, reviews } = pair();
    west.bind('Reviews', { source: reviews, localName: LocalName.newService(serviceName, 'default'), portMappings: mappings });
  };
  fails('FED401', 'a local name that is bound already', () => {
    const { west, reviews } = pair();
    for (const id of ['One', 'Two']) west.bind(id, { source: reviews, localName: LocalName.newService('reviews', 'default') });
  }, 'west/Mesh/Two', 'reviews.default.svc.cluster.local', '"west"');
  const more = (...additionalHosts: any) => () => {
    const { west, reviews } = pair();
    west.bind('Reviews', { source: reviews, localName: LocalName.newService('reviews', 'default'), additionalHosts });
  };
  fails('FED401', 'an additional host that another binding has', () => {
    const { west, reviews } = pair();
    for (const name of ['one', 'two']) {
      west.bind(name, { source: reviews, localName: LocalName.newService(name, 'default'), additionalHosts: ['reviews.east.example'] });
    }
  }, 'west/Mesh/two', '"reviews.east.example"');
  fails('FED412', 'an additional host of one label', more('vault'), 'west/Mesh/Reviews', '"vault"', 'vault.east.example');
  fails('FED412', 'an additional host that stands for several', more('*.east.example'), '"*.east.example"', 'no full name');
  fails('FED412', 'an address as additional host', more('203.0.113.7'), '"203.0.113.7"', 'no full name');
  fails('FED412', 'an additional host in the cluster', more('vault.shop.svc.cluster.local'), 'domain of a cluster', 'newService');
  fails('FED412', 'an additional host that is short for one in the cluster', more('vault.shop.svc'), 'domain of a cluster');
  fails('FED412', 'an additional host of the boundary', more('p80.reviews.east.egress.fed.west.example'), 'boundary');
  fails('FED412', 'an additional host where a peer has its server names, at the end', () => {
    const { app, west, reviews } = pair();
    west.bind('Reviews', { source: reviews, localName: LocalName.newService('reviews', 'default'), additionalHosts: ['x.west.fed.east.example'] });
    app.synth();
  }, 'west/Mesh/Reviews', '"x.west.fed.east.example"', '".west.fed.east.example"');
  fails('FED412', 'an additional host twice', more('a.example', 'a.example'), 'twice');
  fails('FED120', 'one additional host in place of a list', () => {
    const { west, reviews } = pair();
    west.bind('Reviews', { source: reviews, localName: LocalName.newService('reviews', 'default'), additionalHosts: 'a.example' as any });
  }, 'additionalHosts', 'no list');
  fails('FED402', 'a local name that is a Service of the mesh, at the end', () => {
    const { app, west, reviews } = pair();
    reviews.allowFrom(west);
    west.bind('Reviews', { source: reviews, localName: LocalName.newService('till', 'default') });
    new ApiObject(Chart.of(west), 'Till', { apiVersion: 'v1', kind: 'Service', metadata: { name: 'till' }, spec: { ports: [{ port: 80 }] } });
    app.synthYaml();
  }, 'west/Mesh/Reviews', 'till.default.svc.cluster.local');
  fails('FED402', 'a local name that we expose ourselves, at the end', () => {
    const { app, west, reviews } = pair();
    reviews.allowFrom(west);
    west.expose('Own', { service: LocalService.fromName('reviews', 'default'), exportName: 'reviews', ports: [ServicePort.http(9080)] });
    west.bind('Reviews', { source: reviews, localName: LocalName.newService('reviews', 'default') });
    app.synthYaml();
  }, 'west/Mesh/Reviews');
  fails('FED402', 'a local name that another boundary of the mesh exposes, at the end', () => {
    const { app, east, west, reviews } = pair();
    reviews.allowFrom(west);
    const second = new FederatedMesh(new Chart(app, 'second'), 'Mesh', {
      meshName: 'west', trustDomain: 'west.example', trustBundle: west.trustBundle, namespaceName: 'partners', endpoints: east.endpoints,
    });
    second.expose('Own', { service: LocalService.fromName('reviews', 'default'), exportName: 'reviews', ports: [ServicePort.http(9080)] });
    west.bind('Reviews', { source: reviews, localName: LocalName.newService('reviews', 'default') });
    app.synthYaml();
  }, 'west/Mesh/Reviews');
  fails('FED402', 'the API server', () => {
    const { west, reviews } = pair();
    west.bind('Api', { source: reviews, localName: LocalName.newService('kubernetes', 'default') });
  }, 'API server');
  fails('FED403', 'what the peer does not allow us, at the end', () => {
    const { app, west, reviews } = pair();
    west.bind('Reviews', { source: reviews, localName: LocalName.newService('reviews', 'default') });
    app.synthYaml();
  }, 'west/Mesh/Reviews', '"east"', '"reviews"', 'allowFrom');
  fails('FED403', 'a port that the peer does not allow us, at the end', () => {
    const { app, west, reviews } = pair();
    reviews.allowFrom(west, { ports: [9080] });
    west.bind('Reviews', {
      source: reviews, localName: LocalName.newService('reviews', 'default'), portMappings: [{ localPort: 80, exportPort: 9080 }, { localPort: 81, exportPort: 9081 }],
    });
    app.synthYaml();
  }, 'port 9081');
  fails('FED404', 'a mapping of a port that is not exported', bind('reviews', [{ localPort: 80, exportPort: 80 }]), '80', '9080, 9081');
  fails('FED404', 'a local port twice', bind('reviews', [{ localPort: 80, exportPort: 9080 }, { localPort: 80, exportPort: 9081 }]), '80');
  fails('FED404', 'a local port that is none', bind('reviews', [{ localPort: 0, exportPort: 9080 }]), '0');
  fails('FED404', 'no mapping', bind('reviews', []), 'empty');
  fails('FED405', 'a workload that runs as default', () => Caller.fromConstruct(object('Deployment', 'default', { template: { spec: {} } })), '"till"', 'of its own');
  fails('FED405', 'what is no workload', () => Caller.fromConstruct(object('ConfigMap', 'default')), 'ConfigMap', 'ServiceAccount');
  fails('FED405', 'a construct without an object', () => Caller.fromConstruct(new Construct(new App(), 'Nothing')), 'no Kubernetes object');
  fails('FED405', 'a workload without a namespace', () => Caller.fromConstruct(object('Deployment', undefined, { template: { spec: { serviceAccountName: 'a' } } })), 'namespace');
  fails('FED406', 'a service that the peer does not expose', () => remote().exposedService('card'), 'Bank', '"card"', 'cards');
  type Change = (binding: RemoteServiceBinding, source: ExposedService) => void;
  const two = (run: Change, existing = true, port: (number: number) => ServicePort = ServicePort.http) => () => {
    const { app, east, west } = pair();
    const source = east.expose('Stock', { service: LocalService.fromName('stock', 'shop'), exportName: 'stock', ports: [port(80)] });
    source.allowFrom(west);
    const localName = existing ? LocalName.existingService('stock', 'shop') : LocalName.newService('stock', 'shop');
    const binding = west.bind('Stock', { source, localName });
    run(binding, source);
    app.synthYaml();
  };
  fails('FED408', 'a namespace of callers for TCP', two((b) => b.allowFrom(Caller.anyInNamespace('shop')), true, ServicePort.tcp), 'west/Mesh/Stock', 'port 80', 'west.example/ns/shop/sa/*');
  fails('FED408', 'a mesh of callers for TLS', two((b) => b.allowFrom(Caller.anyInMesh()), true, ServicePort.tls), 'west.example/*', 'Caller.serviceAccount');
  fails('FED409', 'a negative weight', two((b, source) => b.addSource(source, { weight: -1 })), '-1', 'from 0 on');
  fails('FED409', 'a weight that is no number', two((b) => b.addLocalSource({ weight: NaN })), 'the weight');
  fails('FED409', 'a weight and headers', two((b, source) => b.addSource(source, { weight: 1, whenHeaders: { a: 'b' } })), 'whenHeaders');
  fails('FED409', 'one source twice, at the end', two((b, source) => b.addSource(source)), 'stands twice', 'port 80');
  fails('FED409', 'some with weights, some without, at the end', two((b) => b.addLocalSource({ weight: 3 })), 'some have none');
  fails('FED409', 'weights of nothing, at the end', () => {
    const { app, west, reviews } = pair();
    reviews.allowFrom(west);
    west.bind('R', { source: reviews, localName: LocalName.existingService('r', 'shop'), weight: 0 }).addLocalSource({ weight: 0 });
    app.synthYaml();
  }, 'weight 0', 'port 9080');
  fails('FED409', 'headers for every source, at the end', () => {
    const { app, west, reviews } = pair();
    reviews.allowFrom(west);
    west.bind('R', { source: reviews, localName: LocalName.newService('r', 'shop'), whenHeaders: { 'x-tester': 'yes' } });
    app.synthYaml();
  }, 'nowhere to go', 'addLocalSource');
  fails('FED409', 'the same headers twice, at the end', two((b, source) => {
    b.addSource(source, { whenHeaders: { 'x-a': '1', 'x-b': '2' } });
    b.addLocalSource({ whenHeaders: { 'x-b': '2', 'x-a': '1' } });
  }), 'same headers');
  fails('FED409', 'headers in capitals', two((b) => b.addLocalSource({ whenHeaders: { 'X-Tester': 'yes' } })), '"X-Tester"', 'lower-case');
  fails('FED410', 'headers where there are none, at the end', two((b, source) => b.addSource(source, { whenHeaders: { a: 'b' } }), true, ServicePort.tcp), 'no headers to look at');
  fails('FED410', 'sources that speak differently, at the end', () => {
    const { app, east, west } = pair();
    const [http, tcp] = [ServicePort.http(80), ServicePort.tcp(80)].map((port, index) =>
      east.expose(`Db${index}`, { service: LocalService.fromName(`db${index}`, 'shop'), exportName: `db${index}`, ports: [port] }));
    [http, tcp].forEach((source) => source.allowFrom(west));
    west.bind('Db', { source: http, localName: LocalName.newService('db', 'shop') }).addSource(tcp);
    app.synthYaml();
  }, 'http and tcp', 'port 80');
  fails('FED411', 'pods behind a new name', two((b) => b.addLocalSource(), false), '"stock.shop.svc.cluster.local"', 'existingService');
  fails('FED407', 'a mesh as its own peer', () => {
    const { east } = pair();
    east.addPeer(east);
  }, 'east/Mesh');
  fails('FED407', 'a grant to ourselves', () => {
    const { east, reviews } = pair();
    reviews.allowFrom(east);
  }, 'east/Mesh/Reviews');
  fails('FED407', 'a binding of our own service', () => {
    const { east, reviews } = pair();
    east.bind('Own', { source: reviews, localName: LocalName.newService('other', 'default') });
  }, 'east/Mesh/Own');
});

test('every code is triggered by a test', () => {
  expect([...triggered].sort()).toEqual(Object.keys(ERRORS).sort());
});

test('every code has a section in docs/errors.md, and no section is about a code that is gone', () => {
  const sections = [...readFileSync(join(__dirname, '..', 'docs', 'errors.md'), 'utf8').matchAll(/^## (FED\d{3}): (.+)$/gm)];
  expect(Object.fromEntries(sections.map(([, code, title]) => [code, title]))).toEqual(ERRORS);
});

test('no message shows what was in a file with a key', () => {
  const message = messageOf(() => TrustBundle.fromPem(`${ca.certificate}\n${ca.privateKey}`));
  const lines = ca.privateKey.split('\n').slice(1, -1);
  expect(lines.filter((line) => message.includes(line))).toEqual([]);
});

function remoteOf(scope: Construct, meshName: string, trustDomain: string, trustBundle: TrustBundle): IMeshPeer {
  return new RemoteMesh(scope, meshName, {
    meshName,
    trustDomain,
    trustBundle,
    ingressIdentity: SpiffeId.parse(`spiffe://${trustDomain}/ns/a/sa/in`),
    egressIdentity: SpiffeId.parse(`spiffe://${trustDomain}/ns/a/sa/out`),
  });
}

/** A mesh named east with two peers of these names. */
function meshTwice(first: string, second: string): void {
  const app = new App();
  const east = meshOf(app, 'east');
  east.addPeer(remoteOf(new Construct(app, 'First'), first, 'one.example', trustOf('north')));
  east.addPeer(remoteOf(new Construct(app, 'Second'), second, 'two.example', trustOf('bank')));
}
