import { ApiObject } from 'cdk8s';
import { k8s } from 'cdk8s-plus-27';
import { Construct } from 'constructs';
import { MAX_STREAMS } from './connection-settings';
import { subsetName } from './egress';
import { emit, emitWithKindId, lazyField } from './emit';
import { exactMatches } from './http-routes';
import { CONNECT_TIMEOUT, NO_EJECTION, OWN_CLUSTER_FIRST } from './mesh-defaults';
import { applyOrderOfLocalName } from './phases';
import { PROTOCOL_NAMES } from './protocol';
import {
  DestinationRule, DestinationRuleSpec, DestinationRuleSpecSubsetsTrafficPolicyConnectionPoolHttpH2UpgradePolicy,
  DestinationRuleSpecSubsetsTrafficPolicyTlsMode, ServiceEntry, ServiceEntrySpec, ServiceEntrySpecLocation, ServiceEntrySpecResolution,
  VirtualService, VirtualServiceSpec,
} from '../../imports/networking.istio.io';
import { BOUNDARY_PORT } from '../model/constants';
import { Binding, BindingName, hostsOf, LocalPort, LocalRoute, BoundaryConfig, speaksHttp, RouteMatch } from '../model/model';
import { bindingObjectName, callerObjectName, PREFIX, serviceHost, serviceObjectName } from '../model/names';

const { UPGRADE } = DestinationRuleSpecSubsetsTrafficPolicyConnectionPoolHttpH2UpgradePolicy;

/*
 * Objects of a local name, in the application's namespace: a Service without pods, so that the cluster's DNS resolves
 * the name and a client without sidecar gets no connection, and the VirtualService that routes callers to the egress
 * gateway.
 */

