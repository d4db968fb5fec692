import { ApiObject } from 'cdk8s';
import { Construct } from 'constructs';
import { emit } from './emit';
import { tokenConditions } from './jwt';
import { AuthorizationPolicy, AuthorizationPolicySpec, AuthorizationPolicySpecAction } from '../../imports/security.istio.io';
import { BOUNDARY_PORT } from '../internal/endpoint-checks';
import { GatewaySite, Grant, HttpOperation, LocalRoute, Peer, Site } from '../internal/model';
import {
  bindingDomain, bindingDomainFor, bindingObjectName, exportDomain, exportDomainFor, exportObjectName, singleObjectName,
} from '../internal/names';

/*
 * Who may pass a boundary gateway. ALLOW policies written by others add up with ours, those of the root namespace included, so each
 * grant is stated twice: ALLOW for the one who may, and DENY guards for everybody else. Rules name principals: `namespaces` ignores the
 * trust domain, and `trustDomains` is a prefix test that binds no CA.
 */

const PORTS = [String(BOUNDARY_PORT)];

/** Nothing passes until an ALLOW says so; nothing outside our own server names passes whatever others allow. */
export function renderDefaultDeny(scope: Construct, site: Site, gateway: GatewaySite): ApiObject {
  const [prefix, domain] = gateway.role === 'ingress'
    ? ['fed-in', exportDomain(site.trustDomain)]
    : ['fed-out', bindingDomain(site.trustDomain)];
  const nothing = policy(scope, gateway, `${prefix}-default-deny`, () => ({}));
  policy(scope, gateway, `${prefix}-guard`, () => ({
    action: AuthorizationPolicySpecAction.DENY,
    rules: [{ when: [{ key: 'connection.sni', notValues: [`*${domain}`] }] }],
  }));
  return nothing;
}

/**
 * On a gateway that others run, for our server names only: none that is not granted leads anywhere, whatever server takes it. An ALLOW of
 * ours would close everybody else's listeners, so there is none.
 */
export function renderGuardAmongOthers(scope: Construct, site: Site, granted: () => string[]): ApiObject {
  return policy(scope, site.ingress, 'fed-in-guard', () => ({
    action: AuthorizationPolicySpecAction.DENY,
    rules: [{ when: [{ key: 'connection.sni', values: [`*${exportDomain(site.trustDomain)}`], notValues: granted().length === 0 ? undefined : granted() }] }],
  }));
}

/** Nobody but the peer passes on the peer's server names. */
export function renderPeerGuard(scope: Construct, site: Site, { peer }: Grant): ApiObject {
  return policy(scope, site.ingress, singleObjectName('fed-in-guard', peer.name), () => ({
    action: AuthorizationPolicySpecAction.DENY,
    rules: [{
      from: [{ source: { notPrincipals: [peer.egressIdentity.principal] } }],
      when: [{ key: 'connection.sni', values: [`*${exportDomainFor(peer.name, site.trustDomain)}`] }],
    }],
  }));
}

/** What the peer may ask of one exported port: one rule for each set of headers and each token that requests must have. */
export function renderGrant(scope: Construct, site: Site, grant: Grant): ApiObject {
  return policy(scope, site.ingress, exportObjectName('fed-in', grant.exportName, grant.exportPort, grant.peer.name), () => {
    if (site.ingress.existing) return complement(grant);
    const operations: HttpOperation[] = grant.operations.length === 0 ? [{}] : grant.operations;
    const conditionSets = [...new Set(operations.map((operation) => JSON.stringify(conditionsOf(operation))))].sort();
    return {
      action: AuthorizationPolicySpecAction.ALLOW,
      rules: conditionSets.map((conditions) => ({
        from: [{ source: { principals: [grant.peer.egressIdentity.principal] } }],
        to: operations.filter((operation) => JSON.stringify(conditionsOf(operation)) === conditions)
          .map(({ methods, paths, exceptPaths }) => ({ operation: { ports: PORTS, methods, paths, notPaths: exceptPaths } })),
        when: [
          { key: 'connection.sni', values: [grant.sni] },
          ...Object.entries<string[]>(JSON.parse(conditions)).map(([key, values]) => ({ key, values })),
        ],
      })),
    };
  });
}

