import type { IMeshPeer } from '../mesh-peer';
import { BOUNDARY_PORT } from '../model/constants';
import type { Peer } from '../model/model';

const knownPeers = new WeakMap<IMeshPeer, Peer>();

/** A peer as plain data, read once: later changes to the program's own lists do not affect the objects. */
export function peerOf(peer: IMeshPeer): Peer {
  const known = knownPeers.get(peer) ?? {
    name: peer.meshName,
    ingressIdentity: peer.ingressIdentity && { uri: peer.ingressIdentity.uri, principal: peer.ingressIdentity.principal },
    egressIdentity: peer.egressIdentity && { uri: peer.egressIdentity.uri, principal: peer.egressIdentity.principal },
    pem: peer.trustBundle._pem,
    revocationLists: peer.trustBundle._revocationLists,
    endpoints: peer.endpoints.map(({ address, port }) => ({ address, port: port ?? BOUNDARY_PORT })),
  };
  knownPeers.set(peer, known);
  return known;
}
