import { Duration } from 'cdk8s';
import { Construct, IConstruct } from 'constructs';
import { Accountability } from './accountability';
import type { AllowFromOptions } from './grant';
import { claimChart } from './internal/charts';
import { checkAccountability, checkDuration } from './internal/checks';
import { peerOf } from './internal/declarations';
import { describeMistake, fail, show } from './internal/errors';
import { checkRunByUs } from './internal/gateway-checks';
import { checkAddsUp, checkDemand, checkGrant, checkProtocol } from './internal/grant-checks';
import type { Demand } from './internal/jwt-checks';
import { checkGiven, checkList, checkPeerGiven } from './internal/kind-checks';
import { WorkloadLock, checkLockOptions } from './internal/lock';
import { Grant, Notes, speaksHttp } from './internal/model';
import { serviceHost, sniOf } from './internal/names';
import { notesOf, reasonOf } from './internal/notes';
import { OpenPort } from './internal/open-port';
import { checkProved } from './internal/peer-checks';
import { checkExport } from './internal/wire-checks';
import type { LockWorkloadOptions } from './lock';
import type { FederatedMesh } from './mesh';
import type { IMeshPeer } from './peer';
import { annotate, renderLock, renderLockBounds } from './render';
import { LocalService, ServicePort } from './service';

/**
 * What our mesh offers, and to whom:
 *
 *     const reviews = east.expose('Reviews', { service, exportName: 'reviews', ports: [ServicePort.http(9080)] });
 *     reviews.allowFrom(west, { http: [{ methods: ['GET'], paths: ['/reviews/*'], exceptPaths: ['/reviews/drafts/*'] }] });
 *     ledger.allowFrom(audit, { ports: [9090], grpcMethods: ['/books.Export/Stream'] });
 *
 *     new ExposedService(accountsChart, 'Withdraw', { mesh: bank, service, exportName: 'withdrawals', ports });   // the team's own line
 *
 *     withdraw.lockWorkload({ reason: 'card data: nobody else in the mesh may call it' });
 *
 * Until `allowFrom`, nobody reaches it: the gateway runs and has no listener.
 */

/** A service that a mesh offers, whether we own the mesh or not. */
export interface IExposedService extends IConstruct {
  /** The mesh that offers it. */
  readonly mesh: IMeshPeer;
  /** The name on the wire. */
  readonly exportName: string;
  /** The ports that it offers. */
  readonly ports: ServicePort[];
  /**
   * The TLS server name for one peer and one exported port.
   *
   * @param peer who calls
   * @param exportPort the port that the peer sees
   */
  sniFor(peer: IMeshPeer, exportPort: number): string;
}

/** Options of `FederatedMesh.expose`. */
export interface ExposedServiceOptions extends Accountability {
  /** The service behind the name. */
  readonly service: LocalService;
  /** The name on the wire: a contract with peers, free text in DNS labels, independent of internal names. */
  readonly exportName: string;
  /** The ports to offer, each by name: a port that is not listed stays inside. */
  readonly ports: ServicePort[];
  /**
   * Longest time for a request (HTTP, gRPC), its answer included: a stream ends with it too. After it the peer gets 504.
   * @default - no limit
   */
  readonly requestTimeout?: Duration;
  /**
   * Close a peer's connection after this silence: TCP and TLS when no byte passes, HTTP and gRPC when no request is on it, and five
   * seconds later, in which Envoy lets the peer know. Emits an EnvoyFilter for each open port, which Istio answers with a warning. Proved
   * with Istio 1.31.
   * @default - an hour, Envoy's own
   */
  readonly idleTimeout?: Duration;
}

/** An exposure and its mesh. */
export interface ExposedServiceProps extends ExposedServiceOptions {
  /** The mesh that offers it. */
  readonly mesh: FederatedMesh;
}

/**
 * A service that our mesh offers.
 *
 * @exampleMetadata fixture=meshes
 * @example
 * const ratings = new ExposedService(chart, 'Ratings', {
 *   mesh: east,
 *   service: LocalService.fromConstruct(service),
 *   exportName: 'ratings',
 *   ports: [ServicePort.http(9080)],
 * });
 * ratings.allowFrom(west, { http: [{ methods: ['GET'], paths: ['/ratings/*'] }] });
 */
export class ExposedService extends Construct implements IExposedService {
  public readonly mesh: IMeshPeer;
  public readonly exportName: string;
  public readonly ports: ServicePort[];
  private readonly owner: FederatedMesh;
  private readonly service: LocalService;
  private readonly notes: Notes;
  private readonly requestTimeout?: number;
  private readonly idleTimeout?: number;
  /** By peer, the lowest port first. */
  private readonly grants = new Map<IMeshPeer, OpenPort[]>();
  private readonly listeners: { readonly peer: IMeshPeer; readonly onGrant: () => void }[] = [];

