import { App } from 'cdk8s';
import { LocalService, ServicePort } from '../../../src';
import { meshOf } from '../../support/meshes';

const REVIEWS = { service: LocalService.fromName('reviews', 'default'), exportName: 'reviews', ports: [ServicePort.http(9080)] };

/** East alone, after it has removed its peer west. Only north has grants. */
export function program(): App[] {
  const app = new App();
  const east = meshOf(app, 'east');
  const north = meshOf(new App(), 'north');
  east.addPeer(north);
  east.expose('Reviews', REVIEWS).allowFrom(north);
  return [app];
}
