import { ApiObject } from 'cdk8s';
import { Construct, IConstruct } from 'constructs';
import { isDnsName } from './checks';
import { BOUNDARY_PORT } from './endpoint-checks';
import { fail, show, Where } from './errors';
import { Issuers } from './issuers';
import { Alias, GatewaySite, Grant, LocalRoute, Notes, Peer, PeerTerms, PeerTraffic, Restriction, Site, speaksHttp } from './model';
import { Parts } from './parts';
import type { IExposedService } from '../expose';
import { SpiffeId } from '../identity';
import type { IMeshPeer } from '../peer';
import * as render from '../render';

/*
 * One boundary of ours: what has been declared for it, and the objects that stand for it. Objects come into being with the first
 * declaration that needs them and read their fields when the chart is written, so the order of declarations never shows.
 */

const boundaries = new WeakMap<IConstruct, Boundary[]>();
const roots = new WeakSet<IConstruct>();
const peers = new WeakMap<IMeshPeer, Peer>();

export class Boundary {
  /** Whether a construct is the parent of a boundary's objects. */
  public static holds(construct: IConstruct): boolean {
    return roots.has(construct);
  }

  /** Local names by host, in whatever chart. */
  public readonly aliases = new Map<string, Alias>();
  /** Namespaces of the services that are exposed, by host. */
  public readonly exposedHosts = new Map<string, string>();
  /** Where the workload of an exposed service is locked, by host. */
  public readonly locks = new Map<string, Construct>();
  /** Namespaces of workloads that are restricted, by name. */
  public readonly restrictions = new Map<string, Restriction>();
  /** Peers that the mesh has agreed to deal with here, and on what terms. */
  public readonly peers = new Map<IMeshPeer, PeerTerms>();
  public readonly issuers = new Issuers();

  /** Exported ports that are open, by peer. */
  private readonly grants = new Map<string, Grant[]>();
  /** Local ports that somebody may use, by the peer to which they lead. */
  private readonly routes = new Map<string, LocalRoute[]>();
  private readonly phases: render.Phases;
  private readonly parts = new Parts();
  /** Who is called by a name here, and who keeps a suffix of server names for us. */
  private readonly namesakes = new Map<string, IMeshPeer>();
  private readonly suffixes = new Map<string, IMeshPeer>();
  /** Namespaces with rules of their own that lead to the egress gateway, and who wants to hear of each. */
  private readonly ledNamespaces = new Set<string>();
  private readonly onLed: ((namespaceName: string) => void)[] = [];

