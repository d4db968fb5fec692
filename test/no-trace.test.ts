import { ApiObject, App, Chart, Duration } from 'cdk8s';
import { Construct } from 'constructs';
import {
  BoundaryGateway, Caller, ExposedService, ExposedServiceOptions, FederatedMeshProps, HttpRule, IMeshPeer, IstioVersion, LocalName, LocalService,
  RemoteMesh, RemoteMeshProps, RemoteServiceBinding, RemoteServiceBindingOptions, ServicePort, SpiffeId,
} from '../src';
import { REJECTIONS } from './errors';
import { meshOf, trustOf } from './support/meshes';
import { any, bankWith, EXISTING_GATEWAY } from './support/pair';
import { callOf, errorOf, SYNTHESIS } from './support/rejections';
import { ErrorCode } from '../src/checks/errors';

/*
 * A rejected call leaves no trace. A program that catches the error generates the same output as without the call. A later valid call with
 * the same id and the same names is accepted.
 */

const REASON = 'agreed with the security team';
const page = Caller.serviceAccount('page', 'web');
const jwt = { issuer: 'https://login.example', jwksUri: 'https://login.example/keys', audiences: ['accounts'] };
const GET = [HttpRule.allow({ methods: ['GET'] })];
const older: Partial<FederatedMeshProps> = { istioVersion: IstioVersion.V1_29 };
const shared = (): Partial<FederatedMeshProps> => ({ ingressGateway: BoundaryGateway.fromExisting(EXISTING_GATEWAY) });

/** A peer named core that exports cards, of which tests change one field. */
const coreWith = (props: Partial<RemoteMeshProps> = {}): RemoteMesh => bankWith({
  meshName: 'core',
  trustDomain: 'core.example',
  trustBundle: trustOf('core'),
  ingressIdentity: SpiffeId.parse('spiffe://core.example/ns/dmz/sa/in'),
  egressIdentity: SpiffeId.parse('spiffe://core.example/ns/dmz/sa/out'),
  endpoints: [{ address: 'fed.core.example' }],
  knownAs: 'east',
  ...props,
});
/** The same peer as a custom class that validates nothing. */
const ofOtherClass = (change: object): IMeshPeer => {
  const { meshName, trustDomain, endpoints, ingressIdentity, egressIdentity, trustBundle } = coreWith();
  return Object.assign(new Construct(new App(), 'Odd'), { meshName, trustDomain, endpoints, ingressIdentity, egressIdentity, trustBundle, ...change } as never);
};

/** East with exports, grants, bindings, a lock and a restricted namespace, to which calls are added. */
function program(props: Partial<FederatedMeshProps> = {}) {
  const app = new App();
  const [east, west] = [meshOf(app, 'east', props), meshOf(app, 'west')];
  east.addPeer(west);
  west.addPeer(east);
  const accounts = new Chart(app, 'accounts', { namespace: 'shop' });
  const account = new ApiObject(accounts, 'Account', { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'client' } });
  const accountOfWest = new ApiObject(Chart.of(west), 'Account', { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'client', namespace: 'shop' } });
  const [reviews, ledger, copy] = [['Reviews', 'reviews'], ['Ledger', 'ledger'], ['Copy', 'ledger']].map(([id, name]) => east.expose(id, {
    service: LocalService.fromName(name, 'books'),
    exportName: id.toLowerCase(),
    ports: [ServicePort.http(80), ServicePort.grpc(90), ServicePort.tcp(3306), ServicePort.http(81)],
  }));
  ledger.allowFrom(west, { ports: [80], http: GET });
  if (Object.keys(props).length === 0) ledger.allowFrom(west, { ports: [81], jwt });
  ledger.lockWorkload({ reason: REASON, podLabels: { app: 'ledger' } });
  const bank = bankWith({ knownAs: 'east' });
  east.addPeer(bank);
  const fresh = east.bind('Fresh', { source: bank.exposedService('cards'), localName: LocalName.newService('fresh', 'web') });
  const binding = east.bind('Bound', { source: bank.exposedService('cards'), localName: LocalName.existingService('bound', 'web') });
  binding.allowFrom(page);
  east.restrictNamespace('vault', { reason: REASON });
  return { app, east, west, account, accountOfWest, reviews, ledger, copy, bank, fresh, binding, core: coreWith() };
}
type Made = ReturnType<typeof program>;
type Call = (made: Made) => unknown;

