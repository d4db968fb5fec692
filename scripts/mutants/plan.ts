import type { Baseline, Step } from './protocol';

/*
 * Which tests run for a mutant, and in which order: the ones that cost little and see much come first, because the first failure ends it.
 */

/** A test above this time runs after all quicker ones. */
const SLOW_MILLISECONDS = 300;

/** How much longer than without a mutant a test may take before it counts as endless, and what it may take in any case. */
const LIMIT_FACTOR = 10;
const LIMIT_MILLISECONDS = 5_000;

/** A mutant, as the tests can reach it. */
export interface Target {
  readonly mutant: number;
  /** For a constant of a module, the functions that use it, where they can be told. */
  readonly users?: ReadonlySet<number>;
}

/** Steps for one mutant: what asserts behaviour first, what compares texts last. `kills` counts what a suite has noticed near it. */
export function planOf({ mutant, users }: Target, suites: readonly Baseline[], isText: (suite: string) => boolean,
  kills: (suite: string) => number = () => 0): Step[] {
  const phases: { readonly suite: Baseline; readonly tests: number[] }[][] = [[], [], []];
  for (const suite of suites) {
    const { constants, reached: whileLoading } = suite.loading;
    const isUsed = (reached: readonly number[]) => users ? reached.some((id) => users.has(id)) : reached.length > 0;
    // What runs while the library is loaded may put a constant anywhere.
    const isConstant = constants.includes(mutant);
    const isAnywhere = isConstant && (isUsed(whileLoading) || users !== undefined && isUsed(constants));
    const isLoaded = whileLoading.includes(mutant);
    const chosen: number[][] = phases.map(() => []);
    suite.tests.forEach(({ reached, milliseconds, failure }, i) => {
      const mayNotice = isLoaded || isAnywhere || reached.includes(mutant) || isConstant && isUsed(reached);
      if (failure === undefined && mayNotice) chosen[isText(suite.suite) ? 2 : milliseconds > SLOW_MILLISECONDS ? 1 : 0].push(i);
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
