import { createHash, X509Certificate } from 'crypto';
import { readFileSync } from 'fs';
import { join } from 'path';
import { SpiffeId, TrustBundle } from '../src';
import { EC, ED25519, makeCertificate, NO_LISTS, RSA } from './support/certificates';
import { trustOf } from './support/meshes';

/*
 * Trust bundles, rotations and revocation lists.
 */

const pem = (mesh: string) => readFileSync(join(__dirname, 'trust', `${mesh}.pem`), 'utf8');

test('TrustBundle.fromPem ignores text around the certificates', () => {
  const bundle = TrustBundle.fromPem(`issuer=somebody\r\n${pem('east').replace(/\n/g, '\r\n')}\r\n# end`);
  expect(bundle._pem).toBe(pem('east'));
});

test('TrustBundle.fromPem removes duplicate certificates', () => {
  const bundle = TrustBundle.fromPem(`${pem('east')}${pem('west')}${pem('east')}`);
  expect(bundle._pem).toBe(`${pem('east')}${pem('west')}`);
});

/** What files, mails and ConfigMaps do to a PEM text. */
const COPIES: [what: string, copy: (text: string) => string][] = [
  ['a byte order mark', (text) => `\ufeff${text}`],
  ['indentation', (text) => text.replace(/^/gm, '      ')],
  ['spaces at the ends of lines', (text) => text.replace(/$/gm, '  ')],
  ['the line ends of Windows', (text) => text.replace(/\n/g, '\r\n')],
  ['the line ends of old Macs', (text) => text.replace(/\n/g, '\r')],
  ['blank lines', (text) => text.replace(/\n/g, '\n\n')],
  ['one line for each certificate', (text) => text.replace(/([^-])\n([^-])/g, '$1$2')],
  ['spaces in place of line ends', (text) => text.replace(/\n/g, ' ')],
  ['the key of a ConfigMap in front', (text) => `data:\n  root-cert.pem: |\n${text.replace(/^/gm, '    ')}`],
  ['the words PRIVATE KEY in prose', (text) => `# the PRIVATE KEY stays with the bank\n${text}`],
];

test.each(COPIES)('TrustBundle.fromPem reads the same certificates with %s', (_, copy) => {
  expect(TrustBundle.fromPem(copy(`${pem('east')}${pem('west')}`))._pem).toBe(`${pem('east')}${pem('west')}`);
});

test.each(COPIES.slice(0, -1))('withRevocationList reads the same list with %s', async (_, copy) => {
  const authority = await makeCertificate('root', true);
  const list = await authority.list();
  expect(TrustBundle.fromPem(authority.certificate).withRevocationList(copy(list))._revocationLists).toBe(list);
});

test('fingerprints has the SHA-256 fingerprint of each certificate in the notation of openssl', () => {
  const openssl = (mesh: string) => createHash('sha256').update(new X509Certificate(pem(mesh)).raw).digest('hex').toUpperCase().replace(/..(?=.)/g, '$&:');
  expect(openssl('east')).toMatch(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/);
  expect(trustOf('east').fingerprints).toEqual([openssl('east')]);
  expect(trustOf('east').withNext(trustOf('west')).fingerprints).toEqual([openssl('east'), openssl('west')]);
});

test.each(Object.entries({ 'RSA with 2048 bits': RSA, 'ECDSA on P-256': EC('P-256'), 'ECDSA on P-384': EC('P-384'), 'ECDSA on P-521': EC('P-521'), 'Ed25519': ED25519 }))(
  'TrustBundle.fromPem accepts a CA with %s', async (_, algorithm) => {
    const { certificate } = await makeCertificate('root', true, algorithm);
    expect(TrustBundle.fromPem(certificate)._pem).toBe(`${certificate}\n`);
  });

test('TrustBundle.fromPem accepts a CA whose key usage is the signing of certificates only', async () => {
  const { certificate } = await makeCertificate('root', true, undefined, NO_LISTS);
  expect(TrustBundle.fromPem(certificate).fingerprints).toHaveLength(1);
});

describe('withNext', () => {
  test('withNext returns a bundle with the old and the new root, in that order, without duplicates', () => {
    const both = TrustBundle.fromPem(`${pem('east')}${pem('west')}`);
    expect(trustOf('east').withNext(trustOf('west'))._pem).toBe(both._pem);
    expect(trustOf('east').withNext(both)._pem).toBe(both._pem);
  });

  test('withNext returns a bundle with the fingerprints and the authorities of both roots', () => {
    const both = TrustBundle.fromPem(`${pem('east')}${pem('west')}`);
    const rotation = trustOf('east').withNext(trustOf('west'));
    expect(rotation.fingerprints).toEqual(both.fingerprints);
    expect(rotation._authorities).toEqual(both._authorities);
  });

  test('withNext does not change the original bundle', () => {
    const old = trustOf('east');
    old.withNext(trustOf('west'));
    expect(old._pem).toBe(pem('east'));
  });

  test('withNext accepts a root that was reissued with the same key', async () => {
    const { certificate, renewed } = await makeCertificate('root', true);
    expect(TrustBundle.fromPem(certificate).withNext(TrustBundle.fromPem(renewed))._pem).toBe(`${certificate}\n${renewed}\n`);
  });
});

