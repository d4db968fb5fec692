/*
 * The records of boundary gateways, and the maps that they share with other records of the model.
 */

/** A map of strings, such as labels. */
export interface Texts { readonly [name: string]: string }

/** Values of annotations, by the part of the key after `cdk8s-mesh-federation/`. */
export interface Annotations { readonly [name: string]: string | undefined }

/** The workload of a gateway that the library creates, with all defaults filled in. */
export interface GatewaySettings {
  readonly minReplicas: number;
  readonly maxReplicas: number;
  readonly cpuRequest: string;
  readonly cpuLimit: string;
  readonly memoryRequest: string;
  /** Grows with the served ports if it is not set. */
  readonly memoryLimit: string | undefined;
  readonly serviceType: 'ClusterIP' | 'NodePort' | 'LoadBalancer';
  readonly serviceAnnotations: Texts | undefined;
  readonly loadBalancerClass: string | undefined;
  readonly sourceRanges: readonly string[] | undefined;
  readonly healthCheckSourceRanges: readonly string[] | undefined;
  /** Whether the load balancer sends the PROXY protocol. */
  readonly proxyProtocol: boolean;
  readonly preserveClientAddress: boolean;
  readonly dualStack: boolean;
  readonly nodeSelector: Texts | undefined;
  readonly tolerations: readonly Toleration[] | undefined;
  readonly priorityClassName: string | undefined;
  readonly imagePullSecretNames: readonly string[] | undefined;
  /** Injection templates after Istio's own for gateways. */
  readonly injectionTemplates: readonly string[];
  readonly labels: Texts | undefined;
  /** Seconds for which a pod still accepts connections after Kubernetes began to terminate it. */
  readonly shutdownDelaySeconds: number;
}

/** A toleration of a node taint. Undefined fields match any value and any effect. */
export interface Toleration {
  readonly key: string;
  readonly value: string | undefined;
  readonly effect: string | undefined;
}

/** Defaults of a gateway's workload, beside those that are `undefined`. */
export const GATEWAY_DEFAULTS = {
  minReplicas: 2, maxReplicas: 5, cpuRequest: '100m', cpuLimit: '2', memoryRequest: '128Mi', memoryLimit: '512Mi', serviceType: 'LoadBalancer',
} as const;

/** A Secret with the certificate that a gateway presents to peers. */
export interface CredentialConfig {
  readonly secretName: string;
  /** The cert-manager Certificate that writes this Secret, if the boundary creates one. */
  readonly certificate: CertificateConfig | undefined;
}

/** Settings of a cert-manager Certificate. */
export interface CertificateConfig {
  readonly issuer: { readonly name: string; readonly kind: string; readonly group: string };
  readonly durationSeconds: number;
  readonly renewBeforeSeconds: number | undefined;
  readonly key: { readonly algorithm: string; readonly size: number };
  readonly commonName: string | undefined;
}

/**
 * What the boundary controls at a gateway. At an existing gateway it controls less, since listeners of other owners are
 * there too.
 */
export interface GatewayControl {
  /** Whether the boundary runs the pods, and so configures their namespace, network, logs and proxies. */
  readonly pods: boolean;
  /** Whether all listeners are the boundary's, so that policies and filters may select the whole gateway. */
  readonly listeners: boolean;
  /**
   * Prefix of the boundary's Gateway names where other owners may have Gateways in the namespace. Empty if all are the
   * boundary's.
   */
  readonly gatewayNamePrefix: string;
  /** Request headers that the routes must protect because the proxies' own configuration may trust them. */
  readonly requestHeaders: { readonly set: Texts; readonly remove: readonly string[] };
}

/** One boundary gateway. */
export interface GatewayConfig {
  readonly role: 'ingress' | 'egress';
  readonly control: GatewayControl;
  /** Name of the objects that exist once for the gateway. */
  readonly name: string;
  readonly namespaceName: string;
  readonly serviceAccountName: string;
  readonly serviceName: string;
  /** Labels by which Deployment and Service select the pods. */
  readonly podLabels: { [name: string]: string };
  /** The one label by which Istio's objects select the pods. */
  readonly selector: { [name: string]: string };
  /** Ports of the Service. */
  readonly servicePorts: number[];
  readonly settings: GatewaySettings;
  /** Undefined if the gateway presents the certificate that its own mesh issues. */
  readonly credential: CredentialConfig | undefined;
  /** Annotations of its Service, or of its DENY guard if it is an existing gateway. */
  readonly annotations: Annotations;
}
