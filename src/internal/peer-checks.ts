import { checkAccountability, checkDeviation, checkDuration, checkObjectName } from './checks';
import { checkEndpoints } from './endpoint-checks';
import { fail, show, Where } from './errors';
import { FRAMING } from './header-names';
import { checkFields, checkFlag, checkList } from './kind-checks';
import type { PeerLimits as PlainLimits, PeerTraffic, UpstreamLimits as PlainUpstreamLimits } from './model';
import { reasonOf } from './notes';
import { checkIdentities, checkMeshName, checkTrustDomain } from './wire-checks';
import type { IstioVersion } from '../istio-version';
import type { FederatedMesh } from '../mesh';
import type { AddPeerOptions, IMeshPeer, PeerLimits, UpstreamLimits } from '../peer';
import { REVEALING } from '../render';

/*
 * Whom `addPeer` takes, and what it is told about the traffic with a peer.
 */

const FIELDS = [
  'trustConfigMapName', 'limits', 'upstreamLimits', 'stripTracing', 'removeRequestHeaders', 'allowTls12', 'isolated', 'agreementId', 'contact',
  'purpose', 'owner', 'dataCategories', 'approvedBy', 'ticket', 'reviewBy',
];
const LIMITS = ['maxConnections', 'maxConnectionDuration', 'requestsPerSecond'];
const UPSTREAM_LIMITS = ['maxConnections', 'maxRequests'];
/** What Envoy's counters hold. */
const LARGEST = 2 ** 32 - 1;
/** What fields of a DestinationRule hold. */
const LARGEST_SIGNED = 2 ** 31 - 1;
/** Versions of Istio whose proxies were seen to do what the filters say. */
const PROVED = ['1.31'];
/** A field name as HTTP/2 writes it. */
const HEADER = /^[a-z0-9!#$%&'*+.^_`|~-]+$/;
/** A request would be another one without them, or none: Envoy and the frameworks of HTTP, gRPC and WebSocket need each. */
const OF_THE_REQUEST = new RegExp(`^(${FRAMING}|content-(encoding|type)|grpc-(encoding|timeout)|sec-websocket-.+)$`);

/** What we keep ourselves is written anew with every apply. */
const OWN_TRUST = /^fed-(in|out)-trust(-|$)/;
/** Kubernetes and Istio keep these in every namespace, with the CAs of the cluster and of our own mesh. */
const OF_THE_CLUSTER = ['kube-root-ca.crt', 'istio-ca-root-cert', 'istio-ca-crl'];

/** A peer that could pass for us, or for another peer, is none. */
export function checkPeer(mesh: FederatedMesh, peer: IMeshPeer): void {
  if (peer === mesh) fail('FED407', mesh, 'it is added as its own peer', 'add the other mesh');
  checkMeshName(mesh, peer.meshName);
  checkTrustDomain(mesh, peer.trustDomain);
  if (peer.trustDomain === mesh.trustDomain || peer.trustDomain === mesh.workloadTrustDomain) {
    fail('FED103', mesh, `peer ${show(peer.meshName)} has our trust domain ${show(peer.trustDomain)}: its workloads would be ours`,
      'give each mesh a trust domain of its own (meshConfig.trustDomain)');
  }
  checkIdentities(mesh, peer);
  checkEndpoints(mesh, peer.endpoints);
  if (peer.meshName === mesh.meshName) {
    fail('FED110', mesh, `the name ${show(peer.meshName)} is that of this mesh already`, 'give the peer another meshName: it is our name for it');
  }
  mesh._boundary.checkPeerName(mesh, peer);
  const others = mesh._boundary.siblings.flatMap(({ peers }) => [...peers.keys()]).filter((other) => other !== peer);
  for (const other of [mesh, ...others]) checkTrustApart(mesh, peer, other);
}

/** Whoever can issue certificates with the CA of two meshes can be both of them. Two boundaries of one mesh share theirs. */
function checkTrustApart(mesh: FederatedMesh, peer: IMeshPeer, other: IMeshPeer): void {
  const shared = peer.trustBundle._authorities.some((authority) => other.trustBundle._authorities.includes(authority));
  const same = peer.trustDomain === other.trustDomain;
  const whose = other === mesh ? 'our own' : `that of peer ${show(other.meshName)}`;
  if (shared && !same) {
    fail('FED119', mesh, `a CA of peer ${show(peer.meshName)} is ${whose}, so each could pass for the other`,
      'give each mesh a root of its own, and state only the root of that mesh');
  }
  if (same && !shared) {
    fail('FED119', mesh, `peer ${show(peer.meshName)} has the trust domain of peer ${show(other.meshName)}, but another CA`,
      'state one trust bundle for one trust domain');
  }
}

/** A ConfigMap that others keep for one peer: ours are ours, and the CAs of two peers are never in one. */
export function checkTrustConfigMap(mesh: FederatedMesh, peer: IMeshPeer, name: string): void {
  const refuse = (what: string, cure: string) => fail('FED134', mesh, what, cure);
  checkObjectName(mesh, name, 'ConfigMap');
  if (OWN_TRUST.test(name)) refuse(`the ConfigMap ${show(name)} is one that we write`, 'let others keep one of another name');
  if (OF_THE_CLUSTER.includes(name)) {
    refuse(`the ConfigMap ${show(name)} has CAs of our own cluster, whose workloads could then pass for the peer`, 'let others keep one for this peer');
  }
  const twin = [...mesh._boundary.peers].find(([other, { traffic }]) =>
    other.trustDomain !== peer.trustDomain && traffic.trustConfigMapName === name);
  if (twin) {
    refuse(`the ConfigMap ${show(name)} is that of peer ${show(twin[0].meshName)} already, so each could pass for the other`,
      'let others keep one for each peer');
  }
  if (peer.trustBundle._revocationLists !== undefined) {
    refuse(`the bundle of peer ${show(peer.meshName)} has revocation lists, which the ConfigMap ${show(name)} would not have`,
      'take one of them away: the egress gateway reads lists from what we write only');
  }
}

/** What is said about a peer and not about the traffic with it. */
export function checkPeerOptions(where: Where, peer: IMeshPeer, options: AddPeerOptions): void {
  checkFields(where, 'addPeer', options, FIELDS);
  checkAccountability(where, options);
  if (options.isolated !== undefined) checkDeviation(where, `isolating peer ${show(peer.meshName)}`, options.isolated);
}

/** The options as plain data, checked. */
export function trafficOf(where: Where, options: AddPeerOptions, istioVersion: IstioVersion): PeerTraffic {
  checkHeaderNames(where, options.removeRequestHeaders);
  if (options.allowTls12 !== undefined) checkDeviation(where, 'allowing TLS 1.2', options.allowTls12);
  return {
    stripTracing: checkFlag(where, 'stripTracing', options.stripTracing),
    removeRequestHeaders: [...new Set(options.removeRequestHeaders ?? [])].sort(),
    allowTls12: options.allowTls12 && reasonOf(options.allowTls12),
    limits: options.limits !== undefined ? limitsOf(where, options.limits, istioVersion) : undefined,
    upstreamLimits: options.upstreamLimits !== undefined ? upstreamLimitsOf(where, options.upstreamLimits) : undefined,
    trustConfigMapName: options.trustConfigMapName,
  };
}

/** What proxies do depends on what istiod writes for them, so each version is one to try. */
export function checkProved(where: Where, option: string, istioVersion: IstioVersion): void {
  if (PROVED.includes(istioVersion.minor)) return;
  fail('FED125', where, `${option} was not proved with Istio ${istioVersion.minor}`,
    `take it away, or run Istio ${PROVED.join(' or ')} and say so: istioVersion`);
}

function limitsOf(where: Where, limits: PeerLimits, istioVersion: IstioVersion): PlainLimits {
  checkFields(where, 'limits', limits, LIMITS);
  const { maxConnections, maxConnectionDuration, requestsPerSecond } = limits;
  checkCounts(where, { maxConnections, requestsPerSecond }, LARGEST, 'leave it out for no limit');
  const plain = {
    maxConnections,
    maxConnectionDuration: maxConnectionDuration === undefined ? undefined : checkDuration(where, 'FED126', 'maxConnectionDuration', maxConnectionDuration),
    requestsPerSecond,
  };
  if (Object.values(plain).every((value) => value === undefined)) fail('FED126', where, 'limits has no field', 'state one, or leave limits out');
  checkProved(where, 'limits', istioVersion);
  return plain;
}

function upstreamLimitsOf(where: Where, limits: UpstreamLimits): PlainUpstreamLimits {
  checkFields(where, 'upstreamLimits', limits, UPSTREAM_LIMITS);
  const { maxConnections, maxRequests } = limits;
  if (maxConnections === undefined && maxRequests === undefined) {
    fail('FED126', where, 'upstreamLimits has no field', 'state one, or leave upstreamLimits out');
  }
  checkCounts(where, { maxConnections, maxRequests }, LARGEST_SIGNED, 'leave it out for the default');
  return { maxConnections, maxRequests };
}

function checkCounts(where: Where, counts: { [name: string]: number | undefined }, largest: number, otherwise: string): void {
  for (const [name, value] of Object.entries(counts)) {
    if (value === undefined || Number.isInteger(value) && value >= 1 && value <= largest) continue;
    fail('FED126', where, `${name} is ${show(value)}`, `use a whole number from 1 to ${largest}, or ${otherwise}`);
  }
}

function checkHeaderNames(where: Where, names?: string[]): void {
  if (names === undefined) return;
  const what = 'removeRequestHeaders';
  checkList(where, what, names);
  if (names.length === 0) fail('FED124', where, `${what} is an empty list`, 'name some, or leave it out');
  for (const name of names) {
    const refuse = (why: string, cure: string) => fail('FED124', where, `${what} names ${show(name)}, ${why}`, cure);
    if (typeof name !== 'string' || !HEADER.test(name)) {
      refuse('no header in lower case', 'use the whole name in lower-case letters, digits and dashes: patterns cannot be removed');
    }
    if (name.includes('*')) refuse('no whole name', 'write each name out: Istio removes no header by the beginning of its name');
    if (OF_THE_REQUEST.test(name)) refuse('without which the request would be another one', 'take it away');
    if (REVEALING.includes(name)) refuse('which never leaves', 'take it away');
  }
}
