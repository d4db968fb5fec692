import { App } from 'cdk8s';
import { Caller, LocalName, LocalService, ServicePort } from '../src';
import { SCENARIOS } from './scenarios';
import { verdict } from './support/admission';
import { filesOf, find, Manifest, parseWhole } from './support/manifests';
import { meshOf } from './support/meshes';
import { violationsIn } from './support/plugin';

/*
 * Objects of other tenants: whatever the admission policy denies, BoundaryValidation reports, and both accept what does no harm.
 */

/** West binds two local names, of which one has an additional host, and exports ratings. East exports reviews. */
function federation(): { readonly east: Manifest[]; readonly west: Manifest[] } {
  const app = new App();
  const [east, west] = [meshOf(app, 'east'), meshOf(app, 'west')];
  east.addPeer(west);
  west.addPeer(east);
  const reviews = east.expose('Reviews', { service: LocalService.fromName('reviews', 'default'), exportName: 'reviews', ports: [ServicePort.http(9080)] });
  const ratings = west.expose('Ratings', { service: LocalService.fromName('ratings', 'web'), exportName: 'ratings', ports: [ServicePort.http(9080)] });
  reviews.allowFrom(west);
  ratings.allowFrom(east);
  const bindings = [
    west.bind('One', { source: reviews, localName: LocalName.newService('one', 'web') }),
    west.bind('Two', { source: reviews, localName: LocalName.newService('two', 'web'), additionalHosts: ['two.east.example'] }),
  ];
  bindings.forEach((binding) => binding.allowFrom(Caller.serviceAccount('page', 'web')));
  const files = filesOf([app]);
  return { east: parseWhole(files.get('east')!), west: parseWhole(files.get('west')!) };
}

const { west } = federation();
const shared = parseWhole(filesOf(SCENARIOS['existing-gateways']()).get('east')!);
const apart = parseWhole(filesOf(SCENARIOS['gateway-namespaces']()).get('east')!);

const GROUPS: { readonly [kind: string]: string } = { WasmPlugin: 'extensions', TrafficExtension: 'extensions' };
const istio = (kind: string, spec: object | undefined, namespace = 'tenant', name = 'mine'): Manifest =>
  ({ apiVersion: `${GROUPS[kind] ?? 'networking'}.istio.io/v1`, kind, metadata: { name, namespace }, ...spec ? { spec } : {} });
const gateway = (selector: object | undefined, namespace?: string) => istio('Gateway', { ...selector ? { selector } : {}, servers: [] }, namespace);
const route = (spec: object, namespace?: string, name?: string) => istio('VirtualService', spec, namespace, name);
const entry = (spec: object, namespace?: string, name?: string) => istio('ServiceEntry', spec, namespace, name);
const envoyFilter = (labels?: object, namespace?: string) => istio('EnvoyFilter', { ...labels ? { workloadSelector: { labels } } : {}, configPatches: [] }, namespace);
const selecting = (kind: string, matchLabels: object, namespace?: string) => istio(kind, { selector: { matchLabels } }, namespace);
const INGRESS = { istio: 'istio-federation-ingress' };

type Case = [title: string, boundary: Manifest[], object: Manifest];

