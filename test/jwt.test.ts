import { generateKeyPairSync } from 'crypto';
import { readFileSync } from 'fs';
import { join } from 'path';
import { App, Chart } from 'cdk8s';
import { AllowFromOptions, ExposedService, FederatedMesh, HttpRule, JwtRule, LocalService, ServicePort } from '../src';
import { find, Manifest, names, withoutDigest } from './support/manifests';
import { meshOf } from './support/meshes';
import { allows, permissionsOf, rbacOf } from './support/rbac';
import { readKeySet } from '../src/pki/jwks';

/*
 * End-user JWTs that an export requires.
 */

const LOGIN = readFileSync(join(__dirname, 'trust', 'login.jwks'), 'utf8');
const STAFF = readFileSync(join(__dirname, 'trust', 'staff.jwks'), 'utf8');
const WEST = 'p9080.reviews.west.fed.east.example';
const HEADER = { authorization: { regex: 'Bearer [A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+' } };

const login = (change: Partial<JwtRule> = {}): JwtRule => ({
  issuer: 'https://login.example', jwksUri: 'https://login.example/keys', audiences: ['accounts'], ...change,
});

type Made = Record<'east' | 'west' | 'north', FederatedMesh> & Record<'reviews' | 'mixed', ExposedService>;

/** The objects of east with two exports, two peers and these grants. */
function granted(grant: (made: Made) => void): Manifest[] {
  const app = new App();
  const [east, west, north] = ['east', 'west', 'north'].map((name) => meshOf(app, name));
  const reviews = east.expose('Reviews', { service: LocalService.fromName('reviews', 'default'), exportName: 'reviews', ports: [ServicePort.http(9080)] });
  const mixed = east.expose('Mixed', {
    service: LocalService.fromName('mixed', 'default'), exportName: 'mixed', ports: [ServicePort.http(80), ServicePort.grpc(90), ServicePort.tcp(33)],
  });
  grant({ east, west, north, reviews, mixed });
  const added = [...east._boundary.declared.peers.keys()].map(({ construct }) => construct);
  [west, north].filter((peer) => !added.includes(peer)).forEach((peer) => east.addPeer(peer));
  return Chart.of(east).toJson().map(withoutDigest);
}

const toWest = (...options: AllowFromOptions[]) => granted(({ reviews, west }) => options.forEach((one) => reviews.allowFrom(west, one)));
const issuers = (objects: Manifest[]) => objects.filter(({ kind }) => kind === 'RequestAuthentication');
/** All matchers of a permission that requires several. */
const required = ({ and_rules: { rules } }: Manifest): Manifest[] => rules;
/** The matcher of a claim that must have one of these values, as a string or as an element of a string array. */
const claim = (path: string, ...values: string[]) => {
  const texts = values.map((exact) => ({ string_match: { exact } }));
  const text = texts.length === 1 ? texts[0] : { or_match: { value_matchers: texts } };
  return {
    metadata: {
      filter: 'envoy.filters.http.jwt_authn',
      path: ['payload', ...path.split(' ')].map((key) => ({ key })),
      value: { or_match: { value_matchers: [text, { list_match: { one_of: text } }] } },
    },
  };
};
const isHeader = (name: string, exact: string) => ({ header: { name, string_match: { exact } } });
const routes = (objects: Manifest[]) => find(objects, 'VirtualService', 'fed-in-reviews-9080-west').spec.http;
const elsewhere = (objects: Manifest[]) => objects.filter(({ metadata }) => metadata.name === 'fed-in-jwt-elsewhere')
  .flatMap(({ spec }) => spec.configPatches).map(({ match }: Manifest) => match.listener.filterChain.sni);

