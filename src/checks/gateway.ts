import { fail, show, Where } from './errors';
import { checkFlag, checkGiven, checkList, checkMap, checkOptional, fieldsOf, parseFields } from './kinds';
import { checkQuantities, checkServiceAnnotations } from './kubernetes-fields';
import { checkLoadBalancer } from './load-balancer';
import { checkCidr, checkNamespace, checkObjectName, checkServiceName, isPodLabel, MOST_SELECTOR_LABELS, parseDuration } from './values';
import { GatewayCredential } from '../credential';
import { DedicatedGatewayOptions, ExistingGatewayOptions, GatewayServiceType } from '../gateway-options';
import { coverInternet } from '../model/addresses';
import { SYSTEM_NAMESPACE } from '../model/constants';
import { BoundaryConfig, GATEWAY_DEFAULTS } from '../model/model';
import { NodeToleration } from '../toleration';

const LOAD_BALANCER = 'LoadBalancer';
/** The largest 32-bit integer, the type of `replicas`. */
const LARGEST_COUNT = 2 ** 31 - 1;
/** Labels that select the pods, that Istio sets or reads, or from which Istio derives labels that it sets. */
const RESERVED_LABELS: readonly string[] = ['app', 'version', 'app.kubernetes.io/name', 'app.kubernetes.io/version', 'istio'];
const RESERVED_PREFIXES = /^([^/]+\.)?istio\.io\//i;
const FIELDS = fieldsOf<DedicatedGatewayOptions>({
  minReplicas: true,
  maxReplicas: true,
  cpuRequest: true,
  cpuLimit: true,
  memoryRequest: true,
  memoryLimit: true,
  serviceType: true,
  serviceAnnotations: true,
  loadBalancerClass: true,
  sourceRanges: true,
  healthCheckSourceRanges: true,
  proxyProtocol: true,
  preserveClientAddress: true,
  dualStack: true,
  nodeSelector: true,
  tolerations: true,
  priorityClassName: true,
  imagePullSecretNames: true,
  injectionTemplates: true,
  labels: true,
  shutdownDelay: true,
  namespaceName: true,
  credential: true,
});
const EXISTING_FIELDS = fieldsOf<ExistingGatewayOptions>({
  namespaceName: true, serviceAccountName: true, serviceName: true, podLabels: true, credential: true,
});
/** The name of an injection template: the annotation separates names by commas. */
const TEMPLATE = /^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$/;
const LISTS = ['sourceRanges', 'healthCheckSourceRanges', 'tolerations', 'imagePullSecretNames', 'injectionTemplates'] as const;
const FLAGS = ['preserveClientAddress', 'dualStack', 'proxyProtocol'] as const;
const MAPS = ['serviceAnnotations', 'nodeSelector', 'labels'] as const;
const INGRESS_ONLY = [
  'serviceType', 'serviceAnnotations', 'loadBalancerClass', 'sourceRanges', 'healthCheckSourceRanges', 'proxyProtocol', 'preserveClientAddress', 'dualStack',
] as const;
/** The longest `shutdownDelay`, in milliseconds. */
const LONGEST_DELAY = 3_600_000;

/** Checks the options of a dedicated gateway, each alone and in combination. */
export function parseDedicatedGateway(where: string, given: DedicatedGatewayOptions): DedicatedGatewayOptions {
  const reject = (what: string, fix: string) => fail('FED116', where, what, fix);
  const options = parseFields(where, 'the gateway options', given, FIELDS);
  for (const name of FLAGS) checkFlag(where, name, options[name]);
  for (const name of LISTS) if (options[name] !== undefined) checkList(where, name, options[name]);
  for (const name of MAPS) if (options[name] !== undefined) checkMap(where, name, options[name], '{ team: "edge" }');
  const { minReplicas = GATEWAY_DEFAULTS.minReplicas, maxReplicas = GATEWAY_DEFAULTS.maxReplicas } = options;
  if (!Number.isInteger(minReplicas) || !Number.isInteger(maxReplicas) || minReplicas < 1
    || maxReplicas < minReplicas || maxReplicas > LARGEST_COUNT) {
    reject(`minReplicas ${show(minReplicas)} and maxReplicas ${show(maxReplicas)} are not a valid range`,
      'use whole numbers with 1 ≤ minReplicas ≤ maxReplicas');
  }
  checkQuantities(where, options);
  options.tolerations?.forEach((toleration) => checkGiven(where, 'a toleration', toleration, NodeToleration));
  for (const [label, value] of Object.entries(options.nodeSelector ?? {})) {
    if (!isPodLabel(label, value)) reject(`the node label ${show(label)}: ${show(value)} is not valid`, 'use a label of the nodes, for example { pool: "edge" }');
  }
  for (const [label, value] of Object.entries(options.labels ?? {})) {
    if (RESERVED_LABELS.includes(label) || RESERVED_PREFIXES.test(label)) {
      reject(`the label ${show(label)} is reserved: it selects the gateway's pods, or Istio reads it`, 'choose another label');
    }
    if (!isPodLabel(label, value)) {
      reject(`${show(label)}: ${show(value)} is not a valid label`, 'use letters, digits, dashes, underscores and dots, as in Kubernetes labels');
    }
  }
  if (options.priorityClassName !== undefined) checkObjectName(where, options.priorityClassName, 'priority class');
  checkPullSecrets(where, options.imagePullSecretNames ?? []);
  for (const template of options.injectionTemplates ?? []) {
    if (typeof template !== 'string' || !TEMPLATE.test(template)) {
      reject(`the injection template ${show(template)} is not a valid name`, 'use one name for each element, as in the values of Istio\'s injector');
    }
    if (template === 'gateway' || template === 'sidecar') {
      reject(`the injection template ${show(template)} is one of Istio's own`, 'list only further templates: gateway is always the first one');
    }
  }
  if (options.namespaceName !== undefined) checkNamespace(where, options.namespaceName);
  checkOptional(where, 'credential', options.credential, GatewayCredential);
  if (options.shutdownDelay !== undefined) {
    const delay = parseDuration(where, 'FED116', 'shutdownDelay', options.shutdownDelay);
    if (delay % 1000 !== 0 || delay > LONGEST_DELAY) reject(`shutdownDelay is ${delay} ms`, 'use whole seconds, up to one hour, or omit it');
  }
  checkService(reject, where, options);
  checkReachability(reject, where, options);
  checkLoadBalancer(where, options);
  return options;
}

