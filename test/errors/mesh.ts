import { App, Chart, Duration, Testing } from 'cdk8s';
import {
  BoundaryGateway, Caller, DedicatedGatewayOptions, FederatedMesh, FederatedMeshProps, GatewayCredential, GatewayEndpoint, GatewayServiceType,
  HttpRule, IstioVersion, LocalName, LocalService, NetworkDestination, ServicePort,
} from '../../src';
import { meshOf, trustOf } from '../support/meshes';
import { any, bankWith, eastWith, EXISTING_GATEWAY, pair } from '../support/pair';
import { rejectFields, Rejection, rejectionsOf, SYNTHESIS } from '../support/rejections';

/** What is rejected: the declaration of a mesh, and a complete mesh. */
export const errors: Rejection[] = [];
const newMesh = rejectionsOf(errors, 'new FederatedMesh');
const synth = rejectionsOf(errors, SYNTHESIS);

const endpoint = (...addresses: (string | GatewayEndpoint)[]) => eastWith({
  endpoints: addresses.map((address) => typeof address === 'string' ? { address } : address),
});
newMesh.rejects('FED101', 'a mesh name with a capital letter', eastWith({ meshName: 'East' }), 'east/Mesh', '"East"', 'lower-case');
newMesh.rejects('FED101', 'a mesh name with a dot', eastWith({ meshName: 'east.example' }), '"east.example"');
newMesh.rejects('FED101', 'an empty mesh name', eastWith({ meshName: '' }), '""');
newMesh.rejects('FED101', 'the mesh name egress, which is reserved for listener names', eastWith({ meshName: 'egress' }), '"egress"', 'another name');
newMesh.rejects('FED102', 'the trust domain cluster.local', eastWith({ trustDomain: 'cluster.local' }), 'cluster.local', 'meshConfig.trustDomain');
newMesh.rejects('FED102', 'a trust domain with a scheme', eastWith({ trustDomain: 'spiffe://east.example' }), '"spiffe://east.example"');
newMesh.rejects('FED102', 'a trust domain of more than 150 characters', eastWith({ trustDomain: `${'a'.repeat(60)}.${'b'.repeat(60)}.${'c'.repeat(60)}` }), '150');
newMesh.rejects('FED103', 'two meshes with one trust domain', () => {
  const app = new App();
  meshOf(app, 'east');
  meshOf(app, 'west', { trustDomain: 'east.example' });
}, 'west/Mesh', '"east"', '"east.example"', 'of its own');
newMesh.rejects('FED104', 'an endpoint with a scheme', endpoint('https://federation.east.example'), 'https://federation.east.example', 'without a scheme');
newMesh.rejects('FED104', 'an endpoint with a port in it', endpoint('federation.east.example:443'), 'port: …');
newMesh.rejects('FED104', 'an IPv6 endpoint with a port in it', endpoint('[2001:db8::1]:443'), 'port: …');
newMesh.rejects('FED104', 'an IPv6 endpoint in brackets', endpoint('[2001:db8::1]'), '"[2001:db8::1]"', 'without brackets');
newMesh.rejects('FED104', 'an endpoint with three of the four numbers of an address', endpoint('203.0.113'), '"203.0.113"');
newMesh.rejects('FED104', 'an endpoint in capital letters', endpoint('Federation.east.example'), 'lower case');
newMesh.rejects('FED104', 'an address with a zone', endpoint('fe80::1%eth0'), 'eth0');
newMesh.rejects('FED104', 'a wildcard endpoint', endpoint('*.east.example'), '"*.east.example"');
newMesh.rejects('FED104', 'a port that does not exist', endpoint({ address: 'federation.east.example', port: 70000 }), '70000', '65535');
newMesh.rejects('FED104', 'more endpoints than a ServiceEntry takes', endpoint(...Array.from({ length: 4097 }, (_, index) => `f${index}.east.example`)), '4097 entries', '4096', 'load balancers');
newMesh.rejects('FED104', 'an endpoint that is listed twice', endpoint('a.example', { address: 'a.example', port: 15443 }), '"a.example"');
for (const address of ['10.1.2.3', '172.16.0.1', '192.168.1.1', '127.0.0.1', '169.254.1.1', '100.64.0.1', '::1', 'fd00::1', 'fe80::1',
  '::ffff:10.1.2.3', '224.0.0.1', '255.255.255.255', 'fec0::1', 'ff02::1', 'nas.lan', 'localhost', 'ingress', 'federation-ingress.istio-federation.svc', 'a.svc.cluster.local', 'db.internal']) {
  newMesh.rejects('FED105', `the private address ${address}`, endpoint(address), address, 'privateAddress');
}
newMesh.rejects('FED106', 'endpoints that mix DNS names and IP addresses', endpoint('federation.east.example', '203.0.113.1'), '203.0.113.1', 'only DNS names or only IP');
synth.rejects('FED107', 'an export of a mesh without an endpoint', () => {
  const mesh = meshOf(new App(), 'east', { endpoints: undefined });
  mesh.expose('Reviews', { service: LocalService.fromName('reviews', 'default'), exportName: 'reviews', ports: [ServicePort.http(1)] });
  mesh.node.root.node.children.forEach((chart) => Testing.synth(chart as Chart));
}, 'east/Mesh', '"reviews"', 'endpoints: [');
newMesh.rejects('FED111', 'a revision that is not a valid label', eastWith({ revision: 'r'.repeat(64) }), 'revision');
for (const label of ['pod-security.kubernetes.io/enforce', 'kubernetes.io/metadata.name', 'app.kubernetes.io/part-of', 'topology.k8s.io/zone', 'istio-injection',
  'istio.io/rev', 'istio.io/dataplane-mode', 'topology.istio.io/network']) {
  newMesh.rejects('FED152', `the namespace label ${label}, which has a meaning of its own`, eastWith({ namespaceLabels: { [label]: 'x' } }), 'east/Mesh', `"${label}" is reserved`, 'of your own');
}
newMesh.rejects('FED152', 'a namespace label with a space', eastWith({ namespaceLabels: { 'istio discovery': 'enabled' } }), '"istio discovery": "enabled"', 'letters, digits');
newMesh.rejects('FED152', 'a namespace label with an empty name', eastWith({ namespaceLabels: { '': 'enabled' } }), '"": "enabled"');
newMesh.rejects('FED152', 'a namespace label with a boolean', eastWith({ namespaceLabels: { discovery: true as never } }), '"discovery": true');
newMesh.rejects('FED152', 'a label of a namespace that is not emitted', eastWith({ namespaceLabels: { discovery: 'on' }, createNamespace: false }), 'east/Mesh', 'createNamespace is false', 'where it is created');
newMesh.rejects('FED152', 'no label of a namespace that is not emitted', eastWith({ namespaceLabels: {}, createNamespace: false }), 'has no effect');
newMesh.rejects('FED120', 'a list in place of namespace labels', eastWith({ namespaceLabels: ['discovery'] as never }), 'namespaceLabels must be a map', '"istio-discovery"');
newMesh.rejects('FED111', 'a namespace with an underscore', eastWith({ namespaceName: 'istio_federation' }), '"istio_federation"');
newMesh.rejects('FED111', 'a cluster domain that is not a valid domain', eastWith({ clusterDomain: 'cluster local' }), '"cluster local"');
newMesh.rejects('FED112', 'two meshes in one chart', () => {
  const chart = new Chart(new App(), 'both');
  [['east', 'A'], ['west', 'B']].map(([meshName, id]) => new FederatedMesh(chart, id, { meshName, trustDomain: `${meshName}.example`, trustBundle: trustOf(meshName) }));
}, 'both/B', '"both"', '"east"', 'a chart of its own');
newMesh.rejects('FED112', 'a mesh outside of any chart', () => new FederatedMesh(new App(), 'Mesh', {
  meshName: 'east', trustDomain: 'east.example', trustBundle: trustOf('east'),
}), 'in a Chart');
newMesh.rejects('FED113', 'two boundaries in one namespace', () => {
  const app = new App();
  meshOf(app, 'east');
  new FederatedMesh(new Chart(app, 'again'), 'Mesh', { meshName: 'east', trustDomain: 'east.example', trustBundle: trustOf('east') });
}, 'again/Mesh', '"istio-federation"', 'namespaceName', 'a mesh of several clusters', 'apply the chart of one FederatedMesh to each cluster');
newMesh.rejects('FED113', 'two boundaries that share the namespace of one gateway', () => {
  const app = new App();
  meshOf(app, 'east', { egressGateway: BoundaryGateway.dedicated({ namespaceName: 'dmz' }) });
  new FederatedMesh(new Chart(app, 'again'), 'Mesh', { meshName: 'east', trustDomain: 'east.example', trustBundle: trustOf('east'), namespaceName: 'dmz' });
}, 'again/Mesh', '"dmz"', 'no other boundary');
newMesh.rejects('FED114', 'a reason of fewer than ten characters', eastWith({ withoutAdmissionPolicy: { reason: 'because' } }), '"because"', 'ten characters');
newMesh.rejects('FED120', 'a string in place of a boolean', eastWith({ connectAfterHandshake: 'false' as never }), 'connectAfterHandshake must be a boolean, not "false"');
newMesh.rejects('FED120', 'an object of options in place of a gateway', eastWith({ ingressGateway: { sourceRanges: ['10.0.0.0/8'] } as never }), 'ingressGateway', 'must be of type BoundaryGateway');
newMesh.rejects('FED114', 'headers with underscores without a sufficient reason', eastWith({ allowHeadersWithUnderscores: { reason: 'gRPC' } }), 'east/Mesh',
  'allowing headers with underscores', '"gRPC"', 'ten characters');
