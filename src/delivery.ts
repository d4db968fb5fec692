/**
 * How protection comes before openness:
 *
 *     delivery: Delivery.kubectl()                           // the default
 *     delivery: Delivery.argoCd()
 *     delivery: Delivery.flux()
 */

/** How the order "protection before openness" is told to the tool that applies the manifests. */
export class Delivery {
  /** Order in the file, for `kubectl apply`. */
  public static kubectl(): Delivery {
    return new Delivery('kubectl');
  }

  /**
   * Argo CD sync waves.
   *
   * The boundary has the waves -9 to -1, the route of a local name has 1, everything else is in Argo CD's own wave 0. Waves order the
   * objects of one Application.
   */
  public static argoCd(): Delivery {
    return new Delivery('argoCd');
  }

  /**
   * One file per phase, for Flux `dependsOn`.
   *
   * The boundary is written as three charts below the mesh: `Protection`, `Workload` and `Openness`. What stands with applications stays
   * in the chart of its scope. With `YamlOutputType.FOLDER_PER_CHART_FILE_PER_RESOURCE` each of them is a folder, as a Kustomization
   * wants it. Labels and the namespace of the mesh's own chart are not stamped on them.
   */
  public static flux(): Delivery {
    return new Delivery('flux');
  }

  private constructor(private readonly tool: 'kubectl' | 'argoCd' | 'flux') {}

  /** @internal */
  public get _tool(): 'kubectl' | 'argoCd' | 'flux' {
    return this.tool;
  }
}
