import { Der, inside, INTEGER, OBJECT_IDENTIFIER, OCTET_STRING, readFirst, SEQUENCE } from '../pki/der';

/*
 * Bytes of private keys: DER (RFC 5208, 5915, 8017), encrypted or not, OpenSSH, PGP, and keystores with a private key.
 */

const OPENSSH = 'openssh-key-v1\0';
/** Java keystores (JKS, JCEKS). */
const JAVA_KEYSTORES = ['feedfeed', 'cececece'];
/** Algorithms that encrypt a key with a password (PKCS #5, PKCS #12), as the beginnings of their object identifiers. */
const PASSWORD_BASED = /^2a864886f70d01(?:05|0c01)/;
/** Object identifiers of the bags of PKCS #12 that contain a key: keyBag and pkcs8ShroudedKeyBag. */
const KEY_BAGS = ['2a864886f70d010c0a0101', '2a864886f70d010c0a0102'].map((hex) => Buffer.from(`060b${hex}`, 'hex'));

/** Whether bytes are a private key or a keystore that contains one. */
export function isPrivateKey(bytes: Buffer): boolean {
  switch (bytes[0]) {
    case SEQUENCE: return isDerKey(bytes);
    case 0x6f: return bytes.subarray(0, OPENSSH.length).toString('latin1') === OPENSSH;
    case 0xfe: case 0xce: return isJavaKeystore(bytes);
    default: return false;
  }
}

/** What DER of a private key begins with: a sequence and version 0 or 1, or the algorithm of an encrypted key. */
const DER_START = /^30(?:[0-7].|81..|82.{4})(?:02010[01]|30(?:[0-7].|81..)06092a864886f70d0105|30(?:[0-7].|81..)060a2a864886f70d010c01)/;
/** What encrypted keys of Sigstore begin with: JSON. */
const SIGSTORE_START = '{"kdf"';
/** What PGP keys begin with: the packet tag of a secret key. */
const PGP_START = [0x94, 0x95, 0x96, 0x97, 0xc5];

/** Whether the content of a PEM block begins like a private key. The rest of it may be missing. */
export function beginsLikeKey(bytes: Buffer): boolean {
  const start = bytes.subarray(0, 24);
  return DER_START.test(start.toString('hex')) || [OPENSSH.slice(0, 8), SIGSTORE_START].some((text) => start.toString('latin1').startsWith(text));
}

/** Whether the content of a block of PGP begins like a private key. */
export function beginsLikePgpKey(bytes: Buffer): boolean {
  return PGP_START.includes(bytes[0]);
}

function isDerKey(bytes: Buffer): boolean {
  try {
    const whole = readFirst(bytes);
    const values = inside(whole, SEQUENCE);
    return isPkcs8(values) || isPkcs1(values) || isSec1(values) || isEncrypted(values) || isKeystore(values, whole);
  } catch {
    return false;
  }
}

/** PKCS #8, also of algorithms that Node.js does not know: version, algorithm, key. */
function isPkcs8([version, algorithm, key]: Der[]): boolean {
  return isVersion(version) && key?.tag === OCTET_STRING && inside(algorithm, SEQUENCE)[0]?.tag === OBJECT_IDENTIFIER;
}

/** Keys of RSA and DSA: a version and at least five numbers. */
function isPkcs1([version, ...numbers]: Der[]): boolean {
  return isVersion(version) && numbers.length >= 5 && numbers.slice(0, 5).every(({ tag }) => tag === INTEGER) && numbers[0].content.length >= 64;
}

/** Keys of elliptic curves: version 1 and the key. */
function isSec1([version, key, ...others]: Der[]): boolean {
  return isVersion(version) && key?.tag === OCTET_STRING && key.content.length >= 24
    && key.content.length <= 72 && others.every(({ tag }) => tag >= 0xa0);
}

function isEncrypted([algorithm, key, ...others]: Der[]): boolean {
  return algorithm?.tag === SEQUENCE && key?.tag === OCTET_STRING && others.length === 0
    && PASSWORD_BASED.test(inside(algorithm, SEQUENCE)[0]?.content.toString('hex'));
}

/** PKCS #12 with a bag for a key. A trust store has no such bag. */
function isKeystore([version, content]: Der[], { whole }: Der): boolean {
  return version?.tag === INTEGER && version.content.equals(Buffer.from([3]))
    && content?.tag === SEQUENCE && KEY_BAGS.some((bag) => whole.includes(bag));
}

function isVersion(value: Der | undefined): boolean {
  return value?.tag === INTEGER && value.content.length === 1 && value.content[0] <= 1;
}

/** A Java keystore whose first entry is a private key. Trust stores contain certificates only. */
function isJavaKeystore(bytes: Buffer): boolean {
  return bytes.length > 16 && JAVA_KEYSTORES.includes(bytes.subarray(0, 4).toString('hex')) && bytes.readUInt32BE(12) === 1;
}
