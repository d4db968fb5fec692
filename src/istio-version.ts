/**
 * The Istio that a mesh runs:
 *
 *     istioVersion: IstioVersion.V1_30
 */

/** The Istio that the manifests are written for. All supported versions get the same objects today. */
export class IstioVersion {
  /** Istio 1.30: validated against its CRDs. */
  public static readonly V1_30: IstioVersion = new IstioVersion('1.30');
  /** Istio 1.31: validated against its CRDs, and the version of the runs on real proxies. */
  public static readonly V1_31: IstioVersion = new IstioVersion('1.31');

  private constructor(private readonly version: string) {}

  /** Minor version, for example `1.31`. */
  public get minor(): string {
    return this.version;
  }
}
