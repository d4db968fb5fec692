import { isGatewayApi, listOf } from './documents';
import { CLUSTER_LABEL_PREFIX, CLUSTER_LABELS } from '../model/protected';

/*
 * Which pods an object selects.
 */

/** Workloads: they have pods of their own, and a Service or policy of ours may select these. */
export const WORKLOADS = ['Pod', 'Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'Job', 'CronJob'];

/** A label selector. */
export interface Selector {
  readonly matchLabels?: { readonly [name: string]: unknown };
  readonly matchExpressions?: unknown;
}

interface Labels { readonly [name: string]: string }

/** Selects all pods in the scope of an object. */
const EVERYTHING: Selector = {};

/** The selector of an object, or undefined if it selects no pods. */
export function selectorOf({ kind, metadata, spec, apiVersion }: any): Selector | undefined {
  switch (kind) {
    case 'Pod': return { matchLabels: metadata?.labels };
    case 'CronJob': return { matchLabels: spec?.jobTemplate?.spec?.template?.metadata?.labels };
    case 'Service': return spec?.selector && Object.keys(spec.selector).length > 0 ? { matchLabels: spec.selector } : undefined;
    case 'NetworkPolicy': return spec?.podSelector ?? EVERYTHING;
    case 'DestinationRule': return spec?.workloadSelector ?? EVERYTHING;
    case 'Gateway': return isGatewayApi({ apiVersion }) ? undefined : { matchLabels: spec?.selector };
  }
  if (WORKLOADS.includes(kind)) return { matchLabels: spec?.template?.metadata?.labels };
  if (spec?.workloadSelector?.labels) return { matchLabels: spec.workloadSelector.labels };
  return spec?.selector?.matchLabels ? { matchLabels: spec.selector.matchLabels } : EVERYTHING;
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
