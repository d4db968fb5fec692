import { X509Certificate } from 'crypto';
import { App, Chart } from 'cdk8s';
import { Construct } from 'constructs';
import { FederatedMesh, RemoteMesh, TrustBundle } from '../src';
import { Made, makeCertificate } from './support/certificates';
import { meshOf } from './support/meshes';
import { errorOf } from './support/rejections';

/*
 * CAs of different meshes in one chain: the CA above verifies every certificate that the CA below issued.
 */

const IN_CHAIN = /FED119 east\/Mesh: a CA of peer "(\w+)" and (our own CA|a CA of peer "\w+") are in one chain/;

let root: Made;
let middle: Made;
let low: Made;
let other: Made;

beforeAll(async () => {
  [root, other] = await Promise.all([makeCertificate('root', true), makeCertificate('other', true)]);
  middle = await root.issue('middle');
  low = await middle.issue('low');
});

const bundle = (...certificates: Made[]) => TrustBundle.fromPem(certificates.map(({ certificate }) => certificate).join('\n'));

/** Our mesh, and peers that are declared in this order. */
function program(ours: Made): { readonly app: App; readonly east: FederatedMesh; peer(name: string, ...certificates: Made[]): RemoteMesh } {
  const app = new App();
  const east = meshOf(app, 'east', { trustBundle: bundle(ours) });
  const chart = new Chart(app, 'peers');
  return {
    app,
    east,
    peer: (name, ...certificates) => new RemoteMesh(chart, name, { meshName: name, trustDomain: `${name}.example`, trustBundle: bundle(...certificates) }),
  };
}

/** The error of the last of several peers, which are added one after the other. */
function errorOfLast(ours: Made, ...bundles: Made[][]): string {
  const { east, peer } = program(ours);
  const peers = bundles.map((certificates, index) => peer(`peer${index}`, ...certificates));
  peers.slice(0, -1).forEach((one) => east.addPeer(one));
  return errorOf(() => east.addPeer(peers.at(-1)!)).message;
}

test('a peer with a CA that our own CA issued is rejected', () => {
  expect(errorOfLast(root, [middle])).toMatch(IN_CHAIN);
});

test('a peer with a CA that issued our own CA is rejected', () => {
  expect(errorOfLast(middle, [root])).toMatch(IN_CHAIN);
});

test('a peer with a CA that a CA of another peer issued is rejected, in any order', () => {
  expect(errorOfLast(other, [root], [middle])).toMatch(IN_CHAIN);
  expect(errorOfLast(other, [middle], [root])).toMatch(IN_CHAIN);
});

test('a peer with a CA two steps below a CA of another peer is rejected when its own bundle has the CA between them', () => {
  expect(errorOfLast(other, [root], [middle, low])).toMatch(IN_CHAIN);
  expect(errorOfLast(other, [low, middle], [root])).toMatch(IN_CHAIN);
});

test('a chain through a mesh of the program that is no peer is rejected', () => {
  const { east, peer } = program(other);
  const [upper, lower] = [peer('upper', root), peer('lower', low)];
  peer('between', middle);
  east.addPeer(upper);
  expect(errorOf(() => east.addPeer(lower)).message).toMatch(IN_CHAIN);
});

test('the error names each certificate that connects the two CAs', () => {
  const named = ({ certificate }: Made, subject: string) => `"${subject}" (SHA-256 ${new X509Certificate(certificate).fingerprint256})`;
  expect(errorOfLast(root, [middle])).toContain(`for both meshes: the certificate ${named(middle, 'CN=middle')} connects them → `);
  expect(errorOfLast(middle, [root])).toContain(`the certificate ${named(middle, 'CN=middle')} connects them → `);
  const { east, peer } = program(root);
  peer('between', middle);
  expect(errorOf(() => east.addPeer(peer('lower', low))).message)
    .toContain(`the certificates ${named(low, 'CN=low')} and ${named(middle, 'CN=middle')} connect them → `);
});

test('a rejected peer of another class leaves no certificate behind, so that its certificate connects no later peers', () => {
  const { app, east, peer } = program(other);
  const between = (change: object = {}) => Object.assign(new Construct(new App(), 'Between'), {
    meshName: 'between', trustDomain: 'between.example', endpoints: [], trustBundle: bundle(middle), ...change,
  });
  east.addPeer(peer('upper', root));
  expect(() => east.addPeer(between())).toThrow(/^FED119 /);
  expect(() => east.addPeer(between({ meshName: 'upper' }))).toThrow(/^FED110 /);
  expect(() => east.addPeer(between({ trustDomain: 'east.example' }))).toThrow(/^FED103 /);
  expect(() => east.addPeer(between(), { limits: {} })).toThrow(/^FED126 /);
  expect(() => east.addPeer(peer('lower', low))).not.toThrow();
  expect(() => app.synthYaml()).not.toThrow();
});

test('an accepted peer of another class adds its certificates', () => {
  const { east, peer } = program(other);
  east.addPeer(Object.assign(new Construct(new App(), 'Between'), { meshName: 'between', trustDomain: 'between.example', endpoints: [], trustBundle: bundle(middle) }));
  expect(errorOf(() => east.addPeer(peer('lower', low))).message).toMatch(IN_CHAIN);
});

test('a chain through a mesh that is declared after addPeer fails the synthesis', () => {
  const { app, east, peer } = program(other);
  east.addPeer(peer('upper', root));
  east.addPeer(peer('lower', low));
  expect(() => app.synthYaml()).not.toThrow();
  peer('between', middle);
  expect(errorOf(() => app.synthYaml()).message).toMatch(IN_CHAIN);
});

test('a root that another CA has cross-signed is in a chain with that CA', async () => {
  const [cross, self] = [await root.issue('other', other), other];
  expect(errorOfLast(await makeCertificate('ours', true), [root], [cross, self])).toMatch(IN_CHAIN);
  const { east, peer } = program(await makeCertificate('ours', true));
  east.addPeer(peer('upper', root));
  peer('holder', cross);
  expect(errorOf(() => east.addPeer(peer('crossed', self))).message).toMatch(IN_CHAIN);
});

test('a peer with the CA of another boundary of our mesh is rejected, whichever is declared first', () => {
  const { app, east, peer } = program(other);
  const second = () => new FederatedMesh(new Chart(app, 'partners'), 'Mesh', {
    meshName: 'east', trustDomain: 'east.example', trustBundle: bundle(root), namespaceName: 'partners',
  });
  east.addPeer(peer('early', middle));
  second();
  expect(errorOf(() => app.synthYaml()).message).toMatch(IN_CHAIN);
  expect(errorOf(() => east.addPeer(peer('late', root))).message).toContain('a CA of peer "late" is also our own');
});

test('a bundle of one mesh may have a root and the CAs below it', () => {
  const { east, peer } = program(other);
  expect(() => east.addPeer(peer('bank', root, middle, low))).not.toThrow();
});

test('two peers whose CAs have one issuer are accepted if no mesh of the program has it: neither verifies the other', async () => {
  const { east, peer } = program(other);
  east.addPeer(peer('one', middle));
  expect(() => east.addPeer(peer('two', low, other))).toThrow(/FED119/);
  const sibling = await root.issue('sibling');
  expect(() => east.addPeer(peer('three', sibling))).not.toThrow();
});

test('roots of one name that different keys signed are in no chain', async () => {
  const [first, second] = await Promise.all([makeCertificate('istiod', true), makeCertificate('istiod', true)]);
  const { east, peer } = program(first);
  expect(() => east.addPeer(peer('bank', second))).not.toThrow();
});
