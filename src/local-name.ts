import { checkNamespace, checkServiceName } from './internal/checks';

/**
 * The name that callers dial:
 *
 *     localName: LocalName.newService('reviews', 'default')      // reviews.default.svc.cluster.local
 */

/** The name that our callers dial. */
export class LocalName {
  /**
   * A name that does not exist yet: we create a Service without pods.
   *
   * Throws FED111 for names that Kubernetes refuses. Synthesis fails (FED402) if a chart of this mesh holds a Service of that name.
   */
  public static newService(serviceName: string, namespaceName: string): LocalName {
    checkServiceName('LocalName.newService', serviceName);
    checkNamespace('LocalName.newService', namespaceName);
    return new LocalName(serviceName, namespaceName);
  }

  private constructor(private readonly serviceName: string, private readonly namespaceName: string) {}

  /** @internal */
  public get _service(): { readonly serviceName: string; readonly namespaceName: string } {
    return { serviceName: this.serviceName, namespaceName: this.namespaceName };
  }
}
