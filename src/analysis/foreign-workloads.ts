import { Boundaries, GatewayPods, isGatewayService } from './boundaries';
import type { ErrorsIn } from './rule';
import { EXTERNAL_WORKLOADS, isOneOf, isWorkload, Kinds, podsOf } from './selection';

/*
 * Objects of other owners that act as a boundary gateway: pods that look like its pods or run with its service account,
 * tokens of that account, and endpoints of its Service.
 */

/** Label with which an EndpointSlice names its Service. */
const SERVICE_NAME = 'kubernetes.io/service-name';
/** Annotation with which a Secret asks for a token of a service account. */
const ACCOUNT_NAME = 'kubernetes.io/service-account.name';
const TOKEN_TYPE = 'kubernetes.io/service-account-token';
const SECRET: Kinds = { Secret: '' };
const ENDPOINTS: Kinds = { Endpoints: '', EndpointSlice: 'discovery.k8s.io' };

/** Reports pods, and workloads outside of the cluster, that imitate the pods of a boundary gateway. */
export const imitatedGateways: ErrorsIn = ({ document }, boundaries) => {
  if (!isWorkload(document)) return [];
  const gateways = gatewaysBeside(document, boundaries);
  const { labels, path, spec } = podsOf(document);
  const selected = gateways.find((pods) => ['app', 'istio'].some((name) => pods.labels[name] !== undefined && labels[name] === pods.labels[name]));
  const fields = isOneOf(document, EXTERNAL_WORKLOADS) ? ['serviceAccount'] : ['serviceAccountName', 'serviceAccount'];
  return [
    ...selected ? [`the object selects pods of the boundary gateways in namespace ${selected.namespaceName}`] : [],
    ...fields.filter((field) => isAccount(spec?.[field], gateways))
      .map((field) => `${path}.${field} is ${spec[field]}, the service account of a boundary gateway`),
  ];
};

/** Reports a Secret that Kubernetes fills with a token of the service account of a boundary gateway. */
export const accountTokens: ErrorsIn = ({ document }, boundaries) => {
  const account = document.metadata?.annotations?.[ACCOUNT_NAME];
  return isOneOf(document, SECRET) && document.type === TOKEN_TYPE && isAccount(account, gatewaysBeside(document, boundaries))
    ? [`metadata.annotations["${ACCOUNT_NAME}"] is ${account}, the service account of a boundary gateway`] : [];
};

/** Reports endpoints of the Service of a boundary gateway, or of a generated Service of a local name. */
export const addedEndpoints: ErrorsIn = (manifest, boundaries) => {
  const { kind, metadata } = manifest.document;
  if (!isOneOf(manifest.document, ENDPOINTS)) return [];
  const [path, service] = kind === 'Endpoints' ? ['metadata.name', metadata?.name] : [`metadata.labels["${SERVICE_NAME}"]`, metadata?.labels?.[SERVICE_NAME]];
  const taken = isGatewayService(`${service}.${metadata?.namespace}`, gatewaysBeside(manifest.document, boundaries))
    || boundaries.inventory.declares(manifest, `Service ${metadata?.namespace}/${service}`);
  return taken ? [`${path} is ${service}, a Service of a boundary`] : [];
};

/** The gateways in the namespace of an object whose pods the library runs. The owner of another one may have any object beside it. */
function gatewaysBeside({ metadata }: any, { pods }: Boundaries): GatewayPods[] {
  return pods.filter(({ namespaceName, managed }) => managed && namespaceName === metadata?.namespace);
}

/** Whether a service account is that of a gateway, which has the name of the label `app`. */
function isAccount(name: unknown, gateways: GatewayPods[]): boolean {
  return name !== undefined && gateways.some(({ labels }) => labels.app === name);
}
