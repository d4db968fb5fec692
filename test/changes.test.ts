import { ApiObject, App, Chart, JsonPatch } from 'cdk8s';
import { FederatedMesh, LocalService, ServicePort } from '../src';
import { changesOf } from './support/changes';
import { DIGEST, Manifest, parseWhole, wholeObjectsOf } from './support/manifests';
import { meshOf, trustOf } from './support/meshes';
import { textIn } from './support/output';
import { bankWith } from './support/pair';
import { violationsIn } from './support/plugin';

/*
 * BoundaryValidation reports every dangerous change of a generated object: fields that are removed, emptied or widened, objects that are
 * removed, and metadata that change what an object does.
 */

/** Manifests that together contain every kind of object and every form of policy. */
const FILES = ['two-meshes-http/west', 'existing-gateways/east', 'tokens/east', 'locked/east', 'separate-authorities/east', 'wide-callers/west', 'isolated-peer/east', 'protocols/east'];
/** Kinds whose fields nobody can use to open a boundary. */
const HARMLESS_KINDS: { readonly [kind: string]: string } = {
  HorizontalPodAutoscaler: 'decides how many pods of the same kind run',
  PodDisruptionBudget: 'decides when a node may be drained',
};

const documentsIn = (file: string) => parseWhole(textIn(file));
const nameOf = ({ kind, metadata }: Manifest) => `${kind} ${metadata.namespace === undefined ? '' : `${metadata.namespace}/`}${metadata.name}`;

describe.each(FILES)('generated manifests of %s', (file) => {
  const documents = documentsIn(file);

  test('BoundaryValidation reports each change of each field', async () => {
    const changes = documents.map((document) => document.kind in HARMLESS_KINDS ? [] : [...changesOf(document)]);
    const unnoticed: string[] = [];
    // One change of every object at a time.
    for (let round = 0; round < Math.max(...changes.map(({ length }) => length)); round++) {
      const found = await violationsIn({ [file]: documents.map((document, index) => changes[index][round]?.changed ?? document) });
      const reported = new Set(found.map((text) => text.split(': ')[1]));
      unnoticed.push(...documents.flatMap((document, index) => changes[index][round] === undefined || reported.has(nameOf(document)) ? [] : [`${nameOf(document)}: ${changes[index][round].what}`]));
    }
    expect(unnoticed).toEqual([]);
    expect(changes.flat().length).toBeGreaterThan(500);
  }, 120_000);

  test('BoundaryValidation reports the removal of each object that protects others', async () => {
    const unnoticed: string[] = [];
    for (const removed of documents) {
      const found = await violationsIn({ [file]: documents.filter((document) => document !== removed) });
      if (found.length === 0) unnoticed.push(nameOf(removed));
    }
    expect(unnoticed.filter((name) => !CLOSED_WITHOUT.some(([pattern]) => pattern.test(name)))).toEqual([]);
  });
});

test.each(FILES)('BoundaryValidation reports each object of %s that somebody else replaces', async (file) => {
  const documents = documentsIn(file);
  const unnoticed: string[] = [];
  for (const replaced of documents.filter(({ kind, spec }) => !(kind in HARMLESS_KINDS) && !(kind === 'Service' && spec.selector === undefined))) {
    const { metadata: { name, namespace }, ...rest } = replaced;
    const others = documents.filter((document) => document !== replaced);
    const found = await violationsIn({ [file]: [...others, { ...rest, metadata: { name, namespace } }] });
    if (!found.some((text) => text.startsWith(`foreign-objects: ${nameOf(replaced)}: `))) unnoticed.push(nameOf(replaced));
  }
  expect(unnoticed).toEqual([]);
}, 60_000);

