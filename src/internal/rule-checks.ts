import { fail, show, Where } from './errors';
import { checkFields, checkList } from './kind-checks';
import type { HttpRule } from '../expose';

const METHOD = /^[A-Z][A-Z0-9-]*$/;
/** `/a/b`, and nothing that Istio, Envoy or a backend reads in another way: no dot segments, no escapes, no wildcard inside. */
const PATH = /^\/([A-Za-z0-9._~!$&'()+,;=:@-]+\/)*([A-Za-z0-9._~!$&'()+,;=:@-]+)?$/;

/** Rules that a gateway can enforce exactly as they are written. */
export function checkOperations(where: Where, rules: HttpRule[]): void {
  checkList(where, 'http', rules);
  if (rules.length === 0) {
    fail('FED308', where, 'http is an empty list, which would allow nothing', 'state a rule, or leave http out to allow every request');
  }
  for (const rule of rules) {
    if (typeof rule !== 'object' || rule === null) fail('FED120', where, `a rule in http is ${show(rule)}`, 'state methods or paths');
    checkFields(where, 'a rule in http', rule, ['methods', 'paths']);
    const { methods, paths } = rule;
    if (!methods && !paths) {
      fail('FED308', where, 'a rule in http has no field', 'state methods or paths, or leave http out to allow every request');
    }
    for (const [name, list] of Object.entries({ methods, paths })) {
      if (list !== undefined) checkList(where, name, list);
      if (list?.length === 0) fail('FED308', where, `${name} is an empty list`, `name some, or leave ${name} out to allow all`);
    }
    methods?.forEach((method) => checkMethod(where, method));
    paths?.forEach((path) => checkPath(where, path));
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

function checkPath(where: Where, path: string): void {
  const fixed = typeof path === 'string' && path.endsWith('/*') ? path.slice(0, -1) : path;
  if (typeof path !== 'string' || !PATH.test(fixed) || fixed.split('/').some((segment) => /^\.\.?(;|$)/.test(segment))) {
    fail('FED307', where, `the path ${show(path)} is of another form than /a/b and /a/*`,
      'write the path itself, or the prefix up to a slash and one "*"; leave paths out to allow all');
  }
}