const DANGEROUS: Case[] = [
  ['a Gateway that selects the istio label of the ingress gateway', west, gateway(INGRESS)],
  ['a Gateway that selects the app label of the egress gateway', west, gateway({ app: 'federation-egress' })],
  ['a Gateway that selects the canonical name', west, gateway({ 'service.istio.io/canonical-name': 'federation-ingress' })],
  ['a Gateway that selects the canonical revision', west, gateway({ 'service.istio.io/canonical-revision': 'latest' })],
  ['a Gateway that selects the injection label', west, gateway({ 'sidecar.istio.io/inject': 'true' })],
  ['a Gateway that selects the dataplane mode', west, gateway({ 'istio.io/dataplane-mode': 'none' })],
  ['a Gateway that selects a zone', west, gateway({ 'topology.kubernetes.io/zone': 'a' })],
  ['a Gateway that selects a network', west, gateway({ 'topology.istio.io/network': 'n' })],
  ['a Gateway that selects a revision of istiod', west, gateway({ 'istio.io/rev': 'x' })],
  ['a Gateway that selects a node', west, gateway({ 'kubernetes.io/hostname': 'node-1' })],
  ['a Gateway that selects a ReplicaSet of the ingress gateway', west, gateway({ 'app': 'federation-ingress', 'pod-template-hash': 'x' })],
  ['a Gateway with an empty selector', west, gateway({})],
  ['a Gateway without selector', west, gateway(undefined)],
  ['a Gateway in the root namespace', west, gateway(INGRESS, 'istio-system')],
  ['an EnvoyFilter that selects the ingress gateway', west, envoyFilter(INGRESS)],
  ['an EnvoyFilter that selects the canonical name', west, envoyFilter({ 'service.istio.io/canonical-name': 'federation-ingress' })],
  ['an EnvoyFilter in the namespace of the boundary', west, envoyFilter(undefined, 'istio-federation')],
  ['an EnvoyFilter for other pods in the namespace of the boundary', west, envoyFilter({ app: 'tool' }, 'istio-federation')],
  ['an EnvoyFilter in the root namespace that selects the ingress gateway', west, envoyFilter(INGRESS, 'istio-system')],
  ['a WasmPlugin that selects the ingress gateway', west, selecting('WasmPlugin', INGRESS)],
  ['a WasmPlugin in the namespace of the boundary', west, selecting('WasmPlugin', {}, 'istio-federation')],
  ['a TrafficExtension that selects the ingress gateway', west, selecting('TrafficExtension', { app: 'federation-ingress' })],
  ['a TrafficExtension in the root namespace that selects the ingress gateway', west, selecting('TrafficExtension', INGRESS, 'istio-system')],
  ['a route on a boundary Gateway by namespace and name', west, route({ hosts: ['a.example'], gateways: ['istio-federation/fed-in-east'] })],
  ['a route on a boundary Gateway by name and namespace', west, route({ hosts: ['a.example'], gateways: ['own', 'fed-in-east.istio-federation'] })],
  ['a route on a boundary Gateway by its full name', west, route({ hosts: ['a.example'], gateways: ['fed-in-east.istio-federation.svc.cluster.local'] })],
  ['a route for the SNI of an export', west, route({ hosts: ['p9080.ratings.east.fed.west.example'] })],
  ['a route for the SNI of an export in capital letters', west, route({ hosts: ['P9080.RATINGS.east.fed.west.example'] })],
  ['a route for the SNI of an export with a dot at its end', west, route({ hosts: ['p9080.ratings.east.fed.west.example.'] })],
  ['a route for a wildcard of the SNIs of exports', west, route({ hosts: ['*.fed.west.example'] })],
  ['a route for the SNI of an egress listener', west, route({ hosts: ['p9080.one.web.east.egress.fed.west.example'] })],
  ['a route for an SNI under the suffix of a peer', west, route({ hosts: ['p1.other.west.fed.east.example'], gateways: ['own'] })],
  ['a route for a local name', west, route({ hosts: ['one.web.svc.cluster.local'] })],
  ['a route for a local name without cluster domain', west, route({ hosts: ['one.web.svc'] })],
  ['a route for the short form of a local name', west, route({ hosts: ['one.web'] })],
  ['a route for the shortest form of a local name in its namespace', west, route({ hosts: ['one'] }, 'web')],
  ['a route for a local name in capital letters', west, route({ hosts: ['One.Web'] })],
  ['a route for a local name with a dot at its end', west, route({ hosts: ['one.web.svc.cluster.local.'] })],
  ['a route for a local name with empty lists', west, route({ hosts: ['one.web'], gateways: [], exportTo: [] })],
  ['a route for a local name that is attached to mesh and another gateway', west, route({ hosts: ['one.web'], gateways: ['own', 'mesh'] })],
  ['a route for a local name that other namespaces see', west, route({ hosts: ['one.web'], exportTo: ['.', 'shop'] })],
  ['a route for a local name in its namespace, which only that namespace sees', west, route({ hosts: ['one.web'], exportTo: ['.'] }, 'web')],
  ['a route for a local name with the name of the generated one in another namespace', west, route({ hosts: ['one.web'] }, 'tenant', 'fed-name-one-web')],
  ['a TCP route with a wildcard of a local name', west, route({ hosts: ['*.web.svc.cluster.local'], tcp: [{}] })],
  ['a TLS route with a wildcard of the cluster domain', west, route({ hosts: ['*.cluster.local'], tls: [{}] })],
  ['a TCP route for every host', west, route({ hosts: ['*'], tcp: [{}] })],
  ['a route for an additional host', west, route({ hosts: ['two.east.example'] })],
  ['a TCP route with a wildcard of an additional host', west, route({ hosts: ['*.east.example'], tcp: [{}] })],
  ['a route for a wildcard that ends within the suffix of a peer', west, route({ hosts: ['*st.fed.east.example'] })],
  ['a route for a wildcard that ends within the boundary\'s own suffix', west, route({ hosts: ['*ed.west.example'], gateways: ['own'] })],
  ['a TCP route for a wildcard that ends within a local name', west, route({ hosts: ['*ne.web.svc.cluster.local'], tcp: [{}] })],
  ['a TLS route for a wildcard that ends within an additional host', west, route({ hosts: ['*st.example'], tls: [{}] })],
  ['an entry for an additional host', west, entry({ hosts: ['two.east.example'] })],
  ['an entry for an additional host among others', west, entry({ hosts: ['api.example', 'Two.East.Example.'] }, 'web')],
  ['an entry for the SNI of an export of a peer', west, entry({ hosts: ['p1.other.west.fed.east.example'] })],
  ['an entry for the SNI of an export of a peer with capital letters and a dot', west, entry({ hosts: ['P1.Other.West.Fed.East.Example.'] })],
  ['an entry with a wildcard of the SNIs of a peer', west, entry({ hosts: ['*.west.fed.east.example'], exportTo: ['.'] })],
  ['an entry with a wildcard that ends within the suffix of a peer', west, entry({ hosts: ['*est.fed.east.example'] })],
  ['an entry for a local name', west, entry({ hosts: ['two.web.svc.cluster.local'] })],
  ['an entry with a wildcard of the cluster domain', west, entry({ hosts: ['*.cluster.local'] })],
  ['an entry with a wildcard that ends within a local name', west, entry({ hosts: ['*o.web.svc.cluster.local'] })],
  ['an entry that selects the pods of a gateway', west, entry({ hosts: ['shop.example'], workloadSelector: { labels: INGRESS } }, 'istio-federation')],
  ['an entry that selects the pods of a gateway by an injected label', west, entry({ hosts: ['shop.example'], workloadSelector: { labels: { 'service.istio.io/canonical-name': 'federation-egress' } } }, 'istio-federation')],
  ['an entry that selects all pods of the boundary\'s namespace', west, entry({ hosts: ['shop.example'], workloadSelector: {} }, 'istio-federation')],
  ['a Gateway that selects an existing gateway', shared, gateway({ istio: 'shared' })],
  ['a Gateway that selects an existing gateway by an injected label', shared, gateway({ 'service.istio.io/canonical-name': 'shared' })],
  ['an EnvoyFilter that selects an existing gateway', shared, envoyFilter({ app: 'shared' })],
  ['a route on a generated Gateway of an existing gateway', shared, route({ hosts: ['a.example'], gateways: ['istio-ingress/fed-in-west'] })],
  ['a route on a Gateway of an existing gateway by its full name', shared, route({ hosts: ['a.example'], gateways: ['fed-in-west.istio-ingress.svc.cluster.local'] })],
  ['a route for the SNI of an export at a Gateway of the gateway owner', shared, route({ hosts: ['p9080.reviews.west.fed.east.example'], gateways: ['istio-ingress/public'] })],
  ['a Gateway in the ingress namespace that selects the egress gateway', apart, gateway({ istio: 'federation-out-egress' }, 'federation-in')],
  ['an EnvoyFilter in the egress namespace', apart, envoyFilter(undefined, 'federation-out')],
  ['a route in the ingress namespace on the egress Gateway', apart, route({ hosts: ['a.example'], gateways: ['federation-out/fed-out-west'] }, 'federation-in')],
];

