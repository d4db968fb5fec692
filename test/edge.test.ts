import { App, Chart } from 'cdk8s';
import fc from 'fast-check';
import { Caller, ExposedService, FederatedMesh, HttpRule, LocalName, LocalService, RemoteServiceBinding, ServicePort } from '../src';
import { find, keyOf, Manifest, objectsOf, withoutDigest } from './support/manifests';
import { meshOf } from './support/meshes';
import { principalsOf, rbacOf } from './support/rbac';

/*
 * The EnvoyFilter of each boundary gateway, and what one more grant, binding or caller changes in it. It changes nothing in shared filter
 * chains. Therefore a change of one grant drains no connection of another grant, and the configuration grows linearly.
 */

type Name = [kind: string, name: string, namespace: string];
const IN: Name = ['EnvoyFilter', 'fed-in-edge', 'istio-federation'];
const OUT: Name = ['EnvoyFilter', 'fed-out-edge', 'istio-federation'];
const MANAGER = 'envoy.filters.network.http_connection_manager';
const EXTENSIONS = 'type.googleapis.com/envoy.extensions.filters';
/** The patches of each gateway without grants and bindings. The last one of the egress gateway applies to every peer. */
const ALWAYS_IN = ['HTTP_FILTER', 'FILTER_CHAIN', 'NETWORK_FILTER', 'LISTENER', 'CLUSTER'];
const ALWAYS_OUT = ['HTTP_FILTER', 'FILTER_CHAIN', 'NETWORK_FILTER', 'CLUSTER', 'CLUSTER'];

interface Size {
  /** Exports of each protocol, each with a grant for each of the two peers and a binding in both. */
  readonly exports: number;
  /** Callers of each binding that the handshake lists, and whether there are unlisted callers. */
  readonly callers?: number;
  readonly unlisted?: boolean;
  readonly protocol?: 'http' | 'grpc' | 'tcp' | 'tls';
}

/** East exports to west and to north, which call it by local names. */
function federation({ exports, callers = 1, unlisted = false, protocol = 'http' }: Size) {
  const app = new App();
  const [east, west, north] = ['east', 'west', 'north'].map((name) => meshOf(app, name));
  for (const peer of [west, north]) {
    east.addPeer(peer);
    peer.addPeer(east);
  }
  for (let index = 0; index < exports; index++) {
    const source = east.expose(`Export${index}`, {
      service: LocalService.fromName(`service-${index}`, 'apps'), exportName: `export-${index}`, ports: [ServicePort[protocol](9000 + index)],
    });
    for (const peer of [west, north]) {
      source.allowFrom(peer, protocol === 'http' ? { http: [HttpRule.allow({ methods: ['GET'], paths: [`/${index}/*`] })] } : {});
      const binding = peer.bind(`Bound${index}`, { source, localName: LocalName.newService(`bound-${index}`, 'shop') });
      for (let caller = 0; caller < callers; caller++) binding.allowFrom(Caller.serviceAccount(`caller-${caller}`, 'shop'));
      if (unlisted) binding.allowFrom(Caller.anyInNamespace('batch'));
    }
  }
  const [exporter, consumer] = [east, west].map((mesh): Manifest[] => Chart.of(mesh).toJson().map(withoutDigest));
  return { exporter, consumer };
}

const policiesOf = (objects: Manifest[]) => objects.filter(({ kind }) => kind === 'AuthorizationPolicy').map((policy) => JSON.stringify(policy)).sort();
const patchesOf = (objects: Manifest[], filter: Name): Manifest[] => find(objects, ...filter).spec.configPatches;
const inChains = (patches: Manifest[]) => patches.filter(({ applyTo }) => applyTo !== 'VIRTUAL_HOST');
const kindsOf = (patches: Manifest[]) => patches.map(({ applyTo }) => applyTo);

