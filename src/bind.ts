import { Construct } from 'constructs';
import { Accountability } from './accountability';
import { Caller } from './caller';
import { ExposedService, IExposedService } from './expose';
import { claimChart } from './internal/charts';
import { checkAccountability } from './internal/checks';
import { peerOf } from './internal/declarations';
import { describeMistake, fail, show } from './internal/errors';
import { checkFields, checkGiven, checkSourceGiven } from './internal/kind-checks';
import { isUnlisted, LocalRoute, speaksHttp } from './internal/model';
import { bindingHostOf, serviceHost } from './internal/names';
import { notesOf } from './internal/notes';
import { checkedHosts, checkMappings, checkShare, mistakesInPort } from './internal/source-checks';
import { BoundName, DeclaredShare, DeclaredSource, mappedPort } from './internal/sources';
import { LocalName } from './local-name';
import type { FederatedMesh } from './mesh';
import { annotate, renderAdditionalHosts, renderCallerDestination, renderName, renderNameRoute } from './render';

/**
 * A local name for services of peers:
 *
 *     const binding = west.bind('Reviews', { source: reviews, localName: LocalName.newService('reviews', 'default') });
 *     binding.allowFrom(Caller.serviceAccount('bookinfo-productpage', 'default'));
 *
 *     new RemoteServiceBinding(tillChart, 'Debit', { mesh: shop, source, localName, portMappings: [{ localPort: 80, exportPort: 443 }] });
 *
 *     const moved = onPremises.bind('Stock', { source: inCloud, localName: LocalName.existingService('stock', 'shop'), weight: 20 });
 *     moved.addLocalSource({ weight: 80 });
 *     moved.addSource(inCloud, { whenHeaders: { 'x-tester': 'yes' } });
 *
 * Until `allowFrom`, nobody gets through: the name exists and answers to no one.
 */

/** A local port for an exported port. */
export interface PortMapping {
  /** What our callers dial. */
  readonly localPort: number;
  /** What the peer exports. */
  readonly exportPort: number;
}

/** The share of one source. */
export interface SourceShare {
  /**
   * Relative weight, given for all sources of a binding or for none. 0 keeps a source without traffic. Requests are counted for HTTP and
   * gRPC, connections otherwise. The output holds whole percentages.
   * @default - equal shares
   */
  readonly weight?: number;
  /**
   * Requests with all these exact headers go here, others do not (HTTP, gRPC). Takes no part in weights. Where several sources would take
   * a request, the one with more headers does.
   * @default - no header routing
   */
  readonly whenHeaders?: { [name: string]: string };
}

/** A remote source and its share. */
export interface SourceOptions extends SourceShare {
  /**
   * The ports to bind. One that is not listed is not bound.
   * @default - every port that we are allowed, under the same number
   */
  readonly portMappings?: PortMapping[];
}

/** Options of `FederatedMesh.bind`. */
export interface RemoteServiceBindingOptions extends SourceOptions, Accountability {
  /** The peer's service. */
  readonly source: IExposedService;
  /** Our name for it. */
  readonly localName: LocalName;
  /**
   * More names that callers may dial, outside of the cluster's domain: for clients that check an application's own certificate against them.
   *
   * Pods find them through Istio's DNS proxy (`ISTIO_META_DNS_CAPTURE`) only. In the namespaces of the name and of its callers they stand for
   * nothing else from then on: who is no caller is refused.
   * @default - the local name alone
   */
  readonly additionalHosts?: string[];
}

/** A binding and its mesh. */
export interface RemoteServiceBindingProps extends RemoteServiceBindingOptions {
  /** The mesh of the callers. */
  readonly mesh: FederatedMesh;
}

/**
 * A local name for services of peers.
 *
 * @exampleMetadata fixture=meshes
 * @example
 * const binding = new RemoteServiceBinding(chart, 'Reviews', {
 *   mesh: west,
 *   source: reviews,
 *   localName: LocalName.newService('reviews', 'default'),
 * });
 * binding.allowFrom(Caller.fromConstruct(deployment));
 */
