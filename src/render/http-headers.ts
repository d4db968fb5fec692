import { VirtualServiceSpecHttpHeaders } from '../../imports/networking.istio.io';
import {
  FROM_EARLIER_HOPS, FROM_PROXIES, METHOD_OVERRIDES, REMOVED_AT_EGRESS, RESPONSE_HEADERS, TRACE_HEADERS,
} from '../model/header-names';
import { GatewayControl, PeerTraffic, Protocol } from '../model/model';
import { distinct } from '../model/order';

/*
 * HTTP headers that the routes of the boundary gateways set and remove. A VirtualService can only remove headers, never
 * list the allowed ones, so `src/model/header-names.ts` lists the headers that proxies and common frameworks set. An
 * application's own headers pass.
 */

// The gateway's own x-envoy-peer-metadata replaces a forged one later, in a filter; removing it here would remove the
// gateway's.
const REMOVED_FROM_REQUESTS = [...FROM_PROXIES, ...FROM_EARLIER_HOPS, ...METHOD_OVERRIDES, 'x-envoy-original-host'].sort();

const REMOVED_FROM_RESPONSES = [...RESPONSE_HEADERS, 'server', 'via', 'x-powered-by'].sort();

/**
 * Response headers that identify a trace. Each gateway gives a request a new id, but the backend's response may repeat
 * its own.
 */
const TRACE_RESPONSE_HEADERS = [...TRACE_HEADERS, 'traceresponse', 'x-request-id'];

/**
 * Headers at the ingress gateway: a peer cannot forge headers that backends trust, and responses reveal nothing about
 * the backends.
 */
export function ingressHeaders(
  peerName: string, { stripTracing }: PeerTraffic, { requestHeaders }: GatewayControl, protocol: Protocol,
): VirtualServiceSpecHttpHeaders {
  return {
    request: {
      set: {
        'x-federation-peer': peerName,
        // Only the address of the connection: a peer can write any address before it.
        'x-forwarded-for': '%DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT%',
        ...requestHeaders.set,
      },
      remove: union(
        REMOVED_FROM_REQUESTS,
        // gRPC needs `te: trailers`; for other protocols it concerns the next hop only.
        protocol === 'grpc' ? [] : ['te'],
        requestHeaders.remove,
        stripTracing ? TRACE_HEADERS : [],
      ),
    },
    response: { remove: union(REMOVED_FROM_RESPONSES, stripTracing ? TRACE_RESPONSE_HEADERS : []) },
  };
}

/** Headers at the egress gateway: requests to a peer contain no address, workload or local name of our mesh. */
export function egressHeaders({ stripTracing, removeRequestHeaders }: PeerTraffic): VirtualServiceSpecHttpHeaders {
  return {
    request: { remove: union(REMOVED_AT_EGRESS, removeRequestHeaders, stripTracing ? TRACE_HEADERS : []) },
    response: { remove: union(RESPONSE_HEADERS, stripTracing ? TRACE_RESPONSE_HEADERS : []) },
  };
}

/**
 * All lists in one, sorted. Returns the first list itself if the others are empty, which holds for nearly every route.
 */
function union(list: string[], ...more: (readonly string[])[]): string[] {
  return more.every(({ length }) => length === 0) ? list : distinct([list, ...more].flat());
}
