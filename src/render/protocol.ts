import { BOUNDARY_PORT } from '../model/constants';
import type { Protocol } from '../model/model';

/*
 * What each protocol is called on the way.
 */

interface ProtocolNames {
  /** Protocol of a listener of a gateway: HTTPS ends in a proxy that reads requests, TLS in one that copies bytes. */
  readonly listener: 'HTTPS' | 'TLS';
  /** Protocol inside the TLS towards a peer. With HTTPS or TLS the gateway would pass the client's own TLS on. */
  readonly upstream: 'HTTP2' | 'GRPC' | 'TCP';
  /** Protocol of a Service's port, in its name and as `appProtocol`. */
  readonly port: 'http' | 'grpc' | 'tcp';
}

/** The application's own TLS is bytes to everybody on the way: `tls` as a port's name would route by the server name in it. */
const BYTES: ProtocolNames = { listener: 'TLS', upstream: 'TCP', port: 'tcp' };

export const PROTOCOL_NAMES: { readonly [protocol in Protocol]: ProtocolNames } = {
  http: { listener: 'HTTPS', upstream: 'HTTP2', port: 'http' },
  grpc: { listener: 'HTTPS', upstream: 'GRPC', port: 'grpc' },
  tcp: BYTES,
  tls: BYTES,
};

/** Port of a server of a boundary gateway. Its name must be the only one of its kind in the Gateway. */
export function listenerPort(protocol: Protocol, serverName: string) {
  const { listener } = PROTOCOL_NAMES[protocol];
  return { name: `${listener.toLowerCase()}-${serverName}`, number: BOUNDARY_PORT, protocol: listener };
}
