import { NetworkDestination } from '../../src';
import { any } from '../support/pair';
import { Rejection, rejectionsOf } from '../support/rejections';

/** What is rejected: destinations of the gateways' own traffic. */
export const errors: Rejection[] = [];
const podsIn = rejectionsOf(errors, 'NetworkDestination.podsIn');
const addresses = rejectionsOf(errors, 'NetworkDestination.addresses');

podsIn.rejects('FED111', 'a namespace that is not a valid label', () => NetworkDestination.podsIn('*', [6443]), '"*"');
podsIn.rejects('FED150', 'pods without ports', () => NetworkDestination.podsIn('cert-manager', []), 'ports is an empty list');
podsIn.rejects('FED150', 'a port that does not exist', () => NetworkDestination.podsIn('cert-manager', [0]), '0 is not a valid port', '65535');
podsIn.rejects('FED150', 'a string in place of a port', () => NetworkDestination.podsIn('cert-manager', [any('6443')]), '"6443"');
podsIn.rejects('FED120', 'a port in place of a list', () => NetworkDestination.podsIn('cert-manager', any(6443)), 'ports must be a list');
podsIn.rejects('FED111', 'a missing namespace', () => NetworkDestination.podsIn(any(undefined), [6443]), 'undefined');
for (const cidr of ['198.51.100.8', '198.51.100.8/00', '198.51.100.8/33', 'istiod.example/32', any(undefined), any(8)]) {
  addresses.rejects('FED150', `${JSON.stringify(cidr) ?? 'undefined'} in place of a range`, () => NetworkDestination.addresses(cidr, [443]), 'the range', 'not a valid CIDR');
}
addresses.rejects('FED150', 'a range with bits after its mask', () => NetworkDestination.addresses('198.51.100.8/24', [443]), '"198.51.100.8/24"', 'use "198.51.100.0/24"');
for (const cidr of ['0.0.0.0/0', '::/0', '2000::/3', '::/1']) {
  addresses.rejects('FED150', `the range ${cidr}, which has every public address`, () => NetworkDestination.addresses(cidr, [443]), `"${cidr}"`, 'every public address');
}
addresses.rejects('FED150', 'a range without ports', () => NetworkDestination.addresses('198.51.100.8/32', []), 'ports is an empty list');
