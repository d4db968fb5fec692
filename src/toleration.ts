import { parseToleration } from './checks/toleration';
import type { Toleration } from './model/model';

/**
 * Lets gateway pods run on nodes with a certain taint.
 *
 * @see https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/
 * @exampleMetadata fixture=meshes
 * @example
 * const gateway = BoundaryGateway.dedicated({
 *   nodeSelector: { pool: 'dmz' },
 *   tolerations: [NodeToleration.equal('dedicated', 'dmz', 'NoSchedule')],
 * });
 */
export class NodeToleration {
  /**
   * Tolerates a taint with this key and value. Rejects keys, values and effects that Kubernetes does not accept
   * (FED116).
   *
   * @param key of the taint, for example `dedicated`
   * @param value of the taint, for example `dmz`
   * @param effect `NoSchedule`, `PreferNoSchedule` or `NoExecute`; every effect if it is left out
   */
  public static equal(key: string, value: string, effect?: string): NodeToleration {
    return new NodeToleration(parseToleration('NodeToleration.equal', { key, value, effect }, true));
  }

  /**
   * Tolerates taints with this key, whatever their value. Rejects keys and effects that Kubernetes does not accept
   * (FED116).
   *
   * @param key of the taint, for example `dedicated`
   * @param effect `NoSchedule`, `PreferNoSchedule` or `NoExecute`; every effect if it is left out
   */
  public static exists(key: string, effect?: string): NodeToleration {
    return new NodeToleration(parseToleration('NodeToleration.exists', { key, value: undefined, effect }, false));
  }

  readonly #toleration: Toleration;

  private constructor(toleration: Toleration) {
    this.#toleration = toleration;
  }

  /**
   * The toleration as plain data.
   * @internal
   */
  public get _toleration(): Toleration {
    return this.#toleration;
  }
}
