import type { BindingParts } from './names';
import type { DedicatedGatewayOptions } from '../gateway';

/*
 * What the constructs say, as plain data: the only thing that `src/render/` sees. Lists are sorted by whoever fills them, so that the
 * order of calls never shows.
 */

/** A workload identity in its two spellings. */
export interface Identity {
  readonly uri: string;
  readonly principal: string;
}

/** What a gateway is where its options say nothing. */
export const GATEWAY_DEFAULTS = {
  minReplicas: 2, maxReplicas: 5, cpuRequest: '100m', cpuLimit: '2', memoryRequest: '128Mi', memoryLimit: '512Mi', serviceType: 'LoadBalancer',
} as const;

/** A Secret with what a gateway presents to peers, and what cert-manager is asked to keep there. */
export interface CredentialSite {
  readonly secretName: string;
  readonly certificate?: {
    readonly issuer: { readonly name: string; readonly kind: string; readonly group: string };
    readonly durationSeconds: number;
    readonly renewBeforeSeconds?: number;
    readonly key: { readonly algorithm: string; readonly size: number };
  };
}

/** One boundary gateway of ours. */
export interface GatewaySite {
  readonly role: 'ingress' | 'egress';
  /** Whether others run it: it has listeners that are none of our business. */
  readonly existing: boolean;
  /** Name of the objects that are there once for it. */
  readonly name: string;
  readonly namespaceName: string;
  readonly serviceAccountName: string;
  readonly serviceName: string;
  /** The labels of its pods by which Deployment and Service select. */
  readonly podLabels: { [name: string]: string };
  /** The one label by which Istio's objects select. */
  readonly selector: { [name: string]: string };
  /** Ports of the Service. */
  readonly servicePorts: number[];
  readonly options: DedicatedGatewayOptions;
  /** Without one, it presents what its own mesh gives it. */
  readonly credential?: CredentialSite;
  /** Notes for people on its Service, or on its guard when the Service is somebody else's. */
  readonly notes: Notes;
}

/** One boundary of ours: what all its objects share. */
export interface Site {
  readonly meshName: string;
  readonly trustDomain: string;
  /** Of everybody inside the mesh, the gateways included when they deal with workloads. */
  readonly workloadTrustDomain: string;
  readonly namespaceName: string;
  readonly createNamespace: boolean;
  readonly clusterDomain: string;
  readonly monitoringNamespaceName: string;
  readonly accessLogProvider: string;
  readonly delivery: 'kubectl' | 'argoCd' | 'flux';
  readonly revision?: string;
  /** Whether backends of TCP and TLS ports are connected only once the caller has shown who it is. */
  readonly connectAfterHandshake: boolean;
  /** Whether Istio has fields for what a connection may cost (`connectionSettings`, 1.31), and requests may have headers with underscores. */
  readonly connectionSettings: boolean;
  readonly underscoresAllowed: boolean;
  readonly ingress: GatewaySite;
  readonly egress: GatewaySite;
  /** Notes for people on the objects that carry the whole boundary. */
  readonly notes: Notes;
}

/** Texts for people, by the last part of the annotation's name. */
export interface Notes { readonly [name: string]: string | undefined }

/** A peer, as our objects need it. */
export interface Peer {
  /** Our name for it. */
  readonly name: string;
  readonly ingressIdentity: Identity;
  readonly egressIdentity: Identity;
  /** Its public CA certificates. */
  readonly pem: string;
  /** A revocation list of each of them, if there are any. */
  readonly revocationLists?: string;
  readonly endpoints: { readonly address: string; readonly port: number }[];
}

/** What one boundary has decided about its traffic with a peer. Another boundary of ours may decide otherwise. */
export interface PeerTraffic {
  /** Whether trace context stays on its side. */
  readonly stripTracing?: boolean;
  /** Headers of requests, besides those that never leave. Sorted. */
  readonly removeRequestHeaders?: string[];
  /** Why it may speak TLS 1.2 to us. */
  readonly allowTls12?: string;
  readonly limits?: PeerLimits;
  readonly upstreamLimits?: UpstreamLimits;
  /** Where others keep its CA for us. */
  readonly trustConfigMapName?: string;
}

/** For each exported port and gateway pod. */
export interface PeerLimits {
  readonly maxConnections?: number;
  /** In milliseconds. */
  readonly maxConnectionDuration?: number;
  readonly requestsPerSecond?: number;
}

/** For each exported port of a peer and each egress gateway pod, all callers together. */
export interface UpstreamLimits {
  readonly maxConnections?: number;
  readonly maxRequests?: number;
}

/** What an egress gateway may hold open towards one exported port where nobody says otherwise: far above what services need. */
export const UPSTREAM_DEFAULTS = { maxConnections: 4096, maxRequests: 16384 } as const;

