import { App, Chart } from 'cdk8s';
import * as kplus from 'cdk8s-plus-27';
import fc from 'fast-check';
import { AllowFromOptions, BoundaryGateway, Caller, ExposedService, HttpRule, HttpRuleOptions, LocalName, LocalService, ServicePort } from '../src';
import { SCENARIOS } from './scenarios';
import { serversOf } from './support/contract';
import { find, Manifest, names, objectsOf, withoutDigest } from './support/manifests';
import { meshOf } from './support/meshes';
import { pair } from './support/pair';
import { allows, permissionsOf, rbacOf, Sample } from './support/rbac';
import { covers } from '../src/model/paths';
import { FOLDABLE_PATH, looksLike, PRINTABLE, spellingsOf } from '../src/model/spellings';

/*
 * Exports: ports, allow rules, routes and the RBAC rules of the ingress gateway.
 */

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

const SNI = 'p9080.reviews.west.fed.east.example';

/** The objects, RBAC rules and routes that these grants generate. */
function granted(...grants: (AllowFromOptions | undefined)[]) {
  const { app, west, reviews } = setUp();
  grants.forEach((options) => reviews.allowFrom(west, options));
  const objects = objectsOf(app);
  return {
    objects,
    rules: rbacOf(objects, SNI),
    permissions: permissionsOf(objects, SNI),
    routes: find(objects, 'VirtualService', 'fed-in-reviews-9080-west').spec.http,
  };
}

test('an export without a grant generates a gateway that denies every request and has no listener', () => {
  const objects = objectsOf(setUp().app);
  expect(names(objects, 'Gateway')).toEqual([]);
  expect(names(objects, 'VirtualService')).toEqual([]);
  expect(names(objects, 'ConfigMap')).toEqual(['fed-in-bootstrap']);
  expect(names(objects, 'AuthorizationPolicy')).toEqual(['fed-in-default-deny', 'fed-in-guard']);
  expect(find(objects, 'EnvoyFilter', 'fed-in-edge').spec.configPatches.map(({ applyTo }: Manifest) => applyTo))
    .toEqual(['HTTP_FILTER', 'FILTER_CHAIN', 'NETWORK_FILTER', 'LISTENER', 'CLUSTER']);
  expect(names(objects, 'Deployment')).toEqual(['federation-ingress']);
});

test('a mesh without exports and bindings generates no objects', () => {
  const app = new App();
  meshOf(app, 'east').addPeer(meshOf(app, 'west'));
  expect(objectsOf(app)).toEqual([]);
});

test('a peer without a grant gets no SNI, no policy, no RBAC rules and no CA', () => {
  const { app, west, reviews } = setUp();
  reviews.allowFrom(west);
  expect(JSON.stringify(objectsOf(app))).not.toContain('north');
});

