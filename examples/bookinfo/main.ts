/**
 * Istio's Bookinfo across two meshes: east runs reviews and ratings, west runs productpage and details. Productpage calls
 * `reviews.default.svc.cluster.local`, as if reviews ran in west.
 *
 *     npx cdk8s synth
 */
import { join } from 'path';
import { App, AppProps, Chart } from 'cdk8s';
import { microservice } from './application';
import {
  // in your own program: from 'cdk8s-mesh-federation'
  Caller, FederatedMesh, HttpRule, LocalName, LocalService,
  RemoteServiceBinding, ServicePort, TrustBundle,
} from '../../src';

/** Folder of the public root certificates of both meshes. The private keys of the demo's certificates have been deleted. */
const TRUST = process.env.TRUST_DIRECTORY ?? join(__dirname, 'trust');

export function bookinfo(props?: AppProps) {
  const app = new App(props);

  // ---- Bookinfo: the workloads of each mesh -----------------------------------------------------------------------------
  const eastBookinfo = new Chart(app, 'east-bookinfo', { namespace: 'default' });
  const reviewsApplication = microservice(eastBookinfo, 'reviews', {
    versions: ['v1', 'v2', 'v3'], writes: ['/tmp', '/opt/ibm/wlp/output'], env: { LOG_DIR: '/tmp/logs' },
  });
  microservice(eastBookinfo, 'ratings');
  const westBookinfo = new Chart(app, 'west-bookinfo', { namespace: 'default' });
  const productpage = microservice(westBookinfo, 'productpage', { writes: ['/tmp'] });
  microservice(westBookinfo, 'details');

  // ---- the boundaries ---------------------------------------------------------------------------------------------------
  const east = new FederatedMesh(new Chart(app, 'east'), 'Mesh', {
    meshName: 'east',
    trustDomain: 'east.example',
    trustBundle: TrustBundle.fromPemFile(join(TRUST, 'east.pem')),
    endpoints: [{ address: 'federation.east.example' }],
  });
  const west = new FederatedMesh(new Chart(app, 'west'), 'Mesh', {
    meshName: 'west',
    trustDomain: 'west.example',
    trustBundle: TrustBundle.fromPemFile(join(TRUST, 'west.pem')),
  });
  east.addPeer(west);
  west.addPeer(east);

  // ---- one service, for one peer, for one caller ------------------------------------------------------------------------
  const reviews = east.expose('Reviews', {
    service: LocalService.fromConstruct(reviewsApplication.service),
    exportName: 'reviews',
    ports: [ServicePort.http(9080)],
    owner: 'reviews team',
  });
  reviews.allowFrom(west, { http: [HttpRule.allow({ methods: ['GET'], paths: ['/reviews/*'] })], purpose: 'show reviews on the product page' });

  const binding = new RemoteServiceBinding(westBookinfo, 'Reviews', {
    mesh: west,
    source: reviews,
    localName: LocalName.newService('reviews', 'default'),
  });
  binding.allowFrom(Caller.fromConstruct(productpage.deployments[0]));

  return { app, meshes: [east, west] };
}

if (require.main === module) bookinfo().app.synth();
