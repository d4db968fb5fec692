import { Duration } from 'cdk8s';

/** Algorithm of the private key that cert-manager creates for a gateway, inside the cluster. */
export enum KeyAlgorithm {
  /** ECDSA with curve P-256. */
  ECDSA_P256 = 'ECDSA_P256',
  /** ECDSA with curve P-384. */
  ECDSA_P384 = 'ECDSA_P384',
  /** RSA with 3072 bits. */
  RSA_3072 = 'RSA_3072',
}

/**
 * Options of `GatewayCredential.fromCertManager`: the issuer, and lifetime and key of the certificates.
 *
 * @see https://cert-manager.io/docs/usage/certificate/
 * @exampleMetadata fixture=meshes
 * @example
 * const credential = GatewayCredential.fromCertManager({
 *   issuerName: 'boundary-ca',
 *   issuerKind: 'Issuer', // in the namespace of the gateway
 *   duration: Duration.days(7),
 *   renewBefore: Duration.days(2),
 *   keyAlgorithm: KeyAlgorithm.ECDSA_P384,
 * });
 */
export interface CertManagerOptions {
  /**
   * Name of the cert-manager issuer, such as `boundary-ca`. Set its CA certificate as `trustBundle` of the mesh,
   * because peers verify the gateways with it.
   */
  readonly issuerName: string;
  /**
   * Kind of the issuer: `ClusterIssuer`, `Issuer`, or the kind of an external issuer. An `Issuer` must be in the
   * gateway's namespace.
   * @default 'ClusterIssuer'
   */
  readonly issuerKind?: string;
  /**
   * API group of the issuer. Set it for an external issuer.
   * @default 'cert-manager.io'
   */
  readonly issuerGroup?: string;
  /**
   * Lifetime of each certificate, at least one hour (FED131).
   * @default Duration.hours(24)
   */
  readonly duration?: Duration;
  /**
   * Time before expiry when cert-manager renews the certificate, at least five minutes and shorter than `duration`.
   *
   * A gateway presents the new certificate up to two minutes after it was issued.
   * @default - a third of `duration`
   */
  readonly renewBefore?: Duration;
  /**
   * Algorithm of the private key. cert-manager creates a new key at every renewal.
   * @default KeyAlgorithm.ECDSA_P256
   */
  readonly keyAlgorithm?: KeyAlgorithm;
  /**
   * Common name of the certificates, such as `federation.shop.example`, at most 64 characters (FED131).
   *
   * Set it if the issuer requires one, as a role of Vault does by default (`require_cn`). Peers do not look at it.
   * @see https://developer.hashicorp.com/vault/api-docs/secret/pki#require_cn
   * @default - none: the SPIFFE ID is the only name in the certificate
   */
  readonly commonName?: string;
}
