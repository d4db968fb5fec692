import { mkdtempSync, rmSync, writeFileSync } from 'fs';
import { tmpdir } from 'os';
import { join } from 'path';
import { App, Chart, Duration, Include } from 'cdk8s';
import * as kplus from 'cdk8s-plus-27';
import { Construct } from 'constructs';
import {
  BoundaryGateway, Caller, Delivery, ExposedService, FederatedMesh, GatewayCredential, HttpRule, IExposedService, IMeshPeer, IstioVersion,
  LocalName, LocalService, NodeToleration, RemoteServiceBinding, ServicePort, TrustBundle,
} from '../src';
import { callsOf, serversOf } from './support/contract';
import { filesOf, find, parse } from './support/manifests';

/*
 * Programs as users write them. Their names and signatures are stable: these programs must continue to compile and run.
 */

const home = process.cwd();
beforeAll(() => process.chdir(__dirname));
afterAll(() => process.chdir(home));

/** `west page → east reviews` for every call that both sides allow. */
function callsIn(app: App): string[] {
  const meshes = [...filesOf([app])].map(([chart, text]) => ({ chart, objects: parse(text) }));
  const merged = (prefix: string) => meshes.filter(({ chart }) => chart === prefix || chart.startsWith(`${prefix}-`)).flatMap(({ objects }) => objects);
  const owners = meshes.filter(({ objects }) => objects.some(({ kind }) => kind === 'Namespace')).map(({ chart }) => chart);
  const servers = owners.flatMap((owner) => serversOf(merged(owner)).map((server) => ({ owner, ...server })));
  return owners.flatMap((owner) => callsOf(merged(owner)).map(({ local, sni }) => {
    const [server] = servers.filter((candidate) => candidate.sni === sni);
    return `${owner} ${local} → ${server.owner} ${server.backend}`;
  })).sort();
}

function mesh(app: App, name: string): FederatedMesh {
  return new FederatedMesh(new Chart(app, name), 'Mesh', {
    meshName: name,
    trustDomain: `${name}.example`,
    trustBundle: TrustBundle.fromPemFile(`trust/${name}.pem`),
    endpoints: [{ address: `federation.${name}.example` }],
  });
}

test('the program of the article allows west to call reviews of east', () => {
  const app = new App();
  const east = new FederatedMesh(new Chart(app, 'east'), 'Mesh', {
    meshName: 'east',
    trustDomain: 'east.example',
    trustBundle: TrustBundle.fromPemFile('trust/east.pem'),
    endpoints: [{ address: 'federation.east.example' }],
  });
  const west = new FederatedMesh(new Chart(app, 'west'), 'Mesh', {
    meshName: 'west',
    trustDomain: 'west.example',
    trustBundle: TrustBundle.fromPemFile('trust/west.pem'),
  });
  east.addPeer(west);
  west.addPeer(east);
  const reviews = east.expose('Reviews', {
    service: LocalService.fromName('reviews', 'default'),
    exportName: 'reviews',
    ports: [ServicePort.http(9080)],
  });
  reviews.allowFrom(west, { http: [HttpRule.allow({ methods: ['GET'], paths: ['/reviews/*'] })] });
  const binding = west.bind('Reviews', { source: reviews, localName: LocalName.newService('reviews', 'default') });
  binding.allowFrom(Caller.serviceAccount('bookinfo-productpage', 'default'));
  expect(callsIn(app)).toEqual(['west reviews.default.svc.cluster.local:9080 → east reviews.default.svc.cluster.local:9080']);
});

