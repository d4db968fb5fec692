import { Justification } from './accountability';

/** Where peers reach an ingress gateway. */
export interface GatewayEndpoint {
  /** DNS name, IPv4 or IPv6 address. No scheme, no port. All endpoints of a mesh are of one kind. */
  readonly address: string;
  /**
   * TCP port.
   * @default 15443
   */
  readonly port?: number;
  /**
   * Why a private or loopback address, or a name that only our cluster knows, may cross the boundary.
   * @default - such an address is refused
   */
  readonly privateAddress?: Justification;
}
