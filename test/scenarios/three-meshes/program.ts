import { App } from 'cdk8s';
import { Caller, HttpRule, LocalName, LocalService, ServicePort } from '../../../src';
import { meshOf } from '../../support/meshes';

/** One exporter with two ports, two peers with different rules and ports, callers in two namespaces, and calls in an unusual order. */
export function program(): App[] {
  const app = new App();
  const east = meshOf(app, 'east');
  const west = meshOf(app, 'west', { endpoints: undefined });
  const north = meshOf(app, 'north', { endpoints: undefined, monitoringNamespaceName: 'observability' });
  const ledger = east.expose('Ledger', {
    service: LocalService.fromName('ledger', 'books'),
    exportName: 'ledger',
    ports: [ServicePort.http(8080), ServicePort.http(9090, { exportPort: 80 })],
    owner: 'ledger team',
  });
  for (const peer of [west, north]) {
    const local = peer.bind('Ledger', { source: ledger, localName: LocalName.newService('ledger', 'partners') });
    local.allowFrom(Caller.serviceAccount('client', peer.meshName));
    local.allowFrom(Caller.serviceAccount('batch', 'partners'));
    peer.addPeer(east);
  }
  ledger.allowFrom(west, { ports: [8080], http: [HttpRule.allow({ methods: ['POST'], paths: ['/entries'] })] });
  ledger.allowFrom(north, {
    http: [HttpRule.allow({ methods: ['GET', 'HEAD'], paths: ['/entries/*', '/balance'] }), HttpRule.allow({ paths: ['/health'] })],
    purpose: 'yearly audit',
    reviewBy: '2027-06-30',
  });
  east.addPeer(west);
  east.addPeer(north, { agreementId: 'ISA-2026-014', contact: 'mailto:audit@north.example' });
  return [app];
}
