/**
 * The golden scenarios: programs as users write them, one app or several, each chart one file.
 */
import { readFileSync } from 'fs';
import { join } from 'path';
import { App, Chart, Duration } from 'cdk8s';
import {
  BoundaryGateway, Caller, FederatedMesh, FederatedMeshProps, GatewayCredential, IExposedService, Justification, LocalName, LocalService,
  RemoteMesh, ServicePort, SpiffeId, TrustBundle,
} from '../../src';

/** The public roots: those of the tests, or of real meshes. */
export const TRUST = process.env.TRUST_DIRECTORY ?? join(__dirname, '..', 'trust');

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

/** Whatever people connect: a database that speaks first, the application's own TLS, gRPC, WebSocket, and a service with three protocols. */
function protocols(): App[] {
  const app = new App();
  const east = meshOf(app, 'east');
  const west = meshOf(app, 'west', { endpoints: undefined });
  east.addPeer(west);
  west.addPeer(east);
  const expose = (name: string, namespaceName: string, ...ports: ServicePort[]) =>
    east.expose(name, { service: LocalService.fromName(name, namespaceName), exportName: name, ports, requestTimeout: name === 'chat' ? Duration.seconds(2) : undefined });
  const mysql = expose('mysql', 'db', ServicePort.tcp(3306));
  const vault = expose('vault', 'vault', ServicePort.tls(8200));
  const search = expose('search', 'search', ServicePort.grpc(9000));
  const echo = expose('echo', 'events', ServicePort.tcp(7000, { exportPort: 443 }));
  const chat = expose('chat', 'chat', ServicePort.http(8080));
  const multi = expose('multi', 'multi', ServicePort.http(8080), ServicePort.grpc(9090), ServicePort.tcp(7001));
  [mysql, vault, echo].forEach((source) => source.allowFrom(west));
  search.allowFrom(west, { grpcMethods: ['/search.Query/*', '/search.Admin/Status'] });
  chat.allowFrom(west, {
    http: [
      { methods: ['GET'], paths: ['/rooms/*'], exceptPaths: ['/rooms/private/*'] },
      { methods: ['GET'], paths: ['/rooms/private/*'], requiredHeaders: { 'x-member': 'yes' } },
    ],
  });
  multi.allowFrom(west, { ports: [8080], http: [{ paths: ['/public/*'] }] });
  multi.allowFrom(west, { ports: [9090], grpcMethods: ['/multi.Api/Get'] });
  multi.allowFrom(west, { ports: [7001] });
  const api = Caller.serviceAccount('api', 'shop');
  for (const [name, source] of Object.entries({ mysql, vault, search, chat, multi })) {
    const additionalHosts = name === 'vault' ? ['vault.east.example'] : name === 'chat' ? ['chat.east.example', 'talk.east.example'] : undefined;
    const binding = west.bind(name, { source, localName: LocalName.newService(name, 'shop'), additionalHosts });
    binding.allowFrom(api);
    if (name === 'chat') binding.allowFrom(Caller.serviceAccount('resolver', 'elsewhere'));
  }
  // The same port number as another name of the namespace, and another one than the exported.
  west.bind('events', { source: echo, localName: LocalName.newService('events', 'shop'), portMappings: [{ localPort: 3306, exportPort: 443 }] }).allowFrom(api);
  return [app];
}

