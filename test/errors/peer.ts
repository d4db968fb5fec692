import { App, Chart, Duration } from 'cdk8s';
import { Construct } from 'constructs';
import { BoundaryGateway, FederatedMesh, GatewayCredential, IstioVersion, LocalName, RemoteMesh, SpiffeId } from '../../src';
import { meshOf, trustOf } from '../support/meshes';
import { any, bankWith, eastWith, EXISTING_GATEWAY, pair, peerWith, remoteOf } from '../support/pair';
import { rejectFields, Rejection, rejectionsOf, SYNTHESIS } from '../support/rejections';

/** What is rejected: addPeer, and a complete program about its peers. */
export const errors: Rejection[] = [];
const addPeer = rejectionsOf(errors, 'FederatedMesh.addPeer');
const synth = rejectionsOf(errors, SYNTHESIS);

/** Adds two peers with these names to the mesh east. */
const peersNamed = (...meshNames: string[]) => () => {
  const app = new App();
  const east = meshOf(app, 'east');
  const [first, second] = meshNames.map((meshName, index) => remoteOf(new Construct(app, `Peer${index}`), meshName, ['one.example', 'two.example'][index], trustOf(['north', 'bank'][index])));
  east.addPeer(first);
  east.addPeer(second);
};
addPeer.rejects('FED103', 'a peer with our trust domain', () => {
  const app = new App();
  meshOf(app, 'east').addPeer(remoteOf(app, 'partner', 'east.example', trustOf('north')));
}, 'east/Mesh', '"partner"', '"east.example"', 'of its own');
synth.rejects('FED108', 'an allow rule for a mesh that was not added as a peer', () => {
  const { app, reviews } = pair();
  reviews.allowFrom(meshOf(app, 'north'));
  app.synthYaml();
}, 'east/Mesh', 'east/Mesh/Reviews', '"north"', 'addPeer');
synth.rejects('FED108', 'a binding to a mesh that was not added as a peer', () => {
  const { app, reviews } = pair();
  const north = meshOf(app, 'north');
  reviews.allowFrom(north);
  north.bind('Reviews', { source: reviews, localName: LocalName.newService('reviews', 'default') });
  app.synthYaml();
}, 'north/Mesh', '"east"', 'addPeer(…) with the construct east/Mesh');
addPeer.rejects('FED109', 'a peer with an agreement only in the second call', () => {
  const { east, west } = pair();
  east.addPeer(west, { agreementId: 'ISA-1' });
}, 'east/Mesh', '"west"');
for (const options of [{ stripTracing: true }, { removeRequestHeaders: ['x-team'] }, { allowTls12: { reason: 'their appliance ends in 2027' } },
  { limits: { maxConnections: 5 } }, { upstreamLimits: { maxConnections: 5 } }]) {
  addPeer.rejects('FED109', `a peer with ${Object.keys(options)[0]} only in the second call`, () => {
    const { east, west } = pair();
    east.addPeer(west, options);
  }, 'east/Mesh', '"west"');
}
addPeer.rejects('FED109', 'a peer with other upstream limits than in the first call', () => {
  const { app, east } = pair();
  const north = meshOf(app, 'north');
  for (const maxRequests of [5, 6]) east.addPeer(north, { upstreamLimits: { maxRequests } });
}, 'east/Mesh', '"north"');
addPeer.rejects('FED109', 'a peer that only the second call isolates', () => {
  const { east, west } = pair();
  east.addPeer(west, { isolated: { reason: 'a build server was taken over' } });
}, '"west"', 'put all options into one call');
addPeer.rejects('FED110', 'two peers with one name', peersNamed('west', 'west'), 'east/Mesh', '"west"', 'another meshName');
addPeer.rejects('FED110', 'a second boundary of a peer', () => {
  const { app, east, west } = pair();
  east.addPeer(new FederatedMesh(new Chart(app, 'second'), 'Mesh', {
    meshName: 'west', trustDomain: 'west.example', trustBundle: west.trustBundle, namespaceName: 'partners',
  }));
}, 'east/Mesh', '"west"', 'west/Mesh', 'as a RemoteMesh', 'knownAs');
for (const [what, second] of [['the same identities', {}], ['no identities', { ingressIdentity: undefined, egressIdentity: undefined, exposedServices: [] }]] as [string, object][]) {
  addPeer.rejects('FED110', `a second construct of an added peer with ${what}`, () => {
    const { east } = pair();
    east.addPeer(bankWith());
    east.addPeer(bankWith(second));
  }, 'east/Mesh', 'the name "bank" is already used by another peer, Bank → describe a peer once: use the construct Bank');
}
addPeer.rejects('FED110', 'a second construct of a peer with another egress identity', () => {
  const { east } = pair();
  east.addPeer(bankWith());
  east.addPeer(bankWith({ egressIdentity: SpiffeId.parse('spiffe://bank.example/ns/partners/sa/egress') }));
}, 'declare the second boundary of that mesh as a RemoteMesh, with another meshName and with another name for us: knownAs');
addPeer.rejects('FED110', 'a peer with our own name', peersNamed('east', 'other'), '"east"', 'this mesh');
addPeer.rejects('FED120', 'the option isolated without a value', peerWith(any({ isolated: null })), 'east/Mesh', 'isolated is null');
for (const none of [false, '']) {
  addPeer.rejects('FED120', `the option isolated with the value ${JSON.stringify(none)}`, () => eastWith({})().addPeer(meshOf(new App(), 'west'), { isolated: none as never }), 'isolating peer "west"');
}
addPeer.rejects('FED120', 'a string in place of a boolean', () => eastWith({})().addPeer(meshOf(new App(), 'west'), { stripTracing: 'false' as never }), 'stripTracing', 'true or false');
addPeer.rejects('FED114', 'isolation without a sufficient reason', () => eastWith({})().addPeer(meshOf(new App(), 'west'), { isolated: { reason: 'incident' } }),
  'isolating peer "west"', '"incident"');
