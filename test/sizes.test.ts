import { ApiObject, App, Chart, Yaml } from 'cdk8s';
import { parse } from 'yaml';
import {
  Caller, FederatedMesh, HttpRule, LocalName, LocalService, ServicePort, TrustBundle,
} from '../src';
import { makeCertificate, padding } from './support/certificates';
import { objectsOf } from './support/manifests';
import { meshOf } from './support/meshes';
import { bankWith, pair } from './support/pair';
import { errorOf } from './support/rejections';
import { isKept } from '../src/render';
import { errorsInSize } from '../src/render/size';

/*
 * Sizes: an API server rejects objects of more than 1.5 MB, data of more than 1 MiB and annotations of more than 256 KiB. Synthesis fails
 * before, for whatever makes an object so large.
 */

const text = (length: number) => 'x'.repeat(length);
const messageOf = (app: App) => errorOf(() => app.synthYaml()).message;

describe('the size of an object', () => {
  const errorsOf = (kind: string, fields: object, annotations = {}) => {
    const object = new ApiObject(new Chart(new App(), 'east'), 'Object', { apiVersion: 'v1', kind, metadata: { name: 'till', namespace: 'shop' }, ...fields });
    return errorsInSize(object.chart, object, annotations, Infinity);
  };
  const specOf = (bytes: number) => ({ spec: text(bytes - JSON.stringify({ apiVersion: 'v1', kind: 'Gateway', metadata: { name: 'till', namespace: 'shop' }, spec: '' }).length) });

  test('an object of 1.4 MB is accepted, and a larger one is rejected', () => {
    expect(errorsOf('Gateway', specOf(1_400_000))).toEqual([]);
    expect(errorsOf('Gateway', specOf(1_400_001))).toEqual([expect.stringMatching(/^FED135 east: the Gateway shop\/till has 1400001 bytes, .* → move some of the peers/)]);
  });

  test('values of a ConfigMap of 1 MiB in total are accepted, and larger ones are rejected', () => {
    expect(errorsOf('ConfigMap', { data: { 'a.pem': text(2 ** 19), 'b.pem': text(2 ** 19) } })).toEqual([]);
    expect(errorsOf('ConfigMap', { data: { 'a.pem': text(2 ** 19), 'b.pem': text(2 ** 19 + 1) } }))
      .toEqual([expect.stringMatching(/^FED135 east: the data of the ConfigMap shop\/till have 1048577 bytes, .* → keep only current certificates/)]);
    expect(errorsOf('ConfigMap', { data: { 'a.pem': 'ü'.repeat(2 ** 19 + 1) } })).toHaveLength(1);
  });

  test('annotations of 240 KiB in total are accepted, and larger ones are rejected', () => {
    expect(errorsOf('Gateway', {}, { a: text(245_757), b: 'x' })).toEqual([]);
    expect(errorsOf('Gateway', {}, { a: text(245_757), b: 'xx' })).toEqual([expect.stringMatching(/^FED143 east: the annotations of the Gateway shop\/till have 245761 bytes/)]);
    expect(errorsOf('Gateway', {}, { a: 'ü'.repeat(122_880) })).toHaveLength(1);
  });
});

test('the size of every generated object is checked', () => {
  const { app, east, west, reviews } = pair();
  east.addPeer(bankWith({ knownAs: 'east' }), { limits: { maxConnections: 5 } });
  reviews.allowFrom(west, { http: [HttpRule.allow({ methods: ['GET'] })] });
  reviews.lockWorkload({ reason: 'nobody else in the mesh may call it', podLabels: { app: 'reviews' } });
  west.bind('Reviews', { source: reviews, localName: LocalName.newService('reviews', 'web'), additionalHosts: ['reviews.partner.example'] }).allowFrom(Caller.anyInMesh());
  west.restrictNamespace('web', { reason: 'money leaves through the boundary only' });
  const generated = app.node.findAll().filter((construct): construct is ApiObject => ApiObject.isApiObject(construct));
  expect(generated.length).toBeGreaterThan(50);
  expect(generated.filter((object) => !isKept(object))).toEqual([]);
  generated.forEach((object) => object.metadata.addAnnotation('example.com/note', text(245_760)));
  const errors = messageOf(app).split('\n').filter((line) => line.includes('FED143'));
  expect(errors).toHaveLength(generated.length);
  // Each error names the construct of the program.
  expect([...new Set(errors.map((line) => /FED143 ([^:]+):/.exec(line)![1]))].sort()).toEqual(['east/Mesh', 'east/Mesh/Reviews', 'west/Mesh', 'west/Mesh/Reviews']);
});

