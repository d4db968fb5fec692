import { ApiObject } from 'cdk8s';
import { Construct } from 'constructs';
import { durationText } from './duration';
import { emit } from './emit';
import { ingressHeaders } from './http-headers';
import { guardedRoutes } from './http-routes';
import { listenerPort } from './protocol';
import {
  Gateway, GatewaySpec, GatewaySpecServers, GatewaySpecServersTlsMinProtocolVersion, GatewaySpecServersTlsMode, VirtualService,
  VirtualServiceSpec,
} from '../../imports/networking.istio.io';
import { BOUNDARY_PORT } from '../model/constants';
import { Grant, Peer, PeerTraffic, BoundaryConfig, speaksHttp } from '../model/model';
import { exportObjectName, PREFIX, singleObjectName } from '../model/names';

/*
 * Listeners and routes for peers: one Gateway for each peer, and one TLS server for each exported port, with the CA and
 * the identity of that peer only. Istio has no other way to bind a CA to an identity (docs/adr/0001).
 */

/** TLS 1.2 cipher suites with forward secrecy. Istio's default list has two without. TLS 1.3 has suites of its own. */
const FORWARD_SECRECY_CIPHERS = [
  'ECDHE-ECDSA-AES256-GCM-SHA384', 'ECDHE-RSA-AES256-GCM-SHA384', 'ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDHE-RSA-AES128-GCM-SHA256',
];

/** Creates the Gateway with the TLS servers of one peer's grants. */
export function renderPeerListeners(
  scope: Construct, config: BoundaryConfig, peer: Peer, traffic: () => PeerTraffic, grants: () => Grant[],
): ApiObject {
  const named = {
    name: singleObjectName(PREFIX.ingress, peer.name),
    namespace: config.ingress.namespaceName,
    // Suppresses two warnings of `istioctl analyze`, which takes `builtin://` for the name of a Secret: the Secret does
    // not exist (IST0101), and browsers could reuse a connection for another Gateway with the same Secret (IST0138).
    // Only egress gateways connect here.
    annotations: { 'galley.istio.io/analyze-suppress': 'IST0101,IST0138' },
  };
  return emit<GatewaySpec>(scope, Gateway.GVK, named, () => ({
    selector: config.ingress.selector,
    servers: grants().map((grant) => server(config, grant, traffic())),
  }));
}

/** Creates the VirtualService that routes one server to its backend. */
export function renderIngressRoute(scope: Construct, config: BoundaryConfig, grant: Grant, traffic: () => PeerTraffic): ApiObject {
  const { peer, port } = grant;
  const named = { name: exportObjectName(PREFIX.ingress, port.exportName, port.exportPort, peer.name), namespace: config.ingress.namespaceName };
  const route = [{ destination: { host: port.backend.host, port: { number: port.backend.port } } }];
  return emit<VirtualServiceSpec>(scope, VirtualService.GVK, named, () => ({
    hosts: [grant.sni],
    gateways: [`${config.ingress.namespaceName}/${singleObjectName(PREFIX.ingress, peer.name)}`],
    exportTo: ['.'],
    ...speaksHttp(port.protocol)
      ? {
        http: guardedRoutes(serverName(grant), grant.operations, {
          rewrite: { authority: port.backend.host },
          // Retries are left to the caller's sidecar: retries of three hops would multiply.
          retries: { attempts: 0 },
          timeout: port.requestTimeout === undefined ? undefined : durationText(port.requestTimeout),
          headers: ingressHeaders(peer.name, traffic(), config.ingress.control, port.protocol),
          route,
        }),
      }
      : { tcp: [{ match: [{ port: BOUNDARY_PORT }], route }] },
  }));
}

/** Name of the ConfigMap with one peer's CA. */
export function peerTrustName(peer: Peer): string {
  return singleObjectName(`${PREFIX.ingress}-trust`, peer.name);
}

function server(config: BoundaryConfig, grant: Grant, { allowTls12, trustConfigMapName }: PeerTraffic): GatewaySpecServers {
  return {
    name: serverName(grant),
    port: listenerPort(grant.port.protocol, serverName(grant)),
    // With `./` only VirtualServices of this namespace can attach.
    hosts: [`./${grant.sni}`],
    tls: {
      mode: GatewaySpecServersTlsMode.MUTUAL,
      credentialName: config.ingress.credential?.secretName ?? 'builtin://',
      caCertCredentialName: `configmap://${config.ingress.namespaceName}/${trustConfigMapName ?? peerTrustName(grant.peer)}`,
      ...allowTls12
        ? { minProtocolVersion: GatewaySpecServersTlsMinProtocolVersion.TLSV1_UNDERSCORE_2, cipherSuites: FORWARD_SECRECY_CIPHERS }
        : { minProtocolVersion: GatewaySpecServersTlsMinProtocolVersion.TLSV1_UNDERSCORE_3 },
      subjectAltNames: [grant.peer.egressIdentity!.uri], // required by allowFrom
    },
  };
}

/**
 * Name of a server and prefix of its routes. It contains the peer's name, which so appears in Istio's metrics and
 * access logs.
 */
function serverName({ port: { exportName, exportPort }, peer }: Grant): string {
  return exportObjectName('', exportName, exportPort, peer.name);
}
