import { X509Certificate } from 'crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'fs';
import { tmpdir } from 'os';
import { join } from 'path';
import { App } from 'cdk8s';
import { SpiffeId, TrustBundle } from '../../src';
import { CHANGES_ONLY, LISTS_ONLY, Made, makeCertificate, NO_LISTS, RSA_1024, RSA_SHA1 } from '../support/certificates';
import { meshOf, TRUST, trustOf } from '../support/meshes';
import { Rejection, rejectionsOf, SYNTHESIS } from '../support/rejections';

/** What is rejected: trust bundles, revocation lists, rotations and SPIFFE IDs. */
export const errors: Rejection[] = [];
const addPeer = rejectionsOf(errors, 'FederatedMesh.addPeer');
const synth = rejectionsOf(errors, SYNTHESIS);
const fromPem = rejectionsOf(errors, 'TrustBundle.fromPem');
const fromPemFile = rejectionsOf(errors, 'TrustBundle.fromPemFile');
const withRevocationList = rejectionsOf(errors, 'TrustBundle.withRevocationList');
const withNext = rejectionsOf(errors, 'TrustBundle.withNext');
const forServiceAccount = rejectionsOf(errors, 'SpiffeId.forServiceAccount');
const parse = rejectionsOf(errors, 'SpiffeId.parse');

interface Certificates {
  readonly ca: Made;
  readonly leaf: Made;
  /** An authority whose key may not sign revocation lists. */
  readonly listless: Made;
  /** Certificates of authorities that cannot be trusted. */
  readonly weak: { readonly [what: string]: string };
  /** An authority below `ca`, and one below that. */
  readonly middle: Made;
  readonly low: Made;
  readonly lists: { readonly [what: string]: string };
}
let made: Certificates;

/** Makes the certificates of the rows; they must be there before a row runs. */
export async function makeCertificates(): Promise<Certificates> {
  const [ca, leaf, listless, uncertain, sha1, small] = await Promise.all([
    makeCertificate('root', true), makeCertificate('gateway', false), makeCertificate('root', true, undefined, NO_LISTS),
    makeCertificate('root', true, undefined, LISTS_ONLY), makeCertificate('root', true, RSA_SHA1), makeCertificate('root', true, RSA_1024),
  ]);
  const middle = await ca.issue('middle');
  const low = await middle.issue('low');
  const lists = {
    own: await ca.list(),
    changes: await ca.list(undefined, CHANGES_ONLY),
    renamed: await ca.list('renamed'),
    listless: await listless.list(),
    weak: await ca.weakList(),
  };
  const weak = { uncertain: uncertain.certificate, sha1: sha1.certificate, small: small.certificate };
  return made = { ca, middle, low, leaf, listless, weak, lists };
}

/** A public CA certificate that is not accepted; Node.js cannot generate it. */
const refused = (name: string) => join(__dirname, '..', 'trust', 'refused', `${name}.pem`);
const trustPem = (meshName: string) => readFileSync(join(TRUST, `${meshName}.pem`), 'utf8');

const inBase64 = (text: string) => Buffer.from(text).toString('base64');

