import { App } from 'cdk8s';
import { BoundaryGateway, ExistingGatewayOptions, FederatedMeshProps, GatewayCredential, Justification, LocalService, ServicePort } from '../src';
import { find, Manifest, names, objectsOf } from './support/manifests';
import { meshOf } from './support/scenarios';

/*
 * An ingress gateway that others run: what is emitted for it, and that nothing of it meets their own listeners.
 */

interface Change {
  readonly gateway?: Partial<ExistingGatewayOptions>;
  readonly props?: Partial<FederatedMeshProps>;
  readonly isolated?: Justification;
}

/** East exposes one service by HTTP and one by TCP at the gateway, to west. */
function east({ gateway, props, isolated }: Change = {}, granted = true): Manifest[] {
  const app = new App();
  const mesh = meshOf(app, 'east', {
    ingressGateway: BoundaryGateway.fromExisting({
      namespaceName: 'istio-ingress', serviceAccountName: 'shared', serviceName: 'shared', podLabels: { app: 'shared' }, ...gateway,
    }),
    ...props,
  });
  const west = meshOf(new App(), 'west');
  mesh.addPeer(west, { isolated });
  const reviews = mesh.expose('Reviews', { service: LocalService.fromName('reviews', 'web'), exportName: 'reviews', ports: [ServicePort.http(80)] });
  const mysql = mesh.expose('Mysql', { service: LocalService.fromName('mysql', 'db'), exportName: 'mysql', ports: [ServicePort.tcp(3306)] });
  reviews.lockWorkload({ reason: 'nobody else may call it', podLabels: { app: 'reviews' } });
  if (granted) {
    reviews.allowFrom(west, { http: [{ methods: ['GET'], paths: ['/a/*'] }, { methods: ['POST'] }] });
    mysql.allowFrom(west);
  }
  return objectsOf(app);
}

const listed = (objects: Manifest[]) => objects.map(({ kind, metadata: { namespace, name } }) => `${kind} ${namespace ?? ''}/${name}`).sort();
const ofPolicy = (objects: Manifest[], name: string) => find(objects, 'AuthorizationPolicy', name, 'istio-ingress').spec;

test('everything but the workload is emitted, and no namespace, network policy, log or default deny', () => {
  expect(listed(east())).toEqual([
    'AuthorizationPolicy istio-ingress/fed-in-guard',
    'AuthorizationPolicy istio-ingress/fed-in-guard-west',
    'AuthorizationPolicy istio-ingress/fed-in-mysql-3306-west',
    'AuthorizationPolicy istio-ingress/fed-in-reviews-80-west',
    'AuthorizationPolicy web/fed-lock-reviews-web',
    'ConfigMap istio-ingress/fed-in-trust-west',
    'Gateway istio-ingress/fed-in-west',
    'ValidatingAdmissionPolicy /istio-federation-boundary',
    'ValidatingAdmissionPolicyBinding /istio-federation-boundary',
    'VirtualService istio-ingress/fed-in-mysql-3306-west',
    'VirtualService istio-ingress/fed-in-reviews-80-west',
  ]);
});

test('every policy denies, and asks for a server name of ours first', () => {
  const objects = east();
  const ours = [{ key: 'connection.sni', values: ['*.fed.east.example'], notValues: ['p3306.mysql.west.fed.east.example', 'p80.reviews.west.fed.east.example'] }];
  expect(ofPolicy(objects, 'fed-in-guard')).toEqual({ action: 'DENY', selector: { matchLabels: { app: 'shared' } }, rules: [{ when: ours }] });
  const when = [{ key: 'connection.sni', values: ['p80.reviews.west.fed.east.example'] }];
  expect(ofPolicy(objects, 'fed-in-reviews-80-west')).toEqual({
    action: 'DENY',
    selector: { matchLabels: { app: 'shared' } },
    rules: [
      { from: [{ source: { notPrincipals: ['west.example/ns/istio-federation/sa/federation-egress'] } }], when },
      // One of the rules is for every path, so no path is denied.
      { to: [{ operation: { ports: ['15443'], notMethods: ['GET', 'POST'] } }], when },
    ],
  });
  for (const { spec } of objects.filter(({ kind, metadata }) => kind === 'AuthorizationPolicy' && metadata.namespace === 'istio-ingress')) {
    expect(spec.action).toBe('DENY');
    for (const rule of spec.rules) expect(rule.when[0].values).toEqual([expect.stringMatching(/\.fed\.east\.example$/)]);
  }
});

