import { ApiObject } from 'cdk8s';
import { Construct } from 'constructs';
import { Justification } from './accountability';
import { RemoteServiceBinding, RemoteServiceBindingOptions } from './bind';
import type { Caller } from './caller';
import { GatewayCredential } from './credential';
import { Delivery } from './delivery';
import { ExposedService, ExposedServiceOptions } from './expose';
import { BoundaryGateway, BoundaryGatewayAttributes, GatewayEndpoint } from './gateway';
import { SpiffeId } from './identity';
import { Boundary } from './internal/boundary';
import { claimChart } from './internal/charts';
import { checkDeviation, checkDomain, checkJustification, checkNamespace, checkObjectName, checkRevision } from './internal/checks';
import { mistakesAtTheEnd } from './internal/end-checks';
import { checkEndpoints } from './internal/endpoint-checks';
import { fail, show } from './internal/errors';
import { checkEgressOptions, checkNamespaces, checkRunByUs, checkWhoRuns, SYSTEM_NAMESPACE } from './internal/gateway-checks';
import { checkFlag, checkGiven, checkPeerGiven } from './internal/kind-checks';
import { hostsOf } from './internal/model';
import { notesOf, reasonOf } from './internal/notes';
import { checkPeer, checkPeerOptions, checkProved, checkTrustConfigMap, trafficOf } from './internal/peer-checks';
import { checkRestriction } from './internal/restriction-checks';
import { attributesOf, DEFAULT_ROOT_NAMESPACE, namespacesOf, siteOf } from './internal/site';
import { checkMeshName, checkTrustDomain, checkWorkloadTrustDomain } from './internal/wire-checks';
import { IstioVersion } from './istio-version';
import { AddPeerOptions, IMeshPeer } from './peer';
import { RestrictNamespaceOptions } from './restriction';
import { TrustBundle } from './trust';

/**
 * A mesh of ours and its boundary:
 *
 *     const east = new FederatedMesh(new Chart(app, 'east'), 'Mesh', {
 *       meshName: 'east', trustDomain: 'east.example',
 *       trustBundle: TrustBundle.fromPemFile('trust/east.pem'),
 *       endpoints: [{ address: 'federation.east.example' }],
 *     });
 *     east.addPeer(west);
 *     east.expose('Reviews', { service, exportName: 'reviews', ports: [ServicePort.http(9080)] }).allowFrom(west);
 *
 * A mesh that exposes and binds nothing creates nothing.
 */

/**
 * One mesh and its boundary.
 *
 * A second boundary of the same mesh (other peers, other DMZ) is a second construct with its own namespace, and with the same `meshName`,
 * `trustDomain` and `workloadTrustDomain`: by the trust domain one mesh is told from another.
 */
