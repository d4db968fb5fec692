import { ApiObject } from 'cdk8s';
import { Construct } from 'constructs';
import { CONNECTION_WINDOW, OWN_CONNECTIONS, WORKLOAD_STREAM_WINDOW } from './connection-settings';
import { emitAlike } from './emit';
import { CONNECTION_MANAGER, FILTER_WARNINGS, HTTP_MANAGER } from './filters';
import {
  EnvoyFilter, EnvoyFilterSpec, EnvoyFilterSpecConfigPatchesApplyTo, EnvoyFilterSpecConfigPatchesMatchContext,
  EnvoyFilterSpecConfigPatchesPatchOperation,
} from '../../imports/networking.istio.io';
import { AuthorizationPolicy, AuthorizationPolicySpec, AuthorizationPolicySpecAction } from '../../imports/security.istio.io';
import { Lock } from '../model/model';
import { serviceObjectName } from '../model/names';

const { SIDECAR_UNDERSCORE_INBOUND: SIDECAR_INBOUND } = EnvoyFilterSpecConfigPatchesMatchContext;
const { CLUSTER, NETWORK_UNDERSCORE_FILTER: NETWORK_FILTER } = EnvoyFilterSpecConfigPatchesApplyTo;
const { MERGE } = EnvoyFilterSpecConfigPatchesPatchOperation;

/**
 * Nobody but those who are named reaches the workload. A DENY and no ALLOW: ALLOW policies of others add up and cannot open it again, and
 * an ALLOW of ours would let the callers do what a narrower one of the owner's does not. Who shows no identity, as in plaintext, is not named.
 */
export function renderLock(scope: Construct, lock: Lock): ApiObject {
  return emitAlike<AuthorizationPolicySpec>(scope, AuthorizationPolicy.GVK, named(lock), () => ({
    selector: { matchLabels: { ...lock.podLabels } },
    action: AuthorizationPolicySpecAction.DENY,
    rules: [{ from: [{ source: { notPrincipals: lock.principals } }] }],
  }));
}

/**
 * Keeps the callers of the workload apart. The gateway has a connection to the workload's proxy for each connection of a peer, but that proxy
 * has one for all of them to the application, and buffers up to 16 MiB for each stream of HTTP/2 that nobody reads: one peer could stop the
 * calls of all others there, and end the proxy by its memory (docs/adr/0037).
 */
export function renderLockBounds(scope: Construct, lock: Lock): ApiObject {
  return emitAlike<EnvoyFilterSpec>(scope, EnvoyFilter.GVK, { ...named(lock), annotations: FILTER_WARNINGS }, () => ({
    workloadSelector: { labels: { ...lock.podLabels } },
    configPatches: [
      {
        applyTo: CLUSTER,
        match: { context: SIDECAR_INBOUND },
        patch: { operation: MERGE, value: OWN_CONNECTIONS },
      },
      {
        applyTo: NETWORK_FILTER,
        match: { context: SIDECAR_INBOUND, listener: { filterChain: { filter: { name: HTTP_MANAGER } } } },
        patch: {
          operation: MERGE,
          value: {
            typed_config: {
              '@type': CONNECTION_MANAGER,
              'http2_protocol_options': {
                initial_stream_window_size: WORKLOAD_STREAM_WINDOW, initial_connection_window_size: CONNECTION_WINDOW,
              },
            },
          },
        },
      },
    ],
  }));
}

function named({ serviceName, namespaceName }: Lock) {
  return { name: serviceObjectName('fed-lock', serviceName, namespaceName), namespace: namespaceName };
}
