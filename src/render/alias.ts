import { ApiObject } from 'cdk8s';
import { k8s } from 'cdk8s-plus-27';
import { Construct } from 'constructs';
import { subsetName } from './egress';
import { emit, late } from './emit';
import {
  DestinationRule, DestinationRuleSpec, DestinationRuleSpecSubsetsTrafficPolicyTlsMode, VirtualService, VirtualServiceSpec,
} from '../../imports/networking.istio.io';
import { BOUNDARY_PORT } from '../internal/endpoint-checks';
import { Alias, LocalRoute, Site } from '../internal/model';
import { bindingObjectName, serviceHost, singleObjectName } from '../internal/names';

/*
 * The name that callers dial, in the application's namespace: a Service without pods, so that the cluster's DNS answers and a client
 * without sidecar is refused, and the route that leads its callers to the egress gateway.
 */

/** The Service behind the name. */
export function renderName(scope: Construct, alias: Alias): ApiObject {
  const annotations = { 'networking.istio.io/exportTo': late(() => visibleTo(alias).join(',')) };
  const named = { name: alias.serviceName, namespace: alias.namespaceName, annotations };
  return emit<k8s.ServiceSpec>(scope, k8s.KubeService.GVK, named, () => ({
    ports: alias.ports.map(({ localPort }, _, all) => ({
      name: all.length === 1 ? 'http' : `http-${localPort}`,
      port: localPort,
      protocol: 'TCP',
      appProtocol: 'http',
    })),
  }));
}

/** The route of the name, in the callers' sidecars. */
export function renderNameRoute(scope: Construct, site: Site, alias: Alias): ApiObject {
  const named = { name: aliasRouteName(alias), namespace: alias.namespaceName };
  return emit<VirtualServiceSpec>(scope, VirtualService.GVK, named, () => ({
    hosts: [alias.host],
    gateways: ['mesh'],
    exportTo: visibleTo(alias),
    http: alias.ports.map((port) => ({
      name: `${alias.serviceName}-${port.localPort}`,
      match: [{ port: port.localPort }],
      route: [{
        destination: { host: egressHost(site), subset: subsetName({ ...port, alias }), port: { number: BOUNDARY_PORT } },
        // On the destination, not as a rewrite of the route: local pods behind the same name keep the Host that they know.
        headers: { request: { set: { Host: port.bindingHost } } },
      }],
    })),
  }));
}

/**
 * How the sidecars of one namespace recognise a listener of the egress gateway. It lives in the callers' own namespace, where it wins
 * over a `*.svc.cluster.local` rule of theirs.
 */
export function renderCallerDestination(scope: Construct, site: Site, route: LocalRoute, callerNamespace: string): void {
  const name = bindingObjectName('fed-out', route.alias.serviceName, route.localPort, route.alias.namespaceName, route.upstream.peer.name);
  emit<DestinationRuleSpec>(scope, DestinationRule.GVK, { name, namespace: callerNamespace }, () => ({
    host: egressHost(site),
    exportTo: ['.'],
    subsets: [{
      name: subsetName(route),
      trafficPolicy: {
        tls: { mode: DestinationRuleSpecSubsetsTrafficPolicyTlsMode.ISTIO_UNDERSCORE_MUTUAL, sni: route.bindingHost },
      },
    }],
  }));
}

/** Name of the VirtualService of a local name: the admission policy lets no other one take the name. */
export function aliasRouteName(alias: Alias): string {
  return singleObjectName('fed-out', alias.serviceName);
}

function egressHost(site: Site): string {
  return serviceHost(site.egress.serviceName, site.egress.namespaceName, site.clusterDomain);
}

function visibleTo(alias: Alias): string[] {
  const others = new Set(alias.callers.map(({ namespaceName }) => namespaceName).filter((name) => name !== alias.namespaceName));
  return ['.', ...[...others].sort()];
}
