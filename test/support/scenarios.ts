/**
 * The golden scenarios: programs as users write them, one app or several, each chart one file.
 */
import { join } from 'path';
import { App, Chart } from 'cdk8s';
import {
  Caller, FederatedMesh, FederatedMeshProps, LocalName, LocalService, RemoteMesh, ServicePort, SpiffeId, TrustBundle,
} from '../../src';

/** The public roots: those of the tests, or of real meshes. */
const TRUST = process.env.TRUST_DIRECTORY ?? join(__dirname, '..', 'trust');

export function trustOf(meshName: string): TrustBundle {
  return TrustBundle.fromPemFile(join(TRUST, `${meshName}.pem`));
}

/** A mesh with everything that a scenario does not care about. */
export function meshOf(app: App, meshName: string, props: Partial<FederatedMeshProps> = {}): FederatedMesh {
  return new FederatedMesh(new Chart(app, meshName), 'Mesh', {
    meshName,
    trustDomain: `${meshName}.example`,
    trustBundle: trustOf(meshName),
    endpoints: [{ address: `federation.${meshName}.example` }],
    ...props,
  });
}

/** The article: west's productpage keeps calling reviews, which now runs in east. */
function twoMeshesHttp(): App[] {
  const app = new App();
  const east = meshOf(app, 'east');
  const west = meshOf(app, 'west', { endpoints: undefined });
  east.addPeer(west);
  west.addPeer(east);
  const reviews = east.expose('Reviews', {
    service: LocalService.fromName('reviews', 'default'),
    exportName: 'reviews',
    ports: [ServicePort.http(9080)],
  });
  reviews.allowFrom(west, { http: [{ methods: ['GET'], paths: ['/reviews/*'] }] });
  west.bind('Reviews', { source: reviews, localName: LocalName.newService('reviews', 'default') })
    .allowFrom(Caller.serviceAccount('bookinfo-productpage', 'default'));
  return [app];
}

/** Nothing has the same name on both sides: accounts/withdraw:8080 is dialled as finance/debit:80. */
function renamedEverything(): App[] {
  const app = new App();
  const east = meshOf(app, 'east');
  const west = meshOf(app, 'west');
  east.addPeer(west);
  west.addPeer(east);
  const withdraw = east.expose('Withdraw', {
    service: LocalService.fromName('withdraw', 'accounts'),
    exportName: 'withdrawals.v1',
    ports: [ServicePort.http(8080, { exportPort: 443 })],
  });
  withdraw.allowFrom(west, { http: [{ methods: ['POST'], paths: ['/withdrawals'] }] });
  west.bind('Debit', {
    source: withdraw,
    localName: LocalName.newService('debit', 'finance'),
    portMappings: [{ localPort: 80, exportPort: 443 }],
  }).allowFrom(Caller.serviceAccount('checkout', 'finance'));
  return [app];
}

/** One exporter with two ports, two peers with other rules and other ports; callers in two namespaces; calls in an inconvenient order. */
function threeMeshes(): App[] {
  const app = new App();
  const east = meshOf(app, 'east');
  const west = meshOf(app, 'west', { endpoints: undefined });
  const north = meshOf(app, 'north', { endpoints: undefined, monitoringNamespaceName: 'observability' });
  const ledger = east.expose('Ledger', {
    service: LocalService.fromName('ledger', 'books'),
    exportName: 'ledger',
    ports: [ServicePort.http(8080), ServicePort.http(9090, { exportPort: 80 })],
    owner: 'ledger team',
  });
  for (const peer of [west, north]) {
    const local = peer.bind('Ledger', { source: ledger, localName: LocalName.newService('ledger', 'partners') });
    local.allowFrom(Caller.serviceAccount('client', peer.meshName));
    local.allowFrom(Caller.serviceAccount('batch', 'partners'));
    peer.addPeer(east);
  }
  ledger.allowFrom(west, { ports: [8080], http: [{ methods: ['POST'], paths: ['/entries'] }] });
  ledger.allowFrom(north, {
    http: [{ methods: ['GET', 'HEAD'], paths: ['/entries/*', '/balance'] }, { paths: ['/health'] }],
    purpose: 'yearly audit',
    reviewBy: '2027-06-30',
  });
  east.addPeer(west);
  east.addPeer(north, { agreementId: 'ISA-2026-014', contact: 'mailto:audit@north.example' });
  return [app];
}

