import { App, Chart } from 'cdk8s';
import {
  BoundaryGateway, Caller, ExposedService, FederatedMesh, HttpRule, LocalName, LocalService, RemoteServiceBinding, ServicePort,
} from '../src';
import { SCENARIOS } from './scenarios';
import { environment, verdict } from './support/admission';
import { filesOf, find, Manifest, objectsOf, parse } from './support/manifests';
import { meshOf, trustOf } from './support/meshes';

/*
 * Which objects the admission policy denies and which it allows, by evaluating its own expressions.
 */

const policyOf = (objects: Manifest[]) => find(objects, 'ValidatingAdmissionPolicy', 'istio-federation-boundary');
const files = filesOf(SCENARIOS['two-meshes-http']());
const east = policyOf(parse(files.get('east')!));
const west = policyOf(parse(files.get('west')!));

function object(kind: string, spec: object | undefined, namespace = 'tenant', metadata: object = {}): Manifest {
  return { apiVersion: 'networking.istio.io/v1', kind, metadata: { name: 'mine', namespace, ...metadata }, ...spec ? { spec } : {} };
}
const gateway = (selector: object | undefined, namespace?: string) => object('Gateway', { ...selector ? { selector } : {}, servers: [] }, namespace);
const filter = (labels?: object, namespace?: string, name = 'mine') =>
  object('EnvoyFilter', labels ? { workloadSelector: { labels } } : {}, namespace, { name });
const route = (spec: object, namespace?: string, name = 'mine') => object('VirtualService', spec, namespace, { name });

describe('the admission policy denies objects that would change the boundary', () => {
  test.each<[string, Manifest, Manifest, string]>([
    ['a Gateway that selects the istio label of the ingress gateway', east, gateway({ istio: 'istio-federation-ingress' }), 'Gateway tenant/mine would add or block listeners'],
    ['a Gateway that selects the app label of the ingress gateway', east, gateway({ app: 'federation-ingress' }), 'of mesh east'],
    ['a Gateway that selects a label that Istio adds to pods', east, gateway({ 'service.istio.io/canonical-name': 'federation-ingress' }), 'add or block'],
    ['a Gateway that selects the sidecar injection label', east, gateway({ 'sidecar.istio.io/inject': 'true' }), 'add or block'],
    ['a Gateway that selects the dataplane mode label', east, gateway({ 'istio.io/dataplane-mode': 'none' }), 'add or block'],
    ['a Gateway with an empty selector', east, gateway({}), 'add or block'],
    ['a Gateway without a selector', east, gateway(undefined), 'add or block'],
    ['a Gateway that selects a label that the cluster sets', east, gateway({ 'topology.kubernetes.io/zone': 'a' }), 'add or block'],
    ['a Gateway that selects the app label of the ingress gateway and a label that the cluster sets', east, gateway({ 'app': 'federation-ingress', 'pod-template-hash': 'x' }), 'add or block'],
    ['a Gateway in the root namespace that selects the ingress gateway', east, gateway({ istio: 'istio-federation-ingress' }, 'istio-system'), 'istio-system/mine'],
    ['a Gateway that selects the egress gateway', west, gateway({ istio: 'istio-federation-egress' }), 'of mesh west'],
    ['an EnvoyFilter that selects the ingress gateway', east, filter({ app: 'federation-ingress' }), 'EnvoyFilter tenant/mine would change the proxies'],
    ['an EnvoyFilter in the namespace of the boundary', east, filter(undefined, 'istio-federation'), 'change the proxies'],
    ['a WasmPlugin that selects the ingress gateway', east, object('WasmPlugin', { selector: { matchLabels: { istio: 'istio-federation-ingress' } } }), 'WasmPlugin'],
    ['a TrafficExtension that selects the ingress gateway', east, object('TrafficExtension', { selector: { matchLabels: { app: 'federation-ingress' } } }), 'TrafficExtension'],
    ['an EnvoyFilter in the root namespace that selects the ingress gateway', east, filter({ app: 'federation-ingress' }, 'istio-system'), 'change the proxies'],
    ['a VirtualService that attaches to a boundary Gateway by the form namespace/name', east, route({ hosts: ['a.example'], gateways: ['istio-federation/fed-in-west'] }), 'attaches routes'],
    ['a VirtualService that attaches to a boundary Gateway by the legacy form name.namespace', east, route({ hosts: ['a.example'], gateways: ['fed-in-west.istio-federation'] }), 'attaches routes'],
    ['a VirtualService that attaches to a boundary Gateway by its fully qualified name', east, route({ hosts: ['a.example'], gateways: ['x.istio-federation.svc.cluster.local'] }), 'attaches routes'],
    ['a VirtualService for the SNI of an export', east, route({ hosts: ['p9080.reviews.west.fed.east.example'] }), 'p9080.reviews.west.fed.east.example'],
    ['a VirtualService for the SNI of an export in capital letters', east, route({ hosts: ['P9080.reviews.WEST.fed.east.example'] }), 'takes a host name'],
    ['a VirtualService with a wildcard that matches the SNIs of exports', east, route({ hosts: ['*.fed.east.example'] }), 'takes a host name'],
    ['a VirtualService for the SNI of an egress gateway listener', west, route({ hosts: ['p9080.reviews.default.east.egress.fed.west.example'] }), 'takes a host name'],
    ['a VirtualService for another SNI under the suffix that a peer assigns to us', west, route({ hosts: ['p1.other.west.fed.east.example'] }), 'takes a host name'],
    ['a VirtualService for a local name', west, route({ hosts: ['reviews.default.svc.cluster.local'] }), 'routes a host that mesh west binds'],
    ['a VirtualService for a local name without the cluster domain', west, route({ hosts: ['reviews.default'] }), 'exportTo ["."]'],
    ['a VirtualService for the short form of a local name in its own namespace', west, route({ hosts: ['reviews'] }, 'default'), 'default/mine'],
    ['a VirtualService for a local name that attaches to mesh and to another gateway', west, route({ hosts: ['reviews.default.svc'], gateways: ['own', 'mesh'] }), 'routes a host'],
    ['a VirtualService for a local name with an empty gateways list', west, route({ hosts: ['reviews.default'], gateways: [] }), 'routes a host'],
    ['a VirtualService for a local name with an empty exportTo list', west, route({ hosts: ['reviews.default'], exportTo: [] }), 'routes a host'],
    ['a VirtualService for a local name with a trailing dot', west, route({ hosts: ['reviews.default.svc.cluster.local.'] }), 'routes a host'],
    ['a VirtualService for the SNI of an export with a trailing dot', east, route({ hosts: ['p9080.reviews.west.fed.east.example.'] }), 'takes a host name'],
    ['a VirtualService for a local name that is exported beyond its own namespace', west, route({ hosts: ['reviews.default'], exportTo: ['.', 'other'] }), 'routes a host'],
    ['a VirtualService for a local name with the name of the generated one in another namespace', west, route({ hosts: ['reviews.default'] }, 'tenant', 'fed-name-reviews-default'), 'routes a host'],
  ])('the policy denies %s', (_, policy, manifest, message) => {
    expect(verdict(policy, manifest)).toContain(message);
  });
});

