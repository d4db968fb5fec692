import { ApiObject } from 'cdk8s';
import { Construct } from 'constructs';
import { emit } from './emit';
import { AuthorizationPolicy, AuthorizationPolicySpec, AuthorizationPolicySpecAction } from '../../imports/security.istio.io';
import { BOUNDARY_PORT } from '../model/constants';
import { GatewayConfig, LocalRoute, Peer, BoundaryConfig } from '../model/model';
import { bindingDomain, bindingDomainFor, bindingObjectName, exportDomain, exportDomainFor, PREFIX, singleObjectName } from '../model/names';

/*
 * AuthorizationPolicies of the boundary gateways. Istio adds up the ALLOW policies of all owners, those of the root
 * namespace included. So each peer has two policies: ALLOW for its identity, and a DENY guard for everybody else. Rules
 * list principals: `namespaces` ignores the trust domain, and `trustDomains` is a prefix test that is not bound to a
 * CA. The rules for methods, paths and headers of an export are in its routes (http-routes.ts) and in its virtual host
 * (rbac.ts).
 */

const PORTS = [String(BOUNDARY_PORT)];

/**
 * Two policies of a gateway: one that allows nothing, so that every request needs an ALLOW; and a DENY guard for every
 * SNI outside the boundary's domain, which no ALLOW of another owner can override. Returns the first one.
 */
export function renderDefaultDeny(scope: Construct, config: BoundaryConfig, gateway: GatewayConfig): ApiObject {
  const prefix = PREFIX[gateway.role];
  const domain = gateway.role === 'ingress' ? exportDomain(config.trustDomain) : bindingDomain(config.trustDomain);
  const defaultDeny = policy(scope, gateway, `${prefix}-default-deny`, () => ({}));
  policy(scope, gateway, `${prefix}-guard`, () => ({
    action: AuthorizationPolicySpecAction.DENY,
    rules: [{ when: [{ key: 'connection.sni', notValues: [`*${domain}`] }] }],
  }));
  return defaultDeny;
}

/**
 * The DENY guard of a shared gateway: rejects every SNI of the boundary's domain that belongs to no peer with a grant,
 * whatever server accepts it. There is no policy that allows nothing: it would close the listeners of all other owners.
 */
export function renderSharedGatewayGuard(scope: Construct, config: BoundaryConfig, peers: () => string[]): ApiObject {
  return policy(scope, config.ingress, `${PREFIX.ingress}-guard`, () => ({
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
 * The policies of one peer: only its egress identity may use its SNIs. The policies name no export. Istio puts each
 * policy into the filter chains of all exports: policies that grow with the grants would make the configuration
 * quadratic, and a change of one grant would drain the connections of all (docs/adr/0034).
 */
export function renderPeerPolicies(scope: Construct, config: BoundaryConfig, { egressIdentity, name }: Peer): ApiObject[] {
  const { principal } = egressIdentity!; // required by allowFrom
  const when = [{ key: 'connection.sni', values: [`*${exportDomainFor(name, config.trustDomain)}`] }];
  const guard = policy(scope, config.ingress, singleObjectName(`${PREFIX.ingress}-guard`, name), () => ({
    action: AuthorizationPolicySpecAction.DENY,
    rules: [{ from: [{ source: { notPrincipals: [principal] } }], when }],
  }));
  // On a shared gateway, an ALLOW policy would close the listeners of all other owners.
  if (!config.ingress.control.listeners) return [guard];
  return [guard, policy(scope, config.ingress, singleObjectName(`${PREFIX.ingress}-peer`, name), () => ({
    action: AuthorizationPolicySpecAction.ALLOW,
    rules: [{ from: [{ source: { principals: [principal] } }], to: [{ operation: { ports: PORTS } }], when }],
  }))];
}

/** Denies an isolated peer at a gateway, also on connections that are still open. */
export function renderIsolation(scope: Construct, config: BoundaryConfig, gateway: GatewayConfig, peer: Peer): ApiObject {
  const whenSni = (domain: string) => ({ when: [{ key: 'connection.sni', values: [`*${domain}`] }] });
  const isIngress = gateway.role === 'ingress';
  return policy(scope, gateway, singleObjectName(`${PREFIX[gateway.role]}-isolated`, peer.name), () => ({
    action: AuthorizationPolicySpecAction.DENY,
    rules: isIngress
      ? [
        // On a shared gateway only the boundary's own SNIs: other owners decide about their listeners.
        ...peer.egressIdentity === undefined ? [] : [{
          from: [{ source: { principals: [peer.egressIdentity.principal] } }],
          ...gateway.control.listeners ? {} : whenSni(exportDomain(config.trustDomain)),
        }],
        whenSni(exportDomainFor(peer.name, config.trustDomain)),
      ]
      : [whenSni(bindingDomainFor(peer.name, config.trustDomain))],
  }));
}

/**
 * Allows the workloads of our mesh to use the SNIs of the egress gateway. The server of each local name and the rules
 * of its virtual host decide which of them may use it.
 */
export function renderMeshWorkloads(scope: Construct, config: BoundaryConfig): ApiObject {
  return policy(scope, config.egress, `${PREFIX.egress}-mesh`, () => ({
    action: AuthorizationPolicySpecAction.ALLOW,
    rules: [{
      from: [{ source: { principals: [`${config.workloadTrustDomain}/*`] } }],
      to: [{ operation: { ports: PORTS } }],
      when: [{ key: 'connection.sni', values: [`*${bindingDomain(config.trustDomain)}`] }],
    }],
  }));
}

/**
 * DENY guard of a local name with a caller that stands for several identities (`*`). The TLS handshake cannot check
 * those, so this policy is the second control besides the rules of the virtual host.
 */
export function renderCallerGuard(scope: Construct, config: BoundaryConfig, route: LocalRoute): ApiObject {
  return policy(scope, config.egress, bindingObjectName(`${PREFIX.egress}-guard`, route), () => ({
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
