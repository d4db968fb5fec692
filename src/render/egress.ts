import { isIP } from 'net';
import { ApiObject } from 'cdk8s';
import { Construct } from 'constructs';
import { keepAlive, MAX_STREAMS } from './connection-settings';
import { emit } from './emit';
import { egressHeaders } from './http-headers';
import { ALL_LOCALITIES, NO_EJECTION } from './mesh-defaults';
import { listenerPort, PROTOCOL_NAMES } from './protocol';
import { CREDENTIAL_DIRECTORY, revocationFileName, TRUST_DIRECTORY, trustFileName, WORKLOAD_CERTIFICATE } from './workload';
import {
  DestinationRule, DestinationRuleSpec, DestinationRuleSpecTrafficPolicyOutlierDetection, DestinationRuleSpecTrafficPolicyTlsMode, Gateway,
  GatewaySpec, GatewaySpecServers, GatewaySpecServersTlsMode, ServiceEntry, ServiceEntrySpec, ServiceEntrySpecLocation,
  ServiceEntrySpecResolution, toJson_DestinationRuleSpecTrafficPolicyOutlierDetection, VirtualService, VirtualServiceSpec,
} from '../../imports/networking.istio.io';
import { BOUNDARY_PORT } from '../model/constants';
import {
  isUnlisted, LocalRoute, Peer, PeerTraffic, BoundaryConfig, speaksHttp, Upstream, UPSTREAM_DEFAULTS,
} from '../model/model';
import { bindingObjectName, exportObjectName, PREFIX, singleObjectName } from '../model/names';

/*
 * Objects that route traffic from the egress gateway to peers. Only the egress gateway has a peer's address and
 * presents a certificate to it. A sidecar ignores the `credentialName` of a DestinationRule without workload selector and
 * would send plaintext, so the rules here have a selector and file paths.
 */

/**
 * Creates the ServiceEntry and the DestinationRule of one exported port of a peer: its addresses, and how its gateway
 * is verified.
 */
export function renderUpstream(scope: Construct, config: BoundaryConfig, upstream: Upstream, traffic: () => PeerTraffic): ApiObject[] {
  const { sni, peer, exportName, exportPort } = upstream;
  const named = { name: exportObjectName(PREFIX.egress, exportName, exportPort, peer.name), namespace: config.egress.namespaceName };
  const protocol = PROTOCOL_NAMES[upstream.protocol].upstream;
  const limits = () => {
    const { maxConnections, maxRequests } = traffic().upstreamLimits ?? {};
    return { maxConnections: maxConnections ?? UPSTREAM_DEFAULTS.maxConnections, maxRequests: maxRequests ?? UPSTREAM_DEFAULTS.maxRequests };
  };
  const { time, interval, probes } = keepAlive(config);
  const portName = `${protocol.toLowerCase()}-federation`;
  // `istioctl analyze` warns of a TCP entry without address, since sidecars match TCP traffic by address. No sidecar
  // sees this entry.
  const annotations = protocol === 'TCP' ? { 'galley.istio.io/analyze-suppress': 'IST0134' } : undefined;
  const entry = emit<ServiceEntrySpec>(scope, ServiceEntry.GVK, { ...named, annotations }, () => ({
    hosts: [sni],
    exportTo: ['.'],
    location: ServiceEntrySpecLocation.MESH_UNDERSCORE_EXTERNAL,
    resolution: isIP(peer.endpoints[0].address) === 0 ? ServiceEntrySpecResolution.DNS : ServiceEntrySpecResolution.STATIC,
    ports: [{ number: BOUNDARY_PORT, name: portName, protocol }],
    endpoints: peer.endpoints.map(({ address, port }) => port === BOUNDARY_PORT ? { address } : { address, ports: { [portName]: port } }),
  }));
  const rule = emit<DestinationRuleSpec>(scope, DestinationRule.GVK, named, () => ({
    host: sni,
    exportTo: ['.'],
    workloadSelector: { matchLabels: config.egress.selector },
    trafficPolicy: {
      connectionPool: {
        tcp: {
          connectTimeout: mayHaveSeveralAddresses(peer) ? '2s' : '5s',
          maxConnections: limits().maxConnections,
          // A withdrawn grant or CA takes effect on every HTTP connection within an hour. TCP connections have no
          // limit, since it would cut them in the middle of a session.
          maxConnectionDuration: speaksHttp(upstream.protocol) ? '3600s' : undefined,
          tcpKeepalive: { time: `${time}s`, interval: `${interval}s`, probes },
        },
        http: speaksHttp(upstream.protocol)
          ? {
            http1MaxPendingRequests: limits().maxRequests,
            http2MaxRequests: limits().maxRequests,
            // The limit of our own ingress gateways: requests that Envoy sends before it knows the peer's limit are not
            // rejected then.
            maxConcurrentStreams: MAX_STREAMS,
            // Before the network drops the connection: a request on a dropped connection would be lost.
            idleTimeout: `${Math.floor(config.networkIdleSeconds * 3 / 4)}s`,
          }
          : undefined,
      },
      outlierDetection: mayHaveSeveralAddresses(peer) ? unreachableEndpointDetection() : NO_EJECTION,
      loadBalancer: ALL_LOCALITIES,
      tls: {
        mode: DestinationRuleSpecTrafficPolicyTlsMode.MUTUAL,
        ...config.egress.credential === undefined
          ? { clientCertificate: `${WORKLOAD_CERTIFICATE}/cert-chain.pem`, privateKey: `${WORKLOAD_CERTIFICATE}/key.pem` }
          : { clientCertificate: `${CREDENTIAL_DIRECTORY}/tls.crt`, privateKey: `${CREDENTIAL_DIRECTORY}/tls.key` },
        caCertificates: `${TRUST_DIRECTORY}/${trustFileName(peer)}`,
        caCrl: peer.revocationLists === undefined ? undefined : `${TRUST_DIRECTORY}/${revocationFileName(peer)}`,
        // Always both: with `sni` alone Istio verifies no name, and accepts any certificate of that CA.
        sni,
        subjectAltNames: [peer.ingressIdentity!.uri], // required by bind
      },
    },
  }));
  return [entry, rule];
}

