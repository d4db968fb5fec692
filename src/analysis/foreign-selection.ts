import { Boundaries, GatewayPods, podsSelected } from './boundaries';
import { isCore, isIstio, listOf } from './documents';
import type { ErrorsIn } from './rule';
import { opensNothingButDns, selectorOf, selectsAll, WORKLOADS } from './selection';

/*
 * Objects of other owners that select the pods of a boundary gateway.
 */

/** Kinds that affect pods of their own namespace only. */
const LOCAL_KINDS = ['Service', 'NetworkPolicy', 'Sidecar', 'ProxyConfig', 'DestinationRule', ...WORKLOADS];
/** Kinds that change the filters of a proxy. */
const FILTER_KINDS = ['EnvoyFilter', 'WasmPlugin', 'TrafficExtension'];
/** Kinds that affect pods of their own namespace and, from Istio's root namespace, pods of every namespace. */
const POLICY_KINDS = ['AuthorizationPolicy', 'RequestAuthentication', 'PeerAuthentication', 'Telemetry', ...FILTER_KINDS];

/** Reports an object that selects the pods of a boundary gateway. */
export const selectedGateways: ErrorsIn = ({ document }, boundaries) => {
  const { kind } = document;
  if (![...LOCAL_KINDS, ...POLICY_KINDS, 'Gateway'].includes(kind) || !(isCore(document) || isIstio(document))) return [];
  const pods = reached(document, boundaries);
  return pods === undefined ? [] : [`the object selects pods of the boundary gateways in namespace ${pods.namespaceName}`];
};

/** The pods of a boundary gateway that an object affects. */
function reached(document: any, { pods, rootNamespaceName }: Boundaries): GatewayPods | undefined {
  const { kind, metadata } = document;
  const selector = selectorOf(document);
  if (selector === undefined) return undefined;
  // The owner of an existing gateway may have any object beside it.
  const inNamespace = pods.filter(({ namespaceName, managed }) => managed && namespaceName === metadata?.namespace);
  const elsewhere = pods.filter(({ namespaceName }) => namespaceName !== metadata?.namespace);
  if (kind === 'NetworkPolicy' && opensNothingButDns(document)) return undefined;
  if (WORKLOADS.includes(kind)) {
    const labels = selector.matchLabels ?? {};
    return inNamespace.find((pod) => ['app', 'istio'].some((name) => pod.labels[name] !== undefined && labels[name] === pod.labels[name]));
  }
  // Unless istiod has PILOT_SCOPE_GATEWAY_TO_NAMESPACE, a Gateway selects pods of any namespace.
  if (kind === 'Gateway') return podsSelected(selector, [...inNamespace, ...elsewhere]);
  if (FILTER_KINDS.includes(kind)) {
    // The boundary's own namespace contains no filters but those that are generated.
    if (inNamespace.length > 0) return inNamespace[0];
    if (!selectsAll(selector)) return podsSelected(selector, elsewhere);
    return metadata?.namespace === rootNamespaceName && reachesGateways(document) ? elsewhere.find(({ managed }) => managed) : undefined;
  }
  const fromRoot = POLICY_KINDS.includes(kind) && metadata?.namespace === rootNamespaceName && !selectsAll(selector);
  return podsSelected(selector, fromRoot ? elsewhere.filter(({ managed }) => managed) : inNamespace);
}

/** Whether a filter applies to gateways. EnvoyFilters of Istio's root namespace often patch sidecars only. */
function reachesGateways({ kind, spec }: any): boolean {
  return kind !== 'EnvoyFilter' || listOf(spec?.configPatches).some((patch) => !/^SIDECAR_/.test(patch?.match?.context ?? 'ANY'));
}
