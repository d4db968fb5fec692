import { fail, show, Where } from './errors';
import { checkDomain, isHostName, isLabel } from './values';
import type { IMeshPeer } from '../mesh-peer';
import type { BoundaryConfig } from '../model/model';

/*
 * Names that are part of an SNI or of a SPIFFE ID.
 */

/** Leaves room for port, export name and peer in an SNI, and for our own longest listener name. */
const MAX_TRUST_DOMAIN = 150;

/** Checks a mesh name, which is one label of every SNI that concerns the mesh. */
export function checkMeshName(where: Where, meshName: string): void {
  if (typeof meshName !== 'string' || !isLabel(meshName)) {
    fail('FED101', where, `${show(meshName)} is not a valid mesh name`, 'use one DNS label: at most 63 lower-case letters, digits and dashes');
  }
  if (meshName === 'egress') {
    fail('FED101', where, 'the mesh name "egress" is reserved for the names of egress gateways', 'choose another name');
  }
}

/** Rejects `cluster.local`, which every mesh reads as its own: Istio would read a peer's identity as one of ours. */
export function checkTrustDomain(where: Where, trustDomain: string): void {
  if (trustDomain === 'cluster.local') {
    fail('FED102', where, 'the trust domain "cluster.local" is ambiguous: in every mesh, Istio reads it as the local trust domain',
      'give the mesh a trust domain of its own (meshConfig.trustDomain), for example "east.example"');
  }
  if (typeof trustDomain !== 'string' || !isHostName(trustDomain) || trustDomain.length > MAX_TRUST_DOMAIN) {
    fail('FED102', where, `${show(trustDomain)} is not a valid trust domain`,
      `use DNS labels joined by dots, in lower case, at most ${MAX_TRUST_DOMAIN} characters, for example "east.example"`);
  }
}

/**
 * Requires a credential where workloads have another trust domain: without one, a gateway presents a workload
 * certificate.
 */
export function checkWorkloadTrustDomain(where: Where, { trustDomain, workloadTrustDomain, ingress, egress }: BoundaryConfig): void {
  checkDomain(where, workloadTrustDomain, 'FED102', 'trust domain');
  if (workloadTrustDomain === trustDomain) return;
  for (const { role, credential } of [ingress, egress]) {
    if (credential !== undefined) continue;
    fail('FED133', where, `the ${role} gateway would present a certificate of the trust domain ${show(workloadTrustDomain)}, not of ${show(trustDomain)}`,
      'omit workloadTrustDomain, or set a credential for both gateways: GatewayCredential.fromCertManager or fromSecret');
  }
}

/** Requires that the identities of a peer are in its trust domain. */
export function checkIdentities(where: Where, peer: Pick<IMeshPeer, 'trustDomain' | 'ingressIdentity' | 'egressIdentity'>): void {
  for (const identity of [peer.ingressIdentity, peer.egressIdentity]) {
    if (identity === undefined || identity.trustDomain === peer.trustDomain) continue;
    fail('FED117', where, `the identity ${show(identity.uri)} is not in the trust domain ${show(peer.trustDomain)}`,
      'set the trust domain of the peer\'s boundary gateways and the SPIFFE IDs of their certificates');
  }
}
