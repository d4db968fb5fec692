import { tokenMatches } from './jwt';
import { VirtualServiceSpecHttp, VirtualServiceSpecHttpHeaders, VirtualServiceSpecHttpMatch } from '../../imports/networking.istio.io';
import { ExactHeaders, HttpOperation, PeerTraffic } from '../internal/model';
import { covers, narrowestFirst, prefixOf } from '../internal/paths';

/*
 * What crosses in HTTP. A VirtualService can only remove headers, never list the allowed ones, so these lists name what proxies and
 * common frameworks set. What an application says in headers of its own crosses.
 */

/** Headers that Envoy and Istio set, and that tell a reader where a request came from inside a mesh. */
const FROM_PROXIES = [
  'x-envoy-attempt-count',
  'x-envoy-downstream-service-zone',
  'x-envoy-external-address',
  'x-envoy-is-timeout-retry',
  'x-envoy-livenessprobe',
  'x-envoy-original-dst-host',
  'x-envoy-original-path',
  'x-istio-attributes',
];

/** Headers by which proxies and frameworks tell the address, the host or the path of an earlier hop. */
const FROM_EARLIER_HOPS = [
  'forwarded',
  'true-client-ip',
  'via',
  'x-client-ip',
  'x-cluster-client-ip',
  'x-forwarded-host',
  'x-forwarded-path',
  'x-forwarded-port',
  'x-forwarded-prefix',
  'x-forwarded-scheme',
  'x-forwarded-server',
  'x-forwarded-uri',
  'x-host',
  'x-original-forwarded-for',
  'x-original-host',
  'x-original-uri',
  'x-original-url',
  'x-real-ip',
  'x-rewrite-url',
];

/** Headers that some frameworks take in place of the method or the path that was asked for, and judged here. */
const OVERRIDES = ['x-http-method', 'x-http-method-override', 'x-method-override'];

/** Headers of a response that name a proxy, a workload or an address. */
const IN_RESPONSES = [
  'x-envoy-decorator-operation',
  'x-envoy-original-dst-host',
  'x-envoy-peer-metadata',
  'x-envoy-peer-metadata-id',
  'x-envoy-upstream-canary',
  'x-envoy-upstream-service-time',
];

