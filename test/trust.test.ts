import { X509Certificate } from 'crypto';
import { readFileSync } from 'fs';
import { join } from 'path';
import { SpiffeId, TrustBundle } from '../src';
import { trustOf } from './support/scenarios';

const pem = (mesh: string) => readFileSync(join(__dirname, 'trust', `${mesh}.pem`), 'utf8');

test('a bundle is the certificates and nothing around them', () => {
  const bundle = TrustBundle.fromPem(`issuer=somebody\r\n${pem('east').replace(/\n/g, '\r\n')}\r\n# end`);
  expect(bundle._pem).toBe(pem('east'));
});

test('two certificates are both kept, each once', () => {
  const bundle = TrustBundle.fromPem(`${pem('east')}${pem('west')}${pem('east')}`);
  expect(bundle._pem).toBe(`${pem('east')}${pem('west')}`);
});

test('the fingerprint says which certificates, not in which order or with which line ends', () => {
  const one = TrustBundle.fromPem(`${pem('east')}${pem('west')}`);
  const other = TrustBundle.fromPem(`${pem('west')}\n\n${pem('east')}`.replace(/\n/g, '\r\n'));
  expect(one.fingerprint).toMatch(/^sha256:[0-9a-f]{64}$/);
  expect(other.fingerprint).toBe(one.fingerprint);
  expect(trustOf('east').fingerprint).not.toBe(one.fingerprint);
});

test('the fingerprint of a single certificate is the one that everybody\'s tools print', () => {
  const { fingerprint256 } = new X509Certificate(pem('east'));
  expect(trustOf('east').fingerprint).toBe(`sha256:${fingerprint256.replaceAll(':', '').toLowerCase()}`);
});

test('a file is read relative to the working directory', () => {
  const before = process.cwd();
  try {
    process.chdir(__dirname);
    expect(TrustBundle.fromPemFile('trust/east.pem').fingerprint).toBe(trustOf('east').fingerprint);
  } finally {
    process.chdir(before);
  }
});

test('an identity has the spelling of certificates and that of policies', () => {
  const identity = SpiffeId.forServiceAccount({ trustDomain: 'east.example', namespaceName: 'a', serviceAccountName: 'b.c' });
  expect(identity).toMatchObject({
    uri: 'spiffe://east.example/ns/a/sa/b.c', principal: 'east.example/ns/a/sa/b.c', trustDomain: 'east.example', path: '/ns/a/sa/b.c',
  });
  expect(SpiffeId.parse(identity.uri)).toEqual(identity);
});

test('an identity of another form than Istio\'s is taken as it is', () => {
  expect(SpiffeId.parse('spiffe://partner.example/edge/out_1').principal).toBe('partner.example/edge/out_1');
});
