import { ApiObject, App, Chart } from 'cdk8s';
import {
  Caller, ExposedService, FederatedMesh, FederatedMeshProps, LocalName, LocalService, RemoteMesh, RemoteMeshProps, RemoteServiceBinding, ServicePort,
  SpiffeId,
} from '../src';
import { find } from './support/manifests';
import { meshOf, trustOf } from './support/meshes';
import { bankWith } from './support/pair';
import { errorOf } from './support/rejections';

/*
 * Two boundaries of one mesh: what one of them declares about the whole mesh also counts for the other one, in any order of the calls.
 */

const REASON = 'agreed with the security team';

interface Made { readonly app: App; readonly first: FederatedMesh; readonly second: FederatedMesh }
type Step = (made: Made) => unknown;

/** Two boundaries of east, the second one with these props, and the steps in this order. */
function boundaries(steps: Step[], props: Partial<FederatedMeshProps> = {}) {
  const app = new App();
  const first = meshOf(app, 'east');
  const second = new FederatedMesh(new Chart(app, 'second'), 'Mesh', {
    meshName: 'east', trustDomain: 'east.example', trustBundle: trustOf('east'), namespaceName: 'partners', ...props,
  });
  const made = { app, first, second };
  steps.forEach((step) => step(made));
  return made;
}

/** Both orders of two steps. */
const orders = (a: Step, b: Step): Step[][] => [[a, b], [b, a]];
const codesOf = (app: App): string[] => errorOf(() => app.synthYaml()).message.match(/FED\d{3} \S+:/g) ?? [];
/** The code of a program that one of its calls rejects. */
const codeOf = (run: () => unknown) => errorOf(run).message.slice(0, 6);

const bindingTo = (bank: RemoteMesh, mesh: FederatedMesh, scope = Chart.of(mesh)) => new RemoteServiceBinding(scope, 'Cards', {
  mesh, source: bank.exposedService('cards'), localName: LocalName.newService('cards', 'web'), additionalHosts: ['cards.bank.example'],
});

test('a restricted namespace reaches the additional hosts of both boundaries, in any order', () => {
  const bank = bankWith({ knownAs: 'east' });
  const restrict = ({ first }: Made) => first.restrictNamespace('finance', { reason: REASON });
  const bind = ({ second }: Made) => {
    second.addPeer(bank);
    bindingTo(bank, second).allowFrom(Caller.serviceAccount('page', 'finance'));
  };
  for (const steps of orders(restrict, bind)) {
    const { first, app } = boundaries(steps);
    expect(codesOf(app)).toEqual([]);
    expect(find(Chart.of(first).toJson(), 'Sidecar', 'fed-restricted-finance').spec.egress)
      .toEqual([{ hosts: ['*/*.svc.cluster.local', 'web/cards.bank.example'] }]);
  }
});

test('a restricted namespace cannot be allowed the gateway of a peer of the other boundary, in any order', () => {
  const restrict = ({ first }: Made) => first.restrictNamespace('finance', { reason: REASON, allowedHosts: ['*/fed.bank.example'] });
  const add = ({ second }: Made) => second.addPeer(bankWith());
  for (const steps of orders(restrict, add)) expect(codesOf(boundaries(steps).app)).toEqual(['FED122 east/Mesh:']);
});

test('a namespace cannot be restricted by both boundaries, in any order', () => {
  const restrict = (which: 'first' | 'second') => (made: Made) => made[which].restrictNamespace('finance', { reason: REASON });
  for (const steps of orders(restrict('first'), restrict('second'))) expect(codeOf(() => boundaries(steps))).toBe('FED121');
});

test('a peer that one boundary isolates must be isolated by the other one, in any order', () => {
  const bank = bankWith();
  const isolate = ({ first }: Made) => first.addPeer(bank, { isolated: { reason: REASON } });
  const serve = ({ second }: Made) => second.addPeer(bank);
  const isolateToo = ({ second }: Made) => second.addPeer(bank, { isolated: { reason: REASON } });
  for (const steps of orders(isolate, serve)) expect(codesOf(boundaries(steps).app)).toEqual(['FED148 east/Mesh:']);
  for (const steps of orders(isolate, isolateToo)) expect(codesOf(boundaries(steps).app)).toEqual([]);
});

