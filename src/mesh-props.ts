import { Duration } from 'cdk8s';
import { Justification } from './accountability';
import type { GatewayCredential } from './credential';
import type { Delivery } from './delivery';
import type { GatewayEndpoint } from './endpoint';
import type { BoundaryGateway } from './gateway';
import type { IstioVersion } from './istio-version';
import type { NetworkDestination } from './network-destination';
import type { TrustBundle } from './trust';

/**
 * Properties of `FederatedMesh`: names, trust, addresses and gateways of one boundary of our mesh.
 *
 * A second boundary of the same mesh is a second construct with its own namespace. Its `meshName`, `trustDomain` and
 * `workloadTrustDomain` are the same, because meshes are identified by their trust domain.
 *
 * @exampleMetadata fixture=meshes
 * @example
 * new FederatedMesh(new Chart(app, 'shop-partners'), 'Mesh', {
 *   meshName: 'shop',
 *   trustDomain: 'shop.example',
 *   trustBundle: TrustBundle.fromPemFile('trust/shop.pem'),
 *   namespaceName: 'partner-federation',
 *   endpoints: [{ address: 'partners.shop.example', port: 8443 }],
 *   ingressGateway: BoundaryGateway.dedicated({ nodeSelector: { 'node-pool': 'dmz' } }),
 * });
 */
