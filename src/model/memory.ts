import { GATEWAY_DEFAULTS, GatewayConfig } from './model';
import { amountOf } from './quantity';

/*
 * Memory limits of gateways. The thresholds of Envoy's overload manager are fractions of the limit, so the memory for
 * the configuration alone must stay well below it (docs/adr/0035 has the figures).
 */

const MIB = 1024 * 1024;
/** Bytes of the memory limit for each port that a gateway serves. */
const BYTES_PER_PORT = MIB;

/**
 * Memory limit of a gateway's container, as a Kubernetes quantity. If it is not configured, the default doubles until
 * it suffices for the ports.
 */
export function memoryLimitOf({ settings }: GatewayConfig, servedPorts: number): string {
  if (settings.memoryLimit !== undefined) return settings.memoryLimit;
  let limit = amountOf(GATEWAY_DEFAULTS.memoryLimit);
  while (limit < servedPorts * BYTES_PER_PORT) limit *= 2;
  return quantityOf(limit);
}

/** Maximum number of ports that a gateway with this memory limit can serve. */
export function maxPorts(memoryLimit: string): number {
  return Math.floor(amountOf(memoryLimit) / BYTES_PER_PORT);
}

/** Minimum memory limit for a number of ports, as a Kubernetes quantity. */
export function minMemoryLimit(servedPorts: number): string {
  return quantityOf(servedPorts * BYTES_PER_PORT);
}

function quantityOf(bytes: number): string {
  return bytes % (1024 * MIB) === 0 ? `${bytes / 1024 / MIB}Gi` : `${bytes / MIB}Mi`;
}