test('each peer of an export has its own SNI, CA and verified identity', () => {
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

test('policies of the ingress gateway allow each peer only on its own SNIs and port 15443', () => {
  const { app, west, north, reviews } = setUp();
  [west, north].forEach((peer) => reviews.allowFrom(peer));
  const selector = { matchLabels: { istio: 'istio-federation-ingress' } };
  const policies = objectsOf(app).filter(({ kind }) => kind === 'AuthorizationPolicy').map(({ metadata, spec }) => [metadata.name, spec]);
  const ofPeers = ['north', 'west'].flatMap((peer) => {
    const principals = [`${peer}.example/ns/istio-federation/sa/federation-egress`];
    const when = [{ key: 'connection.sni', values: [`*.${peer}.fed.east.example`] }];
    return [
      [`fed-in-guard-${peer}`, { selector, action: 'DENY', rules: [{ from: [{ source: { notPrincipals: principals } }], when }] }],
      [`fed-in-peer-${peer}`, {
        selector, action: 'ALLOW', rules: [{ from: [{ source: { principals } }], to: [{ operation: { ports: ['15443'] } }], when }],
      }],
    ];
  });
  expect(Object.fromEntries(policies)).toEqual({
    'fed-in-default-deny': { selector },
    'fed-in-guard': { selector, action: 'DENY', rules: [{ when: [{ key: 'connection.sni', notValues: ['*.fed.east.example'] }] }] },
    ...Object.fromEntries(ofPeers),
  });
});

test('a grant without rules allows every request and has no route that rejects', () => {
  const { rules, routes } = granted(undefined);
  expect(rules).toEqual({ action: 'ALLOW', policies: { rules: { permissions: [{ any: true }], principals: [{ any: true }] } } });
  expect(routes).toHaveLength(1);
  expect(routes[0].match).toBeUndefined();
});

test('rules are in the RBAC of the virtual host and in the routes, of which the last one rejects', () => {
  const { permissions, routes } = granted({ http: [HttpRule.allow({ methods: ['POST', 'GET'], paths: ['/b', '/a/*'] })] });
  const isMethod = (exact: string) => ({ header: { name: ':method', string_match: { exact } } });
  expect(permissions).toEqual([{
    and_rules: {
      rules: [
        { or_rules: { rules: [isMethod('GET'), isMethod('POST')] } },
        { or_rules: { rules: [{ url_path: { path: { prefix: '/a/' } } }, { url_path: { path: { exact: '/b' } } }] } },
      ],
    },
  }]);
  expect(routes.map(({ name }: Manifest) => name)).toEqual(['reviews-9080-west-ambiguous-path', 'reviews-9080-west', 'reviews-9080-west-refused']);
  expect(routes[1].match).toEqual([
    { method: { regex: 'GET|POST' }, uri: { exact: '/b' } }, { method: { regex: 'GET|POST' }, uri: { prefix: '/a/' } },
  ]);
  expect(routes[2]).toEqual({ name: 'reviews-9080-west-refused', directResponse: { status: 403 } });
});

test('rules with methods only generate no route for ambiguous paths', () => {
  const { routes } = granted({ http: [HttpRule.allow({ methods: ['GET'] })] });
  expect(routes.map(({ name }: Manifest) => name)).toEqual(['reviews-9080-west', 'reviews-9080-west-refused']);
});

test('several grants for one peer are combined, and a repeated grant changes nothing', () => {
  const first = { http: [HttpRule.allow({ methods: ['GET'] })] };
  const second = { http: [HttpRule.allow({ paths: ['/health'] }), HttpRule.allow({ methods: ['GET'] })] };
  const { objects } = granted(first, second);
  expect(granted(second, first, first).objects).toEqual(objects);
  expect(permissionsOf(objects, SNI)).toEqual([
    { header: { name: ':method', string_match: { exact: 'GET' } } }, { url_path: { path: { exact: '/health' } } },
  ]);
});

test('a grant can be limited to some ports', () => {
  const { app, west, reviews } = setUp(ServicePort.http(9080), ServicePort.http(9090, { exportPort: 443 }));
  reviews.allowFrom(west, { ports: [443] });
  const [server, ...others] = find(objectsOf(app), 'Gateway', 'fed-in-west').spec.servers;
  expect(server.hosts).toEqual(['./p443.reviews.west.fed.east.example']);
  expect(others).toEqual([]);
  const [route] = find(objectsOf(app), 'VirtualService', 'fed-in-reviews-443-west').spec.http;
  expect(route.route[0].destination).toEqual({ host: 'reviews.default.svc.cluster.local', port: { number: 9090 } });
});

test('sniFor returns the SNI before anything is granted', () => {
  const { west, reviews } = setUp(ServicePort.http(9080, { exportPort: 80 }));
  expect(reviews.sniFor(west, 80)).toBe('p80.reviews.west.fed.east.example');
});

test('the ingress gateway sets x-federation-peer and removes headers that the peer could forge', () => {
  const { routes: [{ headers }] } = granted(undefined);
  expect(headers.request.set).toEqual({
    'x-federation-peer': 'west', 'x-forwarded-for': '%DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT%',
  });
  expect(headers.request.remove).toEqual(expect.arrayContaining(['x-real-ip', 'forwarded', 'via', 'x-envoy-original-dst-host', 'true-client-ip']));
  expect(headers.request.remove).not.toContain('x-envoy-peer-metadata');
  expect(headers.response.remove).toEqual(expect.arrayContaining(['server', 'x-powered-by', 'via', 'x-envoy-upstream-service-time']));
});

test('the ingress gateway removes headers with which a peer could override the method or path', () => {
  const { routes: [{ headers }] } = granted({ http: [HttpRule.allow({ methods: ['GET'] })] });
  expect(headers.request.remove).toEqual(expect.arrayContaining(['x-http-method-override', 'x-original-url', 'x-rewrite-url', 'x-forwarded-prefix']));
});

test('lists and maps that the program changes after a call do not change the output', () => {
  const paths = ['/a/*'];
  const rules = [HttpRule.allow({ methods: ['GET'], paths })];
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
    paths.push('/admin/*');
    rules.length = 0;
    labels['x\'}'] = 'y';
    Object.assign(endpoints[0], { address: '10.0.0.5' });
  })).toEqual(expected);
});

