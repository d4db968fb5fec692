import { App } from 'cdk8s';
import { BoundaryGateway, Caller, DedicatedGatewayOptions, GatewayCredential, GatewayServiceType, LocalName, LocalService, ServicePort } from '../src';
import { find, Manifest, names, objectsOf, parse } from './support/manifests';
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
      .toEqual({ attemptCount: { disabled: true }, envoyDebugHeaders: { disabled: true }, server: { disabled: true } });
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