fromPem.rejects('FED201', 'a private key', () => TrustBundle.fromPem(made.ca.privateKey), 'TrustBundle.fromPem', 'remove the key');
fromPem.rejects('FED201', 'a certificate with its key', () => TrustBundle.fromPem(`${made.ca.certificate}\n${made.ca.privateKey}`), 'private key');
fromPem.rejects('FED201', 'an encrypted key', () => TrustBundle.fromPem('-----BEGIN ENCRYPTED PRIVATE KEY-----\nabc\n-----END ENCRYPTED PRIVATE KEY-----'), 'private key');
fromPem.rejects('FED202', 'a leaf certificate', () => TrustBundle.fromPem(made.leaf.certificate), 'CN=gateway', 'authority');
fromPem.rejects('FED202', 'a leaf certificate behind a root', () => TrustBundle.fromPem(`${made.ca.certificate}\n${made.leaf.certificate}`), 'certificate 2');
fromPem.rejects('FED203', 'an empty string', () => TrustBundle.fromPem(''), 'istio-ca-root-cert');
fromPem.rejects('FED203', 'white space', () => TrustBundle.fromPem(' \n\t\n'), 'is empty');
fromPem.rejects('FED204', 'text without PEM', () => TrustBundle.fromPem('east.pem'), 'no PEM block');
fromPem.rejects('FED204', 'a PEM block that is not a certificate', () => TrustBundle.fromPem('-----BEGIN CERTIFICATE-----\nbm8gY2VydGlmaWNhdGU=\n-----END CERTIFICATE-----'), 'block 1');
fromPem.rejects('FED204', 'a PEM block of another kind', () => TrustBundle.fromPem('-----BEGIN CERTIFICATE REQUEST-----\nbm8=\n-----END CERTIFICATE REQUEST-----'), 'CERTIFICATE REQUEST');
fromPem.rejects('FED204', 'a certificate that was cut off', () => TrustBundle.fromPem(made.ca.certificate.slice(0, -30)), 'does not end');
fromPem.rejects('FED204', 'a second certificate that was cut off', () => TrustBundle.fromPem(`${made.ca.certificate}\n${made.ca.renewed.slice(0, 100)}`), 'does not end');
fromPem.rejects('FED201', 'a private key in base64, as in a Secret', () => TrustBundle.fromPem(Buffer.from(made.ca.privateKey).toString('base64')), 'private key');
fromPem.rejects('FED120', 'the bytes of a certificate', () => TrustBundle.fromPem(Buffer.from(made.ca.certificate) as unknown as string), 'must be PEM text', 'bytes)');
fromPem.rejects('FED204', 'a certificate in base64, as in a Secret', () => TrustBundle.fromPem(Buffer.from(made.ca.certificate).toString('base64')), 'is base64 of PEM', 'decode it first');
fromPem.rejects('FED204', 'a certificate in base64 with line ends', () => TrustBundle.fromPem(Buffer.from(made.ca.certificate).toString('base64').replace(/.{76}/g, '$&\n')), 'is base64 of PEM');
fromPem.rejects('FED204', 'a certificate in DER', () => TrustBundle.fromPem(new X509Certificate(made.ca.certificate).raw.toString()), 'is DER, not PEM', 'openssl x509 -inform der');
fromPem.rejects('FED204', 'a certificate in base64 of DER', () => TrustBundle.fromPem(new X509Certificate(made.ca.certificate).raw.toString('base64')), 'is DER, not PEM');
fromPem.rejects('FED204', 'a certificate in UTF-16, as PowerShell writes it', () => TrustBundle.fromPem(Buffer.from(`\ufeff${made.ca.certificate}`, 'utf16le').toString()), 'is UTF-16', 'save the file as UTF-8');
fromPem.rejects('FED204', 'a certificate with the two characters "\\n" for line ends', () => TrustBundle.fromPem(made.ca.certificate.replaceAll('\n', '\\n')), 'as two characters', 'JSON.parse');
fromPem.rejects('FED204', 'a certificate that is encoded twice in base64', () => TrustBundle.fromPem(inBase64(inBase64(made.ca.certificate))), 'encoded 2 times in base64', 'decode it 2 times');
fromPem.rejects('FED201', 'a private key that is encoded twice in base64', () => TrustBundle.fromPem(inBase64(inBase64(made.ca.privateKey))), 'private key');
fromPem.rejects('FED204', 'a certificate as a string of JSON', () => TrustBundle.fromPem(JSON.stringify(made.ca.certificate)), 'as two characters', 'JSON.parse');
fromPem.rejects('FED204', 'a certificate with a quote around each line', () => TrustBundle.fromPem(made.ca.certificate.replace(/^[^-\n]+$/gm, '"$&"')), 'other characters than base64', 'keep only the lines of base64');
fromPem.rejects('FED204', 'a certificate with the last line of another block', () => TrustBundle.fromPem(made.ca.certificate.replace('END CERTIFICATE', 'END X509 CRL')), 'begins with CERTIFICATE and ends with X509 CRL');
fromPem.rejects('FED204', 'a percent-encoded certificate', () => TrustBundle.fromPem(encodeURIComponent(made.ca.certificate)), 'percent-encoded PEM', 'decodeURIComponent');
fromPem.rejects('FED204', 'a Secret with a certificate', () => TrustBundle.fromPem(`data:\n  ca.crt: ${inBase64(made.ca.certificate)}\n`), 'PEM in base64, as a Secret does', 'use the decoded value');
fromPem.rejects('FED202', 'a CA whose key may not sign certificates', () => TrustBundle.fromPem(made.weak.uncertain), 'certificate 1 ("CN=root") is not a CA', 'key usage');
fromPem.rejects('FED210', 'a CA that is signed with SHA-1', () => TrustBundle.fromPem(made.weak.sha1), 'certificate 1 ("CN=root") is signed with SHA-1', 'SHA-256 or longer');
fromPemFile.rejects('FED210', 'a CA that is signed with RSA-PSS', () => TrustBundle.fromPemFile(refused('rsa-pss-signature')), 'RSA-PSS');
fromPem.rejects('FED210', 'a CA with a key of 1024 bits', () => TrustBundle.fromPem(made.weak.small), 'has an RSA key of 1024 bits', 'at least 2048 bits');
fromPem.rejects('FED210', 'a weak CA behind a strong one', () => TrustBundle.fromPem(`${made.ca.certificate}\n${made.weak.small}`), 'certificate 2 ("CN=root") has an RSA key');
fromPemFile.rejects('FED210', 'a CA with a key of 512 bits', () => TrustBundle.fromPemFile(refused('rsa-512')), 'has an RSA key of 512 bits');
fromPemFile.rejects('FED210', 'a CA on the curve P-224', () => TrustBundle.fromPemFile(refused('p-224')), 'the curve secp224r1', 'P-256, P-384, P-521');
fromPemFile.rejects('FED210', 'a CA on a curve that Envoy rejects', () => TrustBundle.fromPemFile(refused('secp256k1')), 'the curve secp256k1');
fromPemFile.rejects('FED210', 'a CA with a key of Ed448', () => TrustBundle.fromPemFile(refused('ed448')), 'a key of the type ed448');
fromPemFile.rejects('FED210', 'a CA with a key of RSA-PSS', () => TrustBundle.fromPemFile(refused('rsa-pss-key')), 'a key of the type rsa-pss');
fromPemFile.rejects('FED205', 'a file that does not exist', () => TrustBundle.fromPemFile('trust/nobody.pem'), '"trust/nobody.pem"', 'ENOENT', process.cwd());
fromPemFile.rejects('FED120', 'a number, which would be a file descriptor', () => TrustBundle.fromPemFile(5 as unknown as string), 'the path must be a string, not 5');
fromPemFile.rejects('FED205', 'a folder', () => TrustBundle.fromPemFile(__dirname), 'EISDIR');
/** A call that gives a bundle a revocation list. */
const listed = (list: () => string, bundle: () => string = () => made.ca.certificate) => () =>
  TrustBundle.fromPem(bundle()).withRevocationList(list());
