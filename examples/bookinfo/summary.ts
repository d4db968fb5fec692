/**
 * Explains a federation: its files, the allowed calls, the services that are not exported, the commands for each cluster and the cost.
 */
import { relative } from 'path';
import { ApiObject, App, Chart } from 'cdk8s';
import Table from 'cli-table3';
import { FederatedMesh } from '../../src';
import type { Binding, HttpOperation } from '../../src/model/model';

export function summary(app: App, meshes: FederatedMesh[]): string {
  const calls = callsOf(meshes);
  return [
    `Bookinfo runs in the Istio meshes ${listed(meshes.map(({ meshName }) => meshName))}. Each mesh has its own trust domain and its own CA.`,
    heading('Files'),
    ...app.charts.map((chart) => written(app, chart, meshes)),
    heading('Allowed calls'),
    allowedCalls(calls),
    heading('Services that are not exported'),
    notExported(app, meshes),
    heading('Declared, but not allowed'),
    closed(meshes),
    heading('Next steps'),
    nextSteps(app, meshes, calls),
    heading('Cost'),
    cost(app, meshes),
    '',
  ].join('\n');
}

function heading(text: string): string {
  return `\n${text}\n${'-'.repeat(text.length)}`;
}

function listed(names: string[]): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names[names.length - 1]}`;
}

function indented(lines: string[], by: number): string {
  return lines.map((line) => `${' '.repeat(by)}${line}`).join('\n');
}

function fileOf(app: App, chart: Chart): string {
  return relative(process.cwd(), `${app.outdir}/${chart.node.id}${app.outputFileExtension}`);
}

/** Charts of the applications of a mesh: their ids begin with its name. */
function applicationsOf(app: App, mesh: FederatedMesh): Chart[] {
  return app.charts.filter((chart) => chart.node.id.startsWith(`${mesh.meshName}-`));
}

function objectsOf(charts: Chart[], kind: string): any[] {
  return charts.flatMap((chart) => chart.toJson()).filter((manifest) => manifest.kind === kind);
}

function written(app: App, chart: Chart, meshes: FederatedMesh[]): string {
  const boundary = meshes.find((mesh) => Chart.of(mesh) === chart);
  const application = meshes.find((mesh) => applicationsOf(app, mesh).includes(chart));
  const what = boundary
    ? `boundary of mesh ${boundary.meshName} (Istio ${boundary._boundary.config.istioVersion}), for its platform team`
    : `Bookinfo in mesh ${application?.meshName}, for its application team`;
  return `  ${fileOf(app, chart).padEnd(32)} ${String(chart.toJson().length).padStart(2)} objects   ${what}`;
}

/** A local port that callers may use, and the exported port behind it. */
interface Call {
  readonly consumer: FederatedMesh;
  readonly binding: Binding;
  readonly localPort: number;
  readonly exporter: string;
  readonly sni: string;
  readonly service: string;
  /** Empty when every request is allowed. */
  readonly operations: readonly HttpOperation[];
}

function callsOf(meshes: FederatedMesh[]): Call[] {
  return meshes.flatMap((consumer) => consumer._boundary.declared.sortedBindings.flatMap((binding) => {
    const routes = binding.ports.flatMap(({ matches }) => matches.flatMap(({ destinations }) => destinations.flatMap(({ route }) => route ?? [])));
    return routes.map(({ localPort, upstream }) => {
      const exporter = meshes.find(({ meshName }) => meshName === upstream.peer.name);
      const grant = exporter?._boundary.declared.grantsTo(consumer.meshName)
        .find(({ port }) => port.exportName === upstream.exportName && port.exportPort === upstream.exportPort);
      return {
        consumer,
        binding,
        localPort,
        exporter: upstream.peer.name,
        sni: upstream.sni,
        service: grant ? shortHost(grant.port.backend) : upstream.exportName,
        operations: grant?.operations ?? [],
      };
    });
  }));
}

/** One row for each caller and local port. */
function allowedCalls(calls: Call[]): string {
  const table = new Table({
    head: ['caller', 'local name, and TLS server name (SNI)', 'service', 'allowed requests'], style: { head: [], border: [] },
  });
  for (const { consumer, binding, localPort, exporter, sni, service, operations } of calls) {
    const rules = operations.map(({ methods, paths }) => `${methods?.join('|') ?? 'any method'} ${paths?.join(' ') ?? 'any path'}`);
    for (const { principal } of binding.callers) {
      const [, , namespaceName = '*', , account = '*'] = principal.split('/');
      table.push([
        `mesh ${consumer.meshName}\n${namespaceName}/${account}`,
        `${binding.name.host}:${localPort}\n${sni}`,
        `mesh ${exporter}\n${service}`,
        rules.join('\n') || 'any',
      ]);
    }
  }
  return [
    table.toString(),
    '  The egress gateway of the calling mesh rejects every workload that is not listed. The ingress gateway of the exporting mesh',
    '  rejects every client other than the egress gateway of a listed mesh, and every request that is not listed.',
  ].join('\n');
}

function shortHost({ host, port }: { readonly host: string; readonly port: number }): string {
  return `${host.split('.').slice(0, 2).join('.')}:${port}`;
}

function notExported(app: App, meshes: FederatedMesh[]): string {
  const ours = new Set(meshes.flatMap((mesh) => [...mesh._boundary.declared.localNameServices]));
  const boundaries = new Set(meshes.map((mesh) => Chart.of(mesh)));
  const services = app.node.findAll().filter((one): one is ApiObject => ApiObject.isApiObject(one) && one.kind === 'Service')
    .filter((service) => !ours.has(service) && !boundaries.has(service.chart));
  const exported = new Set(meshes.flatMap((mesh) => [...mesh._boundary.declared.exports.values()].map(({ host }) => `${mesh.meshName} ${host}`)));
  const hidden = services.filter((service) => !meshes.some((mesh) => applicationsOf(app, mesh).includes(service.chart)
    && exported.has(`${mesh.meshName} ${service.name}.${service.metadata.namespace}.svc.${mesh._boundary.config.clusterDomain}`)));
  return `  ${hidden.length} of ${services.length} services of Bookinfo are not exported: ${listed(hidden.map(({ name }) => name))}. No gateway has a route to them.`;
}

function closed(meshes: FederatedMesh[]): string {
  const lines = meshes.flatMap(({ meshName, _boundary: { declared } }) => {
    const exported = [...declared.exports.values()];
    const bound = [...declared.bindings.values()];
    return [
      ...exported.filter(({ peers }) => peers.size === 0).map(({ construct }) => `The export ${construct.node.path} is not allowed for any peer.`),
      ...bound.filter(({ state }) => state.callers.length === 0).map(({ construct }) => `The binding ${construct.node.path} is not allowed for any caller.`),
      ...[...declared.peers.keys()]
        .filter((peer) => !exported.some(({ peers }) => peers.has(peer)))
        .filter((peer) => !bound.some(({ state }) => state.sources.some(({ source }) => source.mesh === peer)))
        .map((peer) => `Mesh ${meshName} has the peer ${peer.meshName}, but allows it nothing and binds nothing of it.`),
    ];
  });
  return lines.length === 0 ? '  None. Every export is allowed for a peer, every binding for a caller, and every peer is used.' : indented(lines, 2);
}

function nextSteps(app: App, meshes: FederatedMesh[], calls: Call[]): string {
  const names = meshes.map(({ meshName }) => meshName);
  const eachCluster = (...commands: string[]) => [
    `for mesh in ${names.join(' ')}; do`, ...commands.map((command) => `  kubectl --context $mesh ${command}`), 'done',
  ];
  const exportsOf = ({ _boundary: { declared } }: FederatedMesh) => Math.min(declared.exports.size, 1);
  // In this order, calls succeed as soon as the calling mesh is applied.
  const exportersFirst = [...meshes].sort((a, b) => exportsOf(b) - exportsOf(a));
  return [
    step(1, [
      'Replace the root certificates of the example with those of your meshes. The private keys of the example were deleted, so its',
      'certificates verify nothing.',
      `Set your trust domains and addresses in examples/bookinfo/main.ts. Your kubectl contexts are called ${listed(names)} here.`,
    ], [
      'mkdir -p roots',
      ...names.map((name) =>
        `kubectl --context ${name} -n istio-system get configmap istio-ca-root-cert -o jsonpath='{.data.root-cert\\.pem}' > roots/${name}.pem`),
      ...names.map((name) => `openssl x509 -noout -subject -fingerprint -sha256 -in roots/${name}.pem`),
      'TRUST_DIRECTORY=roots npm run demo',
    ], ['Before you apply anything, compare each fingerprint with the owner of the other mesh over a second channel.']),
    step(2, [
      'Prepare the clusters. Kubernetes must be 1.30 or later. List the Gateways first: those that select pods of another namespace',
      'stop working with the setting below. The setting prevents other namespaces from opening ports on the boundary gateways.',
    ], [
      ...eachCluster('get gateways.networking.istio.io -A'),
      ...eachCluster(
        '-n istio-system set env deployment/istiod PILOT_SCOPE_GATEWAY_TO_NAMESPACE=true',
        ...[...new Set(meshes.flatMap((mesh) => applicationsOf(app, mesh)).map(({ namespace }) => namespace))]
          .map((namespace) => `label namespace ${namespace} istio-injection=enabled`),
      ),
    ], ['docs/quick-start.md covers control planes with revisions, and those that Helm manages.']),
    step(3, ['Apply the files: the exporting mesh first, and in each mesh the boundary before the application.'], [
      'export KUBECTL_APPLYSET=true',
      ...exportersFirst.flatMap((mesh) => [
        `kubectl --context ${mesh.meshName} create namespace ${mesh.namespaceName}`,
        apply(app, mesh, Chart.of(mesh), mesh.namespaceName, 'federation'),
        ...applicationsOf(app, mesh).map((chart) =>
          apply(app, mesh, chart, chart.namespace!, chart.node.id.slice(mesh.meshName.length + 1))),
      ]),
    ], [
      'kubectl prints a warning for each EnvoyFilter. This is expected.',
      ...addresses(exportersFirst),
    ]),
    ...calls.slice(0, 1).map((call) => requestSteps(app, call)),
    step(5, [
      'To withdraw access, remove lines from the program, run it and apply the files again with --prune. Without --prune, the objects',
      'stay in the cluster and access stays open. Argo CD and Flux must be configured to prune.',
    ], []),
  ].join('\n');
}

function step(number: number, before: string[], commands: string[], after: string[] = []): string {
  const [first, ...rest] = before;
  return [`  ${number}. ${first}`, indented(rest, 5), indented(commands, 7), indented(after, 5)].filter((part) => part !== '').join('\n');
}

function apply(app: App, { meshName }: FederatedMesh, chart: Chart, namespace: string, applySet: string): string {
  return `kubectl --context ${meshName} apply --server-side --prune --applyset=configmap/${applySet} -n ${namespace} -f ${fileOf(app, chart)}`;
}

/** Instructions for the DNS names of the load balancers. */
function addresses(meshes: FederatedMesh[]): string[] {
  return meshes.flatMap((mesh) => objectsOf([Chart.of(mesh)], 'Service').filter(({ spec }) => spec.type === 'LoadBalancer').flatMap(({ metadata, spec }) =>
    mesh.endpoints.flatMap(({ address, port = spec.ports[0].port }) => [
      `Point the DNS name ${address} at this load balancer. It must forward TCP port ${port} and must not terminate TLS:`,
      `  kubectl --context ${mesh.meshName} -n ${metadata.namespace} get service ${metadata.name}`,
    ])));
}

/** A request from a container of Bookinfo, with the tools of its image; prints the status. */
const REQUESTS: { readonly [container: string]: (url: string) => string } = {
  details: (url) => `ruby -r net/http -e 'puts Net::HTTP.get_response(URI("${url}")).code'`,
  productpage: (url) => `python -c 'import requests; print(requests.get("${url}").status_code)'`,
};

/** A path of reviews that no rule of the example allows. */
const OUTSIDE_THE_RULES = '/health';

function requestSteps(app: App, { consumer, binding, localPort, exporter, operations: [operation] }: Call): string {
  const workloads = objectsOf(applicationsOf(app, consumer), 'Deployment').map(({ metadata: { name, namespace }, spec: { template: { spec } } }) => ({
    target: `-n ${namespace} exec deploy/${name} -c ${spec.containers[0].name}`,
    account: spec.serviceAccountName as string,
    isListed: binding.callers.some(({ principal }) => principal.endsWith(`/ns/${namespace}/sa/${spec.serviceAccountName}`)),
    request: REQUESTS[spec.containers[0].name],
  }));
  const caller = workloads.find(({ isListed }) => isListed);
  const other = workloads.find(({ isListed }) => !isListed);
  const allowedPath = operation?.paths?.[0].replace('*', '0') ?? '/';
  const send = ({ target, request }: typeof workloads[number], path: string) => [
    `kubectl --context ${consumer.meshName} ${target} -- \\`,
    `  ${request(`http://${binding.name.host.split('.')[0]}:${localPort}${path}`)}`,
  ];
  return step(4, [`Send requests in mesh ${consumer.meshName}. The comment above each command is the expected HTTP status.`], [
    ...caller ? [
      `# 200: the service account ${caller.account} is listed, and a rule allows the request.`,
      ...send(caller, allowedPath),
      `# 403: no rule allows this path. The ingress gateway of mesh ${exporter} rejects the request.`,
      ...send(caller, OUTSIDE_THE_RULES),
    ] : [],
    ...other ? [
      `# 503: the service account ${other.account} is not listed. The egress gateway of mesh ${consumer.meshName} rejects its TLS handshake.`,
      ...send(other, allowedPath),
    ] : [],
  ], ['For any other answer, see docs/troubleshooting.md.']);
}

