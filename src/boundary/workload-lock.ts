import type { Construct } from 'constructs';
import { describeError, show } from '../checks/errors';
import type { DeclaredLock } from '../checks/lock';
import { Lock, Texts } from '../model/model';
import { distinct } from '../model/order';
import { annotate, renderLock, renderLockLimits } from '../render';
import type { LocalService } from '../service';

/**
 * The lock of a workload, and its objects. The selector of its Service and its gateways are known only when the program
 * is complete.
 */
export class WorkloadLock implements Lock {
  public readonly serviceName: string;
  public readonly namespaceName: string;

  /** Creates the objects in the service's namespace, in the chart of the construct that declares the lock. */
  constructor(
    private readonly construct: Construct, private readonly service: LocalService, private readonly declared: DeclaredLock,
    private readonly allowed: () => string[],
  ) {
    this.serviceName = service.serviceName;
    this.namespaceName = service.namespaceName;
    for (const object of [renderLock(construct, this), renderLockLimits(construct, this)]) annotate(object, declared.annotations);
    construct.node.addValidation({ validate: () => this.errors() });
  }

  public get podLabels(): Texts {
    return this.declared.podLabels ?? this.service._manifest()?.spec?.selector ?? {};
  }

  public get principals(): string[] {
    return distinct(this.allowed());
  }

  /** Requires labels: without them, the lock would apply to every workload of the namespace. */
  private errors(): string[] {
    if (Object.keys(this.podLabels).length > 0) return [];
    return [describeError('FED312', this.construct, `the Service ${show(this.serviceName)} selects no pods`,
      'set podLabels to the labels of the workload')];
  }
}
