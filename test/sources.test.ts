import { App, Chart } from 'cdk8s';
import fc from 'fast-check';
import { Caller, ExposedService, LocalName, LocalService, RemoteServiceBinding, ServicePort, SourceOptions } from '../src';
import { find, Manifest, names, withoutDigest } from './support/manifests';
import { meshOf } from './support/meshes';
import { principalsOf, rbacOf } from './support/rbac';
import { matchesOf } from '../src/model/destinations';

/*
 * Several sources of one local name: weights and header matches.
 */

const caller = Caller.serviceAccount('page', 'shop');

function setUp(existing = true) {
  const app = new App();
  const west = meshOf(app, 'west');
  const [east, north] = ['east', 'north'].map((name) => {
    const mesh = meshOf(app, name);
    mesh.addPeer(west);
    west.addPeer(mesh);
    const stock = mesh.expose('Stock', { service: LocalService.fromName('stock', 'apps'), exportName: 'stock', ports: [ServicePort.http(80)] });
    stock.allowFrom(west);
    return stock;
  });
  const localName = existing ? LocalName.existingService('stock', 'shop') : LocalName.newService('stock', 'shop');
  const bind = (source: ExposedService, options: SourceOptions = {}) => west.bind('Stock', { source, localName, ...options });
  const objects = () => Chart.of(west).toJson();
  const routes = () => find(objects(), 'VirtualService', 'fed-name-stock-shop').spec.http.map(({ match, route }: Manifest) => [
    match[0].headers ?? 'default', ...route.map(({ destination, weight }: Manifest) => `${destination.subset ?? 'local pods'} ${weight ?? 'all'}`),
  ]);
  return { west, east, north, bind, objects, routes };
}

const orders: [string, (binding: RemoteServiceBinding, north: ExposedService) => void][] = [
  ['with the local source first', (binding, north) => { binding.addLocalSource({ weight: 70 }); binding.addSource(north, { weight: 10 }); }],
  ['with the remote source first', (binding, north) => { binding.addSource(north, { weight: 10 }); binding.addLocalSource({ weight: 70 }); }],
];
test.each(orders)('weights of sources are the same percentages when they are declared %s', (_, add) => {
  const { bind, east, north, routes } = setUp();
  const binding = bind(east, { weight: 20 });
  add(binding, north);
  binding.allowFrom(caller);
  expect(routes()).toEqual([['default', 'local pods 70', 'stock-80-shop-east 20', 'stock-80-shop-north 10']]);
});

test('sources without weights get equal weights, which add up to 100', () => {
  const { bind, east, north, routes } = setUp();
  const binding = bind(east);
  binding.addSource(north);
  binding.addLocalSource();
  binding.allowFrom(caller);
  expect(routes()).toEqual([['default', 'local pods 34', 'stock-80-shop-east 33', 'stock-80-shop-north 33']]);
});

test('a source with weight 0 has a listener but receives no requests', () => {
  const { bind, east, objects, routes } = setUp();
  const binding = bind(east, { weight: 0 });
  binding.addLocalSource({ weight: 1 });
  binding.allowFrom(caller);
  expect(routes()).toEqual([['default', 'local pods 100', 'stock-80-shop-east 0']]);
  expect(names(objects(), 'Gateway')).toEqual(['fed-out-east']);
});

test('the route sets another Host header only for remote destinations', () => {
  const { bind, east, objects } = setUp();
  const binding = bind(east);
  binding.addLocalSource();
  binding.allowFrom(caller);
  const [local, remote] = find(objects(), 'VirtualService', 'fed-name-stock-shop').spec.http[0].route;
  expect(local).toEqual({ destination: { host: 'stock.shop.svc.cluster.local', port: { number: 80 } }, weight: 50 });
  expect(remote.headers).toEqual({ request: { set: { Host: 'p80.stock.shop.east.egress.fed.west.example' } } });
});

test('sources with whenHeaders have separate routes without weights, and routes with more headers come first', () => {
  const { bind, east, north, routes } = setUp();
  const binding = bind(east, { weight: 1 });
  binding.addLocalSource({ weight: 3 });
  binding.addLocalSource({ whenHeaders: { 'x-tester': 'yes' } });
  binding.addSource(north, { whenHeaders: { 'x-tester': 'yes', 'x-far': '1' } });
  binding.allowFrom(caller);
  expect(routes()).toEqual([
    [{ 'x-tester': { exact: 'yes' }, 'x-far': { exact: '1' } }, 'stock-80-shop-north all'].map((one) => one),
    [{ 'x-tester': { exact: 'yes' } }, 'local pods all'],
    ['default', 'local pods 75', 'stock-80-shop-east 25'],
  ]);
});

test('a binding to an existing Service emits no Service, and exports its route only to namespaces of callers', () => {
  const { bind, east, objects } = setUp();
  const binding = bind(east);
  binding.allowFrom(Caller.serviceAccount('page', 'web'));
  expect(names(objects(), 'Service')).toEqual(['federation-egress']);
  expect(find(objects(), 'VirtualService', 'fed-name-stock-shop').spec.exportTo).toEqual(['web']);
  binding.allowFrom(caller);
  expect(find(objects(), 'VirtualService', 'fed-name-stock-shop').spec.exportTo).toEqual(['.', 'web']);
});

test('a binding accepts the name of an exported Service as an existing local name', () => {
  const { west, bind, east } = setUp();
  west.expose('Own', { service: LocalService.fromName('stock', 'shop'), exportName: 'own', ports: [ServicePort.http(80)] });
  bind(east).addLocalSource();
  expect(west.node.validate()).toEqual([]);
});