export interface FederatedMeshProps {
  /** How peers know us, a DNS label. */
  readonly meshName: string;
  /** Trust domain in the certificates of the boundary gateways, by default that of the mesh (`meshConfig.trustDomain`). Never `cluster.local`. */
  readonly trustDomain: string;
  /** Public CA certificates with which peers verify our gateways. */
  readonly trustBundle: TrustBundle;
  /**
   * Where peers reach our ingress gateway.
   * @default - none; synthesis fails if something is exposed
   */
  readonly endpoints?: GatewayEndpoint[];
  /**
   * What the gateways present.
   * @default GatewayCredential.workloadIdentity()
   */
  readonly credential?: GatewayCredential;
  /**
   * Trust domain of the workloads (`meshConfig.trustDomain`). `cluster.local` is allowed here if `credential` is not `workloadIdentity()`.
   *
   * Peers never learn it, and never believe it: that both sides have the same one does not matter.
   * @default - `trustDomain`
   */
  readonly workloadTrustDomain?: string;
  /**
   * Namespace of the boundary, and the first part of the names of its cluster-scoped objects. It holds nothing else: its network policies
   * and its level of pod security are the boundary's. A gateway may have another one (`DedicatedGatewayOptions.namespaceName`).
   * @default 'istio-federation'
   */
  readonly namespaceName?: string;
  /**
   * Emit the Namespace object, or one for each of the gateways' namespaces.
   * @default true
   */
  readonly createNamespace?: boolean;
  /**
   * Gateway for what peers call.
   * @default BoundaryGateway.dedicated() - once something is exposed
   */
  readonly ingressGateway?: BoundaryGateway;
  /**
   * Gateway for what we call.
   * @default BoundaryGateway.dedicated() - once something is bound
   */
  readonly egressGateway?: BoundaryGateway;
  /**
   * Istio of this mesh.
   * @default - the version that the library is proved with, 1.31
   */
  readonly istioVersion?: IstioVersion;
  /**
   * Connect a TCP or TLS port's backend only after the handshake of whoever calls, at both gateways. Without it, somebody who is refused
   * makes the backend accept a connection, on which no byte passes. Emits an EnvoyFilter for each gateway with such a port, which Istio
   * answers with a warning. Proved with Istio 1.31.
   * @default false
   */
  readonly connectAfterHandshake?: boolean;
  /**
   * Revision label for injection.
   * @default - the default revision
   */
  readonly revision?: string;
  /**
   * Istio's root namespace. Nothing in it can be exposed or bound, and the boundary cannot be in it.
   * @default 'istio-system'
   */
  readonly rootNamespaceName?: string;
  /**
   * DNS domain of the cluster.
   * @default 'cluster.local'
   */
  readonly clusterDomain?: string;
  /**
   * Namespace from which metrics are scraped.
   * @default 'monitoring'
   */
  readonly monitoringNamespaceName?: string;
  /**
   * Access log provider of the mesh config. Logs are always on.
   * @default 'envoy'
   */
  readonly accessLogProvider?: string;
  /**
   * How the order of objects is told.
   * @default Delivery.kubectl()
   */
  readonly delivery?: Delivery;
  /**
   * Why requests may have headers whose names contain an underscore, at both gateways.
   *
   * CGI, WSGI, Rack and PHP read `x_federation_peer` as `x-federation-peer`, so such a header could forge one that the gateways set. Without
   * a reason, a request that has one is rejected with 400 (HTTP/2 and gRPC: the stream is reset). Applications with gRPC metadata such as
   * `user_id` need it, after a look at what their backends do with both spellings.
   * @default - such requests are rejected
   */
  readonly allowHeadersWithUnderscores?: Justification;
  /**
   * Why the admission policy that guards the boundary is left out.
   * @default - it is emitted
   */
  readonly withoutAdmissionPolicy?: Justification;
}

/**
 * A mesh that we own.
 *
 * @exampleMetadata fixture=meshes
 * @example
 * const shop = new FederatedMesh(new Chart(app, 'shop'), 'Mesh', {
 *   meshName: 'shop',
 *   trustDomain: 'shop.example',
 *   trustBundle: TrustBundle.fromPemFile('trust/shop.pem'),
 *   endpoints: [{ address: 'federation.shop.example' }],
 * });
 * shop.addPeer(west);
 */
export class FederatedMesh extends Construct implements IMeshPeer {
  public readonly meshName: string;
  public readonly trustDomain: string;
  public readonly endpoints: GatewayEndpoint[];
  public readonly ingressIdentity: SpiffeId;
  public readonly egressIdentity: SpiffeId;
  public readonly trustBundle: TrustBundle;
  /** Trust domain of the callers' own identities. */
  public readonly workloadTrustDomain: string;
  /** Namespace of the gateways that have none of their own. */
  public readonly namespaceName: string;
  /** Names of the ingress gateway, for your own network policies and dashboards. */
  public readonly ingressGateway: BoundaryGatewayAttributes;
  /** Names of the egress gateway. */
  public readonly egressGateway: BoundaryGatewayAttributes;
  /** @internal */
  public readonly _istioVersion: IstioVersion;
  /** @internal */
  public readonly _boundary: Boundary;
  /**
   * By export name.
   * @internal
   */
  public readonly _exposures = new Map<string, ExposedService>();
  /**
   * By local host.
   * @internal
   */
  public readonly _bindings = new Map<string, RemoteServiceBinding>();
  /**
   * Services that stand for local names.
   * @internal
   */
  public readonly _ownServices = new Set<ApiObject>();
  private readonly rootNamespaceName: string;