  /**
   * Objects of the boundary go into the mesh's chart, only those of `lockWorkload` into the chart of `scope`.
   *
   * Throws FED112 when the chart belongs to another mesh, FED118 for a service of the boundary or of Istio itself, FED301 to FED303 for
   * names and ports that cannot be exported, FED311 for a time that cannot be, FED125 for `idleTimeout` with an Istio with which it was not
   * proved. Synthesis fails (FED304) for a port that a known Service does not have.
   */
  constructor(scope: Construct, id: string, props: ExposedServiceProps) {
    super(scope, id);
    const { mesh, service, exportName } = props;
    checkGiven(this, 'service', service, LocalService);
    checkList(this, 'ports', props.ports);
    claimChart(this, mesh, this);
    if (service._object) claimChart(service._object, mesh, this);
    mesh._checkFree(this, service.namespaceName, `the service ${show(service.serviceName)}`);
    checkAccountability(this, props);
    checkExport(this, exportName, props.ports, mesh.trustDomain);
    this.requestTimeout = props.requestTimeout === undefined ? undefined : checkDuration(this, 'FED311', 'requestTimeout', props.requestTimeout);
    if (this.requestTimeout !== undefined && !props.ports.some(({ _protocol }) => speaksHttp(_protocol))) {
      fail('FED311', this, `requestTimeout stands at ${show(exportName)}, which has no port that speaks HTTP or gRPC`, 'take it away: there are no requests');
    }
    this.idleTimeout = props.idleTimeout === undefined ? undefined : checkDuration(this, 'FED311', 'idleTimeout', props.idleTimeout);
    if (this.idleTimeout !== undefined) checkProved(this, 'idleTimeout', mesh._istioVersion);
    this.mesh = mesh;
    this.owner = mesh;
    this.notes = notesOf(props);
    this.exportName = exportName;
    this.ports = [...props.ports];
    this.service = service;
    mesh._addExposure(this);
    this.node.addValidation({ validate: () => this.missingPorts() });
  }

  /**
   * Lets a peer in.
   *
   * Several calls add up. Throws FED110 for another peer of the same name, FED120 for fields that do not exist, FED306 for a port that
   * is not exported, FED307 and FED308 for rules that Istio cannot enforce as written, FED309 when a grant without rules and one with
   * rules meet on one port, FED310 for rules on a port that speaks something else, FED125, FED128 and FED314 to FED317 for tokens that
   * cannot be demanded. Synthesis fails (FED108) when the mesh does not add the peer.
   */
  public allowFrom(peer: IMeshPeer, options: AllowFromOptions = {}): void {
    if (peer === this.mesh) {
      fail('FED407', this, `it is allowed from its own mesh ${show(peer.meshName)}`, 'name a peer: inside the mesh nobody passes the boundary');
    }
    checkPeerGiven(this, peer);
    this.owner._boundary.checkPeerName(this, peer);
    checkGrant(this, options);
    const demand = checkDemand(this, options, this.owner._istioVersion);
    const ports = this.chosenPorts(options.ports);
    for (const port of ports) {
      checkProtocol(this, port, options, this.ports);
      const granted = this.openPort(peer, port);
      if (granted) checkAddsUp(this, peer.meshName, granted, options);
    }
    if (demand) {
      checkRunByUs(this, this.owner._boundary.site, `a token of ${show(demand.issuer.issuer)}`, 'it would refuse all other tokens at its other listeners');
      this.owner._boundary.issuers.believe(this, demand.issuer);
    }
    for (const port of ports) this.open(peer, port, options, demand);
    this.listeners.filter((listener) => listener.peer === peer).forEach(({ onGrant }) => onGrant());
  }

