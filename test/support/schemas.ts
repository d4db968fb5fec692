/**
 * The checks of an API server: the schemas of CRDs and of Kubernetes without unknown fields (`--validate=strict`), and all CEL rules of the
 * CRDs.
 */
import { readdirSync, readFileSync } from 'fs';
import { join } from 'path';
import { Environment } from '@marcbachmann/cel-js';
import Ajv, { ValidateFunction } from 'ajv';
import addFormats from 'ajv-formats';
import { parseAllDocuments } from 'yaml';
import { Manifest } from './manifests';
import { DEFAULT } from './versions';

const crds = join(__dirname, '..', '..', 'crds');

/** The products whose schemas are vendored in several versions. */
type Product = 'istio' | 'kubernetes' | 'cert-manager';
type Versions = { readonly [product in Product]: string };

/** The vendored versions of a product, from the oldest to the newest. */
export function vendored(product: string): string[] {
  const file = new RegExp(`^${product}-(\\d.*)\\.(yaml|json)$`);
  return readdirSync(crds).map((name) => file.exec(name)?.[1]).filter((version) => version !== undefined)
    .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
}

const DEFAULTS: Versions = { 'istio': DEFAULT, 'kubernetes': vendored('kubernetes').at(-1)!, 'cert-manager': vendored('cert-manager').at(-1)! };

type Schema = any;
interface Checks { readonly schema: Schema; readonly structure: ValidateFunction }

const custom = new Map<string, (kind: string) => Checks | undefined>();
const kubernetes = new Map<string, KubernetesChecks>();

/** Returns the value of a key, which it makes once. */
function cached<Made>(cache: Map<string, Made>, key: string, make: () => Made): Made {
  const made = cache.get(key) ?? make();
  cache.set(key, made);
  return made;
}

/** Returns the validation errors of an API server with the schemas of these versions: by default those that the lab runs, or the newest. */
export function schemaErrors(manifest: Manifest, versions: Partial<Versions> = {}): string[] {
  const all = { ...DEFAULTS, ...versions };
  const kind = `${manifest.apiVersion} ${manifest.kind}`;
  const checks = cached(custom, `${all.istio} ${all['cert-manager']}`, () => customChecks(all))(kind);
  if (checks) {
    const { apiVersion, kind: _, metadata, ...spec } = manifest;
    const rest = { ...spec, ...checks.schema.required?.includes('metadata') ? { metadata: {} } : {} };
    return [...metadataErrors(metadata, all.kubernetes), ...structure(checks.structure, rest), ...rules(checks.schema, rest, '')];
  }
  const core = kubernetesOf(all.kubernetes).ofKind(kind);
  return core ? structure(core, manifest) : [`no schema for ${kind}`];
}

/** Returns the errors of a file of GitHub or GitLab against its JSON schema. */
export function fileErrors(file: unknown, schema: string): string[] {
  const structureOf = newAjv().compile(JSON.parse(readFileSync(join(crds, `${schema}.json`), 'utf8')));
  return structure(structureOf, file);
}

/** Returns the errors of the metadata of a custom resource, which its schema leaves to the API server. */
function metadataErrors(metadata: unknown, release: string): string[] {
  return structure(kubernetesOf(release).metadata, metadata).map((error) => `/metadata${error}`);
}

function structure(validate: ValidateFunction, value: unknown): string[] {
  return validate(value) ? [] : validate.errors!.map(({ instancePath, message, params }) => `${instancePath || '/'} ${message} ${JSON.stringify(params)}`);
}

/** Returns the errors of the CEL rules of a schema and of all nested schemas. A rule that cannot be evaluated is an error. */
function rules(schema: Schema, value: any, path: string): string[] {
  if (value === undefined || value === null) return [];
  const own = (schema['x-kubernetes-validations'] ?? []).filter(({ rule }: Schema) => !holds(rule, value))
    .map(({ rule, message }: Schema) => `${path || '/'} ${message ?? rule}`);
  const below = Array.isArray(value)
    ? value.flatMap((item, index) => rules(schema.items ?? {}, item, `${path}/${index}`))
    : typeof value === 'object'
      ? Object.entries(value).flatMap(([key, item]) => rules(schema.properties?.[key] ?? schema.additionalProperties ?? {}, item, `${path}/${key}`))
      : [];
  return [...own, ...below];
}

class ParsedUrl {
  constructor(public readonly url: URL) {}
}

