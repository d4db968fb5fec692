import { ApiObject } from 'cdk8s';
import { Construct } from 'constructs';
import { emit } from './emit';
import { AuthorizationPolicy, AuthorizationPolicySpec, AuthorizationPolicySpecAction } from '../../imports/security.istio.io';
import { BOUNDARY_PORT } from '../model/constants';
import { GatewayConfig, LocalRoute, Peer, BoundaryConfig } from '../model/model';
import {
  bindingDomain, bindingDomainFor, bindingObjectName, exportDomain, exportDomainFor, singleObjectName,
} from '../model/names';

/*
 * Who may pass a boundary gateway. ALLOW policies written by others add up with ours, those of the root namespace included, so each
 * peer is named twice: ALLOW for its identity, and a DENY guard for everybody else. Rules name principals: `namespaces` ignores the
 * trust domain, and `trustDomains` is a prefix test that binds no CA. What a peer may ask of an export stands in the routes and in the
 * rules of the virtual host (rbac.ts).
 */

const PORTS = [String(BOUNDARY_PORT)];

/** Nothing passes until an ALLOW says so; nothing outside our own server names passes whatever others allow. */
export function renderDefaultDeny(scope: Construct, config: BoundaryConfig, gateway: GatewayConfig): ApiObject {
  const [prefix, domain] = gateway.role === 'ingress'
    ? ['fed-in', exportDomain(config.trustDomain)]
    : ['fed-out', bindingDomain(config.trustDomain)];
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
export function renderSharedGatewayGuard(scope: Construct, config: BoundaryConfig, peers: () => string[]): ApiObject {
  return policy(scope, config.ingress, 'fed-in-guard', () => ({
    action: AuthorizationPolicySpecAction.DENY,
    rules: [{
      when: [{
        key: 'connection.sni',
        values: [`*${exportDomain(config.trustDomain)}`],
        notValues: peers().length === 0 ? undefined : peers().map((name) => `*${exportDomainFor(name, config.trustDomain)}`),
      }],
    }],
  }));
}

/**
 * On the peer's server names, the peer and nobody else. The policies name no export: each is in the filter chains of all of them, so one
 * that grew with the grants would make the configuration quadratic, and a change of one grant would drain the connections of all.
 */
export function renderPeerPolicies(scope: Construct, config: BoundaryConfig, { egressIdentity, name }: Peer): ApiObject[] {
  const { principal } = egressIdentity!; // required by allowFrom
  const when = [{ key: 'connection.sni', values: [`*${exportDomainFor(name, config.trustDomain)}`] }];
  const guard = policy(scope, config.ingress, singleObjectName('fed-in-guard', name), () => ({
    action: AuthorizationPolicySpecAction.DENY,
    rules: [{ from: [{ source: { notPrincipals: [principal] } }], when }],
  }));
  // On a shared gateway, an ALLOW would close everybody else's listeners.
  if (!config.ingress.control.listeners) return [guard];
  return [guard, policy(scope, config.ingress, singleObjectName('fed-in-peer', name), () => ({
    action: AuthorizationPolicySpecAction.ALLOW,
    rules: [{ from: [{ source: { principals: [principal] } }], to: [{ operation: { ports: PORTS } }], when }],
  }))];
}

/** That a peer is cut off, also on connections that are open still. */
export function renderIsolation(scope: Construct, config: BoundaryConfig, gateway: GatewayConfig, peer: Peer): ApiObject {
  const ofServer = (domain: string) => ({ when: [{ key: 'connection.sni', values: [`*${domain}`] }] });
  const calls = gateway.role === 'ingress';
  return policy(scope, gateway, singleObjectName(calls ? 'fed-in-isolated' : 'fed-out-isolated', peer.name), () => ({
    action: AuthorizationPolicySpecAction.DENY,
    rules: calls
      ? [
        // What the peer does at listeners of others is for them to say.
        ...peer.egressIdentity === undefined ? [] : [{
          from: [{ source: { principals: [peer.egressIdentity.principal] } }],
          ...gateway.control.listeners ? {} : ofServer(exportDomain(config.trustDomain)),
        }],
        ofServer(exportDomainFor(peer.name, config.trustDomain)),
      ]
      : [ofServer(bindingDomainFor(peer.name, config.trustDomain))],
  }));
}

/** The workloads of our mesh, on the names of the boundary. Which of them may use a name is decided by its server and its rules. */
export function renderMeshWorkloads(scope: Construct, config: BoundaryConfig): ApiObject {
  return policy(scope, config.egress, 'fed-out-mesh', () => ({
    action: AuthorizationPolicySpecAction.ALLOW,
    rules: [{
      from: [{ source: { principals: [`${config.workloadTrustDomain}/*`] } }],
      to: [{ operation: { ports: PORTS } }],
      when: [{ key: 'connection.sni', values: [`*${bindingDomain(config.trustDomain)}`] }],
    }],
  }));
}

/** Where a caller stands for identities that the handshake cannot list, a policy is the second control beside the rules of the name. */
export function renderCallerGuard(scope: Construct, config: BoundaryConfig, route: LocalRoute): ApiObject {
  return policy(scope, config.egress, bindingObjectName('fed-out-guard', route), () => ({
    action: AuthorizationPolicySpecAction.DENY,
    rules: [{
      from: [{ source: { notPrincipals: route.binding.callers.map(({ principal }) => principal) } }],
      when: [{ key: 'connection.sni', values: [route.bindingHost] }],
    }],
  }));
}

function policy(scope: Construct, gateway: GatewayConfig, name: string, rules: () => Omit<AuthorizationPolicySpec, 'selector'>) {
  return emit<AuthorizationPolicySpec>(scope, AuthorizationPolicy.GVK, { name, namespace: gateway.namespaceName }, () => ({
    selector: { matchLabels: gateway.selector },
    ...rules(),
  }));
}
