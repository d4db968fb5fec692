import { fail, show, Where } from '../checks/errors';
import { checkGiven, isList, readGiven } from '../checks/kinds';
import { DeclaredPeer, parsePeer } from '../checks/peer';
import { isDnsName } from '../checks/values';
import type { IExposedService, IMeshPeer } from '../mesh-peer';
import { BOUNDARY_PORT } from '../model/constants';
import type { Peer } from '../model/model';
import { sniSuffixOf } from '../model/names';
import { ServicePort } from '../service';

/*
 * Peers and their exports as they were when the first accepted call used them. Later changes of a program's own objects
 * have no effect, so everything that is emitted was checked.
 */

const declaredPeers = new WeakMap<IMeshPeer, DeclaredPeer>();
const peers = new WeakMap<DeclaredPeer, Peer>();

/** An export of a peer whose properties were read once, when they were checked. */
export interface DeclaredSource {
  readonly construct: IExposedService;
  readonly mesh: DeclaredPeer;
  readonly exportName: string;
  readonly ports: readonly ServicePort[];
  /** The SNI of each port for us, by the exported number. */
  readonly snis: ReadonlyMap<number, string>;
  /** The common suffix of these SNIs. */
  readonly sniSuffix: string;
}

/** The peer that a call was given. `claimPeer` registers it if the call is accepted. */
export function peerGiven(where: Where, peer: IMeshPeer): DeclaredPeer {
  return declaredPeers.get(peer) ?? parsePeer(where, peer);
}

export function claimPeer(peer: DeclaredPeer): void {
  declaredPeers.set(peer.construct, peer);
}

/** Checks the source that a call was given, and its SNIs for us. */
export function parseSourceGiven(where: Where, us: IMeshPeer, source: IExposedService): DeclaredSource {
  const { mesh, exportName, ports: givenPorts, sniFor } = readGiven(where, 'the source', () => ({
    mesh: source?.mesh, exportName: source?.exportName, ports: source?.ports, sniFor: source?.sniFor,
  }));
  if (typeof sniFor !== 'function' || !isList(givenPorts)) {
    fail('FED120', where, `the source must be a service of a peer, not ${show(source)}`,
      'use an ExposedService, or the result of RemoteMesh.exposedService(…)');
  }
  if (typeof exportName !== 'string') fail('FED120', where, `the exportName of the source must be a string, not ${show(exportName)}`, 'use the name of the export');
  const ports = Array.from(givenPorts);
  if (ports.length === 0) fail('FED120', where, `the source ${show(exportName)} has no port`, 'use a source with at least one port');
  ports.forEach((port) => checkGiven(where, `a port of the source ${show(exportName)}`, port, ServicePort));
  const peer = peerGiven(where, mesh);
  const snis = new Map(ports.map(({ exportPort }) => [exportPort, readGiven(where, 'the source', () => source.sniFor(us, exportPort))]));
  const [first] = ports;
  const firstSni: unknown = snis.get(first.exportPort);
  const sniSuffix = sniSuffixOf(exportName, first.exportPort, typeof firstSni === 'string' ? firstSni : '');
  for (const [exportPort, sni] of snis) checkSni(where, sni, exportName, exportPort, sniSuffix);
  return { construct: source, mesh: peer, exportName, ports, snis, sniSuffix };
}

function checkSni(where: Where, sni: unknown, exportName: string, exportPort: number, suffix: string): void {
  if (typeof sni === 'string' && isDnsName(sni) && sni === `p${exportPort}.${exportName}${suffix}`) return;
  fail('FED301', where, `${show(sni)} is not a valid TLS server name (SNI) for port ${exportPort} of ${show(exportName)}`,
    'use p<port>.<export name>.<our name>.fed.<trust domain>');
}

/** A peer as plain data. */
export function peerOf(peer: DeclaredPeer): Peer {
  const known = peers.get(peer) ?? {
    name: peer.meshName,
    ingressIdentity: peer.ingressIdentity && { uri: peer.ingressIdentity.uri, principal: peer.ingressIdentity.principal },
    egressIdentity: peer.egressIdentity && { uri: peer.egressIdentity.uri, principal: peer.egressIdentity.principal },
    pem: peer.trustBundle._pem,
    revocationLists: peer.trustBundle._revocationLists,
    endpoints: peer.endpoints.map(({ address, port }) => ({ address, port: port ?? BOUNDARY_PORT })),
  };
  peers.set(peer, known);
  return known;
}
