import { ApiObject } from 'cdk8s';
import { k8s } from 'cdk8s-plus-27';
import { Construct } from 'constructs';
import { STREAMS } from './connection-settings';
import { subsetName } from './egress';
import { emit, emitAlike, late } from './emit';
import { exactly } from './http';
import { orderOfNameRoute } from './phases';
import { WORDS } from './protocol';
import {
  DestinationRule, DestinationRuleSpec, DestinationRuleSpecSubsetsTrafficPolicyConnectionPoolHttpH2UpgradePolicy,
  DestinationRuleSpecSubsetsTrafficPolicyTlsMode, ServiceEntry, ServiceEntrySpec, ServiceEntrySpecLocation, ServiceEntrySpecResolution,
  VirtualService, VirtualServiceSpec,
} from '../../imports/networking.istio.io';
import { BOUNDARY_PORT } from '../internal/endpoint-checks';
import { Alias, hostsOf, LocalPort, LocalRoute, Site, speaksHttp, Way } from '../internal/model';
import { bindingObjectName, callerObjectName, serviceObjectName, serviceHost } from '../internal/names';

const { UPGRADE } = DestinationRuleSpecSubsetsTrafficPolicyConnectionPoolHttpH2UpgradePolicy;

/*
 * The name that callers dial, in the application's namespace: a Service without pods, so that the cluster's DNS answers and a client
 * without sidecar is refused, and the route that leads its callers to the egress gateway.
 */

/** The Service behind the name. */
export function renderName(scope: Construct, alias: Alias): ApiObject {
  const annotations = { 'networking.istio.io/exportTo': late(() => visibleTo(alias).join(',')) };
  const named = { name: alias.serviceName, namespace: alias.namespaceName, annotations };
  return emitAlike<k8s.ServiceSpec>(scope, k8s.KubeService.GVK, named, () => ({
    ports: alias.ports.map(({ localPort, protocol }, _, all) => ({
      name: all.length === 1 ? WORDS[protocol].port : `${WORDS[protocol].port}-${localPort}`,
      port: localPort,
      protocol: 'TCP',
      appProtocol: WORDS[protocol].port,
    })),
  }));
}

/**
 * Names outside of the cluster's domain. Nothing stands behind the entry but an address that istiod gives it, by which the callers' sidecars
 * tell its connections from others.
 */
export function renderAdditionalHosts(scope: Construct, alias: Alias): ApiObject {
  // Until istiod has given an address, `istioctl analyze` asks for one of our own, which might be somebody else's too.
  const annotations = { 'galley.istio.io/analyze-suppress': 'IST0134' };
  const named = { name: aliasRouteName(alias), namespace: alias.namespaceName, annotations };
  return emitAlike<ServiceEntrySpec>(scope, ServiceEntry.GVK, named, () => ({
    hosts: alias.additionalHosts,
    exportTo: visibleTo({ callers: alias.callers, namespaceName: alias.namespaceName, existing: false }),
    location: ServiceEntrySpecLocation.MESH_UNDERSCORE_EXTERNAL,
    resolution: ServiceEntrySpecResolution.STATIC,
    ports: alias.ports.map(({ localPort, protocol }) => ({
      number: localPort, name: `${WORDS[protocol].port}-${localPort}`, protocol: WORDS[protocol].port.toUpperCase(),
    })),
  }));
}

/** The route of the name, in the callers' sidecars. */
export function renderNameRoute(scope: Construct, site: Site, alias: Alias): ApiObject {
  const named = { name: aliasRouteName(alias), namespace: alias.namespaceName, annotations: orderOfNameRoute(site) };
  return emitAlike<VirtualServiceSpec>(scope, VirtualService.GVK, named, () => {
    const { ports } = alias;
    const routesFor = <Route>(http: boolean, route: (port: LocalPort, way: Way, index: number) => Route) => filled(
      ports.filter(({ protocol }) => speaksHttp(protocol) === http).flatMap((port) => port.ways.map((way, index) => route(port, way, index))),
    );
    return {
      hosts: hostsOf(alias),
      gateways: ['mesh'],
      exportTo: visibleTo(alias),
      http: routesFor(true, (port, way, index) => ({
        name: index === port.ways.length - 1 ? `${alias.serviceName}-${port.localPort}` : `${alias.serviceName}-${port.localPort}-headers-${index + 1}`,
        match: [{ port: port.localPort, headers: way.headers && exactly(way.headers) }],
        route: destinations(site, alias, port, way),
      })),
      tcp: routesFor(false, (port, way) => ({ match: [{ port: port.localPort }], route: destinations(site, alias, port, way) })),
    };
  });
}

/**
 * How the sidecars of one namespace recognise a listener of the egress gateway. It lives in the callers' own namespace, where it wins
 * over a `*.svc.cluster.local` rule of theirs. For callers anywhere it lives with the egress gateway, since Istio looks there last.
 */
export function renderCallerDestination(scope: Construct, site: Site, route: LocalRoute, callerNamespace?: string): void {
  const named = callerNamespace === undefined
    ? { name: bindingObjectName('fed-any', route), namespace: site.egress.namespaceName }
    : { name: callerObjectName(route, callerNamespace), namespace: callerNamespace };
  const put = callerNamespace === undefined ? emit : emitAlike;
  put<DestinationRuleSpec>(scope, DestinationRule.GVK, named, () => ({
    host: egressHost(site),
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
export function aliasRouteName(alias: Alias): string {
  return serviceObjectName('fed-name', alias.serviceName, alias.namespaceName);
}

function destinations(site: Site, alias: Alias, port: LocalPort, way: Way) {
  return way.shares.map(({ weight, route }, _, all) => ({
    weight: all.length === 1 ? undefined : weight,
    ...route ? toPeer(site, port, route) : { destination: { host: alias.host, port: { number: port.localPort } } },
  }));
}

function toPeer(site: Site, port: LocalPort, route: LocalRoute) {
  const destination = { host: egressHost(site), subset: subsetName(route), port: { number: BOUNDARY_PORT } };
  if (!speaksHttp(port.protocol)) return { destination };
  // On the destination, not as a rewrite of the route: local pods behind the same name keep the Host that they know.
  return { destination, headers: { request: { set: { Host: route.bindingHost } } } };
}

/** Istio's schema knows no empty list of routes. */
function filled<Item>(items: Item[]): Item[] | undefined {
  return items.length === 0 ? undefined : items;
}

function egressHost(site: Site): string {
  return serviceHost(site.egress.serviceName, site.egress.namespaceName, site.clusterDomain);
}

/** A name of ours is known in its own namespace. The routes of an existing name change nothing but for its callers. */
function visibleTo({ callers, namespaceName: own, existing }: Pick<Alias, 'callers' | 'namespaceName' | 'existing'>): string[] {
  const namespaces = new Set(callers.map(({ namespaceName }) => namespaceName ?? '*'));
  if (namespaces.has('*')) return ['*'];
  const others = [...namespaces].filter((name) => name !== own).sort();
  return existing && !namespaces.has(own) ? others : ['.', ...others];
}
