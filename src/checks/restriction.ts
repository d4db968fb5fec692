import { isIP } from 'net';
import { fail, show, Where } from './errors';
import { checkList, fieldsOf, parseFields } from './kinds';
import { checkJustification, checkNamespace, isHostName, isLabel, JUSTIFICATION } from './values';
import type { IMeshPeer } from '../mesh-peer';
import { reasonOf } from '../model/annotations';
import type { Restriction } from '../model/model';
import { distinct } from '../model/order';
import type { RestrictNamespaceOptions } from '../restriction';

const FIELDS = fieldsOf<RestrictNamespaceOptions>({ ...JUSTIFICATION, allowedHosts: true });

/** Checks the options of `restrictNamespace`, with hosts in the form of Istio's Sidecar. */
export function parseRestriction(where: Where, namespaceName: string, given: RestrictNamespaceOptions): Restriction {
  checkNamespace(where, namespaceName);
  const options = parseFields(where, 'the options of restrictNamespace', given, FIELDS);
  const { allowedHosts = [] } = options;
  checkList(where, 'allowedHosts', allowedHosts);
  allowedHosts.forEach((allowed) => checkAllowedHost(where, allowed));
  checkJustification(where, `restricting ${show(namespaceName)}`, options);
  return { namespaceName, allowedHosts: distinct(allowedHosts), annotations: { restricted: reasonOf(options) } };
}

/** Whether an allowed host covers an endpoint of a peer: its gateway could then be called directly. */
export function coversEndpoint(allowed: string, { endpoints }: Pick<IMeshPeer, 'endpoints'>): boolean {
  const host = allowed.split('/')[1];
  return endpoints.some(({ address }) => host.startsWith('*.') ? address.endsWith(host.slice(1)) : address === host);
}

function checkAllowedHost(where: Where, allowed: string): void {
  const [namespaceName, host, ...rest] = typeof allowed === 'string' ? allowed.split('/') : [];
  const named = host !== undefined && isHostName(host.replace(/^\*\./, '')) && host.includes('.');
  const known = namespaceName !== undefined && (namespaceName === '.' || namespaceName === '*' || isLabel(namespaceName));
  if (named && known && rest.length === 0) return;
  const reject = (what: string, fix: string) => fail('FED122', where, `the allowed host ${show(allowed)} ${what}`, fix);
  if (typeof allowed === 'string' && allowed.split('/').some((part) => isIP(part) !== 0)) {
    reject('has an address in place of the host of namespace/host', 'use the host of the ServiceEntry with this address: Sidecars select hosts by their names');
  }
  if (host === undefined && typeof allowed === 'string' && isHostName(allowed) && allowed.includes('.')) {
    reject('does not have the form namespace/host', `write the namespace that declares the host first, for example ${show(`egress/${allowed}`)}, or "*" for any namespace`);
  }
  reject('does not have the form namespace/host',
    'write the full host name, for example "egress/api.acquirer.example": "*" would allow every host that anybody declares');
}
