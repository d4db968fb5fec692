/**
 * Writes what the lab applies: every golden scenario, the demo, and what becomes of the article when consent is withdrawn. The roots are
 * those of the meshes that are there. The programs of `grow` and `bench` are written when they are named.
 *
 *     TRUST_DIRECTORY=<folder with east.pem, …> ts-node scripts/lab.ts <folder> [scenario …]
 */
import { mkdirSync, writeFileSync } from 'fs';
import { join } from 'path';
import { App } from 'cdk8s';
import { bookinfo } from '../examples/bookinfo/main';
import { BoundaryGateway, Caller, GatewayServiceType, LocalName, LocalService, RemoteMesh, ServicePort, SpiffeId } from '../src';
import { HELD } from './held';
import { filesOf } from '../test/support/manifests';
import { meshOf, SCENARIOS, separateAuthorities, trustOf, twoPeers } from '../test/support/scenarios';

const reviews = { service: LocalService.fromName('reviews', 'default'), exportName: 'reviews', ports: [ServicePort.http(9080)] };

/** East alone, after it has taken its grant to west back. West has not heard of it. */
function grantWithdrawn(): App[] {
  const app = new App();
  const east = meshOf(app, 'east');
  east.addPeer(meshOf(new App(), 'west'));
  east.expose('Reviews', reviews);
  return [app];
}

/** East alone, grants to north only: west is no peer any more. */
function peerRemoved(): App[] {
  const app = new App();
  const east = meshOf(app, 'east');
  const north = meshOf(new App(), 'north');
  east.addPeer(north);
  east.expose('Reviews', reviews).allowFrom(north);
  return [app];
}

/** East deals with west and with north, and isolates nobody yet. */
function allPeers(): App[] {
  const app = new App();
  const west = meshOf(app, 'west');
  const east = new RemoteMesh(app, 'East', {
    meshName: 'east',
    trustDomain: 'east.example',
    trustBundle: trustOf('east'),
    ingressIdentity: SpiffeId.parse('spiffe://east.example/ns/istio-federation/sa/federation-ingress'),
    egressIdentity: SpiffeId.parse('spiffe://east.example/ns/istio-federation/sa/federation-egress'),
    endpoints: [{ address: 'federation.east.example' }],
    exposedServices: [{ exportName: 'reviews', ports: [ServicePort.http(9080)] }],
  });
  west.addPeer(east);
  west.expose('Details', { service: LocalService.fromName('details', 'default'), exportName: 'details', ports: [ServicePort.http(9080)] })
    .allowFrom(east);
  west.bind('Reviews', { source: east.exposedService('reviews'), localName: LocalName.newService('reviews', 'default') })
    .allowFrom(Caller.serviceAccount('bookinfo-productpage', 'default'));
  return [...twoPeers(), app];
}

/** East lets two peers in, and all gateways log as the how-to about monitoring says. */
function monitored(): App[] {
  const app = new App();
  const [east, west, north] = ['east', 'west', 'north'].map((name) => meshOf(app, name, { accessLogProvider: 'federation' }));
  const reviewed = east.expose('Reviews', reviews);
  const mysql = east.expose('Mysql', { service: LocalService.fromName('mysql', 'db'), exportName: 'mysql', ports: [ServicePort.tcp(3306)] });
  for (const peer of [west, north]) {
    east.addPeer(peer);
    peer.addPeer(east);
    reviewed.allowFrom(peer, { http: [{ methods: ['GET'] }] });
    mysql.allowFrom(peer);
    for (const [name, source] of Object.entries({ reviews: reviewed, mysql })) {
      const bound = peer.bind(name, { source, localName: LocalName.newService(name, 'shop') });
      ['api', 'batch'].forEach((account) => bound.allowFrom(Caller.serviceAccount(account, 'shop')));
    }
  }
  return [app];
}

