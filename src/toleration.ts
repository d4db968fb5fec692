/** A toleration of a node taint. */
export interface NodeToleration {
  /** Key of the taint. */
  readonly key: string;
  /**
   * Value of the taint.
   * @default - any value
   */
  readonly value?: string;
  /**
   * `NoSchedule`, `PreferNoSchedule` or `NoExecute`.
   * @default - any effect
   */
  readonly effect?: string;
}
