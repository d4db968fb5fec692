import { Duration } from 'cdk8s';
import { Accountability, Justification } from './accountability';

/**
 * Limits for one peer at our ingress gateway, each for one exported port and one gateway pod.
 *
 * Istio cannot add up pods or ports: with two ports and five pods, a peer gets ten times the number. Emits an
 * EnvoyFilter once the peer is allowed to call something, and `kubectl apply` prints a warning of istiod for it. Rejected
 * for Istio versions that do not support it (FED125): docs/versions.md.
 *
 * @exampleMetadata fixture=meshes
 * @example
 * east.addPeer(west, {
 *   limits: { maxConnections: 200, maxConnectionDuration: Duration.hours(1), requestsPerSecond: 50 },
 * });
 */
export interface PeerLimits {
  /**
   * Largest number of open connections, such as `200`. Another one is closed before its TLS handshake.
   *
   * A client that is not the peer counts until its handshake fails, up to 15 seconds, so it can use up the limit. Use
   * `sourceRanges` to limit who can connect, or leave this out.
   * @default - no limit
   */
  readonly maxConnections?: number;
  /**
   * Longest lifetime of a connection, such as `Duration.hours(1)`, so that a removed allow rule reaches every
   * connection.
   *
   * HTTP and gRPC: it ends between requests and none is lost. TCP and TLS: it is closed, whatever is being transferred.
   * @default - no limit
   */
  readonly maxConnectionDuration?: Duration;
  /**
   * Largest number of requests per second, such as `50`; more get 429 (gRPC `RESOURCE_EXHAUSTED`). HTTP and gRPC
   * ports only.
   *
   * It counts after RBAC, so that rejected requests consume no tokens.
   * @default - no limit
   */
  readonly requestsPerSecond?: number;
}

/**
 * Limits of our egress gateway towards one exported port of a peer, each for one gateway pod and all callers together.
 *
 * They protect the pod and the peer. Set them above what callers need, because one caller can use them up.
 *
 * @exampleMetadata fixture=meshes
 * @example
 * west.addPeer(bank, { upstreamLimits: { maxConnections: 1000, maxRequests: 2000 } });
 */
export interface UpstreamLimits {
  /**
   * Largest number of open connections, such as `1000`. Another TCP or TLS connection is closed.
   *
   * HTTP and gRPC callers have one connection for each connection of their sidecar. Envoy opens this first connection
   * even above the limit.
   * @default 4096
   */
  readonly maxConnections?: number;
  /**
   * Largest number of requests and streams in flight, and of those that wait for a connection, such as `2000`. HTTP and
   * gRPC ports only.
   *
   * Another one fails at once: 503, gRPC `UNAVAILABLE`.
   * @default 16384
   */
  readonly maxRequests?: number;
}

/**
 * Options of `FederatedMesh.addPeer`: trust, limits and headers for this peer. They affect no other peer.
 *
 * @exampleMetadata fixture=meshes
 * @example
 * west.addPeer(bank, {
 *   agreementId: 'ISA-2026-014',
 *   contact: 'mailto:security@bank.example',
 *   removeRequestHeaders: ['x-team', 'x-cost-centre'],
 *   allowTls12: { reason: 'the appliance of the bank is replaced in 2027', ticket: 'CHG-4411' },
 * });
 */
export interface AddPeerOptions extends Accountability {
  /**
   * Existing ConfigMap (key `ca.crt`) in each gateway's namespace with the peer's CA certificates, such as
   * `bank-roots`.
   *
   * For a ConfigMap that another tool maintains, such as trust-manager. Whoever can write it decides who is this peer.
   * Until it exists, calls of this peer are rejected in both directions. The first binding to the peer replaces the
   * egress gateway's pods once. `trustBundle` is still used to reject a CA that another peer has. Revocation lists
   * cannot be in it (FED134).
   * @default - the peer's `trustBundle` is emitted
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
   * Removes trace headers (W3C, B3, common vendors) from requests and responses of this peer, in both directions.
   *
   * The boundary gateways still report their own spans, but no longer set trace headers for any peer: they would write
   * again what the routes remove. Rejected with an existing ingress gateway (FED128).
   * @default false
   */
  readonly stripTracing?: boolean;
  /**
   * Request headers to remove before requests leave to this peer, such as `['x-team']`. HTTP and gRPC only.
   *
   * Whole names in lower case, no patterns (FED124). Do not remove headers that the peer's rules require.
   * @default - only headers that reveal the inside of the mesh
   */
  readonly removeRequestHeaders?: string[];
  /**
   * Why the peer's egress gateway may use TLS 1.2 with our ingress gateway, such as
   * `{ reason: 'the appliance is replaced in 2027' }`. TLS 1.2 then has ECDHE and AES-GCM cipher suites only.
   *
   * It does not affect our calls: our egress gateway offers TLS 1.2 and 1.3.
   * @default - TLS 1.3 only
   */
  readonly allowTls12?: Justification;
  /**
   * Identifier of the interconnection agreement, such as `ISA-2026-014`. It becomes an annotation.
   * @default - not set
   */
  readonly agreementId?: string;
  /**
   * Contact of the peer as a URI, such as `mailto:security@bank.example`. It becomes an annotation.
   * @default - not set
   */
  readonly contact?: string;
  /**
   * Why the peer is cut off in both directions, such as `{ reason: 'compromised build server at the peer' }`. All allow
   * rules and bindings stay declared.
   *
   * Its listeners, routes and CAs are removed, and a policy at each gateway denies it. Apply the mesh's chart with
   * pruning. Local names stay and answer with 503, or close the connection. Requests that weights send to the peer fail
   * until the weights change.
   * @default - not isolated
   */
  readonly isolated?: Justification;
}
