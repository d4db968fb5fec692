import { App, Chart } from 'cdk8s';
import * as fc from 'fast-check';
import * as library from '../src';
import { Manifest, objectsOf } from './support/manifests';
import { meshOf } from './support/meshes';
import { any, bankWith, pair } from './support/pair';
import { errorOf } from './support/rejections';
import { schemaErrors } from './support/schemas';

/*
 * Programs without types. Whatever is passed to a public call, the answer is an error of the library or an output that
 * API servers accept.
 */

const { BoundaryGateway, Caller, HttpRule, LocalName, LocalService, ServicePort, SpiffeId } = library;

/* Every public constructor and method. */

const ODD: unknown[] = [undefined, null, 5, NaN, [], 'x', {}, [null], { constructor: 1 }, () => 1, true, Symbol('odd'), Object.create(null), new Date(0)];

/** The message of what a call throws, unless it is an error of the library. */
function foreignError(run: () => unknown): string[] {
  const { message } = errorOf(run);
  return message === 'nothing was rejected' || /^FED\d{3} /.test(message) ? [] : [message];
}

const classes = Object.entries<any>(library).filter(([, one]) => typeof one === 'function');
const statics = classes.flatMap(([name, one]) => Object.getOwnPropertyNames(one)
  .filter((member) => typeof one[member] === 'function').map((member) => [`${name}.${member}`, one, member] as const));

test.each(statics)('%s answers odd values with an error of the library', (_, one, member) => {
  for (const first of ODD) {
    for (const second of ODD) expect(foreignError(() => one[member](first, second))).toEqual([]);
    expect(foreignError(() => one[member]('a', 'b', first))).toEqual([]);
  }
});

const constructors = ['FederatedMesh', 'RemoteMesh', 'ExposedService', 'RemoteServiceBinding'] as const;
test.each(constructors)('new %s answers odd values with an error of the library', (name) => {
  const Made: any = library[name];
  for (const odd of ODD) {
    expect(foreignError(() => new Made(odd, 'Id', {}))).toEqual([]);
    expect(foreignError(() => new Made(new Chart(new App(), 'chart'), odd, {}))).toEqual([]);
    expect(foreignError(() => new Made(new Chart(new App(), 'chart'), 'Id', odd))).toEqual([]);
  }
});

const METHODS: [name: string, member: string, on: () => any][] = [
  ...['addPeer', 'expose', 'bind', 'restrictNamespace'].map((member): [string, string, () => any] => ['FederatedMesh', member, () => pair().east]),
  ...['allowFrom', 'lockWorkload', 'sniFor'].map((member): [string, string, () => any] => ['ExposedService', member, () => pair().reviews]),
  ...['allowFrom', 'addSource', 'addLocalSource'].map((member): [string, string, () => any] => ['RemoteServiceBinding', member, () => {
    const { west, reviews } = pair();
    return west.bind('Reviews', { source: reviews, localName: LocalName.existingService('reviews', 'default') });
  }]),
  ['RemoteMesh', 'exposedService', () => bankWith()],
  ...['withNext', 'withRevocationList'].map((member): [string, string, () => any] => ['TrustBundle', member, () => pair().east.trustBundle]),
];
test.each(METHODS)('%s.%s answers odd values with an error of the library', (_, member, on) => {
  for (const first of ODD) for (const second of [undefined, null, 5, {}, [null]]) expect(foreignError(() => on()[member](first, second))).toEqual([]);
});

/* Words that JavaScript knows. */

test.each(['constructor', 'valueof', 'hasownproperty'])('every name of a program can be "%s"', (name) => {
  const { app, east, west } = pair();
  const bank = bankWith({ meshName: name, knownAs: name, exposedServices: [{ exportName: name, ports: [ServicePort.http(80)] }] });
  west.addPeer(bank);
  const exported = east.expose('Own', { service: LocalService.fromName(name, name), exportName: name, ports: [ServicePort.http(80)] });
  exported.allowFrom(west, { http: [HttpRule.allow({ requiredHeaders: { [name]: name } })] });
  for (const [id, source] of [['One', exported], ['Two', bank.exposedService(name)]] as const) {
    west.bind(id, { source, localName: LocalName.newService(name, id.toLowerCase()), additionalHosts: [`${name}.${id.toLowerCase()}.example`] }).allowFrom(Caller.serviceAccount(name, name));
  }
  const objects = objectsOf(app);
  expect(objects.filter(({ metadata }) => metadata.name.includes(name)).length).toBeGreaterThan(5);
  expect(objects.flatMap((object) => schemaErrors(object))).toEqual([]);
});

