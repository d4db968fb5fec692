/**
 * Why something is so, and who answers for it:
 *
 *     results.allowFrom(lab, { purpose: 'deliver results', owner: 'results team', ticket: 'CHG-4411', reviewBy: '2027-06-30' });
 *     { address: '10.20.0.5', privateAddress: { reason: 'leased line, both sides route it' } }
 *
 * All of it is data for people: it becomes annotations of the objects concerned and never changes traffic.
 */

/** A stated reason for a deviation. Kept in the output, as annotations. */
export interface Justification {
  /** At least ten characters, for the person who reads it in a year. */
  readonly reason: string;
  /**
   * Who agreed.
   * @default - not stated
   */
  readonly approvedBy?: string;
  /**
   * Reference in a tracker.
   * @default - not stated
   */
  readonly ticket?: string;
}

/** What reviewers and auditors ask about an exposure, a grant, a peer or a binding. Never changes traffic. */
export interface Accountability {
  /**
   * Business purpose, one sentence.
   * @default - not stated
   */
  readonly purpose?: string;
  /**
   * Team or person who answers for it.
   * @default - not stated
   */
  readonly owner?: string;
  /**
   * Kinds of data that pass, for example `cardholder`.
   * @default - not stated
   */
  readonly dataCategories?: string[];
  /**
   * Who agreed.
   * @default - not stated
   */
  readonly approvedBy?: string;
  /**
   * Reference in a tracker.
   * @default - not stated
   */
  readonly ticket?: string;
  /**
   * Day (YYYY-MM-DD) on which it is to be looked at again. **Traffic does not stop on that day.**
   * @default - none
   */
  readonly reviewBy?: string;
}