  /**
   * Throws FED101 to FED106 for names, domains and endpoints that cannot be used, FED111 for names that Kubernetes refuses, FED112 when
   * the chart belongs to another mesh, FED113 when another boundary of the mesh has the namespace, FED114 for a reason that says
   * nothing, FED116 and FED127 for gateways that cannot be the boundary's, FED118 for Istio's root namespace, FED125 for an option that was not proved with
   * the Istio of the mesh, FED133 for workloads of another trust domain while a gateway presents the mesh's own certificate.
   */
  constructor(scope: Construct, id: string, props: FederatedMeshProps) {
    super(scope, id);
    const { rootNamespaceName = DEFAULT_ROOT_NAMESPACE, endpoints = [] } = props;
    checkMeshName(this, props.meshName);
    checkTrustDomain(this, props.trustDomain);
    checkGiven(this, 'trustBundle', props.trustBundle, TrustBundle);
    checkEndpoints(this, endpoints);
    for (const option of ['createNamespace', 'connectAfterHandshake'] as const) checkFlag(this, option, props[option]);
    if (props.credential !== undefined) checkGiven(this, 'credential', props.credential, GatewayCredential);
    for (const name of ['ingressGateway', 'egressGateway'] as const) {
      if (props[name] !== undefined) checkGiven(this, name, props[name], BoundaryGateway);
    }
    if (props.withoutAdmissionPolicy !== undefined) checkDeviation(this, 'leaving the admission policy out', props.withoutAdmissionPolicy);
    if (props.allowHeadersWithUnderscores !== undefined) {
      checkDeviation(this, 'allowing headers with underscores', props.allowHeadersWithUnderscores);
    }
    const site = siteOf(props);
    checkWorkloadTrustDomain(this, site);
    checkWhoRuns(this, props.egressGateway, site);
    [site.namespaceName, rootNamespaceName, site.monitoringNamespaceName].forEach((name) => checkNamespace(this, name));
    checkDomain(this, site.clusterDomain, 'FED111', 'cluster domain');
    checkObjectName(this, site.accessLogProvider, 'access log provider');
    if (props.revision !== undefined) checkRevision(this, props.revision);
    this._istioVersion = props.istioVersion ?? IstioVersion.V1_31;
    if (props.connectAfterHandshake) checkProved(this, 'connectAfterHandshake', this._istioVersion);
    if (props.egressGateway) checkEgressOptions(this, props.egressGateway._options);
    this.meshName = props.meshName;
    this.trustDomain = props.trustDomain;
    this.workloadTrustDomain = site.workloadTrustDomain;
    this.trustBundle = props.trustBundle;
    this.endpoints = endpoints.map((endpoint) => ({ ...endpoint }));
    this.namespaceName = site.namespaceName;
    this.rootNamespaceName = rootNamespaceName;
    claimChart(this, this, this);
    this.ingressGateway = attributesOf(site.ingress);
    this.egressGateway = attributesOf(site.egress);
    this.ingressIdentity = SpiffeId.forServiceAccount({ trustDomain: this.trustDomain, ...this.ingressGateway });
    this.egressIdentity = SpiffeId.forServiceAccount({ trustDomain: this.trustDomain, ...this.egressGateway });
    this._boundary = new Boundary(this, site, props.withoutAdmissionPolicy === undefined);
    this.checkNamespaceAlone();
    this.node.addValidation({ validate: () => mistakesAtTheEnd(this) });
  }

