import { Duration } from 'cdk8s';
import { parseEndpoints } from './endpoint';
import { fail, Where } from './errors';
import { checkEgressOptions, checkExistingGateways, checkNamespaces } from './gateway';
import { checkSupported } from './istio-version';
import { checkFlag, checkGiven, checkList, checkOptional, fieldsOf, parseFields } from './kinds';
import { checkDomain, checkNamespace, checkObjectName, checkRevision, parseDeviation, parseDuration } from './values';
import { checkMeshName, checkTrustDomain, checkWorkloadTrustDomain } from './wire-names';
import type { Justification } from '../accountability';
import { GatewayCredential } from '../credential';
import { Delivery } from '../delivery';
import { BoundaryGateway } from '../gateway';
import { IstioVersion } from '../istio-version';
import type { FederatedMeshProps } from '../mesh-props';
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
  const endpoints = parseEndpoints(where, props.endpoints ?? []);
  checkFlag(where, 'createNamespace', props.createNamespace);
  checkFlag(where, 'connectAfterHandshake', props.connectAfterHandshake);
  checkOptional(where, 'credential', props.credential, GatewayCredential);
  checkOptional(where, 'ingressGateway', props.ingressGateway, BoundaryGateway);
  checkOptional(where, 'egressGateway', props.egressGateway, BoundaryGateway);
  checkOptional(where, 'istioVersion', props.istioVersion, IstioVersion);
  checkOptional(where, 'delivery', props.delivery, Delivery);
  const deviation = (what: string, reason: Justification | undefined) => reason === undefined ? undefined : parseDeviation(where, what, reason);
  const withoutAdmissionPolicy = deviation('leaving the admission policy out', props.withoutAdmissionPolicy);
  const allowHeadersWithUnderscores = deviation('allowing headers with underscores', props.allowHeadersWithUnderscores);
  if (props.infrastructure !== undefined) checkList(where, 'infrastructure', props.infrastructure);
  props.infrastructure?.forEach((destination) => checkGiven(where, 'an entry of infrastructure', destination, NetworkDestination));
  if (props.networkIdleTimeout !== undefined) checkIdleTimeout(where, props.networkIdleTimeout);
  if (props.egressGateway) checkEgressOptions(where, props.egressGateway._options);
  return { ...props, endpoints, withoutAdmissionPolicy, allowHeadersWithUnderscores };
}

/** Bounds of `networkIdleTimeout` in seconds. The kernel counts keep-alive probes in whole seconds. */
const SHORTEST_IDLE = 10;
const LONGEST_IDLE = 7200;

function checkIdleTimeout(where: Where, timeout: Duration): void {
  const seconds = parseDuration(where, 'FED151', 'networkIdleTimeout', timeout) / 1000;
  if (seconds >= SHORTEST_IDLE && seconds <= LONGEST_IDLE) return;
  fail('FED151', where, `networkIdleTimeout is ${seconds} s`, `use ${SHORTEST_IDLE} s to ${LONGEST_IDLE} s, or omit it for the default, which suits the large clouds`);
}

/** Checks the props of a mesh in combination, including defaults. */
export function checkConfig(where: Where, config: BoundaryConfig): void {
  checkWorkloadTrustDomain(where, config);
  checkExistingGateways(where, config);
  for (const name of [config.namespaceName, config.rootNamespaceName, config.monitoringNamespaceName]) checkNamespace(where, name);
  checkDomain(where, config.clusterDomain, 'FED111', 'cluster domain');
  checkObjectName(where, config.accessLogProvider, 'access log provider');
  if (config.revision !== undefined) checkRevision(where, config.revision);
  if (config.connectAfterHandshake) checkSupported(where, 'connectAfterHandshake', config.istioVersion);
  checkNamespaces(where, config);
}
