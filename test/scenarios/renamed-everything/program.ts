import { App } from 'cdk8s';
import { Caller, HttpRule, LocalName, LocalService, ServicePort } from '../../../src';
import { meshOf } from '../../support/meshes';

/** All names differ between both sides: callers dial accounts/withdraw:8080 as finance/debit:80. */
export function program(): App[] {
  const app = new App();
  const east = meshOf(app, 'east');
  const west = meshOf(app, 'west');
  east.addPeer(west);
  west.addPeer(east);
  const withdraw = east.expose('Withdraw', {
    service: LocalService.fromName('withdraw', 'accounts'),
    exportName: 'withdrawals.v1',
    ports: [ServicePort.http(8080, { exportPort: 443 })],
  });
  withdraw.allowFrom(west, { http: [HttpRule.allow({ methods: ['POST'], paths: ['/withdrawals'] })] });
  west.bind('Debit', {
    source: withdraw,
    localName: LocalName.newService('debit', 'finance'),
    portMappings: [{ localPort: 80, exportPort: 443 }],
  }).allowFrom(Caller.serviceAccount('checkout', 'finance'));
  return [app];
}
