import { Yaml } from 'cdk8s';
import * as fc from 'fast-check';
import { parametersOf } from './support/random';
import { documentOf } from '../src/output/yaml';

/*
 * The YAML of any document is byte for byte that of cdk8s.
 */

/** Strings that need quotes or escapes in YAML, and parts of such strings. */
const AWKWARD = [
  '', ' ', '-', '--', '---', '...', '?', ':', ',', '[', ']', '{', '}', '#', '&', '*', '!', '|', '>', '\'', '"', '%', '@', '`', '~', '=', '<<', '\\', '\t', '\n', '\r',
  '\r\n', '\0', '\u0007', '\u001b', '\u007f', '\u0085', '\u00a0', '\u2028', '\u2029', '\ufeff', '\ud800', 'é', '漢字', '😀', 'e\u0301',
  'null', 'Null', 'NULL', 'true', 'True', 'TRUE', 'tRUE', 'false', 'yes', 'Yes', 'no', 'NO', 'on', 'off', 'y', 'n', 'Y', 'N', 'yess', 'nope',
  '0', '1', '-1', '+1', '00', '07', '08', '0o7', '0x1f', '0b1', '1_000', '1,000', '.5', '5.', '1.5', '1e3', '1e', 'e1', 'E0', 'e12345678', 'e+5', 'e-5', 'e5a', '-.inf', '.inf', '.nan', '.NaN', '190:20:30', '1:20',
  '2001-01-01', '2001-12-14t21:59:43.10-05:00', '2001-1-1', '12:30', '15443', '100m', '1Gi', '5s',
  'a: b', 'a:b', 'a:', ':a', 'a #b', 'a#b', '- a', '-a', '? a', '?a', 'a -', 'a-', '[a]', '{a}', '*a', '&a', '!a', '!!str a', '| a', '> a', '%a', '@a', '`a`', '"a"', '\'a\'',
  ' a', 'a ', 'a  b', 'a\tb', 'a\nb', 'a\nb\n', '\na', 'a\n\n', 'a\n \nb', ' a\nb', 'a \nb', 'a\n b', 'a\n  ', '\t\na', 'a\n---\nb', 'a\n...', '# a\nb', 'a\r\nb',
  'spiffe://west.example/ns/default/sa/client', 'west.example/ns/*', './p80.a.fed.east.example', '*.example', '%DOWNSTREAM_DIRECT_REMOTE_ADDRESS%', '.*(\\\\|%2[eE]).*',
  'configmap://a/b', 'builtin://', 'a@b', 'k=v,k2=v2', 'x'.repeat(100), 'x'.repeat(1024), 'x'.repeat(1025), 'word '.repeat(60), 'word\n'.repeat(60),
  `-----BEGIN CERTIFICATE-----\n${'Aa+/'.repeat(16)}\n-----END CERTIFICATE-----\n`,
];

const text = fc.oneof(
  fc.constantFrom(...AWKWARD),
  fc.array(fc.constantFrom(...AWKWARD), { minLength: 2, maxLength: 5 }).map((parts) => parts.join('')),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({ unit: 'grapheme', maxLength: 40 }),
  fc.stringMatching(/^[A-Za-z0-9._/:@+=,*-]{0,20}$/),
  fc.stringMatching(/^[a-z #:\n"'-]{0,60}$/),
  fc.stringMatching(/^[eE.]?[-+]?[0-9._:]{0,12}(?:[eE][-+]?[0-9]*)?$/),
  fc.stringMatching(/^[0-9a-f]{1,8}$/),
  fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
);
const key = fc.oneof(text, fc.nat().map(String));
const number = fc.oneof(fc.integer(), fc.double(), fc.maxSafeInteger(), fc.constantFrom(-0, 0, 1e21, Number.MAX_VALUE, 0.1));
const scalar = fc.oneof({ weight: 6, arbitrary: text }, number, fc.boolean(), fc.constantFrom(null, undefined), fc.bigInt());

const { value } = fc.letrec<{ value: unknown; map: { [name: string]: unknown } }>((tie) => ({
  value: fc.oneof({ maxDepth: 5 }, scalar, fc.array(tie('value'), { maxLength: 4 }), tie('map')),
  map: fc.array(fc.tuple(key.filter((name) => name !== '__proto__'), tie('value')), { maxLength: 5 }).map((entries) => Object.fromEntries(entries)),
}));

function expectSame(document: unknown): void {
  expect(documentOf(document)).toBe(Yaml.stringify(document));
}

describe('documentOf', () => {
  test('documentOf writes generated documents as cdk8s does', () => {
    fc.assert(fc.property(value, expectSame), parametersOf(3000));
  });

  test('documentOf writes every awkward string as cdk8s does, as a value, as a key, in a list and nested', () => {
    for (const one of AWKWARD) {
      expectSame({ key: one });
      expectSame({ [one]: 'value' });
      expectSame({ list: [one, [one, { [one]: one }]] });
      expectSame({ a: { b: { c: [{ d: { [one]: { e: one } } }] } } });
    }
  });

  test('documentOf writes every short string of characters that sometimes need quotes as cdk8s does', () => {
    const characters = [...'aeEfnNoOsTtuxyY019._/:@+=,*-'];
    const longer = (texts: string[]) => texts.flatMap((start) => characters.map((character) => start + character));
    const two = longer(characters);
    const short = [...characters, ...two, ...longer(two)];
    expectSame({ list: short });
    expectSame(Object.fromEntries(short.map((name) => [name, 1])));
  });

  test('documentOf writes the keys of JWT claims as cdk8s does, without giving the whole document to cdk8s', () => {
    const document = { headers: { '@request.auth.claims[iss]': { exact: 'https://login.example' }, '@request.auth.claims.realm_access.roles': { exact: 'a' } } };
    const stringify = jest.spyOn(Yaml, 'stringify');
    documentOf(document);
    expect(stringify.mock.calls.filter(([given]) => given === document)).toEqual([]);
    stringify.mockRestore();
    expectSame(document);
  });

  test('documentOf writes an object that occurs twice, or that contains itself, as cdk8s does', () => {
    const shared = { a: 1 };
    const list: unknown[] = [];
    const empty = {};
    expectSame({ first: shared, second: shared });
    expectSame({ first: list, second: [list] });
    expectSame({ first: empty, second: empty });
    const itself: { [name: string]: unknown } = {};
    itself.again = itself;
    expectSame(itself);
  });

  test('documentOf writes values that are not plain data as cdk8s does', () => {
    class Money { constructor(public readonly amount: number) {} }
    for (const one of [new Date(0), new Map([['a', 1]]), new Set(['a']), new Money(5), Object.create(null), Object.assign(Object.create(null), { a: 1 }), Buffer.from('a')]) {
      expectSame({ key: one });
      expectSame([one]);
      expectSame({ a: { toJSON: () => 'a text' } });
    }
    expectSame({ key: { value: 1, toJSON: () => ({ other: 2 }) } });
  });

  test('documentOf writes documents that are not maps as cdk8s does', () => {
    for (const one of [undefined, null, '', 'a\nb', 1, [], [[]], [1, 'a'], {}]) expectSame(one);
  });
});
