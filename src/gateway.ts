import { Justification } from './accountability';
import { GatewayCredential } from './credential';
import { checkDedicatedGateway, checkExistingGateway } from './internal/gateway-checks';

/**
 * Where a mesh meets others:
 *
 *     endpoints: [{ address: 'federation.east.example' }]
 *     ingressGateway: BoundaryGateway.dedicated({ minReplicas: 3, sourceRanges: ['203.0.113.0/28'] })
 *     ingressGateway: BoundaryGateway.fromExisting({ namespaceName: 'edge', serviceAccountName: 'in', serviceName: 'in', podLabels: { app: 'in' } })
 */

/** Where peers reach an ingress gateway. */
export interface GatewayEndpoint {
  /** DNS name, IPv4 or IPv6 address. No scheme, no port. All endpoints of a mesh are of one kind. */
  readonly address: string;
  /**
   * TCP port.
   * @default 15443
   */
  readonly port?: number;
  /**
   * Why a private or loopback address, or a name that only our cluster knows, may cross the boundary.
   * @default - such an address is refused
   */
  readonly privateAddress?: Justification;
}

/** Names of a gateway in the cluster. */
export interface BoundaryGatewayAttributes {
  /** Namespace of the gateway's pods. */
  readonly namespaceName: string;
  /** Service account of the pods: it is their identity. */
  readonly serviceAccountName: string;
  /** Kubernetes Service in front of the pods. */
  readonly serviceName: string;
  /** Labels that select the pods, and only them. */
  readonly podLabels: { [name: string]: string };
}

/** Type of the Kubernetes Service in front of an ingress gateway. */
export enum GatewayServiceType {
  /** Reachable from inside the cluster only. */
  CLUSTER_IP = 'ClusterIP',
  /** A port on the nodes: that of the endpoint when it is between 30000 and 32767, otherwise one that the cluster chooses. */
  NODE_PORT = 'NodePort',
  /** A load balancer of the cloud. */
  LOAD_BALANCER = 'LoadBalancer',
}

/** A toleration of a node taint. */
export interface NodeToleration {
  /** Key of the taint. */
  readonly key: string;
  /**
   * Value of the taint.
   * @default - any value
   */
  readonly value?: string;
  /**
   * `NoSchedule`, `PreferNoSchedule` or `NoExecute`.
   * @default - any effect
   */
  readonly effect?: string;
}

/** The workload of a gateway that the library creates. */
export interface DedicatedGatewayOptions {
  /**
   * Smallest number of pods. With one pod there is no disruption budget, since it would block every drain of its node.
   * @default 2
   */
  readonly minReplicas?: number;
  /**
   * Largest number of pods. Equal to `minReplicas`: no autoscaler.
   * @default 5
   */
  readonly maxReplicas?: number;
  /**
   * CPU request, Kubernetes notation.
   * @default '100m'
   */
  readonly cpuRequest?: string;
  /**
   * CPU limit, Kubernetes notation.
   * @default '2'
   */
  readonly cpuLimit?: string;
  /**
   * Memory request, Kubernetes notation.
   * @default '128Mi'
   */
  readonly memoryRequest?: string;
  /**
   * Memory limit, Kubernetes notation. Envoy resets the streams that hold most memory from a quarter of it on, and stops accepting requests at
   * 57 %, so a gateway needs 1 MiB of it for each port that it serves. Throws FED136 at the end of synthesis for a smaller one.
   * @default '512Mi' up to 512 ports, '1Gi' up to 1,024, and so on. A larger limit replaces the pods.
   */
  readonly memoryLimit?: string;
  /**
   * Type of the Service. An egress gateway is always ClusterIP.
   * @default GatewayServiceType.LOAD_BALANCER
   */
  readonly serviceType?: GatewayServiceType;
  /**
   * Annotations of the Service, for the cloud's load balancer. Ingress only.
   * @default - none
   */
  readonly serviceAnnotations?: { [name: string]: string };
  /**
   * Class of the load balancer. Ingress only.
   * @default - the cluster's
   */
  readonly loadBalancerClass?: string;
  /**
   * CIDRs that may connect. Ingress only.
   * @default - everywhere, the handshake decides
   */
  readonly sourceRanges?: string[];
  /**
   * Keep the peer's address (`externalTrafficPolicy: Local`). Ingress only.
   * @default true
   */
  readonly preserveClientAddress?: boolean;
  /**
   * Addresses of both families, IPv4 and IPv6. A cluster that has one refuses the Service, and Istio must listen on both too. Ingress only.
   * @default false
   */
  readonly dualStack?: boolean;
  /**
   * Nodes for the pods, for example a DMZ pool.
   * @default - any
   */
  readonly nodeSelector?: { [name: string]: string };
  /**
   * Taints that the pods tolerate.
   * @default - none
   */
  readonly tolerations?: NodeToleration[];
  /**
   * Priority class of the pods.
   * @default - none
   */
  readonly priorityClassName?: string;
  /**
   * Names of image pull secrets.
   * @default - none
   */
  readonly imagePullSecretNames?: string[];
  /**
   * More labels for the pods. The ones that select the pods cannot be set.
   * @default - none
   */
  readonly labels?: { [name: string]: string };
  /**
   * Namespace of this gateway. It holds nothing else, like that of the mesh, and is part of the gateway's identity.
   * @default - `namespaceName` of the mesh
   */
  readonly namespaceName?: string;
  /**
   * A credential of this gateway's own.
   * @default - `credential` of the mesh
   */
  readonly credential?: GatewayCredential;
}

