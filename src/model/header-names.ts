/*
 * Names of headers to which proxies, platforms and frameworks give a meaning of their own. An Istio route can only
 * remove headers, never list the allowed ones, so all such names are listed here: the routes remove them, and no rule
 * may require one of them.
 *
 * A header belongs here if it makes a claim about the connection or the request line (address, host, scheme, path,
 * method or certificate of an earlier hop), or if it is an instruction to a proxy. Headers that identify the end user
 * (`authorization`, `x-forwarded-user`, `x-amzn-oidc-data`) or contain application data pass: the peer is responsible
 * for them. `removeRequestHeaders` adds to the lists.
 */

/**
 * Instructions to Envoy, and headers that Envoy and Istio set: they reveal the origin of a request inside a mesh, or
 * how to treat it.
 */
export const FROM_PROXIES = [
  'x-envoy-attempt-count',
  'x-envoy-downstream-service-zone',
  'x-envoy-external-address',
  'x-envoy-hedge-on-per-try-timeout',
  'x-envoy-is-timeout-retry',
  'x-envoy-livenessprobe',
  'x-envoy-original-dst-host',
  'x-envoy-original-method',
  'x-envoy-original-path',
  'x-envoy-original-url',
  'x-envoy-retriable-header-names',
  'x-envoy-retriable-status-codes',
  'x-envoy-upstream-rq-per-try-timeout-ms',
  'x-envoy-upstream-stream-duration-ms',
  'x-istio-attributes',
];

/** Claims about an earlier hop: its address, or the host, scheme, path, method or certificate of its request. */
export const FROM_EARLIER_HOPS = [
  // RFC 7239, RFC 9110, RFC 9440
  'client-cert',
  'client-cert-chain',
  'forwarded',
  'proxy-authorization',
  'via',
  // addresses: CDNs, clouds and load balancers
  'cf-connecting-ip',
  'cf-connecting-ipv6',
  'cloudfront-viewer-address',
  'fastly-client-ip',
  'true-client-ip',
  'x-appengine-user-ip',
  'x-azure-clientip',
  'x-azure-socketip',
  'x-client-ip',
  'x-cluster-client-ip',
  'x-forwarded',
  'x-original-forwarded-for',
  'x-real-ip',
  'x-remote-addr',
  'x-remote-ip',
  // hosts
  'x-forwarded-host',
  'x-forwarded-server',
  'x-host',
  'x-http-host-override',
  'x-original-host',
  // schemes and ports
  'cloudfront-forwarded-proto',
  'front-end-https',
  'x-forwarded-port',
  'x-forwarded-protocol',
  'x-forwarded-scheme',
  'x-forwarded-ssl',
  'x-original-proto',
  'x-scheme',
  'x-url-scheme',
  // paths
  'x-forwarded-context',
  'x-forwarded-path',
  'x-forwarded-prefix',
  'x-forwarded-uri',
  'x-middleware-subrequest',
  'x-original-path',
  'x-original-uri',
  'x-original-url',
  'x-override-url',
  'x-rewrite-path',
  'x-rewrite-url',
  'x-script-name',
  // methods
  'x-forwarded-method',
  'x-original-method',
  // certificates
  'ssl-client-cert',
  'x-amzn-mtls-clientcert',
  'x-amzn-mtls-clientcert-leaf',
  'x-amzn-mtls-clientcert-subject',
  'x-arr-clientcert',
  'x-client-cert',
  'x-forwarded-tls-client-cert',
  'x-forwarded-tls-client-cert-info',
  'x-ssl-client-cert',
  'x-ssl-client-verify',
  // response mode of Rack::Sendfile
  'x-accel-mapping',
  'x-sendfile-type',
];

/** Headers that some frameworks use instead of the request's method. The gateway checks only the method itself. */
export const METHOD_OVERRIDES = ['x-http-method', 'x-http-method-override', 'x-method-override'];

/** Request headers that the ingress gateway sets itself. */
const SET_AT_INGRESS = ['x-federation-peer', 'x-forwarded-client-cert', 'x-forwarded-for', 'x-forwarded-proto'];

/**
 * Response headers that contain a proxy, a workload or an address, or that instruct the next proxy to serve a file or a
 * path of its own.
 */
export const RESPONSE_HEADERS = [
  'x-accel-mapping',
  'x-accel-redirect',
  'x-envoy-decorator-operation',
  'x-envoy-degraded',
  'x-envoy-immediate-health-check-fail',
  'x-envoy-original-dst-host',
  'x-envoy-peer-metadata',
  'x-envoy-peer-metadata-id',
  'x-envoy-upstream-canary',
  'x-envoy-upstream-service-time',
  'x-lighttpd-send-file',
  'x-reproxy-url',
  'x-sendfile',
];

/** Headers of tracing systems with fixed names. Istio's routes cannot remove headers by a prefix of their name. */
export const TRACE_HEADERS = [
  'b3',
  'baggage',
  'elastic-apm-traceparent',
  'grpc-trace-bin',
  'newrelic',
  'sentry-trace',
  'sw8',
  'sw8-correlation',
  'sw8-x',
  'traceparent',
  'tracestate',
  'uber-trace-id',
  'x-amzn-trace-id',
  'x-b3-flags',
  'x-b3-parentspanid',
  'x-b3-sampled',
  'x-b3-spanid',
  'x-b3-traceid',
  'x-client-trace-id',
  'x-cloud-trace-context',
  'x-datadog-origin',
  'x-datadog-parent-id',
  'x-datadog-sampling-priority',
  'x-datadog-tags',
  'x-datadog-trace-id',
  'x-instana-l',
  'x-instana-s',
  'x-instana-t',
  'x-ot-span-context',
];

/** Request headers that the egress gateway removes for every peer. */
export const REMOVED_AT_EGRESS = [
  ...FROM_PROXIES, ...FROM_EARLIER_HOPS, 'x-envoy-decorator-operation', 'x-envoy-peer-metadata', 'x-envoy-peer-metadata-id', 'x-federation-peer',
  'x-forwarded-client-cert', 'x-forwarded-for',
].sort();

/** Headers of HTTP framing and routing, as alternatives of a regular expression: every proxy reads and writes them. */
export const FRAMING = 'host|connection|content-length|expect|keep-alive|te|trailer|transfer-encoding|upgrade';

/** Prefixes of further headers that proxies write or remove. */
const PROXY_PREFIXES = /^x-(forwarded|original|envoy)-./;
const BY_NAME = new Set([...FROM_PROXIES, ...FROM_EARLIER_HOPS, ...METHOD_OVERRIDES, ...SET_AT_INGRESS, 'x-request-id']);
const FRAMING_PATTERN = new RegExp(`^(${FRAMING})$`);

/**
 * Whether a proxy along the path reads, writes or removes the header, so that no rule can rely on the application's
 * value.
 */
export function belongsToProxies(name: string): boolean {
  return FRAMING_PATTERN.test(name) || BY_NAME.has(name) || PROXY_PREFIXES.test(name);
}