newMesh.rejects('FED114', 'a private address with a blank reason', endpoint({ address: '10.1.2.3', privateAddress: { reason: ' '.repeat(20) } }), '10.1.2.3');
const forClients: DedicatedGatewayOptions = {
  serviceType: GatewayServiceType.LOAD_BALANCER,
  serviceAnnotations: { 'example.com/pool': 'edge' },
  loadBalancerClass: 'service.k8s.aws/nlb',
  sourceRanges: ['203.0.113.0/28'],
  proxyProtocol: true,
  preserveClientAddress: false,
  dualStack: true,
};
for (const [option, value] of Object.entries(forClients)) {
  newMesh.rejects('FED116', `an egress gateway with ${option}`, eastWith({ egressGateway: BoundaryGateway.dedicated({ [option]: value }) }),
    'east/Mesh', `egressGateway has ${option} `, 'only callers inside the mesh', 'ingressGateway');
}
newMesh.rejects('FED116', 'an egress gateway with healthCheckSourceRanges', eastWith({
  egressGateway: BoundaryGateway.dedicated({ healthCheckSourceRanges: ['10.0.0.0/20'], sourceRanges: ['203.0.113.0/28'] }),
}), 'only callers inside the mesh');
newMesh.rejects('FED120', 'a port in place of a list of destinations', eastWith({ infrastructure: 6443 as never }), 'infrastructure must be a list');
for (const ranges of [['0.0.0.0/1', '128.0.0.0/1'], ['2800::/5', '2000::/5', '3000::/4'], ['192.0.0.0/2', '0.0.0.0/1', '0.0.0.0/1', '64.0.0.0/2', '128.0.0.0/2']]) {
  newMesh.rejects('FED150', `the ranges ${ranges.join(' and ')} on one port`, eastWith({
    infrastructure: ranges.map((range, index) => NetworkDestination.addresses(range, [443, 6443 + index])),
  }), 'east/Mesh', JSON.stringify(ranges), 'on port 443 together have every public address');
}
newMesh.rejects('FED150', 'the ranges of all addresses but the private ones', eastWith({
  infrastructure: [
    '0.0.0.0/5', '8.0.0.0/7', '11.0.0.0/8', '12.0.0.0/6', '16.0.0.0/4', '32.0.0.0/3', '64.0.0.0/2', '128.0.0.0/3', '160.0.0.0/5', '168.0.0.0/6', '172.0.0.0/12', '172.32.0.0/11',
    '172.64.0.0/10', '172.128.0.0/9', '173.0.0.0/8', '174.0.0.0/7', '176.0.0.0/4', '192.0.0.0/9', '192.128.0.0/11', '192.160.0.0/13', '192.169.0.0/16', '192.170.0.0/15',
    '192.172.0.0/14', '192.176.0.0/12', '192.192.0.0/10', '193.0.0.0/8', '194.0.0.0/7', '196.0.0.0/6', '200.0.0.0/5', '208.0.0.0/4',
  ].map((range) => NetworkDestination.addresses(range, [443])),
}), 'on port 443 together have every public address');
newMesh.rejects('FED120', 'a port in place of a destination', eastWith({ infrastructure: [6443] as never }), 'NetworkDestination', '6443');
newMesh.rejects('FED151', 'an idle timeout of the network that keep-alive probes cannot keep up with', eastWith({ networkIdleTimeout: Duration.seconds(9) }), 'networkIdleTimeout is 9 s', '10 s');
newMesh.rejects('FED151', 'an idle timeout of the network of more than two hours', eastWith({ networkIdleTimeout: Duration.seconds(7201) }), '7201 s', '7200 s');
newMesh.rejects('FED151', 'an idle timeout of the network of no time', eastWith({ networkIdleTimeout: Duration.seconds(0) }), 'networkIdleTimeout is 0 ms');
newMesh.rejects('FED120', 'a number in place of an idle timeout of the network', eastWith({ networkIdleTimeout: 240 as never }), 'networkIdleTimeout', 'Duration', '240');
/** A second boundary of east, in the namespace apps, after this call for the first one. */
const afterwards = (declare: (made: ReturnType<typeof pair>) => unknown, props: Partial<FederatedMeshProps> = { namespaceName: 'apps' }) => () => {
  const made = pair();
  declare(made);
  const { east } = made;
  new FederatedMesh(new Chart(made.app, 'second'), 'Mesh', {
    meshName: 'east', trustDomain: 'east.example', trustBundle: east.trustBundle, namespaceName: 'partners', ...props,
  });
};
const exported = ({ east }: ReturnType<typeof pair>) => east.expose('Shop', { service: LocalService.fromName('shop', 'apps'), exportName: 'shop', ports: [ServicePort.http(80)] });
const bound = (namespaceName: string) => ({ east }: ReturnType<typeof pair>) =>
  east.bind('Cards', { source: bankWith({ knownAs: 'east' }).exposedService('cards'), localName: LocalName.newService('cards', namespaceName) });
