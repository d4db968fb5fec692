import { GrowingList } from './growing-list';
import { DeclaredSource, peerOf } from './peers';
import type { PortMapping } from '../binding-options';
import type { RemoteWeighting, Weighting } from '../checks/binding';
import type { IMeshPeer } from '../mesh-peer';
import { DeclaredDestination, DeclaredPort, matchesOf } from '../model/destinations';
import { Binding, BindingName, CallerIdentity, LocalPort, LocalRoute, speaksHttp } from '../model/model';
import { bindingHostOf } from '../model/names';
import { compare } from '../model/order';

/** A remote source of a binding, and its routes so far. */
interface RemoteSource {
  readonly source: DeclaredSource;
  readonly weighting: RemoteWeighting;
  readonly routes: readonly LocalRoute[];
}

/** A binding with a fixed local name. Its callers, sources and routes grow until the chart is written. */
export class BindingState implements Binding {
  /** Sorted by principal. */
  public readonly growingCallers = new GrowingList<CallerIdentity>((a, b) => compare(a.principal, b.principal));
  public readonly routes = new GrowingList<LocalRoute>();
  private readonly principals = new Set<string>();
  /** The first one is that of the props. Objects of the others are named after it. */
  private readonly remoteSources: (RemoteSource & { readonly routes: LocalRoute[] })[] = [];
  private readonly localSources: Weighting[] = [];

  constructor(public readonly name: BindingName, private readonly mesh: IMeshPeer) {}

  public get sources(): readonly RemoteSource[] {
    return this.remoteSources;
  }

  public get declaredPorts(): DeclaredPort[] {
    return [...this.destinations].map(([localPort, destinations]) => ({ localPort, destinations })).sort((a, b) => a.localPort - b.localPort);
  }

  public get ports(): LocalPort[] {
    return this.declaredPorts.map(({ localPort, destinations }) => ({
      localPort, protocol: destinations.find(({ route }) => route)!.route!.upstream.protocol, matches: matchesOf(destinations),
    }));
  }

  public get callers(): CallerIdentity[] {
    return [...this.growingCallers.all];
  }

  /** Whether one peer takes all requests, as in most bindings: its ports cannot contradict each other. */
  public get isSimple(): boolean {
    const [{ source, weighting: { weight, headers } }, ...more] = this.remoteSources;
    return more.length === 0 && this.localSources.length === 0 && weight === undefined && headers === undefined
      && source.ports.every(({ _protocol }) => speaksHttp(_protocol));
  }

  public addCaller(caller: CallerIdentity): void {
    if (this.principals.has(caller.principal)) return;
    this.principals.add(caller.principal);
    this.growingCallers.add(caller);
  }

  public addLocalSource(weighting: Weighting): void {
    this.localSources.push(weighting);
  }

  /** Adds a remote source, which has no routes yet. Returns how to add one. */
  public addSource(source: DeclaredSource, weighting: RemoteWeighting): (ports: PortMapping) => void {
    const routes: LocalRoute[] = [];
    this.remoteSources.push({ source, weighting, routes });
    return (ports) => {
      const route = this.routeTo(source, ports);
      routes.push(route);
      this.routes.add(route);
    };
  }

  private routeTo(source: DeclaredSource, { localPort, exportPort }: PortMapping): LocalRoute {
    const { mesh, name: { serviceName, namespaceName } } = this;
    const [named] = this.remoteSources;
    const same = source.exportName === named.source.exportName && exportPort === mappedPort(named.weighting, localPort);
    const parts = {
      serviceName, namespaceName, localPort, peerName: source.mesh.meshName, variant: same ? undefined : `${source.exportName}-${exportPort}`,
    };
    return {
      ...parts,
      binding: this,
      bindingHost: bindingHostOf(parts, mesh.trustDomain),
      upstream: {
        exportName: source.exportName,
        exportPort,
        protocol: source.ports.find((port) => port.exportPort === exportPort)!._protocol,
        peer: peerOf(source.mesh),
        sni: source.snis.get(exportPort)!,
      },
    };
  }

  private get destinations(): Map<number, DeclaredDestination[]> {
    const ports = new Map<number, DeclaredDestination[]>();
    for (const { routes, weighting } of this.remoteSources) {
      for (const route of routes) ports.set(route.localPort, [...ports.get(route.localPort) ?? [], { ...weighting, route }]);
    }
    const local = this.localSources.map((weighting): DeclaredDestination => ({ ...weighting, route: undefined }));
    return new Map([...ports].map(([port, destinations]) => [port, [...destinations, ...local]]));
  }
}

/** The exported port that a source has behind a local one, whether it is allowed us or not. */
function mappedPort({ mappings }: RemoteWeighting, localPort: number): number | undefined {
  return mappings ? mappings.find((mapping) => mapping.localPort === localPort)?.exportPort : localPort;
}
