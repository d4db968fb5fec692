import { isIP } from 'net';
import { ApiObject } from 'cdk8s';
import { Construct } from 'constructs';
import { STREAMS } from './connection-settings';
import { emit } from './emit';
import { egressHeaders } from './http-headers';
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
import { bindingObjectName, exportObjectName, singleObjectName } from '../model/names';

/*
 * How we reach peers: the egress gateway, and it alone, knows a peer's address and presents a certificate to it. A sidecar that was
 * given federation credentials by a DestinationRule without workload selector would drop them and send plaintext.
 */

/** One exported port of a peer: where it is, and how its gateway is recognised. */
export function renderUpstream(scope: Construct, config: BoundaryConfig, upstream: Upstream, traffic: () => PeerTraffic): ApiObject[] {
  const { sni, peer } = upstream;
  const named = { name: exportObjectName('fed-out', upstream.exportName, upstream.exportPort, peer.name), namespace: config.egress.namespaceName };
  const protocol = PROTOCOL_NAMES[upstream.protocol].upstream;
  const limits = () => {
    const { maxConnections, maxRequests } = traffic().upstreamLimits ?? {};
    return { maxConnections: maxConnections ?? UPSTREAM_DEFAULTS.maxConnections, maxRequests: maxRequests ?? UPSTREAM_DEFAULTS.maxRequests };
  };
  const portName = `${protocol.toLowerCase()}-federation`;
  // `istioctl analyze` asks for the address of a TCP entry, by which a sidecar would tell it from others. No sidecar sees this one.
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
          connectTimeout: severalAddresses(peer) ? '2s' : '5s',
          maxConnections: limits().maxConnections,
          // A withdrawn grant or CA reaches every connection within the hour. A TCP connection would be cut in the middle of its talk.
          maxConnectionDuration: speaksHttp(upstream.protocol) ? '3600s' : undefined,
          tcpKeepalive: { time: '300s', interval: '60s', probes: 3 },
        },
        http: speaksHttp(upstream.protocol)
          ? {
            http1MaxPendingRequests: limits().maxRequests,
            http2MaxRequests: limits().maxRequests,
            // What our own ingress gateways accept: a peer's need not be asked first, so none of the first calls is refused.
            maxConcurrentStreams: STREAMS,
            idleTimeout: '300s',
          }
          : undefined,
      },
      ...severalAddresses(peer) ? { outlierDetection: deadEndpoint() } : {},
      tls: {
        mode: DestinationRuleSpecTrafficPolicyTlsMode.MUTUAL,
        ...config.egress.credential === undefined
          ? { clientCertificate: `${WORKLOAD_CERTIFICATE}/cert-chain.pem`, privateKey: `${WORKLOAD_CERTIFICATE}/key.pem` }
          : { clientCertificate: `${CREDENTIAL_DIRECTORY}/tls.crt`, privateKey: `${CREDENTIAL_DIRECTORY}/tls.key` },
        caCertificates: `${TRUST_DIRECTORY}/${trustFileName(peer)}`,
        caCrl: peer.revocationLists === undefined ? undefined : `${TRUST_DIRECTORY}/${revocationFileName(peer)}`,
        // Always both: with `sni` alone Istio checks no name at all, and any certificate of that CA would do.
        sni,
        subjectAltNames: [peer.ingressIdentity!.uri], // required by bind
      },
    },
  }));
  return [entry, rule];
}

/** The listeners for the local names that lead to one peer. */
export function renderLocalListeners(scope: Construct, config: BoundaryConfig, peer: Peer, routes: () => LocalRoute[]): ApiObject {
  const named = { name: singleObjectName('fed-out', peer.name), namespace: config.egress.namespaceName };
  return emit<GatewaySpec>(scope, Gateway.GVK, named, () => ({
    selector: config.egress.selector,
    servers: routes().map(server),
  }));
}

/** The way from one local port to the peer. */
export function renderEgressRoute(scope: Construct, config: BoundaryConfig, route: LocalRoute, traffic: () => PeerTraffic): ApiObject {
  const { bindingHost, upstream } = route;
  const destinations = [{ destination: { host: upstream.sni, port: { number: BOUNDARY_PORT } } }];
  const named = { name: bindingObjectName('fed-out', route), namespace: config.egress.namespaceName };
  return emit<VirtualServiceSpec>(scope, VirtualService.GVK, named, () => ({
    hosts: [bindingHost],
    gateways: [`${config.egress.namespaceName}/${singleObjectName('fed-out', upstream.peer.name)}`],
    exportTo: ['.'],
    ...speaksHttp(upstream.protocol)
      ? {
        http: [{
          name: subsetName(route),
          rewrite: { authority: upstream.sni },
          retries: severalAddresses(upstream.peer) ? NEVER_SENT : { attempts: 0 },
          headers: egressHeaders(traffic()),
          route: destinations,
        }],
      }
      : { tcp: [{ match: [{ port: BOUNDARY_PORT }], route: destinations }] },
  }));
}

/** Name of the server of a local port, and of the subset by which callers are led there. */
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
      // In the handshake and not only by policy: a policy decides after a server that speaks first has spoken. Names that begin with
      // something cannot be listed there, so callers that are not named one by one have the policy alone.
      subjectAltNames: route.binding.callers.some(isUnlisted) ? undefined : route.binding.callers.map(({ principal }) => `spiffe://${principal}`),
    },
  };
}

/**
 * Retries are the caller's sidecar's: those of three hops would multiply. But what was never sent may go to the peer's other address, and
 * each address that comes back on trial would cost requests otherwise (docs/adr/0021).
 */
const NEVER_SENT = { attempts: 2, retryOn: 'connect-failure,refused-stream' };

function severalAddresses({ endpoints }: Peer): boolean {
  return endpoints.length > 1;
}

/**
 * An address that cannot be reached is left out at once, and tried again soon: a long absence would outlast the day on which the other one
 * fails. What the peer's service answers never counts against an address, and at most half of them are left out, so the last one never is.
 */
function deadEndpoint(): DestinationRuleSpecTrafficPolicyOutlierDetection {
  return toJson_DestinationRuleSpecTrafficPolicyOutlierDetection({
    splitExternalLocalOriginErrors: true,
    consecutiveLocalOriginFailures: 1,
    consecutive5XxErrors: 0,
    interval: '1s',
    baseEjectionTime: '10s',
    maxEjectionPercent: 50,
  }) as DestinationRuleSpecTrafficPolicyOutlierDetection;
}