/** The state of a program: its constructs in order, their manifests, and the validation errors of synthesis. */
function stateOf({ app }: Made) {
  const all = app.node.findAll();
  return {
    constructs: all.map((construct) => [construct.node.path, ApiObject.isApiObject(construct) ? construct.toJson() : undefined]),
    errors: all.flatMap(({ node }) => node.validate()),
  };
}

/** The name of objects that the program adds to constructs of the library. */
const OWN = 'of-the-program';
/** The objects that a program writes, in their order. */
const objectsOf = ({ app }: Made) => app.node.findAll().filter((construct) => ApiObject.isApiObject(construct));
const writtenBy = (made: Made) => objectsOf(made).filter(({ name }) => name !== OWN).map((object) => object.toJson());

/** Adds children of the program's own, with the ids that the objects of another program have in the same parents. */
function takeIds(made: Made, other: Made): string[] {
  const parents = new Map(made.app.node.findAll().map((construct) => [construct.node.path, construct]));
  return objectsOf(other).flatMap(({ apiVersion, kind, node: { id, path, scope } }) => {
    const parent = parents.get(scope!.node.path);
    if (!parent || parent.node.tryFindChild(id)) return [];
    // An object of the program, of the same kind as ours.
    new ApiObject(parent, id, { apiVersion, kind, metadata: { name: OWN, namespace: 'web' } });
    return [path];
  });
}

/** A rejected call, with the props of east and the valid call if they differ from the default. */
type Row = readonly [code: ErrorCode, title: string, rejected: Call, props?: () => Partial<FederatedMeshProps>, valid?: Call];

interface Method {
  /** The public call that throws. */
  readonly call: string;
  /** A valid call with the id and the names of the rejected ones. */
  readonly valid: Call;
  readonly rows: readonly Row[];
}

const stock = (change: Partial<ExposedServiceOptions> = {}): ExposedServiceOptions => ({
  service: LocalService.fromName('stock', 'shop'), exportName: 'stock', ports: [ServicePort.http(80)], ...change,
});
const exposing = (change: object): Call => ({ east }) => east.expose('Stock', stock(change));
const cards = (source: RemoteMesh, change: Partial<RemoteServiceBindingOptions> = {}): RemoteServiceBindingOptions => ({
  source: source.exposedService('cards'), localName: LocalName.newService('cards', 'web'), ...change,
});
const bindingTo = (change: object): Call => ({ east }) => east.bind('Cards', cards(coreWith(), change));
const granting = (options: object): Call => ({ reviews, west }) => reviews.allowFrom(west, options);
const locking = (options: object): Call => ({ reviews }) => reviews.lockWorkload({ reason: REASON, podLabels: { app: 'reviews' }, ...options });
/** Rejected calls refer to another construct than valid ones, so a name that is registered for it makes the test fail. */
const adding = (options: object): Call => ({ east }) => east.addPeer(coreWith(), options);
/** East exports to core and binds an export of core. */
const bothDirections: Call = ({ east, core, reviews }) => {
  east.addPeer(core);
  reviews.allowFrom(core);
  east.bind('Cards', cards(core)).allowFrom(page);
};

/** The chart of the account belongs to no mesh yet, so west can claim it. */
const callingFromWest: Call = ({ west, account, ledger }) =>
  west.bind('Ledger', { source: ledger, localName: LocalName.newService('ledger', 'web') }).allowFrom(Caller.fromConstruct(account));

