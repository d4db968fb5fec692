import { App } from 'cdk8s';
import * as fc from 'fast-check';
import { HttpRule, HttpRuleOptions } from '../src';
import { Manifest, objectsOf } from './support/manifests';
import { FILES, manifestsIn } from './support/output';
import { pair } from './support/pair';
import { errorOf } from './support/rejections';
import { unusedMatches } from './support/unused-matches';

/*
 * Route matches that no request can reach: istiod warns of them at each apply. Among such warnings, nobody would notice one that matters.
 */

const unusedIn = (objects: Manifest[]) => objects.filter(({ kind }) => kind === 'VirtualService').flatMap(({ metadata, spec }) =>
  unusedMatches(spec.http ?? []).map((unused) => `${metadata.name}: ${unused}`));

/** The objects of a program in which west may call with these rules; undefined if the library rejects them. */
function granting(http: HttpRuleOptions[], audience?: string): Manifest[] | undefined {
  let app: App | undefined;
  const { message } = errorOf(() => {
    const made = pair();
    const jwt = audience === undefined ? undefined : { issuer: 'https://login.example', jwksUri: 'https://login.example/keys', audiences: [audience] };
    made.reviews.allowFrom(made.west, { ports: [9080], http: http.map((rule) => HttpRule.allow(rule)), jwt });
    ({ app } = made);
    throw new Error('accepted');
  });
  if (app === undefined) expect(message).toMatch(/^FED30[78] /);
  return app && objectsOf(app);
}

test.each(FILES())('istiod finds no unused route match in %s', (file) => expect(unusedIn(manifestsIn(file))).toEqual([]));

test.each<[string, HttpRuleOptions[]]>([
  ['two exceptions with the same spellings', [{ exceptPaths: ['/a/b', '/a/b/'] }]],
  ['two exceptions with the same spellings, of different lengths', [{ exceptPaths: ['/a/index.html', '/a'] }, { paths: ['/a/*', '/*'] }]],
  ['exceptions with the same spellings and a rule that allows them', [{ methods: ['GET', 'POST'], exceptPaths: ['/a/b.json', '/a/b.html'] }, { paths: ['/a/*'] }]],
  ['the same exceptions of several rules', [{ paths: ['/a/*'], exceptPaths: ['/a/b'] }, { methods: ['GET'], exceptPaths: ['/a/b', '/a/B'] }]],
  ['an exception below another one', [{ exceptPaths: ['/a/b', '/a/b/c/*', '/a/b.json'] }, { methods: ['GET', 'POST'], paths: ['/*'] }, { paths: ['/a/b/*'] }]],
  ['prefixes below each other with different methods', [{ methods: ['GET', 'HEAD'], paths: ['/*'] }, { methods: ['PUT', 'POST'], paths: ['/a/*'] }]],
  ['headers of which one value begins with the other', [
    { paths: ['/*'], requiredHeaders: { 'x-a': '12' } }, { paths: ['/a/*'], requiredHeaders: { 'x-a': '1' } }, { paths: ['/a/b/*'], requiredHeaders: { 'x-a': '1 2' } },
  ]],
])('istiod finds no unused route match for %s', (_, http) => {
  const objects = granting(http);
  expect(objects).toBeDefined();
  expect(unusedIn(objects!)).toEqual([]);
});

test('istiod finds no unused route match for any rules', () => {
  const path = fc.constantFrom('/', '/*', '/a', '/a/', '/a/*', '/a/b', '/a/b/', '/a/b/*', '/A/b', '/a/b.json', '/a/b.html', '/a/index.html', '/a/b/c/*', '/ab/*');
  const some = <Item>(item: fc.Arbitrary<Item>) => fc.option(fc.uniqueArray(item, { minLength: 1, maxLength: 3 }), { nil: undefined });
  const value = fc.constantFrom('1', '12', '1 2', '2');
  const rule: fc.Arbitrary<HttpRuleOptions> = fc.record({
    methods: some(fc.constantFrom('GET', 'POST', 'POSTS')),
    paths: some(path),
    exceptPaths: some(path),
    requiredHeaders: fc.option(fc.dictionary(fc.constantFrom('x-a', 'x-b'), value, { minKeys: 1 }), { nil: undefined }),
  }).filter((one) => errorOf(() => { HttpRule.allow(one); throw new Error('accepted'); }).message === 'accepted');
  let accepted = 0;
  fc.assert(fc.property(fc.array(rule, { minLength: 1, maxLength: 3 }), fc.option(fc.constant('reviews'), { nil: undefined }), (http, audience) => {
    const objects = granting(http, audience);
    if (objects === undefined) return;
    accepted++;
    expect(unusedIn(objects)).toEqual([]);
  }), { seed: 20261130, numRuns: 150 });
  expect(accepted).toBeGreaterThan(100);
});

test('unusedMatches finds what istiod warns of', () => {
  const route = (name: string, ...match: Manifest[]) => ({ name, match });
  const [a, ab] = [{ uri: { prefix: '/a/' } }, { uri: { prefix: '/a/b/' } }];
  expect(unusedMatches([route('one', a), route('two', { ...a }), { name: 'rest' }])).toEqual(['two 0 is repeated']);
  expect(unusedMatches([route('one', a), route('two', ab)])).toEqual(['two 0 seems to be covered']);
  expect(unusedMatches([route('one', ab), route('two', a)])).toEqual([]);
  expect(unusedMatches([route('one', a), route('two', { ...ab, method: { regex: 'PUT|POST' } })])).toEqual(['two 0 seems to be covered']);
  expect(unusedMatches([route('one', a), route('two', { ...ab, method: { exact: 'PUT' } })])).toEqual([]);
  expect(unusedMatches([{ ...route('one', { ...a, headers: { x: { exact: '12' } } }) }, route('two', { ...ab, headers: { x: { exact: '1' } } })])).toEqual(['two 0 seems to be covered']);
  expect(unusedMatches([{ name: 'all' }, route('one', a)])).toEqual(['one after the route for every request']);
});
