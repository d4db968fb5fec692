import { readdirSync, readFileSync } from 'fs';
import { join } from 'path';
import { App } from 'cdk8s';
import { parseAllDocuments } from 'yaml';
import { BoundaryGateway, Caller, LocalName, LocalService, ServicePort } from '../src';
import { Manifest, objectsOf } from './support/manifests';
import { meshOf } from './support/meshes';
import { FILES, manifestsIn } from './support/output';
import { bankWith, EXISTING_GATEWAY, pair } from './support/pair';
import { errorOf } from './support/rejections';
import { schemaErrors, vendored } from './support/schemas';
import { everythingFor } from './support/supported';
import { ISTIO_VERSIONS } from './support/versions';

/*
 * Every limit that a vendored schema sets for a field that the library writes: a program beyond it is rejected, or no program can get
 * there. A new version of a schema with another limit fails here.
 */

const CRDS = join(__dirname, '..', 'crds');
const KEYWORDS = [
  'maxItems', 'minItems', 'maxLength', 'minLength', 'maxProperties', 'minProperties', 'pattern', 'maximum', 'minimum', 'exclusiveMaximum', 'exclusiveMinimum',
  'multipleOf', 'uniqueItems', 'format', 'x-kubernetes-list-type',
];

/* What the schemas say about the fields that are written. */

type Schema = any;

/** The limits of a schema along a value, each as `path keyword limit`. */
function limitsAlong(schema: Schema, value: any, path: string): string[] {
  if (!schema || value === undefined || value === null) return [];
  const own = [
    ...KEYWORDS.filter((keyword) => schema[keyword] !== undefined).map((keyword) => `${path} ${keyword} ${JSON.stringify(schema[keyword])}`),
    ...(schema['x-kubernetes-validations'] ?? []).map(({ rule }: Schema) => `${path} CEL ${rule}`),
  ];
  if (Array.isArray(value)) return [...own, ...value.flatMap((item) => limitsAlong(schema.items, item, `${path}/*`))];
  if (typeof value !== 'object') return own;
  return [...own, ...Object.entries(value).flatMap(([key, item]) => schema.properties?.[key]
    ? limitsAlong(schema.properties[key], item, `${path}/${key}`)
    : limitsAlong(schema.additionalProperties, item, `${path}/{}`))];
}

const WRITTEN = [
  ...FILES().flatMap(manifestsIn),
  ...ISTIO_VERSIONS.flatMap((version) => [undefined, EXISTING_GATEWAY].flatMap((existing) => everythingFor(version, existing))),
];
const definitions = readdirSync(CRDS).filter((file) => /^(istio|cert-manager)-.*\.yaml$/.test(file))
  .flatMap((file) => parseAllDocuments(readFileSync(join(CRDS, file), 'utf8'))).map((document) => document.toJS()).filter(Boolean);
const LIMITS = [...new Set(definitions.flatMap(({ spec: { group, names: { kind }, versions: [{ name, schema }] } }) =>
  WRITTEN.filter((object) => object.kind === kind && object.apiVersion === `${group}/${name}`)
    .flatMap(({ spec }) => limitsAlong(schema.openAPIV3Schema, { spec }, kind))))].sort();

/* How the library stays within them. */

const labels = (count: number, value = 'x') => Object.fromEntries(Array.from({ length: count }, (_, index) => [`label-${index}`, value]));
const address = (length: number) => `${'x'.repeat(60)}.`.repeat(4).concat('x'.repeat(length - 244 - 8), '.example').slice(0, length);

/** The objects of a mesh whose existing gateway has these labels. */
function withLabels(podLabels: { [name: string]: string }): Manifest[] {
  const app = new App();
  const [east, west] = [meshOf(app, 'east', { ingressGateway: BoundaryGateway.fromExisting({ ...EXISTING_GATEWAY, podLabels }) }), meshOf(app, 'west')];
  east.addPeer(west);
  east.expose('Own', { service: LocalService.fromName('own', 'default'), exportName: 'own', ports: [ServicePort.http(80)] }).allowFrom(west);
  return objectsOf(app);
}

/** The objects of a mesh that calls a peer with these endpoints. */
function calling(endpoints: { address: string }[]): Manifest[] {
  const east = meshOf(new App(), 'east');
  const bank = bankWith({ knownAs: 'east', endpoints });
  east.addPeer(bank);
  east.bind('Cards', { source: bank.exposedService('cards'), localName: LocalName.newService('cards', 'web') }).allowFrom(Caller.serviceAccount('page', 'web'));
  return objectsOf(east.node.root as App);
}

