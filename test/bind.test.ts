import { ApiObject, App, Chart } from 'cdk8s';
import * as kplus from 'cdk8s-plus-27';
import { Caller, ExposedService, GatewayEndpoint, LocalName, LocalService, RemoteMesh, RemoteServiceBinding, ServicePort, SpiffeId } from '../src';
import { find, Manifest, names, objectsOf, withoutDigest } from './support/manifests';
import { meshOf, trustOf } from './support/meshes';
import { bankWith } from './support/pair';
import { rbacOf } from './support/rbac';

/*
 * Bindings: local names, ports, callers and the objects that they generate in the mesh of the callers.
 */

function setUp(...ports: ServicePort[]) {
  const app = new App();
  const east = meshOf(app, 'east');
  const west = meshOf(app, 'west');
  east.addPeer(west);
  west.addPeer(east);
  const reviews = east.expose('Reviews', {
    service: LocalService.fromName('reviews', 'default'), exportName: 'reviews', ports: ports.length > 0 ? ports : [ServicePort.http(9080)],
  });
  const objects = () => Chart.of(west).toJson().map(withoutDigest);
  return { app, east, west, reviews, objects };
}

const localName = LocalName.newService('reviews', 'web');
const productpage = Caller.serviceAccount('productpage', 'web');

test('a binding without callers generates an egress gateway without listeners and a local name without a route', () => {
  const { west, reviews, objects } = setUp();
  reviews.allowFrom(west);
  west.bind('Reviews', { source: reviews, localName });
  expect(names(objects(), 'Gateway')).toEqual([]);
  expect(names(objects(), 'VirtualService')).toEqual([]);
  expect(names(objects(), 'ServiceEntry')).toEqual([]);
  expect(names(objects(), 'AuthorizationPolicy')).toEqual(['fed-out-default-deny', 'fed-out-guard', 'fed-out-mesh']);
  expect(find(objects(), 'EnvoyFilter', 'fed-out-edge').spec.configPatches.map(({ applyTo }: Manifest) => applyTo))
    .toEqual(['HTTP_FILTER', 'FILTER_CHAIN', 'NETWORK_FILTER', 'CLUSTER', 'CLUSTER']);
  expect(names(objects(), 'Service')).toEqual(['federation-egress', 'reviews']);
  expect(find(objects(), 'Service', 'federation-egress').metadata.annotations).toEqual({ 'networking.istio.io/exportTo': '.' });
  expect(find(objects(), 'NetworkPolicy', 'federation-egress').spec.ingress.map(({ ports }: Manifest) => ports[0].port)).toEqual([15021, 15020]);
});

test('a mesh without bindings and exports generates no objects', () => {
  const { west, reviews, objects } = setUp();
  reviews.allowFrom(west);
  expect(objects()).toEqual([]);
});

test('the local name is a Service without a selector that is exported to the namespaces of its callers', () => {
  const { west, reviews, objects } = setUp();
  reviews.allowFrom(west);
  const binding = west.bind('Reviews', { source: reviews, localName });
  binding.allowFrom(productpage);
  binding.allowFrom(Caller.serviceAccount('batch', 'jobs'));
  expect(binding.host).toBe('reviews.web.svc.cluster.local');
  const service = find(objects(), 'Service', 'reviews', 'web');
  expect(service.spec).toEqual({ ports: [{ name: 'http', port: 9080, protocol: 'TCP', appProtocol: 'http' }] });
  expect(service.metadata.annotations).toEqual({ 'networking.istio.io/exportTo': '.,jobs' });
  expect(find(objects(), 'VirtualService', 'fed-name-reviews-web').spec.exportTo).toEqual(['.', 'jobs']);
});

