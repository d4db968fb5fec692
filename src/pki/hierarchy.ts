import { X509Certificate } from 'crypto';
import { keyDigestOf } from './certificates';

/*
 * Which CA issued which, among all CA certificates of a program. A CA accepts every certificate below it: a mesh with a
 * CA above or below the CA of another mesh shares its trust.
 */

export class Hierarchy {
  private readonly known = new Set<string>();
  /** Certificates by the name of their subject. */
  private readonly bySubject = new Map<string, X509Certificate[]>();
  /** Certificates that another CA issued, by the name of that CA. */
  private readonly byIssuer = new Map<string, X509Certificate[]>();
  /** Keys that signed a key, and keys that a key signed. A CA has one key, and may have several certificates. */
  private readonly above = new Map<string, Set<string>>();
  private readonly below = new Map<string, Set<string>>();

  /** Adds certificates. Each is compared only with certificates of the names that it contains. */
  public add(certificates: readonly X509Certificate[]): void {
    for (const certificate of certificates) {
      if (this.known.has(certificate.fingerprint256)) continue;
      this.known.add(certificate.fingerprint256);
      push(this.bySubject, nameIn(certificate.subject), certificate);
      for (const issued of this.byIssuer.get(nameIn(certificate.subject)) ?? []) this.link(certificate, issued);
      // A root has no issuer. Many meshes have roots of one name, since istiod names them all alike.
      if (isIssuedBy(certificate, certificate)) continue;
      push(this.byIssuer, nameIn(certificate.issuer), certificate);
      for (const issuer of this.bySubject.get(nameIn(certificate.issuer)) ?? []) this.link(issuer, certificate);
    }
  }

  /** Digests of CA keys, and of all keys above and below them. */
  public related(keys: readonly string[]): Set<string> {
    return new Set([...reach(keys, this.above), ...reach(keys, this.below)]);
  }

  private link(issuer: X509Certificate, issued: X509Certificate): void {
    if (!isIssuedBy(issued, issuer)) return;
    const [upper, lower] = [keyDigestOf(issuer), keyDigestOf(issued)];
    this.above.set(lower, (this.above.get(lower) ?? new Set()).add(upper));
    this.below.set(upper, (this.below.get(upper) ?? new Set()).add(lower));
  }
}

function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}

function reach(keys: readonly string[], edges: ReadonlyMap<string, ReadonlySet<string>>): Set<string> {
  const found = new Set(keys);
  for (const key of found) edges.get(key)?.forEach((next) => found.add(next));
  return found;
}

function push(lists: Map<string, X509Certificate[]>, name: string, certificate: X509Certificate): void {
  const list = lists.get(name);
  if (list) list.push(certificate);
  else lists.set(name, [certificate]);
}

/** A name as X.509 compares it: without differences of case and of white space. */
function nameIn(text: string): string {
  return text.toLowerCase().split('\n').map((part) => part.replace(/\s+/g, ' ').trim()).join('\n');
}
