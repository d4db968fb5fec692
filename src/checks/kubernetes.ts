import { ApiObject } from 'cdk8s';
import { IConstruct } from 'constructs';

/** The Kubernetes object of a construct, if it has exactly one. */
export function objectOf(construct: IConstruct): ApiObject | undefined {
  try {
    return ApiObject.of(construct);
  } catch {
    return undefined;
  }
}