/** Objects without which nothing is open, with the reason. */
const CLOSED_WITHOUT: [name: RegExp, reason: string][] = [
  [/^Namespace /, 'delivery tools create no object without it, or the namespace exists with the labels of its owner'],
  [/^(ConfigMap|Certificate|Role|RoleBinding|ServiceAccount) /, 'a gateway without CA, credential, account or bootstrap accepts no connection'],
  [/^(Deployment|Service|HorizontalPodAutoscaler|PodDisruptionBudget) /, 'without pods, or without their Service, nothing is reachable'],
  [/^(Gateway|VirtualService|ServiceEntry) /, 'without listener, route or address nothing is reachable'],
  [/^DestinationRule \S+\/fed-(call|any)-/, 'callers use a subset of it, and a route to a subset that does not exist answers 503'],
  [/^RequestAuthentication /, 'a rule that requires a token of that issuer denies every request'],
  [/^AuthorizationPolicy \S+\/fed-(in-peer-\S+|out-mesh)$/, 'it is an ALLOW policy'],
  [/^Telemetry /, 'it sets access logs, and no access'],
  [/^EnvoyFilter \S+\/fed-in-jwt-elsewhere$/, 'it removes checks of tokens where none is required'],
];

/** Changes of one object that must be found by a rule of their own: the message tells the field, the value and the fix. */
const CHANGES: [title: string, file: string, name: string, path: string, value: unknown, rule: string][] = [
  ['a listener with insecureSkipVerify', 'both-directions/east', 'Gateway fed-in-west', '/spec/servers/0/tls/insecureSkipVerify', true, 'weak-tls'],
  ['a listener without the CA of the peer', 'both-directions/east', 'Gateway fed-in-west', '/spec/servers/0/tls/caCertCredentialName', undefined, 'unpinned-peers'],
  ['a listener with the root of its own mesh', 'both-directions/east', 'Gateway fed-in-west', '/spec/servers/0/tls/caCertCredentialName', 'configmap://istio-federation/istio-ca-root-cert', 'unpinned-peers'],
  ['a listener with a CA of another namespace', 'both-directions/east', 'Gateway fed-in-west', '/spec/servers/0/tls/caCertCredentialName', 'configmap://istio-system/root', 'unpinned-peers'],
  ['a listener without subjectAltNames', 'both-directions/east', 'Gateway fed-in-west', '/spec/servers/0/tls/subjectAltNames', undefined, 'unpinned-peers'],
  ['a listener with empty subjectAltNames', 'both-directions/east', 'Gateway fed-in-west', '/spec/servers/0/tls/subjectAltNames', [], 'unpinned-peers'],
  ...['ISTIO_MUTUAL', 'SIMPLE', 'PASSTHROUGH', 'AUTO_PASSTHROUGH', 'OPTIONAL_MUTUAL'].map((mode): [string, string, string, string, unknown, string] =>
    [`an ingress listener with the mode ${mode}`, 'both-directions/east', 'Gateway fed-in-west', '/spec/servers/0/tls/mode', mode, 'weak-tls']),
  ['a listener without tls', 'both-directions/east', 'Gateway fed-in-west', '/spec/servers/0/tls', undefined, 'weak-tls'],
  ['an egress listener with the mode SIMPLE', 'both-directions/east', 'Gateway fed-out-west', '/spec/servers/0/tls/mode', 'SIMPLE', 'weak-tls'],
  ['an egress listener without subjectAltNames, whose callers no policy guards', 'both-directions/east', 'Gateway fed-out-west', '/spec/servers/0/tls/subjectAltNames', undefined, 'missing-objects'],
  ['a listener with a wildcard', 'both-directions/east', 'Gateway fed-in-west', '/spec/servers/0/hosts/0', '*', 'wildcard-hosts'],
  ['an upstream without tls', 'both-directions/east', 'DestinationRule fed-out-details-9080-west', '/spec/trafficPolicy/tls', undefined, 'weak-tls'],
  ['an upstream without trafficPolicy', 'both-directions/east', 'DestinationRule fed-out-details-9080-west', '/spec/trafficPolicy', undefined, 'weak-tls'],
  ['an upstream with the mode SIMPLE', 'both-directions/east', 'DestinationRule fed-out-details-9080-west', '/spec/trafficPolicy/tls/mode', 'SIMPLE', 'weak-tls'],
  ['an upstream with insecureSkipVerify', 'both-directions/east', 'DestinationRule fed-out-details-9080-west', '/spec/trafficPolicy/tls/insecureSkipVerify', true, 'weak-tls'],
  ['an upstream without caCertificates', 'both-directions/east', 'DestinationRule fed-out-details-9080-west', '/spec/trafficPolicy/tls/caCertificates', undefined, 'unpinned-peers'],
  ['an upstream with the CAs of the system', 'both-directions/east', 'DestinationRule fed-out-details-9080-west', '/spec/trafficPolicy/tls/caCertificates', 'system', 'unpinned-peers'],
  ['an upstream without subjectAltNames', 'both-directions/east', 'DestinationRule fed-out-details-9080-west', '/spec/trafficPolicy/tls/subjectAltNames', undefined, 'unpinned-peers'],
  ['an upstream with empty subjectAltNames', 'both-directions/east', 'DestinationRule fed-out-details-9080-west', '/spec/trafficPolicy/tls/subjectAltNames', [], 'unpinned-peers'],
  ['an upstream without sni', 'both-directions/east', 'DestinationRule fed-out-details-9080-west', '/spec/trafficPolicy/tls/sni', undefined, 'unpinned-peers'],
  ['an upstream for every sidecar', 'both-directions/east', 'DestinationRule fed-out-details-9080-west', '/spec/workloadSelector', undefined, 'unpinned-peers'],
  ['an upstream with settings of a port that have no tls', 'both-directions/east', 'DestinationRule fed-out-details-9080-west', '/spec/trafficPolicy/portLevelSettings', [{ port: { number: 15443 } }], 'weak-tls'],
  ['an upstream with a subset without TLS', 'both-directions/east', 'DestinationRule fed-out-details-9080-west', '/spec/subsets', [{ name: 'a', trafficPolicy: { tls: { mode: 'DISABLE' } } }], 'weak-tls'],
  ['a rule of callers without tls', 'both-directions/east', 'DestinationRule fed-call-details-9080-catalogue-west-default', '/spec/subsets/0/trafficPolicy', undefined, 'weak-tls'],
  ['a rule of callers with plaintext for a port', 'both-directions/east', 'DestinationRule fed-call-details-9080-catalogue-west-default', '/spec/subsets/0/trafficPolicy/portLevelSettings', [{ port: { number: 15443 } }], 'weak-tls'],
  ['a default deny that allows everything', 'both-directions/east', 'AuthorizationPolicy fed-in-default-deny', '/spec/rules', [{}], 'changed-objects'],
  ['an admission policy that fails open', 'both-directions/east', 'ValidatingAdmissionPolicy istio-federation-boundary', '/spec/failurePolicy', 'Ignore', 'changed-objects'],
  ['an admission policy that only warns', 'both-directions/east', 'ValidatingAdmissionPolicyBinding istio-federation-boundary', '/spec/validationActions', ['Warn'], 'changed-objects'],
  ['a policy that is only logged', 'both-directions/east', 'AuthorizationPolicy fed-in-guard', '/metadata/annotations/istio.io~1dry-run', 'true', 'changed-objects'],
  ['a policy for another revision of istiod', 'both-directions/east', 'AuthorizationPolicy fed-in-guard', '/metadata/labels/istio.io~1rev', 'old', 'changed-objects'],
  ['a namespace without a Pod Security level', 'both-directions/east', 'Namespace istio-federation', '/metadata/labels/pod-security.kubernetes.io~1enforce', undefined, 'changed-objects'],
  ['a Service that every namespace sees', 'both-directions/east', 'Service federation-egress', '/metadata/annotations/networking.istio.io~1exportTo', '*', 'changed-objects'],
  ['an object without a digest', 'both-directions/east', 'AuthorizationPolicy fed-in-guard', `/metadata/annotations/${DIGEST.replace('/', '~1')}`, undefined, 'changed-objects'],
  ['a policy in another namespace', 'both-directions/east', 'AuthorizationPolicy fed-in-guard', '/metadata/namespace', 'elsewhere', 'changed-objects'],
];

