import { Construct, IConstruct } from 'constructs';
import type { BindingState } from './binding-state';
import type { Boundary } from './boundary';
import { namespacesInProgram, servicesInCharts } from './cluster-objects';
import { chainOf } from './hierarchies';
import { isDomainOf, shadowed } from '../checks/additional-hosts';
import { privateEndpoint } from '../checks/endpoint';
import { describeError, show } from '../checks/errors';
import { DeclaredPeer, overlapOf } from '../checks/peer';
import { coversEndpoint } from '../checks/restriction';
import { errorsInExisting } from '../checks/service-ports';
import type { IMeshPeer } from '../mesh-peer';
import { minMemoryLimit, maxPorts } from '../model/memory';
import { compare } from '../model/order';
import { serviceOf } from '../model/services';
import { errorInRemoved, isRemoved } from '../render';

/*
 * Errors that can only be found when the program is complete.
 */

type Mesh = IMeshPeer & Construct;

/** The errors of a mesh and its boundary, one line each. */
export function errorsAtTheEnd(mesh: Mesh, boundary: Boundary): string[] {
  return [
    removed, trustChains, missingEndpoints, missingPeers, openElsewhere, namesInUse, shortNames, peerSnis, bypasses, sharedSecret,
    tooLittleMemory,
  ].flatMap((errors) => errors(mesh, boundary));
}

/** The errors of an export or a binding whose mesh was removed. Its objects may be in a chart of an application. */
export function errorsInMesh(mesh: Mesh): string[] {
  return isRemoved(mesh) ? [errorInRemoved(mesh)] : [];
}

/** Removed constructs whose effect would stay in the objects of this boundary. */
function removed(_mesh: Mesh, { declared, siblings }: Boundary): string[] {
  const exports = [...declared.exports.values()];
  const bindings = [...declared.bindings.values()];
  const sources = bindings.flatMap(({ state }) => state.sources.map(({ source }) => source));
  const peers = [...declared.peers.keys(), ...exports.flatMap((one) => [...one.peers]), ...sources.map((source) => source.mesh)];
  const used = [...exports, ...bindings, ...sources, ...peers].map(({ construct }) => construct);
  return [...new Set<IConstruct>([...siblings.map((boundary) => boundary.mesh), ...used])].filter(isRemoved).map(errorInRemoved);
}

/** Peers whose trust overlaps through a certificate of a mesh that was declared after `addPeer`. */
function trustChains(mesh: Mesh, boundary: Boundary): string[] {
  return [...boundary.declared.peers.keys()].flatMap((peer) => {
    const chain = chainOf(mesh, peer.trustBundle);
    return boundary.relatedTo(peer, chain).flatMap((other) => {
      const overlap = overlapOf(mesh, peer, other, chain);
      return overlap ? [describeError('FED119', mesh, ...overlap)] : [];
    });
  });
}

/** An isolated peer that a boundary of the mesh still serves, perhaps under another name. */
function openElsewhere(mesh: Mesh, { declared, siblings }: Boundary): string[] {
  const open = siblings.flatMap((boundary) => [...boundary.declared.peers.keys()].filter((peer) => !boundary.isolates(peer))
    .map((peer) => ({ peer, other: boundary.mesh })));
  return [...declared.peers.keys()].filter(({ meshName }) => declared.isolates(meshName)).flatMap((isolated) =>
    open.filter(({ peer }) => mayBeSame(peer, isolated)).map(({ peer, other }) => {
      const where = other === mesh ? 'it' : `the boundary ${other.node.path} of the same mesh`;
      const same = hasCommonIdentity(peer, isolated) || peer === isolated;
      const served = peer.meshName === isolated.meshName ? 'it' : `peer ${show(peer.meshName)}, which ${same ? 'has' : 'may have'} the same gateways`;
      return describeError('FED148', mesh, `peer ${show(isolated.meshName)} is isolated here, but ${where} still serves ${served}`,
        same ? 'set isolated in its addPeer(…) as well, or remove it from both'
          : 'set isolated in its addPeer(…) as well, or set ingressIdentity and egressIdentity of both if they are different gateways');
    }));
}

