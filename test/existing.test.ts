import { App } from 'cdk8s';
import {
  BoundaryGateway, ExistingGatewayOptions, FederatedMeshProps, GatewayCredential, HttpRule, Justification, LocalService, ServicePort,
} from '../src';
import { find, Manifest, names, objectsOf } from './support/manifests';
import { meshOf } from './support/meshes';
import { deniesByDefault, permissionsOf } from './support/rbac';

/*
 * Existing ingress gateways, which another team operates. The generated objects do not change other listeners of the gateway.
 */

interface Change {
  readonly gateway?: Partial<ExistingGatewayOptions>;
  readonly props?: Partial<FederatedMeshProps>;
  readonly isolated?: Justification;
  /** The protocols with a grant; both by default. */
  readonly grants?: ('http' | 'tcp')[];
  /** Whether the peer is added after the grants. */
  readonly late?: boolean;
}

const HTTP = 'p80.reviews.west.fed.east.example';
const TCP = 'p3306.mysql.west.fed.east.example';

/** East exports one HTTP and one TCP service to west at the existing gateway. */
function east({ gateway, props, isolated, grants = ['http', 'tcp'], late = false }: Change = {}): Manifest[] {
  const app = new App();
  const mesh = meshOf(app, 'east', {
    ingressGateway: BoundaryGateway.fromExisting({
      namespaceName: 'istio-ingress', serviceAccountName: 'shared', serviceName: 'shared', podLabels: { app: 'shared' }, ...gateway,
    }),
    ...props,
  });
  const west = meshOf(new App(), 'west');
  if (!late) mesh.addPeer(west, { isolated });
  const reviews = mesh.expose('Reviews', { service: LocalService.fromName('reviews', 'web'), exportName: 'reviews', ports: [ServicePort.http(80)] });
  const mysql = mesh.expose('Mysql', { service: LocalService.fromName('mysql', 'db'), exportName: 'mysql', ports: [ServicePort.tcp(3306)] });
  reviews.lockWorkload({ reason: 'nobody else may call it', podLabels: { app: 'reviews' } });
  if (grants.includes('http')) reviews.allowFrom(west, { http: [HttpRule.allow({ methods: ['GET'], paths: ['/a/*'] }), HttpRule.allow({ methods: ['POST'] })] });
  if (grants.includes('tcp')) mysql.allowFrom(west);
  if (late) mesh.addPeer(west, { isolated });
  return objectsOf(app);
}

const listed = (objects: Manifest[]) => objects.map(({ kind, metadata: { namespace, name } }) => `${kind} ${namespace ?? ''}/${name}`).sort();
const ofPolicy = (objects: Manifest[], name: string) => find(objects, 'AuthorizationPolicy', name, 'istio-ingress').spec;

test('a boundary at an existing gateway generates no workload, Namespace, NetworkPolicy, Telemetry or default-deny policy', () => {
  expect(listed(east())).toEqual([
    'AuthorizationPolicy istio-ingress/fed-in-guard',
    'AuthorizationPolicy istio-ingress/fed-in-guard-west',
    'AuthorizationPolicy web/fed-lock-reviews-web',
    'ConfigMap istio-ingress/fed-in-trust-west',
    'EnvoyFilter istio-ingress/fed-in-edge',
    'EnvoyFilter web/fed-lock-reviews-web',
    'Gateway istio-ingress/fed-in-west',
    'ValidatingAdmissionPolicy /istio-federation-boundary',
    'ValidatingAdmissionPolicyBinding /istio-federation-boundary',
    'VirtualService istio-ingress/fed-in-mysql-3306-west',
    'VirtualService istio-ingress/fed-in-reviews-80-west',
  ]);
});

test('every policy at an existing gateway is a DENY policy that matches only our SNIs', () => {
  const objects = east();
  const ours = [{ key: 'connection.sni', values: ['*.fed.east.example'], notValues: ['*.west.fed.east.example'] }];
  expect(ofPolicy(objects, 'fed-in-guard')).toEqual({ action: 'DENY', selector: { matchLabels: { app: 'shared' } }, rules: [{ when: ours }] });
  expect(ofPolicy(objects, 'fed-in-guard-west')).toEqual({
    action: 'DENY',
    selector: { matchLabels: { app: 'shared' } },
    rules: [{
      from: [{ source: { notPrincipals: ['west.example/ns/istio-federation/sa/federation-egress'] } }],
      when: [{ key: 'connection.sni', values: ['*.west.fed.east.example'] }],
    }],
  });
  for (const { spec } of objects.filter(({ kind, metadata }) => kind === 'AuthorizationPolicy' && metadata.namespace === 'istio-ingress')) {
    expect(spec.action).toBe('DENY');
    for (const rule of spec.rules) expect(rule.when[0].values).toEqual([expect.stringMatching(/\.fed\.east\.example$/)]);
  }
});

