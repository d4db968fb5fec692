import { Accountability } from './accountability';
import type { HttpRule } from './http-rule';
import type { JwtRule } from './jwt';

/** What a peer may do. */
export interface AllowFromOptions extends Accountability {
  /**
   * Exported port numbers.
   * @default - every port of the exposure
   */
  readonly ports?: number[];
  /**
   * Rules for HTTP, of which one must match. Name the `ports` when others of the service do not speak HTTP.
   * @default - every request
   */
  readonly http?: HttpRule[];
  /**
   * gRPC methods, `/package.Service/Method` or `/package.Service/*`. Name the `ports` when others of the service do not speak gRPC.
   * @default - every method
   */
  readonly grpcMethods?: string[];
  /**
   * Demand a token of the end user. HTTP and gRPC ports only; all grants to one peer for a port demand one, or none does.
   *
   * Emits an EnvoyFilter when another HTTP or gRPC port is open without a token, so that callers there may send what they like; Istio
   * answers it with a warning. Proved with Istio 1.31.
   * @default - no token is demanded
   */
  readonly jwt?: JwtRule;
}
