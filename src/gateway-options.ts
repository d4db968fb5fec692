import { Duration } from 'cdk8s';
import type { GatewayCredential } from './credential';
import type { NodeToleration } from './toleration';

/**
 * Kubernetes names of a boundary gateway, for example for your own network policies and dashboards.
 *
 * @exampleMetadata fixture=meshes
 * @example
 * const egress: BoundaryGatewayAttributes = west.egressGateway;
 * const query = 'container_memory_working_set_bytes{namespace="' + egress.namespaceName + '",container="istio-proxy"}';
 */
export interface BoundaryGatewayAttributes {
  /** Namespace of the gateway's pods, such as `istio-federation`. */
  readonly namespaceName: string;
  /** Service account of the pods, such as `federation-ingress`. Namespace and account form the gateway's SPIFFE ID. */
  readonly serviceAccountName: string;
  /** Kubernetes Service in front of the pods, such as `federation-ingress`. */
  readonly serviceName: string;
  /** Labels that select the gateway's pods and no others, such as `{ app: 'shared', istio: 'shared' }`. */
  readonly podLabels: { [name: string]: string };
}

/** Type of the Kubernetes Service in front of an ingress gateway. */
export enum GatewayServiceType {
  /** Reachable inside the cluster only, for example behind a load balancer of your own. */
  CLUSTER_IP = 'ClusterIP',
  /**
   * Reachable at a port of the nodes: the endpoint's port if it is between 30000 and 32767, otherwise one that the
   * cluster chooses.
   */
  NODE_PORT = 'NodePort',
  /** Reachable through a load balancer of the cloud. */
  LOAD_BALANCER = 'LoadBalancer',
}

/**
 * Options of `BoundaryGateway.dedicated`: size, nodes, Service and namespace of a gateway that the library creates.
 *
 * @exampleMetadata fixture=meshes
 * @example
 * const dmz = BoundaryGateway.dedicated({
 *   minReplicas: 3,
 *   maxReplicas: 10,
 *   memoryLimit: '1Gi',
 *   serviceType: GatewayServiceType.LOAD_BALANCER,
 *   sourceRanges: ['203.0.113.0/28'],
 *   nodeSelector: { 'node-pool': 'dmz' },
 *   tolerations: [NodeToleration.equal('dedicated', 'dmz', 'NoSchedule')],
 * });
 */
