import { Construct, IConstruct } from 'constructs';
import { BindingObjects } from './binding-objects';
import { checkChart, claimChart } from './charts';
import { identityOf, namespacesOf } from './config';
import { Declared, DeclaredBinding, DeclaredExport, Declarations } from './declarations';
import { chainOf, claimTrust } from './hierarchies';
import { BoundaryObjects } from './objects';
import { DeclaredSource, parseSourceGiven } from './peers';
import { WorkloadLock } from './workload-lock';
import type { Caller } from '../caller';
import { checkShortHosts } from '../checks/additional-hosts';
import { fail, show, Where } from '../checks/errors';
import { checkNotExisting, partIn } from '../checks/gateway';
import { readGiven } from '../checks/kinds';
import type { DeclaredLock } from '../checks/lock';
import { checkPeer, checkTrustApart, checkTrustConfigMap, DeclaredPeer, hasOtherGateways } from '../checks/peer';
import type { IExposedService, IMeshPeer } from '../mesh-peer';
import type { ClusterNames } from '../model/addresses';
import { SYSTEM_NAMESPACE } from '../model/constants';
import { Annotations, BindingName, BoundaryConfig, Grant, hostsOf, Issuer, PeerOptions, Restriction } from '../model/model';
import { serviceHost } from '../model/names';
import { compare, distinct } from '../model/order';
import type { Chain } from '../pki/hierarchy';
import type { LocalService } from '../service';

/*
 * One boundary of a mesh, and its rules. Each method checks everything before it registers anything, so a rejected call
 * changes nothing.
 */

const boundaries = new WeakMap<IConstruct, Boundary[]>();

export class Boundary {
  /**
   * The mesh that the properties of a construct name.
   * @internal
   */
  public static meshOf<Mesh extends { readonly _boundary: Boundary }>(where: Where, props: { readonly mesh: Mesh }): Mesh {
    const mesh = readGiven(where, 'the properties', () => (props as Partial<typeof props> | undefined)?.mesh);
    if (mesh !== undefined && readGiven(where, 'mesh', () => (mesh as Partial<Mesh> | null)?._boundary instanceof Boundary)) return mesh;
    fail('FED120', where, `mesh must be of type FederatedMesh, not ${show(mesh)}`, 'set mesh to the FederatedMesh that the construct belongs to');
  }

  /** Rejects a boundary that conflicts with other boundaries of the program. */
  public static check(where: Where, root: IConstruct, config: BoundaryConfig): void {
    const others = boundariesOf(root, config.trustDomain);
    const otherMesh = others.find((other) => other.config.meshName !== config.meshName);
    if (otherMesh) {
      fail('FED103', where, `mesh ${show(otherMesh.config.meshName)} also has the trust domain ${show(config.trustDomain)}, so its workloads would count as ours`,
        'give each mesh a trust domain of its own (meshConfig.trustDomain); boundaries of one mesh share its meshName');
    }
    const other = others.find((one) => one.config.workloadTrustDomain !== config.workloadTrustDomain);
    if (other) {
      fail('FED133', where, `workloadTrustDomain is ${show(config.workloadTrustDomain)}, but another boundary of the mesh has `
        + show(other.config.workloadTrustDomain), 'set the same workloadTrustDomain for all boundaries of a mesh');
    }
    const sharedNamespace = namespacesOf(config).find((name) => others.some((one) => namespacesOf(one.config).includes(name)));
    if (sharedNamespace !== undefined) {
      fail('FED113', where, `another boundary of the trust domain ${show(config.trustDomain)} uses the namespace ${show(sharedNamespace)}`,
        'give each boundary of a mesh its own namespaceName, and each gateway a namespace that no other boundary uses; for a mesh of several clusters, '
        + 'apply the chart of one FederatedMesh to each cluster');
    }
    for (const namespaceName of [...namespacesOf(config), config.rootNamespaceName]) {
      const application = others.map(({ declared }) => declared.applicationIn(namespaceName)).find((found) => found !== undefined);
      if (application === undefined) continue;
      const [part, fix] = namespaceName === config.rootNamespaceName
        ? ['Istio', 'set the same rootNamespaceName for all boundaries of a mesh'] : partIn(config, namespaceName);
      fail('FED118', where, `${part} uses the namespace ${show(namespaceName)}, which contains ${application}`, fix);
    }
  }

