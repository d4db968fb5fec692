import { App } from 'cdk8s';
import { BoundaryGateway, Caller, FederatedMesh, HttpRule, LocalName, LocalService, ServicePort } from '../../../src';
import { meshOf } from '../../support/meshes';

/** Both gateways of east and the ingress gateway of west have separate namespaces, which different teams can manage. */
export function program(): App[] {
  const app = new App();
  const [peersComeIn, callersGoOut] = ['federation-in', 'federation-out'].map((namespaceName) => BoundaryGateway.dedicated({ namespaceName }));
  const east = meshOf(app, 'east', { ingressGateway: peersComeIn, egressGateway: callersGoOut, connectAfterHandshake: true });
  const west = meshOf(app, 'west', { ingressGateway: peersComeIn, connectAfterHandshake: true });
  east.addPeer(west);
  west.addPeer(east);
  const expose = (mesh: FederatedMesh, name: string, namespaceName: string, port: ServicePort) =>
    mesh.expose(`Own-${name}`, { service: LocalService.fromName(name, namespaceName), exportName: name, ports: [port] });
  const reviews = expose(east, 'reviews', 'default', ServicePort.http(9080));
  const mysql = expose(east, 'mysql', 'db', ServicePort.tcp(3306));
  const details = expose(west, 'details', 'default', ServicePort.http(9080));
  reviews.allowFrom(west, { http: [HttpRule.allow({ methods: ['GET'] })] });
  mysql.allowFrom(west);
  details.allowFrom(east);
  for (const [name, source] of Object.entries({ reviews, mysql })) {
    west.bind(name, { source, localName: LocalName.newService(name, 'default') }).allowFrom(Caller.serviceAccount('bookinfo-productpage', 'default'));
  }
  east.bind('Details', { source: details, localName: LocalName.newService('details', 'catalogue') })
    .allowFrom(Caller.serviceAccount('bookinfo-reviews', 'default'));
  east.bind('Public', { source: details, localName: LocalName.newService('public', 'catalogue') }).allowFrom(Caller.anyInMesh());
  return [app];
}
