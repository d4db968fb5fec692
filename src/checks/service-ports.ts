import { describeError, show, Where } from './errors';
import type { Protocol } from '../model/model';
import { isHiddenFrom, kindOfPort, ManifestPort, PortKind, ServiceManifest, tcpPortsOf } from '../model/services';
import type { LocalService, ServicePort } from '../service';

/*
 * Services whose manifest the program knows: which kinds can be exported or bound, and which protocols their ports have
 * for Istio. Their manifests are complete at the end of synthesis.
 */

/** For each protocol of an export: the kinds of ports that carry it from the ingress gateway to the pods. */
const CARRIES: { readonly [protocol in Protocol]: readonly PortKind[] } = {
  // Sidecars pass the bytes of a TCP port on, and those of HTTP/1.1 are complete.
  http: ['http', 'http2', 'bytes', 'detected'],
  // A gateway uses HTTP/1.1, which loses trailers, unless the port declares HTTP/2.
  grpc: ['http2'],
  tcp: ['bytes', 'tls', 'detected'],
  tls: ['bytes', 'tls', 'detected'],
};
/** For each protocol of a binding: the kinds of ports on which the sidecars of callers apply its route. */
const ROUTES: { readonly [protocol in Protocol]: readonly PortKind[] } = {
  http: ['http', 'http2', 'detected'],
  grpc: ['http', 'http2', 'detected'],
  tcp: ['bytes', 'tls', 'detected'],
  tls: ['bytes', 'tls', 'detected'],
};
const FIXES: { readonly [protocol in Protocol]: string } = {
  http: 'name the port "http", or set its appProtocol to "http"',
  grpc: 'name the port "grpc", or set its appProtocol to "grpc"',
  tcp: 'name the port "tcp", or set its appProtocol to "tcp"',
  tls: 'name the port "tls", or set its appProtocol to "tls"',
};

/** Errors of an export, if the construct of its Service is known. */
export function errorsInService(where: Where, service: LocalService, ports: readonly ServicePort[], gatewayNamespace: string): string[] {
  const manifest = service._manifest();
  if (!manifest) return [];
  const { serviceName, namespaceName } = service;
  const reject = (why: string, fix: string) => [describeError('FED319', where, `the Service ${show(serviceName)} ${why}`, fix)];
  if (manifest.spec?.type === 'ExternalName') {
    return reject('is of the type ExternalName, so it has no pods', 'export a Service that selects the pods, or has EndpointSlices with their addresses');
  }
  return [
    ...manifest.spec?.sessionAffinity === 'ClientIP'
      ? reject('has sessionAffinity ClientIP, but the ingress gateway is the client of all calls of peers',
        'remove sessionAffinity, or use consistentHash by a header or cookie in a DestinationRule of the Service')
      : [],
    ...manifest.spec?.internalTrafficPolicy === 'Local'
      ? reject('has internalTrafficPolicy Local, so an ingress gateway on a node without its pods would answer 503', 'remove internalTrafficPolicy, or export a second Service of the pods')
      : [],
    ...isHiddenFrom(manifest, namespaceName, gatewayNamespace)
      ? reject(`is hidden from the ingress gateway by the annotation networking.istio.io/exportTo ${show(manifest.metadata!.annotations!['networking.istio.io/exportTo'])}`,
        `add ${show(gatewayNamespace)} to the annotation`)
      : [],
    ...errorsInPorts(where, serviceName, manifest, ports),
  ];
}

function errorsInPorts(where: Where, serviceName: string, manifest: ServiceManifest, ports: readonly ServicePort[]): string[] {
  const known = tcpPortsOf(manifest);
  return ports.flatMap(({ port, _protocol: protocol }) => {
    const declared = known.find((one) => Number(one.port) === port);
    if (!declared) {
      return [describeError('FED304', where, `the Service ${show(serviceName)} has no TCP port ${port}`,
        `use one of its ports ${known.map((one) => one.port).join(', ') || '(none)'}`)];
    }
    if (CARRIES[protocol].includes(kindOfPort(declared))) return [];
    return [describeError('FED318', where,
      `port ${port} of the Service ${show(serviceName)} is exported as ${protocol}, but Istio reads ${declarationOf(declared)}`,
      `${FIXES[protocol]}; or export it with another protocol of ServicePort`)];
  });
}

/** Errors of a binding that takes over the name of an existing Service, if a chart of the mesh has its manifest. */
export function errorsInExisting(
  where: Where, host: string, manifest: ServiceManifest, ports: readonly { readonly localPort: number; readonly protocols: readonly Protocol[] }[],
): string[] {
  const reject = (why: string, fix: string) => [describeError('FED321', where, `the existing Service ${show(host)} ${why}`, fix)];
  if (manifest.spec?.type === 'ExternalName') return reject('is of the type ExternalName, whose calls Istio sends elsewhere', 'bind a new local name: LocalName.newService(…)');
  if (manifest.spec?.clusterIP === 'None') {
    return reject('is headless: callers dial its pods, and cannot resolve the name without them', 'bind a new local name: LocalName.newService(…)');
  }
  const known = tcpPortsOf(manifest);
  return ports.flatMap(({ localPort, protocols }) => {
    const declared = known.find((one) => Number(one.port) === localPort);
    if (!declared) {
      return reject(`has no TCP port ${localPort}, so callers cannot dial it`,
        `map the exported port to one of its ports with portMappings: ${known.map((one) => one.port).join(', ') || '(none)'}`);
    }
    const other = protocols.find((protocol) => !ROUTES[protocol].includes(kindOfPort(declared)));
    if (other === undefined) return [];
    return reject(`is bound to ${other} at port ${localPort}, but Istio reads ${declarationOf(declared)}, so sidecars would ignore the binding`, FIXES[other]);
  });
}

/** How a manifest declares the protocol of a port. */
function declarationOf({ name, appProtocol }: ManifestPort): string {
  if (appProtocol !== undefined) return `its appProtocol ${show(appProtocol)}`;
  return name === undefined ? 'no protocol, since the port has neither a name nor an appProtocol' : `its name ${show(name)}`;
}
