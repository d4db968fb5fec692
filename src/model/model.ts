import type { BindingParts } from './names';

/*
 * What the constructs declare, as plain data: all that `src/render/` sees. Every field is stated (`T | undefined` instead of `?:`), so a new
 * one does not compile until whoever builds the record fills it in. Lists are sorted by whoever fills them, so the order of calls never shows.
 */

/** A workload identity in its two spellings. */
export interface Identity {
  /** As in certificates: `spiffe://east.example/ns/a/sa/b`. */
  readonly uri: string;
  /** As in policies: `east.example/ns/a/sa/b`. */
  readonly principal: string;
}

/** Labels, annotations and other maps of texts. */
export interface Texts { readonly [name: string]: string }

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
  readonly preserveClientAddress: boolean;
  readonly dualStack: boolean;
  readonly nodeSelector: Texts | undefined;
  readonly tolerations: readonly Toleration[] | undefined;
  readonly priorityClassName: string | undefined;
  readonly imagePullSecretNames: readonly string[] | undefined;
  readonly labels: Texts | undefined;
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
  /** The Certificate that cert-manager keeps in it, if we create one. */
  readonly certificate: CertificateConfig | undefined;
}

/** What cert-manager is asked for. */
export interface CertificateConfig {
  readonly issuer: { readonly name: string; readonly kind: string; readonly group: string };
  readonly durationSeconds: number;
  readonly renewBeforeSeconds: number | undefined;
  readonly key: { readonly algorithm: string; readonly size: number };
}

/** What the boundary controls at a gateway. At an existing gateway it controls less, since listeners of other owners are there too. */
export interface GatewayControl {
  /** Whether the boundary runs the pods, and so configures their namespace, network, logs and proxies. */
  readonly pods: boolean;
  /** Whether all listeners are the boundary's, so that policies and filters may select the whole gateway. */
  readonly listeners: boolean;
  /** How the names of the boundary's Gateways begin where other owners may have Gateways in the namespace. Empty: all are the boundary's. */
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
  /** Undefined: the gateway presents the certificate that its own mesh issues. */
  readonly credential: CredentialConfig | undefined;
  /** Annotations of its Service, or of its guard when the gateway is an existing one. */
  readonly annotations: Annotations;
}

/** One boundary: what all its objects share. */
export interface BoundaryConfig {
  readonly meshName: string;
  readonly trustDomain: string;
  /** Trust domain of all workloads of the mesh, the gateways included when they talk to workloads. */
  readonly workloadTrustDomain: string;
  readonly namespaceName: string;
  readonly createNamespace: boolean;
  readonly rootNamespaceName: string;
  readonly clusterDomain: string;
  readonly monitoringNamespaceName: string;
  readonly accessLogProvider: string;
  readonly delivery: 'kubectl' | 'argoCd' | 'flux';
  readonly revision: string | undefined;
  readonly istioVersion: string;
  readonly admissionPolicy: boolean;
  /** Whether the gateways connect to backends of TCP and TLS ports only after the caller's handshake. */
  readonly connectAfterHandshake: boolean;
  /** Whether Istio has fields for the limits of a connection (`connectionSettings`, 1.31). */
  readonly connectionSettings: boolean;
  /** Whether requests may have headers with underscores. */
  readonly underscoresAllowed: boolean;
  readonly ingress: GatewayConfig;
  readonly egress: GatewayConfig;
  /** Annotations of the objects that concern the whole boundary. */
  readonly annotations: Annotations;
}

/** Texts for people, by the last part of the annotation's name. */
export interface Annotations { readonly [name: string]: string | undefined }

/** A peer. */
export interface Peer {
  /** Our name for it. */
  readonly name: string;
  /** Undefined until something of the peer is bound. */
  readonly ingressIdentity: Identity | undefined;
  /** Undefined until something is allowed to the peer. */
  readonly egressIdentity: Identity | undefined;
  /** Its public CA certificates. */
  readonly pem: string;
  /** A revocation list of each of its CAs. */
  readonly revocationLists: string | undefined;
  readonly endpoints: { readonly address: string; readonly port: number }[];
}

/** What one boundary configures for its traffic with a peer. Another boundary of the mesh may configure something else. */
export interface PeerTraffic {
  /** Whether trace headers are removed. */
  readonly stripTracing: boolean;
  /** Request headers to remove besides those that are always removed. Sorted. */
  readonly removeRequestHeaders: string[];
  /** Why the peer may use TLS 1.2 towards us. */
  readonly allowTls12: string | undefined;
  readonly limits: PeerLimits | undefined;
  readonly upstreamLimits: UpstreamLimits | undefined;
  /** ConfigMap with the peer's CA that somebody else keeps. */
  readonly trustConfigMapName: string | undefined;
}

/** For each exported port and gateway pod. */
export interface PeerLimits {
  readonly maxConnections: number | undefined;
  /** In milliseconds. */
  readonly maxConnectionDuration: number | undefined;
  readonly requestsPerSecond: number | undefined;
}

/** For each exported port of a peer and each egress gateway pod, all callers together. */
export interface UpstreamLimits {
  readonly maxConnections: number | undefined;
  readonly maxRequests: number | undefined;
}

/** Limits of an egress gateway towards one exported port by default: far above what services need. */
export const UPSTREAM_DEFAULTS = { maxConnections: 4096, maxRequests: 16384 } as const;