/** On what terms a boundary deals with a peer. */
export interface PeerTerms {
  readonly notes: Notes;
  readonly traffic: PeerTraffic;
}

/** What a port speaks. */
export type Protocol = 'http' | 'grpc' | 'tcp' | 'tls';

/** Whether a proxy sees requests, or bytes only. */
export function speaksHttp(protocol: Protocol): boolean {
  return protocol === 'http' || protocol === 'grpc';
}

/** Headers that a request must have, with their exact values. */
export interface ExactHeaders { readonly [name: string]: string }

/** Who signs tokens, and where the public keys for that are. */
export interface Issuer {
  readonly issuer: string;
  readonly jwks?: string;
  readonly jwksUri?: string;
}

/** The token that a request must have: of that issuer, for one of these audiences, with one of the values of each claim. */
export interface Token {
  readonly issuer: string;
  readonly audiences: string[];
  /** Each with its place in the token, as `[a]` or `[a][b]`. */
  readonly claims: { readonly path: string; readonly values: string[] }[];
}

/** What a rule allows of HTTP: an undefined list allows everything. */
export interface HttpOperation {
  readonly methods?: string[];
  readonly paths?: string[];
  readonly exceptPaths?: string[];
  readonly headers?: ExactHeaders;
  readonly token?: Token;
}

/** One exported port, open for one peer: one TLS server, one route and its rules at the ingress gateway. */
export interface Grant {
  readonly exportName: string;
  readonly exportPort: number;
  readonly protocol: Protocol;
  readonly peer: Peer;
  readonly sni: string;
  /** Fully qualified name and port of the service behind it. */
  readonly backend: { readonly host: string; readonly port: number };
  /** Alternatives; none means that every request passes. */
  readonly operations: HttpOperation[];
  /** Of the tokens that are demanded: of all requests or of none. */
  readonly issuers: Issuer[];
  /** Longest time for a request, in milliseconds. */
  readonly requestTimeout?: number;
  /** Longest silence on a connection, in milliseconds. */
  readonly idleTimeout?: number;
  /** Who answers for the export and for this grant. */
  readonly notes: Notes;
}

/** An exported port of a peer: one upstream at the egress gateway, whatever number of local names lead there. */
export interface Upstream {
  readonly exportName: string;
  readonly exportPort: number;
  readonly protocol: Protocol;
  readonly peer: Peer;
  readonly sni: string;
}

/** A namespace whose workloads call names of the mesh only. */
export interface Restriction {
  readonly namespaceName: string;
  /** Other hosts, as `namespace/host`. */
  readonly allowedHosts: string[];
}

/** The workload of a service, closed to everybody who is not named. */
export interface Lock {
  readonly serviceName: string;
  readonly namespaceName: string;
  /** What selects its pods. */
  readonly podLabels: { readonly [name: string]: string };
  /** Identities for which it stays open. */
  readonly principals: string[];
}

/** Workloads of ours that may use a local name. */
export interface CallerSite {
  /** Their identity, or what all their identities begin with, ending with `*`. */
  readonly principal: string;
  /** Their namespace; none means every namespace of the mesh. */
  readonly namespaceName?: string;
}

/** Whether a caller stands for identities that nobody has listed: no handshake can ask for those. */
export function isUnlisted({ principal }: CallerSite): boolean {
  return principal.endsWith('*');
}

/** A local name for the callers. */
export interface Alias {
  readonly serviceName: string;
  readonly namespaceName: string;
  /** Fully qualified. */
  readonly host: string;
  /** Names outside of the cluster's domain that lead there too. */
  readonly additionalHosts: string[];
  /** Whether pods of ours stand behind the name too: it is a Service of somebody else then. */
  readonly existing: boolean;
  readonly callers: CallerSite[];
  readonly ports: LocalPort[];
  readonly notes: Notes;
}

/** Every name that leads there. */
export function hostsOf({ host, additionalHosts }: Alias): string[] {
  return [host, ...additionalHosts];
}

/** A port of a local name, and where it leads: the first way whose headers a request has. The last one takes every request. */
export interface LocalPort {
  readonly localPort: number;
  readonly protocol: Protocol;
  readonly ways: Way[];
}

/** Where some of the requests go. */
export interface Way {
  readonly headers?: ExactHeaders;
  readonly shares: Share[];
}

/** A part of them: to a peer, or to the pods of our own. The parts of one way add up to 100. */
export interface Share {
  readonly weight: number;
  readonly route?: LocalRoute;
}

/** The way from a port of a local name to one upstream: one TLS server, one route and its rules at the egress gateway. */
export interface LocalRoute extends BindingParts {
  readonly alias: Alias;
  /** The name under which the egress gateway knows it. */
  readonly bindingHost: string;
  readonly upstream: Upstream;
}
