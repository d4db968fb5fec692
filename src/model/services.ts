import { isWithin } from './addresses';

/*
 * What the manifest and the names of a Kubernetes Service mean, as Istio reads them.
 */

/** A port in the manifest of a Service. */
export interface ManifestPort {
  readonly name?: string;
  readonly port: number;
  readonly protocol?: string;
  readonly appProtocol?: string;
}

/** The fields of the manifest of a Service that matter here. */
export interface ServiceManifest {
  readonly metadata?: { readonly annotations?: { readonly [name: string]: string } };
  readonly spec?: {
    readonly type?: string;
    readonly clusterIP?: string;
    readonly selector?: { readonly [name: string]: string };
    readonly ports?: ManifestPort[];
    readonly sessionAffinity?: string;
    readonly internalTrafficPolicy?: string;
  };
}

/**
 * Whether a host is in the domain of a cluster, also in a shorter form that pods complete: the kind of an object (`svc`,
 * `pod`) and a beginning of the domain, as in `reviews.default.svc` or `reviews.default.svc.cluster`.
 */
export function isClusterName(host: string, clusterDomain: string): boolean {
  const labels = clusterDomain.split('.');
  return isWithin(host, clusterDomain) || labels.some((_, count) => ['svc', 'pod'].some((kind) => isWithin(host, [kind, ...labels.slice(0, count)].join('.'))));
}

/** What a short name inside of a cluster means: a Service, or a pod of a headless Service. */
interface ShortName {
  readonly podName: string | undefined;
  readonly serviceName: string;
  readonly namespaceName: string;
}

/** The Service that a host of two labels names inside of a cluster, or the pod that a host of three labels names. */
export function serviceOf(host: string): ShortName | undefined {
  const [namespaceName, serviceName, podName, ...rest] = host.split('.').reverse();
  return serviceName === undefined || rest.length > 0 ? undefined : { podName, serviceName, namespaceName };
}

/** Whether a Service leads to the API server of the cluster. OpenShift has a second name for it. */
export function isApiServer(serviceName: string, namespaceName: string): boolean {
  return namespaceName === 'default' && ['kubernetes', 'openshift'].includes(serviceName);
}

/** The TCP ports of a Service: Envoy carries no others. */
export function tcpPortsOf({ spec }: ServiceManifest): ManifestPort[] {
  const ports: readonly (ManifestPort | null | undefined)[] = Array.isArray(spec?.ports) ? spec.ports : [];
  return ports.filter((port) => port !== null && port !== undefined).filter(({ protocol }) => (protocol ?? 'TCP') === 'TCP');
}

/** What Istio's proxies do with the bytes of a port. `detected`: its protocol is not declared. */
export type PortKind = 'http' | 'http2' | 'bytes' | 'tls' | 'ignored' | 'detected';

const KINDS: { readonly [protocol: string]: PortKind } = {
  'http': 'http',
  'http_proxy': 'http',
  'kubernetes.io/ws': 'http',
  'http2': 'http2',
  'grpc': 'http2',
  'grpc-web': 'http2',
  'kubernetes.io/h2c': 'http2',
  'tcp': 'bytes',
  'mongo': 'bytes',
  'mysql': 'bytes',
  'redis': 'bytes',
  'https': 'tls',
  'tls': 'tls',
  'kubernetes.io/wss': 'tls',
  'udp': 'ignored',
};
/** Ports where the server speaks first: Istio does not detect a protocol there. */
const WELL_KNOWN_BYTES = [25, 53, 3306, 27017];

/**
 * How Istio selects the protocol of a port: by `appProtocol`, else by its name up to the first dash.
 * @see https://istio.io/latest/docs/ops/configuration/traffic-management/protocol-selection/
 */
export function kindOfPort({ name = '', port, appProtocol }: ManifestPort): PortKind {
  const declared = String(appProtocol ?? name); // of a manifest without types, it may be a number
  const text = declared.toLowerCase();
  const own = declared.startsWith('kubernetes.io/') ? KINDS[declared]
    : text.startsWith('grpc-web') ? 'http2' : Object.hasOwn(KINDS, text.split('-')[0]) ? KINDS[text.split('-')[0]] : undefined;
  return own ?? (WELL_KNOWN_BYTES.includes(port) ? 'bytes' : 'detected');
}

/** Whether Istio hides a Service from a namespace. */
export function isHiddenFrom({ metadata }: ServiceManifest, serviceNamespace: string, namespaceName: string): boolean {
  const exportTo = metadata?.annotations?.['networking.istio.io/exportTo'];
  if (!exportTo) return false;
  const names = exportTo.split(',').map((name) => name.trim());
  return !names.includes('*') && !names.includes(namespaceName) && !(names.includes('.') && serviceNamespace === namespaceName);
}
