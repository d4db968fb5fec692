import { App, Chart, Duration } from 'cdk8s';
import { Caller, LocalName, LocalService, ServicePort } from '../src';
import { find, Manifest, withoutDigest } from './support/manifests';
import { meshOf } from './support/meshes';

/*
 * Differences between HTTP, gRPC, TCP and TLS on both sides.
 */

function connect(port: ServicePort, requestTimeout?: Duration) {
  const app = new App();
  const east = meshOf(app, 'east');
  const west = meshOf(app, 'west', { endpoints: [{ address: '203.0.113.10', port: 443 }] });
  east.addPeer(west);
  west.addPeer(east);
  const source = east.expose('Db', { service: LocalService.fromName('db', 'data'), exportName: 'db', ports: [port], requestTimeout });
  source.allowFrom(west);
  west.bind('Db', { source, localName: LocalName.newService('db', 'shop') }).allowFrom(Caller.serviceAccount('api', 'shop'));
  const [exporter, consumer] = [east, west].map((mesh) => Chart.of(mesh).toJson());
  const number = port.exportPort;
  return {
    server: find(exporter, 'Gateway', 'fed-in-west').spec.servers[0],
    arrival: find(exporter, 'VirtualService', `fed-in-db-${number}-west`).spec,
    service: find(consumer, 'Service', 'db').spec.ports[0],
    name: find(consumer, 'VirtualService', 'fed-name-db-shop').spec,
    subset: consumer.find(({ kind, metadata }) => kind === 'DestinationRule' && metadata.namespace === 'shop')!.spec.subsets[0].trafficPolicy,
    listener: find(consumer, 'Gateway', 'fed-out-east').spec.servers[0],
    departure: find(consumer, 'VirtualService', `fed-out-db-${number}-shop-east`).spec,
    entry: find(consumer, 'ServiceEntry', `fed-out-db-${number}-east`),
    pool: find(consumer, 'DestinationRule', `fed-out-db-${number}-east`, 'istio-federation').spec.trafficPolicy.connectionPool,
  };
}

test.each([
  ['tcp', ServicePort.tcp(3306), 'tcp_proxy', { idle_timeout: '600s' }],
  ['grpc', ServicePort.grpc(3306), 'http_connection_manager', { common_http_protocol_options: { idle_timeout: '600s' } }],
])('idleTimeout of an export adds an EnvoyFilter for each allowed peer of a %s port, and for no other export', (_, port, filter, value) => {
  const app = new App();
  const [east, ...peers] = ['east', 'west', 'north'].map((name) => meshOf(app, name));
  const expose = (exportName: string, idleTimeout?: Duration) => east.expose(exportName, {
    service: LocalService.fromName('db', 'data'), exportName, ports: [port], idleTimeout,
  });
  const [ledger, other] = [expose('ledger', Duration.minutes(10)), expose('other')];
  const filters = () => Chart.of(east).toJson().filter(({ kind, metadata }) => kind === 'EnvoyFilter' && metadata.name !== 'fed-in-edge');
  peers.forEach((peer) => east.addPeer(peer));
  other.allowFrom(peers[0]);
  expect(filters()).toEqual([]);
  peers.forEach((peer) => ledger.allowFrom(peer));
  expect(filters().map(({ metadata }) => metadata.name).sort()).toEqual(['fed-in-idle-ledger-3306-north', 'fed-in-idle-ledger-3306-west']);
  for (const { metadata, spec } of filters()) {
    const [{ match, patch }] = spec.configPatches;
    expect(spec.configPatches).toHaveLength(1);
    expect(match.listener.filterChain).toEqual({
      sni: `p3306.ledger.${metadata.name.split('-').at(-1)}.fed.east.example`, filter: { name: `envoy.filters.network.${filter}` },
    });
    expect(patch).toEqual({ operation: 'MERGE', value: { typed_config: { '@type': expect.stringContaining(filter), ...value } } });
  }
});