newMesh.rejects('FED118', 'a boundary in the namespace of an exported service', afterwards(exported), 'second/Mesh', '"apps"', 'the service of east/Mesh/Shop');
newMesh.rejects('FED118', 'a gateway in the namespace of an exported service', afterwards(exported, { egressGateway: BoundaryGateway.dedicated({ namespaceName: 'apps' }) }),
  'second/Mesh', '"apps"', 'east/Mesh/Shop');
newMesh.rejects('FED118', 'a boundary in the namespace of a local name', afterwards(bound('apps')), 'second/Mesh', '"apps"', 'east/Mesh/Cards');
newMesh.rejects('FED118', 'a boundary in the namespace of a caller', afterwards((made) => bound('web')(made).allowFrom(Caller.serviceAccount('page', 'apps'))),
  'second/Mesh', '"apps"', 'a caller of east/Mesh/Cards');
newMesh.rejects('FED118', 'a boundary in the namespace of a local caller of a locked workload', afterwards(({ reviews }) => reviews.lockWorkload({
  reason: 'listed callers only', podLabels: { app: 'reviews' }, localCallers: [Caller.serviceAccount('scraper', 'apps')],
})), 'second/Mesh', '"apps"', 'a local caller of east/Mesh/Reviews');
newMesh.rejects('FED118', 'an existing gateway in the namespace of an exported service', afterwards(exported, {
  ingressGateway: BoundaryGateway.fromExisting({ ...EXISTING_GATEWAY, namespaceName: 'apps' }),
}), 'second/Mesh', '"apps"', 'this existing gateway cannot be used');
newMesh.rejects('FED118', 'a boundary in a restricted namespace', afterwards(({ east }) => east.restrictNamespace('apps', { reason: 'money leaves through the boundary only' })),
  'second/Mesh', '"apps"', 'restrictNamespace');
