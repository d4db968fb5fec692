import { ApiObject } from 'cdk8s';
import { Construct } from 'constructs';
import { emit } from './emit';
import { durationText } from './http';
import {
  EnvoyFilter, EnvoyFilterSpec, EnvoyFilterSpecConfigPatches, EnvoyFilterSpecConfigPatchesApplyTo, EnvoyFilterSpecConfigPatchesMatchContext,
  EnvoyFilterSpecConfigPatchesPatchOperation,
} from '../../imports/networking.istio.io';
import { BOUNDARY_PORT } from '../model/constants';
import { GatewayConfig, Grant, Peer, PeerLimits, BoundaryConfig, speaksHttp } from '../model/model';
import { exportObjectName, singleObjectName } from '../model/names';

/*
 * What only Envoy can do. Each filter is asked for by an option, is known to the admission policy by its name, and was seen to work with
 * the versions of Istio for which the option is accepted (docs/adr/0017 has the figures).
 */

const { GATEWAY } = EnvoyFilterSpecConfigPatchesMatchContext;
const { NETWORK_UNDERSCORE_FILTER: NETWORK_FILTER, HTTP_UNDERSCORE_FILTER: HTTP_FILTER } = EnvoyFilterSpecConfigPatchesApplyTo;
const {
  MERGE, REMOVE, INSERT_UNDERSCORE_FIRST: INSERT_FIRST, INSERT_UNDERSCORE_BEFORE: INSERT_BEFORE,
} = EnvoyFilterSpecConfigPatchesPatchOperation;

export const EXTENSIONS = 'type.googleapis.com/envoy.extensions.filters';
export const HTTP_MANAGER = 'envoy.filters.network.http_connection_manager';
export const CONNECTION_MANAGER = `${EXTENSIONS}.network.http_connection_manager.v3.HttpConnectionManager`;
const TCP_PROXY = 'envoy.filters.network.tcp_proxy';

/** `istioctl analyze` warns of every EnvoyFilter, and of one that is put before another: Envoy's router is always there. */
export const FILTER_WARNINGS = { 'galley.istio.io/analyze-suppress': 'IST0133,IST0151' };

/** Backends of TCP and TLS ports are connected once the caller has shown who it is: Envoy's way is to connect at once. */
export function renderConnectAfterHandshake(scope: Construct, gateway: GatewayConfig, grants: () => Grant[]): ApiObject {
  return envoyFilter(scope, gateway, gateway.role === 'ingress' ? 'fed-in-connect-after-tls' : 'fed-out-connect-after-tls', () => {
    const servers = serversOf(gateway, grants().filter(({ port }) => !speaksHttp(port.protocol)));
    return servers.map((server) => tcpProxy(server, { upstream_connect_mode: 'ON_DOWNSTREAM_TLS_HANDSHAKE', max_early_data_bytes: 0 }));
  });
}

/** How long a connection to one server may be silent. */
export function renderIdleTimeout(scope: Construct, config: BoundaryConfig, grant: Grant, idleTimeout: number): ApiObject {
  const { port: { exportName, exportPort }, peer } = grant;
  return envoyFilter(scope, config.ingress, exportObjectName('fed-in-idle', exportName, exportPort, peer.name), () =>
    [onConnection(grant, { idle_timeout: durationText(idleTimeout) }, { idle_timeout: durationText(idleTimeout) })]);
}

/** A gateway that knows an issuer refuses every other bearer token on every port: where none is demanded, tokens are the backend's business. */
export function renderTokensElsewhere(scope: Construct, config: BoundaryConfig, grants: () => Grant[]): ApiObject {
  return envoyFilter(scope, config.ingress, 'fed-in-jwt-elsewhere', () => grants().map(({ sni }) =>
    httpFilter({ sni }, 'envoy.filters.http.jwt_authn', REMOVE)));
}

/** The limits of a peer, server by server: Envoy adds up nothing over several. */
export function renderLimits(scope: Construct, config: BoundaryConfig, peer: Peer, limits: PeerLimits, grants: () => Grant[]): ApiObject {
  return envoyFilter(scope, config.ingress, singleObjectName('fed-in-limits', peer.name), () => grants().flatMap((grant) => limitsOn(grant, limits)));
}