  /**
   * Agrees to deal with a peer. Grants nothing.
   *
   * The same call again changes nothing. Throws FED101, FED102, FED104 to FED106 and FED117 for a peer of another make that could not be
   * stated as a `RemoteMesh` either, FED103 when the peer has our trust domain, FED109 for other options than before, FED110
   * for a name that we use already, FED114 for a reason that says nothing, FED119 for a CA that we know as somebody else's, FED124 for
   * headers that cannot be taken away, FED125 for limits with an Istio with which they were not proved, FED126 for limits that cannot be
   * kept, FED128 for options that a gateway of others cannot keep, FED134 for a trust ConfigMap that cannot be used, FED407 for ourselves.
   */
  public addPeer(peer: IMeshPeer, options: AddPeerOptions = {}): void {
    checkPeerGiven(this, peer);
    checkPeerOptions(this, peer, options);
    checkPeer(this, peer);
    if (options.trustConfigMapName !== undefined) checkTrustConfigMap(this, peer, options.trustConfigMapName);
    const notes = { ...notesOf(options), isolated: options.isolated && reasonOf(options.isolated) };
    const terms = { notes, traffic: trafficOf(this, options, this._istioVersion) };
    if (options.stripTracing) checkRunByUs(this, this._boundary.site, `stripTracing for peer ${show(peer.meshName)}`, 'it may take part in traces');
    const earlier = this._boundary.peers.get(peer);
    if (earlier && JSON.stringify(earlier) !== JSON.stringify(terms)) {
      fail('FED109', this, `peer ${show(peer.meshName)} is added twice, with different options`, 'put all options into one call');
    }
    this._boundary.agree(peer, terms);
  }

  /**
   * Offers a service. Nobody may call it until `allowFrom`. Objects go into the mesh's chart.
   *
   * @param id of the construct, and of nothing in the output
   * @param options what is offered
   */
  public expose(id: string, options: ExposedServiceOptions): ExposedService {
    return new ExposedService(this, id, { mesh: this, ...options });
  }

  /**
   * Gives a peer's service a local name. Nobody may call it until `allowFrom`. Objects go into the mesh's chart.
   *
   * @param id of the construct, and of nothing in the output
   * @param options whose service, under which name
   */
  public bind(id: string, options: RemoteServiceBindingOptions): RemoteServiceBinding {
    return new RemoteServiceBinding(this, id, { mesh: this, ...options });
  }

  /**
   * Closes ways round the egress gateway for one namespace of workloads.
   *
   * A Sidecar without selector, so that their sidecars know Services of the mesh, bound names among them, and drop calls to anything else:
   * hosts of the internet, the peers' own gateways. And a NetworkPolicy for those who go past a sidecar, which leaves the pods of the
   * cluster, and ports 53 and 15012 everywhere; what needs the Kubernetes API needs a policy of its own there. Both go into the mesh's
   * chart. Not closed: other pods of the cluster that pass calls on, and a namespace's own objects that take the place of ours: who may
   * write Sidecars or NetworkPolicies there decides. No other Sidecar of the namespace may be without selector: the older one would win.
   *
   * Throws FED111 for a name that Kubernetes refuses, FED114 for a reason that says nothing, FED118 for a namespace that is reserved,
   * FED121 for one that is restricted already, FED122 for hosts of another form. Synthesis fails (FED122) for the host of a peer's gateway.
   *
   * @param namespaceName of the workloads
   * @param options why, and what stays open
   */
  public restrictNamespace(namespaceName: string, options: RestrictNamespaceOptions): void {
    checkNamespace(this, namespaceName);
    checkRestriction(this, options);
    checkJustification(this, `restricting ${show(namespaceName)}`, options);
    this._checkFree(this, namespaceName, 'what is to be restricted');
    if (this._boundary.siblings.some(({ restrictions }) => restrictions.has(namespaceName))) {
      fail('FED121', this, `the namespace ${show(namespaceName)} is restricted already`, 'keep one call, with all its allowedHosts');
    }
    const allowedHosts = [...new Set(options.allowedHosts ?? [])].sort();
    this._boundary.restrict({ namespaceName, allowedHosts }, { restricted: reasonOf(options) });
  }

