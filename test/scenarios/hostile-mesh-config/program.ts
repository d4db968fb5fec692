import { App } from 'cdk8s';
import { Caller, HttpRule, LocalName, LocalService, ServicePort } from '../../../src';
import { meshOf } from '../../support/meshes';

/** Exports of each kind in meshes whose MeshConfig changes every default that istiod lets it change (docs/how-to/mesh-config.md). */
export function program(): App[] {
  const app = new App();
  const namespaceLabels = { 'istio-discovery': 'enabled' };
  const [east, west] = [meshOf(app, 'east', { namespaceLabels }), meshOf(app, 'west', { namespaceLabels, endpoints: undefined })];
  east.addPeer(west);
  west.addPeer(east);
  const reviews = east.expose('Reviews', { service: LocalService.fromName('reviews', 'default'), exportName: 'reviews', ports: [ServicePort.http(9080)] });
  const mysql = east.expose('Mysql', { service: LocalService.fromName('mysql', 'db'), exportName: 'mysql', ports: [ServicePort.tcp(3306)] });
  const search = east.expose('Search', { service: LocalService.fromName('search', 'search'), exportName: 'search', ports: [ServicePort.grpc(9000)] });
  reviews.allowFrom(west, { http: [HttpRule.allow({ methods: ['GET'], paths: ['/reviews/*'] })] });
  mysql.allowFrom(west);
  search.allowFrom(west);
  west.bind('Reviews', {
    source: reviews, localName: LocalName.newService('reviews', 'default'), additionalHosts: ['reviews.east.example'],
  }).allowFrom(Caller.serviceAccount('bookinfo-productpage', 'default'));
  for (const [name, source] of Object.entries({ mysql, search })) {
    west.bind(name, { source, localName: LocalName.newService(name, 'shop') }).allowFrom(Caller.serviceAccount('api', 'shop'));
  }
  return [app];
}
