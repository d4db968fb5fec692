import { ApiObject, App, Chart } from 'cdk8s';
import { LocalName, LocalService, ServicePort } from '../src';
import { pair } from './support/pair';
import { errorOf } from './support/rejections';
import { kindOfPort, PortKind } from '../src/model/services';

/*
 * Which kinds of Services can be exported and bound. What is rejected: test/errors/expose.ts and bind.ts.
 */

/** The codes at the end of synthesis. */
const codesOf = (app: App): string[] => errorOf(() => app.synthYaml()).message.match(/FED\d{3}/g) ?? [];

/* Every row was compared with ConvertProtocol of Istio 1.31. */
test.each<[name: string | undefined, appProtocol: string | undefined, number: number, kind: PortKind]>([
  ['http', undefined, 80, 'http'], ['http-api', undefined, 80, 'http'], ['httpapi', undefined, 80, 'detected'], ['http2', undefined, 80, 'http2'], ['http2-api', undefined, 80, 'http2'],
  ['grpc', undefined, 80, 'http2'], ['grpc-web', undefined, 80, 'http2'], ['grpc-web-api', undefined, 80, 'http2'], ['grpc-api', undefined, 80, 'http2'], ['https', undefined, 80, 'tls'],
  ['tls-api', undefined, 80, 'tls'], ['tcp', undefined, 80, 'bytes'], ['mysql', undefined, 80, 'bytes'], ['redis-1', undefined, 80, 'bytes'], ['mongo', undefined, 80, 'bytes'],
  ['udp-dns', undefined, 80, 'ignored'], ['api', undefined, 80, 'detected'], [undefined, undefined, 80, 'detected'], [undefined, undefined, 3306, 'bytes'], ['api', undefined, 27017, 'bytes'],
  ['http', undefined, 3306, 'http'], ['http', 'grpc', 80, 'http2'], ['grpc', 'http', 80, 'http'], ['http', 'GRPC', 80, 'http2'], ['grpc', '', 80, 'detected'],
  ['http', 'kubernetes.io/h2c', 80, 'http2'], ['grpc', 'kubernetes.io/ws', 80, 'http'], ['http', 'kubernetes.io/wss', 80, 'tls'], ['http', 'kubernetes.io/other', 80, 'detected'],
  ['http', 'example.com/http', 80, 'detected'], ['grpc', 'constructor', 80, 'detected'], ['constructor', undefined, 80, 'detected'],
])('the name %s and the appProtocol %s of port %d mean %s', (name, appProtocol, port, kind) => {
  expect(kindOfPort({ name, appProtocol, port })).toBe(kind);
});

/** The codes of a program that exports this Service. */
function exporting(spec: object, ports: ServicePort[], annotations?: object): string[] {
  const { app, east } = pair();
  const manifest = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'till', namespace: 'shop', annotations }, spec };
  const till = new ApiObject(new Chart(app, 'shop'), 'Till', manifest as never);
  east.expose('Till', { service: LocalService.fromConstruct(till), exportName: 'till', ports });
  return codesOf(app);
}

const at80 = (fields: object) => ({ ports: [{ port: 80, ...fields }] });
test.each<[what: string, spec: object, port: ServicePort, annotations?: object]>([
  ['HTTP at a port named http', at80({ name: 'http' }), ServicePort.http(80)],
  ['HTTP at a port without a name', at80({}), ServicePort.http(80)],
  ['HTTP at a port named tcp, whose bytes sidecars pass on', at80({ name: 'tcp' }), ServicePort.http(80)],
  ['HTTP at a port with HTTP/2', at80({ appProtocol: 'kubernetes.io/h2c' }), ServicePort.http(80)],
  ['gRPC at a port named grpc', at80({ name: 'grpc-api' }), ServicePort.grpc(80)],
  ['gRPC at a port with the appProtocol of HTTP/2', at80({ name: 'http', appProtocol: 'kubernetes.io/h2c' }), ServicePort.grpc(80)],
  ['TCP at a port without a name', at80({}), ServicePort.tcp(80)],
  ['TCP at a port named https', at80({ name: 'https' }), ServicePort.tcp(80)],
  ['TLS at a port named tls', at80({ name: 'tls' }), ServicePort.tls(80)],
  ['a headless Service', { clusterIP: 'None', ...at80({ name: 'http' }) }, ServicePort.http(80)],
  ['a Service without selector', { selector: undefined, ...at80({ name: 'http' }) }, ServicePort.http(80)],
  ['a Service that publishes pods before they are ready', { publishNotReadyAddresses: true, ...at80({ name: 'http' }) }, ServicePort.http(80)],
  ['a Service with a load balancer', { type: 'LoadBalancer', sessionAffinity: 'None', internalTrafficPolicy: 'Cluster', ...at80({ name: 'http' }) }, ServicePort.http(80)],
  ['a Service that is visible to the gateway', at80({ name: 'http' }), ServicePort.http(80), { 'networking.istio.io/exportTo': '., istio-federation' }],
  ['a Service that is visible everywhere', at80({ name: 'http' }), ServicePort.http(80), { 'networking.istio.io/exportTo': '*' }],
])('%s can be exported', (_, spec, port, ...[annotations]) => expect(exporting(spec, [port], annotations)).toEqual([]));

