import { App } from 'cdk8s';
import { Caller, LocalName, LocalService, ServicePort } from '../../../src';
import { meshOf } from '../../support/meshes';

/** Every proxy reports spans. East and west remove trace headers for each other, east and north do not. */
export function program(): App[] {
  const app = new App();
  const [east, west, north] = ['east', 'west', 'north'].map((name) => meshOf(app, name, name === 'east' ? {} : { endpoints: undefined }));
  const reviews = east.expose('Reviews', { service: LocalService.fromName('reviews', 'default'), exportName: 'reviews', ports: [ServicePort.http(9080)] });
  for (const peer of [west, north]) {
    const options = { stripTracing: peer === west };
    east.addPeer(peer, options);
    peer.addPeer(east, options);
    reviews.allowFrom(peer);
    peer.bind('Reviews', { source: reviews, localName: LocalName.newService('reviews', 'shop') }).allowFrom(Caller.serviceAccount('api', 'shop'));
  }
  return [app];
}