test('the EnvoyFilter of a grant has all RBAC rules, matches only our SNIs and changes no cluster and no listener', () => {
  const objects = east();
  const isMethod = (exact: string) => ({ header: { name: ':method', string_match: { exact } } });
  expect(permissionsOf(objects, HTTP)).toEqual([{ and_rules: { rules: [isMethod('GET'), { url_path: { path: { prefix: '/a/' } } }] } }, isMethod('POST')]);
  expect(deniesByDefault(objects, 'istio-ingress', HTTP)).toBe(true);
  const { workloadSelector, priority, configPatches } = find(objects, 'EnvoyFilter', 'fed-in-edge', 'istio-ingress').spec;
  expect([workloadSelector, priority]).toEqual([{ labels: { app: 'shared' } }, -10]);
  expect(configPatches.map(({ applyTo, match }: Manifest) => [applyTo, match])).toEqual([
    ['HTTP_FILTER', {
      context: 'GATEWAY',
      listener: {
        portNumber: 15443,
        filterChain: { sni: HTTP, filter: { name: 'envoy.filters.network.http_connection_manager', subFilter: { name: 'envoy.filters.http.router' } } },
      },
    }],
    ['FILTER_CHAIN', { context: 'GATEWAY', listener: { portNumber: 15443, filterChain: { sni: TCP } } }],
    ['FILTER_CHAIN', { context: 'GATEWAY', listener: { portNumber: 15443, filterChain: { sni: HTTP } } }],
    ['NETWORK_FILTER', {
      context: 'GATEWAY',
      listener: { portNumber: 15443, filterChain: { sni: HTTP, filter: { name: 'envoy.filters.network.http_connection_manager' } } },
    }],
    ['VIRTUAL_HOST', { context: 'GATEWAY', routeConfiguration: { vhost: { name: `${HTTP}:15443` } } }],
  ]);
});

test.each<[string, Change]>([
  ['without a grant', { grants: [] }],
  ['when the only peer is isolated before its grants', { isolated: { reason: 'a build server was taken over' } }],
  ['when the only peer is isolated after its grants', { isolated: { reason: 'a build server was taken over' }, late: true }],
])('an existing gateway gets no EnvoyFilter %s, and the admission policy lists none', (_, change) => {
  const objects = east(change);
  expect(names(objects, 'EnvoyFilter').filter((name) => name.startsWith('fed-in'))).toEqual([]);
  const { variables } = find(objects, 'ValidatingAdmissionPolicy', 'istio-federation-boundary').spec;
  expect(variables.find(({ name }: Manifest) => name === 'ownFilters').expression).toBe('[]');
});

test('a TCP grant alone generates an EnvoyFilter that disables TLS session resumption and has no HTTP patches', () => {
  const objects = east({ grants: ['tcp'] });
  expect(find(objects, 'EnvoyFilter', 'fed-in-edge', 'istio-ingress').spec.configPatches.map(({ applyTo, match }: Manifest) => [applyTo, match.listener])).toEqual([
    ['FILTER_CHAIN', { portNumber: 15443, filterChain: { sni: TCP } }],
  ]);
  const { variables } = find(objects, 'ValidatingAdmissionPolicy', 'istio-federation-boundary').spec;
  expect(variables.find(({ name }: Manifest) => name === 'ownFilters1').expression).toBe('[\'EnvoyFilter istio-ingress/fed-in-edge\']');
});

test('the guard policy denies every SNI of the mesh before the first grant', () => {
  expect(ofPolicy(east({ grants: [] }), 'fed-in-guard').rules).toEqual([{ when: [{ key: 'connection.sni', values: ['*.fed.east.example'] }] }]);
});

