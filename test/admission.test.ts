import { Environment } from '@marcbachmann/cel-js';
import { App, Chart } from 'cdk8s';
import { BoundaryGateway, Caller, FederatedMesh, LocalName, LocalService, ServicePort } from '../src';
import { SCENARIOS } from './scenarios';
import { filesOf, find, Manifest, objectsOf, parse } from './support/manifests';
import { meshOf, trustOf } from './support/meshes';

/*
 * Which objects the admission policy denies and which it allows, by evaluating its own expressions.
 */

const environment = new Environment({ unlistedVariablesAreDyn: true });

/** The message with which an object is refused, if it is. */
function verdict(policy: Manifest, manifest: Manifest, oldObject: Manifest = null): string | undefined {
  const evaluate = (expression: string, variables: object): any => environment.parse(expression)({ object: manifest, oldObject, variables });
  if (!policy.spec.matchConditions.every(({ expression }: Manifest) => evaluate(expression, {}))) return undefined;
  const variables: { [name: string]: unknown } = {};
  for (const { name, expression } of policy.spec.variables) variables[name] = evaluate(expression, variables);
  const broken = policy.spec.validations.find(({ expression }: Manifest) => evaluate(expression, variables) !== true);
  return broken && evaluate(broken.messageExpression, variables);
}

const policyOf = (objects: Manifest[]) => find(objects, 'ValidatingAdmissionPolicy', 'istio-federation-boundary');
const files = filesOf(SCENARIOS['two-meshes-http']());
const east = policyOf(parse(files.get('east')!));
const west = policyOf(parse(files.get('west')!));

function object(kind: string, spec: object | undefined, namespace = 'tenant', metadata: object = {}): Manifest {
  return { kind, metadata: { name: 'mine', namespace, ...metadata }, ...spec ? { spec } : {} };
}
const gateway = (selector: object | undefined, namespace?: string) => object('Gateway', { ...selector ? { selector } : {}, servers: [] }, namespace);
const filter = (labels?: object, namespace?: string, name = 'mine') =>
  object('EnvoyFilter', labels ? { workloadSelector: { labels } } : {}, namespace, { name });
const route = (spec: object, namespace?: string, name = 'mine') => object('VirtualService', spec, namespace, { name });

