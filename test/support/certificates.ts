/**
 * Certificates and revocation lists, generated when the tests run. No private key is stored.
 */
import 'reflect-metadata';
import { webcrypto } from 'crypto';
import * as x509 from '@peculiar/x509';

type Algorithm = RsaHashedKeyGenParams | (EcKeyGenParams & { hash: string }) | { name: 'Ed25519' };
interface RsaHashedKeyGenParams { name: string; hash: string; modulusLength: number; publicExponent: Uint8Array }
interface EcKeyGenParams { name: string; namedCurve: string }

export const EC = (namedCurve: string): Algorithm => ({ name: 'ECDSA', namedCurve, hash: 'SHA-256' });
export const ED25519: Algorithm = { name: 'Ed25519' };
const ECDSA = EC('P-256');
export const RSA: RsaHashedKeyGenParams = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-384', modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) };
export const RSA_SHA1: Algorithm = { ...RSA, hash: 'SHA-1' };
export const RSA_1024: Algorithm = { ...RSA, modulusLength: 1024 };
/** A key that may sign certificates, and no lists. */
export const NO_LISTS = new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true);
/** A key that may sign lists, and no certificates. */
export const LISTS_ONLY = new x509.KeyUsagesExtension(x509.KeyUsageFlags.cRLSign, true);
/** A delta CRL: it lists only the changes since another list. */
export const CHANGES_ONLY = new x509.Extension('2.5.29.27', true, new Uint8Array([2, 1, 1]));
/** An extension of so many bytes, which nobody reads. */
export const padding = (bytes: number) => new x509.Extension('1.3.6.1.4.1.99999.1', false, new Uint8Array(bytes));

export interface Made {
  readonly certificate: string;
  readonly privateKey: string;
  /** Another certificate of the same authority. */
  readonly renewed: string;
  /** Creates a revocation list that it signs, with its own name or another one as issuer. */
  list(name?: string, ...extensions: x509.Extension[]): Promise<string>;
  /** Creates a revocation list that is signed with ECDSA and SHA-1. */
  weakList(): Promise<string>;
  /** Creates a CA below this one. With `key`, it is another certificate for the key of that CA. */
  issue(name: string, key?: Made): Promise<Made>;
}

export async function makeCertificate(name: string, ca: boolean, algorithm: Algorithm = ECDSA, ...extensions: x509.Extension[]): Promise<Made> {
  x509.cryptoProvider.set(webcrypto as unknown as Parameters<typeof x509.cryptoProvider.set>[0]);
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']) as webcrypto.CryptoKeyPair;
  const extended = [new x509.BasicConstraintsExtension(ca, undefined, true), ...extensions];
  const selfSigned = async (serialNumber: string) => (await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber,
    name: `CN=${name}`,
    keys,
    signingAlgorithm: algorithm,
    extensions: extended,
  })).toString('pem');
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey));
  return {
    certificate: await selfSigned('01'),
    renewed: await selfSigned('02'),
    privateKey: x509.PemConverter.encode(pkcs8, 'PRIVATE KEY'),
    list: (issuer = name, ...more) => listOf(issuer, keys.privateKey, algorithm, more),
    weakList: () => listOf(name, keys.privateKey, { ...ECDSA, hash: 'SHA-1' } as Algorithm),
    issue: async (subject, key) => {
      const issued = key ?? await makeCertificate(subject, true);
      const publicKey = new x509.X509Certificate(issued.certificate).publicKey;
      const certificate = await x509.X509CertificateGenerator.create({
        serialNumber: '03', subject: `CN=${subject}`, issuer: `CN=${name}`, publicKey, signingKey: keys.privateKey, signingAlgorithm: algorithm, extensions: extended,
      });
      return { ...issued, certificate: certificate.toString('pem') };
    },
  };
}

async function listOf(
  issuer: string, signingKey: webcrypto.CryptoKey, signingAlgorithm: Algorithm, extensions: x509.Extension[] = [],
): Promise<string> {
  return pemOf(await x509.X509CrlGenerator.create({
    issuer: `CN=${issuer}`,
    thisUpdate: new Date('2026-01-01T00:00:00Z'),
    nextUpdate: new Date('2026-02-01T00:00:00Z'),
    entries: [{ serialNumber: '0a' }],
    extensions,
    signingAlgorithm,
    signingKey,
  }));
}

/** Encodes a list as PEM with the usual label `X509 CRL`. */
export function pemOf(list: x509.X509Crl): string {
  return `${x509.PemConverter.encode(list.rawData, 'X509 CRL')}\n`;
}
