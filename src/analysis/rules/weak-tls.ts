import { annotationKey } from '../../render/emit';
import { Boundaries, boundaryServers } from '../boundaries';
import { isIstio } from '../documents';
import type { Rule } from '../rule';
import { clientTls, isGatewayHost, isPeerHost } from '../tls';

export const weakTls: Rule = {
  name: 'weak-tls',
  recommendation: 'Every listener of a boundary gateway, and every connection to one, demands certificates of both sides.',
  fix: 'Let FederatedMesh.expose and .bind write the object, or use mode MUTUAL (ISTIO_MUTUAL inside the mesh) with TLS 1.3.',
  errorsIn,
};

function errorsIn(document: any, boundaries: Boundaries): string[] {
  if (isIstio(document, 'DestinationRule')) {
    const demanded = isPeerHost(document) ? 'MUTUAL' : isGatewayHost(document, boundaries) ? 'ISTIO_MUTUAL' : undefined;
    return clientTls(document).flatMap(({ path, tls }) => [
      ...tls.insecureSkipVerify ? [`${path}.insecureSkipVerify takes any certificate`] : [],
      ...demanded && tls.mode !== demanded ? [`${path}.mode is ${tls.mode ?? 'DISABLE'}, to a boundary it is ${demanded}`] : [],
    ]);
  }
  return boundaryServers(document, boundaries).flatMap(({ path, server: { tls } }) => {
    if (!tls) return [`${path} has no tls: it listens in plain text`];
    if (!['MUTUAL', 'ISTIO_MUTUAL'].includes(tls.mode)) return [`${path}.tls.mode is ${tls.mode ?? 'PASSTHROUGH'}`];
    if (tls.mode === 'ISTIO_MUTUAL') return [];
    const agreed = document.metadata?.annotations?.[annotationKey('allow-tls-1.2')] !== undefined ? ['TLSV1_3', 'TLSV1_2'] : ['TLSV1_3'];
    return agreed.includes(tls.minProtocolVersion) ? [] : [`${path}.tls.minProtocolVersion is ${tls.minProtocolVersion ?? 'not stated'}`];
  });
}
