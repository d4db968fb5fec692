import { ErrorCode, fail, show, Where } from './errors';
import { checkList, checkMap, fieldsOf, parseFields } from './kinds';
import type { HttpRuleOptions } from '../http-rule-options';
import { belongsToProxies } from '../model/header-names';
import type { HttpOperation } from '../model/model';
import { compare, distinct } from '../model/order';
import { covers } from '../model/paths';
import { isFoldable, spellingsOf } from '../model/spellings';

/*
 * Rules for HTTP and gRPC that a gateway can enforce exactly as they are written.
 */

const FIELDS = fieldsOf<HttpRuleOptions>({ methods: true, paths: true, exceptPaths: true, requiredHeaders: true });
const METHOD = /^[A-Z][A-Z0-9-]*$/;
/**
 * `/a/b`, without dot segments, escapes and inner wildcards, which Istio, Envoy or a backend could read as another
 * path.
 */
const PATH = /^\/([A-Za-z0-9._~!$&'()+,;=:@-]+\/)*([A-Za-z0-9._~!$&'()+,;=:@-]+)?$/;
/** Envoy rejects the configuration of a header with a longer name or value. */
const LONGEST_HEADER = 16384;
/** `/package.Service/Method` or every method of a service. */
const GRPC_METHOD = /^\/([A-Za-z_]\w*\.)*[A-Za-z_]\w*\/([A-Za-z_]\w*|\*)$/;
/** istiod rejects longer patterns. */
const LONGEST_PATTERN = 1024;
const HEADER = /^[a-z0-9][a-z0-9.-]*$/;

/** Checks one rule and returns it as an operation without a token. */
export function parseHttpRule(where: Where, rule: HttpRuleOptions): HttpOperation {
  const { methods, paths, exceptPaths, requiredHeaders } = parseFields(where, 'the rule', rule, FIELDS);
  if (!methods && !paths && !exceptPaths && !requiredHeaders) {
    fail('FED308', where, 'the rule has no field', 'set methods or paths, or omit http to allow every request');
  }
  for (const [name, list] of Object.entries({ methods, paths, exceptPaths })) {
    if (list !== undefined) checkList(where, name, list);
    if (list?.length === 0) fail('FED308', where, `${name} is an empty list`, `list at least one, or omit ${name}`);
  }
  methods?.forEach((method) => checkMethod(where, method));
  if (methods !== undefined) checkMethodPattern(where, distinct(methods));
  [...paths ?? [], ...exceptPaths ?? []].forEach((path) => checkPath(where, path));
  exceptPaths?.forEach((path) => checkException(where, path, paths));
  if (requiredHeaders !== undefined) checkHeaders(where, 'requiredHeaders', 'FED308', requiredHeaders);
  checkSpellings(where, [{ paths, exceptPaths }]);
  return {
    methods: methods && distinct(methods),
    paths: paths && distinct(paths),
    exceptPaths: exceptPaths && distinct(exceptPaths),
    headers: requiredHeaders && Object.fromEntries(Object.entries(requiredHeaders).sort(([a], [b]) => compare(a, b))),
    token: undefined,
  };
}

/** Where one rule has exceptions, the gateway rejects some spellings, even if another rule lists them. */
export function checkSpellings(where: Where, rules: readonly Pick<HttpOperation, 'paths' | 'exceptPaths'>[]): void {
  const excepted = rules.flatMap(({ exceptPaths }) => exceptPaths ?? []);
  if (excepted.length === 0) return;
  const rejected = [...rules.flatMap(({ paths }) => paths ?? []), ...excepted].find(isFoldable);
  if (rejected !== undefined) {
    fail('FED308', where, `the gateway rejects the path ${show(rejected)} where a rule has exceptPaths, since a backend may read it as another path`,
      'write the path without ";", or list every allowed path in paths and remove exceptPaths');
  }
  const long = excepted.find((path) => spellingsOf(path).length > LONGEST_PATTERN);
  if (long !== undefined) {
    fail('FED307', where, `the exception ${show(long)} is too long: the pattern of all its spellings exceeds the limit of istiod`, 'except a shorter prefix');
  }
}

/** Whether a rule lists a path that the gateway rejects where a rule has exceptions. */
export function isFoldableRule({ paths = [], exceptPaths = [] }: Pick<HttpOperation, 'paths' | 'exceptPaths'>): boolean {
  return [...paths, ...exceptPaths].some(isFoldable);
}

