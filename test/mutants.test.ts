import * as ts from 'typescript';
import { collect, Outcome, runTests } from '../scripts/mutants/harness';
import { instrumented, mutatedText, SWITCH } from '../scripts/mutants/instrument';
import { Change, changesOf } from '../scripts/mutants/mutators';
import { planOf } from '../scripts/mutants/plan';
import type { Baseline } from '../scripts/mutants/protocol';
import { regexVariants } from '../scripts/mutants/regex';
import { Finding, possibleShare, scoresOf, shortfalls, Verdict } from '../scripts/mutants/report';
import { quotas, shuffled } from '../scripts/mutants/sample';
import { matches, Mutant, roomOf } from '../scripts/mutants/sources';
import { numbersOf, usersOf } from '../scripts/mutants/uses';
import { wordingOf } from '../scripts/mutants/wording';

/*
 * The mutation testing tool: its mutators, how it activates a mutant, which tests it runs, and how it computes the score.
 */

const parse = (text: string, name = 'file.ts') => ts.createSourceFile(name, text, ts.ScriptTarget.ES2022, true);
const mutationsOf = (text: string) => changesOf(parse(text)).map(({ original, mutated }) => `${original} → ${mutated}`);

describe('mutators', () => {
  test.each([
    ['a comparison to another bound and to its opposite', 'f(a > b);', ['a > b → a >= b', 'a > b → a <= b']],
    ['an equality to an inequality', 'f(a === b);', ['a === b → a !== b']],
    ['a logical operator, and remove each of its sides', 'f(a && b);', ['a && b → a || b', 'a && b → a', 'a && b → b']],
    ['a default by removing each side', 'f(a ?? b);', ['a ?? b → a', 'a ?? b → b']],
    ['a negation by removing it', 'f(!a);', ['!a → a']],
    ['a condition to true and to false', 'if (a) f();', ['a → true', 'a → false']],
    ['string and number literals', 'f("a", ``, 7);', ['"a" → \'\'', '`` → \'mutant\'', '7 → 8']],
    ['a template literal to an empty string', 'f(`a${b}`);', ['`a${b}` → \'\'']],
    ['an array by emptying it and by removing each element', 'f([a, ...b]);', ['[a, ...b] → []', 'a → (removed)', '...b → (removed)']],
    ['an object by emptying it and by removing each property', 'f({ a, b: c });', ['{ a, b: c } → {}', 'a → (removed)', 'b: c → (removed)']],
    ['spread arguments by removing them', 'f(...a);', ['...a → (removed)']],
    ['a method call to the opposite method', 'f(a.some(g));', ['some → every']],
    ['a filter by removing the call', 'f(a.filter(g));', ['.filter(g) → (removed)']],
    ['nothing in the expression of a call statement', 'a.b();', []],
    ['optional chaining to a plain access', 'f(a?.b);', ['a?.b → a.b']],
    ['the result of a boolean function to true and to false', 'const f = (): boolean => g();', ['g() → true', 'g() → false']],
  ])('mutators change %s', (_, text, expected) => {
    expect(mutationsOf(text).filter((line) => !line.endsWith('; → (removed)'))).toEqual(expected);
  });

  test('mutators remove a call statement, except super()', () => {
    expect(mutationsOf('class A extends B { constructor() { super(); f(); } }')).toEqual(['f(); → (removed)']);
  });

  test('mutators do not change types, imports and names', () => {
    expect(mutationsOf('import a from "a"; type B = "b"; interface C { d: "e" } const f: "g" = h as "i"; j = { "k-l": m };')
      .filter((line) => !line.startsWith('{') && !line.startsWith('j ='))).toEqual([]);
  });

  test('a mutator inside an optional chain replaces the whole chain, because parentheses would end it early', () => {
    const [made] = changesOf(parse('const x = a?.b.filter(f).c;')).filter(({ original }) => original === '.filter(f)');
    expect([made.node.getText(), made.text]).toEqual(['a?.b.filter(f).c', 'a?.b.c']);
  });

  test.each([
    ['^a$', ['a$', '^a']],
    ['a|b|c', ['b|c', 'a|c', 'a|b']],
    ['(a|b)c', ['(b)c', '(a)c']],
    ['[a|$]+', ['[^a|$]+', '[a|$]']],
    ['[^a]', ['[a]']],
    ['\\.a?', ['\\.a']],
    ['a{1,3}(?!b)', ['a(?!b)', 'a{1,3}(?=b)']],
  ])('the mutants of the regular expression %s differ in one part', (source, expected) => {
    expect(regexVariants(source)).toEqual(expected);
  });
});

