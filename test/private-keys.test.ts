import { createCipheriv, generateKeyPairSync, KeyExportOptions, KeyObject, randomBytes } from 'crypto';
import { deflateRawSync, deflateSync, gzipSync } from 'zlib';
import { stringify } from 'yaml';
import { Manifest } from './support/manifests';
import { trustOf } from './support/meshes';
import { violationsIn } from './support/plugin';

/*
 * BoundaryValidation finds private keys in every form and place, and takes nothing else for a key. All keys are generated here.
 */

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const ed = generateKeyPairSync('ed25519');
const pem = (key: KeyObject, options: object = { type: 'pkcs8' }) => key.export({ format: 'pem', ...options } as KeyExportOptions<'pem'>) as string;
const der = (key: KeyObject, options: object = { type: 'pkcs8' }) => key.export({ format: 'der', ...options } as KeyExportOptions<'der'>) as unknown as Buffer;
const jwk = (key: KeyObject) => key.export({ format: 'jwk' });
const base64 = (value: string | Buffer) => Buffer.from(value as string).toString('base64');
const ENCRYPTED = { type: 'pkcs8', cipher: 'aes-256-cbc', passphrase: 'secret' };
const LABEL = 'PRIVATE KEY-----';

const object = (kind: string, rest: object, apiVersion = 'v1'): Manifest => ({ apiVersion, kind, metadata: { name: 'mine', namespace: 'shop' }, ...rest });
const configMap = (text: string) => object('ConfigMap', { data: { field: text } });
const found = async (...documents: Manifest[]) => (await violationsIn({ 'shop.yaml': documents })).map((text) => text.replace('private-keys: ', ''));
const IN_FIELD = ['ConfigMap shop/mine: data.field contains a private key'];

/** The form of OpenSSL 1 for an encrypted key. */
function encryptedPem(): string {
  const cipher = createCipheriv('aes-128-cbc', randomBytes(16), randomBytes(16));
  const body = Buffer.concat([cipher.update(der(ec.privateKey)), cipher.final()]).toString('base64').replace(/.{64}/g, '$&\n');
  return `-----BEGIN EC ${LABEL}\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,${randomBytes(16).toString('hex')}\n\n${body}\n-----END EC ${LABEL}\n`;
}

const openSsh = `-----BEGIN OPENSSH ${LABEL}\n${base64(Buffer.concat([Buffer.from('openssh-key-v1\0'), randomBytes(120)])).replace(/.{70}/g, '$&\n')}\n-----END OPENSSH ${LABEL}\n`;

