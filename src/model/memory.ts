import { GATEWAY_DEFAULTS, GatewayConfig } from './model';
import { amountOf } from './quantity';

/*
 * How much memory a gateway may take. What Envoy does when memory runs short counts from the limit, so the configuration alone must stay
 * well below it (docs/adr/0035 has the figures).
 */

const MIB = 1024 * 1024;
/** The part of the limit for each port that a gateway serves. */
const LIMIT_FOR_PORT = MIB;

/** Memory limit of a gateway's container, in Kubernetes notation. One that nobody stated doubles with the ports that the gateway serves. */
export function memoryLimitOf({ settings }: GatewayConfig, servedPorts: number): string {
  if (settings.memoryLimit !== undefined) return settings.memoryLimit;
  let limit = amountOf(GATEWAY_DEFAULTS.memoryLimit);
  while (limit < servedPorts * LIMIT_FOR_PORT) limit *= 2;
  return notationOf(limit);
}

/** How many ports a gateway with that memory limit can serve. */
export function maxPorts(memoryLimit: string): number {
  return Math.floor(amountOf(memoryLimit) / LIMIT_FOR_PORT);
}

/** The least memory limit for so many ports, in Kubernetes notation. */
export function minMemoryLimit(servedPorts: number): string {
  return notationOf(servedPorts * LIMIT_FOR_PORT);
}

function notationOf(bytes: number): string {
  return bytes % (1024 * MIB) === 0 ? `${bytes / 1024 / MIB}Gi` : `${bytes / MIB}Mi`;
}
