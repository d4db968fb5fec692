import { describeError, show, Where } from '../checks/errors';
import { Lock, Texts } from '../model/model';
import type { LocalService } from '../service';

/** The lock of a workload. The selector of its Service and its gateways are known only when the program is complete. */
export class WorkloadLock implements Lock {
  public readonly serviceName: string;
  public readonly namespaceName: string;

  constructor(
    private readonly where: Where, private readonly service: LocalService, private readonly statedLabels: Texts | undefined,
    private readonly allowed: () => string[],
  ) {
    this.serviceName = service.serviceName;
    this.namespaceName = service.namespaceName;
  }

  public get podLabels(): Texts {
    return this.statedLabels ?? this.service._selector() ?? {};
  }

  public get principals(): string[] {
    return [...new Set(this.allowed())].sort();
  }

  /** Requires labels: without them, the lock would apply to every workload of the namespace. */
  public errors(): string[] {
    if (Object.keys(this.podLabels).length > 0) return [];
    return [describeError('FED312', this.where, `the Service ${show(this.serviceName)} selects no pods`, 'set podLabels to the labels of the workload')];
  }
}
