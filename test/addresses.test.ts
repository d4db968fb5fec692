import { App } from 'cdk8s';
import { BoundaryGateway, Caller, LocalName, LocalService, ServicePort } from '../src';
import { find, objectsOf } from './support/manifests';
import { meshOf } from './support/meshes';
import { bankWith, pair } from './support/pair';
import { amountOf, isQuantity } from '../src/model/quantity';

/*
 * Addresses, CIDR ranges and quantities that are accepted. What is rejected: test/errors/mesh.ts, gateway.ts and bind.ts.
 */

test.each([
  // Documentation ranges are no addresses of anybody, so examples and tests can use them.
  '192.0.2.1', '198.51.100.1', '203.0.113.5', '2001:db8::1', '1.1.1.1', '9.255.255.255', '11.0.0.0', '100.63.255.255', '100.128.0.0', '172.15.0.1', '172.32.0.1',
  '192.0.1.0', '192.88.98.1', '192.88.100.1', '192.167.0.1', '192.169.0.1', '198.17.255.255', '198.20.0.1', '223.255.255.255', '2606:4700::1111', '2002:cb00:7105::1', '64:ff9b::203.0.113.5',
  '2001:4860:4860::8888', '2a00::1', 'federation.east.example', 'xn--bcher-kva.example', 'a.b', '1a.example', '0x7f.example', '10.0.0.1.nip.example',
  // What counts is the address that a name resolves to.
  '203-0-113-5.0123456789abcdef.plex.direct', '203.0.113.5.backname.io', 'notlocalho.st',
  // Peers of one tailnet reach each other.
  'federation.tail1234.ts.net',
  '203.0.113.5.nip.io', 'app-203-0-113-5.sslip.io', 'cb007105.nip.io', '2a01-4f8-c17-b8f--2.sslip.io', 'www.nip.io', 'notnip.io', '10.0.0.1.notnip.io', 'mylvh.me',
  'federation.latest', 'federation.test.example', 'test.dev', 'onion.example', 'consul.east.example', 'federation.prod', 'x.federation.istio-system.example',
  'public-1.eu-west-1.elb.amazonaws.com', 'a1b2.elb.eu-west-1.amazonaws.com', 'a.privatelink.example', 'metadata.google.com', 'internal.example',
])('an endpoint can have the public address %s', (address) => {
  expect(meshOf(new App(), 'east', { endpoints: [{ address }] }).endpoints).toEqual([{ address }]);
});

test('a peer can have an endpoint below a name that only resembles the domain of our cluster', () => {
  const east = meshOf(new App(), 'east', { clusterDomain: 'k8s.east.example' });
  for (const address of ['notk8s.east.example', 'k8s.east.example.com', 'federation.east.example']) {
    expect(() => east.addPeer(bankWith({ meshName: address.replaceAll('.', '-'), endpoints: [{ address }] }))).not.toThrow(/^FED10[45] /);
  }
});

test.each([
  'ratings.bookinfo.svc.bank-imports.local', 'ratings.bookinfo.svc.cluster.east', 'reviews.default.svc.other.example', 'notcluster.local.example', 'vault.svc.example',
  'bank.example', 'example.com', 'acquirer.de', 'acquirer.co.uk', 'www.acquirer.bank', 'api.payments.prod', 'vault.acme.corp', 'vault.acme.internal', 'www.foo.dev', 'www.payments.qa', 'acquirer.io', 'acquirer.ai', 'xn--bcher-kva.example', 'shop.xn--p1ai', 'east.example',
])('the additional host %s is accepted, because it is not in the domain of our cluster', (host) => {
  const { app, west, reviews } = pair();
  reviews.allowFrom(west);
  west.bind('Reviews', { source: reviews, localName: LocalName.newService('ratings', 'shop'), additionalHosts: [host] }).allowFrom(Caller.serviceAccount('page', 'shop'));
  expect(find(objectsOf(app), 'VirtualService', 'fed-name-ratings-shop').spec.hosts).toContain(host);
});