const HARMLESS: Case[] = [
  ['a Gateway that selects other pods', west, gateway({ istio: 'ingressgateway' })],
  ['a Gateway that selects a label of the ingress gateway and one that its pods lack', west, gateway({ app: 'federation-ingress', tier: 'edge' })],
  ['an EnvoyFilter in another namespace without selector', west, envoyFilter()],
  ['an EnvoyFilter that selects other pods', west, envoyFilter({ app: 'shop' })],
  ['a WasmPlugin that selects other pods', west, selecting('WasmPlugin', { app: 'shop' })],
  ['a route for another host', west, route({ hosts: ['shop.example'], gateways: ['own/gateway'] })],
  ['a route for a host that only looks like an SNI of the boundary', west, route({ hosts: ['fed.west.example.org', 'notfed.west.example'] })],
  ['a route for the same Service name in another namespace', west, route({ hosts: ['one'] })],
  ['a route for a local name at another gateway', west, route({ hosts: ['one.web'], gateways: ['own'] })],
  ['a route for a local name that only its own namespace sees', west, route({ hosts: ['one.web'], exportTo: ['.'] })],
  ['a route for a local name that only its own namespace sees, by name', west, route({ hosts: ['one.web'], exportTo: ['tenant'] })],
  ['an HTTP route with a wildcard of a local name', west, route({ hosts: ['*.web.svc.cluster.local'], http: [{}] })],
  ['a TCP route with a wildcard of another namespace', west, route({ hosts: ['*.other.svc.cluster.local'], tcp: [{}] })],
  ['an entry for another host', west, entry({ hosts: ['one.east.example.org'] })],
  ['an entry with a wildcard of an unrelated domain', west, entry({ hosts: ['*.amazonaws.com'] })],
  ['an entry with a wildcard of everything that ends with example.org', west, entry({ hosts: ['*example.org'] })],
  ['an entry with a wildcard that ends within another label', west, entry({ hosts: ['*rest.fed.east.example', '*est.example.org'] })],
  ['an entry for other pods of the boundary\'s namespace', west, entry({ hosts: ['shop.example'], workloadSelector: { labels: { app: 'tool' } } }, 'istio-federation')],
  ['an entry that selects pods with the labels of a gateway in another namespace', west, entry({ hosts: ['shop.example'], workloadSelector: { labels: INGRESS } })],
  ['an entry that selects the pods of an existing gateway, by its owner', shared, entry({ hosts: ['shop.example'], workloadSelector: { labels: { istio: 'shared' } } }, 'istio-ingress')],
  ['an entry without pods in the namespace of the boundary', west, entry({ hosts: ['shop.example'] }, 'istio-federation')],
  ['an EnvoyFilter in the root namespace for waypoints', west, istio('EnvoyFilter', { configPatches: [{ match: { context: 'WAYPOINT' } }, { match: { context: 'SIDECAR_INBOUND' } }] }, 'istio-system')],
  ...['EnvoyFilter', 'WasmPlugin', 'TrafficExtension'].flatMap((kind): Case[] => [
    [`a ${kind} in the root namespace with targetRefs`, west, istio(kind, { targetRefs: [{ group: 'gateway.networking.k8s.io', kind: 'GatewayClass', name: 'istio-waypoint' }] }, 'istio-system')],
    [`a ${kind} of another tenant with targetRefs`, west, istio(kind, { targetRefs: [{ group: '', kind: 'Service', name: 'federation-egress' }] })],
  ]),
  ['a WasmPlugin in the root namespace with a targetRef', west, istio('WasmPlugin', { targetRef: { group: 'gateway.networking.k8s.io', kind: 'Gateway', name: 'waypoint' } }, 'istio-system')],
  ['a VirtualService without a spec', west, istio('VirtualService', undefined)],
  ['a Gateway of the owner of an existing gateway', shared, gateway({ istio: 'shared' }, 'istio-ingress')],
  ['an EnvoyFilter of the owner of an existing gateway', shared, envoyFilter({ istio: 'shared' }, 'istio-ingress')],
  ['a route on another Gateway of an existing gateway', shared, route({ hosts: ['shop.example'], gateways: ['istio-ingress/public'] })],
  ['a route of the owner of an existing gateway', shared, route({ hosts: ['shop.example'], gateways: ['public'] }, 'istio-ingress')],
];