test.each(CHANGES)('BoundaryValidation reports %s', async (_, file, name, path, value, rule) => {
  const documents = documentsIn(file).map((document) => {
    if (`${document.kind} ${document.metadata.name}` !== name) return document;
    return JsonPatch.apply(document, value === undefined ? JsonPatch.remove(path) : JsonPatch.add(path, value));
  });
  const found = await violationsIn({ [file]: documents });
  expect(found.filter((text) => text.startsWith(`${rule}: ${name.split(' ')[0]} `) && text.includes(name.split(' ')[1]))).not.toEqual([]);
});

describe('changes that a program makes to a generated object', () => {
  /** The manifests of a program that exports a Service to one peer and then calls `change` for one object. */
  const written = (name: string, change: (object: ApiObject) => void, labels: { [name: string]: string } = {}): Manifest[] => {
    const app = new App();
    const mesh = new FederatedMesh(new Chart(app, 'east', { labels }), 'Mesh', {
      meshName: 'east', trustDomain: 'east.example', trustBundle: trustOf('east'), endpoints: [{ address: 'fed.east.example' }],
    });
    const bank = bankWith();
    mesh.addPeer(bank, { allowTls12: { reason: 'their proxies are old, until June' } });
    mesh.expose('Reviews', { service: LocalService.fromName('reviews', 'default'), exportName: 'reviews', ports: [ServicePort.http(80)] }).allowFrom(bank);
    const object = app.node.findAll().find((construct) => ApiObject.isApiObject(construct) && `${construct.kind} ${construct.name}` === name);
    change(object as ApiObject);
    return wholeObjectsOf(app);
  };
  const violationsAfter = async (...given: Parameters<typeof written>) => violationsIn({ 'east.yaml': written(...given) });
  const GUARD = 'AuthorizationPolicy fed-in-guard';
  const patched = (...patches: JsonPatch[]) => (object: ApiObject) => object.addJsonPatch(...patches);

  test.each<[title: string, name: string, change: (object: ApiObject) => void]>([
    ['the label istio.io/rev', GUARD, ({ metadata }) => metadata.addLabel('istio.io/rev', 'old')],
    ['the annotation istio.io/dry-run', GUARD, ({ metadata }) => metadata.addAnnotation('istio.io/dry-run', 'true')],
    ['an annotation for all namespaces', 'Service federation-ingress', ({ metadata }) => metadata.addAnnotation('networking.istio.io/exportTo', '*')],
    ['another Pod Security level', 'Namespace istio-federation', ({ metadata }) => metadata.addLabel('pod-security.kubernetes.io/enforce', 'privileged')],
    ['a label against injection', 'Namespace istio-federation', ({ metadata }) => metadata.addLabel('istio-injection', 'disabled')],
    ['the dataplane mode of ambient', 'Namespace istio-federation', ({ metadata }) => metadata.addLabel('istio.io/dataplane-mode', 'ambient')],
    ['another reason for TLS 1.2', 'Gateway fed-in-bank', ({ metadata }) => metadata.addAnnotation('cdk8s-mesh-federation/allow-tls-1.2', 'none')],
    ['a reason for the absence of the admission policy', GUARD, ({ metadata }) => metadata.addAnnotation('cdk8s-mesh-federation/without-admission-policy', 'none')],
    ['an owner', GUARD, ({ metadata }) => metadata.addOwnerReference({ apiVersion: 'v1', kind: 'ConfigMap', name: 'a', uid: 'b' })],
    ['a finalizer', GUARD, ({ metadata }) => metadata.addFinalizers('shop.example/hold')],
    ['a patch of the spec', GUARD, patched(JsonPatch.replace('/spec', { rules: [{}] }))],
    ['a patch that removes the spec', GUARD, patched(JsonPatch.remove('/spec'))],
    ['a patch of the kind', GUARD, patched(JsonPatch.replace('/kind', 'RequestAuthentication'))],
    ['a patch of the kind to one without a digest', GUARD, patched(JsonPatch.replace('/kind', 'PodDisruptionBudget'))],
    ['a patch of the kind of an object without a digest', 'PodDisruptionBudget federation-ingress', patched(JsonPatch.replace('/kind', 'Service'))],
    ['a patch of the API group', GUARD, patched(JsonPatch.replace('/apiVersion', 'security.example.org/v1'))],
    ['a patch of the API version', GUARD, patched(JsonPatch.replace('/apiVersion', 'security.istio.io/v2'))],
    ['a patch of the name', GUARD, patched(JsonPatch.replace('/metadata/name', 'guard'))],
    ['a patch of the namespace', GUARD, patched(JsonPatch.replace('/metadata/namespace', 'shop'))],
    ['a patch of the labels', GUARD, patched(JsonPatch.add('/metadata/labels/istio.io~1rev', 'old'))],
    ['a patch that removes the digest', GUARD, patched(JsonPatch.remove(`/metadata/annotations/${DIGEST.replace('/', '~1')}`))],
  ])('BoundaryValidation reports %s', async (_, name, change) => {
    expect(await violationsAfter(name, () => {})).toEqual([]);
    expect((await violationsAfter(name, change)).filter((text) => text.startsWith('changed-objects: '))).not.toEqual([]);
  });

  test.each<[title: string, change: (object: ApiObject) => void]>([
    ['labels and annotations of delivery tools', ({ metadata }) => {
      metadata.addLabel('app.kubernetes.io/managed-by', 'Helm');
      metadata.addLabel('team', 'platform');
      metadata.addAnnotation('argocd.argoproj.io/sync-wave', '3');
      metadata.addAnnotation('external-dns.alpha.kubernetes.io/hostname', 'fed.east.example');
      metadata.addAnnotation('galley.istio.io/analyze-suppress', '*');
    }],
    ['a declared value that is set again', ({ metadata }) => metadata.addLabel('pod-security.kubernetes.io/enforce', 'restricted')],
  ])('BoundaryValidation accepts %s', async (title, change) => {
    expect(await violationsAfter(title.startsWith('a declared') ? 'Namespace istio-federation' : 'Service federation-ingress', change)).toEqual([]);
  });

  test('BoundaryValidation accepts labels that the program declares for all objects of the chart', async () => {
    expect(await violationsAfter(GUARD, () => {}, { 'istio.io/rev': 'stable', 'team': 'platform' })).toEqual([]);
  });
});

