import { tokenMatches } from './jwt';
import { VirtualServiceSpecHttp, VirtualServiceSpecHttpHeaders, VirtualServiceSpecHttpMatch, VirtualServiceSpecHttpMatchUri } from '../../imports/networking.istio.io';
import { FROM_EARLIER_HOPS, FROM_PROXIES, IN_RESPONSES, OVERRIDES, REVEALING, TRACING } from '../model/header-names';
import { ExactHeaders, GatewayControl, HttpOperation, PeerTraffic, Protocol } from '../model/model';
import { covers, narrowestFirst, prefixOf } from '../model/paths';
import { AMBIGUOUS_PATH, FOLDABLE_PATH, looksLike, mayMeet, PRINTABLE, spellingsOf } from '../model/spellings';

/*
 * What crosses in HTTP. A VirtualService can only remove headers, never list the allowed ones, so `internal/header-names.ts` names what proxies
 * and common frameworks set. What an application says in headers of its own crosses.
 */

/** Headers of a response that give a trace away. A request gets a new id at each gateway, but its answer may repeat it. */
const TRACING_IN_RESPONSES = [...TRACING, 'traceresponse', 'x-request-id'];

// The gateway's own x-envoy-peer-metadata replaces a forged one later, in a filter; removing it here would remove that.
const FORGEABLE = [...FROM_PROXIES, ...FROM_EARLIER_HOPS, ...OVERRIDES, 'x-envoy-original-host'].sort();

const ANSWERED_BY_BACKENDS = [...IN_RESPONSES, 'server', 'via', 'x-powered-by'].sort();

/** Headers of what a peer calls: the peer cannot forge what our backends trust, and our backends reveal nothing about themselves. */
export function ingressHeaders(
  peerName: string, { stripTracing }: PeerTraffic, { requestHeaders }: GatewayControl, protocol: Protocol,
): VirtualServiceSpecHttpHeaders {
  return {
    request: {
      set: {
        'x-federation-peer': peerName,
        // Only the address that connected: a peer may write anything before it.
        'x-forwarded-for': '%DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT%',
        ...requestHeaders.set,
      },
      remove: union(
        FORGEABLE,
        // gRPC needs `te: trailers`; elsewhere it is for the next hop alone.
        protocol === 'grpc' ? [] : ['te'],
        requestHeaders.remove,
        stripTracing ? TRACING : [],
      ),
    },
    response: { remove: union(ANSWERED_BY_BACKENDS, stripTracing ? TRACING_IN_RESPONSES : []) },
  };
}

/** What leaves for a peer: nothing that names our addresses, workloads or local names. */
export function egressHeaders({ stripTracing, removeRequestHeaders }: PeerTraffic): VirtualServiceSpecHttpHeaders {
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
  const excepting = operations.some(({ exceptPaths }) => exceptPaths);
  return [
    ...excepting || operations.some(({ paths }) => paths) ? [ambiguousPath(name, excepting)] : [],
    ...excepting ? regions(name, operations, open) : openRoutes(name, operations, open),
    { name: `${name}-refused`, directResponse: { status: 403 } },
  ];
}

/** Spellings that are for no rule to judge. Where nothing is excepted, rules refuse most of them by not knowing them. */
function ambiguousPath(name: string, excepting: boolean): VirtualServiceSpecHttp {
  const match: VirtualServiceSpecHttpMatch[] = excepting
    ? [{ uri: { regex: FOLDABLE_PATH } }, { withoutHeaders: { ':path': { regex: PRINTABLE } } }]
    : [{ uri: { regex: AMBIGUOUS_PATH } }];
  return { name: `${name}-ambiguous-path`, match, directResponse: { status: 400 } };
}

/**
 * Routes cannot say "but not", so rules with exceptions are told region by region, the narrowest first: in what one pattern stands for,
 * without what narrower ones do, the same rules hold for every path. Other spellings of what is excepted are refused before any wider region
 * has them, and after narrower ones, which somebody has named.
 */
function regions(name: string, stated: HttpOperation[], open: VirtualServiceSpecHttp): VirtualServiceSpecHttp[] {
  const operations = stated.map(exceptingDirectories);
  const patterns = narrowestFirst(operations.flatMap(({ paths, exceptPaths }) => [...paths ?? ['/*'], ...exceptPaths ?? []]));
  const excepted = narrowestFirst(stated.flatMap(({ exceptPaths = [] }) => exceptPaths));
  const places = excepted.map((exception) => patterns.findIndex((pattern) => isWider(pattern, exception)));
  return patterns.flatMap((pattern, index) => [
    ...excepted.flatMap((exception, number) => places[number] === index ? likenesses(`${name}-like-${number + 1}`, exception, operations, open) : []),
    ...region(`${name}-${index + 1}`, pattern, operations, open),
  ]);
}

/** Whether a prefix pattern is so short that spellings of an excepted one may lie in it that nobody has named. */
function isWider(pattern: string, excepted: string): boolean {
  return (prefixOf(pattern)?.length ?? Infinity) <= excepted.replace(/\/\*$/, '').length;
}

/** An excepted path with a slash after it means the same to most frameworks, though another pattern allows all that begins so. */
function exceptingDirectories(operation: HttpOperation): HttpOperation {
  const { paths, exceptPaths } = operation;
  const directories = exceptPaths?.filter((path) => paths?.includes(`${path}/*`)).map((path) => `${path}/`) ?? [];
  return directories.length === 0 ? operation : { ...operation, exceptPaths: [...exceptPaths!, ...directories] };
}

