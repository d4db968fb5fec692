import { isIstio, listOf } from './documents';
import type { Manifest } from './resources';
import { dedicatedGateway } from '../boundary/config';
import { OWN_LABELS } from '../render/emit';

/*
 * The boundaries to which manifests may belong, and the objects that affect their gateways.
 */

const WORKLOADS = ['Pod', 'Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'Job', 'CronJob'];
/** Kinds that affect pods of their own namespace only. */
export const LOCAL_KINDS = ['Service', 'NetworkPolicy', 'Sidecar', 'ProxyConfig', 'DestinationRule', ...WORKLOADS];
/** Kinds that affect pods of their own namespace and, from Istio's root namespace, pods of every namespace. */
export const POLICY_KINDS = ['AuthorizationPolicy', 'RequestAuthentication', 'PeerAuthentication', 'EnvoyFilter', 'WasmPlugin', 'Telemetry', 'TrafficExtension'];

/** Pods of a boundary gateway that the library runs (not an existing gateway). */
export interface GatewayPods {
  readonly namespaceName: string;
  readonly labels: { readonly [name: string]: string };
}

/** The boundaries to which manifests may belong. */
export interface Boundaries {
  readonly pods: GatewayPods[];
  readonly rootNamespaceName: string;
}

/** Boundaries whose gateways are among the manifests, and boundaries of other programs in the given namespaces. */
export function boundariesIn(manifests: Manifest[], namespaceNames: string[], rootNamespaceName: string): Boundaries {
  const generated = manifests.filter(({ document }) => document.kind === 'Deployment' && isGenerated(document)).map(({ document }) => ({
    namespaceName: String(document.metadata.namespace), labels: document.spec?.template?.metadata?.labels ?? {},
  }));
  const ofOtherPrograms = namespaceNames.flatMap((namespaceName) => (['ingress', 'egress'] as const).map((role) =>
    ({ namespaceName, labels: dedicatedGateway(role, namespaceName).podLabels })));
  return {
    pods: [...generated, ...ofOtherPrograms.filter(({ namespaceName, labels: { app } }) =>
      !generated.some((pods) => pods.namespaceName === namespaceName && pods.labels.app === app))],
    rootNamespaceName,
  };
}

/** Whether an object has the labels of generated objects. Anybody can set these labels. */
export function isGenerated({ metadata }: any): boolean {
  return Object.entries(OWN_LABELS).every(([name, value]) => metadata?.labels?.[name] === value);
}

/** Servers of a Gateway that is generated or selects pods of a boundary gateway. */
export function boundaryServers(document: any, boundaries: Boundaries): { readonly path: string; readonly server: any }[] {
  const isOnBoundary = isIstio(document, 'Gateway') && (isGenerated(document) || boundarySelectedBy(document, boundaries) !== undefined);
  return isOnBoundary ? listOf(document.spec?.servers).map((server, index) => ({ path: `spec.servers[${index}]`, server: server ?? {} })) : [];
}

/** Namespace of the boundary whose gateway pods an object selects. */
export function boundarySelectedBy(document: any, { pods, rootNamespaceName }: Boundaries): string | undefined {
  const { kind, metadata } = document;
  const labels = selectorOf(document);
  if (labels === undefined) return undefined;
  const fromRoot = POLICY_KINDS.includes(kind) && metadata?.namespace === rootNamespaceName;
  return pods.find((pod) => {
    const matches = Object.entries(labels).every(([name, value]) => pod.labels[name] === value);
    const sameNamespace = metadata?.namespace === pod.namespaceName;
    if (WORKLOADS.includes(kind)) return sameNamespace && ['app', 'istio'].some((name) => pod.labels[name] !== undefined && labels[name] === pod.labels[name]);
    // Unless istiod has PILOT_SCOPE_GATEWAY_TO_NAMESPACE, a Gateway selects pods of any namespace.
    if (kind === 'Gateway') return matches;
    if (fromRoot) return matches && (Object.keys(labels).length > 0 || ['EnvoyFilter', 'WasmPlugin'].includes(kind) && reachesGateways(document));
    return sameNamespace && matches;
  })?.namespaceName;
}

/** Labels by which an object selects pods. Empty if it selects all pods in its scope; undefined if it selects none. */
function selectorOf({ kind, metadata, spec }: any): { readonly [name: string]: unknown } | undefined {
  if (kind === 'Pod') return metadata?.labels ?? {};
  if (kind === 'CronJob') return spec?.jobTemplate?.spec?.template?.metadata?.labels ?? {};
  if (WORKLOADS.includes(kind)) return spec?.template?.metadata?.labels ?? {};
  if (kind === 'Service') return spec?.selector && Object.keys(spec.selector).length > 0 ? spec.selector : undefined;
  // NetworkPolicies add up, so a policy without rules allows nothing.
  if (kind === 'NetworkPolicy') return [...listOf(spec?.ingress), ...listOf(spec?.egress)].length > 0 ? spec?.podSelector?.matchLabels ?? {} : undefined;
  if (kind === 'DestinationRule') return spec?.workloadSelector?.matchLabels ?? {};
  if (kind === 'Gateway') return spec?.selector ?? {};
  return spec?.workloadSelector?.labels ?? spec?.selector?.matchLabels ?? {};
}

/** Whether an object applies to gateways. EnvoyFilters of Istio's root namespace often patch sidecars only. */
function reachesGateways({ kind, spec }: any): boolean {
  return kind !== 'EnvoyFilter' || listOf(spec?.configPatches).some((patch) => !/^SIDECAR_/.test(patch?.match?.context ?? 'ANY'));
}