test('the egress gateway verifies callers by SPIFFE ID in the TLS handshake and in the RBAC rules of the local name', () => {
  const { west, reviews, objects } = setUp();
  reviews.allowFrom(west);
  const binding = west.bind('Reviews', { source: reviews, localName });
  binding.allowFrom(productpage);
  binding.allowFrom(Caller.serviceAccount('batch', 'jobs'));
  binding.allowFrom(productpage);
  const principals = ['west.example/ns/jobs/sa/batch', 'west.example/ns/web/sa/productpage'];
  expect(find(objects(), 'Gateway', 'fed-out-east').spec.servers[0].tls).toEqual({
    mode: 'ISTIO_MUTUAL', subjectAltNames: principals.map((principal) => `spiffe://${principal}`),
  });
  expect(rbacOf(objects(), 'p9080.reviews.web.east.egress.fed.west.example')).toEqual({
    action: 'ALLOW',
    policies: {
      callers: {
        permissions: [{ any: true }],
        principals: principals.map((principal) => ({ authenticated: { principal_name: { exact: `spiffe://${principal}` } } })),
      },
    },
  });
});

test('policies of the egress gateway allow workloads of the mesh on the SNIs of local names and port 15443 only', () => {
  const { west, reviews, objects } = setUp();
  reviews.allowFrom(west);
  west.bind('Reviews', { source: reviews, localName }).allowFrom(productpage);
  const selector = { matchLabels: { istio: 'istio-federation-egress' } };
  const policies = objects().filter(({ kind }) => kind === 'AuthorizationPolicy').map(({ metadata, spec }) => [metadata.name, spec]);
  expect(Object.fromEntries(policies)).toEqual({
    'fed-out-default-deny': { selector },
    'fed-out-guard': { selector, action: 'DENY', rules: [{ when: [{ key: 'connection.sni', notValues: ['*.egress.fed.west.example'] }] }] },
    'fed-out-mesh': {
      selector,
      action: 'ALLOW',
      rules: [{
        from: [{ source: { principals: ['west.example/*'] } }],
        to: [{ operation: { ports: ['15443'] } }],
        when: [{ key: 'connection.sni', values: ['*.egress.fed.west.example'] }],
      }],
    },
  });
});

test('the egress gateway sends the SNI of the export and verifies the SPIFFE ID of the peer', () => {
  const { west, reviews, objects } = setUp();
  reviews.allowFrom(west);
  west.bind('Reviews', { source: reviews, localName }).allowFrom(productpage);
  const { spec } = find(objects(), 'DestinationRule', 'fed-out-reviews-9080-east', 'istio-federation');
  expect(spec.trafficPolicy.tls).toEqual({
    mode: 'MUTUAL',
    clientCertificate: '/etc/federation/workload/cert-chain.pem',
    privateKey: '/etc/federation/workload/key.pem',
    caCertificates: '/etc/federation/trust/east.crt',
    sni: 'p9080.reviews.west.fed.east.example',
    subjectAltNames: ['spiffe://east.example/ns/istio-federation/sa/federation-ingress'],
  });
});

test('requests to a peer contain no address, workload or local name of the calling mesh', () => {
  const { west, reviews, objects } = setUp();
  reviews.allowFrom(west);
  west.bind('Reviews', { source: reviews, localName }).allowFrom(productpage);
  const [route] = find(objects(), 'VirtualService', 'fed-out-reviews-9080-web-east').spec.http;
  expect(route.rewrite).toEqual({ authority: 'p9080.reviews.west.fed.east.example' });
  expect(route.headers.request.remove).toEqual(expect.arrayContaining([
    'x-forwarded-for', 'x-forwarded-client-cert', 'x-envoy-peer-metadata', 'x-envoy-peer-metadata-id', 'x-envoy-attempt-count', 'x-envoy-decorator-operation',
  ]));
  const { annotations } = find(objects(), 'Deployment', 'federation-egress').spec.template.metadata;
  expect(annotations['proxy.istio.io/config']).toContain('forwardClientCertDetails: SANITIZE\n');
  expect(annotations['proxy.istio.io/config']).toMatch(/envoyDebugHeaders:\n +disabled: true/);
});