describe('the policies of the gateways', () => {
  const one = federation({ exports: 1 });
  const many = federation({ exports: 20, callers: 20 });

  test.each(['exporter', 'consumer'] as const)('the policies of the %s are byte-identical with 1 and with 20 grants, bindings and callers of the same peers', (side) => {
    expect(policiesOf(many[side])).toEqual(policiesOf(one[side]));
    for (const text of policiesOf(many[side])) expect(text).not.toMatch(/export-|bound-|caller-|service-/);
  });

  test.each(['grpc', 'tcp', 'tls'] as const)('the policies for %s ports are the same as for HTTP ports', (protocol) => {
    const other = federation({ exports: 3, protocol });
    expect([policiesOf(other.exporter), policiesOf(other.consumer)]).toEqual([policiesOf(one.exporter), policiesOf(one.consumer)]);
  });

  test('each binding with callers that the handshake cannot list adds one guard policy and nothing else', () => {
    const { exporter, consumer } = federation({ exports: 20, unlisted: true });
    expect(policiesOf(exporter)).toEqual(policiesOf(one.exporter));
    const more = policiesOf(consumer).filter((text) => !policiesOf(one.consumer).includes(text)).map((text) => JSON.parse(text).metadata.name);
    expect(more).toEqual(Array.from({ length: 20 }, (_, index) => `fed-out-guard-bound-${index}-${9000 + index}-shop-east`).sort());
    expect(policiesOf(consumer)).toHaveLength(policiesOf(one.consumer).length + 20);
  });
});

describe('the EnvoyFilter of the ingress gateway', () => {
  const one = federation({ exports: 1 }).exporter;

  test('the ingress EnvoyFilter denies every request by default, before the router, and contains the patches of connections.test.ts', () => {
    const { spec, metadata } = find(one, ...IN);
    expect([spec.priority, spec.workloadSelector]).toEqual([-10, { labels: { istio: 'istio-federation-ingress' } }]);
    expect(metadata.annotations).toEqual({ 'galley.istio.io/analyze-suppress': 'IST0133,IST0151' });
    expect(inChains(spec.configPatches)).toEqual([
      {
        applyTo: 'HTTP_FILTER',
        match: { context: 'GATEWAY', listener: { portNumber: 15443, filterChain: { filter: { name: MANAGER, subFilter: { name: 'envoy.filters.http.router' } } } } },
        patch: {
          operation: 'INSERT_BEFORE',
          value: {
            name: 'mesh-federation.rules',
            typed_config: { '@type': `${EXTENSIONS}.http.rbac.v3.RBAC`, 'rules': { action: 'ALLOW', policies: {} } },
          },
        },
      },
      ...ALWAYS_IN.slice(1).map((applyTo) => expect.objectContaining({ applyTo })),
    ]);
  });

  test('the ingress EnvoyFilter sets the rules of a grant in its virtual host, under the name of the default-deny filter', () => {
    const [west] = patchesOf(one, IN).filter(({ match }) => match.routeConfiguration?.vhost.name.includes('.west.'));
    const rules = {
      action: 'ALLOW',
      policies: {
        rules: {
          permissions: [{ and_rules: { rules: [{ header: { name: ':method', string_match: { exact: 'GET' } } }, { url_path: { path: { prefix: '/0/' } } }] } }],
          principals: [{ any: true }],
        },
      },
    };
    expect(west).toEqual({
      applyTo: 'VIRTUAL_HOST',
      match: { context: 'GATEWAY', routeConfiguration: { vhost: { name: 'p9000.export-0.west.fed.east.example:15443' } } },
      patch: {
        operation: 'MERGE',
        value: {
          typed_per_filter_config: {
            'mesh-federation.rules': { '@type': `${EXTENSIONS}.http.rbac.v3.RBACPerRoute`, 'rbac': { rules } },
          },
        },
      },
    });
  });

  test('more HTTP grants add only virtual hosts to the ingress EnvoyFilter and change no filter chain', () => {
    const many = federation({ exports: 20 }).exporter;
    expect(inChains(patchesOf(many, IN))).toEqual(inChains(patchesOf(one, IN)));
    expect(patchesOf(many, IN)).toEqual(expect.arrayContaining(patchesOf(one, IN)));
    expect(kindsOf(patchesOf(many, IN))).toEqual([...ALWAYS_IN, ...Array(40).fill('VIRTUAL_HOST')]);
    expect({ ...find(many, ...IN).spec, configPatches: [] }).toEqual({ ...find(one, ...IN).spec, configPatches: [] });
  });

  test.each(['tcp', 'tls'] as const)('the ingress EnvoyFilter has no rules for %s, which the TLS handshake and the policies of the peer authorise', (protocol) => {
    expect(kindsOf(patchesOf(federation({ exports: 2, protocol }).exporter, IN))).toEqual(ALWAYS_IN);
  });

  test('the ingress EnvoyFilter denies by default before the first grant', () => {
    const app = new App();
    const east = meshOf(app, 'east');
    east.expose('Reviews', { service: LocalService.fromName('reviews', 'apps'), exportName: 'reviews', ports: [ServicePort.http(80)] });
    expect(find(objectsOf(app), ...IN).spec).toEqual({ ...find(one, ...IN).spec, configPatches: inChains(patchesOf(one, IN)) });
  });
});

