import { Boundaries, boundaryServers } from '../boundaries';
import { isIstio } from '../documents';
import type { Rule } from '../rule';
import { clientTls, isGatewayHost, isPeerHost } from '../tls';

export const unpinnedPeers: Rule = {
  name: 'unpinned-peers',
  recommendation: 'Both sides of mutual TLS must verify the identity of the other: sni and subjectAltNames in a DestinationRule, subjectAltNames in a Gateway.',
  fix: 'Let FederatedMesh generate the object, or set these fields, and for a peer set workloadSelector to the egress gateway.',
  errorsIn,
};

function errorsIn(document: any, boundaries: Boundaries): string[] {
  if (isIstio(document, 'DestinationRule')) {
    const toGateway = isGatewayHost(document, boundaries);
    return clientTls(document).flatMap(({ path, tls }) => [
      ...tls.mode === 'MUTUAL' || toGateway && tls.mode === 'ISTIO_MUTUAL' ? missing(path, tls, toGateway ? ['sni'] : ['sni', 'subjectAltNames']) : [],
      ...tls.mode === 'MUTUAL' && isPeerHost(document) && !document.spec.workloadSelector?.matchLabels
        ? ['spec.workloadSelector is missing: every sidecar would present the gateway\'s certificate'] : [],
    ]);
  }
  return boundaryServers(document, boundaries).filter(({ server: { tls } }) => tls?.mode === 'MUTUAL')
    .flatMap(({ path, server: { tls } }) => missing(`${path}.tls`, tls, ['subjectAltNames']));
}

function missing(path: string, tls: any, fields: string[]): string[] {
  return fields.filter((field) => !tls[field]?.length).map((field) => `${path}.${field} is missing`);
}
