/*
 * What the parent and the processes that run tests send each other.
 */

/** Some tests of one suite. */
export interface Step {
  readonly suite: string;
  /** Positions of the tests in their suite. */
  readonly tests: readonly number[];
  /** Of each test, after how many milliseconds it counts as endless. */
  readonly limits: readonly number[];
}

/** What a process is asked for. */
export type Job =
  | { readonly kind: 'baseline'; readonly suite: string }
  | { readonly kind: 'mutant'; readonly mutant: number; readonly steps: readonly Step[] };

/** One test without a mutant. */
export interface TestRecord {
  readonly title: string;
  readonly milliseconds: number;
  /** The mutants and, below zero, the files that it reaches. */
  readonly reached: readonly number[];
  readonly failure?: string;
}

/** One suite without a mutant. */
export interface Baseline {
  readonly suite: string;
  readonly loading: {
    readonly milliseconds: number;
    /** What the library reaches while it is loaded: a mutant there may change whatever runs later. */
    readonly constants: readonly number[];
    /** What the suite reaches then: a mutant there may change any of its tests. */
    readonly reached: readonly number[];
  };
  readonly tests: readonly TestRecord[];
  /** Why it cannot be loaded. */
  readonly failure?: string;
  /** Whether it called something that cannot answer here, such as another program. */
  readonly isRefused: boolean;
}

/** What a process answers. */
export type Answer =
  | { readonly kind: 'progress'; readonly limit: number }
  | { readonly kind: 'baseline'; readonly record: Baseline }
  | { readonly kind: 'result'; readonly suite?: string; readonly title?: string; readonly failure?: string; readonly memory: number }
  | { readonly kind: 'broken'; readonly failure: string };
