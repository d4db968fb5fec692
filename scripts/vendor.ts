/**
 * Brings what others publish into the repository: the Istio CRDs from which `imports/` is generated and against which the output is
 * validated, the Kubernetes schemas for the core kinds, and the Bookinfo sample.
 *
 *     npx projen vendor
 *
 * Needs Go and its module proxy. Every source is a Go module, so that its checksum can be compared with the public checksum database.
 */
import { execFileSync } from 'child_process';
import { createHash } from 'crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'fs';
import { join } from 'path';
import { parseAllDocuments, stringify } from 'yaml';

const ISTIO_API_VERSIONS = ['v1.30.8', 'v1.31.4'];
const KUBERNETES_VERSION = 'v1.36.1';
const ISTIO_VERSION = 'v0.0.0-20260827124520-eed52ebb66ad';

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
const CERT_MANAGER_VERSION = 'v1.21.2';
const BOOKINFO_APPS = ['details', 'productpage', 'ratings', 'reviews'];

const root = join(__dirname, '..');

interface Source { readonly module: string; readonly version: string; readonly sum: string; readonly path: string; readonly directory: string }

function download(module: string, version: string, path: string): Source {
  const answer = JSON.parse(execFileSync('go', ['mod', 'download', '-json', `${module}@${version}`], { encoding: 'utf8' }));
  return { module, version, path, sum: answer.Sum, directory: answer.Dir };
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
    '| file | Go module and path | checksum of the module | SHA-256 of the file |',
    '|---|---|---|---|',
    ...rows, '',
  ].join('\n');
}

/** The v1 version of the kinds that the library writes, and of EnvoyFilter the only one. */
function crdsOf(source: Source, kinds: string[]): string {
  const crds = parseAllDocuments(read(source)).map((document) => document.toJSON())
    .filter((crd) => crd?.kind === 'CustomResourceDefinition' && kinds.includes(crd.spec.names.kind));
  for (const crd of crds) {
    crd.spec.versions = crd.spec.versions.filter(({ name }: { name: string }, _: number, all: unknown[]) => name === 'v1' || all.length === 1);
  }
  return crds.map((crd) => stringify(crd, { lineWidth: 0 })).join('---\n');
}

/** The wanted kinds and all that they refer to, without descriptions. */
function kubernetesSchemas(sources: Source[]): string {
  const all: { [name: string]: unknown } = Object.assign({}, ...sources.map((source) => JSON.parse(read(source)).components.schemas));
  const kept: { [name: string]: unknown } = {};
  const keep = (name: string) => {
    if (name in kept) return;
    kept[name] = strip(all[name]);
    for (const [, reference] of JSON.stringify(kept[name]).matchAll(/"#\/definitions\/([^"]+)"/g)) keep(reference);
  };
  Object.values(KUBERNETES_KINDS).flat().forEach((name) => keep(`io.k8s.api.${name}`));
  return `${JSON.stringify({ definitions: Object.fromEntries(Object.entries(kept).sort(([a], [b]) => a.localeCompare(b))) }, undefined, 1)}\n`;
}

function strip(schema: any): any {
  if (Array.isArray(schema)) return schema.map(strip);
  if (schema === null || typeof schema !== 'object') return schema;
  const entries = Object.entries(schema).filter(([key, value]) => !(key === 'description' && typeof value === 'string') && key !== 'default');
  return Object.fromEntries(entries.map(([key, value]) =>
    [key, key === '$ref' ? String(value).replace('#/components/schemas/', '#/definitions/') : strip(value)]));
}

/** The documents of one application of the sample, unchanged. */
function bookinfoApp(source: Source, app: string): string {
  const documents = read(source).split(/^---\n/m).filter((text) => {
    const labels = parseAllDocuments(text).map((document) => document.toJSON())[0]?.metadata?.labels ?? {};
    return labels.app === app || labels.account === app;
  });
  return documents.map((text) => text.replace(/^#+$\n(^#.*$\n)*/gm, '').trim()).join('\n---\n') + '\n';
}

function vendorSchemas(): void {
  const directory = join(root, 'crds');
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory);
  const files: [string, string, Source][] = [];
  for (const version of ISTIO_API_VERSIONS) {
    const source = download('istio.io/api', version, 'kubernetes/customresourcedefinitions.gen.yaml');
    files.push([`istio-${version.slice(1).split('.').slice(0, 2).join('.')}.yaml`, crdsOf(source, ISTIO_KINDS), source]);
  }
  const certManager = download('github.com/cert-manager/cert-manager', CERT_MANAGER_VERSION, 'deploy/crds/cert-manager.io_certificates.yaml');
  files.push([`cert-manager-${CERT_MANAGER_VERSION.slice(1).split('.').slice(0, 2).join('.')}.yaml`, crdsOf(certManager, ['Certificate']), certManager]);
  const kubernetes = Object.keys(KUBERNETES_KINDS).map((file) =>
    download('k8s.io/kubernetes', KUBERNETES_VERSION, `api/openapi-spec/v3/${file}_openapi.json`));
  files.push([
    `kubernetes-${KUBERNETES_VERSION.slice(1).split('.').slice(0, 2).join('.')}.json`, kubernetesSchemas(kubernetes),
    { ...kubernetes[0], path: 'api/openapi-spec/v3/*.json' },
  ]);
  files.forEach(([file, content]) => writeFileSync(join(directory, file), content));
  writeFileSync(join(directory, 'README.md'), page(
    'Schemas of others',
    'Istio and cert-manager: version v1 of the kinds that the library writes (v1alpha3 of EnvoyFilter, which has no other). `imports/` is generated '
    + 'from the newest ones (`npx projen imports`), the tests validate every golden object against each. Kubernetes: the core kinds, without '
    + 'descriptions and default values, for the tests only.',
    files,
  ));
}

function vendorBookinfo(): void {
  const directory = join(root, 'examples', 'bookinfo', 'manifests');
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  const source = download('istio.io/istio', ISTIO_VERSION, 'samples/bookinfo/platform/kube/bookinfo.yaml');
  const files = BOOKINFO_APPS.map((app): [string, string, Source] => [`${app}.yaml`, bookinfoApp(source, app), source]);
  files.forEach(([file, content]) => writeFileSync(join(directory, file), content));
  writeFileSync(join(directory, 'LICENSE'), read({ ...source, path: 'LICENSE' }));
  writeFileSync(join(directory, 'README.md'), page(
    'Bookinfo, by the Istio authors',
    'The manifests of Istio\'s sample application, Apache License 2.0 (`LICENSE` beside this page). One file holds the documents of one '
    + 'application, each as it is in the source; only comment lines between documents are left out.',
    files,
  ));
}

vendorSchemas();
vendorBookinfo();