describe('the admission policy allows objects that do not change the boundary', () => {
  test.each<[string, Manifest, Manifest]>([
    ['a Gateway that selects another label', east, gateway({ istio: 'ingressgateway' })],
    ['a Gateway that selects the app label of the ingress gateway and a label that its pods lack', east, gateway({ app: 'federation-ingress', tier: 'edge' })],
    ['a Gateway in the namespace of the boundary', east, gateway({ istio: 'istio-federation-ingress' }, 'istio-federation')],
    ['a Gateway of another boundary that selects its own ingress gateway', east, gateway({ istio: 'partner-federation-ingress' }, 'partner-federation')],
    ['a Gateway that selects the egress gateway label of a mesh without bindings', east, gateway({ istio: 'istio-federation-egress' })],
    ['an EnvoyFilter in the root namespace that selects all workloads', east, filter(undefined, 'istio-system')],
    ['an EnvoyFilter that selects other workloads', east, filter({ app: 'shop' })],
    ['a WasmPlugin that selects other workloads', east, object('WasmPlugin', { selector: { matchLabels: { app: 'shop' } } })],
    ['a VirtualService for another host', east, route({ hosts: ['shop.example'], gateways: ['own/gateway'] })],
    ['a VirtualService for a host that contains the SNI suffix but does not end with it', east, route({ hosts: ['fed.east.example.org'] })],
    ['a VirtualService for a host that this mesh does not bind', east, route({ hosts: ['reviews.default.svc.cluster.local'] })],
    ['the generated VirtualService for a local name', west, route({ hosts: ['reviews.default.svc.cluster.local'] }, 'default', 'fed-name-reviews-default')],
    ['a VirtualService for a local name that is exported to its own namespace only', west, route({ hosts: ['reviews.default'], exportTo: ['.'] })],
    ['a VirtualService for a local name that attaches to another gateway only', west, route({ hosts: ['reviews.default'], gateways: ['own'] })],
    ['a VirtualService for the short form of a local name in another namespace', west, route({ hosts: ['reviews'] })],
    ['a VirtualService without a spec', west, object('VirtualService', undefined)],
  ])('the policy allows %s', (_, policy, manifest) => {
    expect(verdict(policy, manifest)).toBeUndefined();
  });
});

describe('updates of an object with a deletionTimestamp', () => {
  const metadata = { name: 'mine', namespace: 'tenant', finalizers: ['t/x'], deletionTimestamp: 'now' };
  const terminating = (spec: object) => ({ ...gateway(spec), metadata });

  test('the policy allows the removal of finalizers from an object that violates it', () => {
    expect(verdict(east, { ...terminating({}), metadata: { ...metadata, finalizers: [] } }, terminating({}))).toBeUndefined();
  });

  test('the policy denies a change of the selector to a boundary gateway', () => {
    expect(verdict(east, terminating({ istio: 'istio-federation-ingress' }), terminating({ istio: 'own' }))).toContain('add or block');
  });

  test('the policy denies the removal and the addition of a spec', () => {
    const bare = { apiVersion: 'networking.istio.io/v1', kind: 'Gateway', metadata };
    expect(verdict(east, bare, terminating({ istio: 'own' }))).toContain('add or block');
    expect(verdict(east, terminating({}), bare)).toContain('add or block');
  });
});

