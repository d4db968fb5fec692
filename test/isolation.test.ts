import { App, Chart } from 'cdk8s';
import { Caller, LocalName, LocalService, ServicePort } from '../src';
import { find, keyOf, Manifest, names, objectsOf, withoutDigest } from './support/manifests';
import { meshOf } from './support/meshes';

/*
 * Isolated peers: no traffic in either direction.
 */

const REASON = { reason: 'a build server of west was taken over', ticket: 'SEC-812' };

/** East and west export to each other; `step` is the point at which east adds west as a peer. */
function federation(step: 'first' | 'last' | 'between', isolate: boolean, caller = Caller.serviceAccount('page', 'web')) {
  const app = new App();
  const east = meshOf(app, 'east');
  const west = meshOf(app, 'west');
  const addWest = (when: string) => {
    if (when === step) east.addPeer(west, isolate ? { isolated: REASON, owner: 'partner team' } : { owner: 'partner team' });
  };
  addWest('first');
  const reviews = east.expose('Reviews', { service: LocalService.fromName('reviews', 'default'), exportName: 'reviews', ports: [ServicePort.http(9080)] });
  reviews.allowFrom(west, { owner: 'reviews team' });
  const details = west.expose('Details', { service: LocalService.fromName('details', 'default'), exportName: 'details', ports: [ServicePort.http(9080)] });
  details.allowFrom(east);
  addWest('between');
  east.bind('Details', { source: details, localName: LocalName.newService('details', 'web') }).allowFrom(caller);
  west.addPeer(east);
  addWest('last');
  return { app, east, west, reviews, objects: Chart.of(east).toJson() };
}

/** Objects by name, in a defined order. */
function byKey(objects: Manifest[]): Map<string, string> {
  return new Map(objects.map((object): [string, string] => [keyOf(object), JSON.stringify(object)]).sort());
}

describe('an isolated peer', () => {
  const before = federation('first', false).objects;
  const after = federation('first', true).objects;

  test('an isolated peer has no listener, no ALLOW policy, no route, no upstream and no CA', () => {
    const removed = before.filter((object) => !byKey(after).has(keyOf(object)));
    expect(removed.map(({ kind, metadata }) => `${kind} ${metadata.name}`).sort()).toEqual([
      'AuthorizationPolicy fed-in-guard-west', 'AuthorizationPolicy fed-in-peer-west',
      'ConfigMap fed-in-trust-west', 'ConfigMap fed-out-trust',
      'DestinationRule fed-out-details-9080-west', 'Gateway fed-in-west', 'Gateway fed-out-west', 'ServiceEntry fed-out-details-9080-west',
      'VirtualService fed-in-reviews-9080-west', 'VirtualService fed-out-details-9080-web-west',
    ]);
  });

  test.each([
    ['fed-in-edge', ['HTTP_FILTER', 'FILTER_CHAIN', 'NETWORK_FILTER', 'LISTENER', 'CLUSTER']],
    ['fed-out-edge', ['HTTP_FILTER', 'FILTER_CHAIN', 'NETWORK_FILTER', 'CLUSTER', 'CLUSTER']],
  ])('an isolated peer has no RBAC rules in %s, which still denies every request by default', (name, always) => {
    const patchesIn = (objects: Manifest[]) => find(objects, 'EnvoyFilter', name).spec.configPatches;
    expect(patchesIn(before).map(({ applyTo }: Manifest) => applyTo)).toEqual([...always, 'VIRTUAL_HOST']);
    expect(patchesIn(after)).toEqual(patchesIn(before).slice(0, always.length));
  });

  test.each(['first', 'last'] as const)('an isolated peer has no guard policy for unlisted callers when addPeer is called %s', (step) => {
    const policiesOf = (isolate: boolean) => names(federation(step, isolate, Caller.anyInNamespace('web')).objects, 'AuthorizationPolicy');
    expect(policiesOf(false)).toContain('fed-out-guard-details-9080-web-west');
    expect(policiesOf(true)).toEqual(names(after, 'AuthorizationPolicy'));
  });

  test('a policy at each gateway denies an isolated peer by identity and by SNI, with the reason as an annotation', () => {
    expect(names(after, 'AuthorizationPolicy').filter((name) => !names(before, 'AuthorizationPolicy').includes(name))).toEqual([
      'fed-in-isolated-west', 'fed-out-isolated-west',
    ]);
    const [ingress, egress] = ['fed-in-isolated-west', 'fed-out-isolated-west'].map((name) => find(after, 'AuthorizationPolicy', name));
    for (const { metadata, spec } of [ingress, egress]) {
      expect(withoutDigest({ metadata }).metadata.annotations).toEqual({
        'cdk8s-mesh-federation/isolated': 'a build server of west was taken over (ticket SEC-812)', 'cdk8s-mesh-federation/owner': 'partner team',
      });
      expect(spec.action).toBe('DENY');
    }
    expect(ingress.spec.rules).toEqual([
      { from: [{ source: { principals: ['west.example/ns/istio-federation/sa/federation-egress'] } }] },
      { when: [{ key: 'connection.sni', values: ['*.west.fed.east.example'] }] },
    ]);
    expect(egress.spec.rules).toEqual([{ when: [{ key: 'connection.sni', values: ['*.west.egress.fed.east.example'] }] }]);
  });

  test('the isolation of a peer does not change objects in the namespaces of applications', () => {
    const ofApplications = (objects: Manifest[]) => objects.filter(({ metadata }) => metadata.namespace === 'web');
    expect(ofApplications(after)).toEqual(ofApplications(before));
    expect(ofApplications(after).map(({ kind }) => kind)).toEqual(['DestinationRule', 'Service', 'VirtualService']);
  });

  test('the isolation of a peer has the same output wherever the program calls addPeer', () => {
    expect(byKey(federation('between', true).objects)).toEqual(byKey(after));
    expect(byKey(federation('last', true).objects)).toEqual(byKey(after));
  });

  test('a later grant does not end the isolation of a peer', () => {
    const { east, west, reviews } = federation('last', true);
    reviews.allowFrom(west, { purpose: 'once more' });
    expect(byKey(Chart.of(east).toJson())).toEqual(byKey(after));
  });

  test('the isolation of a peer generates no objects for a mesh without gateways', () => {
    const app = new App();
    meshOf(app, 'east').addPeer(meshOf(new App(), 'west'), { isolated: REASON });
    expect(objectsOf(app)).toEqual([]);
  });

  test('a binding to an isolated peer is valid although the peer does not allow us', () => {
    const app = new App();
    const [east, west] = [meshOf(app, 'east'), meshOf(app, 'west')];
    const details = west.expose('Details', { service: LocalService.fromName('details', 'default'), exportName: 'details', ports: [ServicePort.http(9080)] });
    const binding = east.bind('Details', { source: details, localName: LocalName.newService('details', 'web') });
    expect(binding.node.validate()).toEqual([expect.stringContaining('FED403')]);
    east.addPeer(west, { isolated: REASON });
    expect(binding.node.validate()).toEqual([]);
  });
});