describe('is refused', () => {
  test.each<[string, Manifest, Manifest, string]>([
    ['a Gateway on our gateway label', east, gateway({ istio: 'istio-federation-ingress' }), 'Gateway tenant/mine would add or block listeners'],
    ['a Gateway on our application label', east, gateway({ app: 'federation-ingress' }), 'of mesh east'],
    ['a Gateway on a label that Istio adds', east, gateway({ 'service.istio.io/canonical-name': 'federation-ingress' }), 'add or block'],
    ['a Gateway on the injection label', east, gateway({ 'sidecar.istio.io/inject': 'true' }), 'add or block'],
    ['a Gateway on the data plane label', east, gateway({ 'istio.io/dataplane-mode': 'none' }), 'add or block'],
    ['a Gateway that selects everything', east, gateway({}), 'add or block'],
    ['a Gateway without a selector', east, gateway(undefined), 'add or block'],
    ['a Gateway on a label that only the cluster knows', east, gateway({ 'topology.kubernetes.io/zone': 'a' }), 'add or block'],
    ['a Gateway on our labels and one that only the cluster knows', east, gateway({ 'app': 'federation-ingress', 'pod-template-hash': 'x' }), 'add or block'],
    ['a Gateway in the root namespace', east, gateway({ istio: 'istio-federation-ingress' }, 'istio-system'), 'istio-system/mine'],
    ['a Gateway on the egress gateway', west, gateway({ istio: 'istio-federation-egress' }), 'of mesh west'],
    ['a filter on our gateway', east, filter({ app: 'federation-ingress' }), 'EnvoyFilter tenant/mine would change the proxies'],
    ['a filter in our namespace', east, filter(undefined, 'istio-federation'), 'change the proxies'],
    ['a plugin on our gateway', east, object('WasmPlugin', { selector: { matchLabels: { istio: 'istio-federation-ingress' } } }), 'WasmPlugin'],
    ['an extension on our gateway', east, object('TrafficExtension', { selector: { matchLabels: { app: 'federation-ingress' } } }), 'TrafficExtension'],
    ['a filter on our gateway in the root namespace', east, filter({ app: 'federation-ingress' }, 'istio-system'), 'change the proxies'],
    ['a route on our Gateway', east, route({ hosts: ['a.example'], gateways: ['istio-federation/fed-in-west'] }), 'attaches routes'],
    ['a route on our Gateway in the old spelling', east, route({ hosts: ['a.example'], gateways: ['fed-in-west.istio-federation'] }), 'attaches routes'],
    ['a route on our Gateway by full name', east, route({ hosts: ['a.example'], gateways: ['x.istio-federation.svc.cluster.local'] }), 'attaches routes'],
    ['a route for our server name', east, route({ hosts: ['p9080.reviews.west.fed.east.example'] }), 'p9080.reviews.west.fed.east.example'],
    ['a route for our server name in capitals', east, route({ hosts: ['P9080.reviews.WEST.fed.east.example'] }), 'takes a host name'],
    ['a wildcard route over our server names', east, route({ hosts: ['*.fed.east.example'] }), 'takes a host name'],
    ['a route for a listener of the egress gateway', west, route({ hosts: ['p9080.reviews.default.east.egress.fed.west.example'] }), 'takes a host name'],
    ['a route for what a peer keeps for us', west, route({ hosts: ['p1.other.west.fed.east.example'] }), 'takes a host name'],
    ['a route for a bound name', west, route({ hosts: ['reviews.default.svc.cluster.local'] }), 'routes a host that mesh west binds'],
    ['a route for a bound name without the domain', west, route({ hosts: ['reviews.default'] }), 'exportTo ["."]'],
    ['a route for a bound name in its own namespace', west, route({ hosts: ['reviews'] }, 'default'), 'default/mine'],
    ['a route for a bound name on mesh and a gateway', west, route({ hosts: ['reviews.default.svc'], gateways: ['own', 'mesh'] }), 'routes a host'],
    ['a route for a bound name with an empty list of gateways', west, route({ hosts: ['reviews.default'], gateways: [] }), 'routes a host'],
    ['a route for a bound name with an empty list of namespaces', west, route({ hosts: ['reviews.default'], exportTo: [] }), 'routes a host'],
    ['a route for a bound name with a dot at its end', west, route({ hosts: ['reviews.default.svc.cluster.local.'] }), 'routes a host'],
    ['a route for our server name with a dot at its end', east, route({ hosts: ['p9080.reviews.west.fed.east.example.'] }), 'takes a host name'],
    ['a route that is shown to others than its namespace', west, route({ hosts: ['reviews.default'], exportTo: ['.', 'other'] }), 'routes a host'],
    ['a route with our name in another namespace', west, route({ hosts: ['reviews.default'] }, 'tenant', 'fed-name-reviews-default'), 'routes a host'],
  ])('%s', (_, policy, manifest, message) => {
    expect(verdict(policy, manifest)).toContain(message);
  });
});

describe('passes', () => {
  test.each<[string, Manifest, Manifest]>([
    ['a Gateway on another label', east, gateway({ istio: 'ingressgateway' })],
    ['a Gateway on our label and one that our pods lack', east, gateway({ app: 'federation-ingress', tier: 'edge' })],
    ['our own Gateway', east, gateway({ istio: 'istio-federation-ingress' }, 'istio-federation')],
    ['a Gateway of another boundary', east, gateway({ istio: 'partner-federation-ingress' }, 'partner-federation')],
    ['a Gateway on the egress gateway of a mesh that binds nothing', east, gateway({ istio: 'istio-federation-egress' })],
    ['a filter of the mesh owner for all', east, filter(undefined, 'istio-system')],
    ['a filter on other workloads', east, filter({ app: 'shop' })],
    ['a plugin on other workloads', east, object('WasmPlugin', { selector: { matchLabels: { app: 'shop' } } })],
    ['a route for another host', east, route({ hosts: ['shop.example'], gateways: ['own/gateway'] })],
    ['a route for a host that only looks like ours', east, route({ hosts: ['fed.east.example.org'] })],
    ['a route for the same name in a mesh that does not bind it', east, route({ hosts: ['reviews.default.svc.cluster.local'] })],
    ['our own route for a bound name', west, route({ hosts: ['reviews.default.svc.cluster.local'] }, 'default', 'fed-name-reviews-default')],
    ['a route for a bound name that concerns its author only', west, route({ hosts: ['reviews.default'], exportTo: ['.'] })],
    ['a route for a bound name on a gateway', west, route({ hosts: ['reviews.default'], gateways: ['own'] })],
    ['a route for the short name in another namespace', west, route({ hosts: ['reviews'] })],
    ['an object without spec', west, object('VirtualService', undefined)],
  ])('%s', (_, policy, manifest) => {
    expect(verdict(policy, manifest)).toBeUndefined();
  });
});