const METHODS: readonly Method[] = [
  {
    call: 'FederatedMesh.addPeer',
    valid: bothDirections,
    rows: [
      ['FED101', 'a peer with a name in capitals', ({ east }) => east.addPeer(ofOtherClass({ meshName: 'Core' }))],
      ['FED102', 'a peer with the trust domain cluster.local', ({ east }) => east.addPeer(ofOtherClass({ trustDomain: 'cluster.local' }))],
      ['FED103', 'a peer with our trust domain', ({ east }) => east.addPeer(ofOtherClass({ trustDomain: 'east.example', ingressIdentity: undefined, egressIdentity: undefined }))],
      ['FED109', 'a known peer with other options', ({ east, west }) => east.addPeer(west, { agreementId: 'ISA-1' }), undefined,
        (made) => {
          made.east.addPeer(made.west);
          bothDirections(made);
        }],
      ['FED105', 'a peer with an endpoint in the domain of our cluster', ({ east }) =>
        east.addPeer(coreWith({ endpoints: [{ address: 'core.k8s.example' }] })), () => ({ clusterDomain: 'k8s.example' })],
      ['FED143', 'a contact that is too long for an annotation', adding({ contact: 'x'.repeat(4097) })],
      ['FED110', 'another peer with the name of a known peer', ({ east }) => east.addPeer(coreWith({ meshName: 'west' }))],
      ['FED111', 'a ConfigMap name in capitals', adding({ trustConfigMapName: 'Core' })],
      ['FED114', 'isolation without a reason', adding({ isolated: { reason: '' } })],
      ['FED115', 'a date that does not exist', adding({ reviewBy: '2027-02-30' })],
      ['FED117', 'a peer with an identity outside of its trust domain', ({ east }) =>
        east.addPeer(ofOtherClass({ egressIdentity: SpiffeId.parse('spiffe://other.example/ns/a/sa/b') }))],
      ['FED119', 'a peer with the CA of another peer', ({ east }) => east.addPeer(coreWith({ trustBundle: trustOf('west') }))],
      ['FED120', 'an unknown option', adding({ tls12: true })],
      ['FED124', 'an empty list of headers', adding({ removeRequestHeaders: [] })],
      ['FED125', 'limits with an Istio version that does not support them', adding({ limits: { maxConnections: 5 } }), () => older],
      ['FED126', 'limits without a field', adding({ limits: {} })],
      ['FED128', 'stripTracing at a shared gateway', adding({ stripTracing: true }), shared],
      ['FED134', 'a ConfigMap that the library writes', adding({ trustConfigMapName: 'fed-in-trust-core' })],
      ['FED407', 'our own mesh', ({ east }) => east.addPeer(east)],
    ],
  },
  {
    call: 'FederatedMesh.expose',
    valid: ({ east, west }) => east.expose('Stock', stock()).allowFrom(west),
    rows: [
      ['FED115', 'a date that does not exist', exposing({ reviewBy: '2027-02-30' })],
      ['FED118', 'a Service in the root namespace of Istio', exposing({ service: LocalService.fromName('istiod', 'istio-system') })],
      ['FED120', 'numbers instead of ports', exposing({ ports: [80] })],
      ['FED125', 'an idle timeout with an Istio version that does not support it', exposing({ idleTimeout: Duration.minutes(1) }), () => older],
      ['FED123', 'the id of another export', ({ east }) => east.expose('Reviews', stock())],
      ['FED301', 'an export name in capitals', exposing({ exportName: 'Stock' })],
      ['FED302', 'an export name that is taken', exposing({ exportName: 'reviews' })],
      ['FED303', 'an empty list of ports', exposing({ ports: [] })],
      ['FED311', 'a request timeout of zero', exposing({ requestTimeout: Duration.millis(0) })],
    ],
  },
  {
    call: 'new ExposedService',
    valid: ({ east, west }) => new ExposedService(Chart.of(east), 'Stock', { mesh: east, ...stock() }).allowFrom(west),
    rows: [
      ['FED112', 'an export in the chart of another mesh', ({ east, west }) => new ExposedService(Chart.of(west), 'Stock', { mesh: east, ...stock() })],
      ['FED123', 'the id of another construct', ({ east }) => new ExposedService(Chart.of(east), 'Mesh', { mesh: east, ...stock() })],
      ['FED120', 'an export of a peer', ({ east }) => new ExposedService(Chart.of(east), 'Stock', any({ mesh: coreWith(), ...stock() }))],
    ],
  },
  {
    call: 'ExposedService.allowFrom',
    valid: granting({ ports: [80, 81], http: GET }),
    rows: [
      ['FED110', 'another peer with the name of a known peer', ({ reviews }) => reviews.allowFrom(coreWith({ meshName: 'west' }))],
      ['FED115', 'a date that does not exist', granting({ reviewBy: '2027-02-30' })],
      ['FED120', 'an unknown option', granting({ methods: ['GET'] })],
      ['FED125', 'a JWT rule with an Istio version that does not support it', granting({ ports: [80], jwt }), () => older],
      ['FED128', 'a JWT rule at a shared gateway', granting({ ports: [80], jwt }), shared],
      ['FED137', 'a peer without an egress identity', ({ reviews }) => reviews.allowFrom(coreWith({ egressIdentity: undefined })), undefined, bothDirections],
      ['FED306', 'one exported and one unknown port', granting({ ports: [80, 82], http: GET })],
      ['FED307', 'a gRPC method without a slash', granting({ ports: [90], grpcMethods: ['a.B.C'] })],
      ['FED308', 'an empty list of rules', granting({ ports: [80], http: [] })],
      ['FED309', 'a call without rules after one with rules', ({ ledger, west }) => ledger.allowFrom(west, { ports: [90, 80] }), undefined,
        ({ ledger, west }) => ledger.allowFrom(west, { ports: [80], http: [HttpRule.allow({ methods: ['PUT'] })] })],
      ['FED310', 'HTTP rules for an HTTP port and a gRPC port', granting({ ports: [80, 90], http: GET })],
      ['FED314', 'a JWT rule without an issuer', granting({ ports: [80], jwt: { ...jwt, issuer: '' } })],
      ['FED315', 'a JWT rule after a call without one', ({ ledger, west }) => ledger.allowFrom(west, { ports: [90, 80], http: undefined, jwt }), undefined,
        ({ ledger, west }) => ledger.allowFrom(west, { ports: [90] })],
      ['FED316', 'another jwksUri for a known issuer', ({ reviews }) => reviews.allowFrom(coreWith(), { ports: [80], jwt: { ...jwt, jwksUri: 'https://login.example/other' } }),
        undefined, ({ east, core, reviews }) => {
          east.addPeer(core);
          reviews.allowFrom(core, { ports: [80], jwt });
        }],
      ['FED317', 'a key set with a symmetric key', granting({
        ports: [80], jwt: { ...jwt, issuer: 'https://staff.example', jwksUri: undefined, jwks: '{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}' },
      }), undefined, granting({ ports: [80], jwt: { ...jwt, issuer: 'https://staff.example' } })],
      ['FED407', 'our own mesh', ({ east, reviews }) => reviews.allowFrom(east)],
    ],
  },
  {
    call: 'ExposedService.lockWorkload',
    valid: locking({}),
    rows: [
      ['FED112', 'a list with a caller in the chart of another mesh', ({ account, accountOfWest, reviews }) => reviews.lockWorkload({
        reason: REASON, podLabels: { app: 'reviews' }, localCallers: [Caller.fromConstruct(account), Caller.fromConstruct(accountOfWest)],
      }), undefined, callingFromWest],
      ['FED114', 'an empty reason', locking({ reason: '' })],
      ['FED118', 'a list with a caller in the namespace of the boundary', locking({ localCallers: [page, Caller.serviceAccount('a', 'istio-federation')] })],
      ['FED120', 'an unknown option', locking({ callers: [] })],
      ['FED312', 'empty pod labels, which select everything', locking({ podLabels: {} })],
      ['FED313', 'a Service that another export has locked', ({ copy }) => copy.lockWorkload({ reason: REASON, podLabels: { app: 'ledger' } })],
    ],
  },
  {
    call: 'FederatedMesh.restrictNamespace',
    valid: ({ east }) => east.restrictNamespace('finance', { reason: REASON }),
    rows: [
      ['FED111', 'a namespace in capitals', ({ east }) => east.restrictNamespace('Finance', { reason: REASON })],
      ['FED114', 'an empty reason', ({ east }) => east.restrictNamespace('finance', { reason: '' })],
      ['FED118', 'the namespace of the boundary', ({ east }) => east.restrictNamespace('istio-federation', { reason: REASON })],
      ['FED120', 'an unknown option', ({ east }) => east.restrictNamespace('finance', any({ reason: REASON, hosts: [] }))],
      ['FED121', 'a namespace that is already restricted', ({ east }) => east.restrictNamespace('vault', { reason: REASON })],
      ['FED122', 'an allowed host without a namespace', ({ east }) => east.restrictNamespace('finance', { reason: REASON, allowedHosts: ['api.example'] })],
    ],
  },
  {
    call: 'FederatedMesh.bind',
    valid: bothDirections,
    rows: [
      ['FED123', 'the id of another binding', ({ east }) => east.bind('Bound', cards(coreWith()))],
      ['FED107', 'a source without an endpoint', ({ east }) => east.bind('Cards', cards(coreWith({ endpoints: [] })))],
      ['FED110', 'another peer with the name of a known peer', ({ east }) => east.bind('Cards', cards(coreWith({ meshName: 'west' })))],
      ['FED110', 'a peer whose SNIs for us are those of another peer', ({ east }) => east.bind('Cards', cards(coreWith({
        trustDomain: 'bank.example',
        trustBundle: trustOf('bank'),
        ingressIdentity: SpiffeId.parse('spiffe://bank.example/ns/dmz/sa/in'),
        egressIdentity: SpiffeId.parse('spiffe://bank.example/ns/dmz/sa/out'),
      })))],
      ['FED115', 'a date that does not exist', bindingTo({ reviewBy: '2027-02-30' })],
      ['FED118', 'a local name in the namespace of the boundary', bindingTo({ localName: LocalName.newService('cards', 'istio-federation') })],
      ['FED120', 'an unknown option', bindingTo({ hosts: [] })],
      ['FED137', 'a source without an ingress identity', ({ east }) => east.bind('Cards', cards(coreWith({ ingressIdentity: undefined })))],
      ['FED301', 'a source with the SNI of another export', ({ east, core }) => east.bind('Cards', {
        source: Object.assign(new Construct(new App(), 'Odd'), {
          mesh: core, exportName: 'cards', ports: [ServicePort.http(443)], sniFor: () => 'p443.loans.east.fed.core.example',
        }) as never,
        localName: LocalName.newService('cards', 'web'),
      })],
      ['FED401', 'a local name that is already bound', bindingTo({ localName: LocalName.existingService('bound', 'web') })],
      ['FED401', 'a local name that is already bound, with an additional host', bindingTo({ localName: LocalName.newService('fresh', 'web'), additionalHosts: ['cards.core.example'] })],
      ['FED402', 'the name of the API server', bindingTo({ localName: LocalName.newService('kubernetes', 'default') })],
      ['FED404', 'a port mapping to a port that is not exported', bindingTo({ portMappings: [{ localPort: 80, exportPort: 80 }] })],
      ['FED407', 'an export of our own mesh', ({ east, reviews }) => east.bind('Cards', { source: reviews, localName: LocalName.newService('cards', 'web') })],
      ['FED409', 'a function instead of a header value', bindingTo({ whenHeaders: { 'x-tester': any(() => 'yes') } })],
      ['FED412', 'a list of additional hosts with one of the cluster domain', bindingTo({ additionalHosts: ['cards.core.example', 'a.web.svc.cluster.local'] })],
    ],
  },
  {
    call: 'new RemoteServiceBinding',
    valid: bothDirections,
    rows: [
      ['FED112', 'a binding in the chart of another mesh', ({ east, west }) =>
        new RemoteServiceBinding(Chart.of(west), 'Cards', { mesh: east, ...cards(coreWith()) })],
      ['FED123', 'the id of another construct', ({ east }) => new RemoteServiceBinding(Chart.of(east), 'Mesh', { mesh: east, ...cards(coreWith()) })],
      ['FED120', 'a binding without a mesh', ({ east }) => new RemoteServiceBinding(Chart.of(east), 'Cards', any(cards(coreWith())))],
    ],
  },
  {
    call: 'RemoteServiceBinding.allowFrom',
    valid: ({ fresh, account }) => fresh.allowFrom(page, Caller.fromConstruct(account)),
    rows: [
      ['FED112', 'a list with a caller in the chart of another mesh', ({ fresh, account, accountOfWest }) =>
        fresh.allowFrom(Caller.fromConstruct(account), Caller.fromConstruct(accountOfWest))],
      ['FED118', 'a list with a gateway of the boundary', ({ fresh }) => fresh.allowFrom(page, Caller.serviceAccount('federation-egress', 'istio-federation'))],
      ['FED118', 'a caller in an unclaimed chart and one in the boundary namespace', ({ fresh, account }) =>
        fresh.allowFrom(Caller.fromConstruct(account), Caller.serviceAccount('a', 'istio-federation')), undefined, callingFromWest],
      ['FED120', 'a list with a string instead of a caller', ({ fresh }) => fresh.allowFrom(page, any('page'))],
    ],
  },
  {
    call: 'RemoteServiceBinding.addSource',
    valid: ({ east, binding, core }) => {
      east.addPeer(core);
      binding.addSource(core.exposedService('cards'), { portMappings: [{ localPort: 9443, exportPort: 443 }] });
    },
    rows: [
      ['FED110', 'another peer with the name of a known peer', ({ binding }) => binding.addSource(coreWith({ meshName: 'west' }).exposedService('cards'))],
      ['FED120', 'an unknown option', ({ binding }) => binding.addSource(coreWith().exposedService('cards'), any({ portMapping: [] }))],
      ['FED137', 'a source without an ingress identity', ({ binding }) => binding.addSource(coreWith({ ingressIdentity: undefined }).exposedService('cards'))],
      ['FED404', 'a list with a port mapping to a port that is not exported', ({ binding }) =>
        binding.addSource(coreWith().exposedService('cards'), { portMappings: [{ localPort: 9443, exportPort: 443 }, { localPort: 80, exportPort: 80 }] })],
      ['FED409', 'a negative weight', ({ binding }) => binding.addSource(coreWith().exposedService('cards'), { weight: -1 })],
    ],
  },
  {
    call: 'RemoteServiceBinding.addLocalSource',
    valid: ({ binding }) => binding.addLocalSource(),
    rows: [
      ['FED120', 'an unknown option', ({ binding }) => binding.addLocalSource(any({ wieght: 1 }))],
      ['FED409', 'the weight NaN', ({ binding }) => binding.addLocalSource({ weight: NaN })],
      ['FED411', 'a local source for a new local name', ({ fresh }) => fresh.addLocalSource()],
    ],
  },
];

