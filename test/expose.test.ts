import { App, Chart } from 'cdk8s';
import * as kplus from 'cdk8s-plus-27';
import fc from 'fast-check';
import { AllowFromOptions, BoundaryGateway, Caller, ExposedService, HttpRule, LocalName, LocalService, ServicePort } from '../src';
import { serversOf } from './support/contract';
import { find, Manifest, names, objectsOf } from './support/manifests';
import { meshOf, SCENARIOS } from './support/scenarios';
import { covers } from '../src/internal/paths';

function setUp(...ports: ServicePort[]) {
  const app = new App();
  const east = meshOf(app, 'east');
  const west = meshOf(app, 'west');
  const north = meshOf(app, 'north');
  east.addPeer(west);
  east.addPeer(north);
  const reviews = east.expose('Reviews', {
    service: LocalService.fromName('reviews', 'default'), exportName: 'reviews', ports: ports.length > 0 ? ports : [ServicePort.http(9080)],
  });
  return { app, east, west, north, reviews };
}

/** What the gateway would be told for these grants. */
function granted(...grants: (AllowFromOptions | undefined)[]) {
  const { app, west, reviews } = setUp();
  grants.forEach((options) => reviews.allowFrom(west, options));
  const objects = objectsOf(app);
  return {
    objects,
    policy: find(objects, 'AuthorizationPolicy', 'fed-in-reviews-9080-west'),
    routes: find(objects, 'VirtualService', 'fed-in-reviews-9080-west').spec.http,
  };
}

test('an exposure without a grant has a closed gateway and no listener', () => {
  const objects = objectsOf(setUp().app);
  expect(names(objects, 'Gateway')).toEqual([]);
  expect(names(objects, 'VirtualService')).toEqual([]);
  expect(names(objects, 'ConfigMap')).toEqual([]);
  expect(names(objects, 'AuthorizationPolicy')).toEqual(['fed-in-default-deny', 'fed-in-guard']);
  expect(names(objects, 'Deployment')).toEqual(['federation-ingress']);
});

test('a mesh without an exposure has no ingress gateway, no listener and no load balancer', () => {
  const app = new App();
  meshOf(app, 'east').addPeer(meshOf(app, 'west'));
  expect(objectsOf(app)).toEqual([]);
});

test('a peer that was not allowed gets no server name, no policy and no CA', () => {
  const { app, west, reviews } = setUp();
  reviews.allowFrom(west);
  expect(JSON.stringify(objectsOf(app))).not.toContain('north');
});

test('each peer has its own server name, CA and identity for one service', () => {
  const { app, west, north, reviews } = setUp();
  reviews.allowFrom(west);
  reviews.allowFrom(north);
  const servers = ['west', 'north'].map((peer) => find(objectsOf(app), 'Gateway', `fed-in-${peer}`).spec.servers[0]);
  expect(servers.map(({ hosts }) => hosts)).toEqual([['./p9080.reviews.west.fed.east.example'], ['./p9080.reviews.north.fed.east.example']]);
  expect(servers.map(({ tls }) => tls.caCertCredentialName)).toEqual([
    'configmap://istio-federation/fed-in-trust-west', 'configmap://istio-federation/fed-in-trust-north',
  ]);
  expect(servers.map(({ tls }) => tls.subjectAltNames)).toEqual([
    ['spiffe://west.example/ns/istio-federation/sa/federation-egress'], ['spiffe://north.example/ns/istio-federation/sa/federation-egress'],
  ]);
});

test('a grant without rules lets every request through and has no refusing route', () => {
  const { policy, routes } = granted(undefined);
  expect(policy.spec.rules[0].to).toEqual([{ operation: { ports: ['15443'] } }]);
  expect(routes).toHaveLength(1);
  expect(routes[0].match).toBeUndefined();
});

test('rules stand in the policy and once more in the routes, of which the last refuses', () => {
  const { policy, routes } = granted({ http: [{ methods: ['POST', 'GET'], paths: ['/b', '/a/*'] }] });
  expect(policy.spec.rules[0].to).toEqual([{ operation: { ports: ['15443'], methods: ['GET', 'POST'], paths: ['/a/*', '/b'] } }]);
  expect(routes.map(({ name }: Manifest) => name)).toEqual(['reviews-9080-west-ambiguous-path', 'reviews-9080-west', 'reviews-9080-west-refused']);
  expect(routes[1].match).toEqual([
    { method: { regex: 'GET|POST' }, uri: { prefix: '/a/' } }, { method: { regex: 'GET|POST' }, uri: { exact: '/b' } },
  ]);
  expect(routes[2]).toEqual({ name: 'reviews-9080-west-refused', directResponse: { status: 403 } });
});

