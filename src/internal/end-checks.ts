import { ApiObject, Chart } from 'cdk8s';
import { Construct, IConstruct } from 'constructs';
import { Boundary } from './boundary';
import { chartsOf } from './charts';
import { describeMistake, show } from './errors';
import { leastMemoryLimit, mostPorts } from './memory';
import { serviceHost } from './names';
import { isWayRound } from './restriction-checks';
import type { FederatedMesh } from '../mesh';
import type { IMeshPeer } from '../peer';

/*
 * What can be said about a mesh only when its program has ended.
 */

/** Bytes of an object in JSON: what etcd takes in one request, less what the API server adds. */
const LARGEST_OBJECT = 1_400_000;

/** One text for each mistake. */
export function mistakesAtTheEnd(mesh: FederatedMesh): string[] {
  return [missingEndpoints, missingPeers, takenNames, peersNames, waysRound, sharedSecret, tooLarge, tooLittleMemory]
    .flatMap((mistakes) => mistakes(mesh));
}

function missingEndpoints(mesh: FederatedMesh): string[] {
  const [exportName] = mesh._exposures.keys();
  if (exportName === undefined || mesh.endpoints.length > 0) return [];
  return [describeMistake('FED107', mesh, `${show(exportName)} is exposed, but no endpoint says where peers reach us`,
    'state where the ingress gateway is reached: endpoints: [{ address: … }]')];
}

function missingPeers(mesh: FederatedMesh): string[] {
  const users = new Map<IMeshPeer, Construct>();
  for (const exposure of mesh._exposures.values()) exposure._grantedPeers.forEach((peer) => users.set(peer, exposure));
  for (const binding of mesh._bindings.values()) binding._sources.forEach((source) => users.set(source.mesh, binding));
  return [...users].filter(([peer]) => !mesh._boundary.peers.has(peer)).map(([peer, user]) => describeMistake('FED108', mesh,
    `${user.node.path} deals with mesh ${show(peer.meshName)}, which is no peer`, `agree to it: addPeer(…) with the construct ${peer.node.path}`));
}

function peersNames(mesh: FederatedMesh): string[] {
  return [...mesh._bindings.values()].flatMap((binding) => binding._alias.additionalHosts.flatMap((host) =>
    mesh._boundary.siblings.flatMap(({ peersDomains }) => peersDomains).filter((domain) => host.endsWith(domain)).map((domain) => describeMistake('FED412', binding,
      `the additional host ${show(host)} lies in ${show(domain)}, where a peer has its server names`, 'choose another name'))));
}

function waysRound(mesh: FederatedMesh): string[] {
  return [...mesh._boundary.restrictions.values()].flatMap(({ namespaceName, allowedHosts }) => allowedHosts.flatMap((allowed) =>
    mesh._peers.filter((peer) => isWayRound(allowed, peer)).map((peer) => describeMistake('FED122', mesh,
      `the allowed host ${show(allowed)} of ${show(namespaceName)} is the gateway of peer ${show(peer.meshName)}`,
      'take it away and bind what is needed: the egress gateway is the only one who calls a peer'))));
}

function takenNames(mesh: FederatedMesh): string[] {
  if (mesh._bindings.size === 0) return [];
  const exposed = mesh._boundary.siblings.flatMap(({ exposedHosts }) => [...exposedHosts.keys()]);
  const taken = new Set([...chartServices(mesh), ...exposed]);
  return [...mesh._bindings.values()].filter(({ host, _alias }) => !_alias.existing && taken.has(host))
    .map((binding) => describeMistake('FED402', binding, `${show(binding.host)} is a Service of mesh ${show(mesh.meshName)} already`,
      'choose another name, or remove that Service once nothing runs behind it'));
}

function sharedSecret(mesh: FederatedMesh): string[] {
  const { ingress, egress } = mesh._boundary.site;
  const shared = ingress.credential?.secretName;
  const apart = shared !== egress.credential?.secretName || ingress.namespaceName !== egress.namespaceName;
  if (shared === undefined || apart || mesh._exposures.size === 0 || mesh._bindings.size === 0) return [];
  return [describeMistake('FED132', mesh, `both gateways have their certificate from the Secret ${show(shared)}, but it can hold one identity only`,
    'give each gateway a Secret of its own: BoundaryGateway.dedicated({ credential: … })')];
}

/** An object beyond the limit would be refused while the rest of the file is applied, and what was withdrawn in it would stay live. */
function tooLarge(mesh: FederatedMesh): string[] {
  return mesh._boundary.collecting.flatMap((object) => {
    const bytes = Buffer.byteLength(JSON.stringify(object.toJson()));
    if (bytes <= LARGEST_OBJECT) return [];
    return [describeMistake('FED135', mesh, `the ${object.kind} ${object.metadata.namespace}/${object.name} has ${bytes} bytes, and etcd takes 1.5 MB`,
      'give some of the peers a boundary of their own (a second FederatedMesh with another namespaceName), or write fewer and shorter rules')];
  });
}

/** The configuration of so many ports would look like an attack: Envoy would reset streams, and above a limit take no connection at all. */
function tooLittleMemory(mesh: FederatedMesh): string[] {
  const { site } = mesh._boundary;
  return [site.ingress, site.egress].flatMap(({ role, existing, options: { memoryLimit } }) => {
    const ports = mesh._boundary.servedPorts(role);
    if (existing || memoryLimit === undefined || ports <= mostPorts(memoryLimit)) return [];
    return [describeMistake('FED136', mesh,
      `the ${role} gateway serves ${ports} ports, and its memoryLimit ${show(memoryLimit)} holds the configuration of ${mostPorts(memoryLimit)}`,
      `raise it to ${show(leastMemoryLimit(ports))} or more, or leave it out`)];
  });
}

/** Services of others in the charts of a mesh. */
function chartServices(mesh: FederatedMesh): string[] {
  const services: ApiObject[] = [];
  for (const chart of chartsOf(mesh, mesh.trustDomain)) collectServices(chart, services);
  return services.filter((service) => !mesh._ownServices.has(service))
    .map((service) => serviceHost(service.name, service.metadata.namespace ?? 'default', mesh._boundary.site.clusterDomain));
}

/** Services of one chart, without those of charts inside it, and without looking into our boundaries, which are most of a large program. */
function collectServices(scope: IConstruct, services: ApiObject[]): void {
  for (const child of scope.node.children) {
    if (ApiObject.isApiObject(child)) {
      if (child.kind === 'Service' && child.apiVersion === 'v1') services.push(child);
    } else if (!Chart.isChart(child) && !Boundary.holds(child)) {
      collectServices(child, services);
    }
  }
}
