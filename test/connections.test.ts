import { App, Chart } from 'cdk8s';
import { BoundaryGateway, Caller, FederatedMeshProps, IstioVersion, LocalName, LocalService, ServicePort } from '../src';
import { find, Manifest, names, parse, withoutDigest } from './support/manifests';
import { meshOf } from './support/meshes';
import { DEFAULT } from './support/versions';

/*
 * Resource limits of a connection at a boundary gateway, and the isolation of connections from each other.
 */

const MANAGER = 'envoy.filters.network.http_connection_manager';
const MANAGER_TYPE = 'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager';
const SHARED = BoundaryGateway.fromExisting({ namespaceName: 'istio-ingress', serviceAccountName: 'shared', serviceName: 'shared', podLabels: { app: 'shared' } });
const REASON = { reason: 'gRPC metadata has user_id', approvedBy: 'security board' };
const OLDER: Partial<FederatedMeshProps> = { istioVersion: IstioVersion.V1_30 };
const EACH_PROTOCOL = { web: ServicePort.http(80), search: ServicePort.grpc(9000), mysql: ServicePort.tcp(3306), vault: ServicePort.tls(8200) };
/** Options of every HTTP connection manager of ours: WebSocket over HTTP/2, and an invalid request ends only its own stream. */
const ALWAYS = { allow_connect: true, override_stream_error_on_invalid_http_message: true };
const ROLES = ['ingress', 'egress'] as const;

/** The objects of east, which exports one service for each port to west and binds one of west's. */
function east(props: Partial<FederatedMeshProps> = {}, ports: { [name: string]: ServicePort } = { web: ServicePort.http(80) }): Manifest[] {
  const app = new App();
  const [mesh, west] = [meshOf(app, 'east', props), meshOf(app, 'west')];
  mesh.addPeer(west);
  west.addPeer(mesh);
  for (const [name, port] of Object.entries(ports)) {
    mesh.expose(name, { service: LocalService.fromName(name.split('-')[0], 'apps'), exportName: name, ports: [port] }).allowFrom(west);
  }
  const stock = west.expose('Stock', { service: LocalService.fromName('stock', 'apps'), exportName: 'stock', ports: [ServicePort.http(80)] });
  stock.allowFrom(mesh);
  mesh.bind('Stock', { source: stock, localName: LocalName.newService('stock', 'shop') }).allowFrom(Caller.serviceAccount('page', 'shop'));
  return Chart.of(mesh).toJson();
}

const sniOf = (name: string, port = 80) => `p${port}.${name}.west.fed.east.example`;
const edge = (objects: Manifest[], role: typeof ROLES[number]): Manifest[] =>
  find(objects, 'EnvoyFilter', role === 'ingress' ? 'fed-in-edge' : 'fed-out-edge').spec.configPatches;
const merged = (patches: Manifest[], applyTo: string) => patches.filter((one) => one.applyTo === applyTo && one.patch.operation === 'MERGE');
const proxyConfig = (objects: Manifest[], role: typeof ROLES[number]) =>
  parse(find(objects, 'Deployment', `federation-${role}`).spec.template.metadata.annotations['proxy.istio.io/config'])[0];
/** The patches of the HTTP connection manager: the SNI that each matches, and its settings. */
const managers = (patches: Manifest[]) => merged(patches, 'NETWORK_FILTER').map(({ match, patch }) => {
  const { sni, filter, ...rest } = match.listener.filterChain;
  expect([match.context, match.listener.portNumber, filter, rest]).toEqual(['GATEWAY', 15443, { name: MANAGER }, {}]);
  const { '@type': type, ...settings } = patch.value.typed_config;
  expect([Object.keys(patch.value), type]).toEqual([['typed_config'], MANAGER_TYPE]);
  return [sni, settings];
});

const SETTINGS = {
  listenerPerConnectionBufferLimitBytes: 32768,
  httpMaxConcurrentStreams: 100,
  http2InitialStreamWindowSize: 262144,
  http2InitialConnectionWindowSize: 1048576,
  httpRequestHeadersTimeout: '10s',
  httpStreamIdleTimeout: '3600s',
};
const UNDERSCORES_REJECTED = { httpHeadersWithUnderscoresAction: 'HEADERS_WITH_UNDERSCORES_REJECT_REQUEST' };
/** The same settings as Envoy fields, for an existing gateway or an Istio version without connectionSettings. */
const IN_ENVOY = {
  http2_protocol_options: {
    ...ALWAYS, max_concurrent_streams: 100, initial_stream_window_size: 262144, initial_connection_window_size: 1048576,
  },
  request_headers_timeout: '10s',
  stream_idle_timeout: '3600s',
};
const REJECTED_IN_ENVOY = { common_http_protocol_options: { headers_with_underscores_action: 'REJECT_REQUEST' } };

