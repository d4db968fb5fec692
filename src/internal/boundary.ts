import { ApiObject } from 'cdk8s';
import { Construct, IConstruct } from 'constructs';
import { Declarations } from './declarations';
import { memoryLimitOf } from './memory';
import { GatewaySite, Grant, LocalRoute, Notes, Peer, PeerTerms, Restriction, Site, speaksHttp } from './model';
import { Parts } from './parts';
import { SpiffeId } from '../identity';
import type { IMeshPeer } from '../peer';
import * as render from '../render';

/*
 * One boundary of ours: the objects that stand for what is declared. They come into being with the first declaration that needs them and
 * read their fields when the chart is written, so the order of declarations never shows.
 */

const boundaries = new WeakMap<IConstruct, Boundary[]>();
const roots = new WeakSet<IConstruct>();

export class Boundary extends Declarations {
  /** Whether a construct is the parent of a boundary's objects. */
  public static holds(construct: IConstruct): boolean {
    return roots.has(construct);
  }

  private readonly phases: render.Phases;
  private readonly parts = new Parts();
  /** Namespaces with rules of their own that lead to the egress gateway, and who wants to hear of each. */
  private readonly ledNamespaces = new Set<string>();
  private readonly onLed: ((namespaceName: string) => void)[] = [];

  constructor(private readonly mesh: Construct, public readonly site: Site, private readonly guarded: boolean) {
    super();
    const root = new Construct(mesh, 'Boundary');
    roots.add(root);
    this.phases = new render.Phases(root, site.delivery);
    const app = boundaries.get(mesh.node.root) ?? [];
    boundaries.set(mesh.node.root, [...app, this]);
  }

  /** The boundaries of one mesh that the program knows, this one included. */
  public get siblings(): Boundary[] {
    return boundaries.get(this.mesh.node.root)!.filter(({ site }) => site.trustDomain === this.site.trustDomain);
  }

  /** Who comes to a service from outside: the ingress gateway of each boundary that exposes it. */
  public gatewaysTo(host: string): string[] {
    return this.siblings.filter(({ exposedHosts }) => exposedHosts.has(host)).map(({ site: { workloadTrustDomain: trustDomain, ingress } }) =>
      SpiffeId.forServiceAccount({ trustDomain, ...ingress }).principal);
  }

  /** The objects that a first exposure needs: the gateway, closed. */
  public openIngress(): void {
    this.parts.once('ingress', () => {
      this.open(this.site.ingress);
      const { authorization, network, workload } = this.phases;
      if (this.site.ingress.existing) {
        const guard = render.renderGuardAmongOthers(authorization, this.site, () => this.grantedPeers);
        render.annotate(guard, { ...this.site.notes, ...this.site.ingress.notes });
        return render.renderCredential(workload, this.site, this.site.ingress);
      }
      render.annotate(render.renderDefaultDeny(authorization, this.site, this.site.ingress), this.site.notes);
      this.keepIngressEdge();
      render.renderIngressNetwork(network, this.site, () => this.backendNamespaces);
      render.renderWorkload(workload, this.site, this.site.ingress, () => this.surroundingsOf('ingress'));
    });
    this.cutOff();
  }

  /** The objects that a first binding needs: the gateway, closed. */
  public openEgress(): void {
    this.parts.once('egress', () => {
      this.open(this.site.egress);
      const { authorization, network, workload } = this.phases;
      render.annotate(render.renderDefaultDeny(authorization, this.site, this.site.egress), this.site.notes);
      render.renderWorkloads(authorization, this.site);
      this.parts.once('filter edge egress', () => [render.renderEgressEdge(authorization, this.site, () => this.openRoutes)]);
      render.renderEgressNetwork(network, this.site, () => this.callerNamespaces, () => this.peerPorts);
      render.renderWorkload(workload, this.site, this.site.egress, () => this.surroundingsOf('egress'));
    });
    this.cutOff();
  }

  /** What one exported port for one peer needs. The grant may change until the chart is written. */
  public addGrant(grant: Grant): void {
    const { authorization, listeners, routes, trust } = this.phases;
    const { peer, sni } = grant;
    const traffic = () => this.trafficWith(peer);
    this.keepGrant(grant);
    if (!traffic().trustConfigMapName) this.forPeer(peer, `trust ${peer.name}`, () => [render.renderPeerTrust(trust, this.site, peer)]);
    this.forPeer(peer, `policies ${peer.name}`, () => render.renderPeerPolicies(authorization, this.site, peer));
    this.keepIngressEdge();
    if (!speaksHttp(grant.protocol)) this.connectAfterHandshake(this.site.ingress);
    if (grant.idleTimeout !== undefined) {
      this.forPeer(peer, `filter idle ${sni}`, () => [render.renderIdleTimeout(this.phases.upstreams, this.site, grant, grant.idleTimeout!)]);
    }
    this.limit(peer.name);
    this.forPeer(peer, `in ${peer.name}`, () => [render.annotate(
      render.renderPeerListeners(listeners, this.site, peer, traffic, () => this.grantsTo(peer.name)), this.notesOn('in', peer.name),
    )]);
    this.forPeer(peer, `grant ${sni}`, () => [render.renderIngressRoute(routes, this.site, grant, traffic)]);
    this.noteGrant(grant);
  }