/** The options of a peer at one boundary. */
export interface PeerOptions {
  readonly annotations: Annotations;
  /** Why the peer is cut off; undefined if it is not. */
  readonly isolated: string | undefined;
  readonly traffic: PeerTraffic;
}

/** The options of a peer that was given none, or that is not added yet. */
export const NO_PEER_OPTIONS: PeerOptions = {
  annotations: {},
  isolated: undefined,
  traffic: {
    stripTracing: false, removeRequestHeaders: [], allowTls12: undefined, limits: undefined, upstreamLimits: undefined, trustConfigMapName: undefined,
  },
};

/** Protocol of a port. */
export type Protocol = 'http' | 'grpc' | 'tcp' | 'tls';

/** Whether a proxy sees requests; otherwise it sees bytes only. */
export function speaksHttp(protocol: Protocol): boolean {
  return protocol === 'http' || protocol === 'grpc';
}

/** Headers that a request must have, with their exact values. */
export interface ExactHeaders { readonly [name: string]: string }

/** An issuer of end-user JWTs, and where its public keys are: exactly one of the two. */
export interface Issuer {
  readonly issuer: string;
  readonly jwks: string | undefined;
  readonly jwksUri: string | undefined;
}

/** The token that a request must have: of that issuer, for one of these audiences, with one of the values of each claim. */
export interface Token {
  readonly issuer: string;
  readonly audiences: string[];
  /** Each with its place in the token, as `[a]` or `[a][b]`. */
  readonly claims: { readonly path: string; readonly values: string[] }[];
}

/** What a rule allows of HTTP. An undefined field allows everything. */
export interface HttpOperation {
  readonly methods: string[] | undefined;
  readonly paths: string[] | undefined;
  readonly exceptPaths: string[] | undefined;
  readonly headers: ExactHeaders | undefined;
  readonly token: Token | undefined;
}

/** One port of an export. */
export interface ExportedPort {
  readonly exportName: string;
  readonly exportPort: number;
  readonly protocol: Protocol;
  /** Fully qualified name and port of the service behind it. */
  readonly backend: { readonly host: string; readonly port: number };
  /** Longest time for a request, in milliseconds. */
  readonly requestTimeout: number | undefined;
  /** Longest silence on a connection, in milliseconds. */
  readonly idleTimeout: number | undefined;
}

/** One exported port that one peer may use: one TLS server, one route and its rules at the ingress gateway. */
export interface Grant {
  readonly port: ExportedPort;
  readonly peer: Peer;
  readonly sni: string;
  /** Alternatives; none means that every request is allowed. */
  readonly operations: HttpOperation[];
  /** Of the required tokens: all requests need one, or none does. */
  readonly issuers: Issuer[];
  /** Of the export and of this grant. */
  readonly annotations: Annotations;
}

/** An exported port of a peer: one upstream at the egress gateway, for all local names that lead to it. */
export interface Upstream {
  readonly exportName: string;
  readonly exportPort: number;
  readonly protocol: Protocol;
  readonly peer: Peer;
  readonly sni: string;
}

/** A namespace whose workloads cannot bypass the egress gateway. */
export interface Restriction {
  readonly namespaceName: string;
  /** Other hosts that they may call, as `namespace/host`. */
  readonly allowedHosts: string[];
}

/** The workload of a service that only named identities may call. */
export interface Lock {
  readonly serviceName: string;
  readonly namespaceName: string;
  /** Labels that select its pods. */
  readonly podLabels: Texts;
  /** Identities that may call it. */
  readonly principals: string[];
}

/** Workloads of ours that may use a local name. */
export interface CallerIdentity {
  /** Their identity, or the common beginning of all their identities followed by `*`. */
  readonly principal: string;
  /** Undefined: every namespace of the mesh. */
  readonly namespaceName: string | undefined;
}

/** Whether a caller stands for identities that are not listed one by one. The handshake cannot check those. */
export function isUnlisted({ principal }: CallerIdentity): boolean {
  return principal.endsWith('*');
}

/** A binding: the local name, who may call it, and where its ports lead. */
export interface Binding {
  readonly serviceName: string;
  readonly namespaceName: string;
  /** The local name, fully qualified. */
  readonly host: string;
  /** Names outside of the cluster's domain that callers may dial as well. */
  readonly additionalHosts: string[];
  /** Whether the local name is that of a Service that exists, with pods behind it. */
  readonly existing: boolean;
  readonly callers: CallerIdentity[];
  readonly ports: LocalPort[];
  readonly annotations: Annotations;
}

/** Every host that callers may dial. */
export function hostsOf({ host, additionalHosts }: Pick<Binding, 'host' | 'additionalHosts'>): string[] {
  return [host, ...additionalHosts];
}

/** A port of a local name: a request takes the first route match whose headers it has. The last one matches every request. */
export interface LocalPort {
  readonly localPort: number;
  readonly protocol: Protocol;
  readonly matches: RouteMatch[];
}

/** Destinations of the requests that have these headers. */
export interface RouteMatch {
  readonly headers: ExactHeaders | undefined;
  readonly destinations: WeightedDestination[];
}

/** A destination and its weight in percent: an exported port of a peer, or the Service's own pods if there is no route. */
export interface WeightedDestination {
  readonly weight: number;
  readonly route: LocalRoute | undefined;
}

/** From a port of a local name to one upstream: one TLS server, one route and its rules at the egress gateway. */
export interface LocalRoute extends BindingParts {
  readonly binding: Binding;
  /** The host under which the egress gateway serves it. */
  readonly bindingHost: string;
  readonly upstream: Upstream;
}
