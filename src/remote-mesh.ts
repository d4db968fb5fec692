import { Construct } from 'constructs';
import { claimTrust } from './boundary/hierarchies';
import { copyOfEndpoints } from './checks/endpoint';
import { pathIn, show } from './checks/errors';
import { parseExportPort } from './checks/export';
import { checkListed, parseRemoteMesh } from './checks/remote-mesh';
import type { GatewayEndpoint } from './endpoint';
import type { SpiffeId } from './identity';
import type { IExposedService, IMeshPeer } from './mesh-peer';
import { sniOf } from './model/names';
import type { RemoteMeshProps, RemoteServiceProps } from './remote-mesh-props';
import type { ServicePort } from './service';
import type { TrustBundle } from './trust';

/**
 * Describes a mesh that another organisation, or another program, operates.
 *
 * It emits no objects by itself. `addPeer`, `bind` and `allowFrom` of our mesh use it.
 *
 * @exampleMetadata fixture=meshes
 * @example
 * const acquirer = new RemoteMesh(chart, 'Acquirer', {
 *   meshName: 'acquirer',
 *   trustDomain: 'acquirer.example',
 *   trustBundle: TrustBundle.fromPemFile('trust/acquirer.pem'),
 *   ingressIdentity: SpiffeId.parse('spiffe://acquirer.example/ns/istio-federation/sa/federation-ingress'),
 *   egressIdentity: SpiffeId.parse('spiffe://acquirer.example/ns/istio-federation/sa/federation-egress'),
 *   endpoints: [{ address: 'federation.acquirer.example' }],
 *   knownAs: 'west',
 *   exposedServices: [{ exportName: 'card-auth', ports: [ServicePort.http(443)] }],
 * });
 * west.addPeer(acquirer, { contact: 'mailto:security@acquirer.example' });
 */
export class RemoteMesh extends Construct implements IMeshPeer {
  readonly #props: RemoteMeshProps;
  readonly #services = new Map<string, RemoteService>();

  /**
   * Describes a peer.
   *
   * Rejects names, trust domains, endpoints and identities that a peer cannot have, and exports without `knownAs`
   * (FED138).
   */
  constructor(scope: Construct, id: string, props: RemoteMeshProps) {
    const checked = parseRemoteMesh(pathIn(scope, id), props);
    super(scope, id);
    this.#props = checked;
    claimTrust(this, checked.trustBundle);
    for (const service of checked.exposedServices ?? []) {
      this.#services.set(service.exportName, new RemoteService(this, service, checked.knownAs!));
    }
  }

  /** Our alias of the peer, such as `bank`. */
  public get meshName(): string {
    return this.#props.meshName;
  }

  /** Trust domain of its boundary gateways, such as `bank.example`. */
  public get trustDomain(): string {
    return this.#props.trustDomain;
  }

  /** Public addresses of its ingress gateway. Each read returns a new list. */
  public get endpoints(): GatewayEndpoint[] {
    return copyOfEndpoints(this.#props.endpoints ?? []);
  }

  /** SPIFFE ID that its ingress gateway presents. */
  public get ingressIdentity(): SpiffeId | undefined {
    return this.#props.ingressIdentity;
  }

  /** SPIFFE ID that its egress gateway presents. */
  public get egressIdentity(): SpiffeId | undefined {
    return this.#props.egressIdentity;
  }

  /** Public CA certificates with which its gateways are verified. */
  public get trustBundle(): TrustBundle {
    return this.#props.trustBundle;
  }

  /**
   * Returns an export of the peer, for `FederatedMesh.bind`.
   *
   * Rejects a name that `exposedServices` does not list; the error lists the known ones (FED406).
   *
   * @param exportName export name that the peer's owner chose, for example `card-auth`
   * @exampleMetadata fixture=meshes
   * @example
   * const cards = bank.exposedService('card-auth');
   */
  public exposedService(exportName: string): IExposedService {
    checkListed(this, this.meshName, this.#services, exportName);
    return this.#services.get(exportName)!;
  }
}

class RemoteService extends Construct implements IExposedService {
  readonly #mesh: RemoteMesh;
  readonly #props: RemoteServiceProps;
  readonly #knownAs: string;

  constructor(mesh: RemoteMesh, props: RemoteServiceProps, knownAs: string) {
    // `constructs` rejects ids that every object of JavaScript has as keys, such as "constructor".
    super(mesh, props.exportName in Object.prototype ? `export ${props.exportName}` : props.exportName);
    this.#mesh = mesh;
    this.#props = props;
    this.#knownAs = knownAs;
  }

  public get mesh(): IMeshPeer {
    return this.#mesh;
  }

  public get exportName(): string {
    return this.#props.exportName;
  }

  public get ports(): ServicePort[] {
    return [...this.#props.ports];
  }

  /** Contains the peer's name for us (`knownAs`), whatever our own name is. Rejects a port that is not exported. */
  public sniFor(_peer: IMeshPeer, exportPort: number): string {
    parseExportPort(this, this.ports, exportPort, `the entry ${show(this.exportName)} in exposedServices`);
    return sniOf(this.exportName, exportPort, this.#knownAs, this.mesh.trustDomain);
  }
}
