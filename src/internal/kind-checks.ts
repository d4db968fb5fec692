import { fail, show, Where } from './errors';
import type { IExposedService } from '../expose';
import type { IMeshPeer } from '../peer';

/*
 * Values of another kind: what the types of TypeScript refuse, and plain JavaScript lets through.
 */

/** A value of one of our classes. */
export function checkGiven(where: Where, what: string, value: unknown, kind: { readonly name: string; readonly prototype: object }): void {
  if (Object.prototype.isPrototypeOf.call(kind.prototype, value as object)) return;
  fail('FED120', where, `${what} is ${show(value)}, no ${kind.name}`, `make one with a static method of ${kind.name}`);
}

export function checkList(where: Where, what: string, value: unknown): void {
  if (!Array.isArray(value)) fail('FED120', where, `${what} is ${show(value)}, no list`, 'give a list, also for a single value');
}

export function checkMap(where: Where, what: string, value: unknown, example: string): void {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return;
  fail('FED120', where, `${what} is ${show(value)}, no map`, `give names and values, for example ${example}`);
}

/** A switch that is off unless it is on. A text would count as on, whatever it says. */
export function checkFlag(where: Where, what: string, value: unknown): boolean {
  if (value !== undefined && typeof value !== 'boolean') fail('FED120', where, `${what} is ${show(value)}, neither true nor false`, 'give true or false');
  return value === true;
}

/** A mesh, ours or somebody else's. */
export function checkPeerGiven(where: Where, peer: IMeshPeer): void {
  if (typeof peer?.meshName === 'string' && peer.trustBundle && peer.ingressIdentity && peer.egressIdentity && Array.isArray(peer.endpoints)) return;
  fail('FED120', where, `the peer is ${show(peer)}, no mesh`, 'give a FederatedMesh or a RemoteMesh');
}

/** A service that a mesh exposes. */
export function checkSourceGiven(where: Where, source: IExposedService): void {
  if (typeof source?.sniFor !== 'function' || !Array.isArray(source.ports)) {
    fail('FED120', where, `the source is ${show(source)}, no service of a peer`, 'give an ExposedService, or what exposedService(…) of a RemoteMesh returns');
  }
  checkPeerGiven(where, source.mesh);
}

/** Only fields that we know: one that is spelt wrong would be a rule that is not there. */
export function checkFields(where: Where, what: string, value: unknown, known: readonly string[]): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    fail('FED120', where, `${what} takes fields, and was given ${show(value)}`, `give an object with ${known.join(', ')}`);
  }
  const unknown = Object.keys(value).find((key) => !known.includes(key));
  if (unknown === undefined) return;
  fail('FED120', where, `${what} has an unknown field ${show(unknown)}`, `use ${known.join(', ')}`);
}
