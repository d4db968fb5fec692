import { checkJustification } from './checks';
import { fail, show, Where } from './errors';
import { checkFields, checkList } from './kind-checks';
import type { PeerTraffic } from './model';
import { reasonOf } from './notes';
import type { AddPeerOptions } from '../peer';
import { REVEALING } from '../render';

/*
 * What `addPeer` is told about the traffic with a peer.
 */

const FIELDS = [
  'stripTracing', 'removeRequestHeaders', 'allowTls12', 'agreementId', 'contact',
  'purpose', 'owner', 'dataCategories', 'approvedBy', 'ticket', 'reviewBy',
];
/** A field name as HTTP/2 writes it. */
const HEADER = /^[a-z0-9!#$%&'*+.^_`|~-]+$/;
/** A request would be another one without them, or none: Envoy and the frameworks of HTTP, gRPC and WebSocket need each. */
const OF_THE_REQUEST = /^(host|connection|content-(encoding|length|type)|expect|grpc-(encoding|timeout)|keep-alive|te|trailer|transfer-encoding|upgrade|sec-websocket-.+)$/;

/** The options as plain data, checked. */
export function trafficOf(where: Where, options: AddPeerOptions): PeerTraffic {
  checkFields(where, 'addPeer', options, FIELDS);
  checkHeaderNames(where, options.removeRequestHeaders);
  if (options.allowTls12) checkJustification(where, 'allowing TLS 1.2', options.allowTls12);
  return {
    stripTracing: options.stripTracing ?? false,
    removeRequestHeaders: [...new Set(options.removeRequestHeaders ?? [])].sort(),
    allowTls12: options.allowTls12 && reasonOf(options.allowTls12),
  };
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
