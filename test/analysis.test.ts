import { App } from 'cdk8s';
import { BoundaryValidation, Caller, LocalName, LocalService, ServicePort } from '../src';
import { Manifest, wholeObjectsOf } from './support/manifests';
import { meshOf } from './support/meshes';
import { bankWith } from './support/pair';
import { violationsIn } from './support/plugin';

/*
 * Which foreign objects BoundaryValidation reports at the gateways of a boundary.
 */

/** The rules that documents violate, in order, and the number of documents that were read. */
async function validate(documents: Manifest[], properties: object = {}) {
  const rules: string[] = [];
  let read = '';
  await new BoundaryValidation(properties).validate({
    manifests: ['all.yaml'],
    parseManifest: () => documents,
    report: {
      addViolation: ({ ruleName, violatingResources }) => { rules.push(...violatingResources.map(({ resourceName }) => `${ruleName}: ${resourceName}`)); },
      submit: (_, summary) => { read = summary!.documents; },
    },
  });
  return { rules, read };
}

/** The boundary of east, in the namespace istio-federation, which exports a Service to a bank and binds one of the bank's. */
const boundary = () => {
  const app = new App();
  const mesh = meshOf(app, 'east');
  const bank = bankWith();
  mesh.addPeer(bank);
  mesh.expose('Reviews', { service: LocalService.fromName('reviews', 'default'), exportName: 'reviews', ports: [ServicePort.http(80)] }).allowFrom(bank);
  mesh.bind('Ledger', { source: bank.exposedService('cards'), localName: LocalName.newService('ledger', 'web') }).allowFrom(Caller.serviceAccount('page', 'web'));
  return wholeObjectsOf(app);
};
const BOUNDARY = boundary();
/** Workloads by the path of the fields of their pods. */
const WORKLOADS: [apiVersion: string, kind: string, path: string][] = [
  ['v1', 'Pod', 'spec'], ['v1', 'ReplicationController', 'spec.template.spec'], ['apps/v1', 'Deployment', 'spec.template.spec'],
  ['apps/v1', 'StatefulSet', 'spec.template.spec'], ['apps/v1', 'DaemonSet', 'spec.template.spec'], ['apps/v1', 'ReplicaSet', 'spec.template.spec'],
  ['batch/v1', 'Job', 'spec.template.spec'], ['batch/v1', 'CronJob', 'spec.jobTemplate.spec.template.spec'],
  ['batch/v1beta1', 'CronJob', 'spec.jobTemplate.spec.template.spec'],
];

/** Workloads of other API groups, which have pods like a Deployment. */
const TEMPLATES: [apiVersion: string, kind: string][] = [
  ['argoproj.io/v1alpha1', 'Rollout'], ['apps.openshift.io/v1', 'DeploymentConfig'], ['apps.kruise.io/v1alpha1', 'CloneSet'], ['apps/v1beta1', 'Deployment'],
  ['serving.knative.dev/v1', 'Service'],
];

const object = (apiVersion: string, kind: string, rest: object, metadata: object = {}): Manifest =>
  ({ apiVersion, kind, metadata: { name: 'theirs', namespace: 'istio-federation', ...metadata }, ...rest });

/** A workload whose pods have these labels and fields. */
function workload(apiVersion: string, kind: string, labels: object, spec: object = {}, namespace = 'istio-federation'): Manifest {
  const template = { metadata: { labels }, spec };
  if (kind === 'Pod') return object(apiVersion, kind, { spec }, { labels, namespace });
  return object(apiVersion, kind, { spec: kind === 'CronJob' ? { jobTemplate: { spec: { template } } } : { template } }, { namespace });
}

const found = async (manifest: Manifest) => violationsIn({ 'east.yaml': BOUNDARY, 'theirs.yaml': [manifest] });

test.each(TEMPLATES)('BoundaryValidation reports a %s %s whose pods have the account of a boundary gateway', async (apiVersion, kind) => {
  const spec = { serviceAccountName: 'federation-egress', containers: [{ name: 'theirs' }] };
  expect(await found(workload(apiVersion, kind, {}, spec))).toEqual([expect.stringContaining('spec.template.spec.serviceAccountName is federation-egress')]);
  expect(await found(workload(apiVersion, kind, { app: 'theirs' }, { ...spec, serviceAccountName: 'theirs' }))).toEqual([]);
  expect(await found(workload(apiVersion, kind, {}, spec, 'shop'))).toEqual([]);
});