test('the NetworkPolicy of the ingress gateway allows egress only to the namespaces of exported services and to monitoring', () => {
  const { app, east } = setUp();
  east.expose('Other', { service: LocalService.fromName('other', 'accounts'), exportName: 'other', ports: [ServicePort.http(80)] });
  const { to } = find(objectsOf(app), 'NetworkPolicy', 'federation-ingress').spec.egress.at(-1);
  expect(to.map(({ namespaceSelector }: Manifest) => namespaceSelector.matchLabels['kubernetes.io/metadata.name'])).toEqual(['accounts', 'default', 'monitoring']);
});

test('purpose, dataCategories, reviewBy and ticket of grants are annotations and change no spec', () => {
  const plain = granted(undefined).objects.map(({ spec }) => spec);
  const { app, west, reviews } = setUp();
  reviews.allowFrom(west, { purpose: 'deliver', dataCategories: ['pii', 'ephi'], reviewBy: '2027-01-31' });
  reviews.allowFrom(west, { purpose: 'audit', ticket: 'CHG-1' });
  const objects = objectsOf(app);
  expect(find(objects, 'VirtualService', 'fed-in-reviews-9080-west').metadata.annotations).toEqual({
    'cdk8s-mesh-federation/purpose': 'audit; deliver',
    'cdk8s-mesh-federation/data-categories': 'ephi, pii',
    'cdk8s-mesh-federation/review-by': '2027-01-31',
    'cdk8s-mesh-federation/ticket': 'CHG-1',
  });
  expect(objects.map(({ spec }) => spec)).toEqual(plain);
});

test('annotations of an export and of its grants are on the VirtualService of each grant, and on no policy and no EnvoyFilter', () => {
  const { app, east, west, north } = setUp();
  const ledger = east.expose('Ledger', {
    service: LocalService.fromName('ledger', 'books'), exportName: 'ledger', ports: [ServicePort.http(80)], owner: 'ledger team', purpose: 'book',
  });
  ledger.allowFrom(west, { owner: 'partner desk', ticket: 'CHG-2' });
  ledger.allowFrom(north);
  const objects = objectsOf(app);
  const annotationsOf = (name: string) => find(objects, 'VirtualService', name).metadata.annotations;
  expect(annotationsOf('fed-in-ledger-80-west')).toEqual({
    'cdk8s-mesh-federation/owner': 'ledger team; partner desk', 'cdk8s-mesh-federation/purpose': 'book', 'cdk8s-mesh-federation/ticket': 'CHG-2',
  });
  expect(annotationsOf('fed-in-ledger-80-north')).toEqual({ 'cdk8s-mesh-federation/owner': 'ledger team', 'cdk8s-mesh-federation/purpose': 'book' });
  const annotated = objects.filter((object) => JSON.stringify(object).includes('ledger team'));
  expect(annotated.map(({ kind }) => kind)).toEqual(['VirtualService', 'VirtualService']);
});

