import { ApiObject } from 'cdk8s';
import { IConstruct } from 'constructs';
import { fail, show } from './checks/errors';
import { objectOf } from './checks/kubernetes';
import { checkNamespace, checkObjectName } from './checks/values';

/**
 * One or more workloads of our mesh that may call a binding.
 *
 * @exampleMetadata fixture=meshes
 * @example
 * binding.allowFrom(Caller.serviceAccount('bookinfo-productpage', 'default'));
 * binding.allowFrom(Caller.fromConstruct(deployment));
 * binding.allowFrom(Caller.anyInNamespace('bookinfo')); // HTTP and gRPC ports only
 */
export class Caller {
  /**
   * Workloads that run as one service account. Verified by exact identity, on every protocol.
   *
   * Pods without an account of their own run as `default` of their namespace, so the account `default` includes all of
   * them. Rejects names that Kubernetes does not accept (FED111).
   *
   * @param serviceAccountName account of the calling pods, for example `bookinfo-productpage`
   * @param namespaceName namespace of the account, for example `default`
   */
  public static serviceAccount(serviceAccountName: string, namespaceName: string): Caller {
    checkObjectName('Caller.serviceAccount', serviceAccountName, 'service account');
    checkNamespace('Caller.serviceAccount', namespaceName);
    return new Caller({ serviceAccountName, namespaceName });
  }

  /**
   * The service account of a workload construct, or a ServiceAccount construct.
   *
   * Accepts constructs of cdk8s-plus and `ApiObject`s: pods, and what creates pods, such as a Deployment. The account
   * is read at once, so set it before this call. The construct's chart then belongs to the mesh of the binding. Rejects
   * the account `default`, which all pods without an account of their own share, and an unknown namespace (FED405).
   */
  public static fromConstruct(construct: IConstruct): Caller {
    const object = objectOf(construct);
    if (!object || !(object.kind === 'ServiceAccount' || object.kind in POD_SPEC)) {
      fail('FED405', construct, `it is ${object ? `a ${object.kind}` : 'not a Kubernetes object'}`,
        `use a ServiceAccount or one of ${Object.keys(POD_SPEC).join(', ')}`);
    }
    const serviceAccountName = accountOf(object);
    if (serviceAccountName === 'default') {
      fail('FED405', construct, `the ${object.kind} ${show(object.name)} runs as the service account "default", which all pods without an account share`,
        'give it a service account of its own');
    }
    const namespaceName = object.metadata.namespace;
    if (namespaceName === undefined) {
      fail('FED405', construct, `the ${object.kind} ${show(object.name)} has no namespace, and neither does its chart`,
        'set the namespace of the chart, for example new Chart(app, "till", { namespace: "till" })');
    }
    return new Caller({ serviceAccountName, namespaceName, object });
  }

  /**
   * Every workload of one namespace, including future ones. HTTP and gRPC ports only.
   *
   * A TLS handshake can only verify identities that are listed, and a TCP server that speaks first would answer before
   * a policy decides. Synthesis fails for a binding with a TCP or TLS port (FED408).
   *
   * @param namespaceName namespace of the calling workloads, for example `bookinfo`
   */
  public static anyInNamespace(namespaceName: string): Caller {
    checkNamespace('Caller.anyInNamespace', namespaceName);
    return new Caller({ namespaceName });
  }

  /**
   * Every workload of our mesh, including future ones. HTTP and gRPC ports only.
   *
   * Sidecars of every namespace then receive the local name, its route and the egress gateway. Synthesis fails for a
   * binding with a TCP or TLS port (FED408).
   */
  public static anyInMesh(): Caller {
    return new Caller({});
  }

  private constructor(private readonly account: Account) {}

  /**
   * Principal of the caller, or a prefix that ends with `*`.
   * @internal
   */
  public _principal(trustDomain: string): string {
    const { serviceAccountName = '*', namespaceName } = this.account;
    return namespaceName === undefined ? `${trustDomain}/*` : `${trustDomain}/ns/${namespaceName}/sa/${serviceAccountName}`;
  }

  /**
   * The account, with undefined fields that match everything.
   * @internal
   */
  public get _account(): Account {
    return this.account;
  }
}

/** Account of a caller. A field that is undefined matches every value. */
interface Account {
  readonly serviceAccountName?: string;
  readonly namespaceName?: string;
  /** The construct that the account was read from. */
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
