import { verify, X509Certificate } from 'crypto';
import { subjectOf } from './certificates';
import { BIT_STRING, bits, context, Der, inside, INTEGER, readAll, SEQUENCE } from './der';
import { readPem } from './pem';
import { signatureDigestOf, extensionsIn, maySignLists, oidOf, partsOf } from './x509';
import { fail, show } from '../checks/errors';

/*
 * Revocation lists, checked except for their expiry, since the output must not depend on the date. A list that does not
 * match its CA is an error here, because proxies would reject every certificate of the bundle.
 */

/** A revocation list, and the CA of the bundle that issued it. */
export interface RevocationList {
  readonly issuer: X509Certificate;
  readonly pem: string;
}

const FIX = 'use the PEM text of the revocation list that the CA itself signed (X509 CRL)';

/** Reads the revocation lists of a text. Requires exactly one list of each CA, signed by that CA. */
export function readRevocationLists(where: string, pem: string, authorities: X509Certificate[]): RevocationList[] {
  if (typeof pem !== 'string') fail('FED120', where, `the revocation lists must be PEM text, not ${show(pem)}`, FIX);
  const lists = readPem(where, pem, { code: 'FED207', fix: FIX }).map(({ label, der }, index) => {
    if (label !== 'X509 CRL') fail('FED207', where, `block ${index + 1} is a ${label}, not a revocation list`, FIX);
    return readList(where, der, index + 1, authorities);
  });
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
  const digest = signatureDigestOf(list.oid);
  if (!digest) {
    fail('FED208', where, `list ${position} is signed with an algorithm that cannot be checked`,
      'sign it with RSA (PKCS #1), ECDSA or Ed25519, and with SHA-256 or longer');
  }
  const issuer = named.find(({ publicKey }) => verify(digest.name, list.signed, publicKey, list.signature));
  if (!issuer) fail('FED208', where, `list ${position} is not signed by the CA ${subjectOf(named[0])}, which it names as its issuer`, FIX);
  if (!maySignLists(issuer)) {
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
      oid: oidOf(algorithm),
      signature: bits(signature),
      critical: extensionsIn(fields.find(({ tag }) => tag === context(0))).some(({ critical }) => critical),
    };
  } catch {
    return fail('FED207', where, `block ${position} is not a valid revocation list`, FIX);
  }
}

function isTime({ tag }: Der): boolean {
  return tag === 0x17 || tag === 0x18;
}
