import { execFileSync } from 'child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'fs';
import { tmpdir } from 'os';
import { join } from 'path';
import { parseAllDocuments, stringify } from 'yaml';
import { BoundaryValidation } from '../src';
import { compiled } from './support/library';
import { FILES, textIn } from './support/output';
import { write } from './support/repositories';

/*
 * The rules of BoundaryValidation for manifests of any origin, also through the real cdk8s synth.
 */

interface Reported { status?: string; summary?: any; violations: any[] }

/** What the plugin reports about documents, file by file. */
async function report(files: { [file: string]: any[] }, properties?: any, metadata?: any): Promise<Reported> {
  const reported: Reported = { violations: [] };
  await new BoundaryValidation(properties).validate({
    manifests: Object.keys(files),
    metadata,
    parseManifest: (file) => files[file],
    report: {
      addViolation: (violation) => { reported.violations.push(violation); },
      submit: (status, summary) => Object.assign(reported, { status, summary }),
    },
  });
  return reported;
}

/** The documents of a file of a scenario, as cdk8s-cli reads them. */
function documentsIn(file: string): any[] {
  return parseAllDocuments(textIn(file), { version: '1.1' }).map((document) => document.toJS());
}

const BOUNDARY = documentsIn('both-directions/east');

/** Rules and locations of the violations in documents that are validated together with the manifests of a boundary. */
async function violationsIn(...documents: any[]): Promise<string[]> {
  const { violations } = await report({ 'east.k8s.yaml': BOUNDARY, 'app.k8s.yaml': documents });
  return violations.flatMap(({ ruleName, violatingResources }) => violatingResources.flatMap(({ resourceName, locations }: any) =>
    locations.map((place: string) => `${ruleName}: ${resourceName}: ${place}`)));
}

function find(kind: string, name: string): any {
  return structuredClone(BOUNDARY.find((document) => document.kind === kind && document.metadata.name === name));
}

/** Violations after a change of one object of the boundary, without those of `changed-objects`, which reports every change. */
async function violationsAfter(changed: any): Promise<string[]> {
  const isIt = ({ kind, metadata }: any) => kind === changed.kind && metadata.name === changed.metadata.name;
  const documents = BOUNDARY.map((document) => isIt(document) ? changed : document);
  const { violations } = await report({ 'east.k8s.yaml': documents });
  return violations.filter(({ ruleName }) => ruleName !== 'changed-objects').flatMap(({ ruleName, violatingResources }) =>
    violatingResources.flatMap(({ resourceName, locations }: any) => locations.map((place: string) => `${ruleName}: ${resourceName}: ${place}`)));
}

const istio = (kind: string, spec: any, metadata: any = {}, group = 'networking') =>
  ({ apiVersion: `${group}.istio.io/v1`, kind, metadata: { name: 'theirs', namespace: 'shop', ...metadata }, spec });
const core = (kind: string, rest: any, metadata: any = {}, apiVersion = 'v1') =>
  ({ apiVersion, kind, metadata: { name: 'theirs', namespace: 'istio-federation', ...metadata }, ...rest });

test.each(FILES())('BoundaryValidation reports no violation in the generated manifest %s', async (file) => {
  expect(await report({ [file]: documentsIn(file) })).toMatchObject({ status: 'success', violations: [] });
});

test('the report counts documents, including the items of a List, and names the rules', async () => {
  expect(await report({ 'a.yaml': [null, { apiVersion: 'v1', kind: 'List', items: [core('ConfigMap', {}), core('Secret', {})] }], 'b.yaml': [] })).toEqual({
    status: 'success',
    violations: [],
    summary: { documents: '2', exceptions: '0', rules: 'private-keys, weak-tls, wildcard-hosts, unpinned-peers, changed-objects, missing-objects, foreign-objects' },
  });
});