describe('the EnvoyFilter of the egress gateway', () => {
  const one = federation({ exports: 1 }).consumer;

  test('the egress EnvoyFilter denies by default like the ingress EnvoyFilter', () => {
    expect(find(one, ...OUT).spec).toEqual({
      priority: -10,
      workloadSelector: { labels: { istio: 'istio-federation-egress' } },
      configPatches: [
        ...inChains(patchesOf(federation({ exports: 1 }).exporter, IN)).filter(({ applyTo }) => applyTo !== 'LISTENER'),
        expect.objectContaining({ applyTo: 'CLUSTER' }), // TCP_USER_TIMEOUT, tested in connections.test.ts
        expect.objectContaining({ applyTo: 'VIRTUAL_HOST' }),
      ],
    });
  });

  test('more HTTP bindings and callers add only virtual hosts to the egress EnvoyFilter and change no filter chain', () => {
    const many = federation({ exports: 20, callers: 20, unlisted: true }).consumer;
    expect(inChains(patchesOf(many, OUT))).toEqual(inChains(patchesOf(one, OUT)));
    expect(kindsOf(patchesOf(many, OUT))).toEqual([...ALWAYS_OUT, ...Array(20).fill('VIRTUAL_HOST')]);
  });

  test.each(['tcp', 'tls'] as const)('the egress EnvoyFilter inserts a filter with the %s callers first in the chain of each local name', (protocol) => {
    const { consumer } = federation({ exports: 2, callers: 2, protocol });
    const principals = ['caller-0', 'caller-1'].map((name) => ({ authenticated: { principal_name: { exact: `spiffe://west.example/ns/shop/sa/${name}` } } }));
    // The two patches before them set TCP_USER_TIMEOUT for each service (connections.test.ts).
    expect(patchesOf(consumer, OUT).slice(ALWAYS_OUT.length + 2)).toEqual([0, 1].map((index) => ({
      applyTo: 'NETWORK_FILTER',
      match: { context: 'GATEWAY', listener: { portNumber: 15443, filterChain: { sni: `p${9000 + index}.bound-${index}.shop.east.egress.fed.west.example` } } },
      patch: {
        operation: 'INSERT_FIRST',
        value: {
          name: 'mesh-federation.rules',
          typed_config: {
            '@type': `${EXTENSIONS}.network.rbac.v3.RBAC`,
            'rules': { action: 'ALLOW', policies: { callers: { permissions: [{ any: true }], principals } } },
            'stat_prefix': 'federation_',
          },
        },
      },
    })));
  });

  test('a new caller of one local name does not change the egress EnvoyFilter for other local names', () => {
    const both = (more: Caller[]) => {
      const app = new App();
      const [east, west] = ['east', 'west'].map((name) => meshOf(app, name));
      east.addPeer(west);
      west.addPeer(east);
      for (const [name, port] of [['http', ServicePort.http(80)], ['tcp', ServicePort.tcp(33)], ['other', ServicePort.tcp(34)]] as const) {
        const source = east.expose(name, { service: LocalService.fromName(name, 'apps'), exportName: name, ports: [port] });
        source.allowFrom(west);
        const binding = west.bind(name, { source, localName: LocalName.newService(name, 'shop') });
        binding.allowFrom(Caller.serviceAccount('page', 'shop'));
        if (name !== 'other') more.forEach((caller) => binding.allowFrom(caller));
      }
      return Chart.of(west).toJson().map(withoutDigest);
    };
    const [before, after] = [both([]), both([Caller.serviceAccount('batch', 'jobs')])];
    const other = 'p34.other.shop.east.egress.fed.west.example';
    const previous = patchesOf(before, OUT).map((patch) => JSON.stringify(patch));
    const changed = patchesOf(after, OUT).filter((patch) => !previous.includes(JSON.stringify(patch)));
    expect(changed.map(({ match }) => match.routeConfiguration?.vhost.name ?? match.listener.filterChain.sni).sort()).toEqual([
      'p33.tcp.shop.east.egress.fed.west.example', 'p80.http.shop.east.egress.fed.west.example:15443',
    ]);
    expect(rbacOf(after, other)).toEqual(rbacOf(before, other));
    expect(policiesOf(after)).toEqual(policiesOf(before));
  });
});

