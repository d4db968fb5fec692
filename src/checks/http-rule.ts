import { ErrorCode, fail, show, Where } from './errors';
import { checkFields, checkList, checkMap, fieldsOf } from './kinds';
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
/** `/a/b`, and nothing that Istio, Envoy or a backend reads in another way: no dot segments, no escapes, no wildcard inside. */
const PATH = /^\/([A-Za-z0-9._~!$&'()+,;=:@-]+\/)*([A-Za-z0-9._~!$&'()+,;=:@-]+)?$/;
/** `/package.Service/Method` or every method of a service. */
const GRPC_METHOD = /^\/([A-Za-z_]\w*\.)*[A-Za-z_]\w*\/([A-Za-z_]\w*|\*)$/;
/** istiod refuses longer patterns than 1,024 characters; one for a whole `:path` has the query as well. */
const LONGEST_PATTERN = 1000;
const HEADER = /^[a-z0-9][a-z0-9.-]*$/;

/** Checks one rule and gives it as an operation without a token. */
export function parseHttpRule(where: Where, rule: HttpRuleOptions): HttpOperation {
  checkFields(where, 'the rule', rule, FIELDS);
  const { methods, paths, exceptPaths, requiredHeaders } = rule;
  if (!methods && !paths && !exceptPaths && !requiredHeaders) {
    fail('FED308', where, 'the rule has no field', 'state methods or paths, or leave http out to allow every request');
  }
  for (const [name, list] of Object.entries({ methods, paths, exceptPaths })) {
    if (list !== undefined) checkList(where, name, list);
    if (list?.length === 0) fail('FED308', where, `${name} is an empty list`, `name some, or leave ${name} out`);
  }
  methods?.forEach((method) => checkMethod(where, method));
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

/** Where one rule has exceptions, the gateway rejects some spellings, whatever rule names them. */
export function checkSpellings(where: Where, rules: readonly Pick<HttpOperation, 'paths' | 'exceptPaths'>[]): void {
  const excepted = rules.flatMap(({ exceptPaths }) => exceptPaths ?? []);
  if (excepted.length === 0) return;
  const refused = [...rules.flatMap(({ paths }) => paths ?? []), ...excepted].find(isFoldable);
  if (refused !== undefined) {
    fail('FED308', where, `the path ${show(refused)} holds what the gateway refuses wherever a rule has exceptPaths, since a backend may drop it`,
      'write it without ";", or list in paths all that is allowed, without exceptPaths');
  }
  const long = excepted.find((path) => spellingsOf(path).length > LONGEST_PATTERN);
  if (long !== undefined) {
    fail('FED307', where, `the exception ${show(long)} is too long for a pattern of all its spellings`, 'except a shorter prefix');
  }
}

/** Checks methods of gRPC services, as they are written in a path. */
export function parseGrpcMethods(where: Where, methods: string[]): string[] {
  checkList(where, 'grpcMethods', methods);
  if (methods.length === 0) {
    fail('FED308', where, 'grpcMethods is an empty list, which would allow nothing', 'name some, or leave grpcMethods out to allow every method');
  }
  for (const method of methods) {
    if (typeof method === 'string' && GRPC_METHOD.test(method)) continue;
    fail('FED307', where, `the gRPC method ${show(method)} is of another form than /package.Service/Method and /package.Service/*`,
      'write it as it stands in the .proto file: package, service, method');
  }
  return distinct(methods);
}

/** Exact headers that an application sets, and that nobody on the way changes. */
export function checkHeaders(where: Where, what: string, code: ErrorCode, headers: { [name: string]: string }): void {
  checkMap(where, what, headers, '{ "x-tester": "yes" }');
  if (Object.keys(headers).length === 0) fail(code, where, `${what} is empty`, `name a header, or leave ${what} out`);
  for (const [name, value] of Object.entries(headers)) {
    if (!HEADER.test(name)) {
      fail(code, where, `${what} names the header ${show(name)}`, 'use lower-case letters, digits and dashes: names of headers know no case, and the gateways refuse underscores');
    }
    if (belongsToProxies(name)) {
      fail(code, where, `${what} names the header ${show(name)}, which proxies on the way set or remove`, 'choose a header that the application sets');
    }
    if (typeof value !== 'string' || !/^[!-~]([ -~]*[!-~])?$/.test(value) || value.startsWith('*') || value.endsWith('*')) {
      fail(code, where, `${what} has the value ${show(value)} for ${show(name)}`,
        'give the exact value in printable ASCII: a "*" at its begin or end would stand for other values too');
    }
  }
}

function checkMethod(where: Where, method: string): void {
  if (typeof method !== 'string' || !METHOD.test(method)) {
    fail('FED308', where, `${show(method)} is no HTTP method`, 'use upper case, for example "GET"; leave methods out to allow all');
  }
  if (method === 'CONNECT') {
    fail('FED308', where, 'CONNECT is no request to a path but a tunnel', 'name the methods that the service answers');
  }
}

/** An exception outside of what is allowed would be one that does nothing, and is probably meant to do something. */
function checkException(where: Where, path: string, paths?: string[]): void {
  if (!paths && path !== '/*') return;
  if (!paths) return fail('FED308', where, `the exception ${show(path)} leaves no path`, 'take the rule away');
  if (paths.includes(path)) fail('FED308', where, `the path ${show(path)} is allowed and excepted`, 'take it away from one of the lists');
  if (paths.some((allowed) => covers(allowed, path))) return;
  fail('FED308', where, `the exception ${show(path)} lies in none of the paths ${show(paths)}`, 'take it away, or allow what it is an exception of');
}

function checkPath(where: Where, path: string): void {
  const fixed = typeof path === 'string' && path.endsWith('/*') ? path.slice(0, -1) : path;
  if (typeof path !== 'string' || !PATH.test(fixed) || fixed.split('/').some((segment) => /^\.\.?(;|$)/.test(segment))) {
    fail('FED307', where, `the path ${show(path)} is of another form than /a/b and /a/*`,
      'write the path itself, or the prefix up to a slash and one "*"; leave paths out to allow all');
  }
}
