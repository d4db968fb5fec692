import type { BoundaryGatewayAttributes, DedicatedGatewayOptions } from '../gateway-options';
import { SpiffeId } from '../identity';
import { IstioVersion } from '../istio-version';
import type { FederatedMeshProps } from '../mesh-props';
import { reasonOf } from '../model/annotations';
import { BOUNDARY_PORT, DEFAULT_CLUSTER_DOMAIN, DEFAULT_NAMESPACE, DEFAULT_ROOT_NAMESPACE } from '../model/constants';
import { isSupported } from '../model/istio-support';
import { GATEWAY_DEFAULTS, BoundaryConfig, GatewayConfig, GatewayControl, GatewaySettings } from '../model/model';
import { gatewayLabel, PREFIX } from '../model/names';

/*
 * The props of a FederatedMesh as plain data with all defaults. All differences between a dedicated and an existing
 * gateway are decided here.
 */

/** A gateway whose pods and listeners belong to the boundary. */
const DEDICATED: GatewayControl = { pods: true, listeners: true, gatewayNamePrefix: '', requestHeaders: { set: {}, remove: [] } };

/**
 * An externally managed gateway. Its pods may trust `x-forwarded-*` headers of clients, so the routes replace these
 * headers.
 */
const EXISTING: GatewayControl = {
  pods: false,
  listeners: false,
  gatewayNamePrefix: `${PREFIX.ingress}-`,
  requestHeaders: { set: { 'x-forwarded-proto': 'https' }, remove: ['x-forwarded-client-cert'] },
};

/** Seconds after which Azure drops idle connections: the shortest default of the large clouds. */
const DEFAULT_NETWORK_IDLE = 240;

/** The configuration of a boundary, which all its objects use. */
export function configOf(props: FederatedMeshProps): BoundaryConfig {
  const { namespaceName = DEFAULT_NAMESPACE, istioVersion = IstioVersion.V1_31 } = props;
  const privateAddresses = (props.endpoints ?? []).filter(({ privateAddress }) => privateAddress)
    .map(({ address, privateAddress }) => `${address}: ${reasonOf(privateAddress!)}`);
  return {
    meshName: props.meshName,
    trustDomain: props.trustDomain,
    workloadTrustDomain: props.workloadTrustDomain ?? props.trustDomain,
    namespaceName,
    createNamespace: props.createNamespace ?? true,
    namespaceLabels: { ...props.namespaceLabels },
    rootNamespaceName: props.rootNamespaceName ?? DEFAULT_ROOT_NAMESPACE,
    clusterDomain: props.clusterDomain ?? DEFAULT_CLUSTER_DOMAIN,
    monitoringNamespaceName: props.monitoringNamespaceName ?? 'monitoring',
    accessLogProvider: props.accessLogProvider ?? 'envoy',
    delivery: props.delivery?._tool ?? 'kubectl',
    revision: props.revision,
    istioVersion: istioVersion._minor,
    admissionPolicy: props.withoutAdmissionPolicy === undefined,
    connectAfterHandshake: props.connectAfterHandshake ?? false,
    connectionSettings: isSupported('connectionSettings', istioVersion._minor),
    disableContextPropagation: isSupported('disableContextPropagation', istioVersion._minor),
    infrastructure: (props.infrastructure ?? []).map(({ _destination }) => _destination),
    networkIdleSeconds: props.networkIdleTimeout?.toSeconds({ integral: false }) ?? DEFAULT_NETWORK_IDLE,
    underscoresAllowed: props.allowHeadersWithUnderscores !== undefined,
    ingress: {
      ...gatewayConfig('ingress', props, namespaceName),
      servicePorts: [...new Set((props.endpoints ?? []).map(({ port }) => port ?? BOUNDARY_PORT))].sort((a, b) => a - b),
      annotations: { 'private-address': privateAddresses.join('; ') || undefined },
    },
    egress: gatewayConfig('egress', props, namespaceName),
    annotations: {
      'without-admission-policy': props.withoutAdmissionPolicy && reasonOf(props.withoutAdmissionPolicy),
      'headers-with-underscores': props.allowHeadersWithUnderscores && reasonOf(props.allowHeadersWithUnderscores),
    },
  };
}