const KEYS: [title: string, text: string][] = [
  ['PKCS #8', pem(rsa.privateKey)],
  ['PKCS #1', pem(rsa.privateKey, { type: 'pkcs1' })],
  ['SEC 1', pem(ec.privateKey, { type: 'sec1' })],
  ['Ed25519', pem(ed.privateKey)],
  ['encrypted PKCS #8', pem(rsa.privateKey, ENCRYPTED)],
  ['a PEM block with the header lines of an encrypted key', encryptedPem()],
  ['an OpenSSH key', openSsh],
  ['a PEM block behind a certificate', trustOf('east')._pem + pem(ec.privateKey)],
  ['an indented PEM block in YAML', stringify({ nested: { key: pem(ec.privateKey) } })],
  ['a PEM block in JSON', JSON.stringify({ key: pem(ec.privateKey) })],
  ['a PEM block in JSON in JSON', JSON.stringify(JSON.stringify({ key: pem(ec.privateKey) }))],
  ['a PEM block on one line', pem(ec.privateKey).replace(/\n/g, ' ')],
  ['a PEM block with carriage returns', pem(ec.privateKey).replace(/\n/g, '\r\n')],
  ['a PEM block without its last line', pem(ec.privateKey).split('-----END')[0]],
  ['base64 of a PEM block', base64(pem(ec.privateKey))],
  ['base64 of a PEM block in lines', base64(pem(rsa.privateKey)).replace(/.{76}/g, '$&\n')],
  ['base64 of base64 of a PEM block', base64(base64(pem(ec.privateKey)))],
  ['base64 of a PEM block in a kubeconfig', stringify({ users: [{ name: 'a', user: { 'client-key-data': base64(pem(ec.privateKey)) } }] })],
  ['base64 of a text with a PEM block', base64(`# notes\n${pem(ec.privateKey)}`)],
  ['DER of PKCS #8', base64(der(rsa.privateKey))],
  ['DER of PKCS #1', base64(der(rsa.privateKey, { type: 'pkcs1' }))],
  ['DER of SEC 1', base64(der(ec.privateKey, { type: 'sec1' }))],
  ['DER of Ed25519', base64(der(ed.privateKey))],
  ['DER of encrypted PKCS #8', base64(der(rsa.privateKey, ENCRYPTED))],
  ['DER in base64url', der(ec.privateKey).toString('base64url')],
  ['a JWK of RSA', JSON.stringify(jwk(rsa.privateKey))],
  ['a JWK of EC', JSON.stringify(jwk(ec.privateKey))],
  ['a JWK of Ed25519', JSON.stringify(jwk(ed.privateKey))],
  ['a JWK of a shared secret', JSON.stringify({ kty: 'oct', k: randomBytes(32).toString('base64url') })],
  ['a JWK set', JSON.stringify({ keys: [jwk(rsa.publicKey), jwk(ec.privateKey)] })],
  ['a JWK set in a field', JSON.stringify({ jwks: { keys: [jwk(ec.privateKey)] } })],
  ['a JWK set in lists', JSON.stringify([[{ issuer: { jwks: { keys: [jwk(ec.privateKey)] } } }]])],
  ['a JWK as YAML', stringify(jwk(ec.privateKey))],
  ['a JWK set as YAML', stringify({ issuers: [{ name: 'a', jwks: { keys: [jwk(rsa.privateKey)] } }] })],
  ['a JWK in a text of JavaScript', `module.exports = { kty: 'EC', crv: 'P-256', d: '${jwk(ec.privateKey).d}' };`],
  ['base64 of a JWK', base64(JSON.stringify(jwk(ec.privateKey)))],
  ['base64 of DER behind a name', `# settings\nsigning.key=${base64(der(ec.privateKey))}\nother=1\n`],
  ['base64 of DER behind a path', `keys/${base64(der(ec.privateKey))}`],
  ['base64 of DER in lines, inside a text', `key: |\n${base64(der(rsa.privateKey)).replace(/.{64}/g, '  $&\n')}\nother: 1\n`],
  ['base64 of DER with escaped line ends', `key="${base64(der(rsa.privateKey)).replace(/.{64}/g, '$&\\n')}"`],
  ['DER in a data URL', `data:application/octet-stream;base64,${base64(der(ec.privateKey))}`],
  ['a JWK in a data URL', `data:application/json;base64,${base64(JSON.stringify(jwk(ec.privateKey)))}`],
  ['a JWK as a string in JSON', JSON.stringify({ config: { key: JSON.stringify(jwk(ec.privateKey)) } })],
  ['a JWK in a variable', `export SIGNING_KEY='${JSON.stringify(jwk(ec.privateKey))}'`],
  ['a JWK with escaped quotes in a variable', `SIGNING_KEY="${JSON.stringify(jwk(rsa.privateKey)).replaceAll('"', '\\"')}"`],
  ['base64url of a JWK', Buffer.from(JSON.stringify(jwk(ed.privateKey))).toString('base64url')],
  ['a PEM block with percent-encoded line ends', pem(ec.privateKey).replaceAll('\n', '%0A')],
  ['a percent-encoded PEM block', encodeURIComponent(pem(ec.privateKey))],
  ['a PEM block in a form', `key=${encodeURIComponent(pem(rsa.privateKey)).replaceAll('%20', '+')}&b=c`],
  ['a PEM block with line ends of XML', pem(ec.privateKey).replaceAll('\n', '&#10;')],
  ['a PEM block with hexadecimal line ends of XML', pem(ec.privateKey).replaceAll('\n', '&#xA;')],
  ['a PEM block with "\\n" in place of line ends', pem(ec.privateKey).replaceAll('\n', '\\n')],
  ['a PEM block with "\\r\\n" in place of line ends', pem(ec.privateKey).replaceAll('\n', '\\r\\n')],
  ['a PEM block with Unicode escapes', pem(ec.privateKey).replaceAll('\n', '\\u000a').replaceAll('-', '\\u002d')],
  ['a PEM block in lines of a program', pem(rsa.privateKey).trim().split('\n').map((line) => `"${line}\\n"`).join(' +\n  ')],
  ['a PEM block behind the signs of a comment', pem(ec.privateKey).replace(/^/gm, '# ')],
  ['base64 of a PEM block in UTF-16', Buffer.from(pem(ec.privateKey), 'utf16le').toString('base64')],
  ['base64 of a PEM block in UTF-16 with a byte order mark', Buffer.from(`\ufeff${pem(ec.privateKey)}`, 'utf16le').toString('base64')],
  ['base64 of a PEM block in UTF-16 of the other order', Buffer.from(pem(ec.privateKey), 'utf16le').swap16().toString('base64')],
  ['the body of an OpenSSH key', openSsh.split('\n').slice(1, -2).join('\n')],
  ['base64 of an OpenSSH key', base64(openSsh)],
  ['DER in hexadecimal', der(ec.privateKey).toString('hex')],
  ['DER in hexadecimal capitals inside a text', `key: ${der(ed.privateKey).toString('hex').toUpperCase()}`],
  ['DER in hexadecimal with colons', der(ec.privateKey).toString('hex').replace(/..(?=.)/g, '$&:')],
  ['a PEM block in hexadecimal', Buffer.from(pem(ec.privateKey)).toString('hex')],
  ['base64 of base64 of base64 of a PEM block', base64(base64(base64(pem(ec.privateKey))))],
  ['base64 of a compressed PEM block', gzipSync(pem(rsa.privateKey)).toString('base64')],
  ['base64 of base64 of a compressed JSON, as Helm has it', base64(gzipSync(JSON.stringify({ manifest: `a: |\n${pem(ec.privateKey)}` })).toString('base64'))],
  ['DER of a key for DSA', base64(der(generateKeyPairSync('dsa', { modulusLength: 1024, divisorLength: 160 }).privateKey))],
  ['DER of a key of an algorithm that Node.js does not know', base64(postQuantum())],
  ['PKCS #12 with an encrypted key', base64(pkcs12('2a864886f70d010c0a0102'))],
  ['PKCS #12 with a key', base64(pkcs12('2a864886f70d010c0a0101'))],
  ['a Java keystore with a key', javaKeystore(1)],
  ['a key of PuTTY', `PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\nPrivate-Lines: 1\n${randomBytes(36).toString('base64')}\n`],
  ['a key of age', `# created\nAGE-SECRET-KEY-1${'Q'.repeat(58)}\n`],
];