describe('the rule private-keys', () => {
  const label = 'PRIVATE KEY-----';
  const pem = `-----BEGIN EC ${label}\nMHcCAQEE\n-----END EC ${label}\n`;
  const base64 = (text: string) => Buffer.from(text).toString('base64');

  test('private-keys reports a private key in any field of any document, in plain text or base64', async () => {
    expect(await violationsIn(
      core('ConfigMap', { data: { bundle: `some text\n${pem}` } }, { name: 'a' }),
      core('Secret', { data: { anything: base64(pem) } }, { name: 'b' }),
      core('Secret', { stringData: { anything: pem.replace('EC ', '') } }, { name: 'c' }),
      core('Secret', { data: { 'tls.crt': '', 'tls.key': 'AAAA' } }, { name: 'd' }),
      core('Pod', { spec: { containers: [{ env: [{ name: 'KEY', value: pem.replace('EC ', 'ENCRYPTED ') }] }] } }, { name: 'e', namespace: 'shop' }),
      core('ConfigMap', { binaryData: { anything: base64(pem) } }, { name: 'f' }),
      core('Secret', { stringData: { anything: pem.replace('EC ', 'PGP ').replace('KEY-', 'KEY BLOCK-') } }, { name: 'g' }),
    )).toEqual([
      'private-keys: ConfigMap istio-federation/a: data.bundle contains a private key',
      'private-keys: Secret istio-federation/b: data.anything contains a private key',
      'private-keys: Secret istio-federation/c: stringData.anything contains a private key',
      'private-keys: Secret istio-federation/d: data.tls.key contains a private key',
      'private-keys: Pod shop/e: spec.containers.0.env.0.value contains a private key',
      'private-keys: ConfigMap istio-federation/f: binaryData.anything contains a private key',
      'private-keys: Secret istio-federation/g: stringData.anything contains a private key',
    ]);
  });

  test('private-keys reports private signing keys of a JWT issuer and accepts public keys', async () => {
    const rules = (key: object) => istio('RequestAuthentication', { jwtRules: [{ issuer: 'a', jwks: JSON.stringify({ keys: [key] }) }] }, {}, 'security');
    expect(await violationsIn(rules({ kty: 'EC', crv: 'P-256', x: 'x', y: 'y' }), rules({ kty: 'EC', crv: 'P-256', x: 'x', y: 'y', d: 'd' }), rules({ kty: 'oct', k: 'k' }))).toEqual([
      'private-keys: RequestAuthentication shop/theirs: spec.jwtRules.0.jwks contains a private key',
      'private-keys: RequestAuthentication shop/theirs: spec.jwtRules.0.jwks contains a private key',
    ].flatMap((text) => [text, 'private-keys: several objects']).filter((text) => !text.endsWith('objects')));
  });

  test('private-keys reports a private signing key outside of a key set', async () => {
    const key = { kty: 'RSA', n: 'n', e: 'AQAB' };
    const found = async (value: object) => violationsIn(core('Secret', { data: { jwk: base64(JSON.stringify(value)) } }));
    expect(await found({ ...key, d: 'd' })).toEqual(['private-keys: Secret istio-federation/theirs: data.jwk contains a private key']);
    expect(await found([key, { ...key, d: 'd' }])).toHaveLength(1);
    expect([await found(key), await found([key, null]), await found({ properties: { kty: {}, d: {} }, d: 'd' })]).toEqual([[], [], []]);
  });

  test('private-keys accepts certificates, empty Secrets, Secrets of other types and text about keys', async () => {
    expect(await violationsIn(
      core('ConfigMap', { data: { ca: '-----BEGIN CERTIFICATE-----\nAA\n-----END CERTIFICATE-----', note: 'no PRIVATE KEY here', jwks: '"kty" but no JSON' } }),
      core('Secret', { data: { 'tls.key': '' } }), core('Secret', { data: { password: 'c2VjcmV0' }, type: 'Opaque' }), core('Secret', {}),
    )).toEqual([]);
  });

  test('private-keys does not print the key', async () => {
    expect(JSON.stringify(await report({ a: [core('Secret', { stringData: { key: pem } })] }))).not.toContain('MHcCAQEE');
  });
});

