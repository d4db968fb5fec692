import { createHash, X509Certificate } from 'crypto';
import { readFileSync } from 'fs';
import { fail, show } from './checks/errors';
import { checkGiven } from './checks/kinds';
import { readRevocationLists, RevocationList } from './pki/revocation';

/**
 * Public CA certificates with which peers verify the gateways of one mesh.
 *
 * @exampleMetadata fixture=meshes
 * @example
 * const roots = TrustBundle.fromPemFile('trust/east.pem');
 * const both = roots.withNext(TrustBundle.fromPemFile('trust/east-2027.pem')); // during a rotation
 * const fingerprint = roots.fingerprint; // compare it by phone before you trust the file
 */
export class TrustBundle {
  /**
   * Reads one or more CA certificates from PEM text.
   *
   * Rejects private keys (FED201) and certificates that are not CAs (FED202). Expiry is not checked, so that the same
   * program always gives the same output.
   *
   * @param pem the certificates, one after the other
   */
  public static fromPem(pem: string): TrustBundle {
    return new TrustBundle(readCertificates('TrustBundle.fromPem', pem));
  }

  /**
   * Reads one or more CA certificates from a PEM file.
   *
   * Rejects a file that cannot be read (FED205), and whatever `fromPem` rejects.
   *
   * @param path absolute, or relative to the working directory, for example `trust/east.pem`
   */
  public static fromPemFile(path: string): TrustBundle {
    const where = `TrustBundle.fromPemFile(${show(path)})`;
    let pem: string;
    try {
      pem = readFileSync(path, 'utf8');
    } catch (error) {
      fail('FED205', where, `the file cannot be read (${(error as NodeJS.ErrnoException).code}); the working directory is ${process.cwd()}`,
        'set the path of the peer\'s public root certificate, absolute or relative to the working directory');
    }
    return new TrustBundle(readCertificates(where, pem));
  }

  /**
   * `sha256:` and the digest of the set of certificates, independent of their order and line ends.
   *
   * For one certificate, it is the SHA-256 fingerprint that `openssl x509 -noout -fingerprint -sha256` prints, in lower
   * case and without colons. Revocation lists do not change it.
   */
  public readonly fingerprint: string;
  private readonly certificates: X509Certificate[];
  private readonly lists: RevocationList[];

  private constructor(certificates: X509Certificate[], lists: RevocationList[] = []) {
    this.certificates = certificates;
    this.lists = lists;
    const sorted = certificates.map(({ raw }) => raw).sort(Buffer.compare);
    this.fingerprint = `sha256:${sha256(Buffer.concat(sorted))}`;
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
    const added = next.certificates.filter((certificate) => !this.certificates.some(({ raw }) => raw.equals(certificate.raw)));
    if (added.length === 0) {
      fail('FED209', 'TrustBundle.withNext', `the next bundle adds no certificate: ${next.fingerprint}`,
        'use the new root; once no certificate of the old root is in use, configure the new one alone');
    }
    if ((this.lists.length === 0) !== (next.lists.length === 0)) {
      fail('FED208', 'TrustBundle.withNext', `${next.lists.length === 0 ? 'the next' : 'this'} bundle has no revocation list, but the other one has`,
        'add the lists of all CAs to the result, or to both bundles: without a list, proxies reject every certificate of the CA');
    }
    const kept = this.lists.filter(({ issuer }) => !next.certificates.some(({ raw }) => raw.equals(issuer.raw)));
    return new TrustBundle([...this.certificates, ...added], [...kept, ...next.lists]);
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
    return new TrustBundle(this.certificates, readRevocationLists('TrustBundle.withRevocationList', pem, this.certificates));
  }

  /**
   * The certificates as PEM, with one line end and nothing between them.
   * @internal
   */
  public get _pem(): string {
    return this.certificates.map((certificate) => certificate.toString()).join('');
  }

  /**
   * The revocation lists as PEM; undefined if there are none.
   * @internal
   */
  public get _revocationLists(): string | undefined {
    return this.lists.length === 0 ? undefined : this.lists.map(({ pem }) => pem).join('');
  }

  /**
   * Sorted digests of the public keys. A root that is issued again with its old key is the same CA.
   * @internal
   */
  public get _authorities(): string[] {
    return this.certificates.map(({ publicKey }) => sha256(publicKey.export({ type: 'spki', format: 'der' }))).sort();
  }
}

const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----[ \t]*\r?\n[^-]*-----END \1-----/g;
const FIX = 'use the public root certificate of the mesh, for example the key root-cert.pem of its ConfigMap istio-ca-root-cert';

function readCertificates(where: string, pem: string): X509Certificate[] {
  if (typeof pem !== 'string' || pem.trim() === '') fail('FED203', where, 'the text is empty', FIX);
  if (/PRIVATE KEY/.test(pem)) {
    fail('FED201', where, 'the text contains a private key', 'remove the key from the file and from its source: a trust bundle contains only public certificates');
  }
  const blocks = [...pem.matchAll(BLOCK)];
  const begun = pem.match(/^-----BEGIN /gm)?.length ?? 0;
  if (blocks.length === 0 || blocks.length !== begun) {
    fail('FED204', where, begun === 0 ? 'the text contains no PEM block' : 'the text contains a PEM block that does not end', FIX);
  }
  const certificates = blocks.map(([block, label], index) => readCertificate(where, block, label, index + 1));
  return certificates.filter((certificate, index) => certificates.findIndex((other) => other.raw.equals(certificate.raw)) === index);
}

function readCertificate(where: string, block: string, label: string, position: number): X509Certificate {
  if (label !== 'CERTIFICATE') fail('FED204', where, `block ${position} is a ${label}, not a certificate`, FIX);
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(block);
  } catch {
    fail('FED204', where, `block ${position} is not a valid X.509 certificate`, FIX);
  }
  if (!certificate.ca) {
    fail('FED202', where, `certificate ${position} (${show(certificate.subject.replace(/\n/g, ', '))}) is not a CA`,
      'use the certificate of the authority that issues the gateway\'s certificates, not the gateway\'s own');
  }
  return certificate;
}

function sha256(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}