/**
 * Whether two peers may be the same gateways, perhaps under two names. Of one trust domain, only two identities for the
 * same direction tell them apart.
 */
function mayBeSame(a: DeclaredPeer, b: DeclaredPeer): boolean {
  if (a.trustDomain !== b.trustDomain) return false;
  const apart = (['ingressIdentity', 'egressIdentity'] as const).some((role) => a[role] !== undefined && b[role] !== undefined);
  return hasCommonIdentity(a, b) || !apart;
}

function hasCommonIdentity(a: DeclaredPeer, b: DeclaredPeer): boolean {
  const [ofA, ofB] = [a, b].map(({ ingressIdentity, egressIdentity }) => [ingressIdentity?.uri, egressIdentity?.uri]);
  return ofA.some((uri) => uri !== undefined && ofB.includes(uri));
}

function missingEndpoints(mesh: Mesh, { declared }: Boundary): string[] {
  const [exportName] = declared.exports.keys();
  if (exportName === undefined || mesh.endpoints.length > 0) return [];
  return [describeError('FED107', mesh, `${show(exportName)} is exported, but the mesh has no endpoint`,
    'set the address of the ingress gateway: endpoints: [{ address: … }]')];
}

function missingPeers(mesh: Mesh, { declared }: Boundary): string[] {
  const users = new Map<DeclaredPeer, string>();
  // Of several users, the first one by its path: the order of calls does not matter.
  const add = (peer: DeclaredPeer, { node: { path } }: Construct) => users.set(peer, [path, users.get(peer) ?? path].sort(compare)[0]);
  for (const { construct, peers } of declared.exports.values()) peers.forEach((peer) => add(peer, construct));
  for (const { construct, state } of declared.bindings.values()) state.sources.forEach(({ source }) => add(source.mesh, construct));
  return [...users].filter(([peer]) => !declared.peers.has(peer)).map(([peer, user]) => describeError('FED108', mesh,
    `${user} refers to mesh ${show(peer.meshName)}, which is not a peer`, `call addPeer(…) with the construct ${peer.construct.node.path}`));
}

function peerSnis(_mesh: Mesh, { declared, siblings }: Boundary): string[] {
  const suffixes = siblings.flatMap((boundary) => boundary.declared.peerSniSuffixes);
  return [...declared.bindings.values()].flatMap(({ construct, state }) => state.name.additionalHosts.flatMap((host) =>
    suffixes.filter((suffix) => host.endsWith(suffix)).map((suffix) => describeError('FED412', construct,
      `the additional host ${show(host)} is among the TLS server names (SNI) of a peer: ${show(suffix)}`, 'choose another host name'))));
}

function bypasses(mesh: Mesh, { declared, siblings }: Boundary): string[] {
  const peers = new Set(siblings.flatMap((boundary) => [...boundary.declared.peers.keys()]));
  return [...declared.restrictions.values()].flatMap(({ namespaceName, allowedHosts }) => allowedHosts.flatMap((allowed) =>
    [...peers].filter((peer) => coversEndpoint(allowed, peer)).map((peer) => describeError('FED122', mesh,
      `the allowed host ${show(allowed)} of ${show(namespaceName)} is the gateway of peer ${show(peer.meshName)}`,
      'remove it and bind the service: only the egress gateway may call a peer'))));
}