test('a second export of the same peer has a separate listener, subset and RBAC rules', () => {
  const { west, bind, east, objects } = setUp(false);
  const newer = (east.mesh as typeof west).expose('Newer', { service: LocalService.fromName('v2', 'apps'), exportName: 'stock.v2', ports: [ServicePort.http(80)] });
  newer.allowFrom(west);
  const binding = bind(east);
  binding.addSource(newer, { whenHeaders: { 'x-tester': 'yes' } });
  binding.allowFrom(caller);
  const servers = find(objects(), 'Gateway', 'fed-out-east').spec.servers;
  expect(servers.map(({ hosts }: Manifest) => hosts[0])).toEqual([
    expect.stringMatching(/^\.\/p80-[0-9a-f]{8}\.stock\.shop\.east\.egress\.fed\.west\.example$/), './p80.stock.shop.east.egress.fed.west.example',
  ]);
  for (const { hosts: [host] } of servers) expect(principalsOf(rbacOf(objects(), host.replace('./', '')))).toEqual(['west.example/ns/shop/sa/page']);
  expect(names(objects(), 'ServiceEntry')).toEqual(['fed-out-stock-80-east', expect.stringMatching(/^fed-out-stock-v2-80-east-[0-9a-f]{8}$/)]);
});

test('percentages of weights add up to 100, and each differs by less than one from its exact value', () => {
  const weight = fc.oneof(fc.nat(1000), fc.double({ min: 0, max: 1e6, noNaN: true }));
  fc.assert(fc.property(fc.array(weight, { minLength: 1, maxLength: 12 }).filter((all) => all.some((one) => one > 1e-6)), (weights) => {
    const route = (index: number) => ({ bindingHost: `h${String(index).padStart(2, '0')}` }) as never;
    const [{ destinations }] = matchesOf(weights.map((one, index) => ({ weight: one, headers: undefined, route: route(index) })));
    const total = weights.reduce((sum, one) => sum + one, 0);
    expect(destinations.reduce((sum, { weight: one }) => sum + one, 0)).toBe(100);
    destinations.forEach(({ weight: one }, index) => expect(Math.abs(one - weights[index] * 100 / total)).toBeLessThan(1));
    destinations.forEach(({ weight: one }) => expect(Number.isInteger(one)).toBe(true));
  }), { seed: 20261125, numRuns: 300 });
});

describe('callers by namespace and by mesh', () => {
  function wide(...callers: Caller[]) {
    const { bind, east, objects } = setUp(false);
    const binding = bind(east);
    callers.forEach((one) => binding.allowFrom(one));
    return objects();
  }

  const bindingHost = 'p80.stock.shop.east.egress.fed.west.example';

  test('callers by namespace are restricted by RBAC rules and a DENY policy, not by identities in the handshake', () => {
    const objects = wide(Caller.anyInNamespace('web'));
    expect(find(objects, 'Gateway', 'fed-out-east').spec.servers[0].tls).toEqual({ mode: 'ISTIO_MUTUAL' });
    expect(rbacOf(objects, bindingHost).policies.callers.principals).toEqual([
      { authenticated: { principal_name: { prefix: 'spiffe://west.example/ns/web/sa/' } } },
    ]);
    expect(find(objects, 'AuthorizationPolicy', 'fed-out-guard-stock-80-shop-east').spec).toEqual({
      selector: { matchLabels: { istio: 'istio-federation-egress' } },
      action: 'DENY',
      rules: [{ from: [{ source: { notPrincipals: ['west.example/ns/web/sa/*'] } }], when: [{ key: 'connection.sni', values: [bindingHost] }] }],
    });
    expect(JSON.stringify(objects)).not.toContain('"*"]}');
  });

  test('callers of the whole mesh have a DestinationRule in the boundary namespace, and one in each namespace with listed callers', () => {
    const objects = wide(Caller.anyInMesh(), caller);
    const rules = objects.filter(({ kind, spec }) => kind === 'DestinationRule' && spec.subsets).map(({ metadata, spec }) => [metadata.namespace, spec.exportTo]);
    expect(rules).toEqual([['istio-federation', ['*']], ['shop', ['.']]]);
    expect(withoutDigest(find(objects, 'Service', 'federation-egress')).metadata.annotations).toEqual({ 'networking.istio.io/exportTo': '*' });
    expect(find(objects, 'VirtualService', 'fed-name-stock-shop').spec.exportTo).toEqual(['*']);
    expect(find(objects, 'NetworkPolicy', 'federation-egress').spec.ingress[0].from).toEqual([{ namespaceSelector: {} }]);
    const principals = ['west.example/*', 'west.example/ns/shop/sa/page'];
    expect(principalsOf(rbacOf(objects, bindingHost))).toEqual(principals);
    expect(find(objects, 'AuthorizationPolicy', 'fed-out-guard-stock-80-shop-east').spec.rules[0].from).toEqual([{ source: { notPrincipals: principals } }]);
  });

  test('a namespace that gets a DestinationRule later also gets that of a binding for the whole mesh', () => {
    const { west, bind, east, objects } = setUp(false);
    bind(east).allowFrom(Caller.anyInMesh());
    west.bind('Other', { source: east, localName: LocalName.newService('other', 'jobs') }).allowFrom(Caller.serviceAccount('batch', 'jobs'));
    const subsets = objects().filter(({ kind, metadata }) => kind === 'DestinationRule' && metadata.namespace === 'jobs').map(({ spec }) => spec.subsets[0].name);
    expect(subsets.sort()).toEqual(['other-80-jobs-east', 'stock-80-shop-east']);
  });
});
