import { JWT_FILTER } from './filters';
import { HttpOperation, requiredClaims, Token } from '../model/model';
import { prefixOf } from '../model/paths';

/*
 * Allow rules as configuration of Envoy's RBAC filter. An AuthorizationPolicy would apply to the whole gateway: every
 * filter chain would contain the rules of every export, and each change would drain all connections (docs/adr/0034).
 */

/** Envoy's message `envoy.config.rbac.v3.RBAC`, as in an EnvoyFilter. */
export interface Rbac {
  readonly action: 'ALLOW';
  readonly policies: { readonly [name: string]: { readonly permissions: object[]; readonly principals: object[] } };
}

/** Denies every request and every connection. */
export const DENY_ALL: Rbac = { action: 'ALLOW', policies: {} };

/**
 * Allows the operations, or every request if there are none. The caller is verified by the TLS handshake and by the
 * policies of the peer.
 */
export function allowedOperations(operations: HttpOperation[]): Rbac {
  const permissions = operations.length === 0 ? [{ any: true }] : operations.map(permissionOf);
  return { action: 'ALLOW', policies: { rules: { permissions, principals: [{ any: true }] } } };
}

/** Allows every request of these principals. One that ends with `*` is a prefix. */
export function allowedPrincipals(principals: string[]): Rbac {
  if (principals.length === 0) return DENY_ALL;
  return { action: 'ALLOW', policies: { callers: { permissions: [{ any: true }], principals: principals.map(principalOf) } } };
}

/** An operation requires something of a request: without any operation, every request is allowed. */
function permissionOf({ methods, paths, exceptPaths, headers = {}, token }: HttpOperation): object {
  const all = [
    ...methods ? [anyOf(methods.map((method) => headerIs(':method', method)))] : [],
    ...paths ? [anyOf(paths.map(pathIs))] : [],
    ...exceptPaths ? [{ not_rule: anyOf(exceptPaths.map(pathIs)) }] : [],
    ...Object.entries(headers).map(([name, value]) => headerIs(name, value)),
    ...token ? claimsOf(token) : [],
  ];
  return all.length === 1 ? all[0] : { and_rules: { rules: all } };
}

function principalOf(principal: string): object {
  const uri = `spiffe://${principal}`;
  return { authenticated: { principal_name: uri.endsWith('*') ? { prefix: uri.slice(0, -1) } : { exact: uri } } };
}

function headerIs(name: string, value: string): object {
  return { header: { name, string_match: { exact: value } } };
}

function pathIs(pattern: string): object {
  const prefix = prefixOf(pattern);
  return { url_path: { path: prefix === undefined ? { exact: pattern } : { prefix } } };
}

/** Requires issuer, audience and claims of a token. A claim may be a string or an array of strings. */
function claimsOf(token: Token): object[] {
  return requiredClaims(token).map(({ path, values }) => {
    const matchers = values.map((value) => ({ string_match: { exact: value } }));
    const matcher = matchers.length === 1 ? matchers[0] : { or_match: { value_matchers: matchers } };
    return {
      metadata: {
        filter: JWT_FILTER,
        path: ['payload', ...path.slice(1, -1).split('][')].map((key) => ({ key })),
        value: { or_match: { value_matchers: [matcher, { list_match: { one_of: matcher } }] } },
      },
    };
  });
}

function anyOf(rules: object[]): object {
  return rules.length === 1 ? rules[0] : { or_rules: { rules } };
}
