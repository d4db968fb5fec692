import { verify, X509Certificate } from 'crypto';
import { subjectOf } from './certificates';
import { BIT_STRING, bits, BOOLEAN, context, Der, inside, INTEGER, OCTET_STRING, readAll, SEQUENCE } from './der';
import { fail } from '../checks/errors';

/*
 * Revocation lists, checked except for their expiry, since the output must not depend on the date. A list that does not
 * match its CA is an error here, because proxies would reject every certificate of the bundle.
 */

/** A revocation list, and the CA of the bundle that issued it. */
export interface RevocationList {
  readonly issuer: X509Certificate;
  readonly pem: string;
}

const BLOCK = /-----BEGIN X509 CRL-----[ \t]*\r?\n([^-]*)-----END X509 CRL-----/g;
const FIX = 'use the PEM text of the revocation list that the CA itself signed (X509 CRL)';
/** Digests of the signature algorithms, by object identifier (hexadecimal). */
const DIGESTS: { readonly [oid: string]: string | undefined } = {
  '2a864886f70d01010b': 'sha256',
  '2a864886f70d01010c': 'sha384',
  '2a864886f70d01010d': 'sha512', // RSA
  '2a8648ce3d040302': 'sha256',
  '2a8648ce3d040303': 'sha384',
  '2a8648ce3d040304': 'sha512', // ECDSA
  '2b6570': undefined, // Ed25519 includes its digest
};
const KEY_USAGE = '551d0f';
const CRL_SIGN = 0x02;

/** Reads the revocation lists of a text. Requires exactly one list of each CA, signed by that CA. */
export function readRevocationLists(where: string, pem: string, authorities: X509Certificate[]): RevocationList[] {
  const blocks = typeof pem === 'string' ? [...pem.matchAll(BLOCK)] : [];
  const begun = typeof pem === 'string' ? pem.match(/^-----BEGIN /gm)?.length ?? 0 : 0;
  if (blocks.length === 0 || blocks.length !== begun) {
    fail('FED207', where, begun === 0 ? 'the text contains no PEM block' : 'the text contains a PEM block that is not a revocation list', FIX);
  }
  const lists = blocks.map(([, base64], index) => readList(where, Buffer.from(base64, 'base64'), index + 1, authorities));
  for (const authority of authorities) {
    const own = lists.filter(({ issuer }) => issuer === authority);
    if (own.length === 1) continue;
    fail('FED208', where, `the CA ${subjectOf(authority)} has ${own.length === 0 ? 'no revocation list' : `${own.length} revocation lists`}`,
      'add exactly one list of each CA of the bundle, in one text: without a list, proxies reject every certificate of the CA');
  }
  return authorities.map((authority) => lists.find(({ issuer }) => issuer === authority)!);
}

function readList(where: string, der: Buffer, position: number, authorities: X509Certificate[]): RevocationList {
  const list = parse(where, der, position);
  if (list.critical) {
    fail('FED207', where, `list ${position} has a critical extension, which marks a partial list or a delta list`, 'use the complete list of the CA');
  }
  const named = authorities.filter((authority) => partsOf(authority).subject.equals(list.issuer));
  if (named.length === 0) {
    fail('FED208', where, `list ${position} is issued by none of the CAs ${authorities.map(subjectOf).join(', ')}`, FIX);
  }
  if (!(list.oid in DIGESTS)) {
    fail('FED208', where, `list ${position} is signed with an algorithm that cannot be checked`,
      'sign it with RSA (PKCS #1), ECDSA or Ed25519, and with SHA-256 or longer');
  }
  const issuer = named.find(({ publicKey }) => verify(DIGESTS[list.oid], list.signed, publicKey, list.signature));
  if (!issuer) fail('FED208', where, `list ${position} is not signed by the CA ${subjectOf(named[0])}, which it names as its issuer`, FIX);
  if (!maySign(issuer)) {
    fail('FED208', where, `the CA ${subjectOf(issuer)} may not sign revocation lists: its key usage lacks cRLSign`,
      'use a CA with that key usage; the root that istiod creates by default does not have it');
  }
  return { issuer, pem: `-----BEGIN X509 CRL-----\n${der.toString('base64').replace(/.{1,64}/g, '$&\n')}-----END X509 CRL-----\n` };
}

function parse(where: string, der: Buffer, position: number) {
  try {
    const [list, ...after] = readAll(der);
    const [signed, algorithm, signature] = inside(list, SEQUENCE);
    const fields = inside(signed, SEQUENCE);
    const [, issuer, thisUpdate] = fields[0].tag === INTEGER ? fields.slice(1) : fields;
    if (after.length > 0 || signature.tag !== BIT_STRING || issuer.tag !== SEQUENCE || !isTime(thisUpdate)) throw new RangeError('no list');
    return {
      signed: signed.whole,
      issuer: issuer.whole,
      oid: inside(algorithm, SEQUENCE)[0].content.toString('hex'),
      signature: bits(signature),
      critical: extensions(fields.find(({ tag }) => tag === context(0))).some(({ critical }) => critical),
    };
  } catch {
    return fail('FED207', where, `block ${position} is not a valid revocation list`, FIX);
  }
}

function isTime({ tag }: Der): boolean {
  return tag === 0x17 || tag === 0x18;
}

/** Subject and extensions of a certificate that Node.js has parsed already. */
function partsOf(certificate: X509Certificate): { readonly subject: Buffer; readonly extensions: Extension[] } {
  const fields = inside(inside(readAll(certificate.raw)[0], SEQUENCE)[0], SEQUENCE).filter(({ tag }) => tag !== context(0));
  return { subject: fields[4].whole, extensions: extensions(fields.find(({ tag }) => tag === context(3))) };
}

interface Extension { readonly oid: string; readonly critical: boolean; readonly value: Buffer }

function extensions(field: Der | undefined): Extension[] {
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

function maySign(authority: X509Certificate): boolean {
  const usage = partsOf(authority).extensions.find(({ oid }) => oid === KEY_USAGE);
  // eslint-disable-next-line no-bitwise
  return usage === undefined || (bits(readAll(usage.value)[0])[0] & CRL_SIGN) !== 0;
}
