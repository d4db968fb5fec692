import { createHash, X509Certificate } from 'crypto';
import { readFileSync } from 'fs';
import { fail, show } from '../checks/errors';

/*
 * CA certificates. Their expiry is not checked, since the output must not depend on the date.
 */

const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----[ \t]*\r?\n[^-]*-----END \1-----/g;
const FIX = 'use the public root certificate of the mesh, for example the key root-cert.pem of its ConfigMap istio-ca-root-cert';

/** Reads the CA certificates of a text, each once. Messages do not quote the text, since it may have a private key. */
export function readCertificates(where: string, pem: string): X509Certificate[] {
  if (typeof pem !== 'string' || pem.trim() === '') fail('FED203', where, 'the text is empty', FIX);
  if (/PRIVATE KEY/.test(pem)) {
    fail('FED201', where, 'the text contains a private key',
      'remove the key from the file and from its source: a trust bundle contains only public certificates');
  }
  const blocks = [...pem.matchAll(BLOCK)];
  const begun = pem.match(/^-----BEGIN /gm)?.length ?? 0;
  if (blocks.length === 0 || blocks.length !== begun) {
    fail('FED204', where, begun === 0 ? 'the text contains no PEM block' : 'the text contains a PEM block that does not end', FIX);
  }
  const certificates = blocks.map(([block, label], index) => readCertificate(where, block, label, index + 1));
  return certificates.filter((certificate, index) => certificates.findIndex((other) => other.raw.equals(certificate.raw)) === index);
}

/** Reads the CA certificates of a file. */
export function readCertificateFile(where: string, path: string): X509Certificate[] {
  let pem: string;
  try {
    pem = readFileSync(path, 'utf8');
  } catch (error) {
    fail('FED205', where, `the file cannot be read (${(error as NodeJS.ErrnoException).code}); the working directory is ${process.cwd()}`,
      'set the path of the peer\'s public root certificate, absolute or relative to the working directory');
  }
  return readCertificates(where, pem);
}

/** The subject of a certificate, for messages. */
export function subjectOf(certificate: X509Certificate): string {
  return show(certificate.subject.replace(/\n/g, ', '));
}

/** `sha256:` and the digest of a set of certificates, independent of their order. */
export function fingerprintOf(certificates: readonly X509Certificate[]): string {
  return `sha256:${sha256(Buffer.concat(certificates.map(({ raw }) => raw).sort(Buffer.compare)))}`;
}

/** Digest of the public key of a CA. A root that is issued again with its old key is the same CA. */
export function keyDigestOf({ publicKey }: X509Certificate): string {
  return sha256(publicKey.export({ type: 'spki', format: 'der' }));
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
    fail('FED202', where, `certificate ${position} (${subjectOf(certificate)}) is not a CA`,
      'use the certificate of the authority that issues the gateway\'s certificates, not the gateway\'s own');
  }
  return certificate;
}

function sha256(data: Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}
