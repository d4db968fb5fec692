import { ApiObject } from 'cdk8s';
import { Construct } from 'constructs';
import { emit } from './emit';
import { durationText, guardedRoutes, ingressHeaders } from './http';
import { listenerPort } from './protocol';
import {
  Gateway, GatewaySpec, GatewaySpecServers, GatewaySpecServersTlsMinProtocolVersion, GatewaySpecServersTlsMode, VirtualService,
  VirtualServiceSpec,
} from '../../imports/networking.istio.io';
import { BOUNDARY_PORT } from '../internal/endpoint-checks';
import { Grant, Peer, PeerTraffic, Site, speaksHttp } from '../internal/model';
import { exportObjectName, singleObjectName } from '../internal/names';

/*
 * What peers reach: one Gateway object for each peer, one TLS server for each exported port, with that peer's CA and identity only.
 * Istio has no other way to bind a CA to an identity.
 */

/** What of TLS 1.2 is safe: Istio's own list holds two suites without forward secrecy. TLS 1.3 has suites of its own. */
const FORWARD_SECRET = [
  'ECDHE-ECDSA-AES256-GCM-SHA384', 'ECDHE-RSA-AES256-GCM-SHA384', 'ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDHE-RSA-AES128-GCM-SHA256',
];

/** The listeners for one peer. */
export function renderPeerListeners(scope: Construct, site: Site, peer: Peer, traffic: () => PeerTraffic, grants: () => Grant[]): ApiObject {
  const named = {
    name: singleObjectName('fed-in', peer.name),
    namespace: site.ingress.namespaceName,
    // `istioctl analyze` takes `builtin://` for the name of a Secret: it does not find it, and warns that browsers would reuse a connection
    // for the next peer's Gateway that has it too. Nobody but egress gateways connects here.
    annotations: { 'galley.istio.io/analyze-suppress': 'IST0101,IST0138' },
  };
  return emit<GatewaySpec>(scope, Gateway.GVK, named, () => ({
    selector: site.ingress.selector,
    servers: grants().map((grant) => server(site, grant, traffic())),
  }));
}

/** The way from one server to the service behind it. */
export function renderIngressRoute(scope: Construct, site: Site, grant: Grant, traffic: () => PeerTraffic): ApiObject {
  const named = { name: exportObjectName('fed-in', grant.exportName, grant.exportPort, grant.peer.name), namespace: site.ingress.namespaceName };
  const route = [{ destination: { host: grant.backend.host, port: { number: grant.backend.port } } }];
  return emit<VirtualServiceSpec>(scope, VirtualService.GVK, named, () => ({
    hosts: [grant.sni],
    gateways: [`${site.ingress.namespaceName}/${singleObjectName('fed-in', grant.peer.name)}`],
    exportTo: ['.'],
    ...speaksHttp(grant.protocol)
      ? {
        http: guardedRoutes(serverName(grant), grant.operations, {
          rewrite: { authority: grant.backend.host },
          // Retries are the caller's sidecar's: those of three hops would multiply.
          retries: { attempts: 0 },
          timeout: grant.requestTimeout === undefined ? undefined : durationText(grant.requestTimeout),
          headers: ingressHeaders(grant.peer.name, traffic(), site.ingress.existing, grant.protocol),
          route,
        }),
      }
      : { tcp: [{ match: [{ port: BOUNDARY_PORT }], route }] },
  }));
}

/** Name of the ConfigMap with one peer's CA. */
export function peerTrustName(peer: Peer): string {
  return singleObjectName('fed-in-trust', peer.name);
}

function server(site: Site, grant: Grant, { allowTls12, trustConfigMapName }: PeerTraffic): GatewaySpecServers {
  return {
    name: serverName(grant),
    port: listenerPort(grant.protocol, serverName(grant)),
    // With `./` only routes of this namespace attach.
    hosts: [`./${grant.sni}`],
    tls: {
      mode: GatewaySpecServersTlsMode.MUTUAL,
      credentialName: site.ingress.credential?.secretName ?? 'builtin://',
      caCertCredentialName: `configmap://${site.ingress.namespaceName}/${trustConfigMapName ?? peerTrustName(grant.peer)}`,
      ...allowTls12
        ? { minProtocolVersion: GatewaySpecServersTlsMinProtocolVersion.TLSV1_UNDERSCORE_2, cipherSuites: FORWARD_SECRET }
        : { minProtocolVersion: GatewaySpecServersTlsMinProtocolVersion.TLSV1_UNDERSCORE_3 },
      subjectAltNames: [grant.peer.egressIdentity.uri],
    },
  };
}

/** Istio counts requests under this name, and logs routes that begin with it: it tells the peer. */
function serverName({ exportName, exportPort, peer }: Grant): string {
  return exportObjectName('', exportName, exportPort, peer.name);
}