test('the policy allows VirtualServices of another boundary of the mesh for its SNIs and denies those of other tenants', () => {
  const app = new App();
  const props = { meshName: 'east', trustDomain: 'east.example', trustBundle: trustOf('east'), endpoints: [{ address: 'fed.east.example' }] };
  const west2 = meshOf(app, 'west');
  for (const [chart, namespaceName] of [['one', 'istio-federation'], ['two', 'partner-federation']]) {
    const mesh = new FederatedMesh(new Chart(app, chart), 'Mesh', { ...props, namespaceName });
    mesh.addPeer(west2);
    mesh.expose('Reviews', { service: LocalService.fromName('reviews', 'default'), exportName: 'reviews', ports: [ServicePort.http(9080)] });
  }
  const objects = objectsOf(app);
  for (const [policy, otherBoundary] of [['istio-federation-boundary', 'partner-federation'], ['partner-federation-boundary', 'istio-federation']]) {
    const one = find(objects, 'ValidatingAdmissionPolicy', policy);
    expect(verdict(one, route({ hosts: ['p9080.reviews.west.fed.east.example'] }, otherBoundary))).toBeUndefined();
    expect(verdict(one, route({ hosts: ['p9080.reviews.west.fed.east.example'] }, 'tenant'))).toContain('takes a host name');
    expect(verdict(one, gateway({ istio: policy.replace('-boundary', '-ingress') }, otherBoundary))).toContain('add or block');
  }
});

describe('the admission policy with gateways in two namespaces', () => {
  const apart = policyOf(parse(filesOf(SCENARIOS['gateway-namespaces']()).get('east')!));

  test.each<[string, Manifest, string]>([
    ['a Gateway of another tenant that selects the ingress gateway', gateway({ istio: 'federation-in-ingress' }), 'in federation-in and federation-out of mesh east'],
    ['a Gateway of another tenant that selects the egress gateway', gateway({ istio: 'federation-out-egress' }), 'add or block'],
    ['a Gateway in the ingress namespace that selects the egress gateway', gateway({ istio: 'federation-out-egress' }, 'federation-in'), 'Gateway federation-in/mine would add or block'],
    ['a Gateway in the egress namespace that selects the ingress gateway', gateway({ istio: 'federation-in-ingress' }, 'federation-out'), 'add or block'],
    ['an EnvoyFilter in the ingress namespace', filter(undefined, 'federation-in'), 'change the proxies'],
    ['an EnvoyFilter in the egress namespace', filter(undefined, 'federation-out'), 'change the proxies'],
    ['an EnvoyFilter with the name fed-in-connect-after-tls in the egress namespace', filter(undefined, 'federation-out', 'fed-in-connect-after-tls'), 'change the proxies'],
    ['an EnvoyFilter with the name fed-in-edge in the egress namespace', filter(undefined, 'federation-out', 'fed-in-edge'), 'change the proxies'],
    ['an EnvoyFilter with the name fed-out-edge in the ingress namespace', filter(undefined, 'federation-in', 'fed-out-edge'), 'change the proxies'],
    ['a VirtualService of another tenant that attaches to the ingress Gateway', route({ hosts: ['a.example'], gateways: ['federation-in/fed-in-west'] }), 'gateway in federation-in'],
    ['a VirtualService of another tenant that attaches to the egress Gateway', route({ hosts: ['a.example'], gateways: ['federation-out/fed-out-west'] }), 'gateway in federation-out'],
    ['a VirtualService in the ingress namespace that attaches to the egress Gateway', route({ hosts: ['a.example'], gateways: ['federation-out/fed-out-west'] }, 'federation-in'), 'attaches routes'],
    ['a VirtualService for the SNI of an export in the default namespace of boundaries', route({ hosts: ['p9080.reviews.west.fed.east.example'] }, 'istio-federation'), 'takes a host name'],
  ])('with gateways in two namespaces the policy denies %s', (_, manifest, message) => {
    expect(verdict(apart, manifest)).toContain(message);
  });

  test('with gateways in two namespaces the policy allows the generated Gateways, VirtualServices and EnvoyFilters', () => {
    for (const own of parse(filesOf(SCENARIOS['gateway-namespaces']()).get('east')!)) {
      if (['Gateway', 'VirtualService', 'EnvoyFilter'].includes(own.kind)) expect(verdict(apart, own)).toBeUndefined();
    }
  });
});

test.each(Object.keys(SCENARIOS))('the policy lists exactly the generated EnvoyFilters of the scenario %s', (scenario) => {
  for (const objects of [...filesOf(SCENARIOS[scenario]()).values()].map(parse)) {
    const listed = objects.filter(({ kind }) => kind === 'ValidatingAdmissionPolicy')
      .flatMap(({ spec }) => spec.variables.filter(({ name }: Manifest) => /^ownFilters\d/.test(name)).flatMap(({ expression }: Manifest) => environment.parse(expression)({})));
    // EnvoyFilters of locks select application workloads, which the policy does not protect.
    expect(listed).toEqual(objects.filter(({ kind, metadata }) => kind === 'EnvoyFilter' && !metadata.name.startsWith('fed-lock-')).map(({ kind, metadata }) => `${kind} ${metadata.namespace}/${metadata.name}`).sort());
  }
});

