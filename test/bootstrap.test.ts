import { App, Chart } from 'cdk8s';
import { BoundaryGateway, Caller, DedicatedGatewayOptions, FederatedMeshProps, IstioVersion, LocalName, LocalService, ServicePort } from '../src';
import { find, Manifest, names, parse } from './support/manifests';
import { meshOf } from './support/meshes';

/*
 * What the Envoy of a gateway does when its memory runs short, from a file that the pods read at their start.
 */

const HEAP = 'envoy.resource_monitors.fixed_heap';
const FILE = 'custom_bootstrap.json';
const GATEWAYS = [['ingress', 'fed-in-bootstrap'], ['egress', 'fed-out-bootstrap']] as const;

/** A mesh that exposes and calls so many ports, with these options for both gateways. */
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

describe.each(GATEWAYS)('the %s gateway', (role, name) => {
  test('reads the file that its annotation names, in its own namespace, under the key of the agent', () => {
    const objects = mesh({}, { [`${role}Gateway`]: BoundaryGateway.dedicated({ namespaceName: 'edge' }) });
    const { metadata, data } = find(objects, 'ConfigMap', name);
    expect([annotationsOf(objects, role)['sidecar.istio.io/bootstrapOverride'], metadata.namespace, Object.keys(data)]).toEqual([name, 'edge', [FILE]]);
  });

  test('frees memory at all times, resets the streams that hold most first, and refuses what is new last', () => {
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

  test('has a file of which Envoy knows every type, and every monitor that an action asks', () => {
    const file = fileOf(mesh(), name);
    const types = [...JSON.stringify(file).matchAll(/"@type":"([^"]+)"/g)].map(([, type]) => type);
    // As the files of Envoy's own API have them: an unknown one keeps the pod from starting.
    expect(types).toEqual([
      'type.googleapis.com/envoy.extensions.resource_monitors.fixed_heap.v3.FixedHeapConfig',
      'type.googleapis.com/envoy.config.overload.v3.ShrinkHeapConfig',
    ]);
    expect(Object.keys(file)).toEqual(['overload_manager', 'memory_allocator_manager']);
    const monitors = file.overload_manager.resource_monitors.map((monitor: Manifest) => monitor.name);
    expect(monitors).toEqual([HEAP]);
    for (const { triggers } of file.overload_manager.actions) for (const trigger of triggers) expect(monitors).toContain(trigger.name);
  });

  const MI = 2 ** 20;
  test.each<[string, DedicatedGatewayOptions, number, string]>([
    ['512Mi by default', {}, 512 * MI, '4096'],
    ['512Mi', { memoryLimit: '512Mi' }, 512 * MI, '4096'],
    ['2Gi', { memoryLimit: '2Gi' }, 2048 * MI, '16384'],
    ['600M', { memoryLimit: '600M' }, 600_000_000, '4577'],
  ])('has a heap of 60 % of its memory limit, gives memory back from 8 % on, and takes so many connections: %s', (_, options, bytes, connections) => {
    const objects = mesh(options);
    const { overload_manager: manager, memory_allocator_manager: allocator } = fileOf(objects, name);
    expect(manager.resource_monitors[0].typed_config.max_heap_size_bytes).toBe(Math.floor(0.6 * bytes));
    expect(allocator).toEqual({ bytes_to_release: 100 * MI, memory_release_interval: '1s', soft_memory_limit_bytes: Math.floor(0.08 * bytes) });
    expect(find(objects, 'Deployment', `federation-${role}`).spec.template.spec.containers[0].resources.limits.memory).toBe(options.memoryLimit ?? '512Mi');
    expect(metadataOf(objects, role).ISTIO_META_GLOBAL_DOWNSTREAM_MAX_CONNECTIONS).toBe(connections);
  });

  test('takes a hundred connections at least', () => {
    const objects = mesh({ memoryRequest: '1Mi', memoryLimit: '1Mi' });
    expect(metadataOf(objects, role).ISTIO_META_GLOBAL_DOWNSTREAM_MAX_CONNECTIONS).toBe('100');
  });

  test('has the same file and as many connections with Istio 1.30', () => {
    const [older, newer] = [IstioVersion.V1_30, IstioVersion.V1_31].map((istioVersion) => mesh({}, { istioVersion }));
    expect([find(older, 'ConfigMap', name), metadataOf(older, role)]).toEqual([find(newer, 'ConfigMap', name), metadataOf(newer, role)]);
  });
});

describe('the memory limit that nobody states', () => {
  test.each([[512, '512Mi', '4096'], [513, '1Gi', '8192'], [1025, '2Gi', '16384']])('for %i ports at each gateway is %s', (count, limit, connections) => {
    const objects = mesh({}, {}, count);
    for (const [role, name] of GATEWAYS) {
      expect(find(objects, 'Deployment', `federation-${role}`).spec.template.spec.containers[0].resources.limits.memory).toBe(limit);
      const heap = fileOf(objects, name).overload_manager.resource_monitors[0].typed_config.max_heap_size_bytes;
      expect(heap).toBe(Math.floor(0.6 * Number(connections) * 128 * 1024));
      expect(metadataOf(objects, role).ISTIO_META_GLOBAL_DOWNSTREAM_MAX_CONNECTIONS).toBe(connections);
    }
  });

  test('counts an exported port once for each peer', () => {
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

test('the limit of one gateway is none of the other', () => {
  const objects = mesh({}, { ingressGateway: BoundaryGateway.dedicated({ memoryLimit: '2Gi' }), egressGateway: BoundaryGateway.dedicated({ memoryLimit: '256Mi' }) });
  const heaps = GATEWAYS.map(([, name]) => fileOf(objects, name).overload_manager.resource_monitors[0].typed_config.max_heap_size_bytes);
  expect(heaps).toEqual([1288490188, 161061273]);
});

test('a gateway that others run has no file of ours', () => {
  const shared = BoundaryGateway.fromExisting({ namespaceName: 'istio-ingress', serviceAccountName: 'a', serviceName: 'b', podLabels: { app: 'c' } });
  expect(names(mesh({}, { ingressGateway: shared }), 'ConfigMap')).toEqual(['fed-in-trust-west', 'fed-out-bootstrap', 'fed-out-trust']);
});
