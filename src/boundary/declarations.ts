import { ApiObject } from 'cdk8s';
import type { Construct } from 'constructs';
import type { BindingState } from './binding-state';
import { Issuers } from './issuers';
import { claimPeer, DeclaredSource, peerOf } from './peers';
import { TrustIndex } from './trust-index';
import type { Caller } from '../caller';
import type { DeclaredPeer } from '../checks/peer';
import type { IExposedService } from '../mesh-peer';
import {
  Annotations, Binding, Grant, hostsOf, Issuer, LocalRoute, NO_PEER_OPTIONS, Peer, PeerOptions, PeerTraffic, Restriction, speaksHttp,
} from '../model/model';
import { compare, distinct } from '../model/order';

/*
 * The declarations for one boundary. They grow with each call, in any order; everything that is read from them is
 * sorted. Nothing is checked here: `boundary.ts` checks before it adds.
 */

/** An export of the mesh. */
export interface DeclaredExport {
  readonly construct: Construct;
  readonly exportName: string;
  /** Fully qualified name and namespace of the service behind it. */
  readonly host: string;
  readonly namespaceName: string;
  /** Peers with access to at least one port. */
  readonly peers: ReadonlySet<DeclaredPeer>;
}

/** A binding of the mesh. */
export interface DeclaredBinding {
  readonly construct: Construct;
  readonly state: BindingState;
}

/** What is declared so far, for readers who declare nothing. */
export type Declared = Omit<Declarations, 'issuers' | `add${string}` | `claim${string}`>;

export class Declarations {
  private readonly exportsByName = new Map<string, DeclaredExport>();
  private readonly bindingsByHost = new Map<string, DeclaredBinding>();
  private readonly servicesOfLocalNames = new Set<ApiObject>();
  private readonly locksByHost = new Map<string, Construct>();
  /** Exports that lock their workload, by the namespaces of its local callers. */
  private readonly namespacesOfLocks = new Map<string, Construct>();
  private readonly restrictionsByNamespace = new Map<string, Restriction>();
  private readonly optionsOfPeers = new Map<DeclaredPeer, PeerOptions>();

  public readonly exports: ReadonlyMap<string, DeclaredExport> = this.exportsByName;
  public readonly bindings: ReadonlyMap<string, DeclaredBinding> = this.bindingsByHost;
  /** Services that exist for local names only. */
  public readonly localNameServices: ReadonlySet<ApiObject> = this.servicesOfLocalNames;
  /** Constructs that lock the workload of a service, by the service's host. */
  public readonly locks: ReadonlyMap<string, Construct> = this.locksByHost;
  public readonly restrictions: ReadonlyMap<string, Restriction> = this.restrictionsByNamespace;
  public readonly peers: ReadonlyMap<DeclaredPeer, PeerOptions> = this.optionsOfPeers;
  public readonly issuers = new Issuers();
  /** The added peers by their CAs. */
  public readonly trust = new TrustIndex();

  private readonly sources = new Map<IExposedService, DeclaredSource>();
  private readonly peersOfExports = new Map<string, Set<DeclaredPeer>>();
  /** Bindings by all their hosts: local names and additional hosts. */
  private readonly boundHosts = new Map<string, DeclaredBinding>();
  private readonly grants = new Map<string, Grant[]>();
  /** Peers that are granted requests without a token, and the issuers whose tokens other grants require. */
  private readonly peersWithoutToken = new Set<string>();
  private readonly issuersOfPeers = new Map<string, Map<string, Issuer>>();
  /** Local ports with callers, by the name of the peer to which they lead. */
  private readonly routes = new Map<string, LocalRoute[]>();
  private readonly peersByName = new Map<string, DeclaredPeer>();
  private readonly peersBySniSuffix = new Map<string, DeclaredPeer>();

  /** The peer that uses a name so far. */
  public peerOfName(peerName: string): DeclaredPeer | undefined {
    return this.peersByName.get(peerName);
  }

  /** The peer whose SNIs for us have this suffix so far. */
  public peerOfSniSuffix(suffix: string): DeclaredPeer | undefined {
    return this.peersBySniSuffix.get(suffix);
  }

  /** A source as it was when the first accepted call used it. */
  public sourceOf(source: IExposedService): DeclaredSource | undefined {
    return this.sources.get(source);
  }

  public claimPeer(peer: DeclaredPeer): void {
    claimPeer(peer);
    this.peersByName.set(peer.meshName, peer);
  }

