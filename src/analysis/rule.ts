import type { Boundaries } from './boundaries';

/** A rule for manifests of any origin. All texts appear in the report of cdk8s-cli. */
export interface Rule {
  readonly name: string;
  readonly recommendation: string;
  readonly fix: string;
  /** Errors in one document, as messages. */
  readonly errorsIn: (document: any, boundaries: Boundaries) => string[];
}
