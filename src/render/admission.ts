import { Construct } from 'constructs';
import { aliasRouteName } from './alias';
import { clusterScoped, emit } from './emit';
import { allPodLabels } from './workload';
import { Alias, GatewaySite, Site } from '../internal/model';
import { exportDomain } from '../internal/names';

/*
 * What neighbours in the mesh may not write. Istio merges everybody's Gateways on one workload and lets everybody take a host name, so a
 * Gateway in another namespace could open our listeners past every policy, or freeze them. The API server refuses such objects.
 */

const ROUTE_OF_MESH = 'object.kind != \'VirtualService\' || !(\'mesh\' in variables.gateways) ||';

/** What the policy must know of the whole mesh. */
export interface Neighbourhood {
  /** Our gateways that exist. */
  readonly gateways: GatewaySite[];
  /** Our EnvoyFilters, as `EnvoyFilter namespace/name`. */
  readonly ownFilters: string[];
  /** Namespaces of all boundaries of this mesh that the program knows. */
  readonly boundaryNamespaces: string[];
  /** Suffixes of host names that are the boundary's. */
  readonly domains: string[];
  /** Local names that lead to peers. */
  readonly aliases: Alias[];
}

/** The policy and its binding. Needs Kubernetes 1.30. */
export function renderAdmission(scope: Construct, site: Site, neighbourhood: () => Neighbourhood): void {
  const name = `${site.namespaceName}-boundary`;
  const gvk = { apiVersion: 'admissionregistration.k8s.io/v1', kind: 'ValidatingAdmissionPolicy' };
  clusterScoped(emit(scope, gvk, { name }, () => policy(site, neighbourhood())));
  const binding = { ...gvk, kind: 'ValidatingAdmissionPolicyBinding' };
  clusterScoped(emit(scope, binding, { name }, () => ({ policyName: name, validationActions: ['Deny', 'Audit'] })));
}

function policy(site: Site, neighbourhood: Neighbourhood) {
  const boundary = `the federation boundary gateways in ${namespacesOf(neighbourhood.gateways).join(' and ')} of mesh ${site.meshName}`;
  return {
    failurePolicy: 'Fail',
    matchConstraints: {
      resourceRules: [
        resources('networking.istio.io', ['gateways', 'virtualservices', 'envoyfilters', ...hasMoreNames(neighbourhood) ? ['serviceentries'] : []]),
        resources('extensions.istio.io', ['wasmplugins', 'trafficextensions']),
      ],
    },
    // Finalizers of objects that were there before the policy can still go; whatever else is written while an object goes is judged.
    matchConditions: [{
      name: 'is-more-than-going',
      expression: '!has(object.metadata.deletionTimestamp) || oldObject == null ||\n'
        + 'has(object.spec) != has(oldObject.spec) || (has(object.spec) && object.spec != oldObject.spec)',
    }],
    variables: variables(site, neighbourhood),
    validations: [
      refuse('object.kind != \'Gateway\' || !variables.selectsBoundary',
        ` would open or freeze listeners of ${boundary}: select your own gateway by a label that those pods do not carry`),
      // A filter without selector is the mesh owner's, in the root namespace, or concerns its own namespace only.
      refuse('!(object.kind in [\'EnvoyFilter\', \'WasmPlugin\', \'TrafficExtension\']) ||\n'
        + '(variables.inside ? variables.subject in variables.ownFilters : size(variables.selector) == 0 || !variables.selectsBoundary)',
      ` would change the proxies of ${boundary}`),
      ...namespacesOf(neighbourhood.gateways).map((name) => {
        // Where others have Gateways as well, ours are known by how their names begin.
        const begin = neighbourhood.gateways.some(({ existing, namespaceName }) => existing && namespaceName === name) ? 'fed-in-' : '';
        return refuse(`object.kind != 'VirtualService' || object.metadata.namespace == '${name}' ||\n`
          + `!variables.gateways.exists(g, g.startsWith('${name}/${begin}') || g.matches('^${begin}[^./]+[.]${name}([.].*)?$'))`,
        ` attaches routes to a federation boundary gateway in ${name} of mesh ${site.meshName}`);
      }),
      refuse('object.kind != \'VirtualService\' || object.metadata.namespace in variables.boundaryNamespaces ||\n'
        + '!variables.hosts.exists(h, variables.boundaryHosts.exists(b, h.endsWith(b)))',
      ` takes a host name that belongs to the federation boundary of mesh ${site.meshName}`, 'variables.hosts.join(\', \')'),
      ...neighbourhood.aliases.length === 0 ? [] : [localNames(site)],
      ...hasMoreNames(neighbourhood) ? [moreNames(site), entriesOfMoreNames(site)] : [],
    ],
  };
}

