import { fail, show } from './checks/errors';
import { checkFields, fieldsOf } from './checks/kinds';
import { checkDomain, checkNamespace, checkObjectName } from './checks/values';

/**
 * Who somebody is:
 *
 *     SpiffeId.parse('spiffe://bank.example/ns/dmz/sa/in').principal              // bank.example/ns/dmz/sa/in
 *     SpiffeId.forServiceAccount({ trustDomain: 'east.example', namespaceName: 'a', serviceAccountName: 'b' }).uri
 */

/** The parts of a SPIFFE ID in Istio's form `spiffe://<trust domain>/ns/<namespace>/sa/<account>`. */
export interface ServiceAccountIdentity {
  /** For example `east.example`. */
  readonly trustDomain: string;
  /** Namespace of the service account. */
  readonly namespaceName: string;
  /** Name of the service account. */
  readonly serviceAccountName: string;
}

const FIELDS = fieldsOf<ServiceAccountIdentity>({ trustDomain: true, namespaceName: true, serviceAccountName: true });

/**
 * A workload identity: `uri` in certificates, `principal` in policies.
 * @see https://github.com/spiffe/spiffe/blob/main/standards/SPIFFE-ID.md
 */
export class SpiffeId {
  /**
   * The identity that Istio gives to a service account.
   *
   * Throws FED102 for a trust domain that is none, FED111 for names that Kubernetes refuses.
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
   * From `spiffe://…`.
   *
   * Throws FED206 on anything that is not the SPIFFE ID of a workload.
   *
   * @param uri with scheme, trust domain and path
   */
  public static parse(uri: string): SpiffeId {
    const match = /^spiffe:\/\/([a-z0-9._-]{1,255})((?:\/[A-Za-z0-9._-]+)+)$/.exec(uri);
    if (!match || match[2].split('/').some((segment) => segment === '.' || segment === '..')) {
      fail('FED206', `SpiffeId.parse(${show(uri)})`, 'it is not the SPIFFE ID of a workload',
        'use the URI of the certificate, for example "spiffe://east.example/ns/istio-federation/sa/federation-ingress"');
    }
    return new SpiffeId(match[1], match[2]);
  }

  private constructor(
    /** Trust domain: `east.example`. */
    public readonly trustDomain: string,
    /** Path: `/ns/a/sa/b`. */
    public readonly path: string,
    private readonly scheme: string = 'spiffe://',
  ) {}

  /** As in certificates: `spiffe://east.example/ns/a/sa/b`. */
  public get uri(): string {
    return `${this.scheme}${this.principal}`;
  }

  /** As in Istio's authorization policies: `east.example/ns/a/sa/b`. */
  public get principal(): string {
    return `${this.trustDomain}${this.path}`;
  }
}
