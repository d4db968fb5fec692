import { checkJustification, isPodLabel } from './checks';
import { describeMistake, fail, show, Where } from './errors';
import { checkFields, checkGiven, checkList, checkMap } from './kind-checks';
import { Lock } from './model';
import { Caller } from '../caller';
import type { LockWorkloadOptions } from '../lock';
import type { LocalService } from '../service';

/*
 * The lock of a workload, as far as the program has said: the selector of a Service and the gateways that lead to it are known at the end.
 */

export class WorkloadLock implements Lock {
  public readonly serviceName: string;
  public readonly namespaceName: string;
  private readonly stated?: { readonly [name: string]: string };

  constructor(
    private readonly where: Where, private readonly service: LocalService, options: LockWorkloadOptions, private readonly named: () => string[],
  ) {
    this.serviceName = service.serviceName;
    this.namespaceName = service.namespaceName;
    this.stated = options.podLabels && { ...options.podLabels };
    if (!this.stated && !service._object) {
      fail('FED312', where, `of the service ${show(service.serviceName)} only the name is known, and no podLabels are stated`,
        'state the labels that select its pods: podLabels, or use LocalService.fromConstruct');
    }
  }

  public get podLabels(): { readonly [name: string]: string } {
    return this.stated ?? this.service._selector() ?? {};
  }

  public get principals(): string[] {
    return [...new Set(this.named())].sort();
  }

  /** Without labels, the lock would be one of the whole namespace. */
  public mistakes(): string[] {
    if (Object.keys(this.podLabels).length > 0) return [];
    return [describeMistake('FED312', this.where, `the Service ${show(this.serviceName)} selects no pods`, 'state the labels of the workload: podLabels')];
  }
}

export function checkLockOptions(where: Where, options: LockWorkloadOptions): void {
  checkFields(where, 'lockWorkload', options, ['reason', 'approvedBy', 'ticket', 'localCallers', 'podLabels']);
  checkJustification(where, 'locking the workload', options);
  if (options.podLabels !== undefined) checkPodLabels(where, options.podLabels);
  if (options.localCallers === undefined) return;
  checkList(where, 'localCallers', options.localCallers);
  options.localCallers.forEach((caller) => checkGiven(where, 'the caller', caller, Caller));
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
