import { ApiObject } from 'cdk8s';
import { k8s } from 'cdk8s-plus-27';
import { Construct } from 'constructs';
import { STREAMS } from './connection-settings';
import { subsetName } from './egress';
import { emit, emitWithKindId, late } from './emit';
import { exactMatches } from './http-routes';
import { applyOrderOfLocalName } from './phases';
import { PROTOCOL_NAMES } from './protocol';
import {
  DestinationRule, DestinationRuleSpec, DestinationRuleSpecSubsetsTrafficPolicyConnectionPoolHttpH2UpgradePolicy,
  DestinationRuleSpecSubsetsTrafficPolicyTlsMode, ServiceEntry, ServiceEntrySpec, ServiceEntrySpecLocation, ServiceEntrySpecResolution,
  VirtualService, VirtualServiceSpec,
} from '../../imports/networking.istio.io';
import { BOUNDARY_PORT } from '../model/constants';
import { Binding, hostsOf, LocalPort, LocalRoute, BoundaryConfig, speaksHttp, RouteMatch } from '../model/model';
import { bindingObjectName, callerObjectName, serviceObjectName, serviceHost } from '../model/names';

const { UPGRADE } = DestinationRuleSpecSubsetsTrafficPolicyConnectionPoolHttpH2UpgradePolicy;

/*
 * The name that callers dial, in the application's namespace: a Service without pods, so that the cluster's DNS answers and a client
 * without sidecar is refused, and the route that leads its callers to the egress gateway.
 */

/** The Service behind the name. */
export function renderLocalName(scope: Construct, binding: Binding): ApiObject {
  const annotations = { 'networking.istio.io/exportTo': late(() => visibleTo(binding).join(',')) };
  const named = { name: binding.serviceName, namespace: binding.namespaceName, annotations };
  return emitWithKindId<k8s.ServiceSpec>(scope, k8s.KubeService.GVK, named, () => ({
    ports: binding.ports.map(({ localPort, protocol }, _, all) => ({
      name: all.length === 1 ? PROTOCOL_NAMES[protocol].port : `${PROTOCOL_NAMES[protocol].port}-${localPort}`,
      port: localPort,
      protocol: 'TCP',
      appProtocol: PROTOCOL_NAMES[protocol].port,
    })),
  }));
}

/**
 * Names outside of the cluster's domain. Nothing stands behind the entry but an address that istiod gives it, by which the callers' sidecars
 * tell its connections from others.
 */
export function renderAdditionalHosts(scope: Construct, binding: Binding): ApiObject {
  // Until istiod has given an address, `istioctl analyze` asks for one of our own, which might be somebody else's too.
  const annotations = { 'galley.istio.io/analyze-suppress': 'IST0134' };
  const named = { name: localNameRouteName(binding), namespace: binding.namespaceName, annotations };
  return emitWithKindId<ServiceEntrySpec>(scope, ServiceEntry.GVK, named, () => ({
    hosts: binding.additionalHosts,
    exportTo: visibleTo({ callers: binding.callers, namespaceName: binding.namespaceName, existing: false }),
    location: ServiceEntrySpecLocation.MESH_UNDERSCORE_EXTERNAL,
    resolution: ServiceEntrySpecResolution.STATIC,
    ports: binding.ports.map(({ localPort, protocol }) => ({
      number: localPort, name: `${PROTOCOL_NAMES[protocol].port}-${localPort}`, protocol: PROTOCOL_NAMES[protocol].port.toUpperCase(),
    })),
  }));
}

