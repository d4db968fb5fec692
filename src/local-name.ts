import { checkNamespace, checkServiceName } from './checks/values';

/**
 * The local name of a binding: the Kubernetes Service whose host our callers dial.
 *
 * @exampleMetadata fixture=meshes
 * @example
 * const created = LocalName.newService('reviews', 'default'); // reviews.default.svc.cluster.local, a new Service
 * const shared = LocalName.existingService('ratings', 'default'); // a Service that already has pods
 */
export class LocalName {
  /**
   * A name that does not exist yet: the binding creates a Service without pods.
   *
   * Rejects names that Kubernetes does not accept (FED111). Synthesis fails if a chart of this mesh has a Service of
   * that name (FED402).
   *
   * @param serviceName name of the Service, for example `reviews`
   * @param namespaceName namespace of the Service, for example `default`
   */
  public static newService(serviceName: string, namespaceName: string): LocalName {
    checkServiceName('LocalName.newService', serviceName);
    checkNamespace('LocalName.newService', namespaceName);
    return new LocalName(serviceName, namespaceName, false);
  }

  /**
   * The name of a Service that already has pods, for example to move its traffic step by step.
   *
   * In the namespaces of the binding's callers, its traffic goes to the sources of the binding. Its own pods receive
   * requests only after `addLocalSource`. In these namespaces, a workload that is not a caller fails for every request
   * that is routed to a peer. If a chart of this mesh has the Service, its kind and its ports are checked (FED321).
   * Rejects names that Kubernetes does not accept (FED111).
   *
   * @param serviceName name of the Service, for example `reviews`
   * @param namespaceName namespace of the Service, for example `default`
   */
  public static existingService(serviceName: string, namespaceName: string): LocalName {
    checkServiceName('LocalName.existingService', serviceName);
    checkNamespace('LocalName.existingService', namespaceName);
    return new LocalName(serviceName, namespaceName, true);
  }

  readonly #serviceName: string;
  readonly #namespaceName: string;
  readonly #existing: boolean;

  private constructor(serviceName: string, namespaceName: string, existing: boolean) {
    this.#serviceName = serviceName;
    this.#namespaceName = namespaceName;
    this.#existing = existing;
  }

  /**
   * Name, namespace, and whether the Service exists.
   * @internal
   */
  public get _service(): { readonly serviceName: string; readonly namespaceName: string; readonly existing: boolean } {
    return { serviceName: this.#serviceName, namespaceName: this.#namespaceName, existing: this.#existing };
  }
}
