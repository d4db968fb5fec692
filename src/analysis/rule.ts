import type { Boundaries } from './boundaries';

/** A rule for manifests of any origin. */
export interface Rule {
  readonly name: string;
  readonly recommendation: string;
  readonly fix: string;
  /** What is wrong with one document, as texts. */
  readonly errorsIn: (document: any, boundaries: Boundaries) => string[];
}