test('a change names the field of the digest, and both values', async () => {
  const documents = documentsIn('both-directions/east').map((document) => document.metadata.name === 'fed-in-default-deny' ? { ...document, spec: { ...document.spec, rules: [{}] } } : document);
  expect(await violationsIn({ 'east.yaml': documents })).toEqual([expect.stringMatching(
    /^changed-objects: AuthorizationPolicy istio-federation\/fed-in-default-deny: metadata or spec was changed after the object was generated: metadata\.annotations\["cdk8s-mesh-federation\/digest"\] is [0-9a-f]{32}, but the object has [0-9a-f]{32}$/,
  )]);
});

test('BoundaryValidation accepts what delivery tools change: labels, annotations, the order of fields, and status', async () => {
  const reversed = (value: any): any => value === null || typeof value !== 'object' ? value
    : Array.isArray(value) ? value.map(reversed) : Object.fromEntries(Object.entries(value).reverse().map(([key, child]) => [key, reversed(child)]));
  const delivered = documentsIn('both-directions/east').map(({ metadata, ...rest }) => reversed({
    ...rest,
    metadata: {
      ...metadata,
      labels: { ...metadata.labels, 'app.kubernetes.io/managed-by': 'Helm', 'app.kubernetes.io/instance': 'shop', 'helm.sh/chart': 'boundary-1.0.0' },
      annotations: { ...metadata.annotations, 'meta.helm.sh/release-name': 'shop', 'argocd.argoproj.io/sync-wave': '3', 'galley.istio.io/analyze-suppress': '*' },
      creationTimestamp: null,
    },
    status: {},
  }));
  expect(await violationsIn({ 'east.yaml': delivered })).toEqual([]);
  const scaled = documentsIn('both-directions/east').map((document) => document.kind === 'HorizontalPodAutoscaler' ? { ...document, spec: { ...document.spec, maxReplicas: 20 } } : document);
  expect(await violationsIn({ 'east.yaml': scaled })).toEqual([]);
});