describe('withRevocationList', () => {
  test('withRevocationList adds the list unchanged, and does not change the certificates and the fingerprints', async () => {
    const authority = await makeCertificate('root', true);
    const bundle = TrustBundle.fromPem(authority.certificate);
    const list = await authority.list();
    const listed = bundle.withRevocationList(`issuer=somebody\r\n${list.replace(/\n/g, '\r\n')}`);
    expect(listed._revocationLists).toBe(list);
    expect([listed._pem, listed.fingerprints]).toEqual([bundle._pem, bundle.fingerprints]);
    expect(bundle._revocationLists).toBeUndefined();
  });

  test('withRevocationList accepts an expired list, because synthesis does not depend on the time', async () => {
    const authority = await makeCertificate('root', true);
    const list = await authority.list();
    expect(TrustBundle.fromPem(authority.certificate).withRevocationList(list)._revocationLists).toBe(list);
  });

  test('withRevocationList accepts a list with an RSA signature', async () => {
    const authority = await makeCertificate('root', true, RSA);
    const list = await authority.list();
    expect(TrustBundle.fromPem(authority.certificate).withRevocationList(list)._revocationLists).toBe(list);
  });

  test('withRevocationList accepts the lists of both CAs of a rotation in one text or with each bundle, in any order', async () => {
    const [old, next] = await Promise.all([makeCertificate('old', true), makeCertificate('next', true)]);
    const [ofOld, ofNext] = await Promise.all([old.list(), next.list()]);
    const [oldBundle, nextBundle] = [old, next].map(({ certificate }) => TrustBundle.fromPem(certificate));
    expect(oldBundle.withNext(nextBundle).withRevocationList(`${ofNext}${ofOld}`)._revocationLists).toBe(`${ofOld}${ofNext}`);
    expect(oldBundle.withRevocationList(ofOld).withNext(nextBundle.withRevocationList(ofNext))._revocationLists).toBe(`${ofOld}${ofNext}`);
  });

  test('withRevocationList replaces an older list of the same CA', async () => {
    const authority = await makeCertificate('root', true);
    const [before, after] = await Promise.all([authority.list(), authority.list()]);
    expect(before).not.toBe(after);
    expect(TrustBundle.fromPem(authority.certificate).withRevocationList(before).withRevocationList(after)._revocationLists).toBe(after);
  });
});

test('TrustBundle.fromPemFile reads a path relative to the working directory', () => {
  const before = process.cwd();
  try {
    process.chdir(__dirname);
    expect(TrustBundle.fromPemFile('trust/east.pem').fingerprints).toEqual(trustOf('east').fingerprints);
  } finally {
    process.chdir(before);
  }
});

test('a SpiffeId has a URI for certificates and a principal for policies', () => {
  const identity = SpiffeId.forServiceAccount({ trustDomain: 'east.example', namespaceName: 'a', serviceAccountName: 'b.c' });
  expect(identity).toMatchObject({
    uri: 'spiffe://east.example/ns/a/sa/b.c', principal: 'east.example/ns/a/sa/b.c', trustDomain: 'east.example', path: '/ns/a/sa/b.c',
  });
  expect(SpiffeId.parse(identity.uri)).toEqual(identity);
});

test('SpiffeId.parse accepts an identity with a path that differs from Istio\'s', () => {
  expect(SpiffeId.parse('spiffe://partner.example/edge/out_1').principal).toBe('partner.example/edge/out_1');
});

test('withNext uses the revocation list of the next bundle for a CA with a list in both bundles', async () => {
  const [old, next] = [await makeCertificate('old', true), await makeCertificate('next', true)];
  const [first, renewed, ofNext] = [await old.list(), await old.list(), await next.list()];
  expect(renewed).not.toBe(first);
  const bundle = TrustBundle.fromPem(old.certificate).withRevocationList(first);
  const both = TrustBundle.fromPem(`${old.certificate}\n${next.certificate}`).withRevocationList(`${renewed}${ofNext}`);
  expect(bundle.withNext(both)._revocationLists).toBe(`${renewed}${ofNext}`);
});

test('withNext does not remove the revocation list of a CA that the next bundle does not contain', async () => {
  const [old, next] = [await makeCertificate('old', true), await makeCertificate('next', true)];
  const [first, ofNext] = [await old.list(), await next.list()];
  const bundle = TrustBundle.fromPem(old.certificate).withRevocationList(first);
  expect(bundle.withNext(TrustBundle.fromPem(next.certificate).withRevocationList(ofNext))._revocationLists).toBe(`${first}${ofNext}`);
});
