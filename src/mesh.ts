import { Construct } from 'constructs';
import { RemoteServiceBinding } from './bind';
import type { RemoteServiceBindingOptions } from './binding-options';
import { Boundary } from './boundary/boundary';
import { checkChart, claimChart } from './boundary/charts';
import { attributesOf, configOf, identityOf } from './boundary/config';
import { errorsAtTheEnd } from './boundary/validation';
import { pathIn } from './checks/errors';
import { checkConfig, checkMeshProps } from './checks/mesh';
import { checkPeerGiven, parsePeerOptions } from './checks/peer';
import { parseRestriction } from './checks/restriction';
import type { GatewayEndpoint } from './endpoint';
import type { ExposedServiceOptions } from './export-options';
import { ExposedService } from './expose';
import type { BoundaryGatewayAttributes } from './gateway-options';
import type { SpiffeId } from './identity';
import type { IMeshPeer } from './mesh-peer';
import type { FederatedMeshProps } from './mesh-props';
import { reasonOf } from './model/annotations';
import type { AddPeerOptions } from './peer';
import type { RestrictNamespaceOptions } from './restriction';
import type { TrustBundle } from './trust';

/**
 * A mesh that we own.
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
  public readonly meshName: string;
  public readonly trustDomain: string;
  public readonly endpoints: GatewayEndpoint[];
  public readonly ingressIdentity?: SpiffeId;
  public readonly egressIdentity?: SpiffeId;
  public readonly trustBundle: TrustBundle;
  /** Trust domain of the callers' own identities. */
  public readonly workloadTrustDomain: string;
  /** Namespace of the gateways that have none of their own. */
  public readonly namespaceName: string;
  /** Names of the ingress gateway, for your own network policies and dashboards. */
  public readonly ingressGateway: BoundaryGatewayAttributes;
  /** Names of the egress gateway, for your own network policies and dashboards. */
  public readonly egressGateway: BoundaryGatewayAttributes;
  /** @internal */
  public readonly _boundary: Boundary;

  /**
   * Rejects names, domains, endpoints, gateways and namespaces that cannot be those of a boundary.
   */
  constructor(scope: Construct, id: string, props: FederatedMeshProps) {
    const where = pathIn(scope, id);
    checkMeshProps(where, props);
    const config = configOf(props);
    checkConfig(where, config);
    checkChart(scope, config, where);
    Boundary.check(where, scope.node.root, config);
    super(scope, id);
    this.meshName = config.meshName;
    this.trustDomain = config.trustDomain;
    this.workloadTrustDomain = config.workloadTrustDomain;
    this.trustBundle = props.trustBundle;
    this.endpoints = (props.endpoints ?? []).map((endpoint) => ({ ...endpoint }));
    this.namespaceName = config.namespaceName;
    this.ingressGateway = attributesOf(config.ingress);
    this.egressGateway = attributesOf(config.egress);
    this.ingressIdentity = identityOf(config.trustDomain, config.ingress);
    this.egressIdentity = identityOf(config.trustDomain, config.egress);
    claimChart(this, config, this);
    this._boundary = new Boundary(this, config);
    this.node.addValidation({ validate: () => errorsAtTheEnd(this, this._boundary) });
  }

  /**
   * Agrees to exchange traffic with a peer. Grants nothing.
   *
   * The same call again changes nothing. Rejects a peer that overlaps with us or with another peer, and options that no gateway can apply.
   */
  public addPeer(peer: IMeshPeer, options: AddPeerOptions = {}): void {
    checkPeerGiven(this, peer);
    this._boundary.addPeer(peer, parsePeerOptions(this, peer, options, this._boundary.config.istioVersion));
  }

  /**
   * Exports a service. Nobody may call it until `allowFrom`. Objects go into the mesh's chart.
   *
   * @param id of the construct; it appears nowhere in the output
   * @param options the service and its name for peers
   */
  public expose(id: string, options: ExposedServiceOptions): ExposedService {
    return new ExposedService(this, id, { mesh: this, ...options });
  }

  /**
   * Binds a peer's service to a local name. Nobody may call it until `allowFrom`. Objects go into the mesh's chart.
   *
   * @param id of the construct; it appears nowhere in the output
   * @param options the peer's service and the local name
   */
  public bind(id: string, options: RemoteServiceBindingOptions): RemoteServiceBinding {
    return new RemoteServiceBinding(this, id, { mesh: this, ...options });
  }

  /**
   * Closes ways round the egress gateway for one namespace of workloads.
   *
   * A Sidecar without selector, so that their sidecars know Services of the mesh, bound names among them, and drop calls to anything else:
   * hosts of the internet, the peers' own gateways. And a NetworkPolicy for those who go past a sidecar, which leaves the pods of the
   * cluster, and ports 53 and 15012 everywhere; what needs the Kubernetes API needs a policy of its own there. Both go into the mesh's
   * chart. Not closed: other pods of the cluster that pass calls on, and a namespace's own objects that take the place of ours: who may
   * write Sidecars or NetworkPolicies there decides. No other Sidecar of the namespace may be without selector: the older one would win.
   *
   * @param namespaceName of the workloads
   * @param options why, and what stays open
   */
  public restrictNamespace(namespaceName: string, options: RestrictNamespaceOptions): void {
    this._boundary.restrict(parseRestriction(this, namespaceName, options), { restricted: reasonOf(options) });
  }
}
