import { App } from 'cdk8s';
import { BoundaryGateway, Caller, FederatedMeshProps, HttpRule, LocalName, LocalService, ServicePort } from '../src';
import { Manifest, objectsOf } from './support/manifests';
import { meshOf } from './support/meshes';
import { bankWith, EXISTING_GATEWAY } from './support/pair';

/*
 * Which headers the gateways remove. The lists are repeated here by hand, so that a test fails when the code loses a name.
 */

/** Headers with which a peer could deceive our backends, or that reveal to a peer where our requests come from. */
const REMOVED = [
  'x-envoy-attempt-count', 'x-envoy-downstream-service-zone', 'x-envoy-external-address', 'x-envoy-hedge-on-per-try-timeout', 'x-envoy-is-timeout-retry',
  'x-envoy-livenessprobe', 'x-envoy-original-dst-host', 'x-envoy-original-method', 'x-envoy-original-path', 'x-envoy-original-url',
  'x-envoy-retriable-header-names', 'x-envoy-retriable-status-codes', 'x-envoy-upstream-rq-per-try-timeout-ms', 'x-envoy-upstream-stream-duration-ms',
  'x-istio-attributes',
  'client-cert', 'client-cert-chain', 'forwarded', 'proxy-authorization', 'via',
  'cf-connecting-ip', 'cf-connecting-ipv6', 'cloudfront-viewer-address', 'fastly-client-ip', 'true-client-ip', 'x-appengine-user-ip', 'x-azure-clientip',
  'x-azure-socketip', 'x-client-ip', 'x-cluster-client-ip', 'x-forwarded', 'x-original-forwarded-for', 'x-real-ip', 'x-remote-addr', 'x-remote-ip',
  'x-forwarded-host', 'x-forwarded-server', 'x-host', 'x-http-host-override', 'x-original-host',
  'cloudfront-forwarded-proto', 'front-end-https', 'x-forwarded-port', 'x-forwarded-protocol', 'x-forwarded-scheme', 'x-forwarded-ssl', 'x-original-proto',
  'x-scheme', 'x-url-scheme',
  'x-forwarded-context', 'x-forwarded-path', 'x-forwarded-prefix', 'x-forwarded-uri', 'x-middleware-subrequest', 'x-original-path', 'x-original-uri',
  'x-original-url', 'x-override-url', 'x-rewrite-path', 'x-rewrite-url', 'x-script-name',
  'x-forwarded-method', 'x-original-method',
  'ssl-client-cert', 'x-amzn-mtls-clientcert', 'x-amzn-mtls-clientcert-leaf', 'x-amzn-mtls-clientcert-subject', 'x-arr-clientcert', 'x-client-cert',
  'x-forwarded-tls-client-cert', 'x-forwarded-tls-client-cert-info', 'x-ssl-client-cert', 'x-ssl-client-verify',
  'x-accel-mapping', 'x-sendfile-type',
];
const REMOVED_AT_INGRESS = [...REMOVED, 'x-envoy-original-host', 'x-http-method', 'x-http-method-override', 'x-method-override'];
const REMOVED_AT_EGRESS = [
  ...REMOVED, 'x-envoy-decorator-operation', 'x-envoy-peer-metadata', 'x-envoy-peer-metadata-id', 'x-federation-peer', 'x-forwarded-client-cert', 'x-forwarded-for',
];
/** Response headers that control the next proxy, or that reveal proxies and workloads. */
const REMOVED_FROM_RESPONSES = [
  'x-accel-mapping', 'x-accel-redirect', 'x-envoy-decorator-operation', 'x-envoy-degraded', 'x-envoy-immediate-health-check-fail', 'x-envoy-original-dst-host',
  'x-envoy-peer-metadata', 'x-envoy-peer-metadata-id', 'x-envoy-upstream-canary', 'x-envoy-upstream-service-time', 'x-lighttpd-send-file', 'x-reproxy-url',
  'x-sendfile',
];
const ABOUT_BACKENDS = ['server', 'via', 'x-powered-by'];
const TRACING = [
  'b3', 'baggage', 'elastic-apm-traceparent', 'grpc-trace-bin', 'newrelic', 'sentry-trace', 'sw8', 'sw8-correlation', 'sw8-x', 'traceparent', 'tracestate',
  'uber-trace-id', 'x-amzn-trace-id', 'x-b3-flags', 'x-b3-parentspanid', 'x-b3-sampled', 'x-b3-spanid', 'x-b3-traceid', 'x-client-trace-id',
  'x-cloud-trace-context', 'x-datadog-origin', 'x-datadog-parent-id', 'x-datadog-sampling-priority', 'x-datadog-tags', 'x-datadog-trace-id', 'x-instana-l',
  'x-instana-s', 'x-instana-t', 'x-ot-span-context',
];

