import { App } from 'cdk8s';
import { BoundaryGateway, Caller, DedicatedGatewayOptions, GatewayCredential, GatewayServiceType, LocalName, LocalService, ServicePort } from '../src';
import { SCENARIOS } from './scenarios';
import { filesOf, find, Manifest, names, objectsOf, parse } from './support/manifests';
import { meshOf } from './support/meshes';
import { bankWith } from './support/pair';

/*
 * The pods of the boundary gateways: their credentials, proxy settings and network policies.
 */

/** The objects of east, which exports to the bank and binds an export of the bank. */
function east(ingress: DedicatedGatewayOptions = {}, egress: DedicatedGatewayOptions = {}): Manifest[] {
  const app = new App();
  const mesh = meshOf(app, 'east', { ingressGateway: BoundaryGateway.dedicated(ingress), egressGateway: BoundaryGateway.dedicated(egress) });
  const bank = bankWith({ knownAs: 'east' });
  mesh.addPeer(bank);
  mesh.expose('Reviews', { service: LocalService.fromName('reviews', 'books'), exportName: 'reviews', ports: [ServicePort.http(80)] }).allowFrom(bank);
  mesh.bind('Cards', { source: bank.exposedService('cards'), localName: LocalName.newService('cards', 'web') }).allowFrom(Caller.serviceAccount('page', 'shop'));
  return objectsOf(app);
}

const ROLES = ['ingress', 'egress'] as const;
const podOf = (objects: Manifest[], role: string) => find(objects, 'Deployment', `federation-${role}`).spec.template;
const proxyConfig = (objects: Manifest[], role: string) => parse(podOf(objects, role).metadata.annotations['proxy.istio.io/config'])[0];

describe('gateway certificates', () => {
  const issued = GatewayCredential.fromCertManager({ issuerName: 'ca' });
  const CREDENTIALS: [string, DedicatedGatewayOptions, DedicatedGatewayOptions][] = [
    ['the mesh CA', {}, {}],
    ['cert-manager', { credential: issued }, { credential: issued }],
    ['a Secret', { credential: GatewayCredential.fromSecret('in') }, { credential: GatewayCredential.fromSecret('out') }],
  ];

  test('only an egress gateway without a credential writes its workload certificate into an in-memory volume', () => {
    const writes = CREDENTIALS.map(([, ingress, egress]) => ROLES.map((role) => proxyConfig(east(ingress, egress), role).proxyMetadata.OUTPUT_CERTS));
    expect(writes).toEqual([[undefined, '/etc/federation/workload'], [undefined, undefined], [undefined, undefined]]);
    const memory = podOf(east(), 'egress').spec.volumes.filter(({ name }: Manifest) => name === 'federation-workload');
    expect(memory).toEqual([{ name: 'federation-workload', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } }]);
  });

  test.each(CREDENTIALS)('the egress gateway mounts a certificate from %s and the CAs of peers at the paths of DestinationRules', (_, ingress, egress) => {
    const objects = east(ingress, egress);
    const { volumes, containers: [{ volumeMounts }] } = podOf(objects, 'egress').spec;
    const tls: Manifest[] = objects.filter(({ kind, metadata }) => kind === 'DestinationRule' && metadata.namespace === 'istio-federation').map(({ spec }) => spec.trafficPolicy.tls);
    expect(tls).toHaveLength(1);
    const paths = tls.flatMap(({ clientCertificate, privateKey, caCertificates }) => [clientCertificate, privateKey, caCertificates]);
    const folders = paths.map((path: string) => path.slice(0, path.lastIndexOf('/')));
    const mounted = folders.map((folder) => volumeMounts.find(({ mountPath }: Manifest) => mountPath === folder)?.name);
    const own = egress.credential === undefined ? 'federation-workload' : 'federation-credential';
    expect(mounted).toEqual([own, own, 'federation-trust']);
    expect(volumes.map(({ name }: Manifest) => name)).toEqual([own, 'federation-trust']);
  });
});

test('pods of both gateways use the gateway injection template of istiod, and are excluded from ambient mode', () => {
  for (const role of ROLES) {
    const { labels, annotations } = podOf(east(), role).metadata;
    expect([labels['sidecar.istio.io/inject'], labels['istio.io/dataplane-mode'], annotations['inject.istio.io/templates']]).toEqual(['true', 'none', 'gateway']);
  }
});

test('no gateway adds a server header, an attempt count or Envoy debug headers', () => {
  for (const role of ROLES) {
    expect(proxyConfig(east(), role).proxyHeaders)
      .toEqual({
        attemptCount: { disabled: true }, envoyDebugHeaders: { disabled: true }, server: { disabled: true }, requestId: { disabled: false },
      });
  }
});

