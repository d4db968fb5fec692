import { App } from 'cdk8s';
import { Caller, Justification, LocalName, LocalService, RemoteMesh, ServicePort, SpiffeId } from '../../../src';
import { meshOf, trustOf } from '../../support/meshes';

/** East federates in both directions with west, a RemoteMesh, and with north. With `isolated`, it cuts off west. */
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

/** East isolates west. */
export function program(): App[] {
  return twoPeers({ reason: 'a build server of west was taken over', approvedBy: 'security on call', ticket: 'SEC-812' });
}