test.each(['__proto__', 'toString'])('an export cannot be named "%s"', (exportName) => {
  expect(() => pair().east.expose('Own', { service: LocalService.fromName('own', 'shop'), exportName, ports: [ServicePort.http(80)] })).toThrow(/^FED301 /);
});

/* Odd values of options. */

/** A program of two meshes that uses every options interface, with some options replaced. */
function program(changes: { readonly [place: string]: object }): Manifest[] {
  const app = new App();
  const at = (place: string) => changes[place] ?? {};
  const east = meshOf(app, 'east', { ingressGateway: BoundaryGateway.dedicated(at('gateway')), ...at('mesh') });
  const west = meshOf(app, 'west');
  const bank = bankWith({ knownAs: 'east', ...at('remote') });
  east.addPeer(west, at('peer'));
  east.addPeer(bank);
  west.addPeer(east);
  const reviews = east.expose('Reviews', { service: LocalService.fromName('reviews', 'shop'), exportName: 'reviews', ports: [ServicePort.http(80)], ...at('export') });
  reviews.allowFrom(west, {
    http: [HttpRule.allow({ methods: ['GET'], ...at('rule') })],
    jwt: changes.jwt && any({ issuer: 'https://login.example', jwksUri: 'https://login.example/keys', audiences: ['reviews'], ...changes.jwt }),
    ...at('grant'),
  });
  east.bind('Cards', any({ source: bank.exposedService('cards'), localName: LocalName.newService('cards', 'shop'), ...at('binding') })).allowFrom(Caller.serviceAccount('page', 'shop'));
  return objectsOf(app);
}

const OPTIONS: { readonly [place: string]: readonly string[] } = {
  mesh: [
    'namespaceName', 'revision', 'rootNamespaceName', 'clusterDomain', 'monitoringNamespaceName', 'accessLogProvider', 'endpoints', 'trustDomain', 'meshName',
    'createNamespace', 'connectAfterHandshake', 'withoutAdmissionPolicy',
  ],
  gateway: [
    'minReplicas', 'maxReplicas', 'cpuRequest', 'cpuLimit', 'memoryRequest', 'memoryLimit', 'serviceType', 'serviceAnnotations', 'loadBalancerClass', 'sourceRanges', 'preserveClientAddress',
    'dualStack', 'nodeSelector', 'tolerations', 'priorityClassName', 'imagePullSecretNames', 'labels', 'namespaceName',
  ],
  remote: ['meshName', 'trustDomain', 'endpoints', 'knownAs'],
  peer: [
    'purpose', 'owner', 'dataCategories', 'approvedBy', 'ticket', 'reviewBy', 'agreementId', 'contact', 'trustConfigMapName', 'limits', 'upstreamLimits',
    'removeRequestHeaders', 'allowTls12', 'isolated', 'stripTracing',
  ],
  export: ['exportName', 'requestTimeout', 'idleTimeout', 'purpose', 'owner', 'ports', 'reviewBy'],
  rule: ['methods', 'paths', 'exceptPaths', 'requiredHeaders'],
  grant: ['ports', 'grpcMethods', 'purpose', 'dataCategories'],
  jwt: ['issuer', 'jwksUri', 'audiences', 'claims'],
  binding: ['additionalHosts', 'weight', 'whenHeaders', 'portMappings', 'owner', 'purpose'],
};
const places = Object.entries(OPTIONS).flatMap(([place, options]) => options.map((option) => [place, option] as const));
const text = fc.oneof(
  fc.constantFrom('', ' ', 'a', 'A', 'a b', 'a.b', '-a', 'a-', 'a/b', '/a/*', '/a', '*', '0', '1', '100m', '1Gi', '128K', '1e3', '203.0.113.0/28', '203.0.113.5/28', 'GET', 'é', '\ud800', 'a\nb', 'true', 'null',
    'x'.repeat(64), 'x'.repeat(300), '1.2', '127.1', 'a.example', 'https://a.example/b', '2027-02-28', '%', "'", '{{a}}', '$(a)', '1:2', '\u0000'),
  fc.string({ maxLength: 8 }),
);
const number = fc.oneof(fc.constantFrom(0, -1, 1, 1.5, 80, 65536, 2 ** 31, 2 ** 32, 1e300, NaN, Infinity), fc.integer());
const scalar = fc.oneof({ weight: 4, arbitrary: text }, number, fc.constantFrom<unknown>(null, undefined, true, false));
const reason = fc.record({ reason: fc.oneof(text, fc.constant('agreed with the security team')), ticket: scalar }, { requiredKeys: ['reason'] });
const limits = fc.dictionary(fc.constantFrom('maxConnections', 'requestsPerSecond', 'maxRequests'), number, { minKeys: 1, maxKeys: 2 });
const address = fc.record({ address: text, port: number }, { requiredKeys: ['address'] });
const value: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 4, arbitrary: scalar },
  { weight: 3, arbitrary: fc.array(scalar, { maxLength: 3 }) },
  { weight: 2, arbitrary: fc.dictionary(text, scalar, { maxKeys: 2 }) },
  fc.dictionary(text, fc.array(text, { maxLength: 2 }), { maxKeys: 1 }), reason, limits, fc.array(address, { maxLength: 2 }),
);

