import { ApiObject } from 'cdk8s';
import { Construct } from 'constructs';
import { CONNECTION_BUFFER, connectionManagerSettings, CONNECTION_PER_DOWNSTREAM } from './connection-settings';
import { connectionManager, envoyFilter, EXTENSIONS, httpFilter, networkFilter, serversOf } from './filters';
import { allowedOperations, allowedPrincipals, NOTHING, Rbac } from './rbac';
import {
  EnvoyFilterSpecConfigPatches, EnvoyFilterSpecConfigPatchesApplyTo, EnvoyFilterSpecConfigPatchesMatchContext,
  EnvoyFilterSpecConfigPatchesPatchOperation,
} from '../../imports/networking.istio.io';
import { BOUNDARY_PORT } from '../model/constants';
import { GatewayConfig, Grant, LocalRoute, BoundaryConfig, speaksHttp, Upstream } from '../model/model';

/*
 * The one EnvoyFilter that every boundary gateway has: the second control for methods, paths and callers, and what keeps the traffic of one
 * peer from costing another. Istio has no field for either (docs/adr/0034, docs/adr/0035).
 */

const { GATEWAY } = EnvoyFilterSpecConfigPatchesMatchContext;
const { CLUSTER, FILTER_UNDERSCORE_CHAIN: FILTER_CHAIN, LISTENER, VIRTUAL_UNDERSCORE_HOST: VIRTUAL_HOST } = EnvoyFilterSpecConfigPatchesApplyTo;
const { MERGE, INSERT_UNDERSCORE_FIRST: INSERT_FIRST, INSERT_UNDERSCORE_BEFORE: INSERT_BEFORE } = EnvoyFilterSpecConfigPatchesPatchOperation;

/** Name of our RBAC filter in Envoy. Istio's own filter has another one, so our rules never replace a policy. */
const RULES = 'mesh-federation.rules';

/** What the ingress gateway needs of Envoy for the grants. */
export function renderIngressEdge(scope: Construct, config: BoundaryConfig, grants: () => Grant[]): ApiObject {
  return edge(scope, config.ingress, 'fed-in-edge', () => {
    const ofRequests = grants().filter(({ port }) => speaksHttp(port.protocol));
    const servers = serversOf(config.ingress, ofRequests);
    return [
      ...deniedByDefault(servers),
      ...fullHandshakes(serversOf(config.ingress, grants())),
      ...connectionManagers(config, config.ingress, servers),
      ...config.ingress.control.listeners ? [...listenerBuffer(config), poolsApart()] : [],
      ...ofRequests.map(({ sni, operations }) => rulesOf(sni, allowedOperations(operations))),
    ];
  });
}

/** What the egress gateway needs of Envoy for the local names. */
export function renderEgressEdge(scope: Construct, config: BoundaryConfig, routes: () => LocalRoute[]): ApiObject {
  return edge(scope, config.egress, 'fed-out-edge', () => [
    ...deniedByDefault([{}]),
    ...fullHandshakes([{}]),
    ...connectionManagers(config, config.egress, [{}]),
    ...listenerBuffer(config),
    poolsApart(),
    ...deadConnections(routes().map(({ upstream }) => upstream)),
    ...routes().map(({ binding: binding, bindingHost, upstream }) => {
      const rbac = allowedPrincipals(binding.callers.map(({ principal }) => principal));
      return speaksHttp(upstream.protocol) ? rulesOf(bindingHost, rbac) : connectionsOf(bindingHost, rbac);
    }),
  ]);
}

/** Before the patches that options ask for: a request that is denied takes nothing of a limit. */
function edge(scope: Construct, gateway: GatewayConfig, name: string, patches: () => EnvoyFilterSpecConfigPatches[]): ApiObject {
  return envoyFilter(scope, gateway, name, patches, -10);
}

/** Every request is denied unless its virtual host brings rules: the filter is the same in all filter chains, so no rule changes one. */
function deniedByDefault(servers: object[]): EnvoyFilterSpecConfigPatches[] {
  return servers.map((server) => httpFilter(server, 'envoy.filters.http.router', INSERT_BEFORE, {
    name: RULES,
    typed_config: { '@type': `${EXTENSIONS}.http.rbac.v3.RBAC`, 'rules': NOTHING },
  }));
}