test('rules about methods alone need no route about paths', () => {
  const { routes } = granted({ http: [{ methods: ['GET'] }] });
  expect(routes.map(({ name }: Manifest) => name)).toEqual(['reviews-9080-west', 'reviews-9080-west-refused']);
});

test('several grants add up, and saying one again changes nothing', () => {
  const first = { http: [{ methods: ['GET'] }] };
  const second = { http: [{ paths: ['/health'] }, { methods: ['GET'] }] };
  const { objects } = granted(first, second);
  expect(granted(second, first, first).objects).toEqual(objects);
  expect(find(objects, 'AuthorizationPolicy', 'fed-in-reviews-9080-west').spec.rules[0].to).toHaveLength(2);
});

test('a grant may be for some ports only', () => {
  const { app, west, reviews } = setUp(ServicePort.http(9080), ServicePort.http(9090, { exportPort: 443 }));
  reviews.allowFrom(west, { ports: [443] });
  const [server, ...others] = find(objectsOf(app), 'Gateway', 'fed-in-west').spec.servers;
  expect(server.hosts).toEqual(['./p443.reviews.west.fed.east.example']);
  expect(others).toEqual([]);
  const [route] = find(objectsOf(app), 'VirtualService', 'fed-in-reviews-443-west').spec.http;
  expect(route.route[0].destination).toEqual({ host: 'reviews.default.svc.cluster.local', port: { number: 9090 } });
});

test('the server name is told before anything is granted', () => {
  const { west, reviews } = setUp(ServicePort.http(9080, { exportPort: 80 }));
  expect(reviews.sniFor(west, 80)).toBe('p80.reviews.west.fed.east.example');
});

test('what arrives is told from which peer it comes, and nothing that the peer could forge', () => {
  const { routes: [{ headers }] } = granted(undefined);
  expect(headers.request.set).toEqual({
    'x-federation-peer': 'west', 'x-forwarded-for': '%DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT%',
  });
  expect(headers.request.remove).toEqual(expect.arrayContaining(['x-real-ip', 'forwarded', 'via', 'x-envoy-original-dst-host', 'true-client-ip']));
  expect(headers.request.remove).not.toContain('x-envoy-peer-metadata');
  expect(headers.response.remove).toEqual(expect.arrayContaining(['server', 'x-powered-by', 'via', 'x-envoy-upstream-service-time']));
});

test('what a peer could say in place of method or path does not reach a backend', () => {
  const { routes: [{ headers }] } = granted({ http: [{ methods: ['GET'] }] });
  expect(headers.request.remove).toEqual(expect.arrayContaining(['x-http-method-override', 'x-original-url', 'x-rewrite-url', 'x-forwarded-prefix']));
});

test('what was checked is what is written, whatever the program does with its lists later', () => {
  const rules: HttpRule[] = [{ methods: ['GET'], paths: ['/a/*'] }];
  const labels: { [name: string]: string } = { team: 'a' };
  const endpoints = [{ address: 'fed.east.example' }];
  const program = (later: () => void) => {
    const app = new App();
    const east = meshOf(app, 'east', { endpoints, ingressGateway: BoundaryGateway.dedicated({ labels }) });
    const west = meshOf(app, 'west');
    east.addPeer(west);
    west.addPeer(east);
    const reviews = east.expose('Reviews', { service: LocalService.fromName('reviews', 'default'), exportName: 'reviews', ports: [ServicePort.http(80)] });
    reviews.allowFrom(west, { http: rules });
    west.bind('Reviews', { source: reviews, localName: LocalName.newService('reviews', 'web') }).allowFrom(Caller.serviceAccount('page', 'web'));
    later();
    return objectsOf(app);
  };
  const expected = program(() => undefined);
  expect(program(() => {
    rules[0].paths!.push('/admin/*');
    rules.length = 0;
    labels['x\'}'] = 'y';
    Object.assign(endpoints[0], { address: '10.0.0.5' });
  })).toEqual(expected);
});

