import { isDnsName, isLabel } from './checks';
import { fail, show, Where } from './errors';
import { checkFields, checkList } from './kind-checks';
import type { IMeshPeer } from '../peer';
import type { RestrictNamespaceOptions } from '../restriction';

/** Hosts in the form of Istio's Sidecar, each by its name. */
export function checkRestriction(where: Where, options: RestrictNamespaceOptions): void {
  checkFields(where, 'restrictNamespace', options, ['reason', 'approvedBy', 'ticket', 'allowedHosts']);
  if (options.allowedHosts === undefined) return;
  checkList(where, 'allowedHosts', options.allowedHosts);
  for (const allowed of options.allowedHosts) {
    const [namespaceName, host, ...rest] = typeof allowed === 'string' ? allowed.split('/') : [];
    const named = host !== undefined && isDnsName(host.replace(/^\*\./, '')) && host.includes('.');
    const known = namespaceName !== undefined && (namespaceName === '.' || namespaceName === '*' || isLabel(namespaceName));
    if (named && known && rest.length === 0) continue;
    fail('FED122', where, `the allowed host ${show(allowed)} is of another form than namespace/host`,
      'name it in full, for example "egress/api.acquirer.example": a host "*" would be whatever anybody declares');
  }
}

/** Peers of which an endpoint is among the allowed hosts: that would be the way round which is to be closed. */
export function isWayRound(allowed: string, { endpoints }: IMeshPeer): boolean {
  const host = allowed.split('/')[1];
  return endpoints.some(({ address }) => host.startsWith('*.') ? address.endsWith(host.slice(1)) : address === host);
}
