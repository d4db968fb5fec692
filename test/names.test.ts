import { createHash } from 'crypto';
import { App, Chart } from 'cdk8s';
import { Construct } from 'constructs';
import fc from 'fast-check';
import { parametersOf } from './support/random';
import {
  BindingParts, bindingHostOf, bindingObjectName, callerObjectName, exportObjectName, gatewayLabel, serviceObjectName, singleObjectName,
  sniOf,
} from '../src/model/names';
import { emitWithKindId, idIn, setMesh } from '../src/render/emit';
import { renderNamespace } from '../src/render/trust';

/*
 * No two objects, listeners or hosts have the same name.
 */

const LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const parameters = parametersOf(3000);

/** Parts of names, many of which are ambiguous when they are joined. */
const part = fc.oneof(
  fc.array(fc.constantFrom('a', 'b', '80', 'guard', 'isolated', 'deadbeef'), { minLength: 1, maxLength: 4 }).map((words) => words.join('-')),
  fc.constant('x'.repeat(63)),
);
const exportName = fc.oneof(part, fc.array(part, { minLength: 2, maxLength: 2 }).map((labels) => labels.join('.')));
const port = fc.constantFrom(80, 8080);

/** A port of a local name with the peer of its export; `variant` is another export of the same peer. */
const binding: fc.Arbitrary<BindingParts> = fc.record({
  serviceName: part,
  localPort: port,
  namespaceName: part,
  peerName: part,
  variant: fc.option(fc.tuple(part, port).map(([name, number]) => `${name}-${number}`), { nil: undefined }),
});

function meaningOf({ serviceName, localPort, namespaceName, peerName, variant = '' }: BindingParts): (string | number)[] {
  return [serviceName, localPort, namespaceName, peerName, variant];
}

/** Names from all functions that name objects of one kind in one namespace. */
const policy = fc.oneof(
  fc.tuple(fc.constantFrom('fed-in-guard', 'fed-in-peer', 'fed-in-isolated', 'fed-out-isolated'), part).map(([prefix, peer]) =>
    [singleObjectName(prefix, peer), prefix, peer]),
  binding.map((parts) => [bindingObjectName('fed-out-guard', parts), 'out-guard', ...meaningOf(parts)]),
  fc.constantFrom('fed-in-default-deny', 'fed-in-guard', 'fed-out-default-deny', 'fed-out-guard', 'fed-out-mesh').map((name) => [name, name]),
);
const filter = fc.oneof(
  fc.constantFrom('fed-in-edge', 'fed-out-edge', 'fed-in-connect-after-tls', 'fed-out-connect-after-tls', 'fed-in-jwt-elsewhere').map((name) => [name, name]),
  part.map((peer) => [singleObjectName('fed-in-limits', peer), 'limits', peer]),
  fc.tuple(exportName, port, part).map(([name, number, peer]) => [exportObjectName('fed-in-idle', name, number, peer), 'idle', name, number, peer]),
);

function expectUnique(named: fc.Arbitrary<(string | number)[]>): void {
  const meanings = new Map<string, string>();
  fc.assert(fc.property(named, ([name, ...meaning]) => {
    const first = meanings.get(String(name)) ?? JSON.stringify(meaning);
    meanings.set(String(name), first);
    return LABEL.test(String(name)) && first === JSON.stringify(meaning);
  }), parameters);
}

test('no two AuthorizationPolicies have the same name', () => expectUnique(policy));

test('no two EnvoyFilters have the same name', () => expectUnique(filter));

test('no two TLS servers of an ingress gateway have the same name', () => {
  expectUnique(fc.tuple(exportName, port, part).map(([name, number, peer]) => [exportObjectName('', name, number, peer), name, number, peer]));
});

test('no two subsets of a DestinationRule have the same name', () => {
  expectUnique(binding.map((parts) => [bindingObjectName('', parts), ...meaningOf(parts)]));
});

test('no two listeners of the egress gateway have the same host', () => {
  const host = (parts: BindingParts) => bindingHostOf(parts, 'shop.example').replace(/^(.*)\.egress\.fed\.shop\.example$/, '$1').replaceAll('.', '--');
  expectUnique(binding.filter((parts) => host(parts).length <= 63).map((parts) => [host(parts), ...meaningOf(parts)]));
});

test('no two peers have the same object name', () => {
  expectUnique(part.map((name) => [singleObjectName('fed-in', name), name]));
});