describe('the admission policy at an existing gateway', () => {
  const shared = policyOf(parse(filesOf(SCENARIOS['existing-gateways']()).get('east')!));

  test.each<[string, Manifest, string]>([
    ['a Gateway of another tenant that selects its pods', gateway({ istio: 'shared' }), 'in istio-federation and istio-ingress of mesh east'],
    ['an EnvoyFilter of another tenant that selects its pods', filter({ app: 'shared' }), 'change the proxies'],
    ['an EnvoyFilter in the namespace of the dedicated egress gateway', filter(undefined, 'istio-federation'), 'change the proxies'],
    ['a VirtualService that attaches to a generated Gateway', route({ hosts: ['a.example'], gateways: ['istio-ingress/fed-in-west'] }), 'attaches routes'],
    ['a VirtualService that attaches to a generated Gateway by its fully qualified name', route({ hosts: ['a.example'], gateways: ['fed-in-west.istio-ingress.svc.cluster.local'] }), 'attaches routes'],
    ['a VirtualService for the SNI of an export that attaches to a Gateway of the gateway owner', route({ hosts: ['p9080.reviews.west.fed.east.example'], gateways: ['istio-ingress/public'] }), 'takes a host name'],
  ])('at an existing gateway the policy denies %s', (_, manifest, message) => {
    expect(verdict(shared, manifest)).toContain(message);
  });

  test.each<[string, Manifest]>([
    ['a Gateway of the gateway owner', gateway({ istio: 'shared' }, 'istio-ingress')],
    ['an EnvoyFilter of the gateway owner', filter({ istio: 'shared' }, 'istio-ingress')],
    ['a WasmPlugin of the gateway owner', object('WasmPlugin', { selector: { matchLabels: { istio: 'shared' } } }, 'istio-ingress')],
    ['a VirtualService of another tenant that attaches to a Gateway of the gateway owner', route({ hosts: ['shop.example'], gateways: ['istio-ingress/public'] })],
    ['a VirtualService of the gateway owner', route({ hosts: ['shop.example'], gateways: ['public'] }, 'istio-ingress')],
  ])('at an existing gateway the policy allows %s', (_, manifest) => {
    expect(verdict(shared, manifest)).toBeUndefined();
  });
});

test('the policy denies a Gateway that selects a pod label that the user added', () => {
  const app = new App();
  const mesh = meshOf(app, 'east', { ingressGateway: BoundaryGateway.dedicated({ labels: { tier: 'edge' } }) });
  mesh.expose('Reviews', { service: LocalService.fromName('reviews', 'default'), exportName: 'reviews', ports: [ServicePort.http(9080)] });
  expect(verdict(policyOf(objectsOf(app)), gateway({ tier: 'edge' }))).toContain('add or block');
});

test.each([
  ['a dedicated gateway', (labels: { [name: string]: string }) => BoundaryGateway.dedicated({ labels })],
  ['an existing gateway', (podLabels: { [name: string]: string }) =>
    BoundaryGateway.fromExisting({ namespaceName: 'istio-ingress', serviceName: 'shared', serviceAccountName: 'shared', podLabels })],
])('the order in which the labels of %s are declared does not change the output', (_, gatewayWith) => {
  const filesWith = (labels: { [name: string]: string }) => {
    const app = new App();
    const mesh = meshOf(app, 'east', { ingressGateway: gatewayWith(labels) });
    mesh.expose('Reviews', { service: LocalService.fromName('reviews', 'default'), exportName: 'reviews', ports: [ServicePort.http(9080)] });
    return app.synthYaml();
  };
  expect(filesWith({ tier: 'edge', zone: 'dmz' })).toBe(filesWith({ zone: 'dmz', tier: 'edge' }));
});

test('withoutAdmissionPolicy omits the admission policy and records its reason as an annotation of the default-deny policy', () => {
  const app = new App();
  const mesh = meshOf(app, 'east', { withoutAdmissionPolicy: { reason: 'cluster runs Kubernetes 1.29', approvedBy: 'platform lead', ticket: 'OPS-7' } });
  mesh.expose('Reviews', { service: LocalService.fromName('reviews', 'default'), exportName: 'reviews', ports: [ServicePort.http(9080)] });
  const objects = objectsOf(app);
  expect(objects.filter(({ kind }) => kind.startsWith('ValidatingAdmissionPolicy'))).toEqual([]);
  expect(find(objects, 'AuthorizationPolicy', 'fed-in-default-deny').metadata.annotations).toEqual({
    'cdk8s-mesh-federation/without-admission-policy': 'cluster runs Kubernetes 1.29 (approved by platform lead, ticket OPS-7)',
  });
});

test('the policy denies VirtualServices for the local names of all bindings', () => {
  const app = new App();
  const [from, to] = [meshOf(app, 'east'), meshOf(app, 'west')];
  from.addPeer(to);
  to.addPeer(from);
  const reviews = from.expose('Reviews', { service: LocalService.fromName('reviews', 'default'), exportName: 'reviews', ports: [ServicePort.http(9080)] });
  reviews.allowFrom(to);
  for (const name of ['one', 'two']) to.bind(name, { source: reviews, localName: LocalName.newService(name, 'web') });
  const policy = policyOf(parse(filesOf([app]).get('west')!));
  expect(['one.web', 'two.web', 'three.web'].map((host) => verdict(policy, route({ hosts: [host] })) !== undefined)).toEqual([true, true, false]);
});