  private readonly declarations = new Declarations();
  private readonly objects: BoundaryObjects;

  constructor(public readonly mesh: IMeshPeer & Construct, public readonly config: BoundaryConfig) {
    this.objects = new BoundaryObjects(mesh, config, this.declarations, {
      boundaryNamespaces: () => {
        const gateways = this.siblings.flatMap(({ objects }) => objects.openGateways);
        return distinct(gateways.map(({ namespaceName }) => namespaceName));
      },
      bindings: () => this.siblings.flatMap(({ declared }) => declared.sortedBindings).sort((a, b) => compare(a.name.host, b.name.host)),
    });
    boundaries.set(mesh.node.root, [...boundaries.get(mesh.node.root) ?? [], this]);
  }

  /** What is declared so far. Only the methods of the boundary add to it. */
  public get declared(): Declared {
    return this.declarations;
  }

  /** All boundaries of the mesh in the program, including this one. */
  public get siblings(): Boundary[] {
    return boundariesOf(this.mesh.node.root, this.config.trustDomain);
  }

  /** The meshes whose trust may overlap with that of a peer and its chain: all boundaries of ours, and other peers. */
  public relatedTo(peer: DeclaredPeer, chain: Chain): (IMeshPeer | DeclaredPeer)[] {
    return [...this.siblings.map(({ mesh }) => mesh), ...this.siblings.flatMap(({ declared }) => declared.trust.relatedTo(peer, chain))];
  }

  /** Adds a peer. A second call with the same options changes nothing. */
  public addPeer(peer: DeclaredPeer, options: PeerOptions): void {
    const { mesh: where, declarations: declared } = this;
    checkPeer(where, this.mesh, this.config, this.clusterNames, peer);
    this.checkPeerName(where, peer);
    const chain = chainOf(where, peer.trustBundle);
    for (const other of this.relatedTo(peer, chain)) checkTrustApart(where, this.mesh, peer, other, chain);
    const { trustConfigMapName, stripTracing } = options.traffic;
    if (trustConfigMapName !== undefined) checkTrustConfigMap(where, peer, trustConfigMapName, declared.peers);
    if (stripTracing) {
      checkNotExisting(where, this.config, `stripTracing for peer ${show(peer.meshName)}`, 'its pods may take part in traces');
    }
    const earlier = declared.peers.get(peer);
    if (earlier && JSON.stringify(earlier) !== JSON.stringify(options)) {
      fail('FED109', where, `peer ${show(peer.meshName)} is added twice with different options`, 'put all options into one call');
    }
    claimTrust(where, peer.trustBundle);
    declared.claimPeer(peer);
    declared.addPeer(peer, options);
    this.objects.updatePeer(peer.meshName);
  }

  /** Prevents the workloads of a namespace from bypassing the egress gateway. */
  public restrict(restriction: Restriction): void {
    const { namespaceName } = restriction;
    this.checkNamespaceFree(this.mesh, namespaceName, 'the restriction');
    if (this.siblings.some(({ declared }) => declared.restrictions.has(namespaceName))) {
      fail('FED121', this.mesh, `the namespace ${show(namespaceName)} is already restricted`, 'use one call, with all its allowedHosts');
    }
    this.objects.restrict(restriction);
    this.declarations.addRestriction(restriction);
  }

  /** Rejects an export name that another export of this boundary uses. */
  public checkExportName(where: Where, exportName: string): void {
    const earlier = this.declared.exports.get(exportName);
    if (!earlier) return;
    fail('FED302', where, `the export name ${show(exportName)} is already used by ${earlier.construct.node.path}`,
      'choose another export name, or list all ports in one export');
  }

  /** Adds an export, to which no peer has access yet. */
  public expose(declaredExport: Omit<DeclaredExport, 'peers'>): void {
    this.checkExportName(declaredExport.construct, declaredExport.exportName);
    this.objects.openIngress();
    this.declarations.addExport(declaredExport);
  }