const identity = (account: string) => SpiffeId.parse(`spiffe://bank.example/ns/dmz/sa/${account}`);
type Identities = Pick<RemoteMeshProps, 'ingressIdentity' | 'egressIdentity'>;
const [IN, OUT] = [identity('in'), identity('out')];
const both = { ingressIdentity: IN, egressIdentity: OUT };
const FED148 = ['FED148 east/Mesh:'];

test.each<[string, Identities, Identities, string[]]>([
  ['has the same egress identity', { egressIdentity: OUT }, { egressIdentity: OUT }, FED148],
  ['has the same ingress identity, and another egress identity', both, { ingressIdentity: IN, egressIdentity: identity('other') }, FED148],
  ['has the ingress identity as its egress identity', { ingressIdentity: IN }, { egressIdentity: IN }, FED148],
  ['has only the egress identity, of which the other has only the ingress identity', { ingressIdentity: IN }, { egressIdentity: OUT }, FED148],
  ['has both identities, of which the other has none', {}, both, FED148],
  ['has no identities', both, {}, FED148],
  ['has no identities, as the other one', {}, {}, FED148],
  ['has another egress identity, and no ingress identity', both, { egressIdentity: identity('other') }, []],
  ['has two other identities', both, { ingressIdentity: identity('in-2'), egressIdentity: identity('out-2') }, []],
])('a peer of the trust domain of an isolated peer, which %s, is the same peer or not in another boundary and in the same one', (_, isolated, served, errors) => {
  const peerWith = (meshName: string, identities: Identities) =>
    bankWith({ meshName, ingressIdentity: undefined, egressIdentity: undefined, exposedServices: [], ...identities });
  const isolate = ({ first }: Made) => first.addPeer(peerWith('bank', isolated), { isolated: { reason: REASON } });
  for (const which of ['first', 'second'] as const) {
    const serve = (meshName: string) => (made: Made) => made[which].addPeer(peerWith(meshName, served));
    for (const steps of orders(isolate, serve('other'))) expect(codesOf(boundaries(steps).app)).toEqual(errors);
    if (which === 'second') for (const steps of orders(isolate, serve('bank'))) expect(codesOf(boundaries(steps).app)).toEqual(errors);
  }
});

test('one construct without identities is the same peer in both boundaries', () => {
  const bank = bankWith({ ingressIdentity: undefined, egressIdentity: undefined, exposedServices: [] });
  const steps = [({ first }: Made) => first.addPeer(bank, { isolated: { reason: REASON } }), ({ second }: Made) => second.addPeer(bank)];
  expect(codesOf(boundaries(steps).app)).toEqual(FED148);
  expect(codesOf(boundaries([steps[0], ({ second }) => second.addPeer(bank, { isolated: { reason: REASON } })]).app)).toEqual([]);
});

test('a peer of another trust domain is served while one is isolated', () => {
  const core = bankWith({ meshName: 'core', trustDomain: 'core.example', trustBundle: trustOf('core'), ingressIdentity: undefined, egressIdentity: undefined, exposedServices: [] });
  const isolate = ({ first }: Made) => first.addPeer(bankWith(), { isolated: { reason: REASON } });
  const serve = ({ first, second }: Made) => [first, second].forEach((mesh) => mesh.addPeer(core));
  expect(codesOf(boundaries([isolate, serve]).app)).toEqual([]);
});

test('the root namespace of one boundary contains no application of the other one, in any order', () => {
  const app = new App();
  const first = meshOf(app, 'east');
  const expose = () => first.expose('Own', { service: LocalService.fromName('own', 'istio-root'), exportName: 'own', ports: [ServicePort.http(80)] });
  const second = () => new FederatedMesh(new Chart(app, 'second'), 'Mesh', {
    meshName: 'east', trustDomain: 'east.example', trustBundle: trustOf('east'), namespaceName: 'partners', rootNamespaceName: 'istio-root',
  });
  expose();
  expect(codeOf(second)).toBe('FED118');
  expect(codeOf(() => boundaries([({ first: one }) => one.expose('Own', {
    service: LocalService.fromName('own', 'istio-root'), exportName: 'own', ports: [ServicePort.http(80)],
  })], { rootNamespaceName: 'istio-root' }))).toBe('FED118');
});

