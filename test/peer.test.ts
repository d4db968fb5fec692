import { App, Chart, Duration } from 'cdk8s';
import {
  AddPeerOptions, Caller, FederatedMesh, FederatedMeshProps, IstioVersion, LocalName, LocalService, RemoteMesh, ServicePort,
} from '../src';
import { find, Manifest, objectsOf, withoutDigest } from './support/manifests';
import { meshOf } from './support/meshes';

/*
 * Options of one peer, which do not affect other peers.
 */

/** The objects of east, which exports to west and north and binds their exports, with these peer options for west. */
function connect(options: AddPeerOptions = {}, late = false, props: Partial<FederatedMeshProps> = {}) {
  const app = new App();
  const [east, west, north] = ['east', 'west', 'north'].map((name) => meshOf(app, name, name === 'east' ? props : {}));
  const ports = [ServicePort.http(9080)];
  if (!late) east.addPeer(west, options);
  east.addPeer(north);
  west.addPeer(east);
  const reviews = east.expose('Reviews', { service: LocalService.fromName('reviews', 'default'), exportName: 'reviews', ports });
  [west, north].forEach((peer) => reviews.allowFrom(peer));
  for (const peer of [west, north]) {
    const details = peer.expose('Details', { service: LocalService.fromName('details', 'default'), exportName: 'details', ports });
    details.allowFrom(east);
    east.bind(`Bound${peer.meshName}`, { source: details, localName: LocalName.newService(`details-${peer.meshName}`, 'web') })
      .allowFrom(Caller.serviceAccount('page', 'web'));
  }
  north.addPeer(east);
  if (late) east.addPeer(west, options);
  return Chart.of(east).toJson().map(withoutDigest);
}

const listeners = (objects: Manifest[], side: 'in' | 'out', peer: string) => find(objects, 'Gateway', `fed-${side}-${peer}`);
const ingressHeaders = (objects: Manifest[], peer: string) => find(objects, 'VirtualService', `fed-in-reviews-9080-${peer}`).spec.http[0].headers;
const egressHeaders = (objects: Manifest[], peer: string) => find(objects, 'VirtualService', `fed-out-details-${peer}-9080-web-${peer}`).spec.http[0].headers;
const plain = connect();

test('the order of calls does not change the output', () => {
  const options = { stripTracing: true, removeRequestHeaders: ['x-b', 'x-a'], allowTls12: { reason: 'their appliance ends in 2027' }, owner: 'us' };
  expect(connect(options, true)).toEqual(connect(options));
  expect(connect({ ...options, removeRequestHeaders: ['x-a', 'x-b', 'x-a'] })).toEqual(connect(options));
});

describe('stripTracing', () => {
  const stripped = connect({ stripTracing: true });
  const TRACING = ['b3', 'baggage', 'grpc-trace-bin', 'sw8', 'traceparent', 'tracestate', 'uber-trace-id', 'x-amzn-trace-id', 'x-b3-sampled',
    'x-b3-traceid', 'x-cloud-trace-context', 'x-datadog-trace-id', 'x-ot-span-context'];

  test('stripTracing additionally removes trace context from requests and responses in both directions', () => {
    for (const [before, after] of [[ingressHeaders(plain, 'west'), ingressHeaders(stripped, 'west')], [egressHeaders(plain, 'west'), egressHeaders(stripped, 'west')]]) {
      expect(after.request.remove).toEqual(expect.arrayContaining([...TRACING, ...before.request.remove]));
      expect(after.response.remove).toEqual(expect.arrayContaining([...TRACING, 'traceresponse', 'x-request-id', ...before.response.remove]));
      expect(after.request.set).toEqual(before.request.set);
      // Each gateway generates a new one for its access log.
      expect(after.request.remove).not.toContain('x-request-id');
    }
  });

  test('trace context is not removed by default, or for other peers', () => {
    for (const headers of [ingressHeaders(plain, 'west'), egressHeaders(plain, 'west')]) {
      for (const { remove } of [headers.request, headers.response]) expect(remove.filter((name: string) => TRACING.includes(name))).toEqual([]);
    }
    expect([ingressHeaders(stripped, 'north'), egressHeaders(stripped, 'north')]).toEqual([ingressHeaders(plain, 'north'), egressHeaders(plain, 'north')]);
  });

  test('stripTracing keeps both gateways from setting trace headers, for all peers, and from nothing else', () => {
    for (const role of ['ingress', 'egress']) {
      expect(find(stripped, 'Telemetry', `federation-${role}`).spec.tracing).toEqual([{ disableContextPropagation: true }]);
      expect(find(plain, 'Telemetry', `federation-${role}`).spec.tracing).toBeUndefined();
    }
  });

  test('before Istio 1.30, stripTracing also stops the spans of the gateways, because Telemetry has no other field', () => {
    const app = new App();
    const [east, west] = [meshOf(app, 'east', { istioVersion: IstioVersion.V1_29 }), meshOf(app, 'west')];
    east.addPeer(west, { stripTracing: true });
    east.expose('Reviews', { service: LocalService.fromName('reviews', 'default'), exportName: 'reviews', ports: [ServicePort.http(9080)] }).allowFrom(west);
    west.addPeer(east);
    expect(find(objectsOf(app), 'Telemetry', 'federation-ingress').spec.tracing).toEqual([{ disableSpanReporting: true }]);
  });

  test('stripTracing removes complete header names, each once and sorted', () => {
    for (const headers of [ingressHeaders(stripped, 'west'), egressHeaders(stripped, 'west')]) {
      for (const { remove } of [headers.request, headers.response]) {
        expect(remove).toEqual([...new Set<string>(remove)].sort());
        expect(remove.filter((name: string) => !/^[a-z0-9-]+$/.test(name))).toEqual([]);
      }
    }
  });
});

