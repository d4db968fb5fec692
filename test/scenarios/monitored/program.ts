import { App } from 'cdk8s';
import { Caller, HttpRule, LocalName, LocalService, ServicePort } from '../../../src';
import { meshOf } from '../../support/meshes';

const REVIEWS = { service: LocalService.fromName('reviews', 'default'), exportName: 'reviews', ports: [ServicePort.http(9080)] };

/** East exports to two peers, and all gateways log as docs/how-to/monitoring.md describes. */
export function program(): App[] {
  const app = new App();
  const [east, west, north] = ['east', 'west', 'north'].map((name) => meshOf(app, name, { accessLogProvider: 'federation' }));
  const reviewed = east.expose('Reviews', REVIEWS);
  const mysql = east.expose('Mysql', { service: LocalService.fromName('mysql', 'db'), exportName: 'mysql', ports: [ServicePort.tcp(3306)] });
  for (const peer of [west, north]) {
    east.addPeer(peer);
    peer.addPeer(east);
    reviewed.allowFrom(peer, { http: [HttpRule.allow({ methods: ['GET'] })] });
    mysql.allowFrom(peer);
    for (const [name, source] of Object.entries({ reviews: reviewed, mysql })) {
      const bound = peer.bind(name, { source, localName: LocalName.newService(name, 'shop') });
      ['api', 'batch'].forEach((account) => bound.allowFrom(Caller.serviceAccount(account, 'shop')));
    }
  }
  return [app];
}
