import { Accountability } from './accountability';
import type { LocalName } from './local-name';
import type { IExposedService } from './mesh-peer';

/**
 * Maps a local port to a port that the peer exports.
 *
 * @exampleMetadata fixture=meshes
 * @example
 * west.bind('Reviews', {
 *   source: reviews,
 *   localName: LocalName.newService('reviews', 'default'),
 *   portMappings: [{ localPort: 80, exportPort: 9080 }],
 * });
 */
export interface PortMapping {
  /** Port that our callers dial, such as `80`. */
  readonly localPort: number;
  /** Port number that the peer exports, such as `9080`. Rejects a port that the peer does not export (FED404). */
  readonly exportPort: number;
}

/**
 * Which requests a source of a binding receives: a percentage by weight, or all requests with certain headers.
 *
 * @exampleMetadata fixture=meshes
 * @example
 * const shared = west.bind('Reviews', {
 *   source: reviews,
 *   localName: LocalName.existingService('reviews', 'default'),
 *   weight: 20,
 * });
 * shared.addLocalSource({ weight: 80 }); // the pods of the existing Service
 */
export interface LocalSourceOptions {
  /**
   * Relative weight of the source, such as `20`: weights 8 and 2 are 80 % and 20 %. `0` sends no traffic to the source.
   *
   * It divides the requests of HTTP and gRPC, and the connections of TCP and TLS. The manifests hold whole
   * percentages, so less than half a percent can become 0. Set a weight for every source of a local port that has
   * no `whenHeaders`, or for none of them (FED409).
   * @default - equal weights
   */
  readonly weight?: number;
  /**
   * Sends a request to this source only if it has all these headers with exactly these values, such as `{ 'x-tester':
   * 'yes' }`.
   *
   * HTTP and gRPC only. Cannot be combined with `weight`. If several sources match, the one with more headers receives
   * the request. Other requests need a source without `whenHeaders` (FED409).
   * @default - no header routing
   */
  readonly whenHeaders?: { [name: string]: string };
}

/**
 * Options of a source at a peer: its ports, and which requests it receives.
 *
 * @exampleMetadata fixture=meshes
 * @example
 * binding.addSource(bank.exposedService('reviews'), {
 *   whenHeaders: { 'x-tester': 'yes' },
 *   portMappings: [{ localPort: 9080, exportPort: 443 }],
 * });
 */
export interface SourceOptions extends LocalSourceOptions {
  /**
   * Ports to bind, such as `[{ localPort: 80, exportPort: 443 }]`. A port that is not listed is not bound.
   * @default - every port that the peer allows us, under its exported number
   */
  readonly portMappings?: PortMapping[];
}

/**
 * Options of `FederatedMesh.bind`: the peer's export and the local name that our workloads dial.
 *
 * @exampleMetadata fixture=meshes
 * @example
 * const vault = west.bind('Vault', {
 *   source: bank.exposedService('vault'),
 *   localName: LocalName.newService('vault', 'shop'),
 *   additionalHosts: ['vault.bank.example'],
 *   owner: 'platform team',
 * });
 */
export interface RemoteServiceBindingOptions extends SourceOptions, Accountability {
  /** The export to bind: an `ExposedService` of the same program, or the result of `RemoteMesh.exposedService`. */
  readonly source: IExposedService;
  /** Host that our callers dial, such as `LocalName.newService('reviews', 'default')`. */
  readonly localName: LocalName;
  /**
   * More hosts that callers can dial, outside the cluster's domain, such as `['vault.bank.example']`.
   *
   * For clients that check the application's own certificate against the host that they dial. Pods resolve these hosts
   * only through Istio's DNS proxy (`ISTIO_META_DNS_CAPTURE`). In the namespaces of the local name and of its callers,
   * these hosts are routed only to this binding, and workloads that are not callers are denied. Rejects hosts in
   * the domain of our own cluster (FED412).
   *
   * Names that may be a Service or a pod are rejected as well. A domain of two labels with a newer ending, such as
   * `foo.dev`, needs an endpoint of the peer below it (`federation.foo.dev`); otherwise use a name below it
   * (`www.foo.dev`). For a Service, such as `payments.prod`, use `LocalName.newService('payments', 'prod')`.
   * @default - the local name only
   * @see https://istio.io/latest/docs/ops/configuration/traffic-management/dns-proxy/
   */
  readonly additionalHosts?: string[];
}
