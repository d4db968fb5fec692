import type { Boundaries } from './boundaries';
import type { Manifest } from './manifests';

/** A rule for manifests of any origin. All texts appear in the report of cdk8s-cli. */
export interface Rule {
  readonly name: string;
  readonly recommendation: string;
  readonly fix: string;
  readonly errorsIn: ErrorsIn;
}

/** Errors in one document, as messages that begin with the field. */
export type ErrorsIn = (manifest: Manifest, boundaries: Boundaries) => string[];
