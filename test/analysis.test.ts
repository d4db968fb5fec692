import { App } from 'cdk8s';
import { BoundaryValidation, LocalService, ServicePort } from '../src';
import { Manifest, objectsOf } from './support/manifests';
import { meshOf } from './support/meshes';
import { bankWith } from './support/pair';

/*
 * Which objects of others the plugin finds at the gateways of a boundary.
 */

/** The rules that documents break, in their order, and how many documents were read. */
async function judged(documents: Manifest[], properties: object = {}) {
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

/** The boundary of east, in the namespace istio-federation. */
const boundary = () => {
  const app = new App();
  const mesh = meshOf(app, 'east');
  const bank = bankWith();
  mesh.addPeer(bank);
  mesh.expose('Reviews', { service: LocalService.fromName('reviews', 'default'), exportName: 'reviews', ports: [ServicePort.http(80)] }).allowFrom(bank);
  return objectsOf(app);
};
const WORKLOADS = ['Pod', 'Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'Job', 'CronJob'];

/** A workload whose pods carry these labels. */
function workload(kind: string, labels: object): Manifest {
  const template = { metadata: { labels } };
  const metadata = { name: 'theirs', namespace: 'istio-federation' };
  if (kind === 'Pod') return { apiVersion: 'v1', kind, metadata: { ...metadata, labels }, spec: {} };
  if (kind === 'CronJob') return { apiVersion: 'batch/v1', kind, metadata, spec: { jobTemplate: { spec: { template } } } };
  return { apiVersion: kind === 'Job' ? 'batch/v1' : 'apps/v1', kind, metadata, spec: { template } };
}

test.each(WORKLOADS)('a %s whose pods carry the label of a gateway is refused', async (kind) => {
  expect((await judged([...boundary(), workload(kind, { app: 'federation-ingress' })])).rules).toEqual([`foreign-objects: ${kind} istio-federation/theirs`]);
  expect((await judged([...boundary(), workload(kind, { istio: 'istio-federation-egress' })])).rules).toEqual([`foreign-objects: ${kind} istio-federation/theirs`]);
  expect((await judged([...boundary(), workload(kind, { app: 'shop' })])).rules).toEqual([]);
});

test('the gateways of one boundary among the manifests hide no boundary that is named by its namespace', async () => {
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
  expect((await judged(documents)).rules).toEqual(['foreign-objects: Gateway shop/istio-federation']);
  expect((await judged(documents, { boundaryNamespaces: ['partners'] })).rules)
    .toEqual(['foreign-objects: Gateway shop/istio-federation', 'foreign-objects: Gateway shop/partners']);
});

test.each<[string, object]>([
  ['without items', {}], ['with items that are no list', { items: 'all' }], ['with items that are an object', { items: { a: 1 } }], ['with null for items', { items: null }],
])('a kind that ends in List is one document %s', async (_, rest) => {
  const list = { apiVersion: 'access.example.org/v1', kind: 'AllowList', metadata: { name: 'partners', namespace: 'shop' }, ...rest };
  expect(await judged([list])).toEqual({ rules: [], read: '1' });
});
