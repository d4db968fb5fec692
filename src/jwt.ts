/**
 * An end-user JWT that each request needs, in addition to the peer's certificate.
 *
 * The token must be the whole value of the header: `Authorization: Bearer <token>`. The exported service receives it
 * unchanged.
 *
 * - 403 (gRPC `PERMISSION_DENIED`): no token, another audience or claim. A browser's preflight never has a token.
 * - 401 (gRPC `UNAUTHENTICATED`): an expired, forged or malformed token, or an unknown issuer.
 *
 * Clocks may differ by 60 seconds. A token without `exp` never expires.
 *
 * @see https://istio.io/latest/docs/reference/config/security/request_authentication/
 * @exampleMetadata fixture=meshes
 * @example
 * reviews.allowFrom(west, {
 *   http: [HttpRule.allow({ methods: ['GET'] })],
 *   jwt: {
 *     issuer: 'https://login.example',
 *     jwksUri: 'https://login.example/keys',
 *     audiences: ['reviews'],
 *     claims: { scope: ['reviews.read'] },
 *   },
 * });
 */
export interface JwtRule {
  /** Issuer of the token, exactly as in its claim `iss`, such as `https://login.example`. */
  readonly issuer: string;
  /**
   * HTTPS address from which istiod fetches the issuer's public keys, such as `https://login.example/keys`.
   *
   * Set either this or `jwks`. istiod fetches the keys every 20 minutes by default and verifies the server with the
   * authorities that istiod trusts. It keeps known keys for a week if the issuer does not answer. Before the first
   * answer, every token gets 401. Rejects link-local addresses, loopback and metadata services (FED314).
   * @default - `jwks` is used
   */
  readonly jwksUri?: string;
  /**
   * Public keys of the issuer as the text of a JSON Web Key Set (JWKS), so that istiod does not fetch them.
   *
   * Set either this or `jwksUri`. When the issuer rotates its keys, synthesize and apply again. Accepts RSA from 2048
   * bits, EC on P-256, P-384 or P-521, and Ed25519. Rejects private keys (FED317).
   * @default - `jwksUri` is used
   */
  readonly jwks?: string;
  /** Accepted audiences, such as `['reviews']`: the claim `aud` must contain one of them. */
  readonly audiences: string[];
  /**
   * Claims that the token needs, each with its accepted values, such as `{ scope: ['reviews.read'] }`.
   *
   * Every listed claim must be present and match one of its values, as a string or as an element of a string array.
   * `[realm_access][roles]` is the claim `roles` inside `realm_access`. Only `scope` and `permission` are split at
   * blanks.
   * @default - none
   */
  readonly claims?: { [claim: string]: string[] };
}
