import { checkDedicatedGateway, checkExistingGateway } from './checks/gateway';
import type { BoundaryGatewayAttributes, DedicatedGatewayOptions, ExistingGatewayOptions } from './gateway-options';

/**
 * The workload behind one side of a boundary.
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
   * Created by the library, for this boundary only.
   *
   * Throws FED111 for a namespace name that Kubernetes refuses, FED116 for values that cannot be met, FED120 for values of another kind
   * and fields that do not exist.
   */
  public static dedicated(options: DedicatedGatewayOptions = {}): BoundaryGateway {
    checkDedicatedGateway('BoundaryGateway.dedicated', options);
    const { credential, tolerations, ...values } = options;
    return new BoundaryGateway({ ...structuredClone(values), credential, tolerations: tolerations && [...tolerations] });
  }

  /**
   * An ingress gateway that is there already, and has other listeners as well: everything but the workload is emitted.
   *
   * Its pods must be Istio's, listen on 15443 for nobody else in plain text, and be reached there at the endpoints' ports. Nothing of ours
   * touches its other listeners, so no network policy, no access log and no default deny is emitted for it: what we add is for our server
   * names only. Whoever runs it, or may write in its namespace, is trusted like ourselves. See docs/how-to/gateways.md for what to look
   * at first. It cannot be an egress gateway.
   *
   * Throws FED111 for names that Kubernetes refuses, FED120 for values of another kind, FED127 for labels that do not select its pods.
   */
  public static fromExisting(options: ExistingGatewayOptions): BoundaryGateway {
    checkExistingGateway('BoundaryGateway.fromExisting', options);
    const { credential, namespaceName, serviceAccountName, serviceName, podLabels } = options;
    return new BoundaryGateway({ namespaceName, credential }, { namespaceName, serviceAccountName, serviceName, podLabels: { ...podLabels } });
  }

  private constructor(private readonly options: DedicatedGatewayOptions, private readonly existing?: BoundaryGatewayAttributes) {}

  /** @internal */
  public get _options(): DedicatedGatewayOptions {
    return this.options;
  }

  /**
   * What somebody else runs.
   * @internal
   */
  public get _existing(): BoundaryGatewayAttributes | undefined {
    return this.existing;
  }
}
