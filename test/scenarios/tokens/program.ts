import { readFileSync } from 'fs';
import { join } from 'path';
import { App } from 'cdk8s';
import { Caller, HttpRule, LocalName, LocalService, ServicePort } from '../../../src';
import { meshOf, TRUST } from '../../support/meshes';

/**
 * End-user JWTs for requests of west: from one issuer for orders, from another one for search. Reviews and all requests of north require
 * none. The first issuer is a prefix of the second one.
 */
export function program(): App[] {
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
    http: [HttpRule.allow({ methods: ['GET'], paths: ['/orders/*'], exceptPaths: ['/orders/drafts/*'] })],
    jwt: { ...login, claims: { scope: ['orders.read'] } },
  });
  orders.allowFrom(west, {
    http: [HttpRule.allow({ methods: ['POST'], paths: ['/orders/*'] })],
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
