import type { Construct } from 'constructs';
import { DeclaredLock, errorsInPodLabels } from '../checks/lock';
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
    construct: Construct, private readonly service: LocalService, private readonly declared: DeclaredLock,
    private readonly allowed: () => string[],
  ) {
    this.serviceName = service.serviceName;
    this.namespaceName = service.namespaceName;
    for (const object of [renderLock(construct, this), renderLockLimits(construct, this)]) annotate(object, declared.annotations);
    construct.node.addValidation({ validate: () => errorsInPodLabels(construct, this.serviceName, this.podLabels) });
  }

  public get podLabels(): Texts {
    return this.declared.podLabels ?? this.service._manifest()?.spec?.selector ?? {};
  }

  public get principals(): string[] {
    return distinct(this.allowed());
  }
}
