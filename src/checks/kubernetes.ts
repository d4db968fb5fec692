import { ApiObject } from 'cdk8s';
import { IConstruct } from 'constructs';
import { fail, show, Where } from './errors';

/** Requires a construct. Its path is the location of every other error about it. */
export function checkConstruct(where: Where, construct: IConstruct): void {
  if (typeof construct?.node?.path === 'string') return;
  fail('FED120', where, `the value must be a construct, not ${show(construct)}`, 'use an ApiObject, or a construct of cdk8s-plus');
}

/** The Kubernetes object of a construct, if it has exactly one. */
export function objectOf(construct: IConstruct): ApiObject | undefined {
  try {
    return ApiObject.of(construct);
  } catch {
    return undefined;
  }
}