const environment = new Environment({ unlistedVariablesAreDyn: true })
  .registerType('ParsedUrl', ParsedUrl)
  .registerFunction('url(string): ParsedUrl', (text: string) => new ParsedUrl(new URL(text)))
  .registerFunction('ParsedUrl.getScheme(): string', (parsed: ParsedUrl) => parsed.url.protocol.replace(/:$/, ''))
  .registerFunction('isURL(string): bool', (text: string) => URL.canParse(text));
const parsed = new Map<string, (context: object) => unknown>();

function holds(rule: string, self: unknown): boolean {
  const evaluate = parsed.get(rule) ?? environment.parse(rule);
  parsed.set(rule, evaluate);
  try {
    return evaluate({ self }) === true;
  } catch {
    return false;
  }
}

/** Parses and compiles a kind when a test needs it; all kinds together take seconds. */
function lazily<Made>(make: (kind: string) => Made | undefined): (kind: string) => Made | undefined {
  const made = new Map<string, Made | undefined>();
  return (kind) => {
    if (!made.has(kind)) made.set(kind, make(kind));
    return made.get(kind);
  };
}

function customChecks(versions: Versions): (kind: string) => Checks | undefined {
  const ajv = newAjv();
  const of = (product: Product) => (file: string) => !file.startsWith(`${product}-`) || file === `${product}-${versions[product]}.yaml`;
  const files = readdirSync(crds).filter((file) => file.endsWith('.yaml') && of('istio')(file) && of('cert-manager')(file));
  const texts = files.flatMap((file) => readFileSync(join(crds, file), 'utf8').split(/^---$/m));
  return lazily((kind) => {
    const [, name] = kind.split(' ');
    const definitions = texts.filter((text) => new RegExp(`^ {4}kind: ${name}$`, 'm').test(text)).flatMap((text) => parseAllDocuments(text)).map((one) => one.toJS());
    const found = definitions.find(({ spec }) => `${spec.group}/${spec.versions[0].name} ${spec.names.kind}` === kind);
    if (!found) return undefined;
    const { openAPIV3Schema } = found.spec.versions[0].schema;
    return { schema: openAPIV3Schema, structure: ajv.compile(closed(openAPIV3Schema)) };
  });
}

interface KubernetesChecks { readonly ofKind: (kind: string) => ValidateFunction | undefined; readonly metadata: ValidateFunction }

function kubernetesOf(release: string): KubernetesChecks {
  return cached(kubernetes, release, () => kubernetesChecks(release));
}

function kubernetesChecks(release: string): KubernetesChecks {
  const { definitions } = JSON.parse(readFileSync(join(crds, `kubernetes-${release}.json`), 'utf8'));
  const ajv = newAjv().addSchema({ $id: 'kubernetes', definitions: closed(definitions) });
  const kinds = Object.entries<Schema>(definitions).filter(([, schema]) => schema['x-kubernetes-group-version-kind']?.length === 1
    && schema.properties?.kind && schema.properties?.spec !== undefined || /^(ConfigMap|ServiceAccount|Role|RoleBinding)$/.test(schema['x-kubernetes-group-version-kind']?.[0]?.kind));
  const names = new Map(kinds.map(([name, schema]) => {
    const [{ group, version, kind }] = schema['x-kubernetes-group-version-kind'];
    return [`${group ? `${group}/` : ''}${version} ${kind}`, name];
  }));
  return {
    ofKind: lazily((kind) => names.has(kind) ? ajv.compile({ $ref: `kubernetes#/definitions/${names.get(kind)}` }) : undefined),
    metadata: ajv.compile({ $ref: 'kubernetes#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta' }),
  };
}

function newAjv(): Ajv {
  return addFormats(new Ajv({ strict: false, allErrors: true, logger: false }));
}

/** The schema with `--validate=strict`: objects with listed fields allow no others. */
function closed(schema: Schema): Schema {
  if (Array.isArray(schema)) return schema.map(closed);
  if (schema === null || typeof schema !== 'object') return schema;
  const copy = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, closed(value)]));
  if (copy['x-kubernetes-int-or-string']) delete copy.type;
  const open = copy.additionalProperties !== undefined || copy['x-kubernetes-preserve-unknown-fields'];
  if (copy.type === 'object' && copy.properties && !open) copy.additionalProperties = false;
  return copy;
}