test('removeRequestHeaders removes headers of requests to that peer only', () => {
  const objects = connect({ removeRequestHeaders: ['x-team', 'x-cost-centre'] });
  expect(egressHeaders(objects, 'west').request.remove.filter((name: string) => !egressHeaders(plain, 'west').request.remove.includes(name))).toEqual(['x-cost-centre', 'x-team']);
  expect(egressHeaders(objects, 'west').response).toEqual(egressHeaders(plain, 'west').response);
  expect(ingressHeaders(objects, 'west')).toEqual(ingressHeaders(plain, 'west'));
  expect(egressHeaders(objects, 'north')).toEqual(egressHeaders(plain, 'north'));
});

describe('allowTls12', () => {
  const objects = connect({ allowTls12: { reason: 'their appliance ends in 2027', approvedBy: 'security board' } });
  const tlsOf = (manifests: Manifest[], peer: string) => listeners(manifests, 'in', peer).spec.servers.map(({ tls }: Manifest) => tls);

  test('allowTls12 allows TLS 1.2 with forward secrecy for one peer, and annotates its Gateway with the reason', () => {
    expect(tlsOf(objects, 'west')).toEqual([{
      ...tlsOf(plain, 'west')[0],
      minProtocolVersion: 'TLSV1_2',
      cipherSuites: ['ECDHE-ECDSA-AES256-GCM-SHA384', 'ECDHE-RSA-AES256-GCM-SHA384', 'ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDHE-RSA-AES128-GCM-SHA256'],
    }]);
    expect(listeners(objects, 'in', 'west').metadata.annotations).toEqual({
      ...listeners(plain, 'in', 'west').metadata.annotations,
      'cdk8s-mesh-federation/allow-tls-1.2': 'their appliance ends in 2027 (approved by security board)',
    });
  });

  test('allowTls12 does not change the Gateways of other peers or of the egress gateway', () => {
    expect(tlsOf(plain, 'west')[0].minProtocolVersion).toBe('TLSV1_3');
    for (const [side, peer] of [['in', 'north'], ['out', 'west'], ['out', 'north']] as const) {
      expect(listeners(objects, side, peer)).toEqual(listeners(plain, side, peer));
    }
  });
});

