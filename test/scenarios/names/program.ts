import { App } from 'cdk8s';
import { Caller, LocalName, LocalService, ServicePort } from '../../../src';
import { meshOf } from '../../support/meshes';

const PEERS = ['east', 'north'];
const NAMESPACES = 20;
/** The EnvoyFilter of an egress gateway has room for some 2,500 local ports that somebody may call. */
const CALLED = 2000;

/**
 * West binds one export of each of two peers under this number of local names, in 20 namespaces; with `hosts`, each
 * name has an additional host. From the 2,000th name on, nobody may call them.
 */
export function program(size: number, hosts: boolean): App[] {
  const app = new App();
  const west = meshOf(app, 'west');
  const sources = PEERS.map((peerName) => {
    const peer = meshOf(app, peerName);
    peer.addPeer(west);
    west.addPeer(peer);
    const ledger = peer.expose('Ledger', { service: LocalService.fromName('ledger', 'default'), exportName: 'ledger', ports: [ServicePort.tcp(5432)] });
    ledger.allowFrom(west);
    return ledger;
  });
  for (let i = 0; i < size; i++) {
    const source = sources[i % sources.length];
    const namespaceName = `team-${i % NAMESPACES}`;
    const additionalHosts = hosts ? [`ledger-${i}.partner-${i % NAMESPACES}.example`] : undefined;
    const binding = west.bind(`Ledger${i}`, { source, localName: LocalName.newService(`ledger-${i}`, namespaceName), additionalHosts });
    if (i < CALLED) binding.allowFrom(Caller.serviceAccount('accounting', namespaceName));
  }
  return [app];
}
