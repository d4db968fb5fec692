import { createPrivateKey } from 'crypto';
import { secretIn } from '../pki/jwks';

/*
 * Private keys in texts, in every form that a manifest can hold: PEM, DER in base64, JWK as JSON or YAML, and base64 of
 * any of them.
 */

/** Layers of base64: a Secret in the text of a ConfigMap has two. */
const MAX_LAYERS = 3;

/** Whether a text contains a private key. */
export function containsPrivateKey(text: string, layer = 0): boolean {
  if (isPem(text) || isSigningKeyText(text) || isEmbedded(text, layer)) return true;
  const bytes = fromBase64(text);
  return bytes !== undefined && layer < MAX_LAYERS && (isDer(bytes) || containsPrivateKey(bytes.toString('latin1'), layer + 1));
}

const BEGIN = /-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----/g;
/** What may stand between the words of base64 in a PEM block: line breaks, also escaped, and quotes of a programming language. */
const BETWEEN = /(?:\\r|\\n|[\s"'+,|>\\])+/;
/** A line of base64, with capital letters and others: a word of prose has one or the other. */
const KEY_LINE = /^(?=.*[A-Z])(?=.*[a-z\d])[\w+/]{8,}=*$/;
/** What DER, OpenSSH and PGP keys begin with. */
const KEY_START = /^(?:M[A-P]|b3BlbnNzaC|l[A-Z])/;
const SHORTEST_LINE = 16;

/** A PEM block, not prose about one: after the first line comes base64 that begins like a key. */
function isPem(text: string): boolean {
  for (const begin of text.includes('PRIVATE KEY') ? text.matchAll(BEGIN) : []) {
    const rest = text.slice(begin.index + begin[0].length);
    const end = rest.indexOf('-----END');
    const block = end < 0 ? rest : rest.slice(0, end);
    if (/^DEK-Info:/m.test(block)) return true; // an encrypted key, whatever its first bytes are
    // Header lines of PGP.
    const words = block.replace(/^(?:Version|Comment|Charset):.*$/gm, '').split(BETWEEN).filter((word) => word !== '');
    const [first = ''] = words;
    if (KEY_LINE.test(first) && (KEY_START.test(first) || first.length >= SHORTEST_LINE)) return true;
  }
  return false;
}

const JWK = /["']?kty["']?\s*[:=]\s*["']?(?:RSA|EC|OKP|oct|AKP)\b/;
/** A member with which a JWK signs, in JSON or YAML. `k` is a shared secret. */
const SECRET_MEMBER = /(?:^|[\s{,"'])(?:d|p|q|dp|dq|qi|k|priv)["']?\s*[:=]\s*["']?[\w-]{8,}/m;

/** A private JWK in JSON at any depth, or in YAML or a program text. */
function isSigningKeyText(text: string): boolean {
  if (!text.includes('kty')) return false;
  try {
    return containsSigningKey(JSON.parse(text));
  } catch {
    return JWK.test(text) && SECRET_MEMBER.test(text);
  }
}

/** Whether an object, or one inside it, is a private JWK. */
function containsSigningKey(value: any): boolean {
  if (value === null || typeof value !== 'object') return false;
  return isSigningKey(value) || Object.values(value).some(containsSigningKey);
}

/** Whether an object is a private JWK itself. In a JSON schema of JWKs the members are objects. */
export function isSigningKey(value: any): boolean {
  return typeof value?.kty === 'string' && secretIn(value) !== undefined;
}

/** Base64 of `-----BEGIN` inside another text, such as a kubeconfig. */
const BASE64_OF_PEM = /LS0tLS1CRUdJTi[\w+/=]+/g;

function isEmbedded(text: string, layer: number): boolean {
  if (layer >= MAX_LAYERS || !text.includes('LS0tLS1CRUdJTi')) return false;
  return [...text.matchAll(BASE64_OF_PEM)].some(([word]) => containsPrivateKey(Buffer.from(word, 'base64').toString('latin1'), layer + 1));
}

const BASE64 = /^[\w+/-]+={0,2}$/;
const SHORTEST_KEY = 24;

function fromBase64(text: string): Buffer | undefined {
  if (text.length < SHORTEST_KEY) return undefined;
  const word = /\s/.test(text) ? text.replace(/\s+/g, '') : text;
  return BASE64.test(word) ? Buffer.from(word, 'base64') : undefined;
}

/** DER of a private key. All three forms begin with a sequence and a version. */
function isDer(bytes: Buffer): boolean {
  if (bytes[0] !== 0x30 || !/^30(?:[0-7].|8[12](?:..){1,2})0201/.test(bytes.subarray(0, 8).toString('hex'))) return isEncryptedDer(bytes);
  return (['pkcs8', 'pkcs1', 'sec1'] as const).some((type) => {
    try {
      return createPrivateKey({ key: bytes, format: 'der', type }) !== undefined;
    } catch {
      return false;
    }
  });
}

/** Object identifier of PBES2, with which PKCS #8 encrypts a key: 1.2.840.113549.1.5.13. */
const PBES2 = '06092a864886f70d01050d';

function isEncryptedDer(bytes: Buffer): boolean {
  return bytes[0] === 0x30 && bytes.subarray(0, 20).toString('hex').includes(PBES2);
}
