import { Construct, IConstruct } from 'constructs';
import { Accountability } from './accountability';
import { compare, peerOf } from './internal/boundary';
import { claimChart } from './internal/charts';
import { checkAccountability } from './internal/checks';
import { describeMistake, fail, show } from './internal/errors';
import { checkFields, checkGiven, checkList, checkPeerGiven } from './internal/kind-checks';
import { Grant, HttpOperation, Notes, Peer } from './internal/model';
import { serviceHost, sniOf } from './internal/names';
import { mergeNotes, notesOf } from './internal/notes';
import { checkOperations } from './internal/rule-checks';
import { checkExport } from './internal/wire-checks';
import type { FederatedMesh } from './mesh';
import type { IMeshPeer } from './peer';
import { LocalService, ServicePort } from './service';

/**
 * What our mesh offers, and to whom:
 *
 *     const reviews = east.expose('Reviews', { service, exportName: 'reviews', ports: [ServicePort.http(9080)] });
 *     reviews.allowFrom(west, { http: [{ methods: ['GET'], paths: ['/reviews/*'] }] });
 *
 *     new ExposedService(accountsChart, 'Withdraw', { mesh: bank, service, exportName: 'withdrawals', ports });   // the team's own line
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
  /** The TLS server name for one peer and one exported port. */
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
}

/** An exposure and its mesh. */
export interface ExposedServiceProps extends ExposedServiceOptions {
  /** The mesh that offers it. */
  readonly mesh: FederatedMesh;
}

/** What may be asked of an HTTP port. Lists are alternatives, fields add up. At least one field. */
export interface HttpRule {
  /**
   * Upper-case methods. `CONNECT` cannot be allowed by name.
   * @default - every method
   */
  readonly methods?: string[];
  /**
   * `/a/b` is that path only. `/a/*` is everything below `/a/`, without `/a` itself. Other patterns throw.
   * @default - every path
   */
  readonly paths?: string[];
}

/** What a peer may do. */
export interface AllowFromOptions extends Accountability {
  /**
   * Exported port numbers.
   * @default - every port of the exposure
   */
  readonly ports?: number[];
  /**
   * Rules for HTTP, of which one must match.
   * @default - every request
   */
  readonly http?: HttpRule[];
}

const ALLOW_FROM_FIELDS = ['ports', 'http', 'purpose', 'owner', 'dataCategories', 'approvedBy', 'ticket', 'reviewBy'];

/** A service that our mesh offers. */
export class ExposedService extends Construct implements IExposedService {
  public readonly mesh: IMeshPeer;
  public readonly exportName: string;
  public readonly ports: ServicePort[];
  private readonly owner: FederatedMesh;
  private readonly service: LocalService;
  private readonly notes: Notes;
  private readonly grants = new Map<IMeshPeer, Map<number, OpenPort>>();
  private readonly listeners: { readonly peer: IMeshPeer; readonly onGrant: () => void }[] = [];

  /**
   * Objects of the boundary go into the mesh's chart. What stands behind the name is not touched.
   *
   * Throws FED112 when the chart belongs to another mesh, FED118 for a service of the boundary or of Istio itself, FED301 to FED303 for
   * names and ports that cannot be exported. Synthesis fails (FED304) for a port that a known Service does not have.
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
   * rules meet on one port. Synthesis fails (FED108) when the mesh does not add the peer.
   */
  public allowFrom(peer: IMeshPeer, options: AllowFromOptions = {}): void {
    if (peer === this.mesh) {
      fail('FED407', this, `it is allowed from its own mesh ${show(peer.meshName)}`, 'name a peer: inside the mesh nobody passes the boundary');
    }
    checkPeerGiven(this, peer);
    checkAccountability(this, options);
    this.owner._boundary.checkPeerName(this, peer);
    checkFields(this, 'allowFrom', options, ALLOW_FROM_FIELDS);
    if (options.http !== undefined) checkOperations(this, options.http);
    const ports = this.chosenPorts(options.ports);
    for (const port of ports) this.checkSameKind(peer, port, options.http);
    for (const port of ports) this.open(peer, port, options);
    this.listeners.filter((listener) => listener.peer === peer).forEach(({ onGrant }) => onGrant());
  }

