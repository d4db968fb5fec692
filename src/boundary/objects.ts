import { ApiObject } from 'cdk8s';
import { Construct } from 'constructs';
import { Declarations } from './declarations';
import { GrowingList } from './growing-list';
import { PartKey, Parts } from './parts';
import { memoryLimitOf } from '../model/memory';
import { Annotations, Binding, BoundaryConfig, GatewayConfig, Grant, LocalRoute, Peer, PeerTraffic, Restriction, speaksHttp } from '../model/model';
import * as render from '../render';

/*
 * The objects of one boundary. Each is created with the first declaration that needs it, and reads its fields when the
 * chart is written, so the output does not depend on the order of declarations.
 */

/** Values of all boundaries of the mesh that the objects of one boundary need. */
interface MeshContext {
  /** Namespaces of the gateways of all boundaries of the mesh. */
  readonly boundaryNamespaces: () => string[];
  /** Bindings of all boundaries of the mesh, sorted by host. */
  readonly bindings: () => Binding[];
}

const roots = new WeakSet<Construct>();

export class BoundaryObjects {
  /** Whether a construct is the parent of a boundary's objects. */
  public static holds(construct: unknown): boolean {
    return roots.has(construct as Construct);
  }

  private readonly phases: render.Phases;
  private readonly parts = new Parts();
  /**
   * Namespaces with a DestinationRule of their own for the egress gateway. It overrides the rule for all namespaces.
   */
  private readonly destinationNamespaces = new GrowingList<string>();

  constructor(
    mesh: Construct, private readonly config: BoundaryConfig, private readonly declared: Declarations, private readonly context: MeshContext,
  ) {
    const root = render.keep(new Construct(mesh, 'Boundary'));
    roots.add(root);
    this.phases = new render.Phases(root, config.delivery);
  }

  /** Creates the ingress gateway, which denies everything until a grant is added. */
  public openIngress(): void {
    const { config, declared } = this;
    this.parts.once('ingress', () => {
      this.open(config.ingress);
      const { authorization, network, workload } = this.phases;
      if (!config.ingress.control.listeners) {
        const guard = render.renderSharedGatewayGuard(authorization, config, () => declared.grantedPeers);
        render.annotate(guard, { ...config.annotations, ...config.ingress.annotations });
      } else {
        render.annotate(render.renderDefaultDeny(authorization, config, config.ingress), config.annotations);
      }
      this.updateIngressEdge();
      if (!config.ingress.control.pods) return render.renderCredential(workload, config, config.ingress);
      render.renderIngressNetwork(network, config, () => declared.backendNamespaces);
      render.renderWorkload(workload, config, config.ingress, () => this.contextOf('ingress'));
      render.renderAutoscaler(this.phases.autoscaling, config.ingress);
    });
    this.isolatePeers();
  }

  /** Creates the egress gateway, which denies everything until a route is added. */
  public openEgress(): void {
    const { config, declared } = this;
    this.parts.once('egress', () => {
      this.open(config.egress);
      const { authorization, network, workload } = this.phases;
      render.annotate(render.renderDefaultDeny(authorization, config, config.egress), config.annotations);
      render.renderMeshWorkloads(authorization, config);
      this.parts.once('filter edge egress', () => [render.renderEgressEdge(authorization, config, () => declared.openRoutes)]);
      render.renderEgressNetwork(network, config, () => declared.callerNamespaces, () => declared.peerPorts);
      render.renderWorkload(workload, config, config.egress, () => this.contextOf('egress'));
      render.renderAutoscaler(this.phases.autoscaling, config.egress);
    });
    this.isolatePeers();
  }

  /** Creates the objects of one exported port for one peer. The grant may grow until the chart is written. */
  public addGrant(grant: Grant): void {
    const { config, declared } = this;
    const { authorization, listeners, routes, trust, upstreams } = this.phases;
    const { peer, port, sni } = grant;
    const traffic = () => declared.trafficWith(peer.name);
    if (traffic().trustConfigMapName === undefined) this.forPeer(peer, `trust ${peer.name}`, () => [render.renderPeerTrust(trust, config, peer)]);
    this.forPeer(peer, `policies ${peer.name}`, () => render.renderPeerPolicies(authorization, config, peer));
    this.updateIngressEdge();
    if (!speaksHttp(port.protocol) && this.hasServers(forwardsBytes)) this.connectAfterHandshake(config.ingress);
    const { idleTimeout } = port;
    if (idleTimeout !== undefined) this.forPeer(peer, `filter idle ${sni}`, () => [render.renderIdleTimeout(upstreams, config, grant, idleTimeout)]);
    this.updateLimits(peer.name, [grant]);
    this.forPeer(peer, `in ${peer.name}`, () => [render.annotate(
      render.renderPeerListeners(listeners, config, peer, traffic, () => declared.grantsTo(peer.name)), declared.annotationsOn('in', peer.name),
    )]);
    this.forPeer(peer, `grant ${sni}`, () => [render.renderIngressRoute(routes, config, grant, traffic)]);
    this.updateGrant(grant, grant.annotations);
  }

