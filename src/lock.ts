import { Justification } from './accountability';
import type { Caller } from './caller';

/**
 * Options of `ExposedService.lockWorkload`: why, which local callers stay allowed, and which pods are restricted.
 *
 * @exampleMetadata fixture=meshes
 * @example
 * reviews.lockWorkload({
 *   reason: 'card data: listed callers only',
 *   localCallers: [Caller.serviceAccount('teller', 'accounts')],
 *   podLabels: { app: 'reviews' },
 * });
 */
export interface LockWorkloadOptions extends Justification {
  /**
   * Callers inside our mesh that stay allowed, such as `[Caller.serviceAccount('teller', 'accounts')]`.
   *
   * The lock opens nothing: other policies can still deny them.
   * @default - none
   */
  readonly localCallers?: Caller[];
  /**
   * Labels that select the pods of the workload and no others, such as `{ app: 'withdraw' }`.
   *
   * Required with `LocalService.fromName` (FED312).
   * @default - the selector of the Service
   */
  readonly podLabels?: { [name: string]: string };
}