describe.each(ROLES)('the %s gateway', (role) => {
  const objects = east();
  const older = east(OLDER);

  test('with the default Istio version, the ProxyConfig has the connection settings and the EnvoyFilter only the HTTP/2 options', () => {
    expect(proxyConfig(objects, role).connectionSettings).toEqual({ ...SETTINGS, ...UNDERSCORES_REJECTED });
    expect(managers(edge(objects, role))).toEqual([[undefined, { http2_protocol_options: ALWAYS }]]);
    expect(merged(edge(objects, role), 'LISTENER').filter(({ patch }) => !patch.value.socket_options)).toEqual([]);
    expect(east({ istioVersion: IstioVersion.V1_31 })).toEqual(objects);
  });

  test('with Istio 1.30, the EnvoyFilter has the same settings on all servers and on the listener', () => {
    expect(managers(edge(older, role))).toEqual([[undefined, { ...IN_ENVOY, ...REJECTED_IN_ENVOY }]]);
    expect(merged(edge(older, role), 'LISTENER').filter(({ patch }) => !patch.value.socket_options)).toEqual([{
      applyTo: 'LISTENER',
      match: { context: 'GATEWAY', listener: { portNumber: 15443 } },
      patch: { operation: 'MERGE', value: { per_connection_buffer_limit_bytes: 32768 } },
    }]);
  });

  test('the listener of the ingress gateway sends keep-alive probes to peers from two minutes of silence on, and ends the connection before Azure drops it', () => {
    const options = merged(edge(objects, role), 'LISTENER').flatMap(({ patch }) => patch.value.socket_options)
      .map(({ level, name, int_value: value, state }: Manifest) => [level, name, value, state]);
    // SO_KEEPALIVE, TCP_KEEPIDLE, TCP_KEEPINTVL and TCP_KEEPCNT of Linux.
    expect(options).toEqual(role === 'egress' ? [] : [[1, 9, 1], [6, 4, 120], [6, 5, 30], [6, 6, 3]].map((option) => [...option, 'STATE_PREBIND']));
  });

  test('with Istio 1.30, the ProxyConfig is the same except for connectionSettings', () => {
    const { connectionSettings: _, ...others } = proxyConfig(objects, role);
    expect(proxyConfig(older, role)).toEqual(others);
  });

  test('allowHeadersWithUnderscores removes the rejection of such headers and changes no other setting', () => {
    expect(proxyConfig(east({ allowHeadersWithUnderscores: REASON }), role).connectionSettings).toEqual(SETTINGS);
    expect(managers(edge(east({ ...OLDER, allowHeadersWithUnderscores: REASON }), role))).toEqual([[undefined, IN_ENVOY]]);
  });

  test(`the ${role} gateway does not resume TLS sessions, since it requests no certificate in a resumed session`, () => {
    expect(merged(edge(objects, role), 'FILTER_CHAIN')).toEqual([fullHandshakes()]);
  });

  test(`the ${role} gateway opens separate upstream connections for each downstream connection, with small buffers`, () => {
    expect(merged(edge(objects, role), 'CLUSTER')[0]).toEqual({
      applyTo: 'CLUSTER',
      match: { context: 'GATEWAY' },
      patch: { operation: 'MERGE', value: { connection_pool_per_downstream_connection: true, per_connection_buffer_limit_bytes: 32768 } },
    });
  });
});

describe('a connection to a peer address that no longer responds', () => {
  const option = (milliseconds: number) => ({
    upstream_bind_config: {
      socket_options: [{ description: 'TCP_USER_TIMEOUT', level: 6, name: 18, int_value: milliseconds, state: 'STATE_PREBIND' }],
    },
  });
  /** West binds one service of east for each port. */
  const timeouts = (ports: { [name: string]: ServicePort }) => {
    const app = new App();
    const [mesh, west] = [meshOf(app, 'east'), meshOf(app, 'west')];
    mesh.addPeer(west);
    west.addPeer(mesh);
    for (const [name, port] of Object.entries(ports)) {
      const source = mesh.expose(name, { service: LocalService.fromName(name, 'apps'), exportName: name, ports: [port] });
      source.allowFrom(west);
      for (const localName of [name, `${name}-again`]) {
        west.bind(localName, { source, localName: LocalName.newService(localName, 'shop') }).allowFrom(Caller.serviceAccount('page', 'shop'));
      }
    }
    return merged(edge(Chart.of(west).toJson(), 'egress'), 'CLUSTER').slice(1).map(({ match, patch }) => [match, patch.value]);
  };

  test('an HTTP or gRPC connection closes 3 s after data that the peer does not acknowledge', () => {
    expect(timeouts({ web: ServicePort.http(80), search: ServicePort.grpc(9000) })).toEqual([[{ context: 'GATEWAY' }, option(3000)]]);
  });

  test('a TCP or TLS connection closes after 30 s, with one patch for each service behind the patch for all', () => {
    expect(timeouts(EACH_PROTOCOL)).toEqual([
      [{ context: 'GATEWAY' }, option(3000)],
      [{ context: 'GATEWAY', cluster: { service: sniOf('mysql', 3306) } }, option(30000)],
      [{ context: 'GATEWAY', cluster: { service: sniOf('vault', 8200) } }, option(30000)],
    ]);
  });

  test('the ingress gateway does not set TCP_USER_TIMEOUT', () => {
    expect(JSON.stringify(edge(east({}, EACH_PROTOCOL), 'ingress'))).not.toContain('TCP_USER_TIMEOUT');
  });
});

