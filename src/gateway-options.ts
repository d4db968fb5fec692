import type { GatewayCredential } from './credential';
import type { NodeToleration } from './toleration';

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
