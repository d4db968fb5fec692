import { Annotations, HttpOperation, Issuer, Token } from './model';
import { distinct } from './order';

/*
 * Permissions of `allowFrom`, and the operations that several of them allow together for one port.
 */

/** The checked options of one `allowFrom`. */
export interface Permission {
  readonly ports: readonly number[] | undefined;
  readonly http: readonly HttpOperation[] | undefined;
  readonly grpcMethods: readonly string[] | undefined;
  readonly jwt: RequiredToken | undefined;
  readonly annotations: Annotations;
}

/** A token that requests must have, and its issuer with the public keys. */
export interface RequiredToken {
  readonly token: Token;
  readonly issuer: Issuer;
}

/** Whether a permission has rules. A permission without rules allows every request. */
export function hasRules({ http, grpcMethods }: Pick<Permission, 'http' | 'grpcMethods'>): boolean {
  return http !== undefined || grpcMethods !== undefined;
}

/**
 * Operations that several permissions allow together, sorted independently of the order of calls. Empty: every request
 * is allowed.
 */
export function operationsOf(permissions: readonly Permission[]): HttpOperation[] {
  const byToken = new Map<string, Permission[]>();
  for (const permission of permissions) {
    const key = JSON.stringify({ token: permission.jwt?.token });
    const same = byToken.get(key);
    if (same) same.push(permission);
    else byToken.set(key, [permission]);
  }
  const operations = distinct([...byToken.keys()]).flatMap((key) => {
    const same = byToken.get(key)!;
    return operationsWithSameToken(same).map((operation): HttpOperation => ({ ...operation, token: same[0].jwt?.token }));
  });
  const byText = new Map(operations.map((operation) => [JSON.stringify(operation), operation]));
  return distinct([...byText.keys()]).map((text) => byText.get(text)!);
}

/**
 * Operations of permissions that require the same token, or none. A permission that requires a token and has no rules
 * allows every request with that token.
 */
function operationsWithSameToken(permissions: readonly Permission[]): HttpOperation[] {
  const grpcMethods = permissions.flatMap((permission) => permission.grpcMethods ?? []);
  return [
    ...permissions.flatMap(({ http }) => http ?? []),
    ...grpcMethods.length === 0 ? [] : [{ ...EVERY_REQUEST, methods: ['POST'], paths: distinct(grpcMethods) }],
    ...permissions.some((permission) => permission.jwt && !hasRules(permission)) ? [EVERY_REQUEST] : [],
  ];
}

const EVERY_REQUEST: HttpOperation = { methods: undefined, paths: undefined, exceptPaths: undefined, headers: undefined, token: undefined };
