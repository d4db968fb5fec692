import { Construct } from 'constructs';
import { clusterScoped, emit } from './emit';
import { localNameRouteName } from './local-name';
import { allPodLabels } from './workload';
import { Binding, GatewayConfig, BoundaryConfig } from '../model/model';
import { exportDomain } from '../model/names';
import { distinct } from '../model/order';

/*
 * The ValidatingAdmissionPolicy of a boundary: the API server rejects objects of other tenants that would change the
 * boundary. Istio merges the Gateways of all namespaces that select one workload, and any namespace may use any host
 * name. So a Gateway in another namespace could add listeners to the boundary gateways that no policy covers, or block
 * updates of theirs.
 */

/** CEL: true for everything but a VirtualService for sidecars. The check of such a VirtualService follows. */
const UNLESS_SIDECAR_ROUTE = 'object.kind != \'VirtualService\' || !(\'mesh\' in variables.gateways) ||';

/** What the policy needs from the whole mesh. */
export interface AdmissionContext {
  /** The boundary gateways that exist. */
  readonly gateways: GatewayConfig[];
  /** The boundary's own EnvoyFilters, as `EnvoyFilter namespace/name`. */
  readonly ownFilters: string[];
  /** Namespaces of the gateways of all boundaries of this mesh in the program. */
  readonly boundaryNamespaces: string[];
  /** Suffixes of peers' SNIs, which only the boundary may use as hosts. */
  readonly domains: string[];
  /** Bindings, whose hosts nobody else may route. */
  readonly bindings: Binding[];
}

/** Creates the ValidatingAdmissionPolicy and its binding. Needs Kubernetes 1.30. */
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
    // Skips an update that only removes finalizers of an object under deletion: an object that is older than the policy
    // must stay deletable. Any update of the spec is checked, also during deletion.
    matchConditions: [{
      name: 'not-only-finalizer-removal',
      expression: '!has(object.metadata.deletionTimestamp) || oldObject == null ||\n'
        + 'has(object.spec) != has(oldObject.spec) || (has(object.spec) && object.spec != oldObject.spec)',
    }],
    variables: variables(config, admissionContext),
    validations: [
      validation('object.kind != \'Gateway\' || !variables.selectsBoundary',
        ` would add or block listeners of ${boundary}: select your own gateway by a label that those pods do not carry`),
      // A filter without selector is allowed: it is the mesh owner's, in the root namespace, or it affects its own
      // namespace only.
      validation('!(object.kind in [\'EnvoyFilter\', \'WasmPlugin\', \'TrafficExtension\']) ||\n'
        + '(variables.inBoundaryNamespace ? variables.subject in variables.ownFilters : size(variables.selector) == 0 || !variables.selectsBoundary)',
      ` would change the proxies of ${boundary}: in another namespace, select your own workload by a label that those pods do not carry`),
      ...namespacesOf(admissionContext.gateways).map((name) => {
        // In a namespace with Gateways of other owners, a name prefix identifies those of the boundary.
        const prefix = admissionContext.gateways.filter(({ namespaceName }) => namespaceName === name)
          .map(({ control }) => control.gatewayNamePrefix).find((begin) => begin !== '') ?? '';
        return validation(`object.kind != 'VirtualService' || object.metadata.namespace == '${name}' ||\n`
          + `!variables.gateways.exists(g, g.startsWith('${name}/${prefix}') || g.matches('^${prefix}[^./]+[.]${name}([.].*)?$'))`,
        ` attaches routes to a federation boundary gateway in ${name} of mesh ${config.meshName}: attach them to your own gateway`);
      }),
      validation('object.kind != \'VirtualService\' || object.metadata.namespace in variables.boundaryNamespaces ||\n'
        + '!variables.hosts.exists(h, variables.boundaryHosts.exists(b, h.endsWith(b)))',
      ` takes a host name that belongs to the federation boundary of mesh ${config.meshName}`,
      'variables.hosts.join(\', \') + \'; use another host\''),
      ...admissionContext.bindings.length === 0 ? [] : [localNameRoutes(config)],
      ...hasAdditionalHosts(admissionContext) ? [additionalHostRoutes(config), additionalHostEntries(config)] : [],
    ],
  };
}

