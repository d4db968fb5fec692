import { parseDedicatedGateway, parseExistingGateway } from './checks/gateway';
import type { BoundaryGatewayAttributes, DedicatedGatewayOptions, ExistingGatewayOptions } from './gateway-options';

/**
 * The pods that carry one direction of a boundary: its ingress gateway or its egress gateway.
 *
 * @exampleMetadata fixture=meshes
 * @example
 * const wide = BoundaryGateway.dedicated({ minReplicas: 3, sourceRanges: ['203.0.113.0/28'] });
 * const edge = BoundaryGateway.fromExisting({
 *   namespaceName: 'edge',
 *   serviceAccountName: 'edge-ingress',
 *   serviceName: 'edge-ingress',
 *   podLabels: { app: 'edge-ingress' },
 * });
 */
export class BoundaryGateway {
  /**
   * A gateway that the library creates for this boundary only.
   *
   * Emits its Deployment, Service, service account, autoscaler and policies. Rejects options that Kubernetes cannot
   * apply or that contradict each other (FED116).
   */
  public static dedicated(options: DedicatedGatewayOptions = {}): BoundaryGateway {
    return new BoundaryGateway(parseDedicatedGateway('BoundaryGateway.dedicated', options));
  }

  /**
   * An existing (externally managed) ingress gateway, which may have other listeners.
   *
   * Emits everything except the workload, its network policies, its access log and its default deny. What is emitted
   * applies to our server names only, so other listeners stay unchanged. Its pods must run Istio's proxy and listen on
   * 15443 for us. Whoever operates the gateway, or can write in its namespace, is trusted like ourselves. An egress
   * gateway must be dedicated (FED127). `stripTracing` and `jwt` cannot be used with it (FED128).
   * docs/how-to/gateways.md lists what to check first.
   */
  public static fromExisting(options: ExistingGatewayOptions): BoundaryGateway {
    const { credential, ...attributes } = parseExistingGateway('BoundaryGateway.fromExisting', options);
    return new BoundaryGateway({ namespaceName: attributes.namespaceName, credential }, attributes);
  }

  readonly #options: DedicatedGatewayOptions;
  readonly #existing?: BoundaryGatewayAttributes;

  private constructor(options: DedicatedGatewayOptions, existing?: BoundaryGatewayAttributes) {
    this.#options = options;
    this.#existing = existing;
  }

  /**
   * Options of a dedicated gateway; of an existing one, its namespace and credential.
   * @internal
   */
  public get _options(): DedicatedGatewayOptions {
    return this.#options;
  }

  /**
   * Names of an existing gateway; undefined for a dedicated one.
   * @internal
   */
  public get _existing(): BoundaryGatewayAttributes | undefined {
    return this.#existing;
  }
}
