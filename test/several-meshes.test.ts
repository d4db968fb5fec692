import { App, Chart, Testing } from 'cdk8s';
import { Caller, FederatedMesh, HttpRule, LocalName, LocalService, ServicePort } from '../src';
import { Manifest, parseWhole } from './support/manifests';
import { meshOf } from './support/meshes';
import { violationsIn } from './support/plugin';

/*
 * BoundaryValidation in an app with several meshes: objects of the same name in two meshes have nothing to do with each other.
 */

const documentsOf = (mesh: FederatedMesh) => parseWhole(Testing.synth(Chart.of(mesh)).map((document) => JSON.stringify(document)).join('\n---\n'));
const isNamed = (kind: string, name: string) => (document: Manifest) => document.kind === kind && document.metadata.name === name;

/** East exports, and west calls under a local name with an additional host. `change` declares more before synthesis. */
function federation(props: { east?: object; west?: object } = {}, change = (_: { east: FederatedMesh; west: FederatedMesh }) => {}, paths = ['/*']) {
  const app = new App();
  const [east, west] = [meshOf(app, 'east', props.east), meshOf(app, 'west', props.west)];
  change({ east, west });
  if (!east.node.tryFindChild('Reviews')) {
    east.addPeer(west);
    west.addPeer(east);
    const reviews = east.expose('Reviews', { service: LocalService.fromName('reviews', 'books'), exportName: 'reviews', ports: [ServicePort.http(9080)] });
    reviews.allowFrom(west, { http: [HttpRule.allow({ paths })] });
    west.bind('Reviews', { source: reviews, localName: LocalName.newService('reviews', 'shop'), additionalHosts: ['r.legacy.example'] })
      .allowFrom(Caller.serviceAccount('page', 'shop'));
  }
  app.synthYaml();
  return { east: documentsOf(east), west: documentsOf(west) };
}

const both = federation();
const reportOf = async (east: Manifest[], west: Manifest[], others: Manifest[] = []) =>
  violationsIn({ 'east.k8s.yaml': east, 'west.k8s.yaml': west, ...others.length > 0 ? { 'team.k8s.yaml': [...others, configMap] } : {} });
const configMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'theirs', namespace: 'nowhere' }, data: {} };
const object = (apiVersion: string, kind: string, namespace: string, name: string, rest: object) =>
  ({ apiVersion, kind, metadata: { namespace, name }, ...rest });

test('BoundaryValidation accepts both meshes', async () => {
  expect(await reportOf(both.east, both.west)).toEqual([]);
});

describe('isolation', () => {
  test.each<[string, boolean, boolean]>([['exports', true, false], ['calls', false, true], ['exports and the one that calls', true, true]])(
    'BoundaryValidation accepts that the mesh which %s isolates the other one', async (_, atEast, atWest) => {
      const isolated = { isolated: { reason: 'their gateway was compromised' } };
      const { east, west } = federation({}, (meshes) => {
        meshes.east.addPeer(meshes.west, atEast ? isolated : {});
        meshes.west.addPeer(meshes.east, atWest ? isolated : {});
        const reviews = meshes.east.expose('Reviews', { service: LocalService.fromName('reviews', 'books'), exportName: 'reviews', ports: [ServicePort.http(9080)] });
        reviews.allowFrom(meshes.west);
        meshes.west.bind('Reviews', { source: reviews, localName: LocalName.newService('reviews', 'shop') }).allowFrom(Caller.serviceAccount('page', 'shop'));
      });
      expect(await reportOf(east, west)).toEqual([]);
    });
});

describe('what is missing in one mesh', () => {
  test.each(['ValidatingAdmissionPolicy', 'ValidatingAdmissionPolicyBinding'])('BoundaryValidation reports the removed %s of a mesh although the other one has none by its own choice', async (kind) => {
    const { east, west } = federation({ west: { withoutAdmissionPolicy: { reason: 'another tool decides about these objects' } } });
    expect(await reportOf(east, west)).toEqual([]);
    expect((await reportOf(east.filter((document) => document.kind !== kind), west)).join('\n')).toContain('missing-objects');
  });

  test('BoundaryValidation reports the removed policy of a mesh although the other one has a policy of that name', async () => {
    const east = both.east.filter((document) => !isNamed('NetworkPolicy', 'federation-default-deny')(document));
    expect((await reportOf(east, both.west)).join('\n')).toContain('missing-objects');
  });

  test('BoundaryValidation reports an object of the other mesh in place of its own', async () => {
    const theirs = both.west.find(isNamed('NetworkPolicy', 'federation-default-deny'))!;
    const east = both.east.map((document) => isNamed('NetworkPolicy', 'federation-default-deny')(document) ? theirs : document);
    expect((await reportOf(east, both.west)).join('\n')).toContain('missing-objects');
  });
});

