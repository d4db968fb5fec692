import { generateKeyPairSync } from 'crypto';
import { readFileSync } from 'fs';
import { join } from 'path';
import { App } from 'cdk8s';
import { BoundaryGateway, HttpRule, IstioVersion, JwtRule, LocalService, ServicePort } from '../../src';
import { meshOf, TRUST } from '../support/meshes';
import { eastWith, EXISTING_GATEWAY, grant, ofPorts, pair } from '../support/pair';
import { Rejection, rejectionsOf } from '../support/rejections';

/** What is rejected: allow rules with end-user JWTs. */
export const errors: Rejection[] = [];
const allowFrom = rejectionsOf(errors, 'ExposedService.allowFrom');

const LOGIN_KEYS = readFileSync(join(TRUST, 'login.jwks'), 'utf8');
const jwt = (change: object = {}): JwtRule => ({
  issuer: 'https://login.example', jwksUri: 'https://login.example/keys', audiences: ['accounts'], ...change,
});
allowFrom.rejects('FED128', 'a JWT requirement at an existing gateway', () => eastWith({ ingressGateway: BoundaryGateway.fromExisting(EXISTING_GATEWAY) })()
  .expose('Reviews', { service: LocalService.fromName('reviews', 'default'), exportName: 'reviews', ports: [ServicePort.http(80)] })
  .allowFrom(meshOf(new App(), 'west'), { jwt: { issuer: 'https://login.example', jwksUri: 'https://login.example/keys', audiences: ['shop'] } }),
'east/Mesh/Reviews', '"https://login.example"', 'existing ingress gateway');
allowFrom.rejects('FED310', 'a JWT requirement for a TCP port', ofPorts({ jwt: jwt() }, ServicePort.tcp(3306)), 'jwt does not apply to port 3306', 'protocol is tcp', '→ remove jwt');
allowFrom.rejects('FED310', 'a JWT requirement for a TLS port', ofPorts({ jwt: jwt() }, ServicePort.grpc(90), ServicePort.tls(8443)), 'ports: [90]');
allowFrom.rejects('FED315', 'a rule with a JWT after one without', () => {
  const { reviews, west } = pair();
  reviews.allowFrom(west, { http: [HttpRule.allow({ methods: ['GET'] })] });
  reviews.allowFrom(west, { ports: [9081], http: [HttpRule.allow({ methods: ['POST'] })], jwt: jwt() });
}, 'east/Mesh/Reviews', '"west"', '9081');
allowFrom.rejects('FED315', 'a rule without a JWT after one with', () => {
  const { reviews, west } = pair();
  reviews.allowFrom(west, { jwt: jwt() });
  reviews.allowFrom(west);
}, '9080');
allowFrom.rejects('FED309', 'a JWT without HTTP rules beside a JWT with HTTP rules', () => {
  const { reviews, west } = pair();
  reviews.allowFrom(west, { jwt: jwt() });
  reviews.allowFrom(west, { http: [HttpRule.allow({ methods: ['GET'] })], jwt: jwt({ audiences: ['other'] }) });
}, '9080');
allowFrom.rejects('FED316', 'two key sets for one issuer', () => {
  const { east, reviews, west } = pair();
  reviews.allowFrom(west, { jwt: jwt() });
  east.expose('Ledger', { service: LocalService.fromName('ledger', 'books'), exportName: 'ledger', ports: [ServicePort.http(80)] })
    .allowFrom(west, { jwt: jwt({ jwksUri: 'https://login.example/other' }) });
}, 'east/Mesh/Ledger', '"https://login.example"', 'east/Mesh/Reviews');
/** A call that requires this JWT of the requests of west. */
export const requiredJwt = (change: { [field: string]: unknown }) => grant({ jwt: jwt(change) });
allowFrom.rejects('FED120', 'a string in place of a JWT rule', grant({ jwt: 'https://login.example' as never }), 'jwt must be an object', '"https://login.example"', 'audiences');
allowFrom.rejects('FED120', 'null in place of a JWT rule', grant({ jwt: null as never }), 'jwt is null');
allowFrom.rejects('FED120', 'a JWT rule with the unknown field audience', requiredJwt({ audience: ['a'] }), '"audience"', 'audiences');
allowFrom.rejects('FED120', 'one audience in place of a list', requiredJwt({ audiences: 'accounts' }), 'audiences must be a list, not "accounts"');
allowFrom.rejects('FED120', 'a JWT rule without audiences', requiredJwt({ audiences: undefined }), 'audiences must be a list, not undefined');
allowFrom.rejects('FED120', 'a list in place of claims', requiredJwt({ claims: ['scope'] }), 'claims must be a map, not ["scope"]');
allowFrom.rejects('FED120', 'one claim value in place of a list', requiredJwt({ claims: { scope: 'read' } }), '"read"');
allowFrom.rejects('FED120', 'a key set that is an object', requiredJwt({ jwks: { keys: [] }, jwksUri: undefined }), 'jwks must be a string, not of type object');
allowFrom.rejects('FED125', 'a JWT rule with an Istio version that does not support it', () => meshOf(new App(), 'east', { istioVersion: IstioVersion.V1_29 })
  .expose('Reviews', { service: LocalService.fromName('reviews', 'default'), exportName: 'reviews', ports: [ServicePort.http(80)] })
  .allowFrom(meshOf(new App(), 'west'), { jwt: jwt() }), 'jwt', '1.29', 'run Istio 1.30, 1.31, or 1.32');
