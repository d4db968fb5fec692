/**
 * The verdict of the admission policy, by evaluating its own expressions.
 */
import { Environment } from '@marcbachmann/cel-js';
import { Manifest } from './manifests';

/** Parses CEL as the API server does, without types. */
export const environment = new Environment({ unlistedVariablesAreDyn: true });

/** The message with which the policy denies an object, or undefined when it allows the object. */
export function verdict(policy: Manifest, manifest: Manifest, oldObject: Manifest = null): string | undefined {
  const evaluate = (expression: string, variables: object): any => environment.parse(expression)({ object: manifest, oldObject, variables });
  if (!policy.spec.matchConditions.every(({ expression }: Manifest) => evaluate(expression, {}))) return undefined;
  const variables: { [name: string]: unknown } = {};
  for (const { name, expression } of policy.spec.variables) variables[name] = evaluate(expression, variables);
  const broken = policy.spec.validations.find(({ expression }: Manifest) => evaluate(expression, variables) !== true);
  return broken && evaluate(broken.messageExpression, variables);
}