/** A migration: most requests stay with our own pods, some go to two peers, testers always to one; a database follows by connections. */
function severalSources(): App[] {
  const app = new App();
  const [west, east, north] = ['west', 'east', 'north'].map((name) => meshOf(app, name));
  const [fromEast, fromNorth, newer] = [east, north, east].map((mesh, index) => mesh.expose(index === 2 ? 'Newer' : 'Reviews', {
    service: LocalService.fromName(index === 2 ? 'reviews-v2' : 'reviews', 'default'),
    exportName: index === 2 ? 'reviews.v2' : 'reviews',
    ports: [ServicePort.http(9080, { exportPort: mesh === north ? 80 : 9080 })],
  }));
  const db = [east, north].map((mesh) => mesh.expose('Db', { service: LocalService.fromName('mysql', 'db'), exportName: 'orders', ports: [ServicePort.tcp(3306)] }));
  const rpc = [east, north].map((mesh) => mesh.expose('Rpc', { service: LocalService.fromName('search', 'search'), exportName: 'search', ports: [ServicePort.grpc(9000)] }));
  for (const exposure of [fromEast, fromNorth, newer, ...db, ...rpc]) exposure.allowFrom(west);
  for (const peer of [east, north]) {
    west.addPeer(peer);
    peer.addPeer(west);
  }
  const reviews = west.bind('Reviews', { localName: LocalName.existingService('reviews', 'default'), source: fromEast, weight: 2 });
  reviews.addLocalSource({ weight: 7 });
  reviews.addSource(fromNorth, { weight: 1, portMappings: [{ localPort: 9080, exportPort: 80 }] });
  reviews.addSource(newer, { whenHeaders: { 'x-tester': 'yes' } });
  reviews.addLocalSource({ whenHeaders: { 'x-tester': 'yes', 'x-pinned': 'here' } });
  const orders = west.bind('Orders', { localName: LocalName.newService('orders', 'shop'), source: db[0], weight: 1 });
  orders.addSource(db[1], { weight: 1 });
  const find = west.bind('Search', { localName: LocalName.newService('search', 'shop'), source: rpc[0] });
  find.addSource(rpc[1]);
  reviews.allowFrom(Caller.serviceAccount('bookinfo-productpage', 'default'));
  orders.allowFrom(Caller.serviceAccount('api', 'shop'));
  find.allowFrom(Caller.serviceAccount('api', 'shop'));
  return [app];
}

/** Callers that nobody lists: everybody in the mesh for one name, a namespace for another, beside one that is named. */
function wideCallers(): App[] {
  const app = new App();
  const east = meshOf(app, 'east');
  const west = meshOf(app, 'west', { endpoints: undefined });
  east.addPeer(west);
  west.addPeer(east);
  const [reviews, ratings] = ['reviews', 'ratings'].map((name) => east.expose(name, {
    service: LocalService.fromName(name, 'default'), exportName: name, ports: [ServicePort.http(9080)],
  }));
  const bound = [
    west.bind('Public', { source: reviews, localName: LocalName.newService('public', 'partners') }),
    west.bind('Shared', { source: ratings, localName: LocalName.newService('shared', 'partners') }),
    west.bind('Own', { source: ratings, localName: LocalName.newService('own', 'partners') }),
  ];
  [reviews, ratings].forEach((source) => source.allowFrom(west, { http: [{ methods: ['GET'] }] }));
  bound[0].allowFrom(Caller.anyInMesh());
  bound[1].allowFrom(Caller.anyInNamespace('default'));
  bound[2].allowFrom(Caller.serviceAccount('visitor', 'elsewhere'));
  return [app];
}

/** What a mesh may decide about one peer: limits, TLS 1.2, no trace context; and about one exposure: how long a connection may be silent. North is a peer without any of it. */
function peerOptions(): App[] {
  const app = new App();
  const [east, west, north] = ['east', 'west', 'north'].map((name) =>
    meshOf(app, name, { connectAfterHandshake: name !== 'north', ...name === 'east' ? {} : { endpoints: undefined } }));
  const reviews = east.expose('Reviews', {
    service: LocalService.fromName('reviews', 'default'), exportName: 'reviews', ports: [ServicePort.http(9080)],
  });
  const mysql = east.expose('Mysql', { service: LocalService.fromName('mysql', 'db'), exportName: 'mysql', ports: [ServicePort.tcp(3306)] });
  // The same two under names on which nobody may be silent for long.
  const idleTimeout = Duration.seconds(2);
  const archive = east.expose('Archive', {
    service: LocalService.fromName('reviews', 'default'), exportName: 'archive', ports: [ServicePort.http(9080)], idleTimeout,
  });
  const ledger = east.expose('Ledger', { service: LocalService.fromName('mysql', 'db'), exportName: 'ledger', ports: [ServicePort.tcp(3306)], idleTimeout });
  for (const peer of [west, north]) {
    reviews.allowFrom(peer, { http: [{ methods: ['GET'] }] });
    mysql.allowFrom(peer);
    archive.allowFrom(peer);
    ledger.allowFrom(peer);
    peer.addPeer(east, peer === west ? { stripTracing: true, removeRequestHeaders: ['x-team', 'x-cost-centre'] } : {});
    for (const [name, source] of Object.entries({ reviews, mysql })) {
      peer.bind(name, { source, localName: LocalName.newService(name, 'shop') }).allowFrom(Caller.serviceAccount('api', 'shop'));
    }
  }
  east.addPeer(west, {
    limits: { maxConnections: 3, maxConnectionDuration: Duration.seconds(3), requestsPerSecond: 5 },
    stripTracing: true,
    allowTls12: { reason: 'their appliance is replaced in 2027', approvedBy: 'security board' },
  });
  east.addPeer(north);
  return [app];
}