test('the ingress gateway reaches the namespaces of what is exposed, and no others', () => {
  const { app, east } = setUp();
  east.expose('Other', { service: LocalService.fromName('other', 'accounts'), exportName: 'other', ports: [ServicePort.http(80)] });
  const [, { to }] = find(objectsOf(app), 'NetworkPolicy', 'federation-ingress').spec.egress;
  expect(to.map(({ namespaceSelector }: Manifest) => namespaceSelector.matchLabels['kubernetes.io/metadata.name'])).toEqual(['accounts', 'default', 'monitoring']);
});

test('who answers for it stays with the objects and changes no traffic', () => {
  const plain = granted(undefined).objects.map(({ spec }) => spec);
  const { app, west, reviews } = setUp();
  reviews.allowFrom(west, { purpose: 'deliver', dataCategories: ['pii', 'ephi'], reviewBy: '2027-01-31' });
  reviews.allowFrom(west, { purpose: 'audit', ticket: 'CHG-1' });
  const objects = objectsOf(app);
  expect(find(objects, 'AuthorizationPolicy', 'fed-in-reviews-9080-west').metadata.annotations).toEqual({
    'cdk8s-mesh-federation/purpose': 'audit; deliver',
    'cdk8s-mesh-federation/data-categories': 'ephi, pii',
    'cdk8s-mesh-federation/review-by': '2027-01-31',
    'cdk8s-mesh-federation/ticket': 'CHG-1',
  });
  expect(objects.map(({ spec }) => spec)).toEqual(plain);
});

test('an application team declares it in its own chart, and the platform team applies the boundary', () => {
  const { app, east, west } = setUp();
  const chart = new Chart(app, 'accounts', { namespace: 'accounts' });
  const service = new kplus.Deployment(chart, 'Withdraw', { containers: [{ image: 'withdraw', portNumber: 8080 }] })
    .exposeViaService({ ports: [{ port: 8080, name: 'http' }] });
  const withdraw = new ExposedService(chart, 'Exposed', {
    mesh: east, service: LocalService.fromConstruct(service), exportName: 'withdrawals', ports: [ServicePort.http(8080)],
  });
  withdraw.allowFrom(west);
  expect(names(chart.toJson(), 'VirtualService')).toEqual([]);
  const [route] = find(Chart.of(east).toJson(), 'VirtualService', 'fed-in-withdrawals-8080-west').spec.http;
  expect(route.route[0].destination.host).toBe(`${service.name}.accounts.svc.cluster.local`);
});

test('the objects of the application are not touched', () => {
  const { app, east, west } = setUp();
  const chart = new Chart(app, 'accounts', { namespace: 'accounts' });
  const service = new kplus.Service(chart, 'Service', { ports: [{ port: 8080 }] });
  const before = chart.toJson();
  east.expose('Exposed', { service: LocalService.fromConstruct(service), exportName: 'withdrawals', ports: [ServicePort.http(8080)] }).allowFrom(west);
  expect(chart.toJson()).toEqual(before);
});

/** What a rule means: the sentence of its documentation. */
function allows({ methods, paths }: HttpRule, method: string, path: string): boolean {
  const matches = (pattern: string) => pattern.endsWith('/*') ? path.startsWith(pattern.slice(0, -1)) : path === pattern;
  return (methods?.includes(method) ?? true) && (paths?.some(matches) ?? true);
}

/** What Envoy does with the routes: the first one that matches decides. */
function routed(routes: Manifest[], method: string, path: string): 'open' | number {
  const whole = (pattern: string, text: string) => new RegExp(`^(?:${pattern})$`).test(text);
  const applies = (match: Manifest) => [
    match.method === undefined || (match.method.exact === method || match.method.regex !== undefined && whole(match.method.regex, method)),
    match.uri === undefined || match.uri.exact === path || match.uri.prefix !== undefined && path.startsWith(match.uri.prefix)
      || match.uri.regex !== undefined && whole(match.uri.regex, path),
  ].every(Boolean);
  const route = routes.find(({ match }) => match === undefined || match.some(applies));
  return route?.directResponse?.status ?? (route ? 'open' : 404);
}

