/**
 * Generates the public root certificates of the demo and of the golden scenarios. The private keys only exist in this process, so nobody
 * can issue certificates with these roots.
 *
 *     npx projen demo:trust
 */
import 'reflect-metadata';
import { webcrypto } from 'crypto';
import { mkdirSync, writeFileSync } from 'fs';
import { join } from 'path';
import * as x509 from '@peculiar/x509';

const root = join(__dirname, '..');
const FOLDERS: { [folder: string]: string[] } = {
  'examples/bookinfo/trust': ['east', 'west'],
  'test/trust': [
    'audit', 'bank', 'cloud', 'core', 'data', 'east', 'east-boundary', 'east-boundary-next', 'north', 'onprem', 'retail', 'shop', 'standby', 'web',
    'west', 'west-boundary',
  ],
};

/** CAs that also sign an empty CRL. */
const WITH_CRL = ['west-boundary'];
const VALID = { from: new Date('2026-01-01T00:00:00Z'), to: new Date('2046-01-01T00:00:00Z') };

async function publicRoot(meshName: string): Promise<{ root: string; list: string }> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const keys = await webcrypto.subtle.generateKey(algorithm, false, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: Buffer.from(webcrypto.getRandomValues(new Uint8Array(15))).toString('hex'),
    name: `O=${meshName}.example, CN=${meshName} mesh root`,
    notBefore: VALID.from,
    notAfter: VALID.to,
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true), // eslint-disable-line no-bitwise
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  const list = await x509.X509CrlGenerator.create({
    issuer: certificate.subject, thisUpdate: VALID.from, nextUpdate: VALID.to, signingAlgorithm: algorithm, signingKey: keys.privateKey,
  });
  return { root: `${certificate.toString('pem')}\n`, list: `${x509.PemConverter.encode(list.rawData, 'X509 CRL')}\n` };
}

async function main(): Promise<void> {
  x509.cryptoProvider.set(webcrypto as unknown as Parameters<typeof x509.cryptoProvider.set>[0]);
  for (const [folder, meshes] of Object.entries(FOLDERS)) {
    mkdirSync(join(root, folder), { recursive: true });
    for (const meshName of meshes) {
      const { root: certificate, list } = await publicRoot(meshName);
      writeFileSync(join(root, folder, `${meshName}.pem`), certificate);
      if (WITH_CRL.includes(meshName)) writeFileSync(join(root, folder, `${meshName}.crl`), list);
    }
  }
}

void main();
