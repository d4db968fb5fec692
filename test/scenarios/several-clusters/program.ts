import { App } from 'cdk8s';
import { Caller, HttpRule, LocalName, LocalService, ServicePort } from '../../../src';
import { meshOf } from '../../support/meshes';

/**
 * Mesh west has two clusters, and the lab applies the chart of west to both. East has one. Pods of `details` are in both
 * clusters of west, those of `prices` in the first one only.
 */
export function program(): App[] {
  const app = new App();
  const east = meshOf(app, 'east');
  const west = meshOf(app, 'west', { endpoints: [{ address: 'federation.west.example' }, { address: 'federation.west2.example' }] });
  east.addPeer(west);
  west.addPeer(east);
  const reviews = east.expose('Reviews', {
    service: LocalService.fromName('reviews', 'default'), exportName: 'reviews', ports: [ServicePort.http(9080)],
  });
  reviews.allowFrom(west, { http: [HttpRule.allow({ methods: ['GET'] })] });
  west.bind('Reviews', { source: reviews, localName: LocalName.newService('reviews', 'default') })
    .allowFrom(Caller.serviceAccount('bookinfo-productpage', 'default'));
  for (const name of ['details', 'prices']) {
    const exported = west.expose(name, {
      service: LocalService.fromName(name, 'default'), exportName: name, ports: [ServicePort.http(9080)],
    });
    exported.allowFrom(east);
    east.bind(name, { source: exported, localName: LocalName.newService(name, 'catalogue') })
      .allowFrom(Caller.serviceAccount('bookinfo-reviews', 'default'));
  }
  return [app];
}
