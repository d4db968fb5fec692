import { App, Chart } from 'cdk8s';
import { BoundaryGateway, Caller, DedicatedGatewayOptions, FederatedMeshProps, IstioVersion, LocalName, LocalService, ServicePort } from '../src';
import { find, Manifest, names, parse } from './support/manifests';
import { meshOf } from './support/meshes';

/*
 * How the Envoy of a boundary gateway reacts to low memory, as configured in a bootstrap file that the pods read when they start.
 */

const HEAP = 'envoy.resource_monitors.fixed_heap';
const FILE = 'custom_bootstrap.json';
const GATEWAYS = [['ingress', 'fed-in-bootstrap'], ['egress', 'fed-out-bootstrap']] as const;

/** A mesh that exports and binds `count` ports, with these options for both gateways. */
function mesh(options: DedicatedGatewayOptions = {}, props: Partial<FederatedMeshProps> = {}, count = 1): Manifest[] {
  const app = new App();
  const gateway = BoundaryGateway.dedicated(options);
  const [east, west] = [meshOf(app, 'east', { ingressGateway: gateway, egressGateway: gateway, ...props }), meshOf(app, 'west')];
  east.addPeer(west);
  west.addPeer(east);
  const ports = Array.from({ length: count }, (_, index) => ServicePort.http(80 + index));
  east.expose('Reviews', { service: LocalService.fromName('reviews', 'apps'), exportName: 'reviews', ports }).allowFrom(west);
  const stock = west.expose('Stock', { service: LocalService.fromName('stock', 'apps'), exportName: 'stock', ports });
  stock.allowFrom(east);
  east.bind('Stock', { source: stock, localName: LocalName.newService('stock', 'shop') }).allowFrom(Caller.serviceAccount('page', 'shop'));
  return Chart.of(east).toJson();
}

const fileOf = (objects: Manifest[], name: string) => JSON.parse(find(objects, 'ConfigMap', name).data[FILE]);
const annotationsOf = (objects: Manifest[], role: string) => find(objects, 'Deployment', `federation-${role}`).spec.template.metadata.annotations;
const metadataOf = (objects: Manifest[], role: string) => parse(annotationsOf(objects, role)['proxy.istio.io/config'])[0].proxyMetadata;

describe.each(GATEWAYS)('the bootstrap of the %s gateway', (role, name) => {
  test('the bootstrapOverride annotation names a ConfigMap in the namespace of the gateway with the key that the agent reads', () => {
    const objects = mesh({}, { [`${role}Gateway`]: BoundaryGateway.dedicated({ namespaceName: 'edge' }) });
    const { metadata, data } = find(objects, 'ConfigMap', name);
    expect([annotationsOf(objects, role)['sidecar.istio.io/bootstrapOverride'], metadata.namespace, Object.keys(data)]).toEqual([name, 'edge', [FILE]]);
  });

  test('the overload manager shrinks the heap first, then resets large streams, then rejects new requests and connections', () => {
    const { overload_manager: manager } = fileOf(mesh(), name);
    expect(manager.refresh_interval).toBe('0.25s');
    expect(manager.buffer_factory_config).toEqual({ minimum_account_to_track_power_of_two: 15 });
    expect(manager.actions.map(({ name: action, triggers }: Manifest) => [action, triggers])).toEqual([
      ['envoy.overload_actions.shrink_heap', [{ name: HEAP, threshold: { value: 0.02 } }]],
      ['envoy.overload_actions.reset_high_memory_stream', [{ name: HEAP, scaled: { scaling_threshold: 0.4, saturation_threshold: 0.7 } }]],
      ['envoy.overload_actions.stop_accepting_requests', [{ name: HEAP, threshold: { value: 0.95 } }]],
      ['envoy.overload_actions.stop_accepting_connections', [{ name: HEAP, threshold: { value: 0.98 } }]],
    ]);
  });

  test('the bootstrap file contains only types of Envoy and declares every monitor that an action uses', () => {
    const file = fileOf(mesh(), name);
    const types = [...JSON.stringify(file).matchAll(/"@type":"([^"]+)"/g)].map(([, type]) => type);
    // Type names of the Envoy API: the pod does not start with an unknown type.
    expect(types).toEqual([
      'type.googleapis.com/envoy.extensions.resource_monitors.fixed_heap.v3.FixedHeapConfig',
      'type.googleapis.com/envoy.config.overload.v3.ShrinkHeapConfig',
    ]);
    expect(Object.keys(file)).toEqual(['overload_manager', 'memory_allocator_manager']);
    const monitors = file.overload_manager.resource_monitors.map((monitor: Manifest) => monitor.name);
    expect(monitors).toEqual([HEAP]);
    for (const { triggers } of file.overload_manager.actions) for (const trigger of triggers) expect(monitors).toContain(trigger.name);
  });

  test('the gateway gives back free memory once a second, 4 MiB by the heap action and 100 MiB by the allocator', () => {
    const { overload_manager: { actions, refresh_interval: refresh }, memory_allocator_manager: allocator } = fileOf(mesh(), name);
    const [{ typed_config: shrink }] = actions.filter((action: Manifest) => action.name === 'envoy.overload_actions.shrink_heap');
    expect([shrink.timer_interval, shrink.max_unfreed_memory_bytes]).toEqual(['1s', 4 * MI]);
    expect([allocator.memory_release_interval, allocator.bytes_to_release]).toEqual(['1s', 100 * MI]);
    expect(refresh).toBe('0.25s');
  });

  const MI = 2 ** 20;
  test.each<[string, DedicatedGatewayOptions, number, string]>([
    ['512Mi by default', {}, 512 * MI, '4096'],
    ['512Mi', { memoryLimit: '512Mi' }, 512 * MI, '4096'],
    ['2Gi', { memoryLimit: '2Gi' }, 2048 * MI, '16384'],
    ['600M', { memoryLimit: '600M' }, 600_000_000, '4577'],
  ])('a memory limit of %s sets the maximum heap to 60 %, the release of memory to 8 % and the connection limit', (_, options, bytes, connections) => {
    const objects = mesh(options);
    const { overload_manager: manager, memory_allocator_manager: allocator } = fileOf(objects, name);
    expect(manager.resource_monitors[0].typed_config.max_heap_size_bytes).toBe(Math.floor(0.6 * bytes));
    expect(allocator).toEqual({ bytes_to_release: 100 * MI, memory_release_interval: '1s', soft_memory_limit_bytes: Math.floor(0.08 * bytes) });
    expect(find(objects, 'Deployment', `federation-${role}`).spec.template.spec.containers[0].resources.limits.memory).toBe(options.memoryLimit ?? '512Mi');
    expect(metadataOf(objects, role).ISTIO_META_GLOBAL_DOWNSTREAM_MAX_CONNECTIONS).toBe(connections);
  });

  test(`the ${role} gateway accepts at least 100 connections`, () => {
    const objects = mesh({ memoryRequest: '1Mi', memoryLimit: '1Mi' });
    expect(metadataOf(objects, role).ISTIO_META_GLOBAL_DOWNSTREAM_MAX_CONNECTIONS).toBe('100');
  });

  test('the bootstrap file and the connection limit are the same with Istio 1.30', () => {
    const [older, newer] = [IstioVersion.V1_30, IstioVersion.V1_31].map((istioVersion) => mesh({}, { istioVersion }));
    expect([find(older, 'ConfigMap', name), metadataOf(older, role)]).toEqual([find(newer, 'ConfigMap', name), metadataOf(newer, role)]);
  });
});