export class RemoteServiceBinding extends Construct {
  /** What callers dial: `reviews.default.svc.cluster.local`. */
  public readonly host: string;
  private readonly mesh: FederatedMesh;
  /** The first one is that of the props, after which the others are named. */
  private readonly sources: DeclaredSource[] = [];
  private readonly localShares: SourceShare[] = [];
  private readonly alias: BoundName;
  /** Before the name and its route, whenever a caller comes: where callers are led is known before the name is. */
  private readonly destinations: Construct;
  private readonly rendered = new Set<string>();

  /**
   * In the chart of `scope`, for teams that own their own file. A chart holds objects of one mesh only.
   *
   * Throws FED107 when the peer states no endpoint, FED110 when another peer has its name or its server names, FED112 when the chart
   * belongs to another mesh, FED118 for a name in a namespace that is reserved, FED401 for a name that is bound already, FED404 for
   * mappings that do not fit, FED407 for a service of our own, FED409 and FED411 for shares that cannot be, FED412 for an additional host
   * that cannot lead to a peer. Synthesis fails for a name that is a Service already (FED402), for what the peer does not allow us
   * (FED403), for callers that cannot be told apart (FED408), for shares that do not go together (FED409), for sources that speak
   * differently (FED410) and for a peer that the mesh does not add (FED108).
   */
  constructor(scope: Construct, id: string, props: RemoteServiceBindingProps) {
    super(scope, id);
    const { mesh, source } = props;
    checkGiven(this, 'localName', props.localName, LocalName);
    const { serviceName, namespaceName, existing } = props.localName._service;
    claimChart(this, mesh, this);
    mesh._checkFree(this, namespaceName, `the local name ${show(serviceName)}`);
    checkAccountability(this, props);
    if (serviceName === 'kubernetes' && namespaceName === 'default') {
      fail('FED402', this, '"kubernetes.default" is the API server', 'choose another name');
    }
    this.mesh = mesh;
    this.host = serviceHost(serviceName, namespaceName, mesh._boundary.site.clusterDomain);
    const additionalHosts = checkedHosts(this, mesh._boundary.site, props.additionalHosts);
    const named = { serviceName, namespaceName, host: this.host, additionalHosts, existing, notes: notesOf(props) };
    this.alias = new BoundName(named, () => this.shares());
    this.addShare(source, props);
    mesh._addBinding(this);
    this.destinations = new Construct(this, 'Destinations');
    if (!existing) mesh._ownServices.add(annotate(renderName(this, this.alias), this.alias.notes));
    if (additionalHosts.length > 0) annotate(renderAdditionalHosts(this, this.alias), this.alias.notes);
    this.node.addValidation({ validate: () => [...this.notAllowed(), ...this.mistakesInPorts()] });
  }

  /**
   * Lets workloads of our mesh use the name.
   *
   * Several calls add up. With an existing Service, name all its callers: others are refused as soon as a request goes to a peer. Throws
   * FED112 when the construct of the caller is in another mesh's chart, FED118 for the boundary's or Istio's own workloads. Synthesis fails
   * (FED408) for callers that are not named one by one when a port is not HTTP or gRPC.
   */
  public allowFrom(caller: Caller): void {
    checkGiven(this, 'the caller', caller, Caller);
    this.mesh._checkCaller(this, caller);
    const { namespaceName } = caller._account;
    this.alias.addCaller({ principal: caller._principal(this.mesh.workloadTrustDomain), namespaceName });
    this.grow();
  }

  /**
   * One more peer behind the same name, or the same one for some requests.
   *
   * Throws what the constructor throws for its source, and FED120 for a field that does not exist.
   */
  public addSource(source: IExposedService, options: SourceOptions = {}): void {
    checkFields(this, 'addSource', options, ['weight', 'whenHeaders', 'portMappings']);
    this.addShare(source, options);
  }

