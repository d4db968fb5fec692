/*
 * What private keys look like. Every room that must not show or emit one uses these patterns.
 */

/** The first line of a private key in PEM, from its beginning. `+` is a space in a form. */
export const PEM_KEY = /-----BEGIN[ +](?:[A-Z0-9]{1,20}[ +]){0,5}PRIVATE[ +]KEY/;

/** Members of private JWKs and shared secrets, with which tokens can be signed. */
export const SIGNING_MEMBERS = ['d', 'dp', 'dq', 'k', 'oth', 'p', 'priv', 'q', 'qi'];

/** JSON of DER in base64, or of a JWK with a private member. It matches other texts as well. */
const POSSIBLE_KEY = new RegExp(`^"\\s*M[A-Za-z0-9+/]{39}|"(?:${SIGNING_MEMBERS.join('|')})":"[\\w-]{20}`);

/** Whether the JSON of a value may contain a private key, so that no message should show it. */
export function mayContainKey(json: string): boolean {
  return PEM_KEY.test(json) || POSSIBLE_KEY.test(json);
}
