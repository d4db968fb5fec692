import { App, Chart } from 'cdk8s';
import * as kplus from 'cdk8s-plus-27';
import { Caller, ExposedService, FederatedMesh, LocalService, NetworkDestination, ServicePort } from '../src';
import { find, names, objectsOf, parse, textOf } from './support/manifests';
import { meshOf } from './support/meshes';

/*
 * Locked workloads, and namespaces that cannot bypass the egress gateway.
 */

const reason = 'card data: nobody else may call it';
const reviews = { service: LocalService.fromName('reviews', 'default'), exportName: 'reviews', ports: [ServicePort.http(9080)] };

function lockOf(app: App, name = 'reviews-default') {
  return find(objectsOf(app), 'AuthorizationPolicy', `fed-lock-${name}`);
}

test('an export without lockWorkload generates no lock objects', () => {
  const app = new App();
  const east = meshOf(app, 'east');
  const west = meshOf(app, 'west');
  east.addPeer(west);
  east.expose('Reviews', reviews).allowFrom(west);
  expect(JSON.stringify(app.charts.map((chart) => chart.toJson()))).not.toContain('fed-lock');
});

test('lockWorkload denies every caller except the ingress gateway and the local callers, which are sorted', () => {
  const app = new App();
  meshOf(app, 'east').expose('Reviews', reviews).lockWorkload({
    reason,
    ticket: 'SEC-1',
    podLabels: { version: 'v2', app: 'reviews' },
    localCallers: [Caller.serviceAccount('web', 'shop'), Caller.anyInNamespace('books'), Caller.serviceAccount('web', 'shop')],
  });
  expect(lockOf(app)).toEqual({
    apiVersion: 'security.istio.io/v1',
    kind: 'AuthorizationPolicy',
    metadata: {
      name: 'fed-lock-reviews-default',
      namespace: 'default',
      annotations: { 'cdk8s-mesh-federation/locked': `${reason} (ticket SEC-1)` },
      labels: {
        'app.kubernetes.io/managed-by': 'cdk8s-mesh-federation', 'app.kubernetes.io/part-of': 'mesh-federation', 'cdk8s-mesh-federation/mesh': 'east',
      },
    },
    spec: {
      action: 'DENY',
      rules: [{
        from: [{
          source: {
            notPrincipals: ['east.example/ns/books/sa/*', 'east.example/ns/istio-federation/sa/federation-ingress', 'east.example/ns/shop/sa/web'],
          },
        }],
      }],
      selector: { matchLabels: { app: 'reviews', version: 'v2' } },
    },
  });
  expect(names(objectsOf(app), 'PeerAuthentication')).toEqual([]);
});

test('lockWorkload gives each caller its own connections to the application and limits stream buffers', () => {
  const app = new App();
  meshOf(app, 'east').expose('Reviews', reviews).lockWorkload({ reason, ticket: 'SEC-1', podLabels: { version: 'v2', app: 'reviews' } });
  expect(find(objectsOf(app), 'EnvoyFilter', 'fed-lock-reviews-default')).toEqual({
    apiVersion: 'networking.istio.io/v1alpha3',
    kind: 'EnvoyFilter',
    metadata: {
      name: 'fed-lock-reviews-default',
      namespace: 'default',
      annotations: { 'cdk8s-mesh-federation/locked': `${reason} (ticket SEC-1)`, 'galley.istio.io/analyze-suppress': 'IST0133,IST0151' },
      labels: {
        'app.kubernetes.io/managed-by': 'cdk8s-mesh-federation', 'app.kubernetes.io/part-of': 'mesh-federation', 'cdk8s-mesh-federation/mesh': 'east',
      },
    },
    spec: {
      workloadSelector: { labels: { app: 'reviews', version: 'v2' } },
      configPatches: [
        {
          applyTo: 'CLUSTER',
          match: { context: 'SIDECAR_INBOUND' },
          patch: { operation: 'MERGE', value: { connection_pool_per_downstream_connection: true, per_connection_buffer_limit_bytes: 32768 } },
        },
        {
          applyTo: 'NETWORK_FILTER',
          match: { context: 'SIDECAR_INBOUND', listener: { filterChain: { filter: { name: 'envoy.filters.network.http_connection_manager' } } } },
          patch: {
            operation: 'MERGE',
            value: {
              typed_config: {
                '@type': 'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
                'http2_protocol_options': { initial_stream_window_size: 65536, initial_connection_window_size: 1048576 },
              },
            },
          },
        },
      ],
    },
  });
});

test('lockWorkload without podLabels uses the selector of the Service, also when it is set later', () => {
  const app = new App();
  const east = meshOf(app, 'east');
  const team = new Chart(app, 'till', { namespace: 'till' });
  const service = new kplus.Service(team, 'Service', { metadata: { name: 'till' }, ports: [{ port: 80 }] });
  east.expose('Till', { service: LocalService.fromConstruct(service), exportName: 'till', ports: [ServicePort.http(80)] }).lockWorkload({ reason });
  service.selectLabel('app', 'till');
  expect(lockOf(app, 'till-till').spec.selector).toEqual({ matchLabels: { app: 'till' } });
});

test('lockWorkload adds its objects to the chart of the export', () => {
  const app = new App();
  const mesh = meshOf(app, 'east');
  const team = new Chart(app, 'team');
  new ExposedService(team, 'Reviews', { mesh, ...reviews }).lockWorkload({ reason, podLabels: { app: 'reviews' } });
  expect(parse(textOf(team)).map(({ kind, metadata }) => `${kind} ${metadata.name}`))
    .toEqual(['AuthorizationPolicy fed-lock-reviews-default', 'EnvoyFilter fed-lock-reviews-default']);
});

