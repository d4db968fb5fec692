import { fail, Where } from './errors';

/** Istio versions on whose proxies the lab has tested the EnvoyFilters of options. */
const TESTED = ['1.31'];

/** Refuses an option with an Istio version on which it is not tested: what an EnvoyFilter does depends on what istiod writes for proxies. */
export function checkTested(where: Where, option: string, istioVersion: string): void {
  if (TESTED.includes(istioVersion)) return;
  fail('FED125', where, `${option} is not tested with Istio ${istioVersion}`,
    `remove it, or run Istio ${TESTED.join(' or ')} and set istioVersion accordingly`);
}
