import { FOLDABLE_PATH, isFoldable, looksLike, mayMeet, spellingsOf } from '../src/model/spellings';

/*
 * The spellings of a path that the pattern of an excepted path matches. Cases `spellings/…` of the lab test with real proxies and backends
 * that this covers what backends fold.
 */

/** Whether the pattern of an excepted path matches a path. Envoy matches the whole path. */
function isLike(excepted: string, path: string): boolean {
  return new RegExp(`^(${spellingsOf(excepted).slice('(?i)'.length)})$`, 'i').test(path);
}

describe('exact excepted paths', () => {
  test.each([
    '/orders/secret', '/orders/secret/', '/orders/Secret', '/ORDERS/SECRET', '/orders/secret%20', '/orders/secret.', '/orders/secret.%20/', '/orders/secret.json',
    '/orders/secret%20.json', '/orders/%20secret', '/orders./secret', '/orders%20/secret', '/orders::$INDEX_ALLOCATION/secret', '/orders/secret::$DATA',
    '/orders/secret%3A%3a$DATA', '/orders/secret%3Fx', '/orders/secret%23/x', '/orders/secret#x', '/orders/secret+', '/orders/secret/index.html',
    '/orders/secret/Default.aspx',
  ])('the excepted path /orders/secret matches %s', (path) => expect(isLike('/orders/secret', path)).toBe(true));

  test.each([
    '/orders', '/orders/', '/orders/secrets', '/orders/secret-plan', '/orders/secret%20plan', '/orders/my-secret', '/orders/secret/plan', '/orders/x/secret',
    '/orders/secre', '/orders/index.html', '/orders/secret%C3%A9', '/v1/orders/secret', '/orders/secret/index', '/orders/secret~1',
  ])('the excepted path /orders/secret does not match %s', (path) => expect(isLike('/orders/secret', path)).toBe(false));
});

describe('excepted paths below a prefix', () => {
  test.each([
    '/orders/drafts/1', '/orders/drafts/', '/orders/drafts', '/orders/DRAFTS/1', '/orders/drafts%20/1', '/orders/drafts./1', '/orders/drafts/a/b', '/orders/drafts.json',
    '/orders/drafts:x/1', '/orders/drafts%3Fx/1', '/orders/drafts.',
  ])('the excepted path /orders/drafts/* matches %s', (path) => expect(isLike('/orders/drafts/*', path)).toBe(true));

  test.each(['/orders/drafts2/1', '/orders/drafts.v2/1', '/orders/old-drafts/1', '/orders', '/orders/1', '/orders/drafts%20of%20mine'])('the excepted path /orders/drafts/* does not match %s', (path) =>
    expect(isLike('/orders/drafts/*', path)).toBe(false));
});

test.each([
  ['/docs/index.html', '/docs/'], ['/docs/index.html', '/docs'], ['/docs/index.html', '/docs/index'], ['/index.html', '/'], ['/users.json', '/users'],
  ['/users.json', '/users.xml'], ['/app/admin.php', '/app/admin.php/x/y'], ['/app/admin.php', '/app/Admin.PHP'], ['/a+b', '/a%2Bb'], ['/a@b', '/a%40b'],
  ['/find/*', '/f%C4%B1nd/x'], ['/find/*', '/F%C4%B0ND/x'], ['/docs/', '/docs'],
])('the excepted path %s matches %s', (excepted, path) => expect(isLike(excepted, path)).toBe(true));

test.each([['/v1.2', '/v1.3'], ['/v1.2', '/v1'], ['/docs/index.html', '/docs/x'], ['/a+b', '/a%20b'], ['/app/admin', '/app/admin/x']])('the excepted path %s does not match %s', (excepted, path) =>
  expect(isLike(excepted, path)).toBe(false));

test.each([
  '//', '/orders//drafts/1', '/orders/;/drafts/1', '/orders/drafts;v=1/1', '/orders/drafts%3Bv=1/1', '/orders/%64rafts/1', '/orders/%2570rivate', '/orders/%252570rivate',
  '/orders/%u0064rafts/1', '/orders/%6', '/orders/%zz', '/orders/%', '/orders/x/../drafts', '/orders/./drafts', '/orders/x/%2e%2e/drafts', '/orders\\drafts',
  '/orders/x%2fdrafts', '/orders/draft%C5%BF/1', '/%E2%84%AAeys', '/(S(abc))/orders/drafts/1', '/%28A%28x%29%29/orders', '/orders/%00', '/orders/%c0%af', '/orders/%7Euser',
])('a route with excepted paths rejects the foldable path %s', (path) => expect(new RegExp(`^${FOLDABLE_PATH}$`).test(path)).toBe(true));

test.each([
  '/', '/orders', '/orders/1', '/orders/a%20b', '/orders/caf%C3%A9', '/orders/a+b', '/orders/~user', '/orders/a@b', '/orders/a%40b', '/orders/100%25', '/orders/100%25/x',
  '/orders/(draft)', '/orders/.well-known/x', '/orders/...', '/orders/%E2%82%AC', '/orders/%26', '/orders/a,b=c:d', '/orders/%D0%B6', '/orders/x..y',
])('a route with excepted paths does not reject the spelling of %s', (path) => expect(new RegExp(`^${FOLDABLE_PATH}$`).test(path)).toBe(false));

test('looksLike returns true for a prefix only when every path below it matches the excepted path', () => {
  expect(looksLike('/a/b/*', '/A/b/*')).toBe(true);
  expect(looksLike('/a/b/*', '/a/*')).toBe(false);
  expect(looksLike('/a/index.html', '/a/*')).toBe(false);
  expect(looksLike('/a/b', '/a/b/*')).toBe(false);
  expect(looksLike('/a/b.php', '/a/b.php/*')).toBe(true);
  expect(looksLike('/a/b/*', '/a/b')).toBe(true);
});

test('mayMeet returns whether two patterns can match a common spelling', () => {
  expect(mayMeet('/a/b/*', '/A/B/c')).toBe(true);
  expect(mayMeet('/a/secret.html', '/a/secret.json')).toBe(true);
  expect(mayMeet('/a/index.html', '/a')).toBe(true);
  expect(mayMeet('/a/b', '/a/c/*')).toBe(false);
});

test('isFoldable applies the rule for request paths to patterns', () => {
  expect(isFoldable('/a;b/*')).toBe(true);
  expect(isFoldable('/a/*')).toBe(false);
});
