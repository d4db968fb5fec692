/**
 * Programs for connections that the lab holds open: three peers of east, and the changes that east and west apply in the meantime. Each
 * program differs from `held` in one declaration.
 */
import { App } from 'cdk8s';
import { Caller, FederatedMesh, HttpRule, IExposedService, LocalName, LocalService, RemoteMesh, ServicePort, SpiffeId } from '../../../src';
import { meshOf, trustOf } from '../../support/meshes';

/** The declarations that a program adds or changes. */
export const CHANGES = ['grant', 'grant-changed', 'export', 'binding', 'caller', 'rule', 'peer'] as const;
type Change = typeof CHANGES[number];

/** A peer without a cluster in the lab; the lab has the key of its CA. */
function remote(app: App, meshName: string, boundary: string): RemoteMesh {
  const identity = (account: string) => SpiffeId.parse(`spiffe://boundary.${boundary}.example/ns/istio-federation/sa/${account}`);
  return new RemoteMesh(app, meshName, {
    meshName,
    trustDomain: `boundary.${boundary}.example`,
    trustBundle: trustOf(`${boundary}-boundary`),
    ingressIdentity: identity('federation-ingress'),
    egressIdentity: identity('federation-egress'),
  });
}

function exposeAll(east: FederatedMesh): { readonly [name: string]: IExposedService & ReturnType<FederatedMesh['expose']> } {
  const expose = (exportName: string, service: string, namespaceName: string, port: ServicePort) =>
    east.expose(exportName, { service: LocalService.fromName(service, namespaceName), exportName, ports: [port] });
  return {
    chat: expose('chat', 'chat', 'chat', ServicePort.http(8080)),
    search: expose('search', 'search', 'search', ServicePort.grpc(9000)),
    echo: expose('echo', 'echo', 'events', ServicePort.tcp(7000)),
    sink: expose('sink', 'sink', 'chat', ServicePort.http(8070)),
    ratings: expose('ratings', 'ratings', 'default', ServicePort.http(9080)),
    orders: expose('orders', 'ratings', 'default', ServicePort.http(9080)),
    reviews: expose('reviews', 'reviews', 'default', ServicePort.http(9080)),
  };
}

export function program(change?: Change): App[] {
  const app = new App();
  const [east, west, north] = ['east', 'west', 'north'].map((name) => meshOf(app, name, name === 'east' ? {} : { endpoints: undefined }));
  const peers = [west, north, remote(app, 'south', 'west')];
  const exported = exposeAll(east);
  const { chat, search, echo, sink, ratings, orders, reviews } = exported;
  search.lockWorkload({ reason: 'its peers share one proxy, and none of them may fill it', podLabels: { app: 'search' } });
  const bind = (mesh: FederatedMesh, name: string, ...accounts: string[]) => {
    const binding = mesh.bind(name, { source: exported[name], localName: LocalName.newService(name, 'shop') });
    accounts.forEach((account) => binding.allowFrom(Caller.serviceAccount(account, 'shop')));
    return binding;
  };
  for (const peer of peers) {
    east.addPeer(peer);
    [chat, search, echo, sink].forEach((source) => source.allowFrom(peer));
    if (!(peer instanceof FederatedMesh)) continue;
    peer.addPeer(east);
    for (const name of ['chat', 'search', 'echo', 'sink']) bind(peer, name, 'api', ...peer === west ? ['batch'] : []);
  }
  [ratings, orders].forEach((source) => source.allowFrom(west));
  bind(west, 'ratings', 'api', ...change === 'caller' ? ['batch'] : []);
  reviews.allowFrom(north, { http: [HttpRule.allow({ methods: ['GET'], paths: ['/reviews/*'] }), ...change === 'rule' ? [HttpRule.allow({ methods: ['POST'], paths: ['/votes'] })] : []] });
  if (change === 'grant') reviews.allowFrom(west);
  if (change === 'grant-changed') reviews.allowFrom(west, { http: [HttpRule.allow({ methods: ['GET'] })] });
  if (change === 'export') {
    east.expose('extra', { service: LocalService.fromName('reviews', 'default'), exportName: 'extra', ports: [ServicePort.http(9080)] }).allowFrom(north);
  }
  if (change === 'binding') bind(west, 'orders', 'api');
  if (change === 'peer') {
    const audit = remote(app, 'audit', 'east');
    east.addPeer(audit);
    reviews.allowFrom(audit);
  }
  return [app];
}