  public claimSource(source: DeclaredSource): void {
    this.sources.set(source.construct, source);
    this.peersBySniSuffix.set(source.sniSuffix, source.mesh);
  }

  public addPeer(peer: DeclaredPeer, options: PeerOptions): void {
    this.optionsOfPeers.set(peer, options);
    this.trust.add(peer);
  }

  public addRestriction(restriction: Restriction): void {
    this.restrictionsByNamespace.set(restriction.namespaceName, restriction);
  }

  /** Adds an export, to which no peer has access yet. */
  public addExport(declared: Omit<DeclaredExport, 'peers'>): void {
    const peers = new Set<DeclaredPeer>();
    this.peersOfExports.set(declared.exportName, peers);
    this.exportsByName.set(declared.exportName, { ...declared, peers });
  }

  public addPeerOfExport(exportName: string, peer: DeclaredPeer): void {
    this.peersOfExports.get(exportName)!.add(peer);
  }

  public addLock(host: string, construct: Construct, callers: readonly Caller[]): void {
    this.locksByHost.set(host, construct);
    for (const { _account: { namespaceName } } of callers) if (namespaceName !== undefined) this.namespacesOfLocks.set(namespaceName, construct);
  }

  public addBinding(binding: DeclaredBinding): void {
    this.bindingsByHost.set(binding.state.name.host, binding);
    hostsOf(binding.state.name).forEach((host) => this.boundHosts.set(host, binding));
  }

  public addLocalNameService(service: ApiObject): void {
    this.servicesOfLocalNames.add(service);
  }

  public addGrant(grant: Grant): void {
    append(this.grants, grant.peer.name, grant);
  }

  /** Registers the tokens that a grant requires. Called again when the grant grows. */
  public addTokens(grant: Grant): void {
    const { name } = grant.peer;
    if (needsNoToken(grant)) this.peersWithoutToken.add(name);
    const issuers = this.issuersOfPeers.get(name) ?? new Map<string, Issuer>();
    grant.issuers.forEach((issuer) => issuers.set(issuer.issuer, issuer));
    this.issuersOfPeers.set(name, issuers);
  }

  /** What of an application is in a namespace, as far as the program names it. */
  public applicationIn(namespaceName: string): string | undefined {
    const exported = [...this.exports.values()].find((declared) => declared.namespaceName === namespaceName);
    if (exported) return `the service of ${exported.construct.node.path}`;
    const bound = [...this.bindings.values()].find(({ state: { name, callers } }) =>
      name.namespaceName === namespaceName || callers.some((caller) => caller.namespaceName === namespaceName));
    if (bound) return `the local name or a caller of ${bound.construct.node.path}`;
    const locked = this.namespacesOfLocks.get(namespaceName);
    if (locked) return `a local caller of ${locked.node.path}`;
    return this.restrictions.has(namespaceName) ? 'workloads that restrictNamespace restricts' : undefined;
  }

  /** Namespaces of applications, as far as declarations name them. */
  public get applicationNamespaces(): string[] {
    return [
      ...this.backendNamespaces, ...this.namespacesOfLocks.keys(), ...this.restrictions.keys(),
      ...[...this.bindings.values()].flatMap(({ state: { name, callers } }) =>
        [name.namespaceName, ...callers.flatMap(({ namespaceName }) => namespaceName ?? [])]),
    ];
  }

  public addRoute(route: LocalRoute): void {
    append(this.routes, route.upstream.peer.name, route);
  }

  /** The binding with this local name or additional host. */
  public bindingOf(host: string): DeclaredBinding | undefined {
    return this.boundHosts.get(host);
  }

  public isolates(peerName: string): boolean {
    return this.optionsFor(peerName).isolated !== undefined;
  }

  public trafficWith(peerName: string): PeerTraffic {
    return this.optionsFor(peerName).traffic;
  }

  /** Annotations of the listeners for a peer. TLS 1.2 concerns what the peer calls. */
  public annotationsOn(side: 'in' | 'out', peerName: string): Annotations {
    const { annotations, isolated, traffic } = this.optionsFor(peerName);
    return { ...annotations, isolated, ...side === 'in' ? { 'allow-tls-1.2': traffic.allowTls12 } : {} };
  }

  public grantsTo(peerName: string): Grant[] {
    return [...this.grants.get(peerName) ?? []]
      .sort(({ port: a }, { port: b }) => compare(a.exportName, b.exportName) || a.exportPort - b.exportPort);
  }

