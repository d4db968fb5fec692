import { X509Certificate } from 'crypto';
import { keyDigestOf } from './certificates';

/*
 * Which CA issued which, among all CA certificates of a program. A CA accepts every certificate below it: a mesh with a
 * CA above or below the CA of another mesh shares its trust.
 */

/** Digests of CA keys, each with the certificates through which it is above or below the CAs of a bundle. */
export type Chain = ReadonlyMap<string, readonly X509Certificate[]>;

/** A key in relation to others, with the certificate that one of the two keys signed for the other. */
type Edges = Map<string, Map<string, X509Certificate>>;

export class Hierarchy {
  private readonly known: Set<string>;
  /** Certificates by the name of their subject. */
  private readonly bySubject: Map<string, X509Certificate[]>;
  /** Certificates that another CA issued, by the name of that CA. */
  private readonly byIssuer: Map<string, X509Certificate[]>;
  /** Keys that signed a key, and keys that a key signed. A CA has one key, and may have several certificates. */
  private readonly above: Edges;
  private readonly below: Edges;

  /** Begins with the certificates of another hierarchy, which does not change with this one. */
  constructor(base?: Hierarchy) {
    this.known = new Set(base?.known);
    this.bySubject = copyOf(base?.bySubject, (list) => [...list]);
    this.byIssuer = copyOf(base?.byIssuer, (list) => [...list]);
    this.above = copyOf(base?.above, (others) => new Map(others));
    this.below = copyOf(base?.below, (others) => new Map(others));
  }

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

  /** The chain of CA certificates and of their keys. Certificates that are not known count, and do not become known. */
  public chainOf(certificates: readonly X509Certificate[], keys: readonly string[]): Chain {
    if (!certificates.every(({ fingerprint256 }) => this.known.has(fingerprint256))) {
      const extended = new Hierarchy(this);
      extended.add(certificates);
      return extended.chainOf(certificates, keys);
    }
    return new Map([...reach(keys, this.above), ...reach(keys, this.below)]);
  }

  private link(issuer: X509Certificate, issued: X509Certificate): void {
    if (!isIssuedBy(issued, issuer)) return;
    const [upper, lower] = [keyDigestOf(issuer), keyDigestOf(issued)];
    connect(this.above, lower, upper, issued);
    connect(this.below, upper, lower, issued);
  }
}

function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}

/** The keys that can be reached from some, each with the certificates on a shortest way. */
function reach(keys: readonly string[], edges: Edges): Map<string, X509Certificate[]> {
  const found = new Map<string, X509Certificate[]>(keys.map((key) => [key, []]));
  for (const [key, way] of found) {
    edges.get(key)?.forEach((certificate, next) => {
      if (!found.has(next)) found.set(next, [...way, certificate]);
    });
  }
  return found;
}

function copyOf<Value>(entries: ReadonlyMap<string, Value> = new Map(), copy: (value: Value) => Value): Map<string, Value> {
  return new Map(Array.from(entries, ([key, value]) => [key, copy(value)]));
}

function connect(edges: Edges, from: string, to: string, certificate: X509Certificate): void {
  edges.set(from, (edges.get(from) ?? new Map<string, X509Certificate>()).set(to, certificate));
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
