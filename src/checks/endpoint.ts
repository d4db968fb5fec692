import { isIP } from 'net';
import { fail, show, Where } from './errors';
import { checkList, fieldsOf, parseFields } from './kinds';
import { checkPort, isHostName, parseDeviation } from './values';
import type { GatewayEndpoint } from '../endpoint';
import { ClusterNames, isInternal, isMappedIpv4 } from '../model/addresses';
import { BOUNDARY_PORT, DEFAULT_CLUSTER_DOMAIN, DEFAULT_NAMESPACE, DEFAULT_ROOT_NAMESPACE } from '../model/constants';

const FIELDS = fieldsOf<GatewayEndpoint>({ address: true, port: true, privateAddress: true });

/** The names of most clusters. A peer is declared before it is known whose cluster dials it. */
const USUAL_NAMES: ClusterNames = { clusterDomain: DEFAULT_CLUSTER_DOMAIN, namespaceNames: [DEFAULT_NAMESPACE, DEFAULT_ROOT_NAMESPACE] };
/** Maximum number of endpoints of a ServiceEntry. */
const MOST_ENDPOINTS = 4096;

/** Checks each endpoint, then the list of all endpoints. Names of a cluster are private. */
export function parseEndpoints(where: Where, given: readonly GatewayEndpoint[], cluster = USUAL_NAMES): GatewayEndpoint[] {
  checkList(where, 'endpoints', given);
  if (given.length > MOST_ENDPOINTS) {
    fail('FED104', where, `endpoints has ${given.length} entries, but the ServiceEntry of a peer takes ${MOST_ENDPOINTS}`,
      'list the load balancers of the ingress gateway, not its pods');
  }
  const endpoints = Array.from(given, (endpoint) => parseEndpoint(where, endpoint, cluster));
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

function parseEndpoint(where: Where, given: GatewayEndpoint, cluster: ClusterNames): GatewayEndpoint {
  const endpoint = parseFields(where, 'an endpoint', given, FIELDS);
  const { address, port, privateAddress } = endpoint;
  if (typeof address !== 'string' || !(isIP(address) !== 0 || isHostName(address)) || address.includes('%')) {
    fail('FED104', where, `the endpoint ${show(address)} is not a valid address`, addressFix(String(address)));
  }
  if (port !== undefined) checkPort(where, 'FED104', port, `port of the endpoint ${show(address)}`);
  const reason = privateAddress && parseDeviation(where, `the private address ${show(address)}`, privateAddress);
  if (privateAddress === undefined && isInternal(address, cluster)) {
    fail('FED105', where, ...privateEndpoint(address));
  }
  if (isMappedIpv4(address)) {
    fail('FED104', where, `the endpoint ${show(address)} is an IPv4 address written as IPv6`, 'write the IPv4 address as four decimal numbers');
  }
  return reason ? { ...endpoint, privateAddress: reason } : endpoint;
}

/** The problem and the fix of an endpoint with a private address. */
export function privateEndpoint(address: string): [problem: string, fix: string] {
  return [`the endpoint ${show(address)} is a private address, which peers outside of the network cannot reach`,
    'set the public address of the load balancer, or set privateAddress: { reason: … }, with the reason why both sides can route the private one'];
}

function addressFix(address: string): string {
  if (address.includes('://')) return 'set the host alone, without a scheme';
  if (/^[^:]+:\d+$/.test(address) || /^\[.*\]:\d+$/.test(address)) return 'set the host alone as address, and the port as port: …';
  if (/^\[.*\]$/.test(address)) return 'write the IPv6 address without brackets';
  if (/[A-Z]/.test(address)) return 'use lower case';
  return 'use a DNS name, an IPv4 address or an IPv6 address';
}