for (const namespaceName of ['default', 'kube-system']) {
  newMesh.rejects('FED118', `a boundary in ${namespaceName}`, eastWith({ namespaceName }), 'of its own');
}
const ownGateway = (namespaceName: string) => eastWith({ egressGateway: BoundaryGateway.dedicated({ namespaceName }) });
newMesh.rejects('FED118', 'an egress gateway in the root namespace', ownGateway('istio-system'), 'east/Mesh', 'the egress gateway', 'root namespace');
newMesh.rejects('FED118', 'an egress gateway in the namespace default', ownGateway('default'), '"default"');
newMesh.rejects('FED118', 'a boundary in the root namespace', eastWith({ namespaceName: 'istio-system' }), 'east/Mesh', 'root namespace');
const withField = (name: string, value: unknown) => eastWith({ [name]: value });
newMesh.rejects('FED120', 'a file name in place of a trust bundle', withField('trustBundle', 'east.pem'), 'trustBundle', '"east.pem"', 'TrustBundle');
newMesh.rejects('FED120', 'a mesh without a trust bundle', withField('trustBundle', undefined), 'undefined');
newMesh.rejects('FED120', 'one endpoint in place of a list', withField('endpoints', { address: 'a.example' }), 'endpoints', 'list');
for (const istioVersion of [IstioVersion.V1_28, IstioVersion.V1_29, IstioVersion.V1_30]) {
  newMesh.rejects('FED125', `connectAfterHandshake with Istio ${istioVersion.minor}`, eastWith({ istioVersion, connectAfterHandshake: true }),
    'connectAfterHandshake', istioVersion.minor, 'run Istio 1.31 or 1.32');
}
newMesh.rejects('FED120', 'an object of valid options in place of a gateway', withField('ingressGateway', { sourceRanges: ['203.0.113.0/28'] }), 'ingressGateway', 'must be of type BoundaryGateway');
newMesh.rejects('FED114', 'a reason that is a number', eastWith({ withoutAdmissionPolicy: any({ reason: 12345678901 }) }), '12345678901', 'ten characters');
for (const name of ['', ' ', 'otel\n', 'otel\u0000', '\ud83d', 5]) {
  newMesh.rejects('FED111', `${JSON.stringify(name)} as access log provider`, withField('accessLogProvider', name), JSON.stringify(name), 'meshConfig.extensionProviders');
}
newMesh.rejects('FED120', 'the name of a Secret in place of a credential', eastWith({ credential: 'partner' as unknown as GatewayCredential }), 'credential', '"partner"');
newMesh.rejects('FED113', 'two boundaries at one existing gateway', () => {
  const app = new App();
  const ingressGateway = BoundaryGateway.fromExisting(EXISTING_GATEWAY);
  meshOf(app, 'east', { ingressGateway });
  new FederatedMesh(new Chart(app, 'again'), 'Mesh', {
    meshName: 'east', trustDomain: 'east.example', trustBundle: trustOf('east'), namespaceName: 'partner-federation', ingressGateway,
  });
}, 'again/Mesh', '"istio-ingress"');
for (const namespaceName of ['istio-system', 'kube-system', 'default']) {
  newMesh.rejects('FED118', `an existing gateway in ${namespaceName}`, eastWith({ ingressGateway: BoundaryGateway.fromExisting({ ...EXISTING_GATEWAY, namespaceName }) }),
    'the existing ingress gateway "shared"', `"${namespaceName}"`, 'cannot be used');
}
newMesh.rejects('FED127', 'an existing egress gateway', eastWith({ egressGateway: BoundaryGateway.fromExisting(EXISTING_GATEWAY) }), 'east/Mesh', '"shared"', 'dedicated');
newMesh.rejects('FED127', 'one existing gateway for both directions', eastWith({
  ingressGateway: BoundaryGateway.fromExisting(EXISTING_GATEWAY), egressGateway: BoundaryGateway.fromExisting(EXISTING_GATEWAY),
}), 'egressGateway');
newMesh.rejects('FED127', 'an existing gateway in the namespace of our dedicated gateway', eastWith({
  ingressGateway: BoundaryGateway.fromExisting(EXISTING_GATEWAY), egressGateway: BoundaryGateway.dedicated({ namespaceName: 'istio-ingress' }),
}), '"istio-ingress"', 'network policies');
newMesh.rejects('FED127', 'an existing gateway in the namespace of the boundary', eastWith({ ingressGateway: BoundaryGateway.fromExisting(EXISTING_GATEWAY), namespaceName: 'istio-ingress' }),
  '"istio-ingress"', 'another namespace');
