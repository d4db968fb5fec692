import { annotationKey } from '../../render/emit';
import { Boundaries, boundaryServers } from '../boundaries';
import { isIstio } from '../documents';
import type { Rule } from '../rule';
import { ClientTls, clientTls, isGatewayHost, isPeerHost, modeOf } from '../tls';

export const weakTls: Rule = {
  name: 'weak-tls',
  recommendation: 'Every listener of a boundary gateway, and every connection to one, must use mutual TLS.',
  fix: 'Let FederatedMesh generate the object (expose, bind), or use mode MUTUAL (ISTIO_MUTUAL inside the mesh) with TLS 1.3.',
  errorsIn: ({ document }, boundaries) => isIstio(document, 'DestinationRule')
    ? clientErrors(document, boundaries)
    : boundaryServers(document, boundaries).flatMap(({ path, server }) => serverErrors(path, server, document.metadata)),
};

function clientErrors(document: any, boundaries: Boundaries): string[] {
  const required = isPeerHost(document, boundaries) ? 'MUTUAL' : isGatewayHost(document, boundaries) ? 'ISTIO_MUTUAL' : undefined;
  return clientTls(document).flatMap((level) => [
    ...level.tls?.insecureSkipVerify ? [`${level.path}.insecureSkipVerify accepts any certificate`] : [],
    ...required === undefined ? [] : modeErrors(level, required),
  ]);
}

function modeErrors({ path, tls, of, below }: ClientTls, required: 'MUTUAL' | 'ISTIO_MUTUAL'): string[] {
  if (tls) return tls.mode === required ? [] : [`${path}.mode is ${tls.mode ?? 'DISABLE'}, but must be ${required} towards a boundary`];
  // Callers use subsets of the rule for the egress gateway, and Istio's automatic mutual TLS where no rule has settings.
  const needed = required === 'MUTUAL' ? { rule: true, port: true, subset: false } : { rule: false, port: below, subset: !below };
  return needed[of] ? [`${path} is missing, but its mode must be ${required} towards a boundary`] : [];
}

function serverErrors(path: string, server: any, metadata: any): string[] {
  const { tls } = server;
  if (!tls) return [`${path} has no tls: the listener accepts plaintext`];
  const required = modeOf(server);
  return [
    ...tls.insecureSkipVerify ? [`${path}.tls.insecureSkipVerify accepts any certificate`] : [],
    ...tls.mode === required ? [] : [`${path}.tls.mode is ${tls.mode ?? 'PASSTHROUGH'}, but must be ${required}`],
    ...tls.mode === 'MUTUAL' ? versionErrors(path, tls, metadata) : [],
  ];
}

function versionErrors(path: string, { minProtocolVersion }: any, metadata: any): string[] {
  const allowed = metadata?.annotations?.[annotationKey('allow-tls-1.2')] !== undefined ? ['TLSV1_3', 'TLSV1_2'] : ['TLSV1_3'];
  return allowed.includes(minProtocolVersion) ? [] : [`${path}.tls.minProtocolVersion is ${minProtocolVersion ?? 'not set'}, but must be ${allowed.join(' or ')}`];
}