/** West has a boundary for its sister company, and one of its own for a partner: other peers, another port, another namespace. */
function secondBoundary(): App[] {
  const app = new App();
  const [east, north, west] = ['east', 'north', 'west'].map((name) => meshOf(app, name));
  const partners = new FederatedMesh(new Chart(app, 'west-partners'), 'Mesh', {
    meshName: 'west',
    trustDomain: west.trustDomain,
    trustBundle: west.trustBundle,
    namespaceName: 'partner-federation',
    endpoints: [{ address: 'federation.west.example', port: 8443 }],
  });
  const expose = (mesh: FederatedMesh, name: string) => mesh.expose(name, {
    service: LocalService.fromName(name, 'default'), exportName: name, ports: [ServicePort.http(9080)],
  });
  const bind = (mesh: FederatedMesh, source: IExposedService) => mesh.bind('Bound', {
    source, localName: LocalName.newService(source.exportName, 'partners'),
  }).allowFrom(Caller.serviceAccount('client', 'partners'));
  for (const [one, other] of [[west, east], [partners, north]]) {
    one.addPeer(other);
    other.addPeer(one);
    const [from, to] = [expose(one, 'details'), expose(other, other === east ? 'reviews' : 'ratings')];
    from.allowFrom(other, { http: [{ methods: ['GET'] }] });
    to.allowFrom(one);
    bind(one, to);
    bind(other, from);
  }
  return [app];
}

/** Each gateway of east has a namespace of its own, and so has the ingress gateway of west: other people look after them. */
function gatewayNamespaces(): App[] {
  const app = new App();
  const [peersComeIn, callersGoOut] = ['federation-in', 'federation-out'].map((namespaceName) => BoundaryGateway.dedicated({ namespaceName }));
  const east = meshOf(app, 'east', { ingressGateway: peersComeIn, egressGateway: callersGoOut, connectAfterHandshake: true });
  const west = meshOf(app, 'west', { ingressGateway: peersComeIn, connectAfterHandshake: true });
  east.addPeer(west);
  west.addPeer(east);
  const expose = (mesh: FederatedMesh, name: string, namespaceName: string, port: ServicePort) =>
    mesh.expose(`Own-${name}`, { service: LocalService.fromName(name, namespaceName), exportName: name, ports: [port] });
  const reviews = expose(east, 'reviews', 'default', ServicePort.http(9080));
  const mysql = expose(east, 'mysql', 'db', ServicePort.tcp(3306));
  const details = expose(west, 'details', 'default', ServicePort.http(9080));
  reviews.allowFrom(west, { http: [{ methods: ['GET'] }] });
  mysql.allowFrom(west);
  details.allowFrom(east);
  for (const [name, source] of Object.entries({ reviews, mysql })) {
    west.bind(name, { source, localName: LocalName.newService(name, 'default') }).allowFrom(Caller.serviceAccount('bookinfo-productpage', 'default'));
  }
  east.bind('Details', { source: details, localName: LocalName.newService('details', 'catalogue') })
    .allowFrom(Caller.serviceAccount('bookinfo-reviews', 'default'));
  east.bind('Public', { source: details, localName: LocalName.newService('public', 'catalogue') }).allowFrom(Caller.anyInMesh());
  return [app];
}

