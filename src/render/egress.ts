import { isIP } from 'net';
import { ApiObject } from 'cdk8s';
import { Construct } from 'constructs';
import { emit } from './emit';
import { egressHeaders } from './http';
import { TRUST_DIRECTORY, WORKLOAD_CERTIFICATE } from './workload';
import {
  DestinationRule, DestinationRuleSpec, DestinationRuleSpecTrafficPolicyOutlierDetection, DestinationRuleSpecTrafficPolicyTlsMode, Gateway,
  GatewaySpec, GatewaySpecServers, GatewaySpecServersTlsMode, ServiceEntry, ServiceEntrySpec, ServiceEntrySpecLocation,
  ServiceEntrySpecResolution, toJson_DestinationRuleSpecTrafficPolicyOutlierDetection, VirtualService, VirtualServiceSpec,
} from '../../imports/networking.istio.io';
import { BOUNDARY_PORT } from '../internal/endpoint-checks';
import { LocalRoute, Peer, Site, Upstream } from '../internal/model';
import { bindingObjectName, exportObjectName, singleObjectName } from '../internal/names';

/*
 * How we reach peers: the egress gateway, and it alone, knows a peer's address and presents a certificate to it. A sidecar that was
 * given federation credentials by a DestinationRule without workload selector would drop them and send plaintext.
 */

const PORT_NAME = 'http-federation';

/** One exported port of a peer: where it is, and how its gateway is recognised. */
export function renderUpstream(scope: Construct, site: Site, upstream: Upstream): void {
  const { sni, peer } = upstream;
  const named = { name: exportObjectName('fed-out', upstream.exportName, upstream.exportPort, peer.name), namespace: site.namespaceName };
  emit<ServiceEntrySpec>(scope, ServiceEntry.GVK, named, () => ({
    hosts: [sni],
    exportTo: ['.'],
    location: ServiceEntrySpecLocation.MESH_UNDERSCORE_EXTERNAL,
    resolution: isIP(peer.endpoints[0].address) === 0 ? ServiceEntrySpecResolution.DNS : ServiceEntrySpecResolution.STATIC,
    // The protocol inside the TLS: with HTTPS the gateway would pass the bytes on.
    ports: [{ number: BOUNDARY_PORT, name: PORT_NAME, protocol: 'HTTP' }],
    endpoints: peer.endpoints.map(({ address, port }) => port === BOUNDARY_PORT ? { address } : { address, ports: { [PORT_NAME]: port } }),
  }));
  emit<DestinationRuleSpec>(scope, DestinationRule.GVK, named, () => ({
    host: sni,
    exportTo: ['.'],
    workloadSelector: { matchLabels: site.egress.selector },
    trafficPolicy: {
      connectionPool: {
        tcp: {
          connectTimeout: '5s',
          maxConnections: 1024,
          // A withdrawn grant or CA reaches every connection within the hour.
          maxConnectionDuration: '3600s',
          tcpKeepalive: { time: '300s', interval: '60s', probes: 3 },
        },
        http: { http1MaxPendingRequests: 1024, http2MaxRequests: 1024, idleTimeout: '300s' },
      },
      ...peer.endpoints.length > 1 ? { outlierDetection: deadEndpoint() } : {},
      tls: {
        mode: DestinationRuleSpecTrafficPolicyTlsMode.MUTUAL,
        clientCertificate: `${WORKLOAD_CERTIFICATE}/cert-chain.pem`,
        privateKey: `${WORKLOAD_CERTIFICATE}/key.pem`,
        caCertificates: `${TRUST_DIRECTORY}/${trustFileName(peer)}`,
        // Always both: with `sni` alone Istio checks no name at all, and any certificate of that CA would do.
        sni,
        subjectAltNames: [peer.ingressIdentity.uri],
      },
    },
  }));
}

/** The listeners for the local names that lead to one peer. */
export function renderLocalListeners(scope: Construct, site: Site, peer: Peer, routes: () => LocalRoute[]): ApiObject {
  const named = { name: singleObjectName('fed-out', peer.name), namespace: site.namespaceName };
  return emit<GatewaySpec>(scope, Gateway.GVK, named, () => ({
    selector: site.egress.selector,
    servers: routes().map(server),
  }));
}

/** The way from one local port to the peer. */
export function renderEgressRoute(scope: Construct, site: Site, route: LocalRoute): void {
  const { alias, localPort, bindingHost, upstream } = route;
  const name = bindingObjectName('fed-out', alias.serviceName, localPort, alias.namespaceName, upstream.peer.name);
  emit<VirtualServiceSpec>(scope, VirtualService.GVK, { name, namespace: site.namespaceName }, () => ({
    hosts: [bindingHost],
    gateways: [`${site.namespaceName}/${singleObjectName('fed-out', upstream.peer.name)}`],
    exportTo: ['.'],
    http: [{
      name: subsetName(route),
      rewrite: { authority: upstream.sni },
      retries: { attempts: 0 },
      headers: egressHeaders(),
      route: [{ destination: { host: upstream.sni, port: { number: BOUNDARY_PORT } } }],
    }],
  }));
}

/** Name of the server of a local port, and of the subset by which callers are led there. */
export function subsetName({ alias, localPort, upstream }: LocalRoute): string {
  return bindingObjectName('', alias.serviceName, localPort, alias.namespaceName, upstream.peer.name);
}

/** File with one peer's CA in the directory that the egress gateway mounts. */
export function trustFileName(peer: Peer): string {
  return `${peer.name}.crt`;
}

function server(route: LocalRoute): GatewaySpecServers {
  return {
    name: subsetName(route),
    port: { name: `https-${subsetName(route)}`, number: BOUNDARY_PORT, protocol: 'HTTPS' },
    hosts: [`./${route.bindingHost}`],
    tls: {
      mode: GatewaySpecServersTlsMode.ISTIO_UNDERSCORE_MUTUAL,
      // In the handshake and not only by policy: a policy decides after a server that speaks first has spoken.
      subjectAltNames: route.alias.callers.map(({ uri }) => uri),
    },
  };
}

/** An address that cannot be reached is left out for half a minute; what the peer's service answers never counts against it. */
function deadEndpoint(): DestinationRuleSpecTrafficPolicyOutlierDetection {
  return toJson_DestinationRuleSpecTrafficPolicyOutlierDetection({
    splitExternalLocalOriginErrors: true,
    consecutiveLocalOriginFailures: 3,
    consecutive5XxErrors: 0,
    interval: '5s',
    baseEjectionTime: '30s',
    maxEjectionPercent: 50,
  }) as DestinationRuleSpecTrafficPolicyOutlierDetection;
}