test('a local name cannot be bound by both boundaries, in any order', () => {
  const bank = bankWith();
  const bind = (which: 'first' | 'second') => (made: Made) => bindingTo(bank, made[which]);
  for (const steps of orders(bind('first'), bind('second'))) expect(codeOf(() => boundaries(steps))).toBe('FED401');
});

test('a local name cannot be an export of the other boundary, in any order', () => {
  const bank = bankWith({ knownAs: 'east' });
  const bind = ({ first }: Made) => {
    first.addPeer(bank);
    bindingTo(bank, first);
  };
  const expose = ({ second }: Made) => new ExposedService(second, 'Own', {
    mesh: second, service: LocalService.fromName('cards', 'web'), exportName: 'own', ports: [ServicePort.http(80)],
  });
  const endpoints = [{ address: 'partners.east.example' }];
  for (const steps of orders(bind, expose)) {
    expect(codesOf(boundaries(steps, { endpoints }).app)).toEqual(['FED402 east/Cards:']);
  }
});

test('an additional host cannot be among the SNIs of a peer of the other boundary, in any order', () => {
  const bank = bankWith({ knownAs: 'east' });
  const core = bankWith({ meshName: 'core', trustDomain: 'core.example', trustBundle: trustOf('core'), ingressIdentity: SpiffeId.parse('spiffe://core.example/ns/a/sa/b'), egressIdentity: undefined, knownAs: 'east' });
  const bind = ({ first }: Made) => {
    first.addPeer(core);
    first.bind('Core', { source: core.exposedService('cards'), localName: LocalName.newService('core', 'web'), additionalHosts: ['x.east.fed.bank.example'] });
  };
  const other = ({ second }: Made) => {
    second.addPeer(bank);
    bindingTo(bank, second);
  };
  for (const steps of orders(bind, other)) {
    expect(codesOf(boundaries(steps).app)).toEqual(['FED412 east/Mesh/Core:']);
  }
});

test('a workload cannot be locked by both boundaries, and a lock admits the ingress gateways of both, in any order', () => {
  const expose = (mesh: FederatedMesh, lock: boolean) => {
    const exported = mesh.expose('Own', { service: LocalService.fromName('own', 'apps'), exportName: 'own', ports: [ServicePort.http(80)] });
    if (lock) exported.lockWorkload({ reason: REASON, podLabels: { app: 'own' } });
  };
  for (const steps of orders(
    ({ first }) => expose(first, true), ({ second }) => expose(second, false),
  )) {
    const { first } = boundaries(steps, { endpoints: [{ address: 'partners.east.example' }] });
    const lock = Chart.of(first).node.findAll().filter(ApiObject.isApiObject).find(({ name, kind }) => kind === 'AuthorizationPolicy' && name.startsWith('fed-lock'));
    expect(JSON.stringify(lock?.toJson())).toContain('ns/partners/sa/federation-ingress');
  }
  expect(codeOf(() => boundaries([({ first }) => expose(first, true), ({ second }) => expose(second, true)]))).toBe('FED313');
});

test('both admission policies leave the namespaces of both boundaries out', () => {
  const expose = (mesh: FederatedMesh) => mesh.expose('Own', { service: LocalService.fromName('own', 'apps'), exportName: 'own', ports: [ServicePort.http(80)] });
  const { first, second } = boundaries([({ first: one }) => expose(one), ({ second: other }) => expose(other)],
    { endpoints: [{ address: 'partners.east.example' }] });
  for (const mesh of [first, second]) {
    const policies = Chart.of(mesh).toJson().filter(({ kind }) => kind === 'ValidatingAdmissionPolicy');
    expect(policies).toHaveLength(1);
    for (const name of ['istio-federation', 'partners']) expect(JSON.stringify(policies)).toContain(`'${name}'`);
  }
});
