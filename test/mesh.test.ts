import { ApiObject, App, Chart, Duration, JsonPatch, ResolutionContext } from 'cdk8s';
import {
  BoundaryGateway, Caller, Delivery, ExposedServiceProps, FederatedMesh, FederatedMeshProps, GatewayCredential, GatewayServiceType,
  IstioVersion, LocalName, LocalService, NetworkDestination, RemoteServiceBindingProps, ServicePort,
} from '../src';
import { find, Manifest, names, objectsOf, withoutDigest } from './support/manifests';
import { meshOf, trustOf } from './support/meshes';
import { DEFAULT } from './support/versions';

/*
 * Meshes: options, namespaces, trust domains and the objects that every boundary has.
 */

/** East exports reviews to west, and binds the export details of west. */
function both(props: Partial<FederatedMeshProps> = {}) {
  const app = new App();
  const east = meshOf(app, 'east', props);
  const west = meshOf(app, 'west');
  east.addPeer(west);
  west.addPeer(east);
  const reviews = east.expose('Reviews', { service: LocalService.fromName('reviews', 'default'), exportName: 'reviews', ports: [ServicePort.http(9080)] });
  const details = west.expose('Details', { service: LocalService.fromName('details', 'default'), exportName: 'details', ports: [ServicePort.http(9080)] });
  reviews.allowFrom(west);
  details.allowFrom(east);
  east.bind('BoundDetails', { source: details, localName: LocalName.newService('details', 'web') }).allowFrom(Caller.serviceAccount('page', 'web'));
  return { app, east, west, objects: Chart.of(east).toJson().map(withoutDigest) };
}

test.each(['otelEnvoyALS', 'Access Logs/v2', '日志'])('the access log provider can be named %s', (accessLogProvider) => {
  const mesh = meshOf(new App(), 'east', { accessLogProvider });
  mesh.expose('Own', { service: LocalService.fromName('own', 'default'), exportName: 'own', ports: [ServicePort.http(80)] });
  const [telemetry] = Chart.of(mesh).toJson().filter(({ kind }) => kind === 'Telemetry');
  expect(telemetry.spec.accessLogging).toEqual([{ providers: [{ name: accessLogProvider }] }]);
});

test('every option of a mesh has an effect', () => {
  const props: Required<FederatedMeshProps> = {
    meshName: 'east',
    trustDomain: 'corp.east.example',
    trustBundle: trustOf('east'),
    endpoints: [{ address: '10.20.0.5', port: 443, privateAddress: { reason: 'leased line, both sides route it' } }, { address: '203.0.113.5' }],
    credential: GatewayCredential.fromCertManager({ issuerName: 'boundary-ca' }),
    workloadTrustDomain: 'workloads.east.example',
    namespaceName: 'partner-boundary',
    createNamespace: true,
    namespaceLabels: { 'istio-discovery': 'enabled' },
    ingressGateway: BoundaryGateway.dedicated({ priorityClassName: 'edge' }),
    egressGateway: BoundaryGateway.dedicated({ minReplicas: 3 }),
    istioVersion: IstioVersion.V1_31,
    connectAfterHandshake: true,
    revision: 'stable',
    rootNamespaceName: 'mesh-system',
    clusterDomain: 'k8s.east',
    monitoringNamespaceName: 'observability',
    infrastructure: [NetworkDestination.podsIn('cert-manager', [6443])],
    networkIdleTimeout: Duration.seconds(60),
    accessLogProvider: 'boundary-log',
    delivery: Delivery.kubectl(),
    allowHeadersWithUnderscores: { reason: 'gRPC metadata has user_id' },
    withoutAdmissionPolicy: { reason: 'a policy of the platform does it' },
  };
  const { app, east, west, objects } = both(props);
  const text = JSON.stringify(objects);
  expect(objects.filter(({ metadata }) => metadata.namespace === 'istio-federation')).toEqual([]);
  expect(find(objects, 'Namespace', 'partner-boundary').metadata.labels).toMatchObject({ 'pod-security.kubernetes.io/enforce': 'restricted' });
  expect(find(objects, 'Gateway', 'fed-in-west').spec.servers[0].hosts).toEqual(['./p9080.reviews.west.fed.corp.east.example']);
  expect(find(objects, 'Service', 'federation-ingress').spec.ports.map(({ name, port, targetPort }: Manifest) => [name, port, targetPort])).toEqual([
    ['tls-federation-443', 443, 15443], ['tls-federation-15443', 15443, 15443],
  ]);
  expect(find(objects, 'Service', 'federation-ingress').metadata.annotations).toEqual({
    'cdk8s-mesh-federation/private-address': '10.20.0.5: leased line, both sides route it',
  });
  expect(find(objects, 'Deployment', 'federation-ingress').spec.template.spec.priorityClassName).toBe('edge');
  expect(find(objects, 'HorizontalPodAutoscaler', 'federation-egress').spec.minReplicas).toBe(3);
  for (const role of ['ingress', 'egress']) {
    const { labels } = find(objects, 'Deployment', `federation-${role}`).spec.template.metadata;
    expect(labels).toMatchObject({ 'istio.io/rev': 'stable', 'istio': `partner-boundary-${role}` });
    expect(find(objects, 'Telemetry', `federation-${role}`).spec.accessLogging).toEqual([{ providers: [{ name: 'boundary-log' }] }]);
    expect(JSON.stringify(find(objects, 'NetworkPolicy', `federation-${role}`))).toContain('"kubernetes.io/metadata.name":"observability"');
  }
  expect(find(objects, 'VirtualService', 'fed-name-details-web').spec.hosts).toEqual(['details.web.svc.k8s.east']);
  expect(text).not.toContain('cluster.local');
  expect(find(objects, 'Certificate', 'federation-ingress').spec.uris).toEqual(['spiffe://corp.east.example/ns/partner-boundary/sa/federation-ingress']);
  expect(find(objects, 'Gateway', 'fed-out-west').spec.servers[0].tls.subjectAltNames).toEqual(['spiffe://workloads.east.example/ns/web/sa/page']);
  expect(names(objects, 'ValidatingAdmissionPolicy')).toEqual([]);
  expect(text).not.toContain('UNDERSCORES');
  expect(find(objects, 'AuthorizationPolicy', 'fed-in-default-deny').metadata.annotations).toEqual({
    'cdk8s-mesh-federation/headers-with-underscores': 'gRPC metadata has user_id',
    'cdk8s-mesh-federation/without-admission-policy': 'a policy of the platform does it',
  });
  expect(east._boundary.config.istioVersion).toBe(DEFAULT);
  expect(() => east.expose('Root', { service: LocalService.fromName('istiod', 'mesh-system'), exportName: 'root', ports: [ServicePort.http(1)] })).toThrow('FED118');
  const peerSide = find(Chart.of(west).toJson().map(withoutDigest), 'ConfigMap', 'fed-in-trust-east');
  expect(peerSide.data['ca.crt']).toBe(props.trustBundle._pem);
  expect(app.charts).toHaveLength(2);
});

