import { execFileSync } from 'child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'fs';
import { tmpdir } from 'os';
import { join } from 'path';
import { LocalName, LocalService, ServicePort } from '../src';
import { callsOf, serversOf } from './support/contract';
import { rememberIncludes } from './support/includes';
import { parse } from './support/manifests';
import { meshOf } from './support/meshes';
import { bookinfo } from '../examples/bookinfo/main';
import { summary } from '../examples/bookinfo/summary';

/*
 * The Bookinfo demo and its summary.
 */

const root = join(__dirname, '..');
rememberIncludes();
const outdir = mkdtempSync(join(tmpdir(), 'bookinfo-'));
afterAll(() => rmSync(outdir, { recursive: true }));

const { app, meshes } = bookinfo({ outdir });
app.synth();
const read = (file: string) => parse(readFileSync(join(outdir, `${file}.k8s.yaml`), 'utf8'));

test('the demo writes one file for each boundary and one for the part of Bookinfo in each mesh', () => {
  expect(readdirSync(outdir).sort()).toEqual(['east-bookinfo.k8s.yaml', 'east.k8s.yaml', 'west-bookinfo.k8s.yaml', 'west.k8s.yaml']);
});

test('productpage calls reviews by its previous host, and the demo exports no other service', () => {
  const [server, ...more] = serversOf(read('east'));
  const [call, ...others] = callsOf([...read('west'), ...read('west-bookinfo')]);
  expect([...more, ...others]).toEqual([]);
  expect(call).toMatchObject({ local: 'reviews.default.svc.cluster.local:9080', callers: ['spiffe://west.example/ns/default/sa/bookinfo-productpage'] });
  expect(server).toMatchObject({ sni: call.sni, backend: 'reviews.default.svc.cluster.local:9080', allowedOperations: ['GET /reviews/below'] });
});

test('each file contains objects of one namespace, so that an ApplySet of kubectl can prune them', () => {
  for (const [file, namespace] of [['east', 'istio-federation'], ['west', 'istio-federation'], ['east-bookinfo', 'default'], ['west-bookinfo', 'default']]) {
    const namespaces = new Set(read(file).filter(({ metadata }) => metadata.namespace).map(({ metadata }) => metadata.namespace));
    expect([...namespaces]).toEqual([namespace]);
  }
});

test('each Service of Bookinfo selects the pods of all its versions, which run as one service account', () => {
  const objects = [...read('east-bookinfo'), ...read('west-bookinfo')];
  const deployments = objects.filter(({ kind }) => kind === 'Deployment');
  const services = objects.filter(({ kind, spec }) => kind === 'Service' && spec.selector).map(({ metadata, spec }) => {
    const pods = deployments.map((deployment) => deployment.spec.template)
      .filter(({ metadata: { labels } }) => Object.entries(spec.selector).every(([label, value]) => labels[label] === value));
    return [
      metadata.name, spec.ports, pods.map((pod) => pod.metadata.labels.version), [...new Set(pods.map((pod) => pod.spec.serviceAccountName))],
    ];
  });
  const ports = [{ name: 'http', port: 9080 }];
  expect(services).toEqual([
    ['reviews', ports, ['v1', 'v2', 'v3'], ['bookinfo-reviews']],
    ['ratings', ports, ['v1'], ['bookinfo-ratings']],
    ['productpage', ports, ['v1'], ['bookinfo-productpage']],
    ['details', ports, ['v1'], ['bookinfo-details']],
  ]);
  expect(objects.filter(({ kind }) => kind === 'ServiceAccount').map(({ metadata }) => metadata.name).sort())
    .toEqual(services.flatMap(([, , , accounts]) => accounts).sort());
});

test('each Deployment of Bookinfo selects its own pods by app and version, and runs an image of the Istio samples', () => {
  const deployments = [...read('east-bookinfo'), ...read('west-bookinfo')].filter(({ kind }) => kind === 'Deployment');
  for (const { metadata, spec: { selector, template } } of deployments) {
    const [name, version] = metadata.name.split('-');
    expect(selector).toEqual({ matchLabels: { app: name, version } });
    expect(template.metadata.labels).toMatchObject({ app: name, version });
    expect(template.spec.containers).toEqual([expect.objectContaining({
      name, image: `registry.istio.io/release/examples-bookinfo-${name}-${version}:1.20.3`, ports: [{ containerPort: 9080 }],
    })]);
  }
  expect(deployments.map(({ metadata }) => metadata.name)).toEqual([
    'reviews-v1', 'reviews-v2', 'reviews-v3', 'ratings-v1', 'productpage-v1', 'details-v1',
  ]);
});