describe('the admission policy with an additional host of a local name', () => {
  /** West binds reviews under two local names, of which one has an additional host. */
  const withHost = () => {
    const app = new App();
    const [from, to] = [meshOf(app, 'east'), meshOf(app, 'west')];
    from.addPeer(to);
    to.addPeer(from);
    const reviews = from.expose('Reviews', { service: LocalService.fromName('reviews', 'default'), exportName: 'reviews', ports: [ServicePort.http(9080)] });
    reviews.allowFrom(to);
    const bindings = [
      to.bind('One', { source: reviews, localName: LocalName.newService('one', 'web') }),
      to.bind('Two', { source: reviews, localName: LocalName.newService('two', 'web'), additionalHosts: ['two.east.example'] }),
    ];
    bindings.forEach((binding) => binding.allowFrom(Caller.serviceAccount('page', 'web')));
    return parse(filesOf([app]).get('west')!);
  };
  const written = withHost();
  const policy = policyOf(written);
  const entry = (spec: object, namespace?: string, name = 'mine') => object('ServiceEntry', spec, namespace, { name });
  const owner = 'fed-name-two-web';

  test.each<[string, Manifest, string]>([
    ['a VirtualService of another tenant for the additional host', route({ hosts: ['two.east.example'] }), 'routes a host that mesh west binds'],
    ['a VirtualService of another tenant for the additional host in capital letters', route({ hosts: ['Two.East.Example'] }), 'routes a host'],
    ['a VirtualService of another tenant for the additional host with a trailing dot', route({ hosts: ['two.east.example.'] }), 'routes a host'],
    ['another VirtualService for the additional host in the namespace of the local name', route({ hosts: ['two.east.example'] }, 'web'), 'routes a host'],
    ['a VirtualService of another tenant with a TCP route and a wildcard that matches the additional host', route({ hosts: ['*.east.example'], tcp: [{}] }), 'routes a host'],
    ['a VirtualService of another tenant with a TLS route and a wildcard that matches the additional host', route({ hosts: ['*.east.example'], tls: [{}] }), 'routes a host'],
    ['a ServiceEntry of another tenant for the additional host', entry({ hosts: ['two.east.example'] }), 'declares a host that mesh west binds'],
    ['another ServiceEntry for the additional host in the namespace of the local name', entry({ hosts: ['two.east.example'] }, 'web'), 'declares a host'],
    ['a ServiceEntry for the additional host that is exported beyond its own namespace', entry({ hosts: ['two.east.example'], exportTo: ['.', 'shop'] }), 'declares a host'],
    ['a ServiceEntry for the additional host that is exported to its own namespace only, since routes of the Gateway API make its hosts public',
      entry({ hosts: ['two.east.example'], exportTo: ['.'] }), 'declares a host'],
    ['a ServiceEntry for the local name', entry({ hosts: ['two.web.svc.cluster.local'], exportTo: ['.'] }), 'declares a host'],
    ['a ServiceEntry with a wildcard of the local name, to which a TCPRoute can be attached', entry({ hosts: ['*.web.svc.cluster.local'] }), 'declares a host'],
    ['a ServiceEntry with a wildcard of the cluster domain', entry({ hosts: ['*.local'] }), 'declares a host'],
    ['a VirtualService with a TCP route and a wildcard that matches a part of the first label of the additional host', route({ hosts: ['*wo.east.example'], tcp: [{}] }), 'routes a host'],
    ['a VirtualService with a TCP route and a wildcard of a parent domain of the additional host', route({ hosts: ['*.example'], tcp: [{}] }), 'routes a host'],
    ['a VirtualService with a TCP route and a wildcard of a part of a parent domain', route({ hosts: ['*st.example'], tcp: [{}] }), 'routes a host'],
    ['a VirtualService with a TLS route and a wildcard of a part of the top-level domain', route({ hosts: ['*ple'], tls: [{}] }), 'routes a host'],
    ['a VirtualService in the namespace of the local name with a TCP route and a wildcard that is limited to that namespace', route({ hosts: ['*.east.example'], tcp: [{}], exportTo: ['.'] }, 'web'), 'routes a host'],
    ['a ServiceEntry for the additional host with the name of the generated one in another namespace', entry({ hosts: ['two.east.example'] }, 'tenant', owner), 'declares a host'],
    ['a VirtualService for the additional host with the name of the generated one in another namespace', route({ hosts: ['two.east.example'] }, 'tenant', owner), 'routes a host'],
  ])('the policy denies %s', (_, manifest, message) => {
    expect(verdict(policy, manifest)).toContain(message);
  });

  test.each<[string, Manifest]>([
    ['the generated VirtualService for the additional host', route({ hosts: ['two.web.svc.cluster.local', 'two.east.example'] }, 'web', owner)],
    ['the generated ServiceEntry for the additional host', entry({ hosts: ['two.east.example'] }, 'web', owner)],
    ['a ServiceEntry of another tenant for another host', entry({ hosts: ['one.east.example'] })],
    ['a ServiceEntry of another tenant with a wildcard of a namespace without local names', entry({ hosts: ['*.other.svc.cluster.local'] })],
    ['a VirtualService with a TCP route and a wildcard that matches another part of the first label', route({ hosts: ['*-two.east.example'], tcp: [{}] })],
    ['a VirtualService with a TCP route and a wildcard that is limited to another namespace', route({ hosts: ['*.east.example', '*'], tcp: [{}], exportTo: ['.'] })],
    ['a ServiceEntry of another tenant with a wildcard, since the exact host takes precedence', entry({ hosts: ['*.east.example'] })],
    ['a VirtualService of another tenant with an HTTP route and a wildcard, since the exact host takes precedence', route({ hosts: ['*.east.example'], http: [{}] })],
    ['a VirtualService of another tenant for the additional host that attaches to its own gateway', route({ hosts: ['two.east.example'], gateways: ['own'] })],
  ])('the policy allows %s', (_, manifest) => {
    expect(verdict(policy, manifest)).toBeUndefined();
  });

  test('the policy allows every object that the mesh generates', () => {
    const own = written.filter(({ kind }) => ['Gateway', 'VirtualService', 'EnvoyFilter', 'ServiceEntry'].includes(kind));
    expect([...new Set(own.map(({ kind }) => kind))].sort()).toEqual(['EnvoyFilter', 'Gateway', 'ServiceEntry', 'VirtualService']);
    expect(own.flatMap((one) => verdict(policy, one) ?? [])).toEqual([]);
  });

  /** Group and plural of each kind that a validation names. */
  const RESOURCES: { readonly [kind: string]: string } = {
    Gateway: 'networking.istio.io/gateways',
    VirtualService: 'networking.istio.io/virtualservices',
    EnvoyFilter: 'networking.istio.io/envoyfilters',
    ServiceEntry: 'networking.istio.io/serviceentries',
    WasmPlugin: 'extensions.istio.io/wasmplugins',
    TrafficExtension: 'extensions.istio.io/trafficextensions',
  };
  /** Kinds with which an expression compares that of the object. */
  const kindsIn = ({ spec }: Manifest): string[] => {
    const validations = spec.validations.map(({ expression }: Manifest) => expression).join('\n');
    return Object.keys(RESOURCES).filter((kind) => validations.includes(`'${kind}'`));
  };

  test('matchConstraints cover all versions of every kind in the validations and every kind of the Gateway API, for CREATE and UPDATE', () => {
    const admissionPolicy = policy;
    expect(kindsIn(admissionPolicy)).toEqual(Object.keys(RESOURCES));
    const rules: Manifest[] = admissionPolicy.spec.matchConstraints.resourceRules;
    expect(rules.flatMap(({ apiGroups: [group], resources }) => resources.map((resource: string) => `${group}/${resource}`)).sort())
      .toEqual(['gateway.networking.k8s.io/*', 'gateway.networking.x-k8s.io/*', ...Object.values(RESOURCES)].sort());
    expect(rules.filter(({ scope }) => scope !== undefined).map(({ apiGroups, scope }) => [apiGroups[0], scope]))
      .toEqual([['gateway.networking.k8s.io', 'Namespaced'], ['gateway.networking.x-k8s.io', 'Namespaced']]);
    expect(rules.map(({ apiGroups, apiVersions, operations }) => [apiGroups.length, apiVersions, operations])).toEqual(rules.map(() => [1, ['*'], ['CREATE', 'UPDATE']]));
    expect(admissionPolicy.spec.validations.flatMap(({ expression }: Manifest) => [...expression.matchAll(/object\.kind (?:!=|==) '(\w+)'/g)].map(([, kind]) => kind))
      .filter((kind: string) => !(kind in RESOURCES))).toEqual([]);
  });

  const refs = (...parentRefs: object[]) => ({ parentRefs });
  const gatewayApi = (kind: string, spec: object, namespace?: string, name?: string) =>
    ({ ...object(kind, spec, namespace, name === undefined ? {} : { name }), apiVersion: kind.startsWith('X') ? 'gateway.networking.x-k8s.io/v1alpha1' : 'gateway.networking.k8s.io/v1' });
  const service = { group: '', kind: 'Service', name: 'two', namespace: 'web' };

  test.each<[string, Manifest, string]>([
    ...['HTTPRoute', 'GRPCRoute', 'TLSRoute', 'TCPRoute', 'UDPRoute'].map((kind): [string, Manifest, string] =>
      [`${kind} for the Service of a local name`, gatewayApi(kind, refs(service)), `${kind} tenant/mine routes a Service or ServiceEntry that mesh west binds to another mesh: two;`]),
    ['HTTPRoute for the Service of a local name without group', gatewayApi('HTTPRoute', refs({ kind: 'Service', name: 'two', namespace: 'web' })), 'routes a Service'],
    ['HTTPRoute in the namespace of the local name', gatewayApi('HTTPRoute', refs({ group: '', kind: 'Service', name: 'two' }), 'web'), 'routes a Service'],
    ['HTTPRoute with the name of the generated VirtualService', gatewayApi('HTTPRoute', refs(service), 'web', owner), 'routes a Service'],
    ['HTTPRoute for the Service of a local name among other parents', gatewayApi('HTTPRoute', refs({ name: 'own' }, { ...service, name: 'shop' }, service)), ': own, shop, two;'],
    ['HTTPRoute for the ServiceEntry of an additional host', gatewayApi('HTTPRoute', refs({ group: 'networking.istio.io', kind: 'ServiceEntry', name: owner, namespace: 'web' })), 'routes a Service'],
    ['HTTPRoute for the SNI of an export', gatewayApi('HTTPRoute', { parentRefs: [{ name: 'own' }], hostnames: ['p9080.reviews.west.fed.east.example'] }), 'takes a host name'],
    ['TLSRoute with a wildcard that matches the SNIs of exports', gatewayApi('TLSRoute', { hostnames: ['*.West.fed.east.example.'] }), 'takes a host name'],
    ['ServiceEntry for the SNI of an export', entry({ hosts: ['p9080.reviews.west.fed.east.example'] }), 'takes a host name'],
    ['ServiceEntry with a wildcard that matches the SNIs of exports', entry({ hosts: ['*.west.fed.east.example'], exportTo: ['.'] }), 'takes a host name'],
    ['Gateway of the Gateway API that attaches to the pods of the boundary by the name of their Service',
      gatewayApi('Gateway', { addresses: [{ type: 'Hostname', value: 'federation-egress' }] }, 'istio-federation'), 'no object of the Gateway API'],
    ['Gateway of the Gateway API for which istiod would run pods', gatewayApi('Gateway', {}, 'istio-federation'), 'no object of the Gateway API'],
    ['ListenerSet in the namespace of the boundary', gatewayApi('ListenerSet', {}, 'istio-federation'), 'no object of the Gateway API'],
    ['XBackendTrafficPolicy in the namespace of the boundary', gatewayApi('XBackendTrafficPolicy', {}, 'istio-federation'), 'no object of the Gateway API'],
    ['BackendTLSPolicy without a spec in the namespace of the boundary', { ...gatewayApi('BackendTLSPolicy', {}, 'istio-federation'), spec: undefined }, 'no object of the Gateway API'],
  ])('the policy denies the %s', (_, manifest, message) => {
    expect(verdict(policy, manifest)).toContain(message);
  });

  test.each<[string, Manifest]>([
    ['Gateway of the Gateway API of another tenant', gatewayApi('Gateway', { gatewayClassName: 'istio', listeners: [] })],
    ['Gateway of the Gateway API with the labels of the boundary gateways, whose Service is in another namespace',
      gatewayApi('Gateway', { infrastructure: { labels: { istio: 'istio-federation-egress' } }, addresses: [{ type: 'Hostname', value: 'federation-egress.istio-federation.svc.cluster.local' }] })],
    ['ListenerSet of another tenant', gatewayApi('ListenerSet', { parentRef: { name: 'own' } })],
    ['HTTPRoute at a Gateway of its own', gatewayApi('HTTPRoute', { parentRefs: [{ name: 'own' }], hostnames: ['two.web.svc.cluster.local', 'two.east.example'] })],
    ['HTTPRoute for the Service of the same name in another namespace', gatewayApi('HTTPRoute', refs({ group: '', kind: 'Service', name: 'two' }))],
    ['HTTPRoute for a Gateway with the name of a local name', gatewayApi('HTTPRoute', refs({ name: 'two', namespace: 'web' }))],
    ['HTTPRoute for a ServiceEntry of its own', gatewayApi('HTTPRoute', refs({ group: 'networking.istio.io', kind: 'ServiceEntry', name: 'shop' }))],
    ['HTTPRoute without parents', gatewayApi('HTTPRoute', { rules: [] })],
    ['ReferenceGrant without a spec', { ...gatewayApi('ReferenceGrant', {}), spec: undefined }],
  ])('the policy allows the %s', (_, manifest) => {
    expect(verdict(policy, manifest)).toBeUndefined();
  });

  test('a denial names the host that is denied, not the others', () => {
    const many = Array.from({ length: 200 }, (_, index) => `shop-${index}.with-a-name-of-some-length.tenant.example`);
    expect(verdict(policy, route({ hosts: [...many, 'two.east.example'] })))
      .toBe('VirtualService tenant/mine routes a host that mesh west binds to another mesh: two.east.example; change the binding, or limit this object to its own namespace with exportTo ["."]');
    expect(verdict(policy, route({ hosts: [...many, 'p1.a.west.fed.east.example'] }))).toContain(': p1.a.west.fed.east.example; use another host');
  });

  test('the policy denies and audits violations, and fails closed when an expression cannot be evaluated', () => {
    expect(policy.spec.failurePolicy).toBe('Fail');
    expect(find(written, 'ValidatingAdmissionPolicyBinding', 'istio-federation-boundary').spec)
      .toEqual({ policyName: 'istio-federation-boundary', validationActions: ['Deny', 'Audit'] });
  });
});