/** Creates the Service of a local name, without pods. */
export function renderLocalName(scope: Construct, binding: Binding): ApiObject {
  const annotations = { 'networking.istio.io/exportTo': lazyField(() => visibleTo(binding).join(',')) };
  const named = { name: binding.name.serviceName, namespace: binding.name.namespaceName, annotations };
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
 * Creates the ServiceEntry for hosts outside the cluster domain. It has no endpoints. istiod assigns it an address, by
 * which the callers' sidecars recognise its connections.
 */
export function renderAdditionalHosts(scope: Construct, binding: Binding): ApiObject {
  // Before istiod has assigned an address, `istioctl analyze` warns that the entry has none. An address of our own
  // could collide with another.
  const annotations = { 'galley.istio.io/analyze-suppress': 'IST0134' };
  const named = { name: localNameRouteName(binding.name), namespace: binding.name.namespaceName, annotations };
  return emitWithKindId<ServiceEntrySpec>(scope, ServiceEntry.GVK, named, () => ({
    hosts: binding.name.additionalHosts,
    exportTo: visibleTo({ callers: binding.callers, name: { ...binding.name, existing: false } }),
    location: ServiceEntrySpecLocation.MESH_UNDERSCORE_EXTERNAL,
    resolution: ServiceEntrySpecResolution.STATIC,
    ports: binding.ports.map(({ localPort, protocol }) => ({
      number: localPort, name: `${PROTOCOL_NAMES[protocol].port}-${localPort}`, protocol: PROTOCOL_NAMES[protocol].port.toUpperCase(),
    })),
  }));
}

/** Creates the VirtualService of a local name, for the callers' sidecars. */
export function renderLocalNameRoute(scope: Construct, config: BoundaryConfig, binding: Binding): ApiObject {
  const named = { name: localNameRouteName(binding.name), namespace: binding.name.namespaceName, annotations: applyOrderOfLocalName(config) };
  return emitWithKindId<VirtualServiceSpec>(scope, VirtualService.GVK, named, () => {
    const { name: { serviceName }, ports } = binding;
    const routesFor = <Route>(http: boolean, route: (port: LocalPort, match: RouteMatch, index: number) => Route) => unlessEmpty(
      ports.filter(({ protocol }) => speaksHttp(protocol) === http).flatMap((port) => port.matches.map((match, index) => route(port, match, index))),
    );
    return {
      hosts: hostsOf(binding.name),
      gateways: ['mesh'],
      exportTo: visibleTo(binding),
      http: routesFor(true, (port, match, index) => ({
        name: index === port.matches.length - 1 ? `${serviceName}-${port.localPort}` : `${serviceName}-${port.localPort}-headers-${index + 1}`,
        match: [{ port: port.localPort, headers: match.headers && exactMatches(match.headers) }],
        route: destinations(config, binding, port, match),
      })),
      tcp: routesFor(false, (port, match) => ({ match: [{ port: port.localPort }], route: destinations(config, binding, port, match) })),
    };
  });
}

/**
 * Creates the DestinationRule with which the sidecars of one namespace connect to a listener of the egress gateway. It
 * is in the callers' own namespace, where it takes precedence over a `*.svc.cluster.local` rule of theirs. For callers
 * of every namespace it is in the egress gateway's namespace, where Istio looks after the callers' own.
 */
export function renderCallerDestination(scope: Construct, config: BoundaryConfig, route: LocalRoute, callerNamespace?: string): void {
  const named = callerNamespace === undefined
    ? { name: bindingObjectName(PREFIX.anyCaller, route), namespace: config.egress.namespaceName }
    : { name: callerObjectName(route, callerNamespace), namespace: callerNamespace };
  const create = callerNamespace === undefined ? emit : emitWithKindId;
  create<DestinationRuleSpec>(scope, DestinationRule.GVK, named, () => ({
    host: egressHost(config),
    exportTo: [callerNamespace === undefined ? '*' : '.'],
    subsets: [{
      name: subsetName(route),
      trafficPolicy: {
        // The protocol of the egress gateway's port is TLS, so without this a sidecar would use HTTP/1.1: slower, and
        // without gRPC trailers.
        connectionPool: {
          tcp: { connectTimeout: CONNECT_TIMEOUT },
          http: speaksHttp(route.upstream.protocol) ? { h2UpgradePolicy: UPGRADE, maxConcurrentStreams: MAX_STREAMS } : undefined,
        },
        outlierDetection: NO_EJECTION,
        loadBalancer: OWN_CLUSTER_FIRST,
        tls: { mode: DestinationRuleSpecSubsetsTrafficPolicyTlsMode.ISTIO_UNDERSCORE_MUTUAL, sni: route.bindingHost },
      },
    }],
  }));
}

/**
 * Name of the VirtualService of a local name. The admission policy rejects every other VirtualService for that host.
 */
export function localNameRouteName({ serviceName, namespaceName }: BindingName): string {
  return serviceObjectName(PREFIX.localName, serviceName, namespaceName);
}

function destinations(config: BoundaryConfig, binding: Binding, port: LocalPort, match: RouteMatch) {
  return match.destinations.map(({ weight, route }, _, all) => ({
    weight: all.length === 1 ? undefined : weight,
    ...route ? toPeer(config, port, route) : { destination: { host: binding.name.host, port: { number: port.localPort } } },
  }));
}

function toPeer(config: BoundaryConfig, port: LocalPort, route: LocalRoute) {
  const destination = { host: egressHost(config), subset: subsetName(route), port: { number: BOUNDARY_PORT } };
  if (!speaksHttp(port.protocol)) return { destination };
  // Set on the destination, not as a rewrite of the route: local pods behind the same name still get the original Host.
  return { destination, headers: { request: { set: { Host: route.bindingHost } } } };
}

/** Undefined for an empty list: Istio's schema allows no empty list of routes. */
function unlessEmpty<Item>(items: Item[]): Item[] | undefined {
  return items.length === 0 ? undefined : items;
}

function egressHost(config: BoundaryConfig): string {
  return serviceHost(config.egress.serviceName, config.egress.namespaceName, config.clusterDomain);
}

/**
 * Namespaces to which a local name is exported: those of its callers, and its own. For an existing Service its own
 * namespace is left out unless callers are in it, so that nothing changes for workloads that are no callers.
 */
function visibleTo({ callers, name: { namespaceName: own, existing } }: Pick<Binding, 'callers' | 'name'>): string[] {
  const namespaces = new Set(callers.map(({ namespaceName }) => namespaceName ?? '*'));
  if (namespaces.has('*')) return ['*'];
  const others = [...namespaces].filter((name) => name !== own).sort();
  return existing && !namespaces.has(own) ? others : ['.', ...others];
}