  /**
   * The pods of the existing Service behind the same name.
   *
   * They are called as before, by whom they let in: the callers of the binding say nothing about them. Throws FED120 for a field
   * that does not exist, FED409 for a share that cannot be, FED411 when the name is that of a new Service, which has no pods.
   */
  public addLocalSource(options: SourceShare = {}): void {
    if (!this.alias.existing) {
      fail('FED411', this, `${show(this.host)} is a new Service, behind which no pods stand`,
        'bind an existing one: LocalName.existingService(…)');
    }
    checkFields(this, 'addLocalSource', options, ['weight', 'whenHeaders']);
    checkShare(this, options);
    this.localShares.push(structuredClone({ weight: options.weight, whenHeaders: options.whenHeaders }));
    this.grow();
  }

  /** @internal */
  public get _sources(): IExposedService[] {
    return this.sources.map(({ source }) => source);
  }

  /** @internal */
  public get _alias(): BoundName {
    return this.alias;
  }

  private addShare(source: IExposedService, options: SourceOptions): void {
    this.checkSource(source, options);
    this.mesh._boundary.checkPeerName(this, source.mesh);
    this.mesh._boundary.checkServerNames(this, source, this.mesh);
    const { weight, whenHeaders, portMappings } = structuredClone({
      weight: options.weight, whenHeaders: options.whenHeaders, portMappings: options.portMappings,
    });
    this.sources.push({ source, weight, headers: whenHeaders, mappings: portMappings, routes: new Map() });
    if (source instanceof ExposedService) source._onGrant(this.mesh, () => this.grow());
    this.grow();
  }

  /** Adds the objects that a new caller, a new source or a new grant needs. */
  private grow(): void {
    if (this.alias.callers.length === 0) return;
    for (const route of this.routes()) {
      this.once(route.bindingHost, () => this.mesh._boundary.addRoute(route));
      if (this.alias.callers.some(isUnlisted)) this.once(`${route.bindingHost} unlisted`, () => this.mesh._boundary.guardUnlisted(route));
      for (const namespaceName of this.alias.callerNamespaces) this.lead(route, namespaceName);
      if (this.alias.isForEverybody) this.leadEverybody(route);
      this.once('route', () => {
        const nameRoute = renderNameRoute(this, this.mesh._boundary.site, this.alias);
        if (this.alias.existing) annotate(nameRoute, this.alias.notes);
      });
    }
  }

  private lead(route: LocalRoute, namespaceName: string): void {
    const boundary = this.mesh._boundary;
    this.once(`${route.bindingHost} ${namespaceName}`, () => {
      renderCallerDestination(this.destinations, boundary.site, route, namespaceName);
      boundary.noteLedNamespace(namespaceName);
    });
  }

  /** A rule of ours in a namespace hides the one for everybody there, so it must stand beside each. */
  private leadEverybody(route: LocalRoute): void {
    this.once(`${route.bindingHost} *`, () => {
      this.mesh._boundary.leadEverybody(route);
      this.mesh._boundary.onLedNamespace((namespaceName) => this.lead(route, namespaceName));
    });
  }

  private once(key: string, create: () => void): void {
    if (this.rendered.has(key)) return;
    this.rendered.add(key);
    create();
  }

  /** Every way to a peer, as far as the program has said. */
  private routes(): LocalRoute[] {
    return this.sources.flatMap((declared) => this.routesOf(declared));
  }

  private routesOf(declared: DeclaredSource): LocalRoute[] {
    const used = declared.mappings ?? allowedPorts(declared.source, this.mesh).map((port) => ({ localPort: port, exportPort: port }));
    return used.map((ports) => {
      const key = `${ports.localPort} ${ports.exportPort}`;
      const route = declared.routes.get(key) ?? this.routeTo(declared, ports);
      declared.routes.set(key, route);
      return route;
    });
  }