/** Headers of fixed names by which tracing systems tell one request's way. Istio's routes remove no header by the beginning of its name. */
const TRACING = [
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

/** Headers of a response that give a trace away. A request gets a new id at each gateway, but its answer may repeat it. */
const TRACING_IN_RESPONSES = [...TRACING, 'traceresponse', 'x-request-id'];

// The gateway's own x-envoy-peer-metadata replaces a forged one later, in a filter; removing it here would remove that.
const FORGEABLE = [...FROM_PROXIES, ...FROM_EARLIER_HOPS, ...OVERRIDES, 'x-envoy-original-host'].sort();

/** What leaves for no peer. */
export const REVEALING = [
  ...FROM_PROXIES, ...FROM_EARLIER_HOPS, 'x-envoy-decorator-operation', 'x-envoy-peer-metadata', 'x-envoy-peer-metadata-id', 'x-federation-peer',
  'x-forwarded-client-cert', 'x-forwarded-for',
].sort();

const ANSWERED_BY_BACKENDS = [...IN_RESPONSES, 'server', 'via', 'x-powered-by'].sort();

/** What arrives from a peer: it cannot forge what our backends believe, and our backends tell it nothing about themselves. */
export function ingressHeaders(peerName: string, { stripTracing }: PeerTraffic, existing: boolean): VirtualServiceSpecHttpHeaders {
  return {
    request: {
      set: {
        'x-federation-peer': peerName,
        // Only the address that connected: a peer may write anything before it.
        'x-forwarded-for': '%DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT%',
        // A gateway of ours replaces what a peer writes there, and in `x-forwarded-client-cert`. One of others may be set to believe it.
        ...existing ? { 'x-forwarded-proto': 'https' } : {},
      },
      remove: union(FORGEABLE, existing ? ['x-forwarded-client-cert'] : [], stripTracing ? TRACING : []),
    },
    response: { remove: union(ANSWERED_BY_BACKENDS, stripTracing ? TRACING_IN_RESPONSES : []) },
  };
}

/** What leaves for a peer: nothing that names our addresses, workloads or local names. */
export function egressHeaders({ stripTracing, removeRequestHeaders = [] }: PeerTraffic): VirtualServiceSpecHttpHeaders {
  return {
    request: { remove: union(REVEALING, removeRequestHeaders, stripTracing ? TRACING : []) },
    response: { remove: union(IN_RESPONSES, stripTracing ? TRACING_IN_RESPONSES : []) },
  };
}

/**
 * The rules of a grant once more, as routes: they match what some rule allows, and the last route refuses the rest. A policy of others
 * that allows everything finds no route beyond the rules.
 */
export function guardedRoutes(name: string, operations: HttpOperation[], open: VirtualServiceSpecHttp): VirtualServiceSpecHttp[] {
  if (operations.length === 0) return [{ name, ...open }];
  return [
    ...operations.some(({ paths, exceptPaths }) => paths || exceptPaths) ? [ambiguousPath(name)] : [],
    ...operations.some(({ exceptPaths }) => exceptPaths)
      ? regions(name, operations, open)
      : [{ name, match: operations.flatMap(matchesOf), ...open }],
    { name: `${name}-refused`, directResponse: { status: 403 } },
  ];
}

/**
 * Routes cannot say "but not", so rules with exceptions are told region by region, the narrowest first: in what one pattern stands for,
 * without what narrower ones do, the same rules hold for every path.
 */
function regions(name: string, operations: HttpOperation[], open: VirtualServiceSpecHttp): VirtualServiceSpecHttp[] {
  const patterns = narrowestFirst(operations.flatMap(({ paths = [], exceptPaths = [] }) => [...paths, ...exceptPaths]));
  const everywhere = operations.some(({ paths }) => !paths) ? ['/*'] : [];
  return [...patterns, ...everywhere.filter((all) => !patterns.includes(all))].flatMap((pattern, index) => {
    const holding = operations.filter(({ paths, exceptPaths }) => (!paths || paths.some((allowed) => covers(allowed, pattern)))
      && !exceptPaths?.some((excepted) => covers(excepted, pattern)));
    const match = holding.flatMap((operation) => matchesOf({ ...operation, paths: [pattern] }));
    return [
      ...match.length > 0 ? [{ name: `${name}-${index + 1}`, match, ...open }] : [],
      { name: `${name}-${index + 1}-refused`, match: matchesOf({ paths: [pattern] }), directResponse: { status: 403 } },
    ];
  });
}

/**
 * Spellings that pass a prefix rule and that some backends read afterwards as another path, whatever the mesh's `pathNormalization` leaves
 * of them: a backslash; control characters, dots, slashes and overlong UTF-8 as escapes; escapes of such escapes; dot segments, alone
 * (with `NONE` nobody has resolved them), with a parameter (`/..;/`, which servlet containers strip first) or after a blank.
 */
const AMBIGUOUS_PATH = [
  '\\\\',
  '%(0[0-9a-fA-F]|1[0-9a-fA-F]|2[eEfF]|5[cC]|7[fF]|[cC][01]|[eE]0%[89]|[fF]0%8)',
  '%25(2[eEfF5%]|5[cC%]|0[0%]|%3)',
  '/\\.\\.?([/;%]|$)',
  '%20\\.\\.?([/;%]|$)',
].join('|');

function ambiguousPath(name: string): VirtualServiceSpecHttp {
  return { name: `${name}-ambiguous-path`, match: [{ uri: { regex: `.*(${AMBIGUOUS_PATH}).*` } }], directResponse: { status: 400 } };
}

/** The list itself where nothing is added, as for nearly every route. */
function union(list: string[], ...more: string[][]): string[] {
  return more.every(({ length }) => length === 0) ? list : [...new Set([list, ...more].flat())].sort();
}

function matchesOf({ methods, paths, headers, token }: HttpOperation): VirtualServiceSpecHttpMatch[] {
  const method = methods && (methods.length === 1 ? { exact: methods[0] } : { regex: methods.join('|') });
  const uris = paths?.map((path) => prefixOf(path) === undefined ? { exact: path } : { prefix: prefixOf(path) });
  const demanded = (headers || token) && { ...headers && exactly(headers), ...token && tokenMatches(token) };
  return (uris ?? [undefined]).map((uri) => ({ method, uri, headers: demanded }));
}

/** Headers that a request must have, in the words of a route. */
export function exactly(headers: ExactHeaders): { [name: string]: { exact: string } } {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, { exact: value }]));
}

/** Milliseconds as Istio writes a duration. */
export function durationText(milliseconds: number): string {
  return milliseconds % 1000 === 0 ? `${milliseconds / 1000}s` : `${milliseconds}ms`;
}
