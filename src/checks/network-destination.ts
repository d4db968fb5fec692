import { fail, show, Where } from './errors';
import { checkList } from './kinds';
import { checkCidr, checkNamespace, checkPort } from './values';
import { coverInternet } from '../model/addresses';
import type { Destination } from '../model/model';

/** Checks ports of the pods of a namespace. */
export function parsePodsIn(where: Where, namespaceName: string, ports: number[]): Destination {
  checkNamespace(where, namespaceName);
  return { namespaceName, cidr: undefined, ports: parsePorts(where, ports) };
}

/** Checks ports of a range of addresses. */
export function parseAddresses(where: Where, cidr: string, ports: number[]): Destination {
  checkCidr(where, 'FED150', 'the range', cidr);
  if (coverInternet([cidr])) rejectEverywhere(where, `the range ${show(cidr)} has`);
  return { namespaceName: undefined, cidr, ports: parsePorts(where, ports) };
}

/** Rejects destinations that have every address on a port together, though none of them has. */
export function checkDestinations(where: Where, destinations: readonly Destination[]): void {
  const ranges = new Map<number, string[]>();
  for (const { cidr, ports } of destinations) {
    if (cidr !== undefined) ports.forEach((port) => ranges.set(port, [...ranges.get(port) ?? [], cidr]));
  }
  for (const [port, listed] of ranges) if (coverInternet(listed)) rejectEverywhere(where, `the ranges ${show(listed)} on port ${port} together have`);
}

function rejectEverywhere(where: Where, what: string): never {
  return fail('FED150', where, `${what} every public address, so pods could connect to any server on these ports`, 'use the ranges of the servers alone');
}

function parsePorts(where: Where, ports: number[]): number[] {
  checkList(where, 'ports', ports);
  if (ports.length === 0) fail('FED150', where, 'ports is an empty list', 'list the ports on which the servers listen');
  ports.forEach((port) => checkPort(where, 'FED150', port, 'port'));
  return [...new Set(ports)].sort((a, b) => a - b);
}