const rsaDer = der(rsa.privateKey);
const rsaPem = pem(rsa.privateKey);
const hex = der(ec.privateKey).toString('hex');
const inLines = (text: string, length: number) => text.match(new RegExp(`.{1,${length}}`, 'g'))!;
const numbered = (text: string) => text.split('\n').map((line, index) => `${String(index + 8).padStart(4)}: ${line}`).join('\n');
const logged = (text: string) => text.split('\n').map((line) => `2026-01-01T00:00:00.000Z INFO [main] ${line}`).join('\n');
const commented = (text: string, sign: string) => text.replace(/^/gm, sign);
const members = (key: KeyObject) => Object.entries(jwk(key)) as [string, string][];
const number = (member: string) => Buffer.from(members(rsa.privateKey).find(([name]) => name === member)![1], 'base64url').toString('base64');

/** A tar file with one entry. */
function tar(content: string | Buffer): Buffer {
  const header = Buffer.alloc(512);
  header.write('key.pem', 0);
  header.write(Buffer.from(content).length.toString(8).padStart(11, '0'), 124);
  header.write('ustar', 257);
  const body = Buffer.from(content as string);
  return Buffer.concat([header, body, Buffer.alloc(10_240 - 512 - body.length)]);
}

/** A zip file with two entries. */
function zip(content: string, method: 0 | 8): Buffer {
  const entry = (name: string, text: string) => {
    const header = Buffer.alloc(30);
    header.write('PK\x03\x04', 0, 'latin1');
    header[8] = method;
    header[26] = name.length;
    return Buffer.concat([header, Buffer.from(name), method === 0 ? Buffer.from(text) : deflateRawSync(text)]);
  };
  return Buffer.concat([entry('a.txt', 'nothing secret'), entry('key.pem', content), Buffer.from('PK\x01\x02\x00\x00', 'latin1'), Buffer.alloc(42)]);
}

/** Lines of 16 bytes, like xxd and hexdump have them. */
function dump(bytes: Buffer, group: RegExp, address: string, ascii: (text: string) => string): string {
  return inLines(bytes.toString('hex'), 32).map((line, index) =>
    `${(index * 16).toString(16).padStart(8, '0')}${address}${line.replace(group, '$& ')} ${ascii(Buffer.from(line, 'hex').toString('latin1').replace(/[^ -~]/g, '.'))}`).join('\n');
}