test('only the namespaces of callers get a DestinationRule for the egress gateway', () => {
  const { west, reviews, objects } = setUp();
  reviews.allowFrom(west);
  west.bind('Reviews', { source: reviews, localName }).allowFrom(Caller.serviceAccount('batch', 'jobs'));
  const rules = objects().filter(({ kind, spec }) => kind === 'DestinationRule' && spec.subsets);
  expect(rules.map(({ metadata }) => metadata.namespace)).toEqual(['jobs']);
  expect(rules[0].spec).toEqual({
    host: 'federation-egress.istio-federation.svc.cluster.local',
    exportTo: ['.'],
    subsets: [{
      name: 'reviews-9080-web-east',
      trafficPolicy: {
        connectionPool: { tcp: { connectTimeout: '10s' }, http: { h2UpgradePolicy: 'UPGRADE', maxConcurrentStreams: 100 } },
        outlierDetection: { consecutive5xxErrors: 0, consecutiveGatewayErrors: 0 },
        loadBalancer: { localityLbSetting: { failoverPriority: ['topology.istio.io/cluster'] } },
        tls: { mode: 'ISTIO_MUTUAL', sni: 'p9080.reviews.web.east.egress.fed.west.example' },
      },
    }],
  });
});

test('an allow rule that is declared after the binding and its callers adds its ports to the binding', () => {
  const { west, reviews, objects } = setUp(ServicePort.http(9080), ServicePort.http(9081));
  west.bind('Reviews', { source: reviews, localName }).allowFrom(productpage);
  reviews.allowFrom(west, { ports: [9081] });
  const ports = () => find(objects(), 'VirtualService', 'fed-name-reviews-web').spec.http.map(({ match }: Manifest) => match[0].port);
  expect(ports()).toEqual([9081]);
  expect(find(objects(), 'Service', 'reviews').spec.ports).toHaveLength(1);
  reviews.allowFrom(west, { ports: [9080] });
  expect(ports()).toEqual([9080, 9081]);
  expect(find(objects(), 'Service', 'reviews').spec.ports.map(({ name }: Manifest) => name)).toEqual(['http-9080', 'http-9081']);
});

test('an additional host generates a ServiceEntry and a route for the namespaces of the local name', () => {
  const { west, reviews, objects } = setUp(ServicePort.http(9080), ServicePort.tcp(3306));
  reviews.allowFrom(west);
  const binding = west.bind('Reviews', { source: reviews, localName, additionalHosts: ['b.east.example', 'a.east.example'] });
  expect(find(objects(), 'ServiceEntry', 'fed-name-reviews-web').spec.exportTo).toEqual(['.']);
  binding.allowFrom(Caller.serviceAccount('batch', 'jobs'));
  expect(find(objects(), 'ServiceEntry', 'fed-name-reviews-web')).toMatchObject({
    metadata: { namespace: 'web' },
    spec: {
      hosts: ['a.east.example', 'b.east.example'],
      exportTo: ['.', 'jobs'],
      location: 'MESH_EXTERNAL',
      resolution: 'STATIC',
      ports: [{ number: 3306, name: 'tcp-3306', protocol: 'TCP' }, { number: 9080, name: 'http-9080', protocol: 'HTTP' }],
    },
  });
  expect(find(objects(), 'ServiceEntry', 'fed-name-reviews-web').spec.endpoints).toBeUndefined();
  expect(find(objects(), 'VirtualService', 'fed-name-reviews-web').spec).toMatchObject({
    hosts: ['reviews.web.svc.cluster.local', 'a.east.example', 'b.east.example'], exportTo: ['.', 'jobs'],
  });
});