describe('synthesis rejects', () => {
  const everybody = (count: number, each: (index: number) => void) => Array.from({ length: count }, (_, index) => each(index));
  const page = (index: number) => Caller.serviceAccount('page', `web-${index}-${text(50)}`.slice(0, 63).replace(/-$/, 'x'));
  const bound = ({ west, reviews }: ReturnType<typeof pair>) => {
    reviews.allowFrom(west);
    return west.bind('Reviews', { source: reviews, localName: LocalName.newService('reviews', 'default') });
  };
  const cases: [what: string, declare: (made: ReturnType<typeof pair>) => unknown, error: RegExp][] = [
    ['data categories that are too long together', ({ reviews, west }) => reviews.allowFrom(west, { ports: [9080], dataCategories: Array.from({ length: 61 }, (_, index) => `${index}${text(4090)}`) }),
      /FED143 east\/Mesh: the annotations of the VirtualService istio-federation\/fed-in-reviews-9080-west have \d+ bytes/],
    ['purposes of many allowFrom for one port', ({ reviews, west }) => everybody(61, (index) => reviews.allowFrom(west, { ports: [9080], purpose: `${index}${text(4090)}` })),
      /FED143 east\/Mesh: the annotations of the VirtualService istio-federation\/fed-in-reviews-9080-west have \d+ bytes/],
    ['reasons of many private endpoints', ({ app }) => meshOf(app, 'north', {
      endpoints: Array.from({ length: 61 }, (_, index) => ({ address: `10.0.0.${index}`, privateAddress: { reason: text(4090) } })),
    }).expose('Own', { service: LocalService.fromName('own', 'default'), exportName: 'own', ports: [ServicePort.http(80)] }),
    /FED143 north\/Mesh: the annotations of the Service istio-federation\/federation-ingress have \d+ bytes/],
    ['more caller namespaces than the annotation of a Service holds', (made) => bound(made).allowFrom(...Array.from({ length: 4500 }, (_, index) => page(index))),
      /FED143 west\/Mesh: the annotations of the Service istio-federation\/federation-egress have \d+ bytes[^]*FED143 west\/Mesh\/Reviews: the annotations of the Service default\/reviews/],
    ['rules that are too long for one VirtualService', ({ reviews, west }) => reviews.allowFrom(west, {
      ports: [9080], http: [HttpRule.allow({ paths: Array.from({ length: 2400 }, (_, index) => `/${index}/${text(600)}`) })],
    }), /FED135 east\/Mesh: the VirtualService istio-federation\/fed-in-reviews-9080-west has \d+ bytes/],
    ['removed headers that are too long for the routes', ({ app, east, reviews }) => {
      const north = meshOf(app, 'north');
      east.addPeer(north);
      north.addPeer(east, { removeRequestHeaders: Array.from({ length: 90 }, (_, index) => `x-${index}-${text(16_000)}`) });
      bound({ ...pair(), reviews, west: north }).allowFrom(page(0));
    }, /FED135 north\/Mesh: the VirtualService istio-federation\/fed-out-reviews-9080-default-east has \d+ bytes/],
    ['a locked workload with more callers than a policy holds', ({ reviews }) => reviews.lockWorkload({
      reason: 'nobody else in the mesh may call it', podLabels: { app: 'reviews' }, localCallers: Array.from({ length: 18_000 }, (_, index) => page(index)),
    }), /FED135 east\/Mesh\/Reviews: the AuthorizationPolicy default\/fed-lock-reviews-default has \d+ bytes/],
    ['more allowed hosts than a Sidecar holds', ({ west }) => west.restrictNamespace('web', {
      reason: 'money leaves through the boundary only', allowedHosts: Array.from({ length: 8000 }, (_, index) => `egress/${text(60)}.${text(60)}.${text(60)}.p${index}.example`),
    }), /FED135 west\/Mesh: the Sidecar web\/fed-restricted-web has \d+ bytes/],
  ];
  test.each(cases)('%s', (_, declare, error) => {
    const made = pair();
    declare(made);
    expect(messageOf(made.app)).toMatch(error);
  }, 60_000);
});