/** Each mesh exposes to the other and calls the other. */
function bothDirections(): App[] {
  const app = new App();
  const east = meshOf(app, 'east');
  const west = meshOf(app, 'west', { endpoints: [{ address: '203.0.113.10', port: 443 }, { address: '203.0.113.11', port: 443 }] });
  east.addPeer(west);
  west.addPeer(east);
  const reviews = east.expose('Reviews', {
    service: LocalService.fromName('reviews', 'default'), exportName: 'reviews', ports: [ServicePort.http(9080)],
  });
  const details = west.expose('Details', {
    service: LocalService.fromName('details', 'default'), exportName: 'details', ports: [ServicePort.http(9080)],
  });
  reviews.allowFrom(west);
  details.allowFrom(east, { http: [{ methods: ['GET'] }] });
  west.bind('BoundReviews', { source: reviews, localName: LocalName.newService('reviews', 'default') })
    .allowFrom(Caller.serviceAccount('bookinfo-productpage', 'default'));
  east.bind('BoundDetails', { source: details, localName: LocalName.newService('details', 'catalogue') })
    .allowFrom(Caller.serviceAccount('bookinfo-reviews', 'default'));
  return [app];
}

/** Two meshes that have agreed to deal with each other, and do not yet. */
function nothingExposed(): App[] {
  const app = new App();
  const east = meshOf(app, 'east');
  const west = meshOf(app, 'west');
  east.addPeer(west);
  west.addPeer(east);
  return [app];
}

/** Exposed and bound, but for nobody: a grant in east, no caller in west; north is a peer without a grant. */
function declaredButClosed(): App[] {
  const app = new App();
  const east = meshOf(app, 'east');
  const west = meshOf(app, 'west');
  const north = meshOf(app, 'north');
  east.addPeer(west);
  east.addPeer(north);
  west.addPeer(east);
  const reviews = east.expose('Reviews', {
    service: LocalService.fromName('reviews', 'default'), exportName: 'reviews', ports: [ServicePort.http(9080)],
  });
  north.expose('Ratings', { service: LocalService.fromName('ratings', 'default'), exportName: 'ratings', ports: [ServicePort.http(9080)] });
  reviews.allowFrom(west);
  west.bind('Reviews', { source: reviews, localName: LocalName.newService('reviews', 'default') });
  return [app];
}

/** The article in two programs that share no code, with names for each other that neither chose for itself. */
function separateApps(): App[] {
  const eastApp = new App();
  const east = meshOf(eastApp, 'east');
  const partner = new RemoteMesh(eastApp, 'West', {
    meshName: 'acme',
    trustDomain: 'west.example',
    trustBundle: trustOf('west'),
    ingressIdentity: SpiffeId.parse('spiffe://west.example/ns/dmz/sa/in'),
    egressIdentity: SpiffeId.parse('spiffe://west.example/ns/istio-federation/sa/federation-egress'),
  });
  east.addPeer(partner);
  east.expose('Reviews', { service: LocalService.fromName('reviews', 'default'), exportName: 'reviews', ports: [ServicePort.http(9080)] })
    .allowFrom(partner, { http: [{ methods: ['GET'], paths: ['/reviews/*'] }] });

  const westApp = new App();
  const west = meshOf(westApp, 'west', { endpoints: undefined });
  const books = new RemoteMesh(westApp, 'East', {
    meshName: 'books',
    trustDomain: 'east.example',
    trustBundle: trustOf('east'),
    ingressIdentity: SpiffeId.parse('spiffe://east.example/ns/istio-federation/sa/federation-ingress'),
    egressIdentity: SpiffeId.parse('spiffe://east.example/ns/istio-federation/sa/federation-egress'),
    endpoints: [{ address: 'federation.east.example' }],
    exposedServices: [{ exportName: 'reviews', ports: [ServicePort.http(9080)] }],
    knownAs: 'acme',
  });
  west.addPeer(books);
  west.bind('Reviews', { source: books.exposedService('reviews'), localName: LocalName.newService('reviews', 'default') })
    .allowFrom(Caller.serviceAccount('bookinfo-productpage', 'default'));
  return [eastApp, westApp];
}

/** Every scenario by name. */
export const SCENARIOS: { readonly [name: string]: () => App[] } = {
  'two-meshes-http': twoMeshesHttp,
  'renamed-everything': renamedEverything,
  'three-meshes': threeMeshes,
  'both-directions': bothDirections,
  'nothing-exposed': nothingExposed,
  'declared-but-closed': declaredButClosed,
  'separate-apps': separateApps,
};
