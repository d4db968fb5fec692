import { CertManagerOptions } from './certificate';
import { checkCredentialSecret, parseCertificate } from './checks/credential';
import { CredentialConfig } from './model/model';

/**
 * The certificate that a boundary gateway presents to peers.
 *
 * It is always a reference: no private key passes through the program or its output.
 *
 * @exampleMetadata fixture=meshes
 * @example
 * const shop = new FederatedMesh(new Chart(app, 'shop'), 'Mesh', {
 *   meshName: 'shop',
 *   trustDomain: 'shop.example',
 *   trustBundle: TrustBundle.fromPemFile('trust/shop-boundary.pem'), // the CA of the issuer
 *   credential: GatewayCredential.fromCertManager({ issuerName: 'boundary-ca' }),
 *   endpoints: [{ address: 'federation.shop.example' }],
 * });
 */
export class GatewayCredential {
  /**
   * The certificate that the mesh's own CA issues to the gateway's pods, as to every workload. This is the default.
   *
   * No key is created, stored or copied. The mesh needs a trust domain other than `cluster.local` (FED133).
   */
  public static workloadIdentity(): GatewayCredential {
    return new GatewayCredential();
  }

  /**
   * A certificate with the gateway's SPIFFE ID, issued by cert-manager.
   *
   * Emits one `Certificate` for each gateway. cert-manager stores certificate and key in a Secret of the gateway's
   * namespace. Install the CRDs of cert-manager before you apply the manifests. Rejects lifetimes that cert-manager
   * does not accept (FED131).
   * @see https://cert-manager.io/docs/usage/certificate/
   */
  public static fromCertManager(options: CertManagerOptions): GatewayCredential {
    const certificate = parseCertificate('GatewayCredential.fromCertManager', options);
    return new GatewayCredential((serviceAccountName) => ({ secretName: `${serviceAccountName}-tls`, certificate }));
  }

  /**
   * An existing TLS Secret in the gateway's namespace.
   *
   * Its keys are `tls.crt` (the gateway's certificate, then its intermediates) and `tls.key`. The certificate must have
   * the gateway's SPIFFE ID as its only URI, and allow client and server authentication. Each gateway needs a Secret of
   * its own, because a certificate has one identity (FED132). Rejects a name that ends in `-cacert`, where Istio looks
   * for a CA.
   *
   * @param secretName name of the Secret, for example `boundary-ingress`
   */
  public static fromSecret(secretName: string): GatewayCredential {
    checkCredentialSecret('GatewayCredential.fromSecret', secretName);
    return new GatewayCredential(() => ({ secretName, certificate: undefined }));
  }

  readonly #source?: (serviceAccountName: string) => CredentialConfig;

  private constructor(source?: (serviceAccountName: string) => CredentialConfig) {
    this.#source = source;
  }

  /**
   * Secret of one gateway and who maintains it; undefined for the certificate of the mesh.
   * @internal
   */
  public get _configOf(): (serviceAccountName: string) => CredentialConfig | undefined {
    const source = this.#source;
    return (serviceAccountName) => source?.(serviceAccountName);
  }
}