/** What only BoundaryValidation knows: in the cluster, RBAC or the schema of the API server stands in front of it, or nothing does. */
const REPORTED_ONLY: Case[] = [
  ['an EnvoyFilter in the root namespace for all gateways', west, istio('EnvoyFilter', { configPatches: [{ match: { context: 'GATEWAY' } }] }, 'istio-system')],
  ['a TrafficExtension in the root namespace', west, istio('TrafficExtension', {}, 'istio-system')],
  ['an EnvoyFilter in the root namespace for every proxy', west, istio('EnvoyFilter', { configPatches: [{ match: { context: 'WAYPOINT' } }, {}] }, 'istio-system')],
  ['an EnvoyFilter in the root namespace with empty targetRefs', west, istio('EnvoyFilter', { targetRefs: [], configPatches: [{ match: { context: 'GATEWAY' } }] }, 'istio-system')],
  ['an entry with a wildcard of a peer\'s federation', west, entry({ hosts: ['*.fed.east.example'] })],
  ['an entry with a wildcard that ends within a peer\'s trust domain', west, entry({ hosts: ['*st.example'] })],
];

const REPORT = /^foreign-objects: \w+ [\w-]+\/[\w-]+: /;
const reported = async (boundary: Manifest[], object: Manifest) => (await violationsIn({ 'mesh.yaml': boundary, 'tenant.yaml': [object] })).filter((text) => REPORT.test(text));
const policyOf = (boundary: Manifest[]) => find(boundary, 'ValidatingAdmissionPolicy', 'istio-federation-boundary');

