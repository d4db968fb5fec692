import { parseHttpRule } from './checks/http-rule';
import type { HttpRuleOptions } from './http-rule-options';
import type { HttpOperation } from './model/model';

/**
 * An allow rule for the HTTP requests of a peer: methods, paths and headers.
 *
 * It is a class so that a misspelt field is an error in every language.
 *
 * @exampleMetadata fixture=meshes
 * @example
 * reviews.allowFrom(west, {
 *   http: [HttpRule.allow({ methods: ['GET'], paths: ['/reviews/*'], exceptPaths: ['/reviews/drafts/*'] })],
 * });
 */
export class HttpRule {
  /**
   * Allows requests that satisfy every field that is set.
   *
   * Rejects patterns that a gateway cannot enforce exactly (FED307), and empty rules and lists (FED308).
   */
  public static allow(options: HttpRuleOptions): HttpRule {
    return new HttpRule(parseHttpRule('HttpRule.allow', options));
  }

  readonly #operation: HttpOperation;

  private constructor(operation: HttpOperation) {
    this.#operation = operation;
  }

  /**
   * The rule as plain data.
   * @internal
   */
  public get _operation(): HttpOperation {
    return this.#operation;
  }
}
