import { k8s } from 'cdk8s-plus-27';
import { Construct } from 'constructs';
import { idOf, metadataIn } from './emit';
import { GATEWAY_DEFAULTS, GatewaySite } from '../internal/model';
import { amountOf } from '../internal/quantity';

/*
 * What a gateway's Envoy does when its memory runs short. Envoy reads its overload manager at start only, and istiod cannot send it: the agent
 * adds this file to what it writes itself (annotation `sidecar.istio.io/bootstrapOverride`). Figures: docs/adr/0035.
 */

const HEAP = 'envoy.resource_monitors.fixed_heap';
/** The part of the memory limit that Envoy's heap may take. The rest is for what the heap does not count, and for the agent. */
const HEAP_SHARE = 0.6;
/** Bytes of a connection without traffic, generously. */
const IDLE_CONNECTION = 128 * 1024;

/** The ConfigMap that `bootstrapOverride` names. */
export function renderBootstrap(scope: Construct, gateway: GatewaySite): void {
  const named = { name: bootstrapName(gateway), namespace: gateway.namespaceName };
  new k8s.KubeConfigMap(scope, idOf('ConfigMap', named), {
    metadata: metadataIn(scope, named),
    // The key is the agent's.
    data: { 'custom_bootstrap.json': `${JSON.stringify(bootstrap(gateway), undefined, 2)}\n` },
  });
}

export function bootstrapName({ role }: GatewaySite): string {
  return role === 'ingress' ? 'fed-in-bootstrap' : 'fed-out-bootstrap';
}

/** Connections that a pod accepts, those of all peers together: a whole number for the agent's variable. */
export function mostConnections(gateway: GatewaySite): number {
  return Math.max(100, Math.floor(memoryLimit(gateway) / IDLE_CONNECTION));
}

function bootstrap(gateway: GatewaySite) {
  const limit = memoryLimit(gateway);
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
      // Streams that hold 32 KiB and more are known by what they hold.
      buffer_factory_config: { minimum_account_to_track_power_of_two: 15 },
      actions: [
        {
          name: 'envoy.overload_actions.shrink_heap',
          // At all times: pressure ends with an attack, and the memory is given back after that.
          triggers: [{ name: HEAP, threshold: { value: 0.02 } }],
          typed_config: {
            '@type': 'type.googleapis.com/envoy.config.overload.v3.ShrinkHeapConfig', 'timer_interval': '1s', 'max_unfreed_memory_bytes': 4 * 1024 * 1024,
          },
        },
        // The streams that hold most are reset first: those of whoever does not read.
        { name: 'envoy.overload_actions.reset_high_memory_stream', triggers: [{ name: HEAP, scaled: { scaling_threshold: 0.4, saturation_threshold: 0.7 } }] },
        // The last resort costs every peer the same.
        { name: 'envoy.overload_actions.stop_accepting_requests', triggers: [{ name: HEAP, threshold: { value: 0.95 } }] },
        { name: 'envoy.overload_actions.stop_accepting_connections', triggers: [{ name: HEAP, threshold: { value: 0.98 } }] },
      ],
    },
    memory_allocator_manager: {
      bytes_to_release: 100 * 1024 * 1024, memory_release_interval: '1s', soft_memory_limit_bytes: Math.floor(limit * 0.15),
    },
  };
}

function memoryLimit({ options }: GatewaySite): number {
  return amountOf(options.memoryLimit ?? GATEWAY_DEFAULTS.memoryLimit);
}