addPeer.rejects('FED114', 'TLS 1.2 without a sufficient reason', peerWith({ allowTls12: { reason: 'legacy' } }), 'east/Mesh', 'TLS 1.2', '"legacy"');
addPeer.rejects('FED115', 'a date that does not exist', () => {
  const { east, west } = pair();
  east.addPeer(west, { reviewBy: '2027-02-30' });
}, '"2027-02-30"');
/** Adds a peer that is not an instance of one of the library's classes. */
const peerOfAnotherClass = (change: object) => () => {
  const app = new App();
  const { meshName, trustDomain, endpoints, ingressIdentity, egressIdentity, trustBundle } = remoteOf(app, 'bank', 'bank.example', trustOf('bank'));
  meshOf(app, 'east').addPeer(Object.assign(new Construct(app, 'Own'), { meshName, trustDomain, endpoints, ingressIdentity, egressIdentity, trustBundle, ...change }));
};
addPeer.rejects('FED117', 'an IMeshPeer of another class with an identity outside of its trust domain',
  peerOfAnotherClass({ egressIdentity: SpiffeId.parse('spiffe://east.example/ns/a/sa/b') }), 'east/Mesh');
addPeer.rejects('FED101', 'an IMeshPeer of another class with a mesh name that is not a label', peerOfAnotherClass({ meshName: 'Bank' }), 'east/Mesh', '"Bank"');
addPeer.rejects('FED102', 'an IMeshPeer of another class with the trust domain cluster.local', peerOfAnotherClass({ trustDomain: 'cluster.local' }), 'east/Mesh');
addPeer.rejects('FED120', 'an object with the properties of a mesh that is not a construct', () => {
  const { meshName, trustDomain, endpoints, trustBundle } = bankWith();
  pair().east.addPeer(any({ meshName, trustDomain, endpoints, trustBundle }));
}, 'east/Mesh', 'must be a mesh', '"bank"');
addPeer.rejects('FED120', 'an IMeshPeer of another class without a trust bundle', peerOfAnotherClass({ trustBundle: undefined }), 'east/Mesh', 'must be a mesh');
addPeer.rejects('FED120', 'an IMeshPeer of another class with an object in place of a trust bundle', peerOfAnotherClass({ trustBundle: {} }),
  'east/Mesh', 'the trustBundle of peer "bank"', 'TrustBundle, not {}');
