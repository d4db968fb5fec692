import { BlockList, isIP } from 'net';
import { fail, show, Where } from './errors';
import { checkList, fieldsOf, parseFields } from './kinds';
import { checkPort, isDnsName, parseDeviation } from './values';
import type { GatewayEndpoint } from '../endpoint';
import { BOUNDARY_PORT } from '../model/constants';

const FIELDS = fieldsOf<GatewayEndpoint>({ address: true, port: true, privateAddress: true });

/** Checks each endpoint, then the list of all endpoints. */
export function parseEndpoints(where: Where, given: readonly GatewayEndpoint[]): GatewayEndpoint[] {
  checkList(where, 'endpoints', given);
  const endpoints = Array.from(given, (endpoint) => parseEndpoint(where, endpoint));
  const addresses = endpoints.map(({ address }) => address);
  const numeric = addresses.filter((address) => isIP(address) !== 0);
  if (numeric.length > 0 && numeric.length < addresses.length) {
    fail('FED106', where, `the endpoints ${show(addresses)} mix DNS names and IP addresses`,
      'use only DNS names or only IP addresses: Istio resolves all endpoints of a service in one way');
  }
  const twice = endpoints.find(({ address, port }, index) => endpoints.findIndex((other) =>
    other.address === address && (other.port ?? BOUNDARY_PORT) === (port ?? BOUNDARY_PORT)) !== index);
  if (twice) fail('FED104', where, `the endpoint ${show(twice.address)} is listed twice`, 'remove one of them');
  return endpoints;
}

/** A copy for programs, which may change it. */
export function copyOfEndpoints(endpoints: readonly GatewayEndpoint[]): GatewayEndpoint[] {
  return endpoints.map((endpoint) => ({ ...endpoint, ...endpoint.privateAddress && { privateAddress: { ...endpoint.privateAddress } } }));
}

function parseEndpoint(where: Where, given: GatewayEndpoint): GatewayEndpoint {
  const endpoint = parseFields(where, 'an endpoint', given, FIELDS);
  const { address, port, privateAddress } = endpoint;
  if (typeof address !== 'string' || !(isIP(address) !== 0 || isDnsName(address)) || /^[0-9.]+$/.test(address) && isIP(address) === 0 || address.includes('%')) {
    fail('FED104', where, `the endpoint ${show(address)} is not a valid address`, addressFix(String(address)));
  }
  if (port !== undefined) checkPort(where, 'FED104', port, `port of the endpoint ${show(address)}`);
  if (privateAddress !== undefined) {
    return { ...endpoint, privateAddress: parseDeviation(where, `the private address ${show(address)}`, privateAddress) };
  }
  if (isInternal(address)) {
    fail('FED105', where, `the endpoint ${show(address)} is a private address, which peers outside of the network cannot reach`,
      'set the public address of the load balancer, or set privateAddress: { reason: … }, with the reason why both sides can route the private one');
  }
  return endpoint;
}

function addressFix(address: string): string {
  if (address.includes('://')) return 'set the host alone, without a scheme';
  if (/^[^:]+:\d+$/.test(address) || /^\[.*\]:\d+$/.test(address)) return 'set the host alone as address, and the port as port: …';
  if (/^\[.*\]$/.test(address)) return 'write the IPv6 address without brackets';
  if (/[A-Z]/.test(address)) return 'use lower case';
  return 'use a DNS name, an IPv4 address or an IPv6 address';
}

const INTERNAL_NETWORKS = new BlockList();
for (const [network, prefix] of [
  ['0.0.0.0', 8], ['10.0.0.0', 8], ['100.64.0.0', 10], ['127.0.0.0', 8], ['169.254.0.0', 16], ['172.16.0.0', 12], ['192.168.0.0', 16],
  ['224.0.0.0', 3],
] as const) INTERNAL_NETWORKS.addSubnet(network, prefix, 'ipv4');
for (const [network, prefix] of [['::', 127], ['fc00::', 7], ['fe80::', 9], ['ff00::', 8]] as const) INTERNAL_NETWORKS.addSubnet(network, prefix, 'ipv6');

/**
 * Whether an address is private (RFC 1918, 6598, 4193), link-local or multicast, or a name that only a local network
 * resolves.
 */
function isInternal(address: string): boolean {
  const family = isIP(address);
  if (family !== 0) return INTERNAL_NETWORKS.check(address, family === 4 ? 'ipv4' : 'ipv6');
  return !address.includes('.') || /\.(svc|local|localhost|localdomain|internal|lan|home\.arpa)$/.test(address) || /\.svc\./.test(address);
}
