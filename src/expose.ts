import { Construct } from 'constructs';
import { Boundary } from './boundary/boundary';
import { checkChart, claimChart } from './boundary/charts';
import { GrantedPort } from './boundary/granted-port';
import { GrowingList } from './boundary/growing-list';
import { peerGiven, peerOf } from './boundary/peers';
import { errorsInMesh } from './boundary/validation';
import { pathIn, show } from './checks/errors';
import { CheckedExport, parseExportPort, parseExport, parseExportPorts } from './checks/export';
import { checkAddsUp, checkAllowedPeer, checkProtocol, parsePermission } from './checks/grant';
import { parseLock } from './checks/lock';
import type { DeclaredPeer } from './checks/peer';
import { errorsInService } from './checks/service-ports';
import type { ExposedServiceOptions } from './export-options';
import type { AllowFromOptions } from './grant';
import type { LockWorkloadOptions } from './lock';
import type { FederatedMesh } from './mesh';
import type { IExposedService, IMeshPeer } from './mesh-peer';
import { serviceHost, sniOf } from './model/names';
import type { Permission } from './model/permission';
import { parseJwtRule } from './pki/jwt';
import type { ServicePort } from './service';

/**
 * Properties of `ExposedService`: the options of `FederatedMesh.expose`, and the exporting mesh.
 *
 * @exampleMetadata fixture=meshes
 * @example
 * new ExposedService(chart, 'Ledger', {
 *   mesh: east,
 *   service: LocalService.fromName('ledger', 'accounts'),
 *   exportName: 'ledger',
 *   ports: [ServicePort.tcp(5432)],
 * });
 */
export interface ExposedServiceProps extends ExposedServiceOptions {
  /** Our mesh, which runs the service. */
  readonly mesh: FederatedMesh;
}

/**
 * An export: makes a Kubernetes Service of our mesh callable by peers.
 *
 * Without `allowFrom`, no peer can call it.
 *
 * @exampleMetadata fixture=meshes
 * @example
 * const ratings = new ExposedService(chart, 'Ratings', {
 *   mesh: east,
 *   service: LocalService.fromConstruct(service),
 *   exportName: 'ratings',
 *   ports: [ServicePort.http(9080)],
 * });
 * ratings.allowFrom(west, { http: [HttpRule.allow({ methods: ['GET'], paths: ['/ratings/*'] })] });
 */
export class ExposedService extends Construct implements IExposedService {
  readonly #mesh: FederatedMesh;
  readonly #checked: CheckedExport;
  /** Fully qualified name of the Service. */
  readonly #host: string;
  /** By peer, sorted by port. */
  readonly #grants = new Map<IMeshPeer, GrowingList<GrantedPort>>();

