import { Duration } from 'cdk8s';
import { Construct, IConstruct } from 'constructs';
import { Accountability, Justification } from './accountability';
import type { IExposedService } from './expose';
import { GatewayEndpoint } from './gateway';
import { SpiffeId } from './identity';
import { checkEndpoints } from './internal/endpoint-checks';
import { fail, show } from './internal/errors';
import { checkGiven } from './internal/kind-checks';
import { sniOf } from './internal/names';
import { checkExport, checkIdentities, checkMeshName, checkTrustDomain } from './internal/wire-checks';
import { ServicePort } from './service';
import { TrustBundle } from './trust';

/**
 * A mesh that we deal with:
 *
 *     const bank = new RemoteMesh(chart, 'Bank', { meshName: 'bank', trustDomain: 'bank.example', trustBundle, … });
 *     shop.addPeer(bank, { agreementId: 'ISA-2026-014', contact: 'mailto:security@bank.example' });
 *     shop.bind('CardAuth', { source: bank.exposedService('card-auth'), localName });
 */

/** All that a counterpart may know about a mesh, whether we own it or not. */
export interface IMeshPeer extends IConstruct {
  /** Our name for it, a DNS label. */
  readonly meshName: string;
  /** Trust domain of its boundary gateways. */
  readonly trustDomain: string;
  /** Where its ingress gateway is reached. Empty when it exposes nothing. */
  readonly endpoints: GatewayEndpoint[];
  /** Who answers at its ingress gateway. */
  readonly ingressIdentity: SpiffeId;
  /** Who calls from its egress gateway. */
  readonly egressIdentity: SpiffeId;
  /** What proves both. */
  readonly trustBundle: TrustBundle;
}

/**
 * Limits for one peer at our ingress gateway. Each holds for one exposed port and one gateway pod: nothing in Istio adds up several.
 * Emits an EnvoyFilter once the peer is granted something, which Istio answers with a warning. Proved with Istio 1.31.
 */
export interface PeerLimits {
  /**
   * Open connections. One more is closed before its handshake, and those of strangers who know the server name count until theirs has
   * failed, up to 15 seconds: they can keep the peer out. Say with `sourceRanges` who may connect at all, or leave this out.
   * @default - no limit
   */
  readonly maxConnections?: number;
  /**
   * Life of a connection, so that withdrawals reach every one. HTTP and gRPC end it between requests and lose none, TCP and TLS in the
   * middle of the talk. For what we call, the egress gateway has a limit of its own: an hour for HTTP and gRPC.
   * @default - no limit
   */
  readonly maxConnectionDuration?: Duration;
  /**
   * Requests per second, beyond which 429 is answered. HTTP and gRPC ports only, and only requests that the rules allow count.
   * @default - no limit
   */
  readonly requestsPerSecond?: number;
}

/**
 * Limits of our egress gateway towards one exported port of a peer. Each holds for one gateway pod and for all callers together. They protect
 * the pod and the peer, so set them above what callers need.
 */
export interface UpstreamLimits {
  /**
   * Open connections. A TCP or TLS connection beyond them is closed. HTTP and gRPC callers have one for each connection of their sidecar:
   * Envoy opens that first one in any case, and none beside it above the limit.
   * @default 4096
   */
  readonly maxConnections?: number;
  /**
   * Requests and streams in flight, and as many that wait for a connection. One more fails at once: 503, gRPC UNAVAILABLE. HTTP and gRPC
   * ports only.
   * @default 16384
   */
  readonly maxRequests?: number;
}

/** Options of `FederatedMesh.addPeer`. */
export interface AddPeerOptions extends Accountability {
  /**
   * ConfigMap in our gateway namespace (key `ca.crt`), kept by others, for example by trust-manager, in place of the peer's bundle.
   *
   * Until it is there, the peer is refused in both directions, and nobody else. The first binding to such a peer replaces the pods of the
   * egress gateway once; what changes in the ConfigMap later does not. `trustBundle` still says who the peer is: no other peer may
   * have its CA. Revocation lists cannot be kept there.
   * @default - we emit the peer's `trustBundle`
   */
  readonly trustConfigMapName?: string;
  /**
   * Limits for this peer at our ingress gateway.
   * @default - no limits
   */
  readonly limits?: PeerLimits;
  /**
   * Limits of our egress gateway towards each exported port of this peer.
   * @default - 4,096 connections and 16,384 requests
   */
  readonly upstreamLimits?: UpstreamLimits;
  /**
   * Remove trace headers from requests and answers, in both directions: W3C, B3, and the fixed names of common vendors.
   * The boundary's gateways then take no part in traces of any peer, since they would write such headers anew. With an ingress gateway that
   * others run, it is refused (FED128).
   * @default false - trace context crosses as the applications wrote it
   */
  readonly stripTracing?: boolean;
  /**
   * More request headers that must not leave towards this peer, for HTTP and gRPC.
   * Names in lower case. Take none that the peer's rules require (`requiredHeaders`): that cannot be seen from here.
   * @default - the built-in list only
   */
  readonly removeRequestHeaders?: string[];
  /**
   * Why the peer's egress gateway may still speak TLS 1.2 to our ingress gateway, with forward secrecy and AEAD ciphers only.
   * What we call decides by itself: our egress gateway takes 1.3 from a peer that has it.
   * @default - TLS 1.3 only
   */
  readonly allowTls12?: Justification;
  /**
   * Identifier of the interconnection agreement.
   * @default - not stated
   */
  readonly agreementId?: string;
  /**
   * Whom to call, as a URI.
   * @default - not stated
   */
  readonly contact?: string;
  /**
   * Cut the peer off in both directions, keeping all declarations.
   *
   * Its listeners, grants, routes and CAs go, and a policy at each gateway refuses what is open still. Only the mesh's own chart changes,
   * and objects have to go: apply it with pruning. Local names stay, and answer to no one. A share of traffic that goes to the peer by
   * weight fails, until the weights are changed.
   * @default - not isolated
   */
  readonly isolated?: Justification;
}

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
  /** Who answers at its ingress gateway. */
  readonly ingressIdentity: SpiffeId;
  /** Who calls from its egress gateway. */
  readonly egressIdentity: SpiffeId;
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

