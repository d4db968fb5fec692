import type { GatewayEndpoint } from './endpoint';
import type { SpiffeId } from './identity';
import type { ServicePort } from './service';
import type { TrustBundle } from './trust';

/** A service of a mesh that we only know. */
export interface RemoteServiceProps {
  /** The name that its owner chose. */
  readonly exportName: string;
  /** The ports that its owner exports, by exported number. */
  readonly ports: ServicePort[];
}

/** A mesh that we only know, stated by hand. */
export interface RemoteMeshProps {
  /** Our name for it, a DNS label. */
  readonly meshName: string;
  /** Trust domain of its boundary gateways. */
  readonly trustDomain: string;
  /** Its public CA certificates, received on a channel that you trust. */
  readonly trustBundle: TrustBundle;
  /**
   * SPIFFE ID that its ingress gateway presents, such as `spiffe://bank.example/ns/istio-federation/sa/federation-ingress` (the default
   * namespace and service account). Required to bind its services.
   * @default - not known; binding its services fails (FED137)
   */
  readonly ingressIdentity?: SpiffeId;
  /**
   * SPIFFE ID that its egress gateway presents, such as `spiffe://bank.example/ns/istio-federation/sa/federation-egress` (the default namespace
   * and service account). Required to allow it anything.
   * @default - not known; allowing it anything fails (FED137)
   */
  readonly egressIdentity?: SpiffeId;
  /**
   * Where its ingress gateway is reached.
   * @default - none; binding its services fails
   */
  readonly endpoints?: GatewayEndpoint[];
  /**
   * What it exposes to us.
   * @default - nothing
   */
  readonly exposedServices?: RemoteServiceProps[];
  /**
   * Its name for us.
   * @default - our `meshName`
   */
  readonly knownAs?: string;
}
