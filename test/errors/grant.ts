import { Construct } from 'constructs';
import { HttpRule, ServicePort } from '../../src';
import { trustOf } from '../support/meshes';
import { any, bankWith, grant, ofPorts, pair, remoteOf } from '../support/pair';
import { rejectFields, Rejection, rejectionsOf } from '../support/rejections';

/** What is rejected: allow rules. */
export const errors: Rejection[] = [];
const allowFrom = rejectionsOf(errors, 'ExposedService.allowFrom');

allowFrom.rejects('FED110', 'two peers with one name', () => {
  const { app, reviews } = pair();
  reviews.allowFrom(remoteOf(app, 'one', 'one.example', trustOf('north')));
  reviews.allowFrom(remoteOf(new Construct(app, 'Second'), 'one', 'two.example', trustOf('bank')));
}, 'east/Mesh/Reviews', '"one"');
allowFrom.rejects('FED110', 'a second construct of an added peer', () => {
  const { east, reviews } = pair();
  east.addPeer(bankWith());
  reviews.allowFrom(bankWith());
}, 'east/Mesh/Reviews', 'describe a peer once: use the construct Bank');
allowFrom.rejects('FED115', 'a review date that is not in the form YYYY-MM-DD', grant({ reviewBy: '30.06.2027' }), 'east/Mesh/Reviews', '"30.06.2027"', 'YYYY-MM-DD');
allowFrom.rejects('FED120', 'a string in place of a peer', () => pair().reviews.allowFrom(any('west')), 'east/Mesh/Reviews', '"west"');
allowFrom.rejects('FED120', 'null in place of HTTP rules', grant(any({ http: null })), 'http is null in the options of allowFrom', 'omit');
allowFrom.rejects('FED120', 'options with the unknown field rules', grant(any({ rules: [] })), '"rules"', 'ports, http');
allowFrom.rejects('FED120', 'a plain object in place of a rule', grant(any({ http: [{ methods: ['GET'] }] })), 'HttpRule');
allowFrom.rejects('FED120', 'null in place of a rule in a list', grant({ http: [any(null)] }), 'null');
allowFrom.rejects('FED120', 'one category in place of a list', grant(any({ dataCategories: 'cardholder' })), 'dataCategories', '"cardholder"');
allowFrom.rejects('FED137', 'a peer whose egress identity is not set', () => {
  pair().reviews.allowFrom(bankWith({ egressIdentity: undefined }));
}, 'east/Mesh/Reviews', '"bank"', 'egressIdentity');
allowFrom.rejects('FED306', 'a port that is not exported', grant({ ports: [80] }), 'east/Mesh/Reviews', '80', '9080, 9081');
allowFrom.rejects('FED306', 'an empty list of ports', grant({ ports: [] }), 'empty');
allowFrom.rejects('FED308', 'an empty list of rules', grant({ http: [] }), 'empty list');
allowFrom.rejects('FED309', 'a grant with rules after one without', () => {
  const { reviews, west } = pair();
  reviews.allowFrom(west);
  reviews.allowFrom(west, { ports: [9081], http: [HttpRule.allow({ methods: ['GET'] })] });
}, 'east/Mesh/Reviews', '"west"', '9081');
allowFrom.rejects('FED309', 'a grant without rules after one with', () => {
  const { reviews, west } = pair();
  reviews.allowFrom(west, { http: [HttpRule.allow({ methods: ['GET'] })] });
  reviews.allowFrom(west);
}, '9080');
allowFrom.rejects('FED307', 'a gRPC method without a slash', ofPorts({ grpcMethods: ['books.Export.Stream'] }, ServicePort.grpc(1)), '"books.Export.Stream"', '/package.Service/Method');
allowFrom.rejects('FED307', 'a gRPC method with half a wildcard', ofPorts({ grpcMethods: ['/books.Export/St*'] }, ServicePort.grpc(1)), '/books.Export/St*');
allowFrom.rejects('FED308', 'an empty list of gRPC methods', ofPorts({ grpcMethods: [] }, ServicePort.grpc(1)), 'empty list');
allowFrom.rejects('FED308', 'a path with a parameter beside an exception', grant({
  http: [HttpRule.allow({ paths: ['/a/*'], exceptPaths: ['/a/b'] }), HttpRule.allow({ paths: ['/m;x=1/*'] })],
}), '"/m;x=1/*"');
allowFrom.rejects('FED308', 'a path with a parameter in one call and an exception in a later call', () => {
  const { reviews, west } = pair();
  reviews.allowFrom(west, { http: [HttpRule.allow({ paths: ['/m;x=1/*'] })] });
  reviews.allowFrom(west, { http: [HttpRule.allow({ paths: ['/a/*'], exceptPaths: ['/a/b'] })] });
}, '"/m;x=1/*"');
allowFrom.rejects('FED310', 'HTTP rules for a TCP port', ofPorts({ http: [HttpRule.allow({ methods: ['GET'] })] }, ServicePort.tcp(3306)), 'port 3306', 'protocol is tcp', '→ remove http');
allowFrom.rejects('FED310', 'HTTP rules for all ports of which one is gRPC', ofPorts({ http: [HttpRule.allow({ methods: ['GET'] })] }, ServicePort.http(80), ServicePort.grpc(90)), 'port 90', 'ports: [80]');
allowFrom.rejects('FED310', 'gRPC methods for an HTTP port', ofPorts({ grpcMethods: ['/a.B/C'] }, ServicePort.http(80)), 'grpcMethods', 'protocol is http', '→ use http: [');
allowFrom.rejects('FED310', 'HTTP rules where all ports are gRPC', ofPorts({ http: [HttpRule.allow({ methods: ['GET'] })] }, ServicePort.grpc(90), ServicePort.grpc(91)), 'protocol is grpc', '→ use grpcMethods: [');
allowFrom.rejects('FED310', 'HTTP rules for TLS that ends in the application', ofPorts({ http: [HttpRule.allow({ methods: ['GET'] })] }, ServicePort.tls(8443)), 'protocol is tls', '→ remove http');
allowFrom.rejects('FED407', 'our own mesh as a peer', () => {
  const { east, reviews } = pair();
  reviews.allowFrom(east);
}, 'east/Mesh/Reviews');

/* Objects of fields. */
rejectFields(allowFrom, 'options', (value) => grant(value), { path: ['/a'] }, 'path', 'http');
for (const method of ['https://bank.example/pkg.Service/Method', 'x/pkg.Service/Method', '/pkg.Service/Method/', '/pkg..Service/Method', '/1.Service/Method']) {
  allowFrom.rejects('FED307', `the gRPC method ${method}`, ofPorts({ grpcMethods: [method] }, ServicePort.grpc(1)), JSON.stringify(method));
}