describe('limits', () => {
  const limits = { maxConnections: 7, maxConnectionDuration: Duration.minutes(5), requestsPerSecond: 9 };
  const filterOf = (objects: Manifest[], name = 'fed-in-limits-west') => find(objects, 'EnvoyFilter', name, 'istio-federation').spec;
  const kinds = (objects: Manifest[]) => objects.filter(({ kind }) => kind === 'EnvoyFilter').map(({ metadata }) => metadata.name).sort();

  test('limits apply only to the TLS servers of that peer at the ingress gateway', () => {
    const objects = connect({ limits });
    const { workloadSelector, configPatches } = filterOf(objects);
    expect(kinds(objects)).toEqual(['fed-in-edge', 'fed-in-limits-west', 'fed-out-edge']);
    expect(workloadSelector).toEqual({ labels: { istio: 'istio-federation-ingress' } });
    expect(configPatches.map(({ match }: Manifest) => [match.context, match.listener.portNumber, match.listener.filterChain.sni])).toEqual(
      Array(3).fill(['GATEWAY', 15443, 'p9080.reviews.west.fed.east.example']));
    expect(configPatches.map(({ patch }: Manifest) => patch.value.typed_config)).toEqual([
      expect.objectContaining({ max_connections: 7 }),
      expect.objectContaining({ common_http_protocol_options: { max_connection_duration: '300s' } }),
      expect.objectContaining({ token_bucket: { max_tokens: 9, tokens_per_fill: 9, fill_interval: '1s' } }),
    ]);
  });

  test.each<[string, AddPeerOptions['limits'], string[]]>([
    ['maxConnections', { maxConnections: 7 }, ['INSERT_FIRST']],
    ['maxConnectionDuration', { maxConnectionDuration: Duration.millis(1500) }, ['MERGE']],
    ['requestsPerSecond', { requestsPerSecond: 9 }, ['INSERT_BEFORE']],
  ])('the limit %s alone adds one patch', (_, only, operations) => {
    expect(filterOf(connect({ limits: only })).configPatches.map(({ patch }: Manifest) => patch.operation)).toEqual(operations);
  });

  test('limits do not depend on the order of calls', () => {
    expect(filterOf(connect({ limits }, true))).toEqual(filterOf(connect({ limits })));
  });

  test('limits emit no EnvoyFilter by default, without a grant, or when they do not apply to the protocol', () => {
    const app = new App();
    const east = meshOf(app, 'east');
    const west = meshOf(app, 'west');
    east.addPeer(west, { limits: { requestsPerSecond: 9 } });
    const exported = east.expose('Mysql', { service: LocalService.fromName('mysql', 'db'), exportName: 'mysql', ports: [ServicePort.tcp(3306)] });
    expect(kinds(Chart.of(east).toJson().map(withoutDigest))).toEqual(['fed-in-edge']);
    exported.allowFrom(west);
    expect([kinds(Chart.of(east).toJson().map(withoutDigest)), kinds(plain)]).toEqual([['fed-in-edge'], ['fed-in-edge', 'fed-out-edge']]);
  });

  test('limits of a TCP port apply to the downstream connection', () => {
    const app = new App();
    const east = meshOf(app, 'east');
    const west = meshOf(app, 'west');
    east.addPeer(west, { limits });
    east.expose('Mysql', { service: LocalService.fromName('mysql', 'db'), exportName: 'mysql', ports: [ServicePort.tcp(3306)] }).allowFrom(west);
    expect(filterOf(Chart.of(east).toJson().map(withoutDigest)).configPatches.map(({ patch }: Manifest) => patch.value.typed_config)).toEqual([
      expect.objectContaining({ max_connections: 7 }), expect.objectContaining({ max_downstream_connection_duration: '300s' }),
    ]);
  });
});