  /** Updates the annotations and tokens of a grant after each `allowFrom` for its port, which may add annotations. */
  public updateGrant(grant: Grant, added: Annotations): void {
    this.parts.get(`grant ${grant.sni}`).forEach((route) => render.annotateLater(route, added, () => grant.annotations));
    this.updateIssuers();
  }

  /** Creates the objects of one local port and its upstream. */
  public addRoute(route: LocalRoute): void {
    const { config, declared } = this;
    const { listeners, routes, upstreams } = this.phases;
    const { upstream } = route;
    const { peer } = upstream;
    const traffic = () => declared.trafficWith(peer.name);
    this.updateTrust();
    this.forPeer(peer, `upstream ${upstream.sni}`, () => render.renderUpstream(upstreams, config, upstream, traffic));
    if (!speaksHttp(upstream.protocol)) this.connectAfterHandshake(config.egress);
    this.forPeer(peer, `out ${peer.name}`, () => [render.annotate(
      render.renderLocalListeners(listeners, config, peer, () => declared.routesTo(peer.name)), declared.annotationsOn('out', peer.name),
    )]);
    this.forPeer(peer, `route ${route.bindingHost}`, () => [render.renderEgressRoute(routes, config, route, traffic)]);
  }

  /** Creates the policy for callers whose identities are not listed, so that the handshake cannot verify them. */
  public guardUnlisted(route: LocalRoute): void {
    this.forPeer(route.upstream.peer, `unlisted ${route.bindingHost}`, () =>
      [render.renderCallerGuard(this.phases.authorization, this.config, route)]);
  }

  /** Creates a DestinationRule for callers of all namespaces, and one in each namespace whose own rule overrides it. */
  public addDestinationForEverybody(route: LocalRoute, inNamespace: (namespaceName: string) => void): void {
    render.renderCallerDestination(this.phases.upstreams, this.config, route);
    this.destinationNamespaces.forEachNowAndLater(inNamespace);
  }

  /** Registers a namespace that has a DestinationRule of its own for the egress gateway. */
  public addDestinationNamespace(namespaceName: string): void {
    if (!this.destinationNamespaces.all.includes(namespaceName)) this.destinationNamespaces.add(namespaceName);
  }

  public restrict(restriction: Restriction): void {
    render.renderRestriction(this.phases.network, this.config, restriction, () => this.context.bindings())
      .forEach((object) => render.annotate(object, restriction.annotations));
  }

  /** Applies the options of a peer: annotates its listeners, or removes all its objects if it is isolated. */
  public updatePeer(peerName: string): void {
    const { declared } = this;
    if (declared.trafficWith(peerName).trustConfigMapName !== undefined) this.parts.remove(`trust ${peerName}`);
    if (declared.isolates(peerName)) {
      this.parts.removeAllOf(peerName);
      if (!this.hasServers(forwardsBytes)) this.parts.remove('filter ingress');
      if (!this.hasServers()) this.parts.remove('filter edge ingress');
      this.isolatePeers();
    }
    this.updateTrust();
    this.updateIssuers();
    this.updateLimits(peerName, declared.grantsTo(peerName));
    for (const side of ['in', 'out'] as const) {
      this.parts.get(`${side} ${peerName}`).forEach((object) => render.annotate(object, declared.annotationsOn(side, peerName)));
    }
  }

  /** The gateways that exist. */
  public get openGateways(): GatewayConfig[] {
    return [this.config.ingress, this.config.egress].filter(({ role }) => this.parts.has(role));
  }

  /** Number of ports that a gateway serves: exported ports, once for each peer, or local ports. */
  public servedPorts(role: GatewayConfig['role']): number {
    return role === 'ingress' ? this.declared.openGrants.length : this.declared.openRoutes.length;
  }

  private open({ namespaceName, control }: GatewayConfig): void {
    const { admission, namespace, network } = this.phases;
    if (this.config.admissionPolicy) this.parts.once('admission', () => [render.renderAdmission(admission, this.config, () => this.admissionContext)]);
    if (!control.pods) return;
    this.parts.once(`namespace ${namespaceName}`, () => {
      if (this.config.createNamespace) render.renderNamespace(namespace, this.config, namespaceName);
      render.renderNetworkDeny(network, this.config, namespaceName);
    });
  }

