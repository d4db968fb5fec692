import { Accountability } from './accountability';
import type { JwtRule } from './jwt';

/**
 * What a peer may do with a service of ours:
 *
 *     reviews.allowFrom(west, { http: [{ methods: ['GET'], paths: ['/reviews/*'], exceptPaths: ['/reviews/drafts/*'] }] });
 *     ledger.allowFrom(audit, { ports: [9090], grpcMethods: ['/books.Export/Stream'], purpose: 'yearly audit' });
 *     accounts.allowFrom(shop, { jwt: { issuer: 'https://login.example', jwksUri: 'https://login.example/keys', audiences: ['accounts'] } });
 */

/** What may be asked of an HTTP port. Lists are alternatives, fields add up. At least one field. */
export interface HttpRule {
  /**
   * Upper-case methods. `CONNECT` cannot be allowed by name.
   * @default - every method
   */
  readonly methods?: string[];
  /**
   * `/a/b` is that path only. `/a/*` is everything below `/a/`, without `/a` itself. Other patterns throw.
   * @default - every path
   */
  readonly paths?: string[];
  /**
   * Paths, same form, that stay closed. They lie in `paths`.
   *
   * Whatever a common backend may read as one of them stays closed as well: `/a/*` closes `/a`, upper case is lower case, `/a/b` closes
   * `/a/b/` and `/a/b.json`. A path that the same rule lists in `paths` is open. Paths of this port with `//`, `;` or escaped letters get 400.
   * @default - none
   */
  readonly exceptPaths?: string[];
  /**
   * Headers with the exact value that they must have, names in lower case. A peer can write any of them: they tell kinds of requests
   * apart, not callers.
   * @default - none
   */
  readonly requiredHeaders?: { [name: string]: string };
}

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
