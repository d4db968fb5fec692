import { Justification } from './accountability';

/**
 * An address at which peers reach an ingress gateway.
 *
 * @exampleMetadata fixture=meshes
 * @example
 * const shop = new FederatedMesh(new Chart(app, 'shop'), 'Mesh', {
 *   meshName: 'shop',
 *   trustDomain: 'shop.example',
 *   trustBundle: TrustBundle.fromPemFile('trust/shop.pem'),
 *   endpoints: [{ address: 'federation.shop.example', port: 443 }],
 * });
 */
export interface GatewayEndpoint {
  /**
   * DNS name, IPv4 or IPv6 address, without scheme and port, such as `federation.east.example`.
   *
   * Either all endpoints of a mesh are DNS names, or all are IP addresses (FED106). Write IPv6 without brackets.
   */
  readonly address: string;
  /**
   * TCP port that peers dial, such as `443`. The gateway's pods listen on 15443 whatever it is.
   * @default 15443
   */
  readonly port?: number;
  /**
   * Why both sides can reach a private or loopback address, or a name that only our cluster resolves, such as
   * `{ reason: 'leased line, both sides route it' }`.
   * @default - a private address is rejected (FED105)
   */
  readonly privateAddress?: Justification;
}
