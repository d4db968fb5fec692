import type { X509Certificate } from 'crypto';
import { show } from './checks/errors';
import { checkGiven } from './checks/kinds';
import { keyDigestOf, readCertificateFile, readCertificates } from './pki/certificates';
import { readRevocationLists } from './pki/revocation';
import { Authorities, parseRotation } from './pki/rotation';

/**
 * Public CA certificates with which peers verify the gateways of one mesh.
 *
 * @exampleMetadata fixture=meshes
 * @example
 * const roots = TrustBundle.fromPemFile('trust/east.pem');
 * const both = roots.withNext(TrustBundle.fromPemFile('trust/east-2027.pem')); // during a rotation
 * const fingerprints = roots.fingerprints; // compare them by phone before you trust the file
 */
export class TrustBundle {
  /**
   * Reads one or more CA certificates from PEM text.
   *
   * Rejects private keys (FED201), certificates that are not CAs, and weak CAs (FED210): RSA below 2048 bits, SHA-1.
   * Expiry is not checked, so that the same program always gives the same output.
   *
   * @param pem the certificates, one after the other; a byte order mark, indentation and text between them are ignored
   */
  public static fromPem(pem: string): TrustBundle {
    return new TrustBundle({ certificates: readCertificates('TrustBundle.fromPem', pem), lists: [] });
  }

  /**
   * Reads one or more CA certificates from a PEM file.
   *
   * Rejects a file that cannot be read (FED205), and whatever `fromPem` rejects.
   *
   * @param path absolute, or relative to the working directory, for example `trust/east.pem`
   */
  public static fromPemFile(path: string): TrustBundle {
    return new TrustBundle({ certificates: readCertificateFile(`TrustBundle.fromPemFile(${show(path)})`, path), lists: [] });
  }

  readonly #authorities: Authorities;
  /** Computed once: every peer is compared with all others. */
  readonly #keys: readonly string[];

  private constructor(authorities: Authorities) {
    this.#authorities = authorities;
    this.#keys = authorities.certificates.map(keyDigestOf).sort();
  }

  /**
   * SHA-256 fingerprint of each certificate, such as `9A:0B:…` (32 bytes), in the order of the certificates.
   *
   * It is what `openssl x509 -noout -fingerprint -sha256` prints for one certificate. During a rotation there are two:
   * compare each of them.
   */
  public get fingerprints(): string[] {
    return this.#authorities.certificates.map(({ fingerprint256 }) => fingerprint256);
  }

  /**
   * Returns a bundle with the old and the new root of the *same* mesh, for the time of a rotation.
   *
   * If one bundle has revocation lists, the other one needs them too (FED208). Rejects a bundle without a new
   * certificate (FED209).
   *
   * @exampleMetadata fixture=meshes
   * @example
   * const old = TrustBundle.fromPemFile('trust/bank.pem');
   * const rotating = old.withNext(TrustBundle.fromPemFile('trust/bank-2027.pem'));
   */
  public withNext(next: TrustBundle): TrustBundle {
    checkGiven('TrustBundle.withNext', 'next', next, TrustBundle);
    return new TrustBundle(parseRotation('TrustBundle.withNext', this.#authorities, next.#authorities));
  }

  /**
   * Returns a bundle with revocation lists (CRLs): both gateways then reject the certificates on them.
   *
   * Give one list for each CA of the bundle, in one text, signed by that CA (FED208). **An expired list rejects every
   * certificate of this peer.** Expiry is not checked at synthesis. The ingress gateway uses a new list at once; the
   * pods of the egress gateway are replaced, one after the other.
   *
   * @param pem the lists (`X509 CRL`), one after the other
   */
  public withRevocationList(pem: string): TrustBundle {
    const { certificates } = this.#authorities;
    return new TrustBundle({ certificates, lists: readRevocationLists('TrustBundle.withRevocationList', pem, certificates) });
  }

  /**
   * The certificates as PEM, with one line end and nothing between them.
   * @internal
   */
  public get _pem(): string {
    return this.#authorities.certificates.map((certificate) => certificate.toString()).join('');
  }

  /**
   * The certificates, to find out which CA issued which.
   * @internal
   */
  public get _certificates(): readonly X509Certificate[] {
    return this.#authorities.certificates;
  }

  /**
   * The revocation lists as PEM; undefined if there are none.
   * @internal
   */
  public get _revocationLists(): string | undefined {
    const { lists } = this.#authorities;
    return lists.length === 0 ? undefined : lists.map(({ pem }) => pem).join('');
  }

  /**
   * Sorted digests of the public keys. A root that is issued again with its old key is the same CA.
   * @internal
   */
  public get _authorities(): readonly string[] {
    return this.#keys;
  }
}
