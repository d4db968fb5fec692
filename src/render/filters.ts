import { ApiObject } from 'cdk8s';
import { Construct } from 'constructs';
import { durationText } from './duration';
import { emit } from './emit';
import {
  EnvoyFilter, EnvoyFilterSpec, EnvoyFilterSpecConfigPatches, EnvoyFilterSpecConfigPatchesApplyTo, EnvoyFilterSpecConfigPatchesMatchContext,
  EnvoyFilterSpecConfigPatchesPatchOperation,
} from '../../imports/networking.istio.io';
import { BOUNDARY_PORT } from '../model/constants';
import { BoundaryConfig, GatewayConfig, Grant, IngressLimits, Peer, speaksHttp } from '../model/model';
import { exportObjectName, PREFIX, singleObjectName } from '../model/names';

/*
 * EnvoyFilters for options that Istio has no field for. The admission policy allows each by its name. docs/adr/0017 has
 * the figures on real proxies, docs/versions.md the Istio versions that each option supports.
 */

const { GATEWAY } = EnvoyFilterSpecConfigPatchesMatchContext;
const { NETWORK_UNDERSCORE_FILTER: NETWORK_FILTER, HTTP_UNDERSCORE_FILTER: HTTP_FILTER } = EnvoyFilterSpecConfigPatchesApplyTo;
const {
  MERGE, REMOVE, INSERT_UNDERSCORE_FIRST: INSERT_FIRST, INSERT_UNDERSCORE_BEFORE: INSERT_BEFORE,
} = EnvoyFilterSpecConfigPatchesPatchOperation;

export const EXTENSIONS = 'type.googleapis.com/envoy.extensions.filters';
const HTTP_MANAGER = 'envoy.filters.network.http_connection_manager';
const TCP_PROXY = 'envoy.filters.network.tcp_proxy';
/** Verifies JWTs, and writes the claims of a verified token into dynamic metadata under this name. */
export const JWT_FILTER = 'envoy.filters.http.jwt_authn';
/** The last HTTP filter. It always exists. */
export const ROUTER = 'envoy.filters.http.router';

/**
 * Annotation that suppresses two warnings of `istioctl analyze`: one for every EnvoyFilter, and one for a filter that
 * is inserted before another. The other one is Envoy's router, which always exists.
 */
export const ANALYZE_SUPPRESSIONS = { 'galley.istio.io/analyze-suppress': 'IST0133,IST0151' };

/**
 * Connects to the backends of TCP and TLS ports only after the caller's TLS handshake. By default, Envoy connects at
 * once.
 */
export function renderConnectAfterHandshake(scope: Construct, gateway: GatewayConfig, grants: () => Grant[]): ApiObject {
  return envoyFilter(scope, gateway, `${PREFIX[gateway.role]}-connect-after-tls`, () => {
    const servers = serversOf(gateway, grants().filter(({ port }) => !speaksHttp(port.protocol)));
    return servers.map((server) => tcpProxy(server, { upstream_connect_mode: 'ON_DOWNSTREAM_TLS_HANDSHAKE', max_early_data_bytes: 0 }));
  });
}

/**
 * Idle timeout of connections to one server, in milliseconds. TCP and TLS: no bytes; HTTP and gRPC: no active request.
 */
export function renderIdleTimeout(scope: Construct, config: BoundaryConfig, grant: Grant, idleTimeout: number): ApiObject {
  const { port: { exportName, exportPort }, peer } = grant;
  return envoyFilter(scope, config.ingress, exportObjectName(`${PREFIX.ingress}-idle`, exportName, exportPort, peer.name), () =>
    [connectionPatch(grant, { idle_timeout: durationText(idleTimeout) }, { idle_timeout: durationText(idleTimeout) })]);
}

/**
 * Disables JWT checks for grants that require no token. A RequestAuthentication makes a gateway reject every other
 * bearer token on every port, but without a requirement it is the backend that checks tokens.
 */
export function renderJwtDisabled(scope: Construct, config: BoundaryConfig, grants: () => Grant[]): ApiObject {
  return envoyFilter(scope, config.ingress, `${PREFIX.ingress}-jwt-elsewhere`, () => grants().map(({ sni }) =>
    httpFilter({ sni }, JWT_FILTER, REMOVE)));
}

/**
 * The limits of a peer, one patch for each server: Envoy counts connections and requests for each filter chain by
 * itself.
 */
export function renderLimits(scope: Construct, config: BoundaryConfig, peer: Peer, limits: IngressLimits, grants: () => Grant[]): ApiObject {
  return envoyFilter(scope, config.ingress, singleObjectName(`${PREFIX.ingress}-limits`, peer.name), () => grants().flatMap((grant) => limitPatches(grant, limits)));
}

