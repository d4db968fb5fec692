import type { Annotations, GatewayConfig, Texts } from './gateway-config';
import type { IstioMinor } from './istio-support';
import type { BindingParts } from './names';

export * from './gateway-config';

/*
 * Plain data that the constructs declare: the only input of `src/render/`. Every field is required (`T | undefined`
 * instead of `?:`), so a new field does not compile until the code that builds the record sets it. That code also sorts
 * lists, so that the order of calls does not affect the output.
 */

/** A workload identity in its two spellings. */
interface Identity {
  /** As in certificates: `spiffe://east.example/ns/a/sa/b`. */
  readonly uri: string;
  /** As in policies: `east.example/ns/a/sa/b`. */
  readonly principal: string;
}

/** Configuration that all objects of one boundary share. */
export interface BoundaryConfig {
  readonly meshName: string;
  readonly trustDomain: string;
  /** Trust domain of all workloads of the mesh, the gateways included when they talk to workloads. */
  readonly workloadTrustDomain: string;
  readonly namespaceName: string;
  readonly createNamespace: boolean;
  readonly namespaceLabels: { readonly [name: string]: string };
  readonly rootNamespaceName: string;
  readonly clusterDomain: string;
  readonly monitoringNamespaceName: string;
  readonly accessLogProvider: string;
  readonly delivery: 'kubectl' | 'argoCd' | 'flux';
  readonly revision: string | undefined;
  readonly istioVersion: IstioMinor;
  readonly admissionPolicy: boolean;
  /** Whether the gateways connect to backends of TCP and TLS ports only after the caller's handshake. */
  readonly connectAfterHandshake: boolean;
  /** Whether ProxyConfig has `connectionSettings`, the fields for the limits of a connection. */
  readonly connectionSettings: boolean;
  /** Whether Telemetry can keep a gateway from setting trace headers and let it report spans. */
  readonly disableContextPropagation: boolean;
  /** Whether requests may have headers with underscores. */
  readonly underscoresAllowed: boolean;
  /** Where pods reach DNS, istiod and CAs, besides the usual ports. */
  readonly infrastructure: readonly Destination[];
  /** Seconds after which the network between the meshes drops idle connections. */
  readonly networkIdleSeconds: number;
  readonly ingress: GatewayConfig;
  readonly egress: GatewayConfig;
  /** Annotations of the objects that apply to the whole boundary. */
  readonly annotations: Annotations;
}

/** Ports of the pods of one namespace, or of a range of addresses: exactly one of the two is defined. */
export interface Destination {
  readonly namespaceName: string | undefined;
  readonly cidr: string | undefined;
  /** Sorted. */
  readonly ports: readonly number[];
}

/** A peer: another mesh, with its identities, CA certificates and addresses. */
export interface Peer {
  /** Our alias of the peer. */
  readonly name: string;
  /** Identity of its ingress gateway. Required by `bind`. */
  readonly ingressIdentity: Identity | undefined;
  /** Identity of its egress gateway. Required by `allowFrom`. */
  readonly egressIdentity: Identity | undefined;
  /** Its public CA certificates, in PEM. */
  readonly pem: string;
  /** Revocation lists of its CAs, in PEM: one for each CA. */
  readonly revocationLists: string | undefined;
  readonly endpoints: { readonly address: string; readonly port: number }[];
}

/**
 * What one boundary configures for its traffic with a peer. Another boundary of the mesh may configure something else.
 */
export interface PeerTraffic {
  /** Whether trace headers are removed. */
  readonly stripTracing: boolean;
  /** Request headers to remove besides those that are always removed. Sorted. */
  readonly removeRequestHeaders: string[];
  /** Reason why the peer may use TLS 1.2 towards us. Undefined: TLS 1.3 only. */
  readonly allowTls12: string | undefined;
  readonly limits: IngressLimits | undefined;
  readonly upstreamLimits: EgressLimits | undefined;
  /** Externally managed ConfigMap with the peer's CA certificates. */
  readonly trustConfigMapName: string | undefined;
}

/** Limits of a peer at the ingress gateway, for each exported port and gateway pod. */
export interface IngressLimits {
  readonly maxConnections: number | undefined;
  /** In milliseconds. */
  readonly maxConnectionDuration: number | undefined;
  readonly requestsPerSecond: number | undefined;
}

/** Limits of the egress gateway towards a peer, for each exported port and gateway pod, all callers together. */
export interface EgressLimits {
  readonly maxConnections: number | undefined;
  readonly maxRequests: number | undefined;
}

/** Default limits of an egress gateway towards one exported port: far above what services need. */
export const UPSTREAM_DEFAULTS = { maxConnections: 4096, maxRequests: 16384 } as const;

/** The options of a peer at one boundary. */
export interface PeerOptions {
  readonly annotations: Annotations;
  /** Reason why the peer is isolated. Undefined if it is not. */
  readonly isolated: string | undefined;
  readonly traffic: PeerTraffic;
}

