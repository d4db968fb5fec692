import { IConstruct } from 'constructs';
import { parseEndpoints } from './endpoint';
import { fail, hasPath, show, Where } from './errors';
import { checkSupported } from './istio-version';
import { checkFlag, checkGiven, checkList, checkOptional, fieldsOf, isList, parseFields, readGiven } from './kinds';
import { ACCOUNTABILITY, checkAccountability, checkAnnotation, checkObjectName, parseDeviation, parseDuration } from './values';
import { checkIdentities, checkMeshName, checkTrustDomain } from './wire-names';
import type { Justification } from '../accountability';
import { SpiffeId } from '../identity';
import type { IMeshPeer } from '../mesh-peer';
import type { ClusterNames } from '../model/addresses';
import { annotationsOf, reasonOf } from '../model/annotations';
import { FRAMING, REMOVED_AT_EGRESS } from '../model/header-names';
import type { IstioMinor } from '../model/istio-support';
import type { BoundaryConfig, EgressLimits, IngressLimits, PeerOptions } from '../model/model';
import { distinct } from '../model/order';
import type { AddPeerOptions, PeerLimits, UpstreamLimits } from '../peer';
import { TrustBundle } from '../trust';

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
/** The largest value of Envoy's counters. */
const LARGEST = 2 ** 32 - 1;
/** The largest value of the integer fields of a DestinationRule. */
const LARGEST_SIGNED = 2 ** 31 - 1;
/** Envoy reads no longer request headers from its peers by default. */
const LONGEST_HEADER = 16384;
/** A header name in HTTP/2: lower case. */
const HEADER = /^[a-z0-9!#$%&'*+.^_`|~-]+$/;
/** Headers that Envoy or the frameworks of HTTP, gRPC and WebSocket need to read the request. */
const NEEDED_HEADERS = new RegExp(`^(${FRAMING}|content-(encoding|type)|grpc-(encoding|timeout)|sec-websocket-.+)$`);

/** ConfigMaps that the library writes: each apply overwrites them. */
const OWN_TRUST = /^fed-(in|out)-trust(-|$)/;
/** ConfigMaps that Kubernetes and Istio create in every namespace, with the CAs of the cluster and of our own mesh. */
const CLUSTER_TRUST = ['kube-root-ca.crt', 'istio-ca-root-cert', 'istio-ca-crl'];

/** A peer whose properties were read once, when they were checked. */
export interface DeclaredPeer extends Omit<IMeshPeer, keyof IConstruct> {
  readonly construct: IMeshPeer;
}

/** Checks a mesh: ours, a remote one, or a class of the user's with the same properties. */
export function parsePeer(where: Where, peer: IMeshPeer): DeclaredPeer {
  if (!hasPath(peer)) return rejectPeer(where, peer);
  const { meshName, trustDomain, endpoints, ingressIdentity, egressIdentity, trustBundle } = readGiven(where, `the peer ${show(peer)}`, () => ({
    meshName: peer.meshName,
    trustDomain: peer.trustDomain,
    endpoints: peer.endpoints,
    ingressIdentity: peer.ingressIdentity,
    egressIdentity: peer.egressIdentity,
    trustBundle: peer.trustBundle,
  }));
  if (typeof meshName !== 'string' || !trustBundle || !isList(endpoints)) return rejectPeer(where, peer);
  checkGiven(where, `the trustBundle of peer ${show(meshName)}`, trustBundle, TrustBundle);
  checkOptional(where, `the ingressIdentity of peer ${show(meshName)}`, ingressIdentity, SpiffeId);
  checkOptional(where, `the egressIdentity of peer ${show(meshName)}`, egressIdentity, SpiffeId);
  checkMeshName(where, meshName);
  checkTrustDomain(where, trustDomain);
  checkIdentities(where, { trustDomain, ingressIdentity, egressIdentity });
  return { construct: peer, meshName, trustDomain, endpoints: parseEndpoints(where, endpoints), ingressIdentity, egressIdentity, trustBundle };
}

function rejectPeer(where: Where, peer: unknown): never {
  return fail('FED120', where, `the peer must be a mesh, not ${show(peer)}`, 'use a FederatedMesh or a RemoteMesh');
}

/** Rejects a peer that overlaps with us. */
export function checkPeer(where: Where, us: IMeshPeer, { workloadTrustDomain }: BoundaryConfig, cluster: ClusterNames, peer: DeclaredPeer): void {
  if (peer.construct === us) fail('FED407', where, 'the mesh is added as its own peer', 'add another mesh as the peer');
  parseEndpoints(where, peer.endpoints, cluster);
  if (peer.trustDomain === us.trustDomain || peer.trustDomain === workloadTrustDomain) {
    fail('FED103', where, `peer ${show(peer.meshName)} has our trust domain ${show(peer.trustDomain)}, so its workloads would count as ours`,
      'give each mesh a trust domain of its own (meshConfig.trustDomain)');
  }
  if (peer.meshName === us.meshName) {
    fail('FED110', where, `the name ${show(peer.meshName)} is already the name of this mesh`,
      'choose another meshName for the peer: it is our alias for it');
  }
}

/** Whether two peers of one trust domain are different gateways: two boundaries of one mesh. */
export function hasOtherGateways(a: DeclaredPeer, b: DeclaredPeer): boolean {
  return (['ingressIdentity', 'egressIdentity'] as const).some((role) =>
    a[role] !== undefined && b[role] !== undefined && a[role].uri !== b[role].uri);
}

/** The keys of all CAs above and below those of a peer, each with the certificates that connect it. */
type ChainOfKeys = ReadonlyMap<string, readonly { readonly subject: string; readonly fingerprint256: string }[]>;

/** Rejects a peer whose CA could issue certificates of another mesh, or the reverse. */
export function checkTrustApart(where: Where, us: IMeshPeer, peer: DeclaredPeer, other: IMeshPeer | DeclaredPeer, chain: ChainOfKeys): void {
  const overlap = overlapOf(us, peer, other, chain);
  if (overlap) fail('FED119', where, ...overlap);
}

/**
 * The problem and the fix of two meshes whose trust overlaps: they share a CA, or a CA of one issued a CA of the other, in
 * any number of steps. Two boundaries of one mesh must share theirs.
 */
export function overlapOf(
  us: IMeshPeer, peer: DeclaredPeer, other: IMeshPeer | DeclaredPeer, chain: ChainOfKeys,
): [problem: string, fix: string] | undefined {
  const { _authorities: own } = peer.trustBundle;
  const { _authorities: others } = other.trustBundle;
  const shared = others.some((authority) => own.includes(authority));
  if (peer.trustDomain === other.trustDomain) {
    return shared ? undefined : [`peer ${show(peer.meshName)} has the trust domain of peer ${show(other.meshName)}, but another CA`,
      'use the same trust bundle for peers with the same trust domain'];
  }
  const fix = 'give each mesh a root of its own, and put only that root into its trust bundle';
  const ours = other.trustDomain === us.trustDomain;
  const owner = ours ? 'our own' : `a CA of peer ${show(other.meshName)}`;
  if (shared) return [`a CA of peer ${show(peer.meshName)} is also ${owner}, so each mesh could impersonate the other`, fix];
  const way = others.map((authority) => chain.get(authority)).find((found) => found !== undefined);
  if (way === undefined) return undefined;
  const connected = way.map(({ subject, fingerprint256 }) => `${show(subject.replace(/\n/g, ', '))} (SHA-256 ${fingerprint256})`).join(' and ');
  return [`a CA of peer ${show(peer.meshName)} and ${ours ? 'our own CA' : owner} are in one chain, so the lower one could issue certificates for both meshes: `
    + `${way.length === 1 ? 'the certificate' : 'the certificates'} ${connected} ${way.length === 1 ? 'connects' : 'connect'} them`, fix];
}

/** Rejects a trust ConfigMap that is ours, the cluster's or another peer's. */
export function checkTrustConfigMap(where: Where, peer: DeclaredPeer, name: string, peers: ReadonlyMap<DeclaredPeer, PeerOptions>): void {
  const reject = (what: string, fix: string) => fail('FED134', where, what, fix);
  checkObjectName(where, name, 'ConfigMap');
  if (OWN_TRUST.test(name)) reject(`the library writes the ConfigMap ${show(name)} itself`, 'use an externally managed ConfigMap with another name');
  if (CLUSTER_TRUST.includes(name)) {
    reject(`the ConfigMap ${show(name)} has CAs of our own cluster, whose workloads could impersonate the peer`,
      'use an externally managed ConfigMap for this peer');
  }
  const otherPeer = [...peers].find(([other, { traffic }]) =>
    other.trustDomain !== peer.trustDomain && traffic.trustConfigMapName === name);
  if (otherPeer) {
    reject(`the ConfigMap ${show(name)} is already used for peer ${show(otherPeer[0].meshName)}, so each could impersonate the other`,
      'use one ConfigMap for each peer');
  }
  if (peer.trustBundle._revocationLists !== undefined) {
    reject(`the trust bundle of peer ${show(peer.meshName)} has revocation lists, which the ConfigMap ${show(name)} would not contain`,
      'remove one of the two: the egress gateway reads revocation lists only from the objects that the library writes');
  }
}

/** Checks the options of `addPeer`. */
export function parsePeerOptions(where: Where, peer: DeclaredPeer, given: AddPeerOptions, istioVersion: IstioMinor): PeerOptions {
  const options = parseFields(where, 'the options of addPeer', given, FIELDS);
  checkAccountability(where, options);
  for (const field of ['agreementId', 'contact'] as const) checkAnnotation(where, field, options[field]);
  checkHeaderNames(where, options.removeRequestHeaders);
  checkFlag(where, 'stripTracing', options.stripTracing);
  const reason = (what: string, deviation: Justification | undefined) =>
    deviation === undefined ? undefined : reasonOf(parseDeviation(where, what, deviation));
  return {
    annotations: annotationsOf(options),
    isolated: reason(`isolating peer ${show(peer.meshName)}`, options.isolated),
    traffic: {
      stripTracing: options.stripTracing ?? false,
      removeRequestHeaders: distinct(options.removeRequestHeaders ?? []),
      allowTls12: reason('allowing TLS 1.2', options.allowTls12),
      limits: options.limits !== undefined ? parseLimits(where, options.limits, istioVersion) : undefined,
      upstreamLimits: options.upstreamLimits !== undefined ? parseUpstreamLimits(where, options.upstreamLimits) : undefined,
      trustConfigMapName: options.trustConfigMapName,
    },
  };
}

function parseLimits(where: Where, limits: PeerLimits, istioVersion: IstioMinor): IngressLimits {
  const { maxConnections, maxConnectionDuration, requestsPerSecond } = parseFields(where, 'limits', limits, LIMITS);
  checkCounts(where, { maxConnections, requestsPerSecond }, LARGEST, 'omit it for no limit');
  const plain = {
    maxConnections,
    maxConnectionDuration: maxConnectionDuration === undefined
      ? undefined : parseDuration(where, 'FED126', 'maxConnectionDuration', maxConnectionDuration),
    requestsPerSecond,
  };
  if (Object.values(plain).every((value) => value === undefined)) fail('FED126', where, 'limits has no field', 'set a limit, or omit limits');
  checkSupported(where, 'limits', istioVersion);
  return plain;
}

function parseUpstreamLimits(where: Where, limits: UpstreamLimits): EgressLimits {
  const { maxConnections, maxRequests } = parseFields(where, 'upstreamLimits', limits, UPSTREAM_LIMITS);
  if (maxConnections === undefined && maxRequests === undefined) {
    fail('FED126', where, 'upstreamLimits has no field', 'set a limit, or omit upstreamLimits');
  }
  checkCounts(where, { maxConnections, maxRequests }, LARGEST_SIGNED, 'omit it for the default');
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
  if (names.length === 0) fail('FED124', where, `${what} is an empty list`, `list at least one header, or omit ${what}`);
  for (const name of names) {
    const reject = (why: string, fix: string) => fail('FED124', where, `${what} lists ${show(name)}, ${why}`, fix);
    if (typeof name !== 'string' || !HEADER.test(name) || name.length > LONGEST_HEADER) {
      reject('which is not a header name in lower case', 'use the full name in lower-case letters, digits and dashes: patterns cannot be removed');
    }
    if (name.includes('*')) reject('which is a pattern', 'list each header by its full name: Istio cannot remove headers by prefix');
    if (NEEDED_HEADERS.test(name)) reject('which HTTP, gRPC or WebSocket needs', 'remove it from the list');
    if (REMOVED_AT_EGRESS.includes(name)) reject('which never leaves the mesh', 'remove it from the list');
  }
}