/** What Istio does with the policy. */
function authorized(policy: Manifest, method: string, path: string): boolean {
  return policy.spec.rules[0].to.some(({ operation }: Manifest) => allows({
    methods: operation.methods,
    paths: operation.paths?.map((pattern: string) => pattern),
  }, method, path));
}

test('policy and routes each mean exactly what the rules say, for all rules and requests', () => {
  const path = fc.constantFrom('/', '/a', '/a/', '/a/b', '/a/b/c', '/ab', '/b', '/A', '/a/../b');
  const pattern = fc.constantFrom('/', '/*', '/a', '/a/', '/a/*', '/a/b', '/a/b/*', '/b');
  const method = fc.constantFrom('GET', 'POST', 'HEAD', 'GETS', 'M-SEARCH');
  const list = <Item>(item: fc.Arbitrary<Item>) => fc.uniqueArray(item, { minLength: 1, maxLength: 3 });
  const rule: fc.Arbitrary<HttpRule> = fc.oneof(
    fc.record({ methods: list(method), paths: list(pattern) }), fc.record({ methods: list(method) }), fc.record({ paths: list(pattern) }),
  );
  fc.assert(fc.property(fc.array(rule, { minLength: 1, maxLength: 3 }), (http) => {
    const { policy, routes } = granted({ http });
    fc.assert(fc.property(method, path, (asked, at) => {
      const meant = http.some((one) => allows(one, asked, at));
      // Rules about paths refuse unresolved dots before anything else; a proxy resolves them before a policy sees the path.
      const refusal = at.includes('..') && http.some(({ paths }) => paths) ? 400 : undefined;
      expect({ asked, at, routed: routed(routes, asked, at) }).toEqual({ asked, at, routed: refusal ?? (meant ? 'open' : 403) });
      expect({ asked, at, authorized: authorized(policy, asked, at) }).toEqual({ asked, at, authorized: meant });
    }), { seed: 1, numRuns: 60 });
  }), { seed: 20261123, numRuns: 40 });
});

test.each(['/a/%2F..', '/a/..%2fadmin', '/a/%5Cadmin', '/a/%5cadmin', '/a/\\admin', '/a/%00', '/a/..;/admin', '/a/.;x=1/b'])('the spelling %s is refused before any rule', (path) => {
  const { routes } = granted({ http: [{ paths: ['/*'] }] });
  expect(routed(routes, 'GET', path)).toBe(400);
});

test('paths that stay closed are refused by the policy and by the routes, whatever another rule allows beside them', () => {
  const { policy, routes } = granted({
    http: [
      { methods: ['GET'], paths: ['/entries/*'], exceptPaths: ['/entries/drafts/*'] },
      { methods: ['POST'], paths: ['/entries/drafts/new'], requiredHeaders: { 'x-editor': 'yes' } },
    ],
  });
  const from = [{ source: { principals: ['west.example/ns/istio-federation/sa/federation-egress'] } }];
  const sni = { key: 'connection.sni', values: ['p9080.reviews.west.fed.east.example'] };
  expect(policy.spec.rules).toEqual([
    { from, to: [{ operation: { ports: ['15443'], methods: ['POST'], paths: ['/entries/drafts/new'] } }], when: [sni, { key: 'request.headers[x-editor]', values: ['yes'] }] },
    { from, to: [{ operation: { ports: ['15443'], methods: ['GET'], paths: ['/entries/*'], notPaths: ['/entries/drafts/*'] } }], when: [sni] },
  ]);
  expect(routes.map(({ match, directResponse }: Manifest) => [match, directResponse?.status ?? 'open'])).toEqual([
    [[{ uri: { regex: expect.any(String) } }], 400],
    [[{ uri: { exact: '/entries/drafts/new' }, method: { exact: 'POST' }, headers: { 'x-editor': { exact: 'yes' } } }], 'open'],
    [[{ uri: { exact: '/entries/drafts/new' } }], 403],
    [[{ uri: { prefix: '/entries/drafts/' } }], 403],
    [[{ uri: { prefix: '/entries/' }, method: { exact: 'GET' } }], 'open'],
    [[{ uri: { prefix: '/entries/' } }], 403],
    [undefined, 403],
  ]);
});