/** The limits of a peer at one server. TCP and TLS ports have no rate of requests. */
export function limitPatches(grant: Grant, limits: IngressLimits): EnvoyFilterSpecConfigPatches[] {
  const { maxConnections, maxConnectionDuration, requestsPerSecond } = limits;
  const { sni } = grant;
  return [
    ...maxConnections === undefined ? [] : [networkFilter({ sni }, INSERT_FIRST, {
      name: 'envoy.filters.network.connection_limit',
      typed_config: {
        '@type': `${EXTENSIONS}.network.connection_limit.v3.ConnectionLimit`, 'stat_prefix': 'federation', 'max_connections': maxConnections,
      },
    })],
    ...maxConnectionDuration === undefined ? [] : [connectionPatch(grant,
      { max_connection_duration: durationText(maxConnectionDuration) },
      { max_downstream_connection_duration: durationText(maxConnectionDuration) },
    )],
    ...requestsPerSecond === undefined || !speaksHttp(grant.port.protocol) ? [] : [httpFilter(
      // After RBAC, so that rejected requests consume no tokens.
      { sni }, ROUTER, INSERT_BEFORE, {
        name: 'envoy.filters.http.local_ratelimit',
        typed_config: {
          '@type': `${EXTENSIONS}.http.local_ratelimit.v3.LocalRateLimit`,
          'stat_prefix': 'federation',
          'token_bucket': { max_tokens: requestsPerSecond, tokens_per_fill: requestsPerSecond, fill_interval: '1s' },
          'filter_enabled': { default_value: { numerator: 100 } },
          'filter_enforced': { default_value: { numerator: 100 } },
          // Otherwise gRPC callers get UNAVAILABLE, which their sidecars retry.
          'rate_limited_as_resource_exhausted': true,
        },
      },
    )],
  ];
}

/** Connection settings of one server: HTTP and TCP proxies of Envoy have different names for them. */
function connectionPatch({ sni, port: { protocol } }: Grant, httpFields: object, tcpFields: object): EnvoyFilterSpecConfigPatches {
  return speaksHttp(protocol) ? connectionManager({ sni }, { common_http_protocol_options: httpFields }) : tcpProxy({ sni }, tcpFields);
}

/** Creates an EnvoyFilter for the pods of one gateway. Patches of a lower priority are applied first. */
export function envoyFilter(
  scope: Construct, gateway: GatewayConfig, name: string, patches: () => EnvoyFilterSpecConfigPatches[], priority?: number,
): ApiObject {
  return emit<EnvoyFilterSpec>(scope, EnvoyFilter.GVK, { name, namespace: gateway.namespaceName, annotations: ANALYZE_SUPPRESSIONS }, () => ({
    workloadSelector: { labels: gateway.selector },
    priority,
    configPatches: patches(),
  }));
}

/**
 * The servers that a patch must match: on a shared gateway the boundary's own one by one, since the port may have
 * servers of other owners. On the boundary's own gateway one match without SNI covers all servers.
 */
export function serversOf(gateway: GatewayConfig, own: { readonly sni: string }[]): { readonly sni?: string }[] {
  return gateway.control.listeners ? [{}] : own.map(({ sni }) => ({ sni }));
}

/** A patch at one HTTP filter of a server, or of all servers if `server` has no SNI. */
export function httpFilter(
  server: object, name: string, operation: EnvoyFilterSpecConfigPatchesPatchOperation, value?: object,
): EnvoyFilterSpecConfigPatches {
  return patch(HTTP_FILTER, { ...server, filter: { name: HTTP_MANAGER, subFilter: { name } } }, operation, value);
}

/** A patch of the HTTP connection manager of a server, or of all servers if `server` has no SNI. */
export function connectionManager(server: object, fields: object): EnvoyFilterSpecConfigPatches {
  return connectionManagerPatch(GATEWAY, { portNumber: BOUNDARY_PORT, filterChain: server }, fields);
}

/** A patch of the HTTP connection managers of listeners, at gateways or sidecars. */
export function connectionManagerPatch(
  context: EnvoyFilterSpecConfigPatchesMatchContext, listener: { readonly portNumber?: number; readonly filterChain?: object }, fields: object,
): EnvoyFilterSpecConfigPatches {
  return {
    applyTo: NETWORK_FILTER,
    match: { context, listener: { ...listener, filterChain: { ...listener.filterChain, filter: { name: HTTP_MANAGER } } } },
    patch: {
      operation: MERGE,
      value: { typed_config: { '@type': `${EXTENSIONS}.network.http_connection_manager.v3.HttpConnectionManager`, ...fields } },
    },
  };
}

/** A patch of the TCP proxy of a server, or of all servers if `server` has no SNI. */
function tcpProxy(server: object, fields: object): EnvoyFilterSpecConfigPatches {
  return networkFilter({ ...server, filter: { name: TCP_PROXY } }, MERGE, {
    typed_config: { '@type': `${EXTENSIONS}.network.tcp_proxy.v3.TcpProxy`, ...fields },
  });
}

/** A patch of the network filters of a server, or of all servers if `server` has no SNI. */
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
