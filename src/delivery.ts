/**
 * How protection comes before openness:
 *
 *     delivery: Delivery.kubectl()                           // the default
 */

/** How the order "protection before openness" is told to the tool that applies the manifests. */
export class Delivery {
  /** Order in the file, for `kubectl apply`. */
  public static kubectl(): Delivery {
    return new Delivery('kubectl');
  }

  private constructor(private readonly tool: string) {
    void this.tool;
  }
}