/** Checks methods of gRPC services, as they are written in a path. */
export function parseGrpcMethods(where: Where, methods: string[]): string[] {
  checkList(where, 'grpcMethods', methods);
  if (methods.length === 0) {
    fail('FED308', where, 'grpcMethods is an empty list, which would allow nothing', 'list at least one method, or omit grpcMethods to allow every method');
  }
  for (const method of methods) {
    if (typeof method === 'string' && GRPC_METHOD.test(method)) continue;
    fail('FED307', where, `the gRPC method ${show(method)} does not have the form /package.Service/Method or /package.Service/*`,
      'write package, service and method as in the .proto file');
  }
  return distinct(methods);
}

/** Checks exact headers: the application sets them, and no proxy on the way changes them. */
export function checkHeaders(where: Where, what: string, code: ErrorCode, headers: { [name: string]: string }): void {
  checkMap(where, what, headers, '{ "x-tester": "yes" }');
  if (Object.keys(headers).length === 0) fail(code, where, `${what} is empty`, `list a header, or omit ${what}`);
  for (const [name, value] of Object.entries(headers)) {
    if (!HEADER.test(name) || name.length > LONGEST_HEADER) {
      fail(code, where, `the header ${show(name)} in ${what} is not a valid name`,
        'use lower-case letters, digits and dashes: header names are case-insensitive, and the gateways reject underscores');
    }
    if (belongsToProxies(name)) {
      fail(code, where, `the header ${show(name)} in ${what} is set or removed by proxies on the way`, 'choose a header that the application sets');
    }
    if (typeof value !== 'string' || !/^[!-~]([ -~]*[!-~])?$/.test(value) || value.startsWith('*') || value.endsWith('*')) {
      fail(code, where, `the value ${show(value)} of the header ${show(name)} in ${what} is not valid`,
        'set the exact value in printable ASCII: a "*" at the start or end would match other values too');
    }
    // The gateway writes the value itself, with each % doubled.
    const { length } = value.replaceAll('%', '%%');
    if (length > LONGEST_HEADER) {
      fail(code, where, `the value of the header ${show(name)} in ${what} has ${length} characters, but Envoy accepts ${LONGEST_HEADER}`, 'use a shorter value');
    }
  }
}

/** Several methods become one pattern. */
function checkMethodPattern(where: Where, methods: string[]): void {
  const { length } = methods.join('|');
  if (methods.length < 2 || length <= LONGEST_PATTERN) return;
  fail('FED308', where, `methods has ${methods.length} methods of ${length} characters in total, but istiod accepts ${LONGEST_PATTERN}`, 'list fewer methods, or write several rules');
}

function checkMethod(where: Where, method: string): void {
  if (typeof method !== 'string' || !METHOD.test(method)) {
    fail('FED308', where, `${show(method)} is not a valid HTTP method`, 'use upper case, for example "GET"; omit methods to allow every method');
  }
  if (method === 'CONNECT') {
    fail('FED308', where, 'CONNECT opens a tunnel and has no path', 'list the methods that the service answers');
  }
}

/** Rejects an exception outside of the allowed paths: it would have no effect, which is probably not intended. */
function checkException(where: Where, path: string, paths?: string[]): void {
  if (!paths && path !== '/*') return;
  if (!paths) return fail('FED308', where, `the exception ${show(path)} excludes every path`, 'remove the rule');
  if (paths.includes(path)) fail('FED308', where, `the path ${show(path)} is in both paths and exceptPaths`, 'remove it from one of the two lists');
  if (paths.some((allowed) => covers(allowed, path))) return;
  fail('FED308', where, `the exception ${show(path)} is within none of the paths ${show(paths)}`, 'remove it, or allow the paths that contain it');
}

function checkPath(where: Where, path: string): void {
  const fixed = typeof path === 'string' && path.endsWith('/*') ? path.slice(0, -1) : path;
  if (typeof path !== 'string' || !PATH.test(fixed) || fixed.split('/').some((segment) => /^\.\.?(;|$)/.test(segment))) {
    fail('FED307', where, `the path ${show(path)} does not have the form /a/b or /a/*`,
      'write an exact path, or a prefix that ends in a slash and one "*"; omit paths to allow every path');
  }
}