  /**
   * Rejects a grant to a peer that has the name of another peer, or with a token whose issuer has other keys than
   * before.
   */
  public checkGrant(where: Construct, peer: DeclaredPeer, issuer: Issuer | undefined): void {
    this.checkPeerName(where, peer);
    if (issuer === undefined) return;
    checkNotExisting(where, this.config, `jwt of the issuer ${show(issuer.issuer)}`, 'it would reject all other tokens at its other listeners');
    this.declarations.issuers.check(where, issuer);
  }

  /** Registers what `checkGrant` has checked. */
  public claimGrant(where: Construct, peer: DeclaredPeer, issuer: Issuer | undefined, exportName: string): void {
    this.declarations.claimPeer(peer);
    if (issuer) this.declarations.issuers.claim(where, issuer);
    this.declarations.addPeerOfExport(exportName, peer);
  }

  /** Grants a peer one exported port. */
  public addGrant(grant: Grant): void {
    this.declarations.addGrant(grant);
    this.declarations.addTokens(grant);
    this.objects.addGrant(grant);
  }

  /** Updates the objects of a grant after a further `allowFrom`, which may add annotations. */
  public updateGrant(grant: Grant, added: Annotations): void {
    this.declarations.addTokens(grant);
    this.objects.updateGrant(grant, added);
  }

  /** Rejects additional hosts that pods read as another Service, and a name that the mesh has bound already. */
  public checkHosts(where: Where, name: BindingName, peer: DeclaredPeer): void {
    checkShortHosts(where, name.additionalHosts, peer, (namespaceName) => this.ownerOf(namespaceName));
    for (const host of hostsOf(name)) {
      const earlier = this.siblings.map(({ declared }) => declared.bindingOf(host)).find((binding) => binding !== undefined);
      if (!earlier) continue;
      fail('FED401', where, `the ${host === name.host ? 'local name' : 'additional host'} ${show(host)} is already bound by ${earlier.construct.node.path}`,
        'add the source and the callers to that binding, or choose another name');
    }
  }

  /** Adds a binding whose hosts were checked. It has no callers yet. */
  public bind(binding: DeclaredBinding): void {
    this.objects.openEgress();
    new BindingObjects(binding, this.config, this.declarations, this.objects);
    this.declarations.addBinding(binding);
  }

  /** The source that a call was given. `claimSource` registers it if the call is accepted. */
  public sourceGiven(where: Where, source: IExposedService): DeclaredSource {
    return this.declarations.sourceOf(source) ?? parseSourceGiven(where, this.mesh, source);
  }

  /** Rejects a source whose peer has the name of another peer, or uses the same SNIs for us as another peer. */
  public checkSource(where: Where, { mesh: peer, sniSuffix }: DeclaredSource): void {
    this.checkPeerName(where, peer);
    const sameSuffix = this.declared.peerOfSniSuffix(sniSuffix) ?? peer;
    if (sameSuffix === peer) return;
    fail('FED110', where, `the peers ${show(sameSuffix.meshName)} and ${show(peer.meshName)} use the same TLS server names (SNI) *${sniSuffix} for us`,
      'agree with one of them on another name for us, and set it as knownAs');
  }

  /** Registers what `checkSource` has checked. */
  public claimSource(source: DeclaredSource): void {
    this.declarations.claimPeer(source.mesh);
    this.declarations.claimSource(source);
  }

  /** Allows workloads of our mesh to call a local name. */
  public allowCallers({ construct, state }: DeclaredBinding, callers: readonly Caller[]): void {
    for (const caller of callers) this.checkCaller(construct, caller);
    for (const caller of callers) {
      this.claimCaller(construct, caller);
      state.addCaller({ principal: this.principalOf(caller), namespaceName: caller._account.namespaceName });
    }
  }

  /**
   * Restricts the workload of a service to the ingress gateways of the mesh that lead to it, and to the listed callers.
   */
  public lock(construct: Construct, service: LocalService, lock: DeclaredLock): void {
    const host = serviceHost(service.serviceName, service.namespaceName, this.config.clusterDomain);
    for (const caller of lock.callers) this.checkCaller(construct, caller);
    this.checkLock(construct, host);
    const principals = lock.callers.map((caller) => this.principalOf(caller));
    new WorkloadLock(construct, service, lock, () => [...this.gatewaysTo(host), ...principals]);
    for (const caller of lock.callers) this.claimCaller(construct, caller);
    this.declarations.addLock(host, construct, lock.callers);
  }

