import { Construct } from 'constructs';
import type { LocalSourceOptions, RemoteServiceBindingOptions, SourceOptions } from './binding-options';
import { BindingState } from './boundary/binding-state';
import { Boundary } from './boundary/boundary';
import { checkChart, claimChart } from './boundary/charts';
import type { DeclaredSource } from './boundary/peers';
import { errorsInMesh } from './boundary/validation';
import type { Caller } from './caller';
import {
  errorsInAccess, errorsInPort, errorsInPortCount, parseBinding, parseLocalSource, parseSource, parseSourceFields, RemoteWeighting,
} from './checks/binding';
import { checkCallers } from './checks/caller';
import { pathIn, show } from './checks/errors';
import { ExposedService } from './expose';
import type { FederatedMesh } from './mesh';
import type { IExposedService } from './mesh-peer';

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
  readonly #mesh: FederatedMesh;
  readonly #state: BindingState;

  /**
   * Creates a binding. Its objects in the application's namespaces go into the chart of `scope`.
   *
   * An application team can therefore apply them from a file of its own. A chart holds objects of one mesh only
   * (FED112). Rejects a local name that is already bound or reserved, and a source that cannot be reached. Synthesis
   * fails if a peer in the same program does not allow our mesh (FED403).
   */
  constructor(scope: Construct, id: string, props: RemoteServiceBindingProps) {
    const where = pathIn(scope, id);
    const mesh = Boundary.meshOf(where, props);
    const { _boundary: boundary } = mesh;
    const { name, ...checked } = parseBinding(where, boundary.config, props);
    const source = boundary.sourceGiven(where, checked.source);
    const weighting = parseSource(where, mesh, source, checked);
    checkChart(scope, boundary.config, where);
    boundary.checkNamespaceFree(where, name.namespaceName, `the local name ${show(name.serviceName)}`);
    boundary.checkHosts(where, name, source.mesh);
    boundary.checkSource(where, source);
    super(scope, id);
    this.#mesh = mesh;
    this.#state = new BindingState(name, mesh);
    claimChart(this, boundary.config, this);
    boundary.bind({ construct: this, state: this.#state });
    this.claimSource(source, weighting);
    this.node.addValidation({ validate: () => [...errorsInMesh(mesh), ...this.errorsInSources(), ...this.errorsInPorts()] });
  }

  /** Fully qualified local name that callers dial, such as `reviews.default.svc.cluster.local`. */
  public get host(): string {
    return this.#state.name.host;
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
    checkCallers(this, callers);
    this.#mesh._boundary.allowCallers({ construct: this, state: this.#state }, callers);
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
    const { _boundary: boundary } = this.#mesh;
    const checked = parseSourceFields(this, options);
    const given = boundary.sourceGiven(this, source);
    const weighting = parseSource(this, this.#mesh, given, checked);
    boundary.checkSource(this, given);
    this.claimSource(given, weighting);
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
    this.#state.addLocalSource(parseLocalSource(this, this.#state.name, options));
  }

  private claimSource(source: DeclaredSource, weighting: RemoteWeighting): void {
    this.#mesh._boundary.claimSource(source);
    const addRoute = this.#state.addSource(source, weighting);
    const samePort = ({ exportPort }: { readonly exportPort: number }) => addRoute({ localPort: exportPort, exportPort });
    if (weighting.mappings) weighting.mappings.forEach(addRoute);
    else if (source.construct instanceof ExposedService) source.construct._forEachGrantTo(this.#mesh, ({ port }) => samePort(port));
    else source.ports.forEach(samePort);
  }

  private errorsInSources(): string[] {
    const mesh = this.#mesh;
    return this.#state.sources.filter(({ source }) => !mesh._boundary.isolates(source.mesh)).flatMap(({ source, weighting }) =>
      errorsInAccess(this, mesh, source, allowedPorts(source, mesh), weighting));
  }

  private errorsInPorts(): string[] {
    const state = this.#state;
    if (state.name.additionalHosts.length === 0 && state.isSimple) return [];
    const { declaredPorts } = state;
    const errors = state.isSimple ? [] : declaredPorts.flatMap((port) => errorsInPort(this, state, port));
    return [...errors, ...errorsInPortCount(this, state.name, declaredPorts.length)];
  }
}

function allowedPorts({ construct, ports }: DeclaredSource, mesh: FederatedMesh): number[] {
  return construct instanceof ExposedService ? construct._grantsTo(mesh).map(({ port }) => port.exportPort)
    : ports.map(({ exportPort }) => exportPort);
}