/** Default options of a peer, also before it is added. */
export const NO_PEER_OPTIONS: PeerOptions = {
  annotations: {},
  isolated: undefined,
  traffic: {
    stripTracing: false, removeRequestHeaders: [], allowTls12: undefined, limits: undefined, upstreamLimits: undefined, trustConfigMapName: undefined,
  },
};

/** Protocol of a port. */
export type Protocol = 'http' | 'grpc' | 'tcp' | 'tls';

/** Whether proxies handle HTTP requests of a protocol. For TCP and TLS they forward bytes. */
export function speaksHttp(protocol: Protocol): boolean {
  return protocol === 'http' || protocol === 'grpc';
}

/** Headers that a request must have, with their exact values. */
export interface ExactHeaders { readonly [name: string]: string }

/** An issuer of end-user JWTs, with its public keys or their URL: exactly one of the two. */
export interface Issuer {
  readonly issuer: string;
  readonly jwks: string | undefined;
  readonly jwksUri: string | undefined;
}

/**
 * A token that a request must have: from this issuer, for one of these audiences, with one of the values of each claim.
 */
export interface Token {
  readonly issuer: string;
  readonly audiences: string[];
  readonly claims: Claim[];
}

/** A claim of a token, which must have one of these values. */
interface Claim {
  /** As `[a]`, or `[a][b]` for the claim `b` inside the claim `a`. */
  readonly path: string;
  readonly values: string[];
}

/** Every claim that a token must have, with those that have a field of their own. */
export function requiredClaims({ issuer, audiences, claims }: Token): Claim[] {
  return [{ path: '[iss]', values: [issuer] }, { path: '[aud]', values: audiences }, ...claims];
}

/** HTTP requests that a rule allows. An undefined field allows everything. */
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
  /** Fully qualified name and port of the local service. */
  readonly backend: { readonly host: string; readonly port: number };
  /** Timeout of a request, in milliseconds. */
  readonly requestTimeout: number | undefined;
  /** Idle timeout of a connection, in milliseconds. */
  readonly idleTimeout: number | undefined;
}

/** One exported port that one peer may use: one TLS server, one route and its rules at the ingress gateway. */
export interface Grant {
  readonly port: ExportedPort;
  readonly peer: Peer;
  readonly sni: string;
  /** Allowed operations. Empty: every request is allowed. */
  readonly operations: HttpOperation[];
  /** Issuers of the required tokens. Either all requests need a token, or none does. */
  readonly issuers: Issuer[];
  /** Annotations of the export and of this grant. */
  readonly annotations: Annotations;
}

/** An exported port of a peer: one upstream of the egress gateway, for all local names that are routed to it. */
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
  /** Further hosts that these workloads may call, as `namespace/host`. */
  readonly allowedHosts: string[];
  readonly annotations: Annotations;
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

/** Workloads of our mesh that may use a local name. */
export interface CallerIdentity {
  /** Their principal, or a prefix of their principals followed by `*`. */
  readonly principal: string;
  /** Namespace of these workloads. Undefined: every namespace of the mesh. */
  readonly namespaceName: string | undefined;
}

/**
 * Whether a caller's principal is a prefix, so that it stands for unlisted identities. The TLS handshake cannot check
 * those.
 */
export function isUnlisted({ principal }: CallerIdentity): boolean {
  return principal.endsWith('*');
}

/** The local name of a binding, and what the program declares about it. It does not change. */
export interface BindingName {
  readonly serviceName: string;
  readonly namespaceName: string;
  /** The local name, fully qualified. */
  readonly host: string;
  /** Further hosts outside the cluster domain that callers may dial. */
  readonly additionalHosts: string[];
  /** Whether the local name belongs to an existing Service with pods. */
  readonly existing: boolean;
  readonly annotations: Annotations;
}

/** A binding: a local name, its allowed callers, and the destinations of its ports. */
export interface Binding {
  readonly name: BindingName;
  readonly callers: CallerIdentity[];
  readonly ports: LocalPort[];
}

/** Every host that callers may dial. */
export function hostsOf({ host, additionalHosts }: BindingName): string[] {
  return [host, ...additionalHosts];
}

/**
 * A port of a local name. The first route match applies whose headers a request has; the last one matches every
 * request.
 */
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

/**
 * A destination and its weight in percent: an exported port of a peer, or the Service's own pods if there is no route.
 */
export interface WeightedDestination {
  readonly weight: number;
  readonly route: LocalRoute | undefined;
}

/**
 * A route from a port of a local name to one upstream: one TLS server, one VirtualService and its rules at the egress
 * gateway.
 */
export interface LocalRoute extends BindingParts {
  readonly binding: Binding;
  /** SNI and host of this route at the egress gateway. */
  readonly bindingHost: string;
  readonly upstream: Upstream;
}
