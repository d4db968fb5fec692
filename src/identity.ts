import { IdentityParts, parseSpiffeId } from './checks/identity';
import { fieldsOf, parseFields } from './checks/kinds';
import { checkDomain, checkNamespace, checkObjectName } from './checks/values';

/**
 * The parts of a SPIFFE ID in Istio's form `spiffe://<trust domain>/ns/<namespace>/sa/<service account>`.
 *
 * @exampleMetadata fixture=meshes
 * @example
 * const egress = SpiffeId.forServiceAccount({
 *   trustDomain: 'bank.example',
 *   namespaceName: 'istio-federation',
 *   serviceAccountName: 'federation-egress',
 * });
 */
export interface ServiceAccountIdentity {
  /** Trust domain, such as `east.example`. */
  readonly trustDomain: string;
  /** Namespace of the service account, such as `istio-federation`. */
  readonly namespaceName: string;
  /** Name of the service account, such as `federation-ingress`. */
  readonly serviceAccountName: string;
}

const FIELDS = fieldsOf<ServiceAccountIdentity>({ trustDomain: true, namespaceName: true, serviceAccountName: true });

/**
 * A SPIFFE ID, the identity of a workload: `uri` is its form in certificates, `principal` its form in Istio's policies.
 *
 * @see https://github.com/spiffe/spiffe/blob/main/standards/SPIFFE-ID.md
 * @exampleMetadata fixture=meshes
 * @example
 * const id = SpiffeId.parse('spiffe://bank.example/ns/istio-federation/sa/federation-ingress');
 * const inPolicies = id.principal; // bank.example/ns/istio-federation/sa/federation-ingress
 */
export class SpiffeId {
  /**
   * The SPIFFE ID that Istio issues to a service account.
   *
   * Rejects a trust domain that is not a DNS name (FED102), and names that Kubernetes does not accept (FED111).
   */
  public static forServiceAccount(identity: ServiceAccountIdentity): SpiffeId {
    const where = 'SpiffeId.forServiceAccount';
    const { trustDomain, namespaceName, serviceAccountName } = parseFields(where, 'the identity', identity, FIELDS);
    checkDomain(where, trustDomain, 'FED102', 'trust domain');
    checkNamespace(where, namespaceName);
    checkObjectName(where, serviceAccountName, 'service account');
    return new SpiffeId({ trustDomain, path: `/ns/${namespaceName}/sa/${serviceAccountName}` });
  }

  /**
   * Parses a SPIFFE ID, such as the URI in the certificate of a peer's gateway.
   *
   * Rejects patterns, and Istio's form without `spiffe://` (FED206).
   *
   * @param uri with scheme, trust domain and path, for example `spiffe://bank.example/ns/dmz/sa/in`
   */
  public static parse(uri: string): SpiffeId {
    return new SpiffeId(parseSpiffeId(uri));
  }

  readonly #parts: IdentityParts;

  private constructor(parts: IdentityParts) {
    this.#parts = parts;
  }

  /** Trust domain, such as `east.example`. */
  public get trustDomain(): string {
    return this.#parts.trustDomain;
  }

  /** Path, such as `/ns/a/sa/b`. */
  public get path(): string {
    return this.#parts.path;
  }

  /** Form in certificates, such as `spiffe://east.example/ns/a/sa/b`. */
  public get uri(): string {
    return `spiffe://${this.principal}`;
  }

  /** Form in Istio's AuthorizationPolicies, such as `east.example/ns/a/sa/b`. */
  public get principal(): string {
    return `${this.trustDomain}${this.path}`;
  }
}