export interface DedicatedGatewayOptions {
  /**
   * Smallest number of pods. With one pod there is no PodDisruptionBudget, because it would block every node drain.
   * @default 2
   */
  readonly minReplicas?: number;
  /**
   * Largest number of pods, autoscaled at 80 % of the CPU request. If it equals `minReplicas`, there is no autoscaler.
   * @default 5
   */
  readonly maxReplicas?: number;
  /**
   * CPU request of a pod, as a Kubernetes quantity of at least `1m`. The autoscaler measures against it.
   * @default '100m'
   */
  readonly cpuRequest?: string;
  /**
   * CPU limit of a pod, as a Kubernetes quantity.
   * @default '2'
   */
  readonly cpuLimit?: string;
  /**
   * Memory request of a pod, as a Kubernetes quantity of at least `1Mi`.
   * @default '128Mi'
   */
  readonly memoryRequest?: string;
  /**
   * Memory limit of a pod, as a Kubernetes quantity, such as `1Gi`. Envoy's overload thresholds derive from it.
   *
   * Envoy resets the streams that hold most memory from about a quarter of the limit on, and rejects requests at 57 %.
   * A gateway needs 1 MiB for each port that it serves; synthesis fails for a smaller limit (FED136). A change of the
   * limit replaces the pods.
   * @default - '512Mi' up to 512 ports, '1Gi' up to 1,024, and so on
   * @see https://www.envoyproxy.io/docs/envoy/latest/configuration/operations/overload_manager/overload_manager
   */
  readonly memoryLimit?: string;
  /**
   * Type of the Service. Ingress gateway only (FED116): the Service of an egress gateway is always ClusterIP.
   * @default GatewayServiceType.LOAD_BALANCER
   */
  readonly serviceType?: GatewayServiceType;
  /**
   * Annotations of the Service for the cloud's load balancer, such as
   * `{ 'service.beta.kubernetes.io/aws-load-balancer-scheme': 'internet-facing' }`. Ingress gateway only.
   * @default - none
   */
  readonly serviceAnnotations?: { [name: string]: string };
  /**
   * Class of the load balancer, such as `service.k8s.aws/nlb`. Ingress gateway only.
   * @default - the cluster's default
   */
  readonly loadBalancerClass?: string;
  /**
   * CIDR ranges from which clients may connect, such as `['203.0.113.0/28']`. Ingress gateway only.
   *
   * As Kubernetes 1.36 parses them: without bits after the mask and without leading zeros.
   * Peers are authenticated in the TLS handshake in any case. The ranges keep other clients from reaching it.
   * @default - any address
   */
  readonly sourceRanges?: string[];
  /**
   * CIDR ranges from which the load balancer checks the health of port 15443 in the pods, such as those of its subnets.
   * Needs `sourceRanges` (FED116). Ingress gateway only.
   *
   * The pods accept connections from these ranges on port 15443 besides those of `sourceRanges`; the load balancer
   * itself does not. Most load balancers need no range: they check the nodes, or can be set to check port 15021, which
   * is open. docs/how-to/platform-eks.md has an example.
   * @default - none
   */
  readonly healthCheckSourceRanges?: string[];
  /**
   * Whether the load balancer begins each connection with a header of the PROXY protocol, version 1 or 2. Ingress
   * gateway only.
   *
   * If it does and this is not set, every handshake fails; the reverse is true as well. The load balancer itself must be
   * configured, usually in `serviceAnnotations`. Cannot be combined with `sourceRanges` (FED116). Not tested on real
   * proxies.
   * @default false
   * @see https://istio.io/latest/docs/ops/configuration/traffic-management/network-topologies/#proxy-protocol
   */
  readonly proxyProtocol?: boolean;
  /**
   * Preserves the client's IP address (`externalTrafficPolicy: Local`). Ingress gateway only.
   *
   * A node without a pod of the gateway then drops connections.
   * @default true
   */
  readonly preserveClientAddress?: boolean;
  /**
   * Requests an IPv4 and an IPv6 address for the Service (`ipFamilyPolicy: RequireDualStack`). Ingress gateway only.
   *
   * A cluster of one family rejects the Service. Istio must listen on both families (`ISTIO_DUAL_STACK`).
   * @default false
   */
  readonly dualStack?: boolean;
  /**
   * Labels of the nodes that may run the pods, such as `{ 'node-pool': 'dmz' }`.
   * @default - any node
   */
  readonly nodeSelector?: { [name: string]: string };
  /**
   * Taints that the pods tolerate, such as `[NodeToleration.exists('dedicated')]`.
   * @default - none
   */
  readonly tolerations?: NodeToleration[];
  /**
   * Priority class of the pods, such as `system-cluster-critical`.
   * @default - none
   */
  readonly priorityClassName?: string;
  /**
   * Names of image pull secrets in the gateway's namespace, such as `['registry']`.
   * @default - none
   */
  readonly imagePullSecretNames?: string[];
  /**
   * Injection templates of the mesh for the pods, applied after Istio's `gateway`, such as `['spire']`.
   *
   * Set the ones that every workload of the mesh needs, for example to mount the socket of a SPIRE agent. Such a socket
   * needs a `credential` from cert-manager or from a Secret: Istio's agent writes no certificate to a file then, and
   * the egress gateway would have none for peers.
   * @see https://istio.io/latest/docs/setup/additional-setup/sidecar-injection/#custom-templates-experimental
   * @default - `gateway` only
   */
  readonly injectionTemplates?: string[];
  /**
   * Additional labels of the pods, such as `{ team: 'edge' }`. Rejects labels that select the pods or that Istio sets
   * (FED116).
   * @default - none
   */
  readonly labels?: { [name: string]: string };
  /**
   * Time for which a pod that is being replaced still accepts connections, such as `Duration.minutes(2)`. After it, the
   * pod drains for 30 seconds.
   *
   * Set it if the load balancer connects to pods and needs a while to stop after a pod is deregistered. Whole seconds, up
   * to one hour (FED116). A rollout and a node drain take as much longer. A spot node may be gone earlier.
   * @default - none: the pod drains at once, and accepts connections while it does
   * @see https://kubernetes.io/docs/concepts/containers/container-lifecycle-hooks/
   */
  readonly shutdownDelay?: Duration;
  /**
   * Namespace of this gateway, such as `federation-in`. Nothing else may run in it.
   *
   * The namespace is part of the gateway's SPIFFE ID, so peers must update the identity when it changes.
   * @default - `namespaceName` of the mesh
   */
  readonly namespaceName?: string;
  /**
   * Certificate that this gateway presents, such as `GatewayCredential.fromSecret('boundary-ingress')`.
   * @default - `credential` of the mesh
   */
  readonly credential?: GatewayCredential;
}

/**
 * Options of `BoundaryGateway.fromExisting`: Kubernetes names of an existing (externally managed) ingress gateway.
 *
 * @exampleMetadata fixture=meshes
 * @example
 * const shared = BoundaryGateway.fromExisting({
 *   namespaceName: 'istio-ingress',
 *   serviceAccountName: 'shared',
 *   serviceName: 'shared',
 *   podLabels: { app: 'shared', istio: 'shared' },
 * });
 */
export interface ExistingGatewayOptions extends BoundaryGatewayAttributes {
  /**
   * Certificate that this gateway presents to peers, at our server names only.
   * @default - `credential` of the mesh
   */
  readonly credential?: GatewayCredential;
}