test('the policies deny an isolated peer every SNI of the mesh, and the guard policy no longer excepts its SNIs', () => {
  const objects = east({ isolated: { reason: 'a build server was taken over' } });
  expect(ofPolicy(objects, 'fed-in-isolated-west').rules).toEqual([
    { from: [{ source: { principals: ['west.example/ns/istio-federation/sa/federation-egress'] } }], when: [{ key: 'connection.sni', values: ['*.fed.east.example'] }] },
    { when: [{ key: 'connection.sni', values: ['*.west.fed.east.example'] }] },
  ]);
  expect(ofPolicy(objects, 'fed-in-guard').rules[0].when[0].notValues).toBeUndefined();
  expect(names(objects, 'Gateway')).toEqual([]);
});

test('the routes overwrite or remove forwarding headers that an existing gateway may be configured to trust', () => {
  const { http } = find(east(), 'VirtualService', 'fed-in-reviews-80-west').spec;
  const { request } = http.find(({ route }: Manifest) => route).headers;
  expect(request.set).toMatchObject({ 'x-forwarded-proto': 'https', 'x-forwarded-for': '%DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT%' });
  expect(request.remove).toContain('x-forwarded-client-cert');
});

test('an existing gateway gets a Role for Secrets only with a certificate from cert-manager, and none with its own certificate', () => {
  expect(find(east(), 'Gateway', 'fed-in-west').spec.servers[0].tls).toMatchObject({
    credentialName: 'builtin://', caCertCredentialName: 'configmap://istio-ingress/fed-in-trust-west',
  });
  expect(names(east(), 'Role')).toEqual([]);
  const objects = east({ gateway: { credential: GatewayCredential.fromCertManager({ issuerName: 'ca' }) } });
  expect(find(objects, 'Certificate', 'federation-ingress', 'istio-ingress').spec).toMatchObject({
    secretName: 'federation-ingress-tls', uris: ['spiffe://east.example/ns/istio-ingress/sa/shared'],
  });
  expect(find(objects, 'Role', 'federation-ingress', 'istio-ingress').rules).toEqual([{ apiGroups: [''], resources: ['secrets'], verbs: ['list'] }]);
  expect(find(objects, 'RoleBinding', 'federation-ingress', 'istio-ingress').subjects).toEqual([{ kind: 'ServiceAccount', name: 'shared', namespace: 'istio-ingress' }]);
  expect(find(objects, 'Gateway', 'fed-in-west').spec.servers[0].tls.credentialName).toBe('federation-ingress-tls');
});

test('connectAfterHandshake patches only our servers of an existing gateway', () => {
  const { configPatches } = find(east({ props: { connectAfterHandshake: true } }), 'EnvoyFilter', 'fed-in-connect-after-tls', 'istio-ingress').spec;
  expect(configPatches.map(({ match }: Manifest) => match.listener)).toEqual([
    { portNumber: 15443, filterChain: { sni: TCP, filter: { name: 'envoy.filters.network.tcp_proxy' } } },
  ]);
});

test('a locked workload allows the identity of the existing gateway', () => {
  expect(find(east(), 'AuthorizationPolicy', 'fed-lock-reviews-web', 'web').spec.rules[0].from[0].source.notPrincipals).toEqual(['east.example/ns/istio-ingress/sa/shared']);
});

test('the reason for a private address is an annotation of the guard policy of an existing gateway', () => {
  const endpoints = [{ address: '10.1.2.3', privateAddress: { reason: 'leased line, both route it' } }];
  expect(find(east({ props: { endpoints } }), 'AuthorizationPolicy', 'fed-in-guard').metadata.annotations)
    .toEqual({ 'cdk8s-mesh-federation/private-address': '10.1.2.3: leased line, both route it' });
});

test('fromExisting copies the pod labels', () => {
  const podLabels: { [name: string]: string } = { app: 'shared' };
  const gateway = BoundaryGateway.fromExisting({ namespaceName: 'a', serviceAccountName: 'b', serviceName: 'c', podLabels });
  delete podLabels.app;
  const mesh = meshOf(new App(), 'east', { ingressGateway: gateway });
  expect(mesh.ingressGateway).toEqual({ namespaceName: 'a', serviceAccountName: 'b', serviceName: 'c', podLabels: { app: 'shared' } });
  expect(mesh.ingressIdentity?.uri).toBe('spiffe://east.example/ns/a/sa/b');
});
