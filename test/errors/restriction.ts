import { App } from 'cdk8s';
import { meshOf } from '../support/meshes';
import { bankWith, pair } from '../support/pair';
import { rejectFields, Rejection, rejectionsOf, SYNTHESIS } from '../support/rejections';

/** What is rejected: restricted namespaces. */
export const errors: Rejection[] = [];
const restrictNamespace = rejectionsOf(errors, 'FederatedMesh.restrictNamespace');
const synth = rejectionsOf(errors, SYNTHESIS);

const restrict = (allowedHosts?: any, reason = 'money leaves through the boundary only', name = 'finance') => () => {
  const { app, west } = pair();
  west.restrictNamespace(name, { reason, allowedHosts });
  app.synth();
};
restrictNamespace.rejects('FED111', 'a namespace name that is not a valid label', restrict(undefined, undefined, 'Finance'), '"Finance"');
restrictNamespace.rejects('FED114', 'a restriction without a sufficient reason', restrict([], 'because'), 'west/Mesh', '"finance"', '"because"');
restrictNamespace.rejects('FED118', 'the namespace of the boundary', restrict([], undefined, 'istio-federation'), 'the boundary');
restrictNamespace.rejects('FED118', 'the namespace of Istio', restrict([], undefined, 'istio-system'), 'belongs to Istio');
restrictNamespace.rejects('FED120', 'one allowed host in place of a list', restrict('egress/api.acquirer.example'), 'allowedHosts', 'must be a list');
restrictNamespace.rejects('FED120', 'a restriction with the unknown field hosts beside a reason', () => pair().west.restrictNamespace('finance', { reason: 'money stays here', hosts: [] } as any), '"hosts"');
restrictNamespace.rejects('FED121', 'a namespace that is restricted twice', () => {
  const { west } = pair();
  west.restrictNamespace('finance', { reason: 'money leaves through the boundary only' });
  west.restrictNamespace('finance', { reason: 'money leaves through the boundary only' });
}, '"finance"', 'one call');
for (const host of ['api.acquirer.example', '*/*', 'egress/*', 'egress/api', 'Egress/api.acquirer.example', 'egress/api.acquirer.example:443', 'egress/a*.acquirer.example',
  'a/b/c.example', '~/*', '', 7]) {
  restrictNamespace.rejects('FED122', `the allowed host ${JSON.stringify(host)}`, restrict([host]), JSON.stringify(host), 'namespace/host');
}
for (const host of ['egress/203.0.113.7', 'egress/10.0.0.0/8', '*/2001:db8::1', '203.0.113.7']) {
  restrictNamespace.rejects('FED122', `the allowed host ${JSON.stringify(host)}`, restrict([host]), `"${host}" has an address in place of the host of namespace/host`, 'ServiceEntry with this address');
}
restrictNamespace.rejects('FED122', 'an allowed host without its namespace', restrict(['api.acquirer.example']), 'write the namespace that declares the host first, for example "egress/api.acquirer.example"');
synth.rejects('FED122', 'the gateway of a peer as an allowed host', restrict(['*/federation.east.example']), '"*/federation.east.example"', '"east"', 'bind');
synth.rejects('FED122', 'a wildcard above the gateway of a peer', restrict(['./*.east.example']), '"./*.east.example"', '"east"');

/* Objects of fields. */
rejectFields(restrictNamespace, 'restriction options', (value) => () => pair().west.restrictNamespace('finance', value),
  { reason: 'agreed with the security team', hosts: [] }, 'hosts', 'allowedHosts');
for (const host of ['/api.acquirer.example', 'egress/', 'Egress/api.example', 5]) {
  restrictNamespace.rejects('FED122', `the allowed host ${JSON.stringify(host)}`, restrict([host]), JSON.stringify(host), 'namespace/host');
}
synth.rejects('FED122', 'one of two addresses of a peer as an allowed host', () => {
  const app = new App();
  const mesh = meshOf(app, 'west');
  mesh.addPeer(bankWith({ endpoints: [{ address: 'a.bank.example' }, { address: 'b.bank.example' }] }));
  mesh.restrictNamespace('finance', { reason: 'money leaves through the boundary only', allowedHosts: ['*/b.bank.example'] });
  app.synthYaml();
}, '"*/b.bank.example"', '"bank"');