/** The objects of a mesh with a binding that has so many additional hosts and ports. */
function bound(hosts: number, ports: number): Manifest[] {
  const { app, east, west } = pair();
  const source = east.expose('Orders', {
    service: LocalService.fromName('orders', 'shop'), exportName: 'orders', ports: Array.from({ length: ports }, (_, index) => ServicePort.http(8000 + index)),
  });
  source.allowFrom(west);
  const additionalHosts = Array.from({ length: hosts }, (_, index) => `orders-${index}.partner.example`);
  west.bind('Orders', { source, localName: LocalName.newService('orders', 'shop'), additionalHosts }).allowFrom(Caller.serviceAccount('page', 'web'));
  return objectsOf(app);
}

function withJwt(length: number): Manifest[] {
  const { app, reviews, west } = pair();
  reviews.allowFrom(west, { jwt: { issuer: 'https://login.example', jwksUri: 'https://login.example/'.padEnd(length, 'k'), audiences: ['reviews'] } });
  return objectsOf(app);
}

/** Limits that a program can reach: it is accepted with a limit, and rejected beyond it. */
const REJECTED: [limit: RegExp, code: string, program: (size: number) => Manifest[]][] = [
  [/^ServiceEntry\/spec\/hosts maxItems (\d+)$/, 'FED412', (size) => bound(size, 1)],
  [/^ServiceEntry\/spec\/ports maxItems (\d+)$/, 'FED412', (size) => bound(1, size)],
  [/^ServiceEntry\/spec\/endpoints maxItems (\d+)$/, 'FED104', (size) => calling(Array.from({ length: size }, (_, index) => ({ address: `f${index}.bank.example` })))],
  [/^RequestAuthentication\/spec\/jwtRules\/\*\/jwksUri maxLength (\d+)$/, 'FED314', withJwt],
  [/^EnvoyFilter\/spec\/workloadSelector\/labels maxProperties (\d+)$/, 'FED127', (size) => withLabels(labels(size))],
  [/^\w+\/spec\/\w*[sS]elector\/(?:matchLabels|labels)\/\{\} maxLength (\d+)$/, 'FED127', (size) => withLabels(labels(1, 'x'.repeat(size)))],
];

