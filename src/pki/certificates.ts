import { createHash, X509Certificate } from 'crypto';
import { readFileSync } from 'fs';
import { PemBlock, readPem } from './pem';
import { signatureDigestOf, partsOf } from './x509';
import { fail, show } from '../checks/errors';

/*
 * CA certificates. Their expiry is not checked, since the output must not depend on the date.
 */

const FIX = 'use the public root certificate of the mesh, for example the key root-cert.pem of its ConfigMap istio-ca-root-cert';
const SMALLEST_RSA = 2048;
/** Curves that Istio, Envoy and the FIPS builds of Envoy support, by their OpenSSL names. */
const CURVES: { readonly [curve: string]: string } = { prime256v1: 'P-256', secp384r1: 'P-384', secp521r1: 'P-521' };
/** Signature algorithms that are known and not safe, or that Envoy does not verify, by object identifier (hexadecimal). */
const REJECTED_SIGNATURES: { readonly [oid: string]: string } = {
  '2a864886f70d010104': 'MD5',
  '2a864886f70d010105': 'SHA-1',
  '2a8648ce3d0401': 'SHA-1',
  '2a864886f70d01010a': 'RSA-PSS, which Envoy does not verify in certificates',
};

/** Reads the CA certificates of a text, each once. Messages do not quote the text, since it may have a private key. */
export function readCertificates(where: string, pem: string): X509Certificate[] {
  if (typeof pem !== 'string') fail('FED120', where, `the certificates must be PEM text, not ${show(pem)}`, FIX);
  if (pem.trim() === '') fail('FED203', where, 'the text is empty', FIX);
  const certificates = readPem(where, pem, { code: 'FED204', fix: FIX }).map((block, index) => readCertificate(where, block, index + 1));
  return certificates.filter((certificate, index) => certificates.findIndex((other) => other.raw.equals(certificate.raw)) === index);
}

/** Reads the CA certificates of a file. */
export function readCertificateFile(where: string, path: string): X509Certificate[] {
  // Node.js would read from a file descriptor of this number, and wait.
  if (typeof path !== 'string') fail('FED120', where, `the path must be a string, not ${show(path)}`, 'use the path of a PEM file');
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

/** Digest of the public key of a CA. A root that is issued again with its old key is the same CA. */
export function keyDigestOf({ publicKey }: X509Certificate): string {
  return createHash('sha256').update(publicKey.export({ type: 'spki', format: 'der' })).digest('hex');
}

function readCertificate(where: string, { label, der }: PemBlock, position: number): X509Certificate {
  if (label !== 'CERTIFICATE') fail('FED204', where, `block ${position} is a ${label}, not a certificate`, FIX);
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(der);
  } catch {
    fail('FED204', where, `block ${position} is not a valid X.509 certificate`, FIX);
  }
  const named = `certificate ${position} (${subjectOf(certificate)})`;
  if (!certificate.ca) {
    fail('FED202', where, `${named} is not a CA: its basic constraints or its key usage do not allow it to sign certificates`,
      'use the certificate of the authority that issues the gateway\'s certificates, not the gateway\'s own');
  }
  const weakness = weaknessOf(certificate);
  if (weakness !== undefined) {
    fail('FED210', where, `${named} ${weakness}`,
      `use a CA with RSA of at least ${SMALLEST_RSA} bits, ECDSA on ${Object.values(CURVES).join(', ')}, or Ed25519, signed with SHA-256 or longer`);
  }
  return certificate;
}

/** Why certificates of a CA could be forged, or why proxies cannot verify them. */
function weaknessOf(certificate: X509Certificate): string | undefined {
  const { asymmetricKeyType: type, asymmetricKeyDetails: { modulusLength = 0, namedCurve = '' } = {} } = certificate.publicKey;
  if (type === 'rsa' && modulusLength < SMALLEST_RSA) return `has an RSA key of ${modulusLength} bits`;
  if (type === 'ec' && !(namedCurve in CURVES)) return `has a key on the curve ${namedCurve}`;
  if (!['rsa', 'ec', 'ed25519'].includes(type ?? '')) return `has a key of the type ${type}`;
  const { algorithm } = partsOf(certificate);
  return signatureDigestOf(algorithm) === undefined ? `is signed with ${REJECTED_SIGNATURES[algorithm] ?? 'an algorithm that proxies may not verify'}` : undefined;
}
