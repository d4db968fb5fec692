import { Manifest, parseWhole } from './support/manifests';
import { trustOf } from './support/meshes';
import { textIn } from './support/output';
import { violationsIn } from './support/plugin';

/*
 * Objects that people have beside a boundary, and that BoundaryValidation accepts.
 */

const BOUNDARY = parseWhole(textIn('both-directions/east'));

const object = (apiVersion: string, kind: string, rest: object, namespace: string | undefined = 'shop', metadata: object = {}): Manifest =>
  ({ apiVersion, kind, metadata: { name: 'theirs', namespace, ...metadata }, ...rest });
const istio = (kind: string, spec: object, namespace?: string) => object('networking.istio.io/v1', kind, { spec }, namespace);
const tls = (settings: object, host = 'db.example.org') => istio('DestinationRule', { host, trafficPolicy: { tls: { mode: 'MUTUAL', credentialName: 'a', ...settings } } });
const external = (rest: object) => istio('ServiceEntry', { hosts: ['db.example.org'], ports: [{ number: 443, name: 'https', protocol: 'HTTPS' }], ...rest });
const policy = (spec: object) => object('networking.k8s.io/v1', 'NetworkPolicy', { spec }, 'istio-federation');
const dns = (port: number | string, more: object = {}) => ({ ports: [{ port, protocol: 'UDP' }, { port, protocol: 'TCP' }], ...more });
const OTHER_PODS = { matchExpressions: [{ key: 'app', operator: 'In', values: ['backup', 'cert-tool'] }] };

const accepted: { readonly [title: string]: Manifest[] } = {
  'a client certificate for a host that Istio verifies by itself': [tls({})],
  'a client certificate with subjectAltNames and without SNI': [tls({ subjectAltNames: ['db.example.org'] })],
  'a client certificate for a host whose ServiceEntry lists subjectAltNames': [tls({ sni: 'db' }), external({ subjectAltNames: ['db.example.org'] })],
  'a client certificate for a host whose ServiceEntry is for HTTPS': [tls({}), external({})],
  'a rule for an external host without verification of a client': [istio('DestinationRule', { host: 'api.example.org', trafficPolicy: { tls: { mode: 'SIMPLE', sni: 'api.example.org' } } })],
  'a rule of the egress gateway\'s callers that sets no TLS': [istio('DestinationRule', { host: 'federation-egress.istio-federation.svc.cluster.local', trafficPolicy: { connectionPool: { tcp: { maxConnections: 10 } } } })],
  'a NetworkPolicy for DNS on the port of OpenShift': [policy({ podSelector: {}, policyTypes: ['Egress'], egress: [dns(5353)] })],
  'a NetworkPolicy for DNS in one namespace': [policy({ podSelector: { matchLabels: { istio: 'istio-federation-ingress' } }, egress: [dns('dns', { to: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'openshift-dns' } } }] })] })],
  'a NetworkPolicy for other pods by matchExpressions': [policy({ podSelector: OTHER_PODS, ingress: [{}], egress: [{}] })],
  'a NetworkPolicy for pods without the label of the gateways': [policy({ podSelector: { matchExpressions: [{ key: 'istio', operator: 'DoesNotExist' }] }, ingress: [{}] })],
  'a NetworkPolicy for all pods but the gateways': [policy({ podSelector: { matchExpressions: [{ key: 'app', operator: 'NotIn', values: ['federation-ingress', 'federation-egress'] }] }, ingress: [{}] })],
  'a NetworkPolicy that denies everything': [policy({ podSelector: {}, policyTypes: ['Ingress', 'Egress'], ingress: [], egress: [] })],
  'a DestinationRule for other pods of the namespace': [istio('DestinationRule', { host: 'a.example', workloadSelector: { matchLabels: { app: 'cert-tool' } } }, 'istio-federation')],
  'a Certificate of cert-manager': [object('cert-manager.io/v1', 'Certificate', { spec: { secretName: 'tls', dnsNames: ['shop.example'] } }, 'istio-federation')],
  'a Bundle of trust-manager': [object('trust.cert-manager.io/v1alpha1', 'Bundle', { spec: { sources: [{ inLine: trustOf('west')._pem }] } }, undefined)],
  'a ConfigMap with the root of the mesh': [object('v1', 'ConfigMap', { data: { 'root-cert.pem': trustOf('east')._pem } }, 'istio-federation', { name: 'istio-ca-root-cert' })],
  'a ServiceMonitor and a PodMonitor for the gateways': ['ServiceMonitor', 'PodMonitor'].map((kind) =>
    object('monitoring.coreos.com/v1', kind, { spec: { selector: { matchLabels: { istio: 'istio-federation-ingress' } } } }, 'istio-federation')),
  'a ResourceQuota and a LimitRange in the namespace of the boundary': ['ResourceQuota', 'LimitRange'].map((kind) => object('v1', kind, { spec: {} }, 'istio-federation')),
  'an application with Helm\'s labels': [object('apps/v1', 'Deployment', { spec: { selector: {}, template: { metadata: { labels: { app: 'shop' } } } } }, 'shop',
    { labels: { 'app.kubernetes.io/managed-by': 'Helm', 'app.kubernetes.io/part-of': 'mesh-federation' } })],
  'an application of the same name in another namespace': [object('apps/v1', 'Deployment', { spec: { template: { metadata: { labels: { app: 'federation-ingress' } } } } }, 'shop', { name: 'federation-ingress' })],
  'a Gateway and a VirtualService of a public ingress gateway': [
    istio('Gateway', { selector: { istio: 'ingressgateway' }, servers: [{ port: { number: 443 }, hosts: ['*'], tls: { mode: 'SIMPLE', credentialName: 'public' } }] }),
    istio('VirtualService', { hosts: ['shop.example'], gateways: ['theirs', 'mesh'], http: [{ route: [] }] }),
  ],
  'an entry for an external host with a wildcard': [istio('ServiceEntry', { hosts: ['*.amazonaws.com', '*.example.org', '*.gov.uk'] })],
  'policies for the whole mesh in the root namespace': [
    object('security.istio.io/v1', 'PeerAuthentication', { spec: { mtls: { mode: 'STRICT' } } }, 'istio-system'),
    object('security.istio.io/v1', 'AuthorizationPolicy', { spec: {} }, 'istio-system'),
    object('telemetry.istio.io/v1', 'Telemetry', { spec: { accessLogging: [] } }, 'istio-system'),
  ],
  'policies for other pods in the root namespace': [
    object('extensions.istio.io/v1alpha1', 'WasmPlugin', { spec: { selector: { matchLabels: { istio: 'ingressgateway' } } } }, 'istio-system'),
    object('networking.istio.io/v1alpha3', 'EnvoyFilter', { spec: { workloadSelector: { labels: { istio: 'ingressgateway' } }, configPatches: [{ match: { context: 'GATEWAY' } }] } }, 'istio-system'),
  ],
  'a List, empty documents, and documents of unknown kinds': [
    null, 'text', 5, { apiVersion: 'v1', kind: 'List', items: [object('v1', 'ConfigMap', { data: { a: 'b' } }), null] }, { kind: 'ConfigMapList', items: [] },
    object('example.org/v1', 'AllowList', { items: ['a'] }), { kind: null, metadata: null }, {},
  ],
};