/** East is behind a port of its nodes. */
function nodePort(): App[] {
  const app = new App();
  const west = meshOf(app, 'west', { endpoints: undefined });
  const east = meshOf(app, 'east', {
    endpoints: [{ address: 'federation.east.example', port: 30443 }],
    ingressGateway: BoundaryGateway.dedicated({ serviceType: GatewayServiceType.NODE_PORT }),
  });
  east.addPeer(west);
  west.addPeer(east);
  const source = east.expose('Reviews', reviews);
  source.allowFrom(west, { http: [{ methods: ['GET'] }] });
  west.bind('Reviews', { source, localName: LocalName.newService('reviews', 'default') }).allowFrom(Caller.serviceAccount('bookinfo-productpage', 'default'));
  return [app];
}

/** Up to how many bound names the admission policy is emitted: with more, the API server refuses its expression. */
const ADMISSION_POLICY_NAMES = 1001;

/** One service of east under so many export names, each granted to west by one path rule and bound there for one caller. */
function grow(size: number): App[] {
  const app = new App();
  const withoutAdmissionPolicy = size > ADMISSION_POLICY_NAMES
    ? { reason: `the API server refuses the expression of the policy for ${size} bound names` } : undefined;
  const [east, west] = ['east', 'west'].map((name) => meshOf(app, name, { withoutAdmissionPolicy }));
  east.addPeer(west);
  west.addPeer(east);
  for (let i = 0; i < size; i++) {
    const exportName = `reviews-${i}`;
    const source = east.expose(exportName, { ...reviews, exportName });
    source.allowFrom(west, { http: [{ methods: ['GET'], paths: ['/reviews/*'] }] });
    west.bind(exportName, { source, localName: LocalName.newService(exportName, 'default') })
      .allowFrom(Caller.serviceAccount('bookinfo-productpage', 'default'));
  }
  return [app];
}

/** One backend of east that speaks three protocols, granted without rules and once more with them. */
function bench(): App[] {
  const app = new App();
  const [east, west] = ['east', 'west'].map((name) => meshOf(app, name));
  east.addPeer(west);
  west.addPeer(east);
  const ports = [ServicePort.http(8080), ServicePort.grpc(9090), ServicePort.tcp(7001)];
  const [ours, ruled] = ['ours', 'ruled'].map((exportName) => {
    const source = east.expose(exportName, { service: LocalService.fromName('backend', 'bench'), exportName, ports });
    west.bind(exportName, { source, localName: LocalName.newService(exportName, 'bench') }).allowFrom(Caller.serviceAccount('client', 'bench'));
    return source;
  });
  ours.allowFrom(west);
  ruled.allowFrom(west, { ports: [8080], http: [{ methods: ['GET'], paths: ['/bench/*'] }] });
  ruled.allowFrom(west, { ports: [9090], grpcMethods: ['/lab.Echo/*'] });
  ruled.allowFrom(west, { ports: [7001] });
  return [app];
}

/** Programs that measurements ask for by name: `grow-<size>` and `bench`. */
function programOf(name: string): App[] {
  const size = /^grow-(\d+)$/.exec(name);
  if (size) return grow(Number(size[1]));
  return name === 'bench' ? bench() : PROGRAMS[name]();
}

const PROGRAMS: { readonly [name: string]: () => App[] } = {
  ...SCENARIOS,
  'bookinfo': () => [bookinfo().app],
  'two-peers': allPeers,
  'cluster-local': () => separateAuthorities('cluster.local'),
  'grant-withdrawn': grantWithdrawn,
  'peer-removed': peerRemoved,
  'monitored': monitored,
  'node-port': nodePort,
  ...HELD,
};

const [folder, ...wanted] = process.argv.slice(2);
for (const name of wanted.length > 0 ? wanted : Object.keys(PROGRAMS)) {
  mkdirSync(join(folder, name), { recursive: true });
  for (const [chart, text] of filesOf(programOf(name))) writeFileSync(join(folder, name, `${chart}.yaml`), text);
}
