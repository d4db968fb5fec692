import { fail, Where } from './errors';

/** Istio versions on whose proxies the lab has tested the EnvoyFilters of options. */
const TESTED = ['1.31'];

/**
 * Rejects an option that is not tested with the Istio version: an EnvoyFilter depends on the configuration that istiod
 * generates.
 */
export function checkTested(where: Where, option: string, istioVersion: string): void {
  if (TESTED.includes(istioVersion)) return;
  fail('FED125', where, `${option} is not tested with Istio ${istioVersion}`,
    `remove it, or run Istio ${TESTED.join(' or ')} and set istioVersion accordingly`);
}
