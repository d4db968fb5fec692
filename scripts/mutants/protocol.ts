/*
 * Messages between the parent process and the processes that run tests.
 */

/** Some tests of one suite. */
export interface Step {
  readonly suite: string;
  /** Positions of the tests in their suite. */
  readonly tests: readonly number[];
  /** For each test, the milliseconds after which it counts as endless. */
  readonly limits: readonly number[];
}

/** A request to a process. */
export type Job =
  | { readonly kind: 'baseline'; readonly suite: string }
  | { readonly kind: 'mutant'; readonly mutant: number; readonly steps: readonly Step[] };

/** The result of one test without a mutant. */
export interface TestRecord {
  readonly title: string;
  readonly milliseconds: number;
  /** The mutants that it reaches and, as numbers below zero, the functions. */
  readonly reached: readonly number[];
  readonly failure?: string;
}

/** The result of one suite without a mutant. */
export interface Baseline {
  readonly suite: string;
  readonly loading: {
    readonly milliseconds: number;
    /** Numbers that are reached while the library is loaded: a mutant there may affect every test. */
    readonly constants: readonly number[];
    /** Numbers that are reached while the suite is loaded: a mutant there may affect every test of the suite. */
    readonly reached: readonly number[];
  };
  readonly tests: readonly TestRecord[];
  /** The error that occurred while it was loaded. */
  readonly failure?: string;
  /** Whether it called a refused function, such as one that starts a program. */
  readonly isRefused: boolean;
}

/** A response of a process. */
export type Answer =
  | { readonly kind: 'progress'; readonly limit: number }
  | { readonly kind: 'baseline'; readonly record: Baseline }
  | { readonly kind: 'result'; readonly suite?: string; readonly title?: string; readonly failure?: string; readonly memory: number }
  | { readonly kind: 'broken'; readonly failure: string };
