import { fail, show, Where } from './errors';
import type { DedicatedGatewayOptions } from '../gateway-options';

/*
 * Annotations of the Service with which a load balancer would reject or cut off every peer. Each is checked against the
 * option of the gateway that must agree with it. Annotations that are not known here pass.
 */

const AWS = 'service.beta.kubernetes.io/aws-load-balancer-';
/** Values with which an annotation for the PROXY protocol does not enable it. */
const OFF = /^(false|none|off|disabled|no|0|)$/i;

/** Checks the annotations of a load balancer against the options of the gateway. */
export function checkLoadBalancer(where: Where, options: DedicatedGatewayOptions): void {
  checkProxyProtocol(where, options);
  checkPodTargets(where, options);
}

/** Rejects an annotation that enables the PROXY protocol at a load balancer, unless the gateway expects it. */
function checkProxyProtocol(where: Where, { proxyProtocol, serviceAnnotations = {} }: DedicatedGatewayOptions): void {
  if (proxyProtocol) return;
  for (const [name, value] of Object.entries(serviceAnnotations)) {
    const byName = /proxy-?protocol/i.test(name) && !OFF.test(value);
    // AWS has an attribute among others, and IBM a list of features.
    const byValue = /proxy_protocol_v2\.enabled=true|(^|,)\s*proxy-protocol\b/i.test(value);
    if (!byName && !byValue) continue;
    fail('FED149', where, `the annotation ${show(name)}: ${show(value)} makes the load balancer send the PROXY protocol, which the gateway does not expect`,
      'set proxyProtocol: true, or remove the annotation');
  }
}

/** Rejects source ranges at an AWS load balancer whose targets are pods, if the pods do not see addresses in the ranges. */
function checkPodTargets(where: Where, options: DedicatedGatewayOptions): void {
  const { sourceRanges, healthCheckSourceRanges, preserveClientAddress = true, serviceAnnotations = {} } = options;
  const aws = (name: string) => serviceAnnotations[`${AWS}${name}`];
  const hasPodTargets = aws('nlb-target-type') === 'ip' || aws('type') === 'nlb-ip';
  if (!hasPodTargets || !sourceRanges || !preserveClientAddress) return;
  if (!/\bpreserve_client_ip\.enabled=true\b/.test(aws('target-group-attributes') ?? '')) {
    fail('FED149', where, 'sourceRanges would reject every peer: a load balancer of AWS whose targets are pods hides the address of the client',
      `set the annotation ${AWS}target-group-attributes: "preserve_client_ip.enabled=true", or preserveClientAddress: false`);
  }
  if (healthCheckSourceRanges === undefined && aws('healthcheck-port') !== '15021') {
    fail('FED149', where, 'sourceRanges would reject the health checks of a load balancer of AWS whose targets are pods: they come from its subnets',
      `set the annotation ${AWS}healthcheck-port: "15021", which is open, or the subnets as healthCheckSourceRanges`);
  }
}
