import { k8s } from 'cdk8s-plus-27';
import { Construct } from 'constructs';
import { emitTyped, lazyField } from './emit';
import { GatewayConfig } from '../model/model';
import { PREFIX } from '../model/names';
import { amountOf } from '../model/quantity';

/*
 * Envoy's overload manager for a gateway: what Envoy does when its memory runs short. Envoy reads this setting only at
 * start and istiod cannot send it, so the Istio agent merges this file into the bootstrap that it writes (annotation
 * `sidecar.istio.io/bootstrapOverride`). Figures: docs/adr/0035.
 */

const HEAP = 'envoy.resource_monitors.fixed_heap';
/**
 * Fraction of the memory limit that Envoy's heap may use. The rest is for memory that the heap does not count, and for
 * the agent.
 */
const HEAP_FRACTION = 0.6;
/** Bytes that a connection without traffic needs, rounded up generously. */
const BYTES_PER_IDLE_CONNECTION = 128 * 1024;

/**
 * Fractions of the heap limit above which Envoy acts. `shrink` is always exceeded: memory must also be released after
 * an attack, when there is no pressure any more. From the first threshold of `resetStreams` on, Envoy resets streams
 * that hold much memory; at the second, all that hold memory. The last two actions affect every peer alike.
 */
const THRESHOLDS = { shrink: 0.02, resetStreams: [0.4, 0.7], refuseRequests: 0.95, refuseConnections: 0.98 } as const;
/** Envoy tracks the memory of streams that hold 2^15 bytes (32 KiB) or more. */
const MIN_TRACKED_STREAM_LOG2 = 15;
/**
 * Total memory of the allocator, as a fraction of the memory limit, above which it releases free memory more
 * aggressively. A pod without traffic is above it already. In any case it releases this many free bytes each second.
 * The values were chosen by measurement: docs/adr/0035.
 */
const SOFT_LIMIT_FRACTION = 0.08;
const RELEASED_PER_SECOND = 100 * 1024 * 1024;
/** `max_unfreed_memory_bytes`. The API calls it the free bytes that may stay; Envoy releases this many bytes each time. */
const MAX_UNFREED = 4 * 1024 * 1024;

/** Creates the ConfigMap to which the annotation `bootstrapOverride` refers. */
export function renderBootstrap(scope: Construct, gateway: GatewayConfig, memoryLimit: () => string): void {
  const named = { name: bootstrapName(gateway), namespace: gateway.namespaceName };
  emitTyped(scope, k8s.KubeConfigMap, named, {
    // The agent expects this key.
    data: lazyField(() => ({ 'custom_bootstrap.json': `${JSON.stringify(bootstrap(amountOf(memoryLimit())), undefined, 2)}\n` })),
  });
}

/** Name of that ConfigMap. */
export function bootstrapName({ role }: GatewayConfig): string {
  return `${PREFIX[role]}-bootstrap`;
}

/**
 * Maximum number of connections of a gateway pod, for all peers together. An integer, as the agent's variable requires.
 */
export function maxConnectionsFor(memoryLimit: string): number {
  return Math.max(100, Math.floor(amountOf(memoryLimit) / BYTES_PER_IDLE_CONNECTION));
}

/** The bootstrap for a memory limit in bytes. */
function bootstrap(limit: number) {
  return {
    overload_manager: {
      refresh_interval: '0.25s',
      resource_monitors: [{
        name: HEAP,
        typed_config: {
          '@type': 'type.googleapis.com/envoy.extensions.resource_monitors.fixed_heap.v3.FixedHeapConfig',
          'max_heap_size_bytes': Math.floor(limit * HEAP_FRACTION),
        },
      }],
      buffer_factory_config: { minimum_account_to_track_power_of_two: MIN_TRACKED_STREAM_LOG2 },
      actions: [
        {
          ...above('shrink_heap', { threshold: { value: THRESHOLDS.shrink } }),
          typed_config: {
            '@type': 'type.googleapis.com/envoy.config.overload.v3.ShrinkHeapConfig', 'timer_interval': '1s', 'max_unfreed_memory_bytes': MAX_UNFREED,
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
      bytes_to_release: RELEASED_PER_SECOND, memory_release_interval: '1s', soft_memory_limit_bytes: Math.floor(limit * SOFT_LIMIT_FRACTION),
    },
  };
}

/** An overload action that is active while the heap is above a threshold. */
function above(action: string, trigger: object) {
  return { name: `envoy.overload_actions.${action}`, triggers: [{ name: HEAP, ...trigger }] };
}
