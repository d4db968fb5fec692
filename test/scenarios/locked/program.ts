import { App } from 'cdk8s';
import { Caller, LocalName, LocalService, ServicePort } from '../../../src';
import { meshOf } from '../../support/meshes';

/** East locks the workloads of its exports, with the till as the only local caller. West restricts the namespace of the callers. */
export function program(): App[] {
  const app = new App();
  const east = meshOf(app, 'east');
  const west = meshOf(app, 'west', { endpoints: undefined });
  east.addPeer(west);
  west.addPeer(east);
  const withdraw = east.expose('Withdraw', {
    service: LocalService.fromName('withdraw', 'accounts'), exportName: 'withdraw', ports: [ServicePort.http(8080)],
  });
  const mysql = east.expose('Mysql', { service: LocalService.fromName('mysql', 'db'), exportName: 'mysql', ports: [ServicePort.tcp(3306)] });
  withdraw.lockWorkload({
    reason: 'card data: the till and partners only',
    approvedBy: 'security officer',
    podLabels: { app: 'withdraw' },
    localCallers: [Caller.serviceAccount('teller', 'accounts'), Caller.anyInNamespace('books')],
  });
  mysql.lockWorkload({ reason: 'orders are read by partners only', podLabels: { app: 'mysql' } });
  [withdraw, mysql].forEach((source) => source.allowFrom(west));
  for (const [name, source] of Object.entries({ withdraw, mysql })) {
    const additionalHosts = name === 'withdraw' ? ['withdraw.east.example'] : undefined;
    west.bind(name, { source, localName: LocalName.newService(name, 'finance'), additionalHosts }).allowFrom(Caller.serviceAccount('checkout', 'finance'));
  }
  west.restrictNamespace('finance', { reason: 'money leaves through the boundary only', ticket: 'SEC-7', allowedHosts: ['egress/*.acquirer.example'] });
  return [app];
}
