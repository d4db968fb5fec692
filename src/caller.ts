import { ApiObject } from 'cdk8s';
import { IConstruct } from 'constructs';
import { fail, show } from './checks/errors';
import { objectOf } from './checks/kubernetes';
import { checkNamespace, checkObjectName } from './checks/values';

/**
 * Who may use a binding:
 *
 *     binding.allowFrom(Caller.serviceAccount('bookinfo-productpage', 'default'));
 *     binding.allowFrom(Caller.fromConstruct(tillDeployment));
 *     binding.allowFrom(Caller.anyInNamespace('bookinfo'));       // HTTP and gRPC only
 */

/** Who may use a binding. */
export class Caller {
  /**
   * One workload identity of our mesh. Exact on every protocol.
   *
   * Every pod of the namespace that names no account shares the account `default`. Throws FED111 for names that Kubernetes refuses.
   *
   * @param serviceAccountName of the pods that call
   * @param namespaceName where the account is
   */
  public static serviceAccount(serviceAccountName: string, namespaceName: string): Caller {
    checkObjectName('Caller.serviceAccount', serviceAccountName, 'service account');
    checkNamespace('Caller.serviceAccount', namespaceName);
    return new Caller({ serviceAccountName, namespaceName });
  }

  /**
   * The service account of a cdk8s-plus or plain workload (or the ServiceAccount itself), so that names cannot drift.
   *
   * Its chart then belongs to the mesh of the binding. Throws FED405 for the account `default`, which every pod without an account
   * shares, for what is no workload, and when neither the object nor its chart states a namespace.
   */
  public static fromConstruct(construct: IConstruct): Caller {
    const object = objectOf(construct);
    if (!object || !(object.kind === 'ServiceAccount' || object.kind in POD_SPEC)) {
      fail('FED405', construct, `it is ${object ? `a ${object.kind}` : 'no Kubernetes object'}`,
        `give a ServiceAccount or one of ${Object.keys(POD_SPEC).join(', ')}`);
    }
    const serviceAccountName = accountOf(object);
    if (serviceAccountName === 'default') {
      fail('FED405', construct, `the ${object.kind} ${show(object.name)} runs as the account "default", which every pod without an account shares`,
        'give it a service account of its own');
    }
    const namespaceName = object.metadata.namespace;
    if (namespaceName === undefined) {
      fail('FED405', construct, `the ${object.kind} ${show(object.name)} states no namespace, and neither does its chart`,
        'give the chart a namespace, for example new Chart(app, "till", { namespace: "till" })');
    }
    return new Caller({ serviceAccountName, namespaceName, object });
  }

  /**
   * Every workload of a namespace, those to come as well.
   *
   * For HTTP and gRPC only: who is not listed cannot be told from others in the handshake, and a server that speaks first would have
   * spoken before a policy decides. Throws FED111 for names that Kubernetes refuses.
   *
   * @param namespaceName of the workloads that call
   */
  public static anyInNamespace(namespaceName: string): Caller {
    checkNamespace('Caller.anyInNamespace', namespaceName);
    return new Caller({ namespaceName });
  }

  /**
   * Every workload of our mesh, those to come as well.
   *
   * For HTTP and gRPC only, as `anyInNamespace`. The name, its route and the egress gateway are then known in every namespace.
   */
  public static anyInMesh(): Caller {
    return new Caller({});
  }

  private constructor(private readonly account: Account) {}

  /**
   * The identity in a mesh, or what all the identities begin with, ending with `*`.
   * @internal
   */
  public _principal(trustDomain: string): string {
    const { serviceAccountName = '*', namespaceName } = this.account;
    return namespaceName === undefined ? `${trustDomain}/*` : `${trustDomain}/ns/${namespaceName}/sa/${serviceAccountName}`;
  }

  /** @internal */
  public get _account(): Account {
    return this.account;
  }
}

/** What is not stated stands for all. */
interface Account {
  readonly serviceAccountName?: string;
  readonly namespaceName?: string;
  /** The object from which it was read. */
  readonly object?: ApiObject;
}

/** Where each kind of workload keeps the specification of its pods. */
const POD_SPEC: { [kind: string]: string[] } = {
  CronJob: ['spec', 'jobTemplate', 'spec', 'template', 'spec'],
  DaemonSet: ['spec', 'template', 'spec'],
  Deployment: ['spec', 'template', 'spec'],
  Job: ['spec', 'template', 'spec'],
  Pod: ['spec'],
  ReplicaSet: ['spec', 'template', 'spec'],
  StatefulSet: ['spec', 'template', 'spec'],
};

function accountOf(object: ApiObject): string {
  if (object.kind === 'ServiceAccount') return object.name;
  const podSpec = POD_SPEC[object.kind].reduce((value, key) => value?.[key], object.toJson());
  return podSpec?.serviceAccountName ?? podSpec?.serviceAccount ?? 'default';
}