describe('of an object that is going', () => {
  const metadata = { name: 'mine', namespace: 'tenant', finalizers: ['t/x'], deletionTimestamp: 'now' };
  const going = (spec: object) => ({ ...gateway(spec), metadata });

  test('the finalizers can be removed, though it was there before the policy', () => {
    expect(verdict(east, { ...going({}), metadata: { ...metadata, finalizers: [] } }, going({}))).toBeUndefined();
  });

  test('the selector cannot be turned on the boundary', () => {
    expect(verdict(east, going({ istio: 'istio-federation-ingress' }), going({ istio: 'own' }))).toContain('add or block');
  });

  test('the spec cannot be taken away or given', () => {
    const bare = { kind: 'Gateway', metadata };
    expect(verdict(east, bare, going({ istio: 'own' }))).toContain('add or block');
    expect(verdict(east, going({}), bare)).toContain('add or block');
  });
});

test('the boundaries of one mesh let each other through, and nobody else', () => {
  const app = new App();
  const props = { meshName: 'east', trustDomain: 'east.example', trustBundle: trustOf('east'), endpoints: [{ address: 'fed.east.example' }] };
  const west2 = meshOf(app, 'west');
  for (const [chart, namespaceName] of [['one', 'istio-federation'], ['two', 'partner-federation']]) {
    const mesh = new FederatedMesh(new Chart(app, chart), 'Mesh', { ...props, namespaceName });
    mesh.addPeer(west2);
    mesh.expose('Reviews', { service: LocalService.fromName('reviews', 'default'), exportName: 'reviews', ports: [ServicePort.http(9080)] });
  }
  const objects = objectsOf(app);
  for (const [policy, neighbour] of [['istio-federation-boundary', 'partner-federation'], ['partner-federation-boundary', 'istio-federation']]) {
    const one = find(objects, 'ValidatingAdmissionPolicy', policy);
    expect(verdict(one, route({ hosts: ['p9080.reviews.west.fed.east.example'] }, neighbour))).toBeUndefined();
    expect(verdict(one, route({ hosts: ['p9080.reviews.west.fed.east.example'] }, 'tenant'))).toContain('takes a host name');
    expect(verdict(one, gateway({ istio: policy.replace('-boundary', '-ingress') }, neighbour))).toContain('add or block');
  }
});

