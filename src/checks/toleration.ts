import { fail, show, Where } from './errors';
import type { Toleration } from '../model/model';

const EFFECTS = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];

/** Checks a toleration as the API server does. */
export function parseToleration(where: Where, toleration: Toleration, hasValue: boolean): Toleration {
  const { key, value, effect } = toleration;
  if (typeof key !== 'string' || key === '') fail('FED116', where, `the taint key ${show(key)} is not valid`, 'set the key, for example "dedicated"');
  if (hasValue && typeof value !== 'string') {
    fail('FED116', where, `the taint value ${show(value)} is not valid`, 'set the value, or use NodeToleration.exists to match every value');
  }
  if (effect !== undefined && !EFFECTS.includes(effect)) {
    fail('FED116', where, `the taint effect ${show(effect)} is not valid`, `use one of ${EFFECTS.join(', ')}, or omit it to match every effect`);
  }
  return toleration;
}