  constructor(private readonly mesh: Construct, public readonly site: Site, private readonly guarded: boolean) {
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

  /** A name means one peer: objects are named by it. */
  public checkPeerName(where: Where, peer: IMeshPeer): void {
    const namesake = this.namesakes.get(peer.meshName) ?? peer;
    if (namesake !== peer) {
      fail('FED110', where, `the name ${show(peer.meshName)} is that of another peer already, ${namesake.node.path}`,
        'give the peer another meshName: it is our name for it');
    }
    this.namesakes.set(peer.meshName, peer);
  }

  /** A server name means one peer: what leads to it is found by that name. */
  public checkServerNames(where: Where, source: IExposedService, us: IMeshPeer): void {
    const [{ exportPort }] = source.ports;
    const serverName = source.sniFor(us, exportPort);
    const suffix = suffixOf(source.exportName, exportPort, serverName);
    if (!isDnsName(serverName) || serverName !== `p${exportPort}.${source.exportName}${suffix}`) {
      fail('FED301', where, `${show(serverName)} is no server name for port ${exportPort} of ${show(source.exportName)}`,
        'use p<port>.<export name>.<our name>.fed.<trust domain>');
    }
    const namesake = this.suffixes.get(suffix) ?? source.mesh;
    if (namesake !== source.mesh) {
      fail('FED110', where, `the peers ${show(namesake.meshName)} and ${show(source.mesh.meshName)} keep the same server names *${suffix} for us`,
        'agree with one of them on another name for us (knownAs)');
    }
    this.suffixes.set(suffix, source.mesh);
  }

  /** The objects that a first exposure needs: the gateway, closed. */
  public openIngress(): void {
    this.parts.once('ingress', () => {
      this.open(this.site.ingress);
      const { authorization, network, workload } = this.phases;
      if (this.site.ingress.existing) {
        const guard = render.renderGuardAmongOthers(authorization, this.site, () => this.openGrants.map(({ sni }) => sni));
        render.annotate(guard, { ...this.site.notes, ...this.site.ingress.notes });
        return render.renderCredential(workload, this.site, this.site.ingress);
      }
      render.annotate(render.renderDefaultDeny(authorization, this.site, this.site.ingress), this.site.notes);
      render.renderIngressNetwork(network, this.site, () => this.backendNamespaces);
      render.renderWorkload(workload, this.site, this.site.ingress, () => this.surroundings);
    });
    this.cutOff();
  }

  /** The objects that a first binding needs: the gateway, closed. */
  public openEgress(): void {
    this.parts.once('egress', () => {
      this.open(this.site.egress);
      const { authorization, network, workload } = this.phases;
      render.annotate(render.renderDefaultDeny(authorization, this.site, this.site.egress), this.site.notes);
      render.renderEgressNetwork(network, this.site, () => this.callerNamespaces, () => this.peerPorts);
      render.renderWorkload(workload, this.site, this.site.egress, () => this.surroundings);
    });
    this.cutOff();
  }

  /** What one exported port for one peer needs. The grant may change until the chart is written. */
  public addGrant(grant: Grant): void {
    const { authorization, listeners, routes, trust } = this.phases;
    const { peer, sni } = grant;
    const traffic = () => this.trafficWith(peer);
    append(this.grants, peer.name, grant);
    if (!traffic().trustConfigMapName) this.forPeer(peer, `trust ${peer.name}`, () => [render.renderPeerTrust(trust, this.site, peer)]);
    this.forPeer(peer, `guard ${peer.name}`, () => [render.renderPeerGuard(authorization, this.site, grant)]);
    if (!speaksHttp(grant.protocol)) this.connectAfterHandshake(this.site.ingress);
    if (grant.idleTimeout !== undefined) {
      this.forPeer(peer, `filter idle ${sni}`, () => [render.renderIdleTimeout(this.phases.upstreams, this.site, grant, grant.idleTimeout!)]);
    }
    this.limit(peer.name);
    this.forPeer(peer, `in ${peer.name}`, () => [render.annotate(
      render.renderPeerListeners(listeners, this.site, peer, traffic, () => this.grantsOf(peer)), this.notesOn('in', peer.name),
    )]);
    this.forPeer(peer, `grant ${sni}`, () => [render.renderGrant(authorization, this.site, grant)]);
    this.noteGrant(grant);
    this.forPeer(peer, `grant route ${sni}`, () => [
      render.annotate(render.renderIngressRoute(routes, this.site, grant, traffic), grant.exposureNotes),
    ]);
  }

  /** What a grant says beside its rules, once more when there is another one for the same port: what people stated, whose tokens it demands. */
  public noteGrant(grant: Grant): void {
    this.parts.get(`grant ${grant.sni}`).forEach((policy) => render.annotate(policy, grant.grantNotes));
    this.keepTokens();
  }

  /** What one local port needs in the boundary. */
  public addRoute(route: LocalRoute): void {
    const { authorization, listeners, routes } = this.phases;
    const { peer } = route.upstream;
    append(this.routes, peer.name, route);
    this.keepTrust();
    this.forPeer(peer, `callers ${route.bindingHost}`, () => render.renderCallers(authorization, this.site, route));
    this.forPeer(peer, `upstream ${route.upstream.sni}`, () => render.renderUpstream(this.phases.upstreams, this.site, route.upstream));
    if (!speaksHttp(route.upstream.protocol)) this.connectAfterHandshake(this.site.egress);
    this.forPeer(peer, `out ${peer.name}`, () => [render.annotate(
      render.renderLocalListeners(listeners, this.site, peer, () => this.routesTo(peer)), this.notesOn('out', peer.name),
    )]);
    this.forPeer(peer, `route ${route.bindingHost}`, () => [render.renderEgressRoute(routes, this.site, route, () => this.trafficWith(peer))]);
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
      this.cutOff();
    }
    this.keepTrust();
    this.keepTokens();
    this.limit(peer.meshName);
    for (const side of ['in', 'out'] as const) {
      this.parts.get(`${side} ${peer.meshName}`).forEach((object) => render.annotate(object, this.notesOn(side, peer.meshName)));
    }
  }

