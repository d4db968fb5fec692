import { Duration } from 'cdk8s';
import { parseEndpoints } from './endpoint';
import { fail, show, Where } from './errors';
import { checkEgressOptions, checkExistingGateways, checkNamespaces } from './gateway';
import { checkSupported } from './istio-version';
import { checkFlag, checkGiven, checkList, checkMap, checkOptional, fieldsOf, parseFields } from './kinds';
import { checkDestinations } from './network-destination';
import { checkClusterDomain, checkNamespace, checkRevision, isPodLabel, parseDeviation, parseDuration } from './values';
import { checkMeshName, checkTrustDomain, checkWorkloadTrustDomain } from './wire-names';
import type { Justification } from '../accountability';
import { GatewayCredential } from '../credential';
import { Delivery } from '../delivery';
import { BoundaryGateway } from '../gateway';
import { IstioVersion } from '../istio-version';
import type { FederatedMeshProps } from '../mesh-props';
import type { ClusterNames } from '../model/addresses';
import { DEFAULT_CLUSTER_DOMAIN, DEFAULT_NAMESPACE, DEFAULT_ROOT_NAMESPACE } from '../model/constants';
import type { BoundaryConfig } from '../model/model';
import { NetworkDestination } from '../network-destination';
import { TrustBundle } from '../trust';

const FIELDS = fieldsOf<FederatedMeshProps>({
  meshName: true,
  trustDomain: true,
  trustBundle: true,
  endpoints: true,
  credential: true,
  workloadTrustDomain: true,
  namespaceName: true,
  createNamespace: true,
  namespaceLabels: true,
  ingressGateway: true,
  egressGateway: true,
  istioVersion: true,
  connectAfterHandshake: true,
  revision: true,
  rootNamespaceName: true,
  clusterDomain: true,
  monitoringNamespaceName: true,
  infrastructure: true,
  networkIdleTimeout: true,
  accessLogProvider: true,
  delivery: true,
  allowHeadersWithUnderscores: true,
  withoutAdmissionPolicy: true,
});

/** Checks each prop of a mesh alone. */
export function parseMeshProps(where: Where, given: FederatedMeshProps): FederatedMeshProps {
  const props = parseFields(where, 'the props of FederatedMesh', given, FIELDS);
  checkMeshName(where, props.meshName);
  checkTrustDomain(where, props.trustDomain);
  checkGiven(where, 'trustBundle', props.trustBundle, TrustBundle);
  if (props.namespaceName !== undefined) checkNamespace(where, props.namespaceName);
  if (props.clusterDomain !== undefined) checkClusterDomain(where, props.clusterDomain);
  checkFlag(where, 'createNamespace', props.createNamespace);
  checkFlag(where, 'connectAfterHandshake', props.connectAfterHandshake);
  checkNamespaceLabels(where, props);
  checkOptional(where, 'credential', props.credential, GatewayCredential);
  checkOptional(where, 'ingressGateway', props.ingressGateway, BoundaryGateway);
  checkOptional(where, 'egressGateway', props.egressGateway, BoundaryGateway);
  const endpoints = parseEndpoints(where, props.endpoints ?? [], clusterNamesOf(props));
  checkOptional(where, 'istioVersion', props.istioVersion, IstioVersion);
  checkOptional(where, 'delivery', props.delivery, Delivery);
  const deviation = (what: string, reason: Justification | undefined) => reason === undefined ? undefined : parseDeviation(where, what, reason);
  const withoutAdmissionPolicy = deviation('leaving the admission policy out', props.withoutAdmissionPolicy);
  const allowHeadersWithUnderscores = deviation('allowing headers with underscores', props.allowHeadersWithUnderscores);
  if (props.infrastructure !== undefined) checkList(where, 'infrastructure', props.infrastructure);
  props.infrastructure?.forEach((destination) => checkGiven(where, 'an entry of infrastructure', destination, NetworkDestination));
  checkDestinations(where, (props.infrastructure ?? []).map(({ _destination }) => _destination));
  if (props.networkIdleTimeout !== undefined) checkIdleTimeout(where, props.networkIdleTimeout);
  if (props.egressGateway) checkEgressOptions(where, props.egressGateway._options);
  return { ...props, endpoints, withoutAdmissionPolicy, allowHeadersWithUnderscores };
}

