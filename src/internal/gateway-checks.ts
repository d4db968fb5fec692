import type { DedicatedGatewayOptions } from '../gateway';
import { checkNamespace, isCidr, isPodLabel } from './checks';
import { fail, show, Where } from './errors';
import { checkGiven } from './kind-checks';
import { GATEWAY_DEFAULTS } from './model';
import { GatewayCredential } from '../credential';

const LOAD_BALANCER = 'LoadBalancer';
const QUANTITY = /^([0-9]+(\.[0-9]+)?|\.[0-9]+)(m|[kKMGTPE]i?)?$/;
const EFFECTS = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];
/** Labels that select the pods, that Istio sets, or from which it makes ones that it sets. */
const RESERVED_LABELS = /^(app|version|app\.kubernetes\.io\/(name|version)|istio|sidecar\.istio\.io\/.*|istio\.io\/.*|service\.istio\.io\/.*|topology\.istio\.io\/.*|security\.istio\.io\/.*)$/;
const INGRESS_ONLY = ['serviceType', 'serviceAnnotations', 'loadBalancerClass', 'sourceRanges', 'preserveClientAddress'] as const;

/** What one gateway's options say together. */
export function checkDedicatedGateway(where: string, options: DedicatedGatewayOptions): void {
  const refuse = (what: string, cure: string) => fail('FED116', where, what, cure);
  const { minReplicas = GATEWAY_DEFAULTS.minReplicas, maxReplicas = GATEWAY_DEFAULTS.maxReplicas } = options;
  if (!Number.isInteger(minReplicas) || !Number.isInteger(maxReplicas) || minReplicas < 1 || maxReplicas < minReplicas) {
    refuse(`minReplicas ${show(minReplicas)} and maxReplicas ${show(maxReplicas)} do not go together`, 'use whole numbers, 1 ≤ minReplicas ≤ maxReplicas');
  }
  for (const quantity of ['cpuRequest', 'cpuLimit', 'memoryRequest', 'memoryLimit'] as const) {
    const value = options[quantity];
    if (value !== undefined && !QUANTITY.test(value)) {
      refuse(`${quantity} is ${show(value)}`, 'use Kubernetes notation, for example "100m" or "1Gi"');
    }
  }
  for (const what of ['cpu', 'memory'] as const) {
    const request = options[`${what}Request`] ?? GATEWAY_DEFAULTS[`${what}Request`];
    const limit = options[`${what}Limit`] ?? GATEWAY_DEFAULTS[`${what}Limit`];
    if (amount(request) > amount(limit)) refuse(`the ${what} request ${show(request)} is above the limit ${show(limit)}`, 'raise the limit');
  }
  for (const { effect } of options.tolerations ?? []) {
    if (effect !== undefined && !EFFECTS.includes(effect)) refuse(`a toleration has the effect ${show(effect)}`, `use one of ${EFFECTS.join(', ')}`);
  }
  for (const [label, value] of Object.entries(options.labels ?? {})) {
    if (RESERVED_LABELS.test(label)) refuse(`the label ${show(label)} decides which pods are the gateway`, 'choose another label');
    if (!isPodLabel(label, value)) {
      refuse(`${show(label)}: ${show(value)} is no label`, 'use letters, digits, dashes, underscores and dots, as Kubernetes does');
    }
  }
  if (options.namespaceName !== undefined) checkNamespace(where, options.namespaceName);
  if (options.credential !== undefined) checkGiven(where, 'credential', options.credential, GatewayCredential);
  checkReachability(refuse, options);
}

/** A quantity in Kubernetes notation as a number. */
function amount(quantity: string): number {
  const [, digits, suffix = ''] = /^([0-9.]+)(.*)$/.exec(quantity)!;
  if (suffix === 'm') return Number(digits) / 1000;
  const power = ' kMGTPE'.indexOf(suffix.replace('i', '').replace('K', 'k') || ' ');
  return Number(digits) * (suffix.endsWith('i') ? 1024 : 1000) ** power;
}

function checkReachability(refuse: (what: string, cure: string) => never, options: DedicatedGatewayOptions): void {
  const { sourceRanges, preserveClientAddress = true } = options;
  const serviceType: string = options.serviceType ?? GATEWAY_DEFAULTS.serviceType;
  for (const range of sourceRanges ?? []) {
    if (!isCidr(range)) refuse(`the source range ${show(range)} is no CIDR`, 'use for example "203.0.113.0/28"');
  }
  if (sourceRanges?.length === 0) refuse('sourceRanges is an empty list', 'name the ranges, or leave the option out');
  if (options.loadBalancerClass !== undefined && serviceType !== LOAD_BALANCER) {
    refuse(`loadBalancerClass does not go with serviceType ${serviceType}`, 'take one of them away');
  }
  if (sourceRanges && !preserveClientAddress && serviceType !== LOAD_BALANCER) {
    refuse(`sourceRanges cannot be checked when a ${serviceType} Service hides the peer's address`, 'leave preserveClientAddress out');
  }
}

/** An egress gateway is reached from inside the mesh only, so what concerns the outside is refused and not dropped. */
export function checkEgressOptions(where: Where, options: DedicatedGatewayOptions): void {
  for (const option of INGRESS_ONLY) {
    if (options[option] === undefined || options[option] === 'ClusterIP') continue;
    fail('FED116', where, `egressGateway has ${option} ${show(options[option])}, but only callers inside the mesh reach it`,
      `take ${option} away, or give it to ingressGateway`);
  }
}
