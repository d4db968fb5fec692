import { App } from 'cdk8s';
import { BoundaryGateway, Caller, DedicatedGatewayOptions, GatewayCredential, GatewayServiceType, LocalName, LocalService, ServicePort } from '../src';
import { find, Manifest, names, objectsOf, parse } from './support/manifests';
import { meshOf } from './support/meshes';
import { bankWith } from './support/pair';

/*
 * The pods of the gateways, the files that they find, and the connections that they may have.
 */

/** East exports to the bank and calls it. */
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

describe('the certificate of a gateway', () => {
  const issued = GatewayCredential.fromCertManager({ issuerName: 'ca' });
  const CREDENTIALS: [string, DedicatedGatewayOptions, DedicatedGatewayOptions][] = [
    ['its mesh', {}, {}],
    ['cert-manager', { credential: issued }, { credential: issued }],
    ['a Secret', { credential: GatewayCredential.fromSecret('in') }, { credential: GatewayCredential.fromSecret('out') }],
  ];

  test('is written into memory by an egress gateway without credential, and by no other gateway', () => {
    const writes = CREDENTIALS.map(([, ingress, egress]) => ROLES.map((role) => proxyConfig(east(ingress, egress), role).proxyMetadata.OUTPUT_CERTS));
    expect(writes).toEqual([[undefined, '/etc/federation/workload'], [undefined, undefined], [undefined, undefined]]);
    const memory = podOf(east(), 'egress').spec.volumes.filter(({ name }: Manifest) => name === 'federation-workload');
    expect(memory).toEqual([{ name: 'federation-workload', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } }]);
  });

  test.each(CREDENTIALS)('from %s is mounted, with the CAs of peers, where DestinationRules name it by path', (_, ingress, egress) => {
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

test('istiod injects the pods of both gateways as gateways, and ambient leaves them alone', () => {
  for (const role of ROLES) {
    const { labels, annotations } = podOf(east(), role).metadata;
    expect([labels['sidecar.istio.io/inject'], labels['istio.io/dataplane-mode'], annotations['inject.istio.io/templates']]).toEqual(['true', 'none', 'gateway']);
  }
});

test('no gateway names itself or counts attempts in what it sends', () => {
  for (const role of ROLES) {
    expect(proxyConfig(east(), role).proxyHeaders)
      .toEqual({ attemptCount: { disabled: true }, envoyDebugHeaders: { disabled: true }, server: { disabled: true } });
  }
});

test.each([GatewayServiceType.LOAD_BALANCER, GatewayServiceType.NODE_PORT])('a Service of type %s keeps the peer\'s address unless it is told otherwise', (serviceType) => {
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
  ['from everywhere', {}, { ports: tcp(15443) }],
  ['from the source ranges', { sourceRanges: ['203.0.113.0/28'] }, { from: [{ ipBlock: { cidr: '203.0.113.0/28' } }], ports: tcp(15443) }],
])('peers reach 15443 of the ingress gateway %s, and nothing else', (_, options, peers) => {
  expect(find(east(options), 'NetworkPolicy', 'federation-ingress').spec.ingress).toEqual([peers, HEALTH, METRICS]);
});

test('the namespaces of callers reach 15443 of the egress gateway, and nothing else', () => {
  expect(find(east(), 'NetworkPolicy', 'federation-egress').spec.ingress).toEqual([{ from: [namespace('shop')], ports: tcp(15443) }, HEALTH, METRICS]);
});

test('every network policy of a gateway closes both directions, and selects the pods of that gateway', () => {
  const objects = east();
  expect(names(objects, 'NetworkPolicy')).toEqual(['federation-default-deny', 'federation-egress', 'federation-ingress']);
  for (const role of ROLES) {
    expect(find(objects, 'NetworkPolicy', `federation-${role}`).spec).toMatchObject({
      podSelector: { matchLabels: { istio: `istio-federation-${role}` } }, policyTypes: ['Ingress', 'Egress'],
    });
  }
});
