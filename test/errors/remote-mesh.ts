import { App, Chart } from 'cdk8s';
import { RemoteMesh, ServicePort, SpiffeId } from '../../src';
import { meshOf, trustOf } from '../support/meshes';
import { any, bankWith } from '../support/pair';
import { rejectFields, Rejection, rejectionsOf } from '../support/rejections';

/** What is rejected: the declaration of a mesh that another organisation operates. */
export const errors: Rejection[] = [];
const newRemoteMesh = rejectionsOf(errors, 'new RemoteMesh');
const exposedService = rejectionsOf(errors, 'RemoteMesh.exposedService');
// The class of its exports, which programs know as IExposedService.
const sniFor = rejectionsOf(errors, 'RemoteService.sniFor');

newRemoteMesh.rejects('FED101', 'a knownAs that is not a valid name', () => bankWith({ knownAs: 'web shop' }), 'Bank', '"web shop"');
newRemoteMesh.rejects('FED102', 'a peer with the trust domain cluster.local', () => bankWith({ trustDomain: 'cluster.local' }), 'Bank');
newRemoteMesh.rejects('FED117', 'an identity of another trust domain', () => bankWith({ egressIdentity: SpiffeId.parse('spiffe://cluster.local/ns/dmz/sa/out') }),
  'spiffe://cluster.local/ns/dmz/sa/out', '"bank.example"');
newRemoteMesh.rejects('FED120', 'a string in place of an identity', () => bankWith({ ingressIdentity: any('spiffe://bank.example/a') }), 'ingressIdentity', 'SpiffeId');
newRemoteMesh.rejects('FED123', 'the id of another construct', () => {
  const chart = new Chart(new App(), 'peers');
  const [one, two] = ['one', 'two'].map((meshName) => ({ meshName, trustDomain: `${meshName}.example`, trustBundle: trustOf('bank') }));
  new RemoteMesh(chart, 'Bank', one);
  new RemoteMesh(chart, 'Bank', two);
}, 'FED123 peers/Bank: another construct');
newRemoteMesh.rejects('FED138', 'exports without the name that the peer uses for us', () => bankWith({ knownAs: undefined }), 'Bank', 'knownAs', '"bank"');
newRemoteMesh.rejects('FED302', 'one export name twice', () => bankWith({
  exposedServices: [{ exportName: 'cards', ports: [ServicePort.http(1)] }, { exportName: 'cards', ports: [ServicePort.http(2)] }],
}), '"cards"');
exposedService.rejects('FED406', 'a service that the peer does not export', () => bankWith().exposedService('card'), 'Bank', '"card"', 'cards');
exposedService.rejects('FED406', 'a service of a peer that exports none', () => bankWith({ exposedServices: [] }).exposedService('cards'), 'Bank', '"cards"', '→ add it');
sniFor.rejects('FED306', 'the server name of a port that the peer does not export', () => bankWith().exposedService('cards').sniFor(meshOf(new App(), 'west'), 12),
  'Bank/cards', 'port 12', 'use one of the exported ports 443, or add it to the entry "cards" in exposedServices');
newRemoteMesh.rejects('FED104', 'an endpoint with a scheme', () => bankWith({ endpoints: [{ address: 'https://fed.bank.example' }] }), 'Bank', 'without a scheme');
newRemoteMesh.rejects('FED105', 'a private address', () => bankWith({ endpoints: [{ address: '10.1.2.3' }] }), 'Bank', '10.1.2.3');
newRemoteMesh.rejects('FED106', 'endpoints that mix DNS names and IP addresses',
  () => bankWith({ endpoints: [{ address: 'fed.bank.example' }, { address: '203.0.113.1' }] }), 'Bank', '203.0.113.1');
newRemoteMesh.rejects('FED114', 'a private address with a blank reason',
  () => bankWith({ endpoints: [{ address: '10.1.2.3', privateAddress: { reason: ' '.repeat(20) } }] }), 'Bank', '10.1.2.3');
newRemoteMesh.rejects('FED301', 'an export name with capital letters',
  () => bankWith({ exposedServices: [{ exportName: 'Cards', ports: [ServicePort.http(443)] }] }), 'Bank', '"Cards"');
newRemoteMesh.rejects('FED303', 'an export without ports', () => bankWith({ exposedServices: [{ exportName: 'cards', ports: [] }] }), 'Bank', '"cards"');

/* Objects of fields. */
rejectFields(newRemoteMesh, 'an endpoint', (value) => () => bankWith({ endpoints: [value] }), { address: 'fed.bank.example', prot: 443 }, 'prot', 'port');
rejectFields(newRemoteMesh, 'RemoteMesh', (value) => () => new RemoteMesh(new App(), 'Bank', value), { meshName: 'bank', knownas: 'shop' }, 'knownas', 'knownAs');
rejectFields(newRemoteMesh, 'an entry of exposedServices', (value) => () => bankWith({ exposedServices: [value] }), { exportName: 'cards', port: [] }, 'port', 'ports');
newRemoteMesh.rejects('FED101', 'a name with a capital letter', () => bankWith({ meshName: 'Bank' }), 'FED101 Bank: "Bank" is not a valid mesh name');
newRemoteMesh.rejects('FED101', 'a number as name', () => bankWith({ meshName: any(5) }), 'FED101 Bank: 5 is not a valid mesh name');
