import { ApiObject } from 'cdk8s';
import { Construct } from 'constructs';
import { emitAlike } from './emit';
import { AuthorizationPolicy, AuthorizationPolicySpec, AuthorizationPolicySpecAction } from '../../imports/security.istio.io';
import { Lock } from '../internal/model';
import { serviceObjectName } from '../internal/names';

/**
 * Nobody but those who are named reaches the workload. A DENY and no ALLOW: ALLOW policies of others add up and cannot open it again, and
 * an ALLOW of ours would let the callers do what a narrower one of the owner's does not. Who shows no identity, as in plaintext, is not named.
 */
export function renderLock(scope: Construct, lock: Lock): ApiObject {
  const named = { name: serviceObjectName('fed-lock', lock.serviceName, lock.namespaceName), namespace: lock.namespaceName };
  return emitAlike<AuthorizationPolicySpec>(scope, AuthorizationPolicy.GVK, named, () => ({
    selector: { matchLabels: { ...lock.podLabels } },
    action: AuthorizationPolicySpecAction.DENY,
    rules: [{ from: [{ source: { notPrincipals: lock.principals } }] }],
  }));
}
