import { containsPrivateKey, isSigningKey } from '../private-keys';
import type { Rule } from '../rule';

export const privateKeys: Rule = {
  name: 'private-keys',
  recommendation: 'Manifests must not contain private keys: whoever reads the repository could impersonate the gateway.',
  fix: 'Treat the key as leaked. Use the identity that the mesh issues to its gateways, or a Secret that is generated in the cluster (GatewayCredential).',
  errorsIn: ({ document }) => keysIn(document, document, []).map((path) => `${path} contains a private key`),
};

/** Paths of the fields that contain a private key. */
function keysIn(document: any, value: unknown, path: string[]): string[] {
  if (typeof value === 'string') return isTlsKey(document, path, value) || containsPrivateKey(value) ? [path.join('.')] : [];
  if (value === null || typeof value !== 'object') return [];
  if (isSigningKey(value)) return [path.join('.')];
  return Object.entries(value).flatMap(([key, child]) => keysIn(document, child, [...path, key]));
}

/** A text that a tool replaces in the pipeline or in the cluster, or that only it can decrypt. */
const PLACEHOLDER = /^(?:ENC\[|<path:|\$\{|\{\{|vault:)/;

/** The key of a Secret for TLS, in whatever form. */
function isTlsKey({ kind }: any, path: string[], text: string): boolean {
  return kind === 'Secret' && /^(?:data|stringData)\.tls\.key$/.test(path.join('.')) && text !== '' && !PLACEHOLDER.test(text);
}