test('BoundaryValidation reports a PodTemplate with the account of a boundary gateway', async () => {
  const template = { spec: { serviceAccountName: 'federation-egress', containers: [{ name: 'theirs' }] } };
  expect(await found(object('v1', 'PodTemplate', { template }))).toEqual([expect.stringContaining('template.spec.serviceAccountName')]);
});

const SELECTS = 'the object selects pods of the boundary gateways in namespace istio-federation';

test.each(WORKLOADS)('BoundaryValidation reports a %s %s whose pods have a label of a boundary gateway', async (apiVersion, kind) => {
  const text = `foreign-objects: ${kind} istio-federation/theirs: ${SELECTS}`;
  expect(await found(workload(apiVersion, kind, { app: 'federation-ingress' }))).toEqual([text]);
  expect(await found(workload(apiVersion, kind, { istio: 'istio-federation-egress' }))).toEqual([text]);
  expect(await found(workload(apiVersion, kind, { app: 'shop' }))).toEqual([]);
});

test.each(WORKLOADS)('BoundaryValidation reports a %s %s with the service account of a boundary gateway', async (apiVersion, kind, path) => {
  for (const field of ['serviceAccountName', 'serviceAccount']) {
    expect(await found(workload(apiVersion, kind, {}, { [field]: 'federation-ingress' })))
      .toEqual([`foreign-objects: ${kind} istio-federation/theirs: ${path}.${field} is federation-ingress, the service account of a boundary gateway`]);
    expect(await found(workload(apiVersion, kind, {}, { [field]: 'federation-egress' }))).toHaveLength(1);
    expect(await found(workload(apiVersion, kind, {}, { [field]: 'cert-tool' }))).toEqual([]);
    expect(await found(workload(apiVersion, kind, {}, { [field]: 'federation-ingress' }, 'shop'))).toEqual([]);
  }
});

const ISTIO = 'networking.istio.io/v1';
const TOKEN = { type: 'kubernetes.io/service-account-token' };
const account = (name: string) => ({ annotations: { 'kubernetes.io/service-account.name': name } });
const slice = (service: string, namespace = 'istio-federation') => object('discovery.k8s.io/v1', 'EndpointSlice', { endpoints: [] }, { namespace, labels: { 'kubernetes.io/service-name': service } });

test.each<[title: string, manifest: Manifest, error: string]>([
  ['a WorkloadEntry with the service account of a gateway', object(ISTIO, 'WorkloadEntry', { spec: { serviceAccount: 'federation-egress' } }), 'spec.serviceAccount is federation-egress, the service account of a boundary gateway'],
  ['a WorkloadEntry with a label of a gateway', object(ISTIO, 'WorkloadEntry', { spec: { labels: { app: 'federation-egress' } } }), SELECTS],
  ['a WorkloadEntry whose own label is that of a gateway', object(ISTIO, 'WorkloadEntry', { spec: { labels: { app: 'shop' } } }, { labels: { app: 'federation-egress' } }), SELECTS],
  ['a WorkloadGroup with the service account of a gateway', object(ISTIO, 'WorkloadGroup', { spec: { template: { serviceAccount: 'federation-ingress' } } }), 'spec.template.serviceAccount is federation-ingress, the service account of a boundary gateway'],
  ['a WorkloadGroup with a label of a gateway', object(ISTIO, 'WorkloadGroup', { spec: { metadata: { labels: { istio: 'istio-federation-ingress' } }, template: {} } }), SELECTS],
  ['an EndpointSlice of the Service of a gateway', slice('federation-ingress'), 'metadata.labels["kubernetes.io/service-name"] is federation-ingress, a Service of a boundary'],
  ['an EndpointSlice of the Service of the egress gateway', slice('federation-egress'), 'metadata.labels["kubernetes.io/service-name"] is federation-egress, a Service of a boundary'],
  ['Endpoints of the Service of a gateway', object('v1', 'Endpoints', { subsets: [] }, { name: 'federation-ingress' }), 'metadata.name is federation-ingress, a Service of a boundary'],
  ['an EndpointSlice of the Service of a local name', slice('ledger', 'web'), 'metadata.labels["kubernetes.io/service-name"] is ledger, a Service of a boundary'],
  ['Endpoints of the Service of a local name', object('v1', 'Endpoints', { subsets: [] }, { name: 'ledger', namespace: 'web' }), 'metadata.name is ledger, a Service of a boundary'],
  ['a Secret with a token of the service account of a gateway', object('v1', 'Secret', TOKEN, account('federation-ingress')), 'metadata.annotations["kubernetes.io/service-account.name"] is federation-ingress, the service account of a boundary gateway'],
  ['an AuthorizationPolicy with targetRefs for the Service of a gateway', object('security.istio.io/v1', 'AuthorizationPolicy', { spec: { targetRefs: [{ kind: 'Service', name: 'federation-egress' }], rules: [{}] } }), SELECTS],
  ['an EnvoyFilter with targetRefs in the namespace of a boundary', object('networking.istio.io/v1alpha3', 'EnvoyFilter', { spec: { targetRefs: [{ kind: 'Service', name: 'shop' }] } }), SELECTS],
])('BoundaryValidation reports %s', async (_, manifest, error) => {
  const { kind, metadata: { name, namespace } } = manifest;
  expect(await found(manifest)).toEqual([`foreign-objects: ${kind} ${namespace}/${name}: ${error}`]);
});

