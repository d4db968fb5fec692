import { isIstio, listOf } from './documents';
import type { Manifest } from './resources';
import { dedicatedGateway } from '../boundary/config';
import { OWN_LABELS } from '../render/emit';

/*
 * The boundaries to which manifests may belong, and which objects reach their gateways.
 */

const WORKLOADS = ['Pod', 'Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'Job', 'CronJob'];
/** Kinds that concern pods of their own namespace only, and those that also do so from Istio's root namespace. */
export const LOCAL_KINDS = ['Service', 'NetworkPolicy', 'Sidecar', 'ProxyConfig', 'DestinationRule', ...WORKLOADS];
export const POLICY_KINDS = ['AuthorizationPolicy', 'RequestAuthentication', 'PeerAuthentication', 'EnvoyFilter', 'WasmPlugin', 'Telemetry', 'TrafficExtension'];

/** The pods of boundary gateways that nobody else runs. */
export interface GatewayPods {
  readonly namespaceName: string;
  readonly labels: { readonly [name: string]: string };
}

/** What is known of the boundaries to which manifests may belong. */
export interface Boundaries {
  readonly pods: GatewayPods[];
  readonly rootNamespaceName: string;
}

/** The boundaries whose gateways are among the manifests, and those that are elsewhere, in these namespaces. */
export function boundariesOf(manifests: Manifest[], namespaceNames: string[], rootNamespaceName: string): Boundaries {
  const run = manifests.filter(({ document }) => document.kind === 'Deployment' && isGenerated(document)).map(({ document }) => ({
    namespaceName: String(document.metadata.namespace), labels: document.spec?.template?.metadata?.labels ?? {},
  }));
  const elsewhere = namespaceNames.flatMap((namespaceName) => (['ingress', 'egress'] as const).map((role) =>
    ({ namespaceName, labels: dedicatedGateway(role, namespaceName).podLabels })));
  return {
    pods: [...run, ...elsewhere.filter(({ namespaceName, labels: { app } }) =>
      !run.some((pods) => pods.namespaceName === namespaceName && pods.labels.app === app))],
    rootNamespaceName,
  };
}

/** Whether the library has written an object. */
export function isGenerated({ metadata }: any): boolean {
  return Object.entries(OWN_LABELS).every(([name, value]) => metadata?.labels?.[name] === value);
}

/** Servers of a Gateway on pods of a boundary. */
export function boundaryServers(document: any, boundaries: Boundaries): { readonly path: string; readonly server: any }[] {
  const isOnBoundary = isIstio(document, 'Gateway') && (isGenerated(document) || selected(document, boundaries) !== undefined);
  return isOnBoundary ? listOf(document.spec?.servers).map((server, index) => ({ path: `spec.servers[${index}]`, server: server ?? {} })) : [];
}

/** The namespace of the boundary that an object reaches. */
export function selected(document: any, { pods, rootNamespaceName }: Boundaries): string | undefined {
  const { kind, metadata } = document;
  const labels = selectorOf(document);
  if (labels === undefined) return undefined;
  const fromRoot = POLICY_KINDS.includes(kind) && metadata?.namespace === rootNamespaceName;
  return pods.find((pod) => {
    const fits = Object.entries(labels).every(([name, value]) => pod.labels[name] === value);
    const beside = metadata?.namespace === pod.namespaceName;
    if (WORKLOADS.includes(kind)) return beside && ['app', 'istio'].some((name) => pod.labels[name] !== undefined && labels[name] === pod.labels[name]);
    // Without istiod's PILOT_SCOPE_GATEWAY_TO_NAMESPACE a Gateway reaches pods of any namespace.
    if (kind === 'Gateway') return fits;
    if (fromRoot) return fits && (Object.keys(labels).length > 0 || ['EnvoyFilter', 'WasmPlugin'].includes(kind) && reachesGateways(document));
    return beside && fits;
  })?.namespaceName;
}

/** Without labels for all pods of its reach; undefined for what selects none. */
export function selectorOf({ kind, metadata, spec }: any): { readonly [name: string]: unknown } | undefined {
  if (kind === 'Pod') return metadata?.labels ?? {};
  if (kind === 'CronJob') return spec?.jobTemplate?.spec?.template?.metadata?.labels ?? {};
  if (WORKLOADS.includes(kind)) return spec?.template?.metadata?.labels ?? {};
  if (kind === 'Service') return spec?.selector && Object.keys(spec.selector).length > 0 ? spec.selector : undefined;
  // Policies of this kind add up, so one that names nobody opens nothing.
  if (kind === 'NetworkPolicy') return [...listOf(spec?.ingress), ...listOf(spec?.egress)].length > 0 ? spec?.podSelector?.matchLabels ?? {} : undefined;
  if (kind === 'DestinationRule') return spec?.workloadSelector?.matchLabels ?? {};
  if (kind === 'Gateway') return spec?.selector ?? {};
  return spec?.workloadSelector?.labels ?? spec?.selector?.matchLabels ?? {};
}

/** A patch for sidecars alone, as one of Istio's root namespace often is, leaves gateways alone. */
export function reachesGateways({ kind, spec }: any): boolean {
  return kind !== 'EnvoyFilter' || listOf(spec?.configPatches).some((patch) => !/^SIDECAR_/.test(patch?.match?.context ?? 'ANY'));
}
