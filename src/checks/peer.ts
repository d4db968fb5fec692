import { checkEndpoints } from './endpoint';
import { fail, show, Where } from './errors';
import { checkTested } from './istio-version';
import { checkFields, checkFlag, checkList, fieldsOf } from './kinds';
import { ACCOUNTABILITY, checkAccountability, checkDeviation, checkObjectName, parseDuration } from './values';
import { checkIdentities, checkMeshName, checkTrustDomain } from './wire-names';
import type { IExposedService, IMeshPeer } from '../mesh-peer';
import { annotationsOf, reasonOf } from '../model/annotations';
import { FRAMING, REMOVED_AT_EGRESS } from '../model/header-names';
import type { BoundaryConfig, PeerLimits as PlainLimits, PeerOptions, UpstreamLimits as PlainUpstreamLimits } from '../model/model';
import type { AddPeerOptions, PeerLimits, UpstreamLimits } from '../peer';

/*
 * The peers that `addPeer` accepts, and its options.
 */

const FIELDS = fieldsOf<AddPeerOptions>({
  ...ACCOUNTABILITY,
  trustConfigMapName: true,
  limits: true,
  upstreamLimits: true,
  stripTracing: true,
  removeRequestHeaders: true,
  allowTls12: true,
  isolated: true,
  agreementId: true,
  contact: true,
});
const LIMITS = fieldsOf<PeerLimits>({ maxConnections: true, maxConnectionDuration: true, requestsPerSecond: true });
const UPSTREAM_LIMITS = fieldsOf<UpstreamLimits>({ maxConnections: true, maxRequests: true });
/** What Envoy's counters hold. */
const LARGEST = 2 ** 32 - 1;
/** What fields of a DestinationRule hold. */
const LARGEST_SIGNED = 2 ** 31 - 1;
/** A field name as HTTP/2 writes it. */
const HEADER = /^[a-z0-9!#$%&'*+.^_`|~-]+$/;
/** A request would be another one without them, or none: Envoy and the frameworks of HTTP, gRPC and WebSocket need each. */
const OF_THE_REQUEST = new RegExp(`^(${FRAMING}|content-(encoding|type)|grpc-(encoding|timeout)|sec-websocket-.+)$`);

/** What we keep ourselves is written anew with every apply. */
const OWN_TRUST = /^fed-(in|out)-trust(-|$)/;
/** Kubernetes and Istio keep these in every namespace, with the CAs of the cluster and of our own mesh. */
const OF_THE_CLUSTER = ['kube-root-ca.crt', 'istio-ca-root-cert', 'istio-ca-crl'];

/** Requires a mesh, ours or a remote one. */
export function checkPeerGiven(where: Where, peer: IMeshPeer): void {
  if (typeof peer?.meshName === 'string' && peer.trustBundle && Array.isArray(peer.endpoints)) return;
  fail('FED120', where, `the peer is ${show(peer)}, no mesh`, 'give a FederatedMesh or a RemoteMesh');
}

/** Requires an exported service of a mesh. */
export function checkSourceGiven(where: Where, source: IExposedService): void {
  if (typeof source?.sniFor !== 'function' || !Array.isArray(source.ports)) {
    fail('FED120', where, `the source is ${show(source)}, no service of a peer`, 'give an ExposedService, or what exposedService(…) of a RemoteMesh returns');
  }
  checkPeerGiven(where, source.mesh);
}

/** Rejects a peer that overlaps with us. */
export function checkPeer(where: Where, us: IMeshPeer, { workloadTrustDomain }: BoundaryConfig, peer: IMeshPeer): void {
  if (peer === us) fail('FED407', where, 'it is added as its own peer', 'add the other mesh');
  checkMeshName(where, peer.meshName);
  checkTrustDomain(where, peer.trustDomain);
  if (peer.trustDomain === us.trustDomain || peer.trustDomain === workloadTrustDomain) {
    fail('FED103', where, `peer ${show(peer.meshName)} has our trust domain ${show(peer.trustDomain)}: its workloads would be ours`,
      'give each mesh a trust domain of its own (meshConfig.trustDomain)');
  }
  checkIdentities(where, peer);
  checkEndpoints(where, peer.endpoints);
  if (peer.meshName === us.meshName) {
    fail('FED110', where, `the name ${show(peer.meshName)} is that of this mesh already`, 'give the peer another meshName: it is our name for it');
  }
}

/** Rejects a CA that two meshes share: it could issue the certificates of both. Two boundaries of one mesh must share theirs. */
export function checkTrustApart(where: Where, us: IMeshPeer, peer: IMeshPeer, other: IMeshPeer): void {
  const shared = peer.trustBundle._authorities.some((authority) => other.trustBundle._authorities.includes(authority));
  const same = peer.trustDomain === other.trustDomain;
  const whose = other === us ? 'our own' : `that of peer ${show(other.meshName)}`;
  if (shared && !same) {
    fail('FED119', where, `a CA of peer ${show(peer.meshName)} is ${whose}, so each could pass for the other`,
      'give each mesh a root of its own, and state only the root of that mesh');
  }
  if (same && !shared) {
    fail('FED119', where, `peer ${show(peer.meshName)} has the trust domain of peer ${show(other.meshName)}, but another CA`,
      'state one trust bundle for one trust domain');
  }
}

/** Rejects a trust ConfigMap that is ours, the cluster's or another peer's. */
export function checkTrustConfigMap(where: Where, peer: IMeshPeer, name: string, peers: ReadonlyMap<IMeshPeer, PeerOptions>): void {
  const refuse = (what: string, fix: string) => fail('FED134', where, what, fix);
  checkObjectName(where, name, 'ConfigMap');
  if (OWN_TRUST.test(name)) refuse(`the ConfigMap ${show(name)} is one that we write`, 'let others keep one of another name');
  if (OF_THE_CLUSTER.includes(name)) {
    refuse(`the ConfigMap ${show(name)} has CAs of our own cluster, whose workloads could then pass for the peer`, 'let others keep one for this peer');
  }
  const twin = [...peers].find(([other, { traffic }]) =>
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

/** Checks the options of `addPeer`. */
export function parsePeerOptions(where: Where, peer: IMeshPeer, options: AddPeerOptions, istioVersion: string): PeerOptions {
  checkFields(where, 'addPeer', options, FIELDS);
  checkAccountability(where, options);
  if (options.isolated !== undefined) checkDeviation(where, `isolating peer ${show(peer.meshName)}`, options.isolated);
  checkHeaderNames(where, options.removeRequestHeaders);
  if (options.allowTls12 !== undefined) checkDeviation(where, 'allowing TLS 1.2', options.allowTls12);
  checkFlag(where, 'stripTracing', options.stripTracing);
  return {
    annotations: annotationsOf(options),
    isolated: options.isolated && reasonOf(options.isolated),
    traffic: {
      stripTracing: options.stripTracing ?? false,
      removeRequestHeaders: [...new Set(options.removeRequestHeaders ?? [])].sort(),
      allowTls12: options.allowTls12 && reasonOf(options.allowTls12),
      limits: options.limits !== undefined ? parseLimits(where, options.limits, istioVersion) : undefined,
      upstreamLimits: options.upstreamLimits !== undefined ? parseUpstreamLimits(where, options.upstreamLimits) : undefined,
      trustConfigMapName: options.trustConfigMapName,
    },
  };
}

function parseLimits(where: Where, limits: PeerLimits, istioVersion: string): PlainLimits {
  checkFields(where, 'limits', limits, LIMITS);
  const { maxConnections, maxConnectionDuration, requestsPerSecond } = limits;
  checkCounts(where, { maxConnections, requestsPerSecond }, LARGEST, 'leave it out for no limit');
  const plain = {
    maxConnections,
    maxConnectionDuration: maxConnectionDuration === undefined
      ? undefined : parseDuration(where, 'FED126', 'maxConnectionDuration', maxConnectionDuration),
    requestsPerSecond,
  };
  if (Object.values(plain).every((value) => value === undefined)) fail('FED126', where, 'limits has no field', 'state one, or leave limits out');
  checkTested(where, 'limits', istioVersion);
  return plain;
}

function parseUpstreamLimits(where: Where, limits: UpstreamLimits): PlainUpstreamLimits {
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
    const refuse = (why: string, fix: string) => fail('FED124', where, `${what} names ${show(name)}, ${why}`, fix);
    if (typeof name !== 'string' || !HEADER.test(name)) {
      refuse('no header in lower case', 'use the whole name in lower-case letters, digits and dashes: patterns cannot be removed');
    }
    if (name.includes('*')) refuse('no whole name', 'write each name out: Istio removes no header by the beginning of its name');
    if (OF_THE_REQUEST.test(name)) refuse('without which the request would be another one', 'take it away');
    if (REMOVED_AT_EGRESS.includes(name)) refuse('which never leaves', 'take it away');
  }
}