test.each([['tcp', ServicePort.tcp(3306)], ['tls', ServicePort.tls(8443)]])('a port of protocol %s is forwarded without HTTP parsing on every hop', (_, port) => {
  const { server, arrival, service, name, listener, departure, entry, pool, subset } = connect(port);
  const number = port.exportPort;
  expect(server.port).toEqual({ name: `tls-db-${number}-west`, number: 15443, protocol: 'TLS' });
  expect(server.tls.mode).toBe('MUTUAL');
  expect(arrival).toEqual(expect.objectContaining({
    tcp: [{ match: [{ port: 15443 }], route: [{ destination: { host: 'db.data.svc.cluster.local', port: { number } } }] }],
  }));
  expect(service).toEqual({ name: 'tcp', port: number, protocol: 'TCP', appProtocol: 'tcp' });
  expect(name.tcp[0].match).toEqual([{ port: number }]);
  expect(name.tcp[0].route[0].headers).toBeUndefined();
  expect(listener.port.protocol).toBe('TLS');
  expect(listener.tls).toEqual({ mode: 'ISTIO_MUTUAL', subjectAltNames: ['spiffe://west.example/ns/shop/sa/api'] });
  expect(departure.tcp[0].route).toEqual([{ destination: { host: `p${number}.db.west.fed.east.example`, port: { number: 15443 } } }]);
  expect(entry.spec.ports).toEqual([{ number: 15443, name: 'tcp-federation', protocol: 'TCP' }]);
  expect(withoutDigest(entry).metadata.annotations).toEqual({ 'galley.istio.io/analyze-suppress': 'IST0134' });
  expect(pool.tcp.maxConnectionDuration).toBeUndefined();
  expect(pool.http).toBeUndefined();
  expect(subset.connectionPool).toEqual({ tcp: { connectTimeout: '10s' } });
  expect([arrival.http, name.http, departure.http]).toEqual([undefined, undefined, undefined]);
});

test('a gRPC port uses HTTP/2 to the egress gateway and to the peer', () => {
  const { server, service, subset, entry, pool, name } = connect(ServicePort.grpc(9000));
  expect(server.port).toEqual({ name: 'https-db-9000-west', number: 15443, protocol: 'HTTPS' });
  expect(service).toEqual({ name: 'grpc', port: 9000, protocol: 'TCP', appProtocol: 'grpc' });
  expect(subset.connectionPool).toEqual({ tcp: { connectTimeout: '10s' }, http: { h2UpgradePolicy: 'UPGRADE', maxConcurrentStreams: 100 } });
  expect(entry.spec.ports).toEqual([{ number: 15443, name: 'grpc-federation', protocol: 'GRPC' }]);
  expect(pool.tcp.maxConnectionDuration).toBe('3600s');
  expect(pool.http.maxConcurrentStreams).toBe(100);
  expect(name.http[0].route[0].headers.request.set.Host).toBe('p9000.db.shop.east.egress.fed.west.example');
});

test('an HTTP port uses HTTP/2 to the egress gateway and to the peer', () => {
  const { service, subset, entry, pool } = connect(ServicePort.http(80));
  expect(pool.http.maxConcurrentStreams).toBe(100);
  expect(service).toEqual({ name: 'http', port: 80, protocol: 'TCP', appProtocol: 'http' });
  expect(subset.connectionPool).toEqual({ tcp: { connectTimeout: '10s' }, http: { h2UpgradePolicy: 'UPGRADE', maxConcurrentStreams: 100 } });
  expect(entry.spec.ports).toEqual([{ number: 15443, name: 'http2-federation', protocol: 'HTTP2' }]);
  expect(withoutDigest(entry).metadata.annotations).toBeUndefined();
});

test('a request has no timeout unless the exporter sets requestTimeout', () => {
  expect(connect(ServicePort.http(80)).arrival.http[0].timeout).toBeUndefined();
  expect(connect(ServicePort.http(80), Duration.seconds(5)).arrival.http[0].timeout).toBe('5s');
  expect(connect(ServicePort.grpc(80), Duration.millis(250)).arrival.http[0].timeout).toBe('250ms');
});

test('a local name with several protocols has ports named by protocol and number', () => {
  const app = new App();
  const east = meshOf(app, 'east');
  const west = meshOf(app, 'west');
  east.addPeer(west);
  west.addPeer(east);
  const ports = [ServicePort.tcp(7001), ServicePort.grpc(9090), ServicePort.http(8080)];
  const source = east.expose('Multi', { service: LocalService.fromName('multi', 'apps'), exportName: 'multi', ports });
  source.allowFrom(west);
  west.bind('Multi', { source, localName: LocalName.newService('multi', 'shop') }).allowFrom(Caller.serviceAccount('api', 'shop'));
  const objects = Chart.of(west).toJson();
  expect(find(objects, 'Service', 'multi').spec.ports.map(({ name }: Manifest) => name)).toEqual(['tcp-7001', 'http-8080', 'grpc-9090']);
  const route = find(objects, 'VirtualService', 'fed-name-multi-shop').spec;
  expect(route.http.map(({ match }: Manifest) => match)).toEqual([[{ port: 8080 }], [{ port: 9090 }]]);
  expect(route.tcp.map(({ match }: Manifest) => match)).toEqual([[{ port: 7001 }]]);
});
