import type { GatewayEndpoint } from './endpoint';
import type { SpiffeId } from './identity';
import type { ServicePort } from './service';
import type { TrustBundle } from './trust';

/**
 * An export of a peer that another organisation operates, as its owner describes it.
 *
 * @exampleMetadata fixture=meshes
 * @example
 * const cloud = new RemoteMesh(chart, 'Cloud', {
 *   meshName: 'cloud',
 *   trustDomain: 'cloud.example',
 *   trustBundle: TrustBundle.fromPemFile('trust/cloud.pem'),
 *   ingressIdentity: SpiffeId.parse('spiffe://cloud.example/ns/istio-federation/sa/federation-ingress'),
 *   endpoints: [{ address: 'federation.cloud.example' }],
 *   knownAs: 'west',
 *   exposedServices: [{ exportName: 'orders', ports: [ServicePort.grpc(443)] }],
 * });
 */
export interface RemoteServiceProps {
  /** Export name that the owner chose, such as `card-auth`. A wrong name ends in 503. */
  readonly exportName: string;
  /** Ports that the owner exports, by exported number and protocol, such as `[ServicePort.http(443)]`. */
  readonly ports: ServicePort[];
}

/**
 * Properties of `RemoteMesh`: what describes a peer. Its owner sends the values.
 *
 * `ingressIdentity`, `endpoints` and `exposedServices` are needed to call it, `egressIdentity` to allow its calls.
 *
 * @exampleMetadata fixture=meshes
 * @example
 * const shop = new RemoteMesh(chart, 'Shop', {
 *   meshName: 'shop',
 *   trustDomain: 'shop.example',
 *   trustBundle: TrustBundle.fromPemFile('trust/shop.pem'),
 *   egressIdentity: SpiffeId.parse('spiffe://shop.example/ns/istio-federation/sa/federation-egress'),
 * });
 * east.addPeer(shop);
 * reviews.allowFrom(shop);
 */
export interface RemoteMeshProps {
  /**
   * Our alias of the peer, a DNS label such as `bank`. Need not equal the name that it uses for itself.
   *
   * The peer's owner needs it as `knownAs` to call our exports: it is part of their TLS server names (SNI).
   */
  readonly meshName: string;
  /** Trust domain of its boundary gateways, such as `bank.example`. Rejects `cluster.local` (FED102). */
  readonly trustDomain: string;
  /** Its public CA certificates. Receive them on a trusted channel and compare `TrustBundle.fingerprints`. */
  readonly trustBundle: TrustBundle;
  /**
   * SPIFFE ID that its ingress gateway presents. Required to bind its exports.
   *
   * Such as `spiffe://bank.example/ns/istio-federation/sa/federation-ingress` (the default namespace and service
   * account). It is the URI in the gateway's certificate.
   * @default - not set; binding its exports is rejected (FED137)
   */
  readonly ingressIdentity?: SpiffeId;
  /**
   * SPIFFE ID that its egress gateway presents. Required to allow its calls.
   *
   * Such as `spiffe://bank.example/ns/istio-federation/sa/federation-egress` (the default namespace and service
   * account). It is the URI in the gateway's certificate.
   * @default - not set; allowing its calls is rejected (FED137)
   */
  readonly egressIdentity?: SpiffeId;
  /**
   * Public addresses of its ingress gateway, such as `[{ address: 'federation.bank.example' }]`. Port 15443 unless set.
   * @default - none; binding its exports is rejected (FED107)
   */
  readonly endpoints?: GatewayEndpoint[];
  /**
   * What it exports to us, such as `[{ exportName: 'card-auth', ports: [ServicePort.http(443)] }]`.
   * @default - nothing
   */
  readonly exposedServices?: RemoteServiceProps[];
  /**
   * Name that the exporting mesh uses for us, such as `shop`: the `meshName` of its `RemoteMesh` that describes us.
   *
   * It is part of every TLS server name (SNI): a wrong value ends in 503. Required with `exposedServices` (FED138).
   * @default - not set
   */
  readonly knownAs?: string;
}
