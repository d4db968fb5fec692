import { ApiObject } from 'cdk8s';
import { Construct } from 'constructs';
import { CONNECTION_BUFFER, connectionManagerSettings, CONNECTION_PER_DOWNSTREAM, keepAlive } from './connection-settings';
import { connectionManager, envoyFilter, EXTENSIONS, httpFilter, networkFilter, ROUTER, serversOf } from './filters';
import { allowedOperations, allowedPrincipals, DENY_ALL, Rbac } from './rbac';
import {
  EnvoyFilterSpecConfigPatches, EnvoyFilterSpecConfigPatchesApplyTo, EnvoyFilterSpecConfigPatchesMatchContext,
  EnvoyFilterSpecConfigPatchesPatchOperation,
} from '../../imports/networking.istio.io';
import { BOUNDARY_PORT } from '../model/constants';
import { GatewayConfig, Grant, LocalRoute, BoundaryConfig, speaksHttp, Upstream } from '../model/model';
import { PREFIX } from '../model/names';

/*
 * The one EnvoyFilter that every boundary gateway has. It enforces the rules for methods, paths and callers a second
 * time, and limits how much the traffic of one peer can affect another. Istio has no field for either (docs/adr/0034,
 * docs/adr/0035).
 */

const { GATEWAY } = EnvoyFilterSpecConfigPatchesMatchContext;
const { CLUSTER, FILTER_UNDERSCORE_CHAIN: FILTER_CHAIN, LISTENER, VIRTUAL_UNDERSCORE_HOST: VIRTUAL_HOST } = EnvoyFilterSpecConfigPatchesApplyTo;
const { MERGE, INSERT_UNDERSCORE_FIRST: INSERT_FIRST, INSERT_UNDERSCORE_BEFORE: INSERT_BEFORE } = EnvoyFilterSpecConfigPatchesPatchOperation;

/**
 * Name of the boundary's RBAC filter in Envoy. Istio's own RBAC filter has another name, so these rules never replace a
 * policy.
 */
const RBAC_FILTER = 'mesh-federation.rules';

/** The EnvoyFilter of the ingress gateway. */
export function renderIngressEdge(scope: Construct, config: BoundaryConfig, grants: () => Grant[]): ApiObject {
  return edge(scope, config.ingress, `${PREFIX.ingress}-edge`, () => {
    const httpGrants = grants().filter(({ port }) => speaksHttp(port.protocol));
    const servers = serversOf(config.ingress, httpGrants);
    return [
      ...denyByDefault(servers),
      ...withoutSessionResumption(serversOf(config.ingress, grants())),
      ...connectionManagers(config, config.ingress, servers),
      ...config.ingress.control.listeners ? [...listenerBuffer(config), listenerKeepAlive(config), connectionPerDownstream()] : [],
      ...httpGrants.map(({ sni, operations }) => virtualHostRules(sni, allowedOperations(operations))),
    ];
  });
}

/** The EnvoyFilter of the egress gateway. */
export function renderEgressEdge(scope: Construct, config: BoundaryConfig, routes: () => LocalRoute[]): ApiObject {
  return edge(scope, config.egress, `${PREFIX.egress}-edge`, () => [
    ...denyByDefault([{}]),
    ...withoutSessionResumption([{}]),
    ...connectionManagers(config, config.egress, [{}]),
    ...listenerBuffer(config),
    connectionPerDownstream(),
    ...unacknowledgedTimeouts(routes().map(({ upstream }) => upstream)),
    ...routes().map(({ binding, bindingHost, upstream }) => {
      const rbac = allowedPrincipals(binding.callers.map(({ principal }) => principal));
      return speaksHttp(upstream.protocol) ? virtualHostRules(bindingHost, rbac) : connectionRules(bindingHost, rbac);
    }),
  ]);
}

/** Its patches are applied before those of options, so that a denied request does not count against a limit. */
function edge(scope: Construct, gateway: GatewayConfig, name: string, patches: () => EnvoyFilterSpecConfigPatches[]): ApiObject {
  return envoyFilter(scope, gateway, name, patches, -10);
}

/**
 * Denies every request whose virtual host has no rules. The filter itself contains no rules and is the same in all
 * filter chains: a changed filter chain would drain its connections.
 */
function denyByDefault(servers: object[]): EnvoyFilterSpecConfigPatches[] {
  return servers.map((server) => httpFilter(server, ROUTER, INSERT_BEFORE, {
    name: RBAC_FILTER,
    typed_config: { '@type': `${EXTENSIONS}.http.rbac.v3.RBAC`, 'rules': DENY_ALL },
  }));
}

/** The rules of one virtual host. They are part of the routes, which Envoy replaces without draining a connection. */
function virtualHostRules(sni: string, rules: Rbac): EnvoyFilterSpecConfigPatches {
  return {
    applyTo: VIRTUAL_HOST,
    match: { context: GATEWAY, routeConfiguration: { vhost: { name: `${sni}:${BOUNDARY_PORT}` } } },
    patch: {
      operation: MERGE,
      value: {
        typed_per_filter_config: {
          [RBAC_FILTER]: { '@type': `${EXTENSIONS}.http.rbac.v3.RBACPerRoute`, 'rbac': { rules } },
        },
      },
    },
  };
}