/** Kubernetes merges pull secrets by name, so it rejects a name that is listed twice. */
function checkPullSecrets(where: Where, names: readonly string[]): void {
  names.forEach((name, index) => {
    checkObjectName(where, name, 'Secret');
    if (names.indexOf(name) !== index) fail('FED116', where, `the image pull secret ${show(name)} is listed twice`, 'remove one of them');
  });
}

/** Checks the attributes of an externally managed gateway. */
export function parseExistingGateway(where: string, given: ExistingGatewayOptions): ExistingGatewayOptions {
  const options = parseFields(where, 'the gateway attributes', given, EXISTING_FIELDS);
  checkNamespace(where, options.namespaceName);
  checkObjectName(where, options.serviceAccountName, 'service account');
  checkServiceName(where, options.serviceName);
  checkMap(where, 'podLabels', options.podLabels, '{ istio: \'partner-ingress\' }');
  const { length } = Object.keys(options.podLabels);
  if (length === 0) {
    fail('FED127', where, 'podLabels is empty, which would select every pod of the namespace', 'set the labels that only the gateway\'s pods have');
  }
  if (length > MOST_SELECTOR_LABELS) {
    fail('FED127', where, `podLabels has ${length} labels, but the selector of an EnvoyFilter takes ${MOST_SELECTOR_LABELS}`, 'set the labels that only the gateway\'s pods have');
  }
  for (const [label, value] of Object.entries(options.podLabels)) {
    if (isPodLabel(label, value)) continue;
    fail('FED127', where, `${show(label)}: ${show(value)} is not a valid pod label`, 'set the labels that only the gateway\'s pods have');
  }
  checkOptional(where, 'credential', options.credential, GatewayCredential);
  return options;
}

/** Rejects an existing gateway where the boundary needs a dedicated one. */
export function checkExistingGateways(where: Where, { ingress, egress, namespaceName }: BoundaryConfig): void {
  if (!egress.control.pods) {
    fail('FED127', where, `the egress gateway is an existing gateway (${show(egress.serviceName)} in ${show(egress.namespaceName)}): without settings for its `
      + 'pods, it reveals our local names to peers', 'omit egressGateway, or use BoundaryGateway.dedicated(…): only callers inside the mesh reach it');
  }
  if (!ingress.control.pods && [egress.namespaceName, namespaceName].includes(ingress.namespaceName)) {
    fail('FED127', where, `the existing ingress gateway is in the namespace ${show(ingress.namespaceName)}, where our network policies would deny its other traffic`,
      'use another namespace for the boundary and its egress gateway: namespaceName');
  }
}

/**
 * Rejects namespaces with other pods: the policies of the boundary would apply to those, and theirs to the boundary.
 */
export function checkNamespaces(where: Where, config: BoundaryConfig): void {
  for (const name of new Set([config.namespaceName, config.ingress.namespaceName, config.egress.namespaceName])) {
    const [part, fix] = partIn(config, name);
    if (name === 'default' || SYSTEM_NAMESPACE.test(name)) {
      fail('FED118', where, `${part} is in the namespace ${show(name)}, which also holds pods that are not gateways`, fix);
    }
    if (name === config.rootNamespaceName) {
      fail('FED118', where, `${part} is in Istio's root namespace ${show(name)}, where policies apply to the whole mesh`, fix);
    }
  }
}