/** Errors of bindings whose name is a Service of the mesh: a new one must not be, an existing one must fit. */
function namesInUse(mesh: Mesh, boundary: Boundary): string[] {
  const bindings = [...boundary.declared.bindings.values()];
  if (bindings.length === 0) return [];
  // Of several exports of a Service the message names the last path, whatever the order of the calls.
  const exported = new Map(boundary.siblings.flatMap(({ declared }) => [...declared.exports.values()])
    .sort((a, b) => compare(a.construct.node.path, b.construct.node.path)).map(({ host, construct }) => [host, construct] as const));
  const services = servicesInCharts(mesh, boundary);
  return bindings.flatMap(({ construct, state }) => {
    const { existing, host } = state.name;
    const manifest = services.get(host);
    if (existing) return manifest ? errorsInExisting(construct, host, manifest(), portsOf(state)) : [];
    const ownExport = exported.get(host);
    if (ownExport) {
      return [describeError('FED402', construct, `${show(host)} is the Service that ${ownExport.node.path} exports`,
        'choose another local name, or bind the Service itself: LocalName.existingService(…)')];
    }
    if (!manifest) return [];
    return [describeError('FED402', construct, `${show(host)} is already a Service of mesh ${show(mesh.meshName)}`,
      'choose another local name, remove that Service when it has no pods, or bind it when it has some: LocalName.existingService(…)')];
  });
}

/** Names that pods read as a Service of the program, or as a pod of one: additional hosts, and endpoints of peers. */
function shortNames(mesh: Mesh, boundary: Boundary): string[] {
  const { declared } = boundary;
  const hosts = [...declared.bindings.values()].flatMap(({ construct, state: { name, sources } }) => name.additionalHosts
    .filter((host) => serviceOf(host)?.podName === undefined || !sources.some(({ source }) => isDomainOf(source.mesh, host)))
    .map((host) => ({ construct, host })));
  const owners = [{ construct: mesh, endpoints: mesh.endpoints }, ...declared.peers.keys()];
  const endpoints = owners.flatMap((one) => one.endpoints.map((endpoint) => ({ ...endpoint, construct: one.construct })))
    .filter(({ address, privateAddress }) => privateAddress === undefined && serviceOf(address)?.podName === undefined);
  if (![...hosts.map(({ host }) => host), ...endpoints.map(({ address }) => address)].some(serviceOf)) return [];
  const namespaces = namespacesInProgram(mesh, boundary);
  const isUsed = (host: string) => namespaces.has(serviceOf(host)?.namespaceName ?? '');
  return [
    ...hosts.filter(({ host }) => isUsed(host)).map(({ construct, host }) => describeError('FED412', construct, ...shadowed(host))),
    ...endpoints.filter(({ address }) => isUsed(address)).map(({ construct, address }) => describeError('FED105', construct, ...privateEndpoint(address))),
  ];
}

function portsOf({ declaredPorts }: BindingState) {
  return declaredPorts.map(({ localPort, destinations }) => ({
    localPort, protocols: destinations.flatMap(({ route }) => route?.upstream.protocol ?? []),
  }));
}

function sharedSecret(mesh: Mesh, { config, declared }: Boundary): string[] {
  const { ingress, egress } = config;
  const shared = ingress.credential?.secretName;
  const apart = shared !== egress.credential?.secretName || ingress.namespaceName !== egress.namespaceName;
  if (shared === undefined || apart || declared.exports.size === 0 || declared.bindings.size === 0) return [];
  return [describeError('FED132', mesh, `both gateways use the Secret ${show(shared)}, but its certificate holds only one identity`,
    'give each gateway a Secret of its own: BoundaryGateway.dedicated({ credential: … })')];
}

/**
 * With less memory, the configuration alone reaches the thresholds at which Envoy resets streams and rejects
 * connections.
 */
function tooLittleMemory(mesh: Mesh, boundary: Boundary): string[] {
  const { ingress, egress } = boundary.config;
  return [ingress, egress].flatMap(({ role, control, settings: { memoryLimit } }) => {
    const ports = boundary.servedPorts(role);
    if (!control.pods || memoryLimit === undefined || ports <= maxPorts(memoryLimit)) return [];
    return [describeError('FED136', mesh,
      `the ${role} gateway serves ${ports} ports, but its memoryLimit ${show(memoryLimit)} is enough for ${maxPorts(memoryLimit)}`,
      `raise it to ${show(minMemoryLimit(ports))} or more, or omit it`)];
  });
}
