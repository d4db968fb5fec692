import { createPublicKey, JsonWebKey } from 'crypto';
import { fail, show, Where } from '../checks/errors';
import { compare, distinct } from '../model/order';
import { SIGNING_MEMBERS } from '../model/private-keys';

/*
 * Public keys of an issuer (RFC 7517). Only members of public keys are returned, so that no other member can reach the
 * output.
 */

/** For each key type: the members of the public key, its algorithms, and the curves that proxies support. */
const TYPES: { readonly [kty: string]: { readonly members: string[]; readonly algorithms: RegExp; readonly curves?: string[] } } = {
  EC: { members: ['crv', 'x', 'y'], algorithms: /^ES(256|384|512)$/, curves: ['P-256', 'P-384', 'P-521'] },
  OKP: { members: ['crv', 'x'], algorithms: /^EdDSA$/, curves: ['Ed25519'] },
  RSA: { members: ['n', 'e'], algorithms: /^[RP]S(256|384|512)$/ },
};
const SMALLEST_RSA = 2048;
const AS_PUBLISHED = 'use the key set that the issuer publishes';
/** The ECDSA algorithm of each curve. */
const ALGORITHM_OF_CURVE: { readonly [crv: string]: string } = { 'P-256': 'ES256', 'P-384': 'ES384', 'P-521': 'ES512' };

/** Checks a key set and returns it in a canonical form, independent of order and notation. */
export function readKeySet(where: Where, text: string): string {
  const keys = keysIn(where, text);
  keys.forEach((key) => checkPublic(where, key, describeKey(key, keys)));
  const verifying = keys.filter(({ use, key_ops: operations }) =>
    (use === undefined || use === 'sig') && (operations === undefined || Array.isArray(operations) && operations.includes('verify')));
  if (verifying.length === 0) reject(where, 'jwks has no key that verifies signatures', 'use the public keys that verify the tokens of the issuer');
  const texts = verifying.map((key) => JSON.stringify(publicKey(where, key, describeKey(key, keys))));
  return `{"keys":[${distinct(texts).join(',')}]}`;
}

/** Parses the keys of a key set. Messages do not quote the text, since it may be a file with private keys. */
function keysIn(where: Where, text: string): { [member: string]: unknown }[] {
  let set: any;
  try {
    set = JSON.parse(text);
  } catch {
    reject(where, 'jwks is not valid JSON', 'use the text that the issuer publishes: { "keys": [ … ] }');
  }
  const keys: unknown = set?.keys;
  if (!Array.isArray(keys) || keys.some((key) => typeof key !== 'object' || key === null)) {
    reject(where, 'jwks is not a key set', 'use the text that the issuer publishes: { "keys": [ … ] }');
  }
  return keys;
}

/** The member with which a key can sign, if it has one. */
function secretIn(key: { readonly [member: string]: unknown }): string | undefined {
  return key.kty === 'oct' ? 'kty "oct"' : SIGNING_MEMBERS.find((member) => key[member] !== undefined);
}

function checkPublic(where: Where, key: { [member: string]: unknown }, what: string): void {
  const secret = secretIn(key);
  if (secret === undefined) return;
  fail('FED317', where, `${what} has ${secret}, so it can sign tokens`,
    'treat the key as leaked, and use public keys only');
}

/** The name of a key in messages: its `kid`, or its index. */
function describeKey(key: { [member: string]: unknown }, keys: object[]): string {
  return `key ${typeof key.kid === 'string' ? show(key.kid) : keys.indexOf(key)} of jwks`;
}

function publicKey(where: Where, key: { [member: string]: unknown }, what: string): object {
  const { kty, alg, kid } = key;
  const kind = typeof kty === 'string' && Object.keys(TYPES).includes(kty) ? TYPES[kty] : undefined;
  if (!kind) return reject(where, `${what} has the type ${show(kty)}`, `use keys of the types ${Object.keys(TYPES).join(', ')}`);
  if (kid !== undefined && typeof kid !== 'string') reject(where, `${what} has a kid that is not a string`, AS_PUBLISHED);
  if (alg !== undefined && !(typeof alg === 'string' && kind.algorithms.test(alg))) {
    reject(where, `${what} has the algorithm ${show(alg)}, which does not match its type ${show(kty)}`, 'use keys that verify signatures of tokens');
  }
  if (kind.curves && !kind.curves.includes(key.crv as string)) {
    reject(where, `${what} has the curve ${show(key.crv)}`, `use keys with the curve ${kind.curves.join(' or ')}`);
  }
  const members = Object.fromEntries(kind.members.map((member) => [member, key[member]]));
  if (kty === 'EC' && alg !== undefined && alg !== ALGORITHM_OF_CURVE[key.crv as string]) {
    reject(where, `${what} has the algorithm ${show(alg)}, which does not match its curve ${show(key.crv)}`, AS_PUBLISHED);
  }
  const { bits, exponent, jwk } = parsed({ kty, ...members } as JsonWebKey) ?? reject(where, `${what} is not a valid public key`, AS_PUBLISHED);
  if (kty === 'RSA' && (exponent! < 3n || exponent! % 2n === 0n)) {
    reject(where, `${what} has the exponent ${exponent}, which is not valid`, AS_PUBLISHED);
  }
  if (kty === 'RSA' && bits! < SMALLEST_RSA) reject(where, `${what} has ${bits} bits`, `use RSA keys of at least ${SMALLEST_RSA} bits`);
  return Object.fromEntries(Object.entries({ ...jwk, alg, kid }).filter(([, value]) => value !== undefined).sort(([a], [b]) => compare(a, b)));
}

function parsed(key: JsonWebKey): { bits?: number; exponent?: bigint; jwk: object } | undefined {
  try {
    const read = createPublicKey({ key, format: 'jwk' });
    const { modulusLength: bits, publicExponent: exponent } = read.asymmetricKeyDetails ?? {};
    return { bits, exponent, jwk: read.export({ format: 'jwk' }) };
  } catch {
    return undefined;
  }
}

function reject(where: Where, what: string, fix: string): never {
  return fail('FED314', where, what, fix);
}