describe('the default memory limit', () => {
  test.each([[512, '512Mi', '4096'], [513, '1Gi', '8192'], [1025, '2Gi', '16384']])('the default memory limit for %i ports at each gateway is %s', (count, limit, connections) => {
    const objects = mesh({}, {}, count);
    for (const [role, name] of GATEWAYS) {
      expect(find(objects, 'Deployment', `federation-${role}`).spec.template.spec.containers[0].resources.limits.memory).toBe(limit);
      const heap = fileOf(objects, name).overload_manager.resource_monitors[0].typed_config.max_heap_size_bytes;
      expect(heap).toBe(Math.floor(0.6 * Number(connections) * 128 * 1024));
      expect(metadataOf(objects, role).ISTIO_META_GLOBAL_DOWNSTREAM_MAX_CONNECTIONS).toBe(connections);
    }
  });

  test('the default memory limit counts an exported port once for each peer', () => {
    const app = new App();
    const [east, west, north] = ['east', 'west', 'north'].map((name) => meshOf(app, name));
    const ports = Array.from({ length: 300 }, (_, index) => ServicePort.http(80 + index));
    const reviews = east.expose('Reviews', { service: LocalService.fromName('reviews', 'apps'), exportName: 'reviews', ports });
    for (const peer of [west, north]) {
      east.addPeer(peer);
      reviews.allowFrom(peer);
    }
    expect(fileOf(Chart.of(east).toJson(), 'fed-in-bootstrap').overload_manager.resource_monitors[0].typed_config.max_heap_size_bytes)
      .toBe(Math.floor(0.6 * 2 ** 30));
  });
});

test('each gateway has the maximum heap of its own memory limit', () => {
  const objects = mesh({}, { ingressGateway: BoundaryGateway.dedicated({ memoryLimit: '2Gi' }), egressGateway: BoundaryGateway.dedicated({ memoryLimit: '256Mi' }) });
  const heaps = GATEWAYS.map(([, name]) => fileOf(objects, name).overload_manager.resource_monitors[0].typed_config.max_heap_size_bytes);
  expect(heaps).toEqual([1288490188, 161061273]);
});

test('an existing gateway gets no bootstrap file', () => {
  const shared = BoundaryGateway.fromExisting({ namespaceName: 'istio-ingress', serviceAccountName: 'a', serviceName: 'b', podLabels: { app: 'c' } });
  expect(names(mesh({}, { ingressGateway: shared }), 'ConfigMap')).toEqual(['fed-in-trust-west', 'fed-out-bootstrap', 'fed-out-trust']);
});