/** The rules of one TCP or TLS server: a filter in the filter chain of this server only. */
function connectionRules(sni: string, rules: Rbac): EnvoyFilterSpecConfigPatches {
  return networkFilter({ sni }, INSERT_FIRST, {
    name: RBAC_FILTER,
    typed_config: { '@type': `${EXTENSIONS}.network.rbac.v3.RBAC`, rules, 'stat_prefix': 'federation_' },
  });
}

/**
 * Settings of the HTTP connection managers. `allow_connect` is for WebSockets, which arrive as extended CONNECT over
 * HTTP/2. The limits of a connection are here only if the ProxyConfig of the pods cannot set them: on existing
 * gateways, and before Istio 1.31.
 */
function connectionManagers(config: BoundaryConfig, gateway: GatewayConfig, servers: object[]): EnvoyFilterSpecConfigPatches[] {
  const limits: Partial<ReturnType<typeof connectionManagerSettings>> =
    !gateway.control.pods || !config.connectionSettings ? connectionManagerSettings(config) : {};
  const { http2_protocol_options: http2, ...settings } = limits;
  return servers.map((server) => connectionManager(server, {
    ...settings,
    // An invalid request ends its own stream, and not the connection with the requests of other callers.
    http2_protocol_options: { allow_connect: true, override_stream_error_on_invalid_http_message: true, ...http2 },
  }));
}

/**
 * Disables TLS session resumption. In a resumed session Envoy does not verify the certificate again, so the session
 * could outlive the certificate that it began with.
 */
function withoutSessionResumption(servers: { readonly sni?: string }[]): EnvoyFilterSpecConfigPatches[] {
  return servers.map(({ sni }) => ({
    applyTo: FILTER_CHAIN,
    match: { context: GATEWAY, listener: { portNumber: BOUNDARY_PORT, filterChain: sni === undefined ? undefined : { sni } } },
    patch: {
      operation: MERGE,
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
  }));
}

/** Buffer limit of the listener, unless the ProxyConfig of the pods sets it. */
function listenerBuffer(config: BoundaryConfig): EnvoyFilterSpecConfigPatches[] {
  return config.connectionSettings ? [] : [listenerPatch({ per_connection_buffer_limit_bytes: CONNECTION_BUFFER })];
}

/**
 * TCP keep-alive probes towards peers. They keep idle connections of peers that send none, and end those of a peer that
 * vanished. Accepted sockets inherit the options of the listener's socket (SO_KEEPALIVE, TCP_KEEPIDLE, TCP_KEEPINTVL,
 * TCP_KEEPCNT of Linux). Istio has no field for them.
 */
function listenerKeepAlive(config: BoundaryConfig): EnvoyFilterSpecConfigPatches {
  const { time, interval, probes } = keepAlive(config);
  return listenerPatch({
    socket_options: [[1, 9, 1], [6, 4, time], [6, 5, interval], [6, 6, probes]].map(([level, name, value]) =>
      ({ description: 'keep-alive', level, name, int_value: value, state: 'STATE_PREBIND' })),
  });
}

function listenerPatch(value: object): EnvoyFilterSpecConfigPatches {
  return { applyTo: LISTENER, match: { context: GATEWAY, listener: { portNumber: BOUNDARY_PORT } }, patch: { operation: MERGE, value } };
}

/**
 * Opens upstream connections of its own for each downstream connection. Envoy closes a connection on which many streams
 * were reset early, and stops reading from one whose reader is slow: both then affect only the peer, or the caller,
 * that caused them.
 */
function connectionPerDownstream(): EnvoyFilterSpecConfigPatches {
  return {
    applyTo: CLUSTER,
    match: { context: GATEWAY },
    patch: { operation: MERGE, value: CONNECTION_PER_DOWNSTREAM },
  };
}

/**
 * Milliseconds after which unacknowledged data ends a connection to a peer. Longer for TCP and TLS ports, whose
 * sessions should survive a short network outage.
 */
const UNACKNOWLEDGED_TIMEOUT = { http: 3_000, tcp: 30_000 };

/**
 * Ends connections to an address that no longer answers. Otherwise the kernel repeats lost data for many minutes, and
 * the requests of an HTTP/2 connection, new ones included, wait until their callers give up. Istio has no field for
 * this socket option (TCP_USER_TIMEOUT).
 */
function unacknowledgedTimeouts(upstreams: Upstream[]): EnvoyFilterSpecConfigPatches[] {
  const tcpSnis = upstreams.filter(({ protocol }) => !speaksHttp(protocol)).map(({ sni }) => sni);
  return [
    tcpUserTimeout(UNACKNOWLEDGED_TIMEOUT.http),
    // Envoy sets the options of a socket in their order, so the last one applies.
    ...[...new Set(tcpSnis)].map((service) => tcpUserTimeout(UNACKNOWLEDGED_TIMEOUT.tcp, service)),
  ];
}

/** Sets TCP_USER_TIMEOUT for the clusters of one service, or for all clusters. */
function tcpUserTimeout(milliseconds: number, service?: string): EnvoyFilterSpecConfigPatches {
  const option = { description: 'TCP_USER_TIMEOUT', level: 6, name: 18, int_value: milliseconds, state: 'STATE_PREBIND' };
  return {
    applyTo: CLUSTER,
    match: { context: GATEWAY, cluster: service === undefined ? undefined : { service } },
    patch: { operation: MERGE, value: { upstream_bind_config: { socket_options: [option] } } },
  };
}