const IN_OTHER_FORMS: [title: string, text: string][] = [
  ['a compressed tar file with a PEM block', base64(gzipSync(tar(pem(ec.privateKey))))],
  ['a compressed tar file with DER', base64(gzipSync(tar(der(ec.privateKey))))],
  ['a tar file with a PEM block', base64(tar(rsaPem))],
  ['a zip file with a PEM block', base64(zip(rsaPem, 8))],
  ['a zip file that is not compressed', base64(zip(pem(ec.privateKey), 0))],
  ['base64 of a PEM block that zlib compressed', base64(deflateSync(rsaPem))],
  ['a compressed PEM block in front of much space', base64(gzipSync(rsaPem + ' '.repeat(900_000)))],
  ['a compressed PEM block behind much text', base64(gzipSync(`${'a'.repeat(200_000)}\n${rsaPem}`))],
  ['a compressed PEM block in lines of 20 characters', inLines(base64(gzipSync(rsaPem)), 20).join('\n')],
  ['a PEM block that is compressed twice', base64(gzipSync(gzipSync(rsaPem)))],
  ...[64, 32, 20].flatMap((length): [string, string][] => [
    [`base64 of DER in lines of ${length} characters`, inLines(base64(der(ec.privateKey)), length).join('\n')],
    [`base64 of a PEM block in lines of ${length} characters`, inLines(base64(rsaPem), length).join('\r\n')],
    [`base64 of DER of RSA in ${length} characters each, folded to one line`, inLines(base64(rsaDer), length).join(' ')],
    [`base64 of DER in strings of ${length} characters`, inLines(base64(der(ec.privateKey)), length).map((line) => `'${line}'`).join(', ')],
    [`base64 of DER behind // in lines of ${length} characters`, commented(inLines(base64(rsaDer), length).join('\n'), '// ')],
    [`base64 of DER behind # in lines of ${length} characters`, commented(inLines(base64(der(ec.privateKey)), length).join('\n'), '# ')],
  ]),
  ['base64 of DER in strings that are added', inLines(base64(rsaDer), 76).map((line) => `"${line}"`).join(' +\n    ')],
  ['base64 of DER behind line numbers', numbered(inLines(base64(rsaDer), 64).join('\n'))],
  ['base64 of DER in a log', logged(inLines(base64(der(ec.privateKey)), 64).join('\n'))],
  ['base64 of DER of Ed25519 on two lines', `${inLines(base64(der(ed.privateKey)), 40).join('\n')}`],
  ['a PEM block behind //', commented(rsaPem, '// ')],
  ['a PEM block behind //!', commented(pem(ec.privateKey), '//! ')],
  ['a PEM block behind *', commented(pem(ec.privateKey), ' * ')],
  ['a PEM block in a diff', commented(rsaPem, '+')],
  ['a PEM block behind line numbers', numbered(pem(ec.privateKey))],
  ['a PEM block in a log', logged(rsaPem)],
  ['a PEM block of PKCS #1 in a log', logged(pem(rsa.privateKey, { type: 'pkcs1' }))],
  ['an OpenSSH key behind line numbers', numbered(openSsh)],
  ['a PEM block that is percent-encoded twice', encodeURIComponent(encodeURIComponent(rsaPem))],
  ['DER in hexadecimal behind 0x', `0x${hex}`],
  ['DER in hexadecimal behind \\x', hex.replace(/../g, '\\x$&')],
  ['DER in a byte string of Python', `key = b"${hex.replace(/../g, '\\x$&')}"`],
  ['DER in hexadecimal with 0x and commas', hex.replace(/../g, '0x$&, ')],
  ['DER in an array of C', `unsigned char key[] = {\n${inLines(hex, 24).map((line) => `        ${line.replace(/../g, '0x$&,')}`).join('\n')}\n};`],
  ['DER in hexadecimal with dashes', hex.replace(/..(?=.)/g, '$&-')],
  ['DER in hexadecimal with spaces behind a word of the same digits', `deed: ${hex.replace(/../g, '$& ')}`],
  ['DER in lines of hexadecimal', inLines(hex, 32).join('\n')],
  ['the output of xxd', dump(Buffer.from(rsaPem), /..../g, ': ', (text) => text)],
  ['the output of xxd for DER', dump(der(ec.privateKey), /..../g, ': ', (text) => text)],
  ['the output of hexdump -C', dump(Buffer.from(pem(ec.privateKey)), /^.{16}|../g, '  ', (text) => `|${text}|`).replace(/^(\S+ {2})(.{16})/gm, (_, address, bytes) => address + bytes.replace(/../g, '$& '))],
  ['what openssl pkey -text prints', `Private-Key: (256 bit)\npriv:\n    ${inLines('5a'.repeat(32).replace(/..(?=.)/g, '$&:'), 45).join('\n    ')}\npub:\n    04:aa\n`],
  ['what openssl rsa -text prints', `Private-Key: (2048 bit, 2 primes)\nprivateExponent:\n    ${inLines('5a'.repeat(256).replace(/..(?=.)/g, '$&:'), 45).join('\n    ')}\n`],
  ['bytes in a text of a program', `new byte[] {${[...der(ec.privateKey)].join(', ')}}`],
  ['bytes with signs in a text of a program', `byte[] key = {\n  ${[...new Int8Array(der(ec.privateKey))].join(',\n  ')}};`],
  ['bytes with signs in JSON', JSON.stringify([...new Int8Array(der(ec.privateKey))])],
  ['an encrypted key of Sigstore', `-----BEGIN ENCRYPTED SIGSTORE ${LABEL}\n${base64('{"kdf":{"name":"scrypt"},"ciphertext":"AAAA"}')}\n-----END ENCRYPTED SIGSTORE ${LABEL}\n`],
  ['an encrypted key of cosign', `-----BEGIN ENCRYPTED COSIGN ${LABEL}\n${base64('{"kdf":{"name":"scrypt"},"ciphertext":"AAAA"}')}\n-----END ENCRYPTED COSIGN ${LABEL}\n`],
  ['a PGP key', `-----BEGIN PGP PRIVATE KEY BLOCK-----\n\n${base64(Buffer.concat([Buffer.from([0x94, 0x58, 4]), randomBytes(90)]))}\n-----END PGP PRIVATE KEY BLOCK-----`],
  ['a JWK as XML', `<key>${members(ec.privateKey).map(([name, value]) => `<${name}>${value}</${name}>`).join('')}</key>`],
  ['a JWK as a form', new URLSearchParams(members(ec.privateKey)).toString()],
  ['a JWK as a list of names and values', JSON.stringify(members(rsa.privateKey).map(([name, value]) => ({ name, value })))],
  ['RSAKeyValue in XML', `<RSAKeyValue>${['n', 'p', 'd'].map((name) => `<${name.toUpperCase()}>${number(name)}</${name.toUpperCase()}>`).join('')}</RSAKeyValue>`],
  ['a configuration of WireGuard', `[Interface]\nPrivateKey = ${base64(Buffer.from(`${'\0'.repeat(3)}a secret of WireGuard, 32 bytes`.slice(0, 32)))}\nAddress = 10.0.0.1/24\n`],
  ['a key of BIND', `Private-key-format: v1.3\nPrivateKey: ${Buffer.from(jwk(ec.privateKey).d!, 'base64url').toString('base64')}\n`],
  ['JSON in JSON, seven times', [1, 2, 3, 4, 5, 6, 7].reduce((inner) => JSON.stringify({ inner }), rsaPem)],
  ['base64 of base64, eight times', [1, 2, 3, 4, 5, 6, 7, 8].reduce((inner) => base64(inner), rsaPem)],
];