/** Rules come with the routes, which Envoy replaces without draining a connection. */
function rulesOf(sni: string, rules: Rbac): EnvoyFilterSpecConfigPatches {
  return {
    applyTo: VIRTUAL_HOST,
    match: { context: GATEWAY, routeConfiguration: { vhost: { name: `${sni}:${BOUNDARY_PORT}` } } },
    patch: {
      operation: MERGE,
      value: {
        typed_per_filter_config: {
          [RULES]: { '@type': `${EXTENSIONS}.http.rbac.v3.RBACPerRoute`, 'rbac': { rules } },
        },
      },
    },
  };
}

/** The same for bytes: a filter of this server's chain alone. */
function connectionsOf(sni: string, rules: Rbac): EnvoyFilterSpecConfigPatches {
  return networkFilter({ sni }, INSERT_FIRST, {
    name: RULES,
    typed_config: { '@type': `${EXTENSIONS}.network.rbac.v3.RBAC`, rules, 'stat_prefix': 'federation_' },
  });
}

/**
 * A WebSocket comes as extended CONNECT where the hop speaks HTTP/2, and leaves as what the next hop speaks. What a connection may cost stands
 * in the pods' ProxyConfig, unless others own the pods or their Istio has no such field.
 */
function connectionManagers(config: BoundaryConfig, gateway: GatewayConfig, servers: object[]): EnvoyFilterSpecConfigPatches[] {
  const limits: Partial<ReturnType<typeof connectionManagerSettings>> =
    !gateway.control.pods || !config.connectionSettings ? connectionManagerSettings(config) : {};
  const { http2_protocol_options: http2, ...settings } = limits;
  return servers.map((server) => connectionManager(server, {
    ...settings,
    // A request that is no valid HTTP ends its stream, and not the connection with the requests of others.
    http2_protocol_options: { allow_connect: true, override_stream_error_on_invalid_http_message: true, ...http2 },
  }));
}

/** A resumed session is not asked for a certificate again: it would outlive the one that it began with. */
function fullHandshakes(servers: { readonly sni?: string }[]): EnvoyFilterSpecConfigPatches[] {
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

function listenerBuffer(config: BoundaryConfig): EnvoyFilterSpecConfigPatches[] {
  if (config.connectionSettings) return [];
  const match = { context: GATEWAY, listener: { portNumber: BOUNDARY_PORT } };
  return [{ applyTo: LISTENER, match, patch: { operation: MERGE, value: { per_connection_buffer_limit_bytes: CONNECTION_BUFFER } } }];
}

/**
 * A connection that comes in has connections onward of its own. Envoy closes a connection on which many streams were reset early, and
 * stops reading from one whose reader is slow: both stay with the peer, or with the caller, that caused them.
 */
function poolsApart(): EnvoyFilterSpecConfigPatches {
  return {
    applyTo: CLUSTER,
    match: { context: GATEWAY },
    patch: { operation: MERGE, value: CONNECTION_PER_DOWNSTREAM },
  };
}

/** Milliseconds after which data that a peer does not acknowledge ends a connection. A session of TCP outlives a short outage of the line. */
const UNACKNOWLEDGED = { requests: 3_000, bytes: 30_000 };

/**
 * The requests of an HTTP/2 connection to an address that went silent would wait until their callers give up, and new ones would join them:
 * the kernel repeats lost data for many minutes. Istio has no field for this option of the socket.
 */
function deadConnections(upstreams: Upstream[]): EnvoyFilterSpecConfigPatches[] {
  const ofBytes = upstreams.filter(({ protocol }) => !speaksHttp(protocol)).map(({ sni }) => sni);
  return [
    unacknowledged(UNACKNOWLEDGED.requests),
    // Envoy sets the options of a socket in their order: the last one counts.
    ...[...new Set(ofBytes)].map((service) => unacknowledged(UNACKNOWLEDGED.bytes, service)),
  ];
}

/** For the clusters of one service, or for all. */
function unacknowledged(milliseconds: number, service?: string): EnvoyFilterSpecConfigPatches {
  const option = { description: 'TCP_USER_TIMEOUT', level: 6, name: 18, int_value: milliseconds, state: 'STATE_PREBIND' };
  return {
    applyTo: CLUSTER,
    match: { context: GATEWAY, cluster: service === undefined ? undefined : { service } },
    patch: { operation: MERGE, value: { upstream_bind_config: { socket_options: [option] } } },
  };
}
