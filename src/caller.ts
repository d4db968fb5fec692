import { ApiObject } from 'cdk8s';
import { IConstruct } from 'constructs';
import { checkNamespace, checkObjectName } from './checks/values';
import { parseWorkload } from './checks/workload';

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
    return new Caller(parseWorkload('Caller.fromConstruct', construct));
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
   * Sidecars of every namespace then receive the local name, its route and the egress gateway. The chart of the binding
   * also gets DestinationRules `fed-call-…` in the namespaces of all other callers of the mesh, which Istio reads there
   * before the one in the boundary's namespace. A deployment that may write only the team's own namespace, such as an
   * AppProject of Argo CD, rejects them: declare such a binding in the mesh's chart. Synthesis fails for a binding with a
   * TCP or TLS port (FED408).
   */
  public static anyInMesh(): Caller {
    return new Caller({});
  }

  readonly #account: Account;

  private constructor(account: Account) {
    this.#account = account;
  }

  /**
   * Principal of the caller, or a prefix that ends with `*`.
   * @internal
   */
  public _principal(trustDomain: string): string {
    const { serviceAccountName = '*', namespaceName } = this.#account;
    return namespaceName === undefined ? `${trustDomain}/*` : `${trustDomain}/ns/${namespaceName}/sa/${serviceAccountName}`;
  }

  /**
   * The account, with undefined fields that match everything.
   * @internal
   */
  public get _account(): Account {
    return this.#account;
  }
}

/** Account of a caller. A field that is undefined matches every value. */
interface Account {
  readonly serviceAccountName?: string;
  readonly namespaceName?: string;
  /** The construct that the account was read from. */
  readonly object?: ApiObject;
}