describe('upstreamLimits', () => {
  const poolOf = (objects: Manifest[], peer = 'west') => {
    const { tcp, http } = find(objects, 'DestinationRule', `fed-out-details-9080-${peer}`).spec.trafficPolicy.connectionPool;
    return [tcp.maxConnections, http.http1MaxPendingRequests, http.http2MaxRequests];
  };

  test.each<[string, AddPeerOptions['upstreamLimits'], number[]]>([
    ['default to 4,096 connections and 16,384 requests', undefined, [4096, 16384, 16384]],
    ['set both fields', { maxConnections: 7, maxRequests: 9 }, [7, 9, 9]],
    ['set maxConnections alone', { maxConnections: 7 }, [7, 16384, 16384]],
    ['set maxRequests alone', { maxRequests: 9 }, [4096, 9, 9]],
    ['can be as low as one', { maxConnections: 1, maxRequests: 1 }, [1, 1, 1]],
    ['can be as high as the maximum of a DestinationRule', { maxConnections: 2 ** 31 - 1, maxRequests: 2 ** 31 - 1 }, Array(3).fill(2 ** 31 - 1)],
  ])('upstreamLimits %s', (_, upstreamLimits, expected) => {
    expect(poolOf(connect({ upstreamLimits }))).toEqual(expected);
  });

  test('upstreamLimits change only the DestinationRules for that peer, in any order of calls', () => {
    const limited = connect({ upstreamLimits: { maxConnections: 7, maxRequests: 9 } });
    expect(poolOf(limited, 'north')).toEqual(poolOf(plain, 'north'));
    const others = (objects: Manifest[]) => objects.filter(({ metadata }) => metadata.name !== 'fed-out-details-9080-west');
    expect(others(limited)).toEqual(others(plain));
    expect(connect({ upstreamLimits: { maxConnections: 7, maxRequests: 9 } }, true)).toEqual(limited);
  });

  test('upstreamLimits of a TCP port limit only connections', () => {
    const app = new App();
    const [east, west] = ['east', 'west'].map((name) => meshOf(app, name));
    east.addPeer(west, { upstreamLimits: { maxConnections: 7, maxRequests: 9 } });
    west.addPeer(east);
    const source = west.expose('Mysql', { service: LocalService.fromName('mysql', 'db'), exportName: 'mysql', ports: [ServicePort.tcp(3306)] });
    source.allowFrom(east);
    east.bind('Mysql', { source, localName: LocalName.newService('mysql', 'web') }).allowFrom(Caller.serviceAccount('page', 'web'));
    const { tcp, http } = find(Chart.of(east).toJson().map(withoutDigest), 'DestinationRule', 'fed-out-mysql-3306-west').spec.trafficPolicy.connectionPool;
    expect([tcp.maxConnections, http]).toEqual([7, undefined]);
  });

  test('upstreamLimits change nothing for a peer without a binding', () => {
    const exporter = (upstreamLimits?: AddPeerOptions['upstreamLimits']) => {
      const app = new App();
      const [east, west] = ['east', 'west'].map((name) => meshOf(app, name));
      east.addPeer(west, { upstreamLimits });
      east.expose('Reviews', { service: LocalService.fromName('reviews', 'default'), exportName: 'reviews', ports: [ServicePort.http(9080)] }).allowFrom(west);
      return Chart.of(east).toJson().map(withoutDigest);
    };
    expect(exporter({ maxConnections: 7, maxRequests: 9 })).toEqual(exporter());
  });
});

describe('connectAfterHandshake', () => {
  const filters = (port: ServicePort, connectAfterHandshake?: boolean) => {
    const app = new App();
    const [east, west] = ['east', 'west'].map((name) => meshOf(app, name, { connectAfterHandshake }));
    east.addPeer(west);
    west.addPeer(east);
    const source = east.expose('Db', { service: LocalService.fromName('db', 'data'), exportName: 'db', ports: [port] });
    source.allowFrom(west);
    west.bind('Db', { source, localName: LocalName.newService('db', 'shop') }).allowFrom(Caller.serviceAccount('api', 'shop'));
    return [east, west].map((mesh) => {
      const objects: Manifest[] = Chart.of(mesh).toJson().map(withoutDigest);
      const { variables } = find(objects, 'ValidatingAdmissionPolicy', 'istio-federation-boundary').spec;
      return {
        filters: objects.filter(({ kind }) => kind === 'EnvoyFilter').map(({ metadata, spec }) => [metadata.name, spec.workloadSelector.labels.istio]).sort(),
        admitted: variables.find(({ name }: Manifest) => name === 'ownFilters1').expression,
      };
    });
  };
  const gateway = (role: string, ...own: string[]) => ({
    filters: own.map((name) => [name, `istio-federation-${role}`]),
    admitted: `[${own.map((name) => `'EnvoyFilter istio-federation/${name}'`).join(',\n ')}]`,
  });

  test.each([['tcp', ServicePort.tcp(3306)], ['tls', ServicePort.tls(8443)]])('connectAfterHandshake adds an EnvoyFilter for each gateway with a %s port, and the admission policy allows it', (_, port) => {
    expect(filters(port, true)).toEqual([
      gateway('ingress', 'fed-in-connect-after-tls', 'fed-in-edge'), gateway('egress', 'fed-out-connect-after-tls', 'fed-out-edge'),
    ]);
  });

  test('connectAfterHandshake adds no EnvoyFilter for HTTP and gRPC ports, or by default', () => {
    const none = [gateway('ingress', 'fed-in-edge'), gateway('egress', 'fed-out-edge')];
    expect([filters(ServicePort.http(80), true), filters(ServicePort.grpc(80), true), filters(ServicePort.tcp(80))]).toEqual([none, none, none]);
  });
});