for (const identity of ['ingressIdentity', 'egressIdentity']) {
  addPeer.rejects('FED120', `an IMeshPeer of another class with a string in place of its ${identity}`, peerOfAnotherClass({ [identity]: 'spiffe://bank.example/a' }),
    'east/Mesh', `the ${identity} of peer "bank"`, 'SpiffeId');
}
addPeer.rejects('FED119', 'two peers with one CA', () => {
  const { app, east } = pair();
  east.addPeer(new RemoteMesh(app, 'North', {
    meshName: 'north',
    trustDomain: 'north.example',
    trustBundle: trustOf('west'),
    ingressIdentity: SpiffeId.parse('spiffe://north.example/ns/a/sa/in'),
    egressIdentity: SpiffeId.parse('spiffe://north.example/ns/a/sa/out'),
  }));
}, '"north"', '"west"', 'root of its own');
addPeer.rejects('FED119', 'two peers with one CA, each at another boundary', () => {
  const { app, east } = pair();
  const second = new FederatedMesh(new Chart(app, 'second'), 'Mesh', {
    meshName: 'east', trustDomain: 'east.example', trustBundle: east.trustBundle, namespaceName: 'partners',
  });
  second.addPeer(remoteOf(app, 'north', 'north.example', trustOf('west')));
}, 'second/Mesh', '"west"');
addPeer.rejects('FED119', 'a peer with our own CA', () => {
  const app = new App();
  meshOf(app, 'east').addPeer(meshOf(app, 'west', { trustBundle: trustOf('east') }));
}, '"west"', 'our own');
addPeer.rejects('FED119', 'two peers with one trust domain and two CAs', () => {
  const { app, east } = pair();
  east.addPeer(remoteOf(app, 'partner', 'west.example', trustOf('north')));
}, '"partner"', 'another CA');
addPeer.rejects('FED120', 'a string in place of a peer', () => pair().east.addPeer(any('west')), 'east/Mesh', '"west"', 'RemoteMesh');
addPeer.rejects('FED120', 'undefined in place of a peer', () => pair().east.addPeer(any(undefined)), 'undefined');
addPeer.rejects('FED120', 'limits with a field of upstreamLimits', peerWith({ limits: any({ maxRequests: 5 }) }), '"maxRequests"', 'requestsPerSecond');
addPeer.rejects('FED120', 'a number in place of limits', peerWith(any({ limits: 5 })), 'limits', 'must be an object, not 5');
addPeer.rejects('FED120', 'a number in place of a maximum connection duration', peerWith({ limits: { maxConnectionDuration: any(60) } }), 'maxConnectionDuration', '60', 'Duration');
addPeer.rejects('FED120', 'one header in place of a list', peerWith(any({ removeRequestHeaders: 'x-team' })), 'removeRequestHeaders', '"x-team"');
addPeer.rejects('FED120', 'peer options with the unknown field stripTraces', peerWith(any({ stripTraces: true })), '"stripTraces"', 'stripTracing');
addPeer.rejects('FED124', 'an empty list of headers to remove', peerWith({ removeRequestHeaders: [] }), 'removeRequestHeaders', 'empty list');
addPeer.rejects('FED124', 'a header with capital letters', peerWith({ removeRequestHeaders: ['X-Team'] }), '"X-Team"', 'lower-case');
addPeer.rejects('FED124', 'a header name followed by other text', peerWith({ removeRequestHeaders: ['x-team id'] }), '"x-team id"', 'lower-case');
addPeer.rejects('FED124', 'the removal of a pseudo-header', peerWith({ removeRequestHeaders: [':path'] }), '":path"');
addPeer.rejects('FED124', 'a wildcard in a header name', peerWith({ removeRequestHeaders: ['x-team-*'] }), '"x-team-*"', 'by its full name');
addPeer.rejects('FED124', 'the removal of the header host', peerWith({ removeRequestHeaders: ['host'] }), '"host"', 'HTTP, gRPC or WebSocket');
addPeer.rejects('FED124', 'the removal of a header that gRPC needs', peerWith({ removeRequestHeaders: ['te'] }), '"te"', 'HTTP, gRPC or WebSocket');
addPeer.rejects('FED124', 'the removal of a header that never leaves the mesh', peerWith({ removeRequestHeaders: ['x-real-ip'] }), '"x-real-ip"', 'never leaves');
for (const field of ['agreementId', 'contact', 'purpose', 'owner', 'approvedBy', 'ticket']) {
  addPeer.rejects('FED120', `a number in place of a text for ${field}`, peerWith(any({ [field]: 5 })), 'east/Mesh', `${field} must be a string, not 5`);
}
addPeer.rejects('FED120', 'a number in a list of data categories', peerWith(any({ dataCategories: ['card', 1] })), 'a category in dataCategories must be a string, not 1');
addPeer.rejects('FED115', 'a list in place of a date', peerWith(any({ reviewBy: ['2027-01-01'] })), '["2027-01-01"]', 'YYYY-MM-DD');
for (const field of ['approvedBy', 'ticket']) {
  addPeer.rejects('FED120', `an object in place of a text for ${field} of a justification`, peerWith(any({ allowTls12: { reason: 'leased line, old hardware', [field]: {} } })),
    `${field} must be a string, not {}`);
}
addPeer.rejects('FED124', 'null in place of a header name', peerWith(any({ removeRequestHeaders: [null] })), 'null');
const older = { istioVersion: IstioVersion.V1_29 };
addPeer.rejects('FED125', 'limits with an Istio version that does not support them', () => meshOf(new App(), 'east', older).addPeer(meshOf(new App(), 'west'), { limits: { maxConnections: 1 } }),
  'limits', '1.29');