test('an exporter and a consumer can use different names and ports for the same service', () => {
  const app = new App();
  const bank = mesh(app, 'bank');
  const shop = mesh(app, 'shop');
  bank.addPeer(shop);
  shop.addPeer(bank);

  const withdraw = bank.expose('Withdraw', {
    service: LocalService.fromName('withdraw', 'accounts'),
    exportName: 'withdrawals.v1',
    ports: [ServicePort.http(8080, { exportPort: 443 })], // peers learn neither our port nor our names
  });
  withdraw.allowFrom(shop, { http: [HttpRule.allow({ methods: ['POST'], paths: ['/withdrawals'] })] });

  const debit = shop.bind('Debit', {
    source: withdraw,
    localName: LocalName.newService('debit', 'finance'),
    portMappings: [{ localPort: 80, exportPort: 443 }],
  });
  debit.allowFrom(Caller.serviceAccount('checkout', 'finance'));
  expect(callsIn(app)).toEqual(['shop debit.finance.svc.cluster.local:80 → bank withdraw.accounts.svc.cluster.local:8080']);
  expect(filesOf([app]).get('shop')).not.toContain('accounts');
  expect(filesOf([app]).get('shop')).not.toContain('8080');
});

test('one exporter can allow different requests for each of two peers', () => {
  const app = new App();
  const core = mesh(app, 'core');
  const retail = mesh(app, 'retail');
  const audit = mesh(app, 'audit');

  // The order of calls does not matter: a grant before `addPeer`, a binding before the grant.
  const ledger = core.expose('Ledger', {
    service: LocalService.fromName('ledger', 'books'),
    exportName: 'ledger',
    ports: [ServicePort.http(8080), ServicePort.grpc(9090)],
  });
  for (const peer of [retail, audit]) {
    const local = peer.bind('Ledger', { source: ledger, localName: LocalName.newService('ledger', 'partners') });
    local.allowFrom(Caller.serviceAccount('client', peer.meshName));
    peer.addPeer(core);
  }
  ledger.allowFrom(retail, { ports: [8080], http: [HttpRule.allow({ methods: ['POST'], paths: ['/entries'] })] });
  ledger.allowFrom(audit, { ports: [8080], http: [HttpRule.allow({ methods: ['GET'], paths: ['/entries/*'], exceptPaths: ['/entries/drafts/*'] })] });
  ledger.allowFrom(audit, { ports: [9090], grpcMethods: ['/books.Export/Stream'] });
  core.addPeer(retail, { limits: { maxConnections: 200, requestsPerSecond: 50 } });
  core.addPeer(audit, { stripTracing: true });
  expect(callsIn(app)).toEqual([['audit', 8080], ['audit', 9090], ['retail', 8080]].map(([peer, port]) =>
    `${peer} ledger.partners.svc.cluster.local:${port} → core ledger.books.svc.cluster.local:${port}`));
});

/** A construct of the accounts team. It takes its mesh and a peer, which may be of any type. */
class AccountsBoundary extends Construct {
  public readonly withdraw: IExposedService;

  public constructor(chart: Chart, own: FederatedMesh, peer: IMeshPeer, service: kplus.Service) {
    super(chart, 'AccountsBoundary');
    const withdraw = new ExposedService(this, 'Withdraw', {
      mesh: own,
      service: LocalService.fromConstruct(service), // name and namespace from the construct, ports checked against it
      exportName: 'withdrawals',
      ports: [ServicePort.http(8080)],
      owner: 'accounts team',
      purpose: 'withdraw at the till',
    });
    withdraw.allowFrom(peer, {
      http: [HttpRule.allow({ methods: ['POST'] })],
      jwt: { issuer: 'https://login.example', jwksUri: 'https://login.example/keys', audiences: ['accounts'] },
    });
    withdraw.lockWorkload({ reason: 'card data: nobody else in the mesh may call it', localCallers: [Caller.serviceAccount('teller', 'accounts')] });
    this.withdraw = withdraw;
  }
}

test('application teams can export and bind in their own charts, while the platform team owns the mesh', () => {
  const app = new App();
  const bank = mesh(app, 'bank');
  const shop = mesh(app, 'shop');
  bank.addPeer(shop);
  shop.addPeer(bank);

  const accountsChart = new Chart(app, 'bank-accounts', { namespace: 'accounts' });
  const workload = new kplus.Deployment(accountsChart, 'Withdraw', { containers: [{ image: 'withdraw', portNumber: 8080 }] });
  const service = workload.exposeViaService({ ports: [{ port: 8080, name: 'http' }] });
  const accounts = new AccountsBoundary(accountsChart, bank, shop, service);

  const tillChart = new Chart(app, 'shop-till', { namespace: 'till' });
  const account = new kplus.ServiceAccount(tillChart, 'Account');
  const till = new kplus.Deployment(tillChart, 'Till', { containers: [{ image: 'till' }], serviceAccount: account });
  const binding = new RemoteServiceBinding(tillChart, 'Withdrawals', {
    mesh: shop,
    source: accounts.withdraw,
    localName: LocalName.newService('withdraw', 'till'),
  });
  binding.allowFrom(Caller.fromConstruct(till));
  expect(callsIn(app)).toEqual([`shop withdraw.till.svc.cluster.local:8080 → bank ${service.name}.accounts.svc.cluster.local:8080`]);
});