const elsewhere = (props: Partial<FederatedMeshProps>) => eastWith({ workloadTrustDomain: 'cluster.local', ...props });
newMesh.rejects('FED133', 'workloads of cluster.local behind gateways without a credential', elsewhere({}), 'ingress gateway', '"cluster.local"', '"east.example"');
newMesh.rejects('FED133', 'workloads of cluster.local behind one gateway without a credential', elsewhere({ ingressGateway: BoundaryGateway.dedicated({ credential: GatewayCredential.fromSecret('a') }) }),
  'egress gateway');
newMesh.rejects('FED133', 'two boundaries of one mesh with workloads of two trust domains', () => {
  const app = new App();
  const boundary = (namespaceName: string, props: Partial<FederatedMeshProps>) => new FederatedMesh(new Chart(app, namespaceName), 'Mesh', {
    meshName: 'east', trustDomain: 'boundary.east.example', trustBundle: trustOf('east'), namespaceName, credential: GatewayCredential.fromCertManager({ issuerName: 'ca' }), ...props,
  });
  boundary('first', { workloadTrustDomain: 'cluster.local' });
  boundary('second', {});
}, 'second/Mesh', '"boundary.east.example"', '"cluster.local"', 'same workloadTrustDomain');
newMesh.rejects('FED102', 'a workload trust domain that is not a valid domain', eastWith({ workloadTrustDomain: 'East' }), '"East"');
synth.rejects('FED135', 'more rules than one object can hold', () => {
  const app = new App();
  const east = meshOf(app, 'east');
  const west = meshOf(app, 'west');
  east.addPeer(west);
  const ports = Array.from({ length: 60 }, (_, index) => ServicePort.http(8000 + index));
  const paths = Array.from({ length: 700 }, (_, index) => `/orders/${index}/items`);
  east.expose('Orders', { service: LocalService.fromName('orders', 'shop'), exportName: 'orders', ports }).allowFrom(west, { http: [HttpRule.allow({ paths })] });
  app.synthYaml();
}, 'east/Mesh', 'EnvoyFilter istio-federation/fed-in-edge', 'bytes', 'a second boundary');
synth.rejects('FED135', 'more bound hosts than the admission policy can hold', () => {
  const app = new App();
  const [east, west] = [meshOf(app, 'east'), meshOf(app, 'west')];
  east.addPeer(west);
  west.addPeer(east);
  const source = east.expose('Orders', { service: LocalService.fromName('orders', 'shop'), exportName: 'orders', ports: [ServicePort.http(8000)] });
  source.allowFrom(west);
  for (let part = 0; part < 63; part++) {
    const additionalHosts = Array.from({ length: 256 }, (_, index) => `${`orders-${part}-${index}`.padEnd(63, 'x')}.partner.example`);
    west.bind(`Orders${part}`, { source, localName: LocalName.newService(`orders-${part}`, 'shop'), additionalHosts });
  }
  app.synthYaml();
}, 'the ValidatingAdmissionPolicy istio-federation-boundary has', 'bytes', 'their bindings to a second boundary', 'shorter lists');
synth.rejects('FED143', 'texts of several calls that are too long for the annotations of one object', () => {
  const { app, reviews, west } = pair();
  for (let index = 0; index < 61; index++) reviews.allowFrom(west, { ports: [9080], purpose: `${index}${'x'.repeat(4090)}` });
  app.synthYaml();
}, 'east/Mesh', 'the annotations of the VirtualService istio-federation/fed-in-reviews-9080-west have', '245760', '256 KiB');
synth.rejects('FED143', 'a text that kubectl reads as a number', () => {
  const app = new App();
  meshOf(app, 'east', { ingressGateway: BoundaryGateway.dedicated({ nodeSelector: { revision: '0o17' } }) })
    .expose('Reviews', { service: LocalService.fromName('reviews', 'default'), exportName: 'reviews', ports: [ServicePort.http(9080)] });
  app.synthYaml();
}, 'east/Mesh', '"0o17" in the Deployment federation-ingress', 'kubectl reads it as a number', 'with a letter in front');
/** A call that checks east with these gateways, so many exported and so many bound ports. */
export const served = (gateways: object, count: number) => () => {
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
  const found = east.node.validate();
  if (found.length > 0) throw new Error(found.join());
};
export const holding = (memoryLimit: string) => BoundaryGateway.dedicated({ memoryLimit });
synth.rejects('FED136', 'an ingress gateway with too little memory', served({ ingressGateway: holding('256Mi') }, 257),
  'east/Mesh', 'ingress gateway serves 257 ports', '"256Mi" is enough for 256', '"257Mi" or more');