test.each([GatewayServiceType.LOAD_BALANCER, GatewayServiceType.NODE_PORT])('a Service of type %s preserves the client address by default', (serviceType) => {
  const policy = (options: DedicatedGatewayOptions) =>
    find(east({ serviceType, ...options }), 'Service', 'federation-ingress').spec.externalTrafficPolicy;
  expect([policy({}), policy({ preserveClientAddress: true }), policy({ preserveClientAddress: false })]).toEqual(['Local', 'Local', undefined]);
});

/* Connections. */

const namespace = (name: string) => ({ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': name } } });
const tcp = (...ports: number[]) => ports.map((port) => ({ port, protocol: 'TCP' }));
const HEALTH = { ports: tcp(15021) };
const METRICS = { from: [namespace('monitoring')], ports: tcp(15020, 15090) };

test.each<[string, DedicatedGatewayOptions, object]>([
  ['from any address', {}, { ports: tcp(15443) }],
  ['from the configured source ranges and those of health checks', { sourceRanges: ['203.0.113.0/28'], healthCheckSourceRanges: ['10.0.0.0/20', '10.0.16.0/20'] }, {
    from: ['203.0.113.0/28', '10.0.0.0/20', '10.0.16.0/20'].map((cidr) => ({ ipBlock: { cidr } })), ports: tcp(15443),
  }],
  ['from any address, if the load balancer sends the PROXY protocol', { proxyProtocol: true }, { ports: tcp(15443) }],
  ['from the configured source ranges', { sourceRanges: ['203.0.113.0/28'] }, { from: [{ ipBlock: { cidr: '203.0.113.0/28' } }], ports: tcp(15443) }],
])('the NetworkPolicy of the ingress gateway allows only port 15443 for peers %s', (_, options, peers) => {
  expect(find(east(options), 'NetworkPolicy', 'federation-ingress').spec.ingress).toEqual([peers, HEALTH, METRICS]);
});

test('the NetworkPolicy of the egress gateway allows only port 15443 for namespaces of callers', () => {
  expect(find(east(), 'NetworkPolicy', 'federation-egress').spec.ingress).toEqual([{ from: [namespace('shop')], ports: tcp(15443) }, HEALTH, METRICS]);
});

test('each NetworkPolicy of a gateway restricts both directions, and selects the pods of that gateway', () => {
  const objects = east();
  expect(names(objects, 'NetworkPolicy')).toEqual(['federation-default-deny', 'federation-egress', 'federation-ingress']);
  for (const role of ROLES) {
    expect(find(objects, 'NetworkPolicy', `federation-${role}`).spec).toMatchObject({
      podSelector: { matchLabels: { istio: `istio-federation-${role}` } }, policyTypes: ['Ingress', 'Egress'],
    });
  }
});

/* Protection of the pods. */

const SELECTOR = (role: string) => ({ app: `federation-${role}`, istio: `istio-federation-${role}` });

test.each(ROLES)('the %s gateway runs without privileges, token or writable root', (role) => {
  const objects = east();
  const { securityContext, automountServiceAccountToken, serviceAccountName, containers } = podOf(objects, role).spec;
  expect(securityContext).toEqual({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
  expect([automountServiceAccountToken, find(objects, 'ServiceAccount', `federation-${role}`).automountServiceAccountToken]).toEqual([false, false]);
  expect([serviceAccountName, containers.length, containers[0].name, containers[0].image]).toEqual([`federation-${role}`, 1, 'istio-proxy', 'auto']);
  expect(containers[0].securityContext).toEqual({
    allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] }, privileged: false, readOnlyRootFilesystem: true, runAsNonRoot: true,
  });
});

test('the namespace of the boundary enforces the Pod Security level restricted', () => {
  const { labels } = find(east(), 'Namespace', 'istio-federation').metadata;
  expect(labels).toMatchObject({ 'pod-security.kubernetes.io/enforce': 'restricted', 'pod-security.kubernetes.io/warn': 'restricted' });
});

test.each(ROLES)('a pod of the %s gateway may take 60 seconds to end, of which Envoy drains 30', (role) => {
  expect(podOf(east(), role).spec.terminationGracePeriodSeconds).toBe(60);
  expect(proxyConfig(east(), role).terminationDrainDuration).toBe('30s');
});

test.each(ROLES)('the Deployment, the Service and the budget of the %s gateway select its pods, and no other pods', (role) => {
  const objects = east();
  const selector = SELECTOR(role);
  expect(find(objects, 'Deployment', `federation-${role}`).spec.selector).toEqual({ matchLabels: selector });
  expect(find(objects, 'Service', `federation-${role}`).spec.selector).toEqual(selector);
  expect(find(objects, 'PodDisruptionBudget', `federation-${role}`).spec.selector).toEqual({ matchLabels: selector });
  expect(podOf(objects, role).metadata.labels).toMatchObject(selector);
  expect(podOf(objects, role).spec.topologySpreadConstraints).toEqual([
    { maxSkew: 1, topologyKey: 'kubernetes.io/hostname', whenUnsatisfiable: 'ScheduleAnyway', labelSelector: { matchLabels: selector } },
  ]);
  for (const kind of ['Deployment', 'Service']) expect(find(objects, kind, `federation-${role}`).metadata.labels).toMatchObject(selector);
});

test.each(ROLES)('a node drain leaves one ready pod of the %s gateway, and pods that never became ready do not block it', (role) => {
  const { minAvailable, unhealthyPodEvictionPolicy } = find(east(), 'PodDisruptionBudget', `federation-${role}`).spec;
  expect([minAvailable, unhealthyPodEvictionPolicy]).toEqual([1, 'AlwaysAllow']);
});

test.each(ROLES)('the %s gateway has two to five pods, scaled at 80 percent of the CPU request', (role) => {
  const objects = east();
  expect(find(objects, 'HorizontalPodAutoscaler', `federation-${role}`).spec).toEqual({
    minReplicas: 2,
    maxReplicas: 5,
    scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: `federation-${role}` },
    metrics: [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } }],
  });
  expect(find(objects, 'Deployment', `federation-${role}`).spec.replicas).toBeUndefined();
});

