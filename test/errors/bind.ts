import { ApiObject, App, Chart } from 'cdk8s';
import { Construct } from 'constructs';
import { BoundaryGateway, Caller, ExposedService, FederatedMesh, LocalName, LocalService, RemoteServiceBinding, ServicePort } from '../../src';
import { meshOf, trustOf } from '../support/meshes';
import { any, bankWith, objectOf, pair, remoteOf } from '../support/pair';
import { rejectFields, Rejection, rejectionsOf, SYNTHESIS } from '../support/rejections';

/** What is rejected: bindings, their sources and their callers. */
export const errors: Rejection[] = [];
const bind = rejectionsOf(errors, 'FederatedMesh.bind');
const newBinding = rejectionsOf(errors, 'new RemoteServiceBinding');
const addSource = rejectionsOf(errors, 'RemoteServiceBinding.addSource');
const addLocalSource = rejectionsOf(errors, 'RemoteServiceBinding.addLocalSource');
const allowCaller = rejectionsOf(errors, 'RemoteServiceBinding.allowFrom');
const synth = rejectionsOf(errors, SYNTHESIS);

bind.rejects('FED409', 'a function in place of a header value', () => {
  const { west, reviews } = pair();
  west.bind('Reviews', { source: reviews, localName: LocalName.newService('reviews', 'web'), whenHeaders: { 'x-tester': any(() => 'yes') } });
}, 'west/Mesh/Reviews', '"x-tester"');
bind.rejects('FED137', 'a source whose ingress identity is not set', () => {
  const source = bankWith({ ingressIdentity: undefined }).exposedService('cards');
  meshOf(new App(), 'shop').bind('Cards', { source, localName: LocalName.newService('cards', 'web') });
}, 'shop/Mesh/Cards', '"bank"', 'ingressIdentity');
bind.rejects('FED107', 'a binding to a mesh without an endpoint', () => {
  const bank = bankWith({ endpoints: [] });
  meshOf(new App(), 'east').bind('Cards', { source: bank.exposedService('cards'), localName: LocalName.newService('cards', 'web') });
}, 'east/Mesh/Cards', '"bank"');
bind.rejects('FED110', 'two boundaries of a peer with the same knownAs', () => {
  const app = new App();
  const east = meshOf(app, 'east');
  for (const meshName of ['bank-a', 'bank-b']) {
    const bank = bankWith({ meshName, exposedServices: [{ exportName: 'cards', ports: [ServicePort.http(443)] }] });
    east.bind(meshName, { source: bank.exposedService('cards'), localName: LocalName.newService(meshName, 'web') });
  }
}, 'east/Mesh/bank-b', '"bank-a"', '*.shop.fed.bank.example', 'knownAs');
newBinding.rejects('FED112', 'a binding in the chart of another mesh', () => {
  const { east, west, reviews } = pair();
  new RemoteServiceBinding(Chart.of(east), 'Bound', { mesh: west, source: reviews, localName: LocalName.newService('reviews', 'default') });
}, 'east/Bound');
newBinding.rejects('FED120', 'a binding without a mesh', () => {
  const { app, reviews } = pair();
  new RemoteServiceBinding(new Chart(app, 'apps'), 'Bound', any({ source: reviews, localName: LocalName.newService('reviews', 'default') }));
}, 'apps/Bound', 'mesh must be of type FederatedMesh, not undefined');
bind.rejects('FED120', 'the mesh of another boundary in the options of bind', () => {
  const { east, west, reviews } = pair();
  west.bind('Bound', any({ mesh: east, source: reviews, localName: LocalName.newService('reviews', 'default') }));
}, 'west/Mesh/Bound', 'unknown field "mesh" in the options of bind');
bind.rejects('FED120', 'a binding without options', () => pair().west.bind('Bound', any(null)), 'west/Mesh/Bound', 'must be an object, not null');
allowCaller.rejects('FED112', 'a caller from the chart of another mesh', () => {
  const { app, west, reviews } = pair();
  const chart = new Chart(app, 'apps', { namespace: 'default' });
  const account = new ApiObject(chart, 'Account', { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'client' } });
  const north = meshOf(app, 'north');
  for (const mesh of [west, north]) {
    mesh.bind('Reviews', { source: reviews, localName: LocalName.newService('reviews', 'default') }).allowFrom(Caller.fromConstruct(account));
  }
}, 'north/Mesh/Reviews', '"apps"', '"west"');
bind.rejects('FED118', 'a local name in the namespace of the boundary', () => {
  const { west, reviews } = pair();
  west.bind('Reviews', { source: reviews, localName: LocalName.newService('federation-egress', 'istio-federation') });
}, '"federation-egress"', 'the boundary');
allowCaller.rejects('FED118', 'our own boundary gateway as a caller', () => {
  const { west, reviews } = pair();
  west.bind('Reviews', { source: reviews, localName: LocalName.newService('reviews', 'default') })
    .allowFrom(Caller.serviceAccount('federation-ingress', 'istio-federation'));
}, '"federation-ingress"');
bind.rejects('FED118', 'the name of the cluster DNS as a local name', () => {
  const { west, reviews } = pair();
  west.bind('Dns', { source: reviews, localName: LocalName.newService('kube-dns', 'kube-system') });
}, 'belongs to Kubernetes');
allowCaller.rejects('FED118', 'a caller in the namespace of a boundary gateway', () => {
  const { app, reviews } = pair();
  const mesh = meshOf(app, 'north', { egressGateway: BoundaryGateway.dedicated({ namespaceName: 'dmz' }) });
  mesh.bind('Reviews', { source: reviews, localName: LocalName.newService('reviews', 'default') }).allowFrom(Caller.serviceAccount('a', 'dmz'));
}, '"dmz"', 'the boundary');
bind.rejects('FED120', 'a string in place of a local name', () => {
  const { west, reviews } = pair();
  west.bind('X', { source: reviews, localName: any('reviews') });
}, 'west/Mesh/X', 'LocalName');
allowCaller.rejects('FED120', 'a construct in place of a caller', () => {
  const { west, reviews } = pair();
  west.bind('X', { source: reviews, localName: LocalName.newService('x', 'web') }).allowFrom(any(objectOf('ServiceAccount', 'default')));
}, 'apps/Object', 'Caller');
bind.rejects('FED120', 'a binding without a source', () => pair().west.bind('X', { source: any(undefined), localName: LocalName.newService('x', 'web') }), 'a service of a peer, not undefined');
bind.rejects('FED120', 'a string in place of a source', () => pair().west.bind('X', { source: any('reviews'), localName: LocalName.newService('x', 'web') }),
  'west/Mesh/X', 'the source must be a service of a peer, not "reviews"', 'exposedService');
