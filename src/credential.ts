import { CertManagerOptions } from './certificate';
import { checkCredentialSecret, parseCertificate } from './checks/credential';
import { CredentialConfig } from './model/model';

/** What a boundary gateway presents. Always by reference: no private key passes through the program or its output. */
export class GatewayCredential {
  /**
   * The certificate that the mesh's own CA gives to the gateway anyway.
   *
   * No key is created, stored or copied. Needs a trust domain other than `cluster.local`.
   */
  public static workloadIdentity(): GatewayCredential {
    return new GatewayCredential();
  }

  /**
   * A cert-manager `Certificate` with the gateway's SPIFFE ID.
   *
   * Each gateway has its own, in a Secret of the boundary's namespace. The CRDs of cert-manager have to be there before the manifests
   * are applied. Throws FED111 for names that Kubernetes refuses, FED120 for values of another kind and fields that do not exist, FED131
   * for options that cert-manager refuses.
   * @see https://cert-manager.io/docs/usage/certificate/
   */
  public static fromCertManager(options: CertManagerOptions): GatewayCredential {
    const certificate = parseCertificate('GatewayCredential.fromCertManager', options);
    return new GatewayCredential((serviceAccountName) => ({ secretName: `${serviceAccountName}-tls`, certificate }));
  }

  /**
   * A TLS secret that already exists in the gateway's namespace.
   *
   * Keys `tls.crt` (the gateway's certificate, then its intermediates) and `tls.key`. The certificate holds the gateway's SPIFFE ID as its
   * only URI, and is for client and server authentication. As it holds only one, two gateways need two Secrets: synthesis fails (FED132)
   * otherwise. Throws FED111 for a name that Kubernetes refuses, or that Istio reads as the name of a CA.
   *
   * @param secretName in the namespace of the gateway
   */
  public static fromSecret(secretName: string): GatewayCredential {
    checkCredentialSecret('GatewayCredential.fromSecret', secretName);
    return new GatewayCredential(() => ({ secretName, certificate: undefined }));
  }

  private constructor(private readonly source?: (serviceAccountName: string) => CredentialConfig) {}

  /**
   * The Secret of one gateway and who keeps it; undefined for what its mesh gives it.
   * @internal
   */
  public _configOf(serviceAccountName: string): CredentialConfig | undefined {
    return this.source?.(serviceAccountName);
  }
}