test('a mesh has properties for the identities, pods and namespace of its gateways', () => {
  const east = meshOf(new App(), 'east');
  expect(east.ingressIdentity?.uri).toBe('spiffe://east.example/ns/istio-federation/sa/federation-ingress');
  expect(east.egressIdentity?.principal).toBe('east.example/ns/istio-federation/sa/federation-egress');
  expect(east.ingressGateway).toEqual({
    namespaceName: 'istio-federation',
    serviceAccountName: 'federation-ingress',
    serviceName: 'federation-ingress',
    podLabels: { app: 'federation-ingress', istio: 'istio-federation-ingress' },
  });
  expect(east.egressGateway.podLabels).toEqual({ app: 'federation-egress', istio: 'istio-federation-egress' });
  expect(east.namespaceName).toBe('istio-federation');
});

test('a mesh with createNamespace: false emits no Namespace', () => {
  expect(names(both({ createNamespace: false }).objects, 'Namespace')).toEqual([]);
});

test('a second addPeer with the same peer changes nothing', () => {
  const { app, east, west, objects } = both();
  east.addPeer(west);
  expect(Chart.of(east).toJson().map(withoutDigest)).toEqual(objects);
  expect(app.charts).toHaveLength(2);
});

test.each(['before', 'after'])('peer options of an addPeer call %s the grant are annotations of the Gateway for the peer', (order) => {
  const app = new App();
  const [east, west] = [meshOf(app, 'east'), meshOf(app, 'west')];
  const addPeer = () => east.addPeer(west, { agreementId: 'ISA-1', contact: 'mailto:a@b.example', owner: 'integration team' });
  if (order === 'before') addPeer();
  east.expose('Reviews', { service: LocalService.fromName('reviews', 'default'), exportName: 'reviews', ports: [ServicePort.http(9080)] }).allowFrom(west);
  if (order === 'after') addPeer();
  expect(find(objectsOf(app), 'Gateway', 'fed-in-west').metadata.annotations).toEqual({
    'cdk8s-mesh-federation/agreement-id': 'ISA-1',
    'cdk8s-mesh-federation/contact': 'mailto:a@b.example',
    'cdk8s-mesh-federation/owner': 'integration team',
    'galley.istio.io/analyze-suppress': 'IST0101,IST0138',
  });
});

test('the namespace and labels of a chart do not change the namespace of the boundary', () => {
  const app = new App();
  const chart = new Chart(app, 'east', { namespace: 'somewhere', labels: { team: 'platform' } });
  const mesh = new FederatedMesh(chart, 'Mesh', {
    meshName: 'east', trustDomain: 'east.example', trustBundle: trustOf('east'), endpoints: [{ address: 'fed.east.example' }],
  });
  mesh.expose('Reviews', { service: LocalService.fromName('reviews', 'default'), exportName: 'reviews', ports: [ServicePort.http(9080)] });
  const objects = objectsOf(app);
  expect(objects.filter(({ metadata }) => metadata.namespace === 'somewhere')).toEqual([]);
  const clusterScoped = objects.filter(({ kind }) => ['Namespace', 'ValidatingAdmissionPolicy', 'ValidatingAdmissionPolicyBinding'].includes(kind));
  expect(clusterScoped.map(({ metadata }) => Object.keys(metadata).sort())).toEqual(Array(3).fill(['labels', 'name']));
});

