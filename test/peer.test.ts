import { App, Chart, Duration } from 'cdk8s';
import {
  AddPeerOptions, Caller, FederatedMesh, FederatedMeshProps, LocalName, LocalService, RemoteMesh, ServicePort,
} from '../src';
import { find, Manifest } from './support/manifests';
import { meshOf } from './support/meshes';

/*
 * Options of one peer, and that no other peer is affected by them.
 */

/** East exposes to west and to north and calls west; only what east says of west differs. */
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
  return Chart.of(east).toJson();
}

const listeners = (objects: Manifest[], side: 'in' | 'out', peer: string) => find(objects, 'Gateway', `fed-${side}-${peer}`);
const arriving = (objects: Manifest[], peer: string) => find(objects, 'VirtualService', `fed-in-reviews-9080-${peer}`).spec.http[0].headers;
const leaving = (objects: Manifest[], peer: string) => find(objects, 'VirtualService', `fed-out-details-${peer}-9080-web-${peer}`).spec.http[0].headers;
const plain = connect();

test('order of calls does not change what is written', () => {
  const options = { stripTracing: true, removeRequestHeaders: ['x-b', 'x-a'], allowTls12: { reason: 'their appliance ends in 2027' }, owner: 'us' };
  expect(connect(options, true)).toEqual(connect(options));
  expect(connect({ ...options, removeRequestHeaders: ['x-a', 'x-b', 'x-a'] })).toEqual(connect(options));
});

describe('stripTracing', () => {
  const stripped = connect({ stripTracing: true });
  const TRACING = ['b3', 'baggage', 'grpc-trace-bin', 'sw8', 'traceparent', 'tracestate', 'uber-trace-id', 'x-amzn-trace-id', 'x-b3-sampled',
    'x-b3-traceid', 'x-cloud-trace-context', 'x-datadog-trace-id', 'x-ot-span-context'];

  test('removes trace context in both directions, from requests and answers, and what is removed without it', () => {
    for (const [before, after] of [[arriving(plain, 'west'), arriving(stripped, 'west')], [leaving(plain, 'west'), leaving(stripped, 'west')]]) {
      expect(after.request.remove).toEqual(expect.arrayContaining([...TRACING, ...before.request.remove]));
      expect(after.response.remove).toEqual(expect.arrayContaining([...TRACING, 'traceresponse', 'x-request-id', ...before.response.remove]));
      expect(after.request.set).toEqual(before.request.set);
      // Each gateway writes a new one, and needs it for its own log.
      expect(after.request.remove).not.toContain('x-request-id');
    }
  });

  test('leaves it alone by default, and with other peers', () => {
    for (const headers of [arriving(plain, 'west'), leaving(plain, 'west')]) {
      for (const { remove } of [headers.request, headers.response]) expect(remove.filter((name: string) => TRACING.includes(name))).toEqual([]);
    }
    expect([arriving(stripped, 'north'), leaving(stripped, 'north')]).toEqual([arriving(plain, 'north'), leaving(plain, 'north')]);
  });

  test('takes both gateways out of traces, which a pod can do for all peers only', () => {
    for (const role of ['ingress', 'egress']) {
      expect(find(stripped, 'Telemetry', `federation-${role}`).spec.tracing).toEqual([{ disableSpanReporting: true }]);
      expect(find(plain, 'Telemetry', `federation-${role}`).spec.tracing).toBeUndefined();
    }
  });

  test('removes names that are whole, each once and in order', () => {
    for (const headers of [arriving(stripped, 'west'), leaving(stripped, 'west')]) {
      for (const { remove } of [headers.request, headers.response]) {
        expect(remove).toEqual([...new Set<string>(remove)].sort());
        expect(remove.filter((name: string) => !/^[a-z0-9-]+$/.test(name))).toEqual([]);
      }
    }
  });
});

test('removeRequestHeaders removes what leaves for that peer, and nothing else', () => {
  const objects = connect({ removeRequestHeaders: ['x-team', 'x-cost-centre'] });
  expect(leaving(objects, 'west').request.remove.filter((name: string) => !leaving(plain, 'west').request.remove.includes(name))).toEqual(['x-cost-centre', 'x-team']);
  expect(leaving(objects, 'west').response).toEqual(leaving(plain, 'west').response);
  expect(arriving(objects, 'west')).toEqual(arriving(plain, 'west'));
  expect(leaving(objects, 'north')).toEqual(leaving(plain, 'north'));
});

