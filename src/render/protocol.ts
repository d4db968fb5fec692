import { BOUNDARY_PORT } from '../model/constants';
import type { Protocol } from '../model/model';

/*
 * Names of each protocol in the objects along the path of a request.
 */

interface ProtocolNames {
  /** Protocol of a Gateway server: with HTTPS, Envoy handles HTTP requests; with TLS, it forwards bytes. */
  readonly listener: 'HTTPS' | 'TLS';
  /**
   * Protocol of a ServiceEntry port, inside the TLS towards a peer. With HTTPS or TLS the gateway would forward the
   * client's own TLS.
   */
  readonly upstream: 'HTTP2' | 'GRPC' | 'TCP';
  /** Protocol of a Service port, in its name and as `appProtocol`. */
  readonly port: 'http' | 'grpc' | 'tcp';
}

/**
 * Names for TCP, and for an application's own TLS: as a Service port `tls`, Istio would route by the application's SNI.
 */
const OPAQUE: ProtocolNames = { listener: 'TLS', upstream: 'TCP', port: 'tcp' };

export const PROTOCOL_NAMES: { readonly [protocol in Protocol]: ProtocolNames } = {
  http: { listener: 'HTTPS', upstream: 'HTTP2', port: 'http' },
  grpc: { listener: 'HTTPS', upstream: 'GRPC', port: 'grpc' },
  tcp: OPAQUE,
  tls: OPAQUE,
};

/** Port of a Gateway server. Istio requires that the port's name is unique within the Gateway. */
export function listenerPort(protocol: Protocol, serverName: string) {
  const { listener } = PROTOCOL_NAMES[protocol];
  return { name: `${listener.toLowerCase()}-${serverName}`, number: BOUNDARY_PORT, protocol: listener };
}
