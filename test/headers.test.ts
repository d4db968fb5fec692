import { App } from 'cdk8s';
import { BoundaryGateway, Caller, FederatedMeshProps, HttpRule, LocalName, LocalService, ServicePort } from '../src';
import { Manifest, objectsOf } from './support/manifests';
import { meshOf } from './support/meshes';
import { bankWith, EXISTING_GATEWAY } from './support/pair';

/*
 * Which headers cross. The lists stand here once more, by hand: a name that is lost in the code is then missed.
 */

/** What a peer must not be able to tell our backends, and what tells a peer where our requests come from. */
const CLAIMS = [
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
const ARRIVING = [...CLAIMS, 'x-envoy-original-host', 'x-http-method', 'x-http-method-override', 'x-method-override'];
const LEAVING = [
  ...CLAIMS, 'x-envoy-decorator-operation', 'x-envoy-peer-metadata', 'x-envoy-peer-metadata-id', 'x-federation-peer', 'x-forwarded-client-cert', 'x-forwarded-for',
];
/** What answers must not tell the next proxy, and what they would tell about proxies and workloads. */
const ANSWERS = [
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

/** The headers of each route of the two gateways that leads somewhere, for HTTP and gRPC. */
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
const silent = headersOf({}, true);
const shared = headersOf({ ingressGateway: BoundaryGateway.fromExisting(EXISTING_GATEWAY) });
const removed = (headers: Manifest[], side: 'request' | 'response') => headers.map((one) => one[side].remove);
/** Whether every one of the routes removes a header. */
const gone = (headers: Manifest[], side: 'request' | 'response', name: string) => removed(headers, side).map((list: string[]) => list.includes(name));

test.each(ARRIVING)('the request header %s of a peer reaches no backend', (name) => {
  expect(gone([...plain.in, ...shared.in], 'request', name)).toEqual([true, true, true, true]);
});

test.each(LEAVING)('the request header %s leaves for no peer', (name) => {
  expect(gone(plain.out, 'request', name)).toEqual([true, true]);
});

test.each(ANSWERS)('the response header %s crosses in neither direction', (name) => {
  expect(gone([...plain.in, ...plain.out], 'response', name)).toEqual([true, true, true, true]);
});

test.each(ABOUT_BACKENDS)('the response header %s, which says what our backend is, reaches no peer', (name) => {
  expect(gone(plain.in, 'response', name)).toEqual([true, true]);
});

test.each(TRACING)('the header %s crosses unless tracing is stripped', (name) => {
  for (const side of ['request', 'response'] as const) {
    expect(gone([...plain.in, ...plain.out], side, name)).toEqual([false, false, false, false]);
    expect(gone([...silent.in, ...silent.out], side, name)).toEqual([true, true, true, true]);
  }
});

test.each(['traceresponse', 'x-request-id'])('the response header %s crosses unless tracing is stripped', (name) => {
  expect(gone([...plain.in, ...plain.out], 'response', name)).toEqual([false, false, false, false]);
  expect(gone([...silent.in, ...silent.out], 'response', name)).toEqual([true, true, true, true]);
});

test('no header is removed that is not in these lists', () => {
  const sorted = (...names: string[]) => names.sort();
  expect(removed(plain.in, 'request')).toEqual([sorted(...ARRIVING, 'te'), sorted(...ARRIVING)]);
  expect(removed(shared.in, 'request')).toEqual([sorted(...ARRIVING, 'te', 'x-forwarded-client-cert'), sorted(...ARRIVING, 'x-forwarded-client-cert')]);
  expect(removed(plain.out, 'request')).toEqual(Array(2).fill(sorted(...LEAVING)));
  expect(removed(plain.in, 'response')).toEqual(Array(2).fill(sorted(...ANSWERS, ...ABOUT_BACKENDS)));
  expect(removed(plain.out, 'response')).toEqual(Array(2).fill(sorted(...ANSWERS)));
});

test.each(['tenant', 'expected', 'hostname', 'connection-id', 'upgrade-insecure-requests', 'viable', 'forwarded-by', 'x-request-id-of-shop', 'x-forward', 'x-originals'])(
  'the header %s may be required, though its name begins like one of the proxies', (name) => {
    expect(HttpRule.allow({ requiredHeaders: { [name]: 'a' } })._operation.headers).toEqual({ [name]: 'a' });
  },
);
