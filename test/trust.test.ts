import { X509Certificate } from 'crypto';
import { readFileSync } from 'fs';
import { join } from 'path';
import { SpiffeId, TrustBundle } from '../src';
import { makeCertificate, RSA } from './support/certificates';
import { trustOf } from './support/meshes';

/*
 * Trust bundles, rotations and revocation lists.
 */

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

describe('a rotation', () => {
  test('trusts the old root and the new one, in that order, each once', () => {
    const both = TrustBundle.fromPem(`${pem('east')}${pem('west')}`);
    expect(trustOf('east').withNext(trustOf('west'))._pem).toBe(both._pem);
    expect(trustOf('east').withNext(both)._pem).toBe(both._pem);
  });

  test('has the fingerprint of both and the authorities of both', () => {
    const both = TrustBundle.fromPem(`${pem('west')}${pem('east')}`);
    const rotation = trustOf('east').withNext(trustOf('west'));
    expect(rotation.fingerprint).toBe(both.fingerprint);
    expect(rotation._authorities).toEqual(both._authorities);
  });

  test('leaves the bundle that it started from alone', () => {
    const old = trustOf('east');
    old.withNext(trustOf('west'));
    expect(old._pem).toBe(pem('east'));
  });

  test('is also a root that is issued anew with its old key', async () => {
    const { certificate, renewed } = await makeCertificate('root', true);
    expect(TrustBundle.fromPem(certificate).withNext(TrustBundle.fromPem(renewed))._pem).toBe(`${certificate}\n${renewed}\n`);
  });
});

describe('a revocation list', () => {
  test('is kept as it is, and changes nothing that identifies the bundle', async () => {
    const authority = await makeCertificate('root', true);
    const bundle = TrustBundle.fromPem(authority.certificate);
    const list = await authority.list();
    const listed = bundle.withRevocationList(`issuer=somebody\r\n${list.replace(/\n/g, '\r\n')}`);
    expect(listed._revocationLists).toBe(list);
    expect([listed._pem, listed.fingerprint]).toEqual([bundle._pem, bundle.fingerprint]);
    expect(bundle._revocationLists).toBeUndefined();
  });

  test('may be expired: synthesis has no clock', async () => {
    const authority = await makeCertificate('root', true);
    const list = await authority.list();
    expect(TrustBundle.fromPem(authority.certificate).withRevocationList(list)._revocationLists).toBe(list);
  });

  test('may be signed with RSA', async () => {
    const authority = await makeCertificate('root', true, RSA);
    const list = await authority.list();
    expect(TrustBundle.fromPem(authority.certificate).withRevocationList(list)._revocationLists).toBe(list);
  });

  test('of each CA of a rotation comes in one text, or with each bundle, in whatever order', async () => {
    const [old, next] = await Promise.all([makeCertificate('old', true), makeCertificate('next', true)]);
    const [ofOld, ofNext] = await Promise.all([old.list(), next.list()]);
    const [oldBundle, nextBundle] = [old, next].map(({ certificate }) => TrustBundle.fromPem(certificate));
    expect(oldBundle.withNext(nextBundle).withRevocationList(`${ofNext}${ofOld}`)._revocationLists).toBe(`${ofOld}${ofNext}`);
    expect(oldBundle.withRevocationList(ofOld).withNext(nextBundle.withRevocationList(ofNext))._revocationLists).toBe(`${ofOld}${ofNext}`);
  });

  test('is replaced by a newer one', async () => {
    const authority = await makeCertificate('root', true);
    const [before, after] = await Promise.all([authority.list(), authority.list()]);
    expect(before).not.toBe(after);
    expect(TrustBundle.fromPem(authority.certificate).withRevocationList(before).withRevocationList(after)._revocationLists).toBe(after);
  });
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

test('a rotation with renewed lists has one list for each CA: that of the next bundle where both have one', async () => {
  const [old, next] = [await makeCertificate('old', true), await makeCertificate('next', true)];
  const [first, renewed, ofNext] = [await old.list(), await old.list(), await next.list()];
  expect(renewed).not.toBe(first);
  const bundle = TrustBundle.fromPem(old.certificate).withRevocationList(first);
  const both = TrustBundle.fromPem(`${old.certificate}\n${next.certificate}`).withRevocationList(`${renewed}${ofNext}`);
  expect(bundle.withNext(both)._revocationLists).toBe(`${renewed}${ofNext}`);
});

test('a rotation keeps the list of a CA that the next bundle does not have', async () => {
  const [old, next] = [await makeCertificate('old', true), await makeCertificate('next', true)];
  const [first, ofNext] = [await old.list(), await next.list()];
  const bundle = TrustBundle.fromPem(old.certificate).withRevocationList(first);
  expect(bundle.withNext(TrustBundle.fromPem(next.certificate).withRevocationList(ofNext))._revocationLists).toBe(`${first}${ofNext}`);
});
