import { singleObjectName } from '../../model/names';
import { annotationKey } from '../../render/emit';
import { suffixesOf } from '../bound-hosts';
import type { Boundaries } from '../boundaries';
import { isGenerated, isGeneratedAs, listOf } from '../documents';
import type { Inventory } from '../inventory';
import { isGateway, Manifest } from '../manifests';
import type { ErrorsIn, Rule } from '../rule';

/*
 * Generated objects that protect others and were removed from the manifests. What opens nothing when it is missing,
 * such as a route or a CA certificate, is not looked for.
 */

/** Names of the objects that must be in the place of an object, as `Kind namespace/name`. */
type Needed = (document: any, place: string, inventory: Inventory) => string[];

const errorsIn: ErrorsIn = ({ document, place }: Manifest, { inventory }: Boundaries) => isGenerated(document)
  ? NEEDS.flatMap((needed) => needed(document, place, inventory)).filter((name) => !inventory.has(place, name)).map((name) => `${name} is missing among the generated objects`)
  : [];

const NEEDS: Needed[] = [neededByGateway, neededByListeners, neededByUpstream, neededByAdmissionPolicy, neededByPair, neededByIsolation];

function neededByGateway(document: any, place: string, inventory: Inventory): string[] {
  if (!isGateway(document)) return [];
  const { name, namespace } = document.metadata;
  const prefix = name === 'federation-ingress' ? 'fed-in' : 'fed-out';
  const defaultDeny = ['federation-default-deny', singleObjectName('federation-default-deny', namespace)].map((policy) => `NetworkPolicy ${namespace}/${policy}`);
  const policies = inventory.ofKind(place, 'AuthorizationPolicy');
  const withoutAdmission = policies.some(({ metadata }) => metadata.annotations?.[annotationKey('without-admission-policy')] !== undefined);
  return [
    `AuthorizationPolicy ${namespace}/${prefix}-default-deny`,
    `AuthorizationPolicy ${namespace}/${prefix}-guard`,
    `EnvoyFilter ${namespace}/${prefix}-edge`,
    `NetworkPolicy ${namespace}/${name}`,
    ...defaultDeny.some((policy) => inventory.has(place, policy)) ? [] : [defaultDeny[0]],
    ...withoutAdmission || inventory.ofKind(place, 'ValidatingAdmissionPolicy').length > 0 ? [] : ['ValidatingAdmissionPolicy of the boundary'],
  ];
}

/** The guards of a peer, and those of local names whose callers the handshake cannot verify. */
function neededByListeners(document: any, place: string, inventory: Inventory): string[] {
  const { namespace } = document.metadata;
  const servers = listOf(document.spec?.servers).map((server) => ({ host: String(server?.hosts?.[0]).replace('./', ''), tls: server?.tls }));
  const guarded = inventory.guardedNames(place);
  if (isGeneratedAs(document, 'Gateway', 'fed-in-') && servers.length > 0) {
    const open = servers.find(({ host }) => !suffixesOf(host).some((suffix) => guarded.has(suffix)));
    return [
      `AuthorizationPolicy ${namespace}/fed-in-guard`,
      `EnvoyFilter ${namespace}/fed-in-edge`,
      ...open ? [`AuthorizationPolicy ${namespace}/fed-in-guard-<peer>, which guards ${open.host},`] : [],
    ];
  }
  if (!isGeneratedAs(document, 'Gateway', 'fed-out-')) return [];
  return servers.filter(({ host, tls }) => listOf(tls?.subjectAltNames).length === 0 && !guarded.has(host))
    .map(({ host }) => `AuthorizationPolicy ${namespace}/fed-out-guard-<local name>, which guards ${host},`);
}

/** Without its DestinationRule the egress gateway would send plaintext to a peer. */
function neededByUpstream(document: any): string[] {
  const { name, namespace } = document.metadata;
  return isGeneratedAs(document, 'ServiceEntry', 'fed-out-') ? [`DestinationRule ${namespace}/${name}`] : [];
}

/** The policy needs its binding, and lists the filters of the boundary. */
function neededByAdmissionPolicy({ kind, metadata, spec }: any): string[] {
  if (kind === 'ValidatingAdmissionPolicyBinding') return [`ValidatingAdmissionPolicy ${metadata.name}`];
  if (kind !== 'ValidatingAdmissionPolicy') return [];
  const filters = JSON.stringify(spec?.variables ?? []).match(/EnvoyFilter [a-z0-9.-]+\/[a-z0-9.-]+/g) ?? [];
  return [`ValidatingAdmissionPolicyBinding ${metadata.name}`, ...filters];
}

/** Two objects that one declaration always creates together: the lock of a Service, and a restricted namespace. */
const PAIRS: { readonly prefix: string; readonly kinds: string[] }[] = [
  { prefix: 'fed-lock-', kinds: ['AuthorizationPolicy', 'EnvoyFilter'] },
  { prefix: 'fed-restricted-', kinds: ['Sidecar', 'NetworkPolicy'] },
];

function neededByPair({ kind, metadata: { name, namespace } }: any): string[] {
  return PAIRS.filter(({ prefix, kinds }) => String(name).startsWith(prefix) && kinds.includes(kind))
    .flatMap(({ kinds }) => kinds.filter((other) => other !== kind).map((other) => `${other} ${namespace}/${name}`));
}

/** An isolated peer is denied at both gateways. */
function neededByIsolation(document: any, place: string, inventory: Inventory): string[] {
  if (!isGeneratedAs(document, 'AuthorizationPolicy', 'fed-in-isolated-') && !isGeneratedAs(document, 'AuthorizationPolicy', 'fed-out-isolated-')) return [];
  const other = document.metadata.name.startsWith('fed-in-') ? 'fed-out' : 'fed-in';
  const name = document.metadata.name.replace(/^fed-(in|out)/, other);
  return inventory.ofKind(place, 'AuthorizationPolicy').filter(({ metadata }) => metadata.name === `${other}-guard`)
    .map(({ metadata }) => `AuthorizationPolicy ${metadata.namespace}/${name}`).slice(0, 1);
}

export const missingObjects: Rule = {
  name: 'missing-objects',
  recommendation: 'All objects that protect a boundary must be applied together with it.',
  fix: 'Generate the manifests anew, and apply all objects of the chart.',
  errorsIn,
};