/** Ingress gateways that other people run for others as well: one presents what its mesh gives it, the other a certificate of the boundary's. */
function existingGateways(): App[] {
  const app = new App();
  const ingressGateway = (credential?: GatewayCredential) => BoundaryGateway.fromExisting({
    namespaceName: 'istio-ingress', serviceAccountName: 'shared', serviceName: 'shared', podLabels: { app: 'shared', istio: 'shared' }, credential,
  });
  const east = meshOf(app, 'east', {
    endpoints: [{ address: 'federation.east.example', port: 443 }], ingressGateway: ingressGateway(), connectAfterHandshake: true,
  });
  const west = meshOf(app, 'west', {
    trustDomain: 'boundary.west.example',
    workloadTrustDomain: 'west.example',
    trustBundle: trustOf('west-boundary'),
    endpoints: [{ address: 'federation.west.example', port: 443 }],
    ingressGateway: ingressGateway(GatewayCredential.fromCertManager({ issuerName: 'boundary-ca' })),
    egressGateway: BoundaryGateway.dedicated({ credential: GatewayCredential.fromSecret('partner-egress') }),
    connectAfterHandshake: true,
  });
  const expose = (mesh: FederatedMesh, name: string, namespaceName: string, port: ServicePort) =>
    mesh.expose(`Own-${name}`, { service: LocalService.fromName(name, namespaceName), exportName: name, ports: [port] });
  const reviews = expose(east, 'reviews', 'default', ServicePort.http(9080));
  const mysql = expose(east, 'mysql', 'db', ServicePort.tcp(3306));
  const details = expose(west, 'details', 'default', ServicePort.http(9080));
  reviews.allowFrom(west, { http: [{ methods: ['GET'], paths: ['/reviews/*'] }, { methods: ['POST'], paths: ['/votes'] }] });
  mysql.allowFrom(west);
  details.allowFrom(east);
  for (const [name, source] of Object.entries({ reviews, mysql })) {
    west.bind(name, { source, localName: LocalName.newService(name, 'default') }).allowFrom(Caller.serviceAccount('bookinfo-productpage', 'default'));
  }
  east.bind('Details', { source: details, localName: LocalName.newService('details', 'catalogue') })
    .allowFrom(Caller.serviceAccount('bookinfo-reviews', 'default'));
  east.addPeer(west, { limits: { maxConnectionDuration: Duration.minutes(30) } });
  west.addPeer(east);
  return [app];
}

/** Locked on both sides: what is exposed has no other callers than the till, and the callers' namespace has no other way out. */
function locked(): App[] {
  const app = new App();
  const east = meshOf(app, 'east');
  const west = meshOf(app, 'west', { endpoints: undefined });
  east.addPeer(west);
  west.addPeer(east);
  const withdraw = east.expose('Withdraw', {
    service: LocalService.fromName('withdraw', 'accounts'), exportName: 'withdraw', ports: [ServicePort.http(8080)],
  });
  const mysql = east.expose('Mysql', { service: LocalService.fromName('mysql', 'db'), exportName: 'mysql', ports: [ServicePort.tcp(3306)] });
  withdraw.lockWorkload({
    reason: 'card data: the till and partners only',
    approvedBy: 'security officer',
    podLabels: { app: 'withdraw' },
    localCallers: [Caller.serviceAccount('teller', 'accounts'), Caller.anyInNamespace('books')],
  });
  mysql.lockWorkload({ reason: 'orders are read by partners only', podLabels: { app: 'mysql' } });
  [withdraw, mysql].forEach((source) => source.allowFrom(west));
  for (const [name, source] of Object.entries({ withdraw, mysql })) {
    const additionalHosts = name === 'withdraw' ? ['withdraw.east.example'] : undefined;
    west.bind(name, { source, localName: LocalName.newService(name, 'finance'), additionalHosts }).allowFrom(Caller.serviceAccount('checkout', 'finance'));
  }
  west.restrictNamespace('finance', { reason: 'money leaves through the boundary only', ticket: 'SEC-7', allowedHosts: ['egress/*.acquirer.example'] });
  return [app];
}

/** East deals with west, which it only knows, and with north, in both directions; it may cut west off. */
export function twoPeers(isolated?: Justification): App[] {
  const app = new App();
  const east = meshOf(app, 'east');
  const north = meshOf(app, 'north');
  const west = new RemoteMesh(app, 'West', {
    meshName: 'west',
    trustDomain: 'west.example',
    trustBundle: trustOf('west'),
    ingressIdentity: SpiffeId.parse('spiffe://west.example/ns/istio-federation/sa/federation-ingress'),
    egressIdentity: SpiffeId.parse('spiffe://west.example/ns/istio-federation/sa/federation-egress'),
    endpoints: [{ address: 'federation.west.example' }],
    exposedServices: [{ exportName: 'details', ports: [ServicePort.http(9080)] }],
    knownAs: 'east',
  });
  const reviews = east.expose('Reviews', {
    service: LocalService.fromName('reviews', 'default'), exportName: 'reviews', ports: [ServicePort.http(9080)],
  });
  const ratings = north.expose('Ratings', {
    service: LocalService.fromName('ratings', 'default'), exportName: 'ratings', ports: [ServicePort.http(9080)],
  });
  reviews.allowFrom(west);
  reviews.allowFrom(north);
  ratings.allowFrom(east);
  east.bind('Details', { source: west.exposedService('details'), localName: LocalName.newService('details', 'catalogue') })
    .allowFrom(Caller.serviceAccount('bookinfo-reviews', 'default'));
  east.bind('Ratings', { source: ratings, localName: LocalName.newService('ratings', 'partners') })
    .allowFrom(Caller.serviceAccount('bookinfo-reviews', 'default'));
  north.bind('Reviews', { source: reviews, localName: LocalName.newService('reviews', 'partners') })
    .allowFrom(Caller.serviceAccount('client', 'north'));
  east.addPeer(west, { agreementId: 'ISA-2026-014', isolated });
  east.addPeer(north);
  north.addPeer(east);
  return [app];
}

