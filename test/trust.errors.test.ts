import { createPrivateKey } from 'crypto';
import { App } from 'cdk8s';
import { BoundaryGateway, GatewayCredential, TrustBundle } from '../src';
import { errors, makeCertificates } from './errors/trust';
import { meshOf } from './support/meshes';
import { any } from './support/pair';
import { errorOf, testRejections } from './support/rejections';

testRejections('trust bundles and SPIFFE IDs', errors);

beforeAll(makeCertificates);

/** The key without the lines that name it: base64 of DER. */
const derOf = (key: string) => key.split('\n').slice(1, -1).join('');
const KEYS: [code: string, what: string, run: (key: string, certificate: string) => unknown][] = [
  ['FED201', 'a bundle with the key of its CA', (key, certificate) => TrustBundle.fromPem(`${certificate}\n${key}`)],
  ['FED120', 'a key in place of a bundle', (key) => meshOf(new App(), 'east', any({ trustBundle: key }))],
  ['FED205', 'a key in place of the path of a file', (key) => TrustBundle.fromPemFile(key)],
  ['FED111', 'a key in place of the name of a Secret', (key) => GatewayCredential.fromSecret(key)],
  ['FED120', 'an object with a key in place of a credential', (key) => BoundaryGateway.dedicated(any({ credential: { key } }))],
  ['FED101', 'a key in place of a mesh name', (key) => meshOf(new App(), 'east', { meshName: key })],
  ['FED111', 'the base64 text of a key', (key) => GatewayCredential.fromSecret(derOf(key))],
  ['FED111', 'the bytes of a key', (key) => GatewayCredential.fromSecret(any(Buffer.from(derOf(key), 'base64')))],
  ['FED111', 'a key as JWK', (key) => GatewayCredential.fromSecret(any(createPrivateKey(key).export({ format: 'jwk' })))],
];

test.each(KEYS)('%s: the message about %s does not show the key', async (code, _, run) => {
  const { ca } = await makeCertificates();
  const { message } = errorOf(() => run(ca.privateKey, ca.certificate));
  const lines = ca.privateKey.split('\n').slice(1, -1);
  expect(message.slice(0, 6)).toBe(code);
  expect(lines.filter((line) => line !== '' && message.includes(line.slice(0, 20)))).toEqual([]);
  expect(message).toMatch(/not shown|bytes|contains a private key/);
});

test('the message about a path that contains the words private key shows the path', () => {
  expect(errorOf(() => TrustBundle.fromPemFile('certs/private key/nope.pem')).message).toContain('"certs/private key/nope.pem"');
});
