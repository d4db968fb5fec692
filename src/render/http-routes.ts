import { tokenMatches } from './jwt';
import {
  VirtualServiceSpecHttp, VirtualServiceSpecHttpHeaders, VirtualServiceSpecHttpMatch, VirtualServiceSpecHttpMatchUri,
} from '../../imports/networking.istio.io';
import { ExactHeaders, HttpOperation } from '../model/model';
import { distinct } from '../model/order';
import { compareRank, covers, narrowestFirst, prefixOf } from '../model/paths';
import { AMBIGUOUS_PATH, FOLDABLE_PATH, looksLike, mayMeet, PRINTABLE, spellingsOf } from '../model/spellings';

/*
 * HTTP routes of the ingress gateway that enforce the rules of a grant a second time, besides the RBAC rules of its
 * virtual host (rbac.ts, docs/adr/0003). `target` is the part that all routes of a grant share: destination, rewrite,
 * retries, headers.
 */

/**
 * All HTTP routes of one grant. They match the requests that some operation allows, and the last route rejects every
 * other request. So even if another owner's policy allows everything, no request without a matching rule reaches the
 * backend.
 */
export function guardedRoutes(name: string, operations: HttpOperation[], target: VirtualServiceSpecHttp): VirtualServiceSpecHttp[] {
  if (operations.length === 0) return [{ name, ...target }];
  const hasPaths = operations.some(({ paths }) => paths);
  const hasExceptions = operations.some(({ exceptPaths }) => exceptPaths);
  return [
    ...hasPaths || hasExceptions ? [ambiguousPathRoute(name, hasExceptions)] : [],
    ...hasExceptions ? routesByPattern(name, operations, target) : allowRoutes(name, operations, target),
    denyRoute(name),
  ];
}

/** Rejects the requests with this `uri`, or every request. */
function denyRoute(name: string, uri?: VirtualServiceSpecHttpMatchUri): VirtualServiceSpecHttp {
  return { name: `${name}-refused`, match: uri && [{ uri }], directResponse: { status: 403 } };
}

/**
 * Rejects paths that a backend may read differently than the gateway. Fewer are rejected if no operation has
 * exceptions: an allowed path does not match most of those spellings, so the last route rejects them.
 */
function ambiguousPathRoute(name: string, hasExceptions: boolean): VirtualServiceSpecHttp {
  const match: VirtualServiceSpecHttpMatch[] = hasExceptions
    ? [{ uri: { regex: FOLDABLE_PATH } }, { withoutHeaders: { ':path': { regex: PRINTABLE } } }]
    : [{ uri: { regex: AMBIGUOUS_PATH } }];
  return { name: `${name}-ambiguous-path`, match, directResponse: { status: 400 } };
}

/**
 * Routes of operations with exceptions (docs/adr/0020). A route match cannot exclude paths, so each path pattern of the
 * operations gets its own routes, the narrowest pattern first: the same operations then allow every path that reaches
 * the routes of a pattern. Other spellings of an excepted path are rejected after the narrower patterns, which somebody
 * has declared, and before the first wider one.
 */
function routesByPattern(name: string, declared: HttpOperation[], target: VirtualServiceSpecHttp): VirtualServiceSpecHttp[] {
  const operations = declared.map(exceptingDirectories);
  const patterns = narrowestFirst(operations.flatMap(({ paths = ['/*'], exceptPaths = [] }) => [...paths, ...exceptPaths]));
  const exceptions = narrowestFirst(declared.flatMap(({ exceptPaths = [] }) => exceptPaths))
    .map((path) => ({ path, regex: spellingsOf(path), before: patterns.findIndex((pattern) => isWider(pattern, path)) }))
    .filter(({ before }) => before >= 0)
    .sort((a, b) => a.before - b.before)
    // Exceptions such as `/a` and `/a/` have the same spellings: the routes of the first one already reject them.
    .filter(({ regex }, index, all) => all.findIndex((earlier) => earlier.regex === regex) === index);
  return patterns.flatMap((pattern, index) => [
    ...exceptions.flatMap(({ path, regex, before }, number) =>
      before === index ? spellingRoutes(`${name}-like-${number + 1}`, path, regex, operations, target) : []),
    ...patternRoutes(`${name}-${index + 1}`, pattern, operations, target),
  ]);
}

/** Excepts `/a/` as well where `/a` is excepted and `/a/*` is allowed: most frameworks treat `/a/` like `/a`. */
function exceptingDirectories(operation: HttpOperation): HttpOperation {
  const { paths, exceptPaths } = operation;
  const directories = exceptPaths?.filter((path) => paths?.includes(`${path}/*`)).map((path) => `${path}/`) ?? [];
  return directories.length === 0 ? operation : { ...operation, exceptPaths: [...exceptPaths!, ...directories] };
}

/** Whether a prefix pattern is so short that it may match spellings of an excepted path that no operation names. */
function isWider(pattern: string, exception: string): boolean {
  return (prefixOf(pattern)?.length ?? Infinity) <= exception.replace(/\/\*$/, '').length;
}

/**
 * Routes of the operations that allow all paths of one pattern, and a rejection of the rest unless one of them allows
 * every request.
 */
function patternRoutes(name: string, pattern: string, operations: HttpOperation[], target: VirtualServiceSpecHttp): VirtualServiceSpecHttp[] {
  const allowing = operations.filter((operation) => allowsPattern(operation, pattern))
    .map((operation): HttpOperation => ({ ...operation, paths: [pattern], exceptPaths: undefined }));
  const allowsEveryRequest = allowing.some(({ methods, headers, token }) => !methods && !headers && !token);
  return [...allowRoutes(name, allowing, target), ...allowsEveryRequest ? [] : [denyRoute(name, uriOf(pattern))]];
}

