import { groupOf, isGatewayApi, listOf } from './documents';
import { CLUSTER_LABEL_PREFIX, CLUSTER_LABELS } from '../model/protected';
import { NETWORKING } from '../render/api-groups';

/*
 * Which pods an object selects or has.
 */

/** API groups by kind. A kind of the same name in another group, such as a Service of Knative, is something else. */
export interface Kinds { readonly [kind: string]: string }

/** Whether the kind and the API group of an object are among these. */
export function isOneOf(document: any, kinds: Kinds): boolean {
  return Object.hasOwn(kinds, document.kind) && kinds[document.kind] === groupOf(document);
}

/** Workloads: they have pods of their own, and a Service or policy of ours may select these. */
const WORKLOADS: Kinds = {
  Pod: '', ReplicationController: '', Deployment: 'apps', StatefulSet: 'apps', DaemonSet: 'apps', ReplicaSet: 'apps', Job: 'batch', CronJob: 'batch',
};

/** Workloads outside of the cluster, which Istio treats like pods. */
export const EXTERNAL_WORKLOADS: Kinds = { WorkloadEntry: NETWORKING, WorkloadGroup: NETWORKING };

/**
 * Whether an object has pods of its own: a known workload, or one of another group with a pod template, such as a Rollout
 * of Argo, a DeploymentConfig of OpenShift or a Service of Knative.
 */
export function isWorkload(document: any): boolean {
  const { spec, template } = document;
  return isOneOf(document, WORKLOADS) || isOneOf(document, EXTERNAL_WORKLOADS)
    || [spec?.template?.spec, spec?.jobTemplate?.spec?.template?.spec, template?.spec].some((pod) => listOf(pod?.containers).length > 0);
}

/** The pods of a workload: their labels, and their fields with the path to them. */
export function podsOf({ kind, metadata, spec, template }: any): { readonly labels: Labels; readonly path: string; readonly spec: any } {
  const parts = (of: any, path: string) => ({ labels: of?.metadata?.labels ?? {}, path, spec: of?.spec });
  switch (kind) {
    case 'Pod': return parts({ metadata, spec }, 'spec');
    case 'CronJob': return parts(spec?.jobTemplate?.spec?.template, 'spec.jobTemplate.spec.template.spec');
    case 'WorkloadEntry': return { labels: { ...spec?.labels, ...metadata?.labels }, path: 'spec', spec };
    case 'WorkloadGroup': return { labels: { ...spec?.metadata?.labels, ...spec?.template?.labels }, path: 'spec.template', spec: spec?.template };
    case 'PodTemplate': return parts(template, 'template.spec');
    default: return parts(spec?.template, 'spec.template.spec');
  }
}

/** A label selector. */
export interface Selector {
  readonly matchLabels?: { readonly [name: string]: unknown };
  readonly matchExpressions?: unknown;
}

interface Labels { readonly [name: string]: string }

/** Selects all pods in the scope of an object. */
const EVERYTHING: Selector = {};

/** The selector of an object, or undefined if it selects no pods. */
export function selectorOf({ kind, spec, apiVersion }: any): Selector | undefined {
  switch (kind) {
    case 'Service': return spec?.selector && Object.keys(spec.selector).length > 0 ? { matchLabels: spec.selector } : undefined;
    case 'ServiceEntry': return spec?.workloadSelector ? { matchLabels: spec.workloadSelector.labels } : undefined;
    case 'NetworkPolicy': return spec?.podSelector ?? EVERYTHING;
    case 'DestinationRule': return spec?.workloadSelector ?? EVERYTHING;
    case 'Gateway': return isGatewayApi({ apiVersion }) ? undefined : { matchLabels: spec?.selector };
  }
  if (spec?.workloadSelector?.labels) return { matchLabels: spec.workloadSelector.labels };
  return spec?.selector?.matchLabels ? { matchLabels: spec.selector.matchLabels } : EVERYTHING;
}

/**
 * Whether a policy is attached to targets in place of pods. Istio applies it to gateways of the Gateway API, to
 * waypoints, and to no other proxy.
 * @see https://github.com/istio/istio/blob/1.31.0/pilot/pkg/model/policyattachment.go
 */
export function hasTargets({ spec }: any): boolean {
  return listOf(spec?.targetRefs).length > 0 || Boolean(spec?.targetRef);
}

/** Whether a selector selects all pods in the scope of its object. */
export function selectsAll({ matchLabels, matchExpressions }: Selector): boolean {
  return Object.keys(matchLabels ?? {}).length + listOf(matchExpressions).length === 0;
}

/** Whether a selector selects pods with these labels. Labels that the cluster sets may have any value. */
export function selects({ matchLabels, matchExpressions }: Selector, labels: Labels): boolean {
  return Object.entries(matchLabels ?? {}).every(([name, value]) => isSetByCluster(name) || labels[name] === value)
    && listOf(matchExpressions).every((expression) => matches(expression ?? {}, labels));
}

function matches({ key, operator, values }: any, labels: Labels): boolean {
  if (isSetByCluster(String(key))) return true;
  const value = labels[key];
  switch (operator) {
    case 'In': return value !== undefined && listOf(values).includes(value);
    case 'NotIn': return value === undefined || !listOf(values).includes(value);
    case 'Exists': return value !== undefined;
    case 'DoesNotExist': return value === undefined;
    default: return true;
  }
}

function isSetByCluster(name: string): boolean {
  return CLUSTER_LABELS.includes(name) || name.startsWith(CLUSTER_LABEL_PREFIX);
}

/** Ports of DNS servers: that of the protocol, and those on which the pods of DNS servers listen behind it. */
const DNS_PORTS: unknown[] = [53, 1053, 5353, 8053, 'dns', 'dns-tcp'];

/**
 * Whether a NetworkPolicy opens nothing, or only DNS. Policies add up: one without rules allows nothing, and one for the
 * port of the cluster's DNS servers is what docs/troubleshooting.md advises where they do not listen on 53.
 */
export function opensNothingButDns({ spec }: any): boolean {
  return listOf(spec?.ingress).length === 0 && listOf(spec?.egress).every((rule) =>
    listOf(rule?.ports).length > 0 && listOf(rule.ports).every((port) => DNS_PORTS.includes(port?.port) && port?.endPort === undefined));
}