test('before the first grant every name of ours is denied', () => {
  expect(ofPolicy(east({}, false), 'fed-in-guard').rules).toEqual([{ when: [{ key: 'connection.sni', values: ['*.fed.east.example'] }] }]);
});

test('a peer that is cut off is denied our names, and its grants are no names of ours any more', () => {
  const objects = east({ isolated: { reason: 'a build server was taken over' } });
  expect(ofPolicy(objects, 'fed-in-isolated-west').rules).toEqual([
    { from: [{ source: { principals: ['west.example/ns/istio-federation/sa/federation-egress'] } }], when: [{ key: 'connection.sni', values: ['*.fed.east.example'] }] },
    { when: [{ key: 'connection.sni', values: ['*.west.fed.east.example'] }] },
  ]);
  expect(ofPolicy(objects, 'fed-in-guard').rules[0].when[0].notValues).toBeUndefined();
  expect(names(objects, 'Gateway')).toEqual([]);
});

test('what its pods may be set to believe is replaced by the routes', () => {
  const { http } = find(east(), 'VirtualService', 'fed-in-reviews-80-west').spec;
  const { request } = http.find(({ route }: Manifest) => route).headers;
  expect(request.set).toMatchObject({ 'x-forwarded-proto': 'https', 'x-forwarded-for': '%DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT%' });
  expect(request.remove).toContain('x-forwarded-client-cert');
});

test('its own certificate needs nothing, a Secret the right to read it, under a name that is not the owner\'s', () => {
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

test('a filter changes servers of ours only', () => {
  const { configPatches } = find(east({ props: { connectAfterHandshake: true } }), 'EnvoyFilter', 'fed-in-connect-after-tls', 'istio-ingress').spec;
  expect(configPatches.map(({ match }: Manifest) => match.listener)).toEqual([
    { portNumber: 15443, filterChain: { sni: 'p3306.mysql.west.fed.east.example', filter: { name: 'envoy.filters.network.tcp_proxy' } } },
  ]);
});

test('a locked workload is open to its identity', () => {
  expect(find(east(), 'AuthorizationPolicy', 'fed-lock-reviews-web', 'web').spec.rules[0].from[0].source.notPrincipals).toEqual(['east.example/ns/istio-ingress/sa/shared']);
});

test('what people stated stays in the output, without a Service of ours', () => {
  const endpoints = [{ address: '10.1.2.3', privateAddress: { reason: 'leased line, both route it' } }];
  expect(find(east({ props: { endpoints } }), 'AuthorizationPolicy', 'fed-in-guard').metadata.annotations)
    .toEqual({ 'cdk8s-mesh-federation/private-address': '10.1.2.3: leased line, both route it' });
});

test('labels are taken as they were when they were given', () => {
  const podLabels: { [name: string]: string } = { app: 'shared' };
  const gateway = BoundaryGateway.fromExisting({ namespaceName: 'a', serviceAccountName: 'b', serviceName: 'c', podLabels });
  delete podLabels.app;
  const mesh = meshOf(new App(), 'east', { ingressGateway: gateway });
  expect(mesh.ingressGateway).toEqual({ namespaceName: 'a', serviceAccountName: 'b', serviceName: 'c', podLabels: { app: 'shared' } });
  expect(mesh.ingressIdentity.uri).toBe('spiffe://east.example/ns/a/sa/b');
});
