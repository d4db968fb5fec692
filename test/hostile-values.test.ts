import { ApiObject, App, Chart, Duration } from 'cdk8s';
import { Construct } from 'constructs';
import * as library from '../src';
import { meshOf, trustOf } from './support/meshes';
import { any, bankWith, pair } from './support/pair';
import { errorOf } from './support/rejections';

/*
 * Values that answer every question with an error of their own: proxies, getters that throw, objects with the prototype of a class.
 * Every public parameter, every option and every property of a peer or a source that is not ours rejects them, or does not touch them.
 */

const {
  BoundaryGateway, BoundaryValidation, GatewayCredential, HttpRule, LocalName, LocalService, ManifestWriter,
  NetworkDestination, NodeToleration, ServicePort, SpiffeId,
} = library;

const circular: any = Object.create(null);
circular.self = circular;
const itself: unknown[] = [];
itself.push(itself);
const revoked = Proxy.revocable({}, {});
revoked.revoke();
const refuse = () => { throw new TypeError('a trap'); };
const refusing = { get: refuse, has: refuse, ownKeys: refuse, getPrototypeOf: refuse, getOwnPropertyDescriptor: refuse };
const throwing = (name: string) => Object.defineProperty({}, name, { enumerable: true, get: refuse });
/** Classes of the library and of cdk8s that are given as values. */
const ofLibrary = Object.entries<any>(library).filter(([, one]) => typeof one === 'function');
const classes = [...ofLibrary, ...Object.entries<any>({ Duration, App, Chart, ApiObject, Construct })];

const HOSTILE: [string, () => unknown][] = [
  ['a class', () => class Odd {}],
  ['a function with properties', () => Object.assign(() => 1, { node: { path: 'odd' } })],
  ['a proxy of an object', () => new Proxy({}, {})],
  ['a proxy of a list', () => new Proxy([], {})],
  ['a revoked proxy', () => revoked.proxy],
  ['a proxy that throws', () => new Proxy({}, refusing)],
  ['a proxy of a function that throws', () => new Proxy(() => 1, refusing)],
  ['an object whose path throws', () => throwing('node')],
  ['an object whose conversion throws', () => ({ toJSON: refuse, toString: refuse, [Symbol.toPrimitive]: refuse })],
  ['an object with a circle and without a prototype', () => circular],
  ['a list that contains itself', () => itself],
  ['a bigint', () => 5n],
  ['a symbol', () => Symbol('odd')],
  ['an object without a prototype', () => Object.create(null)],
  ['a Map', () => new Map([['a', 1]])],
  ['an object with a key __proto__', () => JSON.parse('{"__proto__": {"a": 1}, "constructor": 1, "toString": 1, "hasOwnProperty": 1}')],
  ['a proxy of a trust bundle', () => new Proxy(trustOf('east'), {})],
  ['a proxy of a mesh', () => new Proxy(pair().east, {})],
  ['a proxy of a construct', () => new Proxy(new Chart(new App(), 'odd'), {})],
  ...classes.flatMap(([name, one]): [string, () => unknown][] => [[`the class ${name}`, () => one], [`an object with the prototype of ${name}`, () => Object.create(one.prototype)]]),
];

/** What a call throws, unless it is an error of the library with a path, a problem and a fix on one line. */
function foreignErrors(run: () => unknown): string[] {
  const error = errorOf(run);
  return error.message === 'nothing was rejected' || /^FED\d{3} [^\n]+: [^\n]+ → [^\n]+$/.test(error.message) ? [] : [error.stack!];
}

const binding = () => {
  const { west, reviews } = pair();
  return west.bind('Reviews', { source: reviews, localName: LocalName.existingService('reviews', 'default') });
};
const chart = () => new Chart(new App(), 'chart');