describe('names that are reserved for generated objects', () => {
  const object = (apiVersion: string, kind: string, name: string, namespace?: string): Manifest =>
    ({ apiVersion, kind, metadata: { name, ...namespace === undefined ? {} : { namespace } } });
  const boundary = documentsIn('existing-gateways/east');
  const reported = async (manifest: Manifest, documents = boundary) => violationsIn({ 'east.yaml': documents, 'shop.yaml': [manifest] });

  test.each<[Manifest]>([
    object('v1', 'ConfigMap', 'fed-in-trust-north', 'istio-federation'), object('v1', 'ConfigMap', 'fed-out-trust-north', 'istio-federation'),
    object('v1', 'ConfigMap', 'fed-in-trust-north', 'istio-ingress'), object('v1', 'Secret', 'fed-in-north', 'istio-federation'),
    object('networking.istio.io/v1', 'ServiceEntry', 'fed-out-stock-80-north', 'istio-federation'),
    object('v1', 'ServiceAccount', 'federation-ingress', 'istio-federation'), object('rbac.authorization.k8s.io/v1', 'RoleBinding', 'federation-ingress', 'istio-federation'),
    object('networking.istio.io/v1', 'ServiceEntry', 'fed-name-stock-web', 'web'), object('networking.istio.io/v1', 'VirtualService', 'fed-name-stock-web', 'web'),
    object('networking.istio.io/v1', 'DestinationRule', 'fed-call-stock-80-web-north-web', 'web'), object('security.istio.io/v1', 'AuthorizationPolicy', 'fed-lock-stock-store', 'store'),
    object('networking.istio.io/v1alpha3', 'EnvoyFilter', 'fed-lock-stock-store', 'store'), object('networking.istio.io/v1', 'Sidecar', 'fed-restricted-web', 'web'),
    object('networking.k8s.io/v1', 'NetworkPolicy', 'fed-restricted-web', 'web'),
    object('admissionregistration.k8s.io/v1', 'ValidatingAdmissionPolicy', 'istio-federation-boundary'),
    object('admissionregistration.k8s.io/v1', 'ValidatingAdmissionPolicyBinding', 'istio-federation-boundary'),
  ].map((manifest) => [manifest]))('BoundaryValidation reports $kind $metadata.name in $metadata.namespace', async (manifest) => {
    const text = `foreign-objects: ${nameOf(manifest)}: metadata.name is ${manifest.metadata.name}, which is reserved for generated objects`;
    expect(await reported(manifest, boundary.filter((document) => nameOf(document) !== nameOf(manifest)))).toContain(text);
  });

  test.each<[Manifest]>([
    object('monitoring.coreos.com/v1', 'ServiceMonitor', 'federation-ingress', 'istio-federation'), object('v1', 'Secret', 'federation-ingress-tls', 'istio-federation'),
    object('autoscaling.k8s.io/v1', 'VerticalPodAutoscaler', 'federation-egress', 'istio-federation'), object('v1', 'ConfigMap', 'north-roots', 'istio-federation'),
    object('v1', 'ServiceAccount', 'federation-ingress', 'shop'), object('v1', 'ServiceAccount', 'federation-ingress', 'istio-ingress'), object('v1', 'ConfigMap', 'fed-in-form', 'shop'),
    object('v1', 'Service', 'fed-name-registry', 'shop'), object('apps/v1', 'Deployment', 'fed-call-center', 'shop'), object('v1', 'ServiceAccount', 'federation-tools', 'istio-federation'),
    object('admissionregistration.k8s.io/v1', 'ValidatingAdmissionPolicy', 'shop-boundary'), object('v1', 'Namespace', 'shop'), object('v1', 'Namespace', 'istio-ingress'),
    object('trust.cert-manager.io/v1alpha1', 'Bundle', 'fed-in-trust-north'),
  ].map((manifest) => [manifest]))('BoundaryValidation accepts $kind $metadata.name in $metadata.namespace', async (manifest) => {
    expect(await reported(manifest)).toEqual([]);
  });

  test.each([[true, 1], [false, 0]])('with createNamespace %s BoundaryValidation reports %i Namespaces of somebody else', async (createNamespace, number) => {
    const app = new App();
    const mesh = meshOf(app, 'east', { createNamespace });
    const bank = bankWith();
    mesh.addPeer(bank);
    mesh.expose('Reviews', { service: LocalService.fromName('reviews', 'default'), exportName: 'reviews', ports: [ServicePort.http(80)] }).allowFrom(bank);
    const documents = wholeObjectsOf(app).filter(({ kind }) => kind !== 'Namespace');
    const text = 'foreign-objects: Namespace istio-federation: metadata.name is istio-federation, a namespace that the library generates';
    expect(await reported(object('v1', 'Namespace', 'istio-federation'), documents)).toEqual(Array(number).fill(text));
  });
});

