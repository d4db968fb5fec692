import { coversBoundary, isBoundaryHost, plain } from './bound-hosts';
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

/** Whether a DestinationRule is for an export of a peer, or for a wildcard of such names. */
export function isPeerHost({ spec }: any, { boundHosts }: Boundaries): boolean {
  const host = plain(spec?.host);
  return !host.includes(EGRESS) && (PEER_HOST.test(host) || /[.*]fed\./.test(host) && (isBoundaryHost(host, boundHosts) || coversBoundary(host, boundHosts)));
}

/** Whether a DestinationRule is for the Service of a boundary gateway, or for a wildcard in its namespace. */
export function isGatewayHost({ metadata, spec }: any, { pods }: Boundaries): boolean {
  const host = plain(spec?.host);
  const managed = pods.filter((pod) => pod.managed);
  if (!isWildcard(host)) return isGatewayService(host.includes('.') ? host : `${host}.${metadata?.namespace}`, managed);
  // A wildcard for the Services of all namespaces is not about the gateways: their callers have rules with the exact host.
  const services = host.slice(1).replace(/\.svc(\..*)?$/, '');
  return services !== '' && managed.some(({ labels, namespaceName }) => `${labels.app}.${namespaceName}`.endsWith(services));
}

/** Whether the host of a rule is a wildcard. Exact hosts take precedence over it. */
export function isWildcard(host: unknown): boolean {
  return String(host).startsWith('*');
}

/** The mode that a server of a boundary must have: peers have certificates of their own CA, callers those of the mesh. */
export function modeOf(server: any): 'MUTUAL' | 'ISTIO_MUTUAL' {
  return listOf(server.hosts).some((host) => plain(host).includes(EGRESS)) ? 'ISTIO_MUTUAL' : 'MUTUAL';
}