test('an additional host below any top-level domain is accepted if an endpoint of the peer is below it', () => {
  const { west } = pair();
  const bank = bankWith({ knownAs: 'west', endpoints: [{ address: 'federation.acquirer.bank' }] });
  const bind = (host: string) => () => west.bind(host, { source: bank.exposedService('cards'), localName: LocalName.newService(host.split('.')[0], 'shop'), additionalHosts: [host] });
  expect(bind('acquirer.bank')).not.toThrow();
  expect(bind('other.bank')).toThrow(/^FED412 /);
  const internal = bankWith({ meshName: 'ci', knownAs: 'west-ci', endpoints: [{ address: 'federation.banque.ci' }] });
  expect(() => west.bind('Ci', { source: internal.exposedService('cards'), localName: LocalName.newService('ci', 'shop'), additionalHosts: ['banque.ci'] })).not.toThrow();
});

test('a pod of a headless Service in a namespace of the boundary is no additional host, unless an endpoint of the peer is below its domain', () => {
  const { app } = pair();
  const mesh = meshOf(app, 'north', { namespaceName: 'bank' });
  const bind = (id: string, address: string) => () => mesh.bind(id, {
    source: bankWith({ knownAs: 'north', endpoints: [{ address }] }).exposedService('cards'), localName: LocalName.newService('cards', 'web'), additionalHosts: ['www.acquirer.bank'],
  });
  expect(bind('One', 'federation.partner.example')).toThrow(/^FED412 .* "www.acquirer.bank" is a pod of the Service "acquirer" of the boundary → choose a host outside of the cluster$/);
  expect(bind('Two', 'federation.acquirer.bank')).not.toThrow();
});

test('names of the default cluster domain are ordinary names in a cluster with another domain', () => {
  const app = new App();
  const [east, west] = [meshOf(app, 'east'), meshOf(app, 'west', { clusterDomain: 'corp.internal' })];
  east.addPeer(west);
  west.addPeer(east);
  const bank = bankWith({ knownAs: 'west' });
  west.addPeer(bank);
  const bind = (host: string) => west.bind(host.replaceAll('.', '-'), { source: bank.exposedService('cards'), localName: LocalName.newService('ratings', 'shop'), additionalHosts: [host] });
  expect(() => bind('cards.bank.svc.corp.internal')).toThrow(/^FED412 .* is in the domain "corp.internal" of our cluster → .*LocalName.newService\("cards", "bank"\)/);
  expect(() => bind('cards.bank.svc.cluster.local')).not.toThrow();
});

test.each(['203.0.113.0/28', '0.0.0.0/0', '203.0.113.7/32', '2001:db8::/32', '::/0', '2001:DB8::1/128', '2001:db8:0:0::/64', '64:ff9b::203.0.113.0/120', '10.0.0.0/8'])('the source range %s is accepted', (range) => {
  expect(BoundaryGateway.dedicated({ sourceRanges: [range] })._options.sourceRanges).toEqual([range]);
});

test.each([
  ['100m', 0.1], ['2', 2], ['+2', 2], ['1.', 1], ['.5', 0.5], ['1.5', 1.5], ['1e3', 1000], ['1E3', 1000], ['1E', 1e18], ['12e-1', 1.2], ['250000u', 0.25], ['1000000n', 0.001],
  ['1k', 1000], ['1Ki', 1024], ['1.5Gi', 1.5 * 1024 ** 3], ['1M', 1e6], ['1T', 1e12], ['1P', 1e15], ['2Ei', 2 * 1024 ** 6],
])('the quantity %s is read as Kubernetes reads it', (text, amount) => {
  expect([isQuantity(text), amountOf(text)]).toEqual([true, amount]);
});

test('quantities with exponents and without units reach the pods as they are written', () => {
  const app = new App();
  const east = meshOf(app, 'east', { ingressGateway: BoundaryGateway.dedicated({ cpuRequest: '.5', cpuLimit: '12e-1', memoryRequest: '268435456', memoryLimit: '1.5Gi' }) });
  east.expose('Own', { service: LocalService.fromName('own', 'shop'), exportName: 'own', ports: [ServicePort.http(80)] });
  expect(find(objectsOf(app), 'Deployment', 'federation-ingress').spec.template.spec.containers[0].resources)
    .toEqual({ requests: { cpu: '.5', memory: '268435456' }, limits: { cpu: '12e-1', memory: '1.5Gi' } });
});