/** Values of which a request must have one, by what Istio calls the attribute. */
function conditionsOf({ headers = {}, token }: HttpOperation): { [attribute: string]: string[] } {
  return {
    ...Object.fromEntries(Object.entries(headers).map(([name, value]) => [`request.headers[${name}]`, [value]])),
    ...token && tokenConditions(token),
  };
}

/** What a DENY can say of the same: nobody else, and no method and no path that no rule names. The routes say the rest. */
function complement({ peer, sni, operations }: Grant): Omit<AuthorizationPolicySpec, 'selector'> {
  const when = [{ key: 'connection.sni', values: [sni] }];
  const named = (list: 'methods' | 'paths') => operations.length > 0 && operations.every((operation) => operation[list])
    ? [...new Set(operations.flatMap((operation) => operation[list]!))].sort()
    : undefined;
  const [notMethods, notPaths] = [named('methods'), named('paths')];
  return {
    action: AuthorizationPolicySpecAction.DENY,
    rules: [
      { from: [{ source: { notPrincipals: [peer.egressIdentity.principal] } }], when },
      ...notMethods ? [{ to: [{ operation: { ports: PORTS, notMethods } }], when }] : [],
      ...notPaths ? [{ to: [{ operation: { ports: PORTS, notPaths } }], when }] : [],
    ],
  };
}

/** That a peer is cut off, also on connections that are open still. */
export function renderIsolation(scope: Construct, site: Site, gateway: GatewaySite, peer: Peer): ApiObject {
  const ofServer = (domain: string) => ({ when: [{ key: 'connection.sni', values: [`*${domain}`] }] });
  const calls = gateway.role === 'ingress';
  return policy(scope, gateway, singleObjectName(calls ? 'fed-in-isolated' : 'fed-out-isolated', peer.name), () => ({
    action: AuthorizationPolicySpecAction.DENY,
    rules: calls
      ? [
        // What the peer does at listeners of others is for them to say.
        { from: [{ source: { principals: [peer.egressIdentity.principal] } }], ...gateway.existing ? ofServer(exportDomain(site.trustDomain)) : {} },
        ofServer(exportDomainFor(peer.name, site.trustDomain)),
      ]
      : [ofServer(bindingDomainFor(peer.name, site.trustDomain))],
  }));
}

/** Which of our workloads may use one port of a local name, and that no other may. */
export function renderCallers(scope: Construct, site: Site, route: LocalRoute): ApiObject[] {
  const principals = () => route.alias.callers.map(({ principal }) => principal);
  const when = [{ key: 'connection.sni', values: [route.bindingHost] }];
  const guard = policy(scope, site.egress, bindingObjectName('fed-out-guard', route), () => ({
    action: AuthorizationPolicySpecAction.DENY,
    rules: [{ from: [{ source: { notPrincipals: principals() } }], when }],
  }));
  const allow = policy(scope, site.egress, bindingObjectName('fed-out', route), () => ({
    action: AuthorizationPolicySpecAction.ALLOW,
    rules: [{ from: [{ source: { principals: principals() } }], to: [{ operation: { ports: PORTS } }], when }],
  }));
  return [guard, allow];
}

function policy(scope: Construct, gateway: GatewaySite, name: string, rules: () => Omit<AuthorizationPolicySpec, 'selector'>) {
  return emit<AuthorizationPolicySpec>(scope, AuthorizationPolicy.GVK, { name, namespace: gateway.namespaceName }, () => ({
    selector: { matchLabels: gateway.selector },
    ...rules(),
  }));
}