bind.rejects('FED120', 'a mesh in place of a source', () => {
  const { east, west } = pair();
  west.bind('X', { source: any(east), localName: LocalName.newService('x', 'web') });
}, 'not the construct east/Mesh', 'exposedService');
const bound = (change: (binding: RemoteServiceBinding, source: ExposedService) => void, portMappings?: unknown) => () => {
  const { west, reviews } = pair();
  change(west.bind('X', { source: reviews, localName: LocalName.existingService('x', 'web'), portMappings: any(portMappings) }), reviews);
};
for (const [call, id] of [[bind, 'Reviews'], [newBinding, 'a/b']] as const) {
  call.rejects('FED123', `the id ${id} of another binding`, () => {
    const { west, reviews } = pair();
    for (const name of ['one', 'two']) {
      const options = { source: reviews, localName: LocalName.newService(name, 'web') };
      if (call === bind) west.bind(id, options);
      else new RemoteServiceBinding(west, id, { mesh: west, ...options });
    }
  }, `FED123 west/Mesh/${id}: `, `has the id "${id}"`, 'choose another id');
}
/** Binds a source that is not an instance of one of the library's classes. */
const sourceOfAnotherClass = (change: object) => () => {
  const { app, west } = pair();
  const bank = remoteOf(app, 'bank', 'bank.example', trustOf('bank'));
  const source = Object.assign(new Construct(app, 'Odd'), {
    mesh: Object.assign(new Construct(app, 'Mesh'), {
      meshName: 'bank', trustDomain: 'bank.example', trustBundle: bank.trustBundle, endpoints: [{ address: 'fed.bank.example' }], ingressIdentity: bank.ingressIdentity,
    }),
    exportName: 'cards',
    ports: [ServicePort.http(80)],
    sniFor: () => 'p80.cards.west.fed.bank.example',
    ...change,
  });
  west.bind('Odd', { source, localName: LocalName.newService('cards', 'web') });
};
bind.rejects('FED301', 'a source of another class whose SNI is not a valid name', sourceOfAnotherClass({ exportName: 'x', sniFor: () => 'p80.x.\'] + [\'' }), 'west/Mesh/Odd');
bind.rejects('FED120', 'a source of another class without a port', sourceOfAnotherClass({ ports: [] }), 'west/Mesh/Odd', '"cards" has no port');
bind.rejects('FED120', 'a source of another class with a number in place of a port', sourceOfAnotherClass({ ports: [80] }), 'a port of the source "cards"', 'ServicePort, not 80');
bind.rejects('FED120', 'a source of another class whose mesh has no CA certificates', sourceOfAnotherClass({ mesh: Object.assign(new Construct(new App(), 'Mesh'), { meshName: 'bank', endpoints: [], trustBundle: {} }) }),
  'the trustBundle of peer "bank"');
