import { App } from 'cdk8s';
import { Caller, LocalName, LocalService, ServicePort } from '../../../src';
import { meshOf } from '../../support/meshes';

/** East allows TLS 1.2 to west, which needs it for FIPS 140-2, and not to north. */
export function program(): App[] {
  const app = new App();
  const [east, west, north] = ['east', 'west', 'north'].map((name) =>
    meshOf(app, name, { accessLogProvider: 'federation', ...name === 'east' ? {} : { endpoints: undefined } }));
  const reviews = east.expose('Reviews', { service: LocalService.fromName('reviews', 'default'), exportName: 'reviews', ports: [ServicePort.http(9080)] });
  for (const peer of [west, north]) {
    east.addPeer(peer, peer === west ? { allowTls12: { reason: 'COMPLIANCE_POLICY=fips-140-2 in the mesh of west' } } : {});
    peer.addPeer(east);
    reviews.allowFrom(peer);
    peer.bind('Reviews', { source: reviews, localName: LocalName.newService('reviews', 'shop') }).allowFrom(Caller.serviceAccount('api', 'shop'));
  }
  return [app];
}
