import type { Baseline, Step } from './protocol';

/*
 * Which tests run for a mutant, and in which order: the ones that cost little and see much come first, because the first failure ends it.
 */

/** A test above this time runs after all quicker ones. */
const SLOW_MILLISECONDS = 300;

/** How much longer than without a mutant a test may take before it counts as endless, and what it may take in any case. */
const LIMIT_FACTOR = 10;
const LIMIT_MILLISECONDS = 5_000;

/** What the order is made from. */
export interface Reach {
  readonly mutant: number;
  /** The number below zero of its file. */
  readonly file: number;
}

/** Steps for one mutant: what asserts behaviour first, what compares texts last. */
export function planOf({ mutant, file }: Reach, suites: readonly Baseline[], isText: (suite: string) => boolean,
  kills: (suite: string) => number = () => 0): Step[] {
  const phases: { readonly suite: Baseline; readonly tests: number[] }[][] = [[], [], [], []];
  for (const suite of suites) {
    const { constants, reached: whileLoading } = suite.loading;
    const isLoaded = whileLoading.includes(mutant);
    const isConstant = constants.includes(mutant);
    const chosen: number[][] = phases.map(() => []);
    suite.tests.forEach(({ reached, milliseconds, failure }, i) => {
      // A constant is used wherever the library runs, and a test may look at what ran before.
      const mayNotice = isLoaded || reached.includes(mutant) || isConstant && (reached.length > 0 || whileLoading.length > 0);
      if (failure !== undefined || !mayNotice) return;
      const isNear = !isConstant || reached.includes(file) || whileLoading.includes(file);
      chosen[isText(suite.suite) ? 3 : milliseconds > SLOW_MILLISECONDS ? 2 : isNear ? 0 : 1].push(i);
    });
    chosen.forEach((tests, phase) => { if (tests.length > 0) phases[phase].push({ suite, tests }); });
  }
  const worth = ({ suite, tests }: { readonly suite: Baseline; readonly tests: number[] }) =>
    (1 + kills(suite.suite)) / (suite.loading.milliseconds + tests.reduce((sum, i) => sum + suite.tests[i].milliseconds, 0));
  return phases.flatMap((steps) => steps.sort((a, b) => worth(b) - worth(a)).map(({ suite, tests }) => ({
    suite: suite.suite,
    tests,
    limits: tests.map((i) => LIMIT_MILLISECONDS + LIMIT_FACTOR * suite.tests[i].milliseconds),
  })));
}
