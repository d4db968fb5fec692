import { Duration } from 'cdk8s';

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