/** Creates the Gateway with the servers of all local ports that are routed to one peer. */
export function renderLocalListeners(scope: Construct, config: BoundaryConfig, peer: Peer, routes: () => LocalRoute[]): ApiObject {
  const named = { name: singleObjectName(PREFIX.egress, peer.name), namespace: config.egress.namespaceName };
  return emit<GatewaySpec>(scope, Gateway.GVK, named, () => ({
    selector: config.egress.selector,
    servers: routes().map(server),
  }));
}

/** Creates the VirtualService that routes one local port to the peer. */
export function renderEgressRoute(scope: Construct, config: BoundaryConfig, route: LocalRoute, traffic: () => PeerTraffic): ApiObject {
  const { bindingHost, upstream } = route;
  const destinations = [{ destination: { host: upstream.sni, port: { number: BOUNDARY_PORT } } }];
  const named = { name: bindingObjectName(PREFIX.egress, route), namespace: config.egress.namespaceName };
  return emit<VirtualServiceSpec>(scope, VirtualService.GVK, named, () => ({
    hosts: [bindingHost],
    gateways: [`${config.egress.namespaceName}/${singleObjectName(PREFIX.egress, upstream.peer.name)}`],
    exportTo: ['.'],
    ...speaksHttp(upstream.protocol)
      ? {
        http: [{
          name: subsetName(route),
          rewrite: { authority: upstream.sni },
          retries: mayHaveSeveralAddresses(upstream.peer) ? RETRY_UNSENT : { attempts: 0 },
          headers: egressHeaders(traffic()),
          route: destinations,
        }],
      }
      : { tcp: [{ match: [{ port: BOUNDARY_PORT }], route: destinations }] },
  }));
}

/** Name of the server of a local port, and of the DestinationRule subset that routes callers to it. */
export function subsetName(route: LocalRoute): string {
  return bindingObjectName('', route);
}

function server(route: LocalRoute): GatewaySpecServers {
  return {
    name: subsetName(route),
    port: listenerPort(route.upstream.protocol, subsetName(route)),
    hosts: [`./${route.bindingHost}`],
    tls: {
      mode: GatewaySpecServersTlsMode.ISTIO_UNDERSCORE_MUTUAL,
      // Callers are verified in the handshake and not only by policy: with a server-first protocol, Envoy evaluates a
      // policy only after the server has sent data. The handshake cannot check prefixes (`*`), so such callers are
      // checked by policy only.
      subjectAltNames: route.binding.callers.some(isUnlisted) ? undefined : route.binding.callers.map(({ principal }) => `spiffe://${principal}`),
    },
  };
}

/**
 * Retries only requests that were never sent, at another address of the peer. Otherwise each ejected address that is
 * tried again would cost requests (docs/adr/0021). All other retries are left to the caller's sidecar: retries of three
 * hops would multiply.
 */
const RETRY_UNSENT = { attempts: 2, retryOn: 'connect-failure,refused-stream' };

/** Whether Envoy may know several addresses of a peer. It resolves a DNS name to all of its addresses, at any time. */
function mayHaveSeveralAddresses({ endpoints }: Peer): boolean {
  return endpoints.length > 1 || isIP(endpoints[0].address) === 0;
}

/**
 * Outlier detection that ejects an unreachable address of a peer after one failure, and tries it again soon: it must be
 * back when the other address fails. Error responses of the peer's service do not count. At most half of the addresses
 * are ejected, never the last one: a name with a single address is not affected.
 */
function unreachableEndpointDetection(): DestinationRuleSpecTrafficPolicyOutlierDetection {
  return toJson_DestinationRuleSpecTrafficPolicyOutlierDetection({
    splitExternalLocalOriginErrors: true,
    consecutiveLocalOriginFailures: 1,
    consecutive5XxErrors: 0,
    interval: '1s',
    baseEjectionTime: '10s',
    maxEjectionPercent: 50,
  }) as DestinationRuleSpecTrafficPolicyOutlierDetection;
}