addPeer.rejects('FED126', 'limits without a field', peerWith({ limits: {} }), 'limits has no field');
addPeer.rejects('FED126', 'a limit of zero connections', peerWith({ limits: { maxConnections: 0 } }), 'maxConnections is 0', 'whole number');
addPeer.rejects('FED126', 'a limit of half a request', peerWith({ limits: { requestsPerSecond: 0.5 } }), 'requestsPerSecond is 0.5');
addPeer.rejects('FED126', 'a limit that exceeds the counter of the proxy', peerWith({ limits: { maxConnections: 2 ** 32 } }), '4294967296');
addPeer.rejects('FED126', 'a string in place of a limit', peerWith({ limits: { maxConnections: any('5') } }), 'maxConnections is "5"');
addPeer.rejects('FED126', 'a maximum connection duration of zero', peerWith({ limits: { maxConnectionDuration: Duration.millis(0) } }), '0 ms');
addPeer.rejects('FED126', 'upstream limits without a field', peerWith({ upstreamLimits: {} }), 'east/Mesh', 'upstreamLimits has no field', 'omit upstreamLimits');
for (const [shown, value] of [['0', 0], ['1.5', 1.5], ['2147483648', 2 ** 31], ['"5"', any('5')]]) {
  for (const name of ['maxConnections', 'maxRequests']) {
    addPeer.rejects('FED126', `an upstream limit ${name} of ${shown}`, peerWith({ upstreamLimits: { [name]: value } }), `${name} is ${shown} `,
      'a whole number from 1 to 2147483647', 'omit it for the default');
  }
}
addPeer.rejects('FED128', 'stripTracing at an existing gateway', () => eastWith({ ingressGateway: BoundaryGateway.fromExisting(EXISTING_GATEWAY) })()
  .addPeer(meshOf(new App(), 'west'), { stripTracing: true }), 'east/Mesh', 'stripTracing', '"west"');
