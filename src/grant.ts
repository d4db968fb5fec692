import { Accountability } from './accountability';
import type { HttpRule } from './http-rule';
import type { JwtRule } from './jwt';

/**
 * Options of `ExposedService.allowFrom`: what a peer may call, and which end-user JWT it needs.
 *
 * @exampleMetadata fixture=meshes
 * @example
 * reviews.allowFrom(west, {
 *   ports: [9080],
 *   http: [HttpRule.allow({ methods: ['GET'], paths: ['/reviews/*'] })],
 *   purpose: 'show reviews in the shop',
 * });
 */
export interface AllowFromOptions extends Accountability {
  /**
   * Exported port numbers that the peer may call, such as `[9080]`.
   * @default - every port of the export
   */
  readonly ports?: number[];
  /**
   * HTTP rules, of which a request must match one. HTTP ports only (FED310): set `ports` if the export has others.
   * @default - every request
   */
  readonly http?: HttpRule[];
  /**
   * gRPC methods, such as `/shop.Orders/Find` or `/shop.Orders/*`. gRPC ports only (FED310): set `ports` if the export
   * has others.
   * @default - every method
   */
  readonly grpcMethods?: string[];
  /**
   * Requires an end-user JWT in every request. HTTP and gRPC ports only.
   *
   * All allow rules for one peer and port must require a JWT, or none of them (FED315). Emits an EnvoyFilter if another
   * HTTP or gRPC port is open without a JWT, so that bearer tokens are not checked there. `kubectl apply` then prints a
   * warning of istiod. Rejected for Istio versions that do not support it (FED125):
   * docs/versions.md.
   * @default - no JWT is required
   */
  readonly jwt?: JwtRule;
}
