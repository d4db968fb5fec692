/**
 * A token of an end user that the boundary demands besides the peer's certificate:
 *
 *     accounts.allowFrom(shop, {
 *       http: [{ methods: ['GET'] }],
 *       jwt: { issuer: 'https://login.example', jwksUri: 'https://login.example/keys', audiences: ['accounts'], claims: { scope: ['read'] } },
 *     });
 */

/**
 * An end user's token that the boundary demands besides the peer's certificate, as `Authorization: Bearer <token>` and nothing else there.
 *
 * Signature, issuer and time are checked; up to 60 seconds of difference between clocks are forgiven, and a token that does not say when it
 * expires never does. A request without one, as every preflight of a browser is, or with one that does not fit gets 403
 * (`PERMISSION_DENIED`), with one that is not valid 401 (`UNAUTHENTICATED`). The exposed service gets the token as it was sent.
 */
export interface JwtRule {
  /**
   * Issuer of the token, exactly as its claim `iss` says.
   */
  readonly issuer: string;
  /**
   * Where istiod finds the issuer's keys, by https, with the certificate authorities that istiod trusts. This or `jwks`.
   *
   * istiod asks every 20 minutes unless its settings say otherwise, and keeps keys that it has for a week when the issuer does not answer.
   * Until it has had some, every token gets 401.
   * @default - `jwks`
   */
  readonly jwksUri?: string;
  /**
   * The issuer's public keys themselves (a JWKS, as text), so that istiod need not fetch them. New keys need a new synthesis.
   *
   * RSA from 2048 bits, EC on P-256, P-384 or P-521, Ed25519. Keys for encryption are left out, and of each key all that verifies nothing.
   * @default - `jwksUri`
   */
  readonly jwks?: string;
  /**
   * The token must be for one of these.
   */
  readonly audiences: string[];
  /**
   * Claims, each with the values of which the token must have one. Names are taken as they stand in the token, with dots and slashes;
   * `[realm_access][roles]` is a claim inside another.
   *
   * Texts and lists of texts can be asked for, exactly. Of all claims only `scope` and `permission` are read word by word.
   * @default - none
   */
  readonly claims?: { [claim: string]: string[] };
}
