import { BoundaryConfig } from '../model/model';

/*
 * Limits of one connection at a boundary gateway. Envoy's defaults suit peers that trust each other: 16 MiB for each
 * HTTP/2 stream, and no timeout for request headers. Figures and reasons: docs/adr/0035.
 */

/** Bytes that Envoy buffers for a connection before it stops reading. */
export const CONNECTION_BUFFER = 32 * 1024;
/**
 * Fields of an Envoy cluster that opens an upstream connection of its own for each downstream connection, with buffers
 * of that size.
 */
export const CONNECTION_PER_DOWNSTREAM = { connection_pool_per_downstream_connection: true, per_connection_buffer_limit_bytes: CONNECTION_BUFFER };
/**
 * Flow-control window of one HTTP/2 stream, in bytes. With a round trip of 50 ms, 256 KiB allow 5 MB/s for each stream.
 */
const STREAM_WINDOW = 256 * 1024;
/** Flow-control window of one HTTP/2 connection, in bytes. */
export const CONNECTION_WINDOW = 1024 * 1024;
/**
 * Flow-control window of an HTTP/2 stream between the gateway and a locked workload, in bytes. The round trip inside a
 * cluster is short, so a small window does not reduce the throughput.
 */
export const WORKLOAD_STREAM_WINDOW = 64 * 1024;
/**
 * Maximum number of concurrent streams of an HTTP/2 connection. A client with more requests opens another connection.
 * Our own clients are configured with the same number, so that none of their first requests is rejected.
 */
export const MAX_STREAMS = 100;
/** Maximum time from the first byte of a request's headers to the last. */
const HEADERS_TIMEOUT = '10s';
/** Idle timeout of a stream without data in either direction. Long, because a WebSocket or a watch may be silent. */
const STREAM_IDLE_TIMEOUT = '3600s';

/**
 * TCP keep-alive probes, in seconds. The first is sent in time to keep the connection in the tables of load balancers
 * and NAT; a connection whose probes are not answered ends before they would have dropped it.
 */
export function keepAlive({ networkIdleSeconds }: BoundaryConfig) {
  return { time: Math.floor(networkIdleSeconds / 2), interval: Math.floor(networkIdleSeconds / 8), probes: 3 };
}

/**
 * The limits as fields of Istio's ProxyConfig (Istio 1.31). Its profile EDGE would also end long uploads, and streams
 * that are silent for five minutes.
 */
export function connectionSettings({ underscoresAllowed }: BoundaryConfig) {
  return {
    listenerPerConnectionBufferLimitBytes: CONNECTION_BUFFER,
    httpMaxConcurrentStreams: MAX_STREAMS,
    http2InitialStreamWindowSize: STREAM_WINDOW,
    http2InitialConnectionWindowSize: CONNECTION_WINDOW,
    httpRequestHeadersTimeout: HEADERS_TIMEOUT,
    httpStreamIdleTimeout: STREAM_IDLE_TIMEOUT,
    ...underscoresAllowed ? {} : { httpHeadersWithUnderscoresAction: 'HEADERS_WITH_UNDERSCORES_REJECT_REQUEST' },
  };
}

/** The limits as fields of Envoy's HTTP connection manager, for Istio before 1.31 and for shared gateways. */
export function connectionManagerSettings({ underscoresAllowed }: BoundaryConfig) {
  return {
    http2_protocol_options: {
      max_concurrent_streams: MAX_STREAMS, initial_stream_window_size: STREAM_WINDOW, initial_connection_window_size: CONNECTION_WINDOW,
    },
    request_headers_timeout: HEADERS_TIMEOUT,
    stream_idle_timeout: STREAM_IDLE_TIMEOUT,
    ...underscoresAllowed ? {} : { common_http_protocol_options: { headers_with_underscores_action: 'REJECT_REQUEST' } },
  };
}
