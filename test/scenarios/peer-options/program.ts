import { App, Duration } from 'cdk8s';
import { Caller, HttpRule, LocalName, LocalService, ServicePort } from '../../../src';
import { meshOf } from '../../support/meshes';

/** Options for the peer west: limits, TLS 1.2, no trace context. Options of exports: idle timeouts. North is a peer without options. */
export function program(): App[] {
  const app = new App();
  const [east, west, north] = ['east', 'west', 'north'].map((name) =>
    meshOf(app, name, { connectAfterHandshake: name !== 'north', ...name === 'east' ? {} : { endpoints: undefined } }));
  const reviews = east.expose('Reviews', {
    service: LocalService.fromName('reviews', 'default'), exportName: 'reviews', ports: [ServicePort.http(9080)],
  });
  const mysql = east.expose('Mysql', { service: LocalService.fromName('mysql', 'db'), exportName: 'mysql', ports: [ServicePort.tcp(3306)] });
  // The same two services under export names with an idle timeout.
  const idleTimeout = Duration.seconds(2);
  const archive = east.expose('Archive', {
    service: LocalService.fromName('reviews', 'default'), exportName: 'archive', ports: [ServicePort.http(9080)], idleTimeout,
  });
  const ledger = east.expose('Ledger', { service: LocalService.fromName('mysql', 'db'), exportName: 'ledger', ports: [ServicePort.tcp(3306)], idleTimeout });
  for (const peer of [west, north]) {
    reviews.allowFrom(peer, { http: [HttpRule.allow({ methods: ['GET'] })] });
    mysql.allowFrom(peer);
    archive.allowFrom(peer);
    ledger.allowFrom(peer);
    peer.addPeer(east, peer === west ? { stripTracing: true, removeRequestHeaders: ['x-team', 'x-cost-centre'] } : {});
    for (const [name, source] of Object.entries({ reviews, mysql })) {
      peer.bind(name, { source, localName: LocalName.newService(name, 'shop') }).allowFrom(Caller.serviceAccount('api', 'shop'));
    }
  }
  east.addPeer(west, {
    limits: { maxConnections: 3, maxConnectionDuration: Duration.seconds(3), requestsPerSecond: 5 },
    stripTracing: true,
    allowTls12: { reason: 'their appliance is replaced in 2027', approvedBy: 'security board' },
  });
  east.addPeer(north);
  return [app];
}
