import { Construct } from 'constructs';
import { Boundary } from './boundary/boundary';
import { checkChart, claimChart } from './boundary/charts';
import { GrantedPort } from './boundary/granted-port';
import { GrowingList } from './boundary/growing-list';
import { peerOf } from './boundary/peers';
import { pathIn, show } from './checks/errors';
import { errorsInService, parseExportPort, parseExport, parseExportPorts, Timeouts } from './checks/export';
import { checkAddsUp, checkAllowedPeer, checkProtocol, parsePermission } from './checks/grant';
import { parseLock } from './checks/lock';
import { checkPeerGiven } from './checks/peer';
import type { ExposedServiceOptions } from './export-options';
import type { AllowFromOptions } from './grant';
import type { LockWorkloadOptions } from './lock';
import type { FederatedMesh } from './mesh';
import type { IExposedService, IMeshPeer } from './mesh-peer';
import { annotationsOf } from './model/annotations';
import type { Annotations } from './model/model';
import { serviceHost, sniOf } from './model/names';
import type { Permission } from './model/permission';
import { parseJwtRule } from './pki/jwt';
import { LocalService, ServicePort } from './service';

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
  /** The exporting mesh. */
  public readonly mesh: IMeshPeer;
  /** Name of the export for peers, such as `reviews`. */
  public readonly exportName: string;
  /** The exported ports. */
  public readonly ports: ServicePort[];
  /** The same mesh as `mesh`, with its own type: jsii has no covariant properties. */
  private readonly owner: FederatedMesh;
  private readonly service: LocalService;
  private readonly annotations: Annotations;
  private readonly timeouts: Timeouts;
  /** Fully qualified name of the Service. */
  private readonly host: string;
  /** By peer, sorted by port. */
  private readonly grants = new Map<IMeshPeer, GrowingList<GrantedPort>>();

  /**
   * Creates an export. Its objects go into the mesh's chart; only those of `lockWorkload` go into the chart of `scope`.
   *
   * Rejects export names and ports that cannot be exported, and services of the boundary, of Istio or of another mesh.
   * Synthesis fails for a port that the Service does not have, if its construct is known (FED304).
   */
  constructor(scope: Construct, id: string, props: ExposedServiceProps) {
    const where = pathIn(scope, id);
    const boundary = Boundary.of(where, props);
    const { mesh, service, exportName } = props;
    const timeouts = parseExport(where, props, mesh.trustDomain, boundary.config.istioVersion);
    checkChart(scope, boundary.config, where);
    if (service._object) checkChart(service._object, boundary.config, where);
    boundary.checkNamespaceFree(where, service.namespaceName, `the service ${show(service.serviceName)}`);
    boundary.checkExportName(where, exportName);
    super(scope, id);
    this.mesh = mesh;
    this.owner = mesh;
    this.annotations = annotationsOf(props);
    this.exportName = exportName;
    this.ports = [...props.ports];
    this.timeouts = timeouts;
    this.service = service;
    this.host = serviceHost(service.serviceName, service.namespaceName, boundary.config.clusterDomain);
    claimChart(this, boundary.config, this);
    if (service._object) claimChart(service._object, boundary.config, this);
    boundary.expose({ construct: this, exportName, host: this.host, namespaceName: service.namespaceName });
    this.node.addValidation({ validate: () => errorsInService(this, service, this.ports) });
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
    checkAllowedPeer(this, this.mesh, peer);
    const boundary = this.owner._boundary;
    const permission: Permission = {
      ...parsePermission(this, options, boundary.config.istioVersion),
      jwt: options.jwt === undefined ? undefined : parseJwtRule(this, options.jwt),
    };
    const ports = parseExportPorts(this, this.ports, permission.ports);
    for (const port of ports) {
      checkProtocol(this, port, permission, this.ports);
      const granted = this.grantedPort(peer, port);
      if (granted) checkAddsUp(this, peer.meshName, granted, permission);
    }
    boundary.checkGrant(this, peer, permission.jwt?.issuer);
    boundary.claimGrant(this, peer, permission.jwt?.issuer, this.exportName);
    const added = ports.flatMap((port) => this.grant(peer, port, permission) ?? []);
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
    this.owner._boundary.lock(this, this.service, parseLock(this, this.service, options));
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
    checkPeerGiven(this, peer);
    parseExportPort(this, this.ports, exportPort);
    return sniOf(this.exportName, exportPort, peer.meshName, this.mesh.trustDomain);
  }

  /**
   * Ports that a peer may call so far, sorted.
   * @internal
   */
  public _grantsTo(peer: IMeshPeer): readonly GrantedPort[] {
    return this.grants.get(peer)?.all ?? [];
  }

  /**
   * Calls `read` for each port that a peer may call, and for each later one as soon as it is allowed.
   * @internal
   */
  public _forEachGrantTo(peer: IMeshPeer, read: (granted: GrantedPort) => void): void {
    this.growingGrants(peer).forEachNowAndLater(read);
  }

  private growingGrants(peer: IMeshPeer): GrowingList<GrantedPort> {
    const known = this.grants.get(peer) ?? new GrowingList<GrantedPort>(({ port: a }, { port: b }) => a.exportPort - b.exportPort);
    this.grants.set(peer, known);
    return known;
  }

  /** Adds a permission to what the peer may do on a port. Returns the grant if it is a new one. */
  private grant(peer: IMeshPeer, port: ServicePort, permission: Permission): GrantedPort | undefined {
    const boundary = this.owner._boundary;
    const known = this.grantedPort(peer, port);
    if (known) {
      known.add(permission);
      boundary.updateGrant(known);
      return undefined;
    }
    const { exportName, host } = this;
    const { exportPort } = port;
    const exported = { exportName, exportPort, protocol: port._protocol, backend: { host, port: port.port }, ...this.timeouts };
    const granted = new GrantedPort(exported, peerOf(peer), this.sniFor(peer, exportPort), this.annotations);
    granted.add(permission);
    boundary.addGrant(granted);
    return granted;
  }

  private grantedPort(peer: IMeshPeer, { exportPort }: ServicePort): GrantedPort | undefined {
    return this._grantsTo(peer).find(({ port }) => port.exportPort === exportPort);
  }
}
