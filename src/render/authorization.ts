import { ApiObject } from 'cdk8s';
import { Construct } from 'constructs';
import { emit } from './emit';
import { AuthorizationPolicy, AuthorizationPolicySpec, AuthorizationPolicySpecAction } from '../../imports/security.istio.io';
import { BOUNDARY_PORT } from '../internal/endpoint-checks';
import { GatewaySite, LocalRoute, Peer, Site } from '../internal/model';
import {
  bindingDomain, bindingDomainFor, bindingObjectName, exportDomain, exportDomainFor, singleObjectName,
} from '../internal/names';

/*
 * Who may pass a boundary gateway. ALLOW policies written by others add up with ours, those of the root namespace included, so each
 * peer is named twice: ALLOW for its identity, and a DENY guard for everybody else. Rules name principals: `namespaces` ignores the
 * trust domain, and `trustDomains` is a prefix test that binds no CA. What a peer may ask of an export stands in the routes and in the
 * rules of the virtual host (rbac.ts).
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
 * On a shared gateway, for our server names only: a name that is kept for no peer leads nowhere, whatever server takes it. An ALLOW of ours
 * would close everybody else's listeners, so there is none.
 */
export function renderGuardAmongOthers(scope: Construct, site: Site, peers: () => string[]): ApiObject {
  return policy(scope, site.ingress, 'fed-in-guard', () => ({
    action: AuthorizationPolicySpecAction.DENY,
    rules: [{
      when: [{
        key: 'connection.sni',
        values: [`*${exportDomain(site.trustDomain)}`],
        notValues: peers().length === 0 ? undefined : peers().map((name) => `*${exportDomainFor(name, site.trustDomain)}`),
      }],
    }],
  }));
}

/**
 * On the peer's server names, the peer and nobody else. The policies name no export: each is in the filter chains of all of them, so one
 * that grew with the grants would make the configuration quadratic, and a change of one grant would drain the connections of all.
 */
export function renderPeerPolicies(scope: Construct, site: Site, { egressIdentity: { principal }, name }: Peer): ApiObject[] {
  const when = [{ key: 'connection.sni', values: [`*${exportDomainFor(name, site.trustDomain)}`] }];
  const guard = policy(scope, site.ingress, singleObjectName('fed-in-guard', name), () => ({
    action: AuthorizationPolicySpecAction.DENY,
    rules: [{ from: [{ source: { notPrincipals: [principal] } }], when }],
  }));
  // On a shared gateway, an ALLOW would close everybody else's listeners.
  if (site.ingress.existing) return [guard];
  return [guard, policy(scope, site.ingress, singleObjectName('fed-in-peer', name), () => ({
    action: AuthorizationPolicySpecAction.ALLOW,
    rules: [{ from: [{ source: { principals: [principal] } }], to: [{ operation: { ports: PORTS } }], when }],
  }))];
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

/** The workloads of our mesh, on the names of the boundary. Which of them may use a name is decided by its server and its rules. */
export function renderWorkloads(scope: Construct, site: Site): ApiObject {
  return policy(scope, site.egress, 'fed-out-mesh', () => ({
    action: AuthorizationPolicySpecAction.ALLOW,
    rules: [{
      from: [{ source: { principals: [`${site.workloadTrustDomain}/*`] } }],
      to: [{ operation: { ports: PORTS } }],
      when: [{ key: 'connection.sni', values: [`*${bindingDomain(site.trustDomain)}`] }],
    }],
  }));
}

/** Where a caller stands for identities that the handshake cannot list, a policy is the second control beside the rules of the name. */
export function renderUnlistedCallers(scope: Construct, site: Site, route: LocalRoute): ApiObject {
  return policy(scope, site.egress, bindingObjectName('fed-out-guard', route), () => ({
    action: AuthorizationPolicySpecAction.DENY,
    rules: [{
      from: [{ source: { notPrincipals: route.alias.callers.map(({ principal }) => principal) } }],
      when: [{ key: 'connection.sni', values: [route.bindingHost] }],
    }],
  }));
}

function policy(scope: Construct, gateway: GatewaySite, name: string, rules: () => Omit<AuthorizationPolicySpec, 'selector'>) {
  return emit<AuthorizationPolicySpec>(scope, AuthorizationPolicy.GVK, { name, namespace: gateway.namespaceName }, () => ({
    selector: { matchLabels: gateway.selector },
    ...rules(),
  }));
}
