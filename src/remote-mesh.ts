import { Construct } from 'constructs';
import { fail, pathIn, show } from './checks/errors';
import { checkRemoteMesh } from './checks/remote-mesh';
import type { GatewayEndpoint } from './endpoint';
import type { SpiffeId } from './identity';
import type { IExposedService, IMeshPeer } from './mesh-peer';
import { sniOf } from './model/names';
import type { RemoteMeshProps, RemoteServiceProps } from './remote-mesh-props';
import type { ServicePort } from './service';
import type { TrustBundle } from './trust';

/**
 * A mesh that we only know.
 *
 * Creates nothing by itself.
 *
 * @exampleMetadata fixture=meshes
 * @example
 * const bank = new RemoteMesh(chart, 'Bank', {
 *   meshName: 'bank',
 *   trustDomain: 'bank.example',
 *   trustBundle: TrustBundle.fromPemFile('trust/bank.pem'),
 *   ingressIdentity: SpiffeId.parse('spiffe://bank.example/ns/istio-federation/sa/federation-ingress'),
 *   egressIdentity: SpiffeId.parse('spiffe://bank.example/ns/istio-federation/sa/federation-egress'),
 *   endpoints: [{ address: 'federation.bank.example' }],
 *   exposedServices: [{ exportName: 'card-auth', ports: [ServicePort.http(443)] }],
 * });
 * west.addPeer(bank, { contact: 'mailto:security@bank.example' });
 */
export class RemoteMesh extends Construct implements IMeshPeer {
  public readonly meshName: string;
  public readonly trustDomain: string;
  public readonly endpoints: GatewayEndpoint[];
  public readonly ingressIdentity?: SpiffeId;
  public readonly egressIdentity?: SpiffeId;
  public readonly trustBundle: TrustBundle;
  private readonly services = new Map<string, RemoteService>();

  /**
   * Rejects names, domains, endpoints and identities that cannot be those of a peer, and exports that nobody could export.
   */
  constructor(scope: Construct, id: string, props: RemoteMeshProps) {
    checkRemoteMesh(pathIn(scope, id), props);
    super(scope, id);
    this.meshName = props.meshName;
    this.trustDomain = props.trustDomain;
    this.endpoints = (props.endpoints ?? []).map((endpoint) => ({ ...endpoint }));
    this.ingressIdentity = props.ingressIdentity;
    this.egressIdentity = props.egressIdentity;
    this.trustBundle = props.trustBundle;
    for (const service of props.exposedServices ?? []) {
      this.services.set(service.exportName, new RemoteService(this, service, props.knownAs!));
    }
  }

  /**
   * A service that the peer exposes to us.
   *
   * Rejects an unknown name, and lists the known ones.
   *
   * @param exportName as the peer has told it
   */
  public exposedService(exportName: string): IExposedService {
    const service = this.services.get(exportName);
    if (service) return service;
    const known = [...this.services.keys()].sort();
    return fail('FED406', this, `${show(exportName)} is not among what mesh ${show(this.meshName)} exposes to us`,
      known.length === 0 ? 'list it in exposedServices' : `choose one of ${known.join(', ')}, or list it in exposedServices`);
  }
}

class RemoteService extends Construct implements IExposedService {
  public readonly mesh: IMeshPeer;
  public readonly exportName: string;
  public readonly ports: ServicePort[];

  constructor(mesh: RemoteMesh, props: RemoteServiceProps, private readonly knownAs: string) {
    super(mesh, props.exportName);
    this.mesh = mesh;
    this.exportName = props.exportName;
    this.ports = [...props.ports];
  }

  /** The peer's name for us stands in it, whatever our own name is. */
  public sniFor(_peer: IMeshPeer, exportPort: number): string {
    return sniOf(this.exportName, exportPort, this.knownAs, this.mesh.trustDomain);
  }
}