/** Every public call, with valid arguments before the hostile one. */
const CALLS: [string, (value: any) => unknown][] = [
  ...ofLibrary.flatMap(([name, one]) => Object.getOwnPropertyNames(one).filter((member) => typeof one[member] === 'function' && member !== 'prototype')
    .flatMap((member): [string, (value: any) => unknown][] => [
      [`${name}.${member}`, (value) => one[member](value)],
      [`${name}.${member}, second parameter`, (value) => one[member]('a', value)],
      [`${name}.${member}, third parameter`, (value) => one[member]('a', 'b', value)],
    ])),
  ['ServicePort.http, options', (value) => ServicePort.http(80, value)],
  ['NetworkDestination.addresses, ports', (value) => NetworkDestination.addresses('203.0.113.0/28', value)],
  ['NodeToleration.equal, effect', (value) => NodeToleration.equal('a', 'b', value)],
  ['GatewayCredential.fromSecret', (value) => GatewayCredential.fromSecret(value)],
  ...(['FederatedMesh', 'RemoteMesh', 'ExposedService', 'RemoteServiceBinding'] as const).flatMap((name): [string, (value: any) => unknown][] => [
    [`new ${name}, scope`, (value) => new library[name](value, 'Id', any({}))],
    [`new ${name}, id`, (value) => new library[name](chart(), value, any({}))],
    [`new ${name}, props`, (value) => new library[name](chart(), 'Id', value)],
  ]),
  ['addPeer, peer', (value) => pair().east.addPeer(value)],
  ['addPeer, options', (value) => pair().east.addPeer(bankWith(), value)],
  ['expose, id', (value) => pair().east.expose(value, any({}))],
  ['expose, options', (value) => pair().east.expose('Own', value)],
  ['bind, id', (value) => pair().east.bind(value, any({}))],
  ['bind, options', (value) => pair().east.bind('Own', value)],
  ['restrictNamespace, namespace', (value) => pair().east.restrictNamespace(value, { reason: 'agreed with the team' })],
  ['restrictNamespace, options', (value) => pair().east.restrictNamespace('finance', value)],
  ['ExposedService.allowFrom, peer', (value) => pair().reviews.allowFrom(value)],
  ['ExposedService.allowFrom, options', (value) => { const { reviews, west } = pair(); reviews.allowFrom(west, value); }],
  ['ExposedService.lockWorkload', (value) => pair().reviews.lockWorkload(value)],
  ['ExposedService.sniFor, peer', (value) => pair().reviews.sniFor(value, 9080)],
  ['ExposedService.sniFor, port', (value) => { const { reviews, west } = pair(); reviews.sniFor(west, value); }],
  ['RemoteServiceBinding.allowFrom', (value) => binding().allowFrom(value)],
  ['RemoteServiceBinding.addSource, source', (value) => binding().addSource(value)],
  ['RemoteServiceBinding.addSource, options', (value) => binding().addSource(bankWith().exposedService('cards'), value)],
  ['RemoteServiceBinding.addLocalSource', (value) => binding().addLocalSource(value)],
  ['RemoteMesh.exposedService', (value) => bankWith().exposedService(value)],
  ['sniFor of a remote service, peer', (value) => bankWith().exposedService('cards').sniFor(value, 443)],
  ['sniFor of a remote service, port', (value) => bankWith().exposedService('cards').sniFor(pair().west, value)],
  ['TrustBundle.withNext', (value) => trustOf('east').withNext(value)],
  ['TrustBundle.withRevocationList', (value) => trustOf('east').withRevocationList(value)],
  ['ManifestWriter.write, options', (value) => ManifestWriter.write(new App({ outdir: '/tmp/never' }), value)],
  ['new BoundaryValidation', (value) => new BoundaryValidation(value)],
];

test.each(CALLS)('%s answers hostile values with an error of the library', (_, call) => {
  for (const [name, value] of HOSTILE) expect([name, ...foreignErrors(() => call(value()))]).toEqual([name]);
});

const REASON = { reason: 'agreed with the security team' };
const justified = (call: (options: any) => unknown) => (given: object) => call({ ...REASON, ...given });
/** A call for each interface of options, with valid values for the required ones. */
const WITH: { readonly [place: string]: (given: any) => unknown } = {
  mesh: (given) => meshOf(new App(), 'east', given),
  gateway: (given) => meshOf(new App(), 'east', { ingressGateway: BoundaryGateway.dedicated(given) }),
  existing: (given) => BoundaryGateway.fromExisting({ namespaceName: 'a', serviceAccountName: 'a', serviceName: 'a', podLabels: { app: 'a' }, ...given }),
  certificate: (given) => GatewayCredential.fromCertManager({ issuerName: 'a', ...given }),
  identity: (given) => SpiffeId.forServiceAccount({ trustDomain: 'a.example', namespaceName: 'a', serviceAccountName: 'a', ...given }),
  remote: (given) => meshOf(new App(), 'east').addPeer(bankWith(given)),
  peer: (given) => meshOf(new App(), 'east').addPeer(bankWith(), given),
  export: (given) => meshOf(new App(), 'east').expose('Own', { ...own(), ...given }),
  grant: (given) => meshOf(new App(), 'east').expose('Own', own()).allowFrom(bankWith(), given),
  rule: (given) => HttpRule.allow({ methods: ['GET'], ...given }),
  jwt: (given) => meshOf(new App(), 'east').expose('Own', own()).allowFrom(bankWith(), { jwt: { issuer: 'https://login.example', jwksUri: 'https://login.example/keys', audiences: ['a'], ...given } }),
  lock: justified((given) => meshOf(new App(), 'east').expose('Own', own()).lockWorkload({ podLabels: { app: 'a' }, ...given })),
  restriction: justified((given) => meshOf(new App(), 'east').restrictNamespace('finance', given)),
  binding: (given) => meshOf(new App(), 'east').bind('Cards', { source: bankWith().exposedService('cards'), localName: LocalName.newService('cards', 'shop'), ...given }),
};
const own = () => ({ service: LocalService.fromName('own', 'shop'), exportName: 'own', ports: [ServicePort.http(80)] });

