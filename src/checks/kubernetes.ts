import { ApiObject } from 'cdk8s';
import { IConstruct } from 'constructs';

/** The Kubernetes object that a construct stands for. */
export function objectOf(construct: IConstruct): ApiObject | undefined {
  try {
    return ApiObject.of(construct);
  } catch {
    return undefined;
  }
}