/** What holds for one server. A request is no connection: bytes have no rate. */
export function limitsOn(grant: Grant, limits: PeerLimits): EnvoyFilterSpecConfigPatches[] {
  const { maxConnections, maxConnectionDuration, requestsPerSecond } = limits;
  const { sni } = grant;
  return [
    ...maxConnections === undefined ? [] : [networkFilter({ sni }, INSERT_FIRST, {
      name: 'envoy.filters.network.connection_limit',
      typed_config: {
        '@type': `${EXTENSIONS}.network.connection_limit.v3.ConnectionLimit`, 'stat_prefix': 'federation', 'max_connections': maxConnections,
      },
    })],
    ...maxConnectionDuration === undefined ? [] : [onConnection(grant,
      { max_connection_duration: durationText(maxConnectionDuration) },
      { max_downstream_connection_duration: durationText(maxConnectionDuration) },
    )],
    ...requestsPerSecond === undefined || !speaksHttp(grant.port.protocol) ? [] : [httpFilter(
      // After RBAC, so that rejected requests consume no tokens.
      { sni }, 'envoy.filters.http.router', INSERT_BEFORE, {
        name: 'envoy.filters.http.local_ratelimit',
        typed_config: {
          '@type': `${EXTENSIONS}.http.local_ratelimit.v3.LocalRateLimit`,
          'stat_prefix': 'federation',
          'token_bucket': { max_tokens: requestsPerSecond, tokens_per_fill: requestsPerSecond, fill_interval: '1s' },
          'filter_enabled': { default_value: { numerator: 100 } },
          'filter_enforced': { default_value: { numerator: 100 } },
          // Otherwise gRPC would answer UNAVAILABLE, which the caller's sidecar tries again.
          'rate_limited_as_resource_exhausted': true,
        },
      },
    )],
  ];
}

/** What Envoy calls differently where it sees requests, and where it sees bytes only. */
function onConnection({ sni, port: { protocol } }: Grant, ofRequests: object, ofBytes: object): EnvoyFilterSpecConfigPatches {
  return speaksHttp(protocol) ? connectionManager({ sni }, { common_http_protocol_options: ofRequests }) : tcpProxy({ sni }, ofBytes);
}

/** An EnvoyFilter on the pods of one gateway. Patches of a lower priority are applied first. */
export function envoyFilter(
  scope: Construct, gateway: GatewayConfig, name: string, patches: () => EnvoyFilterSpecConfigPatches[], priority?: number,
): ApiObject {
  return emit<EnvoyFilterSpec>(scope, EnvoyFilter.GVK, { name, namespace: gateway.namespaceName, annotations: FILTER_WARNINGS }, () => ({
    workloadSelector: { labels: gateway.selector },
    priority,
    configPatches: patches(),
  }));
}

/** Which servers a patch names: on the port of a shared gateway, there may be others than ours, and on the port of our own there are none. */
export function serversOf(gateway: GatewayConfig, ours: { readonly sni: string }[]): { readonly sni?: string }[] {
  return gateway.control.listeners ? [{}] : ours.map(({ sni }) => ({ sni }));
}

/** A patch beside one HTTP filter of a server; without its name, of all servers. */
export function httpFilter(
  server: object, name: string, operation: EnvoyFilterSpecConfigPatchesPatchOperation, value?: object,
): EnvoyFilterSpecConfigPatches {
  return patch(HTTP_FILTER, { ...server, filter: { name: HTTP_MANAGER, subFilter: { name } } }, operation, value);
}

/** Fields of the filter that reads the requests of a server; without its name, of all servers. */
export function connectionManager(server: object, fields: object): EnvoyFilterSpecConfigPatches {
  return networkFilter({ ...server, filter: { name: HTTP_MANAGER } }, MERGE, {
    typed_config: { '@type': CONNECTION_MANAGER, ...fields },
  });
}

/** Fields of the filter that passes the bytes of a server on. */
function tcpProxy(server: object, fields: object): EnvoyFilterSpecConfigPatches {
  return networkFilter({ ...server, filter: { name: TCP_PROXY } }, MERGE, {
    typed_config: { '@type': `${EXTENSIONS}.network.tcp_proxy.v3.TcpProxy`, ...fields },
  });
}

/** A patch of the network filters of a server; without its name, of all servers. */
export function networkFilter(
  server: object, operation: EnvoyFilterSpecConfigPatchesPatchOperation, value: object,
): EnvoyFilterSpecConfigPatches {
  return patch(NETWORK_FILTER, server, operation, value);
}

function patch(
  applyTo: EnvoyFilterSpecConfigPatchesApplyTo, filterChain: object, operation: EnvoyFilterSpecConfigPatchesPatchOperation, value?: object,
): EnvoyFilterSpecConfigPatches {
  return { applyTo, match: { context: GATEWAY, listener: { portNumber: BOUNDARY_PORT, filterChain } }, patch: { operation, value } };
}