  /** @internal */
  public get _peers(): IMeshPeer[] {
    return [...this._boundary.peers.keys()];
  }

  /** @internal */
  public _addExposure(exposure: ExposedService): void {
    const twin = this._exposures.get(exposure.exportName);
    if (twin) {
      fail('FED302', exposure, `the export name ${show(exposure.exportName)} is that of ${twin.node.path}`,
        'choose another name, or list the ports in one exposure');
    }
    this._exposures.set(exposure.exportName, exposure);
    this._boundary.exposedHosts.set(exposure._host, exposure._service.namespaceName);
    this._boundary.openIngress();
  }

  /** @internal */
  public _addBinding(binding: RemoteServiceBinding): void {
    const { _alias: alias } = binding;
    const taken = hostsOf(alias).find((host) => this._boundary.siblings.some((boundary) => boundary.binds(host)));
    if (taken !== undefined) {
      fail('FED401', binding, `the local name ${show(taken)} is bound already in mesh ${show(this.meshName)}`,
        'choose another name, or remove one of the bindings');
    }
    this._bindings.set(alias.host, binding);
    this._boundary.addAlias(alias);
    this._boundary.openEgress();
  }

  /**
   * The boundary and Istio itself are no application: what is theirs is never exposed, bound or a caller.
   * @internal
   */
  public _checkFree(where: Construct, namespaceName: string, what: string): void {
    const owner = namespaceName === this.rootNamespaceName ? 'Istio itself'
      : SYSTEM_NAMESPACE.test(namespaceName) ? 'Kubernetes itself'
        : this._boundary.siblings.some(({ site }) => namespacesOf(site).includes(namespaceName)) ? 'the boundary' : undefined;
    if (owner) {
      fail('FED118', where, `${what} is in the namespace ${show(namespaceName)} of ${owner}`,
        'name something of an application, in a namespace of its own');
    }
  }

  /**
   * A caller of ours is known to our mesh only, and no part of the boundary.
   * @internal
   */
  public _checkCaller(where: Construct, caller: Caller): void {
    const { serviceAccountName, namespaceName, object } = caller._account;
    if (object) claimChart(object, this, where);
    if (namespaceName !== undefined) this._checkFree(where, namespaceName, `the caller ${show(serviceAccountName ?? '*')}`);
  }

  private checkNamespaceAlone(): void {
    const namespaces = namespacesOf(this._boundary.site);
    checkNamespaces(this, this._boundary.site, this.rootNamespaceName);
    const others = this._boundary.siblings.filter((boundary) => boundary !== this._boundary);
    const stranger = others.find(({ site }) => site.meshName !== this.meshName);
    if (stranger) {
      fail('FED103', this, `mesh ${show(stranger.site.meshName)} has the trust domain ${show(this.trustDomain)} as well: its workloads would be ours`,
        'give each mesh a trust domain of its own (meshConfig.trustDomain); boundaries of one mesh share its meshName');
    }
    const other = others.find(({ site }) => site.workloadTrustDomain !== this.workloadTrustDomain);
    if (other) {
      fail('FED133', this, `its workloads are of the trust domain ${show(this.workloadTrustDomain)}, those of another boundary of the mesh of `
        + show(other.site.workloadTrustDomain), 'give all boundaries of a mesh the same workloadTrustDomain');
    }
    const taken = namespaces.find((name) => others.some(({ site }) => namespacesOf(site).includes(name)));
    if (taken !== undefined) {
      fail('FED113', this, `another boundary of the trust domain ${show(this.trustDomain)} has the namespace ${show(taken)}`,
        'give each boundary of a mesh its own namespaceName, and each of its gateways a namespace that no other boundary has');
    }
  }
}