test('an export in an application chart puts the boundary objects into the chart of the mesh', () => {
  const { app, east, west } = setUp();
  const chart = new Chart(app, 'accounts', { namespace: 'accounts' });
  const service = new kplus.Deployment(chart, 'Withdraw', { containers: [{ image: 'withdraw', portNumber: 8080 }] })
    .exposeViaService({ ports: [{ port: 8080, name: 'http' }] });
  const withdraw = new ExposedService(chart, 'Exposed', {
    mesh: east, service: LocalService.fromConstruct(service), exportName: 'withdrawals', ports: [ServicePort.http(8080)],
  });
  withdraw.allowFrom(west);
  expect(names(chart.toJson(), 'VirtualService')).toEqual([]);
  const [route] = find(Chart.of(east).toJson().map(withoutDigest), 'VirtualService', 'fed-in-withdrawals-8080-west').spec.http;
  expect(route.route[0].destination.host).toBe(`${service.name}.accounts.svc.cluster.local`);
});

test('an export does not change the objects of the application', () => {
  const { app, east, west } = setUp();
  const chart = new Chart(app, 'accounts', { namespace: 'accounts' });
  const service = new kplus.Service(chart, 'Service', { ports: [{ port: 8080 }] });
  const before = chart.toJson();
  east.expose('Exposed', { service: LocalService.fromConstruct(service), exportName: 'withdrawals', ports: [ServicePort.http(8080)] }).allowFrom(west);
  expect(chart.toJson()).toEqual(before);
});

/** Whether a rule allows a request, as its documentation describes. */
function isAllowedBy({ methods, paths, exceptPaths, requiredHeaders = {} }: HttpRuleOptions, { method, path, headers }: Sample): boolean {
  const matches = (pattern: string) => pattern.endsWith('/*') ? path.startsWith(pattern.slice(0, -1)) : path === pattern;
  return (methods?.includes(method) ?? true) && (paths?.some(matches) ?? true) && !exceptPaths?.some(matches)
    && Object.entries(requiredHeaders).every(([name, value]) => headers[name] === value);
}

/** The result of the routes in Envoy: the first route that matches applies. */
function statusOf(routes: Manifest[], method: string, path: string): 'open' | number {
  const whole = (pattern: string, text: string) => new RegExp(`^(?:${pattern.replace(/^\(\?i\)/, '')})$`, pattern.startsWith('(?i)') ? 'i' : '').test(text);
  const applies = (match: Manifest) => [
    match.method === undefined || (match.method.exact === method || match.method.regex !== undefined && whole(match.method.regex, method)),
    match.uri === undefined || match.uri.exact === path || match.uri.prefix !== undefined && path.startsWith(match.uri.prefix)
      || match.uri.regex !== undefined && whole(match.uri.regex, path),
  ].every(Boolean);
  const route = routes.find(({ match }) => match === undefined || match.some(applies));
  return route?.directResponse?.status ?? (route ? 'open' : 404);
}

