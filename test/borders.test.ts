import { App, Duration } from 'cdk8s';
import { BoundaryGateway, GatewayCredential, HttpRule, LocalName, LocalService, NetworkDestination, ServicePort } from '../src';
import { Manifest, objectsOf } from './support/manifests';
import { meshOf } from './support/meshes';
import { bankWith, pair } from './support/pair';
import { errorOf } from './support/rejections';
import { schemaErrors } from './support/schemas';

/*
 * Numbers, durations and quantities of every option: the borders are accepted, and what is beyond them is rejected.
 */

type Made = ReturnType<typeof pair>;

/** The objects of two meshes, one of which exports, after this declaration. */
function objectsAfter(declare: (made: Made) => unknown): Manifest[] {
  const made = pair();
  made.reviews.allowFrom(made.west, { http: [HttpRule.allow({ methods: ['GET'] })] });
  declare(made);
  return objectsOf(made.app);
}

const meshWith = (props: object) => {
  const app = new App();
  meshOf(app, 'north', props).expose('Own', { service: LocalService.fromName('own', 'default'), exportName: 'own', ports: [ServicePort.http(80)] });
  return objectsOf(app);
};
const gateway = (options: object) => meshWith({ ingressGateway: BoundaryGateway.dedicated(options) });
const exporting = (options: object) => objectsAfter(({ east }) => east.expose('Own', {
  service: LocalService.fromName('own', 'default'), exportName: 'own', ports: [ServicePort.http(80)], ...options,
}));
const peering = (options: object) => objectsAfter(({ east, reviews }) => {
  const bank = bankWith({ knownAs: 'east' });
  east.addPeer(bank, options);
  reviews.allowFrom(bank);
});
const binding = (options: object) => objectsAfter(({ east }) => {
  const bank = bankWith({ knownAs: 'east' });
  east.addPeer(bank);
  east.bind('Cards', { source: bank.exposedService('cards'), localName: LocalName.newService('cards', 'web'), ...options });
});

/* Whole numbers. */

/** What is no number of any option. */
const NO_NUMBERS: unknown[] = [-1, -2147483648, 0.5, 1.5, NaN, Infinity, -Infinity, 1e21, Number.MAX_VALUE, '80', '1e3', '', null, true, [80], 80n];

const PORT = [1, 65535] as const;
const NUMBERS: [option: string, code: string, least: number, most: number, declare: (value: any) => unknown][] = [
  ['the port of ServicePort.http', 'FED303', ...PORT, (port) => exporting({ ports: [ServicePort.http(port)] })],
  ['exportPort', 'FED303', ...PORT, (exportPort) => exporting({ ports: [ServicePort.tcp(80, { exportPort })] })],
  ['the port of an endpoint', 'FED104', ...PORT, (port) => meshWith({ endpoints: [{ address: 'federation.north.example', port }] })],
  ['the localPort of a mapping', 'FED404', ...PORT, (localPort) => binding({ portMappings: [{ localPort, exportPort: 443 }] })],
  ['a port of NetworkDestination.podsIn', 'FED150', ...PORT, (port) => meshWith({ infrastructure: [NetworkDestination.podsIn('cert-manager', [port])] })],
  ['minReplicas', 'FED116', 1, 2 ** 31 - 1, (minReplicas) => gateway({ minReplicas, maxReplicas: 2 ** 31 - 1 })],
  ['maxReplicas', 'FED116', 1, 2 ** 31 - 1, (maxReplicas) => gateway({ minReplicas: 1, maxReplicas })],
  ['maxConnections of limits', 'FED126', 1, 2 ** 32 - 1, (maxConnections) => peering({ limits: { maxConnections } })],
  ['requestsPerSecond', 'FED126', 1, 2 ** 32 - 1, (requestsPerSecond) => peering({ limits: { requestsPerSecond } })],
  ['maxConnections of upstreamLimits', 'FED126', 1, 2 ** 31 - 1, (maxConnections) => peering({ upstreamLimits: { maxConnections } })],
  ['maxRequests', 'FED126', 1, 2 ** 31 - 1, (maxRequests) => peering({ upstreamLimits: { maxRequests } })],
];

test.each(NUMBERS)('%s is accepted at its borders, and rejected with %s beyond them', (_, code, least, most, declare) => {
  for (const value of [least, most]) {
    expect((declare(value) as Manifest[]).flatMap((object) => schemaErrors(object))).toEqual([]);
  }
  // The type of a field that is null is wrong in any options.
  for (const value of [least - 1, most + 1, ...NO_NUMBERS]) expect(errorOf(() => declare(value)).message).toMatch(new RegExp(`^(${code}|FED120) `));
});

