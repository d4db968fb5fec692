import { k8s } from 'cdk8s-plus-27';
import { Construct } from 'constructs';
import { idOf, late, metadataIn } from './emit';
import { GatewayConfig } from '../model/model';
import { amountOf } from '../model/quantity';

/*
 * What a gateway's Envoy does when its memory runs short. Envoy reads its overload manager at start only, and istiod cannot send it: the agent
 * adds this file to what it writes itself (annotation `sidecar.istio.io/bootstrapOverride`). Figures: docs/adr/0035.
 */

const HEAP = 'envoy.resource_monitors.fixed_heap';
/** The part of the memory limit that Envoy's heap may take. The rest is for what the heap does not count, and for the agent. */
const HEAP_SHARE = 0.6;
/** Bytes of a connection without traffic, generously. */
const IDLE_CONNECTION = 128 * 1024;

/**
 * From which part of the heap on Envoy does what. `shrink` is passed at all times: pressure ends with an attack, and the memory is given back
 * after that. Streams are reset from the first threshold on, all that hold memory at the second. The last two cost every peer the same.
 */
const THRESHOLDS = { shrink: 0.02, resetStreams: [0.4, 0.7], refuseRequests: 0.95, refuseConnections: 0.98 } as const;
/** Streams that hold 2^15 bytes (32 KiB) and more are known by what they hold. */
const TRACKED_STREAM = 15;
/** Free bytes that the allocator may keep, as a part of the memory limit, and how many it returns each second above that. */
const KEPT_FREE_SHARE = 0.08;
const RETURNED_EACH_SECOND = 100 * 1024 * 1024;
/** Free bytes that are not worth a return while the heap shrinks. */
const UNFREED = 4 * 1024 * 1024;

/** The ConfigMap that `bootstrapOverride` names. */
export function renderBootstrap(scope: Construct, gateway: GatewayConfig, memoryLimit: () => string): void {
  const named = { name: bootstrapName(gateway), namespace: gateway.namespaceName };
  new k8s.KubeConfigMap(scope, idOf('ConfigMap', named), {
    metadata: metadataIn(scope, named),
    // The key is the agent's.
    data: late(() => ({ 'custom_bootstrap.json': `${JSON.stringify(bootstrap(amountOf(memoryLimit())), undefined, 2)}\n` })),
  });
}

export function bootstrapName({ role }: GatewayConfig): string {
  return role === 'ingress' ? 'fed-in-bootstrap' : 'fed-out-bootstrap';
}

/** Connections that a pod accepts, those of all peers together: a whole number for the agent's variable. */
export function maxConnectionsFor(memoryLimit: string): number {
  return Math.max(100, Math.floor(amountOf(memoryLimit) / IDLE_CONNECTION));
}

/** For a memory limit in bytes. */
function bootstrap(limit: number) {
  return {
    overload_manager: {
      refresh_interval: '0.25s',
      resource_monitors: [{
        name: HEAP,
        typed_config: {
          '@type': 'type.googleapis.com/envoy.extensions.resource_monitors.fixed_heap.v3.FixedHeapConfig',
          'max_heap_size_bytes': Math.floor(limit * HEAP_SHARE),
        },
      }],
      buffer_factory_config: { minimum_account_to_track_power_of_two: TRACKED_STREAM },
      actions: [
        {
          ...above('shrink_heap', { threshold: { value: THRESHOLDS.shrink } }),
          typed_config: {
            '@type': 'type.googleapis.com/envoy.config.overload.v3.ShrinkHeapConfig', 'timer_interval': '1s', 'max_unfreed_memory_bytes': UNFREED,
          },
        },
        above('reset_high_memory_stream', {
          scaled: { scaling_threshold: THRESHOLDS.resetStreams[0], saturation_threshold: THRESHOLDS.resetStreams[1] },
        }),
        above('stop_accepting_requests', { threshold: { value: THRESHOLDS.refuseRequests } }),
        above('stop_accepting_connections', { threshold: { value: THRESHOLDS.refuseConnections } }),
      ],
    },
    memory_allocator_manager: {
      bytes_to_release: RETURNED_EACH_SECOND, memory_release_interval: '1s', soft_memory_limit_bytes: Math.floor(limit * KEPT_FREE_SHARE),
    },
  };
}

/** What Envoy does while its heap is above a threshold. */
function above(action: string, trigger: object) {
  return { name: `envoy.overload_actions.${action}`, triggers: [{ name: HEAP, ...trigger }] };
}
