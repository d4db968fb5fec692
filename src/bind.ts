import { Construct } from 'constructs';
import type { LocalSourceOptions, PortMapping, RemoteServiceBindingOptions, SourceOptions } from './binding-options';
import { BindingState } from './boundary/binding-state';
import { Boundary } from './boundary/boundary';
import { checkChart, claimChart } from './boundary/charts';
import { peerOf } from './boundary/declarations';
import { GrowingList } from './boundary/growing-list';
import type { Caller } from './caller';
import { errorsInPort, parseBinding, parseLocalSource, parseSource, parseSourceOf, RemoteWeighting, Weighting } from './checks/binding';
import { checkCallers } from './checks/caller';
import { describeError, fail, pathIn, show } from './checks/errors';
import { ExposedService } from './expose';
import type { FederatedMesh } from './mesh';
import type { IExposedService } from './mesh-peer';
import { DeclaredDestination } from './model/destinations';
import { CallerIdentity, isUnlisted, LocalRoute, speaksHttp } from './model/model';
import { bindingHostOf } from './model/names';
import { annotate, renderAdditionalHosts, renderCallerDestination, renderLocalName, renderLocalNameRoute } from './render';

/**
 * Properties of `RemoteServiceBinding`: the options of `FederatedMesh.bind`, and the mesh of the callers.
 *
 * @exampleMetadata fixture=meshes
 * @example
 * new RemoteServiceBinding(chart, 'CardAuth', {
 *   mesh: west,
 *   source: bank.exposedService('card-auth'),
 *   localName: LocalName.newService('card-auth', 'shop'),
 *   portMappings: [{ localPort: 80, exportPort: 443 }],
 * });
 */
export interface RemoteServiceBindingProps extends RemoteServiceBindingOptions {
  /** Our mesh, whose workloads call the local name. */
  readonly mesh: FederatedMesh;
}

