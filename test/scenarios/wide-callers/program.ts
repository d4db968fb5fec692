import { App } from 'cdk8s';
import { Caller, HttpRule, LocalName, LocalService, ServicePort } from '../../../src';
import { meshOf } from '../../support/meshes';

/** Callers that are not listed: the whole mesh for one local name, a namespace and a listed caller for another one. */
export function program(): App[] {
  const app = new App();
  const east = meshOf(app, 'east');
  const west = meshOf(app, 'west', { endpoints: undefined });
  east.addPeer(west);
  west.addPeer(east);
  const [reviews, ratings] = ['reviews', 'ratings'].map((name) => east.expose(name, {
    service: LocalService.fromName(name, 'default'), exportName: name, ports: [ServicePort.http(9080)],
  }));
  const bound = [
    west.bind('Public', { source: reviews, localName: LocalName.newService('public', 'partners') }),
    west.bind('Shared', { source: ratings, localName: LocalName.newService('shared', 'partners') }),
    west.bind('Own', { source: ratings, localName: LocalName.newService('own', 'partners') }),
  ];
  [reviews, ratings].forEach((source) => source.allowFrom(west, { http: [HttpRule.allow({ methods: ['GET'] })] }));
  bound[0].allowFrom(Caller.anyInMesh());
  bound[1].allowFrom(Caller.anyInNamespace('default'));
  bound[2].allowFrom(Caller.serviceAccount('visitor', 'elsewhere'));
  return [app];
}
