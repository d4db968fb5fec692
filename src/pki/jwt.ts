import { readKeySet } from './jwks';
import { fail, show, Where } from '../checks/errors';
import { checkList, checkMap, fieldsOf, parseFields } from '../checks/kinds';
import { isDnsName } from '../checks/values';
import type { JwtRule } from '../jwt';
import { isMetadataHost } from '../model/addresses';
import type { Issuer } from '../model/model';
import { compare, distinct } from '../model/order';
import { patternOf } from '../model/patterns';
import type { RequiredToken } from '../model/permission';

/*
 * End-user JWTs that Istio can require exactly. A value that Istio would read as a pattern, or never match, is
 * rejected.
 */

const FIELDS = fieldsOf<JwtRule>({ issuer: true, jwksUri: true, jwks: true, audiences: true, claims: true });
/** The characters of a URI, which also cover other names of issuers. */
const ISSUER = /^[A-Za-z0-9._~:/?#@!$&'()+,;=%-]{1,512}$/;
/** An https address without user and fragment. */
const HTTPS = /^https:\/\/[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:\d{1,5})?(\/[A-Za-z0-9._~:/?@!$&'()*+,;=%-]*)?$/;
/** Text without control characters and unpaired surrogates. */
const TEXT = /^[^\p{C}]+$/u;
const NAME = /^[^\p{C}[\]]+$/u;
/** A nested claim, such as `[a][b]`. */
const PATH = /^(\[[^\p{C}[\]]+\]){2,}$/u;
/** Maximum size, in bytes, of a regular expression that istiod accepts in a route. */
const LONGEST_PATTERN = 1024;
/** Maximum length of the address of a key set in Istio's schema. */
const LONGEST_URI = 2048;
/** Claims that Istio matches word by word. */
const SPLIT_INTO_WORDS = ['scope', 'permission'];
/** Claims with an option of their own. */
const OWN_OPTIONS = new Map([['iss', 'issuer'], ['aud', 'audiences']]);
/** Claims that are numbers, which no rule of Istio matches. */
const TIMES = ['exp', 'iat', 'nbf'];

/** Checks the option `jwt` of `allowFrom`. */
export function parseJwtRule(where: Where, given: JwtRule): RequiredToken {
  const rule = parseFields(where, 'jwt', given, FIELDS);
  const { issuer, audiences, claims = {} } = rule;
  if (typeof issuer !== 'string' || !ISSUER.test(issuer)) {
    reject(where, `the issuer is ${show(issuer)}, which is not valid`, 'use the claim iss of its tokens, without spaces and "*"');
  }
  checkValues(where, 'audiences', audiences);
  checkMap(where, 'claims', claims, '{ scope: ["read"] }');
  if (rule.claims !== undefined && Object.keys(claims).length === 0) reject(where, 'claims is empty', 'list a claim, or omit claims');
  const paths = Object.entries(claims).map(([name, values]) => {
    checkClaim(where, name, values);
    return { path: name.startsWith('[') ? name : `[${name}]`, values: distinct(values) };
  });
  return {
    token: { issuer, audiences: distinct(audiences), claims: paths.sort((a, b) => compare(a.path, b.path)) },
    issuer: { issuer, ...keysOf(where, rule) },
  };
}

function keysOf(where: Where, { jwks, jwksUri }: JwtRule): Omit<Issuer, 'issuer'> {
  if ((jwks === undefined) === (jwksUri === undefined)) {
    reject(where, `jwt has ${jwks === undefined ? 'neither jwks nor jwksUri' : 'both jwks and jwksUri'}`, 'set exactly one of them');
  }
  if (jwksUri === undefined) {
    if (typeof jwks !== 'string') {
      fail('FED120', where, `jwks must be a string, not of type ${typeof jwks}`, 'use the key set as the issuer publishes it, as text');
    }
    return { jwks: readKeySet(where, jwks), jwksUri: undefined };
  }
  if (typeof jwksUri !== 'string' || !isAddress(jwksUri)) {
    reject(where, `jwksUri is ${show(jwksUri)}, which is not valid`,
      'use an https:// address without a user name: whoever can change the response in transit can sign tokens');
  }
  if (jwksUri.length > LONGEST_URI) {
    reject(where, `jwksUri has ${jwksUri.length} characters, but a RequestAuthentication takes ${LONGEST_URI}`, 'use the shorter address of the issuer');
  }
  if (isMetadataHost(new URL(jwksUri).hostname)) {
    reject(where, `jwksUri is ${show(jwksUri)}, which is a link-local address, the computer itself or a metadata service`,
      'use the address of the issuer: Istio fetches no keys from such an address');
  }
  return { jwks: undefined, jwksUri };
}

/** Whether a text is an https address whose host is written as it is read: `0xa9fea9fe` is 169.254.169.254. */
function isAddress(text: string): boolean {
  if (!HTTPS.test(text) || !URL.canParse(text)) return false;
  const { hostname, port } = new URL(text);
  const [, written] = /^https:\/\/([A-Za-z0-9.-]+)/.exec(text)!;
  return isDnsName(hostname) && hostname === written.toLowerCase() && port !== '0';
}

function checkClaim(where: Where, name: string, values: string[]): void {
  const own = OWN_OPTIONS.get(name);
  if (own) reject(where, `claims lists ${show(name)}, which has an option of its own`, `use the option ${own}`);
  if (TIMES.includes(name)) reject(where, `claims lists ${show(name)}, which is a number`, 'remove it: times are verified for every token');
  if (!NAME.test(name) && !PATH.test(name)) {
    reject(where, `claims lists ${show(name)}, which is not a valid name`,
      'write the name as in the token; [a][b] is the claim "b" inside the claim "a"');
  }
  checkValues(where, `the claim ${show(name)}`, values);
  const several = SPLIT_INTO_WORDS.includes(name) ? values.find((value) => value.includes(' ')) : undefined;
  if (several !== undefined) {
    reject(where, `the claim ${show(name)} has the value ${show(several)}, but Istio matches this claim word by word`, 'use one word for each value');
  }
}

/** Checks a list of values of which one must match. */
function checkValues(where: Where, what: string, values: string[]): void {
  checkList(where, what, values);
  if (values.length === 0) reject(where, `${what} is an empty list`, 'list at least one value: an empty list would allow nothing');
  for (const value of values) {
    if (typeof value === 'string' && TEXT.test(value) && !value.startsWith('*') && !value.endsWith('*')) continue;
    reject(where, `${what} has the value ${show(value)}, which is not valid`,
      'use the exact text: a "*" at the start or end would match other values too');
  }
  const size = Buffer.byteLength(patternOf(distinct(values)));
  if (values.length > 1 && size > LONGEST_PATTERN) {
    reject(where, `${what} has ${values.length} values of ${size} bytes in total, but Istio accepts ${LONGEST_PATTERN}`,
      'list fewer values, or let the issuer use one common value');
  }
}

function reject(where: Where, what: string, fix: string): never {
  return fail('FED314', where, what, fix);
}