test('a binding can migrate a Service by weights, with two remote sources and a canary by header', () => {
  const app = new App();
  const onPremises = mesh(app, 'onprem');
  const cloud = mesh(app, 'cloud');
  const standby = mesh(app, 'standby');
  onPremises.addPeer(cloud);
  onPremises.addPeer(standby);
  const [primary, secondary] = [cloud, standby].map((m) => {
    m.addPeer(onPremises);
    const reviews = m.expose('Reviews', {
      service: LocalService.fromName('reviews', 'shop'), exportName: 'reviews', ports: [ServicePort.http(9080)],
    });
    reviews.allowFrom(onPremises);
    return reviews;
  });

  // Step 2 of 4: 70 % local, 20 % cloud, 10 % standby; requests of testers always go to the cloud.
  const reviews = onPremises.bind('Reviews', { localName: LocalName.existingService('reviews', 'default'), source: primary, weight: 20 });
  reviews.addLocalSource({ weight: 70 });
  reviews.addSource(secondary, { weight: 10 });
  reviews.addSource(primary, { whenHeaders: { 'x-tester': 'yes' } });
  reviews.allowFrom(Caller.anyInNamespace('default')); // every current caller of the Service
  expect(callsIn(app)).toEqual(['cloud', 'cloud', 'standby'].map((peer) =>
    `onprem reviews.default.svc.cluster.local:9080 → ${peer} reviews.shop.svc.cluster.local:9080`));
});

test('a mesh can export a TCP database, a service with end-to-end TLS, and a gRPC service', () => {
  const app = new App();
  const data = mesh(app, 'data');
  const web = mesh(app, 'web');
  data.addPeer(web);
  web.addPeer(data);

  const exported = {
    mysql: data.expose('MySql', {
      service: LocalService.fromName('mysql', 'db'), exportName: 'orders-db', ports: [ServicePort.tcp(3306)], idleTimeout: Duration.minutes(10),
    }),
    vault: data.expose('Vault', { service: LocalService.fromName('vault', 'vault'), exportName: 'vault', ports: [ServicePort.tls(8200)] }),
    search: data.expose('Search', {
      service: LocalService.fromName('search', 'search'), exportName: 'search', ports: [ServicePort.grpc(9000)], requestTimeout: Duration.seconds(5),
    }),
  };
  exported.mysql.allowFrom(web);
  exported.vault.allowFrom(web);
  exported.search.allowFrom(web, { grpcMethods: ['/search.Query/*'] });

  const api = Caller.serviceAccount('api', 'shop');
  for (const [name, source] of Object.entries(exported)) {
    web.bind(name, { source, localName: LocalName.newService(name, 'shop') }).allowFrom(api);
  }
  expect(callsIn(app)).toEqual([
    'web mysql.shop.svc.cluster.local:3306 → data mysql.db.svc.cluster.local:3306',
    'web search.shop.svc.cluster.local:9000 → data search.search.svc.cluster.local:9000',
    'web vault.shop.svc.cluster.local:8200 → data vault.vault.svc.cluster.local:8200',
  ]);
});