describe('the issuer of a JWT', () => {
  test('the ingress gateway verifies JWTs of the issuer in the Authorization header and forwards them to the service', () => {
    expect(issuers(toWest({ jwt: login() })).map(({ metadata, spec }) => ({ name: metadata.name, namespace: metadata.namespace, spec }))).toEqual([{
      name: 'fed-in-jwt-login-example-22494105',
      namespace: 'istio-federation',
      spec: {
        selector: { matchLabels: { istio: 'istio-federation-ingress' } },
        jwtRules: [{
          issuer: 'https://login.example',
          jwksUri: 'https://login.example/keys',
          fromHeaders: [{ name: 'Authorization', prefix: 'Bearer ' }],
          forwardOriginalToken: true,
        }],
      },
    }]);
  });

  test('several grants with one issuer generate one RequestAuthentication', () => {
    const objects = granted(({ reviews, mixed, west, north }) => {
      reviews.allowFrom(west, { jwt: login() });
      reviews.allowFrom(north, { jwt: login({ audiences: ['other'] }) });
      mixed.allowFrom(west, { ports: [90], jwt: login({ claims: { scope: ['read'] } }) });
    });
    expect(issuers(objects)).toHaveLength(1);
  });

  test('each issuer has its own RequestAuthentication, also when issuers have similar names', () => {
    const objects = toWest(...['https://login.example', 'https://login.example/', 'login.example', 'https://login-example', 'x'.repeat(200)]
      .map((issuer, index) => ({ http: [HttpRule.allow({ methods: [`M${index}`] })], jwt: login({ issuer }) })));
    const found = issuers(objects).map(({ metadata }) => metadata.name);
    expect(new Set(found).size).toBe(5);
    expect(found.every((name) => /^fed-in-jwt-[a-z0-9-]*[0-9a-f]{8}$/.test(name) && name.length <= 63)).toBe(true);
  });

  test('inline keys of an issuer are emitted with the fields for verification only', () => {
    const [{ spec }] = issuers(toWest({ jwt: login({ jwksUri: undefined, jwks: LOGIN }) }));
    const { keys: [key] } = JSON.parse(LOGIN);
    expect(JSON.parse(spec.jwtRules[0].jwks)).toEqual({ keys: [{ kty: 'RSA', alg: 'RS256', kid: 'login-1', n: key.n, e: key.e }] });
    expect(spec.jwtRules[0].jwksUri).toBeUndefined();
  });

  test('key sets with the same keys are equal, whatever the order and format of the keys', () => {
    const { keys: [rsa] } = JSON.parse(LOGIN);
    const { keys: [elliptic] } = JSON.parse(STAFF);
    const again = Object.fromEntries(Object.entries(rsa).reverse());
    const texts = [{ keys: [rsa, elliptic] }, { keys: [elliptic, again, rsa], note: 'x' }, { keys: [elliptic, { ...rsa, x5t: 'abc', issuer: 'x' }] }];
    expect(new Set(texts.map((set) => readKeySet('test', JSON.stringify(set)))).size).toBe(1);
    expect(() => granted(({ reviews, mixed, west }) => {
      reviews.allowFrom(west, { jwt: login({ jwksUri: undefined, jwks: JSON.stringify(texts[0]) }) });
      mixed.allowFrom(west, { ports: [80], jwt: login({ jwksUri: undefined, jwks: JSON.stringify(texts[1], undefined, 2) }) });
    })).not.toThrow();
  });

  test('a key set may contain every key type that proxies support, and encryption keys are omitted', () => {
    const made = [
      generateKeyPairSync('ec', { namedCurve: 'P-384' }), generateKeyPairSync('ec', { namedCurve: 'P-521' }), generateKeyPairSync('ed25519'),
    ].map(({ publicKey }) => publicKey.export({ format: 'jwk' }));
    const { keys: [rsa] } = JSON.parse(LOGIN);
    const set = { keys: [...made, { ...rsa, use: 'enc', alg: 'RSA-OAEP' }, { ...rsa, use: undefined, key_ops: ['encrypt'] }, { ...rsa, key_ops: ['verify'] }] };
    const kinds = JSON.parse(readKeySet('test', JSON.stringify(set))).keys.map(({ kty, crv }: Manifest) => [kty, crv]);
    expect(kinds.sort()).toEqual([['EC', 'P-384'], ['EC', 'P-521'], ['OKP', 'Ed25519'], ['RSA', undefined]]);
  });
});

