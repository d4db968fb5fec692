import { annotationKey } from '../../render/emit';
import { Boundaries, boundaryServers } from '../boundaries';
import { isIstio } from '../documents';
import type { Rule } from '../rule';
import { clientTls, isGatewayHost, isPeerHost } from '../tls';

export const weakTls: Rule = {
  name: 'weak-tls',
  recommendation: 'Every listener of a boundary gateway, and every connection to one, must use mutual TLS.',
  fix: 'Let FederatedMesh generate the object (expose, bind), or use mode MUTUAL (ISTIO_MUTUAL inside the mesh) with TLS 1.3.',
  errorsIn,
};

function errorsIn(document: any, boundaries: Boundaries): string[] {
  if (isIstio(document, 'DestinationRule')) {
    const required = isPeerHost(document) ? 'MUTUAL' : isGatewayHost(document, boundaries) ? 'ISTIO_MUTUAL' : undefined;
    return clientTls(document).flatMap(({ path, tls }) => [
      ...tls.insecureSkipVerify ? [`${path}.insecureSkipVerify accepts any certificate`] : [],
      ...required && tls.mode !== required ? [`${path}.mode is ${tls.mode ?? 'DISABLE'}, but must be ${required} towards a boundary`] : [],
    ]);
  }
  return boundaryServers(document, boundaries).flatMap(({ path, server: { tls } }) => {
    if (!tls) return [`${path} has no tls: the listener accepts plaintext`];
    if (!['MUTUAL', 'ISTIO_MUTUAL'].includes(tls.mode)) return [`${path}.tls.mode is ${tls.mode ?? 'PASSTHROUGH'}, but must be MUTUAL or ISTIO_MUTUAL`];
    if (tls.mode === 'ISTIO_MUTUAL') return [];
    const allowed = document.metadata?.annotations?.[annotationKey('allow-tls-1.2')] !== undefined ? ['TLSV1_3', 'TLSV1_2'] : ['TLSV1_3'];
    if (allowed.includes(tls.minProtocolVersion)) return [];
    return [`${path}.tls.minProtocolVersion is ${tls.minProtocolVersion ?? 'not set'}, but must be ${allowed.join(' or ')}`];
  });
}
