import { ApiObject } from 'cdk8s';
import { IConstruct } from 'constructs';
import { fail, hasPath, show, Where } from './errors';

/** Requires a construct. Its path is the location of every other error about it. */
export function checkConstruct(where: Where, construct: IConstruct): void {
  if (hasPath(construct)) return;
  fail('FED120', where, `the value must be a construct, not ${show(construct)}`, 'use the construct of the object, such as an ApiObject');
}

/** The Kubernetes object of a construct, if it has exactly one. */
export function objectOf(construct: IConstruct): ApiObject | undefined {
  try {
    return ApiObject.of(construct);
  } catch {
    return undefined;
  }
}