const ACCOUNTABILITY = ['purpose', 'owner', 'dataCategories', 'approvedBy', 'ticket', 'reviewBy'];
const OPTIONS: { readonly [place: string]: readonly string[] } = {
  mesh: [
    'meshName', 'trustDomain', 'trustBundle', 'endpoints', 'credential', 'workloadTrustDomain', 'namespaceName', 'createNamespace', 'namespaceLabels', 'ingressGateway', 'egressGateway', 'istioVersion',
    'connectAfterHandshake', 'revision', 'rootNamespaceName', 'clusterDomain', 'monitoringNamespaceName', 'infrastructure', 'networkIdleTimeout', 'accessLogProvider', 'delivery',
    'allowHeadersWithUnderscores', 'withoutAdmissionPolicy',
  ],
  gateway: [
    'minReplicas', 'maxReplicas', 'cpuRequest', 'cpuLimit', 'memoryRequest', 'memoryLimit', 'serviceType', 'serviceAnnotations', 'loadBalancerClass', 'sourceRanges', 'healthCheckSourceRanges', 'proxyProtocol',
    'preserveClientAddress', 'dualStack', 'nodeSelector', 'tolerations', 'priorityClassName', 'imagePullSecretNames', 'injectionTemplates', 'labels', 'shutdownDelay', 'namespaceName', 'credential',
  ],
  existing: ['namespaceName', 'serviceAccountName', 'serviceName', 'podLabels', 'credential'],
  certificate: ['issuerName', 'issuerKind', 'issuerGroup', 'duration', 'renewBefore', 'keyAlgorithm', 'commonName'],
  identity: ['trustDomain', 'namespaceName', 'serviceAccountName'],
  remote: ['meshName', 'trustDomain', 'trustBundle', 'ingressIdentity', 'egressIdentity', 'endpoints', 'exposedServices', 'knownAs'],
  peer: [...ACCOUNTABILITY, 'trustConfigMapName', 'limits', 'upstreamLimits', 'stripTracing', 'removeRequestHeaders', 'allowTls12', 'isolated', 'agreementId', 'contact'],
  export: [...ACCOUNTABILITY, 'service', 'exportName', 'ports', 'requestTimeout', 'idleTimeout'],
  grant: [...ACCOUNTABILITY, 'ports', 'http', 'grpcMethods', 'jwt'],
  rule: ['methods', 'paths', 'exceptPaths', 'requiredHeaders'],
  jwt: ['issuer', 'jwks', 'jwksUri', 'audiences', 'claims'],
  lock: ['reason', 'approvedBy', 'ticket', 'localCallers', 'podLabels'],
  restriction: ['reason', 'approvedBy', 'ticket', 'allowedHosts'],
  binding: [...ACCOUNTABILITY, 'source', 'localName', 'weight', 'whenHeaders', 'portMappings', 'additionalHosts', 'mesh'],
};
const places = Object.entries(OPTIONS).flatMap(([place, options]) => options.map((option) => [place, option] as const));

test.each(places)('the option %s.%s answers hostile values, alone and in lists and maps, with an error of the library', (place, option) => {
  for (const [name, value] of HOSTILE) {
    const inside = () => [[value()], { a: value() }, [{ address: value(), port: value(), exportName: value(), ports: value(), localPort: value() }]];
    for (const given of [value(), ...name.includes('class') || name.includes('prototype') ? [] : inside()]) {
      expect([name, ...foreignErrors(() => WITH[place]({ [option]: given }))]).toEqual([name]);
    }
  }
});