test('the Sidecar of a restricted namespace lists the additional hosts of bindings', () => {
  const { west, reviews, objects } = setUp();
  reviews.allowFrom(west);
  west.restrictNamespace('web', { reason: 'money leaves through the boundary only' });
  west.bind('Reviews', { source: reviews, localName, additionalHosts: ['a.east.example'] });
  expect(find(objects(), 'Sidecar', 'fed-restricted-web').spec.egress).toEqual([{ hosts: ['*/*.svc.cluster.local', 'web/a.east.example'] }]);
});

test('a binding with port mappings does not bind other ports, although the peer allows them', () => {
  const { west, reviews, objects } = setUp(ServicePort.http(9080), ServicePort.http(9081));
  reviews.allowFrom(west);
  west.bind('Reviews', { source: reviews, localName, portMappings: [{ localPort: 80, exportPort: 9081 }] }).allowFrom(productpage);
  expect(names(objects(), 'ServiceEntry')).toEqual(['fed-out-reviews-9081-east']);
  expect(find(objects(), 'Gateway', 'fed-out-east').spec.servers.map(({ name }: Manifest) => name)).toEqual(['reviews-80-web-east']);
});

test('two local names for one export share the ServiceEntry of the peer', () => {
  const { west, reviews, objects } = setUp();
  reviews.allowFrom(west);
  for (const name of ['reviews', 'critics']) west.bind(name, { source: reviews, localName: LocalName.newService(name, 'web') }).allowFrom(productpage);
  expect(names(objects(), 'ServiceEntry')).toEqual(['fed-out-reviews-9080-east']);
  expect(names(objects(), 'VirtualService')).toEqual([
    'fed-name-critics-web', 'fed-name-reviews-web', 'fed-out-critics-9080-web-east', 'fed-out-reviews-9080-web-east',
  ]);
});

test('a binding in an application chart puts the local name there and the boundary objects into the chart of the mesh', () => {
  const { app, west, reviews } = setUp();
  reviews.allowFrom(west);
  const till = new Chart(app, 'till', { namespace: 'till' });
  const account = new kplus.ServiceAccount(till, 'Account');
  const workload = new kplus.Deployment(till, 'Till', { containers: [{ image: 'till' }], serviceAccount: account });
  new RemoteServiceBinding(till, 'Reviews', { mesh: west, source: reviews, localName: LocalName.newService('reviews', 'till') })
    .allowFrom(Caller.fromConstruct(workload));
  const ours = till.toJson().filter(({ metadata }) => /fed-out|reviews/.test(metadata.name)).map(({ kind, metadata }) => `${kind} ${metadata.namespace}`);
  expect(ours).toEqual(['DestinationRule till', 'Service till', 'VirtualService till']);
  const boundary = Chart.of(west).toJson().map(withoutDigest);
  expect(boundary.filter(({ metadata }) => metadata.namespace === 'till')).toEqual([]);
  expect(find(boundary, 'Gateway', 'fed-out-east').spec.servers[0].tls.subjectAltNames).toEqual([`spiffe://west.example/ns/till/sa/${account.name}`]);
});

test.each<[string, object]>([
  ['Deployment', { template: { spec: { serviceAccountName: 'worker' } } }],
  ...['DaemonSet', 'Job', 'ReplicaSet', 'StatefulSet'].map((kind): [string, object] => [kind, { template: { spec: { serviceAccountName: 'worker' } } }]),
  ['CronJob', { jobTemplate: { spec: { template: { spec: { serviceAccountName: 'worker' } } } } }],
  ['Pod', { serviceAccountName: 'worker' }],
])('Caller.fromConstruct reads the service account of an ApiObject of kind %s', (kind, spec) => {
  const { app, west, reviews, objects } = setUp();
  reviews.allowFrom(west);
  const chart = new Chart(app, 'apps', { namespace: 'web' });
  const workload = new ApiObject(chart, 'Workload', { apiVersion: 'v1', kind, metadata: { name: 'workload' }, spec });
  west.bind('Reviews', { source: reviews, localName }).allowFrom(Caller.fromConstruct(workload));
  expect(JSON.stringify(find(objects(), 'Gateway', 'fed-out-east'))).toContain('spiffe://west.example/ns/web/sa/worker"');
});

