import type { Baseline, Step } from './protocol';

/*
 * Which tests run for a mutant, and in which order. Quick suites that kill many mutants come first, because the first failure ends the run.
 */

/** A test above this time runs after all quicker ones. */
const SLOW_MILLISECONDS = 300;

/** A test counts as endless after this multiple of its time without a mutant, plus this many milliseconds. */
const LIMIT_FACTOR = 10;
const LIMIT_MILLISECONDS = 5_000;

/** A mutant, and the functions by which tests reach it. */
export interface Target {
  readonly mutant: number;
  /** For a constant of a module, the functions that use it, if they are known. */
  readonly users?: ReadonlySet<number>;
}

/** Steps for one mutant: tests of behaviour first, text comparisons last. `kills` counts the mutants of the same file that a suite has killed. */
export function planOf({ mutant, users }: Target, suites: readonly Baseline[], isText: (suite: string) => boolean,
  kills: (suite: string) => number = () => 0): Step[] {
  const phases: { readonly suite: Baseline; readonly tests: number[] }[][] = [[], [], []];
  for (const suite of suites) {
    const { constants, reached: whileLoading } = suite.loading;
    const isUsed = (reached: readonly number[]) => users ? reached.some((id) => users.has(id)) : reached.length > 0;
    // Code that runs while the library is loaded may copy a constant anywhere.
    const isConstant = constants.includes(mutant);
    const isAnywhere = isConstant && (isUsed(whileLoading) || users !== undefined && isUsed(constants));
    const isLoaded = whileLoading.includes(mutant);
    const chosen: number[][] = phases.map(() => []);
    suite.tests.forEach(({ reached, milliseconds, failure }, i) => {
      const mayFail = isLoaded || isAnywhere || reached.includes(mutant) || isConstant && isUsed(reached);
      if (failure === undefined && mayFail) chosen[isText(suite.suite) ? 2 : milliseconds > SLOW_MILLISECONDS ? 1 : 0].push(i);
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