allowFrom.rejects('FED314', 'a JWT rule without an issuer', requiredJwt({ issuer: undefined }), 'the issuer is undefined');
allowFrom.rejects('FED314', 'a number in place of an issuer', requiredJwt({ issuer: 7 }), 'the issuer is 7');
allowFrom.rejects('FED314', 'an empty issuer', requiredJwt({ issuer: '' }), 'the issuer is ""');
allowFrom.rejects('FED314', 'an issuer with a wildcard', requiredJwt({ issuer: 'https://login.example/*' }), '"https://login.example/*"', '"*"');
allowFrom.rejects('FED314', 'audiences that exceed the length of a route match', requiredJwt({ audiences: Array.from({ length: 30 }, (_, i) => `https://api.example/${i}/${'x'.repeat(20)}`) }),
  'audiences has 30 values', '1024', 'list fewer');
allowFrom.rejects('FED314', 'an issuer with a leading blank', requiredJwt({ issuer: ' https://login.example' }), 'without spaces');
allowFrom.rejects('FED314', 'an empty list of audiences', requiredJwt({ audiences: [] }), 'audiences is an empty list');
allowFrom.rejects('FED314', 'an empty audience', requiredJwt({ audiences: [''] }), 'audiences has the value ""');
allowFrom.rejects('FED314', 'a number in place of an audience', requiredJwt({ audiences: [7] }), 'audiences has the value 7');
allowFrom.rejects('FED314', 'an audience with a wildcard', requiredJwt({ audiences: ['accounts*'] }), '"accounts*"', 'exact text');
allowFrom.rejects('FED314', 'claims without an entry', requiredJwt({ claims: {} }), 'claims is empty');
allowFrom.rejects('FED314', 'a claim without a value', requiredJwt({ claims: { scope: [] } }), 'the claim "scope" is an empty list');
allowFrom.rejects('FED314', 'a wildcard as a claim value', requiredJwt({ claims: { groups: ['*'] } }), 'the claim "groups" has the value "*"');
allowFrom.rejects('FED314', 'a claim value with a control character', requiredJwt({ claims: { groups: ['a\nb'] } }), '"groups"');
allowFrom.rejects('FED314', 'two words as one value of the claim scope', requiredJwt({ claims: { scope: ['read write'] } }), '"read write"', 'one word');
allowFrom.rejects('FED314', 'the claim iss', requiredJwt({ claims: { iss: ['https://login.example'] } }), '"iss"', 'issuer');
allowFrom.rejects('FED314', 'the claim aud', requiredJwt({ claims: { aud: ['a'] } }), '"aud"', 'audiences');
allowFrom.rejects('FED314', 'the claim exp', requiredJwt({ claims: { exp: ['1'] } }), '"exp"', 'number');
allowFrom.rejects('FED314', 'a claim with a bracket', requiredJwt({ claims: { 'roles[0]': ['a'] } }), '"roles[0]"', '[a][b]');
allowFrom.rejects('FED314', 'a claim without a name', requiredJwt({ claims: { '': ['a'] } }), 'claims lists ""');
allowFrom.rejects('FED314', 'a claim in one pair of brackets', requiredJwt({ claims: { '[scope]': ['a'] } }), '"[scope]"');
allowFrom.rejects('FED314', 'a JWT rule without keys', requiredJwt({ jwksUri: undefined }), 'neither jwks nor jwksUri');
allowFrom.rejects('FED314', 'a JWT rule with jwks and jwksUri', requiredJwt({ jwks: LOGIN_KEYS }), 'jwks and jwksUri');
allowFrom.rejects('FED314', 'a jwksUri that is longer than a RequestAuthentication takes', requiredJwt({ jwksUri: `https://login.example/${'k'.repeat(2027)}` }), '2049 characters', '2048');
allowFrom.rejects('FED314', 'a jwksUri without TLS', requiredJwt({ jwksUri: 'http://login.example/keys' }), '"http://login.example/keys"', 'https://');
allowFrom.rejects('FED314', 'a jwksUri with a password', requiredJwt({ jwksUri: 'https://us:secret@login.example/keys' }), 'without a user name');
for (const host of ['169.254.169.254', '127.0.0.1', '0.0.0.0', '100.100.100.200', '168.63.129.16', 'localhost', 'keys.localhost', 'metadata', 'metadata.google.internal', 'instance-data', 'instance-data.ec2.internal']) {
  allowFrom.rejects('FED314', `a jwksUri with the host ${host}, which answers to whoever asks from inside`, requiredJwt({ jwksUri: `https://${host}/keys` }), host, 'metadata service');
}
for (const host of ['x:99999', 'x:0', 'a..b', '1.2.3.4.5', '0xa9fea9fe', '2852039166', '0251.0376.0251.0376', '169.254.43518', 'login.example.', 'login.example.1']) {
  allowFrom.rejects('FED314', `a jwksUri with the host ${host}`, requiredJwt({ jwksUri: `https://${host}/keys` }), host);
}
allowFrom.rejects('FED314', 'a number in place of a jwksUri', requiredJwt({ jwksUri: 7 }), 'jwksUri is 7');
allowFrom.rejects('FED314', 'a required header that holds the JWT', grant({ http: [HttpRule.allow({ requiredHeaders: { authorization: 'Basic abc' } })], jwt: jwt() }), '"authorization"');
/** A call that requires a JWT with these keys in its key set. */
export const keys = (...all: unknown[]) => requiredJwt({ jwksUri: undefined, jwks: JSON.stringify({ keys: all }) });
const [rsa] = JSON.parse(LOGIN_KEYS).keys;
const [elliptic] = JSON.parse(readFileSync(join(TRUST, 'staff.jwks'), 'utf8')).keys;
for (const e of ['AA', 'AQ', 'Ag']) allowFrom.rejects('FED314', `an RSA key with the exponent ${e}`, keys({ ...rsa, e }), 'of jwks has the exponent');
allowFrom.rejects('FED314', 'an algorithm of another curve', keys({ ...elliptic, alg: elliptic.crv === 'P-256' ? 'ES512' : 'ES256' }), elliptic.crv);
allowFrom.rejects('FED314', 'a key whose operations are not a list', keys({ ...rsa, key_ops: 'verify' }), 'no key that verifies');
allowFrom.rejects('FED314', 'keys that are not JSON', requiredJwt({ jwksUri: undefined, jwks: 'https://login.example/keys' }), 'jwks is not valid JSON');
allowFrom.rejects('FED314', 'a key in place of a key set', requiredJwt({ jwksUri: undefined, jwks: JSON.stringify(rsa) }), 'jwks is not a key set');
allowFrom.rejects('FED314', 'a key set of strings', requiredJwt({ jwksUri: undefined, jwks: '{"keys":["a"]}' }), 'jwks is not a key set');
allowFrom.rejects('FED314', 'null in JSON in place of a key set', requiredJwt({ jwksUri: undefined, jwks: 'null' }), 'jwks is not a key set');
allowFrom.rejects('FED314', 'an empty key set', keys(), 'no key that verifies');
allowFrom.rejects('FED314', 'a key set with encryption keys only', keys({ ...rsa, use: 'enc' }), 'no key that verifies');
allowFrom.rejects('FED314', 'a key without a type', keys({ ...rsa, kty: undefined }), 'key "login-1" of jwks has the type undefined');
allowFrom.rejects('FED314', 'a key whose type is a property of every object', keys({ ...rsa, kty: 'constructor' }), '"constructor"');
allowFrom.rejects('FED314', 'a key for another algorithm', keys({ ...rsa, alg: 'RSA-OAEP' }), '"RSA-OAEP"');
allowFrom.rejects('FED314', 'a key whose algorithm is of another kind', keys({ ...elliptic, alg: 'RS256' }), '"RS256"', '"EC"');
allowFrom.rejects('FED314', 'a key on another curve', keys({ ...elliptic, alg: undefined, crv: 'secp256k1' }), '"secp256k1"', 'P-256');
allowFrom.rejects('FED314', 'a key without its modulus', keys({ ...rsa, n: undefined }), 'is not a valid public key');
allowFrom.rejects('FED314', 'a key whose point is not on its curve', keys({ ...elliptic, y: elliptic.x }), 'is not a valid public key');
allowFrom.rejects('FED314', 'a key with a number as its ID', keys({ ...rsa, kid: 7 }), 'kid that is not a string');
allowFrom.rejects('FED314', 'a key that is too short', () => {
  const short = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ format: 'jwk' });
  keys(short)();
}, 'key 0 of jwks has 1024 bits', '2048');
allowFrom.rejects('FED317', 'a shared secret in a key set', keys(rsa, { kty: 'oct', k: 'c2VjcmV0' }), 'key 1 of jwks has kty "oct"', 'leaked');
allowFrom.rejects('FED317', 'a secret of an unknown key type', keys({ kty: 'new', kid: 'x', k: 'c2VjcmV0' }), 'key "x" of jwks has k');
for (const member of ['d', 'dp', 'dq', 'k', 'oth', 'p', 'priv', 'q', 'qi']) {
  allowFrom.rejects('FED317', `a key set with the private member ${member}`, keys({ ...rsa, [member]: 'AQAB' }), `has ${member}`);
}
allowFrom.rejects('FED317', 'a private encryption key in a key set', keys(rsa, { ...rsa, use: 'enc', d: 'AQAB' }), 'has d');

/* Claims that are almost valid. */
for (const claim of ['[a][b]c', 'a[b][c]', '[a]']) allowFrom.rejects('FED314', `the claim name ${claim}, which is neither a name nor a path`, requiredJwt({ claims: { [claim]: ['x'] } }));
for (const time of ['exp', 'iat', 'nbf']) allowFrom.rejects('FED314', `the claim ${time}, which is a time`, requiredJwt({ claims: { [time]: ['1'] } }));