test('no two DestinationRules for callers or for peers have the same name, in any namespace', () => {
  expectUnique(fc.oneof(
    fc.tuple(binding, part).map(([parts, caller]) => [callerObjectName(parts, caller), 'call', ...meaningOf(parts), caller]),
    binding.map((parts) => [bindingObjectName('fed-any', parts), 'any', ...meaningOf(parts)]),
    fc.tuple(exportName, port, part).map(([name, number, peer]) => [exportObjectName('fed-out', name, number, peer), 'out', name, number, peer]),
  ));
});

test('no two VirtualServices have the same name, in any namespace', () => {
  expectUnique(fc.oneof(
    fc.tuple(part, part).map(([name, namespace]) => [serviceObjectName('fed-name', name, namespace), 'name', name, namespace]),
    binding.map((parts) => [bindingObjectName('fed-out', parts), 'out', ...meaningOf(parts)]),
    fc.tuple(exportName, port, part).map(([name, number, peer]) => [exportObjectName('fed-in', name, number, peer), 'in', name, number, peer]),
  ));
});

test('names of unambiguous parts are the parts joined by dashes', () => {
  expect(exportObjectName('fed-in', 'reviews', 9080, 'west')).toBe('fed-in-reviews-9080-west');
  expect(exportObjectName('fed-in', 'card-auth', 443, 'acme-bank')).toBe('fed-in-card-auth-443-acme-bank');
  expect(bindingObjectName('fed-out', { serviceName: 'reviews', localPort: 9080, namespaceName: 'team-a', peerName: 'east', variant: undefined })).toBe('fed-out-reviews-9080-team-a-east');
  expect(callerObjectName({ serviceName: 'reviews', localPort: 9080, namespaceName: 'default', peerName: 'east', variant: undefined }, 'shop')).toBe('fed-call-reviews-9080-default-east-shop');
  expect(serviceObjectName('fed-name', 'card-auth', 'shop')).toBe('fed-name-card-auth-shop');
  expect(singleObjectName('fed-in', 'acme-bank')).toBe('fed-in-acme-bank');
  expect(gatewayLabel('istio-federation', 'ingress')).toBe('istio-federation-ingress');
});

test('an ambiguous name has a hash of its parts, independent of other declarations', () => {
  const digest = createHash('sha256').update(JSON.stringify(['fed-in', 'withdrawals.v1', '443', 'shop'])).digest('hex').slice(0, 8);
  expect(exportObjectName('fed-in', 'withdrawals.v1', 443, 'shop')).toBe(`fed-in-withdrawals-v1-443-shop-${digest}`);
  expect(exportObjectName('fed-in', 'guard-reviews', 80, 'west')).toMatch(/^fed-in-guard-reviews-80-west-[0-9a-f]{8}$/);
  expect(bindingObjectName('fed-out', { serviceName: 'a', localPort: 80, namespaceName: 'b', peerName: 'c-d', variant: undefined })).toMatch(/^fed-out-a-80-b-c-d-[0-9a-f]{8}$/);
});

test('a name that is too long is shortened and has a hash', () => {
  const [one, other] = ['x', 'y'].map((end) => exportObjectName('fed-in', `${'n'.repeat(62)}${end}`, 80, 'west'));
  expect(one).not.toBe(other);
  expect(one).toHaveLength(63);
});

test('an SNI and the host of a binding consist of the port, the names and the trust domain', () => {
  expect(sniOf('withdrawals.v1', 443, 'shop', 'bank.example')).toBe('p443.withdrawals.v1.shop.fed.bank.example');
  expect(bindingHostOf({ serviceName: 'debit', namespaceName: 'finance', localPort: 80, peerName: 'bank', variant: undefined }, 'shop.example')).toBe('p80.debit.finance.bank.egress.fed.shop.example');
});

test('a construct id that a child of the program has is numbered, and one that an object of ours has is an error', () => {
  const chart = new Chart(new App(), 'east');
  setMesh(chart, 'east');
  expect(idIn(chart, 'Namespace', { name: 'a' })).toBe('Namespace.a');
  for (const id of ['Namespace.a', 'Namespace.a2', 'Sidecar', 'Sidecar3']) new Construct(chart, id);
  expect(renderNamespace(chart, { namespaceLabels: {} }, 'a').node.id).toBe('Namespace.a3');
  const sidecars = ['a', 'b'].map((name) => emitWithKindId(chart, { apiVersion: 'networking.istio.io/v1', kind: 'Sidecar' }, { name }, () => ({})));
  expect(sidecars.map(({ node }) => node.id)).toEqual(['Sidecar2', 'Sidecar4']);
  renderNamespace(chart, { namespaceLabels: {} }, 'b');
  expect(() => renderNamespace(chart, { namespaceLabels: {} }, 'b')).toThrow('There is already a Construct with name \'Namespace.b\'');
});