const mapped = (serviceName: string, mappings?: { localPort: number; exportPort: number }[]) => () => {
  const { west, reviews } = pair();
  west.bind('Reviews', { source: reviews, localName: LocalName.newService(serviceName, 'default'), portMappings: mappings });
};
bind.rejects('FED401', 'a local name that is bound already', () => {
  const { west, reviews } = pair();
  for (const id of ['One', 'Two']) west.bind(id, { source: reviews, localName: LocalName.newService('reviews', 'default') });
}, 'west/Mesh/Two', 'the local name "reviews.default.svc.cluster.local" is already bound by west/Mesh/One → add the source and the callers to that binding, or choose another name');
const hosts = (length: number) => Array.from({ length }, (_, index) => `orders-${index}.partner.example`);
const more = (...additionalHosts: any) => () => {
  const { west, reviews } = pair();
  west.bind('Reviews', { source: reviews, localName: LocalName.newService('reviews', 'default'), additionalHosts });
};
bind.rejects('FED401', 'an additional host that another binding has', () => {
  const { west, reviews } = pair();
  for (const name of ['one', 'two']) {
    west.bind(name, { source: reviews, localName: LocalName.newService(name, 'default'), additionalHosts: ['reviews.east.example'] });
  }
}, 'west/Mesh/two', 'the additional host "reviews.east.example" is already bound by west/Mesh/one → ');
bind.rejects('FED401', 'the second of several additional hosts, which another binding has', () => {
  const { west, reviews } = pair();
  west.bind('One', { source: reviews, localName: LocalName.newService('one', 'default'), additionalHosts: ['reviews.east.example'] });
  west.bind('Two', { source: reviews, localName: LocalName.newService('two', 'default'), additionalHosts: ['other.east.example', 'reviews.east.example'] });
}, 'the additional host "reviews.east.example" is already bound by west/Mesh/One');
bind.rejects('FED412', 'an additional host of one label', more('vault'), 'west/Mesh/Reviews', '"vault"', 'vault.east.example');
bind.rejects('FED412', 'more additional hosts than a ServiceEntry takes', more(...hosts(257)), 'west/Mesh/Reviews', '257 hosts', '256', 'several local names');
synth.rejects('FED412', 'more local ports with additional hosts than a ServiceEntry takes', () => {
  const { app, east, west } = pair();
  const ports = Array.from({ length: 257 }, (_, index) => ServicePort.http(8000 + index));
  const source = east.expose('Orders', { service: LocalService.fromName('orders', 'shop'), exportName: 'orders', ports });
  source.allowFrom(west);
  west.bind('Orders', { source, localName: LocalName.newService('orders', 'shop'), additionalHosts: hosts(1) });
  app.synthYaml();
}, 'west/Mesh/Orders', '"orders.shop.svc.cluster.local"', '257 local ports', '256', 'portMappings');
bind.rejects('FED412', 'a wildcard as additional host', more('*.east.example'), '"*.east.example"', 'not a fully qualified name');
bind.rejects('FED412', 'an address as additional host', more('203.0.113.7'), '"203.0.113.7"', 'not a fully qualified name');
bind.rejects('FED412', 'an additional host in the cluster', more('vault.shop.svc.cluster.local'), 'domain "cluster.local" of our cluster', 'LocalName.newService("vault", "shop")');
bind.rejects('FED412', 'the short form of a cluster host as additional host', more('vault.shop.svc'), 'domain "cluster.local" of our cluster', 'LocalName.newService("vault", "shop")');
bind.rejects('FED412', 'the name of a pod as additional host', more('10-1-2-3.shop.pod.cluster.local'), 'choose a host outside of "cluster.local"');
for (const host of ['kubernetes.default.svc', 'kubernetes.default.svc.cluster', 'kubernetes.default.svc.cluster.local']) {
  bind.rejects('FED412', `the name ${host} of the API server as additional host`, more(host), `"${host}" is in the domain "cluster.local"`, 'choose a host outside of "cluster.local"');
}
for (const host of ['vault.shop.svc.cluster', 'vault.shop.svc.cluster.local']) {
  bind.rejects('FED412', `the form ${host} of a cluster host as additional host`, more(host), 'LocalName.newService("vault", "shop")');
}
for (const host of ['istiod.istio-system.svc', 'federation-egress.istio-federation.svc', 'kube-dns.kube-system.svc.cluster.local', '10-1-2-3.shop.pod', '10-1-2-3.shop.pod.cluster', 'cluster.local', 'vault.svc']) {
  bind.rejects('FED412', `the name ${host} of the cluster as additional host`, more(host), 'choose a host outside of "cluster.local"');
}
for (const [host, owner] of [
  ['kubernetes.default', 'the API server'], ['openshift.default', 'the API server'], ['istiod.istio-system', 'Istio'], ['federation-ingress.istio-federation', 'the boundary'],
  ['kube-dns.kube-system', 'Kubernetes'], ['x.kube-public', 'Kubernetes'], ['x.kube-node-lease', 'Kubernetes'],
]) bind.rejects('FED412', `the short name ${host} as additional host`, more(host), `"${host}" is the Service "${host.split('.')[0]}" of ${owner} `, 'outside of the cluster');
bind.rejects('FED412', 'a Service in the namespace of another boundary of the mesh as additional host', () => {
  const { app, west, reviews } = pair();
  new FederatedMesh(new Chart(app, 'second'), 'Mesh', { meshName: 'west', trustDomain: 'west.example', trustBundle: west.trustBundle, namespaceName: 'partners' });
  west.bind('Reviews', { source: reviews, localName: LocalName.newService('reviews', 'default'), additionalHosts: ['federation-egress.partners'] });
}, '"federation-egress.partners"', 'of the boundary');
for (const host of [
  'payments.prod', 'payments.dev', 'payments.shop', 'reviews.default', 'db-0.db', 'payments.staging', 'payments.test', 'foo.app', 'foo.bank', 'payments.qa', 'payments.ci', 'payments.cd', 'payments.int',
  'payments.lan', 'payments.local', 'payments.internal', 'payments.intra', 'payments.intranet', 'payments.corp', 'payments.ml',
]) {
  const [name, namespace] = host.split('.');
  bind.rejects('FED412', `${host} as additional host, which may be a Service`, more(host), `"${host}" is also the short name of a Service in a namespace "${namespace}"`,
    `→ for a domain, choose a name below it, such as "www.${host}", or set an endpoint of peer "east" below it; for a Service, use that Service`, `LocalName.newService("${name}", "${namespace}")`);
}
for (const host of ['headless-0.db.default', 'kubernetes.kubernetes.default', 'istiod-0.istiod.istio-system', 'a.federation-ingress.istio-federation', 'a.kube-dns.kube-system', 'a.b.kube-public']) {
  bind.rejects('FED412', `${host} as additional host, which may be a pod`, more(host), JSON.stringify(host), 'a pod of', `Service "${host.split('.')[1]}"`, '→ choose a host');
}
for (const host of ['a.localhost', 'localhost.localdomain', 'metadata.google.internal', 'metadata.goog', 'instance-data.ec2.internal', '169-254-169-254.nip.io', 'shop.localtest.me']) {
  bind.rejects('FED412', `${host} as additional host`, more(host), `"${host}" is the computer itself, or a metadata service`);
}
for (const host of [
  'Vault.east.example', 'vault.east.example.', '.east.example', 'vault..example', 'b\u00fccher.example', 'vault_1.east.example', '127.1', '0x7f.0.0.1', '10.0.0.1', '::1', '[::1]', '2001:db8::1',
  '::ffff:10.0.0.1', 'vault.east.example:443', 'https://vault.east.example', 'a.0x10', '2130706433',
]) bind.rejects('FED412', `the additional host ${JSON.stringify(host)}, which is written differently`, more(host), JSON.stringify(host), 'is not a fully qualified name');
bind.rejects('FED412', 'a host name of the boundary as additional host', more('p80.reviews.east.egress.fed.west.example'), 'boundary');
synth.rejects('FED412', 'an additional host under the SNI suffix of a peer', () => {
  const { app, west, reviews } = pair();
  west.bind('Reviews', { source: reviews, localName: LocalName.newService('reviews', 'default'), additionalHosts: ['x.west.fed.east.example'] });
  app.synth();
}, 'west/Mesh/Reviews', '"x.west.fed.east.example"', '".west.fed.east.example"');
bind.rejects('FED412', 'an additional host that is listed twice', more('a.example', 'a.example'), 'twice');
bind.rejects('FED120', 'one additional host in place of a list', () => {
  const { west, reviews } = pair();
  west.bind('Reviews', { source: reviews, localName: LocalName.newService('reviews', 'default'), additionalHosts: 'a.example' as any });
}, 'additionalHosts', 'must be a list');
synth.rejects('FED412', 'an additional host that is a Service in a namespace of the program', () => {
  const { app, west, reviews } = pair();
  west.bind('Reviews', { source: reviews, localName: LocalName.newService('reviews', 'it'), additionalHosts: ['payments.it'] });
  app.synth();
}, 'west/Mesh/Reviews', '"payments.it" is also the short name of a Service in the namespace "it"', 'LocalName.newService("payments", "it")', 'for a domain, choose a host that does not end in ".it"');
for (const host of ['headless-0.db.shop', 'api.payments.shop']) {
  synth.rejects('FED412', `the additional host ${host}, which is a pod of a headless Service in the namespace of the local name`, () => {
    const { app, west, reviews } = pair();
    west.bind('Reviews', { source: reviews, localName: LocalName.newService('reviews', 'shop'), additionalHosts: [host] });
    app.synth();
  }, 'west/Mesh/Reviews', `"${host}" is also the short name of a pod of a headless Service "${host.split('.')[1]}" in the namespace "shop", which pods look up first`, '→ choose a host that does not end in ".shop"');
}
synth.rejects('FED402', 'a local name that is a Service of the mesh', () => {
  const { app, west, reviews } = pair();
  reviews.allowFrom(west);
  west.bind('Reviews', { source: reviews, localName: LocalName.newService('till', 'default') });
  new ApiObject(Chart.of(west), 'Till', { apiVersion: 'v1', kind: 'Service', metadata: { name: 'till' }, spec: { ports: [{ port: 80 }] } });
  app.synthYaml();
}, 'west/Mesh/Reviews', 'till.default.svc.cluster.local');
synth.rejects('FED402', 'a local name that we export ourselves', () => {
  const { app, west, reviews } = pair();
  reviews.allowFrom(west);
  west.expose('Own', { service: LocalService.fromName('reviews', 'default'), exportName: 'reviews', ports: [ServicePort.http(9080)] });
  west.bind('Reviews', { source: reviews, localName: LocalName.newService('reviews', 'default') });
  app.synthYaml();
}, 'west/Mesh/Reviews: "reviews.default.svc.cluster.local" is the Service that west/Mesh/Own exports → choose another local name, or bind the Service itself: LocalName.existingService(…)');
synth.rejects('FED402', 'a local name that another boundary of the mesh exports', () => {
  const { app, east, west, reviews } = pair();
  reviews.allowFrom(west);
  const second = new FederatedMesh(new Chart(app, 'second'), 'Mesh', {
    meshName: 'west', trustDomain: 'west.example', trustBundle: west.trustBundle, namespaceName: 'partners', endpoints: east.endpoints,
  });
  second.expose('Own', { service: LocalService.fromName('reviews', 'default'), exportName: 'reviews', ports: [ServicePort.http(9080)] });
  west.bind('Reviews', { source: reviews, localName: LocalName.newService('reviews', 'default') });
  app.synthYaml();
}, 'west/Mesh/Reviews', 'is the Service that second/Mesh/Own exports');
bind.rejects('FED402', 'the name of the API server', () => {
  const { west, reviews } = pair();
  west.bind('Api', { source: reviews, localName: LocalName.newService('kubernetes', 'default') });
}, 'API server');
synth.rejects('FED403', 'a binding that the peer does not allow', () => {
  const { app, west, reviews } = pair();
  west.bind('Reviews', { source: reviews, localName: LocalName.newService('reviews', 'default') });
  app.synthYaml();
}, 'west/Mesh/Reviews', '"east"', '"reviews"', 'allowFrom');
synth.rejects('FED403', 'a port that the peer does not allow', () => {
  const { app, west, reviews } = pair();
  reviews.allowFrom(west, { ports: [9080] });
  west.bind('Reviews', {
    source: reviews, localName: LocalName.newService('reviews', 'default'), portMappings: [{ localPort: 80, exportPort: 9080 }, { localPort: 81, exportPort: 9081 }],
  });
  app.synthYaml();
}, 'port 9081');
bind.rejects('FED404', 'a mapping of a port that is not exported', mapped('reviews', [{ localPort: 80, exportPort: 80 }]), '80', '9080, 9081');
bind.rejects('FED404', 'a mapping of a port that a peer in the program does not export', mapped('reviews', [{ localPort: 80, exportPort: 81 }]), 'correct ports of the export "reviews"');
bind.rejects('FED404', 'a mapping of a port that a source of another class does not have', () => {
  const { app, west } = pair();
  const { meshName, trustDomain, trustBundle, endpoints, ingressIdentity } = bankWith();
  const mesh = Object.assign(new Construct(app, 'Mesh'), { meshName, trustDomain, trustBundle, endpoints, ingressIdentity });
  const source = Object.assign(new Construct(app, 'Odd'), { mesh, exportName: 'cards', ports: [ServicePort.http(80)], sniFor: () => 'p80.cards.west.fed.bank.example' });
  west.bind('Odd', { source, localName: LocalName.newService('cards', 'web'), portMappings: [{ localPort: 80, exportPort: 81 }] });
}, 'or correct ports of the source "cards" if it exports another one');
bind.rejects('FED404', 'a local port that is mapped twice', mapped('reviews', [{ localPort: 80, exportPort: 9080 }, { localPort: 80, exportPort: 9081 }]), '80');
bind.rejects('FED404', 'a local port that does not exist', mapped('reviews', [{ localPort: 0, exportPort: 9080 }]), '0');
bind.rejects('FED404', 'an empty list of port mappings', mapped('reviews', []), 'empty');
type Change = (binding: RemoteServiceBinding, source: ExposedService) => void;
const two = (run: Change, existing = true, port: (number: number) => ServicePort = ServicePort.http) => () => {
  const { app, east, west } = pair();
  const source = east.expose('Stock', { service: LocalService.fromName('stock', 'shop'), exportName: 'stock', ports: [port(80)] });
  source.allowFrom(west);
  const localName = existing ? LocalName.existingService('stock', 'shop') : LocalName.newService('stock', 'shop');
  const binding = west.bind('Stock', { source, localName });
  run(binding, source);
  app.synthYaml();
};
synth.rejects('FED408', 'all callers of a namespace for a TCP port', two((b) => b.allowFrom(Caller.anyInNamespace('shop')), true, ServicePort.tcp), 'west/Mesh/Stock', 'port 80', 'west.example/ns/shop/sa/*');
synth.rejects('FED408', 'all callers of the mesh for a TLS port', two((b) => b.allowFrom(Caller.anyInMesh()), true, ServicePort.tls), 'west.example/*', 'Caller.serviceAccount');
addSource.rejects('FED409', 'a negative weight', two((b, source) => b.addSource(source, { weight: -1 })), '-1', 'at least 0');
addLocalSource.rejects('FED409', 'a weight that is not a number', two((b) => b.addLocalSource({ weight: NaN })), 'the weight');
addSource.rejects('FED409', 'a source with a weight and headers', two((b, source) => b.addSource(source, { weight: 1, whenHeaders: { a: 'b' } })), 'whenHeaders');
synth.rejects('FED409', 'one source that is added twice', two((b, source) => b.addSource(source)), 'is added twice', 'port 80');
synth.rejects('FED409', 'weights on only some of the sources', two((b) => b.addLocalSource({ weight: 3 })), 'others have none');
synth.rejects('FED409', 'weights that are all zero', () => {
  const { app, west, reviews } = pair();
  reviews.allowFrom(west);
  west.bind('R', { source: reviews, localName: LocalName.existingService('r', 'shop'), weight: 0 }).addLocalSource({ weight: 0 });
  app.synthYaml();
}, 'weight 0', 'port 9080');
synth.rejects('FED409', 'headers on every source', () => {
  const { app, west, reviews } = pair();
  reviews.allowFrom(west);
  west.bind('R', { source: reviews, localName: LocalName.newService('r', 'shop'), whenHeaders: { 'x-tester': 'yes' } });
  app.synthYaml();
}, 'no destination', 'addLocalSource');
synth.rejects('FED409', 'the same headers on two sources', two((b, source) => {
  b.addSource(source, { whenHeaders: { 'x-a': '1', 'x-b': '2' } });
  b.addLocalSource({ whenHeaders: { 'x-b': '2', 'x-a': '1' } });
}), 'same headers');
addLocalSource.rejects('FED409', 'header names with capital letters', two((b) => b.addLocalSource({ whenHeaders: { 'X-Tester': 'yes' } })), '"X-Tester"', 'lower-case');
synth.rejects('FED410', 'headers for a TCP port', two((b, source) => b.addSource(source, { whenHeaders: { a: 'b' } }), true, ServicePort.tcp), 'has no headers');
synth.rejects('FED410', 'sources with different protocols on one port', () => {
  const { app, east, west } = pair();
  const [http, tcp] = [ServicePort.http(80), ServicePort.tcp(80)].map((port, index) =>
    east.expose(`Db${index}`, { service: LocalService.fromName(`db${index}`, 'shop'), exportName: `db${index}`, ports: [port] }));
  [http, tcp].forEach((source) => source.allowFrom(west));
  west.bind('Db', { source: http, localName: LocalName.newService('db', 'shop') }).addSource(tcp);
  app.synthYaml();
}, 'http and tcp', 'port 80');
addLocalSource.rejects('FED411', 'a local source behind a new local name', two((b) => b.addLocalSource(), false), '"stock.shop.svc.cluster.local"', 'existingService');
bind.rejects('FED407', 'a binding to an export of our own mesh', () => {
  const { east, reviews } = pair();
  east.bind('Own', { source: reviews, localName: LocalName.newService('other', 'default') });
}, 'east/Mesh/Own');
bind.rejects('FED115', 'a date that does not exist', () => {
  const { west, reviews } = pair();
  west.bind('Reviews', { source: reviews, localName: LocalName.newService('reviews', 'default'), reviewBy: '2027-02-30' });
}, 'west/Mesh/Reviews', '"2027-02-30"');