  /**
   * Rejects a namespace that belongs to a boundary of the mesh, to Istio or to Kubernetes: it contains no applications.
   */
  public checkNamespaceFree(where: Where, namespaceName: string, what: string): void {
    const owner = this.ownerOf(namespaceName);
    if (!owner) return;
    fail('FED118', where, `${what} uses the namespace ${show(namespaceName)}, which belongs to ${owner}`,
      'use a namespace of an application');
  }

  /** Names that mean something in our cluster only. */
  private get clusterNames(): ClusterNames {
    const namespaceNames = this.siblings.flatMap(({ config }) => [...namespacesOf(config), config.rootNamespaceName]);
    return { clusterDomain: this.config.clusterDomain, namespaceNames };
  }

  /** To whom a namespace without applications belongs. */
  public ownerOf(namespaceName: string): string | undefined {
    return this.siblings.some(({ config }) => config.rootNamespaceName === namespaceName) ? 'Istio'
      : SYSTEM_NAMESPACE.test(namespaceName) ? 'Kubernetes'
        : this.siblings.some(({ config }) => namespacesOf(config).includes(namespaceName)) ? 'the boundary' : undefined;
  }

  /** Whether a peer is isolated. */
  public isolates(peer: DeclaredPeer): boolean {
    return this.declared.isolates(peer.meshName);
  }

  /** Number of ports that a gateway serves. */
  public servedPorts(role: 'ingress' | 'egress'): number {
    return this.objects.servedPorts(role);
  }

  /** Rejects callers of other meshes, and callers in namespaces of the boundary, of Istio or of Kubernetes. */
  private checkCaller(where: Where, caller: Caller): void {
    const { serviceAccountName, namespaceName, object } = caller._account;
    if (object) checkChart(object, this.config, where);
    if (namespaceName !== undefined) this.checkNamespaceFree(where, namespaceName, `the caller ${show(serviceAccountName ?? '*')}`);
  }

  /** Registers what `checkCaller` has checked. */
  private claimCaller(construct: Construct, { _account: { object } }: Caller): void {
    if (object) claimChart(object, this.config, construct);
  }

  private principalOf(caller: Caller): string {
    return caller._principal(this.config.workloadTrustDomain);
  }

  /** Rejects a second lock of one workload: each would deny the callers of the other. */
  private checkLock(where: Where, host: string): void {
    const earlier = this.siblings.map(({ declared }) => declared.locks.get(host)).find((construct) => construct !== undefined);
    if (!earlier) return;
    fail('FED313', where, `the service ${show(host)} is already locked by ${earlier.node.path}`,
      'list all local callers in one call: each of two locks would deny the callers of the other');
  }

  /** Identities of the ingress gateways that lead to a service. */
  private gatewaysTo(host: string): string[] {
    return this.siblings.filter(({ declared }) => declared.leadsTo(host)).map(({ config: { workloadTrustDomain, ingress } }) =>
      identityOf(workloadTrustDomain, ingress).principal);
  }

  /** Rejects a second peer with the same name, since objects are named after the peer. */
  private checkPeerName(where: Where, peer: DeclaredPeer): void {
    const sameName = this.declared.peerOfName(peer.meshName) ?? peer;
    if (sameName === peer) return;
    fail('FED110', where, `the name ${show(peer.meshName)} is already used by another peer, ${sameName.construct.node.path}`,
      sameName.trustDomain !== peer.trustDomain ? 'choose another meshName for the peer: it is our alias for it'
        : hasOtherGateways(sameName, peer)
          ? 'declare the second boundary of that mesh as a RemoteMesh, with another meshName and with another name for us: knownAs'
          : `describe a peer once: use the construct ${sameName.construct.node.path}`);
  }
}

function boundariesOf(root: IConstruct, trustDomain: string): Boundary[] {
  return (boundaries.get(root) ?? []).filter(({ config }) => config.trustDomain === trustDomain);
}
