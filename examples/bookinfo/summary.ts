/**
 * A federation in words: what was written, who may call what, what stays closed, and what to do next.
 */
import { relative } from 'path';
import { ApiObject, App, Chart } from 'cdk8s';
import Table from 'cli-table3';
import { ExposedService, FederatedMesh, RemoteServiceBinding } from '../../src';

export function summary(app: App, meshes: FederatedMesh[]): string {
  const exposures = meshes.flatMap((mesh) => [...mesh._exposures.values()]);
  const bindings = meshes.flatMap((mesh) => [...mesh._bindings.values()]);
  return [
    'Bookinfo across two meshes that have nothing in common but what is written here.',
    heading('Written'),
    ...app.charts.map((chart) => written(app, chart, meshes)),
    heading('Who may call what'),
    calls(meshes, exposures, bindings),
    heading('Not exposed'),
    notExposed(app, meshes, exposures),
    heading('Declared but closed'),
    closed(meshes, exposures, bindings),
    heading('Next'),
    next(meshes),
  ].join('\n');
}

function heading(text: string): string {
  return `\n${text}\n${'-'.repeat(text.length)}`;
}

function written(app: App, chart: Chart, meshes: FederatedMesh[]): string {
  const mesh = meshes.find((one) => Chart.of(one) === chart);
  const what = mesh ? `boundary of mesh ${mesh.meshName}, Istio ${mesh._istioVersion.minor}: for its platform team` : 'Bookinfo: for its application team';
  const file = relative(process.cwd(), `${app.outdir}/${chart.node.id}${app.outputFileExtension}`);
  return `  ${file.padEnd(32)} ${String(chart.toJson().length).padStart(2)} objects   ${what}`;
}

/** One row for each caller and local port. */
function calls(meshes: FederatedMesh[], exposures: ExposedService[], bindings: RemoteServiceBinding[]): string {
  const table = new Table({ head: ['caller', 'dials, and crosses the boundary as', 'reaches', 'may ask'], style: { head: [], border: [] } });
  for (const binding of bindings) {
    const consumer = meshes.find((mesh) => mesh._bindings.has(binding.host))!;
    const routes = binding._alias.ports.flatMap(({ ways }) => ways.flatMap(({ shares }) => shares.flatMap(({ route }) => route ?? [])));
    for (const { localPort, upstream } of routes) {
      const source = exposures.find(({ exportName, mesh }) => exportName === upstream.exportName && mesh.meshName === upstream.peer.name);
      const grant = source?._grantsTo(consumer).find(({ exportPort }) => exportPort === upstream.exportPort);
      const operations = grant?.operations.map(({ methods, paths }) => `${methods?.join('|') ?? 'any method'} ${paths?.join(' ') ?? 'any path'}`);
      for (const { principal } of binding._alias.callers) {
        const [, , namespaceName = '*', , account = '*'] = principal.split('/');
        table.push([
          `mesh ${consumer.meshName}\n${namespaceName}/${account}`,
          `${binding.host}:${localPort}\n${upstream.sni}`,
          `mesh ${upstream.peer.name}\n${grant ? shortHost(grant.backend) : upstream.exportName}`,
          operations?.join('\n') || 'anything',
        ]);
      }
    }
  }
  return `${table.toString()}\nEverybody else is refused: at the caller's egress gateway, and again at the other mesh's ingress gateway.`;
}

function shortHost({ host, port }: { readonly host: string; readonly port: number }): string {
  return `${host.split('.').slice(0, 2).join('.')}:${port}`;
}

function notExposed(app: App, meshes: FederatedMesh[], exposures: ExposedService[]): string {
  const ours = new Set(meshes.flatMap((mesh) => [...mesh._ownServices]));
  const boundaries = new Set(meshes.map((mesh) => Chart.of(mesh)));
  const services = app.node.findAll().filter((one): one is ApiObject => ApiObject.isApiObject(one) && one.kind === 'Service')
    .filter((service) => !ours.has(service) && !boundaries.has(service.chart));
  const exposed = new Set(exposures.map(({ _service }) => _service._object));
  const hidden = services.filter((service) => !exposed.has(service));
  return `  ${hidden.length} of ${services.length} services of Bookinfo: no peer can reach them by any name.`;
}

function closed(meshes: FederatedMesh[], exposures: ExposedService[], bindings: RemoteServiceBinding[]): string {
  const lines = [
    ...exposures.filter(({ _grantedPeers }) => _grantedPeers.length === 0).map(({ node }) => `exposure ${node.path}: allowed from no peer`),
    ...bindings.filter(({ _alias }) => _alias.callers.length === 0).map(({ node }) => `binding ${node.path}: allowed for no caller`),
    ...meshes.flatMap((mesh) => mesh._peers.filter((peer) => ![...mesh._exposures.values()].some((one) => one._grantedPeers.includes(peer))
      && ![...mesh._bindings.values()].some(({ _sources }) => _sources.some(({ mesh: exporter }) => exporter === peer)))
      .map((peer) => `peer ${peer.meshName} of mesh ${mesh.meshName}: nothing is granted to it and nothing of it is bound`)),
  ];
  return lines.length === 0 ? '  nothing' : lines.map((line) => `  ${line}`).join('\n');
}

function next(meshes: FederatedMesh[]): string {
  const [{ namespaceName }] = meshes;
  return `  1. Put your own roots in place of the demo's (examples/bookinfo/trust): nobody can issue certificates for those. In each mesh:
       kubectl -n istio-system get configmap istio-ca-root-cert -o jsonpath='{.data.root-cert\\.pem}' > east.pem
     Compare fingerprints with the other side on a second channel (openssl x509 -noout -fingerprint -sha256).
     TRUST_DIRECTORY=<folder> npm run demo takes them from there.
  2. In each mesh, Kubernetes must be 1.30 or later, and istiod must keep Gateways to their own namespace. Look first whether a
     Gateway selects pods of another namespace (kubectl get gateways.networking.istio.io -A): it would stop working.
       kubectl -n istio-system set env deployment/istiod PILOT_SCOPE_GATEWAY_TO_NAMESPACE=true
       kubectl -n istio-system get deployment istiod -o yaml | grep -A1 PILOT_SCOPE_GATEWAY_TO_NAMESPACE
  3. Apply the boundary before the application, in each cluster, the mesh that exposes first:
       export KUBECTL_APPLYSET=true
       kubectl create namespace ${namespaceName}
       kubectl apply --server-side --prune --applyset=configmap/federation -n ${namespaceName} -f dist/east.k8s.yaml
       kubectl apply --server-side --prune --applyset=configmap/bookinfo -n default -f dist/east-bookinfo.k8s.yaml
     Then the same for west. Point federation.east.example at the load balancer of the Service federation-ingress.
  4. Withdraw by removing lines from the program and applying again. It is --prune that takes the objects out of the cluster:
     without it a withdrawn grant stays open. (Argo CD and Flux prune when they are told to.)
`;
}
