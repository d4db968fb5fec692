import { App } from 'cdk8s';
import { BoundaryGateway, Caller, FederatedMesh, LocalName, LocalService, ServicePort } from '../src';
import { program } from './scenarios/several-clusters/program';
import { filesOf, find, keyOf, Manifest, parse } from './support/manifests';
import { meshOf } from './support/meshes';

/*
 * A mesh of several clusters: one program, whose chart is applied to each cluster.
 */

/** What one cluster of west gets; `annotations` are those of its load balancer. */
function clusterOfWest(annotations?: { [name: string]: string }): { app: App; west: FederatedMesh } {
  const app = new App();
  const east = meshOf(app, 'east');
  const west = meshOf(app, 'west', {
    endpoints: [{ address: 'federation.west.example' }, { address: 'federation.west2.example' }],
    ingressGateway: BoundaryGateway.dedicated({ serviceAnnotations: annotations }),
  });
  east.addPeer(west);
  west.addPeer(east);
  const ports = [ServicePort.http(80)];
  const cards = west.expose('Cards', { service: LocalService.fromName('cards', 'shop'), exportName: 'cards', ports });
  cards.allowFrom(east);
  const reviews = east.expose('Reviews', { service: LocalService.fromName('reviews', 'default'), exportName: 'reviews', ports });
  reviews.allowFrom(west);
  west.bind('Reviews', { source: reviews, localName: LocalName.newService('reviews', 'web') })
    .allowFrom(Caller.serviceAccount('page', 'web'));
  return { app, west };
}

/** The objects of one chart. */
const objectsOf = (apps: App[], chart: string): Manifest[] => parse(filesOf(apps).get(chart)!);
const byKey = (app: App): Map<string, Manifest> => new Map(objectsOf([app], 'west').map((object) => [keyOf(object), object]));

test('the same program generates the same bytes for each cluster', () => {
  expect(filesOf(program())).toEqual(filesOf(program()));
});

test('clusters with different load balancers differ only in the Service of the ingress gateway', () => {
  const first = byKey(clusterOfWest({ 'service.beta.kubernetes.io/aws-load-balancer-scheme': 'internet-facing' }).app);
  const second = byKey(clusterOfWest({ 'networking.gke.io/load-balancer-type': 'External' }).app);
  expect([...first.keys()]).toEqual([...second.keys()]);
  const different = [...first].filter(([key, object]) => JSON.stringify(object) !== JSON.stringify(second.get(key)));
  expect(different.map(([key]) => key)).toEqual(['/Service istio-federation/federation-ingress']);
});

test('the gateways of all clusters have one identity', () => {
  const identities = [clusterOfWest().west, clusterOfWest({ 'example.com/pool': 'edge' }).west]
    .map(({ ingressIdentity, egressIdentity }) => [ingressIdentity?.uri, egressIdentity?.uri]);
  const account = 'spiffe://west.example/ns/istio-federation/sa/federation';
  expect(identities).toEqual([[`${account}-ingress`, `${account}-egress`], [`${account}-ingress`, `${account}-egress`]]);
});

test('a peer gets the ingress addresses of all clusters, ejects one that does not answer, and repeats what was never sent', () => {
  const objects = objectsOf(program(), 'east');
  for (const name of ['details', 'prices']) {
    expect(find(objects, 'ServiceEntry', `fed-out-${name}-9080-west`).spec.endpoints)
      .toEqual([{ address: 'federation.west.example' }, { address: 'federation.west2.example' }]);
    expect(find(objects, 'DestinationRule', `fed-out-${name}-9080-west`).spec.trafficPolicy.outlierDetection.consecutiveLocalOriginFailures).toBe(1);
    expect(find(objects, 'VirtualService', `fed-out-${name}-9080-catalogue-west`).spec.http[0].retries)
      .toEqual({ attempts: 2, retryOn: 'connect-failure,refused-stream' });
  }
});