/**
 * A binding: makes a service of a peer available to our workloads under a local name.
 *
 * Calls go from the caller's sidecar to our egress gateway, and from there to the peer by mutual TLS. Without
 * `allowFrom`, no workload can call it.
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
  /** Fully qualified local name that callers dial, such as `reviews.default.svc.cluster.local`. */
  public readonly host: string;
  private readonly mesh: FederatedMesh;
  /** The first one is that of the props. Objects of the others are named after it. */
  private readonly sources: RemoteSource[] = [];
  private readonly localSources: Weighting[] = [];
  private readonly routes = new GrowingList<LocalRoute>();
  private readonly state: BindingState;
  /** Created before the local name and its route: sidecars receive the egress gateway before the local name. */
  private readonly destinations: Construct;
  private readonly rendered = new Set<string>();

  /**
   * Creates a binding. Its objects in the application's namespaces go into the chart of `scope`.
   *
   * An application team can therefore apply them from a file of its own. A chart holds objects of one mesh only
   * (FED112). Rejects a local name that is already bound or reserved, and a source that cannot be reached. Synthesis
   * fails if a peer in the same program does not allow our mesh (FED403).
   */
  constructor(scope: Construct, id: string, props: RemoteServiceBindingProps) {
    const where = pathIn(scope, id);
    const boundary = Boundary.of(where, props);
    const { mesh, source } = props;
    const name = parseBinding(where, boundary.config, props);
    const weighting = parseSourceOf(where, mesh, source, props);
    checkChart(scope, boundary.config, where);
    boundary.checkNamespaceFree(where, name.namespaceName, `the local name ${show(name.serviceName)}`);
    boundary.checkHosts(where, name);
    boundary.checkSource(where, source);
    super(scope, id);
    this.mesh = mesh;
    this.host = name.host;
    this.state = new BindingState(name, () => this.destinationsByPort());
    claimChart(this, boundary.config, this);
    boundary.bind({ construct: this, state: this.state, sources: this.sources });
    this.destinations = new Construct(this, 'Destinations');
    if (!name.existing) boundary.declared.localNameServices.add(annotate(renderLocalName(this, this.state), name.annotations));
    if (name.additionalHosts.length > 0) annotate(renderAdditionalHosts(this, this.state), name.annotations);
    this.routes.forEachNowAndLater((route) => this.state.growingCallers.forEachNowAndLater((caller) => this.render(route, caller)));
    this.claimSource(source, weighting);
    this.node.addValidation({ validate: () => [...this.notAllowed(), ...this.errorsInPorts()] });
  }

  /**
   * Allows workloads of our mesh to call the local name.
   *
   * Callers of several calls add up. With `LocalName.existingService`, list all callers: in their namespaces, other
   * workloads fail for every request that is routed to a peer. Rejects workloads of the boundary, of Istio and of other
   * meshes. Synthesis fails for callers by namespace or mesh on a TCP or TLS port (FED408).
   *
   * @param callers at least one
   * @exampleMetadata fixture=meshes
   * @example
   * binding.allowFrom(Caller.serviceAccount('bookinfo-productpage', 'default'), Caller.fromConstruct(deployment));
   */
  public allowFrom(...callers: Caller[]): void {
    const boundary = this.mesh._boundary;
    checkCallers(this, callers);
    for (const caller of callers) boundary.checkCaller(this, caller);
    for (const caller of callers) {
      boundary.claimCaller(this, caller);
      this.state.addCaller({ principal: caller._principal(this.mesh.workloadTrustDomain), namespaceName: caller._account.namespaceName });
    }
  }

  /**
   * Adds a source behind the same local name: another peer, another export, or the same export for certain headers.
   *
   * Rejects a source that cannot be reached, such as a peer without `endpoints` (FED107). Synthesis fails for weights
   * or protocols of a local port that do not fit together (FED409).
   *
   * @exampleMetadata fixture=meshes
   * @example
   * binding.addSource(bank.exposedService('reviews'), { whenHeaders: { 'x-tester': 'yes' } });
   */
  public addSource(source: IExposedService, options: SourceOptions = {}): void {
    const weighting = parseSource(this, this.mesh, source, options);
    this.mesh._boundary.checkSource(this, source);
    this.claimSource(source, weighting);
  }

  /**
   * Adds the pods of the existing Service as a source behind the same local name.
   *
   * Callers reach these pods as before. The callers of the binding do not limit who calls the pods; policies of the
   * pods' namespace do. Rejects a binding of `LocalName.newService`, which has no pods (FED411).
   *
   * @exampleMetadata fixture=meshes
   * @example
   * const shared = west.bind('Reviews', {
   *   source: reviews,
   *   localName: LocalName.existingService('reviews', 'default'),
   *   weight: 10,
   * });
   * shared.addLocalSource({ weight: 90 });
   */
  public addLocalSource(options: LocalSourceOptions = {}): void {
    if (!this.state.name.existing) {
      fail('FED411', this, `${show(this.host)} is a new Service, which has no pods`,
        'bind an existing Service: LocalName.existingService(…)');
    }
    this.localSources.push(parseLocalSource(this, options));
  }

  private claimSource(source: IExposedService, weighting: RemoteWeighting): void {
    this.mesh._boundary.claimSource(source);
    const declared: RemoteSource = { source, weighting, routes: [] };
    this.sources.push(declared);
    const add = (ports: PortMapping) => {
      const route = this.routeTo(declared, ports);
      declared.routes.push(route);
      this.routes.add(route);
    };
    const samePort = ({ exportPort }: { readonly exportPort: number }) => add({ localPort: exportPort, exportPort });
    if (weighting.mappings) weighting.mappings.forEach(add);
    else if (source instanceof ExposedService) source._grantsTo(this.mesh).forEachNowAndLater(({ port }) => samePort(port));
    else source.ports.forEach(samePort);
  }

  /** The objects for one caller of one route. */
  private render(route: LocalRoute, caller: CallerIdentity): void {
    const boundary = this.mesh._boundary;
    const { bindingHost } = route;
    this.once(bindingHost, () => boundary.addRoute(route));
    if (isUnlisted(caller)) this.once(`${bindingHost} unlisted`, () => boundary.guardUnlisted(route));
    if (caller.namespaceName !== undefined) {this.addDestination(route, caller.namespaceName);} else {
      this.once(`${bindingHost} *`, () =>
        boundary.addDestinationForEverybody(route, (namespaceName) => this.addDestination(route, namespaceName)));
    }
    this.once('route', () => {
      const nameRoute = renderLocalNameRoute(this, boundary.config, this.state);
      if (this.state.name.existing) annotate(nameRoute, this.state.name.annotations);
    });
  }

  private addDestination(route: LocalRoute, namespaceName: string): void {
    const boundary = this.mesh._boundary;
    this.once(`${route.bindingHost} ${namespaceName}`, () => {
      renderCallerDestination(this.destinations, boundary.config, route, namespaceName);
      boundary.addDestinationNamespace(namespaceName);
    });
  }

  private once(key: string, create: () => void): void {
    if (this.rendered.has(key)) return;
    this.rendered.add(key);
    create();
  }

  private routeTo({ source }: RemoteSource, { localPort, exportPort }: PortMapping): LocalRoute {
    const { state, mesh } = this;
    const [named] = this.sources;
    const same = source.exportName === named.source.exportName && exportPort === mappedPort(named.weighting, localPort);
    const parts = {
      serviceName: state.name.serviceName,
      namespaceName: state.name.namespaceName,
      localPort,
      peerName: source.mesh.meshName,
      variant: same ? undefined : `${source.exportName}-${exportPort}`,
    };
    return {
      ...parts,
      binding: state,
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

  private destinationsByPort(): Map<number, DeclaredDestination[]> {
    const ports = new Map<number, DeclaredDestination[]>();
    for (const { routes, weighting } of this.sources) {
      for (const route of routes) ports.set(route.localPort, [...ports.get(route.localPort) ?? [], { ...weighting, route }]);
    }
    const local = this.localSources.map((weighting): DeclaredDestination => ({ ...weighting, route: undefined }));
    return new Map([...ports].map(([port, destinations]) => [port, [...destinations, ...local]]));
  }

  private errorsInPorts(): string[] {
    if (isSimple(this.sources) && this.localSources.length === 0) return [];
    return this.state.declaredPorts.flatMap((port) => errorsInPort(this, this.state, port));
  }

  private notAllowed(): string[] {
    return this.sources.flatMap(({ source, weighting: { mappings = [] } }) => {
      const { exportName, mesh: peer } = source;
      if (this.mesh._boundary.declared.isolates(peer.meshName)) return [];
      const allowed = allowedPorts(source, this.mesh);
      const fix = `call allowFrom for mesh ${show(this.mesh.meshName)} in mesh ${show(peer.meshName)}, or remove the binding`;
      if (allowed.length === 0) {
        return [describeError('FED403', this, `mesh ${show(peer.meshName)} does not allow us to call ${show(exportName)}`, fix)];
      }
      return mappings.filter(({ exportPort }) => !allowed.includes(exportPort)).map(({ exportPort }) => describeError(
        'FED403', this, `mesh ${show(peer.meshName)} does not allow us to call port ${exportPort} of ${show(exportName)}`, fix));
    });
  }
}

/** A remote source and its routes so far. */
interface RemoteSource {
  readonly source: IExposedService;
  readonly weighting: RemoteWeighting;
  readonly routes: LocalRoute[];
}

/** The exported port that a source has behind a local one, whether it is allowed us or not. */
function mappedPort({ mappings }: RemoteWeighting, localPort: number): number | undefined {
  return mappings ? mappings.find((mapping) => mapping.localPort === localPort)?.exportPort : localPort;
}

/** Whether one peer takes all requests, as in most bindings: its ports cannot contradict each other. */
function isSimple([{ source, weighting: { weight, headers } }, ...more]: RemoteSource[]): boolean {
  return more.length === 0 && weight === undefined && headers === undefined && source.ports.every(({ _protocol }) => speaksHttp(_protocol));
}

function allowedPorts(source: IExposedService, mesh: FederatedMesh): number[] {
  return source instanceof ExposedService ? source._grantsTo(mesh).all.map(({ port }) => port.exportPort)
    : source.ports.map(({ exportPort }) => exportPort);
}
