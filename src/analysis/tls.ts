import type { Boundaries } from './boundaries';
import { listOf } from './documents';

/*
 * TLS settings of DestinationRules, and the kinds of hosts that they apply to.
 */

/** Pattern of the SNI of an export: port, names, the label `fed` and the exporter's trust domain. */
export const PEER_HOST = /^p\d+\..+\.fed\.[^.]/;

/** All TLS settings of a DestinationRule: of the rule, of ports and of subsets. */
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

/** Whether a DestinationRule is for an export of a peer. */
export function isPeerHost({ spec }: any): boolean {
  return PEER_HOST.test(String(spec?.host)) && !String(spec.host).includes('.egress.fed.');
}

/** Whether a DestinationRule is for the Service of a boundary gateway. */
export function isGatewayHost({ metadata, spec }: any, { pods }: Boundaries): boolean {
  const [name, namespaceName = metadata?.namespace] = String(spec?.host).split('.');
  return pods.some(({ namespaceName: own, labels: { app } }) => own === namespaceName && app === name);
}