test('the containers of Bookinfo have none of the cdk8s-plus defaults that would prevent their start', () => {
  const pods = [...read('east-bookinfo'), ...read('west-bookinfo')].filter(({ kind }) => kind === 'Deployment').map(({ spec }) => spec.template.spec);
  for (const { containers: [container] } of pods) {
    expect(container.securityContext).toMatchObject({ runAsNonRoot: true, allowPrivilegeEscalation: false, readOnlyRootFilesystem: false });
    expect(container).not.toHaveProperty('resources');
    expect(container).not.toHaveProperty('startupProbe');
  }
  expect(pods.filter(({ automountServiceAccountToken }) => automountServiceAccountToken)).toEqual([]);
});

test('the summary lists the files, the allowed calls, what is not exported and what to do next', () => {
  const text = summary(app, meshes);
  for (const part of [
    'east.k8s.yaml 20 objects', 'west.k8s.yaml 21 objects', 'default/bookinfo-productpage', 'reviews.default.svc.cluster.local:9080', 'p9080.reviews.west.fed.east.example',
    'GET /reviews/*', '3 of 4 services of Bookinfo are not exported: ratings, productpage and details', 'None. Every export',
    'istio-ca-root-cert', 'PILOT_SCOPE_GATEWAY_TO_NAMESPACE=true', '--prune',
  ]) expect(text).toContain(part);
});

test('the summary fits into 132 columns when the demo writes to dist/', () => {
  const { app: demo, meshes: its } = bookinfo({ outdir: join(root, 'dist') });
  expect(summary(demo, its).split('\n').filter((line) => line.length > 132)).toEqual([]);
});

test('every kubectl command of the summary names the context of its cluster', () => {
  const commands = summary(app, meshes).split('\n').map((line) => line.trim()).filter((line) => line.startsWith('kubectl ') && !line.endsWith('.'));
  const contexts = commands.map((command) => /^kubectl --context (east|west|\$mesh) /.exec(command)?.[1]);
  expect(new Set(contexts)).toEqual(new Set(['east', 'west', '$mesh']));
  const of = (context: string) => commands.filter((_, index) => contexts[index] === context);
  expect(of('east').filter((command) => command.includes('west'))).toEqual([]);
  expect(of('west').filter((command) => command.includes('east'))).toEqual([]);
});

test('the summary shows a request for each expected status: allowed, denied by the rules, from an unlisted workload', () => {
  const requests = [...summary(app, meshes).matchAll(/# (\d+): .*\n +kubectl --context (\w+) -n default exec deploy\/(\S+) -c .*\n.*"http:\/\/reviews:9080(\S+)"/g)];
  expect(requests.map(([, ...parts]) => parts)).toEqual([
    ['200', 'west', 'productpage-v1', '/reviews/0'],
    ['403', 'west', 'productpage-v1', '/health'],
    ['503', 'west', 'details-v1', '/reviews/0'],
  ]);
});

test('the summary lists the gateway Deployments, their replicas and their resources', () => {
  const text = summary(app, meshes).replace(/ +/g, ' ');
  expect(text).toContain('│ east │ federation-ingress │ 2 to 5 │ 100m CPU, 128Mi memory │ 2 CPU, 512Mi memory │');
  expect(text).toContain('│ west │ federation-egress │ 2 to 5 │ 100m CPU, 128Mi memory │ 2 CPU, 512Mi memory │');
  expect(text).toContain('2 gateway Deployments with at least 4 pods');
  expect(text).toContain('federation-ingress in mesh east');
});

test('the summary lists exports without peers, bindings without callers and peers without access', () => {
  const closed = bookinfo({ outdir });
  const [east, west] = closed.meshes;
  const north = meshOf(closed.app, 'north');
  east.addPeer(north);
  const exportOf = (id: string) => east.expose(id, {
    service: LocalService.fromName('ratings', 'default'), exportName: id.toLowerCase(), ports: [ServicePort.http(9080)],
  });
  exportOf('Nobody');
  const ratings = exportOf('Ratings');
  ratings.allowFrom(west);
  west.bind('Ratings', { source: ratings, localName: LocalName.newService('ratings', 'default') });
  const text = summary(closed.app, closed.meshes);
  for (const part of [
    'The export east/Mesh/Nobody is not allowed for any peer.', 'The binding west/Mesh/Ratings is not allowed for any caller.',
    'Mesh east has the peer north, but allows it nothing and binds nothing of it.',
  ]) {
    expect(text).toContain(part);
  }
});

test('cdk8s synth writes the same bytes as the demo', () => {
  const directory = mkdtempSync(join(tmpdir(), 'cdk8s-'));
  try {
    execFileSync(join(root, 'node_modules/.bin/cdk8s'), ['synth', '--no-check-upgrade', '--output', directory], { cwd: root, stdio: 'pipe' });
    for (const file of readdirSync(outdir)) expect(readFileSync(join(directory, file), 'utf8')).toBe(readFileSync(join(outdir, file), 'utf8'));
    expect(readdirSync(directory).sort()).toEqual(readdirSync(outdir).sort());
  } finally {
    rmSync(directory, { recursive: true });
  }
}, 60_000);
