import { Construct } from 'constructs';
import { clusterScoped, emit } from './emit';
import { localNameRouteName } from './local-name';
import { allPodLabels } from './workload';
import { Binding, GatewayConfig, BoundaryConfig } from '../model/model';
import { exportDomain } from '../model/names';

/*
 * What neighbours in the mesh may not write. Istio merges everybody's Gateways on one workload and lets everybody take a host name, so a
 * Gateway in another namespace could open our listeners past every policy, or freeze them. The API server refuses such objects.
 */

const ROUTE_OF_MESH = 'object.kind != \'VirtualService\' || !(\'mesh\' in variables.gateways) ||';

/** What the policy must know of the whole mesh. */
export interface AdmissionContext {
  /** Our gateways that exist. */
  readonly gateways: GatewayConfig[];
  /** Our EnvoyFilters, as `EnvoyFilter namespace/name`. */
  readonly ownFilters: string[];
  /** Namespaces of all boundaries of this mesh that the program knows. */
  readonly boundaryNamespaces: string[];
  /** Suffixes of host names that are the boundary's. */
  readonly domains: string[];
  /** Local names that lead to peers. */
  readonly bindings: Binding[];
}

/** The policy and its binding. Needs Kubernetes 1.30. */
export function renderAdmission(scope: Construct, config: BoundaryConfig, admissionContext: () => AdmissionContext): void {
  const name = `${config.namespaceName}-boundary`;
  const gvk = { apiVersion: 'admissionregistration.k8s.io/v1', kind: 'ValidatingAdmissionPolicy' };
  clusterScoped(emit(scope, gvk, { name }, () => policy(config, admissionContext())));
  const binding = { ...gvk, kind: 'ValidatingAdmissionPolicyBinding' };
  clusterScoped(emit(scope, binding, { name }, () => ({ policyName: name, validationActions: ['Deny', 'Audit'] })));
}

function policy(config: BoundaryConfig, admissionContext: AdmissionContext) {
  const boundary = `the federation boundary gateways in ${namespacesOf(admissionContext.gateways).join(' and ')} of mesh ${config.meshName}`;
  return {
    failurePolicy: 'Fail',
    matchConstraints: {
      resourceRules: [
        resources('networking.istio.io', ['gateways', 'virtualservices', 'envoyfilters', ...hasAdditionalHosts(admissionContext) ? ['serviceentries'] : []]),
        resources('extensions.istio.io', ['wasmplugins', 'trafficextensions']),
      ],
    },
    // Finalizers of objects that were there before the policy can still go; whatever else is written while an object goes is judged.
    matchConditions: [{
      name: 'is-more-than-going',
      expression: '!has(object.metadata.deletionTimestamp) || oldObject == null ||\n'
        + 'has(object.spec) != has(oldObject.spec) || (has(object.spec) && object.spec != oldObject.spec)',
    }],
    variables: variables(config, admissionContext),
    validations: [
      refuse('object.kind != \'Gateway\' || !variables.selectsBoundary',
        ` would open or freeze listeners of ${boundary}: select your own gateway by a label that those pods do not carry`),
      // A filter without selector is the mesh owner's, in the root namespace, or concerns its own namespace only.
      refuse('!(object.kind in [\'EnvoyFilter\', \'WasmPlugin\', \'TrafficExtension\']) ||\n'
        + '(variables.inside ? variables.subject in variables.ownFilters : size(variables.selector) == 0 || !variables.selectsBoundary)',
      ` would change the proxies of ${boundary}`),
      ...namespacesOf(admissionContext.gateways).map((name) => {
        // Where others have Gateways as well, ours are known by how their names begin.
        const begin = admissionContext.gateways.filter(({ namespaceName }) => namespaceName === name)
          .map(({ control }) => control.gatewayNamePrefix).find((prefix) => prefix !== '') ?? '';
        return refuse(`object.kind != 'VirtualService' || object.metadata.namespace == '${name}' ||\n`
          + `!variables.gateways.exists(g, g.startsWith('${name}/${begin}') || g.matches('^${begin}[^./]+[.]${name}([.].*)?$'))`,
        ` attaches routes to a federation boundary gateway in ${name} of mesh ${config.meshName}`);
      }),
      refuse('object.kind != \'VirtualService\' || object.metadata.namespace in variables.boundaryNamespaces ||\n'
        + '!variables.hosts.exists(h, variables.boundaryHosts.exists(b, h.endsWith(b)))',
      ` takes a host name that belongs to the federation boundary of mesh ${config.meshName}`, 'variables.hosts.join(\', \')'),
      ...admissionContext.bindings.length === 0 ? [] : [localNames(config)],
      ...hasAdditionalHosts(admissionContext) ? [moreNames(config), entriesOfMoreNames(config)] : [],
    ],
  };
}