  /** Grants to peers that are not isolated. */
  public get openGrants(): Grant[] {
    return [...this.grants].filter(([peerName]) => !this.isolates(peerName)).flatMap(([, grants]) => grants).sort((a, b) => compare(a.sni, b.sni));
  }

  /** Whether there is such a grant to a peer that is not isolated. */
  public hasOpenGrant(matches: (grant: Grant) => boolean): boolean {
    return [...this.grants].some(([peerName, grants]) => !this.isolates(peerName) && grants.some(matches));
  }

  /** Names of the peers with an open grant. */
  public get grantedPeers(): string[] {
    return [...this.grants.keys()].filter((peerName) => !this.isolates(peerName)).sort(compare);
  }

  /** Open grants of requests that require no token. */
  public get grantsWithoutToken(): Grant[] {
    return this.openGrants.filter(needsNoToken);
  }

  /** Whether every open grant of requests requires a token, and the issuers of the required tokens. */
  public get requiredTokens(): { readonly everywhere: boolean; readonly issuers: Issuer[] } {
    const open = (peerName: string) => !this.isolates(peerName);
    return {
      everywhere: ![...this.peersWithoutToken].some(open),
      issuers: [...this.issuersOfPeers].flatMap(([peerName, issuers]) => open(peerName) ? [...issuers.values()] : []),
    };
  }

  public routesTo(peerName: string): LocalRoute[] {
    return [...this.routes.get(peerName) ?? []].sort((a, b) =>
      compare(a.binding.name.host, b.binding.name.host) || a.localPort - b.localPort || compare(a.bindingHost, b.bindingHost));
  }

  /** Local ports that lead to peers that are not isolated. */
  public get openRoutes(): LocalRoute[] {
    return this.calledPeers.flatMap(({ name }) => this.routesTo(name));
  }

  /** Whether the gateways may set trace headers: a pod does so for all peers or for none. */
  public get tracePropagation(): boolean {
    return [...this.peers.values()].every(({ traffic }) => !traffic.stripTracing);
  }

  public get isolatedPeers(): Peer[] {
    return [...this.peers.keys()].filter(({ meshName }) => this.isolates(meshName)).map(peerOf);
  }

  /** Suffixes of the SNIs of the peers that we call. */
  public get peerSniSuffixes(): string[] {
    return [...this.peersBySniSuffix.keys()].sort();
  }

  public get backendNamespaces(): string[] {
    return distinct([...this.exports.values()].map(({ namespaceName }) => namespaceName));
  }

  /** Whether an export leads to the service of that host. */
  public leadsTo(host: string): boolean {
    return [...this.exports.values()].some((declared) => declared.host === host);
  }

  public get calledPeers(): Peer[] {
    const all = [...this.routes.values()].map(([{ upstream }]) => upstream.peer);
    return all.filter(({ name }) => !this.isolates(name)).sort((a, b) => compare(a.name, b.name));
  }

  /** Called peers whose CA the library writes. The CA of the others is in an externally managed ConfigMap. */
  public get calledPeersWithOurTrust(): Peer[] {
    return this.calledPeers.filter(({ name }) => this.trafficWith(name).trustConfigMapName === undefined);
  }

  /** Whether there is such a peer. */
  public get callsPeersWithOurTrust(): boolean {
    return [...this.routes.keys()].some((peerName) => !this.isolates(peerName) && this.trafficWith(peerName).trustConfigMapName === undefined);
  }

  /** Namespaces of the callers, or only `*` if a caller may be in any namespace. */
  public get callerNamespaces(): string[] {
    const named = new Set([...this.bindings.values()].flatMap(({ state }) => state.callers.map(({ namespaceName = '*' }) => namespaceName)));
    return named.has('*') ? ['*'] : [...named].sort();
  }

  public get peerPorts(): number[] {
    return [...new Set(this.calledPeers.flatMap(({ endpoints }) => endpoints.map(({ port }) => port)))].sort((a, b) => a - b);
  }

  public get sortedBindings(): Binding[] {
    return [...this.bindings.values()].map(({ state }) => state).sort((a, b) => compare(a.name.host, b.name.host));
  }

  private optionsFor(peerName: string): PeerOptions {
    const peer = this.peersByName.get(peerName);
    return peer && this.peers.get(peer) || NO_PEER_OPTIONS;
  }
}

function needsNoToken({ port, issuers }: Grant): boolean {
  return speaksHttp(port.protocol) && issuers.length === 0;
}

function append<Item>(lists: Map<string, Item[]>, key: string, item: Item): void {
  const list = lists.get(key);
  if (list) list.push(item);
  else lists.set(key, [item]);
}