/** Names of an ingress gateway that somebody else runs. */
export interface ExistingGatewayOptions extends BoundaryGatewayAttributes {
  /**
   * A credential of this gateway's own.
   * @default - `credential` of the mesh
   */
  readonly credential?: GatewayCredential;
}

/**
 * The workload behind one side of a boundary.
 *
 * @exampleMetadata fixture=meshes
 * @example
 * const wide = BoundaryGateway.dedicated({ minReplicas: 3, sourceRanges: ['203.0.113.0/28'] });
 * const edge = BoundaryGateway.fromExisting({
 *   namespaceName: 'edge',
 *   serviceAccountName: 'edge-ingress',
 *   serviceName: 'edge-ingress',
 *   podLabels: { app: 'edge-ingress' },
 * });
 */
export class BoundaryGateway {
  /**
   * Created by the library, for this boundary only.
   *
   * Throws FED111 for a namespace name that Kubernetes refuses, FED116 for values that cannot be met, FED120 for values of another kind
   * and fields that do not exist.
   */
  public static dedicated(options: DedicatedGatewayOptions = {}): BoundaryGateway {
    checkDedicatedGateway('BoundaryGateway.dedicated', options);
    const { credential, ...values } = options;
    return new BoundaryGateway({ ...structuredClone(values), credential });
  }

  /**
   * An ingress gateway that is there already, and has other listeners as well: everything but the workload is emitted.
   *
   * Its pods must be Istio's, listen on 15443 for nobody else in plain text, and be reached there at the endpoints' ports. Nothing of ours
   * touches its other listeners, so no network policy, no access log and no default deny is emitted for it: what we add is for our server
   * names only. Whoever runs it, or may write in its namespace, is trusted like ourselves. See docs/how-to/gateways.md for what to look
   * at first. It cannot be an egress gateway.
   *
   * Throws FED111 for names that Kubernetes refuses, FED120 for values of another kind, FED127 for labels that do not select its pods.
   */
  public static fromExisting(options: ExistingGatewayOptions): BoundaryGateway {
    checkExistingGateway('BoundaryGateway.fromExisting', options);
    const { credential, namespaceName, serviceAccountName, serviceName, podLabels } = options;
    return new BoundaryGateway({ namespaceName, credential }, { namespaceName, serviceAccountName, serviceName, podLabels: { ...podLabels } });
  }

  private constructor(private readonly options: DedicatedGatewayOptions, private readonly existing?: BoundaryGatewayAttributes) {}

  /** @internal */
  public get _options(): DedicatedGatewayOptions {
    return this.options;
  }

  /**
   * What somebody else runs.
   * @internal
   */
  public get _existing(): BoundaryGatewayAttributes | undefined {
    return this.existing;
  }
}
