import { Duration } from 'cdk8s';
import { Accountability, Justification } from './accountability';

/**
 * Limits for one peer at our ingress gateway. Each holds for one exposed port and one gateway pod: nothing in Istio adds up several.
 * Emits an EnvoyFilter once the peer is granted something, which Istio answers with a warning. Proved with Istio 1.31.
 */
export interface PeerLimits {
  /**
   * Open connections. One more is closed before its handshake, and those of strangers who know the server name count until theirs has
   * failed, up to 15 seconds: they can keep the peer out. Say with `sourceRanges` who may connect at all, or leave this out.
   * @default - no limit
   */
  readonly maxConnections?: number;
  /**
   * Life of a connection, so that withdrawals reach every one. HTTP and gRPC end it between requests and lose none, TCP and TLS in the
   * middle of the talk. For what we call, the egress gateway has a limit of its own: an hour for HTTP and gRPC.
   * @default - no limit
   */
  readonly maxConnectionDuration?: Duration;
  /**
   * Requests per second, beyond which 429 is answered. HTTP and gRPC ports only, and only requests that the rules allow count.
   * @default - no limit
   */
  readonly requestsPerSecond?: number;
}

/**
 * Limits of our egress gateway towards one exported port of a peer. Each holds for one gateway pod and for all callers together. They protect
 * the pod and the peer, so set them above what callers need.
 */
export interface UpstreamLimits {
  /**
   * Open connections. A TCP or TLS connection beyond them is closed. HTTP and gRPC callers have one for each connection of their sidecar:
   * Envoy opens that first one in any case, and none beside it above the limit.
   * @default 4096
   */
  readonly maxConnections?: number;
  /**
   * Requests and streams in flight, and as many that wait for a connection. One more fails at once: 503, gRPC UNAVAILABLE. HTTP and gRPC
   * ports only.
   * @default 16384
   */
  readonly maxRequests?: number;
}

/** Options of `FederatedMesh.addPeer`. */
export interface AddPeerOptions extends Accountability {
  /**
   * ConfigMap in our gateway namespace (key `ca.crt`), kept by others, for example by trust-manager, in place of the peer's bundle.
   *
   * Until it is there, the peer is refused in both directions, and nobody else. The first binding to such a peer replaces the pods of the
   * egress gateway once; what changes in the ConfigMap later does not. `trustBundle` still says who the peer is: no other peer may
   * have its CA. Revocation lists cannot be kept there.
   * @default - we emit the peer's `trustBundle`
   */
  readonly trustConfigMapName?: string;
  /**
   * Limits for this peer at our ingress gateway.
   * @default - no limits
   */
  readonly limits?: PeerLimits;
  /**
   * Limits of our egress gateway towards each exported port of this peer.
   * @default - 4,096 connections and 16,384 requests
   */
  readonly upstreamLimits?: UpstreamLimits;
  /**
   * Remove trace headers from requests and answers, in both directions: W3C, B3, and the fixed names of common vendors.
   * The boundary's gateways then take no part in traces of any peer, since they would write such headers anew. With an ingress gateway that
   * others run, it is refused (FED128).
   * @default false - trace context crosses as the applications wrote it
   */
  readonly stripTracing?: boolean;
  /**
   * More request headers that must not leave towards this peer, for HTTP and gRPC.
   * Names in lower case. Take none that the peer's rules require (`requiredHeaders`): that cannot be seen from here.
   * @default - the built-in list only
   */
  readonly removeRequestHeaders?: string[];
  /**
   * Why the peer's egress gateway may still speak TLS 1.2 to our ingress gateway, with forward secrecy and AEAD ciphers only.
   * What we call decides by itself: our egress gateway takes 1.3 from a peer that has it.
   * @default - TLS 1.3 only
   */
  readonly allowTls12?: Justification;
  /**
   * Identifier of the interconnection agreement.
   * @default - not stated
   */
  readonly agreementId?: string;
  /**
   * Whom to call, as a URI.
   * @default - not stated
   */
  readonly contact?: string;
  /**
   * Cut the peer off in both directions, keeping all declarations.
   *
   * Its listeners, grants, routes and CAs go, and a policy at each gateway refuses what is open still. Only the mesh's own chart changes,
   * and objects have to go: apply it with pruning. Local names stay, and answer to no one. A share of traffic that goes to the peer by
   * weight fails, until the weights are changed.
   * @default - not isolated
   */
  readonly isolated?: Justification;
}