describe('a required JWT', () => {
  const jwt = login({ audiences: ['b', 'a', 'b'], claims: { 'scope': ['write', 'read'], '[realm_access][roles]': ['clerk'], 'https://login.example/desk': ['7'] } });

  test('the RBAC rules require every claim of the JWT with one of its values', () => {
    expect(rbacOf(toWest({ jwt }), WEST)).toEqual({
      action: 'ALLOW',
      policies: {
        rules: {
          permissions: [{
            and_rules: {
              rules: [
                claim('iss', 'https://login.example'),
                claim('aud', 'a', 'b'),
                claim('https://login.example/desk', '7'),
                claim('realm_access roles', 'clerk'),
                claim('scope', 'read', 'write'),
              ],
            },
          }],
          principals: [{ any: true }],
        },
      },
    });
  });

  test('the RBAC rules accept a claim as a string or as a string array, also when the claim is nested', () => {
    const [, audience, nested] = required(permissionsOf(toWest({ jwt: login({ audiences: ['a', 'b'], claims: { '[realm_access][roles]': ['clerk'] } }) }), WEST)[0]);
    const [a, b, clerk] = ['a', 'b', 'clerk'].map((exact) => ({ string_match: { exact } }));
    const oneOf = { or_match: { value_matchers: [a, b] } };
    expect(audience).toEqual({
      metadata: {
        filter: 'envoy.filters.http.jwt_authn',
        path: [{ key: 'payload' }, { key: 'aud' }],
        value: { or_match: { value_matchers: [oneOf, { list_match: { one_of: oneOf } }] } },
      },
    });
    expect(nested).toEqual({
      metadata: {
        filter: 'envoy.filters.http.jwt_authn',
        path: [{ key: 'payload' }, { key: 'realm_access' }, { key: 'roles' }],
        value: { or_match: { value_matchers: [clerk, { list_match: { one_of: clerk } }] } },
      },
    });
  });

  test('the RBAC rules deny a request when one claim is missing or has another value', () => {
    const rules = rbacOf(toWest({ jwt }), WEST);
    const whole = {
      'iss': 'https://login.example', 'aud': 'b', 'https://login.example/desk': '7', 'realm_access][roles': 'clerk', 'scope': 'write',
    };
    const allowed = (claims: { [path: string]: string }) =>
      allows(rules, { method: 'GET', path: '/', headers: Object.fromEntries(Object.entries(claims).map(([path, value]) => [`@request.auth.claims[${path}]`, value])) });
    expect(allowed(whole)).toBe(true);
    for (const path of Object.keys(whole)) {
      expect([path, allowed({ ...whole, [path]: 'other' })]).toEqual([path, false]);
      expect([path, allowed(Object.fromEntries(Object.entries(whole).filter(([name]) => name !== path)))]).toEqual([path, false]);
    }
  });

  test('the routes require the JWT as well, and the last route rejects other requests', () => {
    const [open, rejected, ...rest] = routes(toWest({ jwt }));
    expect(open.match).toEqual([{
      headers: {
        ...HEADER,
        '@request.auth.claims[iss]': { exact: 'https://login.example' },
        '@request.auth.claims[aud]': { regex: 'a|b' },
        '@request.auth.claims[https://login.example/desk]': { exact: '7' },
        '@request.auth.claims[realm_access][roles]': { exact: 'clerk' },
        '@request.auth.claims[scope]': { regex: 'read|write' },
      },
    }]);
    expect(rejected).toEqual({ name: 'reviews-9080-west-refused', directResponse: { status: 403 } });
    expect(rest).toEqual([]);
  });

  test('the routes match claim values literally, whatever special characters they contain', () => {
    const values = ['a.b', 'c*d', '(e|f)', 'g[h]{i}^$', 'j\\k', 'l+m?', 'Zürich', 'clerk of the court'];
    const [{ match: [{ headers }] }] = routes(toWest({ jwt: login({ claims: { groups: values } }) }));
    const pattern = new RegExp(`^(?:${headers['@request.auth.claims[groups]'].regex})$`);
    for (const value of values) expect(pattern.test(value)).toBe(true);
    for (const other of ['aXb', 'cd', 'e', 'f', 'jk', 'lm', 'clerk']) expect(pattern.test(other)).toBe(false);
  });

  test('a JWT applies only to the HTTP rules of its own grant', () => {
    const objects = toWest(
      {
        http: [HttpRule.allow({ methods: ['GET'], paths: ['/a/*'], requiredHeaders: { 'x-tester': 'yes' } }), HttpRule.allow({ methods: ['HEAD'] })],
        jwt: login({ claims: { scope: ['read'] } }),
      },
      { http: [HttpRule.allow({ methods: ['POST'] })], jwt: login({ claims: { scope: ['write'] } }) },
    );
    const token = (scope: string) => [claim('iss', 'https://login.example'), claim('aud', 'accounts'), claim('scope', scope)];
    expect(permissionsOf(objects, WEST).map(required)).toEqual([
      [isHeader(':method', 'GET'), { url_path: { path: { prefix: '/a/' } } }, isHeader('x-tester', 'yes'), ...token('read')],
      [isHeader(':method', 'HEAD'), ...token('read')],
      [isHeader(':method', 'POST'), ...token('write')],
    ]);
    const open = routes(objects).filter(({ route }: Manifest) => route).flatMap(({ match }: Manifest) => match);
    expect(open.map(({ method, headers }: Manifest) => [method.exact, headers['@request.auth.claims[scope]'].exact, headers['x-tester']?.exact]).sort()).toEqual([
      ['GET', 'read', 'yes'], ['HEAD', 'read', undefined], ['POST', 'write', undefined],
    ]);
    expect(open.every(({ headers }: Manifest) => headers.authorization.regex === HEADER.authorization.regex)).toBe(true);
  });

  test('two grants for one port can require JWTs of different issuers', () => {
    const objects = toWest(
      { http: [HttpRule.allow({ methods: ['GET'] })], jwt: login() },
      { http: [HttpRule.allow({ methods: ['POST'] })], jwt: login({ issuer: 'https://staff.example', jwksUri: 'https://staff.example/keys' }) },
    );
    expect(issuers(objects)).toHaveLength(2);
    expect(permissionsOf(objects, WEST).map(required)).toEqual([
      [isHeader(':method', 'GET'), claim('iss', 'https://login.example'), claim('aud', 'accounts')],
      [isHeader(':method', 'POST'), claim('iss', 'https://staff.example'), claim('aud', 'accounts')],
    ]);
  });

  test('two grants for the same requests can require JWTs with different claims, and the routes accept either', () => {
    const requests = { http: [HttpRule.allow({ methods: ['GET'], paths: ['/a'] })] };
    const objects = toWest(...['read', 'write'].map((scope) => ({ ...requests, jwt: login({ claims: { scope: [scope] } }) })));
    const open = routes(objects).filter(({ route }: Manifest) => route).flatMap(({ match }: Manifest) => match);
    expect(open.map(({ headers }: Manifest) => headers['@request.auth.claims[scope]'].exact)).toEqual(['read', 'write']);
  });

  test('two grants that require the same JWT for the same requests make one match', () => {
    const same: AllowFromOptions = { http: [HttpRule.allow({ methods: ['GET'], paths: ['/a'] })], jwt: login() };
    const open = routes(toWest(same, same)).filter(({ route }: Manifest) => route).flatMap(({ match }: Manifest) => match);
    expect(open).toHaveLength(1);
  });

  test('a rule for part of the paths of another rule with the same JWT makes no match of its own', () => {
    const allowed = (path: string): AllowFromOptions => ({ http: [HttpRule.allow({ methods: ['GET'], paths: [path] })], jwt: login() });
    const open = routes(toWest(allowed('/a/*'), allowed('/a/b'))).filter(({ route }: Manifest) => route).flatMap(({ match }: Manifest) => match);
    expect(open.map(({ uri }: Manifest) => uri)).toEqual([{ prefix: '/a/' }]);
  });

  test('a JWT of a gRPC grant applies only to the methods of that grant', () => {
    const objects = granted(({ mixed, west }) => {
      mixed.allowFrom(west, { ports: [90], grpcMethods: ['/a.B/Get'], jwt: login({ claims: { scope: ['read'] } }) });
      mixed.allowFrom(west, { ports: [90], grpcMethods: ['/a.B/List'], jwt: login({ claims: { scope: ['read'] } }) });
      mixed.allowFrom(west, { ports: [90], grpcMethods: ['/a.B/Put'], jwt: login({ claims: { scope: ['write'] } }) });
    });
    const isPath = (exact: string) => ({ url_path: { path: { exact } } });
    const token = (scope: string) => [claim('iss', 'https://login.example'), claim('aud', 'accounts'), claim('scope', scope)];
    expect(permissionsOf(objects, 'p90.mixed.west.fed.east.example').map(required)).toEqual([
      [isHeader(':method', 'POST'), { or_rules: { rules: [isPath('/a.B/Get'), isPath('/a.B/List')] } }, ...token('read')],
      [isHeader(':method', 'POST'), isPath('/a.B/Put'), ...token('write')],
    ]);
  });

  test('allowFrom copies the audiences of the JWT rule', () => {
    const audiences = ['accounts'];
    const objects = granted(({ reviews, west }) => {
      reviews.allowFrom(west, { jwt: login({ audiences }) });
      audiences.push('other');
    });
    expect(required(permissionsOf(objects, WEST)[0])).toEqual([claim('iss', 'https://login.example'), claim('aud', 'accounts')]);
  });

  test('a JWT is required only of the peer and on the ports of its grant', () => {
    const objects = granted(({ reviews, mixed, west, north }) => {
      reviews.allowFrom(west, { jwt: login() });
      reviews.allowFrom(north);
      mixed.allowFrom(west);
    });
    const requiring = objects.filter((object) => /request\.auth|jwt_authn","path/.test(JSON.stringify(object))).map(({ kind, metadata }) => `${kind} ${metadata.name}`);
    expect(requiring).toEqual(['EnvoyFilter fed-in-edge', 'VirtualService fed-in-reviews-9080-west']);
    const ofRules = find(objects, 'EnvoyFilter', 'fed-in-edge').spec.configPatches.filter((patch: Manifest) => JSON.stringify(patch).includes('jwt_authn'));
    expect(ofRules.map(({ match }: Manifest) => match.routeConfiguration.vhost.name)).toEqual([`${WEST}:15443`]);
  });
});