  /** What a grant says beside its rules, once more when there is another one for the same port: what people stated, whose tokens it demands. */
  public noteGrant(grant: Grant): void {
    this.parts.get(`grant ${grant.sni}`).forEach((route) => render.annotate(route, grant.notes));
    this.keepTokensOf(grant);
    this.keepTokens();
  }

  /** What one local port needs in the boundary. */
  public addRoute(route: LocalRoute): void {
    const { listeners, routes } = this.phases;
    const { peer } = route.upstream;
    this.keepRoute(route);
    this.keepTrust();
    this.forPeer(peer, `upstream ${route.upstream.sni}`, () =>
      render.renderUpstream(this.phases.upstreams, this.site, route.upstream, () => this.trafficWith(peer)));
    if (!speaksHttp(route.upstream.protocol)) this.connectAfterHandshake(this.site.egress);
    this.forPeer(peer, `out ${peer.name}`, () => [render.annotate(
      render.renderLocalListeners(listeners, this.site, peer, () => this.routesTo(peer)), this.notesOn('out', peer.name),
    )]);
    this.forPeer(peer, `route ${route.bindingHost}`, () => [render.renderEgressRoute(routes, this.site, route, () => this.trafficWith(peer))]);
  }

  /** Somebody whom no handshake can list may use a local port. */
  public guardUnlisted(route: LocalRoute): void {
    this.forPeer(route.upstream.peer, `unlisted ${route.bindingHost}`, () => [render.renderUnlistedCallers(this.phases.authorization, this.site, route)]);
  }

  /** What keeps the workloads of a namespace from going round the egress gateway. */
  public restrict(restriction: Restriction, notes: Notes): void {
    this.restrictions.set(restriction.namespaceName, restriction);
    render.renderRestriction(this.phases.network, this.site, restriction, () => this.boundNames).forEach((object) => render.annotate(object, notes));
  }

  /** What leads the callers of every namespace that has no such rule of its own. */
  public leadEverybody(route: LocalRoute): void {
    render.renderCallerDestination(this.phases.upstreams, this.site, route);
  }

  /** A namespace has got a rule of its own, which hides the one for everybody. */
  public noteLedNamespace(namespaceName: string): void {
    if (this.ledNamespaces.has(namespaceName)) return;
    this.ledNamespaces.add(namespaceName);
    this.onLed.forEach((led) => led(namespaceName));
  }

  /** Tells of each namespace with a rule of its own, those that have one and those to come. */
  public onLedNamespace(led: (namespaceName: string) => void): void {
    this.onLed.push(led);
    [...this.ledNamespaces].forEach(led);
  }

  /**
   * Agrees to deal with a peer, or to deal with it no more. What people stated about it stands on the listeners for it, those that exist
   * and those to come; of a peer that is cut off, all goes that was there for it.
   */
  public agree(peer: IMeshPeer, terms: PeerTerms): void {
    this.peers.set(peer, terms);
    if (terms.traffic.trustConfigMapName) this.parts.remove(`trust ${peer.meshName}`);
    if (this.isolates(peer.meshName)) {
      this.parts.removeAllOf(peer.meshName);
      if (!this.hasServers(this.openGrants.filter(({ protocol }) => !speaksHttp(protocol)))) this.parts.remove('filter ingress');
      if (!this.hasServers(this.openGrants)) this.parts.remove('filter edge ingress');
      this.cutOff();
    }
    this.keepTrust();
    this.keepTokens();
    this.limit(peer.meshName);
    for (const side of ['in', 'out'] as const) {
      this.parts.get(`${side} ${peer.meshName}`).forEach((object) => render.annotate(object, this.notesOn(side, peer.meshName)));
    }
  }

  /** Objects that hold something of each grant or of each local port, so that their number decides their size. */
  public get collecting(): ApiObject[] {
    return ['filter ', 'in ', 'out '].flatMap((prefix) => this.parts.all(prefix));
  }

  private open({ namespaceName, existing }: GatewaySite): void {
    const { admission, namespace, network } = this.phases;
    if (this.guarded) this.parts.once('admission', () => render.renderAdmission(admission, this.site, () => this.neighbourhood));
    if (existing) return;
    this.parts.once(`namespace ${namespaceName}`, () => {
      if (this.site.createNamespace) render.renderNamespace(namespace, namespaceName);
      render.renderNetworkDeny(network, this.site, namespaceName);
    });
  }