/** Limits that no program can reach, with the reason. */
const UNREACHABLE: [limit: RegExp, why: string][] = [
  [/ maxProperties 4096$/, 'selectors have at most as many labels as an EnvoyFilter takes'],
  [/Labels CEL self\.all\(key, |labels?\/\{\} CEL !self\.contains\("\*"\)$/i, 'labels consist of letters, digits, dashes, dots and underscores (FED127, FED312)'],
  [/^AuthorizationPolicy\/spec\/rules(\/\*\/from)? maxItems 512$/, 'each policy is for one peer, one local name or one workload: at most two rules with one source'],
  [/^AuthorizationPolicy\/spec\/rules\/\*\/from\/\*\/source CEL /, 'sources list principals only'],
  [/^\w+\/spec CEL \(has\(self\.(selector|workloadSelector|targetRef)/, 'objects have one selector and no target'],
  [/^RequestAuthentication\/spec\/jwtRules maxItems 4096$/, 'each issuer has a RequestAuthentication of its own'],
  [/^RequestAuthentication\/spec\/jwtRules\/\*\/(issuer|jwksUri|fromHeaders\/\*\/name) minLength 1$/, 'the header is fixed; empty issuers and addresses are rejected (FED314)'],
  [/^RequestAuthentication\/spec\/jwtRules\/\* CEL /, 'an issuer has either jwks or jwksUri (FED314)'],
  [/^RequestAuthentication\/spec\/jwtRules\/\*\/jwksUri CEL url/, 'only https addresses are accepted (FED314)'],
  [/^Telemetry\/spec\/accessLogging\/\*\/providers\/\*\/name minLength 1$/, 'blank names of providers are rejected (FED111)'],
  [/^ServiceEntry\/spec\/hosts (minItems 1|\/\*)|^ServiceEntry\/spec\/hosts\/\* CEL /, 'entries have the hosts of a binding or one SNI, which are names without wildcard (FED412)'],
  [/^ServiceEntry\/spec CEL (!|\(\(has)/, 'entries have no addresses and no selector, and endpoints only with STATIC and DNS'],
  [/^ServiceEntry\/spec\/endpoints\/\* CEL /, 'endpoints have an address, which is no socket'],
  [/^ServiceEntry\/spec\/endpoints\/\*\/address (CEL |maxLength 256$)/, 'addresses are IP addresses or names of at most 253 characters (FED104)'],
  [/^ServiceEntry\/spec\/endpoints\/\*\/ports (CEL |maxProperties 128$)/, 'endpoints have one port with a fixed name'],
  [/^ServiceEntry\/spec\/ports (CEL |x-kubernetes-list-type "map"$)/, 'local ports are unique (FED404), and peers have one port'],
  [/^ServiceEntry\/spec\/ports\/\*\/(name|protocol) maxLength 256$/, 'names are a protocol and a number'],
  [/\/(ports\/\{\}|number|port|portNumber) ((maximum|minimum) |CEL 0 < self && self <= 65535$)/, 'ports are from 1 to 65535 (FED104, FED303, FED404)'],
  [/ CEL duration\(self\) >= duration\('1ms'\)$/, 'durations are whole milliseconds, or fixed (FED126, FED151, FED311)'],
  [/^DestinationRule\/spec\/trafficPolicy\/connectionPool\/\w+\/(maxConnections|http1MaxPendingRequests|http2MaxRequests) format "int32"$/, 'limits are at most 2^31-1 (FED126)'],
  [/\/(maxConcurrentStreams|maxEjectionPercent|attempts|priority|revisionHistoryLimit) format "int32"$/, 'the value is fixed'],
  [/\/(probes|consecutive\w+) (maximum 4294967295|minimum 0)$/, 'the value is fixed, or computed from a duration of at most two hours'],
  [/\/weight format "int32"$/, 'weights are normalised to percentages'],
  [/\/directResponse\/status (maximum|minimum) /, 'the status is fixed'],
  [/^Gateway\/spec\/servers\/\*\/tls CEL /, 'servers have one credential'],
  [/^EnvoyFilter\/spec\/configPatches\/\*\/match CEL has\(self\.context\)/, 'no patch is for waypoints'],
  [/ x-kubernetes-list-type "atomic"$/, 'the list may have any items'],
];

test('the schemas set limits for fields that are written', () => expect(LIMITS.length).toBeGreaterThan(100));

test.each(LIMITS)('a program stays within the limit %s', (limit) => {
  const known = [...REJECTED, ...UNREACHABLE].filter(([pattern]) => pattern.test(limit));
  expect(known).toHaveLength(1);
});

test('every listed limit is in a schema', () => {
  expect([...REJECTED, ...UNREACHABLE].map(([pattern]) => pattern).filter((pattern) => !LIMITS.some((limit) => pattern.test(limit)))).toEqual([]);
});

test.each(REJECTED)('a program is accepted with the limit %s, and rejected with %s beyond it', (pattern, code, program) => {
  const sizes = new Set(LIMITS.flatMap((limit) => pattern.exec(limit)?.[1] ?? []).map(Number));
  for (const size of sizes) {
    expect(program(size).flatMap((object) => schemaErrors(object))).toEqual([]);
    expect(errorOf(() => program(size + 1)).message).toMatch(new RegExp(`(^|\\] )${code} `, 'm'));
  }
});

test('names of 253 characters are accepted as endpoints, and longer ones are rejected', () => {
  expect(calling([{ address: address(253) }]).flatMap((object) => schemaErrors(object))).toEqual([]);
  expect(() => calling([{ address: address(254) }])).toThrow(/^FED104 /);
});

/* The schemas of Kubernetes have no limits: its API server checks them in code, and test/sizes.test.ts has those that depend on the program. */

test.each(vendored('kubernetes'))('the schema of Kubernetes %s has no limit that a program could exceed', (version) => {
  const found = new Set<string>();
  JSON.parse(readFileSync(join(CRDS, `kubernetes-${version}.json`), 'utf8'), (key, value) => {
    if (/^(max|min)[A-Z]/.test(key) && typeof value === 'number' || key === 'pattern' && typeof value === 'string') found.add(`${key} ${value}`);
    return value;
  });
  expect([...found]).toEqual([]);
});