const states = new Map<string, unknown>();
/** The state of a program after this call, or without a call. The same program is run once. */
function stateAfter(props: Partial<FederatedMeshProps>, key: string, call?: Call): unknown {
  if (!states.has(key)) {
    const made = program(props);
    call?.(made);
    states.set(key, stateOf(made));
  }
  return states.get(key);
}

describe.each(METHODS)('Errors of $call', ({ call, valid: usual, rows }) => {
  const named = rows.map(([code, title, rejected, props = () => ({}), valid = usual]) => ({ call, code, title, rejected, props, valid }));

  test.each(named)('$call rejects $title with $code, and leaves no trace', ({ code, title, rejected, props, valid }) => {
    const given = props();
    const kind = Object.keys(given).join();
    const made = program(given);
    const error = errorOf(() => rejected(made));
    expect([error.message.slice(0, 6), callOf(error)]).toEqual([code, call]);
    expect(stateOf(made)).toEqual(stateAfter(given, kind));
    valid(made);
    const expected = stateAfter(given, valid === usual ? `${kind} ${call}` : `${kind} ${call} ${title}`, valid);
    expect(stateOf(made)).toEqual(expected);
    expect(expected).not.toEqual(stateAfter(given, kind));
    expect(expected).toHaveProperty('errors', []);
  });
});

