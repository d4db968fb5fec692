import { App } from 'cdk8s';
import { Caller, GatewayEndpoint, HttpRule, LocalName, LocalService, ServicePort } from '../../../src';
import { meshOf } from '../../support/meshes';

const ADDRESSES: GatewayEndpoint[] = [{ address: '203.0.113.10', port: 443 }, { address: '203.0.113.11', port: 443 }];

/** Each mesh exports a service to the other one and binds an export of it. */
export function program(endpoints = ADDRESSES): App[] {
  const app = new App();
  const east = meshOf(app, 'east');
  const west = meshOf(app, 'west', { endpoints });
  east.addPeer(west);
  west.addPeer(east);
  const reviews = east.expose('Reviews', {
    service: LocalService.fromName('reviews', 'default'), exportName: 'reviews', ports: [ServicePort.http(9080)],
  });
  const details = west.expose('Details', {
    service: LocalService.fromName('details', 'default'), exportName: 'details', ports: [ServicePort.http(9080)],
  });
  reviews.allowFrom(west);
  details.allowFrom(east, { http: [HttpRule.allow({ methods: ['GET'] })] });
  west.bind('BoundReviews', { source: reviews, localName: LocalName.newService('reviews', 'default') })
    .allowFrom(Caller.serviceAccount('bookinfo-productpage', 'default'));
  east.bind('BoundDetails', { source: details, localName: LocalName.newService('details', 'catalogue') })
    .allowFrom(Caller.serviceAccount('bookinfo-reviews', 'default'));
  return [app];
}
