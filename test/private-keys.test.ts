import { createCipheriv, generateKeyPairSync, KeyExportOptions, KeyObject, randomBytes } from 'crypto';
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
];

test.each(KEYS)('private-keys reports %s in a ConfigMap', async (_, text) => {
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
  ['random bytes', configMap(randomBytes(400).toString('base64'))],
  ['a JWT', configMap(`${base64('{"alg":"RS256","kid":"a"}')}.${base64('{"iss":"a"}')}.${randomBytes(64).toString('base64url')}`)],
])('private-keys accepts %s', async (_, document) => {
  expect(await found(document)).toEqual([]);
});