describe('the rule weak-tls', () => {
  const server = (tls?: any) => ({ port: { number: 15443, protocol: 'HTTPS' }, hosts: ['./p9080.reviews.west.fed.east.example'], tls });
  const ours = (tls?: any, annotations = {}) => {
    const gateway = find('Gateway', 'fed-in-west');
    const metadata = { ...gateway.metadata, annotations: { ...gateway.metadata.annotations, ...annotations } };
    return { ...gateway, metadata, spec: { ...gateway.spec, servers: [server(tls)] } };
  };
  const pinned = {
    subjectAltNames: ['spiffe://west.example/ns/a/sa/b'], minProtocolVersion: 'TLSV1_3', caCertCredentialName: 'configmap://istio-federation/fed-in-trust-west',
  };

  test('weak-tls reports boundary listeners with plaintext, one-way TLS, passthrough or an old TLS version', async () => {
    const found = async (tls?: any, annotations?: any) => (await violationsAfter(ours(tls, annotations))).map((text) => text.replace(/^.*fed-in-west: /, ''));
    expect(await found()).toEqual(['spec.servers[0] has no tls: the listener accepts plaintext']);
    expect(await found({})).toEqual(['spec.servers[0].tls.mode is PASSTHROUGH, but must be MUTUAL']);
    for (const mode of ['SIMPLE', 'PASSTHROUGH', 'AUTO_PASSTHROUGH', 'OPTIONAL_MUTUAL', 'ISTIO_MUTUAL']) expect(await found({ ...pinned, mode })).toEqual([`spec.servers[0].tls.mode is ${mode}, but must be MUTUAL`]);
    expect(await found({ ...pinned, mode: 'MUTUAL', minProtocolVersion: undefined })).toEqual(['spec.servers[0].tls.minProtocolVersion is not set, but must be TLSV1_3']);
    expect(await found({ ...pinned, mode: 'MUTUAL', minProtocolVersion: 'TLSV1_2' })).toEqual(['spec.servers[0].tls.minProtocolVersion is TLSV1_2, but must be TLSV1_3']);
    expect(await found({ ...pinned, mode: 'MUTUAL', minProtocolVersion: 'TLSV1_1' }, { 'cdk8s-mesh-federation/allow-tls-1.2': 'a reason' }))
      .toEqual(['spec.servers[0].tls.minProtocolVersion is TLSV1_1, but must be TLSV1_3 or TLSV1_2']);
  });

  test('weak-tls accepts TLS 1.2 with the annotation allow-tls-1.2, and ISTIO_MUTUAL for callers', async () => {
    expect(await violationsAfter(ours({ ...pinned, mode: 'MUTUAL', minProtocolVersion: 'TLSV1_2' }, { 'cdk8s-mesh-federation/allow-tls-1.2': 'a reason' }))).toEqual([]);
    const egress = find('Gateway', 'fed-out-west');
    expect(await violationsAfter(egress)).toEqual([]);
    egress.spec.servers[0].tls.mode = 'MUTUAL';
    expect(await violationsAfter(egress)).toContain('weak-tls: Gateway istio-federation/fed-out-west: spec.servers[0].tls.mode is MUTUAL, but must be ISTIO_MUTUAL');
  });

  test('weak-tls ignores listeners of other gateways', async () => {
    expect(await violationsIn(istio('Gateway', { selector: { istio: 'ingressgateway' }, servers: [server({ mode: 'SIMPLE' }), { ...server(), hosts: ['*'] }] }))).toEqual([]);
  });

  test('weak-tls reports DestinationRules for a boundary without mutual TLS at any level, and insecureSkipVerify', async () => {
    const rule = (host: string, spec: any) => istio('DestinationRule', { host, workloadSelector: { matchLabels: { istio: 'x' } }, ...spec });
    const peer = 'p9080.reviews.east.fed.west.example';
    expect(await violationsIn(rule(peer, { trafficPolicy: { tls: { mode: 'SIMPLE' } } }))).toEqual([
      'weak-tls: DestinationRule shop/theirs: spec.trafficPolicy.tls.mode is SIMPLE, but must be MUTUAL towards a boundary',
    ]);
    expect(await violationsIn(rule(peer, {
      trafficPolicy: { tls: { mode: 'MUTUAL', sni: peer, subjectAltNames: ['a'], caCertificates: '/a' }, portLevelSettings: [{ port: { number: 1 } }, { tls: {} }] },
    }))).toEqual([
      'weak-tls: DestinationRule shop/theirs: spec.trafficPolicy.portLevelSettings[0].tls is missing, but its mode must be MUTUAL towards a boundary',
      'weak-tls: DestinationRule shop/theirs: spec.trafficPolicy.portLevelSettings[1].tls.mode is DISABLE, but must be MUTUAL towards a boundary',
    ]);
    expect(await violationsIn(rule('federation-egress.istio-federation.svc.cluster.local', { subsets: [{ name: 'a' }, { trafficPolicy: { tls: { mode: 'DISABLE' } } }] }))).toEqual([
      'weak-tls: DestinationRule shop/theirs: spec.subsets[0].trafficPolicy.tls is missing, but its mode must be ISTIO_MUTUAL towards a boundary',
      'weak-tls: DestinationRule shop/theirs: spec.subsets[1].trafficPolicy.tls.mode is DISABLE, but must be ISTIO_MUTUAL towards a boundary',
    ]);
    expect(await violationsIn(rule('api.example.org', { trafficPolicy: { tls: { mode: 'SIMPLE', insecureSkipVerify: true } } }))).toEqual([
      'weak-tls: DestinationRule shop/theirs: spec.trafficPolicy.tls.insecureSkipVerify accepts any certificate',
    ]);
    expect(await violationsIn(rule('api.example.org', { trafficPolicy: { tls: { mode: 'SIMPLE' } } }), rule('reviews.shop', { trafficPolicy: { tls: { mode: 'DISABLE' } } }))).toEqual([]);
  });
});

