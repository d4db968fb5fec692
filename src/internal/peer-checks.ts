import { checkDuration, checkJustification, checkObjectName } from './checks';
import { fail, show, Where } from './errors';
import { checkFields, checkList } from './kind-checks';
import type { PeerLimits as PlainLimits, PeerTraffic } from './model';
import { reasonOf } from './notes';
import { FRAMING } from './rule-checks';
import type { IstioVersion } from '../istio-version';
import type { AddPeerOptions, IMeshPeer, PeerLimits } from '../peer';
import { REVEALING } from '../render';

/*
 * What `addPeer` is told about the traffic with a peer.
 */

const FIELDS = [
  'trustConfigMapName', 'limits', 'stripTracing', 'removeRequestHeaders', 'allowTls12', 'isolated', 'agreementId', 'contact',
  'purpose', 'owner', 'dataCategories', 'approvedBy', 'ticket', 'reviewBy',
];
const LIMITS = ['maxConnections', 'maxConnectionDuration', 'requestsPerSecond'];
/** What Envoy's counters hold. */
const LARGEST = 2 ** 32 - 1;
/** Versions of Istio whose proxies were seen to do what the filters say. */
const PROVED = ['1.31'];
/** A field name as HTTP/2 writes it. */
const HEADER = /^[a-z0-9!#$%&'*+.^_`|~-]+$/;
/** A request would be another one without them, or none: Envoy and the frameworks of HTTP, gRPC and WebSocket need each. */
const OF_THE_REQUEST = new RegExp(`^(${FRAMING}|content-(encoding|type)|grpc-(encoding|timeout)|sec-websocket-.+)$`);

/** What we keep ourselves is written anew with every apply. */
const OWN_TRUST = /^fed-(in|out)-trust(-|$)/;

/** A ConfigMap that others keep for one peer: ours are ours, and the CAs of two peers are never in one. */
export function checkTrustConfigMap(where: Where, peer: IMeshPeer, name: string, others: [peer: IMeshPeer, name?: string][]): void {
  const refuse = (what: string, cure: string) => fail('FED134', where, what, cure);
  checkObjectName(where, name, 'ConfigMap');
  if (OWN_TRUST.test(name)) refuse(`the ConfigMap ${show(name)} is one that we write`, 'let others keep one of another name');
  const twin = others.find(([other, taken]) => other.trustDomain !== peer.trustDomain && taken === name);
  if (twin) {
    refuse(`the ConfigMap ${show(name)} is that of peer ${show(twin[0].meshName)} already, so each could pass for the other`,
      'let others keep one for each peer');
  }
  if (peer.trustBundle._revocationLists !== undefined) {
    refuse(`the bundle of peer ${show(peer.meshName)} has revocation lists, which the ConfigMap ${show(name)} would not have`,
      'take one of them away: the egress gateway reads lists from what we write only');
  }
}

/** The options as plain data, checked. */
export function trafficOf(where: Where, options: AddPeerOptions, istioVersion: IstioVersion): PeerTraffic {
  checkFields(where, 'addPeer', options, FIELDS);
  checkHeaderNames(where, options.removeRequestHeaders);
  if (options.allowTls12) checkJustification(where, 'allowing TLS 1.2', options.allowTls12);
  return {
    stripTracing: options.stripTracing ?? false,
    removeRequestHeaders: [...new Set(options.removeRequestHeaders ?? [])].sort(),
    allowTls12: options.allowTls12 && reasonOf(options.allowTls12),
    limits: options.limits && limitsOf(where, options.limits, istioVersion),
    trustConfigMapName: options.trustConfigMapName,
  };
}

/** Filters depend on what istiod writes for the proxies, so each version is one to try. */
export function checkProved(where: Where, option: string, istioVersion: IstioVersion): void {
  if (PROVED.includes(istioVersion.minor)) return;
  fail('FED125', where, `${option} needs an EnvoyFilter, which was not proved with Istio ${istioVersion.minor}`,
    `take it away, or run Istio ${PROVED.join(' or ')} and say so: istioVersion`);
}

function limitsOf(where: Where, limits: PeerLimits, istioVersion: IstioVersion): PlainLimits {
  if (typeof limits !== 'object' || limits === null) fail('FED120', where, `limits is ${show(limits)}`, `state ${LIMITS.join(', ')}`);
  checkFields(where, 'limits', limits, LIMITS);
  const { maxConnections, maxConnectionDuration, requestsPerSecond } = limits;
  for (const [name, value] of Object.entries({ maxConnections, requestsPerSecond })) {
    if (value === undefined || Number.isInteger(value) && value >= 1 && value <= LARGEST) continue;
    fail('FED126', where, `${name} is ${show(value)}`, `use a whole number from 1 to ${LARGEST}, or leave it out for no limit`);
  }
  const plain = {
    maxConnections,
    maxConnectionDuration: maxConnectionDuration && checkDuration(where, 'FED126', 'maxConnectionDuration', maxConnectionDuration),
    requestsPerSecond,
  };
  if (Object.values(plain).every((value) => value === undefined)) fail('FED126', where, 'limits has no field', 'state one, or leave limits out');
  checkProved(where, 'limits', istioVersion);
  return plain;
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
