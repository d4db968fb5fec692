import { Accountability } from './accountability';
import type { LocalName } from './local-name';
import type { IExposedService } from './mesh-peer';

/** A local port for an exported port. */
export interface PortMapping {
  /** What our callers dial. */
  readonly localPort: number;
  /** What the peer exports. */
  readonly exportPort: number;
}

/** The share of one source. */
export interface LocalSourceOptions {
  /**
   * Relative weight, given for all sources of a binding or for none. 0 keeps a source without traffic. Requests are counted for HTTP and
   * gRPC, connections otherwise. The output holds whole percentages.
   * @default - equal shares
   */
  readonly weight?: number;
  /**
   * Requests with all these exact headers go here, others do not (HTTP, gRPC). Takes no part in weights. Where several sources would take
   * a request, the one with more headers does.
   * @default - no header routing
   */
  readonly whenHeaders?: { [name: string]: string };
}

/** A remote source and its share. */
export interface SourceOptions extends LocalSourceOptions {
  /**
   * The ports to bind. One that is not listed is not bound.
   * @default - every port that we are allowed, under the same number
   */
  readonly portMappings?: PortMapping[];
}

/** Options of `FederatedMesh.bind`. */
export interface RemoteServiceBindingOptions extends SourceOptions, Accountability {
  /** The peer's service. */
  readonly source: IExposedService;
  /** Our name for it. */
  readonly localName: LocalName;
  /**
   * More names that callers may dial, outside of the cluster's domain: for clients that check an application's own certificate against them.
   *
   * Pods find them through Istio's DNS proxy (`ISTIO_META_DNS_CAPTURE`) only. In the namespaces of the name and of its callers they stand for
   * nothing else from then on: who is no caller is refused.
   * @default - the local name alone
   */
  readonly additionalHosts?: string[];
}
