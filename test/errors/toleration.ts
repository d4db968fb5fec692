import { NodeToleration } from '../../src';
import { any } from '../support/pair';
import { Rejection, rejectionsOf } from '../support/rejections';

/** What is rejected: tolerations of node taints. */
export const errors: Rejection[] = [];
const equal = rejectionsOf(errors, 'NodeToleration.equal');
const exists = rejectionsOf(errors, 'NodeToleration.exists');

equal.rejects('FED116', 'an unknown effect', () => NodeToleration.equal('dmz', 'yes', 'NoRun'), '"NoRun"', 'NoSchedule');
equal.rejects('FED116', 'a missing value', () => NodeToleration.equal('dmz', any(undefined)), 'undefined', 'NodeToleration.exists');
exists.rejects('FED116', 'an empty key', () => NodeToleration.exists(''), '""', '"dedicated"');
exists.rejects('FED116', 'a value in place of the effect', () => NodeToleration.exists('dmz', 'yes'), '"yes"', 'NoExecute');
exists.rejects('FED116', 'a number as key', () => NodeToleration.exists(any(5)), 'the taint key 5');
for (const key of ['dmz!', 'a b', '/a', 'a/', 'Team_/a', 'x'.repeat(64)]) {
  exists.rejects('FED116', `the taint key ${key}`, () => NodeToleration.exists(key), JSON.stringify(key));
}
for (const value of ['a b', '-a', 'x'.repeat(64)]) equal.rejects('FED116', `the taint value ${value}`, () => NodeToleration.equal('dedicated', value), JSON.stringify(value));