describe('the EnvoyFilter fed-in-jwt-elsewhere', () => {
  test('the EnvoyFilter removes JWT verification from the HTTP servers that require no JWT', () => {
    const objects = granted(({ reviews, mixed, west, north }) => {
      reviews.allowFrom(west, { jwt: login() });
      reviews.allowFrom(north);
      mixed.allowFrom(west, { ports: [90, 33] });
    });
    const { metadata, spec } = find(objects, 'EnvoyFilter', 'fed-in-jwt-elsewhere', 'istio-federation');
    expect(spec.workloadSelector).toEqual({ labels: { istio: 'istio-federation-ingress' } });
    expect(metadata.annotations).toEqual({ 'galley.istio.io/analyze-suppress': 'IST0133,IST0151' });
    expect(elsewhere(objects)).toEqual(['p90.mixed.west.fed.east.example', 'p9080.reviews.north.fed.east.example']);
    expect(spec.configPatches[0]).toEqual({
      applyTo: 'HTTP_FILTER',
      match: {
        context: 'GATEWAY',
        listener: {
          portNumber: 15443,
          filterChain: {
            sni: 'p90.mixed.west.fed.east.example',
            filter: { name: 'envoy.filters.network.http_connection_manager', subFilter: { name: 'envoy.filters.http.jwt_authn' } },
          },
        },
      },
      patch: { operation: 'REMOVE' },
    });
  });

  test('the admission policy lists the EnvoyFilter, which is applied before the RequestAuthentication', () => {
    const objects = granted(({ reviews, west, north }) => {
      reviews.allowFrom(west, { jwt: login() });
      reviews.allowFrom(north);
    });
    const { variables } = find(objects, 'ValidatingAdmissionPolicy', 'istio-federation-boundary').spec;
    expect(variables.find(({ name }: Manifest) => name === 'ownFilters1').expression).toBe(
      '[\'EnvoyFilter istio-federation/fed-in-edge\',\n \'EnvoyFilter istio-federation/fed-in-jwt-elsewhere\']',
    );
    expect(objects.findIndex(({ metadata }) => metadata.name === 'fed-in-jwt-elsewhere')).toBeLessThan(objects.findIndex(({ kind }) => kind === 'RequestAuthentication'));
  });

  test('the EnvoyFilter is omitted when no request or every request needs a JWT', () => {
    expect(elsewhere(toWest({}))).toEqual([]);
    const objects = granted(({ reviews, mixed, west }) => {
      reviews.allowFrom(west, { jwt: login() });
      mixed.allowFrom(west, { ports: [33] });
    });
    expect(names(objects, 'EnvoyFilter')).toEqual(['fed-in-edge']);
  });

  test('the order of grants with and without a JWT does not change the output', () => {
    const steps: ((made: Made) => void)[] = [
      ({ reviews, west }) => reviews.allowFrom(west, { jwt: login() }),
      ({ reviews, north }) => reviews.allowFrom(north),
      ({ mixed, north }) => mixed.allowFrom(north, { ports: [80] }),
    ];
    const made = (inOrder: typeof steps) => granted((all) => inOrder.forEach((step) => step(all))).map((object) => JSON.stringify(object)).sort();
    expect(made([...steps].reverse())).toEqual(made(steps));
  });
});

