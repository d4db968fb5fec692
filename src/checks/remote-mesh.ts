import { parseEndpoints } from './endpoint';
import { fail, show, Where } from './errors';
import { checkExport } from './export';
import { checkGiven, checkList, checkOptional, fieldsOf, parseFields } from './kinds';
import { checkIdentities, checkMeshName, checkTrustDomain } from './wire-names';
import { SpiffeId } from '../identity';
import { distinct } from '../model/order';
import type { RemoteMeshProps, RemoteServiceProps } from '../remote-mesh-props';
import { TrustBundle } from '../trust';

const FIELDS = fieldsOf<RemoteMeshProps>({
  meshName: true,
  trustDomain: true,
  trustBundle: true,
  ingressIdentity: true,
  egressIdentity: true,
  endpoints: true,
  exposedServices: true,
  knownAs: true,
});
const SERVICE_FIELDS = fieldsOf<RemoteServiceProps>({ exportName: true, ports: true });

/** Checks the props of a RemoteMesh. */
export function parseRemoteMesh(where: Where, given: RemoteMeshProps): RemoteMeshProps {
  const props = parseFields(where, 'the props of RemoteMesh', given, FIELDS);
  checkMeshName(where, props.meshName);
  checkTrustDomain(where, props.trustDomain);
  checkGiven(where, 'trustBundle', props.trustBundle, TrustBundle);
  checkOptional(where, 'ingressIdentity', props.ingressIdentity, SpiffeId);
  checkOptional(where, 'egressIdentity', props.egressIdentity, SpiffeId);
  const endpoints = parseEndpoints(where, props.endpoints ?? []);
  if (props.knownAs !== undefined) checkMeshName(where, props.knownAs);
  checkIdentities(where, props);
  checkList(where, 'exposedServices', props.exposedServices ?? []);
  const exposedServices = (props.exposedServices ?? []).map((service) => parseFields(where, 'an entry of exposedServices', service, SERVICE_FIELDS));
  if (exposedServices.length > 0 && props.knownAs === undefined) {
    fail('FED138', where, `knownAs is not set, but the name that mesh ${show(props.meshName)} uses for us is part of the SNI of its exports`,
      'ask its owner for the meshName that it uses for us, and set knownAs to it');
  }
  exposedServices.forEach((service, index) => {
    checkExport(where, service.exportName, service.ports, props.trustDomain);
    if (exposedServices.findIndex(({ exportName }) => exportName === service.exportName) === index) return;
    fail('FED302', where, `the export name ${show(service.exportName)} is listed twice`, 'list all its ports in one entry');
  });
  return { ...props, endpoints, exposedServices };
}

/** Requires the name of an export that the mesh lists in `exposedServices`. */
export function checkListed(where: Where, meshName: string, listed: ReadonlyMap<string, unknown>, exportName: string): void {
  if (listed.has(exportName)) return;
  const known = distinct([...listed.keys()]);
  fail('FED406', where, `${show(exportName)} is not in the exposedServices of mesh ${show(meshName)}`,
    known.length === 0 ? 'add it to exposedServices' : `use one of ${known.join(', ')}, or add it to exposedServices`);
}
