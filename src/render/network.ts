import { k8s } from 'cdk8s-plus-27';
import { Construct } from 'constructs';
import { idOf, late, metadataIn } from './emit';
import { BOUNDARY_PORT } from '../model/constants';
import { GatewayConfig, BoundaryConfig } from '../model/model';
import { singleObjectName } from '../model/names';

/*
 * Which connections the boundary's pods may have at all, for clusters whose network enforces it.
 */

const DEFAULT_DENY = 'federation-default-deny';

/** Nothing in or out of a namespace of the boundary's, but for its gateways. Some tools name files by kind and name alone. */
export function renderNetworkDeny(scope: Construct, config: BoundaryConfig, namespaceName: string): void {
  const name = namespaceName === config.namespaceName ? DEFAULT_DENY : singleObjectName(DEFAULT_DENY, namespaceName);
  const named = { name, namespace: namespaceName };
  new k8s.KubeNetworkPolicy(scope, idOf('NetworkPolicy', named), {
    metadata: metadataIn(scope, named),
    spec: { podSelector: {}, policyTypes: ['Ingress', 'Egress'] },
  });
}

/** In: peers. Out: the namespaces of the services that are exposed, and telemetry. */
export function renderIngressNetwork(scope: Construct, config: BoundaryConfig, backendNamespaces: () => string[]): void {
  const { preserveClientAddress, sourceRanges } = config.ingress.settings;
  const sources = sourceRanges?.map((cidr) => ({ ipBlock: { cidr } }));
  // Behind a load balancer that hides the peer's address, the range would be compared with the node's.
  renderNetwork(scope, config, config.ingress, () => ({
    in: [{ from: preserveClientAddress ? sources : undefined, ports: [tcp(BOUNDARY_PORT)] }],
    out: [{ to: [...new Set([...backendNamespaces(), config.monitoringNamespaceName])].map(namespace) }],
  }));
}

/** In: the namespaces of callers. Out: the ingress gateways of peers. */
export function renderEgressNetwork(scope: Construct, config: BoundaryConfig, callerNamespaces: () => string[], peerPorts: () => number[]): void {
  renderNetwork(scope, config, config.egress, () => ({
    // An empty list would let everybody in.
    in: callerNamespaces().length === 0 ? [] : [{ from: callerNamespaces().map(namespace), ports: [tcp(BOUNDARY_PORT)] }],
    out: [
      ...peerPorts().length === 0 ? [] : [{ ports: peerPorts().map(tcp) }],
      { to: [namespace(config.monitoringNamespaceName)] },
    ],
  }));
}

interface PortRules {
  readonly in: k8s.NetworkPolicyIngressRule[];
  readonly out: k8s.NetworkPolicyEgressRule[];
}

function renderNetwork(scope: Construct, config: BoundaryConfig, gateway: GatewayConfig, openings: () => PortRules): void {
  const named = { name: gateway.serviceName, namespace: gateway.namespaceName };
  new k8s.KubeNetworkPolicy(scope, idOf('NetworkPolicy', named), {
    metadata: metadataIn(scope, named),
    spec: late(() => ({
      podSelector: { matchLabels: gateway.selector },
      policyTypes: ['Ingress', 'Egress'],
      ingress: [
        ...openings().in,
        { ports: [tcp(15021)] }, // health, asked for by the node
        { from: [namespace(config.monitoringNamespaceName)], ports: [tcp(15020), tcp(15090)] },
      ],
      egress: [
        anywhere(),
        ...openings().out,
      ],
    })),
  });
}

function tcp(port: number): k8s.NetworkPolicyPort {
  return { port: k8s.IntOrString.fromNumber(port), protocol: 'TCP' };
}

/** Names and istiod, wherever they are: on the node, in another namespace, outside of the cluster. */
export function anywhere(): k8s.NetworkPolicyEgressRule {
  return { ports: [{ port: k8s.IntOrString.fromNumber(53), protocol: 'UDP' }, tcp(53), tcp(15012)] };
}

/** A namespace, or every one. */
export function namespace(name: string): k8s.NetworkPolicyPeer {
  return name === '*' ? { namespaceSelector: {} } : { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': name } } };
}
