import { fail, show, Where } from './errors';
import { isPodLabel } from './values';
import type { Toleration } from '../model/model';

const EFFECTS = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];

/** Checks a toleration as the API server does. */
export function parseToleration(where: Where, toleration: Toleration, hasValue: boolean): Toleration {
  const { key, value, effect } = toleration;
  if (typeof key !== 'string' || !isPodLabel(key, '')) {
    fail('FED116', where, `the taint key ${show(key)} is not valid`, 'set the key as a label name, for example "dedicated" or "example.com/pool"');
  }
  if (hasValue && !isPodLabel('key', value)) {
    fail('FED116', where, `the taint value ${show(value)} is not valid`, 'set the value as a label value, or use NodeToleration.exists to match every value');
  }
  if (effect !== undefined && !EFFECTS.includes(effect)) {
    fail('FED116', where, `the taint effect ${show(effect)} is not valid`, `use one of ${EFFECTS.join(', ')}, or omit it to match every effect`);
  }
  return toleration;
}
