import { Construct } from 'constructs';
import { Accountability } from './accountability';
import { Caller } from './caller';
import { ExposedService, IExposedService } from './expose';
import { SpiffeId } from './identity';
import { compare, peerOf } from './internal/boundary';
import { claimChart } from './internal/charts';
import { checkAccountability, checkPort } from './internal/checks';
import { describeMistake, fail, show } from './internal/errors';
import { checkGiven, checkList, checkPeerGiven } from './internal/kind-checks';
import { Alias, CallerSite, LocalRoute, Notes } from './internal/model';
import { bindingHostOf, serviceHost } from './internal/names';
import { notesOf } from './internal/notes';
import { LocalName } from './local-name';
import type { FederatedMesh } from './mesh';
import { annotate, renderCallerDestination, renderName, renderNameRoute } from './render';

/**
 * A local name for a peer's service:
 *
 *     const binding = west.bind('Reviews', { source: reviews, localName: LocalName.newService('reviews', 'default') });
 *     binding.allowFrom(Caller.serviceAccount('bookinfo-productpage', 'default'));
 *
 *     new RemoteServiceBinding(tillChart, 'Debit', { mesh: shop, source, localName, portMappings: [{ localPort: 80, exportPort: 443 }] });
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

/** A remote source. */
export interface SourceOptions {
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
}

/** A binding and its mesh. */
export interface RemoteServiceBindingProps extends RemoteServiceBindingOptions {
  /** The mesh of the callers. */
  readonly mesh: FederatedMesh;
}

/** A local name for services of peers. */
export class RemoteServiceBinding extends Construct {
  /** What callers dial: `reviews.default.svc.cluster.local`. */
  public readonly host: string;
  private readonly mesh: FederatedMesh;
  private readonly source: IExposedService;
  private readonly portMappings?: PortMapping[];
  private readonly alias: BoundName;
  /** Before the name and its route, whenever a caller comes: where callers are led is known before the name is. */
  private readonly destinations: Construct;
  private readonly rendered = new Set<string>();

  /**
   * In the chart of `scope`, for teams that own their own file. A chart holds objects of one mesh only.
   *
   * Throws FED107 when the peer states no endpoint, FED110 when another peer has its name or its server names, FED112 when the chart
   * belongs to another mesh, FED118 for a name in a namespace that is reserved, FED401 for a name that is bound already, FED404 for
   * mappings that do not fit, FED407 for a service of our own. Synthesis fails for a name that is a Service already (FED402), for what
   * the peer does not allow us (FED403) and for a peer that the mesh does not add (FED108).
   */
  constructor(scope: Construct, id: string, props: RemoteServiceBindingProps) {
    super(scope, id);
    const { mesh, source, portMappings } = props;
    checkGiven(this, 'localName', props.localName, LocalName);
    const { serviceName, namespaceName } = props.localName._service;
    claimChart(this, mesh, this);
    mesh._checkFree(this, namespaceName, `the local name ${show(serviceName)}`);
    checkAccountability(this, props);
    checkPeerGiven(this, source?.mesh);
    this.checkSource(mesh, source);
    this.checkMappings(source, portMappings);
    if (serviceName === 'kubernetes' && namespaceName === 'default') {
      fail('FED402', this, '"kubernetes.default" is the API server', 'choose another name');
    }
    mesh._boundary.checkPeerName(this, source.mesh);
    mesh._boundary.checkServerNames(this, source, mesh);
    this.mesh = mesh;
    this.source = source;
    this.portMappings = portMappings?.map((mapping) => ({ ...mapping }));
    this.host = serviceHost(serviceName, namespaceName, mesh._boundary.site.clusterDomain);
    this.alias = new BoundName(serviceName, namespaceName, this.host, notesOf(props), () => this.routes());
    mesh._addBinding(this);
    this.destinations = new Construct(this, 'Destinations');
    const name = renderName(this, this.alias);
    annotate(name, this.alias.notes);
    mesh._ownServices.add(name);
    if (source instanceof ExposedService) source._onGrant(mesh, () => this.grow());
    this.node.addValidation({ validate: () => this.notAllowed() });
  }

  /**
   * Lets a workload of our mesh use the name.
   *
   * Several calls add up. Throws FED112 when the construct of the caller is in another mesh's chart, FED118 for the boundary's or Istio's
   * own workloads.
   */
  public allowFrom(caller: Caller): void {
    checkGiven(this, 'the caller', caller, Caller);
    const { serviceAccountName, namespaceName, object } = caller._account;
    if (object) claimChart(object, this.mesh, this);
    this.mesh._checkFree(this, namespaceName, `the caller ${show(serviceAccountName)}`);
    const { uri, principal } = SpiffeId.forServiceAccount({ trustDomain: this.mesh.trustDomain, serviceAccountName, namespaceName });
    this.alias.addCaller({ uri, principal, namespaceName });
    this.grow();
  }

