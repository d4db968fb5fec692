import { fail, show, Where } from './errors';
import type { Toleration } from '../model/model';

const EFFECTS = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];

/** Checks a toleration as the API server would. */
export function parseToleration(where: Where, toleration: Toleration, hasValue: boolean): Toleration {
  const { key, value, effect } = toleration;
  if (typeof key !== 'string' || key === '') fail('FED116', where, `the key of the taint is ${show(key)}`, 'give the key, for example "dedicated"');
  if (hasValue && typeof value !== 'string') {
    fail('FED116', where, `the value of the taint is ${show(value)}`, 'give the value, or use NodeToleration.exists for every value');
  }
  if (effect !== undefined && !EFFECTS.includes(effect)) {
    fail('FED116', where, `the effect of the taint is ${show(effect)}`, `use one of ${EFFECTS.join(', ')}, or leave it out for every effect`);
  }
  return toleration;
}
