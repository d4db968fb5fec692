import { Duration } from 'cdk8s';
import { Accountability } from './accountability';
import type { LocalService, ServicePort } from './service';

/** Options of `FederatedMesh.expose`. */
export interface ExposedServiceOptions extends Accountability {
  /** The service behind the name. */
  readonly service: LocalService;
  /** The name on the wire: a contract with peers, free text in DNS labels, independent of internal names. */
  readonly exportName: string;
  /** The ports to offer, each by name: a port that is not listed stays inside. */
  readonly ports: ServicePort[];
  /**
   * Longest time for a request (HTTP, gRPC), its answer included: a stream ends with it too. After it the peer gets 504.
   * @default - no limit
   */
  readonly requestTimeout?: Duration;
  /**
   * Close a peer's connection after this silence: TCP and TLS when no byte passes, HTTP and gRPC when no request is on it, and five
   * seconds later, in which Envoy lets the peer know. Emits an EnvoyFilter for each open port, which Istio answers with a warning. Proved
   * with Istio 1.31.
   * @default - an hour, Envoy's own
   */
  readonly idleTimeout?: Duration;
}
