import { App } from 'cdk8s';
import { Caller, HttpRule, LocalName, LocalService, ServicePort } from '../../../src';
import { meshOf } from '../../support/meshes';

const REVIEWS = { service: LocalService.fromName('reviews', 'default'), exportName: 'reviews', ports: [ServicePort.http(9080)] };

/** One service of east under this number of export names. Each is allowed to west with one path rule, and bound there for one caller. */
export function program(size: number): App[] {
  const app = new App();
  const [east, west] = ['east', 'west'].map((name) => meshOf(app, name));
  east.addPeer(west);
  west.addPeer(east);
  for (let i = 0; i < size; i++) {
    const exportName = `reviews-${i}`;
    const source = east.expose(exportName, { ...REVIEWS, exportName });
    source.allowFrom(west, { http: [HttpRule.allow({ methods: ['GET'], paths: ['/reviews/*'] })] });
    west.bind(exportName, { source, localName: LocalName.newService(exportName, 'default') })
      .allowFrom(Caller.serviceAccount('bookinfo-productpage', 'default'));
  }
  return [app];
}