describe('trust ConfigMaps', () => {
  /** A CA certificate with an extension that makes its PEM about one MiB long, or half of that. */
  const largeCa = async (name: string, bytes: number) =>
    TrustBundle.fromPem((await makeCertificate(name, true, undefined, padding(bytes))).certificate);

  test.each([[760_000, ''], [800_000, 'FED135 east/Mesh: the data of the ConfigMap istio-federation/fed-in-trust-north have ']])('a peer whose CA has an extension of %i bytes', async (bytes, error) => {
    const app = new App();
    const east = meshOf(app, 'east');
    const north = meshOf(app, 'north', { trustBundle: await largeCa('north', bytes) });
    east.addPeer(north);
    north.addPeer(east);
    east.expose('Own', { service: LocalService.fromName('own', 'default'), exportName: 'own', ports: [ServicePort.http(80)] }).allowFrom(north);
    expect(messageOf(app)).toContain(error || 'nothing was rejected');
  }, 60_000);

  test('the CAs of two peers are rejected if they are too large for the ConfigMap of the egress gateway', async () => {
    const app = new App();
    const east = meshOf(app, 'east');
    const others = await Promise.all(['north', 'bank'].map(async (name) => meshOf(app, name, { trustBundle: await largeCa(name, 400_000) })));
    others.forEach((other, index) => {
      east.addPeer(other);
      other.addPeer(east);
      const source = other.expose('Own', { service: LocalService.fromName('own', 'default'), exportName: 'own', ports: [ServicePort.http(80)] });
      source.allowFrom(east);
      east.bind(`Own${index}`, { source, localName: LocalName.newService(`own-${index}`, 'web') }).allowFrom(Caller.serviceAccount('page', 'web'));
    });
    expect(messageOf(app)).toMatch(/FED135 east\/Mesh: the data of the ConfigMap istio-federation\/fed-out-trust have \d+ bytes, but the API server accepts 1 MiB/);
  }, 60_000);
});

/* Texts that YAML parsers read as they are written. */

test.each([
  'several\nlines\r\nwith\ttabs', '東京 😀 \u{1F469}\u200d\u{1F4BB}', ' blanks ', '# no comment', '"quotes" and \'quotes\'', 'true', '0x1F', '2026-11-30', '\u00a0', 'a: b', '- a', '---', '\u200e', '\ufffd',
])('a purpose of %j is written so that YAML parsers of both versions read it', (purpose) => {
  const { app, reviews, west } = pair();
  reviews.allowFrom(west, { ports: [9080], purpose });
  const [written] = objectsOf(app).filter(({ kind, metadata }) => kind === 'VirtualService' && metadata.name === 'fed-in-reviews-9080-west');
  for (const version of ['1.1', '1.2'] as const) {
    expect(parse(Yaml.stringify(written), { version }).metadata.annotations['cdk8s-mesh-federation/purpose']).toBe(purpose);
  }
});

test.each(['purpose', 'owner', 'approvedBy', 'ticket', 'agreementId', 'contact'])('addPeer rejects control characters in %s', (field) => {
  const add = (mesh: FederatedMesh, value: string) => () => mesh.addPeer(bankWith(), { [field]: value });
  for (const character of ['\u0000', '\u0085', '\u2028', '\ud83d']) expect(add(meshOf(new App(), 'east'), `a${character}b`)).toThrow(/^FED143 east\/Mesh: .* has the character U\+/);
  expect(add(meshOf(new App(), 'east'), 'a\nb')).not.toThrow();
});