  /** Whether a filter of the ingress gateway has something to patch: on a shared gateway it names the servers of the grants one by one. */
  private hasServers(grants: Grant[]): boolean {
    return !this.site.ingress.existing || grants.length > 0;
  }

  private keepIngressEdge(): void {
    if (!this.hasServers(this.openGrants)) return;
    this.parts.once('filter edge ingress', () => [render.renderIngressEdge(this.phases.authorization, this.site, () => this.openGrants)]);
  }

  private connectAfterHandshake(gateway: GatewaySite): void {
    if (!this.site.connectAfterHandshake) return;
    this.parts.once(`filter ${gateway.role}`, () => [render.renderConnectAfterHandshake(this.phases.upstreams, gateway, () => this.openGrants)]);
  }

  /** The limits of a peer, once it may call what they are for. */
  private limit(peerName: string): void {
    const limits = this.termsFor(peerName)?.traffic.limits;
    const key = `filter limits ${peerName}`;
    if (!limits || this.parts.has(key)) return;
    const limited = this.grantsTo(peerName).find((grant) => render.limitsOn(grant, limits).length > 0);
    if (!limited) return;
    this.forPeer(limited.peer, key, () =>
      [render.renderLimits(this.phases.upstreams, this.site, limited.peer, limits, () => this.grantsTo(peerName))]);
  }

  /** The CAs of the peers that we call, as far as we keep them. */
  private keepTrust(): void {
    if (this.ownTrust.length === 0) return this.parts.remove('upstream trust');
    this.parts.once('upstream trust', () => [render.renderUpstreamTrust(this.phases.trust, this.site, () => this.ownTrust)]);
  }

  /** The issuers whose tokens somebody must have, and that tokens are nobody else's business. */
  private keepTokens(): void {
    if (this.issuers.none) return;
    const { everywhere, issuers } = this.tokenNeeds;
    const demanded = new Map(issuers.map((issuer) => [`issuer ${issuer.issuer}`, issuer]));
    this.parts.keys('issuer ').filter((key) => !demanded.has(key)).forEach((key) => this.parts.remove(key));
    if (demanded.size === 0 || everywhere) this.parts.remove('filter jwt');
    else this.parts.once('filter jwt', () => [render.renderTokensElsewhere(this.phases.upstreams, this.site, () => this.grantsWithoutToken)]);
    for (const [key, issuer] of demanded) this.parts.once(key, () => [render.renderIssuer(this.phases.listeners, this.site, issuer)]);
  }

  /** What is there for a peer unless it is cut off. */
  private forPeer(peer: Peer, key: string, create: () => ApiObject[]): void {
    if (!this.isolates(peer.name)) this.parts.onceFor(peer.name, key, create);
  }

  /** What says at each gateway that a peer is cut off. */
  private cutOff(): void {
    for (const gateway of this.openGateways) {
      for (const peer of this.isolatedPeers) {
        this.parts.once(`isolation ${gateway.role} ${peer.name}`, () =>
          [render.annotate(render.renderIsolation(this.phases.authorization, this.site, gateway, peer), this.notesOn('out', peer.name))]);
      }
    }
  }

  /** Our gateways that exist. */
  private get openGateways(): GatewaySite[] {
    return [this.site.ingress, this.site.egress].filter(({ role }) => this.parts.has(role));
  }

  /** How many ports a gateway serves: exported ones, each once for each peer, or local ones. */
  public servedPorts(role: GatewaySite['role']): number {
    return role === 'ingress' ? this.openGrants.length : this.openRoutes.length;
  }

  private surroundingsOf(role: GatewaySite['role']): render.Surroundings {
    const trustOfOthers = this.calledPeers.flatMap((peer) => {
      const { trustConfigMapName } = this.trafficWith(peer);
      return trustConfigMapName === undefined ? [] : [{ peer, configMapName: trustConfigMapName }];
    });
    return {
      callerNamespaces: this.callerNamespaces,
      calledPeers: this.calledPeers,
      trustOfOthers,
      traced: this.traced,
      memoryLimit: memoryLimitOf(this.site[role], this.servedPorts(role)),
    };
  }

  private get neighbourhood(): render.Neighbourhood {
    return {
      gateways: this.openGateways,
      ownFilters: this.parts.names('filter '),
      boundaryNamespaces: [...new Set(this.siblings.flatMap(({ openGateways }) => openGateways.map(({ namespaceName }) => namespaceName)))].sort(),
      domains: this.peersDomains,
      aliases: this.boundNames,
    };
  }
}