describe('gateways in two namespaces', () => {
  const apart = policyOf(parse(filesOf(SCENARIOS['gateway-namespaces']()).get('east')!));

  test.each<[string, Manifest, string]>([
    ['a Gateway of others on the ingress gateway', gateway({ istio: 'federation-in-ingress' }), 'in federation-in and federation-out of mesh east'],
    ['a Gateway of others on the egress gateway', gateway({ istio: 'federation-out-egress' }), 'add or block'],
    ['a Gateway on the other gateway', gateway({ istio: 'federation-out-egress' }, 'federation-in'), 'Gateway federation-in/mine would add or block'],
    ['and the other way round', gateway({ istio: 'federation-in-ingress' }, 'federation-out'), 'add or block'],
    ['a filter in the one namespace', filter(undefined, 'federation-in'), 'change the proxies'],
    ['a filter in the other', filter(undefined, 'federation-out'), 'change the proxies'],
    ['a filter with the name of ours where ours is not', filter(undefined, 'federation-out', 'fed-in-connect-after-tls'), 'change the proxies'],
    ['a filter with the name of the ingress gateway\'s rules beside the egress gateway', filter(undefined, 'federation-out', 'fed-in-edge'), 'change the proxies'],
    ['a filter with the name of the egress gateway\'s rules beside the ingress gateway', filter(undefined, 'federation-in', 'fed-out-edge'), 'change the proxies'],
    ['a route on the ingress gateway', route({ hosts: ['a.example'], gateways: ['federation-in/fed-in-west'] }), 'gateway in federation-in'],
    ['a route on the egress gateway', route({ hosts: ['a.example'], gateways: ['federation-out/fed-out-west'] }), 'gateway in federation-out'],
    ['a route on the egress gateway from the other namespace', route({ hosts: ['a.example'], gateways: ['federation-out/fed-out-west'] }, 'federation-in'), 'attaches routes'],
    ['a route for our names in the namespace that none of the gateways has', route({ hosts: ['p9080.reviews.west.fed.east.example'] }, 'istio-federation'), 'takes a host name'],
  ])('refuse %s', (_, manifest, message) => {
    expect(verdict(apart, manifest)).toContain(message);
  });

  test('let our own pass', () => {
    for (const own of parse(filesOf(SCENARIOS['gateway-namespaces']()).get('east')!)) {
      if (['Gateway', 'VirtualService', 'EnvoyFilter'].includes(own.kind)) expect(verdict(apart, own)).toBeUndefined();
    }
  });
});

test.each(Object.keys(SCENARIOS))('the policy knows every filter of ours and no other: %s', (scenario) => {
  for (const objects of [...filesOf(SCENARIOS[scenario]()).values()].map(parse)) {
    const known = objects.filter(({ kind }) => kind === 'ValidatingAdmissionPolicy')
      .flatMap(({ spec }) => environment.parse(spec.variables.find(({ name }: Manifest) => name === 'ownFilters').expression)({}));
    // Those of locks are on workloads, of which the policy knows nothing.
    expect(known).toEqual(objects.filter(({ kind, metadata }) => kind === 'EnvoyFilter' && !metadata.name.startsWith('fed-lock-')).map(({ kind, metadata }) => `${kind} ${metadata.namespace}/${metadata.name}`).sort());
  }
});

describe('at a gateway that others run', () => {
  const shared = policyOf(parse(filesOf(SCENARIOS['existing-gateways']()).get('east')!));

  test.each<[string, Manifest, string]>([
    ['a Gateway of another namespace', gateway({ istio: 'shared' }), 'in istio-federation and istio-ingress of mesh east'],
    ['a filter of another namespace', filter({ app: 'shared' }), 'change the proxies'],
    ['a filter in the namespace of our own gateway', filter(undefined, 'istio-federation'), 'change the proxies'],
    ['a route on a Gateway of ours', route({ hosts: ['a.example'], gateways: ['istio-ingress/fed-in-west'] }), 'attaches routes'],
    ['a route on a Gateway of ours in the old spelling', route({ hosts: ['a.example'], gateways: ['fed-in-west.istio-ingress.svc.cluster.local'] }), 'attaches routes'],
    ['a route for a server name of ours on their Gateway', route({ hosts: ['p9080.reviews.west.fed.east.example'], gateways: ['istio-ingress/public'] }), 'takes a host name'],
  ])('is refused: %s', (_, manifest, message) => {
    expect(verdict(shared, manifest)).toContain(message);
  });

  test.each<[string, Manifest]>([
    ['a Gateway of those who run it', gateway({ istio: 'shared' }, 'istio-ingress')],
    ['a filter of those who run it', filter({ istio: 'shared' }, 'istio-ingress')],
    ['a plugin of those who run it', object('WasmPlugin', { selector: { matchLabels: { istio: 'shared' } } }, 'istio-ingress')],
    ['a route of their customers', route({ hosts: ['shop.example'], gateways: ['istio-ingress/public'] })],
    ['a route of theirs', route({ hosts: ['shop.example'], gateways: ['public'] }, 'istio-ingress')],
  ])('passes: %s', (_, manifest) => {
    expect(verdict(shared, manifest)).toBeUndefined();
  });
});

