import { fail, Where } from './errors';
import { Feature, ISTIO_PATCHES, IstioMinor, isSupported } from '../model/istio-support';

const OR = new Intl.ListFormat('en', { type: 'disjunction' });

/**
 * Rejects an option that the Istio version does not support. Istio itself would not: it ignores a field that it does
 * not know, and a patch that matches nothing.
 */
export function checkSupported(where: Where, option: Feature, istioVersion: IstioMinor): void {
  if (isSupported(option, istioVersion)) return;
  const supporting = (Object.keys(ISTIO_PATCHES) as IstioMinor[]).filter((minor) => isSupported(option, minor));
  fail('FED125', where, `${option} is not supported with Istio ${istioVersion}`,
    `remove it, or run Istio ${OR.format(supporting)} and set istioVersion accordingly`);
}
