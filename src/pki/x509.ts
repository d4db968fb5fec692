import { X509Certificate } from 'crypto';
import { bits, BOOLEAN, context, Der, inside, OCTET_STRING, readAll, SEQUENCE } from './der';

/*
 * Parts of certificates that Node.js does not show: the signature algorithm and the extensions.
 */

export interface Extension {
  readonly oid: string;
  readonly critical: boolean;
  readonly value: Buffer;
}

const KEY_USAGE = '551d0f';
/** The bit cRLSign in the first byte of the key usage. */
const CRL_SIGN = 0x02;
/** Digests of the signature algorithms that are safe, by object identifier (hexadecimal). */
const DIGESTS: { readonly [oid: string]: string | undefined } = {
  '2a864886f70d01010b': 'sha256',
  '2a864886f70d01010c': 'sha384',
  '2a864886f70d01010d': 'sha512', // RSA
  '2a8648ce3d040302': 'sha256',
  '2a8648ce3d040303': 'sha384',
  '2a8648ce3d040304': 'sha512', // ECDSA
  '2b6570': undefined, // Ed25519 includes its digest
};

/** The object identifier of an algorithm, in hexadecimal. */
export function oidOf(algorithm: Der): string {
  return inside(algorithm, SEQUENCE)[0].content.toString('hex');
}

/** The digest of a safe signature algorithm: `{ name: undefined }` for Ed25519, and undefined for any other algorithm. */
export function signatureDigestOf(oid: string): { readonly name: string | undefined } | undefined {
  return oid in DIGESTS ? { name: DIGESTS[oid] } : undefined;
}

/** Reads the extensions of the field `[n]` of a certificate or of a revocation list. */
export function extensionsIn(field: Der | undefined): Extension[] {
  if (field === undefined) return [];
  return inside(inside(field, field.tag)[0], SEQUENCE).map((extension) => {
    const parts = inside(extension, SEQUENCE);
    return {
      oid: parts[0].content.toString('hex'),
      critical: parts.some(({ tag, content }) => tag === BOOLEAN && content[0] !== 0),
      value: parts.find(({ tag }) => tag === OCTET_STRING)!.content,
    };
  });
}

/** Subject, signature algorithm and extensions of a certificate that Node.js has parsed already. */
export function partsOf(certificate: X509Certificate): { readonly subject: Buffer; readonly algorithm: string; readonly extensions: Extension[] } {
  const [signed, algorithm] = inside(readAll(certificate.raw)[0], SEQUENCE);
  const fields = inside(signed, SEQUENCE).filter(({ tag }) => tag !== context(0));
  return { subject: fields[4].whole, algorithm: oidOf(algorithm), extensions: extensionsIn(fields.find(({ tag }) => tag === context(3))) };
}

/** Whether a CA may sign revocation lists. Without a key usage, its key may be used for everything. */
export function maySignLists(authority: X509Certificate): boolean {
  const usage = partsOf(authority).extensions.find(({ oid }) => oid === KEY_USAGE);
  // eslint-disable-next-line no-bitwise
  return usage === undefined || (bits(readAll(usage.value)[0])[0] & CRL_SIGN) !== 0;
}