/** The route of the name, in the callers' sidecars. */
export function renderLocalNameRoute(scope: Construct, config: BoundaryConfig, binding: Binding): ApiObject {
  const named = { name: localNameRouteName(binding), namespace: binding.namespaceName, annotations: applyOrderOfLocalName(config) };
  return emitWithKindId<VirtualServiceSpec>(scope, VirtualService.GVK, named, () => {
    const { ports } = binding;
    const routesFor = <Route>(http: boolean, route: (port: LocalPort, way: RouteMatch, index: number) => Route) => filled(
      ports.filter(({ protocol }) => speaksHttp(protocol) === http).flatMap((port) => port.matches.map((way, index) => route(port, way, index))),
    );
    return {
      hosts: hostsOf(binding),
      gateways: ['mesh'],
      exportTo: visibleTo(binding),
      http: routesFor(true, (port, way, index) => ({
        name: index === port.matches.length - 1 ? `${binding.serviceName}-${port.localPort}` : `${binding.serviceName}-${port.localPort}-headers-${index + 1}`,
        match: [{ port: port.localPort, headers: way.headers && exactMatches(way.headers) }],
        route: destinations(config, binding, port, way),
      })),
      tcp: routesFor(false, (port, way) => ({ match: [{ port: port.localPort }], route: destinations(config, binding, port, way) })),
    };
  });
}

/**
 * How the sidecars of one namespace recognise a listener of the egress gateway. It lives in the callers' own namespace, where it wins
 * over a `*.svc.cluster.local` rule of theirs. For callers anywhere it lives with the egress gateway, since Istio looks there last.
 */
export function renderCallerDestination(scope: Construct, config: BoundaryConfig, route: LocalRoute, callerNamespace?: string): void {
  const named = callerNamespace === undefined
    ? { name: bindingObjectName('fed-any', route), namespace: config.egress.namespaceName }
    : { name: callerObjectName(route, callerNamespace), namespace: callerNamespace };
  const put = callerNamespace === undefined ? emit : emitWithKindId;
  put<DestinationRuleSpec>(scope, DestinationRule.GVK, named, () => ({
    host: egressHost(config),
    exportTo: [callerNamespace === undefined ? '*' : '.'],
    subsets: [{
      name: subsetName(route),
      trafficPolicy: {
        // The egress gateway's port says TLS, so without this a sidecar would speak HTTP/1.1: slower, and trailers of gRPC would be lost.
        connectionPool: speaksHttp(route.upstream.protocol)
          ? { http: { h2UpgradePolicy: UPGRADE, maxConcurrentStreams: STREAMS } }
          : undefined,
        tls: { mode: DestinationRuleSpecSubsetsTrafficPolicyTlsMode.ISTIO_UNDERSCORE_MUTUAL, sni: route.bindingHost },
      },
    }],
  }));
}

/** Name of the VirtualService of a local name: the admission policy lets no other one take the name. */
export function localNameRouteName(binding: Binding): string {
  return serviceObjectName('fed-name', binding.serviceName, binding.namespaceName);
}

function destinations(config: BoundaryConfig, binding: Binding, port: LocalPort, way: RouteMatch) {
  return way.destinations.map(({ weight, route }, _, all) => ({
    weight: all.length === 1 ? undefined : weight,
    ...route ? toPeer(config, port, route) : { destination: { host: binding.host, port: { number: port.localPort } } },
  }));
}

function toPeer(config: BoundaryConfig, port: LocalPort, route: LocalRoute) {
  const destination = { host: egressHost(config), subset: subsetName(route), port: { number: BOUNDARY_PORT } };
  if (!speaksHttp(port.protocol)) return { destination };
  // On the destination, not as a rewrite of the route: local pods behind the same name keep the Host that they know.
  return { destination, headers: { request: { set: { Host: route.bindingHost } } } };
}

/** Istio's schema knows no empty list of routes. */
function filled<Item>(items: Item[]): Item[] | undefined {
  return items.length === 0 ? undefined : items;
}

function egressHost(config: BoundaryConfig): string {
  return serviceHost(config.egress.serviceName, config.egress.namespaceName, config.clusterDomain);
}

/** A name of ours is known in its own namespace. The routes of an existing name change nothing but for its callers. */
function visibleTo({ callers, namespaceName: own, existing }: Pick<Binding, 'callers' | 'namespaceName' | 'existing'>): string[] {
  const namespaces = new Set(callers.map(({ namespaceName }) => namespaceName ?? '*'));
  if (namespaces.has('*')) return ['*'];
  const others = [...namespaces].filter((name) => name !== own).sort();
  return existing && !namespaces.has(own) ? others : ['.', ...others];
}