synth.rejects('FED136', 'an egress gateway with too little memory', served({ egressGateway: holding('200M') }, 200),
  'egress gateway serves 200 ports', '"200M" is enough for 190', '"200Mi" or more');

/* Objects of fields. */
const because = 'agreed with the security team';
rejectFields(newMesh, 'an endpoint', (value) => withField('endpoints', [value]), { address: 'fed.east.example', ports: 443 }, 'ports', 'port');
rejectFields(newMesh, 'a reason for a private address', (value) => endpoint({ address: '10.1.2.3', privateAddress: value }), { reason: because, approvedby: 'Jo' },
  'approvedby', 'approvedBy');
rejectFields(newMesh, 'a reason for headers with underscores', (value) => withField('allowHeadersWithUnderscores', value), { reason: because, headers: ['user_id'] },
  'headers', 'approvedBy');
rejectFields(newMesh, 'a reason for no admission policy', (value) => withField('withoutAdmissionPolicy', value), { reason: because, owner: 'Jo' }, 'owner', 'approvedBy');

/* Values that are almost valid. */
for (const role of ['ingress', 'egress']) newMesh.rejects('FED120', `an empty object in place of an ${role} gateway`, withField(`${role}Gateway`, {}));
newMesh.rejects('FED101', 'a mesh name of 64 characters', eastWith({ meshName: 'x'.repeat(64) }));
for (const address of ['0.255.255.255', '10.255.255.255', '100.127.255.255', '127.255.255.255', '169.254.255.255', '172.31.255.255', '192.168.255.255', 'febf::1', 'fdff::1', '::']) {
  newMesh.rejects('FED105', `the address ${address} at the end of a private network`, endpoint(address));
}
for (const ending of ['svc', 'local', 'localhost', 'localdomain', 'internal', 'lan', 'home.arpa', 'svc.other.example', 'corp', 'home', 'intranet', 'private']) {
  newMesh.rejects('FED105', `an endpoint whose name ends in .${ending}`, endpoint(`fed.${ending}`), `"fed.${ending}"`, 'privateAddress');
}
newMesh.rejects('FED118', 'a dedicated ingress gateway in kube-system', eastWith({ ingressGateway: BoundaryGateway.dedicated({ namespaceName: 'kube-system' }) }),
  'the ingress gateway is in the namespace "kube-system"', 'BoundaryGateway.dedicated');
