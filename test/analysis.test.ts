import { App } from 'cdk8s';
import { BoundaryValidation, LocalService, ServicePort } from '../src';
import { Manifest, wholeObjectsOf } from './support/manifests';
import { meshOf } from './support/meshes';
import { bankWith } from './support/pair';

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

/** The boundary of east, in the namespace istio-federation. */
const boundary = () => {
  const app = new App();
  const mesh = meshOf(app, 'east');
  const bank = bankWith();
  mesh.addPeer(bank);
  mesh.expose('Reviews', { service: LocalService.fromName('reviews', 'default'), exportName: 'reviews', ports: [ServicePort.http(80)] }).allowFrom(bank);
  return wholeObjectsOf(app);
};
const WORKLOADS = ['Pod', 'Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'Job', 'CronJob'];

/** A workload whose pods have these labels. */
function workload(kind: string, labels: object): Manifest {
  const template = { metadata: { labels } };
  const metadata = { name: 'theirs', namespace: 'istio-federation' };
  if (kind === 'Pod') return { apiVersion: 'v1', kind, metadata: { ...metadata, labels }, spec: {} };
  if (kind === 'CronJob') return { apiVersion: 'batch/v1', kind, metadata, spec: { jobTemplate: { spec: { template } } } };
  return { apiVersion: kind === 'Job' ? 'batch/v1' : 'apps/v1', kind, metadata, spec: { template } };
}

test.each(WORKLOADS)('BoundaryValidation reports a %s whose pods have a label of a boundary gateway', async (kind) => {
  expect((await validate([...boundary(), workload(kind, { app: 'federation-ingress' })])).rules).toEqual([`foreign-objects: ${kind} istio-federation/theirs`]);
  expect((await validate([...boundary(), workload(kind, { istio: 'istio-federation-egress' })])).rules).toEqual([`foreign-objects: ${kind} istio-federation/theirs`]);
  expect((await validate([...boundary(), workload(kind, { app: 'shop' })])).rules).toEqual([]);
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