function variables(config: BoundaryConfig, admissionContext: AdmissionContext) {
  const { gateways, ownFilters, boundaryNamespaces, domains, bindings } = admissionContext;
  const namespaces = namespacesOf(gateways);
  // Istio treats an empty list like an absent one.
  const ifSet = (kinds: string, field: string, value: string, otherwise: string) =>
    `${kinds} && has(object.spec) && has(object.spec.${field}) && size(object.spec.${field}) > 0 ? ${value} : ${otherwise}`;
  const hasHosts = hasAdditionalHosts({ bindings }) ? 'object.kind in [\'VirtualService\', \'ServiceEntry\']' : 'object.kind == \'VirtualService\'';
  const host = 'h.endsWith(\'.\') ? h.lowerAscii().substring(0, size(h) - 1) : h.lowerAscii()';
  return [
    // Only namespaces of gateways whose pods the boundary runs: the owner of an existing gateway may write filters
    // beside it.
    { name: 'inBoundaryNamespace', expression: `object.metadata.namespace in ${celList(namespacesOf(gateways.filter(({ control }) => control.pods)).map(celText))}` },
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
    // Whether the selector fits boundary gateways in another namespace than the object's. The values of labels that the
    // cluster adds to pods are unknown here, so such a label always fits.
    {
      name: 'selectsBoundary',
      expression: [
        'variables.podLabels.exists(n, n != object.metadata.namespace && variables.podLabels[n].exists(p, variables.selector.all(k,',
        '  (k in p && p[k] == variables.selector[k]) || k.startsWith(\'topology.\') ||',
        '  k in [\'pod-template-hash\', \'istio.io/rev\', \'kubernetes.io/hostname\'])))',
      ].join('\n'),
    },
    { name: 'hosts', expression: ifSet(hasHosts, 'hosts', `object.spec.hosts.map(h, ${host})`, '[]') },
    // Suffixes of wildcard hosts of TCP and TLS routes, of which Istio takes the oldest that matches. Of HTTP routes,
    // an exact host wins.
    ...bindings.length === 0 ? [] : [{
      name: 'wildcards',
      expression: 'object.kind == \'VirtualService\' && has(object.spec) && (has(object.spec.tcp) || has(object.spec.tls)) ?\n'
        + 'variables.hosts.filter(h, h.startsWith(\'*\')).map(h, h.substring(1)) : []',
    }],
    { name: 'gateways', expression: ifSet('object.kind == \'VirtualService\'', 'gateways', 'object.spec.gateways', '[\'mesh\']') },
    {
      name: 'onlyOwnNamespace',
      expression: ifSet(hasHosts, 'exportTo', 'object.spec.exportTo.all(e, e == \'.\' || e == object.metadata.namespace)', 'false'),
    },
    { name: 'ownFilters', expression: celList(ownFilters.map(celText)) },
    { name: 'boundaryNamespaces', expression: celList(boundaryNamespaces.map(celText)) },
    { name: 'boundaryHosts', expression: celList([exportDomain(config.trustDomain), ...domains].map(celText)) },
    ...hasAdditionalHosts({ bindings }) ? [{
      name: 'additionalHosts',
      expression: celList(bindings.flatMap(({ name }) => name.additionalHosts.map((additional) =>
        celMap({ name: additional, namespace: name.namespaceName, owner: localNameRouteName(name) })))),
    }] : [],
    {
      name: 'localNames',
      expression: celList(bindings.map(({ name }) =>
        celMap({ name: name.serviceName, namespace: name.namespaceName, owner: localNameRouteName(name) }))),
    },
  ];
}