test('two meshes with the trust domain cluster.local federate over existing gateways and certificates of cert-manager', () => {
  const app = new App();
  const boundaries = ['north', 'south'].map((name, index) => new FederatedMesh(new Chart(app, name), 'Mesh', {
    meshName: name,
    trustDomain: `boundary.${name}.example`,
    workloadTrustDomain: 'cluster.local',
    trustBundle: TrustBundle.fromPemFile(`trust/${['east', 'west'][index]}-boundary.pem`),
    credential: GatewayCredential.fromCertManager({ issuerName: 'boundary-ca', duration: Duration.days(7) }),
    endpoints: [{ address: `fed.${name}.example`, port: 443 }],
    ingressGateway: BoundaryGateway.fromExisting({
      namespaceName: 'istio-ingress', serviceAccountName: 'partner-ingress', serviceName: 'partner-ingress', podLabels: { app: 'partner-ingress' },
    }),
    egressGateway: BoundaryGateway.dedicated({ minReplicas: 3, maxReplicas: 3, nodeSelector: { pool: 'dmz' }, tolerations: [NodeToleration.exists('dmz')] }),
    createNamespace: false,
    istioVersion: IstioVersion.V1_31,
    revision: 'stable',
    delivery: Delivery.argoCd(),
  }));
  const [north, south] = boundaries;
  north.addPeer(south);
  south.addPeer(north, { trustConfigMapName: 'north-roots' }); // managed by trust-manager
  const stock = north.expose('Stock', { service: LocalService.fromName('stock', 'store'), exportName: 'stock', ports: [ServicePort.http(80)] });
  stock.allowFrom(south);
  south.bind('Stock', { source: stock, localName: LocalName.newService('stock', 'web') }).allowFrom(Caller.anyInNamespace('web'));

  const objects = new Map([...filesOf([app])].map(([chart, text]) => [chart, parse(text)]));
  const [[server], [call]] = [serversOf(objects.get('north')!), callsOf(objects.get('south')!)];
  expect(`${call.local} → ${server.backend}`).toBe('stock.web.svc.cluster.local:80 → stock.store.svc.cluster.local:80');
  expect(call).toMatchObject({
    sni: server.sni, serverIdentities: [server.serverIdentity], addresses: ['fed.north.example:443'], allowed: ['cluster.local/ns/web/sa/*'], ca: 'externally managed in north-roots',
  });
  expect(server).toMatchObject({
    serverIdentity: 'spiffe://boundary.north.example/ns/istio-ingress/sa/partner-ingress',
    clientIdentities: [call.clientIdentity],
    // Policies on a shared gateway only deny.
    allowed: [],
    notDenied: [call.clientIdentity.replace('spiffe://', '')],
  });
  expect([...objects.values()].flat().filter(({ kind }) => kind === 'Namespace')).toEqual([]);
  expect(find(objects.get('south')!, 'Deployment', 'federation-egress').spec).toMatchObject({
    replicas: 3, template: { metadata: { labels: { 'istio.io/rev': 'stable' } }, spec: { nodeSelector: { pool: 'dmz' }, tolerations: [{ key: 'dmz', operator: 'Exists' }] } },
  });
  expect(find(objects.get('north')!, 'Gateway', 'fed-in-south').metadata.annotations['argocd.argoproj.io/sync-wave']).toBe('-2');
});

test('a program can export a Service from an included manifest', () => {
  const app = new App();
  const east = mesh(app, 'east');
  const chart = new Chart(app, 'bookinfo', { namespace: 'default' });
  const directory = mkdtempSync(join(tmpdir(), 'manifests-'));
  writeFileSync(join(directory, 'reviews.yaml'), `apiVersion: v1
kind: ServiceAccount
metadata: { name: bookinfo-reviews }
---
apiVersion: v1
kind: Service
metadata: { name: reviews }
spec: { selector: { app: reviews }, ports: [{ name: http, port: 9080 }] }
`);
  const bookinfo = new Include(chart, 'Bookinfo', { url: join(directory, 'reviews.yaml') });
  rmSync(directory, { recursive: true });
  const service = bookinfo.apiObjects.find((object) => object.kind === 'Service' && object.name === 'reviews')!;
  const reviews = east.expose('Reviews', { service: LocalService.fromConstruct(service), exportName: 'reviews', ports: [ServicePort.http(9080)] });
  expect(reviews.exportName).toBe('reviews');
  expect(() => app.synthYaml()).not.toThrow();
});
