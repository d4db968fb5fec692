import { k8s } from 'cdk8s-plus-27';
import { Construct } from 'constructs';
import { emitTyped, lazyField } from './emit';
import { BOUNDARY_PORT } from '../model/constants';
import { GatewayConfig, BoundaryConfig, Destination } from '../model/model';
import { DEFAULT_DENY, singleObjectName } from '../model/names';

/*
 * NetworkPolicies of the boundary's pods. They take effect only in clusters whose network plugin enforces them.
 */

/**
 * Denies all connections of a boundary namespace; the policies of the gateways allow theirs. The name is unique in the
 * mesh, because some tools name files by kind and name only (docs/adr/0015).
 */
export function renderNetworkDeny(scope: Construct, config: BoundaryConfig, namespaceName: string): void {
  const name = namespaceName === config.namespaceName ? DEFAULT_DENY : singleObjectName(DEFAULT_DENY, namespaceName);
  const named = { name, namespace: namespaceName };
  emitTyped(scope, k8s.KubeNetworkPolicy, named, {
    spec: { podSelector: {}, policyTypes: ['Ingress', 'Egress'] },
  });
}

/** Policy of the ingress gateway. In: peers. Out: the namespaces of the exported services, and monitoring. */
export function renderIngressNetwork(scope: Construct, config: BoundaryConfig, backendNamespaces: () => string[]): void {
  const { preserveClientAddress, sourceRanges, healthCheckSourceRanges = [] } = config.ingress.settings;
  const sources = sourceRanges && [...sourceRanges, ...healthCheckSourceRanges].map((cidr) => ({ ipBlock: { cidr } }));
  // Source ranges apply only if the load balancer preserves the peer's address. Otherwise they would be compared with
  // the node's address.
  renderNetwork(scope, config, config.ingress, () => ({
    ingress: [{ from: preserveClientAddress ? sources : undefined, ports: [tcp(BOUNDARY_PORT)] }],
    egress: [{ to: [...new Set([...backendNamespaces(), config.monitoringNamespaceName])].map(namespacePeer) }],
  }));
}

/** Policy of the egress gateway. In: the namespaces of callers. Out: the ingress gateways of peers, and monitoring. */
export function renderEgressNetwork(scope: Construct, config: BoundaryConfig, callerNamespaces: () => string[], peerPorts: () => number[]): void {
  renderNetwork(scope, config, config.egress, () => ({
    // A rule with an empty `from` would allow every source.
    ingress: callerNamespaces().length === 0 ? [] : [{ from: callerNamespaces().map(namespacePeer), ports: [tcp(BOUNDARY_PORT)] }],
    egress: [
      ...peerPorts().length === 0 ? [] : [{ ports: peerPorts().map(tcp) }],
      { to: [namespacePeer(config.monitoringNamespaceName)] },
    ],
  }));
}

interface PortRules {
  readonly ingress: k8s.NetworkPolicyIngressRule[];
  readonly egress: k8s.NetworkPolicyEgressRule[];
}

function renderNetwork(scope: Construct, config: BoundaryConfig, gateway: GatewayConfig, rules: () => PortRules): void {
  const named = { name: gateway.serviceName, namespace: gateway.namespaceName };
  emitTyped(scope, k8s.KubeNetworkPolicy, named, {
    spec: lazyField(() => ({
      podSelector: { matchLabels: gateway.selector },
      policyTypes: ['Ingress', 'Egress'],
      ingress: [
        ...rules().ingress,
        { ports: [tcp(15021)] }, // health checks of the kubelet
        { from: [namespacePeer(config.monitoringNamespaceName)], ports: [tcp(15020), tcp(15090)] },
      ],
      egress: [
        ...infrastructure(config),
        ...rules().egress,
      ],
    })),
  });
}

function tcp(port: number): k8s.NetworkPolicyPort {
  return { port: k8s.IntOrString.fromNumber(port), protocol: 'TCP' };
}

function udp(port: number): k8s.NetworkPolicyPort {
  return { port: k8s.IntOrString.fromNumber(port), protocol: 'UDP' };
}

/**
 * Allows DNS, istiod and the CA. They may be on the node, in another namespace or outside of the cluster, so their usual
 * ports are open at any address.
 */
export function infrastructure(config: BoundaryConfig): k8s.NetworkPolicyEgressRule[] {
  return [
    { ports: [udp(53), tcp(53), tcp(15012)] },
    ...[...DNS_PODS, ...config.infrastructure].map(({ namespaceName, cidr, ports }) => ({
      to: [cidr === undefined ? namespacePeer(namespaceName!) : { ipBlock: { cidr } }],
      ports: ports.flatMap((port) => [udp(port), tcp(port)]),
    })),
  ];
}

/**
 * DNS pods that listen on another port than their Service: network policies see the port of the pod (docs/adr/0044).
 * The first are those of OpenShift, the second those of Gardener.
 */
const DNS_PODS: readonly Destination[] = [
  { namespaceName: 'openshift-dns', cidr: undefined, ports: [5353] },
  { namespaceName: 'kube-system', cidr: undefined, ports: [8053] },
];

/** Matches one namespace, or with `*` every namespace. */
export function namespacePeer(name: string): k8s.NetworkPolicyPeer {
  return name === '*' ? { namespaceSelector: {} } : { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': name } } };
}
