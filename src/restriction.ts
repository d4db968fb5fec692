import { Justification } from './accountability';

/**
 * Options of `FederatedMesh.restrictNamespace`: why, and which other hosts the workloads may call.
 *
 * @exampleMetadata fixture=meshes
 * @example
 * west.restrictNamespace('finance', {
 *   reason: 'money leaves through the boundary only',
 *   allowedHosts: ['egress/api.acquirer.example'],
 * });
 */
export interface RestrictNamespaceOptions extends Justification {
  /**
   * Further hosts that the workloads may call, as `namespace/host` like in Istio's Sidecar, such as
   * `egress/api.acquirer.example`.
   *
   * The namespace declares the host; `.` is the restricted one and `*` is any. The first label of the host may be `*`.
   * The NetworkPolicy still allows only pods of the cluster, so outside hosts need an egress gateway of yours. Rejects
   * the gateways of peers (FED122).
   * @default - Services of the mesh and local names only
   * @see https://istio.io/latest/docs/reference/config/networking/sidecar/
   */
  readonly allowedHosts?: string[];
}