/** What the rules say of all paths of one pattern, and a refusal unless one of them allows every request there. */
function region(name: string, pattern: string, operations: HttpOperation[], open: VirtualServiceSpecHttp): VirtualServiceSpecHttp[] {
  const holding = operations.filter(({ paths, exceptPaths }) => (!paths || paths.some((allowed) => covers(allowed, pattern)))
    && !exceptPaths?.some((excepted) => covers(excepted, pattern) || looksLike(excepted, pattern) && !paths?.includes(pattern)));
  const there = holding.map(({ methods, headers, token }): HttpOperation => ({ methods, paths: [pattern], exceptPaths: undefined, headers, token }));
  return [
    ...openRoutes(name, there, open),
    ...there.some(({ methods, headers, token }) => !methods && !headers && !token)
      ? []
      : [{ name: `${name}-refused`, match: [{ uri: uriOf(pattern) }], directResponse: { status: 403 } }],
  ];
}

/** What a backend may read as one of the excepted paths: for rules that except nothing like it, and for nobody else. */
function likenesses(name: string, excepted: string, operations: HttpOperation[], open: VirtualServiceSpecHttp): VirtualServiceSpecHttp[] {
  const regex = spellingsOf(excepted);
  const others = operations.filter(({ exceptPaths = [] }) => !exceptPaths.some((exception) => mayMeet(exception, excepted)))
    .map((operation): HttpOperation => ({
      ...operation, paths: (operation.paths ?? ['/*']).filter((path) => isWider(path, excepted) && mayMeet(path, excepted)),
    }));
  return [
    ...openRoutes(name, others, open).map((route) => ({
      ...route,
      // A path may have to fit a prefix and this pattern at once, which the uri of a match cannot say.
      match: route.match!.map((match) => ({ ...match, headers: { ...match.headers, ':path': { regex: `${regex}(\\?.*)?` } } })),
    })),
    { name: `${name}-refused`, match: [{ uri: { regex } }], directResponse: { status: 403 } },
  ];
}

/**
 * The ways that operations open. Envoy takes a header for the required one as soon as one of its lines has the value. So the gateway writes
 * the value, and the backend has that line and no other: operations with other headers have another route.
 */
function openRoutes(name: string, operations: HttpOperation[], open: VirtualServiceSpecHttp): VirtualServiceSpecHttp[] {
  const needed = withoutCovered(operations);
  const headerSets = [...new Set(needed.map(({ headers = {} }) => JSON.stringify(headers)))];
  return headerSets.map((key, index): VirtualServiceSpecHttp => ({
    name: headerSets.length === 1 ? name : `${name}-by-header-${index + 1}`,
    match: needed.filter(({ headers = {} }) => JSON.stringify(headers) === key).map(matchOf),
    ...open,
    headers: writing(JSON.parse(key), open.headers),
  }));
}

/** `%` begins a command to Envoy. */
function writing(required: ExactHeaders, headers: VirtualServiceSpecHttpHeaders | undefined): VirtualServiceSpecHttpHeaders | undefined {
  const lines = Object.entries(required).map(([name, value]) => [name, value.replaceAll('%', '%%')]);
  if (lines.length === 0) return headers;
  return { ...headers, request: { ...headers?.request, set: { ...Object.fromEntries(lines), ...headers?.request?.set } } };
}

/** Operations of one path each, without those that add nothing to another: istiod warns of a match that an earlier one covers. */
function withoutCovered(operations: HttpOperation[]): HttpOperation[] {
  const single = operations.flatMap((operation) => (operation.paths ?? [undefined])
    .map((path): HttpOperation => ({ ...operation, paths: path ? [path] : undefined })));
  return single.filter((one, index) => !single.some((other, place) => place !== index && includes(other, one)
    && (place < index || !includes(one, other))));
}

/** Whether one operation allows all that another does. Both have one path at most. */
function includes(wide: HttpOperation, narrow: HttpOperation): boolean {
  return (!wide.paths || narrow.paths !== undefined && covers(wide.paths[0], narrow.paths[0]))
    && (!wide.methods || narrow.methods !== undefined && narrow.methods.every((method) => wide.methods!.includes(method)))
    && Object.entries(wide.headers ?? {}).every(([name, value]) => narrow.headers?.[name] === value)
    && (!wide.token || JSON.stringify(wide.token) === JSON.stringify(narrow.token));
}

/** The list itself where nothing is added, as for nearly every route. */
function union(list: string[], ...more: (readonly string[])[]): string[] {
  return more.every(({ length }) => length === 0) ? list : [...new Set([list, ...more].flat())].sort();
}

function matchOf({ methods, paths, headers, token }: HttpOperation): VirtualServiceSpecHttpMatch {
  return {
    method: methods && (methods.length === 1 ? { exact: methods[0] } : { regex: methods.join('|') }),
    uri: paths && uriOf(paths[0]),
    headers: (headers || token) && { ...headers && exactly(headers), ...token && tokenMatches(token) },
  };
}

function uriOf(pattern: string): VirtualServiceSpecHttpMatchUri {
  const prefix = prefixOf(pattern);
  return prefix === undefined ? { exact: pattern } : { prefix };
}

/** Headers that a request must have, in the words of a route. */
export function exactly(headers: ExactHeaders): { [name: string]: { exact: string } } {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, { exact: value }]));
}

/** Milliseconds as Istio writes a duration. */
export function durationText(milliseconds: number): string {
  return milliseconds % 1000 === 0 ? `${milliseconds / 1000}s` : `${milliseconds}ms`;
}
