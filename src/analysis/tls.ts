import type { Boundaries } from './boundaries';
import { listOf } from './documents';

/*
 * TLS settings of DestinationRules, and the hosts that they are for.
 */

/** SNIs of exports end with the exporter's trust domain behind this label. */
export const PEER_HOST = /^p\d+\..+\.fed\.[^.]/;

/** TLS settings of a DestinationRule, wherever they stand in it. */
export function clientTls(document: any): { readonly path: string; readonly tls: any }[] {
  const inPolicy = (path: string, policy: any) => [
    { path: `${path}.tls`, tls: policy?.tls },
    ...listOf(policy?.portLevelSettings).map((setting, index) => ({ path: `${path}.portLevelSettings[${index}].tls`, tls: setting?.tls })),
  ];
  return [
    ...inPolicy('spec.trafficPolicy', document.spec?.trafficPolicy),
    ...listOf(document.spec?.subsets).flatMap((subset, index) => inPolicy(`spec.subsets[${index}].trafficPolicy`, subset?.trafficPolicy)),
  ].filter(({ tls }) => tls);
}

export function isPeerHost({ spec }: any): boolean {
  return PEER_HOST.test(String(spec?.host)) && !String(spec.host).includes('.egress.fed.');
}

export function isGatewayHost({ metadata, spec }: any, { pods }: Boundaries): boolean {
  const [name, namespaceName = metadata?.namespace] = String(spec?.host).split('.');
  return pods.some(({ namespaceName: own, labels: { app } }) => own === namespaceName && app === name);
}

