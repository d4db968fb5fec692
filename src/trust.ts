import { createHash, X509Certificate } from 'crypto';
import { readFileSync } from 'fs';
import { fail, show } from './checks/errors';
import { checkGiven } from './checks/kinds';
import { readRevocationLists, RevocationList } from './pki/revocation';

/**
 * Whom a mesh is believed by:
 *
 *     TrustBundle.fromPemFile('trust/east.pem')      // the public root certificate of mesh east
 *     bundle.fingerprint                             // read it out on the phone before you trust a file
 *     bundle.withNext(TrustBundle.fromPemFile('trust/east-2027.pem'))               // while a rotation lasts
 *     bundle.withRevocationList(readFileSync('trust/east.crl', 'utf8'))             // and whom no longer
 */

/**
 * The public CA certificates of one mesh.
 *
 * Its content is always known, so it can be pinned, compared and checked.
 *
 * @exampleMetadata fixture=meshes
 * @example
 * const roots = TrustBundle.fromPemFile('trust/east.pem');
 * const both = roots.withNext(TrustBundle.fromPemFile('trust/east-2027.pem')); // while a rotation lasts
 */
export class TrustBundle {
  /**
   * From PEM text: one or more CA certificates.
   *
   * Throws FED201 on a private key, FED202 on a certificate that is no CA, FED203 on nothing, FED204 on anything else. Expiry is not
   * checked: the same program gives the same output on every day.
   *
   * @param pem the certificates, one after the other
   */
  public static fromPem(pem: string): TrustBundle {
    return new TrustBundle(readCertificates('TrustBundle.fromPem', pem));
  }

  /**
   * From a PEM file, relative to the working directory.
   *
   * Throws FED205 when the file cannot be read, and all that `fromPem` throws.
   *
   * @param path absolute, or relative to the working directory
   */
  public static fromPemFile(path: string): TrustBundle {
    const where = `TrustBundle.fromPemFile(${show(path)})`;
    let pem: string;
    try {
      pem = readFileSync(path, 'utf8');
    } catch (error) {
      fail('FED205', where, `the file cannot be read (${(error as NodeJS.ErrnoException).code}) from ${process.cwd()}`,
        'give the path of the peer\'s public root certificate, absolute or relative to the working directory');
    }
    return new TrustBundle(readCertificates(where, pem));
  }

  /**
   * `sha256:…` over the set of certificates, independent of their order and of line ends. Of a single certificate it is the SHA-256
   * fingerprint that `openssl x509 -noout -fingerprint -sha256` prints, in small letters and without colons.
   *
   * Revocation lists are no part of it: they are renewed again and again, and each carries the signature of its CA.
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
   * Old and new roots of the *same* mesh while a rotation lasts.
   *
   * Throws FED208 when one of the two has revocation lists and the other has none, FED209 when `next` holds no certificate that is not
   * here already.
   */
  public withNext(next: TrustBundle): TrustBundle {
    checkGiven('TrustBundle.withNext', 'next', next, TrustBundle);
    const added = next.certificates.filter((certificate) => !this.certificates.some(({ raw }) => raw.equals(certificate.raw)));
    if (added.length === 0) {
      fail('FED209', 'TrustBundle.withNext', `nothing is new in the next bundle, ${next.fingerprint}`,
        'give the new root; once nothing is issued by the old one, state the new one alone');
    }
    if ((this.lists.length === 0) !== (next.lists.length === 0)) {
      fail('FED208', 'TrustBundle.withNext', `there is no revocation list of ${next.lists.length === 0 ? 'the next' : 'this'} bundle, and one of the other`,
        'add the lists of all CAs to the result, or to both: without one, the proxies refuse all that the CA has issued');
    }
    const kept = this.lists.filter(({ issuer }) => !next.certificates.some(({ raw }) => raw.equals(issuer.raw)));
    return new TrustBundle([...this.certificates, ...added], [...kept, ...next.lists]);
  }

  /**
   * Adds a revocation list (PEM) issued by one of the CAs. An expired list refuses everybody.
   *
   * A bundle of several CAs needs a list of each, in one text. A list that is missing or that does not fit refuses everybody, too. Throws
   * FED207 on what is no complete revocation list, FED208 when there is not exactly one of each CA, signed by that CA, with a key that may
   * sign lists. Expiry is not checked: the same program gives the same output on every day. The ingress gateway takes a new list at once;
   * pods of the egress gateway are replaced, one after the other.
   *
   * @param pem the lists, one after the other
   */
  public withRevocationList(pem: string): TrustBundle {
    return new TrustBundle(this.certificates, readRevocationLists('TrustBundle.withRevocationList', pem, this.certificates));
  }

  /**
   * The certificates as they are written, one line end, nothing between them.
   * @internal
   */
  public get _pem(): string {
    return this.certificates.map((certificate) => certificate.toString()).join('');
  }

  /**
   * The revocation lists as they are written, none if there are none.
   * @internal
   */
  public get _revocationLists(): string | undefined {
    return this.lists.length === 0 ? undefined : this.lists.map(({ pem }) => pem).join('');
  }

  /**
   * What tells the authorities apart: the digests of their public keys, sorted. A root that is issued anew with its old key is the
   * same authority.
   * @internal
   */
  public get _authorities(): string[] {
    return this.certificates.map(({ publicKey }) => sha256(publicKey.export({ type: 'spki', format: 'der' }))).sort();
  }
}

const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----[ \t]*\r?\n[^-]*-----END \1-----/g;
const FIX = 'give the public root certificate of the mesh, for example the key root-cert.pem of its ConfigMap istio-ca-root-cert';

function readCertificates(where: string, pem: string): X509Certificate[] {
  if (typeof pem !== 'string' || pem.trim() === '') fail('FED203', where, 'there is nothing in it', FIX);
  if (/PRIVATE KEY/.test(pem)) {
    fail('FED201', where, 'it holds a private key', 'remove the key from the file and from where it came; only public certificates belong here');
  }
  const blocks = [...pem.matchAll(BLOCK)];
  const begun = pem.match(/^-----BEGIN /gm)?.length ?? 0;
  if (blocks.length === 0 || blocks.length !== begun) {
    fail('FED204', where, begun === 0 ? 'it holds no PEM block' : 'it holds a PEM block that does not end', FIX);
  }
  const certificates = blocks.map(([block, label], index) => readCertificate(where, block, label, index + 1));
  return certificates.filter((certificate, index) => certificates.findIndex((other) => other.raw.equals(certificate.raw)) === index);
}

function readCertificate(where: string, block: string, label: string, position: number): X509Certificate {
  if (label !== 'CERTIFICATE') fail('FED204', where, `block ${position} is a ${label}, no certificate`, FIX);
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(block);
  } catch {
    fail('FED204', where, `block ${position} is no X.509 certificate`, FIX);
  }
  if (!certificate.ca) {
    fail('FED202', where, `certificate ${position} (${show(certificate.subject.replace(/\n/g, ', '))}) is not a CA`,
      'give the certificate of the authority that issues the gateway\'s certificates, not the gateway\'s own');
  }
  return certificate;
}

function sha256(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}
