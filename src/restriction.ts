import { Justification } from './accountability';

/**
 * A namespace whose workloads leave the mesh through the boundary only:
 *
 *     clinic.restrictNamespace('results', { reason: 'results leave through the boundary only' });
 *     shop.restrictNamespace('till', { reason: 'card data', allowedHosts: ['egress/api.acquirer.example'] });
 */

/** Options of `FederatedMesh.restrictNamespace`. */
export interface RestrictNamespaceOptions extends Justification {
  /**
   * More hosts (`namespace/host`) that its workloads may call: `.` or `*` for the namespace that declares the host, `*.` for the first
   * part of its name. Out of the cluster a connection still comes only through pods of the cluster, for example your own egress gateway.
   * @default - services of the mesh and bound names
   */
  readonly allowedHosts?: string[];
}