withRevocationList.rejects('FED120', 'the bytes of a revocation list', listed(() => Buffer.from(made.lists.own) as unknown as string), 'must be PEM text');
withRevocationList.rejects('FED207', 'a revocation list in base64', listed(() => Buffer.from(made.lists.own).toString('base64')), 'is base64 of PEM');
withRevocationList.rejects('FED207', 'an empty string in place of a revocation list', listed(() => ''), 'no PEM block');
withRevocationList.rejects('FED207', 'a certificate in place of a revocation list', listed(() => made.ca.certificate), 'block 1 is a CERTIFICATE, not a revocation list');
withRevocationList.rejects('FED207', 'a revocation list that was cut off', listed(() => made.lists.own.replace(/\n.*\n(-----END)/, '\n$1')), 'block 1');
withRevocationList.rejects('FED207', 'a certificate in a PEM block of a revocation list', listed(() => made.ca.certificate.replaceAll('CERTIFICATE', 'X509 CRL')), 'block 1');
withRevocationList.rejects('FED207', 'a delta revocation list', listed(() => made.lists.changes), 'critical extension', 'complete list');
withRevocationList.rejects('FED208', 'a revocation list of another CA', listed(() => made.lists.own, () => trustPem('east')), 'none of the CAs "O=east.example, CN=east mesh root"');
withRevocationList.rejects('FED208', 'a revocation list that another key signed in the name of the CA', listed(() => made.lists.own, () => made.listless.certificate),
  'not signed by the CA "CN=root"');
withRevocationList.rejects('FED208', 'a revocation list whose issuer has another name than the CA', listed(() => made.lists.renamed), 'none of the CAs');
withRevocationList.rejects('FED208', 'a CA whose key may not sign lists', listed(() => made.lists.listless, () => made.listless.certificate), 'cRLSign', 'istiod');
withRevocationList.rejects('FED208', 'a revocation list that is signed with SHA-1', listed(() => made.lists.weak), 'cannot be checked');
withRevocationList.rejects('FED208', 'a bundle of two CAs with the revocation list of one', listed(() => made.lists.own, () => `${made.ca.certificate}\n${trustPem('east')}`),
  'the CA "O=east.example, CN=east mesh root" has no revocation list', 'reject every');