/** DER of PKCS #8 for ML-DSA-65: version, algorithm, and a seed. */
function postQuantum(): Buffer {
  return Buffer.concat([Buffer.from('3034020100300b06096086480165030403120422', 'hex'), Buffer.from('8020', 'hex'), randomBytes(32)]);
}

/** The beginning and a bag of PKCS #12: encrypted certificates are in bags of their own. */
function pkcs12(bag: string): Buffer {
  const content = Buffer.concat([Buffer.from(`020103305c06092a864886f70d010701a04f0001${`060b${bag}`}`, 'hex'), randomBytes(64)]);
  return Buffer.concat([Buffer.from([0x30, 0x81, content.length]), content]);
}

/** A Java keystore whose first entry has this tag: 1 is a key, 2 a certificate. */
function javaKeystore(tag: number): string {
  return Buffer.concat([Buffer.from(`feedfeed00000002000000010000000${tag}`, 'hex'), randomBytes(300)]).toString('base64');
}

test.each([...KEYS, ...IN_OTHER_FORMS])('private-keys reports %s in a ConfigMap', async (_, text) => {
  expect(await found(configMap(text))).toEqual(IN_FIELD);
});

test('private-keys looks at every place of a document', async () => {
  const key = pem(ec.privateKey);
  expect(await found(
    object('ConfigMap', { binaryData: { a: base64(der(ec.privateKey)) } }),
    object('Secret', { data: { a: base64(key) } }),
    object('Secret', { data: { a: base64(base64(key)) } }),
    object('Pod', { spec: { containers: [{ args: ['--key', key] }] } }),
    { ...object('Service', {}), metadata: { name: 'mine', namespace: 'shop', annotations: { key } } },
    object('Vault', { spec: { keys: [[{ deep: { jwk: jwk(ec.privateKey) } }]] } }, 'example.org/v1'),
    object('Vault', { spec: { set: { keys: [jwk(ec.publicKey), jwk(ec.privateKey)] } } }, 'example.org/v1'),
  )).toEqual([
    'ConfigMap shop/mine: binaryData.a contains a private key',
    'Secret shop/mine: data.a contains a private key',
    'Secret shop/mine: data.a contains a private key',
    'Pod shop/mine: spec.containers.0.args.1 contains a private key',
    'Service shop/mine: metadata.annotations.key contains a private key',
    'Vault shop/mine: spec.keys.0.0.deep.jwk contains a private key',
    'Vault shop/mine: spec.set.keys.1 contains a private key',
  ]);
});

test('private-keys looks at lists of lines and of bytes, at names of fields and at objects in annotations, and prints no key', async () => {
  const key = pem(ec.privateKey);
  const applied = JSON.stringify({ apiVersion: 'v1', kind: 'Secret', metadata: {}, data: { 'my.key': base64(key) } });
  const errors = await found(
    object('Vault', { spec: { lines: key.split('\n') } }, 'example.org/v1'),
    object('Vault', { spec: { lines: base64(der(rsa.privateKey)).match(/.{1,64}/g) } }, 'example.org/v1'),
    object('Vault', { spec: { bytes: [...der(ec.privateKey)] } }, 'example.org/v1'),
    object('ConfigMap', { data: { [base64(der(ec.privateKey))]: '' } }),
    object('ConfigMap', { data: { 'a.key': der(ec.privateKey).toString('latin1') } }),
    { ...object('Secret', {}), metadata: { name: 'mine', namespace: 'shop', annotations: { 'kubectl.kubernetes.io/last-applied-configuration': applied } } },
    object('Pod', { spec: { containers: [{ env: [{ name: 'KEY', value: base64(key) }], command: ['sh', '-c', `echo ${base64(key)} | base64 -d > key`] }] } }),
  );
  expect(errors).toEqual([
    'Vault shop/mine: spec.lines contains a private key',
    'Vault shop/mine: spec.lines contains a private key',
    'Vault shop/mine: spec.bytes contains a private key',
    'ConfigMap shop/mine: data has a field whose name contains a private key',
    'ConfigMap shop/mine: data.a.key contains a private key',
    'Secret shop/mine: metadata.annotations.kubectl.kubernetes.io/last-applied-configuration contains a private key',
    'Pod shop/mine: spec.containers.0.command.2 contains a private key',
    'Pod shop/mine: spec.containers.0.env.0.value contains a private key',
  ].sort((a, b) => errors.indexOf(a) - errors.indexOf(b)));
});