describe('an isolated peer', () => {
  const isolated = { reason: 'a build server of it was taken over' };

  test.each(['first', 'last'])('the isolation of a peer removes the issuer and the EnvoyFilter that only it needed when addPeer is called %s', (when) => {
    const objects = granted(({ east, reviews, west, north }) => {
      if (when === 'first') east.addPeer(west, { isolated });
      reviews.allowFrom(west, { jwt: login() });
      reviews.allowFrom(north);
      if (when === 'last') east.addPeer(west, { isolated });
    });
    expect([...names(objects, 'RequestAuthentication'), ...names(objects, 'EnvoyFilter')]).toEqual(['fed-in-edge']);
    expect(JSON.stringify(objects)).not.toContain('jwt_authn');
  });

  test('the isolation of a peer does not remove the issuer and the EnvoyFilter that another peer needs', () => {
    const objects = granted(({ east, reviews, mixed, west, north }) => {
      reviews.allowFrom(west, { jwt: login() });
      reviews.allowFrom(north, { jwt: login() });
      mixed.allowFrom(west, { ports: [80] });
      mixed.allowFrom(north, { ports: [80] });
      east.addPeer(west, { isolated });
    });
    expect(issuers(objects)).toHaveLength(1);
    expect(elsewhere(objects)).toEqual(['p80.mixed.north.fed.east.example']);
  });
});
