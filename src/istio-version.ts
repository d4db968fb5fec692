import type { IstioMinor } from './model/istio-support';

/**
 * The Istio version for which the manifests are written.
 *
 * Set the version that the mesh runs: it is not detected from the cluster. "Tested" means that the lab ran the
 * manifests on real proxies. "Validated" means that the CRDs of that version accept them, and that they were not run.
 * docs/versions.md lists the support of each option.
 *
 * @exampleMetadata fixture=meshes
 * @example
 * const shop = new FederatedMesh(new Chart(app, 'shop'), 'Mesh', {
 *   meshName: 'shop',
 *   trustDomain: 'shop.example',
 *   trustBundle: TrustBundle.fromPemFile('trust/shop.pem'),
 *   istioVersion: IstioVersion.V1_32,
 * });
 */
export class IstioVersion {
  /**
   * Istio 1.28. Schemas only, for products that are based on it: upstream support has ended.
   *
   * Validated. Rejects `limits`, `jwt`, `idleTimeout` and `connectAfterHandshake` (FED125).
   */
  public static readonly V1_28: IstioVersion = new IstioVersion('1.28');
  /**
   * Istio 1.29.3 or later. Schemas only, for products that are based on it: upstream support has ended.
   *
   * The gateways of 1.29.0 to 1.29.2 stop reading renewed certificates after the first renewal. Validated. Rejects
   * `limits`, `jwt`, `idleTimeout` and `connectAfterHandshake` (FED125).
   * @see https://github.com/istio/istio/issues/59912
   */
  public static readonly V1_29: IstioVersion = new IstioVersion('1.29');
  /**
   * Istio 1.30.3 or later. Its upstream support ends in 2026.
   *
   * The gateways of 1.30.0 to 1.30.2 stop reading renewed certificates after the first renewal. Validated. Rejects
   * `connectAfterHandshake` (FED125).
   * @see https://github.com/istio/istio/issues/59912
   */
  public static readonly V1_30: IstioVersion = new IstioVersion('1.30');
  /** Istio 1.31, the default. Validated, and tested on real proxies. */
  public static readonly V1_31: IstioVersion = new IstioVersion('1.31');
  /** Istio 1.32. Validated, not run on proxies. Accepts every option. */
  public static readonly V1_32: IstioVersion = new IstioVersion('1.32');

  readonly #version: IstioMinor;

  private constructor(version: IstioMinor) {
    this.#version = version;
  }

  /** Minor version, such as `1.31`. */
  public get minor(): string {
    return this.#version;
  }

  /** @internal */
  public get _minor(): IstioMinor {
    return this.#version;
  }
}