test('private-keys looks into a document that is a text or a list', async () => {
  expect(await found(pem(ec.privateKey))).toEqual(['document without kind: content contains a private key']);
  expect(await found([{ op: 'add', value: pem(ec.privateKey) }])).toEqual(['document without kind: content.0.value contains a private key']);
});

test('private-keys looks at the items of lists, at items without kind, and at other fields of a list', async () => {
  const key = pem(ec.privateKey);
  expect(await found({ apiVersion: 'v1', kind: 'List', items: [{ apiVersion: 'v1', kind: 'List', items: [configMap(key)] }] })).toEqual(IN_FIELD);
  expect(await found({ apiVersion: 'v1', kind: 'ConfigMapList', items: [{ metadata: { name: 'mine', namespace: 'shop' }, data: { field: key } }] })).toEqual(IN_FIELD);
  expect(await found({ apiVersion: 'v1', kind: 'SecretList', items: [{ metadata: { name: 'mine', namespace: 'shop' }, data: { 'tls.key': 'AAAA' } }] }))
    .toEqual(['Secret shop/mine: data.tls.key contains a private key']);
  expect(await found(object('AllowList', { items: [configMap('a')], spec: { key } }, 'example.org/v1'))).toEqual(['AllowList shop/mine: spec.key contains a private key']);
  expect(await found(object('AllowList', { items: ['a', key] }, 'example.org/v1'))).toEqual(['AllowList shop/mine: items.1 contains a private key']);
});

const BEGIN = `-----BEGIN ${LABEL}`;
const END = `-----END ${LABEL}`;
const PLACEHOLDERS = [
  '<tls-key>', '<base64 of the key>', 'ref+vault://secret/data/teams/payments/tls#/key', 'vault:secret/data/teams/payments/tls#key', 'op://vault/item/key', '${TLS_KEY}', '$(TLS_KEY)',
  '{{ .Values.tls.key }}', '{{ .Values.tls.key | b64enc | quote }}', '"{{ .tls.key }}"', '{% include "key" %}', '%TLS_KEY%', '@@TLS_KEY@@', '__TLS_KEY__', 'REPLACE_ME', 'changeme',
  'your key goes here', `${BEGIN}\n<insert>\n${END}`, `${BEGIN}\n${END}\n`, `${BEGIN}\nREPLACE_ME\n${END}`, 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:tls',
  'ENC[AES256_GCM,data:p673w+Hx0mGf4uPqQmVrUw1N3Xb0oJ5hF2m==,iv:YY=,tag:A=,type:str]',
];

test.each(PLACEHOLDERS)('private-keys accepts the placeholder %j for the key of a Secret, also in base64', async (text) => {
  expect(await found(object('Secret', { stringData: { 'tls.key': text } }), object('Secret', { data: { 'tls.key': base64(text) } }))).toEqual([]);
  expect(await found(object('Secret', { data: { 'tls.key': text, 'my.key': base64(text) } }), configMap(text))).toEqual([]);
});

test('private-keys reports the key of a Secret in a form that nobody knows', async () => {
  const text = randomBytes(120).toString('base64');
  expect(await found(object('Secret', { data: { 'tls.key': text } }), object('Secret', { stringData: { 'tls.key': text } })))
    .toEqual(['Secret shop/mine: data.tls.key contains a private key', 'Secret shop/mine: stringData.tls.key contains a private key']);
});