  /**
   * Also closes the workload itself, to everybody but the boundary and the named local callers: it cuts every caller that is not named.
   *
   * One AuthorizationPolicy in the service's namespace, in the chart of `scope`; no policy that allows can open the workload again. And one
   * EnvoyFilter, so that a caller who does not read its answers costs the pods' sidecars little and delays nobody else. They
   * hold at the pods' sidecars, on all ports that they intercept: probes that injection has rewritten (port 15020) and the sidecar's own
   * metrics (15020, 15090) go on, a scraper of the application's own port must be named. Without a sidecar nothing is closed. On
   * TCP, who is not named may still connect and hear what the service says first; nothing that it sends arrives.
   *
   * Throws FED112 when a caller's construct is in another mesh's chart, FED114 for a reason that says nothing, FED118 for callers of the
   * boundary or of Istio itself, FED312 when the pods are not known, FED313 when the service is locked already. Synthesis fails
   * (FED312) for a Service that selects no pods.
   */
  public lockWorkload(options: LockWorkloadOptions): void {
    checkLockOptions(this, options);
    const callers = options.localCallers ?? [];
    for (const caller of callers) this.owner._checkCaller(this, caller);
    const boundary = this.owner._boundary;
    const earlier = boundary.siblings.map(({ locks }) => locks.get(this._host)).find((where) => where !== undefined);
    if (earlier) {
      fail('FED313', this, `the service ${show(this._host)} is locked already, by ${earlier.node.path}`,
        'name all local callers in one call: of two locks, each cuts the callers of the other');
    }
    const named = callers.map((caller) => caller._principal(this.owner.workloadTrustDomain));
    const lock = new WorkloadLock(this, this.service, options, () => [...boundary.gatewaysTo(this._host), ...named]);
    boundary.locks.set(this._host, this);
    this.node.addValidation({ validate: () => lock.mistakes() });
    [renderLock(this, lock), renderLockBounds(this, lock)].forEach((object) => annotate(object, { locked: reasonOf(options) }));
  }

  /**
   * The TLS server name for one peer and one exported port.
   *
   * @param peer who calls
   * @param exportPort the port that the peer sees
   */
  public sniFor(peer: IMeshPeer, exportPort: number): string {
    this.chosenPorts([exportPort]);
    return sniOf(this.exportName, exportPort, peer.meshName, this.mesh.trustDomain);
  }

  /**
   * What a peer may use, as far as the program has said.
   * @internal
   */
  public _grantsTo(peer: IMeshPeer): readonly Grant[] {
    return this.grants.get(peer) ?? [];
  }

  /**
   * Tells a binding of a peer when there is more that it may use.
   * @internal
   */
  public _onGrant(peer: IMeshPeer, onGrant: () => void): void {
    this.listeners.push({ peer, onGrant });
  }

  /** @internal */
  public get _grantedPeers(): IMeshPeer[] {
    return [...this.grants.keys()];
  }

  /** @internal */
  public get _service(): LocalService {
    return this.service;
  }

  /**
   * Fully qualified name of the service behind it.
   * @internal
   */
  public get _host(): string {
    return serviceHost(this.service.serviceName, this.service.namespaceName, this.owner._boundary.site.clusterDomain);
  }

  private open(peer: IMeshPeer, port: ServicePort, options: AllowFromOptions, demand?: Demand): void {
    const known = this.openPort(peer, port);
    const grant = known ?? new OpenPort({
      exportName: this.exportName,
      exportPort: port.exportPort,
      peer: peerOf(peer),
      sni: this.sniFor(peer, port.exportPort),
      protocol: port._protocol,
      backend: { host: this._host, port: port.port },
      requestTimeout: this.requestTimeout,
      idleTimeout: this.idleTimeout,
      notes: this.notes,
    });
    grant.add(options, demand);
    if (known) return this.owner._boundary.noteGrant(grant);
    this.grants.set(peer, [...this.grants.get(peer) ?? [], grant].sort((a, b) => a.exportPort - b.exportPort));
    this.owner._boundary.addGrant(grant);
  }

  private openPort(peer: IMeshPeer, { exportPort }: ServicePort): OpenPort | undefined {
    return this.grants.get(peer)?.find((port) => port.exportPort === exportPort);
  }

  private chosenPorts(numbers?: number[]): ServicePort[] {
    if (numbers === undefined) return this.ports;
    checkList(this, 'ports', numbers);
    if (numbers.length === 0) fail('FED306', this, 'ports is an empty list', 'name the exported ports, or leave the option out');
    return numbers.map((number) => {
      const port = this.ports.find(({ exportPort }) => exportPort === number);
      return port ?? fail('FED306', this, `${show(number)} is not exported`,
        `choose among the exported ports ${this.ports.map(({ exportPort }) => exportPort).join(', ')}`);
    });
  }

  private missingPorts(): string[] {
    const known = this.service._tcpPorts();
    if (!known) return [];
    return this.ports.filter(({ port }) => !known.includes(port)).map(({ port }) => describeMistake('FED304', this,
      `the Service ${show(this.service.serviceName)} has no TCP port ${port}`, `choose among its ports ${known.join(', ') || '(none)'}`));
  }
}
