import { checkNamespace, checkServiceName } from './checks/values';

/**
 * The name that callers dial:
 *
 *     localName: LocalName.newService('reviews', 'default')      // reviews.default.svc.cluster.local, which does not exist yet
 *     localName: LocalName.existingService('reviews', 'default') // the same name, behind which pods of our own stand
 */

/** The name that our callers dial. */
export class LocalName {
  /**
   * A name that does not exist yet: we create a Service without pods.
   *
   * Throws FED111 for names that Kubernetes refuses. Synthesis fails (FED402) if a chart of this mesh holds a Service of that name.
   *
   * @param serviceName what callers dial
   * @param namespaceName where the Service is created
   */
  public static newService(serviceName: string, namespaceName: string): LocalName {
    checkServiceName('LocalName.newService', serviceName);
    checkNamespace('LocalName.newService', namespaceName);
    return new LocalName(serviceName, namespaceName, false);
  }

  /**
   * The name of a Service that exists.
   *
   * Its traffic goes to the sources of the binding, so its pods get none without `addLocalSource`. That holds in the namespaces of the
   * callers that the binding allows, and in those alone: a workload there that is not allowed starts to fail by the share that goes to a
   * peer. Throws FED111 for names that Kubernetes refuses. Neither existence nor ports can be checked.
   *
   * @param serviceName what callers dial
   * @param namespaceName where the Service is
   */
  public static existingService(serviceName: string, namespaceName: string): LocalName {
    checkServiceName('LocalName.existingService', serviceName);
    checkNamespace('LocalName.existingService', namespaceName);
    return new LocalName(serviceName, namespaceName, true);
  }

  private constructor(private readonly serviceName: string, private readonly namespaceName: string, private readonly existing: boolean) {}

  /** @internal */
  public get _service(): { readonly serviceName: string; readonly namespaceName: string; readonly existing: boolean } {
    return { serviceName: this.serviceName, namespaceName: this.namespaceName, existing: this.existing };
  }
}
