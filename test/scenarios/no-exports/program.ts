import { App } from 'cdk8s';
import { } from '../../../src';
import { meshOf } from '../../support/meshes';

/** Two meshes that are peers, without exports and bindings. */
export function program(): App[] {
  const app = new App();
  const east = meshOf(app, 'east');
  const west = meshOf(app, 'west');
  east.addPeer(west);
  west.addPeer(east);
  return [app];
}
