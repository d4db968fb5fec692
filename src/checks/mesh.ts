import { parseEndpoints } from './endpoint';
import type { Where } from './errors';
import { checkEgressOptions, checkExistingGateways, checkNamespaces } from './gateway';
import { checkTested } from './istio-version';
import { checkFlag, checkGiven, checkOptional, fieldsOf, parseFields } from './kinds';
import { checkDomain, checkNamespace, checkObjectName, checkRevision, parseDeviation } from './values';
import { checkMeshName, checkTrustDomain, checkWorkloadTrustDomain } from './wire-names';
import type { Justification } from '../accountability';
import { GatewayCredential } from '../credential';
import { Delivery } from '../delivery';
import { BoundaryGateway } from '../gateway';
import { IstioVersion } from '../istio-version';
import type { FederatedMeshProps } from '../mesh-props';
import type { BoundaryConfig } from '../model/model';
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
  if (props.egressGateway) checkEgressOptions(where, props.egressGateway._options);
  return { ...props, endpoints, withoutAdmissionPolicy, allowHeadersWithUnderscores };
}

/** Checks the props of a mesh in combination, including defaults. */
export function checkConfig(where: Where, config: BoundaryConfig): void {
  checkWorkloadTrustDomain(where, config);
  checkExistingGateways(where, config);
  for (const name of [config.namespaceName, config.rootNamespaceName, config.monitoringNamespaceName]) checkNamespace(where, name);
  checkDomain(where, config.clusterDomain, 'FED111', 'cluster domain');
  checkObjectName(where, config.accessLogProvider, 'access log provider');
  if (config.revision !== undefined) checkRevision(where, config.revision);
  if (config.connectAfterHandshake) checkTested(where, 'connectAfterHandshake', config.istioVersion);
  checkNamespaces(where, config);
}