test('lockWorkload allows the ingress gateways of all boundaries that export the service, and no others', () => {
  const app = new App();
  const east = meshOf(app, 'east');
  const [partners, others] = ['partners', 'others'].map((namespaceName) => new FederatedMesh(new Chart(app, namespaceName), 'Mesh', {
    meshName: 'east', trustDomain: 'east.example', trustBundle: east.trustBundle, endpoints: east.endpoints, namespaceName,
  }));
  east.expose('Reviews', reviews).lockWorkload({ reason, podLabels: { app: 'reviews' } });
  partners.expose('Reviews', reviews);
  others.expose('Ratings', { ...reviews, service: LocalService.fromName('ratings', 'default') });
  expect(lockOf(app).spec.rules[0].from[0].source.notPrincipals).toEqual([
    'east.example/ns/istio-federation/sa/federation-ingress', 'east.example/ns/partners/sa/federation-ingress',
  ]);
});

test('lockWorkload rejects a local caller of another mesh', () => {
  const app = new App();
  const [east, west] = [meshOf(app, 'east'), meshOf(app, 'west')];
  const account = new kplus.ServiceAccount(new Chart(app, 'shop', { namespace: 'shop' }), 'Web', { metadata: { name: 'web' } });
  const caller = Caller.fromConstruct(account);
  west.expose('Reviews', reviews).lockWorkload({ reason, podLabels: { app: 'reviews' }, localCallers: [caller] });
  expect(() => east.expose('Reviews', reviews).lockWorkload({ reason, podLabels: { app: 'reviews' }, localCallers: [caller] })).toThrow(/FED112/);
});

test('lockWorkload copies the pod labels', () => {
  const app = new App();
  const podLabels: { [name: string]: string } = { app: 'reviews' };
  meshOf(app, 'east').expose('Reviews', reviews).lockWorkload({ reason, podLabels });
  delete podLabels.app;
  expect(lockOf(app).spec.selector).toEqual({ matchLabels: { app: 'reviews' } });
});

test('the Sidecar of a restricted namespace lists Services of the mesh and the allowed hosts, sorted and without duplicates', () => {
  const app = new App();
  meshOf(app, 'east', { clusterDomain: 'corp.internal' }).restrictNamespace('finance', {
    reason, allowedHosts: ['egress/b.example.com', './*.a.example.com', 'egress/b.example.com'],
  });
  const sidecar = find(objectsOf(app), 'Sidecar', 'fed-restricted-finance', 'finance');
  expect(sidecar.spec).toEqual({
    egress: [{ hosts: ['*/*.svc.corp.internal', './*.a.example.com', 'egress/b.example.com'] }],
    outboundTrafficPolicy: { mode: 'REGISTRY_ONLY' },
  });
  expect(sidecar.metadata.annotations).toEqual({ 'cdk8s-mesh-federation/restricted': reason });
});

test('workloads of a restricted namespace may connect to the infrastructure of the mesh', () => {
  const app = new App();
  meshOf(app, 'east', { infrastructure: [NetworkDestination.addresses('198.51.100.8/32', [443, 15012, 443])] }).restrictNamespace('finance', { reason });
  expect(find(objectsOf(app), 'NetworkPolicy', 'fed-restricted-finance', 'finance').spec.egress).toContainEqual({
    to: [{ ipBlock: { cidr: '198.51.100.8/32' } }],
    ports: [443, 15012].flatMap((port) => [{ port, protocol: 'UDP' }, { port, protocol: 'TCP' }]),
  });
});

test('the NetworkPolicy of a restricted namespace allows egress only to pods of the cluster and to the ports of DNS and istiod', () => {
  const app = new App();
  meshOf(app, 'east').restrictNamespace('finance', { reason });
  const policy = find(objectsOf(app), 'NetworkPolicy', 'fed-restricted-finance', 'finance');
  expect(policy.spec).toEqual({
    podSelector: {},
    policyTypes: ['Egress'],
    egress: [
      { ports: [{ port: 53, protocol: 'UDP' }, { port: 53, protocol: 'TCP' }, { port: 15012, protocol: 'TCP' }] },
      ...[['openshift-dns', 5353], ['kube-system', 8053]].map(([name, port]) => ({
        to: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': name } } }],
        ports: [{ port, protocol: 'UDP' }, { port, protocol: 'TCP' }],
      })),
      { to: [{ namespaceSelector: {} }] },
    ],
  });
  expect(policy.metadata.annotations).toEqual({ 'cdk8s-mesh-federation/restricted': reason });
  expect(objectsOf(app)).toHaveLength(2);
});

test('locks and restrictions of several namespaces have unique names, since some tools name files by them', () => {
  const app = new App();
  const east = meshOf(app, 'east');
  for (const namespaceName of ['shop', 'till']) {
    east.restrictNamespace(namespaceName, { reason });
    east.expose(namespaceName, { ...reviews, service: LocalService.fromName('reviews', namespaceName), exportName: namespaceName })
      .lockWorkload({ reason, podLabels: { app: 'reviews' } });
  }
  const ours = objectsOf(app).filter(({ metadata }) => /^fed-(lock|restricted)/.test(metadata.name)).map(({ kind, metadata }) => `${kind} ${metadata.name}`);
  expect(ours.sort()).toEqual([
    'AuthorizationPolicy fed-lock-reviews-shop', 'AuthorizationPolicy fed-lock-reviews-till',
    'EnvoyFilter fed-lock-reviews-shop', 'EnvoyFilter fed-lock-reviews-till',
    'NetworkPolicy fed-restricted-shop', 'NetworkPolicy fed-restricted-till', 'Sidecar fed-restricted-shop', 'Sidecar fed-restricted-till',
  ]);
});