test.each<[string, Manifest]>([
  ['certificates', configMap(trustOf('east')._pem)],
  ['base64 of certificates', object('Secret', { data: { 'tls.crt': base64(trustOf('east')._pem), 'ca.crt': base64(trustOf('west')._pem) } })],
  ['a public key', configMap(pem(rsa.publicKey, { type: 'spki' }))],
  ['a public key of PKCS #1', configMap(pem(rsa.publicKey, { type: 'pkcs1' }))],
  ['DER of a public key', configMap(base64(der(rsa.publicKey, { type: 'spki' })))],
  ['a public JWK', configMap(JSON.stringify(jwk(rsa.publicKey)))],
  ['public JWKs as YAML', configMap(stringify({ keys: [jwk(rsa.publicKey), jwk(ec.publicKey), jwk(ed.publicKey)] }))],
  ['public JWKs as fields', object('Issuer', { spec: { keys: [jwk(rsa.publicKey), jwk(ec.publicKey)] } }, 'example.org/v1')],
  ['the words PRIVATE KEY', configMap('A PRIVATE KEY must never be in a repository.')],
  ['prose about the first line of a key', configMap(`The file begins with ${BEGIN} and ends with -----END ${LABEL}.`)],
  ['prose that quotes the first line of a key', configMap(`Look for \`${BEGIN}\` in the file.`)],
  ['a search for keys', object('ConfigMap', { data: { 'gitleaks.toml': `regex = '''${BEGIN}[\\s\\S]*?-----END'''`, 'scan.sh': `grep -rl -- "${BEGIN}" .` } })],
  ['a placeholder for a key', configMap(`${BEGIN}\n...\n-----END ${LABEL}\n`)],
  ['a placeholder in words for a key', configMap(`${BEGIN}\nyour key goes here\n-----END ${LABEL}\n`)],
  ['a template for a key', configMap(`${BEGIN}\n{{ .Values.key }}\n-----END ${LABEL}\n`)],
  ['prose about kty', configMap('The member kty of a JWK is RSA, EC or OKP; d is private: never publish it.')],
  ['a JSON schema of JWKs', object('CustomResourceDefinition', { spec: { properties: { kty: { type: 'string' }, d: { type: 'string' } } } }, 'apiextensions.k8s.io/v1')],
  ['a Certificate of cert-manager', object('Certificate', { spec: { secretName: 'tls', privateKey: { algorithm: 'ECDSA', rotationPolicy: 'Always' } } }, 'cert-manager.io/v1')],
  ['a Secret with a password', object('Secret', { data: { password: base64('correct horse battery staple') } })],
  ['a Secret with an empty key', object('Secret', { data: { 'tls.key': '' } })],
  ['a Secret that SOPS encrypted', object('Secret', { stringData: { 'tls.key': 'ENC[AES256_GCM,data:p673w==,iv:YY=,tag:A=,type:str]' } })],
  ['a Secret with a placeholder of Argo CD\'s Vault plugin', object('Secret', { stringData: { 'tls.key': '<path:secret/data/tls#key>' } })],
  ['a SealedSecret', object('SealedSecret', { spec: { encryptedData: { 'tls.key': randomBytes(300).toString('base64') } } }, 'bitnami.com/v1alpha1')],
  ['an ExternalSecret', object('ExternalSecret', { spec: { target: { template: { data: { 'tls.key': '{{ .key }}' } } }, data: [{ secretKey: 'tls.key', remoteRef: { key: 'secret/tls' } }] } }, 'external-secrets.io/v1')],
  ['a public key with a description of another member', configMap(JSON.stringify({ ...jwk(rsa.publicKey), k: 'descriptionOfK' }))],
  ['descriptions of the members of a JWK', object('Docs', { spec: { kty: 'RSA', d: 'descriptionOfD', k: 'descriptionOfK' } }, 'example.org/v1')],
  ['descriptions of the members of a JWK as YAML', configMap('kty: RSA\nk: descriptionOfK\nd: privateExponentInBase64url\n')],
  ['descriptions of a shared secret', configMap(JSON.stringify({ kty: 'oct', k: 'base64urlEncodedSharedSecret' }))],
  ['a private JWK with placeholders', configMap(JSON.stringify({ ...jwk(ec.publicKey), d: '${JWK_D}' }))],
  ...['xxxx', 'x'.repeat(43), 'XXXX-XXXX', '****', '...', 'REDACTED', '<redacted>', '[REDACTED]', 'redacted', 'removed', '0'.repeat(86), 'string', 'secret123'].flatMap((d): [string, Manifest][] => [
    [`a JWK of RSA with ${d} as d`, configMap(JSON.stringify({ kty: 'RSA', d }))],
    [`a JWK of RSA with ${d} as d in fields`, object('Vault', { spec: { kty: 'RSA', n: 'AQAB', d } }, 'example.org/v1')],
    [`a JWK of RSA with ${d} as d in YAML`, configMap(`kty: RSA\nd: ${d}\n`)],
  ]),
  ['a shared secret that is blacked out', configMap(JSON.stringify({ kty: 'oct', k: 'xxxxxxxx' }))],
  ['a template for WireGuard', configMap('[Interface]\nPrivateKey = {{ .PrivateKey }}\n# PrivateKey = YOUR_PRIVATE_KEY\nPublicKey = yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=\n')],
  ['a path in place of a key', configMap(`PrivateKey = ${'/etc/wireguard'.repeat(3)}/a\nPrivateKey = ${'x'.repeat(43)}=\n`)],
  ['the public half of what openssl prints', configMap(`Public-Key: (256 bit)\npub:\n    ${'04:'.repeat(40)}aa\n`)],
  ['RSAKeyValue with a public key', configMap(`<RSAKeyValue><Modulus>${number('n')}</Modulus><Exponent>AQAB</Exponent></RSAKeyValue>`)],
  ['certificates behind the signs of a comment', configMap(commented(trustOf('east')._pem, '// '))],
  ['a certificate in the output of xxd', configMap(dump(Buffer.from(trustOf('east')._pem), /..../g, ': ', (text) => text))],
  ['names and values of a container', object('Pod', { spec: { containers: [{ env: [{ name: 'kty', value: 'RSA' }, { name: 'd', valueFrom: {} }, { name: 'k', value: 'text' }] }] } })],
  ['a zip file and a tar file without keys', object('ConfigMap', { binaryData: { a: base64(zip('nothing', 8)), b: base64(tar('nothing')), c: base64(deflateSync('nothing secret '.repeat(9))) } })],
  ['lists of digests', configMap(Array.from({ length: 50 }, () => `sha256:${randomBytes(32).toString('hex')}  ${randomBytes(32).toString('base64')}`).join('\n'))],
  ['lists of numbers', configMap(JSON.stringify(Array.from({ length: 300 }, (_, index) => index % 256)).repeat(2))],
  ['a JWK set of a public key as XML', configMap(members(ec.publicKey).map(([name, value]) => `<${name}>${value}</${name}>`).join(''))],
  ['a placeholder of PGP', configMap('-----BEGIN PGP PRIVATE KEY BLOCK-----\n\n<your key>\n-----END PGP PRIVATE KEY BLOCK-----')],
  ['a placeholder in words behind the signs of a comment', configMap(`# ${BEGIN}\n# Base64EncodedPrivateKeyGoesHere\n# lotsOfMoreCharactersOfThatKey\n# ${END}`)],
  ['a private JWK that SOPS encrypted', object('Vault', { spec: { kty: 'RSA', d: 'ENC[AES256_GCM,data:p673w==,iv:YY=,tag:A=,type:str]' } }, 'example.org/v1')],
  ['public JWKs in base64', configMap(base64(JSON.stringify({ keys: [jwk(rsa.publicKey), jwk(ec.publicKey)] })))],
  ['base64 of prose about a PEM block', configMap(base64(`The file begins with ${BEGIN}, then there is base64, then ${END}.`))],
  ['an example of which only the beginning is shown', configMap(`${BEGIN}\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC...\n${END}`)],
  ['words of a placeholder that look like base64', configMap(`${BEGIN}\nBase64EncodedPrivateKeyGoesHere\n${END}`)],
  ['a trust store of Java', object('Secret', { data: { 'truststore.jks': javaKeystore(2) } })],
  ['a trust store of PKCS #12', object('Secret', { data: { 'truststore.p12': base64(pkcs12('2a864886f70d010c0a0103')) } })],
  ['a CRL and digests', configMap(`${'a1'.repeat(32)} sha256:${randomBytes(32).toString('hex')} ${randomBytes(64).toString('base64')}`)],
  ['a fingerprint with colons', configMap(randomBytes(64).toString('hex').toUpperCase().replace(/..(?=.)/g, '$&:'))],
  ['a public key of OpenSSH', configMap(`ssh-ed25519 ${base64(Buffer.concat([Buffer.from('0000000b7373682d6564323535313900000020', 'hex'), randomBytes(32)]))} a@b`)],
  ['a compressed text', object('ConfigMap', { binaryData: { a: gzipSync('nothing secret '.repeat(50)).toString('base64') } })],
  ['bytes that only begin like a compressed text', object('ConfigMap', { binaryData: { a: Buffer.concat([Buffer.from('1f8b0800', 'hex'), randomBytes(99)]).toString('base64') } })],
  ['random bytes', configMap(randomBytes(400).toString('base64'))],
  ['a JWT', configMap(`${base64('{"alg":"RS256","kid":"a"}')}.${base64('{"iss":"a"}')}.${randomBytes(64).toString('base64url')}`)],
])('private-keys accepts %s', async (_, document) => {
  expect(await found(document)).toEqual([]);
});