function variables(config: BoundaryConfig, admissionContext: AdmissionContext) {
  const { gateways, ownFilters, boundaryNamespaces, domains, bindings: bindings } = admissionContext;
  const namespaces = namespacesOf(gateways);
  // Istio reads an empty list as one that is not there.
  const stated = (kinds: string, field: string, value: string, otherwise: string) =>
    `${kinds} && has(object.spec) && has(object.spec.${field}) && size(object.spec.${field}) > 0 ? ${value} : ${otherwise}`;
  const ofVirtualService = (field: string, value: string, otherwise: string) => stated('object.kind == \'VirtualService\'', field, value, otherwise);
  const namesHosts = hasAdditionalHosts({ bindings: bindings }) ? 'object.kind in [\'VirtualService\', \'ServiceEntry\']' : 'object.kind == \'VirtualService\'';
  const host = 'h.endsWith(\'.\') ? h.lowerAscii().substring(0, size(h) - 1) : h.lowerAscii()';
  return [
    // Whoever runs a gateway may also write filters in its namespace.
    { name: 'inside', expression: `object.metadata.namespace in ${celList(namespacesOf(gateways.filter(({ control }) => control.pods)).map(celText))}` },
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
    ...bindings.length === 0 ? [] : [{
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
    { name: 'boundaryHosts', expression: celList([exportDomain(config.trustDomain), ...domains].map(celText)) },
    ...hasAdditionalHosts({ bindings: bindings }) ? [{
      name: 'moreNames',
      expression: celList(bindings.flatMap((binding) => binding.additionalHosts.map((name) =>
        celMap({ name, namespace: binding.namespaceName, owner: localNameRouteName(binding) })))),
    }] : [],
    {
      name: 'localNames',
      expression: celList(bindings.map((binding) =>
        celMap({ name: binding.serviceName, namespace: binding.namespaceName, owner: localNameRouteName(binding) }))),
    },
  ];
}

/** A route of others for a bound name would lead its callers elsewhere. */
function localNames(config: BoundaryConfig) {
  return ofOthers(config, ROUTE_OF_MESH, 'localNames', ' routes', [
    '  (variables.hosts.exists(h,',
    `    h in [l.name + '.' + l.namespace, l.name + '.' + l.namespace + '.svc', l.name + '.' + l.namespace + '.svc.${config.clusterDomain}'] ||`,
    '    (h == l.name && object.metadata.namespace == l.namespace)) ||',
    `  variables.wildcards.exists(w, (l.name + '.' + l.namespace + '.svc.${config.clusterDomain}').endsWith(w))))`,
  ]);
}

function hasAdditionalHosts({ bindings: bindings }: Pick<AdmissionContext, 'bindings'>): boolean {
  return bindings.some(({ additionalHosts }) => additionalHosts.length > 0);
}

/** The same for names outside of the cluster's domain. */
function moreNames(config: BoundaryConfig) {
  return ofOthers(config, ROUTE_OF_MESH, 'moreNames', ' routes', ['  (l.name in variables.hosts || variables.wildcards.exists(w, l.name.endsWith(w))))']);
}

/** Of several entries for one host Istio takes the oldest, where a Service would win over all of them. */
function entriesOfMoreNames(config: BoundaryConfig) {
  return ofOthers(config, 'object.kind != \'ServiceEntry\' ||', 'moreNames', ' declares', ['  l.name in variables.hosts)']);
}

/** What others write for a name `l` that is bound. Limited to its own namespace it concerns its author only, unless the name is there too. */
function ofOthers(config: BoundaryConfig, unless: string, list: 'localNames' | 'moreNames', verb: string, isFor: string[]) {
  return refuse([
    unless,
    `!variables.${list}.exists(l,`,
    '  !(object.metadata.namespace == l.namespace && object.metadata.name == l.owner) &&',
    '  !(object.metadata.namespace != l.namespace && variables.onlyOwnNamespace) &&',
    ...isFor,
  ].join('\n'), `${verb} a name that mesh ${config.meshName} binds to another mesh`,
  'variables.hosts.join(\', \') + \'; change the binding, or limit it to its own namespace with exportTo ["."]\'');
}

function namespacesOf(gateways: GatewayConfig[]): string[] {
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
