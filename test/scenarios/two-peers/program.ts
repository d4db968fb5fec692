import { App } from 'cdk8s';
import { Caller, LocalName, LocalService, RemoteMesh, ServicePort, SpiffeId } from '../../../src';
import { meshOf, trustOf } from '../../support/meshes';
import { twoPeers } from '../isolated-peer/program';

/** East federates with west and north, and isolates no peer. */
export function program(): App[] {
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
    knownAs: 'west',
  });
  west.addPeer(east);
  west.expose('Details', { service: LocalService.fromName('details', 'default'), exportName: 'details', ports: [ServicePort.http(9080)] })
    .allowFrom(east);
  west.bind('Reviews', { source: east.exposedService('reviews'), localName: LocalName.newService('reviews', 'default') })
    .allowFrom(Caller.serviceAccount('bookinfo-productpage', 'default'));
  return [...twoPeers(), app];
}
