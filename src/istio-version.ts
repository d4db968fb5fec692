/**
 * The Istio version for which the manifests are written.
 *
 * Set the version that the mesh runs: it is not detected from the cluster.
 *
 * @exampleMetadata fixture=meshes
 * @example
 * const shop = new FederatedMesh(new Chart(app, 'shop'), 'Mesh', {
 *   meshName: 'shop',
 *   trustDomain: 'shop.example',
 *   trustBundle: TrustBundle.fromPemFile('trust/shop.pem'),
 *   istioVersion: IstioVersion.V1_30,
 * });
 */
export class IstioVersion {
  /**
   * Istio 1.30. Manifests are validated against its CRDs; not tested on real proxies.
   *
   * Rejects `limits`, `jwt`, `idleTimeout` and `connectAfterHandshake` (FED125).
   */
  public static readonly V1_30: IstioVersion = new IstioVersion('1.30');
  /** Istio 1.31, the default. Manifests are validated against its CRDs and tested on real proxies. */
  public static readonly V1_31: IstioVersion = new IstioVersion('1.31');

  readonly #version: string;

  private constructor(version: string) {
    this.#version = version;
  }

  /** Minor version, such as `1.31`. */
  public get minor(): string {
    return this.#version;
  }
}