/** Rejects VirtualServices of other owners for a local name: they could send its callers elsewhere. */
function localNameRoutes(config: BoundaryConfig) {
  return onlyByOwner(config, UNLESS_SIDECAR_ROUTE, 'localNames', ' routes', [
    '  (variables.hosts.exists(h,',
    `    h in [l.name + '.' + l.namespace, l.name + '.' + l.namespace + '.svc', l.name + '.' + l.namespace + '.svc.${config.clusterDomain}'] ||`,
    '    (h == l.name && object.metadata.namespace == l.namespace)) ||',
    `  variables.wildcards.exists(w, (l.name + '.' + l.namespace + '.svc.${config.clusterDomain}').endsWith(w))))`,
  ]);
}

function hasAdditionalHosts({ bindings }: Pick<AdmissionContext, 'bindings'>): boolean {
  return bindings.some(({ name }) => name.additionalHosts.length > 0);
}

/** Rejects VirtualServices of other owners for an additional host of a binding. */
function additionalHostRoutes(config: BoundaryConfig) {
  return onlyByOwner(config, UNLESS_SIDECAR_ROUTE, 'additionalHosts', ' routes', [
    '  (l.name in variables.hosts || variables.wildcards.exists(w, l.name.endsWith(w))))',
  ]);
}

/**
 * Rejects ServiceEntries of other owners for an additional host of a binding: of several entries for one host, Istio
 * takes the oldest. A local name needs no such check, since its Service takes precedence over every entry.
 */
function additionalHostEntries(config: BoundaryConfig) {
  return onlyByOwner(config, 'object.kind != \'ServiceEntry\' ||', 'additionalHosts', ' declares', ['  l.name in variables.hosts)']);
}

/**
 * Rejects an object for a bound host `l` of a list, unless it is the binding's own (`owner`). It is allowed with
 * `exportTo` of its own namespace, where it affects its author only; not so in the binding's namespace.
 */
function onlyByOwner(config: BoundaryConfig, unless: string, list: 'localNames' | 'additionalHosts', verb: string, matchesHost: string[]) {
  return validation([
    unless,
    `!variables.${list}.exists(l,`,
    '  !(object.metadata.namespace == l.namespace && object.metadata.name == l.owner) &&',
    '  !(object.metadata.namespace != l.namespace && variables.onlyOwnNamespace) &&',
    ...matchesHost,
  ].join('\n'), `${verb} a host that mesh ${config.meshName} binds to another mesh`,
  'variables.hosts.join(\', \') + \'; change the binding, or limit this object to its own namespace with exportTo ["."]\'');
}

function namespacesOf(gateways: GatewayConfig[]): string[] {
  return distinct(gateways.map(({ namespaceName }) => namespaceName));
}

/**
 * A check of the policy: `error` follows the object's kind and name in the message, and `detail` is a CEL expression
 * for its end.
 */
function validation(expression: string, error: string, detail?: string) {
  const messageExpression = detail === undefined ? `variables.subject + '${error}'` : `variables.subject + '${error}: ' + ${detail}`;
  return { expression, messageExpression, reason: 'Forbidden' };
}

function resources(group: string, kinds: string[]) {
  return { apiGroups: [group], apiVersions: ['*'], operations: ['CREATE', 'UPDATE'], resources: kinds };
}

/** A CEL string. Names and labels contain no quotes: they were checked as DNS names and label values. */
function celText(text: string): string {
  return `'${text}'`;
}

function celList(items: string[]): string {
  return `[${items.join(',\n ')}]`;
}

function celMap(entries: { [key: string]: string }): string {
  return celMapOf(Object.entries(entries).map(([key, value]) => [key, celText(value)]));
}

/** A CEL map whose values are CEL expressions. */
function celMapOf(entries: [key: string, value: string][]): string {
  return `{${entries.map(([key, value]) => `${celText(key)}: ${value}`).join(', ')}}`;
}
