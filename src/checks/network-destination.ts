import { fail, show, Where } from './errors';
import { checkList } from './kinds';
import { checkCidr, checkNamespace, checkPort } from './values';
import type { Destination } from '../model/model';

/** Checks ports of the pods of a namespace. */
export function parsePodsIn(where: Where, namespaceName: string, ports: number[]): Destination {
  checkNamespace(where, namespaceName);
  return { namespaceName, cidr: undefined, ports: parsePorts(where, ports) };
}

/** Checks ports of a range of addresses. */
export function parseAddresses(where: Where, cidr: string, ports: number[]): Destination {
  checkCidr(where, 'FED150', 'the range', cidr);
  if (/\/0+$/.test(cidr)) {
    fail('FED150', where, `the range ${show(cidr)} has every address, so pods could connect to any server on these ports`, 'use the range of the servers alone');
  }
  return { namespaceName: undefined, cidr, ports: parsePorts(where, ports) };
}

function parsePorts(where: Where, ports: number[]): number[] {
  checkList(where, 'ports', ports);
  if (ports.length === 0) fail('FED150', where, 'ports is an empty list', 'list the ports on which the servers listen');
  ports.forEach((port) => checkPort(where, 'FED150', port, 'port'));
  return [...new Set(ports)].sort((a, b) => a - b);
}