/**
 * A mesh that we only know.
 *
 * Creates nothing by itself.
 *
 * @exampleMetadata fixture=meshes
 * @example
 * const bank = new RemoteMesh(chart, 'Bank', {
 *   meshName: 'bank',
 *   trustDomain: 'bank.example',
 *   trustBundle: TrustBundle.fromPemFile('trust/bank.pem'),
 *   ingressIdentity: SpiffeId.parse('spiffe://bank.example/ns/istio-federation/sa/federation-ingress'),
 *   egressIdentity: SpiffeId.parse('spiffe://bank.example/ns/istio-federation/sa/federation-egress'),
 *   endpoints: [{ address: 'federation.bank.example' }],
 *   exposedServices: [{ exportName: 'card-auth', ports: [ServicePort.http(443)] }],
 * });
 * west.addPeer(bank, { contact: 'mailto:security@bank.example' });
 */
export class RemoteMesh extends Construct implements IMeshPeer {
  public readonly meshName: string;
  public readonly trustDomain: string;
  public readonly endpoints: GatewayEndpoint[];
  public readonly ingressIdentity: SpiffeId;
  public readonly egressIdentity: SpiffeId;
  public readonly trustBundle: TrustBundle;
  private readonly services: Map<string, RemoteService>;

  /**
   * Throws FED101 to FED106 for names, domains and endpoints that cannot be used, FED117 when an identity is not of the trust domain,
   * FED301 to FED303 for services that nobody could export.
   */
  constructor(scope: Construct, id: string, props: RemoteMeshProps) {
    super(scope, id);
    checkMeshName(this, props.meshName);
    checkTrustDomain(this, props.trustDomain);
    checkGiven(this, 'trustBundle', props.trustBundle, TrustBundle);
    checkGiven(this, 'ingressIdentity', props.ingressIdentity, SpiffeId);
    checkGiven(this, 'egressIdentity', props.egressIdentity, SpiffeId);
    checkEndpoints(this, props.endpoints ?? []);
    if (props.knownAs !== undefined) checkMeshName(this, props.knownAs);
    checkIdentities(this, props);
    this.meshName = props.meshName;
    this.trustDomain = props.trustDomain;
    this.endpoints = (props.endpoints ?? []).map((endpoint) => ({ ...endpoint }));
    this.ingressIdentity = props.ingressIdentity;
    this.egressIdentity = props.egressIdentity;
    this.trustBundle = props.trustBundle;
    this.services = new Map();
    for (const service of props.exposedServices ?? []) {
      checkExport(this, service.exportName, service.ports, props.trustDomain);
      if (this.services.has(service.exportName)) {
        fail('FED302', this, `the export name ${show(service.exportName)} stands there twice`, 'list all its ports in one entry');
      }
      this.services.set(service.exportName, new RemoteService(this, service, props.knownAs));
    }
  }

  /**
   * A service that the peer exposes to us.
   *
   * Throws FED406 for an unknown name, and lists the known ones.
   *
   * @param exportName as the peer has told it
   */
  public exposedService(exportName: string): IExposedService {
    const service = this.services.get(exportName);
    if (service) return service;
    const known = [...this.services.keys()].sort();
    return fail('FED406', this, `${show(exportName)} is not among what mesh ${show(this.meshName)} exposes to us`,
      known.length === 0 ? 'list it in exposedServices' : `choose one of ${known.join(', ')}, or list it in exposedServices`);
  }
}

class RemoteService extends Construct implements IExposedService {
  public readonly mesh: IMeshPeer;
  public readonly exportName: string;
  public readonly ports: ServicePort[];
  private readonly knownAs?: string;

  constructor(mesh: RemoteMesh, props: RemoteServiceProps, knownAs?: string) {
    super(mesh, props.exportName);
    this.mesh = mesh;
    this.exportName = props.exportName;
    this.ports = [...props.ports];
    this.knownAs = knownAs;
  }

  public sniFor(peer: IMeshPeer, exportPort: number): string {
    return sniOf(this.exportName, exportPort, this.knownAs ?? peer.meshName, this.mesh.trustDomain);
  }
}