/** The names of our cluster, with defaults where the props set none. */
function clusterNamesOf(props: FederatedMeshProps): ClusterNames {
  const { clusterDomain = DEFAULT_CLUSTER_DOMAIN, namespaceName, rootNamespaceName, ingressGateway, egressGateway } = props;
  const ofGateways = [ingressGateway, egressGateway].map((gateway) => gateway?._existing?.namespaceName ?? gateway?._options.namespaceName);
  const namespaceNames = [namespaceName ?? DEFAULT_NAMESPACE, rootNamespaceName ?? DEFAULT_ROOT_NAMESPACE, ...ofGateways];
  return { clusterDomain, namespaceNames: namespaceNames.filter((name) => typeof name === 'string') };
}

/** Bounds of `networkIdleTimeout` in seconds. The kernel counts keep-alive probes in whole seconds. */
const SHORTEST_IDLE = 10;
const LONGEST_IDLE = 7200;

function checkIdleTimeout(where: Where, timeout: Duration): void {
  const seconds = parseDuration(where, 'FED151', 'networkIdleTimeout', timeout) / 1000;
  if (seconds >= SHORTEST_IDLE && seconds <= LONGEST_IDLE) return;
  fail('FED151', where, `networkIdleTimeout is ${seconds} s`, `use ${SHORTEST_IDLE} s to ${LONGEST_IDLE} s, or omit it for the default, which suits the large clouds`);
}

/** Labels of a namespace that Kubernetes, Istio or the library sets, or that change what the boundary's own labels say. */
const RESERVED_NAMESPACE_LABELS = /^istio-injection$|^([a-z0-9-]+\.)*(istio\.io|k8s\.io|kubernetes\.io)\//;

/** Checks additional labels of the boundary's namespaces. */
function checkNamespaceLabels(where: Where, { namespaceLabels, createNamespace }: FederatedMeshProps): void {
  if (namespaceLabels === undefined) return;
  checkMap(where, 'namespaceLabels', namespaceLabels, '{ "istio-discovery": "enabled" }');
  const reject = (what: string, fix: string) => fail('FED152', where, what, fix);
  for (const [label, value] of Object.entries(namespaceLabels)) {
    if (!isPodLabel(label, value)) {
      reject(`the namespace label ${show(label)}: ${show(value)} is not valid`, 'use letters, digits, dashes, underscores and dots, as in Kubernetes labels');
    }
    if (RESERVED_NAMESPACE_LABELS.test(label)) {
      reject(`the namespace label ${show(label)} is reserved`, 'choose a label of your own; the option revision selects an istiod for the gateways');
    }
  }
  if (createNamespace === false) {
    reject('namespaceLabels has no effect, because createNamespace is false', 'label the namespace where it is created, or remove createNamespace');
  }
}

/** Checks the name of an extension provider: any text for istiod. */
function checkProvider(where: Where, name: string): void {
  if (typeof name === 'string' && /\S/.test(name) && !/\p{C}/u.test(name)) return;
  fail('FED111', where, `${show(name)} is not a valid name of an access log provider`, 'use a name in meshConfig.extensionProviders, or omit it for "envoy"');
}

/** Checks the props of a mesh in combination, including defaults. */
export function checkConfig(where: Where, config: BoundaryConfig): void {
  checkWorkloadTrustDomain(where, config);
  checkExistingGateways(where, config);
  for (const name of [config.namespaceName, config.rootNamespaceName, config.monitoringNamespaceName]) checkNamespace(where, name);
  checkProvider(where, config.accessLogProvider);
  if (config.revision !== undefined) checkRevision(where, config.revision);
  if (config.connectAfterHandshake) checkSupported(where, 'connectAfterHandshake', config.istioVersion);
  checkNamespaces(where, config);
}