function variables(site: Site, neighbourhood: Neighbourhood) {
  const { gateways, ownFilters, boundaryNamespaces, domains, aliases } = neighbourhood;
  const namespaces = namespacesOf(gateways);
  // Istio reads an empty list as one that is not there.
  const stated = (kinds: string, field: string, value: string, otherwise: string) =>
    `${kinds} && has(object.spec) && has(object.spec.${field}) && size(object.spec.${field}) > 0 ? ${value} : ${otherwise}`;
  const ofVirtualService = (field: string, value: string, otherwise: string) => stated('object.kind == \'VirtualService\'', field, value, otherwise);
  const namesHosts = hasMoreNames({ aliases }) ? 'object.kind in [\'VirtualService\', \'ServiceEntry\']' : 'object.kind == \'VirtualService\'';
  const host = 'h.endsWith(\'.\') ? h.lowerAscii().substring(0, size(h) - 1) : h.lowerAscii()';
  return [
    // Whoever runs a gateway may also write filters in its namespace.
    { name: 'inside', expression: `object.metadata.namespace in ${celList(namespacesOf(gateways.filter(({ existing }) => !existing)).map(celText))}` },
    { name: 'subject', expression: 'object.kind + \' \' + object.metadata.namespace + \'/\' + object.metadata.name' },
    {
      name: 'podLabels',
      expression: celMapOf(namespaces.map((name) =>
        [name, celList(gateways.filter(({ namespaceName }) => namespaceName === name).map((gateway) => celMap(allPodLabels(gateway))))])),
    },
    {
      name: 'selector',
      expression: [
        '!has(object.spec) ? {} :',
        'object.kind == \'Gateway\' ? (has(object.spec.selector) ? object.spec.selector : {}) :',
        'object.kind == \'EnvoyFilter\' ? (has(object.spec.workloadSelector) && has(object.spec.workloadSelector.labels) ? '
          + 'object.spec.workloadSelector.labels : {}) :',
        'has(object.spec.selector) && has(object.spec.selector.matchLabels) ? object.spec.selector.matchLabels : {}',
      ].join('\n'),
    },
    // Of a namespace that is not the object's own. Labels that only the cluster knows count as ours.
    {
      name: 'selectsBoundary',
      expression: [
        'variables.podLabels.exists(n, n != object.metadata.namespace && variables.podLabels[n].exists(p, variables.selector.all(k,',
        '  (k in p && p[k] == variables.selector[k]) || k.startsWith(\'topology.\') ||',
        '  k in [\'pod-template-hash\', \'istio.io/rev\', \'kubernetes.io/hostname\'])))',
      ].join('\n'),
    },
    { name: 'hosts', expression: stated(namesHosts, 'hosts', `object.spec.hosts.map(h, ${host})`, '[]') },
    // Of HTTP routes the one with the exact name wins; of others Istio takes the oldest that matches.
    ...aliases.length === 0 ? [] : [{
      name: 'wildcards',
      expression: 'object.kind == \'VirtualService\' && has(object.spec) && (has(object.spec.tcp) || has(object.spec.tls)) ?\n'
        + 'variables.hosts.filter(h, h.startsWith(\'*\')).map(h, h.substring(1)) : []',
    }],
    { name: 'gateways', expression: ofVirtualService('gateways', 'object.spec.gateways', '[\'mesh\']') },
    {
      name: 'onlyOwnNamespace',
      expression: stated(namesHosts, 'exportTo', 'object.spec.exportTo.all(e, e == \'.\' || e == object.metadata.namespace)', 'false'),
    },
    { name: 'ownFilters', expression: celList(ownFilters.map(celText)) },
    { name: 'boundaryNamespaces', expression: celList(boundaryNamespaces.map(celText)) },
    { name: 'boundaryHosts', expression: celList([exportDomain(site.trustDomain), ...domains].map(celText)) },
    ...hasMoreNames({ aliases }) ? [{
      name: 'moreNames',
      expression: celList(aliases.flatMap((alias) => alias.additionalHosts.map((name) =>
        celMap({ name, namespace: alias.namespaceName, owner: aliasRouteName(alias) })))),
    }] : [],
    {
      name: 'localNames',
      expression: celList(aliases.map((alias) =>
        celMap({ name: alias.serviceName, namespace: alias.namespaceName, owner: aliasRouteName(alias) }))),
    },
  ];
}

