import { Construct } from 'constructs';
import { HttpRule, ServicePort } from '../../src';
import { trustOf } from '../support/meshes';
import { any, grant, ofPorts, pair, remoteOf } from '../support/pair';
import { rejectFields, Rejection, rejectionsOf } from '../support/rejections';

/** What is rejected: allow rules. */
export const errors: Rejection[] = [];
const allowFrom = rejectionsOf(errors, 'ExposedService.allowFrom');

const rule = (...http: HttpRule[]) => grant({ http });
allowFrom.rejects('FED110', 'two peers with one name', () => {
  const { app, reviews } = pair();
  reviews.allowFrom(remoteOf(app, 'one', 'one.example', trustOf('north')));
  reviews.allowFrom(remoteOf(new Construct(app, 'Second'), 'one', 'two.example', trustOf('bank')));
}, 'east/Mesh/Reviews', '"one"');
allowFrom.rejects('FED115', 'a date in another order', grant({ reviewBy: '30.06.2027' }), 'east/Mesh/Reviews', '"30.06.2027"', 'YYYY-MM-DD');
allowFrom.rejects('FED120', 'a name in place of a peer', () => pair().reviews.allowFrom(any('west')), 'east/Mesh/Reviews', '"west"');
allowFrom.rejects('FED120', 'null in place of HTTP rules', grant(any({ http: null })), 'http is null');
allowFrom.rejects('FED120', 'options with the unknown field rules', grant(any({ rules: [] })), '"rules"', 'ports, http');
allowFrom.rejects('FED120', 'a rule with the unknown field path beside methods', rule(any({ methods: ['GET'], path: ['/a'] })), '"path"', 'methods, paths');
allowFrom.rejects('FED120', 'null in place of a rule in a list', rule(any(null)), 'null');
allowFrom.rejects('FED120', 'a method in place of a list', rule(any({ methods: 'GET' })), 'methods', '"GET"');
allowFrom.rejects('FED120', 'one category in place of a list', grant(any({ dataCategories: 'cardholder' })), 'dataCategories', '"cardholder"');
allowFrom.rejects('FED306', 'a port that is not exported', grant({ ports: [80] }), 'east/Mesh/Reviews', '80', '9080, 9081');
allowFrom.rejects('FED306', 'an empty list of ports', grant({ ports: [] }), 'empty');
for (const path of ['reviews', '/reviews*', '/*/reviews', '/a/*/b', '/a/**', '*', '', '/a//b', '/a/../b', '/a/./b', '/a?b', '/a#b', '/a%2Fb', '/a b',
  '/{*}', '/a\\b', '/a/..', '//', '/a/..;/b', '/.;/*']) {
  allowFrom.rejects('FED307', `the path "${path}"`, rule({ paths: [path] }), 'east/Mesh/Reviews', JSON.stringify(path), '/a/*');
}
allowFrom.rejects('FED308', 'an empty list of rules', rule(), 'empty list');
allowFrom.rejects('FED308', 'a rule without a field', rule({}), 'no field');
allowFrom.rejects('FED308', 'an empty list of methods', rule({ methods: [] }), 'methods');
allowFrom.rejects('FED308', 'an empty list of paths', rule({ methods: ['GET'], paths: [] }), 'paths');
allowFrom.rejects('FED308', 'a method in lower case', rule({ methods: ['get'] }), '"get"', 'upper case');
allowFrom.rejects('FED308', 'a wildcard in place of a method', rule({ methods: ['*'] }), '"*"');
allowFrom.rejects('FED308', 'the method CONNECT', rule({ methods: ['CONNECT'] }), 'CONNECT');
allowFrom.rejects('FED309', 'a grant with rules after one without', () => {
  const { reviews, west } = pair();
  reviews.allowFrom(west);
  reviews.allowFrom(west, { ports: [9081], http: [{ methods: ['GET'] }] });
}, 'east/Mesh/Reviews', '"west"', '9081');
allowFrom.rejects('FED309', 'a grant without rules after one with', () => {
  const { reviews, west } = pair();
  reviews.allowFrom(west, { http: [{ methods: ['GET'] }] });
  reviews.allowFrom(west);
}, '9080');
allowFrom.rejects('FED307', 'a gRPC method without a slash', ofPorts({ grpcMethods: ['books.Export.Stream'] }, ServicePort.grpc(1)), '"books.Export.Stream"', '/package.Service/Method');
allowFrom.rejects('FED307', 'a gRPC method with half a wildcard', ofPorts({ grpcMethods: ['/books.Export/St*'] }, ServicePort.grpc(1)), '/books.Export/St*');
allowFrom.rejects('FED308', 'an empty list of gRPC methods', ofPorts({ grpcMethods: [] }, ServicePort.grpc(1)), 'empty list');
allowFrom.rejects('FED308', 'an exception outside of the paths', rule({ paths: ['/a/*'], exceptPaths: ['/b'] }), '"/b"', '["/a/*"]');
allowFrom.rejects('FED308', 'an exception that is the path', rule({ paths: ['/a/*'], exceptPaths: ['/a/*'] }), 'allowed and excepted');
allowFrom.rejects('FED308', 'an exception that excludes every path', rule({ exceptPaths: ['/*'] }), '"/*"', 'leaves no path');
allowFrom.rejects('FED308', 'an empty list of exceptions', rule({ exceptPaths: [] }), 'exceptPaths is an empty list');
allowFrom.rejects('FED307', 'an exception with a wildcard in the middle', rule({ paths: ['/a/*'], exceptPaths: ['/a/*.js'] }), '/a/*.js');
allowFrom.rejects('FED308', 'an exception with a path parameter', rule({ paths: ['/a/*'], exceptPaths: ['/a/b;c'] }), '"/a/b;c"', 'without ";"');
allowFrom.rejects('FED308', 'a path with a parameter beside an exception', rule({ paths: ['/a/*'], exceptPaths: ['/a/b'] }, { paths: ['/m;x=1/*'] }), '"/m;x=1/*"');
allowFrom.rejects('FED308', 'a path with a parameter in one call and an exception in a later call', () => {
  const { reviews, west } = pair();
  reviews.allowFrom(west, { http: [{ paths: ['/m;x=1/*'] }] });
  reviews.allowFrom(west, { http: [{ paths: ['/a/*'], exceptPaths: ['/a/b'] }] });
}, '"/m;x=1/*"');
allowFrom.rejects('FED307', 'an exception with too many spellings', rule({ paths: ['/a/*'], exceptPaths: [`/a/${'i'.repeat(80)}`] }), 'too long');
allowFrom.rejects('FED308', 'a required header with an underscore', rule({ requiredHeaders: { x_tester: 'yes' } }), '"x_tester"', 'underscores');
allowFrom.rejects('FED308', 'a required header with capital letters', rule({ requiredHeaders: { 'X-Tester': 'yes' } }), '"X-Tester"', 'lower-case');
allowFrom.rejects('FED308', 'a required header that proxies write', rule({ requiredHeaders: { 'x-forwarded-for': '10.0.0.1' } }), 'x-forwarded-for');
allowFrom.rejects('FED308', 'a required value with a wildcard', rule({ requiredHeaders: { 'x-tester': 'y*' } }), '"y*"', 'exact value');
allowFrom.rejects('FED308', 'an empty required value', rule({ requiredHeaders: { 'x-tester': '' } }), '"x-tester"');
allowFrom.rejects('FED308', 'required headers without an entry', rule({ requiredHeaders: {} }), 'requiredHeaders is empty');
allowFrom.rejects('FED120', 'a list in place of required headers', rule({ requiredHeaders: ['x-tester'] as never }), 'no map');
allowFrom.rejects('FED310', 'HTTP rules for a TCP port', ofPorts({ http: [{ methods: ['GET'] }] }, ServicePort.tcp(3306)), 'port 3306', 'speaks tcp', '→ take http away');
allowFrom.rejects('FED310', 'HTTP rules for all ports of which one is gRPC', ofPorts({ http: [{ methods: ['GET'] }] }, ServicePort.http(80), ServicePort.grpc(90)), 'port 90', 'ports: [80]');
allowFrom.rejects('FED310', 'gRPC methods for an HTTP port', ofPorts({ grpcMethods: ['/a.B/C'] }, ServicePort.http(80)), 'grpcMethods', 'speaks http', '→ rule the requests with http');
allowFrom.rejects('FED310', 'HTTP rules where all ports are gRPC', ofPorts({ http: [{ methods: ['GET'] }] }, ServicePort.grpc(90), ServicePort.grpc(91)), 'speaks grpc', '→ name the methods instead: grpcMethods');
allowFrom.rejects('FED310', 'HTTP rules for TLS that ends in the application', ofPorts({ http: [{ methods: ['GET'] }] }, ServicePort.tls(8443)), 'speaks tls', '→ take http away');
allowFrom.rejects('FED407', 'our own mesh as a peer', () => {
  const { east, reviews } = pair();
  reviews.allowFrom(east);
}, 'east/Mesh/Reviews');

/* Objects of fields. */
rejectFields(allowFrom, 'options', (value) => grant(value), { path: ['/a'] }, 'path', 'http');
rejectFields(allowFrom, 'a rule', (value) => rule(value), { method: ['GET'] }, 'method', 'methods');
