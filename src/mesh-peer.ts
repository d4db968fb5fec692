import { IConstruct } from 'constructs';
import type { GatewayEndpoint } from './endpoint';
import type { SpiffeId } from './identity';
import type { ServicePort } from './service';
import type { TrustBundle } from './trust';

/**
 * Describes a peer (another mesh): a `FederatedMesh` of the same program, or a `RemoteMesh`.
 *
 * @exampleMetadata fixture=meshes
 * @example
 * const peers: IMeshPeer[] = [west, bank];
 * for (const peer of peers) {
 *   east.addPeer(peer);
 * }
 */
export interface IMeshPeer extends IConstruct {
  /** Name of the mesh, a DNS label such as `bank`. Of a `RemoteMesh` it is our alias of the peer. */
  readonly meshName: string;
  /** Trust domain of its boundary gateways, such as `bank.example`. */
  readonly trustDomain: string;
  /** Public addresses of its ingress gateway. Empty if it exports nothing. */
  readonly endpoints: GatewayEndpoint[];
  /**
   * SPIFFE ID that its ingress gateway presents, such as
   * `spiffe://bank.example/ns/istio-federation/sa/federation-ingress`.
   */
  readonly ingressIdentity?: SpiffeId;
  /**
   * SPIFFE ID that its egress gateway presents, such as
   * `spiffe://bank.example/ns/istio-federation/sa/federation-egress`.
   */
  readonly egressIdentity?: SpiffeId;
  /** Public CA certificates with which its gateways are verified. */
  readonly trustBundle: TrustBundle;
}

/**
 * An export of a mesh: an `ExposedService` of the same program, or a service of a `RemoteMesh`.
 *
 * @exampleMetadata fixture=meshes
 * @example
 * const cards: IExposedService = bank.exposedService('card-auth');
 * west.bind('Cards', { source: cards, localName: LocalName.newService('cards', 'shop') });
 */
export interface IExposedService extends IConstruct {
  /** The exporting mesh. */
  readonly mesh: IMeshPeer;
  /** Name of the export for peers, such as `reviews`. It is part of the TLS server name (SNI). */
  readonly exportName: string;
  /** The exported ports. */
  readonly ports: ServicePort[];
  /**
   * The TLS server name (SNI) that a peer must use for one exported port.
   *
   * For example `p9080.reviews.west.fed.east.example`.
   *
   * @param peer the calling mesh
   * @param exportPort the exported port number, for example `9080`
   */
  sniFor(peer: IMeshPeer, exportPort: number): string;
}