test.each(DANGEROUS)('the admission policy denies %s, and BoundaryValidation reports it', async (_, boundary, object) => {
  expect(verdict(policyOf(boundary), object)).toMatch(/^\w+ [\w-]+\/[\w-]+ /);
  expect(await reported(boundary, object)).toHaveLength(1);
});

test.each(HARMLESS)('the admission policy allows %s, and BoundaryValidation accepts it', async (_, boundary, object) => {
  expect(verdict(policyOf(boundary), object)).toBeUndefined();
  expect(await violationsIn({ 'mesh.yaml': boundary, 'tenant.yaml': [object] })).toEqual([]);
});

test.each(REPORTED_ONLY)('BoundaryValidation reports %s, which the admission policy allows', async (_, boundary, object) => {
  expect(verdict(policyOf(boundary), object)).toBeUndefined();
  expect(await reported(boundary, object)).toHaveLength(1);
});

describe('objects of the Gateway API', () => {
  const api = (kind: string, spec: object, namespace = 'tenant'): Manifest => ({
    apiVersion: kind.startsWith('X') ? 'gateway.networking.x-k8s.io/v1alpha1' : 'gateway.networking.k8s.io/v1', kind, metadata: { name: 'mine', namespace }, spec,
  });
  const service = { group: '', kind: 'Service', name: 'one', namespace: 'web' };

  const ROUTES = ['HTTPRoute', 'GRPCRoute', 'TLSRoute', 'TCPRoute', 'UDPRoute'];

  test.each<[string, Manifest]>([
    ...ROUTES.flatMap((kind): [string, Manifest][] => [
      [`${kind} for the Service of a local name`, api(kind, { parentRefs: [{ name: 'own' }, service] })],
      [`${kind} for a ServiceEntry of another program's binding`, api(kind, { parentRefs: [{ group: 'networking.istio.io', kind: 'ServiceEntry', name: 'fed-name-other-till', namespace: 'till' }] })],
    ]),
    ['HTTPRoute for the Service of a local name in its namespace', api('HTTPRoute', { parentRefs: [{ kind: 'Service', name: 'one' }] }, 'web')],
    ['HTTPRoute for the ServiceEntry of an additional host', api('HTTPRoute', { parentRefs: [{ group: 'networking.istio.io', kind: 'ServiceEntry', name: 'fed-name-two-web', namespace: 'web' }] })],
    ['HTTPRoute for the SNI of an export', api('HTTPRoute', { parentRefs: [{ name: 'own' }], hostnames: ['p9080.ratings.east.fed.west.example'] })],
    ['TLSRoute for a wildcard of SNIs', api('TLSRoute', { hostnames: ['shop.example', '*.fed.west.example.'] })],
    ['XListenerSet in the namespace of the boundary', api('XListenerSet', {}, 'istio-federation')],
    ['Gateway in the namespace of the boundary', api('Gateway', { addresses: [{ type: 'Hostname', value: 'federation-ingress' }] }, 'istio-federation')],
  ])('the admission policy denies the %s, and BoundaryValidation reports it', async (_, object) => {
    expect(verdict(policyOf(west), object)).toMatch(/^\w+ [\w-]+\/[\w-]+ /);
    expect(await reported(west, object)).toHaveLength(1);
  });

  test.each<[string, Manifest]>([
    ...ROUTES.map((kind): [string, Manifest] => [`${kind} on a boundary Gateway`, api(kind, { parentRefs: [{ name: 'fed-in-east', namespace: 'istio-federation' }] })]),
    ...ROUTES.map((kind): [string, Manifest] => [`${kind} for the Service of a gateway`, api(kind, { parentRefs: [{ group: '', kind: 'Service', name: 'federation-egress', namespace: 'istio-federation' }] })]),
    ['HTTPRoute for an additional host', api('HTTPRoute', { parentRefs: [{ group: 'networking.istio.io', kind: 'Hostname', name: 'two.east.example' }] })],
    ['ListenerSet on a boundary Gateway', api('ListenerSet', { parentRef: { name: 'fed-in-east', namespace: 'istio-federation' } })],
    ['ListenerSet for the SNI of an export', api('ListenerSet', { parentRef: { name: 'own' }, listeners: [{ name: 'a' }, { name: 'b', hostname: 'p9080.ratings.east.fed.west.example' }] })],
    ['BackendTLSPolicy for the Service of a local name', api('BackendTLSPolicy', { targetRefs: [{ group: '', kind: 'Service', name: 'one' }] }, 'web')],
  ])('BoundaryValidation reports the %s, which the admission policy does not know', async (_, object) => {
    expect(verdict(policyOf(west), object)).toBeUndefined();
    expect(await reported(west, object)).toHaveLength(1);
  });

  test.each<[string, Manifest]>([
    ['Gateway of another tenant', api('Gateway', { gatewayClassName: 'istio', listeners: [{ hostname: '*.shop.example' }] })],
    ['HTTPRoute at a Gateway of its own', api('HTTPRoute', { parentRefs: [{ name: 'own' }], hostnames: ['shop.example'] })],
    ['HTTPRoute for a Service of the same name in another namespace', api('HTTPRoute', { parentRefs: [{ kind: 'Service', name: 'one' }] })],
    ['HTTPRoute for a Gateway with the name of a local name', api('HTTPRoute', { parentRefs: [{ name: 'one', namespace: 'web' }] })],
    ['ListenerSet of another tenant', api('ListenerSet', { parentRef: { name: 'own' }, listeners: [{ hostname: 'shop.example' }] })],
    ['BackendTLSPolicy of another tenant', api('BackendTLSPolicy', { targetRefs: [{ group: '', kind: 'Service', name: 'shop' }] })],
    ['ReferenceGrant without a spec', { ...api('ReferenceGrant', {}), spec: undefined }],
  ])('the admission policy allows the %s, and BoundaryValidation accepts it', async (_, object) => {
    expect(verdict(policyOf(west), object)).toBeUndefined();
    expect(await violationsIn({ 'mesh.yaml': west, 'tenant.yaml': [object] })).toEqual([]);
  });

  test('BoundaryValidation accepts a route with null in its lists', async () => {
    expect(await violationsIn({ 'mesh.yaml': west, 'tenant.yaml': [api('HTTPRoute', { parentRefs: [null], hostnames: [null] })] })).toEqual([]);
  });
});
