import { checkDomain, isDnsName, isLabel } from './checks';
import { fail, show, Where } from './errors';
import { checkGiven, checkList } from './kind-checks';
import type { Site } from './model';
import { MAX_NAME, sniOf } from './names';
import type { IMeshPeer } from '../peer';
import { ServicePort } from '../service';

/*
 * What becomes part of a name on the wire.
 */

/** Room for port, export name and peer in front of it, and for our own longest listener name. */
const MAX_TRUST_DOMAIN = 150;
const LONGEST_PEER_NAME = 'x'.repeat(63);

/** A mesh is one label of every server name that concerns it. */
export function checkMeshName(where: Where, meshName: string): void {
  if (typeof meshName !== 'string' || !isLabel(meshName)) {
    fail('FED101', where, `${show(meshName)} is no mesh name`, 'use one DNS label: at most 63 lower-case letters, digits and dashes');
  }
  if (meshName === 'egress') {
    fail('FED101', where, 'the mesh name "egress" stands in the names of every egress gateway', 'choose another name');
  }
}

/** `cluster.local` is every mesh's name for itself: Istio would read a peer's identity as one of ours. */
export function checkTrustDomain(where: Where, trustDomain: string): void {
  if (trustDomain === 'cluster.local') {
    fail('FED102', where, 'the trust domain "cluster.local" says nothing: Istio takes it for our own in every mesh',
      'give the mesh a trust domain of its own (meshConfig.trustDomain), for example "east.example"');
  }
  if (typeof trustDomain !== 'string' || !isDnsName(trustDomain) || trustDomain.length > MAX_TRUST_DOMAIN) {
    fail('FED102', where, `${show(trustDomain)} is no trust domain`,
      `use DNS labels joined by dots, lower case, at most ${MAX_TRUST_DOMAIN} characters, for example "east.example"`);
  }
}

/** A gateway that presents what its mesh gives it has the trust domain of the workloads. */
export function checkWorkloadTrustDomain(where: Where, { trustDomain, workloadTrustDomain, ingress, egress }: Site): void {
  checkDomain(where, workloadTrustDomain, 'FED102', 'trust domain');
  if (workloadTrustDomain === trustDomain) return;
  for (const { role, credential } of [ingress, egress]) {
    if (credential !== undefined) continue;
    fail('FED133', where, `the ${role} gateway would present a certificate of the trust domain ${show(workloadTrustDomain)}, not of ${show(trustDomain)}`,
      'leave workloadTrustDomain out, or let both gateways present another certificate: GatewayCredential.fromCertManager or fromSecret');
  }
}

/** Both gateways of a peer have identities of its trust domain. */
export function checkIdentities(where: Where, peer: Pick<IMeshPeer, 'trustDomain' | 'ingressIdentity' | 'egressIdentity'>): void {
  for (const { uri, trustDomain } of [peer.ingressIdentity, peer.egressIdentity]) {
    if (trustDomain === peer.trustDomain) continue;
    fail('FED117', where, `the identity ${show(uri)} is not of the trust domain ${show(peer.trustDomain)}`,
      'state the trust domain of the peer\'s boundary gateways and the identities that their certificates carry');
  }
}

/** Export name and ports as they stand in server names, for whatever peer. */
export function checkExport(where: Where, exportName: string, ports: ServicePort[], trustDomain: string): void {
  if (typeof exportName !== 'string' || !isDnsName(exportName)) {
    fail('FED301', where, `the export name ${show(exportName)} cannot be part of a server name`,
      'use DNS labels joined by dots, lower case, for example "reviews" or "withdrawals.v1"');
  }
  const longest = sniOf(exportName, 65535, LONGEST_PEER_NAME, trustDomain).length;
  if (longest > MAX_NAME) {
    fail('FED301', where, `the export name ${show(exportName)} makes server names of up to ${longest} characters`,
      `shorten it by ${longest - MAX_NAME} characters: a server name has at most ${MAX_NAME}`);
  }
  checkList(where, 'ports', ports);
  ports.forEach((port) => checkGiven(where, 'a port', port, ServicePort));
  if (ports.length === 0) fail('FED303', where, `${show(exportName)} offers no port`, 'list each port that peers may see');
  const numbers = ports.map(({ exportPort }) => exportPort);
  const twice = numbers.find((number, index) => numbers.indexOf(number) !== index);
  if (twice !== undefined) {
    fail('FED303', where, `the exported port ${twice} of ${show(exportName)} stands there twice`, 'give each port another exportPort');
  }
}