  /**
   * Whether a filter of the ingress gateway has servers to patch. On an existing gateway, it lists the servers of the
   * grants.
   */
  private hasServers(open: (grant: Grant) => boolean = () => true): boolean {
    return this.config.ingress.control.listeners || this.declared.hasOpenGrant(open);
  }

  private updateIngressEdge(): void {
    if (!this.hasServers()) return;
    this.parts.once('filter edge ingress', () =>
      [render.renderIngressEdge(this.phases.authorization, this.config, () => this.declared.openGrants)]);
  }

  private connectAfterHandshake(gateway: GatewayConfig): void {
    if (!this.config.connectAfterHandshake) return;
    this.parts.once(`filter ${gateway.role}`, () =>
      [render.renderConnectAfterHandshake(this.phases.upstreams, gateway, () => this.declared.openGrants)]);
  }

  /** Creates the limits of a peer as soon as it has a grant to which they apply. `grants` may be the first such one. */
  private updateLimits(peerName: string, grants: Grant[]): void {
    const { limits } = this.declared.trafficWith(peerName);
    const key = `filter limits ${peerName}` as const;
    if (!limits || this.parts.has(key)) return;
    const limited = grants.find((grant) => render.limitPatches(grant, limits).length > 0);
    if (!limited) return;
    this.forPeer(limited.peer, key, () =>
      [render.renderLimits(this.phases.upstreams, this.config, limited.peer, limits, () => this.declared.grantsTo(peerName))]);
  }

  /** Creates or removes the trust of the peers that we call. */
  private updateTrust(): void {
    const { declared } = this;
    if (!declared.callsPeersWithOurTrust) return this.parts.remove('upstream trust');
    this.parts.once('upstream trust', () => [render.renderUpstreamTrust(this.phases.trust, this.config, () => declared.calledPeersWithOurTrust)]);
  }

  /**
   * Creates a RequestAuthentication for each required issuer, and the filter that disables JWT checks where no token is
   * required.
   */
  private updateIssuers(): void {
    const { declared } = this;
    if (declared.issuers.none) return;
    const { everywhere, issuers } = declared.requiredTokens;
    const required = new Map(issuers.map((issuer) => [`issuer ${issuer.issuer}` as PartKey, issuer]));
    this.parts.keys('issuer ').filter((key) => !required.has(key)).forEach((key) => this.parts.remove(key));
    if (required.size === 0 || everywhere) this.parts.remove('filter jwt');
    else this.parts.once('filter jwt', () => [render.renderJwtDisabled(this.phases.upstreams, this.config, () => declared.grantsWithoutToken)]);
    for (const [key, issuer] of required) this.parts.once(key, () => [render.renderIssuer(this.phases.listeners, this.config, issuer)]);
  }

  /** Creates an object for a peer, unless the peer is isolated. */
  private forPeer(peer: Peer, key: PartKey, create: () => ApiObject[]): void {
    if (!this.declared.isolates(peer.name)) this.parts.onceFor(peer.name, key, create);
  }

  /** The policies at each gateway that deny the isolated peers. */
  private isolatePeers(): void {
    const { config, declared } = this;
    for (const gateway of this.openGateways) {
      for (const peer of declared.isolatedPeers) {
        this.parts.once(`isolation ${gateway.role} ${peer.name}`, () => [render.annotate(
          render.renderIsolation(this.phases.authorization, config, gateway, peer), declared.annotationsOn('out', peer.name),
        )]);
      }
    }
  }

  private contextOf(role: GatewayConfig['role']): render.WorkloadContext {
    const { config, declared } = this;
    const externalTrust = declared.calledPeers.flatMap((peer) => {
      const { trustConfigMapName }: PeerTraffic = declared.trafficWith(peer.name);
      return trustConfigMapName === undefined ? [] : [{ peer, configMapName: trustConfigMapName }];
    });
    return {
      callerNamespaces: declared.callerNamespaces,
      calledPeers: declared.calledPeers,
      externalTrust,
      tracePropagation: declared.tracePropagation,
      memoryLimit: memoryLimitOf(config[role], this.servedPorts(role)),
    };
  }

  private get admissionContext(): render.AdmissionContext {
    const { declared } = this;
    return {
      gateways: this.openGateways,
      ownFilters: this.parts.names('filter '),
      boundaryNamespaces: this.context.boundaryNamespaces(),
      domains: declared.peerSniSuffixes,
      bindings: declared.sortedBindings,
    };
  }
}

/** Whether the gateways do not read the requests of a port. */
function forwardsBytes({ port }: Grant): boolean {
  return !speaksHttp(port.protocol);
}