describe('the rule wildcard-hosts', () => {
  test('wildcard-hosts reports boundary listeners with a wildcard host or a host that every namespace can route', async () => {
    const gateway = find('Gateway', 'fed-in-west');
    gateway.spec.servers[0].hosts = ['*', './*', '*/p1.a.west.fed.east.example', './*.west.fed.east.example', 'p1.a.west.fed.east.example', './p1.a.west.fed.east.example', 'istio-federation/p1.a'];
    expect((await violationsAfter(gateway)).filter((text) => text.startsWith('wildcard-hosts')).map((text) => text.replace(/^(.*?): .*servers/, '$1: servers'))).toEqual([
      'wildcard-hosts: servers[0].hosts[0] is *: a wildcard matches other SNIs as well',
      'wildcard-hosts: servers[0].hosts[1] is ./*: a wildcard matches other SNIs as well',
      'wildcard-hosts: servers[0].hosts[2] is */p1.a.west.fed.east.example: VirtualServices of every namespace can attach',
      'wildcard-hosts: servers[0].hosts[3] is ./*.west.fed.east.example: a wildcard matches other SNIs as well',
      'wildcard-hosts: servers[0].hosts[4] is p1.a.west.fed.east.example: VirtualServices of every namespace can attach',
    ]);
  });
});

