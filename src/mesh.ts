import { Construct } from 'constructs';
import { RemoteServiceBinding } from './bind';
import type { RemoteServiceBindingOptions } from './binding-options';
import { Boundary } from './boundary/boundary';
import { checkChart, claimChart } from './boundary/charts';
import { attributesOf, configOf, identityOf } from './boundary/config';
import { claimTrust } from './boundary/hierarchies';
import { peerGiven } from './boundary/peers';
import { errorsAtTheEnd } from './boundary/validation';
import { parseBindingFields } from './checks/binding';
import { copyOfEndpoints } from './checks/endpoint';
import { pathIn } from './checks/errors';
import { parseExportFields } from './checks/export';
import { checkConfig, parseMeshProps } from './checks/mesh';
import { parsePeerOptions } from './checks/peer';
import { parseRestriction } from './checks/restriction';
import type { GatewayEndpoint } from './endpoint';
import type { ExposedServiceOptions } from './export-options';
import { ExposedService } from './expose';
import type { BoundaryGatewayAttributes } from './gateway-options';
import type { SpiffeId } from './identity';
import type { IMeshPeer } from './mesh-peer';
import type { FederatedMeshProps } from './mesh-props';
import type { AddPeerOptions } from './peer';
import type { RestrictNamespaceOptions } from './restriction';
import type { TrustBundle } from './trust';

/**
 * Our mesh and its boundary: a pair of gateways with their policies, which connect it to peers.
 *
 * Without exports, bindings or restrictions, nothing is generated. A mesh of several clusters is one `FederatedMesh`, whose
 * chart is applied to each cluster.
 *
 * @exampleMetadata fixture=meshes
 * @example
 * const shop = new FederatedMesh(new Chart(app, 'shop'), 'Mesh', {
 *   meshName: 'shop',
 *   trustDomain: 'shop.example',
 *   trustBundle: TrustBundle.fromPemFile('trust/shop.pem'),
 *   endpoints: [{ address: 'federation.shop.example' }],
 * });
 * shop.addPeer(west);
 */
export class FederatedMesh extends Construct implements IMeshPeer {
  readonly #boundary: Boundary;
  readonly #trustBundle: TrustBundle;
  readonly #endpoints: readonly GatewayEndpoint[];

  /**
   * Creates the boundary of a mesh. Its objects go into the chart of `scope`, which holds objects of this mesh only
   * (FED112).
   *
   * Rejects names, trust domains, endpoints, gateways and namespaces that a boundary cannot have.
   */
  constructor(scope: Construct, id: string, props: FederatedMeshProps) {
    const where = pathIn(scope, id);
    const checked = parseMeshProps(where, props);
    const config = configOf(checked);
    checkConfig(where, config);
    checkChart(scope, config, where);
    Boundary.check(where, scope.node.root, config);
    super(scope, id);
    this.#trustBundle = checked.trustBundle;
    this.#endpoints = checked.endpoints ?? [];
    claimChart(this, config, this);
    claimTrust(this, checked.trustBundle);
    this.#boundary = new Boundary(this, config);
    this.node.addValidation({ validate: () => errorsAtTheEnd(this, this._boundary) });
  }

  /** Name of our mesh for its peers, such as `east`. */
  public get meshName(): string {
    return this._boundary.config.meshName;
  }

  /** Trust domain of the boundary gateways, such as `east.example`. */
  public get trustDomain(): string {
    return this._boundary.config.trustDomain;
  }

