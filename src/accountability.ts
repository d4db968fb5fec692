/**
 * Why an option deviates from a safe default, and who approved it.
 *
 * The texts become an annotation `cdk8s-mesh-federation/…` of the objects concerned. Nothing reads them at run time.
 *
 * @exampleMetadata fixture=meshes
 * @example
 * west.addPeer(east, {
 *   isolated: { reason: 'compromised build server at east', approvedBy: 'platform security', ticket: 'SEC-812' },
 * });
 */
export interface Justification {
  /** Why the deviation is needed, such as `leased line, both sides route it`. At least ten characters (FED114). */
  readonly reason: string;
  /**
   * Person or role that approved the deviation, such as `platform security`.
   * @default - not set
   */
  readonly approvedBy?: string;
  /**
   * Reference in an issue tracker or change system, such as `NET-118`.
   * @default - not set
   */
  readonly ticket?: string;
}

/**
 * Information for reviewers and auditors about an export, an allow rule, a peer or a binding.
 *
 * Each field becomes an annotation `cdk8s-mesh-federation/…` of the objects concerned. No field changes traffic. At most
 * 4,096 bytes each (FED143).
 *
 * @exampleMetadata fixture=meshes
 * @example
 * reviews.allowFrom(west, {
 *   purpose: 'show reviews in the shop',
 *   owner: 'reviews team',
 *   dataCategories: ['public'],
 *   ticket: 'CHG-4411',
 *   reviewBy: '2027-06-30',
 * });
 */
export interface Accountability {
  /**
   * Business purpose in one sentence, such as `authorise card payments`.
   * @default - not set
   */
  readonly purpose?: string;
  /**
   * Team or person responsible, such as `payments team`.
   * @default - not set
   */
  readonly owner?: string;
  /**
   * Categories of data that are transferred, such as `['cardholder']`.
   * @default - not set
   */
  readonly dataCategories?: string[];
  /**
   * Person or role that approved it, such as `platform security`.
   * @default - not set
   */
  readonly approvedBy?: string;
  /**
   * Reference in an issue tracker or change system, such as `CHG-4411`.
   * @default - not set
   */
  readonly ticket?: string;
  /**
   * Date of the next review as `YYYY-MM-DD`, such as `2027-06-30`. **Traffic does not stop on this date.**
   *
   * Rejects a date that does not exist (FED115).
   * @default - none
   */
  readonly reviewBy?: string;
}