test('RBAC rules and routes each allow exactly the requests that the HTTP rules allow, for all rules and requests', () => {
  const path = fc.constantFrom('/', '/a', '/a/', '/a/b', '/a/b/c', '/ab', '/b', '/A', '/a/../b');
  const pattern = fc.constantFrom('/', '/*', '/a', '/a/', '/a/*', '/a/b', '/a/b/*', '/b');
  const method = fc.constantFrom('GET', 'POST', 'HEAD', 'GETS', 'M-SEARCH');
  const list = <Item>(item: fc.Arbitrary<Item>) => fc.uniqueArray(item, { minLength: 1, maxLength: 3 });
  const rule: fc.Arbitrary<HttpRuleOptions> = fc.oneof(
    fc.record({ methods: list(method), paths: list(pattern) }), fc.record({ methods: list(method) }), fc.record({ paths: list(pattern) }),
  );
  fc.assert(fc.property(fc.array(rule, { minLength: 1, maxLength: 3 }), (http) => {
    const { rules, routes } = granted({ http: http.map((one) => HttpRule.allow(one)) });
    fc.assert(fc.property(method, path, (requestMethod, requestPath) => {
      const sample = { method: requestMethod, path: requestPath, headers: {} };
      const allowed = http.some((one) => isAllowedBy(one, sample));
      // Rules with paths reject unresolved dots before anything else; a proxy resolves them before RBAC checks the path.
      const rejection = requestPath.includes('..') && http.some(({ paths }) => paths) ? 400 : undefined;
      expect({ requestMethod, requestPath, status: statusOf(routes, requestMethod, requestPath) })
        .toEqual({ requestMethod, requestPath, status: rejection ?? (allowed ? 'open' : 403) });
      expect({ requestMethod, requestPath, allowed: allows(rules, sample) }).toEqual({ requestMethod, requestPath, allowed });
    }), { seed: 1, numRuns: 60 });
  }), { seed: 20261123, numRuns: 40 });
});

test.each(['/a/%2F..', '/a/..%2fadmin', '/a/%5Cadmin', '/a/%5cadmin', '/a/\\admin', '/a/%00', '/a/..;/admin', '/a/.;x=1/b'])('the routes of a rule with paths reject %s with 400', (path) => {
  const { routes } = granted({ http: [HttpRule.allow({ paths: ['/*'] })] });
  expect(statusOf(routes, 'GET', path)).toBe(400);
});

test('RBAC rules and routes deny the exceptPaths of a rule, also when another rule allows requests under them', () => {
  const { permissions, routes } = granted({
    http: [
      HttpRule.allow({ methods: ['GET'], paths: ['/entries/*'], exceptPaths: ['/entries/drafts/*'] }),
      HttpRule.allow({ methods: ['POST'], paths: ['/entries/drafts/new'], requiredHeaders: { 'x-editor': 'yes' } }),
    ],
  });
  const isHeader = (name: string, exact: string) => ({ header: { name, string_match: { exact } } });
  const isPath = (path: object) => ({ url_path: { path } });
  expect(permissions).toEqual([
    { and_rules: { rules: [isHeader(':method', 'GET'), isPath({ prefix: '/entries/' }), { not_rule: isPath({ prefix: '/entries/drafts/' }) }] } },
    { and_rules: { rules: [isHeader(':method', 'POST'), isPath({ exact: '/entries/drafts/new' }), isHeader('x-editor', 'yes')] } },
  ]);
  expect(routes.map(({ match, directResponse }: Manifest) => [match, directResponse?.status ?? 'open'])).toEqual([
    [[{ uri: { regex: FOLDABLE_PATH } }, { withoutHeaders: { ':path': { regex: PRINTABLE } } }], 400],
    [[{ uri: { exact: '/entries/drafts/new' }, method: { exact: 'POST' }, headers: { 'x-editor': { exact: 'yes' } } }], 'open'],
    [[{ uri: { exact: '/entries/drafts/new' } }], 403],
    [[{ uri: { prefix: '/entries/drafts/' } }], 403],
    [[{ uri: { regex: spellingsOf('/entries/drafts/*') } }], 403],
    [[{ uri: { prefix: '/entries/' }, method: { exact: 'GET' } }], 'open'],
    [[{ uri: { prefix: '/entries/' } }], 403],
    [undefined, 403],
  ]);
});

