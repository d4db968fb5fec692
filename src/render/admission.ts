import { ApiObject } from 'cdk8s';
import { Construct } from 'constructs';
import { boundHostVariables, boundaryHostVariables, hostVariables } from './admission-hosts';
import { EXTENSIONS, NETWORKING } from './api-groups';
import { celList, celMap, celMapOf, celParts, celText, CelVariable } from './cel';
import { clusterScoped, emit } from './emit';
import { allPodLabels } from './workload';
import { Binding, GatewayConfig, BoundaryConfig } from '../model/model';
import { PREFIX } from '../model/names';
import { distinct } from '../model/order';
import { CLUSTER_LABELS, CLUSTER_LABEL_PREFIX, GATEWAY_API_GROUPS } from '../model/protected';

/*
 * The ValidatingAdmissionPolicy of a boundary: the API server rejects objects of other tenants that would change the
 * boundary. Istio merges the Gateways of all namespaces that select one workload, and any namespace may use any host
 * name. So a Gateway in another namespace could add listeners to the boundary gateways that no policy covers, or block
 * updates of theirs.
 *
 * Each rule looks up the hosts of an object in the lists of the policy, so that what an object costs depends on its own
 * size and not on the number of names that the mesh binds (docs/adr/0040).
 */

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

/** Creates the ValidatingAdmissionPolicy and its binding. Needs Kubernetes 1.30. Returns the policy, which grows. */
export function renderAdmission(scope: Construct, config: BoundaryConfig, admissionContext: () => AdmissionContext): ApiObject {
  const name = `${config.namespaceName}-boundary`;
  const gvk = { apiVersion: 'admissionregistration.k8s.io/v1', kind: 'ValidatingAdmissionPolicy' };
  const created = clusterScoped(emit(scope, gvk, { name }, () => policy(config, admissionContext())));
  const binding = { ...gvk, kind: 'ValidatingAdmissionPolicyBinding' };
  clusterScoped(emit(scope, binding, { name }, () => ({ policyName: name, validationActions: ['Deny', 'Audit'] })));
  return created;
}