  /**
   * Creates an export. Its objects go into the mesh's chart; only those of `lockWorkload` go into the chart of `scope`.
   *
   * Rejects export names and ports that cannot be exported, and services of the boundary, of Istio or of another mesh.
   * Synthesis fails for a port that the Service does not have, if its construct is known (FED304).
   */
  constructor(scope: Construct, id: string, props: ExposedServiceProps) {
    const where = pathIn(scope, id);
    const mesh = Boundary.meshOf(where, props);
    const { _boundary: boundary } = mesh;
    const checked = parseExport(where, props, mesh.trustDomain, boundary.config.istioVersion);
    const { exportName, ports, service } = checked;
    checkChart(scope, boundary.config, where);
    if (service._object) checkChart(service._object, boundary.config, where);
    boundary.checkNamespaceFree(where, service.namespaceName, `the service ${show(service.serviceName)}`);
    boundary.checkExportName(where, exportName);
    super(scope, id);
    this.#mesh = mesh;
    this.#checked = checked;
    this.#host = serviceHost(service.serviceName, service.namespaceName, boundary.config.clusterDomain);
    claimChart(this, boundary.config, this);
    if (service._object) claimChart(service._object, boundary.config, this);
    boundary.expose({ construct: this, exportName, host: this.#host, namespaceName: service.namespaceName });
    const { namespaceName } = boundary.config.ingress;
    this.node.addValidation({ validate: () => [...errorsInMesh(mesh), ...errorsInService(this, service, ports, namespaceName)] });
  }

  /** The exporting mesh. */
  public get mesh(): IMeshPeer {
    return this.#mesh;
  }

  /** Name of the export for peers, such as `reviews`. */
  public get exportName(): string {
    return this.#checked.exportName;
  }

  /** The exported ports. Each read returns a new list. */
  public get ports(): ServicePort[] {
    return [...this.#checked.ports];
  }

  /**
   * Allows a peer to call the export. Allow rules of several calls add up.
   *
   * Rejects rules that Istio cannot enforce exactly as written, and rules that another call for the same peer and port
   * would cancel (FED309). Synthesis fails if our mesh does not add the peer by `addPeer` (FED108).
   *
   * @exampleMetadata fixture=meshes
   * @example
   * reviews.allowFrom(west, { http: [HttpRule.allow({ methods: ['GET'], paths: ['/reviews/*'] })] });
   */
  public allowFrom(peer: IMeshPeer, options: AllowFromOptions = {}): void {
    const given = peerGiven(this, peer);
    checkAllowedPeer(this, this.mesh, given);
    const boundary = this.#mesh._boundary;
    const { jwt, ...checked } = parsePermission(this, options, boundary.config.istioVersion);
    const permission: Permission = { ...checked, jwt: jwt && parseJwtRule(this, jwt) };
    const ports = parseExportPorts(this, this.#checked.ports, permission.ports);
    for (const port of ports) {
      checkProtocol(this, port, permission, this.#checked.ports);
      const granted = this.grantedPort(peer, port);
      if (granted) checkAddsUp(this, given.meshName, granted, permission);
    }
    boundary.checkGrant(this, given, permission.jwt?.issuer);
    boundary.claimGrant(this, given, permission.jwt?.issuer, this.exportName);
    const added = ports.flatMap((port) => this.grant(given, port, permission) ?? []);
    // Bindings see the ports in their order, whatever the order of the export.
    added.sort(({ port: a }, { port: b }) => a.exportPort - b.exportPort).forEach((granted) => this.growingGrants(peer).add(granted));
  }

  /**
   * Restricts the workload itself: only the boundary's ingress gateways and the listed local callers can call it.
   *
   * All other callers inside the mesh are denied. Emits two objects in the service's namespace, in the chart of
   * `scope`: an AuthorizationPolicy that no ALLOW policy overrides, and an EnvoyFilter that limits what one caller can
   * cost the sidecars.
   *
   * - Pods without a sidecar are not protected.
   * - Probes that injection has rewritten, and ports 15020, 15021 and 15090 of the sidecar, stay reachable.
   * - List a scraper of the application's own port in `localCallers`.
   * - TCP: other workloads can still connect and read what a server sends first. Nothing that they send arrives.
   *
   * Rejects a second lock of one Service (FED313).
   *
   * @exampleMetadata fixture=meshes
   * @example
   * reviews.lockWorkload({
   *   reason: 'card data: listed callers only',
   *   localCallers: [Caller.serviceAccount('teller', 'accounts')],
   *   podLabels: { app: 'reviews' },
   * });
   */
  public lockWorkload(options: LockWorkloadOptions): void {
    const { service } = this.#checked;
    this.#mesh._boundary.lock(this, service, parseLock(this, service, options));
  }

  /**
   * The TLS server name (SNI) that a peer must use for one exported port.
   *
   * For example `p9080.reviews.west.fed.east.example`. Rejects a port that is not exported (FED306).
   *
   * @param peer the calling mesh
   * @param exportPort the exported port number, for example `9080`
   */
  public sniFor(peer: IMeshPeer, exportPort: number): string {
    const { meshName } = peerGiven(this, peer);
    parseExportPort(this, this.#checked.ports, exportPort);
    return sniOf(this.exportName, exportPort, meshName, this.mesh.trustDomain);
  }

  /**
   * Ports that a peer may call so far, sorted.
   * @internal
   */
  public _grantsTo(peer: IMeshPeer): readonly GrantedPort[] {
    return this.#grants.get(peer)?.all ?? [];
  }

  /**
   * Calls `read` for each port that a peer may call, and for each later one as soon as it is allowed.
   * @internal
   */
  public _forEachGrantTo(peer: IMeshPeer, read: (granted: GrantedPort) => void): void {
    this.growingGrants(peer).forEachNowAndLater(read);
  }

  private growingGrants(peer: IMeshPeer): GrowingList<GrantedPort> {
    const known = this.#grants.get(peer) ?? new GrowingList<GrantedPort>(({ port: a }, { port: b }) => a.exportPort - b.exportPort);
    this.#grants.set(peer, known);
    return known;
  }

  /** Adds a permission to what the peer may do on a port. Returns the grant if it is a new one. */
  private grant(peer: DeclaredPeer, port: ServicePort, permission: Permission): GrantedPort | undefined {
    const boundary = this.#mesh._boundary;
    const known = this.grantedPort(peer.construct, port);
    if (known) {
      known.add(permission);
      boundary.updateGrant(known, permission.annotations);
      return undefined;
    }
    const { exportName, timeouts, annotations } = this.#checked;
    const { exportPort } = port;
    const exported = { exportName, exportPort, protocol: port._protocol, backend: { host: this.#host, port: port.port }, ...timeouts };
    const granted = new GrantedPort(exported, peerOf(peer), sniOf(exportName, exportPort, peer.meshName, this.mesh.trustDomain), annotations);
    granted.add(permission);
    boundary.addGrant(granted);
    return granted;
  }

  private grantedPort(peer: IMeshPeer, { exportPort }: ServicePort): GrantedPort | undefined {
    return this._grantsTo(peer).find(({ port }) => port.exportPort === exportPort);
  }
}