test('RBAC rules allow what the HTTP rules allow, and routes the same except paths that look like an exception of the allowing rule', () => {
  const headerSets: Sample['headers'][] = [{}, { 'x-a': '1' }, { 'x-a': '1', 'x-b': '2' }, { 'x-a': '2', 'x-b': '2' }];
  const samples = ['GET', 'POST', 'DELETE'].flatMap((method) =>
    ['/', '/a', '/a/', '/a/b', '/a/b/', '/a/b/c', '/a/b/below', '/ab', '/x/y'].flatMap((requestPath) =>
      headerSets.map((headers): Sample => ({ method, path: requestPath, headers }))));
  const path = fc.constantFrom('/a', '/a/*', '/a/b', '/a/b/*', '/a/b/c', '/x/*', '/*', '/A/b', '/a/b.json');
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
    const { objects, rules } = granted({ http: http.map((one) => HttpRule.allow(one)) });
    const [server] = serversOf(objects);
    expect(samples.filter((sample) => allows(rules, sample))).toEqual(samples.filter((sample) => http.some((one) => isAllowedBy(one, sample))));
    const opened = new Set(server.routedOperations);
    expect(server.allowedOperations).toEqual(expect.arrayContaining(server.routedOperations));
    for (const operation of server.allowedOperations) {
      const [method, requestPath, ...headers] = operation.split(' ');
      const holding = http.filter(({ methods, paths, exceptPaths, requiredHeaders }) => (!methods || methods.some((one) => one === method))
        && (!paths || paths.some((one) => covers(one, requestPath))) && !exceptPaths?.some((one) => covers(one, requestPath))
        && Object.entries(requiredHeaders ?? {}).every(([name, value]) => headers.includes(`${name}=${value}`)));
      const like = (exception: string) => looksLike(exception, requestPath);
      if (holding.some(({ exceptPaths }) => !exceptPaths)) expect([operation, opened.has(operation)]).toEqual([operation, true]);
      if (holding.every(({ paths, exceptPaths }) => exceptPaths?.some(like) && !paths?.some((one) => looksLike(requestPath, one)))) {
        expect([operation, opened.has(operation)]).toEqual([operation, false]);
      }
      if (!http.some(({ exceptPaths }) => exceptPaths?.some(like))) expect([operation, opened.has(operation)]).toEqual([operation, true]);
    }
  }), { seed: 20261125, numRuns: 200 });
});

test.each([
  '/reviews/..%2fadmin', '/reviews/%2e%2e/admin', '/reviews/../admin', '/reviews/..', '/reviews/.', '/reviews/./x', '/reviews/..;/admin', '/reviews/..%3b/admin',
  '/reviews/%252e%252e/admin', '/reviews/%252fadmin', '/reviews/%25252fadmin', '/reviews\\admin', '/reviews/%5cadmin', '/reviews/a%00', '/reviews/%0d%0aadmin',
  '/reviews/%c0%ae%c0%ae/admin', '/reviews/%c1%9cadmin', '/reviews/%e0%80%af', '/reviews/..%20/admin', '/reviews/%20../admin',
])('the first route of a rule with paths matches the ambiguous path %s', (spelling) => {
  const [ambiguous] = granted({ http: [HttpRule.allow({ paths: ['/reviews/*'] })] }).routes;
  expect(spelling).toMatch(new RegExp(`^${ambiguous.match[0].uri.regex}$`));
});

test.each([
  '/reviews/1', '/reviews/a.b', '/reviews/a..b', '/reviews/.well-known/x', '/reviews/...', '/reviews/a%20b', '/reviews/100%25', '/reviews/caf%C3%A9', '/reviews/a;b=c',
  '/reviews/%E2%82%AC', '/reviews/a+b', '/reviews/%7Euser', '/reviews/a@b:c', '/reviews/%2Bx', '/reviews/%3Fx',
])('the first route of a rule with paths does not match the unambiguous path %s', (spelling) => {
  const [ambiguous] = granted({ http: [HttpRule.allow({ paths: ['/reviews/*'] })] }).routes;
  expect(spelling).not.toMatch(new RegExp(`^${ambiguous.match[0].uri.regex}$`));
});

