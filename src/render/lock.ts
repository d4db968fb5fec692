import { ApiObject } from 'cdk8s';
import { Construct } from 'constructs';
import { CONNECTION_WINDOW, CONNECTION_PER_DOWNSTREAM, WORKLOAD_STREAM_WINDOW } from './connection-settings';
import { emitWithKindId } from './emit';
import { ANALYZE_SUPPRESSIONS, connectionManagerPatch } from './filters';
import {
  EnvoyFilter, EnvoyFilterSpec, EnvoyFilterSpecConfigPatchesApplyTo, EnvoyFilterSpecConfigPatchesMatchContext,
  EnvoyFilterSpecConfigPatchesPatchOperation,
} from '../../imports/networking.istio.io';
import { AuthorizationPolicy, AuthorizationPolicySpec, AuthorizationPolicySpecAction } from '../../imports/security.istio.io';
import { Lock } from '../model/model';
import { PREFIX, serviceObjectName } from '../model/names';

const { SIDECAR_UNDERSCORE_INBOUND: SIDECAR_INBOUND } = EnvoyFilterSpecConfigPatchesMatchContext;
const { CLUSTER } = EnvoyFilterSpecConfigPatchesApplyTo;
const { MERGE } = EnvoyFilterSpecConfigPatchesPatchOperation;

/**
 * AuthorizationPolicy that denies a workload to every identity except the listed ones (docs/adr/0018). It is a DENY:
 * ALLOW policies of other owners add up and cannot override it, and an ALLOW of ours would let the listed callers do
 * more than a narrower ALLOW of the owner. It also denies callers without an identity, such as plaintext connections.
 */
export function renderLock(scope: Construct, lock: Lock): ApiObject {
  return emitWithKindId<AuthorizationPolicySpec>(scope, AuthorizationPolicy.GVK, named(lock), () => ({
    selector: { matchLabels: { ...lock.podLabels } },
    action: AuthorizationPolicySpecAction.DENY,
    rules: [{ from: [{ source: { notPrincipals: lock.principals } }] }],
  }));
}

/**
 * EnvoyFilter that keeps one peer from blocking other callers of a workload (docs/adr/0037). The gateway opens a
 * connection to the workload's sidecar for each connection of a peer. By default that sidecar uses one connection to
 * the application for all of them, and buffers up to 16 MiB for each HTTP/2 stream that nobody reads: one peer could
 * block all other calls there and exhaust the sidecar's memory.
 */
export function renderLockLimits(scope: Construct, lock: Lock): ApiObject {
  return emitWithKindId<EnvoyFilterSpec>(scope, EnvoyFilter.GVK, { ...named(lock), annotations: ANALYZE_SUPPRESSIONS }, () => ({
    workloadSelector: { labels: { ...lock.podLabels } },
    configPatches: [
      {
        applyTo: CLUSTER,
        match: { context: SIDECAR_INBOUND },
        patch: { operation: MERGE, value: CONNECTION_PER_DOWNSTREAM },
      },
      connectionManagerPatch(SIDECAR_INBOUND, {}, {
        http2_protocol_options: { initial_stream_window_size: WORKLOAD_STREAM_WINDOW, initial_connection_window_size: CONNECTION_WINDOW },
      }),
    ],
  }));
}

function named({ serviceName, namespaceName }: Lock) {
  return { name: serviceObjectName(PREFIX.lock, serviceName, namespaceName), namespace: namespaceName };
}