describe('the rule unpinned-peers', () => {
  test('unpinned-peers reports a DestinationRule with mutual TLS and an SNI, but without subjectAltNames', async () => {
    const rule = (tls: any) => istio('DestinationRule', { host: 'db.example.org', trafficPolicy: { tls } });
    expect(await violationsIn(rule({ mode: 'MUTUAL', sni: 'db' }))).toEqual(['unpinned-peers: DestinationRule shop/theirs: spec.trafficPolicy.tls.subjectAltNames is missing']);
    expect(await violationsIn(rule({ mode: 'MUTUAL', sni: 'db', subjectAltNames: [] }))).toEqual(['unpinned-peers: DestinationRule shop/theirs: spec.trafficPolicy.tls.subjectAltNames is missing']);
    expect(await violationsIn(rule({ mode: 'MUTUAL', sni: 'db', subjectAltNames: ['db'] }), rule({ mode: 'ISTIO_MUTUAL' }))).toEqual([]);
  });

  test('unpinned-peers reports a DestinationRule for a peer without a workloadSelector and one for the egress gateway without an SNI', async () => {
    const upstream = find('DestinationRule', BOUNDARY.find(({ kind, spec }) => kind === 'DestinationRule' && spec.workloadSelector).metadata.name);
    delete upstream.spec.workloadSelector;
    expect(await violationsAfter(upstream)).toEqual([expect.stringMatching(/^unpinned-peers: .*: spec.workloadSelector is missing: every sidecar would present the gateway's certificate$/)]);
    expect(await violationsIn(istio('DestinationRule', { host: 'federation-egress.istio-federation', subsets: [{ trafficPolicy: { tls: { mode: 'ISTIO_MUTUAL' } } }] }))).toEqual([
      'unpinned-peers: DestinationRule shop/theirs: spec.subsets[0].trafficPolicy.tls.sni is missing',
    ]);
  });

  test('unpinned-peers reports a listener for a peer without the subjectAltNames of that peer', async () => {
    const gateway = find('Gateway', 'fed-in-west');
    delete gateway.spec.servers[0].tls.subjectAltNames;
    expect(await violationsAfter(gateway)).toEqual([expect.stringMatching(/^unpinned-peers: .*: spec.servers\[0\].tls.subjectAltNames is missing$/)]);
  });
});

describe('the rule foreign-objects', () => {
  const at = { namespace: 'istio-federation' };
  const root = { namespace: 'istio-system' };
  const gatewayLabels = { istio: 'istio-federation-ingress' };
  const servers = [{ port: { number: 15443 }, hosts: ['./a.example'], tls: { mode: 'MUTUAL', minProtocolVersion: 'TLSV1_3', subjectAltNames: ['a'] } }];
  const selecting = 'foreign-objects: the object selects pods of the boundary gateways in namespace istio-federation';

  const foreign: { [title: string]: any } = {
    'a Gateway in another namespace that selects the gateway pods': istio('Gateway', { selector: gatewayLabels, servers }),
    'a Gateway without a selector': istio('Gateway', { servers }),
    'an EnvoyFilter in the namespace of the boundary': istio('EnvoyFilter', { configPatches: [] }, at),
    'an EnvoyFilter in the root namespace that selects the gateway pods': istio('EnvoyFilter', { workloadSelector: { labels: gatewayLabels }, configPatches: [] }, root),
    'an EnvoyFilter in the root namespace with the context GATEWAY': istio('EnvoyFilter', { configPatches: [{ match: { context: 'GATEWAY' } }] }, root),
    'a WasmPlugin in the root namespace': istio('WasmPlugin', {}, root, 'extensions'),
    'an AuthorizationPolicy in the namespace of the boundary': istio('AuthorizationPolicy', { rules: [{}] }, at, 'security'),
    'an AuthorizationPolicy in the root namespace that selects the gateway pods': istio('AuthorizationPolicy', { selector: { matchLabels: gatewayLabels }, rules: [{}] }, root, 'security'),
    'a RequestAuthentication in the namespace of the boundary': istio('RequestAuthentication', {}, at, 'security'),
    'a PeerAuthentication in the namespace of the boundary': istio('PeerAuthentication', { mtls: { mode: 'DISABLE' } }, at, 'security'),
    'a Telemetry in the namespace of the boundary': istio('Telemetry', {}, at, 'telemetry'),
    'a Sidecar in the namespace of the boundary': istio('Sidecar', {}, at),
    'a DestinationRule that selects the gateway pods': istio('DestinationRule', { host: 'a.example', workloadSelector: { matchLabels: gatewayLabels } }, at),
    'a DestinationRule without a workloadSelector in the namespace of the boundary': istio('DestinationRule', { host: 'a.example', trafficPolicy: { tls: { mode: 'DISABLE' } } }, at),
    'a Service that selects the gateway pods': core('Service', { spec: { selector: gatewayLabels } }),
    'a NetworkPolicy that allows ingress to every pod of the namespace': core('NetworkPolicy', { spec: { podSelector: {}, ingress: [{}] } }, {}, 'networking.k8s.io/v1'),
    'a Deployment with the labels of a gateway': core('Deployment', { spec: { template: { metadata: { labels: gatewayLabels } } } }, {}, 'apps/v1'),
    'a Pod with the labels of a gateway': core('Pod', { spec: {} }, { labels: { app: 'federation-ingress' } }),
    'a CronJob with the labels of a gateway': core('CronJob', { spec: { jobTemplate: { spec: { template: { metadata: { labels: gatewayLabels } } } } } }, {}, 'batch/v1'),
  };

  test.each(Object.keys(foreign))('foreign-objects reports %s', async (title) => {
    expect((await violationsIn(foreign[title])).map((text) => text.replace(/: \w+ [\w-]+\/theirs/, ''))).toEqual([selecting]);
  });

  test('foreign-objects reports a VirtualService on a boundary Gateway and a ServiceEntry for the SNI of a peer\'s export', async () => {
    expect(await violationsIn(
      istio('VirtualService', { hosts: ['a'], gateways: ['mesh', 'istio-federation/fed-in-west'] }),
      istio('ServiceEntry', { hosts: ['api.example.org', 'p9080.reviews.east.fed.west.example'] }),
    )).toEqual([
      'foreign-objects: VirtualService shop/theirs: spec.gateways contains istio-federation/fed-in-west, a Gateway of a boundary',
      'foreign-objects: ServiceEntry shop/theirs: spec.hosts contains p9080.reviews.east.fed.west.example, the SNI of a peer\'s export',
    ]);
  });

  test('foreign-objects recognises a boundary Gateway by every form of its name that Istio accepts', async () => {
    const found = async (gateway: string, metadata?: any) => (await violationsIn(istio('VirtualService', { hosts: ['a'], gateways: [gateway] }, metadata))).length;
    for (const gateway of ['fed-in-west', './fed-in-west', 'istio-federation/fed-in-west']) expect([gateway, await found(gateway, at)]).toEqual([gateway, 1]);
    for (const gateway of ['fed-in-west.istio-federation', 'fed-in-west.istio-federation.svc.cluster.local']) expect([gateway, await found(gateway)]).toEqual([gateway, 1]);
    expect([await found('mesh', at), await found('shop/edge', at), await found('fed-in-west'), await found('edge.shop')]).toEqual([0, 0, 0, 0]);
  });

  const harmless: { [title: string]: any } = {
    'a Gateway that selects other pods': istio('Gateway', { selector: { istio: 'ingressgateway' }, servers: [] }),
    'a Gateway of the Gateway API': { ...istio('Gateway', {}), apiVersion: 'gateway.networking.k8s.io/v1' },
    'an AuthorizationPolicy in another namespace': istio('AuthorizationPolicy', { rules: [{}] }, {}, 'security'),
    'a PeerAuthentication in the root namespace without a selector': istio('PeerAuthentication', { mtls: { mode: 'STRICT' } }, root, 'security'),
    'an EnvoyFilter in the root namespace for sidecars': istio('EnvoyFilter', { configPatches: [{ match: { context: 'SIDECAR_INBOUND' } }] }, root),
    'a Service without a selector': core('Service', { spec: {} }),
    'a Service that selects other pods': core('Service', { spec: { selector: { app: 'other' } } }),
    'a NetworkPolicy that denies all traffic': core('NetworkPolicy', { spec: { podSelector: {}, policyTypes: ['Ingress', 'Egress'] } }, {}, 'networking.k8s.io/v1'),
    'a Deployment with other labels in the namespace of the boundary': core('Deployment', { spec: { template: { metadata: { labels: { app: 'cert-tool' } } } } }, {}, 'apps/v1'),
    'a Deployment with the labels of a gateway in another namespace': core('Deployment', { spec: { template: { metadata: { labels: gatewayLabels } } } }, { namespace: 'shop' }, 'apps/v1'),
    'a VirtualService without a spec and metadata': { apiVersion: 'networking.istio.io/v1', kind: 'VirtualService' },
    'a Gateway of an unrelated API group': { apiVersion: 'example.org/v1', kind: 'Gateway', metadata: { name: 'a', namespace: 'istio-federation' } },
  };

  test.each(Object.keys(harmless))('foreign-objects accepts %s', async (title) => {
    expect(await violationsIn(harmless[title])).toEqual([]);
  });

  test('BoundaryValidation handles null in fields and lists', async () => {
    expect(await violationsIn(
      istio('DestinationRule', { host: 'a', subsets: [null], trafficPolicy: { portLevelSettings: [null] } }),
      istio('EnvoyFilter', { configPatches: [{ match: { context: 'SIDECAR_INBOUND' } }, { match: null }], workloadSelector: { labels: { app: 'a' } } }, root),
      istio('Gateway', { selector: { istio: 'ingressgateway' }, servers: [null] }), istio('VirtualService', { gateways: [null] }), { kind: null, metadata: null },
    )).toEqual([]);
    expect(await violationsIn(istio('Gateway', { selector: gatewayLabels, servers: [null] }))).toContain('weak-tls: Gateway shop/theirs: spec.servers[0] has no tls: the listener accepts plaintext');
    expect(await violationsIn(istio('EnvoyFilter', { configPatches: [null] }, root))).toHaveLength(1);
  });

  test('boundaryNamespaces and rootNamespace configure boundaries that other programs generate', async () => {
    const gateway = istio('Gateway', { selector: { istio: 'partners-ingress' }, servers });
    const paths = async (properties?: any) => (await report({ a: [gateway] }, properties)).violations.map(({ ruleName }) => ruleName);
    expect(await paths()).toEqual([]);
    expect(await paths({ boundaryNamespaces: ['partners'] })).toEqual(['foreign-objects']);
    expect((await report({ a: [foreign['a Gateway in another namespace that selects the gateway pods']] })).status).toBe('failure');
    const ofRoot = { a: [foreign['a WasmPlugin in the root namespace']] };
    expect((await report(ofRoot, { rootNamespace: 'istio-config' })).status).toBe('success');
  });
});

describe('the location of a violation', () => {
  const bad = (name: string, namespace = 'shop') => istio('DestinationRule', { host: 'a', trafficPolicy: { tls: { insecureSkipVerify: true } } }, { name, namespace });

  /** What cdk8s-cli would show: it looks the path up by the resource's name. */
  async function shown(files: any, metadata: any = {}) {
    const { violations } = await report(files, undefined, metadata);
    return violations.flatMap(({ violatingResources }) => violatingResources).map(({ resourceName }: any) => `${resourceName} by ${metadata[resourceName]?.path}`);
  }

  /** Files with the records of one app or several. */
  async function shownFrom(records: { [directory: string]: any }, files: any) {
    const root = mkdtempSync(join(tmpdir(), 'records-'));
    for (const [directory, resources] of Object.entries(records)) {
      mkdirSync(join(root, directory), { recursive: true });
      writeFileSync(join(root, directory, 'construct-metadata.json'), JSON.stringify({ version: '1.0.0', resources }));
    }
    try {
      return await shown(Object.fromEntries(Object.entries(files).map(([file, documents]) => [join(root, file), documents])));
    } finally {
      rmSync(root, { recursive: true });
    }
  }

  test('a violation names the kind, namespace, name and file of the object and the field', async () => {
    expect((await report({ 'dist/east.k8s.yaml': [bad('rule')] })).violations[0].violatingResources).toEqual([{
      resourceName: 'DestinationRule shop/rule', manifestPath: 'dist/east.k8s.yaml', locations: ['spec.trafficPolicy.tls.insecureSkipVerify accepts any certificate'],
    }]);
  });

  test('a violation has the construct that cdk8s-cli records for the object', async () => {
    expect(await shown({ 'dist/east.k8s.yaml': [bad('rule')] }, { rule: { path: 'east/rule' } })).toEqual(['DestinationRule shop/rule by east/rule']);
    expect(await shown({ 'dist/east.k8s.yaml': [bad('rule')] })).toEqual(['DestinationRule shop/rule by undefined']);
  });

  test('only the object of the recorded chart has a construct among objects of one name', async () => {
    expect(await shown({ 'dist/east.k8s.yaml': [bad('rule')], 'dist/west.k8s.yaml': [bad('rule', 'till')] }, { rule: { path: 'west/rule' } }))
      .toEqual(['DestinationRule shop/rule by undefined', 'DestinationRule till/rule by west/rule']);
    expect(await shown({ 'dist/west.k8s.yaml': [bad('rule'), bad('rule', 'till')] }, { rule: { path: 'west/rule' } }))
      .toEqual(['DestinationRule shop/rule by undefined', 'DestinationRule till/rule by undefined']);
  });

  test('objects of several kinds with one name in a folder have no construct, since the record is of the last one', async () => {
    const other = core('ConfigMap', {}, { name: 'rule', namespace: 'shop' });
    expect(await shown({ 'dist/shop/DestinationRule.rule.k8s.yaml': [bad('rule')], 'dist/shop/ConfigMap.rule.k8s.yaml': [other] }, { rule: { path: 'shop/Config' } }))
      .toEqual(['DestinationRule shop/rule by undefined']);
    expect(await shown({ 'dist/shop/DestinationRule.rule.k8s.yaml': [bad('rule')], 'dist/till/ConfigMap.rule.k8s.yaml': [other] }, { rule: { path: 'shop/Rule' } }))
      .toEqual(['DestinationRule shop/rule by shop/Rule']);
  });

  test('each of several apps resolves constructs with its own record', async () => {
    expect(await shownFrom(
      { east: { rule: { path: 'boundary/East' } }, west: { rule: { path: 'boundary/West' } } },
      { 'east/boundary/DestinationRule.rule.k8s.yaml': [bad('rule', 'one')], 'west/boundary/DestinationRule.rule.k8s.yaml': [bad('rule', 'two')] },
    )).toEqual(['DestinationRule one/rule by boundary/East', 'DestinationRule two/rule by boundary/West']);
  });
});

describe('exceptions', () => {
  const rule = istio('DestinationRule', { host: 'a', trafficPolicy: { tls: { insecureSkipVerify: true } } });
  const exception = { rule: 'weak-tls', object: 'DestinationRule shop/theirs', reason: 'a lab that goes away in March' };

  test('an exception applies to one object and one rule', async () => {
    expect(await report({ a: [rule] }, { exceptions: [exception] })).toMatchObject({ status: 'success', summary: { exceptions: '1' }, violations: [] });
    expect((await report({ a: [rule, { ...rule, metadata: { name: 'other', namespace: 'shop' } }] }, { exceptions: [exception] })).violations).toHaveLength(1);
  });

  test('BoundaryValidation reports an exception that is not used', async () => {
    const { status, violations } = await report({ a: [] }, { exceptions: [exception] });
    expect(status).toBe('failure');
    expect(violations).toEqual([expect.objectContaining({
      ruleName: 'unused-exceptions',
      violatingResources: [{ resourceName: 'DestinationRule shop/theirs', manifestPath: 'cdk8s.yaml', locations: ['exceptions: weak-tls'] }],
    })]);
  });
});

describe('properties', () => {
  const rejected: [string, any, string][] = [
    ['an unknown property', { rule: [] }, 'FED120 BoundaryValidation: unknown field "rule" in properties → use only boundaryNamespaces, rootNamespace, exceptions'],
    ['null in place of a list of namespaces', { boundaryNamespaces: null }, 'FED120 BoundaryValidation: boundaryNamespaces is null in properties → set a value, or omit the field'],
    ['a namespace name with a capital letter', { boundaryNamespaces: ['Shop'] }, 'FED111 BoundaryValidation: "Shop" is not a valid namespace name'],
    ['an exception with an unknown rule', { exceptions: [{ rule: 'tls', object: 'Gateway a/b', reason: 'a long enough reason' }] }, 'FED120 BoundaryValidation: an exception has the rule "tls", which does not exist → use one of private-keys,'],
    ['an exception whose object does not have the form "Kind namespace/name"', { exceptions: [{ rule: 'weak-tls', object: 'shop/theirs', reason: 'a long enough reason' }] }, 'FED120 BoundaryValidation: an exception has the object "shop/theirs", which does not have the form "Kind namespace/name" → write'],
    ['an exception without a reason', { exceptions: [{ rule: 'weak-tls', object: 'Gateway a/b' }] }, 'FED114 BoundaryValidation: the reason for the exception for Gateway a/b is undefined'],
  ];
  test.each(rejected)('BoundaryValidation rejects %s', (_, properties, message) => {
    expect(() => new BoundaryValidation(properties)).toThrow(message);
  });
});

describe('cdk8s synth', () => {
  const CLI = join(__dirname, '..', 'node_modules', '.bin', 'cdk8s');
  const ROOT = join(__dirname, '..');
  let directory: string;

  /** An app with the demo's federation, one chart of its own, and the plugin, loaded as cdk8s-cli loads an installed package. */
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'validation-'));
    symlinkSync(join(ROOT, 'node_modules'), join(directory, 'node_modules'));
    const bookinfo = join('examples', 'bookinfo');
    cpSync(join(ROOT, bookinfo, 'trust'), join(directory, bookinfo, 'trust'), { recursive: true });
    write(directory, {
      ...compiled('src', 'imports', bookinfo),
      'plugin/index.js': 'module.exports = require(\'../src\');\n',
      'main.js': `
        const { ApiObject, Chart } = require('cdk8s');
        const { app } = require('./${bookinfo}/main').bookinfo();
        if (process.env.RULE) new ApiObject(new Chart(app, 'shop'), 'Rule', JSON.parse(process.env.RULE));
        app.synth();
      `,
      'cdk8s.yaml': stringify({
        language: 'typescript', app: 'node main.js', validations: [{ package: './plugin', version: '0.0.0', class: 'BoundaryValidation' }],
      }),
    });
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  function synth(rule?: any): { code: number; output: string } {
    for (const left of ['dist', 'report.json']) rmSync(join(directory, left), { recursive: true, force: true });
    try {
      const output = execFileSync(process.execPath, [CLI, 'synth', '--no-check-upgrade', '--validation-reports-output-file', 'report.json'], {
        cwd: directory, encoding: 'utf8', env: { ...process.env, RULE: rule ? JSON.stringify(rule) : '' }, stdio: ['ignore', 'pipe', 'pipe'],
      });
      return { code: 0, output };
    } catch (error: any) {
      return { code: error.status, output: error.stdout + error.stderr };
    }
  }

  test('cdk8s synth succeeds for the demo', () => {
    const { code, output } = synth();
    expect({ code, output }).toEqual({ code: 0, output: expect.stringContaining('Validations ended succesfully') });
  }, 180_000);

  test('cdk8s synth fails for an app with a violation and reports the construct path', () => {
    const { code, output } = synth(istio('Gateway', { selector: { istio: 'istio-federation-ingress' }, servers: [{ hosts: ['*'], port: { number: 15443 } }] }));
    expect(code).not.toBe(0);
    expect(output).toContain('Construct Path: shop/Rule');
    const { violations } = JSON.parse(readFileSync(join(directory, 'report.json'), 'utf8')).reports[0];
    expect(violations.map(({ ruleName, violatingConstructs: [{ constructPath }] }: any) => `${ruleName} ${constructPath}`))
      .toEqual(['weak-tls shop/Rule', 'wildcard-hosts shop/Rule', 'foreign-objects shop/Rule']);
  }, 180_000);
});