test('trustConfigMapName replaces the trust bundle of the peer at both gateways, in any order of calls', () => {
  const external = connect({ trustConfigMapName: 'west-roots' });
  const trustIn = (objects: Manifest[]) => objects.filter(({ kind }) => kind === 'ConfigMap').map(({ metadata, data }) => [metadata.name, Object.keys(data)]);
  expect(trustIn(external)).toEqual([
    ['fed-in-trust-north', ['ca.crt']], ['fed-out-trust', ['north.crt']],
    ['fed-in-bootstrap', ['custom_bootstrap.json']], ['fed-out-bootstrap', ['custom_bootstrap.json']],
  ]);
  expect(listeners(external, 'in', 'west').spec.servers[0].tls.caCertCredentialName).toBe('configmap://istio-federation/west-roots');
  expect(find(external, 'DestinationRule', 'fed-out-details-9080-west').spec.trafficPolicy.tls.caCertificates).toBe('/etc/federation/trust/west.crt');
  expect(find(external, 'Deployment', 'federation-egress').spec.template.spec.volumes.at(-1).projected.sources).toEqual([
    { configMap: { name: 'fed-out-trust', optional: true } },
    { configMap: { name: 'west-roots', optional: true, items: [{ key: 'ca.crt', path: 'west.crt' }] } },
  ]);
  expect(new Set(connect({ trustConfigMapName: 'west-roots' }, true).map((object) => JSON.stringify(object))))
    .toEqual(new Set(external.map((object) => JSON.stringify(object))));
});

test('a second boundary of a mesh federates with a peer when both sides describe each other as RemoteMesh', () => {
  const app = new App();
  const [east, west] = ['east', 'west'].map((name) => meshOf(app, name));
  const partners = new FederatedMesh(new Chart(app, 'partners'), 'Mesh', {
    meshName: 'west', trustDomain: 'west.example', trustBundle: west.trustBundle, namespaceName: 'partners', endpoints: [{ address: 'partners.west.example' }],
  });
  const ports = [ServicePort.http(443)];
  const remoteMesh = (owner: FederatedMesh, meshName: string, knownAs: string, exportName: string) => new RemoteMesh(app, meshName, {
    meshName,
    trustDomain: owner.trustDomain,
    trustBundle: owner.trustBundle,
    ingressIdentity: owner.ingressIdentity,
    egressIdentity: owner.egressIdentity,
    endpoints: owner.endpoints,
    knownAs,
    exposedServices: [{ exportName, ports }],
  });
  const partnersForEast = remoteMesh(partners, 'west-partners', 'east-partners', 'cards');
  const eastForPartners = remoteMesh(east, 'east-partners', 'west-partners', 'reviews');
  east.addPeer(west);
  east.addPeer(partnersForEast);
  west.addPeer(east);
  partners.addPeer(eastForPartners);
  const bySide = [
    { owner: west, exportName: 'cards', to: east, from: east },
    { owner: partners, exportName: 'cards', to: eastForPartners, from: east, source: partnersForEast.exposedService('cards') },
    { owner: east, exportName: 'reviews', to: partnersForEast, from: partners, source: eastForPartners.exposedService('reviews') },
  ];
  const names = bySide.map(({ owner, exportName, to, from, source }) => {
    const exported = owner.expose(exportName, { service: LocalService.fromName(exportName, 'shop'), exportName, ports });
    exported.allowFrom(to);
    const local = `${exportName}-of-${Chart.of(owner).node.id}`;
    from.bind(local, { source: source ?? exported, localName: LocalName.newService(local, 'web') }).allowFrom(Caller.serviceAccount('page', 'web'));
    return [exported.sniFor(to, 443), (source ?? exported).sniFor(from === partners ? partners : east, 443)];
  });
  app.synthYaml();
  expect(names).toEqual([
    ['p443.cards.east.fed.west.example', 'p443.cards.east.fed.west.example'],
    ['p443.cards.east-partners.fed.west.example', 'p443.cards.east-partners.fed.west.example'],
    ['p443.reviews.west-partners.fed.east.example', 'p443.reviews.west-partners.fed.east.example'],
  ]);
});
test('a reason of ten characters is long enough, and a name that only begins like ours is a name of others', () => {
  const [east, west] = [meshOf(new App(), 'east'), meshOf(new App(), 'west')];
  expect(() => east.addPeer(west, { allowTls12: { reason: 'old device' }, trustConfigMapName: 'fed-in-trusty' })).not.toThrow();
});