test('a program can patch an object that the library has emitted', () => {
  const { east } = both();
  const deployment = east.node.findAll().find((construct): construct is ApiObject => ApiObject.isApiObject(construct) && construct.kind === 'Deployment')!;
  deployment.addJsonPatch(JsonPatch.add('/spec/template/spec/hostNetwork', false));
  expect(find(Chart.of(east).toJson().map(withoutDigest), 'Deployment', 'federation-ingress').spec.template.spec.hostNetwork).toBe(false);
});

test('a JSON patch of one object does not change other objects', () => {
  const { east, west, objects } = both();
  const route = east.node.findAll().find((construct): construct is ApiObject =>
    ApiObject.isApiObject(construct) && construct.name === 'fed-in-reviews-9080-west' && construct.kind === 'VirtualService')!;
  const others = Chart.of(west).toJson().map(withoutDigest);
  route.addJsonPatch(JsonPatch.add('/spec/http/0/headers/request/remove/0', 'x-own'), JsonPatch.remove('/spec/exportTo'));
  const [first] = find(Chart.of(east).toJson().map(withoutDigest), 'VirtualService', 'fed-in-reviews-9080-west').spec.http[0].headers.request.remove;
  expect(first).toBe('x-own');
  expect(Chart.of(west).toJson().map(withoutDigest)).toEqual(others);
  expect(find(objects, 'VirtualService', 'fed-in-reviews-9080-west').spec.http[0].headers.request.remove).not.toContain('x-own');
});

test('resolvers of an app resolve labels and annotations of every object', () => {
  const resolver = { resolve: (context: ResolutionContext) => { if (context.value === 'TOKEN') context.replaceValue('resolved'); } };
  const app = new App({ resolvers: [resolver] });
  const mesh = new FederatedMesh(new Chart(app, 'east', { labels: { stage: 'TOKEN' } }), 'Mesh', {
    meshName: 'east', trustDomain: 'east.example', trustBundle: trustOf('east'), endpoints: [{ address: 'fed.east.example' }],
  });
  const west = meshOf(app, 'west');
  mesh.addPeer(west);
  const reviews = mesh.expose('Reviews', { service: LocalService.fromName('reviews', 'default'), exportName: 'reviews', ports: [ServicePort.http(9080)] });
  reviews.allowFrom(west, { purpose: 'TOKEN' });
  const objects = Chart.of(mesh).toJson().map(withoutDigest);
  expect(objects.map(({ metadata }) => metadata.labels.stage)).toEqual(objects.map(() => 'resolved'));
  const purposes = objects.flatMap(({ metadata }) => metadata.annotations?.['cdk8s-mesh-federation/purpose'] ?? []);
  expect([...new Set(purposes)]).toEqual(['resolved']);
});

test('meshes add no dependency between charts, so cdk8s renames no file', () => {
  const { app } = both();
  expect(app.node.findAll().flatMap(({ node }) => node.dependencies)).toEqual([]);
});

test('two boundaries of one mesh have different gateways and admission policies', () => {
  const app = new App();
  const one = meshOf(app, 'east');
  const two = new FederatedMesh(new Chart(app, 'partners'), 'Partners', {
    meshName: 'east',
    trustDomain: 'east.example',
    trustBundle: trustOf('east'),
    namespaceName: 'partner-federation',
    endpoints: [{ address: 'partners.east.example' }],
    ingressGateway: BoundaryGateway.dedicated({ serviceType: GatewayServiceType.NODE_PORT, sourceRanges: ['203.0.113.0/28'] }),
  });
  const west = meshOf(app, 'west');
  for (const mesh of [one, two]) {
    mesh.addPeer(west);
    mesh.expose('Reviews', { service: LocalService.fromName('reviews', 'default'), exportName: 'reviews', ports: [ServicePort.http(9080)] }).allowFrom(west);
  }
  const selectors = [one, two].map((mesh) => Chart.of(mesh).toJson().map(withoutDigest).filter(({ kind }) => kind === 'Gateway').map(({ spec }) => spec.selector));
  expect(selectors).toEqual([[{ istio: 'istio-federation-ingress' }], [{ istio: 'partner-federation-ingress' }]]);
  expect(names(objectsOf(app), 'ValidatingAdmissionPolicy')).toEqual(['istio-federation-boundary', 'partner-federation-boundary']);
});

test('expose and bind accept the properties of an export and of a binding of the same mesh', () => {
  const app = new App();
  const [east, west] = [meshOf(app, 'east'), meshOf(app, 'west')];
  const exported: ExposedServiceProps = { mesh: east, service: LocalService.fromName('shop', 'apps'), exportName: 'shop', ports: [ServicePort.http(80)] };
  const bound: RemoteServiceBindingProps = { mesh: west, source: east.expose('Shop', exported), localName: LocalName.newService('shop', 'web') };
  expect(west.bind('Shop', bound).host).toBe('shop.web.svc.cluster.local');
});
