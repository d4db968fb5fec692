import { describeError, fail, show, Where } from './errors';
import { checkGiven, checkList, checkMap, fieldsOf, parseFields } from './kinds';
import { checkJustification, isPodLabel, JUSTIFICATION, MOST_SELECTOR_LABELS } from './values';
import { Caller } from '../caller';
import type { LockWorkloadOptions } from '../lock';
import { reasonOf } from '../model/annotations';
import type { Annotations, Texts } from '../model/model';
import type { LocalService } from '../service';

const FIELDS = fieldsOf<LockWorkloadOptions>({ ...JUSTIFICATION, localCallers: true, podLabels: true });

/** The checked options of `lockWorkload`. */
export interface DeclaredLock {
  /** Undefined: the labels by which the Service selects its pods. */
  readonly podLabels: Texts | undefined;
  readonly callers: readonly Caller[];
  readonly annotations: Annotations;
}

/** Checks the options of `lockWorkload`. */
export function parseLock(where: Where, service: LocalService, given: LockWorkloadOptions): DeclaredLock {
  const options = parseFields(where, 'the options of lockWorkload', given, FIELDS);
  checkJustification(where, 'locking the workload', options);
  const { localCallers = [], podLabels } = options;
  checkList(where, 'localCallers', localCallers);
  localCallers.forEach((caller) => checkGiven(where, 'the caller', caller, Caller));
  if (podLabels !== undefined) checkPodLabels(where, podLabels);
  if (podLabels === undefined && !service._object) {
    fail('FED312', where, `the pods of the service ${show(service.serviceName)} are unknown: it is given by name, and podLabels is not set`,
      'set podLabels to the labels that select its pods, or use LocalService.fromConstruct');
  }
  return { podLabels, callers: localCallers, annotations: { locked: reasonOf(options) } };
}

/** Errors of the labels by which a lock selects its workload, which may be those of a Service. */
export function errorsInPodLabels(where: Where, serviceName: string, labels: Texts): string[] {
  const { length } = Object.keys(labels);
  const fix = 'set podLabels to the labels of the workload';
  // Without labels, the lock would apply to every workload of the namespace.
  if (length === 0) return [describeError('FED312', where, `the Service ${show(serviceName)} selects no pods`, fix)];
  if (length <= MOST_SELECTOR_LABELS) return [];
  return [describeError('FED312', where, `the workload of ${show(serviceName)} is selected by ${length} labels, but an EnvoyFilter takes ${MOST_SELECTOR_LABELS}`, fix)];
}

function checkPodLabels(where: Where, labels: { [name: string]: string }): void {
  checkMap(where, 'podLabels', labels, '{ app: "reviews" }');
  if (Object.keys(labels).length === 0) {
    fail('FED312', where, 'podLabels is empty, which would select every pod of the namespace', 'set the labels that select the pods, or omit podLabels');
  }
  for (const [name, value] of Object.entries(labels)) {
    if (isPodLabel(name, value)) continue;
    fail('FED312', where, `podLabels has ${show({ [name]: value })}, which is not a valid pod label`, 'use a label and a value that the pods have');
  }
}
