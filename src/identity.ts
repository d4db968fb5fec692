import { fail, show } from './checks/errors';
import { checkFields, fieldsOf } from './checks/kinds';
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
   * Rejects the trust domain `cluster.local` (FED102), and names that Kubernetes does not accept (FED111).
   */
  public static forServiceAccount(identity: ServiceAccountIdentity): SpiffeId {
    const where = 'SpiffeId.forServiceAccount';
    checkFields(where, 'the identity', identity, FIELDS);
    checkDomain(where, identity.trustDomain, 'FED102', 'trust domain');
    checkNamespace(where, identity.namespaceName);
    checkObjectName(where, identity.serviceAccountName, 'service account');
    return new SpiffeId(identity.trustDomain, `/ns/${identity.namespaceName}/sa/${identity.serviceAccountName}`);
  }

  /**
   * Parses a SPIFFE ID, such as the URI in the certificate of a peer's gateway.
   *
   * Rejects patterns, and Istio's form without `spiffe://` (FED206).
   *
   * @param uri with scheme, trust domain and path, for example `spiffe://bank.example/ns/dmz/sa/in`
   */
  public static parse(uri: string): SpiffeId {
    const match = /^spiffe:\/\/([a-z0-9._-]{1,255})((?:\/[A-Za-z0-9._-]+)+)$/.exec(uri);
    if (!match || match[2].split('/').some((segment) => segment === '.' || segment === '..')) {
      fail('FED206', `SpiffeId.parse(${show(uri)})`, 'the text is not a valid SPIFFE ID of a workload',
        'use the URI in the certificate, for example "spiffe://east.example/ns/istio-federation/sa/federation-ingress"');
    }
    return new SpiffeId(match[1], match[2]);
  }

  private constructor(
    /** Trust domain, such as `east.example`. */
    public readonly trustDomain: string,
    /** Path, such as `/ns/a/sa/b`. */
    public readonly path: string,
    private readonly scheme: string = 'spiffe://',
  ) {}

  /** Form in certificates, such as `spiffe://east.example/ns/a/sa/b`. */
  public get uri(): string {
    return `${this.scheme}${this.principal}`;
  }

  /** Form in Istio's AuthorizationPolicies, such as `east.example/ns/a/sa/b`. */
  public get principal(): string {
    return `${this.trustDomain}${this.path}`;
  }
}