describe('wordingOf', () => {
  const wordingIn = (...texts: string[]) => {
    const files = texts.map((text, i) => parse(text, `${i}.ts`));
    const isWording = wordingOf(files);
    return files.flatMap((file) => changesOf(file).filter(({ node }) => isWording(node)).map(({ original }) => original));
  };

  test('wordingOf returns the texts of an error message, without its code and conditions', () => {
    expect(wordingIn('if (a > 1) fail("FED101", "where", `what ${b}`, "fix");')).toEqual(['`what ${b}`', '"fix"']);
  });

  test('wordingOf returns texts that helpers pass on, including helpers of another file', () => {
    expect(wordingIn(
      'export function refuse(code: Code, what: string) { fail(code, where, what, "fix"); }',
      'import { refuse } from "./0"; const no = (what: string) => refuse("FED101", what); no("it is wrong");',
    )).toEqual(['"fix"', '"it is wrong"']);
  });

  test('wordingOf does not return arguments of a helper with the same name in another file', () => {
    expect(wordingIn('const no = (what: string) => fail(a, b, what, c); no("text");', 'const no = (rule: string) => rule; no("rule");'))
      .toEqual(['"text"']);
  });

  test('wordingOf returns a text that is assigned to a constant, and the title of an error code', () => {
    expect(wordingIn('const fix = "do it"; fail(a, b, c, fix);', 'const ALL = { FED101: "title" };')).toEqual(['"do it"', '"title"']);
  });
});

describe('instrumented files', () => {
  const TEXT = `
    const list = [1, ...more];
    const made = { a: 'x', b: limit > 2 ? 'high' : 'low' };
    if (on) log.push('called');
    result = JSON.stringify({ list, made, log, deep: deep?.filter((n) => n > 1).length });`;

  /** Runs the text with one active mutant, and returns its result. */
  function run(text: string, active: number): string {
    const { outputText } = ts.transpileModule(text, { compilerOptions: { target: ts.ScriptTarget.ES2022 } });
    const body = `let result; const more = [2], limit = 2, on = true, log = [], deep = [1, 2];${outputText}; return result;`;
    return new Function(SWITCH, body)((id: number) => id === active) as string;
  }

  const file = parse(TEXT);
  const changes = new Map<number, Change>(changesOf(file).map((change, i) => [i + 1, change]));
  const all = instrumented(file, changes);

  test('an instrumented file behaves like the original while no mutant is active', () => {
    expect(run(all, 0)).toBe(run(TEXT, 0));
  });

  test('an instrumented file with one active mutant behaves like the mutated text', () => {
    const outcome = (text: string, active: number) => {
      try {
        return run(text, active);
      } catch (error) {
        return (error as Error).name;
      }
    };
    expect(changes.size).toBeGreaterThan(20);
    for (const [id, change] of changes) {
      expect([change.original, outcome(all, id)]).toEqual([change.original, outcome(mutatedText(file, change), 0)]);
    }
  });

  test('an instrumented file reports which functions run', () => {
    const functions = parse('const f = (n) => n; function g() { return f(1); } function h() {} result = g();');
    const text = instrumented(functions, new Map(), numbersOf([functions]));
    const reached: number[] = [];
    new Function(SWITCH, `let result;${text}`)((id: number) => { reached.push(id); });
    expect(reached).toEqual([-2, -1]);
  });
});

