import { Justification } from './accountability';
import type { Caller } from './caller';

/**
 * A workload that is closed inside the mesh as well:
 *
 *     withdraw.lockWorkload({ reason: 'card data: the till and partners only', localCallers: [Caller.serviceAccount('teller', 'accounts')] });
 */

/** Options of `ExposedService.lockWorkload`. */
export interface LockWorkloadOptions extends Justification {
  /**
   * Local callers that stay allowed, with what other policies leave them.
   * @default - none
   */
  readonly localCallers?: Caller[];
  /**
   * Labels of the workload: of its pods, and of no others.
   * @default - selector of the service; required with `LocalService.fromName`
   */
  readonly podLabels?: { [name: string]: string };
}
