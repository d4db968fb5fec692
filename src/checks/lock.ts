import { fail, show, Where } from './errors';
import { checkFields, checkGiven, checkList, checkMap, fieldsOf } from './kinds';
import { checkJustification, isPodLabel } from './values';
import { Caller } from '../caller';
import type { LockWorkloadOptions } from '../lock';
import type { Texts } from '../model/model';
import type { LocalService } from '../service';

const FIELDS = fieldsOf<LockWorkloadOptions>({ reason: true, approvedBy: true, ticket: true, localCallers: true, podLabels: true });

/** Checks the options of `lockWorkload`. */
export function parseLock(where: Where, service: LocalService, options: LockWorkloadOptions): {
  readonly podLabels: Texts | undefined;
  readonly callers: readonly Caller[];
} {
  checkFields(where, 'lockWorkload', options, FIELDS);
  checkJustification(where, 'locking the workload', options);
  const { localCallers = [], podLabels } = options;
  checkList(where, 'localCallers', localCallers);
  localCallers.forEach((caller) => checkGiven(where, 'the caller', caller, Caller));
  if (podLabels !== undefined) checkPodLabels(where, podLabels);
  if (podLabels === undefined && !service._object) {
    fail('FED312', where, `of the service ${show(service.serviceName)} only the name is known, and no podLabels are stated`,
      'state the labels that select its pods: podLabels, or use LocalService.fromConstruct');
  }
  return { podLabels: podLabels && { ...podLabels }, callers: [...localCallers] };
}

function checkPodLabels(where: Where, labels: { [name: string]: string }): void {
  checkMap(where, 'podLabels', labels, '{ app: "reviews" }');
  if (Object.keys(labels).length === 0) {
    fail('FED312', where, 'podLabels is empty, which would mean every pod of the namespace', 'state the labels that select the pods, or leave podLabels out');
  }
  for (const [name, value] of Object.entries(labels)) {
    if (isPodLabel(name, value)) continue;
    fail('FED312', where, `podLabels has ${show({ [name]: value })}, which no pod can have`, 'use a label and its value as they stand at the pods');
  }
}