  private routeTo({ source }: DeclaredSource, { localPort, exportPort }: PortMapping): LocalRoute {
    const { alias, mesh } = this;
    const [named] = this.sources;
    const same = source.exportName === named.source.exportName && exportPort === mappedPort(named, localPort);
    const parts = {
      serviceName: alias.serviceName,
      namespaceName: alias.namespaceName,
      localPort,
      peerName: source.mesh.meshName,
      variant: same ? undefined : `${source.exportName}-${exportPort}`,
    };
    return {
      ...parts,
      alias,
      bindingHost: bindingHostOf(parts, mesh.trustDomain),
      upstream: {
        exportName: source.exportName,
        exportPort,
        protocol: source.ports.find((port) => port.exportPort === exportPort)!._protocol,
        peer: peerOf(source.mesh),
        sni: source.sniFor(mesh, exportPort),
      },
    };
  }

  private shares(): Map<number, DeclaredShare[]> {
    const ports = new Map<number, DeclaredShare[]>();
    for (const declared of this.sources) {
      for (const route of this.routesOf(declared)) {
        ports.set(route.localPort, [...ports.get(route.localPort) ?? [], { route, weight: declared.weight, headers: declared.headers }]);
      }
    }
    const own = this.localShares.map(({ weight, whenHeaders }) => ({ weight, headers: whenHeaders }));
    return new Map([...ports].map(([port, shares]) => [port, [...shares, ...own]]));
  }

  private checkSource(source: IExposedService, options: SourceOptions): void {
    checkSourceGiven(this, source);
    if (source.mesh.trustDomain === this.mesh.trustDomain) {
      fail('FED407', this, `${show(source.exportName)} is a service of our own mesh`, 'call it by its own name: inside the mesh nobody passes the boundary');
    }
    if (source.mesh.endpoints.length === 0) {
      fail('FED107', this, `mesh ${show(source.mesh.meshName)} states no endpoint, so ${show(source.exportName)} cannot be reached`,
        'state where its ingress gateway is reached: endpoints: [{ address: … }]');
    }
    checkMappings(this, source, options.portMappings);
    checkShare(this, options);
  }

  private mistakesInPorts(): string[] {
    if (isSimple(this.sources) && this.localShares.length === 0) return [];
    return this.alias.portShares.flatMap((port) => mistakesInPort(this, this.alias, port));
  }

  private notAllowed(): string[] {
    return this.sources.flatMap(({ source, mappings }) => {
      const { exportName, mesh: peer } = source;
      if (this.mesh._boundary.isolates(peer.meshName)) return [];
      const allowed = allowedPorts(source, this.mesh);
      const cure = `let mesh ${show(peer.meshName)} say allowFrom for mesh ${show(this.mesh.meshName)}, or remove the binding`;
      if (allowed.length === 0) {
        return [describeMistake('FED403', this, `mesh ${show(peer.meshName)} does not allow us ${show(exportName)}`, cure)];
      }
      return (mappings ?? []).filter(({ exportPort }) => !allowed.includes(exportPort)).map(({ exportPort }) => describeMistake(
        'FED403', this, `mesh ${show(peer.meshName)} does not allow us port ${exportPort} of ${show(exportName)}`, cure));
    });
  }
}

/** One peer for all requests, as nearly everywhere: its ports have nothing to disagree about. */
function isSimple([{ source, weight, headers }, ...more]: DeclaredSource[]): boolean {
  return more.length === 0 && weight === undefined && headers === undefined && source.ports.every(({ _protocol }) => speaksHttp(_protocol));
}

function allowedPorts(source: IExposedService, mesh: FederatedMesh): number[] {
  const open = source instanceof ExposedService ? source._grantsTo(mesh) : source.ports;
  return open.map(({ exportPort }) => exportPort);
}