test.each(['tcp', 'tls'])('the policy denies a VirtualService with a %s route and a wildcard that matches a local name', (protocol) => {
  const denied = (host: string) => verdict(west, route({ hosts: [host], [protocol]: [{}] })) !== undefined;
  expect(['*.cluster.local', '*.svc.cluster.local', '*.default.svc.cluster.local', '*'].map(denied)).toEqual([true, true, true, true]);
  expect(['*.other.svc.cluster.local', '*.svc.k8s.east', '*.example'].map(denied)).toEqual([false, false, false]);
});

test('the policy allows an HTTP route with a wildcard that matches a local name, since the exact host takes precedence', () => {
  expect(verdict(west, route({ hosts: ['*.default.svc.cluster.local'], http: [{}] }))).toBeUndefined();
});

test('the policy compares the wildcard of a TCP route with local names in the configured cluster domain', () => {
  const app = new App();
  const [from, to] = [meshOf(app, 'east'), meshOf(app, 'west', { clusterDomain: 'k8s.west' })];
  from.addPeer(to);
  to.addPeer(from);
  const reviews = from.expose('Reviews', { service: LocalService.fromName('reviews', 'default'), exportName: 'reviews', ports: [ServicePort.http(9080)] });
  reviews.allowFrom(to);
  to.bind('Reviews', { source: reviews, localName: LocalName.newService('reviews', 'web') });
  const policy = policyOf(parse(filesOf([app]).get('west')!));
  const denied = (host: string) => verdict(policy, route({ hosts: [host], tcp: [{}] })) !== undefined;
  expect(['*.svc.k8s.west', '*.svc.cluster.local'].map(denied)).toEqual([true, false]);
});
test('every denial of the policy has the reason Forbidden, and removals of finalizers only are not checked', () => {
  for (const { spec } of [east, west]) {
    expect(new Set(spec.validations.map(({ reason }: Manifest) => reason))).toEqual(new Set(['Forbidden']));
    expect(spec.matchConditions.map(({ name }: Manifest) => name)).toEqual(['not-only-finalizer-removal']);
  }
});