describe('the callers of a binding', () => {
  function boundTo(...callers: Caller[]): Manifest[] {
    const app = new App();
    const [east, west] = ['east', 'west'].map((name) => meshOf(app, name));
    east.addPeer(west);
    west.addPeer(east);
    const source = east.expose('Stock', { service: LocalService.fromName('stock', 'apps'), exportName: 'stock', ports: [ServicePort.http(80)] });
    source.allowFrom(west);
    const binding = west.bind('Stock', { source, localName: LocalName.newService('stock', 'shop') });
    callers.forEach((caller) => binding.allowFrom(caller));
    return Chart.of(west).toJson().map(withoutDigest);
  }

  test.each<[string, Caller, object]>([
    ['one workload by its exact SPIFFE ID', Caller.serviceAccount('page', 'shop'), { exact: 'spiffe://west.example/ns/shop/sa/page' }],
    ['the workloads of a namespace by the prefix of their SPIFFE IDs', Caller.anyInNamespace('shop'), { prefix: 'spiffe://west.example/ns/shop/sa/' }],
    ['the workloads of the mesh by its trust domain with a trailing slash', Caller.anyInMesh(), { prefix: 'spiffe://west.example/' }],
  ])('the RBAC rules allow %s', (_, caller, principalName) => {
    expect(rbacOf(boundTo(caller), 'p80.stock.shop.east.egress.fed.west.example')).toEqual({
      action: 'ALLOW',
      policies: { callers: { permissions: [{ any: true }], principals: [{ authenticated: { principal_name: principalName } }] } },
    });
  });

  test('the RBAC rules list each caller once, sorted', () => {
    const objects = boundTo(Caller.serviceAccount('page', 'shop'), Caller.anyInNamespace('batch'), Caller.serviceAccount('cart', 'shop'), Caller.serviceAccount('page', 'shop'));
    expect(principalsOf(rbacOf(objects, 'p80.stock.shop.east.egress.fed.west.example'))).toEqual([
      'west.example/ns/batch/sa/*', 'west.example/ns/shop/sa/cart', 'west.example/ns/shop/sa/page',
    ]);
  });

  test('a binding without callers generates no listener, no virtual host and no rule except the default-deny rule', () => {
    const objects = boundTo();
    expect(kindsOf(patchesOf(objects, OUT))).toEqual(ALWAYS_OUT);
    expect(objects.filter(({ kind }) => kind === 'Gateway')).toEqual([]);
  });
});

