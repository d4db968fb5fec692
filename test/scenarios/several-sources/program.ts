import { App } from 'cdk8s';
import { Caller, LocalName, LocalService, ServicePort } from '../../../src';
import { meshOf } from '../../support/meshes';

/** A migration: weights for local pods and two peers, a header match for testers, and weights for TCP connections of a database. */
export function program(): App[] {
  const app = new App();
  const [west, east, north] = ['west', 'east', 'north'].map((name) => meshOf(app, name));
  const [fromEast, fromNorth, newer] = [east, north, east].map((mesh, index) => mesh.expose(index === 2 ? 'Newer' : 'Reviews', {
    service: LocalService.fromName(index === 2 ? 'reviews-v2' : 'reviews', 'default'),
    exportName: index === 2 ? 'reviews.v2' : 'reviews',
    ports: [ServicePort.http(9080, { exportPort: mesh === north ? 80 : 9080 })],
  }));
  const db = [east, north].map((mesh) => mesh.expose('Db', { service: LocalService.fromName('mysql', 'db'), exportName: 'orders', ports: [ServicePort.tcp(3306)] }));
  const rpc = [east, north].map((mesh) => mesh.expose('Rpc', { service: LocalService.fromName('search', 'search'), exportName: 'search', ports: [ServicePort.grpc(9000)] }));
  for (const exported of [fromEast, fromNorth, newer, ...db, ...rpc]) exported.allowFrom(west);
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
