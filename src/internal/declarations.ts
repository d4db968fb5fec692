import type { Construct } from 'constructs';
import { isDnsName } from './checks';
import { BOUNDARY_PORT } from './endpoint-checks';
import { fail, show, Where } from './errors';
import { Issuers } from './issuers';
import { Alias, Grant, hostsOf, Issuer, LocalRoute, Notes, Peer, PeerTerms, PeerTraffic, Restriction, speaksHttp } from './model';
import { compare } from './order';
import type { IExposedService } from '../expose';
import type { IMeshPeer } from '../peer';

/*
 * What has been declared for one boundary of ours, in whatever order; what is read from it is sorted.
 */

const peers = new WeakMap<IMeshPeer, Peer>();

export abstract class Declarations {
  /** Namespaces of the services that are exposed, by host. */
  public readonly exposedHosts = new Map<string, string>();
  /** Where the workload of an exposed service is locked, by host. */
  public readonly locks = new Map<string, Construct>();
  /** Namespaces of workloads that are restricted, by name. */
  public readonly restrictions = new Map<string, Restriction>();
  /** Peers that the mesh has agreed to deal with here, and on what terms. */
  public readonly peers = new Map<IMeshPeer, PeerTerms>();
  public readonly issuers = new Issuers();

  /** Local names by host, in whatever chart, and all hosts that they stand for. */
  private readonly aliases = new Map<string, Alias>();
  private readonly boundHosts = new Set<string>();
  /** Exported ports that are open, by peer. */
  private readonly grants = new Map<string, Grant[]>();
  /** Peers with a grant of requests that needs no token, and the issuers whose tokens the grants of a peer need. */
  private readonly peersWithoutToken = new Set<string>();
  private readonly issuersOfPeers = new Map<string, Map<string, Issuer>>();
  /** Local ports that somebody may use, by the peer to which they lead. */
  private readonly routes = new Map<string, LocalRoute[]>();
  /** Who is called by a name here, and who keeps a suffix of server names for us. */
  private readonly namesakes = new Map<string, IMeshPeer>();
  private readonly suffixes = new Map<string, IMeshPeer>();