withRevocationList.rejects('FED208', 'two revocation lists of one CA', listed(() => `${made.lists.own}${made.lists.own}`), 'the CA "CN=root" has 2 revocation lists');
withNext.rejects('FED208', 'a rotation with the revocation list of the old CA only', () => listed(() => made.lists.own)().withNext(trustOf('east')), 'the next bundle');
withNext.rejects('FED209', 'a rotation to the same root', () => trustOf('east').withNext(trustOf('east')), trustOf('east').fingerprints[0]);
withNext.rejects('FED209', 'a rotation that goes backwards', () => trustOf('east').withNext(trustOf('west')).withNext(trustOf('east')), 'new one alone');
withNext.rejects('FED120', 'PEM text in place of the next bundle', () => trustOf('east').withNext(trustPem('west') as unknown as TrustBundle), 'TrustBundle');
for (const uri of ['east.example/ns/a/sa/b', 'spiffe://east.example', 'spiffe://East.example/ns/a', 'spiffe://east.example/ns//sa/b',
  'spiffe://east.example/ns/a/', 'spiffe://east.example/../a', 'spiffe://east.example/./a', 'spiffe://east.example/a/..', 'spiffe://east.example:443/ns/a', 'spiffe://east.example/ns/*', '']) {
  parse.rejects('FED206', `the SPIFFE ID "${uri}"`, () => SpiffeId.parse(uri), JSON.stringify(uri));
}
addPeer.rejects('FED119', 'a peer with our own key under a renewed CA certificate', () => {
  const app = new App();
  meshOf(app, 'east', { trustBundle: TrustBundle.fromPem(made.ca.certificate) }).addPeer(meshOf(app, 'west', { trustBundle: TrustBundle.fromPem(made.ca.renewed) }));
}, 'our own');
addPeer.rejects('FED119', 'a peer with a CA that our own CA issued', () => {
  const app = new App();
  meshOf(app, 'east', { trustBundle: TrustBundle.fromPem(made.ca.certificate) }).addPeer(meshOf(app, 'west', { trustBundle: TrustBundle.fromPem(made.middle.certificate) }));
}, 'our own CA are in one chain');
synth.rejects('FED119', 'two CAs in a chain through a mesh that is declared later', () => {
  const app = new App();
  const east = meshOf(app, 'east', { trustBundle: TrustBundle.fromPem(made.ca.certificate) });
  east.addPeer(meshOf(app, 'west', { trustBundle: TrustBundle.fromPem(made.low.certificate) }));
  meshOf(app, 'north', { trustBundle: TrustBundle.fromPem(made.middle.certificate) });
  app.synthYaml();
}, 'a CA of peer "west" and our own CA are in one chain');
addPeer.rejects('FED134', 'revocation lists that would be lost', () => {
  meshOf(new App(), 'east').addPeer(meshOf(new App(), 'west', { trustBundle: listed(() => made.lists.own)() }), { trustConfigMapName: 'west-roots' });
}, 'peer "west"', '"west-roots"');
forServiceAccount.rejects('FED102', 'a trust domain with capital letters',
  () => SpiffeId.forServiceAccount({ trustDomain: 'East.example', namespaceName: 'a', serviceAccountName: 'b' }), '"East.example"');
fromPemFile.rejects('FED201', 'a file with a private key', () => {
  const folder = mkdtempSync(join(tmpdir(), 'trust-'));
  try {
    writeFileSync(join(folder, 'east.pem'), made.ca.privateKey);
    TrustBundle.fromPemFile(join(folder, 'east.pem'));
  } finally {
    rmSync(folder, { recursive: true });
  }
}, 'east.pem', 'private key');
for (const uri of [`spiffe://east.example/${'x'.repeat(2048)}`, 'spiffe://EAST.example/ns/a/sa/b', 'SPIFFE://east.example/ns/a/sa/b', 'spiffe://e\u0430st.example/ns/a/sa/b', 'spiffe://east.example/ns/%61/sa/b', 'spiffe://east.example:443/ns/a/sa/b']) {
  parse.rejects('FED206', `the SPIFFE ID ${uri.slice(0, 60)} of ${uri.length} characters`, () => SpiffeId.parse(uri), 'not a valid SPIFFE ID');
}
parse.rejects('FED206', 'a symbol in place of a SPIFFE ID', () => SpiffeId.parse(Symbol('id') as never), 'Symbol(id)');