for (const meshName of [5, '5.5', '', '-', 'a_b', 'a.b', 'é', 'x'.repeat(64)]) {
  newMesh.rejects('FED101', `${JSON.stringify(meshName)} as mesh name`, () => meshOf(new App(), 'east', { meshName: any(meshName) }), 'east/Mesh', JSON.stringify(meshName));
}
newMesh.rejects('FED104', 'the port 65536 of an endpoint', endpoint({ address: 'f.east.example', port: 65536 }), '65536', '65535');
newMesh.rejects('FED111', 'a number in place of a namespace', eastWith({ namespaceName: any(5) }), '5 is not a valid namespace name');
newMesh.rejects('FED111', 'a number in place of a revision', eastWith({ revision: any(131) }), '131 is not a valid revision');
newMesh.rejects('FED118', 'a boundary in kube-system whose gateways are in namespaces of their own', eastWith({
  namespaceName: 'kube-system',
  ingressGateway: BoundaryGateway.dedicated({ namespaceName: 'in' }),
  egressGateway: BoundaryGateway.dedicated({ namespaceName: 'out' }),
}), '"kube-system"', 'namespaceName');

synth.rejects('FED147', 'a program that removes an export', () => {
  const { app, east, west, reviews } = pair();
  reviews.allowFrom(west);
  east.node.tryRemoveChild('Reviews');
  app.synthYaml();
}, 'east/Mesh/Reviews', 'was removed', 'tryRemoveChild');
synth.rejects('FED148', 'a peer that only one of two boundaries isolates', () => {
  const { app, east } = pair();
  const second = new FederatedMesh(new Chart(app, 'partners'), 'Mesh', {
    meshName: 'west', trustDomain: 'west.example', trustBundle: trustOf('west'), namespaceName: 'partners',
  });
  second.addPeer(east, { isolated: { reason: 'compromised build server at east' } });
  app.synthYaml();
}, 'partners/Mesh', '"east"', 'west/Mesh', 'isolated');
synth.rejects('FED148', 'a peer that is isolated under one name and served under another one', () => {
  const app = new App();
  const east = meshOf(app, 'east');
  east.addPeer(bankWith({ meshName: 'bank' }), { isolated: { reason: 'compromised build server at bank' } });
  east.addPeer(bankWith({ meshName: 'bank-eu' }));
  app.synthYaml();
}, 'east/Mesh', 'peer "bank" is isolated here, but it still serves peer "bank-eu", which has the same gateways', 'isolated');
synth.rejects('FED148', 'a peer whose identities do not tell it from an isolated one', () => {
  const app = new App();
  const east = meshOf(app, 'east');
  east.addPeer(bankWith({ meshName: 'bank', egressIdentity: undefined }), { isolated: { reason: 'compromised build server at bank' } });
  east.addPeer(bankWith({ meshName: 'bank-eu', ingressIdentity: undefined }));
  app.synthYaml();
}, 'still serves peer "bank-eu", which may have the same gateways', 'set ingressIdentity and egressIdentity of both');
newMesh.rejects('FED123', 'the id of another construct of the chart', () => {
  const chart = new Chart(new App(), 'east');
  for (const meshName of ['east', 'west']) new FederatedMesh(chart, 'Mesh', { meshName, trustDomain: `${meshName}.example`, trustBundle: trustOf(meshName) });
}, 'FED123 east/Mesh: ', 'has the id "Mesh"', 'choose another id');
/* Addresses and names, whatever their spelling. */
for (const address of [
  '64:ff9b::10.0.0.1', '64:ff9b::a9fe:a9fe', '64:ff9b:1::1', '2002:a00:1::1', '2002:c0a8:101::', '::10.0.0.1', '::203.0.113.5', '::ffff:192.168.1.1', '2001:0:53aa:64c:0:0:0:1',
  '198.18.0.1', '198.19.255.255', '192.0.0.1', '192.88.99.1', '100::1', 'fec0::1', '5f00::1', '2001:20::1', '10.0.0.1', '0:0:0:0:0:0:0:1', 'FD00::1',
]) newMesh.rejects('FED105', `the address ${address}, which other networks do not reach`, endpoint(address), JSON.stringify(address));
for (const address of ['0x7f.0.0.1', '0177.0.0.1', '127.1', '2130706433', '0x7f000001', '010.0.0.1', '1.2.3.4.5', 'federation.123', 'federation.0xff', '0x', 'federation.east.example.']) {
  newMesh.rejects('FED104', `${address} as an endpoint, which resolvers read as a number or which is no name`, endpoint(address), JSON.stringify(address));
}
newMesh.rejects('FED104', 'a public IPv4 address that is written as IPv6', endpoint('::ffff:203.0.113.5'), 'four decimal numbers');
for (const address of [
  'fed.alt', 'fed.test', 'fed.consul', 'east.service.consul', 'fed.invalid', 'fed.onion', 'fed.home.arpa', 'fed.service.arpa', '1.0.0.10.in-addr.arpa', 'fed.nomad', 'vm.internal.cloudapp.net', '10-0-0-1.edge.pod',
  'internal-edge-1.eu-west-1.elb.amazonaws.com', 'internal-edge-1.elb.amazonaws.com', 'edge.default', 'edge.kube-system', 'federation-ingress.istio-federation', 'istio-ingressgateway.istio-system',
  '10.0.0.1.nip.io', 'fed.10.0.0.1.nip.io', '10-0-0-1.sslip.io', 'fed-192-168-1-1.sslip.io', '7f000001.nip.io', 'fed-0a000001.nip.io', 'fd00--1.sslip.io', 'fed-fd00--1.sslip.io', '172.16.0.1.xip.io',
  'localtest.me', 'fed.localtest.me', 'lvh.me', 'fed.lvh.me', 'fed.vcap.me', '10.0.0.1.traefik.me', 'metadata.goog', '168.63.129.16',
  'foo.mail', 'foo.corp', 'foo.home', '10-0-0-1.0123456789abcdef.plex.direct', '10.0.0.1.backname.io', 'fd00--1.backname.io', 'localho.st', 'fed.localho.st', 'fed.localhost.direct', 'fed.lndo.site', 'gateway.team-a',
  'a.gateway.istio-system', 'gateway.prod1',
]) newMesh.rejects('FED105', `the name or address ${address}, which leads nowhere from outside`, endpoint(address), JSON.stringify(address), 'privateAddress');
for (const [address, props] of [
  ['federation.dmz', { namespaceName: 'dmz' }], ['istiod.mesh', { rootNamespaceName: 'mesh' }], ['federation.edge', { ingressGateway: BoundaryGateway.dedicated({ namespaceName: 'edge' }) }],
] as const) {
  newMesh.rejects('FED105', `the endpoint ${address} in a namespace of the mesh`, eastWith({ ...props, endpoints: [{ address }] }), JSON.stringify(address));
}
synth.rejects('FED105', 'an endpoint that is a Service in a namespace of the program', () => {
  const app = new App();
  meshOf(app, 'east', { endpoints: [{ address: 'gateway.edge' }] }).restrictNamespace('edge', { reason: 'agreed with the security team' });
  app.synthYaml();
}, 'east/Mesh', '"gateway.edge"');
synth.rejects('FED105', 'an endpoint of a peer that is a Service in a namespace of the program', () => {
  const app = new App();
  const east = meshOf(app, 'east');
  east.restrictNamespace('edge', { reason: 'agreed with the security team' });
  east.addPeer(bankWith({ endpoints: [{ address: 'gateway.edge' }] }));
  app.synthYaml();
}, 'FED105 Bank: the endpoint "gateway.edge" is a private address');
for (const address of ['gateway.k8s.east.example', '10-0-0-1.edge.pod.k8s.east.example']) {
  newMesh.rejects('FED105', `the endpoint ${address} in the domain of our cluster`, eastWith({ clusterDomain: 'k8s.east.example', endpoints: [{ address }] }), address, 'privateAddress');
}
for (const trustDomain of ['east.1', '10.0.0.1', 'east.0xff', 'EAST.example', 'e\u0430st.example', 'east.example.']) {
  newMesh.rejects('FED102', `the trust domain ${JSON.stringify(trustDomain)}`, eastWith({ trustDomain }), 'is not a valid trust domain');
}
for (const clusterDomain of ['cluster.1', 'Cluster.local', 'cluster.local.', `${'a'.repeat(61)}.${'b'.repeat(60)}`]) {
  newMesh.rejects('FED111', `the cluster domain ${clusterDomain}`, eastWith({ clusterDomain }), 'is not a valid cluster domain', 'at most 121 characters');
}
newMesh.rejects('FED120', 'a mesh without a scope', () => new FederatedMesh(any(undefined), 'Mesh', any({})), 'the construct "Mesh"', 'its scope must be a construct');
newMesh.rejects('FED120', 'a number as id', () => new FederatedMesh(new Chart(new App(), 'east'), any(5), any({})), 'the id must be a string, not 5');
newMesh.rejects('FED120', 'an id that JavaScript reserves', () => new FederatedMesh(new Chart(new App(), 'east'), 'constructor', any({})), 'the id "constructor" is a word of JavaScript');
newMesh.rejects('FED143', 'a reason of more than 4096 bytes', eastWith({ withoutAdmissionPolicy: { reason: 'x'.repeat(4097) } }), 'reason has 4097 bytes');
