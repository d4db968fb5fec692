import { secretIn } from '../../pki/jwks';
import type { Rule } from '../rule';

const PRIVATE_KEY = /-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----/;

export const privateKeys: Rule = {
  name: 'private-keys',
  recommendation: 'Manifests must not contain private keys: whoever reads the repository could impersonate the gateway.',
  fix: 'Treat the key as leaked. Use the identity that the mesh issues to its gateways, or a Secret that is generated in the cluster (GatewayCredential).',
  errorsIn,
};

function errorsIn(document: any): string[] {
  return stringsIn(document).flatMap(({ path, text }) => {
    const isBase64 = document.kind === 'Secret' && path.startsWith('data.') || document.kind === 'ConfigMap' && path.startsWith('binaryData.');
    const readings = isBase64 ? [text, Buffer.from(text, 'base64').toString('latin1')] : [text];
    const isTls = document.kind === 'Secret' && /^(?:data|stringData)\.tls\.key$/.test(path) && text !== '';
    return isTls || readings.some((reading) => PRIVATE_KEY.test(reading) || containsSigningKey(reading)) ? [`${path} contains a private key`] : [];
  });
}

/** Whether a string is a private JWK, a list with one, or a JWK set with one. */
function containsSigningKey(text: string): boolean {
  if (!text.includes('"kty"')) return false;
  try {
    const parsed = JSON.parse(text);
    const keys = Array.isArray(parsed.keys) ? parsed.keys : [parsed].flat();
    return keys.some((key: any) => key?.kty !== undefined && secretIn(key) !== undefined);
  } catch {
    return false;
  }
}

function stringsIn(value: unknown, path: string[] = []): { readonly path: string; readonly text: string }[] {
  if (typeof value === 'string') return [{ path: path.join('.'), text: value }];
  if (value === null || typeof value !== 'object') return [];
  return Object.entries(value).flatMap(([key, child]) => stringsIn(child, [...path, key]));
}