test('a port of a rule, a mapping or an SNI must be an exported one, whatever its value', () => {
  for (const value of [0, 70000, ...NO_NUMBERS] as any[]) {
    expect(errorOf(() => pair().reviews.allowFrom(pair().west, { ports: [value] })).message).toMatch(/^FED306 /);
    expect(errorOf(() => binding({ portMappings: [{ localPort: 80, exportPort: value }] })).message).toMatch(/^FED(404|120) /);
  }
});

test.each([-1, -0.1, NaN, Infinity, 1e21, 2 ** 53, '10', '50%', true, null])('the weight %p is rejected', (weight) => {
  expect(errorOf(() => binding({ weight })).message).toMatch(/^FED(409|120) /);
});

/* Durations. */

const MILLISECOND = 1;
const SECOND = 1000;
const YEARS_292 = 9_223_372_036_854;
const DURATIONS: [option: string, code: string, least: number, most: number, declare: (value: any) => unknown][] = [
  ['requestTimeout', 'FED311', MILLISECOND, YEARS_292, (requestTimeout) => exporting({ requestTimeout })],
  ['idleTimeout', 'FED311', MILLISECOND, YEARS_292, (idleTimeout) => exporting({ idleTimeout })],
  ['maxConnectionDuration', 'FED126', MILLISECOND, YEARS_292, (maxConnectionDuration) => peering({ limits: { maxConnectionDuration } })],
  ['networkIdleTimeout', 'FED151', 10 * SECOND, 7200 * SECOND, (networkIdleTimeout) => meshWith({ networkIdleTimeout })],
  ['shutdownDelay', 'FED116', SECOND, 3600 * SECOND, (shutdownDelay) => gateway({ shutdownDelay })],
  ['the duration of a certificate', 'FED131', 3600 * SECOND, Math.floor(YEARS_292 / SECOND) * SECOND, (duration) => gateway({ credential: GatewayCredential.fromCertManager({ issuerName: 'ca', duration }) })],
  ['renewBefore', 'FED131', 300 * SECOND, 86_399 * SECOND, (renewBefore) => gateway({ credential: GatewayCredential.fromCertManager({ issuerName: 'ca', renewBefore }) })],
];

test.each(DURATIONS)('%s is accepted at its borders, and rejected with %s beyond them', (_, code, least, most, declare) => {
  for (const value of [least, most]) {
    expect((declare(Duration.millis(value)) as Manifest[]).flatMap((object) => schemaErrors(object))).toEqual([]);
  }
  for (const value of [0, least - 0.5, least - 1, most + 0.5, most + 1, NaN, Infinity, 1e21]) {
    expect(errorOf(() => declare(Duration.millis(value))).message).toMatch(new RegExp(`^${code} `));
  }
  for (const value of [60, '60s', { seconds: 60 }, null]) expect(errorOf(() => declare(value)).message).toMatch(/^FED120 /);
});

/* Quantities. */

test.each(['cpuRequest', 'cpuLimit'])('%s is accepted from one thousandth of a CPU on, and rejected below', (name) => {
  const options = (value: unknown) => ({ cpuRequest: '1m', cpuLimit: String(2 ** 62), [name]: value });
  for (const value of ['1m', '1000u', '.001', '1e-3', '0.5', '1.5', '1e3', '1E3', '+1', '1k']) {
    expect(gateway(options(value)).flatMap((object) => schemaErrors(object))).toEqual([]);
  }
  for (const value of ['0', '0.5m', '999u', '1n', '-1', '-1m', '1,5', '1 ', ' 1', '1e', 'e3', '1e21', '0x1', 'NaN', 'Infinity', '1e3m', '1mi', '9223372036854775808', 1, 1.5, NaN, null]) {
    expect(errorOf(() => gateway(options(value))).message).toMatch(/^FED(116|120) /);
  }
});

test.each(['memoryRequest', 'memoryLimit'])('%s is accepted from one MiB on, and rejected below', (name) => {
  const options = (value: unknown) => ({ memoryRequest: '1Mi', memoryLimit: '7Ei', [name]: value });
  for (const value of ['1Mi', '1048576', '1.5Gi', '1e9', '1E', '2M']) {
    expect(gateway(options(value)).flatMap((object) => schemaErrors(object))).toEqual([]);
  }
  for (const value of ['0', '1M', '1048575', '1024Ki-', '512', '128m', '-1Gi', '1GiB', '1gi', '1 Gi', '8Ei', '1e21', '0.5m', 536870912, null]) {
    expect(errorOf(() => gateway(options(value))).message).toMatch(/^FED(116|120) /);
  }
});
