import { coversBoundary, isBoundaryHost, namesTaken, plain } from './bound-hosts';
import { Boundaries, isGatewayService } from './boundaries';
import { isGatewayApi, isIstio, listOf } from './documents';
import type { ErrorsIn } from './rule';
import { PEER_HOST } from './tls';
import { PREFIX } from '../model/names';

/*
 * Objects of other owners that attach routes to a boundary Gateway, or take a host of the boundary.
 */

/** Reports a VirtualService that attaches to a Gateway of a boundary. */
export const attachedRoutes: ErrorsIn = ({ document }, { pods }) => {
  if (!isIstio(document, 'VirtualService')) return [];
  return listOf(document.spec?.gateways).filter((gateway) => isBoundaryGateway(gatewayNamed(String(gateway), document), pods))
    .map((gateway) => `spec.gateways contains ${gateway}, a Gateway of a boundary`);
};

/** Reports a VirtualService for an SNI of a boundary, or for a host that a binding uses. */
export const routedHosts: ErrorsIn = (manifest, { boundHosts, inventory, namespaceNames }) => {
  const { metadata, spec } = manifest.document;
  if (!isIstio(manifest.document, 'VirtualService')) return [];
  const forSidecars = listOf(spec?.gateways).length === 0 || listOf(spec.gateways).includes('mesh');
  // Of TCP and TLS routes Istio takes the oldest whose wildcard matches. Of HTTP routes, an exact host wins.
  const wildcards = spec?.tcp !== undefined || spec?.tls !== undefined;
  const exportTo = listOf(spec?.exportTo);
  const onlyOwnNamespace = exportTo.length > 0 && exportTo.every((namespace) => namespace === '.' || namespace === metadata?.namespace);
  return listOf(spec?.hosts).flatMap((written) => {
    const host = plain(written);
    if (!namespaceNames.has(metadata?.namespace) && isBoundaryHost(host, boundHosts)) return [`spec.hosts contains ${written}, an SNI of a boundary`];
    const names = forSidecars ? namesTaken(host, manifest, boundHosts, inventory, wildcards) : [];
    // In another namespace than the binding's, such a route affects its author only.
    const taken = names.some(({ namespaceName }) => namespaceName === metadata?.namespace || !onlyOwnNamespace);
    return taken ? [`spec.hosts contains ${written}, a host that a binding uses`] : [];
  });
};

/**
 * Reports a ServiceEntry for the SNI of a peer's export, for a wildcard over such names, or for a host that a binding
 * uses: of several entries for one host Istio takes the oldest, and routes of the Gateway API can be attached to it.
 */
export const declaredHosts: ErrorsIn = (manifest, { boundHosts, inventory, pods }) => {
  if (!isIstio(manifest.document, 'ServiceEntry')) return [];
  return listOf(manifest.document.spec?.hosts).flatMap((written) => {
    const host = plain(written);
    if (PEER_HOST.test(host) || isBoundaryHost(host, boundHosts)) return [`spec.hosts contains ${written}, the SNI of a peer's export`];
    if (isGatewayService(host, pods)) return [`spec.hosts contains ${written}, a Service of a boundary`];
    if (coversBoundary(host, boundHosts)) return [`spec.hosts contains ${written}, a wildcard that matches the SNIs of a peer's exports`];
    // A wildcard takes precedence over a local name only: a TCPRoute that is attached to the entry applies to it.
    const taken = namesTaken(host, manifest, boundHosts, inventory, true).some(({ local }) => local || !host.startsWith('*'));
    return taken ? [`spec.hosts contains ${written}, a host that a binding uses`] : [];
  });
};

