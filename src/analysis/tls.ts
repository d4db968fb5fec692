import { Boundaries, isGatewayService } from './boundaries';
import { listOf } from './documents';

/*
 * TLS settings of DestinationRules and Gateways, and the kinds of hosts that they apply to.
 */

/** Pattern of the SNI of an export: port, names, the label `fed` and the exporter's trust domain. */
export const PEER_HOST = /^p\d+\..+\.fed\.[^.]/;
/** Part of every SNI of an egress gateway. */
const EGRESS = '.egress.fed.';

/** The TLS settings of one level of a DestinationRule. */
export interface ClientTls {
  readonly path: string;
  readonly tls: any;
  readonly of: 'rule' | 'port' | 'subset';
  /** Whether the level above has TLS settings. A subset inherits them; a port replaces them, also by none. */
  readonly below: boolean;
}

/** All levels of a DestinationRule that may have TLS settings. */
export function clientTls({ spec }: any): ClientTls[] {
  const inPolicy = (path: string, policy: any, of: 'rule' | 'subset', below: boolean): ClientTls[] => [
    { path: `${path}.tls`, tls: policy?.tls, of, below },
    ...listOf(policy?.portLevelSettings).map((setting, index): ClientTls =>
      ({ path: `${path}.portLevelSettings[${index}].tls`, tls: setting?.tls, of: 'port', below: below || Boolean(policy.tls) })),
  ];
  return [
    ...inPolicy('spec.trafficPolicy', spec?.trafficPolicy, 'rule', false),
    ...listOf(spec?.subsets).flatMap((subset, index) =>
      inPolicy(`spec.subsets[${index}].trafficPolicy`, subset?.trafficPolicy, 'subset', Boolean(spec.trafficPolicy?.tls))),
  ];
}

/** Whether a DestinationRule is for an export of a peer. */
export function isPeerHost({ spec }: any): boolean {
  return PEER_HOST.test(String(spec?.host)) && !String(spec.host).includes(EGRESS);
}

/** Whether a DestinationRule is for the Service of a boundary gateway. */
export function isGatewayHost({ metadata, spec }: any, { pods }: Boundaries): boolean {
  const host = String(spec?.host);
  return isGatewayService(host.includes('.') ? host : `${host}.${metadata?.namespace}`, pods.filter(({ managed }) => managed));
}

/** The mode that a server of a boundary must have: peers have certificates of their own CA, callers those of the mesh. */
export function modeOf(server: any): 'MUTUAL' | 'ISTIO_MUTUAL' {
  return listOf(server.hosts).some((host) => String(host).includes(EGRESS)) ? 'ISTIO_MUTUAL' : 'MUTUAL';
}
