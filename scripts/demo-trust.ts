/**
 * Makes the public root certificates of the demo and of the golden scenarios. The keys live in this process only and are gone when it
 * ends: nobody can issue anything with these roots.
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
  'test/trust': ['audit', 'bank', 'cloud', 'core', 'data', 'east', 'north', 'onprem', 'retail', 'shop', 'standby', 'web', 'west'],
};

async function publicRoot(meshName: string): Promise<string> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const keys = await webcrypto.subtle.generateKey(algorithm, false, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: Buffer.from(webcrypto.getRandomValues(new Uint8Array(15))).toString('hex'),
    name: `O=${meshName}.example, CN=${meshName} mesh root`,
    notBefore: new Date('2026-01-01T00:00:00Z'),
    notAfter: new Date('2046-01-01T00:00:00Z'),
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true), // eslint-disable-line no-bitwise
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return `${certificate.toString('pem')}\n`;
}

async function main(): Promise<void> {
  x509.cryptoProvider.set(webcrypto as unknown as Parameters<typeof x509.cryptoProvider.set>[0]);
  for (const [folder, meshes] of Object.entries(FOLDERS)) {
    mkdirSync(join(root, folder), { recursive: true });
    for (const meshName of meshes) writeFileSync(join(root, folder, `${meshName}.pem`), await publicRoot(meshName));
  }
}

void main();