  /** Whether a peer is cut off. */
  public isolates(peerName: string): boolean {
    return this.termsFor(peerName)?.notes.isolated !== undefined;
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

  private connectAfterHandshake(gateway: GatewaySite): void {
    if (!this.site.connectAfterHandshake) return;
    this.parts.once(`filter ${gateway.role}`, () => [render.renderConnectAfterHandshake(this.phases.upstreams, gateway, () => this.openGrants)]);
  }

  /** The limits of a peer, once it may call what they are for. */
  private limit(peerName: string): void {
    const limits = this.termsFor(peerName)?.traffic.limits;
    const limited = limits && this.grants.get(peerName)?.find((grant) => render.limitsOn(grant, limits).length > 0);
    if (!limited) return;
    this.forPeer(limited.peer, `filter limits ${peerName}`, () =>
      [render.renderLimits(this.phases.upstreams, this.site, limited.peer, limits, () => this.grantsOf(limited.peer))]);
  }

  /** The CAs of the peers that we call, as far as we keep them. */
  private keepTrust(): void {
    if (this.ownTrust.length === 0) return this.parts.remove('upstream trust');
    this.parts.once('upstream trust', () => [render.renderUpstreamTrust(this.phases.trust, this.site, () => this.ownTrust)]);
  }

  /** The issuers whose tokens somebody must have, and that tokens are nobody else's business. */
  private keepTokens(): void {
    if (this.issuers.none) return;
    const demanded = new Map(this.requestGrants.flatMap(({ issuers }) => issuers).map((issuer) => [`issuer ${issuer.issuer}`, issuer]));
    this.parts.keys('issuer ').filter((key) => !demanded.has(key)).forEach((key) => this.parts.remove(key));
    const elsewhere = () => this.requestGrants.filter(({ issuers }) => issuers.length === 0).sort((a, b) => compare(a.sni, b.sni));
    if (demanded.size === 0 || elsewhere().length === 0) this.parts.remove('filter jwt');
    else this.parts.once('filter jwt', () => [render.renderTokensElsewhere(this.phases.upstreams, this.site, elsewhere)]);
    for (const [key, issuer] of demanded) this.parts.once(key, () => [render.renderIssuer(this.phases.listeners, this.site, issuer)]);
  }

  /** What is there for a peer unless it is cut off. */
  private forPeer(peer: Peer, key: string, create: () => ApiObject[]): void {
    if (!this.isolates(peer.name)) this.parts.onceFor(peer.name, key, create);
  }

  /** What says at each gateway that a peer is cut off. */
  private cutOff(): void {
    const isolated = [...this.peers.keys()].filter(({ meshName }) => this.isolates(meshName)).map(peerOf);
    for (const gateway of this.openGateways) {
      for (const peer of isolated) {
        this.parts.once(`isolation ${gateway.role} ${peer.name}`, () =>
          [render.annotate(render.renderIsolation(this.phases.authorization, this.site, gateway, peer), this.notesOn('out', peer.name))]);
      }
    }
  }

  /** Our gateways that exist. */
  private get openGateways(): GatewaySite[] {
    return [this.site.ingress, this.site.egress].filter(({ role }) => this.parts.has(role));
  }

  private trafficWith(peer: Peer): PeerTraffic {
    return this.termsFor(peer.name)?.traffic ?? {};
  }

  /** What is looser about the listeners for a peer concerns what it calls. */
  private notesOn(side: 'in' | 'out', peerName: string): Notes {
    const { notes, traffic }: PeerTerms = this.termsFor(peerName) ?? { notes: {}, traffic: {} };
    return side === 'in' ? { ...notes, 'allow-tls-1.2': traffic.allowTls12 } : notes;
  }

  private termsFor(peerName: string): PeerTerms | undefined {
    const peer = this.namesakes.get(peerName);
    return peer && this.peers.get(peer);
  }

  private grantsOf(peer: Peer): Grant[] {
    return [...this.grants.get(peer.name) ?? []].sort((a, b) => compare(a.exportName, b.exportName) || a.exportPort - b.exportPort);
  }

  /** Grants to peers that are not cut off. */
  private get openGrants(): Grant[] {
    return [...this.grants].filter(([peerName]) => !this.isolates(peerName)).flatMap(([, grants]) => grants).sort((a, b) => compare(a.sni, b.sni));
  }

  /** Of these, the ones of requests, not of bytes. */
  private get requestGrants(): Grant[] {
    return this.openGrants.filter(({ protocol }) => speaksHttp(protocol));
  }

  private routesTo(peer: Peer): LocalRoute[] {
    return [...this.routes.get(peer.name) ?? []].sort((a, b) =>
      compare(a.alias.host, b.alias.host) || a.localPort - b.localPort || compare(a.bindingHost, b.bindingHost));
  }

  private get surroundings(): render.Surroundings {
    const trustOfOthers = this.calledPeers.flatMap((peer) => {
      const { trustConfigMapName } = this.trafficWith(peer);
      return trustConfigMapName === undefined ? [] : [{ peer, configMapName: trustConfigMapName }];
    });
    return { callerNamespaces: this.callerNamespaces, calledPeers: this.calledPeers, trustOfOthers, traced: this.traced };
  }

  /** Whether the gateways may take part in traces: a pod does so for all peers or for none. */
  private get traced(): boolean {
    return [...this.peers.values()].every(({ traffic }) => !traffic.stripTracing);
  }

  private get backendNamespaces(): string[] {
    return [...new Set(this.exposedHosts.values())].sort();
  }

  private get calledPeers(): Peer[] {
    const all = [...this.routes.values()].map(([{ upstream }]) => upstream.peer);
    return all.filter(({ name }) => !this.isolates(name)).sort((a, b) => compare(a.name, b.name));
  }

  private get ownTrust(): Peer[] {
    return this.calledPeers.filter((peer) => this.trafficWith(peer).trustConfigMapName === undefined);
  }

  /** `*` when somebody may call from anywhere. */
  private get callerNamespaces(): string[] {
    const named = new Set([...this.aliases.values()].flatMap(({ callers }) => callers.map(({ namespaceName = '*' }) => namespaceName)));
    return named.has('*') ? ['*'] : [...named].sort();
  }

  private get peerPorts(): number[] {
    return [...new Set(this.calledPeers.flatMap(({ endpoints }) => endpoints.map(({ port }) => port)))].sort((a, b) => a - b);
  }

  private get boundNames(): Alias[] {
    return [...this.aliases.values()].sort((a, b) => compare(a.host, b.host));
  }

  private get neighbourhood(): render.Neighbourhood {
    return {
      gateways: this.openGateways,
      ownFilters: this.parts.names('filter '),
      boundaryNamespaces: [...new Set(this.siblings.flatMap(({ openGateways }) => openGateways.map(({ namespaceName }) => namespaceName)))].sort(),
      domains: [...this.suffixes.keys()].sort(),
      aliases: this.boundNames,
    };
  }
}

/** A peer as plain data. */
export function peerOf(peer: IMeshPeer): Peer {
  // Once, so that what a program does with its own lists later never passes unchecked.
  const known = peers.get(peer) ?? {
    name: peer.meshName,
    ingressIdentity: { uri: peer.ingressIdentity.uri, principal: peer.ingressIdentity.principal },
    egressIdentity: { uri: peer.egressIdentity.uri, principal: peer.egressIdentity.principal },
    pem: peer.trustBundle._pem,
    revocationLists: peer.trustBundle._revocationLists,
    endpoints: peer.endpoints.map(({ address, port }) => ({ address, port: port ?? BOUNDARY_PORT })),
  };
  peers.set(peer, known);
  return known;
}

/** Order of texts that no locale changes. */
export function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** What all server names have in common that a peer keeps for us. */
function suffixOf(exportName: string, exportPort: number, sni: string): string {
  return sni.slice(`p${exportPort}.${exportName}`.length);
}

function append<Item>(lists: Map<string, Item[]>, key: string, item: Item): void {
  const list = lists.get(key);
  if (list) list.push(item);
  else lists.set(key, [item]);
}
