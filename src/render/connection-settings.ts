import { BoundaryConfig } from '../model/model';

/*
 * What one connection may cost a boundary gateway. Envoy's own values are for peers that trust each other: 16 MiB for each stream of
 * HTTP/2, and no end to a header that does not arrive. Figures and reasons: docs/adr/0035.
 */

/** Bytes that Envoy buffers for a connection before it stops reading. */
export const CONNECTION_BUFFER = 32 * 1024;
/** A cluster whose connections belong to one connection that comes in each, with buffers of that size. */
export const CONNECTION_PER_DOWNSTREAM = { connection_pool_per_downstream_connection: true, per_connection_buffer_limit_bytes: CONNECTION_BUFFER };
/** Bytes under way for one stream, and for all of a connection. At 50 ms of round trip, 256 KiB carry 5 MB/s for each stream. */
const STREAM_WINDOW = 256 * 1024;
export const CONNECTION_WINDOW = 1024 * 1024;
/** The same for a stream between the gateway and a locked workload: their line is short, so a small window costs nothing. */
export const WORKLOAD_STREAM_WINDOW = 64 * 1024;
/** A client with more requests at a time opens another connection. Our own know it before they are told, so that none is refused. */
export const STREAMS = 100;
/** From the first byte of a request's headers to the last. */
const HEADERS_TIMEOUT = '10s';
/** A stream on which nothing moves in either direction. Long, because a WebSocket or a watch may be silent. */
const STREAM_IDLE_TIMEOUT = '3600s';

/** In the fields of Istio's ProxyConfig (1.31). Its profile EDGE would also end uploads, and streams that are silent for five minutes. */
export function connectionSettings({ underscoresAllowed }: BoundaryConfig) {
  return {
    listenerPerConnectionBufferLimitBytes: CONNECTION_BUFFER,
    httpMaxConcurrentStreams: STREAMS,
    http2InitialStreamWindowSize: STREAM_WINDOW,
    http2InitialConnectionWindowSize: CONNECTION_WINDOW,
    httpRequestHeadersTimeout: HEADERS_TIMEOUT,
    httpStreamIdleTimeout: STREAM_IDLE_TIMEOUT,
    ...underscoresAllowed ? {} : { httpHeadersWithUnderscoresAction: 'HEADERS_WITH_UNDERSCORES_REJECT_REQUEST' },
  };
}

/** The same in the fields of Envoy's HTTP connection manager, for Istio 1.30 and for shared gateways. */
export function connectionManagerSettings({ underscoresAllowed }: BoundaryConfig) {
  return {
    http2_protocol_options: {
      max_concurrent_streams: STREAMS, initial_stream_window_size: STREAM_WINDOW, initial_connection_window_size: CONNECTION_WINDOW,
    },
    request_headers_timeout: HEADERS_TIMEOUT,
    stream_idle_timeout: STREAM_IDLE_TIMEOUT,
    ...underscoresAllowed ? {} : { common_http_protocol_options: { headers_with_underscores_action: 'REJECT_REQUEST' } },
  };
}