test('private-keys reads long texts in a time that grows with their length', async () => {
  const repeated = [
    'a', 'A ', '\\', `${BEGIN}\n`, '-----BEGIN ', 'kty: RSA d: ', 'ab:', 'MIIabQIBA', '%41', '{', 'Version:', ' ', '"', '\n', 'a1', '_ab',
    '-1, ', '0x30, ', '\\x30', '%25', '00000000: 2d2d ', 'PrivateKey: ', '// abcdefghijklmnopqrs\n', 'PK\x03\x04',
  ];
  const texts = repeated.flatMap((part) => [part, `kty: RSA d: ${part}`, `-----BEGIN ${part}`].map((start) => start + part.repeat(300_000 / part.length)));
  expect(await found(object('ConfigMap', { data: Object.fromEntries(texts.entries()) })))
    .toEqual([22, 46].map((field) => `ConfigMap shop/mine: data.${field} contains a private key`)); // a long d is a key
}, 60_000);

test('private-keys reads compressed texts and deeply nested ones in a limited time, and texts of any length', async () => {
  const bomb = (text: string) => base64(gzipSync(text));
  const inner = `${bomb('abc '.repeat(200_000))}\n`;
  const long = 'ab'.repeat(5_000_000);
  const texts = [`${inner} `.repeat(100), `${bomb(inner.repeat(900))} `.repeat(20), '['.repeat(100_000) + ']'.repeat(100_000), long, `${long}\n${pem(ec.privateKey)}`];
  expect(await found(object('ConfigMap', { data: Object.fromEntries(texts.entries()) }))).toEqual(['ConfigMap shop/mine: data.4 contains a private key']);
}, 60_000);
