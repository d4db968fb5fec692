import { dedicatedGateway } from '../../boundary/config';
import { DEFAULT_DENY, PREFIX, singleObjectName } from '../../model/names';
import { annotationKey } from '../../render/emit';
import { suffixesOf } from '../bound-hosts';
import { isGenerated, isGeneratedAs, listOf } from '../documents';
import { filtersListed, Inventory } from '../inventory';
import { isGateway, isSameMesh, Manifest } from '../manifests';
import type { ErrorsIn, Rule } from '../rule';

/*
 * Generated objects that protect others and were removed from the manifests. What opens nothing when it is missing,
 * such as a route or a CA certificate, is not looked for. The meshes of an app have objects of the same names, so both
 * must be of one mesh.
 */

/** Names of the objects that an object needs, as `Kind namespace/name`. */
type Needed = (manifest: Manifest, inventory: Inventory) => string[];

const errorsIn: ErrorsIn = (manifest, { inventory }) => {
  if (!isGenerated(manifest.document)) return [];
  return NEEDS.flatMap((needed) => needed(manifest, inventory)).filter((name) => !inventory.declares(manifest, name))
    .map((name) => `${name} is missing among the generated objects`);
};

const NEEDS: Needed[] = [neededByGateway, neededByListeners, neededByUpstream, neededByAdmissionPolicy, neededByPair, neededByIsolation];

function neededByGateway(manifest: Manifest, inventory: Inventory): string[] {
  const { document, mesh } = manifest;
  if (!isGateway(document)) return [];
  const { name, namespace } = document.metadata;
  const prefix = name === dedicatedGateway('ingress', namespace).name ? PREFIX.ingress : PREFIX.egress;
  const defaultDeny = [DEFAULT_DENY, singleObjectName(DEFAULT_DENY, namespace)].map((policy) => `NetworkPolicy ${namespace}/${policy}`);
  const ofMesh = (kind: string) => inventory.ofKind(kind).filter((other) => isSameMesh(other.mesh, mesh)).map((other) => other.document);
  const isAdmitted = ofMesh('ValidatingAdmissionPolicy').some(({ spec }) => JSON.stringify(spec ?? {}).includes(`'${namespace}'`))
    || ofMesh('AuthorizationPolicy').some(({ metadata }) =>
      metadata.namespace === namespace && metadata.annotations?.[annotationKey('without-admission-policy')] !== undefined);
  return [
    `AuthorizationPolicy ${namespace}/${prefix}-default-deny`,
    `AuthorizationPolicy ${namespace}/${prefix}-guard`,
    `EnvoyFilter ${namespace}/${prefix}-edge`,
    `NetworkPolicy ${namespace}/${name}`,
    ...defaultDeny.some((policy) => inventory.declares(manifest, policy)) ? [] : [defaultDeny[0]],
    ...isAdmitted ? [] : ['ValidatingAdmissionPolicy of the boundary'],
  ];
}

/** The guards of a peer, and those of local names whose callers the handshake cannot verify. */
function neededByListeners({ document }: Manifest, { guardedNames }: Inventory): string[] {
  const { namespace } = document.metadata;
  const servers = listOf(document.spec?.servers).map((server) => ({ host: String(server?.hosts?.[0]).replace('./', ''), tls: server?.tls }));
  if (isGeneratedAs(document, 'Gateway', `${PREFIX.ingress}-`) && servers.length > 0) {
    const open = servers.find(({ host }) => !suffixesOf(host).some((suffix) => guardedNames.has(suffix)));
    return [
      `AuthorizationPolicy ${namespace}/${PREFIX.ingress}-guard`,
      `EnvoyFilter ${namespace}/${PREFIX.ingress}-edge`,
      ...open ? [`AuthorizationPolicy ${namespace}/${PREFIX.ingress}-guard-<peer>, which guards ${open.host},`] : [],
    ];
  }
  if (!isGeneratedAs(document, 'Gateway', `${PREFIX.egress}-`)) return [];
  return servers.filter(({ host, tls }) => listOf(tls?.subjectAltNames).length === 0 && !guardedNames.has(host))
    .map(({ host }) => `AuthorizationPolicy ${namespace}/${PREFIX.egress}-guard-<local name>, which guards ${host},`);
}

/** Without its DestinationRule the egress gateway would send plaintext to a peer. */
function neededByUpstream({ document }: Manifest): string[] {
  const { name, namespace } = document.metadata;
  return isGeneratedAs(document, 'ServiceEntry', `${PREFIX.egress}-`) ? [`DestinationRule ${namespace}/${name}`] : [];
}

/** The policy needs its binding, and lists the filters of the boundary. */
function neededByAdmissionPolicy({ document }: Manifest): string[] {
  const { kind, metadata } = document;
  if (kind === 'ValidatingAdmissionPolicyBinding') return [`ValidatingAdmissionPolicy ${metadata.name}`];
  if (kind !== 'ValidatingAdmissionPolicy') return [];
  return [`ValidatingAdmissionPolicyBinding ${metadata.name}`, ...filtersListed(document)];
}

/** Two objects that one declaration always creates together: the lock of a Service, and a restricted namespace. */
const PAIRS: { readonly prefix: string; readonly kinds: string[] }[] = [
  { prefix: `${PREFIX.lock}-`, kinds: ['AuthorizationPolicy', 'EnvoyFilter'] },
  { prefix: `${PREFIX.restriction}-`, kinds: ['Sidecar', 'NetworkPolicy'] },
];

function neededByPair({ document: { kind, metadata: { name, namespace } } }: Manifest): string[] {
  return PAIRS.filter(({ prefix, kinds }) => String(name).startsWith(prefix) && kinds.includes(kind))
    .flatMap(({ kinds }) => kinds.filter((other) => other !== kind).map((other) => `${other} ${namespace}/${name}`));
}

/** An isolated peer is denied at both gateways. Gateways in different namespaces may belong to different boundaries. */
function neededByIsolation(manifest: Manifest, inventory: Inventory): string[] {
  const { document } = manifest;
  const { name, namespace } = document.metadata;
  const side = [PREFIX.ingress, PREFIX.egress].find((prefix) => isGeneratedAs(document, 'AuthorizationPolicy', `${prefix}-isolated-`));
  if (side === undefined) return [];
  const other = side === PREFIX.ingress ? PREFIX.egress : PREFIX.ingress;
  return !inventory.declares(manifest, `AuthorizationPolicy ${namespace}/${other}-guard`) ? [] : [`AuthorizationPolicy ${namespace}/${other}${name.slice(side.length)}`];
}

export const missingObjects: Rule = {
  name: 'missing-objects',
  recommendation: 'All objects that protect a boundary must be applied together with it.',
  fix: 'Generate the manifests anew, and apply all objects of the chart.',
  errorsIn,
};