test('a gateway of one pod has neither an autoscaler nor a budget', () => {
  const objects = east({ minReplicas: 1, maxReplicas: 1 });
  expect(find(objects, 'Deployment', 'federation-ingress').spec.replicas).toBe(1);
  for (const kind of ['HorizontalPodAutoscaler', 'PodDisruptionBudget']) expect(names(objects, kind)).toEqual(['federation-egress']);
});

test.each(ROLES)('the %s gateway serves port 15443, and metrics on 15090', (role) => {
  const objects = east();
  expect(podOf(objects, role).spec.containers[0].ports).toEqual([
    { containerPort: 15443, name: 'tls-federation', protocol: 'TCP' }, { containerPort: 15090, name: 'http-envoy-prom', protocol: 'TCP' },
  ]);
  expect(find(objects, 'Service', `federation-${role}`).spec.ports).toEqual([{ name: 'tls-federation', port: 15443, protocol: 'TCP', targetPort: 15443 }]);
});

test('the ports of several endpoints have names of their own, and all lead to 15443', () => {
  const app = new App();
  const mesh = meshOf(app, 'east', { endpoints: [{ address: 'a.east.example', port: 443 }, { address: 'b.east.example' }, { address: 'c.east.example', port: 443 }] });
  mesh.expose('Reviews', { service: LocalService.fromName('reviews', 'books'), exportName: 'reviews', ports: [ServicePort.http(80)] });
  expect(find(objectsOf(app), 'Service', 'federation-ingress').spec.ports).toEqual([443, 15443].map((port) =>
    ({ name: `tls-federation-${port}`, port, protocol: 'TCP', targetPort: 15443 })));
});

test('the Service of the egress gateway is of type ClusterIP, and visible in the namespaces of callers', () => {
  const { spec, metadata } = find(east(), 'Service', 'federation-egress');
  expect([spec.type, metadata.annotations]).toEqual(['ClusterIP', { 'networking.istio.io/exportTo': 'shop' }]);
  expect(find(east(), 'Service', 'federation-ingress').metadata.annotations).toBeUndefined();
});

test('each gateway writes an access log, and takes part in traces by default', () => {
  for (const role of ROLES) {
    expect(find(east(), 'Telemetry', `federation-${role}`).spec).toEqual({
      selector: { matchLabels: { istio: `istio-federation-${role}` } }, accessLogging: [{ providers: [{ name: 'envoy' }] }],
    });
  }
});

/* Outbound connections. */

const both = (port: number) => [{ port, protocol: 'UDP' }, { port, protocol: 'TCP' }];
/** DNS and istiod at any address, and the DNS pods of OpenShift and Gardener, which listen on another port than their Service. */
const INFRASTRUCTURE = [
  { ports: [...both(53), ...tcp(15012)] },
  { to: [namespace('openshift-dns')], ports: both(5353) },
  { to: [namespace('kube-system')], ports: both(8053) },
];

test('the ingress gateway may connect to DNS, istiod, monitoring and namespaces of exported services only', () => {
  expect(find(east(), 'NetworkPolicy', 'federation-ingress').spec.egress).toEqual([...INFRASTRUCTURE, { to: [namespace('books'), namespace('monitoring')] }]);
});

test('the egress gateway may connect to DNS, istiod, monitoring and ports of peers only', () => {
  expect(find(east(), 'NetworkPolicy', 'federation-egress').spec.egress).toEqual([...INFRASTRUCTURE, { ports: tcp(15443) }, { to: [namespace('monitoring')] }]);
});

