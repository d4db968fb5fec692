import { Boundaries, isGenerated, LOCAL_KINDS, POLICY_KINDS, selected } from '../boundaries';
import { isCore, isIstio, listOf } from '../documents';
import type { Rule } from '../rule';
import { PEER_HOST } from '../tls';

export const foreignObjects: Rule = {
  name: 'foreign-objects',
  recommendation: 'Objects of others that reach the pods of a boundary gateway could open or freeze it.',
  fix: 'Select pods of your own, in a namespace of your own. What the boundary shall do is said with FederatedMesh.',
  errorsIn,
};

function errorsIn(document: any, boundaries: Boundaries): string[] {
  if (isGenerated(document)) return [];
  const { kind } = document;
  if (isIstio(document, 'VirtualService')) {
    const namespaceNames = new Set<string | undefined>(boundaries.pods.map(({ namespaceName }) => namespaceName));
    return listOf(document.spec?.gateways).filter((gateway) => namespaceNames.has(namespaceOf(String(gateway), document)))
      .map((gateway) => `spec.gateways has ${gateway}, a Gateway of a boundary`);
  }
  if (isIstio(document, 'ServiceEntry')) {
    return listOf(document.spec?.hosts).filter((host) => PEER_HOST.test(String(host))).map((host) => `spec.hosts has ${host}, a server name of a peer`);
  }
  const concerned = kind === 'Gateway' || LOCAL_KINDS.includes(kind) || POLICY_KINDS.includes(kind);
  if (!concerned || !(isCore(document) || isIstio(document))) return [];
  const namespaceName = selected(document, boundaries);
  return namespaceName === undefined ? [] : [`it selects the pods of a gateway of the boundary ${namespaceName}`];
}

/** `mesh` is no Gateway. Beside `namespace/name` Istio still takes `name.namespace`. */
function namespaceOf(gateway: string, { metadata }: any): string | undefined {
  if (gateway === 'mesh') return undefined;
  const [namespaceName, name] = gateway.includes('/') ? gateway.split('/') : gateway.split('.').slice(0, 2).reverse();
  return name === undefined || namespaceName === '.' ? metadata?.namespace : namespaceName;
}