test.each([
  ['app.kubernetes.io/name', 'service.istio.io/canonical-name'],
  ['app.kubernetes.io/version', 'service.istio.io/canonical-revision'],
  ['version', 'service.istio.io/canonical-revision'],
])('the policy denies a Gateway that selects the label that the injector derives from the pod label %s', (label, derived) => {
  const app = new App();
  const mesh = meshOf(app, 'east', {
    ingressGateway: BoundaryGateway.fromExisting({
      namespaceName: 'istio-ingress', serviceName: 'shared', serviceAccountName: 'shared', podLabels: { app: 'shared', [label]: 'edge' },
    }),
  });
  mesh.expose('Reviews', { service: LocalService.fromName('reviews', 'default'), exportName: 'reviews', ports: [ServicePort.http(9080)] });
  expect(verdict(policyOf(objectsOf(app)), gateway({ [derived]: 'edge' }))).toContain('add or block');
});

describe('the admission policy stays the same', () => {
  /** West binds these names of east. */
  const withNames = (names: string[], grow: (reviews: ExposedService, west: FederatedMesh, east: FederatedMesh) => void = () => {}) => {
    const app = new App();
    const [from, to] = [meshOf(app, 'east'), meshOf(app, 'west')];
    from.addPeer(to);
    to.addPeer(from);
    const reviews = from.expose('Reviews', { service: LocalService.fromName('reviews', 'default'), exportName: 'reviews', ports: [ServicePort.http(9080), ServicePort.http(9081)] });
    reviews.allowFrom(to, { ports: [9080] });
    for (const name of names) to.bind(name, { source: reviews, localName: LocalName.newService(name, 'web'), portMappings: [{ localPort: 80, exportPort: 9080 }] });
    grow(reviews, to, from);
    const written = filesOf([app]);
    return { east: policyOf(parse(written.get('east')!)), west: policyOf(parse(written.get('west')!)) };
  };
  const expressionOf = ({ spec }: Manifest, name: string): string => spec.variables.find((variable: Manifest) => variable.name === name).expression;
  const changed = (before: Manifest, after: Manifest): string[] => before.spec.variables.map(({ name }: Manifest) => name)
    .filter((name: string) => expressionOf(before, name) !== expressionOf(after, name));

  test('a grant, a caller and a rule do not change it', () => {
    const before = withNames(['one', 'two']);
    const after = withNames(['one', 'two'], (reviews, to) => {
      reviews.allowFrom(to, { ports: [9081], http: [HttpRule.allow({ methods: ['GET'] })] });
      (to.node.findChild('one') as RemoteServiceBinding).allowFrom(Caller.serviceAccount('page', 'web'));
    });
    expect(after).toEqual(before);
  });

  test('a further local name adds one line to one variable', () => {
    const [before, after] = [withNames(['one', 'three']), withNames(['one', 'three', 'two'])];
    expect(after.east).toEqual(before.east);
    expect(changed(before.west, after.west)).toEqual(['boundHosts1']);
    const lines = (policy: Manifest) => expressionOf(policy, 'boundHosts1').split('\n').map((line) => line.replace(/[,}]+$/, ''));
    expect(lines(after.west).filter((line) => !lines(before.west).includes(line))).toEqual(['  \'two\': \'web/fed-name-two-web\'']);
    expect(lines(before.west).filter((line) => !lines(after.west).includes(line))).toEqual([]);
  });
});
