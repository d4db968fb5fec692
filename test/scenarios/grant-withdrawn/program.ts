import { App } from 'cdk8s';
import { LocalService, ServicePort } from '../../../src';
import { meshOf } from '../../support/meshes';

const REVIEWS = { service: LocalService.fromName('reviews', 'default'), exportName: 'reviews', ports: [ServicePort.http(9080)] };

/** East alone, after it has revoked its grant to west. West is unchanged. */
export function program(): App[] {
  const app = new App();
  const east = meshOf(app, 'east');
  east.addPeer(meshOf(new App(), 'west'));
  east.expose('Reviews', REVIEWS);
  return [app];
}
