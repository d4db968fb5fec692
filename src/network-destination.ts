import { parseAddresses, parsePodsIn } from './checks/network-destination';
import type { Destination } from './model/model';

/**
 * A DNS server, an istiod or a CA that the cluster's pods reach at a port other than 53 and 15012. Network policies of
 * the boundary then allow connections to it, over TCP and UDP.
 *
 * NetworkPolicies are evaluated after the cluster has translated the address of a Service, so the ports are those of
 * the pods.
 *
 * @see https://kubernetes.io/docs/concepts/services-networking/network-policies/
 * @exampleMetadata fixture=meshes
 * @example
 * new FederatedMesh(new Chart(app, 'shop'), 'Mesh', {
 *   meshName: 'shop',
 *   trustDomain: 'shop.example',
 *   trustBundle: TrustBundle.fromPemFile('trust/shop.pem'),
 *   infrastructure: [
 *     NetworkDestination.podsIn('cert-manager', [6443]),
 *     NetworkDestination.addresses('198.51.100.8/32', [443]),
 *   ],
 * });
 */
export class NetworkDestination {
  /**
   * Ports of the pods of one namespace. Rejects invalid names and ports (FED111, FED150).
   *
   * @param namespaceName namespace of the pods, for example `cert-manager`
   * @param ports on which the pods listen, for example `[6443]`; not the ports of their Service
   */
  public static podsIn(namespaceName: string, ports: number[]): NetworkDestination {
    return new NetworkDestination(parsePodsIn('NetworkDestination.podsIn', namespaceName, ports));
  }

  /**
   * Ports of a range of addresses, such as those of an istiod outside of the cluster. Rejects invalid ranges and ports,
   * and a range of all addresses (FED150).
   *
   * @param cidr range of addresses, for example `198.51.100.8/32`; as small as possible, since workloads of a restricted
   *   namespace may connect to it as well
   * @param ports on which the servers listen, for example `[443]`
   */
  public static addresses(cidr: string, ports: number[]): NetworkDestination {
    return new NetworkDestination(parseAddresses('NetworkDestination.addresses', cidr, ports));
  }

  private constructor(private readonly destination: Destination) {}

  /**
   * The destination as plain data.
   * @internal
   */
  public get _destination(): Destination {
    return this.destination;
  }
}