test.each(METHODS)('$call writes the same objects when children of the program have the ids of all of them', ({ valid, call }) => {
  const [usual, made] = [program(), program()];
  valid(usual);
  const taken = takeIds(made, usual);
  valid(made);
  expect(writtenBy(made)).toEqual(writtenBy(usual));
  expect(taken.length > 0).toBe(call !== 'RemoteServiceBinding.addLocalSource');
});

test.each<[string, Construct['node']['id'], Call]>([
  ['an export', 'Stock', exposing({})],
  ['a binding', 'Cards', ({ east, core }) => east.bind('Cards', cards(core))],
])('%s with the id of another construct is rejected and leaves no trace', (_, id, call) => {
  const [alone, made] = [program(), program()];
  for (const { east } of [alone, made]) new Construct(east, id);
  expect(errorOf(() => call(made)).message).toMatch(/^FED123 /);
  expect(stateOf(made)).toEqual(stateOf(alone));
});

test('the rows cover every code that one of these calls throws at once', () => {
  const tested = new Set(METHODS.flatMap(({ call, rows }) => rows.map(([code]) => `${code} ${call}`)));
  const listed = new Set(Object.values(REJECTIONS).flat().filter(({ call }) => call !== SYNTHESIS && METHODS.some((method) => method.call === call))
    .map(({ code, call }) => `${code} ${call}`));
  expect([...listed].filter((one) => !tested.has(one))).toEqual([]);
});
