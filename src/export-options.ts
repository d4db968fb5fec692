import { Duration } from 'cdk8s';
import { Accountability } from './accountability';
import type { LocalService, ServicePort } from './service';

/**
 * Options of `FederatedMesh.expose`: the Service, the name and ports that peers use, and timeouts.
 *
 * @exampleMetadata fixture=meshes
 * @example
 * const orders = east.expose('Orders', {
 *   service: LocalService.fromName('orders', 'shop'),
 *   exportName: 'orders',
 *   ports: [ServicePort.grpc(9000, { exportPort: 443 })],
 *   requestTimeout: Duration.seconds(10),
 *   owner: 'orders team',
 * });
 */
export interface ExposedServiceOptions extends Accountability {
  /** Kubernetes Service that receives the calls, such as `LocalService.fromName('reviews', 'default')`. */
  readonly service: LocalService;
  /**
   * Name of the export for peers, such as `reviews` or `withdrawals.v1`: DNS labels joined by dots, in lower case.
   *
   * It is part of the TLS server name (SNI) and need not resemble the Service's name. Renaming it breaks peers. Rejects
   * a name that another export of this mesh has (FED302).
   */
  readonly exportName: string;
  /** Ports to export, such as `[ServicePort.http(9080)]`. A port that is not listed is not exported. */
  readonly ports: ServicePort[];
  /**
   * Longest duration of a request, including its response, such as `Duration.seconds(10)`; then the peer receives 504.
   * HTTP and gRPC only.
   *
   * It also ends streams that last longer.
   * @default - no limit
   */
  readonly requestTimeout?: Duration;
  /**
   * Idle timeout of a peer's connection, such as `Duration.minutes(5)`. TCP and TLS: no bytes; HTTP and gRPC: no active
   * request, plus Envoy's drain of 5 s.
   *
   * Emits an EnvoyFilter for each port that is allowed to a peer, and `kubectl apply` prints a warning of istiod for
   * it. Rejected for Istio versions that do not support it (FED125): docs/versions.md.
   * @default - one hour, the default of Envoy
   */
  readonly idleTimeout?: Duration;
}