function isolatedPeer(): App[] {
  return twoPeers({ reason: 'a build server of west was taken over', approvedBy: 'security on call', ticket: 'SEC-812' });
}

/** Both boundaries have authorities of their own: cert-manager issues in east, whose root is being replaced; west brings Secrets and a list. */
export function separateAuthorities(workloadTrustDomain?: string): App[] {
  const app = new App();
  const east = meshOf(app, 'east', {
    trustDomain: 'boundary.east.example',
    workloadTrustDomain: workloadTrustDomain ?? 'east.example',
    trustBundle: trustOf('east-boundary').withNext(trustOf('east-boundary-next')),
    credential: GatewayCredential.fromCertManager({ issuerName: 'boundary-ca', renewBefore: Duration.hours(12) }),
  });
  const west = meshOf(app, 'west', {
    trustDomain: 'boundary.west.example',
    workloadTrustDomain: workloadTrustDomain ?? 'west.example',
    trustBundle: trustOf('west-boundary').withRevocationList(readFileSync(join(TRUST, 'west-boundary.crl'), 'utf8')),
    ingressGateway: BoundaryGateway.dedicated({ credential: GatewayCredential.fromSecret('partner-ingress') }),
    egressGateway: BoundaryGateway.dedicated({ credential: GatewayCredential.fromSecret('partner-egress') }),
  });
  east.addPeer(west);
  west.addPeer(east);
  const reviews = east.expose('Reviews', {
    service: LocalService.fromName('reviews', 'default'), exportName: 'reviews', ports: [ServicePort.http(9080)],
  });
  const details = west.expose('Details', {
    service: LocalService.fromName('details', 'default'), exportName: 'details', ports: [ServicePort.http(9080)],
  });
  reviews.allowFrom(west);
  details.allowFrom(east);
  west.bind('BoundReviews', { source: reviews, localName: LocalName.newService('reviews', 'default') })
    .allowFrom(Caller.serviceAccount('bookinfo-productpage', 'default'));
  east.bind('BoundDetails', { source: details, localName: LocalName.newService('details', 'catalogue') })
    .allowFrom(Caller.serviceAccount('bookinfo-reviews', 'default'));
  return [app];
}

/** Both directions; somebody else keeps east's roots in west. */
function rootsKeptByOthers(): App[] {
  const app = new App();
  const [east, west] = ['east', 'west'].map((name) => meshOf(app, name));
  const [reviews, details] = [[east, 'reviews'], [west, 'details']].map(([mesh, name]) => (mesh as FederatedMesh).expose(`Own-${name}`, {
    service: LocalService.fromName(name as string, 'default'), exportName: name as string, ports: [ServicePort.http(9080)],
  }));
  reviews.allowFrom(west);
  details.allowFrom(east);
  west.bind('Reviews', { source: reviews, localName: LocalName.newService('reviews', 'default') })
    .allowFrom(Caller.serviceAccount('bookinfo-productpage', 'default'));
  east.bind('Details', { source: details, localName: LocalName.newService('details', 'catalogue') })
    .allowFrom(Caller.serviceAccount('bookinfo-reviews', 'default'));
  east.addPeer(west);
  west.addPeer(east, { trustConfigMapName: 'east-roots' });
  return [app];
}

/**
 * West's users need tokens: of one issuer to read or write orders, of another to search; reviews and everything of north need none. The
 * second issuer's name is the first one's and more.
 */