test.each(['toString', 'valueOf', 'hasOwnProperty', 'isPrototypeOf'])('labels, annotations, headers, claims and texts can be named %s', (word) => {
  const app = new App();
  const lower = word.toLowerCase();
  const texts = { purpose: word, owner: word, dataCategories: [word], ticket: word };
  const east = meshOf(app, 'east', {
    namespaceLabels: { [word]: word },
    ingressGateway: BoundaryGateway.dedicated({ labels: { [word]: word }, nodeSelector: { [word]: word }, serviceAnnotations: { [lower]: word } }),
  });
  const bank = bankWith({ knownAs: 'east' });
  east.addPeer(bank, { ...texts, agreementId: word, contact: word, removeRequestHeaders: [lower] });
  const exported = east.expose('Own', { ...own(), ...texts });
  exported.lockWorkload({ ...REASON, podLabels: { [word]: word } });
  exported.allowFrom(bank, {
    ...texts,
    http: [HttpRule.allow({ requiredHeaders: { [lower]: word } })],
    jwt: { issuer: `https://${lower}.example`, jwksUri: 'https://login.example/keys', audiences: [word], claims: { [word]: [word] } },
  });
  east.bind('Cards', { source: bank.exposedService('cards'), localName: LocalName.newService(lower, lower), ...texts })
    .addSource(bank.exposedService('cards'), { whenHeaders: { [lower]: word } });
  expect(app.synthYaml()).toContain(word);
});

test('no label or annotation can be named constructor, because cdk8s cannot write such a map', () => {
  const named = { constructor: 'a' } as never;
  expect(() => meshOf(new App(), 'east', { namespaceLabels: named })).toThrow(/^FED152 /);
  for (const options of [{ labels: named }, { nodeSelector: named }, { serviceAnnotations: named }]) expect(() => BoundaryGateway.dedicated(options)).toThrow(/^FED116 /);
  expect(() => meshOf(new App(), 'east').expose('Own', own()).lockWorkload({ ...REASON, podLabels: named })).toThrow(/^FED312 /);
});

/** A peer, or an export of one, of another class than those of the library. */
const foreign = (properties: object) => Object.assign(new Construct(new App(), 'Odd'), properties) as never;
const { meshName, trustDomain, endpoints, ingressIdentity, egressIdentity, trustBundle } = bankWith();
const peer = { meshName, trustDomain, endpoints, ingressIdentity, egressIdentity, trustBundle };
const source = { mesh: foreign(peer), exportName: 'cards', ports: [ServicePort.http(80)], sniFor: () => 'p80.cards.west.fed.bank.example' };

test.each(Object.keys(peer))('a peer of another class with a hostile %s is answered with an error of the library', (property) => {
  for (const [name, value] of HOSTILE) {
    for (const change of [{ [property]: value() }, { [property]: [value()] }]) {
      expect([name, ...foreignErrors(() => pair().east.addPeer(foreign({ ...peer, ...change })))]).toEqual([name]);
      expect([name, ...foreignErrors(() => pair().reviews.allowFrom(foreign({ ...peer, ...change })))]).toEqual([name]);
    }
  }
  const thrown = Object.defineProperty(foreign({ ...peer }), property, { get: refuse });
  expect(foreignErrors(() => pair().east.addPeer(thrown))).toEqual([]);
});

test.each(Object.keys(source))('a source of another class with a hostile %s is answered with an error of the library', (property) => {
  const bind = (given: never) => () => pair().west.bind('Odd', { source: given, localName: LocalName.newService('cards', 'web') });
  for (const [name, value] of HOSTILE) {
    for (const change of [{ [property]: value() }, { [property]: [value()] }, { [property]: () => value() }]) {
      expect([name, ...foreignErrors(bind(foreign({ ...source, ...change })))]).toEqual([name]);
    }
  }
  expect(foreignErrors(bind(Object.defineProperty(foreign({ ...source }), property, { get: refuse })))).toEqual([]);
});

test('BoundaryValidation.validate answers hostile values with an error of the library', async () => {
  const context = { manifests: [], report: { addViolation: () => undefined, submit: () => undefined }, parseManifest: () => [] };
  const errorsOf = async (value: unknown) => new BoundaryValidation().validate(value as never).then(() => [], ({ message }) => /^FED120 /.test(message) ? [] : [message]);
  for (const [name, value] of [...HOSTILE, ['undefined', () => undefined], ['null', () => null], ['a text', () => 'x']] as const) {
    expect([name, ...await errorsOf(value())]).toEqual([name]);
    for (const field of Object.keys(context)) expect([name, field, ...await errorsOf({ ...context, [field]: value() })]).toEqual([name, field]);
  }
  expect(await errorsOf(context)).toEqual([]);
});