test('a rule with exceptPaths only rejects paths that a backend may normalise and all spellings of its exceptions', () => {
  const { routes } = granted({ http: [HttpRule.allow({ exceptPaths: ['/admin'] })] });
  expect(routes.map(({ match, directResponse }: Manifest) => [match, directResponse?.status ?? 'open'])).toEqual([
    [[{ uri: { regex: FOLDABLE_PATH } }, { withoutHeaders: { ':path': { regex: PRINTABLE } } }], 400],
    [[{ uri: { exact: '/admin' } }], 403],
    [[{ uri: { regex: spellingsOf('/admin') } }], 403],
    [[{ uri: { prefix: '/' } }], 'open'], // every path, so nothing is left to reject
    [undefined, 403],
  ]);
});

test('a rule without exceptPaths still allows every spelling of a path that another rule excepts', () => {
  const { routes } = granted({ http: [HttpRule.allow({ methods: ['GET'] }), HttpRule.allow({ methods: ['POST'], exceptPaths: ['/admin/*'] })] });
  const like = routes.filter(({ name }: Manifest) => name.includes('-like-'));
  expect(like.map(({ match, directResponse }: Manifest) => [match, directResponse?.status ?? 'open'])).toEqual([
    [[{ uri: { regex: spellingsOf('/admin/*') }, method: { exact: 'GET' }, headers: { ':path': { prefix: '/' } } }], 'open'],
    [[{ uri: { regex: spellingsOf('/admin/*') } }], 403],
  ]);
});

test('a route has no match that another match of the rule covers', () => {
  const { routes } = granted({ http: [HttpRule.allow({ methods: ['GET'], paths: ['/a/*', '/a/b/*', '/c'] })] });
  expect(routes.slice(1).flatMap(({ match = [] }: Manifest) => match)).toEqual([
    { method: { exact: 'GET' }, uri: { exact: '/c' } }, { method: { exact: 'GET' }, uri: { prefix: '/a/' } },
  ]);
});

test('the ingress gateway sets a required header to the value of the rule', () => {
  const { routes } = granted({
    http: [HttpRule.allow({ paths: ['/a/*'], requiredHeaders: { 'x-member': '100%' } }), HttpRule.allow({ paths: ['/b/*'], requiredHeaders: { 'x-editor': 'yes' } }), HttpRule.allow({ paths: ['/c/*'] })],
  });
  const set = (route: Manifest) => Object.fromEntries(Object.entries<string>(route.headers.request.set).filter(([name]) => /^x-(member|editor)$/.test(name)));
  const open = routes.filter(({ route }: Manifest) => route);
  expect(open.map((one: Manifest) => [one.match.map(({ uri }: Manifest) => uri.prefix), set(one)]).sort()).toEqual([
    [['/a/'], { 'x-member': '100%%' }], [['/b/'], { 'x-editor': 'yes' }], [['/c/'], {}],
  ]);
});

test('the ingress gateway removes the header te except for gRPC', () => {
  const removed = (port: ServicePort) => {
    const app = new App();
    const [east, west] = [meshOf(app, 'east'), meshOf(app, 'west')];
    [east, west].forEach((mesh) => mesh.addPeer(mesh === east ? west : east));
    east.expose('Any', { service: LocalService.fromName('any', 'default'), exportName: 'any', ports: [port] }).allowFrom(west);
    return objectsOf(app).filter(({ kind, metadata }) => kind === 'VirtualService' && metadata.name.startsWith('fed-in-')).flatMap(({ spec }) => spec.http[0].headers.request.remove);
  };
  expect(removed(ServicePort.http(80))).toEqual(expect.arrayContaining(['te', 'proxy-authorization', 'x-envoy-original-method']));
  expect(removed(ServicePort.grpc(80))).not.toContain('te');
});

test('HttpRule.allow rejects a required header that a gateway removes or sets', () => {
  const objects = objectsOf(SCENARIOS['two-meshes-http']()[0]);
  const routes: Manifest[] = objects.filter(({ kind }) => kind === 'VirtualService').flatMap(({ spec }) => spec.http);
  const changed = new Set(routes.flatMap(({ headers }) => [...headers?.request?.remove ?? [], ...Object.keys(headers?.request?.set ?? {})]));
  changed.delete('Host'); // of the sidecar, in the spelling of Istio
  expect(changed.size).toBeGreaterThan(30);
  for (const name of changed) expect(() => granted({ http: [HttpRule.allow({ requiredHeaders: { [name]: 'x' } })] })).toThrow(/FED308 .*proxies on the way/);
});