/** Reports objects of the Gateway API in the namespace of a boundary, and routes for its Gateways and hosts. */
export const gatewayApi: ErrorsIn = (manifest, { boundHosts, inventory, pods }) => {
  const { metadata, spec, kind } = manifest.document;
  if (!isGatewayApi(manifest.document)) return [];
  // istiod runs pods for such a Gateway, or attaches its listeners to the pods of a Service in its namespace.
  const beside = pods.some(({ namespaceName, managed }) => managed && namespaceName === metadata?.namespace);
  const isBound = ({ kind: target = 'Gateway', namespace = metadata?.namespace, name }: any): boolean => {
    switch (target) {
      case 'Gateway': return isBoundaryGateway({ namespaceName: namespace, name: String(name) }, pods);
      case 'Service': return isGatewayService(`${name}.${namespace}`, pods) || namesTaken(`${name}.${namespace}`, manifest, boundHosts, inventory).length > 0;
      case 'Hostname': return isBoundaryHost(plain(name), boundHosts) || namesTaken(plain(name), manifest, boundHosts, inventory).length > 0;
      // The binding may be of another program.
      case 'ServiceEntry': return String(name).startsWith(`${PREFIX.localName}-`) || inventory.declares(manifest, `ServiceEntry ${namespace}/${name}`);
      default: return false;
    }
  };
  return [
    ...beside ? [`metadata.namespace is ${metadata.namespace}, where no object of the Gateway API may be`] : [],
    ...referencesIn(spec).filter(({ reference }) => isBound(reference))
      .map(({ path, reference }) => `${path} is ${reference.kind ?? 'Gateway'} ${reference.name}, which belongs to a boundary`),
    ...hostnamesIn(spec, kind).filter(({ hostname }) => isBoundaryHost(plain(hostname), boundHosts))
      .map(({ path, hostname }) => `${path} is ${hostname}, an SNI of a boundary`),
  ];
};

function hostnamesIn(spec: any, kind: string): { readonly path: string; readonly hostname: unknown }[] {
  // Listeners of a Gateway are those of its own pods.
  const listeners = kind === 'Gateway' ? [] : listOf(spec?.listeners);
  return [
    ...listOf(spec?.hostnames).map((hostname, index) => ({ path: `spec.hostnames[${index}]`, hostname })),
    ...listeners.map((listener, index) => ({ path: `spec.listeners[${index}].hostname`, hostname: listener?.hostname ?? '' })),
  ];
}

/** What a route, a ListenerSet or a policy of the Gateway API attaches to. */
function referencesIn(spec: any): { readonly path: string; readonly reference: any }[] {
  return [
    ...['parentRefs', 'targetRefs'].flatMap((field) => listOf(spec?.[field]).map((reference, index) => ({ path: `spec.${field}[${index}]`, reference: reference ?? {} }))),
    ...['parentRef', 'targetRef'].filter((field) => spec?.[field]).map((field) => ({ path: `spec.${field}`, reference: spec[field] })),
  ];
}

interface GatewayReference {
  readonly namespaceName: unknown;
  readonly name: string;
}

/** Whether a Gateway is one of a boundary. In the namespace of an existing gateway only those that are generated are. */
function isBoundaryGateway(gateway: GatewayReference | undefined, pods: Boundaries['pods']): boolean {
  return gateway !== undefined && pods.some(({ namespaceName, managed }) =>
    namespaceName === gateway.namespaceName && (managed || gateway.name.startsWith(`${PREFIX.ingress}-`)));
}

/**
 * The Gateway that a VirtualService refers to; undefined for `mesh`, which is not a Gateway. Besides `namespace/name`,
 * Istio accepts `name.namespace`.
 */
function gatewayNamed(gateway: string, { metadata }: any): GatewayReference | undefined {
  if (gateway === 'mesh') return undefined;
  const [namespaceName, name] = gateway.includes('/') ? gateway.split('/') : gateway.split('.').slice(0, 2).reverse();
  if (name === undefined) return { namespaceName: metadata?.namespace, name: gateway };
  return { namespaceName: namespaceName === '.' ? metadata?.namespace : namespaceName, name };
}
