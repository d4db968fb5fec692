import { App } from 'cdk8s';
import { BoundaryGateway, Caller, GatewayServiceType, HttpRule, LocalName, LocalService, ServicePort } from '../../../src';
import { meshOf } from '../../support/meshes';

const REVIEWS = { service: LocalService.fromName('reviews', 'default'), exportName: 'reviews', ports: [ServicePort.http(9080)] };

/** The ingress gateway of east has a Service of type NodePort. */
export function program(): App[] {
  const app = new App();
  const west = meshOf(app, 'west', { endpoints: undefined });
  const east = meshOf(app, 'east', {
    endpoints: [{ address: 'federation.east.example', port: 30443 }],
    ingressGateway: BoundaryGateway.dedicated({ serviceType: GatewayServiceType.NODE_PORT }),
  });
  east.addPeer(west);
  west.addPeer(east);
  const source = east.expose('Reviews', REVIEWS);
  source.allowFrom(west, { http: [HttpRule.allow({ methods: ['GET'] })] });
  west.bind('Reviews', { source, localName: LocalName.newService('reviews', 'default') }).allowFrom(Caller.serviceAccount('bookinfo-productpage', 'default'));
  return [app];
}
