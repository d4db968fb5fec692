import { App } from 'cdk8s';
import { LocalName, LocalService, ServicePort } from '../../../src';
import { meshOf } from '../../support/meshes';

/** An export and a binding without access: west has a grant but no caller, and north is a peer without a grant. */
export function program(): App[] {
  const app = new App();
  const east = meshOf(app, 'east');
  const west = meshOf(app, 'west');
  const north = meshOf(app, 'north');
  east.addPeer(west);
  east.addPeer(north);
  west.addPeer(east);
  const reviews = east.expose('Reviews', {
    service: LocalService.fromName('reviews', 'default'), exportName: 'reviews', ports: [ServicePort.http(9080)],
  });
  north.expose('Ratings', { service: LocalService.fromName('ratings', 'default'), exportName: 'ratings', ports: [ServicePort.http(9080)] });
  reviews.allowFrom(west);
  west.bind('Reviews', { source: reviews, localName: LocalName.newService('reviews', 'default') });
  return [app];
}