  /** A name means one peer: objects are named by it. */
  public checkPeerName(where: Where, peer: IMeshPeer): void {
    const namesake = this.namesakes.get(peer.meshName) ?? peer;
    if (namesake !== peer) {
      fail('FED110', where, `the name ${show(peer.meshName)} is that of another peer already, ${namesake.node.path}`,
        namesake.trustDomain === peer.trustDomain
          ? 'state the second boundary of that mesh as a RemoteMesh: with another meshName, and with knownAs, another name for us there'
          : 'give the peer another meshName: it is our name for it');
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

  /** Whether a peer is cut off. */
  public isolates(peerName: string): boolean {
    return this.termsFor(peerName)?.notes.isolated !== undefined;
  }

  /** Whether a local name here stands for a host. */
  public binds(host: string): boolean {
    return this.boundHosts.has(host);
  }

  public addAlias(alias: Alias): void {
    this.aliases.set(alias.host, alias);
    hostsOf(alias).forEach((host) => this.boundHosts.add(host));
  }

  protected keepGrant(grant: Grant): void {
    append(this.grants, grant.peer.name, grant);
  }

  /** What a grant says about tokens, once more when it says more. */
  protected keepTokensOf(grant: Grant): void {
    const { name } = grant.peer;
    if (needsNoToken(grant)) this.peersWithoutToken.add(name);
    if (grant.issuers.length === 0) return;
    const issuers = this.issuersOfPeers.get(name) ?? new Map<string, Issuer>();
    grant.issuers.forEach((issuer) => issuers.set(issuer.issuer, issuer));
    this.issuersOfPeers.set(name, issuers);
  }

  protected keepRoute(route: LocalRoute): void {
    append(this.routes, route.upstream.peer.name, route);
  }

  protected trafficWith(peer: Peer): PeerTraffic {
    return this.termsFor(peer.name)?.traffic ?? {};
  }

  /** What is looser about the listeners for a peer concerns what it calls. */
  protected notesOn(side: 'in' | 'out', peerName: string): Notes {
    const { notes, traffic }: PeerTerms = this.termsFor(peerName) ?? { notes: {}, traffic: {} };
    return side === 'in' ? { ...notes, 'allow-tls-1.2': traffic.allowTls12 } : notes;
  }

  protected termsFor(peerName: string): PeerTerms | undefined {
    const peer = this.namesakes.get(peerName);
    return peer && this.peers.get(peer);
  }

  protected grantsTo(peerName: string): Grant[] {
    return [...this.grants.get(peerName) ?? []].sort((a, b) => compare(a.exportName, b.exportName) || a.exportPort - b.exportPort);
  }

  /** Grants to peers that are not cut off. */
  protected get openGrants(): Grant[] {
    return [...this.grants].filter(([peerName]) => !this.isolates(peerName)).flatMap(([, grants]) => grants).sort((a, b) => compare(a.sni, b.sni));
  }

  /** Names of the peers that have one of them. */
  protected get grantedPeers(): string[] {
    return [...this.grants.keys()].filter((peerName) => !this.isolates(peerName)).sort(compare);
  }

  /** Of these, the ones of requests that need no token. */
  protected get grantsWithoutToken(): Grant[] {
    return this.openGrants.filter(needsNoToken);
  }

  /** Whether there is one of them, and whose tokens others need. */
  protected get tokenNeeds(): { readonly everywhere: boolean; readonly issuers: Issuer[] } {
    const open = (peerName: string) => !this.isolates(peerName);
    return {
      everywhere: ![...this.peersWithoutToken].some(open),
      issuers: [...this.issuersOfPeers].flatMap(([peerName, issuers]) => open(peerName) ? [...issuers.values()] : []),
    };
  }

  protected routesTo(peer: Peer): LocalRoute[] {
    return [...this.routes.get(peer.name) ?? []].sort((a, b) =>
      compare(a.alias.host, b.alias.host) || a.localPort - b.localPort || compare(a.bindingHost, b.bindingHost));
  }

  /** Local ports that lead to peers that are not cut off. */
  protected get openRoutes(): LocalRoute[] {
    return this.calledPeers.flatMap((peer) => this.routesTo(peer));
  }

  /** Whether the gateways may take part in traces: a pod does so for all peers or for none. */
  protected get traced(): boolean {
    return [...this.peers.values()].every(({ traffic }) => !traffic.stripTracing);
  }

  protected get isolatedPeers(): Peer[] {
    return [...this.peers.keys()].filter(({ meshName }) => this.isolates(meshName)).map(peerOf);
  }

  /** What the server names of peers end with that we call. */
  public get peersDomains(): string[] {
    return [...this.suffixes.keys()].sort();
  }

  protected get backendNamespaces(): string[] {
    return [...new Set(this.exposedHosts.values())].sort();
  }

  protected get calledPeers(): Peer[] {
    const all = [...this.routes.values()].map(([{ upstream }]) => upstream.peer);
    return all.filter(({ name }) => !this.isolates(name)).sort((a, b) => compare(a.name, b.name));
  }

  protected get ownTrust(): Peer[] {
    return this.calledPeers.filter((peer) => this.trafficWith(peer).trustConfigMapName === undefined);
  }

  /** `*` when somebody may call from anywhere. */
  protected get callerNamespaces(): string[] {
    const named = new Set([...this.aliases.values()].flatMap(({ callers }) => callers.map(({ namespaceName = '*' }) => namespaceName)));
    return named.has('*') ? ['*'] : [...named].sort();
  }

  protected get peerPorts(): number[] {
    return [...new Set(this.calledPeers.flatMap(({ endpoints }) => endpoints.map(({ port }) => port)))].sort((a, b) => a - b);
  }

  protected get boundNames(): Alias[] {
    return [...this.aliases.values()].sort((a, b) => compare(a.host, b.host));
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

function needsNoToken({ protocol, issuers }: Grant): boolean {
  return speaksHttp(protocol) && issuers.length === 0;
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
