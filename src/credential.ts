import { Duration } from 'cdk8s';
import { checkCertManagerOptions, checkCredentialSecret } from './internal/credential-checks';
import { CredentialSite } from './internal/model';

/**
 * What a boundary gateway presents:
 *
 *     credential: GatewayCredential.workloadIdentity()       // the default
 *     credential: GatewayCredential.fromCertManager({ issuerName: 'boundary-ca' })
 *     ingressGateway: BoundaryGateway.dedicated({ credential: GatewayCredential.fromSecret('boundary-ingress') })
 */

/** Algorithm of a new private key. The key itself is made and kept in the cluster. */
export enum KeyAlgorithm {
  /** ECDSA P-256. */
  ECDSA_P256 = 'ECDSA_P256',
  /** ECDSA P-384. */
  ECDSA_P384 = 'ECDSA_P384',
  /** RSA, 3072 bits. */
  RSA_3072 = 'RSA_3072',
}

/** Options of `GatewayCredential.fromCertManager`. */
export interface CertManagerOptions {
  /** Name of the issuer. Its CA is what the mesh hands out as `trustBundle`. */
  readonly issuerName: string;
  /**
   * `Issuer` or `ClusterIssuer`, or the kind of an external issuer.
   * @default 'ClusterIssuer'
   */
  readonly issuerKind?: string;
  /**
   * API group of the issuer.
   * @default 'cert-manager.io'
   */
  readonly issuerGroup?: string;
  /**
   * Life of a certificate, at least an hour.
   * @default Duration.hours(24)
   */
  readonly duration?: Duration;
  /**
   * How long before its end it is renewed, at least five minutes. A gateway sees a new certificate up to two minutes after it was issued.
   * @default - a third of `duration`
   */
  readonly renewBefore?: Duration;
  /**
   * Algorithm of the key, replaced on every renewal.
   * @default KeyAlgorithm.ECDSA_P256
   */
  readonly keyAlgorithm?: KeyAlgorithm;
}

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
    checkCertManagerOptions('GatewayCredential.fromCertManager', options);
    const { issuerName, issuerKind = 'ClusterIssuer', issuerGroup = 'cert-manager.io', keyAlgorithm = KeyAlgorithm.ECDSA_P256 } = options;
    return new GatewayCredential((serviceAccountName) => ({
      secretName: `${serviceAccountName}-tls`,
      certificate: {
        issuer: { name: issuerName, kind: issuerKind, group: issuerGroup },
        durationSeconds: (options.duration ?? Duration.hours(24)).toSeconds(),
        renewBeforeSeconds: options.renewBefore?.toSeconds(),
        key: KEYS[keyAlgorithm],
      },
    }));
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
    return new GatewayCredential(() => ({ secretName }));
  }

  private constructor(private readonly source?: (serviceAccountName: string) => CredentialSite) {}

  /**
   * The Secret of one gateway and who keeps it; undefined for what its mesh gives it.
   * @internal
   */
  public _siteOf(serviceAccountName: string): CredentialSite | undefined {
    return this.source?.(serviceAccountName);
  }
}

const KEYS = {
  [KeyAlgorithm.ECDSA_P256]: { algorithm: 'ECDSA', size: 256 },
  [KeyAlgorithm.ECDSA_P384]: { algorithm: 'ECDSA', size: 384 },
  [KeyAlgorithm.RSA_3072]: { algorithm: 'RSA', size: 3072 },
};