test('labels of the pods that the user adds are known to the policy', () => {
  const app = new App();
  const mesh = meshOf(app, 'east', { ingressGateway: BoundaryGateway.dedicated({ labels: { tier: 'edge' } }) });
  mesh.expose('Reviews', { service: LocalService.fromName('reviews', 'default'), exportName: 'reviews', ports: [ServicePort.http(9080)] });
  expect(verdict(policyOf(objectsOf(app)), gateway({ tier: 'edge' }))).toContain('add or block');
});

test.each([
  ['a gateway of ours', (labels: { [name: string]: string }) => BoundaryGateway.dedicated({ labels })],
  ['a gateway of others', (podLabels: { [name: string]: string }) =>
    BoundaryGateway.fromExisting({ namespaceName: 'istio-ingress', serviceName: 'shared', serviceAccountName: 'shared', podLabels })],
])('the order in which the labels of %s are given changes nothing', (_, gatewayWith) => {
  const filesWith = (labels: { [name: string]: string }) => {
    const app = new App();
    const mesh = meshOf(app, 'east', { ingressGateway: gatewayWith(labels) });
    mesh.expose('Reviews', { service: LocalService.fromName('reviews', 'default'), exportName: 'reviews', ports: [ServicePort.http(9080)] });
    return app.synthYaml();
  };
  expect(filesWith({ tier: 'edge', zone: 'dmz' })).toBe(filesWith({ zone: 'dmz', tier: 'edge' }));
});

test('it is left out for a stated reason only, and the reason stays with the boundary', () => {
  const app = new App();
  const mesh = meshOf(app, 'east', { withoutAdmissionPolicy: { reason: 'cluster runs Kubernetes 1.29', approvedBy: 'platform lead', ticket: 'OPS-7' } });
  mesh.expose('Reviews', { service: LocalService.fromName('reviews', 'default'), exportName: 'reviews', ports: [ServicePort.http(9080)] });
  const objects = objectsOf(app);
  expect(objects.filter(({ kind }) => kind.startsWith('ValidatingAdmissionPolicy'))).toEqual([]);
  expect(find(objects, 'AuthorizationPolicy', 'fed-in-default-deny').metadata.annotations).toEqual({
    'cdk8s-mesh-federation/without-admission-policy': 'cluster runs Kubernetes 1.29 (approved by platform lead, ticket OPS-7)',
  });
});