function policy(config: BoundaryConfig, admissionContext: AdmissionContext) {
  const { meshName } = config;
  const { gateways } = admissionContext;
  const boundary = `the federation boundary gateways in ${namespacesOf(gateways).join(' and ')} of mesh ${meshName}`;
  return {
    failurePolicy: 'Fail',
    // A group or kind that the cluster lacks does no harm here: no request has it.
    matchConstraints: {
      resourceRules: [
        resources(NETWORKING, ['gateways', 'virtualservices', 'envoyfilters', 'serviceentries']),
        resources(EXTENSIONS, ['wasmplugins', 'trafficextensions']),
        ...GATEWAY_API_GROUPS.map((group) => ({ ...resources(group, ['*']), scope: 'Namespaced' })),
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
      validation('object.kind != \'Gateway\' || variables.isGatewayApi || !variables.selectsBoundary',
        ` would add or block listeners of ${boundary}: select your own gateway by a label that those pods do not carry`),
      // A filter without selector is allowed: it is the mesh owner's, in the root namespace, or it affects its own
      // namespace only.
      validation('!(object.kind in [\'EnvoyFilter\', \'WasmPlugin\', \'TrafficExtension\']) ||\n'
        + '(variables.inBoundaryNamespace ? variables.ownFilters.exists(f, variables.subject in f)\n'
        + '  : size(variables.selector) == 0 || !variables.selectsBoundary)',
      ` would change the proxies of ${boundary}: in another namespace, select your own workload by a label that those pods do not carry`),
      ...namespacesOf(gateways).map((name) => {
        // In a namespace with Gateways of other owners, a name prefix identifies those of the boundary.
        const prefix = gateways.filter(({ namespaceName }) => namespaceName === name)
          .map(({ control }) => control.gatewayNamePrefix).find((begin) => begin !== '') ?? '';
        return validation(`object.kind != 'VirtualService' || object.metadata.namespace == '${name}' ||\n`
          + `!variables.gateways.exists(g, g.startsWith('${name}/${prefix}') || g.matches('^${prefix}[^./]+[.]${name}([.].*)?$'))`,
        ` attaches routes to a federation boundary gateway in ${name} of mesh ${meshName}: attach them to your own gateway`);
      }),
      validation('object.metadata.namespace in variables.boundaryNamespaces || size(variables.takenBoundaryHosts) == 0',
        ` takes a host name that belongs to the federation boundary of mesh ${meshName}`,
        'variables.takenBoundaryHosts[0] + \'; use another host\''),
      // Other routes could send the callers of a local name elsewhere.
      validation('object.kind != \'VirtualService\' || size(variables.takenBoundHosts) == 0',
        ` routes a host that mesh ${meshName} binds to another mesh`,
        'variables.takenBoundHosts[0] + \'; change the binding, or limit this object to its own namespace with exportTo ["."]\''),
      // Of several entries for one host, Istio takes the oldest. Routes of the Gateway API can be attached to an entry; they
      // are exported to all namespaces, so an entry is denied even if only its own namespace can see it.
      validation('object.kind != \'ServiceEntry\' || size(variables.takenBoundHosts) == 0',
        ` declares a host that mesh ${meshName} binds to another mesh`,
        'variables.takenBoundHosts[0] + \'; change the binding, or use another host\''),
      // The entry would make the pods of a gateway, with their certificate, an endpoint of its host.
      validation('object.kind != \'ServiceEntry\' || !has(object.spec) || !has(object.spec.workloadSelector) || !variables.inBoundaryNamespace ||\n'
        + '!variables.selectsBeside',
      ` selects the pods of ${boundary}: use your own namespace`),
      // istiod runs pods for such a Gateway, with labels and a service account that the Gateway names, or attaches its
      // listeners to the pods of a Service in its namespace.
      validation('!variables.isGatewayApi || !variables.inBoundaryNamespace',
        ` is in the namespace of ${boundary}, where no object of the Gateway API may be: use another namespace`),
      // Such routes have no exportTo: istiod exports them to all namespaces.
      validation('!variables.isGatewayApi || (size(variables.takenBoundHosts) == 0 && !variables.parents.exists(p,\n'
        + `  has(p.kind) && p.kind == 'ServiceEntry' && p.name.startsWith('${PREFIX.localName}-')))`,
      ` routes a Service or ServiceEntry that mesh ${meshName} binds to another mesh`,
      'variables.parents.map(p, p.name).join(\', \') + \'; change the binding, or attach the route to another parent\''),
    ],
  };
}

function variables(config: BoundaryConfig, { gateways, ownFilters, boundaryNamespaces, domains, bindings }: AdmissionContext): CelVariable[] {
  const namespaces = namespacesOf(gateways);
  return [
    // Gateway is a kind of Istio and a kind of the Gateway API.
    { name: 'isGatewayApi', expression: 'object.apiVersion.startsWith(\'gateway.networking.\')' },
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
        'object.kind in [\'EnvoyFilter\', \'ServiceEntry\'] ? (has(object.spec.workloadSelector) && has(object.spec.workloadSelector.labels) ? '
          + 'object.spec.workloadSelector.labels : {}) :',
        'has(object.spec.selector) && has(object.spec.selector.matchLabels) ? object.spec.selector.matchLabels : {}',
      ].join('\n'),
    },
    // Whether the selector fits boundary gateways in another namespace than the object's, and in its own one.
    { name: 'selectsBoundary', expression: selects('!=') },
    { name: 'selectsBeside', expression: selects('==') },
    ...celParts('ownFilters', ownFilters, ({ length }) => length + 5, (part) => celList(part.map(celText))),
    { name: 'boundaryNamespaces', expression: celList(boundaryNamespaces.map(celText)) },
    ...hostVariables(config),
    ...boundaryHostVariables(config, domains),
    ...boundHostVariables(config, bindings),
  ];
}

/**
 * Whether the selector of an object fits the pods of a gateway. The values of labels that the cluster adds to pods are
 * unknown here, so such a label always fits.
 */
function selects(namespaces: '==' | '!='): string {
  return [
    `variables.podLabels.exists(n, n ${namespaces} object.metadata.namespace && variables.podLabels[n].exists(p, variables.selector.all(k,`,
    `  (k in p && p[k] == variables.selector[k]) || k.startsWith('${CLUSTER_LABEL_PREFIX}') ||`,
    `  k in [${CLUSTER_LABELS.map(celText).join(', ')}])))`,
  ].join('\n');
}

function namespacesOf(gateways: GatewayConfig[]): string[] {
  return distinct(gateways.map(({ namespaceName }) => namespaceName));
}

/**
 * A check of the policy: `error` follows the object's kind and name in the message, and `detail` is a CEL expression
 * for its end. The API server drops a message of more than 5 KiB, so details name the first host only.
 */
function validation(expression: string, error: string, detail?: string) {
  const messageExpression = detail === undefined ? `variables.subject + '${error}'` : `variables.subject + '${error}: ' + ${detail}`;
  return { expression, messageExpression, reason: 'Forbidden' };
}

function resources(group: string, kinds: string[]) {
  return { apiGroups: [group], apiVersions: ['*'], operations: ['CREATE', 'UPDATE'], resources: kinds };
}