test('the namespace of the boundary denies every connection that no other policy allows', () => {
  expect(find(east(), 'NetworkPolicy', 'federation-default-deny').spec).toEqual({ podSelector: {}, policyTypes: ['Ingress', 'Egress'] });
});

test('a credential is mounted at the path that the DestinationRules of peers name', () => {
  const objects = east({}, { credential: GatewayCredential.fromSecret('out') });
  const mounts = podOf(objects, 'egress').spec.containers[0].volumeMounts.map(({ mountPath }: Manifest) => mountPath);
  expect(mounts).toEqual(['/etc/federation/credential', '/etc/federation/trust']);
});

test('the ingress gateway mounts nothing, since istiod sends its certificate and the CAs of peers', () => {
  const { volumes, containers } = podOf(east(), 'ingress').spec;
  expect([volumes, containers[0].volumeMounts]).toEqual([undefined, undefined]);
});

test('the egress gateway mounts the CAs of peers and its own credential for reading only', () => {
  const mounts = (options: DedicatedGatewayOptions) => podOf(east({}, options), 'egress').spec.containers[0].volumeMounts.map(({ name, readOnly }: Manifest) => [name, readOnly]);
  expect(mounts({})).toEqual([['federation-workload', undefined], ['federation-trust', true]]);
  expect(mounts({ credential: GatewayCredential.fromSecret('out') })).toEqual([['federation-credential', true], ['federation-trust', true]]);
});

test('the egress gateway forwards no client certificate, and the ingress gateway that of the peer only', () => {
  expect(ROLES.map((role) => proxyConfig(east(), role).gatewayTopology)).toEqual([{ forwardClientCertDetails: 'SANITIZE_SET' }, { forwardClientCertDetails: 'SANITIZE' }]);
});

test('istiod may send the ingress gateway the Secret of its credential, since its service account may list Secrets of the namespace', () => {
  const objects = east({ credential: GatewayCredential.fromSecret('in') });
  expect(find(objects, 'Role', 'federation-ingress').rules).toEqual([{ apiGroups: [''], resources: ['secrets'], verbs: ['list'] }]);
  const { roleRef, subjects } = find(objects, 'RoleBinding', 'federation-ingress');
  expect(roleRef).toEqual({ apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'federation-ingress' });
  expect(subjects).toEqual([{ kind: 'ServiceAccount', name: 'federation-ingress', namespace: 'istio-federation' }]);
});

test.each([[29999, undefined], [30000, 30000], [32767, 32767], [32768, undefined]])('port %s of an endpoint gets the node port %s', (port, nodePort) => {
  const app = new App();
  const mesh = meshOf(app, 'east', {
    endpoints: [{ address: 'a.east.example', port }], ingressGateway: BoundaryGateway.dedicated({ serviceType: GatewayServiceType.NODE_PORT }),
  });
  mesh.expose('Reviews', { service: LocalService.fromName('reviews', 'books'), exportName: 'reviews', ports: [ServicePort.http(80)] });
  expect(find(objectsOf(app), 'Service', 'federation-ingress').spec.ports.map((one: Manifest) => [one.port, one.nodePort])).toEqual([[port, nodePort]]);
});
test('an egress gateway without local ports may connect to DNS, istiod and monitoring only', () => {
  const app = new App();
  const mesh = meshOf(app, 'east');
  const bank = bankWith({ knownAs: 'east' });
  mesh.addPeer(bank);
  mesh.bind('Cards', { source: bank.exposedService('cards'), localName: LocalName.newService('cards', 'web') });
  expect(find(objectsOf(app), 'NetworkPolicy', 'federation-egress').spec).toMatchObject({ ingress: [HEALTH, METRICS], egress: [...INFRASTRUCTURE, { to: [namespace('monitoring')] }] });
});

test('the egress gateway has the hash of the revocation lists of the peers that it calls, which restarts its pods, and the ingress gateway has none', () => {
  const annotations = (scenario: string) => [...filesOf(SCENARIOS[scenario]()).values()].flatMap((file) => parse(file)).filter(({ kind }) => kind === 'Deployment')
    .map(({ metadata, spec }): [string, string | undefined] => [metadata.name, spec.template.metadata.annotations['cdk8s-mesh-federation/revocation-lists']]);
  const listed = annotations('separate-authorities').filter(([, hash]) => hash !== undefined);
  expect(listed.map(([name, hash]) => [name, /^sha256:[0-9a-f]{64}$/.test(hash!)])).toEqual([['federation-egress', true]]);
  expect(annotations('two-meshes-http').filter(([, hash]) => hash !== undefined)).toEqual([]);
});