/** A route of others for a bound name would lead its callers elsewhere. */
function localNames(site: Site) {
  return ofOthers(site, ROUTE_OF_MESH, 'localNames', ' routes', [
    '  (variables.hosts.exists(h,',
    `    h in [l.name + '.' + l.namespace, l.name + '.' + l.namespace + '.svc', l.name + '.' + l.namespace + '.svc.${site.clusterDomain}'] ||`,
    '    (h == l.name && object.metadata.namespace == l.namespace)) ||',
    `  variables.wildcards.exists(w, (l.name + '.' + l.namespace + '.svc.${site.clusterDomain}').endsWith(w))))`,
  ]);
}

function hasMoreNames({ aliases }: Pick<Neighbourhood, 'aliases'>): boolean {
  return aliases.some(({ additionalHosts }) => additionalHosts.length > 0);
}

/** The same for names outside of the cluster's domain. */
function moreNames(site: Site) {
  return ofOthers(site, ROUTE_OF_MESH, 'moreNames', ' routes', ['  (l.name in variables.hosts || variables.wildcards.exists(w, l.name.endsWith(w))))']);
}

/** Of several entries for one host Istio takes the oldest, where a Service would win over all of them. */
function entriesOfMoreNames(site: Site) {
  return ofOthers(site, 'object.kind != \'ServiceEntry\' ||', 'moreNames', ' declares', ['  l.name in variables.hosts)']);
}

/** What others write for a name `l` that is bound. Limited to its own namespace it concerns its author only, unless the name is there too. */
function ofOthers(site: Site, unless: string, list: 'localNames' | 'moreNames', verb: string, isFor: string[]) {
  return refuse([
    unless,
    `!variables.${list}.exists(l,`,
    '  !(object.metadata.namespace == l.namespace && object.metadata.name == l.owner) &&',
    '  !(object.metadata.namespace != l.namespace && variables.onlyOwnNamespace) &&',
    ...isFor,
  ].join('\n'), `${verb} a name that mesh ${site.meshName} binds to another mesh`,
  'variables.hosts.join(\', \') + \'; change the binding, or limit it to its own namespace with exportTo ["."]\'');
}

function namespacesOf(gateways: GatewaySite[]): string[] {
  return [...new Set(gateways.map(({ namespaceName }) => namespaceName))].sort();
}

function refuse(expression: string, what: string, value?: string) {
  const messageExpression = value === undefined ? `variables.subject + '${what}'` : `variables.subject + '${what}: ' + ${value}`;
  return { expression, messageExpression, reason: 'Forbidden' };
}

function resources(group: string, kinds: string[]) {
  return { apiGroups: [group], apiVersions: ['*'], operations: ['CREATE', 'UPDATE'], resources: kinds };
}

/** Names and labels hold no quotes: they were checked as DNS names and label values. */
function celText(text: string): string {
  return `'${text}'`;
}

function celList(items: string[]): string {
  return `[${items.join(',\n ')}]`;
}

function celMap(entries: { [key: string]: string }): string {
  return celMapOf(Object.entries(entries).map(([key, value]) => [key, celText(value)]));
}

/** Keys are texts, values are expressions. */
function celMapOf(entries: [key: string, value: string][]): string {
  return `{${entries.map(([key, value]) => `${celText(key)}: ${value}`).join(', ')}}`;
}