/** The header operations of each route of both gateways, for HTTP and gRPC. */
function headersOf(props: Partial<FederatedMeshProps> = {}, stripTracing = false): { readonly in: Manifest[]; readonly out: Manifest[] } {
  const app = new App();
  const mesh = meshOf(app, 'east', props);
  const ports = [ServicePort.http(80), ServicePort.grpc(90)];
  const bank = bankWith({ knownAs: 'east', exposedServices: [{ exportName: 'cards', ports }] });
  mesh.addPeer(bank, { stripTracing });
  mesh.expose('Reviews', { service: LocalService.fromName('reviews', 'default'), exportName: 'reviews', ports }).allowFrom(bank);
  mesh.bind('Cards', { source: bank.exposedService('cards'), localName: LocalName.newService('cards', 'web') }).allowFrom(Caller.serviceAccount('page', 'web'));
  const routes = objectsOf(app).filter(({ kind }) => kind === 'VirtualService');
  const on = (prefix: string) => {
    const headers = routes.filter(({ metadata }) => metadata.name.startsWith(prefix)).flatMap(({ spec }) => spec.http)
      .map((route: Manifest) => route.headers);
    expect(headers).toHaveLength(2);
    return headers;
  };
  return { in: on('fed-in-'), out: on('fed-out-') };
}

const plain = headersOf();
const stripped = headersOf({}, true);
const shared = headersOf({ ingressGateway: BoundaryGateway.fromExisting(EXISTING_GATEWAY) });
const removed = (headers: Manifest[], side: 'request' | 'response') => headers.map((one) => one[side].remove);
/** Whether every one of the routes removes a header. */
const isRemoved = (headers: Manifest[], side: 'request' | 'response', name: string) => removed(headers, side).map((list: string[]) => list.includes(name));

test.each(REMOVED_AT_INGRESS)('the ingress gateway removes the request header %s', (name) => {
  expect(isRemoved([...plain.in, ...shared.in], 'request', name)).toEqual([true, true, true, true]);
});

test.each(REMOVED_AT_EGRESS)('the egress gateway removes the request header %s', (name) => {
  expect(isRemoved(plain.out, 'request', name)).toEqual([true, true]);
});

test.each(REMOVED_FROM_RESPONSES)('both gateways remove the response header %s', (name) => {
  expect(isRemoved([...plain.in, ...plain.out], 'response', name)).toEqual([true, true, true, true]);
});

test.each(ABOUT_BACKENDS)('the ingress gateway removes the response header %s, which reveals the backend', (name) => {
  expect(isRemoved(plain.in, 'response', name)).toEqual([true, true]);
});

test.each(TRACING)('the gateways forward the tracing header %s unless stripTracing is set', (name) => {
  for (const side of ['request', 'response'] as const) {
    expect(isRemoved([...plain.in, ...plain.out], side, name)).toEqual([false, false, false, false]);
    expect(isRemoved([...stripped.in, ...stripped.out], side, name)).toEqual([true, true, true, true]);
  }
});

test.each(['traceresponse', 'x-request-id'])('the gateways forward the response header %s unless stripTracing is set', (name) => {
  expect(isRemoved([...plain.in, ...plain.out], 'response', name)).toEqual([false, false, false, false]);
  expect(isRemoved([...stripped.in, ...stripped.out], 'response', name)).toEqual([true, true, true, true]);
});

test('the gateways remove no header that is not in these lists', () => {
  const sorted = (...names: string[]) => names.sort();
  expect(removed(plain.in, 'request')).toEqual([sorted(...REMOVED_AT_INGRESS, 'te'), sorted(...REMOVED_AT_INGRESS)]);
  expect(removed(shared.in, 'request')).toEqual([sorted(...REMOVED_AT_INGRESS, 'te', 'x-forwarded-client-cert'), sorted(...REMOVED_AT_INGRESS, 'x-forwarded-client-cert')]);
  expect(removed(plain.out, 'request')).toEqual(Array(2).fill(sorted(...REMOVED_AT_EGRESS)));
  expect(removed(plain.in, 'response')).toEqual(Array(2).fill(sorted(...REMOVED_FROM_RESPONSES, ...ABOUT_BACKENDS)));
  expect(removed(plain.out, 'response')).toEqual(Array(2).fill(sorted(...REMOVED_FROM_RESPONSES)));
});

test.each(['tenant', 'expected', 'hostname', 'connection-id', 'upgrade-insecure-requests', 'viable', 'forwarded-by', 'x-request-id-of-shop', 'x-forward', 'x-originals'])(
  'HttpRule.allow accepts the required header %s, whose name begins like a header of proxies', (name) => {
    expect(HttpRule.allow({ requiredHeaders: { [name]: 'a' } })._operation.headers).toEqual({ [name]: 'a' });
  },
);