export interface FederatedMeshProps {
  /**
   * Name of our mesh for its peers, a DNS label such as `east`.
   *
   * It is part of the TLS server names (SNI) of everything that peers export to us. `egress` is reserved (FED101).
   */
  readonly meshName: string;
  /**
   * Trust domain in the certificates of the boundary gateways, such as `east.example`. Usually
   * `meshConfig.trustDomain`.
   *
   * Rejects `cluster.local`, because every mesh uses this name for itself (FED102).
   */
  readonly trustDomain: string;
  /**
   * Public CA certificates with which peers verify our gateways, such as `TrustBundle.fromPemFile('trust/east.pem')`.
   */
  readonly trustBundle: TrustBundle;
  /**
   * Public addresses of our ingress gateway, such as `[{ address: 'federation.east.example' }]`. Port 15443 unless set.
   * A mesh of several clusters lists the address of each: peers do without one that does not answer.
   * @default - none; synthesis fails if the mesh exports a service (FED107)
   */
  readonly endpoints?: GatewayEndpoint[];
  /**
   * Certificate that the gateways present to peers.
   * @default GatewayCredential.workloadIdentity()
   */
  readonly credential?: GatewayCredential;
  /**
   * Trust domain of the workloads (`meshConfig.trustDomain`), if it differs from that of the boundary gateways.
   *
   * Needs a `credential` other than `workloadIdentity()` (FED133), and may then be `cluster.local`. It does not cross
   * the boundary: peers neither see nor trust it.
   * @default - `trustDomain`
   */
  readonly workloadTrustDomain?: string;
  /**
   * Namespace of the boundary gateways, such as `partner-federation`. Nothing else may run in it.
   *
   * It is part of the gateways' SPIFFE IDs, and the prefix of the names of cluster-scoped objects. A gateway can have a
   * namespace of its own (`DedicatedGatewayOptions.namespaceName`).
   * @default 'istio-federation'
   */
  readonly namespaceName?: string;
  /**
   * Whether to emit the Namespace of each gateway.
   * @default true
   */
  readonly createNamespace?: boolean;
  /**
   * Additional labels of each Namespace that is emitted, such as `{ 'istio-discovery': 'enabled' }`.
   *
   * Needed if MeshConfig selects namespaces by labels, in `discoverySelectors` or `serviceEntryVisibility`: istiod sends
   * the gateways nothing of a namespace that it does not discover. Rejects labels that belong to Kubernetes, Istio or
   * the library, and any label if no Namespace is emitted (FED152).
   * @default - none
   * @see https://istio.io/latest/docs/reference/config/istio.mesh.v1alpha1/#MeshConfig-discovery_selectors
   */
  readonly namespaceLabels?: { [name: string]: string };
  /**
   * Gateway that receives the calls of peers. It is created with the first export.
   * @default BoundaryGateway.dedicated()
   */
  readonly ingressGateway?: BoundaryGateway;
  /**
   * Gateway that sends our calls to peers. It is created with the first binding, and cannot be an existing one
   * (FED127).
   * @default BoundaryGateway.dedicated()
   */
  readonly egressGateway?: BoundaryGateway;
  /**
   * Istio version that the mesh runs, such as `IstioVersion.V1_32`. It is not detected from the cluster. During an
   * upgrade, set the older version.
   * @default IstioVersion.V1_31
   */
  readonly istioVersion?: IstioVersion;
  /**
   * Connects to the backend of a TCP or TLS port only after the client's TLS handshake, at both gateways.
   *
   * By default, a rejected client makes the backend accept a connection, on which no byte passes. Emits an EnvoyFilter
   * for each gateway with such a port, and `kubectl apply` prints a warning of istiod for it. Rejected for Istio
   * versions that do not support it (FED125): docs/versions.md.
   * @default false
   */
  readonly connectAfterHandshake?: boolean;
  /**
   * Revision of istiod that injects the gateways (label `istio.io/rev`), such as `1-31`.
   * @default - the default revision
   * @see https://istio.io/latest/docs/setup/upgrade/canary/
   */
  readonly revision?: string;
  /**
   * Root namespace of Istio (`meshConfig.rootNamespace`). Services in it cannot be exported or bound (FED118).
   * @default 'istio-system'
   */
  readonly rootNamespaceName?: string;
  /**
   * DNS domain of the cluster, such as `corp.internal`, at most 121 characters. It is not a trust domain.
   *
   * Endpoints in it are private (FED105), and additional hosts cannot be in it (FED412).
   * @default 'cluster.local'
   */
  readonly clusterDomain?: string;
  /**
   * Namespace whose pods may scrape the metrics of the gateways.
   * @default 'monitoring'
   */
  readonly monitoringNamespaceName?: string;
  /**
   * Where pods reach DNS servers, istiod and CAs, besides the usual ports, such as
   * `[NetworkDestination.podsIn('cert-manager', [6443])]` for istio-csr. For the network policies of both gateways, and
   * of restricted namespaces.
   *
   * Always open are port 53 and istiod's port 15012 at any address, and the DNS pods of OpenShift (5353 in
   * `openshift-dns`) and Gardener (8053 in `kube-system`).
   * @default - none
   */
  readonly infrastructure?: NetworkDestination[];
  /**
   * Time after which load balancers, firewalls or NAT between the meshes drop idle connections, such as
   * `Duration.seconds(60)`. Both gateways send TCP keep-alive probes after half of it. The egress gateway closes HTTP
   * and gRPC connections to peers after three quarters of it without a request.
   *
   * From 10 seconds to 2 hours (FED151). The default is that of Azure, the shortest of the large clouds.
   * @default Duration.seconds(240)
   * @see https://learn.microsoft.com/azure/load-balancer/load-balancer-tcp-reset
   */
  readonly networkIdleTimeout?: Duration;
  /**
   * Name of the access log provider: Istio's built-in `envoy`, or one in `meshConfig.extensionProviders`.
   *
   * Access logs of dedicated gateways are always on.
   * @default 'envoy'
   */
  readonly accessLogProvider?: string;
  /**
   * How the apply order is communicated to the delivery tool.
   * @default Delivery.kubectl()
   */
  readonly delivery?: Delivery;
  /**
   * Why requests may have header names that contain an underscore, such as gRPC metadata `user_id`. For both gateways.
   *
   * CGI, WSGI, Rack and PHP read `x_federation_peer` as `x-federation-peer`, so a caller could forge headers that the
   * gateways set. Check how your backends read both spellings first. Both meshes must allow them.
   * @default - such requests are rejected: 400, or a stream reset for HTTP/2 and gRPC
   * @see https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/core/v3/protocol.proto#envoy-v3-api-field-config-core-v3-httpprotocoloptions-headers-with-underscores-action
   */
  readonly allowHeadersWithUnderscores?: Justification;
  /**
   * Why the ValidatingAdmissionPolicy that protects the boundary against other tenants of the mesh is not emitted, such
   * as `{ reason: 'the cluster has no ValidatingAdmissionPolicy' }`.
   * @default - it is emitted
   */
  readonly withoutAdmissionPolicy?: Justification;
}