/** Pods, requests and limits of each gateway. The gateways are the Deployments in the charts of the meshes. */
function cost(app: App, meshes: FederatedMesh[]): string {
  const gateways = meshes.flatMap((mesh) => objectsOf([Chart.of(mesh)], 'Deployment').map(({ metadata, spec }) => {
    const [{ resources }] = spec.template.spec.containers;
    const autoscaler = objectsOf([Chart.of(mesh)], 'HorizontalPodAutoscaler').find((one) => one.spec.scaleTargetRef.name === metadata.name);
    const { minReplicas, maxReplicas } = autoscaler?.spec ?? { minReplicas: spec.replicas, maxReplicas: spec.replicas };
    return { mesh: mesh.meshName, name: metadata.name, minReplicas, maxReplicas, resources };
  }));
  const table = new Table({ head: ['mesh', 'gateway Deployment', 'pods', 'requests of a pod', 'limits of a pod'], style: { head: [], border: [] } });
  table.push(...gateways.map(({ mesh, name, minReplicas, maxReplicas, resources }) =>
    [mesh, name, minReplicas === maxReplicas ? minReplicas : `${minReplicas} to ${maxReplicas}`, amounts(resources.requests), amounts(resources.limits)]));
  const applications = meshes.map((mesh) => {
    const pods = objectsOf(applicationsOf(app, mesh), 'Deployment').reduce((sum, { spec }) => sum + spec.replicas, 0);
    return `${pods} pods in mesh ${mesh.meshName}`;
  });
  const loadBalancers = meshes.flatMap((mesh) => objectsOf([Chart.of(mesh)], 'Service').filter(({ spec }) => spec.type === 'LoadBalancer')
    .map(({ metadata }) => `${metadata.name} in mesh ${mesh.meshName}`));
  return [
    table.toString(),
    `  This example needs ${gateways.length} gateway Deployments with at least ${gateways.reduce((sum, { minReplicas }) => sum + minReplicas, 0)} pods. Autoscalers add pods when CPU use rises.`,
    '  A mesh without exports has no ingress gateway, and a mesh without bindings has no egress gateway.',
    ...loadBalancers.length > 0 ? [`  A cloud provider may charge for the load balancer of each of these Services: ${listed(loadBalancers)}.`] : [],
    `  Bookinfo itself runs ${listed(applications)}, each with a sidecar.`,
  ].join('\n');
}

function amounts({ cpu, memory }: { readonly cpu: string; readonly memory: string }): string {
  return `${cpu} CPU, ${memory} memory`;
}