test('a rule with exceptPaths only rejects ambiguous paths in its first route', () => {
  const { routes } = granted({ http: [HttpRule.allow({ exceptPaths: ['/admin/*'] })] });
  expect(routes[0]).toMatchObject({ name: 'reviews-9080-west-ambiguous-path', directResponse: { status: 400 } });
  const [{ uri: { regex } }] = routes[0].match;
  const rejected = (path: string) => new RegExp(`^(${regex})$`, 's').test(path);
  expect(['/x/%2e%2e/admin', '/x//admin', '/x/;a/admin', '/x/y'].map(rejected)).toEqual([true, true, true, false]);
});

test('a port that is listed twice is granted once', () => {
  const { east, west, reviews } = pair();
  reviews.allowFrom(west, { ports: [9080, 9081, 9080] });
  const [gateway] = Chart.of(east).toJson().map(withoutDigest).filter(({ kind }: Manifest) => kind === 'Gateway');
  expect(gateway.spec.servers.map(({ name }: Manifest) => name)).toEqual(['reviews-9080-west', 'reviews-9081-west']);
});

test('an export name may be so long that the SNI for a peer of any name has 253 characters', () => {
  const { east } = setUp();
  const exportName = 'a'.repeat(60).concat('.').repeat(3).slice(0, 164).concat('a');
  expect(() => east.expose('Long', { service: LocalService.fromName('long', 'default'), exportName, ports: [ServicePort.http(80)] })).not.toThrow();
});

test.each(['/Service/Method', '/pkg.Service/Method', '/a.b_c.v1.Service/*'])('a peer can be allowed the gRPC method %s', (method) => {
  const { east, west } = setUp();
  const calls = east.expose('Calls', { service: LocalService.fromName('calls', 'default'), exportName: 'calls', ports: [ServicePort.grpc(80)] });
  expect(() => calls.allowFrom(west, { grpcMethods: [method] })).not.toThrow();
});

test('a rule that excepts a path and allows everything below it rejects the path with a slash at its end as well', () => {
  const { routes } = granted({ http: [HttpRule.allow({ paths: ['/*', '/a/*'], exceptPaths: ['/a'] })] });
  const judged = routes.filter(({ directResponse }: Manifest) => directResponse?.status !== 400);
  expect(['/a', '/a/', '/a/b'].map((path) => statusOf(judged, 'GET', path))).toEqual([403, 403, 'open']);
});
test('a path that a rule names is allowed even if it is a spelling of a path that the rule excepts', () => {
  const { routes } = granted({ http: [HttpRule.allow({ paths: ['/a/*', '/a/b/'], exceptPaths: ['/a/b'] })] });
  const judged = routes.filter(({ directResponse }: Manifest) => directResponse?.status !== 400);
  expect(['/a/b', '/a/b/', '/a/c'].map((path) => statusOf(judged, 'GET', path))).toEqual([403, 'open', 'open']);
});
test('a route with a required header sets it, and still removes what every route removes', () => {
  const { routes } = granted({ http: [HttpRule.allow({ methods: ['GET'], requiredHeaders: { 'x-tester': 'yes' } }), HttpRule.allow({ methods: ['POST'] })] });
  const [requiring, usual] = routes.filter(({ route }: Manifest) => route).sort((a: Manifest) => a.headers.request.set['x-tester'] ? -1 : 1);
  expect(requiring.headers.request.set).toEqual({ ...usual.headers.request.set, 'x-tester': 'yes' });
  expect(requiring.headers.request.remove).toEqual(usual.headers.request.remove);
  expect(requiring.headers.response).toEqual(usual.headers.response);
  expect(usual.headers.request.remove.length).toBeGreaterThan(20);
  expect(usual.headers.response.remove.length).toBeGreaterThan(5);
});
