import { fail, show, Where } from './errors';
import type { DedicatedGatewayOptions } from '../gateway-options';

/*
 * Annotations of the Service with which a load balancer would reject or cut off every peer. Each is checked against the
 * option of the gateway that must agree with it. Annotations that are not known here pass.
 */

const AWS = 'service.beta.kubernetes.io/aws-load-balancer-';
const TARGET_ATTRIBUTES = `${AWS}target-group-attributes`;
const KEEPS_ADDRESS = 'preserve_client_ip.enabled';

/** What an annotation means for the gateway: whether a value of it has the effect. */
interface Meaning {
  readonly name: RegExp;
  /** Whether the load balancer then begins each connection with a header of the PROXY protocol. */
  readonly sendsProxyProtocol?: (value: string) => boolean;
  /** Whether pods then see the address of the load balancer in place of the client's. */
  readonly hidesClient?: (value: string) => boolean;
}

/** Whether a value is none of those with which an annotation switches something off. */
const isOn = (value: string) => !/^\s*(false|f|none|off|disabled|no|0|)\s*$/i.test(value);
/** Whether a list of attributes, as `name=value,name=value`, has this value for an attribute. */
const hasAttribute = (name: string, expected: string) => (value: string) => attributesOf(value).get(name) === expected;

const MEANINGS: readonly Meaning[] = [
  // Most clouds: AWS, Azure, DigitalOcean, Hetzner, Linode, OCI, OpenStack, OVH, Scaleway, STACKIT, Vultr, Alibaba, Civo.
  // The value is a flag, a version, "*" or a list of ports.
  { name: /proxy-?protocol/i, sendsProxyProtocol: isOn },
  // AWS: attributes of the target groups.
  { name: new RegExp(`^${TARGET_ATTRIBUTES}$`), sendsProxyProtocol: hasAttribute('proxy_protocol_v2.enabled', 'true'), hidesClient: hasAttribute(KEEPS_ADDRESS, 'false') },
  // IBM: a list of features.
  { name: /^service\.kubernetes\.io\/ibm-load-balancer-cloud-provider-enable-features$/, sendsProxyProtocol: (value) => /(^|,)\s*proxy-protocol\s*(,|$)/i.test(value) },
  // OCI: a network load balancer. `is-preserve-source` is true by default.
  { name: /^oci-network-load-balancer\.oraclecloud\.com\/is-ppv2-enabled$/, sendsProxyProtocol: isOn },
  { name: /^oci-network-load-balancer\.oraclecloud\.com\/is-preserve-source$/, hidesClient: (value) => !isOn(value) },
  // Linode: JSON with the options of one port.
  { name: /^service\.beta\.kubernetes\.io\/linode-loadbalancer-port-/, sendsProxyProtocol: (value) => isOn(textIn(value, 'proxy-protocol')) },
  // cloudscale: the protocol between the load balancer and the pods.
  { name: /^k8s\.cloudscale\.ch\/loadbalancer-pool-protocol$/, sendsProxyProtocol: (value) => /^proxy/.test(value) },
  // UpCloud: JSON with the whole load balancer.
  { name: /^service\.beta\.kubernetes\.io\/upcloud-load-balancer-config$/, sendsProxyProtocol: (value) => isOn(textIn(value, 'outbound_proxy_protocol')) },
];

/** Checks the annotations of a load balancer against the options of the gateway. */
export function checkLoadBalancer(where: Where, options: DedicatedGatewayOptions): void {
  checkProxyProtocol(where, options);
  checkClientAddress(where, options);
  checkHealthChecks(where, options);
}

/** Rejects an annotation that enables the PROXY protocol at a load balancer, unless the gateway expects it. */
function checkProxyProtocol(where: Where, { proxyProtocol, serviceAnnotations = {} }: DedicatedGatewayOptions): void {
  if (proxyProtocol) return;
  const sending = annotationWith('sendsProxyProtocol', serviceAnnotations);
  if (!sending) return;
  fail('FED149', where, `the annotation ${shown(sending)} makes the load balancer send the PROXY protocol, which the gateway does not expect`,
    'set proxyProtocol: true, or remove the annotation');
}

/** Rejects source ranges that would be compared with the address of the load balancer. */
function checkClientAddress(where: Where, options: DedicatedGatewayOptions): void {
  if (!enforcesRanges(options)) return;
  const { serviceAnnotations = {} } = options;
  const hiding = annotationWith('hidesClient', serviceAnnotations);
  if (hiding) {
    fail('FED149', where, `sourceRanges would reject every peer: the annotation ${shown(hiding)} hides the address of the client`,
      'remove the annotation, or set preserveClientAddress: false');
  }
  if (!hasPodTargets(options) || hasAttribute(KEEPS_ADDRESS, 'true')(serviceAnnotations[TARGET_ATTRIBUTES] ?? '')) return;
  fail('FED149', where, 'sourceRanges would reject every peer: a load balancer of AWS whose targets are pods hides the address of the client',
    `set the annotation ${TARGET_ATTRIBUTES}: "${KEEPS_ADDRESS}=true", or preserveClientAddress: false`);
}

/** Rejects source ranges that would reject the health checks of an AWS load balancer whose targets are pods. */
function checkHealthChecks(where: Where, options: DedicatedGatewayOptions): void {
  const { healthCheckSourceRanges, serviceAnnotations = {} } = options;
  if (!enforcesRanges(options) || !hasPodTargets(options)) return;
  if (healthCheckSourceRanges !== undefined || serviceAnnotations[`${AWS}healthcheck-port`] === '15021') return;
  fail('FED149', where, 'sourceRanges would reject the health checks of a load balancer of AWS whose targets are pods: they come from its subnets',
    `set the annotation ${AWS}healthcheck-port: "15021", which is open, or the subnets as healthCheckSourceRanges`);
}

/** Whether the network policy of the gateway compares the address that pods see with the source ranges. */
function enforcesRanges({ sourceRanges, preserveClientAddress = true }: DedicatedGatewayOptions): boolean {
  return sourceRanges !== undefined && preserveClientAddress;
}

function hasPodTargets({ serviceAnnotations = {} }: DedicatedGatewayOptions): boolean {
  return serviceAnnotations[`${AWS}nlb-target-type`] === 'ip' || serviceAnnotations[`${AWS}type`] === 'nlb-ip';
}

type Annotation = [name: string, value: string];

function annotationWith(effect: 'sendsProxyProtocol' | 'hidesClient', annotations: { readonly [name: string]: string }): Annotation | undefined {
  return Object.entries(annotations).find(([name, value]) => MEANINGS.some((meaning) => meaning.name.test(name) && meaning[effect]?.(value)));
}

function shown([name, value]: Annotation): string {
  return `${show(name)}: ${show(value)}`;
}

function attributesOf(value: string): Map<string, string> {
  return new Map(value.split(',').map((pair) => pair.split('=', 2).map((part) => part.trim())).map(([name, text = '']) => [name, text]));
}

/** The first text with this key anywhere in JSON that keeps the key and the value on one line. */
function textIn(json: string, key: string): string {
  return new RegExp(`"${key}"\\s*:\\s*"([^"]*)"`).exec(json)?.[1] ?? '';
}
