import { HttpRule, HttpRuleOptions } from '../../src';
import { any } from '../support/pair';
import { rejectFields, Rejection, rejectionsOf } from '../support/rejections';

/** What is rejected: rules for HTTP. */
export const errors: Rejection[] = [];
const allow = rejectionsOf(errors, 'HttpRule.allow');

const rule = (options: HttpRuleOptions) => () => HttpRule.allow(options);
allow.rejects('FED120', 'a rule with the unknown field path beside methods', rule(any({ methods: ['GET'], path: ['/a'] })), '"path"', 'methods, paths');
allow.rejects('FED120', 'one method in place of a list', rule(any({ methods: 'GET' })), 'methods', '"GET"');
allow.rejects('FED308', 'a rule without a field', rule({}), 'no field');
allow.rejects('FED308', 'an empty list of methods', rule({ methods: [] }), 'methods');
allow.rejects('FED308', 'an empty list of paths', rule({ methods: ['GET'], paths: [] }), 'paths');
allow.rejects('FED308', 'a method in lower case', rule({ methods: ['get'] }), '"get"', 'upper case');
allow.rejects('FED308', 'a wildcard in place of a method', rule({ methods: ['*'] }), '"*"');
allow.rejects('FED308', 'the method CONNECT', rule({ methods: ['CONNECT'] }), 'CONNECT');
allow.rejects('FED308', 'an exception outside of the paths', rule({ paths: ['/a/*'], exceptPaths: ['/b'] }), '"/b"', '["/a/*"]');
allow.rejects('FED308', 'an exception that equals a path', rule({ paths: ['/a/*'], exceptPaths: ['/a/*'] }), 'both paths and exceptPaths');
allow.rejects('FED308', 'an exception that excludes every path', rule({ exceptPaths: ['/*'] }), '"/*"', 'excludes every path');
allow.rejects('FED308', 'an empty list of exceptions', rule({ exceptPaths: [] }), 'exceptPaths is an empty list');
allow.rejects('FED307', 'an exception with a wildcard in the middle', rule({ paths: ['/a/*'], exceptPaths: ['/a/*.js'] }), '/a/*.js');
allow.rejects('FED308', 'an exception with a path parameter', rule({ paths: ['/a/*'], exceptPaths: ['/a/b;c'] }), '"/a/b;c"', 'without ";"');
allow.rejects('FED307', 'an exception with too many spellings', rule({ paths: ['/a/*'], exceptPaths: [`/a/${'i'.repeat(80)}`] }), 'too long');
allow.rejects('FED308', 'a required header with an underscore', rule({ requiredHeaders: { x_tester: 'yes' } }), '"x_tester"', 'underscores');
allow.rejects('FED308', 'a required header with capital letters', rule({ requiredHeaders: { 'X-Tester': 'yes' } }), '"X-Tester"', 'lower-case');
allow.rejects('FED308', 'a required header that proxies write', rule({ requiredHeaders: { 'x-forwarded-for': '10.0.0.1' } }), 'x-forwarded-for');
allow.rejects('FED308', 'a required value with a wildcard', rule({ requiredHeaders: { 'x-tester': 'y*' } }), '"y*"', 'exact value');
allow.rejects('FED308', 'an empty required value', rule({ requiredHeaders: { 'x-tester': '' } }), '"x-tester"');
allow.rejects('FED308', 'required headers without an entry', rule({ requiredHeaders: {} }), 'requiredHeaders is empty');
allow.rejects('FED120', 'a list in place of required headers', rule({ requiredHeaders: ['x-tester'] as never }), 'must be a map');
for (const path of ['reviews', '/reviews*', '/*/reviews', '/a/*/b', '/a/**', '*', '', '/a//b', '/a/../b', '/a/./b', '/a?b', '/a#b', '/a%2Fb', '/a b',
  '/{*}', '/a\\b', '/a/..', '//', '/a/..;/b', '/.;/*']) {
  allow.rejects('FED307', `the path "${path}"`, rule({ paths: [path] }), JSON.stringify(path), '/a/*');
}

/* Objects of fields. */
rejectFields(allow, 'the rule', (value) => rule(value), { method: ['GET'] }, 'method', 'methods');
for (const value of [' yes', 'yes ', '\tyes', 'yes\n', 'j\u00e4']) {
  allow.rejects('FED308', `the required header value ${JSON.stringify(value)}`, rule({ requiredHeaders: { 'x-tester': value } }), '"x-tester"');
}
allow.rejects('FED308', 'a required value that begins with a wildcard', rule({ requiredHeaders: { 'x-tester': '*y' } }), '"*y"', 'exact value');
for (const method of ['GET/1', 'GET POST', ' GET', '9GET', '']) {
  allow.rejects('FED308', `the method ${JSON.stringify(method)}`, rule({ methods: [method] }), JSON.stringify(method));
}
allow.rejects('FED308', 'methods whose pattern istiod rejects', rule({ methods: ['A'.repeat(512), 'B'.repeat(512)] }), '2 methods of 1025 characters', '1024');
allow.rejects('FED308', 'a required value that Envoy rejects', rule({ requiredHeaders: { 'x-tester': '%'.repeat(8193) } }), '16386 characters', '16384');
allow.rejects('FED308', 'the name of a header that Envoy rejects', rule({ requiredHeaders: { ['x'.repeat(16385)]: 'yes' } }), 'not a valid name');