test('a UDP port of the same number does not hide the TCP port', () => {
  expect(exporting({ ports: [{ port: 80, name: 'udp', protocol: 'UDP' }, { port: 80, name: 'http' }] }, [ServicePort.http(80)])).toEqual([]);
  expect(exporting({ ports: [{ port: 80, name: 'http', protocol: 'SCTP' }] }, [ServicePort.http(80)])).toEqual(['FED304']);
});

/** The codes of a program that binds an existing Service with this manifest. */
function binding(manifest: object, port: ServicePort, declare?: (app: App) => void): string[] {
  const { app, east, west } = pair();
  const source = east.expose('Till', { service: LocalService.fromName('till', 'shop'), exportName: 'till', ports: [port] });
  source.allowFrom(west);
  west.bind('Till', { source, localName: LocalName.existingService('till', 'shop') }).addLocalSource();
  new ApiObject(Chart.of(west), 'Service', manifest as never);
  declare?.(app);
  return codesOf(app);
}
const till = (spec: object, namespace = 'shop') => ({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'till', namespace }, spec });

test.each<[what: string, codes: string[], manifest: object, port: ServicePort]>([
  ['an HTTP port', [], till(at80({ name: 'http' })), ServicePort.http(80)],
  ['a port without a name', [], till(at80({})), ServicePort.grpc(80)],
  ['a TCP port', [], till(at80({ name: 'tcp' })), ServicePort.tcp(80)],
  ['a headless Service of another namespace', [], till({ clusterIP: 'None' }, 'web'), ServicePort.http(80)],
  ['a headless Service in a list', ['FED321'], { apiVersion: 'v1', kind: 'List', metadata: { name: 'all' }, items: [till({ clusterIP: 'None' })] }, ServicePort.http(80)],
])('the name of %s gives %j', (_, codes, manifest, port) => expect(binding(manifest, port)).toEqual(codes));

/* Services in lists. */

const service = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'till', namespace: 'shop' } };
const { kind: _kind, apiVersion: _apiVersion, ...plain } = service;
const list = (kind: string, ...items: unknown[]) => ({ apiVersion: 'v1', kind, metadata: { name: 'all' }, items });
test.each<[what: string, codes: string[], manifest: object]>([
  ['in a List', ['FED402'], list('List', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' } }, service)],
  ['in a ServiceList', ['FED402'], list('ServiceList', service)],
  ['without a kind in a ServiceList', ['FED402'], list('ServiceList', plain)],
  ['in a List of Lists', ['FED402'], list('List', list('List', list('ServiceList', plain)))],
  ['in a List that also has nulls', ['FED402'], list('List', null, service, {})],
  ['of another namespace in a List', [], list('List', { ...service, metadata: { name: 'till', namespace: 'web' } })],
  ['without a kind in a List', [], list('List', plain)],
  ['in a list without items', [], { apiVersion: 'v1', kind: 'List', metadata: { name: 'all' } }],
  ['in a List of another API group', [], { ...list('List', service), apiVersion: 'example.com/v1' }],
])('a new local name that is a Service %s gives %j', (_, codes, manifest) => {
  const { app, west, reviews } = pair();
  reviews.allowFrom(west);
  west.bind('Till', { source: reviews, localName: LocalName.newService('till', 'shop') });
  new ApiObject(Chart.of(west), 'List', manifest as never);
  expect(codesOf(app)).toEqual(codes);
});

test.each([[[null]], [{}], [[{ port: 443, name: 5 }]], [[{ port: 443, appProtocol: {} }]]])('the ports %j of a manifest without types give an error with a code, or none', (ports) => {
  const { app, east } = pair();
  const odd = new ApiObject(Chart.of(east), 'Odd', { apiVersion: 'v1', kind: 'Service', metadata: { name: 'odd', namespace: 'shop' }, spec: { ports } } as never);
  east.expose('Export', { service: LocalService.fromConstruct(odd), exportName: 'odd', ports: [ServicePort.tcp(443)] });
  expect(codesOf(app).filter((code) => !/^FED\d{3}$/.test(code))).toEqual([]);
});