  public sniFor(peer: IMeshPeer, exportPort: number): string {
    this.chosenPorts([exportPort]);
    return sniOf(this.exportName, exportPort, peer.meshName, this.mesh.trustDomain);
  }

  /**
   * What a peer may use, as far as the program has said.
   * @internal
   */
  public _grantsTo(peer: IMeshPeer): Grant[] {
    return [...this.grants.get(peer)?.values() ?? []].sort((a, b) => a.exportPort - b.exportPort);
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

  private open(peer: IMeshPeer, port: ServicePort, options: AllowFromOptions): void {
    const ofPeer = this.grants.get(peer) ?? new Map<number, OpenPort>();
    this.grants.set(peer, ofPeer);
    const known = ofPeer.get(port.exportPort);
    const grant = known ?? new OpenPort({
      exportName: this.exportName,
      exportPort: port.exportPort,
      peer: peerOf(peer),
      sni: this.sniFor(peer, port.exportPort),
      backend: { host: this._host, port: port.port },
      exposureNotes: this.notes,
    });
    grant.add(options);
    if (known) return this.owner._boundary.noteGrant(grant);
    ofPeer.set(port.exportPort, grant);
    this.owner._boundary.addGrant(grant);
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

  private checkSameKind(peer: IMeshPeer, port: ServicePort, rules?: HttpRule[]): void {
    const grant = this.grants.get(peer)?.get(port.exportPort);
    if (!grant || grant.limited === (rules !== undefined)) return;
    fail('FED309', this, `mesh ${show(peer.meshName)} has a grant with rules and one without for port ${port.exportPort}`,
      'take the one without rules away, since it allows every request, or the rules');
  }

  private missingPorts(): string[] {
    const known = this.service._tcpPorts();
    if (!known) return [];
    return this.ports.filter(({ port }) => !known.includes(port)).map(({ port }) => describeMistake('FED304', this,
      `the Service ${show(this.service.serviceName)} has no TCP port ${port}`, `choose among its ports ${known.join(', ') || '(none)'}`));
  }
}

/** An exported port that is open for one peer; what it allows grows with every `allowFrom`. */
class OpenPort implements Grant {
  public readonly exportName: string;
  public readonly exportPort: number;
  public readonly peer: Peer;
  public readonly sni: string;
  public readonly backend: Grant['backend'];
  public readonly exposureNotes: Notes;
  private readonly stated: AllowFromOptions[] = [];

  constructor(grant: Omit<Grant, 'operations' | 'grantNotes'>) {
    this.exportName = grant.exportName;
    this.exportPort = grant.exportPort;
    this.peer = grant.peer;
    this.sni = grant.sni;
    this.backend = grant.backend;
    this.exposureNotes = grant.exposureNotes;
  }

  public get limited(): boolean {
    return this.stated.some(({ http }) => http !== undefined);
  }

  public get grantNotes(): Notes {
    return mergeNotes(this.stated.map(notesOf));
  }

  public get operations(): HttpOperation[] {
    const all = this.stated.flatMap(({ http }) => http ?? []).map(({ methods, paths }): HttpOperation => ({
      ...methods ? { methods: distinct(methods) } : {},
      ...paths ? { paths: distinct(paths) } : {},
    }));
    return distinct(all.map((operation) => JSON.stringify(operation))).map((text) => JSON.parse(text));
  }

  /** A copy: what was checked is what is written, whatever the program does with its lists later. */
  public add(options: AllowFromOptions): void {
    this.stated.push(structuredClone(options));
  }
}

function distinct(texts: string[]): string[] {
  return [...new Set(texts)].sort(compare);
}