function tokens(): App[] {
  const app = new App();
  const [east, west, north] = ['east', 'west', 'north'].map((name) => meshOf(app, name, name === 'east' ? {} : { endpoints: undefined }));
  const [orders, search, reviews] = [
    { name: 'orders', namespaceName: 'shop', port: ServicePort.http(8080) },
    { name: 'search', namespaceName: 'search', port: ServicePort.grpc(9000) },
    { name: 'reviews', namespaceName: 'default', port: ServicePort.http(9080) },
  ].map(({ name, namespaceName, port }) =>
    east.expose(name, { service: LocalService.fromName(name, namespaceName), exportName: name, ports: [port] }));
  const login = { issuer: 'https://login.example', jwks: readFileSync(join(TRUST, 'login.jwks'), 'utf8'), audiences: ['shop', 'orders'] };
  orders.allowFrom(west, {
    http: [{ methods: ['GET'], paths: ['/orders/*'], exceptPaths: ['/orders/drafts/*'] }],
    jwt: { ...login, claims: { scope: ['orders.read'] } },
  });
  orders.allowFrom(west, {
    http: [{ methods: ['POST'], paths: ['/orders/*'] }],
    jwt: { ...login, claims: { 'scope': ['orders.write'], '[realm_access][roles]': ['clerk', 'chief clerk'], 'https://login.example/desk': ['7'] } },
  });
  search.allowFrom(west, {
    grpcMethods: ['/search.Query/*'],
    jwt: { issuer: 'https://login.example/staff', jwks: readFileSync(join(TRUST, 'staff.jwks'), 'utf8'), audiences: ['search'] },
  });
  reviews.allowFrom(west);
  orders.allowFrom(north);
  for (const peer of [west, north]) {
    east.addPeer(peer);
    peer.addPeer(east);
    for (const [name, source] of Object.entries(peer === west ? { orders, search, reviews } : { orders })) {
      peer.bind(name, { source, localName: LocalName.newService(name, 'shop') }).allowFrom(Caller.serviceAccount('api', 'shop'));
    }
  }
  return [app];
}

/** One of each form that a backend may read otherwise. */
const EXCEPTED = [
  '/orders/drafts/*', '/orders/secret', '/orders/report.html', '/orders/admin.php', '/orders/a+b@c', '/orders/docs/index.html', '/orders/kiosk',
];

/**
 * Rules with exceptions, behind which backends of every kind may stand: with methods and paths, without either, with a token, at a gateway that
 * others run; and once without rules, for what then arrives.
 */
function spellings(): App[] {
  const app = new App();
  const east = meshOf(app, 'east');
  const west = meshOf(app, 'west', { endpoints: undefined });
  const north = meshOf(app, 'north', {
    endpoints: [{ address: 'federation.north.example', port: 443 }],
    ingressGateway: BoundaryGateway.fromExisting({
      namespaceName: 'istio-ingress', serviceAccountName: 'shared', serviceName: 'shared', podLabels: { app: 'shared', istio: 'shared' },
    }),
  });
  const expose = (mesh: FederatedMesh, exportName: string, service = 'reviews') =>
    mesh.expose(exportName, { service: LocalService.fromName(service, 'default'), exportName, ports: [ServicePort.http(9080)] });
  const ruled = { methods: ['GET'], paths: ['/orders/*'], exceptPaths: EXCEPTED };
  const [orders, everything, users, open, shared] = [
    expose(east, 'orders'), expose(east, 'everything'), expose(east, 'users'), expose(east, 'open'), expose(north, 'shared', 'ratings'),
  ];
  // A requirement of an excepted path: the header opens it, whatever spelling the first rule refuses.
  orders.allowFrom(west, { http: [ruled, { methods: ['GET'], paths: ['/orders/drafts/*'], requiredHeaders: { 'x-editor': 'yes' } }] });
  everything.allowFrom(west, { http: [{ exceptPaths: EXCEPTED }] });
  users.allowFrom(west, {
    http: [ruled], jwt: { issuer: 'https://login.example', jwks: readFileSync(join(TRUST, 'login.jwks'), 'utf8'), audiences: ['orders'] },
  });
  open.allowFrom(west);
  shared.allowFrom(west, { http: [ruled] });
  for (const mesh of [east, north]) {
    west.addPeer(mesh);
    mesh.addPeer(west);
  }
  for (const source of [orders, everything, users, open, shared]) {
    west.bind(source.exportName, { source, localName: LocalName.newService(source.exportName, 'shop') }).allowFrom(Caller.serviceAccount('api', 'shop'));
  }
  return [app];
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
  'protocols': protocols,
  'several-sources': severalSources,
  'wide-callers': wideCallers,
  'peer-options': peerOptions,
  'second-boundary': secondBoundary,
  'locked': locked,
  'gateway-namespaces': gatewayNamespaces,
  'existing-gateways': existingGateways,
  'isolated-peer': isolatedPeer,
  'separate-authorities': separateAuthorities,
  'roots-kept-by-others': rootsKeptByOthers,
  'tokens': tokens,
  'spellings': spellings,
};