test.each<[title: string, manifest: Manifest]>([
  ['a Deployment of an unrelated API group with the labels and account of a gateway', workload('example.org/v1', 'Deployment', { app: 'federation-ingress' }, { serviceAccountName: 'federation-ingress' })],
  ['a Service of Knative with the labels of a gateway', object('serving.knative.dev/v1', 'Service', { spec: { selector: { app: 'federation-ingress' } } })],
  ['a NetworkPolicy of Calico', object('crd.projectcalico.org/v1', 'NetworkPolicy', { spec: { podSelector: {}, ingress: [{}] } })],
  ['a Job of Volcano', workload('batch.volcano.sh/v1alpha1', 'Job', { app: 'federation-ingress' })],
  ['a Service of a group that only begins like that of Kubernetes', object('v1/x', 'Service', { spec: { selector: { app: 'federation-ingress' } } })],
  ['an AuthorizationPolicy of an unrelated API group', object('networking.example.org/v1', 'AuthorizationPolicy', { spec: {} })],
  ['a kind with the name of a JavaScript property', object('v1', 'constructor', { spec: {} })],
  ['a WorkloadEntry with another account and label', object(ISTIO, 'WorkloadEntry', { spec: { serviceAccount: 'vm', labels: { app: 'vm' } } })],
  ['a WorkloadEntry without labels and account', object(ISTIO, 'WorkloadEntry', { spec: {} })],
  ['a WorkloadEntry with the account of a gateway in another namespace', object(ISTIO, 'WorkloadEntry', { spec: { serviceAccount: 'federation-egress' } }, { namespace: 'shop' })],
  ['an EndpointSlice of another Service', slice('shop')],
  ['an EndpointSlice of a Service of the same name in another namespace', slice('federation-ingress', 'shop')],
  ['an EndpointSlice without a Service', object('discovery.k8s.io/v1', 'EndpointSlice', {})],
  ['Endpoints of another Service', object('v1', 'Endpoints', { subsets: [] }, { name: 'db', namespace: 'web' })],
  ['a Secret with a token of another service account', object('v1', 'Secret', TOKEN, account('cert-tool'))],
  ['a Secret with a token of an account of the same name in another namespace', object('v1', 'Secret', TOKEN, { namespace: 'shop', ...account('federation-ingress') })],
  ['a Secret of another type with that annotation', object('v1', 'Secret', { type: 'Opaque' }, account('federation-ingress'))],
  ['an AuthorizationPolicy with targetRefs in the root namespace', object('security.istio.io/v1', 'AuthorizationPolicy', { spec: { targetRefs: [{ kind: 'GatewayClass', name: 'istio-waypoint' }], rules: [{}] } }, { namespace: 'istio-system' })],
  ['a RequestAuthentication for a Gateway of the Gateway API', object('security.istio.io/v1', 'RequestAuthentication', { spec: { targetRef: { kind: 'Gateway', name: 'shop' } } })],
  ['a Telemetry for another Service', object('telemetry.istio.io/v1', 'Telemetry', { spec: { targetRefs: [{ kind: 'Service', name: 'shop' }] } })],
])('BoundaryValidation accepts %s', async (_, manifest) => {
  expect(await found(manifest)).toEqual([]);
});