const ROLES: GatewayConfig['role'][] = ['ingress', 'egress'];
const nameOf = (role: GatewayConfig['role']) => `federation-${role}`;
/** Names of dedicated gateways. */
export const GATEWAY_NAMES = ROLES.map(nameOf);

/** Name and labels of the pods of a dedicated gateway. */
export function dedicatedGateway(role: GatewayConfig['role'], namespaceName: string) {
  const name = nameOf(role);
  const selector = { istio: gatewayLabel(namespaceName, role) };
  return { name, selector, podLabels: { app: name, ...selector } };
}

function gatewayConfig(role: GatewayConfig['role'], props: FederatedMeshProps, boundaryNamespace: string): GatewayConfig {
  const gateway = props[`${role}Gateway`];
  const options = gateway?._options ?? {};
  const { namespaceName = boundaryNamespace } = options;
  const { name, selector, podLabels } = dedicatedGateway(role, namespaceName);
  return {
    role,
    name,
    control: gateway?._existing ? EXISTING : DEDICATED,
    ...gateway?._existing
      ? { ...gateway._existing, selector: gateway._existing.podLabels }
      : { namespaceName, serviceAccountName: name, serviceName: name, selector, podLabels },
    servicePorts: [BOUNDARY_PORT],
    settings: settingsOf(options),
    credential: (options.credential ?? props.credential)?._configOf(name),
    annotations: {},
  };
}

function settingsOf(options: DedicatedGatewayOptions): GatewaySettings {
  return {
    minReplicas: options.minReplicas ?? GATEWAY_DEFAULTS.minReplicas,
    maxReplicas: options.maxReplicas ?? GATEWAY_DEFAULTS.maxReplicas,
    cpuRequest: options.cpuRequest ?? GATEWAY_DEFAULTS.cpuRequest,
    cpuLimit: options.cpuLimit ?? GATEWAY_DEFAULTS.cpuLimit,
    memoryRequest: options.memoryRequest ?? GATEWAY_DEFAULTS.memoryRequest,
    memoryLimit: options.memoryLimit,
    serviceType: options.serviceType ?? GATEWAY_DEFAULTS.serviceType,
    serviceAnnotations: options.serviceAnnotations,
    loadBalancerClass: options.loadBalancerClass,
    sourceRanges: options.sourceRanges,
    healthCheckSourceRanges: options.healthCheckSourceRanges,
    proxyProtocol: options.proxyProtocol ?? false,
    preserveClientAddress: options.preserveClientAddress ?? true,
    dualStack: options.dualStack ?? false,
    nodeSelector: options.nodeSelector,
    tolerations: options.tolerations?.map(({ _toleration }) => _toleration),
    priorityClassName: options.priorityClassName,
    imagePullSecretNames: options.imagePullSecretNames,
    injectionTemplates: options.injectionTemplates ?? [],
    labels: options.labels,
    shutdownDelaySeconds: options.shutdownDelay?.toSeconds() ?? 0,
  };
}

/** Namespaces that belong to one boundary, even before they contain objects. */
export function namespacesOf({ namespaceName, ingress, egress }: BoundaryConfig): string[] {
  return [...new Set([namespaceName, ingress.namespaceName, egress.namespaceName])];
}

/** The names of a gateway in the cluster, as a mesh exposes them to programs. */
export function attributesOf({ namespaceName, serviceAccountName, serviceName, podLabels }: GatewayConfig): BoundaryGatewayAttributes {
  return { namespaceName, serviceAccountName, serviceName, podLabels: { ...podLabels } };
}

/** The SPIFFE ID of a gateway in a trust domain. */
export function identityOf(trustDomain: string, { namespaceName, serviceAccountName }: GatewayConfig): SpiffeId {
  return SpiffeId.forServiceAccount({ trustDomain, namespaceName, serviceAccountName });
}
