import { fail, show, Where } from './errors';
import { checkDomain, isDnsName, isLabel } from './values';
import type { IMeshPeer } from '../mesh-peer';
import type { BoundaryConfig } from '../model/model';

/*
 * What becomes part of a name on the wire.
 */

/** Room for port, export name and peer in front of it, and for our own longest listener name. */
const MAX_TRUST_DOMAIN = 150;

/** A mesh is one label of every server name that concerns it. */
export function checkMeshName(where: Where, meshName: string): void {
  if (typeof meshName !== 'string' || !isLabel(meshName)) {
    fail('FED101', where, `${show(meshName)} is not a valid mesh name`, 'use one DNS label: at most 63 lower-case letters, digits and dashes');
  }
  if (meshName === 'egress') {
    fail('FED101', where, 'the mesh name "egress" is reserved for the names of egress gateways', 'choose another name');
  }
}

/** `cluster.local` is every mesh's name for itself: Istio would read a peer's identity as one of ours. */
export function checkTrustDomain(where: Where, trustDomain: string): void {
  if (trustDomain === 'cluster.local') {
    fail('FED102', where, 'the trust domain "cluster.local" is ambiguous: in every mesh, Istio reads it as the local trust domain',
      'give the mesh a trust domain of its own (meshConfig.trustDomain), for example "east.example"');
  }
  if (typeof trustDomain !== 'string' || !isDnsName(trustDomain) || trustDomain.length > MAX_TRUST_DOMAIN) {
    fail('FED102', where, `${show(trustDomain)} is not a valid trust domain`,
      `use DNS labels joined by dots, in lower case, at most ${MAX_TRUST_DOMAIN} characters, for example "east.example"`);
  }
}

/** A gateway that presents a certificate of its own mesh has the trust domain of the workloads. */
export function checkWorkloadTrustDomain(where: Where, { trustDomain, workloadTrustDomain, ingress, egress }: BoundaryConfig): void {
  checkDomain(where, workloadTrustDomain, 'FED102', 'trust domain');
  if (workloadTrustDomain === trustDomain) return;
  for (const { role, credential } of [ingress, egress]) {
    if (credential !== undefined) continue;
    fail('FED133', where, `the ${role} gateway would present a certificate of the trust domain ${show(workloadTrustDomain)}, not of ${show(trustDomain)}`,
      'omit workloadTrustDomain, or set a credential for both gateways: GatewayCredential.fromCertManager or fromSecret');
  }
}

/** Requires that the identities of a peer, as far as they are stated, are of its trust domain. */
export function checkIdentities(where: Where, peer: Pick<IMeshPeer, 'trustDomain' | 'ingressIdentity' | 'egressIdentity'>): void {
  for (const identity of [peer.ingressIdentity, peer.egressIdentity]) {
    if (identity === undefined || identity.trustDomain === peer.trustDomain) continue;
    fail('FED117', where, `the identity ${show(identity.uri)} is not in the trust domain ${show(peer.trustDomain)}`,
      'set the trust domain of the peer\'s boundary gateways and the SPIFFE IDs of their certificates');
  }
}