/* Objects of fields. */
rejectFields(bind, 'a port mapping', (value) => bound(() => undefined, [value]), { localPort: 80, exportPort: 9080, protocol: 'tcp' }, 'protocol', 'localPort, exportPort');
rejectFields(addSource, 'source options', (value) => bound((binding, source) => binding.addSource(source, value)), { portMapping: [] }, 'portMapping', 'portMappings');
rejectFields(addLocalSource, 'options of a local source', (value) => bound((binding) => binding.addLocalSource(value)), { wieght: 1 }, 'wieght', 'weight');

/* Several ports, several boundaries, and names that are almost valid. */
for (const [ports, title] of [
  [[ServicePort.http(80), ServicePort.tcp(3306)], 'an HTTP port and a TCP port'], [[ServicePort.tls(443), ServicePort.grpc(90)], 'a TLS port and a gRPC port'],
] as const) {
  synth.rejects('FED408', `all callers of a namespace for one source with ${title}`, () => {
    const { app, east, west } = pair();
    const source = east.expose('Stock', { service: LocalService.fromName('stock', 'shop'), exportName: 'stock', ports: [...ports] });
    source.allowFrom(west);
    west.bind('Stock', { source, localName: LocalName.newService('stock', 'web') }).allowFrom(Caller.anyInNamespace('web'));
    app.synthYaml();
  });
}
bind.rejects('FED401', 'a local name that another boundary of the mesh has bound, beside a third boundary that has not', () => {
  const { app, west, reviews } = pair();
  const [second] = ['second', 'third'].map((namespaceName) => new FederatedMesh(new Chart(app, namespaceName), 'Mesh', {
    meshName: 'west', trustDomain: 'west.example', trustBundle: trustOf('west'), namespaceName,
  }));
  west.bind('Reviews', { source: reviews, localName: LocalName.newService('reviews', 'default') });
  second.bind('Reviews', { source: bankWith().exposedService('cards'), localName: LocalName.newService('reviews', 'default') });
}, 'second/Mesh/Reviews', 'is already bound by west/Mesh/Reviews');
bind.rejects('FED301', 'a source of another class whose SNI is that of another export', sourceOfAnotherClass({ sniFor: () => 'p80.loans.west.fed.bank.example' }));
for (const host of ['127.1', '0x7f.0.0.1', 'vault.0xa', 'vault.east.1']) {
  bind.rejects('FED412', `the additional host ${host}, which ends in a number`, more(host), JSON.stringify(host), 'not a fully qualified name');
}
bind.rejects('FED120', 'one port mapping in place of a list', bound(() => undefined, { localPort: 80, exportPort: 9080 }));
newBinding.rejects('FED120', 'an unknown field in the properties of a binding', () => {
  const { west, reviews } = pair();
  new RemoteServiceBinding(Chart.of(west), 'Bound', any({ mesh: west, source: reviews, localName: LocalName.newService('reviews', 'default'), hosts: [] }));
}, 'west/Bound', 'unknown field "hosts" in the properties of RemoteServiceBinding');
allowCaller.rejects('FED120', 'a call without callers', () => {
  const { west, reviews } = pair();
  west.bind('Reviews', { source: reviews, localName: LocalName.newService('reviews', 'default') }).allowFrom();
}, 'west/Mesh/Reviews', 'caller');
synth.rejects('FED409', 'weights on only the second of the sources', two((b) => b.addLocalSource({ weight: 0 })), 'others have none');

