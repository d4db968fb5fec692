import { ApiObject } from 'cdk8s';
import { IConstruct } from 'constructs';
import { fail, show } from './errors';
import { checkConstruct, objectOf } from './kubernetes';

/** The service account of a workload, and the object that it was read from. */
interface WorkloadAccount {
  readonly serviceAccountName: string;
  readonly namespaceName: string;
  readonly object: ApiObject;
}

/** Where each kind of workload keeps the specification of its pods. */
const POD_SPEC: { readonly [kind: string]: readonly string[] } = {
  CronJob: ['spec', 'jobTemplate', 'spec', 'template', 'spec'],
  DaemonSet: ['spec', 'template', 'spec'],
  Deployment: ['spec', 'template', 'spec'],
  Job: ['spec', 'template', 'spec'],
  Pod: ['spec'],
  ReplicaSet: ['spec', 'template', 'spec'],
  StatefulSet: ['spec', 'template', 'spec'],
};

/** Checks the construct of a workload or of a ServiceAccount. Rejects the account that pods share by default. */
export function parseWorkload(where: string, construct: IConstruct): WorkloadAccount {
  checkConstruct(where, construct);
  const object = objectOf(construct);
  if (!object || !(object.kind === 'ServiceAccount' || Object.hasOwn(POD_SPEC, object.kind))) {
    fail('FED405', construct, `it is ${object ? `a ${object.kind}` : 'not a Kubernetes object'}`,
      `use a ServiceAccount or one of ${Object.keys(POD_SPEC).join(', ')}`);
  }
  const serviceAccountName = accountOf(object);
  if (serviceAccountName === 'default') {
    fail('FED405', construct,
      `the ${object.kind} ${show(object.name)} runs as the service account "default", which all pods without an account share`,
      'give it a service account of its own');
  }
  const namespaceName = object.metadata.namespace;
  if (namespaceName === undefined) {
    fail('FED405', construct, `the ${object.kind} ${show(object.name)} has no namespace, and neither does its chart`,
      'set the namespace of the chart, for example new Chart(app, "till", { namespace: "till" })');
  }
  return { serviceAccountName, namespaceName, object };
}

function accountOf(object: ApiObject): string {
  if (object.kind === 'ServiceAccount') return object.name;
  const podSpec = POD_SPEC[object.kind].reduce((value, key) => value?.[key], object.toJson());
  return podSpec?.serviceAccountName ?? podSpec?.serviceAccount ?? 'default';
}