/** The objects of a mesh that binds an export of a peer with these addresses. */
function boundAt(endpoints: GatewayEndpoint[]): Manifest[] {
  const app = new App();
  const west = meshOf(app, 'west');
  const bank = bankWith({ knownAs: 'webshop', endpoints, exposedServices: [{ exportName: 'cards', ports: [ServicePort.http(80)] }] });
  west.addPeer(bank);
  west.bind('Cards', { source: bank.exposedService('cards'), localName }).allowFrom(productpage);
  return objectsOf(app);
}

test('the egress gateway dials each address of a peer on its port, and may connect to those ports', () => {
  const objects = boundAt([{ address: '203.0.113.10', port: 443 }, { address: '203.0.113.11' }]);
  expect(find(objects, 'ServiceEntry', 'fed-out-cards-80-bank').spec).toMatchObject({
    hosts: ['p80.cards.webshop.fed.bank.example'],
    resolution: 'STATIC',
    endpoints: [{ address: '203.0.113.10', ports: { 'http2-federation': 443 } }, { address: '203.0.113.11' }],
  });
  expect(find(objects, 'NetworkPolicy', 'federation-egress').spec.egress.at(-2)).toEqual({ ports: [{ port: 443, protocol: 'TCP' }, { port: 15443, protocol: 'TCP' }] });
});

const EJECTION = {
  splitExternalLocalOriginErrors: true, consecutiveLocalOriginFailures: 1, consecutive5xxErrors: 0, interval: '1s', baseEjectionTime: '10s', maxEjectionPercent: 50,
};
const NO_EJECTION = { consecutive5xxErrors: 0, consecutiveGatewayErrors: 0 };
const RETRIES = { attempts: 2, retryOn: 'connect-failure,refused-stream' };

test.each<[string, string[], unknown[]]>([
  ['ejects an address that fails to connect, and sends what was never sent to another one', ['203.0.113.10', '203.0.113.11'], [EJECTION, '2s', RETRIES]],
  ['does so for a DNS name as well, which may have several addresses at any time', ['fed.bank.example'], [EJECTION, '2s', RETRIES]],
  ['does so for several DNS names', ['a.bank.example', 'b.bank.example'], [EJECTION, '2s', RETRIES]],
  ['waits longer for a single IPv4 address, since there is no other one', ['203.0.113.10'], [NO_EJECTION, '5s', { attempts: 0 }]],
  ['waits longer for a single IPv6 address, since there is no other one', ['2001:db8::7'], [NO_EJECTION, '5s', { attempts: 0 }]],
])('the egress gateway %s', (_, addresses, expected) => {
  const objects = boundAt(addresses.map((address) => ({ address })));
  const { outlierDetection, connectionPool } = find(objects, 'DestinationRule', 'fed-out-cards-80-bank').spec.trafficPolicy;
  const { retries } = find(objects, 'VirtualService', 'fed-out-reviews-80-web-bank').spec.http[0];
  expect([outlierDetection, connectionPool.tcp.connectTimeout, retries]).toEqual(expected);
});

test('the SNI of an egress listener that would be too long for DNS is shortened with a hash', () => {
  const app = new App();
  const peerName = 'p'.repeat(63);
  const domain = `${'d'.repeat(60)}.${'e'.repeat(60)}.example`;
  const west = meshOf(app, 'west', { trustDomain: domain });
  const peer = new RemoteMesh(app, 'Peer', {
    meshName: peerName,
    trustDomain: 'peer.example',
    trustBundle: trustOf('bank'),
    ingressIdentity: SpiffeId.parse('spiffe://peer.example/ns/a/sa/in'),
    egressIdentity: SpiffeId.parse('spiffe://peer.example/ns/a/sa/out'),
    endpoints: [{ address: 'fed.peer.example' }],
    exposedServices: [{ exportName: 'x', ports: [ServicePort.http(80)] }],
    knownAs: 'west',
  });
  west.addPeer(peer);
  west.bind('X', { source: peer.exposedService('x'), localName: LocalName.newService('l'.repeat(63), 'n'.repeat(63)) })
    .allowFrom(Caller.serviceAccount('a', 'web'));
  const [gateway] = objectsOf(app).filter(({ kind }) => kind === 'Gateway');
  const [host] = gateway.spec.servers[0].hosts;
  expect(host).toMatch(new RegExp(`^\\./p80\\.[0-9a-f]{8}\\.${peerName}\\.egress\\.fed\\.${domain.replaceAll('.', '\\.')}$`));
});