bind.rejects('FED402', 'the second name of the API server on OpenShift', () => {
  const { west, reviews } = pair();
  west.bind('Api', { source: reviews, localName: LocalName.existingService('openshift', 'default') });
}, 'openshift.default');
bind.rejects('FED404', 'a mapping of a port that is not in exposedServices', () => {
  const { west } = pair();
  west.bind('Cards', { source: bankWith().exposedService('cards'), localName: LocalName.newService('cards', 'shop'), portMappings: [{ localPort: 80, exportPort: 8443 }] });
}, 'one of its exported ports 443', 'exposedServices of mesh "bank"');
bind.rejects('FED409', 'a weight whose sum could overflow', () => {
  const { west, reviews } = pair();
  west.bind('Reviews', { source: reviews, localName: LocalName.newService('reviews', 'default'), weight: 1e300 });
}, '1e+300');

/* Existing Services whose manifest is in a chart of the mesh. */

const existing = (spec: object, ...ports: ServicePort[]) => () => {
  const { app, east, west } = pair();
  const source = east.expose('Till', { service: LocalService.fromName('till', 'shop'), exportName: 'till', ports });
  source.allowFrom(west);
  west.bind('Till', { source, localName: LocalName.existingService('till', 'shop') });
  new ApiObject(Chart.of(west), 'Service', { apiVersion: 'v1', kind: 'Service', metadata: { name: 'till', namespace: 'shop' }, spec });
  app.synthYaml();
};
synth.rejects('FED321', 'an existing Service without cluster IP', existing({ clusterIP: 'None', ports: [{ port: 80 }] }, ServicePort.http(80)), '"till.shop.svc.cluster.local" is headless', 'newService');
synth.rejects('FED321', 'an existing Service of the type ExternalName', existing({ type: 'ExternalName', externalName: 'till.example' }, ServicePort.http(80)), 'ExternalName', 'newService');
synth.rejects('FED321', 'a local port that the existing Service does not have', existing({ ports: [{ port: 81 }] }, ServicePort.http(80)), 'has no TCP port 80', '81');
synth.rejects('FED321', 'an HTTP port under the name of an existing TCP port', existing({ ports: [{ port: 80, name: 'tcp-till' }] }, ServicePort.http(80)), 'name "tcp-till"', 'name the port "http"');
synth.rejects('FED321', 'a TCP port under the name of an existing HTTP port', existing({ ports: [{ port: 80, appProtocol: 'http2' }] }, ServicePort.tcp(80)), 'appProtocol "http2"');