  /** @internal */
  public get _source(): IExposedService {
    return this.source;
  }

  /** @internal */
  public get _alias(): BoundName {
    return this.alias;
  }

  /** Adds the objects that a new caller or a new grant needs. */
  private grow(): void {
    if (this.alias.callers.length === 0) return;
    const { site } = this.mesh._boundary;
    const namespaces = new Set(this.alias.callers.map(({ namespaceName }) => namespaceName));
    for (const route of this.routes()) {
      this.once(`${route.localPort}`, () => this.mesh._boundary.addRoute(route));
      for (const namespaceName of namespaces) {
        this.once(`${route.localPort} ${namespaceName}`, () =>
          renderCallerDestination(this.destinations, site, route, namespaceName));
      }
      this.once('route', () => renderNameRoute(this, site, this.alias));
    }
  }

  private once(key: string, create: () => void): void {
    if (this.rendered.has(key)) return;
    this.rendered.add(key);
    create();
  }

  /** The local ports, as far as the program has said. */
  private routes(): LocalRoute[] {
    const { alias, mesh, source } = this;
    const mappings = this.portMappings ?? this.allowedPorts().map((port) => ({ localPort: port, exportPort: port }));
    return [...mappings].sort((a, b) => a.localPort - b.localPort).map(({ localPort, exportPort }) => ({
      alias,
      localPort,
      bindingHost: bindingHostOf(alias.serviceName, alias.namespaceName, localPort, source.mesh.meshName, mesh.trustDomain),
      upstream: { exportName: source.exportName, exportPort, peer: peerOf(source.mesh), sni: source.sniFor(mesh, exportPort) },
    }));
  }

  private allowedPorts(): number[] {
    const open = this.source instanceof ExposedService ? this.source._grantsTo(this.mesh) : this.source.ports;
    return open.map(({ exportPort }) => exportPort);
  }

  private checkSource(mesh: FederatedMesh, source: IExposedService): void {
    if (source.mesh.trustDomain === mesh.trustDomain) {
      fail('FED407', this, `${show(source.exportName)} is a service of our own mesh`, 'call it by its own name: inside the mesh nobody passes the boundary');
    }
    if (source.mesh.endpoints.length === 0) {
      fail('FED107', this, `mesh ${show(source.mesh.meshName)} states no endpoint, so ${show(source.exportName)} cannot be reached`,
        'state where its ingress gateway is reached: endpoints: [{ address: … }]');
    }
  }

  private checkMappings(source: IExposedService, mappings?: PortMapping[]): void {
    if (mappings === undefined) return;
    checkList(this, 'portMappings', mappings);
    if (mappings.length === 0) fail('FED404', this, 'portMappings is an empty list', 'map a port, or leave the option out to bind all');
    const known = source.ports.map(({ exportPort }) => exportPort);
    mappings.forEach(({ localPort, exportPort }, index) => {
      checkPort(this, 'FED404', localPort, 'local port');
      if (!known.includes(exportPort)) {
        fail('FED404', this, `${show(source.exportName)} does not export port ${show(exportPort)}`, `choose among ${known.join(', ')}`);
      }
      if (mappings.findIndex((other) => other.localPort === localPort) !== index) {
        fail('FED404', this, `the local port ${localPort} stands there twice`, 'give each exported port a local port of its own');
      }
    });
  }

  private notAllowed(): string[] {
    const { exportName, mesh: peer } = this.source;
    const allowed = this.allowedPorts();
    const cure = `let mesh ${show(peer.meshName)} say allowFrom for mesh ${show(this.mesh.meshName)}, or remove the binding`;
    if (allowed.length === 0) {
      return [describeMistake('FED403', this, `mesh ${show(peer.meshName)} does not allow us ${show(exportName)}`, cure)];
    }
    return (this.portMappings ?? []).filter(({ exportPort }) => !allowed.includes(exportPort)).map(({ exportPort }) => describeMistake(
      'FED403', this, `mesh ${show(peer.meshName)} does not allow us port ${exportPort} of ${show(exportName)}`, cure));
  }
}

/** The name and who may use it; both grow until the chart is written. */
class BoundName implements Alias {
  private readonly known = new Map<string, CallerSite>();

  constructor(
    public readonly serviceName: string, public readonly namespaceName: string, public readonly host: string, public readonly notes: Notes,
    private readonly currentPorts: () => LocalRoute[],
  ) {}

  public get ports(): LocalRoute[] {
    return this.currentPorts();
  }

  public get callers(): CallerSite[] {
    return [...this.known.values()].sort((a, b) => compare(a.principal, b.principal));
  }

  public addCaller(caller: CallerSite): void {
    this.known.set(caller.principal, caller);
  }
}
