/**
 * What a boundary gateway presents:
 *
 *     credential: GatewayCredential.workloadIdentity()       // the default
 */

/** What a boundary gateway presents. Always by reference: no private key passes through the program or its output. */
export class GatewayCredential {
  /**
   * The certificate that the mesh's own CA gives to the gateway anyway.
   *
   * No key is created, stored or copied. Needs a trust domain other than `cluster.local`.
   */
  public static workloadIdentity(): GatewayCredential {
    return new GatewayCredential('workload identity');
  }

  private constructor(private readonly kind: string) {
    void this.kind;
  }
}