describe('usersOf', () => {
  const files = [
    parse('export const A = "a"; const B = `${A}b`; function usesB() { return B; } function usesNone() { return 1; }', 'one.ts'),
    parse('import { A } from "./one"; const B = 2; function usesOther() { return B; } const usesA = () => A; f(TABLE); const TABLE = [3];', 'two.ts'),
  ];
  const numbers = numbersOf(files);
  const users = usersOf(files, numbers);
  const usersOfFirst = (original: string) => {
    const { node } = files.flatMap(changesOf).find((change) => change.original === original)!;
    return users(node) && [...numbers].filter(([, number]) => users(node)!.has(number)).map(([made]) => made.getText().replace(/ *[({].*/, ''));
  };

  test('usersOf returns the functions of all files that use a constant or a constant derived from it', () => {
    expect(usersOfFirst('"a"')).toEqual(['function usesB', '']);
  });

  test('usersOf does not return functions that use another constant with the same name', () => {
    expect(usersOfFirst('2')).toEqual(['function usesOther']);
  });

  test('usersOf returns undefined for a constant that is passed to a call while the module is loaded', () => {
    expect(usersOfFirst('[3]')).toBeUndefined();
  });
});

describe('planOf', () => {
  const suite = (name: string, milliseconds: number, reached: number[][], loading: Partial<Baseline['loading']> = {}): Baseline => ({
    suite: `test/${name}.test.ts`,
    loading: { milliseconds: 1, constants: [], reached: [], ...loading },
    tests: reached.map((ids, i) => ({ title: String(i), milliseconds, reached: ids })),
    isRefused: false,
  });
  const isText = (name: string) => name.includes('golden');
  const planned = (suites: Baseline[], users?: ReadonlySet<number>) =>
    planOf({ mutant: 7, users }, suites, isText).map(({ suite: name, tests }) => `${name.slice(5, -8)} ${tests.join()}`);

  test('planOf selects the tests that reach a mutant: quick tests first, then slow tests, then text comparisons', () => {
    expect(planned([suite('golden', 1, [[7]]), suite('slow', 900, [[7]]), suite('quick', 1, [[7], [8], [7, 8]]), suite('far', 1, [[8]])]))
      .toEqual(['quick 0,2', 'slow 0', 'golden 0']);
  });

  test('planOf selects all tests of a suite that reaches the mutant while the suite is loaded', () => {
    expect(planned([suite('loaded', 1, [[], [8]], { reached: [7] })])).toEqual(['loaded 0,1']);
  });

  test('planOf selects for a constant the tests that run a user of it, or all that run the library if its users are unknown', () => {
    const suites = [suite('user', 1, [[-3], [-4], []], { constants: [7] })];
    expect(planned(suites, new Set([-3]))).toEqual(['user 0']);
    expect(planned(suites)).toEqual(['user 0,1']);
  });

  test('planOf does not select a test that fails without a mutant', () => {
    const { tests, ...rest } = suite('bad', 1, [[7]]);
    expect(planned([{ ...rest, tests: tests.map((one) => ({ ...one, failure: 'no' })) }])).toEqual([]);
  });
});

describe('test runner', () => {
  /** The runner replaces Jest's global functions while a suite registers its tests. */
  function registered(register: () => void) {
    const names = ['expect', 'describe', 'test', 'it', 'beforeAll', 'afterAll', 'beforeEach', 'afterEach', 'jest'] as const;
    const before = Object.fromEntries(names.map((name) => [name, Reflect.get(globalThis, name) as unknown]));
    try {
      return collect(register);
    } finally {
      Object.assign(globalThis, before);
    }
  }
  const global = (name: string) => Reflect.get(globalThis, name) as (...values: unknown[]) => void;

  test('the test runner runs hooks in the order of the blocks, and stops when the listener returns false', async () => {
    const log: string[] = [];
    const tests = registered(() => {
      global('beforeAll')(() => log.push('beforeAll'));
      global('afterAll')(() => log.push('afterAll'));
      global('describe')('a', () => {
        global('beforeEach')(async () => log.push('beforeEach'));
        global('afterEach')(() => log.push('afterEach'));
        global('test')('b', () => { log.push('b'); });
        global('test')('c', () => { throw new Error('wrong'); });
      });
      global('test')('d', () => { log.push('d'); });
    });
    const outcomes: Outcome[] = [];
    await runTests(tests, [0, 1, 2], { after: (outcome) => outcomes.push(outcome) < 2 });
    expect(tests.map(({ title }) => title)).toEqual(['a › b', 'a › c', 'd']);
    expect(outcomes.map(({ failure }) => failure)).toEqual([undefined, 'wrong']);
    expect(log).toEqual(['beforeAll', 'beforeEach', 'b', 'afterEach', 'beforeEach', 'afterEach', 'afterAll']);
  });

  test('the test runner fails each test of a block whose beforeAll throws', async () => {
    const tests = registered(() => {
      global('beforeAll')(() => { throw new Error('no'); });
      global('test')('a', () => undefined);
    });
    const outcomes: Outcome[] = [];
    await runTests(tests, [0], { after: (outcome) => outcomes.push(outcome) > 0 });
    expect(outcomes.map(({ failure }) => failure)).toEqual(['beforeAll: no']);
  });
});

describe('score', () => {
  const findings = (room: string, verdicts: { readonly [verdict in Verdict]?: number }): Finding[] =>
    Object.entries(verdicts).flatMap(([verdict, n]) =>
      Array.from({ length: n }, () => ({ mutant: { room } as Mutant, verdict: verdict as Verdict })));

  test('the score is the share of counted mutants that a behaviour test kills or that never end', () => {
    const [render] = scoresOf(findings('render', { 'type error': 5, 'wording': 5, 'behaviour': 6, 'endless': 1, 'text only': 2, 'alive': 1 }));
    expect([render.killed, render.counted]).toEqual([7, 10]);
  });

  test('scoresOf returns one score for each room and one for all rooms', () => {
    const all = [...findings('render', { alive: 1 }), ...findings('checks', { behaviour: 1 })];
    expect(scoresOf(all).map(({ room }) => room)).toEqual(['checks', 'render', 'all']);
  });

  test('shortfalls reports a score below the threshold, and for a sample only one that chance cannot explain', () => {
    const thresholds = new Map([['render', 0.95]]);
    const scores = scoresOf(findings('render', { behaviour: 94, alive: 6 }));
    expect(shortfalls(scores, thresholds, false)).toEqual(['render: behaviour tests kill 94 of 100 mutants, 94 %; the threshold is 95 %']);
    expect(shortfalls(scores, thresholds, true)).toEqual([]);
    expect(shortfalls(scoresOf(findings('render', { behaviour: 80, alive: 20 })), thresholds, true)).toHaveLength(1);
  });

  test('possibleShare returns a higher share for a smaller sample', () => {
    expect(possibleShare(9, 10, false)).toBe(0.9);
    expect(possibleShare(9, 10, true)).toBeGreaterThan(possibleShare(90, 100, true));
    expect(possibleShare(0, 0, true)).toBe(1);
  });
});

describe('sample', () => {
  test('shuffled returns the same order for the same seed, and another order for another seed', () => {
    const items = Array.from({ length: 20 }, (_, i) => `item ${i}`);
    const order = (seed: number) => shuffled(items, seed, (item) => item);
    expect(order(1)).toEqual(order(1));
    expect(order(1)).not.toEqual(order(2));
    expect([...order(1)].sort()).toEqual([...items].sort());
  });

  test('shuffled does not change the order of other items when an item is added', () => {
    const order = (items: string[]) => shuffled(items, 1, (item) => item);
    expect(order(['a', 'b', 'c', 'd', 'e']).filter((item) => item !== 'c')).toEqual(order(['a', 'b', 'd', 'e']));
  });

  test('quotas gives each room a share of the sample by its size, with a minimum for small rooms', () => {
    expect([...quotas(new Map([['large', 900], ['small', 10], ['tiny', 2]]), 60)]).toEqual([['large', 59], ['small', 4], ['tiny', 2]]);
  });
});

describe('files', () => {
  test('roomOf returns the folder of a file in src, and keeps what writes no field apart from render', () => {
    expect(['src/render/a.ts', 'src/checks/b/c.ts', 'src/mesh.ts', 'src/render/emit.ts'].map(roomOf)).toEqual(['render', 'checks', 'nouns', 'emit']);
  });

  test.each([
    ['src/render/a.ts', 'src/**', true],
    ['src/render/a.ts', 'src/*.ts', false],
    ['src/a.ts', 'src/**/*.ts', true],
    ['src/render/a-checks.ts', 'src/*/*checks.ts', true],
    ['src/render/a.ts', 'src/{render,checks}/*', true],
    ['src/model/a.ts', 'src/{render,checks}/*', false],
  ])('matches(%j, %j) returns %s', (path, pattern, expected) => {
    expect(matches(path, pattern)).toBe(expected);
  });
});
