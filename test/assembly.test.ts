import { compileJsiiForTest } from 'jsii';
import { Assembly, compileProject, rules } from './support/assembly';

/*
 * The public API as Python, Java, C# and Go programs see it. The compiler jsii accepts names and types that these languages must rename or weaken.
 */

/** A program that violates each rule and that jsii accepts. */
const VIOLATIONS = {
  'index.ts': `
    import { Elsewhere } from './elsewhere';
    export * from './elsewhere';
    /** Documented. */
    export interface Options {
      /** The default is not documented. */
      readonly limit?: number;
      /**
       * Two types.
       * @default - none
       */
      readonly size?: number | string;
      readonly quiet: boolean;
    }
    /** For C# this is the struct above. */
    export interface IOptions {
      /** Documented. */
      wait(): string;
    }
    /** Documented. */
    export class Box {
      /** Cut where jsii cuts; the rest is a remark. */
      public readonly thing: any = undefined;
      /** Documented. */
      public readonly maxURL = 'a';
      /** Documented. */
      public readonly maxUrl = 'b';
      /** Documented. */
      public open(LIMIT: Elsewhere, options: Options): Elsewhere { return { value: LIMIT.value + options.limit }; }
      /** Documented. Throws FED101, FED102, FED103. */
      public box(async: string): string { return async; }
    }
    /** For Go this makes a Box. */
    export class NewBox {}
  `,
  'elsewhere.ts': `
    /** Documented. */
    export interface Elsewhere {
      /** Documented. */
      readonly value: string;
    }
  `,
};

describe('the rules for the public API', () => {
  let broken: Assembly;
  beforeAll(() => {
    broken = compileJsiiForTest(VIOLATIONS).assembly;
  }, 60_000);

  test.each(Object.entries({
    'no unions and no intersections': ['Options.size'],
    'no any': ['Box.thing'],
    'no type of imports/ or of another package': ['Box', 'Elsewhere', 'IOptions', 'NewBox', 'Options'],
    'no name that a language changes': ['IOptions.wait', 'Box.box.async'],
    'no two names that are one in another language': [
      'Box: maxURL and maxUrl', 'Box: box', 'Box.open: LIMIT and limit', 'IOptions and IOptions', 'NewBox and NewBox',
    ],
    'everything has a sentence': ['Box.constructor', 'NewBox.constructor', 'Options.quiet', 'Box.thing', 'Options.limit: @default', 'Box.box.async: @param'],
    'every class and every set of options has an example': ['Box', 'Elsewhere', 'NewBox', 'Options'],
    'no comment lists more than two codes': ['Box.box'],
  }))('the rule "%s" reports each violation', (rule, expected) => {
    expect(rules[rule](broken).sort()).toEqual(expected.sort());
  });

  test('jsii warns about a member name that is a reserved word in Python', () => {
    const { diagnostics } = compileJsiiForTest('export class Box { public readonly self: string = \'\'; }', { captureDiagnostics: true });
    expect(diagnostics.map(({ messageText }) => messageText)).toContainEqual(expect.stringMatching(/^"self" is a reserved word in Python/));
  });

  test('every rule has a violation in this test', () => {
    expect(Object.values(rules).every((rule) => rule(broken).length > 0)).toBe(true);
  });
});

describe('the public API', () => {
  let assembly: Assembly;
  beforeAll(() => { assembly = compileProject(); }, 120_000);

  /** Accepted exceptions from a rule: `Type.member.parameter` and the reason. */
  const exceptions: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    'no type of imports/ or of another package': { 'ManifestWriter: cdk8s.App': 'it writes in place of that class' },
  };

  test.each(Object.keys(rules))('the public API follows the rule "%s"', (rule) => {
    expect(Object.keys(assembly.types ?? {}).length).toBeGreaterThan(40);
    expect(rules[rule](assembly)).toEqual(Object.keys(exceptions[rule] ?? {}));
  });
});