test.each(Object.keys(accepted))('BoundaryValidation accepts %s', async (title) => {
  expect(await violationsIn({ 'boundary.yaml': BOUNDARY, 'theirs.yaml': accepted[title] })).toEqual([]);
});

const reported: { readonly [title: string]: [Manifest[], string] } = {
  'a client certificate for a host whose ServiceEntry is for TCP': [[tls({}), external({ ports: [{ number: 5432, name: 'tcp', protocol: 'TCP' }] })], 'unpinned-peers: DestinationRule shop/theirs: spec.trafficPolicy.tls.subjectAltNames is missing'],
  'a client certificate with a fixed SNI only': [[tls({ sni: 'db' }), external({})], 'unpinned-peers: DestinationRule shop/theirs: spec.trafficPolicy.tls.subjectAltNames is missing'],
  'a NetworkPolicy that opens more than DNS': [[policy({ podSelector: {}, egress: [dns(5353), { ports: [{ port: 443 }] }] })], 'foreign-objects: NetworkPolicy istio-federation/theirs: the object selects pods of the boundary gateways in namespace istio-federation'],
  'a NetworkPolicy that opens DNS and all ports of a namespace': [[policy({ podSelector: {}, egress: [{ to: [{ namespaceSelector: {} }] }] })], 'foreign-objects: NetworkPolicy istio-federation/theirs: the object selects pods of the boundary gateways in namespace istio-federation'],
  'a NetworkPolicy that opens a range of ports': [[policy({ podSelector: {}, egress: [{ ports: [{ port: 53, endPort: 60000 }] }] })], 'foreign-objects: NetworkPolicy istio-federation/theirs: the object selects pods of the boundary gateways in namespace istio-federation'],
  'a NetworkPolicy for the gateways by matchExpressions': [[policy({ podSelector: { matchExpressions: [{ key: 'app', operator: 'In', values: ['federation-ingress'] }] }, ingress: [{}] })], 'foreign-objects: NetworkPolicy istio-federation/theirs: the object selects pods of the boundary gateways in namespace istio-federation'],
  'a NetworkPolicy for all pods with a label': [[policy({ podSelector: { matchExpressions: [{ key: 'istio', operator: 'Exists' }] }, ingress: [{}] })], 'foreign-objects: NetworkPolicy istio-federation/theirs: the object selects pods of the boundary gateways in namespace istio-federation'],
};

test.each(Object.keys(reported))('BoundaryValidation reports %s', async (title) => {
  const [documents, text] = reported[title];
  expect(await violationsIn({ 'boundary.yaml': BOUNDARY, 'theirs.yaml': documents })).toEqual([text]);
});

test('20,000 documents are read in a few seconds', async () => {
  const route = (index: number) => ({ ...istio('VirtualService', { hosts: [`s${index}.shop.svc.cluster.local`], http: [] }), metadata: { name: `s${index}`, namespace: 'shop' } });
  const wildcard = (index: number) => ({ ...istio('ServiceEntry', { hosts: [`*.s${index}.example.org`] }), metadata: { name: `e${index}`, namespace: 'shop' } });
  const documents = Array.from({ length: 10_000 }, (_, index) => [route(index), wildcard(index)]).flat();
  const start = process.cpuUsage();
  expect(await violationsIn({ 'boundary.yaml': BOUNDARY, 'theirs.yaml': documents })).toEqual([]);
  expect(process.cpuUsage(start).user).toBeLessThan(10_000_000);
});