  /** Public addresses of our ingress gateway. Each read returns a new list. */
  public get endpoints(): GatewayEndpoint[] {
    return copyOfEndpoints(this.#endpoints);
  }

  /**
   * SPIFFE ID that our ingress gateway presents. Operators of peers set it as `ingressIdentity` of their `RemoteMesh`.
   */
  public get ingressIdentity(): SpiffeId | undefined {
    return identityOf(this.trustDomain, this._boundary.config.ingress);
  }

  /**
   * SPIFFE ID that our egress gateway presents. Operators of peers set it as `egressIdentity` of their `RemoteMesh`.
   */
  public get egressIdentity(): SpiffeId | undefined {
    return identityOf(this.trustDomain, this._boundary.config.egress);
  }

  /** Public CA certificates with which peers verify our gateways. */
  public get trustBundle(): TrustBundle {
    return this.#trustBundle;
  }

  /** Trust domain of our workloads, which differs from `trustDomain` only if it is set. */
  public get workloadTrustDomain(): string {
    return this._boundary.config.workloadTrustDomain;
  }

  /** Namespace of the gateways that have none of their own, such as `istio-federation`. */
  public get namespaceName(): string {
    return this._boundary.config.namespaceName;
  }

  /** Kubernetes names of the ingress gateway, for your own network policies and dashboards. */
  public get ingressGateway(): BoundaryGatewayAttributes {
    return attributesOf(this._boundary.config.ingress);
  }

  /** Kubernetes names of the egress gateway, for your own network policies and dashboards. */
  public get egressGateway(): BoundaryGatewayAttributes {
    return attributesOf(this._boundary.config.egress);
  }

  /**
   * State of the boundary.
   * @internal
   */
  public get _boundary(): Boundary {
    return this.#boundary;
  }

  /**
   * Declares a peer and its options, and trusts its gateways. Allows no call by itself.
   *
   * Each mesh declares the other one. The same call again changes nothing. Rejects a peer that overlaps with us or with
   * another peer, such as one with the same CA (FED119), and a second call with other options (FED109).
   *
   * @exampleMetadata fixture=meshes
   * @example
   * east.addPeer(west, { limits: { requestsPerSecond: 50 }, contact: 'mailto:platform@west.example' });
   */
  public addPeer(peer: IMeshPeer, options: AddPeerOptions = {}): void {
    const given = peerGiven(this, peer);
    this._boundary.addPeer(given, parsePeerOptions(this, given, options, this._boundary.config.istioVersion));
  }

  /**
   * Exports a service, so that peers can be allowed to call it. Without `allowFrom`, no peer can call it.
   *
   * Its objects go into the mesh's chart.
   *
   * @param id of the construct; it does not appear in the output
   * @param options the Service, its name and its ports for peers
   * @exampleMetadata fixture=meshes
   * @example
   * const ratings = east.expose('Ratings', {
   *   service: LocalService.fromName('ratings', 'default'),
   *   exportName: 'ratings',
   *   ports: [ServicePort.http(9080)],
   * });
   * ratings.allowFrom(west);
   */
  public expose(id: string, options: ExposedServiceOptions): ExposedService {
    return new ExposedService(this, id, { ...parseExportFields(pathIn(this, id), this, options), mesh: this });
  }

  /**
   * Binds a peer's export to a local name. Without `allowFrom`, no workload can call it.
   *
   * Its objects go into the mesh's chart. If an application team applies them, create a `RemoteServiceBinding` in its
   * own chart.
   *
   * @param id of the construct; it does not appear in the output
   * @param options the export of the peer, and the local name
   * @exampleMetadata fixture=meshes
   * @example
   * const cards = west.bind('CardAuth', {
   *   source: bank.exposedService('card-auth'),
   *   localName: LocalName.newService('card-auth', 'shop'),
   * });
   * cards.allowFrom(Caller.serviceAccount('checkout', 'shop'));
   */
  public bind(id: string, options: RemoteServiceBindingOptions): RemoteServiceBinding {
    return new RemoteServiceBinding(this, id, { ...parseBindingFields(pathIn(this, id), this, options), mesh: this });
  }

  /**
   * Prevents the workloads of one namespace from bypassing the egress gateway.
   *
   * Emits a Sidecar and a NetworkPolicy in the namespace, in the mesh's chart.
   *
   * - The Sidecar limits outbound calls to Services of the mesh, local names and `allowedHosts`.
   * - The NetworkPolicy allows egress to pods of the cluster, to ports 53 and 15012, and to `infrastructure`. Workloads
   *   that use the Kubernetes API need a policy of their own for it. Enforcement of NetworkPolicies was not tested.
   * - Other pods of the cluster can still forward calls.
   * - Whoever can write Sidecars or NetworkPolicies in the namespace can undo it.
   *
   * The namespace must have no other Sidecar without a selector: Istio calls the result undefined, and 1.31 uses the
   * oldest one. Rejects a second call for the namespace (FED121).
   *
   * @param namespaceName namespace of the workloads, for example `finance`
   * @param options why, and which other hosts stay reachable
   * @see https://istio.io/latest/docs/reference/config/networking/sidecar/
   * @exampleMetadata fixture=meshes
   * @example
   * west.restrictNamespace('finance', {
   *   reason: 'money leaves through the boundary only',
   *   allowedHosts: ['egress/api.acquirer.example'],
   * });
   */
  public restrictNamespace(namespaceName: string, options: RestrictNamespaceOptions): void {
    this._boundary.restrict(parseRestriction(this, namespaceName, options));
  }
}
