import { Boundaries, boundaryServers } from '../boundaries';
import { isIstio } from '../documents';
import type { Rule } from '../rule';
import { clientTls, isGatewayHost, isPeerHost } from '../tls';

export const unpinnedPeers: Rule = {
  name: 'unpinned-peers',
  recommendation: 'Whoever presents a certificate names the server and the identity that it expects: sni and subjectAltNames together.',
  fix: 'Let FederatedMesh.bind write the object, or state sni and subjectAltNames, and for a peer the egress gateway as workloadSelector.',
  errorsIn,
};

function errorsIn(document: any, boundaries: Boundaries): string[] {
  if (isIstio(document, 'DestinationRule')) {
    const inside = isGatewayHost(document, boundaries);
    return clientTls(document).flatMap(({ path, tls }) => [
      ...tls.mode === 'MUTUAL' || inside && tls.mode === 'ISTIO_MUTUAL' ? missing(path, tls, inside ? ['sni'] : ['sni', 'subjectAltNames']) : [],
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
