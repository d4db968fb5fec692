import { App } from 'cdk8s';
import { Caller, HttpRule, LocalName, LocalService, RemoteMesh, ServicePort, SpiffeId } from '../../../src';
import { meshOf, trustOf } from '../../support/meshes';

/** The example of the article as two programs without shared code. Each program uses its own alias for the other mesh. */
export function program(): App[] {
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
    .allowFrom(partner, { http: [HttpRule.allow({ methods: ['GET'], paths: ['/reviews/*'] })] });

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
