import { Boundaries, boundarySelectedBy, isGenerated, LOCAL_KINDS, POLICY_KINDS } from '../boundaries';
import { isCore, isIstio, listOf } from '../documents';
import type { Rule } from '../rule';
import { PEER_HOST } from '../tls';

export const foreignObjects: Rule = {
  name: 'foreign-objects',
  recommendation: 'Only generated objects may select the pods of a boundary gateway: others could add or block listeners, or change its policies.',
  fix: 'Select your own pods, in your own namespace. To change the boundary itself, use FederatedMesh.',
  errorsIn,
};

function errorsIn(document: any, boundaries: Boundaries): string[] {
  if (isGenerated(document)) return [];
  const { kind } = document;
  if (isIstio(document, 'VirtualService')) {
    const namespaceNames = new Set<string | undefined>(boundaries.pods.map(({ namespaceName }) => namespaceName));
    return listOf(document.spec?.gateways).filter((gateway) => namespaceNames.has(namespaceOf(String(gateway), document)))
      .map((gateway) => `spec.gateways contains ${gateway}, a Gateway of a boundary`);
  }
  if (isIstio(document, 'ServiceEntry')) {
    return listOf(document.spec?.hosts).filter((host) => PEER_HOST.test(String(host))).map((host) => `spec.hosts contains ${host}, the SNI of a peer's export`);
  }
  const concerned = kind === 'Gateway' || LOCAL_KINDS.includes(kind) || POLICY_KINDS.includes(kind);
  if (!concerned || !(isCore(document) || isIstio(document))) return [];
  const namespaceName = boundarySelectedBy(document, boundaries);
  return namespaceName === undefined ? [] : [`the object selects pods of the boundary gateways in namespace ${namespaceName}`];
}

/**
 * Namespace of a Gateway reference; undefined for `mesh`, which is not a Gateway. Besides `namespace/name`, Istio
 * accepts `name.namespace`.
 */
function namespaceOf(gateway: string, { metadata }: any): string | undefined {
  if (gateway === 'mesh') return undefined;
  const [namespaceName, name] = gateway.includes('/') ? gateway.split('/') : gateway.split('.').slice(0, 2).reverse();
  return name === undefined || namespaceName === '.' ? metadata?.namespace : namespaceName;
}