test('BoundaryValidation reports an object that replaces a generated one, and one that occurs twice', async () => {
  const documents = documentsIn('both-directions/east');
  const policy = documents.find(({ metadata }) => metadata.name === 'fed-in-default-deny')!;
  const theirs = { ...policy, metadata: { name: policy.metadata.name, namespace: policy.metadata.namespace } };
  const reported = ['foreign-objects: AuthorizationPolicy istio-federation/fed-in-default-deny: metadata.name is that of a generated object: the delivery tool would apply only one of the two'];
  expect((await violationsIn({ 'east.yaml': [...documents, theirs] })).slice(0, 1)).toEqual(reported);
  expect((await violationsIn({ 'east.yaml': documents, 'shop/app.yaml': [theirs, theirs] })).slice(0, 1)).toEqual(reported);
  expect(await violationsIn({ 'east.yaml': [...documents, policy] })).toEqual(Array(2).fill(
    'changed-objects: AuthorizationPolicy istio-federation/fed-in-default-deny: metadata.name occurs twice among the generated objects of this chart: the delivery tool would apply only one of them'));
});

test.each([
  ['Flux', 'a file for each phase', ({ kind }: Manifest) => `${kind}.yaml`],
  ['a folder with one file for each object', 'a folder for each phase', ({ kind, metadata }: Manifest) => `${kind}/${metadata.namespace}.${metadata.name}.yaml`],
])('BoundaryValidation reports removed objects of two meshes for %s, which has %s', async (_, __, fileOf) => {
  const files = (documents: { [mesh: string]: Manifest[] }) => {
    const byFile: { [file: string]: Manifest[] } = {};
    for (const [mesh, objects] of Object.entries(documents)) objects.forEach((document) => (byFile[`${mesh}/${fileOf(document)}`] ??= []).push(document));
    return byFile;
  };
  const [east, west] = [documentsIn('both-directions/east'), documentsIn('both-directions/west')];
  expect(await violationsIn(files({ east, west }))).toEqual([]);
  for (const removed of ['fed-in-default-deny', 'fed-in-guard-west', 'fed-out-edge', 'federation-ingress']) {
    const rest = east.filter(({ kind, metadata }) => metadata.name !== removed || !/Policy|EnvoyFilter/.test(kind));
    expect(await violationsIn(files({ east: rest, west }))).toContainEqual(expect.stringContaining(`${removed.replace('guard-west', 'guard-<peer>')}`));
  }
});

test('BoundaryValidation accepts the same names in two meshes of one app', async () => {
  const [east, west] = [documentsIn('two-meshes-http/east'), documentsIn('two-meshes-http/west')];
  const service = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'reviews', namespace: 'default' }, spec: { selector: { app: 'reviews' }, ports: [{ port: 9080 }] } };
  const split = { apiVersion: 'networking.istio.io/v1', kind: 'VirtualService', metadata: { name: 'reviews', namespace: 'default' }, spec: { hosts: ['reviews.default.svc.cluster.local'], http: [] } };
  expect(await violationsIn({ 'east.yaml': [...east, service, split], 'west.yaml': west })).toEqual([]);
  expect(await violationsIn({ 'east.yaml': east, 'west.yaml': west, 'shop.yaml': [service, split] })).toEqual([]);
  expect((await violationsIn({ 'east.yaml': east, 'west.yaml': [...west, service, split] })).map((text) => text.split(':')[1])).toEqual([' Service default/reviews', ' VirtualService default/reviews']);
});