describe('allowTls12', () => {
  const objects = connect({ allowTls12: { reason: 'their appliance ends in 2027', approvedBy: 'security board' } });
  const tlsOf = (written: Manifest[], peer: string) => listeners(written, 'in', peer).spec.servers.map(({ tls }: Manifest) => tls);

  test('lets one peer speak TLS 1.2 with forward secrecy, and keeps the reason with its Gateway', () => {
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

  test('leaves other peers and what we call as they are', () => {
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

  test('hold for the servers of that peer at the ingress gateway, and nowhere else', () => {
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
  ])('%s alone adds one patch', (_, only, operations) => {
    expect(filterOf(connect({ limits: only })).configPatches.map(({ patch }: Manifest) => patch.operation)).toEqual(operations);
  });

  test('are written whatever is said first', () => {
    expect(filterOf(connect({ limits }, true))).toEqual(filterOf(connect({ limits })));
  });

  test('emit nothing by default, without a grant, or where they limit nothing', () => {
    const app = new App();
    const east = meshOf(app, 'east');
    const west = meshOf(app, 'west');
    east.addPeer(west, { limits: { requestsPerSecond: 9 } });
    const exposure = east.expose('Mysql', { service: LocalService.fromName('mysql', 'db'), exportName: 'mysql', ports: [ServicePort.tcp(3306)] });
    expect(kinds(Chart.of(east).toJson())).toEqual(['fed-in-edge']);
    exposure.allowFrom(west);
    expect([kinds(Chart.of(east).toJson()), kinds(plain)]).toEqual([['fed-in-edge'], ['fed-in-edge', 'fed-out-edge']]);
  });

  test('of TCP cut the connection itself', () => {
    const app = new App();
    const east = meshOf(app, 'east');
    const west = meshOf(app, 'west');
    east.addPeer(west, { limits });
    east.expose('Mysql', { service: LocalService.fromName('mysql', 'db'), exportName: 'mysql', ports: [ServicePort.tcp(3306)] }).allowFrom(west);
    expect(filterOf(Chart.of(east).toJson()).configPatches.map(({ patch }: Manifest) => patch.value.typed_config)).toEqual([
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
    ['4,096 connections and 16,384 requests by default', undefined, [4096, 16384, 16384]],
    ['what both fields say', { maxConnections: 7, maxRequests: 9 }, [7, 9, 9]],
    ['connections alone', { maxConnections: 7 }, [7, 16384, 16384]],
    ['requests alone', { maxRequests: 9 }, [4096, 9, 9]],
    ['one at least', { maxConnections: 1, maxRequests: 1 }, [1, 1, 1]],
    ['what a DestinationRule holds at most', { maxConnections: 2 ** 31 - 1, maxRequests: 2 ** 31 - 1 }, Array(3).fill(2 ** 31 - 1)],
  ])('are %s', (_, upstreamLimits, expected) => {
    expect(poolOf(connect({ upstreamLimits }))).toEqual(expected);
  });

  test('hold for what that peer exports, and change nothing else, whenever they are said', () => {
    const limited = connect({ upstreamLimits: { maxConnections: 7, maxRequests: 9 } });
    expect(poolOf(limited, 'north')).toEqual(poolOf(plain, 'north'));
    const others = (objects: Manifest[]) => objects.filter(({ metadata }) => metadata.name !== 'fed-out-details-9080-west');
    expect(others(limited)).toEqual(others(plain));
    expect(connect({ upstreamLimits: { maxConnections: 7, maxRequests: 9 } }, true)).toEqual(limited);
  });

  test('of TCP are about connections only', () => {
    const app = new App();
    const [east, west] = ['east', 'west'].map((name) => meshOf(app, name));
    east.addPeer(west, { upstreamLimits: { maxConnections: 7, maxRequests: 9 } });
    west.addPeer(east);
    const source = west.expose('Mysql', { service: LocalService.fromName('mysql', 'db'), exportName: 'mysql', ports: [ServicePort.tcp(3306)] });
    source.allowFrom(east);
    east.bind('Mysql', { source, localName: LocalName.newService('mysql', 'web') }).allowFrom(Caller.serviceAccount('page', 'web'));
    const { tcp, http } = find(Chart.of(east).toJson(), 'DestinationRule', 'fed-out-mysql-3306-west').spec.trafficPolicy.connectionPool;
    expect([tcp.maxConnections, http]).toEqual([7, undefined]);
  });

  test('towards a peer that is not called change nothing', () => {
    const exporter = (upstreamLimits?: AddPeerOptions['upstreamLimits']) => {
      const app = new App();
      const [east, west] = ['east', 'west'].map((name) => meshOf(app, name));
      east.addPeer(west, { upstreamLimits });
      east.expose('Reviews', { service: LocalService.fromName('reviews', 'default'), exportName: 'reviews', ports: [ServicePort.http(9080)] }).allowFrom(west);
      return Chart.of(east).toJson();
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
      const objects: Manifest[] = Chart.of(mesh).toJson();
      const { variables } = find(objects, 'ValidatingAdmissionPolicy', 'istio-federation-boundary').spec;
      return {
        filters: objects.filter(({ kind }) => kind === 'EnvoyFilter').map(({ metadata, spec }) => [metadata.name, spec.workloadSelector.labels.istio]).sort(),
        admitted: variables.find(({ name }: Manifest) => name === 'ownFilters').expression,
      };
    });
  };
  const gateway = (role: string, ...own: string[]) => ({
    filters: own.map((name) => [name, `istio-federation-${role}`]),
    admitted: `[${own.map((name) => `'EnvoyFilter istio-federation/${name}'`).join(',\n ')}]`,
  });

  test.each([['tcp', ServicePort.tcp(3306)], ['tls', ServicePort.tls(8443)]])('writes a filter for each gateway with a %s port, and admits it by name', (_, port) => {
    expect(filters(port, true)).toEqual([
      gateway('ingress', 'fed-in-connect-after-tls', 'fed-in-edge'), gateway('egress', 'fed-out-connect-after-tls', 'fed-out-edge'),
    ]);
  });

  test('writes none for HTTP and gRPC, and none by default', () => {
    const none = [gateway('ingress', 'fed-in-edge'), gateway('egress', 'fed-out-edge')];
    expect([filters(ServicePort.http(80), true), filters(ServicePort.grpc(80), true), filters(ServicePort.tcp(80))]).toEqual([none, none, none]);
  });
});

test('a ConfigMap that others keep takes the place of the peer\'s bundle at both gateways, whenever it is said', () => {
  const kept = connect({ trustConfigMapName: 'west-roots' });
  const trustIn = (objects: Manifest[]) => objects.filter(({ kind }) => kind === 'ConfigMap').map(({ metadata, data }) => [metadata.name, Object.keys(data)]);
  expect(trustIn(kept)).toEqual([
    ['fed-in-trust-north', ['ca.crt']], ['fed-out-trust', ['north.crt']],
    ['fed-in-bootstrap', ['custom_bootstrap.json']], ['fed-out-bootstrap', ['custom_bootstrap.json']],
  ]);
  expect(listeners(kept, 'in', 'west').spec.servers[0].tls.caCertCredentialName).toBe('configmap://istio-federation/west-roots');
  expect(find(kept, 'DestinationRule', 'fed-out-details-9080-west').spec.trafficPolicy.tls.caCertificates).toBe('/etc/federation/trust/west.crt');
  expect(find(kept, 'Deployment', 'federation-egress').spec.template.spec.volumes.at(-1).projected.sources).toEqual([
    { configMap: { name: 'fed-out-trust', optional: true } },
    { configMap: { name: 'west-roots', optional: true, items: [{ key: 'ca.crt', path: 'west.crt' }] } },
  ]);
  expect(new Set(connect({ trustConfigMapName: 'west-roots' }, true).map((object) => JSON.stringify(object))))
    .toEqual(new Set(kept.map((object) => JSON.stringify(object))));
});

test('a second boundary of a peer is stated by hand on both sides, and both find what they allow each other', () => {
  const app = new App();
  const [east, west] = ['east', 'west'].map((name) => meshOf(app, name));
  const partners = new FederatedMesh(new Chart(app, 'partners'), 'Mesh', {
    meshName: 'west', trustDomain: 'west.example', trustBundle: west.trustBundle, namespaceName: 'partners', endpoints: [{ address: 'partners.west.example' }],
  });
  const ports = [ServicePort.http(443)];
  const known = (owner: FederatedMesh, meshName: string, knownAs: string, exportName: string) => new RemoteMesh(app, meshName, {
    meshName,
    trustDomain: owner.trustDomain,
    trustBundle: owner.trustBundle,
    ingressIdentity: owner.ingressIdentity,
    egressIdentity: owner.egressIdentity,
    endpoints: owner.endpoints,
    knownAs,
    exposedServices: [{ exportName, ports }],
  });
  const partnersForEast = known(partners, 'west-partners', 'east-partners', 'cards');
  const eastForPartners = known(east, 'east-partners', 'west-partners', 'reviews');
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
    const exposure = owner.expose(exportName, { service: LocalService.fromName(exportName, 'shop'), exportName, ports });
    exposure.allowFrom(to);
    const local = `${exportName}-of-${Chart.of(owner).node.id}`;
    from.bind(local, { source: source ?? exposure, localName: LocalName.newService(local, 'web') }).allowFrom(Caller.serviceAccount('page', 'web'));
    return [exposure.sniFor(to, 443), (source ?? exposure).sniFor(from === partners ? partners : east, 443)];
  });
  app.synthYaml();
  expect(names).toEqual([
    ['p443.cards.east.fed.west.example', 'p443.cards.east.fed.west.example'],
    ['p443.cards.east-partners.fed.west.example', 'p443.cards.east-partners.fed.west.example'],
    ['p443.reviews.west-partners.fed.east.example', 'p443.reviews.west-partners.fed.east.example'],
  ]);
});