describe('the order of calls', () => {
  interface Made { readonly meshes: FederatedMesh[]; readonly exports: ExposedService[]; readonly bindings: RemoteServiceBinding[] }
  const rules = [HttpRule.allow({ methods: ['GET'], paths: ['/a/*'] }), HttpRule.allow({ methods: ['POST'] })];
  const steps: ((made: Made) => void)[] = [
    ({ meshes: [east, west] }) => east.addPeer(west),
    ({ meshes: [east, , north] }) => east.addPeer(north),
    ({ meshes: [east, west] }) => west.addPeer(east),
    ({ meshes: [east, , north] }) => north.addPeer(east),
    ({ meshes: [, west], exports: [web] }) => web.allowFrom(west, { http: [rules[0]], owner: 'a' }),
    ({ meshes: [, west], exports: [web] }) => web.allowFrom(west, { http: [rules[1]], owner: 'b' }),
    ({ meshes: [, , north], exports: [web] }) => web.allowFrom(north),
    ({ meshes: [, west], exports: [, db] }) => db.allowFrom(west),
    ({ bindings: [web] }) => web.allowFrom(Caller.serviceAccount('page', 'shop')),
    ({ bindings: [web] }) => web.allowFrom(Caller.anyInNamespace('batch')),
    ({ bindings: [web] }) => web.allowFrom(Caller.serviceAccount('cart', 'shop')),
    ({ bindings: [, db] }) => db.allowFrom(Caller.serviceAccount('report', 'jobs')),
  ];

  /** Every object by its name, as text. */
  function written(order: number[]): Map<string, string> {
    const app = new App();
    const meshes = ['east', 'west', 'north'].map((name) => meshOf(app, name));
    const [east, west] = meshes;
    const exports = [['web', ServicePort.http(80)] as const, ['db', ServicePort.tcp(33)] as const].map(([exportName, port]) =>
      east.expose(exportName, { service: LocalService.fromName(exportName, 'apps'), exportName, ports: [port], owner: 'apps' }));
    const bindings = exports.map((source) => west.bind(source.exportName, { source, localName: LocalName.newService(source.exportName, 'shop') }));
    for (const step of order) steps[step]({ meshes, exports, bindings });
    return new Map(meshes.flatMap((mesh) =>
      Chart.of(mesh).toJson().map(withoutDigest).map((object): [string, string] => [`${mesh.meshName} ${keyOf(object)}`, JSON.stringify(object)])));
  }

  const usual = steps.map((_, index) => index);
  const expected = written(usual);

  test('the order of addPeer and allowFrom calls does not change policies, rules or annotations', () => {
    fc.assert(fc.property(fc.shuffledSubarray(usual, { minLength: steps.length }), (order) => {
      expect(written(order)).toEqual(expected);
    }), { seed: 20261130, numRuns: 40, examples: [[[...usual].reverse()]] });
  });

  test('the comparison of orders covers policies, EnvoyFilters and annotations', () => {
    const names = [...expected.keys()].filter((key) => /EnvoyFilter|AuthorizationPolicy/.test(key)).map((key) => key.replace(/^(\S+) .*\//, '$1 '));
    expect(names.sort()).toEqual([
      'east fed-in-default-deny', 'east fed-in-edge', 'east fed-in-guard', 'east fed-in-guard-north', 'east fed-in-guard-west', 'east fed-in-peer-north',
      'east fed-in-peer-west',
      'west fed-out-default-deny', 'west fed-out-edge', 'west fed-out-guard', 'west fed-out-guard-web-80-shop-east', 'west fed-out-mesh',
    ]);
    const [route] = [...expected].filter(([key]) => key.endsWith('VirtualService istio-federation/fed-in-web-80-west'));
    expect(JSON.parse(route[1]).metadata.annotations).toEqual({ 'cdk8s-mesh-federation/owner': 'a; apps; b' });
  });
});