describe('hosts of a DestinationRule', () => {
  const rule = (host: string, mode = 'DISABLE', namespace = 'shop') => object(ISTIO, 'DestinationRule', { spec: { host, workloadSelector: { matchLabels: { app: 'shop' } }, trafficPolicy: { tls: { mode } } } }, { namespace });
  const weak = (mode: string, namespace = 'shop') => [`weak-tls: DestinationRule ${namespace}/theirs: spec.trafficPolicy.tls.mode is DISABLE, but must be ${mode} towards a boundary`];

  test.each([
    'federation-ingress.istio-federation.svc.cluster.local', 'Federation-Ingress.Istio-Federation.svc.cluster.local', 'federation-egress.istio-federation.svc.cluster.local.',
    'federation-egress.istio-federation.svc.k8s.east', '*.istio-federation.svc.cluster.local', '*.Istio-Federation.svc.cluster.local.', '*-egress.istio-federation.svc.cluster.local',
  ])('BoundaryValidation requires ISTIO_MUTUAL for the host %s of a gateway', async (host) => {
    expect(await found(rule(host))).toEqual(weak('ISTIO_MUTUAL'));
  });

  test('BoundaryValidation requires ISTIO_MUTUAL for the short host of a gateway in its namespace', async () => {
    expect(await found(rule('Federation-Ingress', 'DISABLE', 'istio-federation'))).toEqual(weak('ISTIO_MUTUAL', 'istio-federation'));
    expect(await found(rule('federation-ingress'))).toEqual([]);
  });

  test.each([
    'p443.cards.shop.fed.bank.example', 'P443.Cards.Shop.Fed.Bank.Example', 'p443.cards.shop.fed.bank.example.', '*.shop.fed.bank.example', '*.SHOP.fed.bank.example', '*op.fed.bank.example', '*.fed.bank.example',
  ])('BoundaryValidation requires MUTUAL for the host %s of a peer', async (host) => {
    expect(await found(rule(host))).toEqual(weak('MUTUAL'));
  });

  test.each([
    '*.local', '*.cluster.local', '*.svc.cluster.local', '*', '*.shop.svc.cluster.local', '*.bank.example', 'www.bank.example', '*.fed.us', 'fed.bank.example', 'ledger.web.svc.cluster.local',
  ])('BoundaryValidation accepts any mode for the host %s', async (host) => {
    expect(await found(rule(host))).toEqual([]);
  });

  test('BoundaryValidation accepts a rule with ISTIO_MUTUAL for all Services of the boundary\'s namespace', async () => {
    expect(await found(rule('*.istio-federation.svc.cluster.local', 'ISTIO_MUTUAL'))).toEqual([]);
  });

  test('a client certificate is verified by a ServiceEntry whose host is written in another way', async () => {
    const certificate = object(ISTIO, 'DestinationRule', { spec: { host: 'DB.example.org.', trafficPolicy: { tls: { mode: 'MUTUAL', sni: 'db', credentialName: 'a' } } } }, { namespace: 'shop' });
    const entry = object(ISTIO, 'ServiceEntry', { spec: { hosts: ['db.Example.org'], subjectAltNames: ['db.example.org'] } }, { namespace: 'shop' });
    expect(await violationsIn({ 'theirs.yaml': [certificate, entry] })).toEqual([]);
    expect(await violationsIn({ 'theirs.yaml': [certificate] })).toHaveLength(1);
  });
});

test('boundaryNamespaces adds a boundary to those that BoundaryValidation finds in the manifests', async () => {
  const gateway = (namespaceName: string) => ({
    apiVersion: 'networking.istio.io/v1',
    kind: 'Gateway',
    metadata: { name: namespaceName, namespace: 'shop' },
    spec: {
      selector: { istio: `${namespaceName}-ingress` },
      servers: [{ port: { number: 15443 }, hosts: ['./a.example'], tls: { mode: 'MUTUAL', minProtocolVersion: 'TLSV1_3', subjectAltNames: ['a'] } }],
    },
  });
  const documents = [...boundary(), gateway('istio-federation'), gateway('partners')];
  expect((await validate(documents)).rules).toEqual(['foreign-objects: Gateway shop/istio-federation']);
  expect((await validate(documents, { boundaryNamespaces: ['partners'] })).rules)
    .toEqual(['foreign-objects: Gateway shop/istio-federation', 'foreign-objects: Gateway shop/partners']);
});

test.each<[string, object]>([
  ['without items', {}], ['with a string as items', { items: 'all' }], ['with an object as items', { items: { a: 1 } }], ['with null as items', { items: null }],
])('BoundaryValidation counts an AllowList %s as one document', async (_, rest) => {
  const list = { apiVersion: 'access.example.org/v1', kind: 'AllowList', metadata: { name: 'partners', namespace: 'shop' }, ...rest };
  expect(await validate([list])).toEqual({ rules: [], read: '1' });
});
