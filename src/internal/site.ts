import { BOUNDARY_PORT } from './endpoint-checks';
import { GatewaySite, Site } from './model';
import { gatewayLabel } from './names';
import { reasonOf } from './notes';
import type { BoundaryGatewayAttributes } from '../gateway';
import type { FederatedMeshProps } from '../mesh';

/** Where a boundary is when nobody says otherwise. */
export const DEFAULT_NAMESPACE = 'istio-federation';
/** Istio's root namespace when nobody says otherwise. */
export const DEFAULT_ROOT_NAMESPACE = 'istio-system';

/** What all objects of a boundary share. */
export function siteOf(props: FederatedMeshProps): Site {
  const { namespaceName = DEFAULT_NAMESPACE } = props;
  const privateAddresses = (props.endpoints ?? []).filter(({ privateAddress }) => privateAddress)
    .map(({ address, privateAddress }) => `${address}: ${reasonOf(privateAddress!)}`);
  return {
    meshName: props.meshName,
    trustDomain: props.trustDomain,
    workloadTrustDomain: props.workloadTrustDomain ?? props.trustDomain,
    namespaceName,
    createNamespace: props.createNamespace ?? true,
    clusterDomain: props.clusterDomain ?? 'cluster.local',
    monitoringNamespaceName: props.monitoringNamespaceName ?? 'monitoring',
    accessLogProvider: props.accessLogProvider ?? 'envoy',
    delivery: props.delivery?._tool ?? 'kubectl',
    revision: props.revision,
    connectAfterHandshake: props.connectAfterHandshake ?? false,
    connectionSettings: props.istioVersion?.minor !== '1.30',
    underscoresAllowed: props.allowHeadersWithUnderscores !== undefined,
    ingress: {
      ...gatewaySite('ingress', props, namespaceName),
      servicePorts: [...new Set((props.endpoints ?? []).map(({ port }) => port ?? BOUNDARY_PORT))].sort((a, b) => a - b),
      notes: { 'private-address': privateAddresses.join('; ') || undefined },
    },
    egress: gatewaySite('egress', props, namespaceName),
    notes: {
      'without-admission-policy': props.withoutAdmissionPolicy && reasonOf(props.withoutAdmissionPolicy),
      'headers-with-underscores': props.allowHeadersWithUnderscores && reasonOf(props.allowHeadersWithUnderscores),
    },
  };
}

/** Name and labels of the pods of a gateway that nobody else runs. */
export function dedicatedGateway(role: GatewaySite['role'], namespaceName: string) {
  const name = `federation-${role}`;
  const selector = { istio: gatewayLabel(namespaceName, role) };
  return { name, selector, podLabels: { app: name, ...selector } };
}

function gatewaySite(role: 'ingress' | 'egress', props: FederatedMeshProps, home: string): GatewaySite {
  const options = props[`${role}Gateway`]?._options ?? {};
  const { namespaceName = home } = options;
  const { name, selector, podLabels } = dedicatedGateway(role, namespaceName);
  const existing = props[`${role}Gateway`]?._existing;
  return {
    role,
    name,
    existing: existing !== undefined,
    ...existing
      ? { ...existing, selector: existing.podLabels }
      : { namespaceName, serviceAccountName: name, serviceName: name, selector, podLabels },
    servicePorts: [BOUNDARY_PORT],
    options,
    credential: (options.credential ?? props.credential)?._siteOf(name),
    notes: {},
  };
}

/** Namespaces that one boundary has for itself, also before anything is in them. */
export function namespacesOf({ namespaceName, ingress, egress }: Site): string[] {
  return [...new Set([namespaceName, ingress.namespaceName, egress.namespaceName])];
}

/** What a mesh tells about its own gateways. */
export function attributesOf({ namespaceName, serviceAccountName, serviceName, podLabels }: GatewaySite): BoundaryGatewayAttributes {
  return { namespaceName, serviceAccountName, serviceName, podLabels: { ...podLabels } };
}