/** The part of the boundary that is in a namespace, and the fix for it. */
export function partIn({ namespaceName, ingress, egress }: BoundaryConfig, name: string): [part: string, fix: string] {
  if (name === namespaceName) return ['the boundary', 'give the boundary a namespace of its own: namespaceName'];
  if (name === ingress.namespaceName && !ingress.control.pods) {
    return [`the existing ingress gateway ${show(ingress.serviceName)}`,
      'this existing gateway cannot be used: choose one in a namespace of its own, or omit ingressGateway'];
  }
  const { role } = name === ingress.namespaceName ? ingress : egress;
  return [`the ${role} gateway`, 'give the gateway a namespace of its own: BoundaryGateway.dedicated({ namespaceName: … })'];
}

/** Rejects an option that would change the behaviour of an existing ingress gateway for its other listeners. */
export function checkNotExisting(where: Where, { ingress }: BoundaryConfig, what: string, why: string): void {
  if (ingress.control.pods) return;
  fail('FED128', where, `${what} is not available with an existing ingress gateway: ${why}`,
    'remove the option, or use a dedicated ingress gateway: BoundaryGateway.dedicated(…)');
}

function checkService(reject: (what: string, fix: string) => never, where: Where, options: DedicatedGatewayOptions): void {
  const { serviceType, loadBalancerClass, serviceAnnotations = {} } = options;
  const types = Object.values(GatewayServiceType);
  if (serviceType !== undefined && !types.includes(serviceType)) reject(`serviceType ${show(serviceType)} is not valid`, `use one of ${types.join(', ')}`);
  if (loadBalancerClass !== undefined && (typeof loadBalancerClass !== 'string' || !isPodLabel(loadBalancerClass, ''))) {
    reject(`loadBalancerClass ${show(loadBalancerClass)} is not valid`, 'use the name of its controller, for example "service.k8s.aws/nlb"');
  }
  checkServiceAnnotations(where, serviceAnnotations);
}

function checkReachability(reject: (what: string, fix: string) => never, where: Where, options: DedicatedGatewayOptions): void {
  const { sourceRanges, healthCheckSourceRanges, preserveClientAddress = true } = options;
  const serviceType: string = options.serviceType ?? GATEWAY_DEFAULTS.serviceType;
  for (const name of ['sourceRanges', 'healthCheckSourceRanges'] as const) {
    for (const range of options[name] ?? []) checkCidr(where, 'FED116', 'the source range', range);
    if (options[name]?.length === 0) reject(`${name} is an empty list`, `list the allowed ranges, or omit ${name}`);
  }
  if (healthCheckSourceRanges && !(sourceRanges && preserveClientAddress)) {
    reject('healthCheckSourceRanges has no effect without sourceRanges that the network policy enforces', 'remove it: port 15443 is open to health checks');
  }
  if (sourceRanges && healthCheckSourceRanges && !coverInternet(sourceRanges) && coverInternet([...sourceRanges, ...healthCheckSourceRanges])) {
    reject(`healthCheckSourceRanges ${show(healthCheckSourceRanges)} and sourceRanges together have every public address, so the network policy would allow every client`,
      'list only the subnets of the load balancer as healthCheckSourceRanges');
  }
  if (options.proxyProtocol && sourceRanges) {
    reject('sourceRanges cannot be combined with proxyProtocol: nodes and pods see the address of the load balancer',
      'set the ranges at the load balancer, with annotations of its own, or omit proxyProtocol');
  }
  const families = new Set(sourceRanges?.map((range) => range.includes(':')));
  if (options.dualStack && families.size === 1) {
    reject(`sourceRanges ${show(sourceRanges)} cover one address family of a dual-stack Service, so the other family would be open to every client`,
      'list ranges of both families, or remove dualStack');
  }
  if (options.loadBalancerClass !== undefined && serviceType !== LOAD_BALANCER) {
    reject(`loadBalancerClass cannot be combined with serviceType ${serviceType}`, 'remove one of them');
  }
  if (sourceRanges && !preserveClientAddress && serviceType !== LOAD_BALANCER) {
    reject(`sourceRanges cannot be enforced when a ${serviceType} Service hides the client address`, 'omit preserveClientAddress');
  }
}

/** Rejects options for external clients on an egress gateway, which would have no effect there. */
export function checkEgressOptions(where: Where, options: DedicatedGatewayOptions): void {
  for (const option of INGRESS_ONLY) {
    if (options[option] === undefined || options[option] === 'ClusterIP') continue;
    fail('FED116', where, `egressGateway has ${option} ${show(options[option])}, but only callers inside the mesh reach an egress gateway`,
      `remove ${option}, or set it for ingressGateway`);
  }
}
