import { groupOf } from './documents';
import type { Inventory } from './inventory';
import { isSameMesh, Manifest } from './manifests';
import type { ErrorsIn } from './rule';
import { GATEWAY_NAMES } from '../boundary/config';
import { DEFAULT_DENY, PREFIX } from '../model/names';
import { NETWORKING, SECURITY, TELEMETRY } from '../render/api-groups';
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
  '/Service', '/ServiceAccount', 'apps/Deployment', 'networking.k8s.io/NetworkPolicy', `${TELEMETRY}/Telemetry`,
  'rbac.authorization.k8s.io/Role', 'rbac.authorization.k8s.io/RoleBinding', 'cert-manager.io/Certificate',
];
/** Names in any namespace, with the kinds that have them. */
const ELSEWHERE: { readonly [prefix: string]: string[] } = {
  [PREFIX.localName]: [`${NETWORKING}/VirtualService`, `${NETWORKING}/ServiceEntry`],
  [PREFIX.caller]: [`${NETWORKING}/DestinationRule`],
  [PREFIX.lock]: [`${SECURITY}/AuthorizationPolicy`, `${NETWORKING}/EnvoyFilter`],
  [PREFIX.restriction]: [`${NETWORKING}/Sidecar`, 'networking.k8s.io/NetworkPolicy'],
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
  return kind === '/Namespace' && isGeneratedNamespace(name, manifest.mesh, inventory) ? [`metadata.name is ${name}, a namespace that the library generates`] : [];
};

/** Whether the library generates the namespace of the gateways in it. The mesh of an object of somebody else is often unknown. */
function isGeneratedNamespace(namespaceName: string, mesh: Manifest['mesh'], inventory: Inventory): boolean {
  const gateways = inventory.ofKind('Deployment').filter((gateway) => gateway.document.metadata.namespace === namespaceName
    && GATEWAY_NAMES.includes(gateway.document.metadata.name) && (mesh === undefined || isSameMesh(mesh, gateway.mesh)));
  const key = annotationKey(EXISTING_NAMESPACE);
  return gateways.length > 0 && gateways.every(({ document }) => document.metadata.annotations?.[key] === undefined);
}

function isOfGateways(name: string): boolean {
  return GATEWAY_NAMES.includes(name) || name === DEFAULT_DENY || name.startsWith(`${DEFAULT_DENY}-`);
}
