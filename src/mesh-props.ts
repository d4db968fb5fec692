import { Justification } from './accountability';
import type { GatewayCredential } from './credential';
import type { Delivery } from './delivery';
import type { GatewayEndpoint } from './endpoint';
import type { BoundaryGateway } from './gateway';
import type { IstioVersion } from './istio-version';
import type { TrustBundle } from './trust';

/**
 * One mesh and its boundary.
 *
 * A second boundary of the same mesh (other peers, other DMZ) is a second construct with its own namespace, and with the same `meshName`,
 * `trustDomain` and `workloadTrustDomain`: by the trust domain one mesh is told from another.
 */
export interface FederatedMeshProps {
  /** How peers know us, a DNS label. */
  readonly meshName: string;
  /** Trust domain in the certificates of the boundary gateways, by default that of the mesh (`meshConfig.trustDomain`). Never `cluster.local`. */
  readonly trustDomain: string;
  /** Public CA certificates with which peers verify our gateways. */
  readonly trustBundle: TrustBundle;
  /**
   * Where peers reach our ingress gateway.
   * @default - none; synthesis fails if something is exposed
   */
  readonly endpoints?: GatewayEndpoint[];
  /**
   * What the gateways present.
   * @default GatewayCredential.workloadIdentity()
   */
  readonly credential?: GatewayCredential;
  /**
   * Trust domain of the workloads (`meshConfig.trustDomain`). `cluster.local` is allowed here if `credential` is not `workloadIdentity()`.
   *
   * Peers never learn it, and never believe it: that both sides have the same one does not matter.
   * @default - `trustDomain`
   */
  readonly workloadTrustDomain?: string;
  /**
   * Namespace of the boundary, and the first part of the names of its cluster-scoped objects. It holds nothing else: its network policies
   * and its level of pod security are the boundary's. A gateway may have another one (`DedicatedGatewayOptions.namespaceName`).
   * @default 'istio-federation'
   */
  readonly namespaceName?: string;
  /**
   * Emit the Namespace object, or one for each of the gateways' namespaces.
   * @default true
   */
  readonly createNamespace?: boolean;
  /**
   * Gateway for what peers call.
   * @default BoundaryGateway.dedicated() - once something is exposed
   */
  readonly ingressGateway?: BoundaryGateway;
  /**
   * Gateway for what we call.
   * @default BoundaryGateway.dedicated() - once something is bound
   */
  readonly egressGateway?: BoundaryGateway;
  /**
   * Istio of this mesh.
   * @default - the version that the library is proved with, 1.31
   */
  readonly istioVersion?: IstioVersion;
  /**
   * Connect a TCP or TLS port's backend only after the handshake of whoever calls, at both gateways. Without it, somebody who is refused
   * makes the backend accept a connection, on which no byte passes. Emits an EnvoyFilter for each gateway with such a port, which Istio
   * answers with a warning. Proved with Istio 1.31.
   * @default false
   */
  readonly connectAfterHandshake?: boolean;
  /**
   * Revision label for injection.
   * @default - the default revision
   */
  readonly revision?: string;
  /**
   * Istio's root namespace. Nothing in it can be exposed or bound, and the boundary cannot be in it.
   * @default 'istio-system'
   */
  readonly rootNamespaceName?: string;
  /**
   * DNS domain of the cluster.
   * @default 'cluster.local'
   */
  readonly clusterDomain?: string;
  /**
   * Namespace from which metrics are scraped.
   * @default 'monitoring'
   */
  readonly monitoringNamespaceName?: string;
  /**
   * Access log provider of the mesh config. Logs are always on.
   * @default 'envoy'
   */
  readonly accessLogProvider?: string;
  /**
   * How the order of objects is told.
   * @default Delivery.kubectl()
   */
  readonly delivery?: Delivery;
  /**
   * Why requests may have headers whose names contain an underscore, at both gateways.
   *
   * CGI, WSGI, Rack and PHP read `x_federation_peer` as `x-federation-peer`, so such a header could forge one that the gateways set. Without
   * a reason, a request that has one is rejected with 400 (HTTP/2 and gRPC: the stream is reset). Applications with gRPC metadata such as
   * `user_id` need it, after a look at what their backends do with both spellings.
   * @default - such requests are rejected
   */
  readonly allowHeadersWithUnderscores?: Justification;
  /**
   * Why the admission policy that guards the boundary is left out.
   * @default - it is emitted
   */
  readonly withoutAdmissionPolicy?: Justification;
}