addPeer.rejects('FED103', 'a peer with the trust domain of our workloads', () => eastWith({
  trustDomain: 'boundary.east.example', workloadTrustDomain: 'west.example', credential: GatewayCredential.fromCertManager({ issuerName: 'ca' }),
})().addPeer(meshOf(new App(), 'west')), '"west.example"');
const withTrustConfigMap = (name: string) => () => {
  const east = meshOf(new App(), 'east');
  east.addPeer(bankWith(), { trustConfigMapName: 'bank-roots' });
  east.addPeer(meshOf(new App(), 'west'), { trustConfigMapName: name });
};
addPeer.rejects('FED111', 'a trust ConfigMap with capital letters', withTrustConfigMap('West_Roots'), '"West_Roots"', 'ConfigMap');
addPeer.rejects('FED134', 'a trust ConfigMap that the library writes', withTrustConfigMap('fed-out-trust'), '"fed-out-trust"', 'the library writes');
for (const name of ['kube-root-ca.crt', 'istio-ca-root-cert', 'istio-ca-crl']) {
  addPeer.rejects('FED134', `the ConfigMap ${name}, which every namespace has, as trust of a peer`, withTrustConfigMap(name), JSON.stringify(name), 'our own cluster');
}
addPeer.rejects('FED134', 'one trust ConfigMap for two peers', withTrustConfigMap('bank-roots'), '"bank-roots"', 'peer "bank"', 'one ConfigMap for each peer');
addPeer.rejects('FED407', 'a mesh as its own peer', () => {
  const { east } = pair();
  east.addPeer(east);
}, 'east/Mesh');

/* Objects of fields. */
const because = 'agreed with the security team';
rejectFields(addPeer, 'peer options', (value) => peerWith(value), { isolate: { reason: because } }, 'isolate', 'isolated');
rejectFields(addPeer, 'a reason for isolation', (value) => peerWith({ isolated: value }), { reason: because, tickets: 'INC-1' }, 'tickets', 'ticket');
rejectFields(addPeer, 'a reason for TLS 1.2', (value) => peerWith({ allowTls12: value }), { reason: because, until: '2027-01-01' }, 'until', 'ticket');
rejectFields(addPeer, 'limits', (value) => peerWith({ limits: value }), { maxConnection: 1 }, 'maxConnection', 'maxConnections');
rejectFields(addPeer, 'upstream limits', (value) => peerWith({ upstreamLimits: value }), { requestsPerSecond: 1 }, 'requestsPerSecond', 'maxConnections, maxRequests');

for (const name of ['fed-in-trust-east', 'fed-in-trust', 'fed-out-trust-bank']) {
  addPeer.rejects('FED134', `the trust ConfigMap ${name}, whose name the library reserves`, withTrustConfigMap(name));
}
addPeer.rejects('FED143', 'a contact of more than 4096 bytes', peerWith({ contact: `mailto:${'x'.repeat(4096)}` }), 'contact has 4103 bytes');
addPeer.rejects('FED143', 'a ticket that kubectl reads as a number', peerWith({ ticket: '0o17' }), 'ticket is "0o17"', 'number');
addPeer.rejects('FED143', 'an owner with half of a character', peerWith({ owner: 'team \ud83d' }), 'owner has the character U+D83D, an unpaired surrogate');
addPeer.rejects('FED120', 'a number as purpose', peerWith(any({ purpose: 5 })), 'purpose must be a string, not 5');
addPeer.rejects('FED120', 'an object as owner', peerWith(any({ owner: { a: 1 } })), 'owner must be a string, not {"a":1}');
addPeer.rejects('FED120', 'undefined as a category of data', peerWith(any({ dataCategories: [undefined] })), 'a category in dataCategories is undefined');
addPeer.rejects('FED126', 'a connection of 200,000 days', peerWith({ limits: { maxConnectionDuration: Duration.days(200_000) } }), 'maxConnectionDuration', '292 years');
addPeer.rejects('FED124', 'the name of a header that Envoy rejects', peerWith({ removeRequestHeaders: ['x'.repeat(16385)] }), 'removeRequestHeaders');
addPeer.rejects('FED105', 'a peer whose endpoint is a Service in the namespace of our boundary', () => {
  meshOf(new App(), 'east', { namespaceName: 'dmz' }).addPeer(bankWith({ endpoints: [{ address: 'federation-ingress.dmz' }] }));
}, 'east/Mesh', 'federation-ingress.dmz');
addPeer.rejects('FED105', 'a peer whose endpoint is in the domain of our cluster', () => {
  const app = new App();
  meshOf(app, 'east', { clusterDomain: 'k8s.east.example' }).addPeer(bankWith({ endpoints: [{ address: 'bank.k8s.east.example' }] }));
}, 'east/Mesh', 'bank.k8s.east.example');
