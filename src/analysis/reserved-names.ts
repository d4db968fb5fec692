import { groupOf } from './documents';
import type { ErrorsIn } from './rule';
import { GATEWAY_NAMES } from '../boundary/config';
import { DEFAULT_DENY, PREFIX } from '../model/names';
import { annotationKey } from '../render/emit';
import { EXISTING_NAMESPACE } from '../render/workload';

/*
 * Names that are reserved for generated objects. Somebody else's object of such a name replaces the generated one, also
 * where that one is not among the manifests: a ConfigMap `fed-in-trust-west` decides who is the peer west.
 */

/** Names of every kind in the namespace of a gateway. */
const OF_GATEWAY = [PREFIX.ingress, PREFIX.egress];
/** Kinds that have the name of a gateway. Others of that name, such as a ServiceMonitor, are not the library's. */
const GATEWAY_KINDS = [
  '/Service', '/ServiceAccount', 'apps/Deployment', 'networking.k8s.io/NetworkPolicy', 'telemetry.istio.io/Telemetry',
  'rbac.authorization.k8s.io/Role', 'rbac.authorization.k8s.io/RoleBinding', 'cert-manager.io/Certificate',
];
/** Names in any namespace, with the kinds that have them. */
const ELSEWHERE: { readonly [prefix: string]: string[] } = {
  [PREFIX.localName]: ['networking.istio.io/VirtualService', 'networking.istio.io/ServiceEntry'],
  [PREFIX.caller]: ['networking.istio.io/DestinationRule'],
  [PREFIX.lock]: ['security.istio.io/AuthorizationPolicy', 'networking.istio.io/EnvoyFilter'],
  [PREFIX.restriction]: ['networking.istio.io/Sidecar', 'networking.k8s.io/NetworkPolicy'],
};

/** Reports an object that has a reserved name. */
export const reservedNames: ErrorsIn = (manifest, { pods, inventory }) => {
  const { document } = manifest;
  const [name, namespaceName] = [String(document.metadata?.name), document.metadata?.namespace];
  const kind = `${groupOf(document)}/${document.kind}`;
  const beside = pods.filter((pod) => pod.namespaceName === namespaceName);
  const begins = (prefixes: string[]) => prefixes.some((prefix) => name.startsWith(`${prefix}-`));
  const reserved = beside.length > 0 && begins(OF_GATEWAY)
    || beside.some(({ managed }) => managed) && (begins([PREFIX.anyCaller]) || GATEWAY_KINDS.includes(kind) && isOfGateways(name))
    || Object.entries(ELSEWHERE).some(([prefix, kinds]) => kinds.includes(kind) && begins([prefix]))
    || /^admissionregistration\.k8s\.io\/ValidatingAdmissionPolicy(Binding)?$/.test(kind) && pods.some((pod) => pod.managed && name === `${pod.namespaceName}-boundary`);
  if (reserved) return [`metadata.name is ${name}, which is reserved for generated objects`];
  return kind === '/Namespace' && isGeneratedNamespace(name) ? [`metadata.name is ${name}, a namespace that the library generates`] : [];

  /** Whether the mesh generates the namespace of its gateways. What the mesh is, is unknown for most objects of others. */
  function isGeneratedNamespace(gatewayNamespace: string): boolean {
    const gateways = inventory.ofKind('Deployment').filter(({ document: { metadata }, mesh }) =>
      metadata.namespace === gatewayNamespace && GATEWAY_NAMES.includes(metadata.name) && (manifest.mesh ?? mesh) === mesh);
    return gateways.length > 0 && gateways.every(({ document: { metadata } }) => metadata.annotations?.[annotationKey(EXISTING_NAMESPACE)] === undefined);
  }
};

function isOfGateways(name: string): boolean {
  return GATEWAY_NAMES.includes(name) || name === DEFAULT_DENY || name.startsWith(`${DEFAULT_DENY}-`);
}
