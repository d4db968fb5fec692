import { App } from 'cdk8s';
import { Caller, FederatedMesh, LocalName, LocalService, ServicePort } from '../../../src';
import { meshOf } from '../../support/meshes';

/** Both directions; the roots of east are externally managed in west. */
export function program(): App[] {
  const app = new App();
  const [east, west] = ['east', 'west'].map((name) => meshOf(app, name));
  const [reviews, details] = [[east, 'reviews'], [west, 'details']].map(([mesh, name]) => (mesh as FederatedMesh).expose(`Own-${name}`, {
    service: LocalService.fromName(name as string, 'default'), exportName: name as string, ports: [ServicePort.http(9080)],
  }));
  reviews.allowFrom(west);
  details.allowFrom(east);
  west.bind('Reviews', { source: reviews, localName: LocalName.newService('reviews', 'default') })
    .allowFrom(Caller.serviceAccount('bookinfo-productpage', 'default'));
  east.bind('Details', { source: details, localName: LocalName.newService('details', 'catalogue') })
    .allowFrom(Caller.serviceAccount('bookinfo-reviews', 'default'));
  east.addPeer(west);
  west.addPeer(east, { trustConfigMapName: 'east-roots' });
  return [app];
}
