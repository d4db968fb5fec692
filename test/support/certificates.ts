/**
 * Certificates for refusals, made when the tests run: no key is kept anywhere.
 */
import 'reflect-metadata';
import { webcrypto } from 'crypto';
import * as x509 from '@peculiar/x509';

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

export interface Made {
  readonly certificate: string;
  readonly privateKey: string;
  /** The same authority with another certificate. */
  readonly renewed: string;
}

export async function makeCertificate(name: string, ca: boolean): Promise<Made> {
  x509.cryptoProvider.set(webcrypto as unknown as Parameters<typeof x509.cryptoProvider.set>[0]);
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const issue = async (serialNumber: string) => (await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber, name: `CN=${name}`, keys, signingAlgorithm: algorithm, extensions: [new x509.BasicConstraintsExtension(ca, undefined, true)],
  })).toString('pem');
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey));
  return { certificate: await issue('01'), renewed: await issue('02'), privateKey: x509.PemConverter.encode(pkcs8, 'PRIVATE KEY') };
}