/**
 * Whether an operation allows all paths of a pattern. A declared path is allowed even if it is a spelling of an
 * excepted one.
 */
function allowsPattern({ paths, exceptPaths = [] }: HttpOperation, pattern: string): boolean {
  if (paths && !paths.some((path) => covers(path, pattern))) return false;
  return !exceptPaths.some((exception) => covers(exception, pattern) || looksLike(exception, pattern) && !paths?.includes(pattern));
}

/**
 * Routes of the paths that a backend may read as an excepted path: the operations that except no such path allow them,
 * and everybody else is rejected.
 */
function spellingRoutes(
  name: string, exception: string, regex: string, operations: HttpOperation[], target: VirtualServiceSpecHttp,
): VirtualServiceSpecHttp[] {
  const allowing = operations.filter(({ exceptPaths = [] }) => !exceptPaths.some((other) => mayMeet(other, exception)))
    .map((operation): HttpOperation => ({
      ...operation, paths: (operation.paths ?? ['/*']).filter((path) => isWider(path, exception) && mayMeet(path, exception)),
    }));
  return [
    ...allowRoutes(name, allowing, target).map((route) => ({
      ...route,
      // A match has one `uri`, so the operation's own prefix is matched by the header `:path`. The other way round, istiod
      // would compare the prefixes of two such routes without their spellings, and warn that the later one is not used.
      match: route.match!.map(({ uri, ...match }) => ({ ...match, uri: { regex }, headers: { ...match.headers, ':path': { prefix: uri!.prefix } } })),
    })),
    denyRoute(name, { regex }),
  ];
}

/**
 * Routes to the backend for the requests that operations allow, one for each set of required headers. If a request has
 * several lines of a required header, Envoy's match accepts it as soon as one line has the value. So the route also
 * sets the header to that value, and the backend receives no other line.
 */
function allowRoutes(name: string, operations: HttpOperation[], target: VirtualServiceSpecHttp): VirtualServiceSpecHttp[] {
  const needed = withoutCovered(operations).sort((a, b) => compareRank(a.paths?.[0] ?? '/*', b.paths?.[0] ?? '/*'));
  const headerSets = distinct(needed.map(headersOf));
  return headerSets.map((key, index): VirtualServiceSpecHttp => {
    const matching = needed.filter((operation) => headersOf(operation) === key);
    return {
      name: headerSets.length === 1 ? name : `${name}-by-header-${index + 1}`,
      match: matching.map(matchOf),
      ...target,
      headers: settingHeaders(matching[0].headers ?? {}, target.headers),
    };
  });
}

/**
 * The required headers of an operation as a text. Sorted by these texts, a value comes before all values that begin with
 * it: istiod would take the match of the longer value for one that covers the shorter one, and warn.
 */
function headersOf({ headers = {} }: HttpOperation): string {
  return Object.entries(headers).flat().join('\0');
}

/** Adds headers to set on requests. A `%` is doubled, because it begins a command operator of Envoy. */
function settingHeaders(required: ExactHeaders, headers: VirtualServiceSpecHttpHeaders | undefined): VirtualServiceSpecHttpHeaders | undefined {
  const values = Object.entries(required).map(([name, value]) => [name, value.replaceAll('%', '%%')]);
  if (values.length === 0) return headers;
  return { ...headers, request: { ...headers?.request, set: { ...Object.fromEntries(values), ...headers?.request?.set } } };
}

/**
 * Operations of one path each, without those that another one covers: istiod warns of a match that an earlier match
 * covers.
 */
function withoutCovered(operations: HttpOperation[]): HttpOperation[] {
  const single = operations.flatMap((operation) => (operation.paths ?? [undefined])
    .map((path): HttpOperation => ({ ...operation, paths: path ? [path] : undefined })));
  return single.filter((operation, index) => !single.some((other, otherIndex) => otherIndex !== index
    && allowsAllOf(other, operation)
    // Of two operations that allow the same, the first one stays.
    && (otherIndex < index || !allowsAllOf(operation, other))));
}

/** Whether one operation allows every request that another one allows. Both have one path at most. */
function allowsAllOf(wide: HttpOperation, narrow: HttpOperation): boolean {
  return (!wide.paths || narrow.paths !== undefined && covers(wide.paths[0], narrow.paths[0]))
    && (!wide.methods || narrow.methods !== undefined && narrow.methods.every((method) => wide.methods!.includes(method)))
    && Object.entries(wide.headers ?? {}).every(([name, value]) => narrow.headers?.[name] === value)
    && (!wide.token || JSON.stringify(wide.token) === JSON.stringify(narrow.token));
}

function matchOf({ methods, paths, headers, token }: HttpOperation): VirtualServiceSpecHttpMatch {
  return {
    method: methods && (methods.length === 1 ? { exact: methods[0] } : { regex: methods.join('|') }),
    uri: paths && uriOf(paths[0]),
    headers: (headers || token) && { ...headers && exactMatches(headers), ...token && tokenMatches(token) },
  };
}

function uriOf(pattern: string): VirtualServiceSpecHttpMatchUri {
  const prefix = prefixOf(pattern);
  return prefix === undefined ? { exact: pattern } : { prefix };
}

/** Header matches of a route for exact values. */
export function exactMatches(headers: ExactHeaders): { [name: string]: { exact: string } } {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, { exact: value }]));
}
