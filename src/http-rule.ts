import { parseHttpRule } from './checks/http-rule';
import type { HttpRuleOptions } from './http-rule-options';
import type { HttpOperation } from './model/model';

/**
 * Requests that a peer may send to an HTTP port.
 *
 * A class, and not a plain object: a misspelt field is then an error in every language.
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
   * Rejects rules that a gateway cannot enforce exactly as they are written.
   */
  public static allow(options: HttpRuleOptions): HttpRule {
    return new HttpRule(parseHttpRule('HttpRule.allow', options));
  }

  private constructor(private readonly operation: HttpOperation) {}

  /** @internal */
  public get _operation(): HttpOperation {
    return this.operation;
  }
}
