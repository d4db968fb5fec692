import { IConstruct } from 'constructs';
import type { GatewayEndpoint } from './endpoint';
import type { SpiffeId } from './identity';
import type { ServicePort } from './service';
import type { TrustBundle } from './trust';

/** All that a counterpart may know about a mesh, whether we own it or not. */
export interface IMeshPeer extends IConstruct {
  /** Our name for it, a DNS label. */
  readonly meshName: string;
  /** Trust domain of its boundary gateways. */
  readonly trustDomain: string;
  /** Where its ingress gateway is reached. Empty when it exposes nothing. */
  readonly endpoints: GatewayEndpoint[];
  /** Who answers at its ingress gateway. */
  readonly ingressIdentity?: SpiffeId;
  /** Who calls from its egress gateway. */
  readonly egressIdentity?: SpiffeId;
  /** What proves both. */
  readonly trustBundle: TrustBundle;
}

/** A service that a mesh offers, whether we own the mesh or not. */
export interface IExposedService extends IConstruct {
  /** The mesh that offers it. */
  readonly mesh: IMeshPeer;
  /** The name on the wire. */
  readonly exportName: string;
  /** The ports that it offers. */
  readonly ports: ServicePort[];
  /**
   * The TLS server name for one peer and one exported port.
   *
   * @param peer who calls
   * @param exportPort the port that the peer sees
   */
  sniFor(peer: IMeshPeer, exportPort: number): string;
}
