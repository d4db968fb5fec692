import { plain } from '../bound-hosts';
import { Boundaries, boundaryServers } from '../boundaries';
import { isGenerated, isIstio, listOf } from '../documents';
import type { Rule } from '../rule';
import { clientTls, isGatewayHost, isPeerHost, isWildcard } from '../tls';

export const unpinnedPeers: Rule = {
  name: 'unpinned-peers',
  recommendation: 'Both sides of mutual TLS must verify the identity of the other, with the CA of that peer only.',
  fix: 'Let FederatedMesh generate the object, or set these fields, and for a peer set workloadSelector to the egress gateway.',
  errorsIn: ({ document }, boundaries) => isIstio(document, 'DestinationRule')
    ? clientErrors(document, boundaries)
    : boundaryServers(document, boundaries).flatMap(({ path, server }) => server.tls?.mode === 'MUTUAL' ? serverErrors(`${path}.tls`, server.tls, document) : []),
};

function clientErrors(document: any, boundaries: Boundaries): string[] {
  const toPeer = isPeerHost(document, boundaries);
  const toGateway = isGatewayHost(document, boundaries);
  return clientTls(document).filter(({ tls }) => tls).flatMap(({ path, tls }) => {
    if (toGateway) return ['MUTUAL', 'ISTIO_MUTUAL'].includes(tls.mode) && !isWildcard(document.spec.host) ? missing(path, tls, ['sni']) : [];
    if (tls.mode !== 'MUTUAL') return [];
    if (!toPeer) return isVerified(document, tls, boundaries) ? [] : missing(path, tls, ['subjectAltNames']);
    return [
      ...missing(path, tls, ['sni', 'subjectAltNames']),
      ...tls.credentialName || tls.caCertificates && tls.caCertificates !== 'system' ? []
        : [`${path}.caCertificates is ${tls.caCertificates ?? 'not set'}: the certificate of any public CA would do`],
      ...document.spec.workloadSelector?.matchLabels ? [] : ['spec.workloadSelector is missing: every sidecar would present the gateway\'s certificate'],
    ];
  });
}

/**
 * Whether Istio verifies the name of a server although the rule lists none: it takes the names of the ServiceEntry, and
 * without `sni` it verifies the requested host, for HTTP.
 */
function isVerified({ spec }: any, tls: any, { externalHosts }: Boundaries): boolean {
  const host = plain(spec?.host);
  return listOf(tls.subjectAltNames).length > 0 || externalHosts.pinned.has(host) || !tls.sni && !externalHosts.withoutHttp.has(host);
}

/** Name of the ConfigMap with which istiod gives the mesh's own root to every namespace. */
const OWN_ROOT = 'istio-ca-root-cert';

function serverErrors(path: string, tls: any, document: any): string[] {
  const { caCertCredentialName: ca } = tls;
  const ofPeer = String(ca).startsWith(`configmap://${document.metadata?.namespace}/`) && !String(ca).endsWith(`/${OWN_ROOT}`);
  return [
    ...missing(path, tls, ['subjectAltNames']),
    ...!isGenerated(document) || ofPeer ? [] : [`${path}.caCertCredentialName is ${ca ?? 'not set'}, but must be the ConfigMap with the peer's CA in the namespace of the gateway`],
  ];
}

function missing(path: string, tls: any, fields: string[]): string[] {
  return fields.filter((field) => !tls[field]?.length).map((field) => `${path}.${field} is missing`);
}