describe('the reason for headers with underscores', () => {
  const annotation = { 'cdk8s-mesh-federation/headers-with-underscores': 'gRPC metadata has user_id (approved by security board)' };
  const annotated = (objects: Manifest[]) => objects.filter(({ metadata }) => metadata.annotations?.['cdk8s-mesh-federation/headers-with-underscores'])
    .map(withoutDigest).map(({ kind, metadata }) => [`${kind} ${metadata.name}`, metadata.annotations]).sort();

  test('the reason for headers with underscores is an annotation of the default-deny policy of each gateway', () => {
    expect(annotated(east({ allowHeadersWithUnderscores: REASON }))).toEqual([
      ['AuthorizationPolicy fed-in-default-deny', annotation], ['AuthorizationPolicy fed-out-default-deny', annotation],
    ]);
    expect(annotated(east())).toEqual([]);
  });

  test('the reason for headers with underscores is an annotation of the guard policy of an existing gateway', () => {
    expect(annotated(east({ allowHeadersWithUnderscores: REASON, ingressGateway: SHARED }))).toEqual([
      ['AuthorizationPolicy fed-in-guard', annotation], ['AuthorizationPolicy fed-out-default-deny', annotation],
    ]);
  });
});

describe('an existing gateway', () => {
  const requests = [sniOf('search', 9000), sniOf('web')].sort();

  test.each<[string, Partial<FederatedMeshProps>]>([[DEFAULT, {}], ['1.30', OLDER]])('an existing gateway gets the settings on our HTTP and gRPC servers only, matched by SNI, with Istio %s', (_, props) => {
    const patches = edge(east({ ...props, ingressGateway: SHARED }, EACH_PROTOCOL), 'ingress');
    expect(managers(patches).sort()).toEqual(requests.map((sni) => [sni, { ...IN_ENVOY, ...REJECTED_IN_ENVOY }]));
    const allowed = edge(east({ ...props, ingressGateway: SHARED, allowHeadersWithUnderscores: REASON }, EACH_PROTOCOL), 'ingress');
    expect(managers(allowed).sort()).toEqual(requests.map((sni) => [sni, IN_ENVOY]));
  });

  test('an existing gateway does not resume TLS sessions on our servers, including TCP and TLS, and is unchanged on others', () => {
    const snis = [sniOf('mysql', 3306), sniOf('search', 9000), sniOf('vault', 8200), sniOf('web')].sort();
    const patches = merged(edge(east({ ingressGateway: SHARED }, EACH_PROTOCOL), 'ingress'), 'FILTER_CHAIN');
    const nameOf = ({ match }: Manifest): string => match.listener.filterChain.sni;
    expect(patches.sort((a, b) => snis.indexOf(nameOf(a)) - snis.indexOf(nameOf(b)))).toEqual(snis.map((sni) => fullHandshakes(sni)));
  });

  test.each<[string, Partial<FederatedMeshProps>]>([[DEFAULT, {}], ['1.30', OLDER]])('an existing gateway gets no patch of its listeners and clusters, which other tenants share, with Istio %s', (_, props) => {
    const patches = edge(east({ ...props, ingressGateway: SHARED }, EACH_PROTOCOL), 'ingress');
    expect(patches.filter(({ applyTo }) => ['LISTENER', 'CLUSTER'].includes(applyTo))).toEqual([]);
  });

  test('an existing ingress gateway gets no Deployment and does not change the egress gateway', () => {
    const objects = east({ ingressGateway: SHARED });
    expect(names(objects, 'Deployment')).toEqual(['federation-egress']);
    expect(edge(objects, 'egress')).toEqual(edge(east(), 'egress'));
    expect(proxyConfig(objects, 'egress')).toEqual(proxyConfig(east(), 'egress'));
  });
});

test('callers send at most as many streams on one connection as the egress gateway accepts', () => {
  const objects = east({}, EACH_PROTOCOL);
  const callers = objects.filter(({ kind, spec }) => kind === 'DestinationRule' && spec.subsets);
  expect(callers).toHaveLength(1);
  expect(callers[0].spec.subsets[0].trafficPolicy.connectionPool.http.maxConcurrentStreams).toBe(100);
});

/** The patch with which all servers of a gateway, or one of them, request a certificate in every connection. */
function fullHandshakes(sni?: string): Manifest {
  return {
    applyTo: 'FILTER_CHAIN',
    match: { context: 'GATEWAY', listener: { portNumber: 15443, ...sni === undefined ? {} : { filterChain: { sni } } } },
    patch: {
      operation: 'MERGE',
      value: {
        transport_socket: {
          name: 'envoy.transport_sockets.tls',
          typed_config: {
            '@type': 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext',
            'disable_stateless_session_resumption': true,
            'disable_stateful_session_resumption': true,
          },
        },
      },
    },
  };
}