test('BoundaryValidation reports an earlier version of an object in another file', async () => {
  const wider = federation({}, undefined, ['/*', '/admin/*']);
  const earlier = wider.east.filter(isNamed('EnvoyFilter', 'fed-in-edge'));
  expect(earlier).toHaveLength(1);
  const found = await violationsIn({ 'east.k8s.yaml': federation({}, undefined, ['/a/*']).east, 'west.k8s.yaml': both.west, 'zombie.k8s.yaml': earlier });
  expect(found.join('\n')).toMatch(/changed-objects: EnvoyFilter istio-federation\/fed-in-edge/);
});

test('BoundaryValidation accepts the objects of a mesh twice, for two of its clusters', async () => {
  expect(await violationsIn({ 'one/east.k8s.yaml': both.east, 'two/east.k8s.yaml': both.east, 'west.k8s.yaml': both.west })).toEqual([]);
});

describe('an object in a chart of its own', () => {
  const virtualService = (namespace: string) => object('networking.istio.io/v1', 'VirtualService', namespace, 'theirs', { spec: { hosts: ['reviews.shop.svc.cluster.local'] } });
  const serviceEntry = (namespace: string) => object('networking.istio.io/v1', 'ServiceEntry', namespace, 'theirs', { spec: { hosts: ['r.legacy.example'], resolution: 'DNS' } });
  const service = (namespace: string) => object('v1', 'Service', namespace, 'reviews', { spec: { selector: { app: 'reviews' }, ports: [{ port: 9080 }] } });

  test.each<[string, Manifest]>([
    ['VirtualService for a local name', virtualService('shop')],
    ['ServiceEntry for an additional host', serviceEntry('shop')],
    ['Service with a local name', service('shop')],
  ])('BoundaryValidation reports a %s in a namespace that only the binding\'s mesh uses', async (_, manifest) => {
    expect(await reportOf(both.east, both.west, [manifest])).toEqual([expect.stringMatching(/^foreign-objects: /)]);
  });

  test.each<[string, Manifest]>([['VirtualService', virtualService('books')], ['ServiceEntry', serviceEntry('books')], ['Service', service('books')]])(
    'BoundaryValidation accepts a %s in a namespace that the other mesh uses', async (_, manifest) => {
      expect(await reportOf(both.east, both.west, [manifest])).toEqual([]);
    });
});

test.each<[string, string, string]>([
  ['Argo CD does not apply', 'argocd.argoproj.io/hook', 'Skip'],
  ['Argo CD does not remove later', 'argocd.argoproj.io/sync-options', 'ServerSideApply=true,Prune=false'],
  ['Helm applies in a test only', 'helm.sh/hook', 'test'],
  ['Helm does not remove later', 'helm.sh/resource-policy', 'keep'],
  ['kustomize leaves out', 'config.kubernetes.io/local-config', 'true'],
  ['Flux does not apply', 'kustomize.toolkit.fluxcd.io/reconcile', 'disabled'],
  ['Flux does not remove later', 'kustomize.toolkit.fluxcd.io/prune', 'Disabled'],
  ['kapp does not apply', 'kapp.k14s.io/noop', ''],
])('BoundaryValidation reports an object that %s', async (_, name, value) => {
  const east = both.east.map((document) => isNamed('AuthorizationPolicy', 'fed-in-default-deny')(document)
    ? { ...document, metadata: { ...document.metadata, annotations: { ...document.metadata.annotations, [name]: value } } } : document);
  expect((await reportOf(east, both.west)).join('\n')).toMatch(/^changed-objects: AuthorizationPolicy istio-federation\/fed-in-default-deny/);
});

test('BoundaryValidation accepts annotations with which delivery tools only apply in another way', async () => {
  const annotated = (document: Manifest) => ({
    ...document,
    metadata: {
      ...document.metadata,
      annotations: {
        ...document.metadata.annotations, 'argocd.argoproj.io/sync-options': 'ServerSideApply=true', 'kustomize.toolkit.fluxcd.io/ssa': 'Merge', 'argocd.argoproj.io/tracking-id': 'a',
      },
    },
  });
  expect(await reportOf(both.east.map(annotated), both.west)).toEqual([]);
});

test('BoundaryValidation reports a ServiceEntry for the Service of a gateway', async () => {
  const entry = object('networking.istio.io/v1', 'ServiceEntry', 'istio-federation', 'theirs', {
    spec: { hosts: ['federation-egress.istio-federation.svc.cluster.local'], resolution: 'STATIC', endpoints: [{ address: '192.0.2.1' }] },
  });
  expect((await reportOf(both.east, both.west, [entry])).join('\n')).toContain('spec.hosts contains federation-egress.istio-federation.svc.cluster.local, a Service of a boundary');
});
