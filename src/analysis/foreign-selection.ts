import { Boundaries, GatewayPods, isGatewayService, podsSelected } from './boundaries';
import { listOf } from './documents';
import type { ErrorsIn } from './rule';
import { hasTargets, isOneOf, Kinds, opensNothingButDns, selectorOf, selectsAll } from './selection';
import { EXTENSIONS, NETWORKING, SECURITY, TELEMETRY } from '../render/api-groups';

/*
 * Objects of other owners that select the pods of a boundary gateway.
 */

/** Kinds that affect pods of their own namespace only. */
const LOCAL_KINDS: Kinds = {
  Service: '', NetworkPolicy: 'networking.k8s.io', Sidecar: NETWORKING, ProxyConfig: NETWORKING, DestinationRule: NETWORKING, ServiceEntry: NETWORKING,
};
/** Kinds that change the filters of a proxy. */
const FILTER_KINDS: Kinds = { EnvoyFilter: NETWORKING, WasmPlugin: EXTENSIONS, TrafficExtension: EXTENSIONS };
/** Kinds that affect pods of their own namespace and, from Istio's root namespace, pods of every namespace. */
const POLICY_KINDS: Kinds = {
  AuthorizationPolicy: SECURITY,
  RequestAuthentication: SECURITY,
  PeerAuthentication: SECURITY,
  Telemetry: TELEMETRY,
  ...FILTER_KINDS,
};
const KINDS: Kinds = { ...LOCAL_KINDS, ...POLICY_KINDS, Gateway: NETWORKING };

/** Reports an object that selects the pods of a boundary gateway. */
export const selectedGateways: ErrorsIn = ({ document }, boundaries) => {
  if (!isOneOf(document, KINDS)) return [];
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
  // Unless istiod has PILOT_SCOPE_GATEWAY_TO_NAMESPACE, a Gateway selects pods of any namespace.
  if (kind === 'Gateway') return podsSelected(selector, [...inNamespace, ...elsewhere]);
  // The boundary's own namespace contains no filters but those that are generated.
  if (kind in FILTER_KINDS && inNamespace.length > 0) return inNamespace[0];
  if (kind in POLICY_KINDS && hasTargets(document)) return podsOfTargets(document, inNamespace);
  if (kind in FILTER_KINDS) {
    if (!selectsAll(selector)) return podsSelected(selector, elsewhere);
    return metadata?.namespace === rootNamespaceName && reachesGateways(document) ? elsewhere.find(({ managed }) => managed) : undefined;
  }
  const fromRoot = kind in POLICY_KINDS && metadata?.namespace === rootNamespaceName && !selectsAll(selector);
  return podsSelected(selector, fromRoot ? elsewhere.filter(({ managed }) => managed) : inNamespace);
}

/** The pods of a gateway whose Service is a target of a policy. A waypoint applies the policy to what is sent there. */
function podsOfTargets({ metadata, spec }: any, inNamespace: GatewayPods[]): GatewayPods | undefined {
  return [...listOf(spec.targetRefs), spec.targetRef].map((target) =>
    inNamespace.find((pods) => target?.kind === 'Service' && isGatewayService(`${target.name}.${metadata.namespace}`, [pods]))).find(Boolean);
}

/** Whether a filter applies to gateways. EnvoyFilters of Istio's root namespace often patch sidecars or waypoints only. */
function reachesGateways({ kind, spec }: any): boolean {
  return kind !== 'EnvoyFilter' || listOf(spec?.configPatches).some((patch) => ['ANY', 'GATEWAY'].includes(patch?.match?.context ?? 'ANY'));
}