test('an allow rule for another peer does not change the objects of a binding', () => {
  const { app, east, west, reviews, objects } = setUp();
  const north = meshOf(app, 'north');
  east.addPeer(north);
  reviews.allowFrom(west, { ports: [9080] });
  west.bind('Reviews', { source: reviews, localName }).allowFrom(productpage);
  const before = objects();
  reviews.allowFrom(north);
  expect(objects()).toEqual(before);
  expect(reviews).toBeInstanceOf(ExposedService);
});

test('child IDs of bindings and exports contain no names, so that V8 does not run out of shapes for empty objects', () => {
  const { app, east, west } = setUp();
  for (let index = 0; index < 30; index++) {
    const source = east.expose(`Export${index}`, {
      service: LocalService.fromName(`service-${index}`, 'default'), exportName: `service-${index}`, ports: [ServicePort.http(80)],
    });
    source.allowFrom(west);
    source.lockWorkload({ reason: 'only peers and the till', podLabels: { app: `service-${index}` } });
    const named = { localName: LocalName.newService(`service-${index}`, 'web'), additionalHosts: [`s${index}.example.org`] };
    const binding = west.bind(`Binding${index}`, { source, ...named });
    for (const namespaceName of ['web', `web-${index}`]) binding.allowFrom(Caller.serviceAccount('client', namespaceName));
  }
  const parents = app.node.findAll().filter(({ node }) => /(Export|Binding)\d+/.test(node.path) && node.children.length > 0);
  expect(parents).toHaveLength(90);
  expect([...new Set(parents.flatMap(({ node }) => node.children.map(({ node: { id } }) => id)))].sort())
    .toEqual(['AuthorizationPolicy', 'DestinationRule', 'DestinationRule2', 'Destinations', 'EnvoyFilter', 'Service', 'ServiceEntry', 'VirtualService']);
});

test('the time to declare a binding does not grow with the number of bindings', () => {
  const timeOf = (bindings: number) => Math.min(...[1, 2, 3, 4, 5].map(() => {
    const { west, reviews } = setUp();
    const started = process.cpuUsage().user;
    for (let index = 0; index < bindings; index++) {
      west.bind(`Binding${index}`, { source: reviews, localName: LocalName.newService(`reviews-${index}`, 'web') });
    }
    return process.cpuUsage().user - started;
  }));
  timeOf(500);
  // Eight times as many bindings take about eight times as long; a search through all names for each binding takes fifty times as long.
  expect(timeOf(4000) / timeOf(500)).toBeLessThan(35);
});
test('additional hosts of an existing Service are visible to callers only, while the Service itself stays visible', () => {
  const { west, reviews, objects } = setUp();
  reviews.allowFrom(west);
  west.bind('Reviews', { source: reviews, localName: LocalName.existingService('reviews', 'web'), additionalHosts: ['a.east.example'] })
    .allowFrom(Caller.serviceAccount('batch', 'jobs'));
  const [entry] = objects().filter(({ kind, metadata }: Manifest) => kind === 'ServiceEntry' && metadata.namespace === 'web');
  expect([entry.spec.hosts, entry.spec.exportTo]).toEqual([['a.east.example'], ['.', 'jobs']]);
});