test('an odd value of any option is rejected by the library, or accepted by API servers', () => {
  let accepted = 0;
  fc.assert(fc.property(fc.constantFrom(...places), value, ([place, option], odd) => {
    let objects: Manifest[] = [];
    const { message } = errorOf(() => { objects = program({ [place]: { [option]: odd } }); });
    expect(message).toMatch(/^nothing was rejected$|FED\d{3} /);
    if (objects.length > 0) accepted++;
    expect(objects.flatMap((object) => schemaErrors(object))).toEqual([]);
  }), { seed: 20261130, numRuns: 600 });
  expect(accepted).toBeGreaterThan(35);
}, 120_000);

test('SpiffeId.parse accepts nothing but text', () => expect(() => SpiffeId.parse(any(5))).toThrow(/^FED206 /));

/* Texts that kubectl reads as numbers. */

const NUMBERS = ['0o17', '0O17', '0B1', '0XCAFE', '-0X1f', '+0o7'];

/** The message of synthesis when east exports with these props and options, and west calls under a local name. */
function messageWith(mesh: () => object, permission: () => object = () => ({}), caller = Caller.serviceAccount('shop', 'shop')): string {
  return errorOf(() => {
    const app = new App();
    const [east, west] = [meshOf(app, 'east', mesh()), meshOf(app, 'west')];
    east.addPeer(west);
    west.addPeer(east);
    const till = east.expose('Till', { service: LocalService.fromName('till', 'shop'), exportName: 'till', ports: [ServicePort.http(80)] });
    till.allowFrom(west, permission());
    west.bind('Till', { source: till, localName: LocalName.newService('till', 'shop') }).allowFrom(caller);
    app.synthYaml();
  }).message;
}

test.each<[string, (written: string) => string]>([
  ['the value of a node selector', (written) => messageWith(() => ({ ingressGateway: BoundaryGateway.dedicated({ nodeSelector: { a: written } }) }))],
  ['the key of a node selector', (written) => messageWith(() => ({ ingressGateway: BoundaryGateway.dedicated({ nodeSelector: { [written]: 'a' } }) }))],
  ['a label of pods', (written) => messageWith(() => ({ ingressGateway: BoundaryGateway.dedicated({ labels: { a: written } }) }))],
  ['an annotation of the Service', (written) => messageWith(() => ({ ingressGateway: BoundaryGateway.dedicated({ serviceAnnotations: { a: written } }) }))],
  ['the value of a header', (written) => messageWith(() => ({}), () => ({ http: [HttpRule.allow({ requiredHeaders: { a: written } })] }))],
  ['a purpose', (written) => messageWith(() => ({}), () => ({ purpose: written }))],
])('%s which kubectl would read as a number is rejected', (_, messageOf) => {
  for (const written of NUMBERS) expect([written, messageOf(written)]).toEqual([written, expect.stringMatching(/^(?:.*\n)*.*FED\d{3} /)]);
  expect(messageOf('x0o17')).toBe('nothing was rejected');
});

test('names which kubectl would read as numbers are rejected', () => {
  expect(messageWith(() => ({ namespaceName: '0o17' }))).toContain('FED143');
  expect(messageWith(() => ({}), undefined, Caller.serviceAccount('0o17', 'shop'))).toBe('nothing was rejected'); // part of an identity only
  expect(messageWith(() => ({}), undefined, Caller.serviceAccount('shop', '0o17'))).toContain('FED143');
});

test('texts that both YAML versions read as texts are accepted', () => {
  for (const written of ['0x1f', '007', '1e3', 'yes', 'null', '0b1', '1_000', '190:20:30']) {
    expect(messageWith(() => ({ ingressGateway: BoundaryGateway.dedicated({ labels: { a: written.replace(/[:]/g, '.') } }) }))).toBe('nothing was rejected');
  }
});