test('routes say the same as the policy for all rules with exceptions and headers', () => {
  const path = fc.constantFrom('/a', '/a/*', '/a/b', '/a/b/*', '/a/b/c', '/x/*', '/*');
  const some = (values: fc.Arbitrary<string>) => fc.option(fc.uniqueArray(values, { minLength: 1, maxLength: 3 }), { nil: undefined });
  const anyRule = fc.record({
    methods: some(fc.constantFrom('GET', 'POST')),
    paths: some(path),
    exceptPaths: some(path),
    requiredHeaders: fc.option(fc.constantFrom<{ [name: string]: string }>({ 'x-a': '1' }, { 'x-a': '1', 'x-b': '2' }), { nil: undefined }),
  }).filter(({ methods, paths, exceptPaths }) => (methods ?? paths ?? exceptPaths) !== undefined
    && !(!paths && exceptPaths?.includes('/*'))
    && !(exceptPaths ?? []).some((except) => paths && (paths.includes(except) || !paths.some((allowed) => covers(allowed, except)))));
  fc.assert(fc.property(fc.array(anyRule, { minLength: 1, maxLength: 4 }), (http) => {
    const [server] = serversOf(granted({ http }).objects);
    expect(server.routedOperations).toEqual(server.allowedOperations);
    expect(server.allowedOperations.filter((text) => text.startsWith('DELETE /a/b/below') && !text.includes('='))).toEqual(
      http.some(({ methods, paths, exceptPaths, requiredHeaders }) => !methods && !requiredHeaders && (!paths || paths.some((one) => covers(one, '/a/b/below')))
        && !exceptPaths?.some((one) => covers(one, '/a/b/below'))) && JSON.stringify(http).includes('/a/b/*') ? ['DELETE /a/b/below'] : [],
    );
  }), { seed: 20261125, numRuns: 200 });
});

test.each([
  '/reviews/..%2fadmin', '/reviews/%2e%2e/admin', '/reviews/../admin', '/reviews/..', '/reviews/.', '/reviews/./x', '/reviews/..;/admin', '/reviews/..%3b/admin',
  '/reviews/%252e%252e/admin', '/reviews/%252fadmin', '/reviews/%25252fadmin', '/reviews\\admin', '/reviews/%5cadmin', '/reviews/a%00', '/reviews/%0d%0aadmin',
  '/reviews/%c0%ae%c0%ae/admin', '/reviews/%c1%9cadmin', '/reviews/%e0%80%af', '/reviews/..%20/admin', '/reviews/%20../admin',
])('the spelling %s is refused before any rule is asked', (spelling) => {
  const [ambiguous] = granted({ http: [{ paths: ['/reviews/*'] }] }).routes;
  expect(spelling).toMatch(new RegExp(`^${ambiguous.match[0].uri.regex}$`));
});

test.each([
  '/reviews/1', '/reviews/a.b', '/reviews/a..b', '/reviews/.well-known/x', '/reviews/...', '/reviews/a%20b', '/reviews/100%25', '/reviews/caf%C3%A9', '/reviews/a;b=c',
  '/reviews/%E2%82%AC', '/reviews/a+b', '/reviews/%7Euser', '/reviews/a@b:c', '/reviews/%2Bx', '/reviews/%3Fx',
])('the spelling %s is as good as any', (spelling) => {
  const [ambiguous] = granted({ http: [{ paths: ['/reviews/*'] }] }).routes;
  expect(spelling).not.toMatch(new RegExp(`^${ambiguous.match[0].uri.regex}$`));
});

test('no rule can require a header that a gateway takes away or writes', () => {
  const objects = objectsOf(SCENARIOS['two-meshes-http']()[0]);
  const routes: Manifest[] = objects.filter(({ kind }) => kind === 'VirtualService').flatMap(({ spec }) => spec.http);
  const changed = new Set(routes.flatMap(({ headers }) => [...headers?.request?.remove ?? [], ...Object.keys(headers?.request?.set ?? {})]));
  changed.delete('Host'); // of the sidecar, in the spelling of Istio
  expect(changed.size).toBeGreaterThan(30);
  for (const name of changed) expect(() => granted({ http: [{ requiredHeaders: { [name]: 'x' } }] })).toThrow(/FED308 .*proxies on the way/);
});