test('a local name of another binding is guarded as well', () => {
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

describe('with one additional host of a local name', () => {
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
    ['a route of others for the host', route({ hosts: ['two.east.example'] }), 'routes a host that mesh west binds'],
    ['a route of others for the host in capitals', route({ hosts: ['Two.East.Example'] }), 'routes a host'],
    ['a route of others for the host with a dot at its end', route({ hosts: ['two.east.example.'] }), 'routes a host'],
    ['a route of others for the host in its own namespace', route({ hosts: ['two.east.example'] }, 'web'), 'routes a host'],
    ['a TCP route of others with a wildcard over the host', route({ hosts: ['*.east.example'], tcp: [{}] }), 'routes a host'],
    ['a TLS route of others with a wildcard over the host', route({ hosts: ['*.east.example'], tls: [{}] }), 'routes a host'],
    ['a ServiceEntry of others for the host', entry({ hosts: ['two.east.example'] }), 'declares a host that mesh west binds'],
    ['a ServiceEntry of others for the host in its own namespace', entry({ hosts: ['two.east.example'] }, 'web'), 'declares a host'],
    ['a ServiceEntry that other namespaces see as well', entry({ hosts: ['two.east.example'], exportTo: ['.', 'shop'] }), 'declares a host'],
    ['a ServiceEntry with our name in another namespace', entry({ hosts: ['two.east.example'] }, 'tenant', owner), 'declares a host'],
    ['a route with our name in another namespace', route({ hosts: ['two.east.example'] }, 'tenant', owner), 'routes a host'],
  ])('%s is refused', (_, manifest, message) => {
    expect(verdict(policy, manifest)).toContain(message);
  });

  test.each<[string, Manifest]>([
    ['our own route', route({ hosts: ['two.web.svc.cluster.local', 'two.east.example'] }, 'web', owner)],
    ['our own ServiceEntry', entry({ hosts: ['two.east.example'] }, 'web', owner)],
    ['a ServiceEntry of others for another host', entry({ hosts: ['one.east.example'] })],
    ['a ServiceEntry of others with a wildcard, since the exact host wins', entry({ hosts: ['*.east.example'] })],
    ['a ServiceEntry that only its own namespace sees', entry({ hosts: ['two.east.example'], exportTo: ['.'] })],
    ['an HTTP route of others with a wildcard, since the exact host wins', route({ hosts: ['*.east.example'], http: [{}] })],
    ['a route of others for the host on a gateway of theirs', route({ hosts: ['two.east.example'], gateways: ['own'] })],
  ])('%s passes', (_, manifest) => {
    expect(verdict(policy, manifest)).toBeUndefined();
  });

  test('all that the mesh writes passes', () => {
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

  test.each<[string, Manifest, string[]]>([
    ['without additional hosts', west, ['Gateway', 'VirtualService', 'EnvoyFilter', 'WasmPlugin', 'TrafficExtension']],
    ['with an additional host', policy, ['Gateway', 'VirtualService', 'EnvoyFilter', 'ServiceEntry', 'WasmPlugin', 'TrafficExtension']],
  ])('every kind that a validation names is in matchConstraints, in all its versions, for CREATE and UPDATE: %s', (_, judging, kinds) => {
    expect(kindsIn(judging)).toEqual(kinds);
    const rules: Manifest[] = judging.spec.matchConstraints.resourceRules;
    expect(rules.flatMap(({ apiGroups: [group], resources }) => resources.map((resource: string) => `${group}/${resource}`)).sort())
      .toEqual(kinds.map((kind) => RESOURCES[kind]).sort());
    expect(rules.map(({ apiGroups, apiVersions, operations }) => [apiGroups.length, apiVersions, operations])).toEqual(rules.map(() => [1, ['*'], ['CREATE', 'UPDATE']]));
    expect(judging.spec.validations.flatMap(({ expression }: Manifest) => [...expression.matchAll(/object\.kind (?:!=|==) '(\w+)'/g)].map(([, kind]) => kind))
      .filter((kind: string) => !(kind in RESOURCES))).toEqual([]);
  });

  test('the policy denies and audits what it refuses, and what it cannot judge', () => {
    expect(policy.spec.failurePolicy).toBe('Fail');
    expect(find(written, 'ValidatingAdmissionPolicyBinding', 'istio-federation-boundary').spec)
      .toEqual({ policyName: 'istio-federation-boundary', validationActions: ['Deny', 'Audit'] });
  });
});

test.each(['tcp', 'tls'])('a wildcard %s route over a bound name is refused, whatever part of the name it leaves out', (protocol) => {
  const refused = (host: string) => verdict(west, route({ hosts: [host], [protocol]: [{}] })) !== undefined;
  expect(['*.cluster.local', '*.svc.cluster.local', '*.default.svc.cluster.local', '*'].map(refused)).toEqual([true, true, true, true]);
  expect(['*.other.svc.cluster.local', '*.svc.k8s.east', '*.example'].map(refused)).toEqual([false, false, false]);
});

test('a wildcard HTTP route over a bound name passes, since the exact name wins', () => {
  expect(verdict(west, route({ hosts: ['*.default.svc.cluster.local'], http: [{}] }))).toBeUndefined();
});

test('a wildcard TCP route is judged in the domain of the cluster', () => {
  const app = new App();
  const [from, to] = [meshOf(app, 'east'), meshOf(app, 'west', { clusterDomain: 'k8s.west' })];
  from.addPeer(to);
  to.addPeer(from);
  const reviews = from.expose('Reviews', { service: LocalService.fromName('reviews', 'default'), exportName: 'reviews', ports: [ServicePort.http(9080)] });
  reviews.allowFrom(to);
  to.bind('Reviews', { source: reviews, localName: LocalName.newService('reviews', 'web') });
  const policy = policyOf(parse(filesOf([app]).get('west')!));
  const refused = (host: string) => verdict(policy, route({ hosts: [host], tcp: [{}] })) !== undefined;
  expect(['*.svc.k8s.west', '*.svc.cluster.local'].map(refused)).toEqual([true, false]);
});
