/**
 * How the apply order is communicated to the delivery tool.
 *
 * Protection comes first: policies are applied before the listeners that they protect.
 *
 * @exampleMetadata fixture=meshes
 * @example
 * const shop = new FederatedMesh(new Chart(app, 'shop'), 'Mesh', {
 *   meshName: 'shop',
 *   trustDomain: 'shop.example',
 *   trustBundle: TrustBundle.fromPemFile('trust/shop.pem'),
 *   delivery: Delivery.argoCd(),
 * });
 */
export class Delivery {
  /** By the order of the documents in the file, for `kubectl apply`. This is the default. */
  public static kubectl(): Delivery {
    return new Delivery('kubectl');
  }

  /**
   * By annotations with sync waves, for Argo CD.
   *
   * The boundary has the waves -9 to -1, everything else the default wave 0, and routes of local names the wave 1.
   * Waves order the objects of one Application only. Turn on pruning, or removed access stays open. Not tested with
   * Argo CD itself.
   * @see https://argo-cd.readthedocs.io/en/stable/user-guide/sync-waves/
   */
  public static argoCd(): Delivery {
    return new Delivery('argoCd');
  }

  /**
   * By one chart for each phase, for `dependsOn` of Flux Kustomizations.
   *
   * The boundary is written as three charts below the mesh: `Protection`, `Workload` and `Openness`. Objects in the
   * namespaces of applications stay in the chart of their scope. Labels and namespace of the mesh's own chart are not
   * applied to the three charts. A Kustomization reads a folder, so set
   * `YamlOutputType.FOLDER_PER_CHART_FILE_PER_RESOURCE`. Not tested with Flux itself.
   */
  public static flux(): Delivery {
    return new Delivery('flux');
  }

  readonly #tool: 'kubectl' | 'argoCd' | 'flux';

  private constructor(tool: 'kubectl' | 'argoCd' | 'flux') {
    this.#tool = tool;
  }

  /**
   * The delivery tool.
   * @internal
   */
  public get _tool(): 'kubectl' | 'argoCd' | 'flux' {
    return this.#tool;
  }
}
