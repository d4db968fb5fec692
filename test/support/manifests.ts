/**
 * The manifests of a program, read from its YAML.
 */
import { App, Chart, Yaml } from 'cdk8s';
import { parseAllDocuments } from 'yaml';

/** The annotation with the digest of a generated object. */
export const DIGEST = 'cdk8s-mesh-federation/digest';

/** Any Kubernetes object. */
export type Manifest = any;

/** The files of a program, by chart. The file of a chart without objects is empty. */
export function filesOf(apps: App[]): Map<string, string> {
  return new Map(chartsOf(apps).map((chart) => [chart.node.path, textOf(chart)]));
}

function chartsOf(apps: App[]): Chart[] {
  return apps.flatMap((app) => app.charts.filter((chart) => chart.node.scope === app));
}

/** The text of one file, as cdk8s writes it. */
export function textOf(chart: Chart): string {
  const objects = chart.toJson();
  return objects.length === 0 ? '' : Yaml.stringify(...objects);
}

/** The objects of one file, without their digests, which `test/changes.test.ts` is about. */
export function parse(text: string): Manifest[] {
  return parseWhole(text).map(withoutDigest);
}

/** The objects of one file, as cdk8s-cli reads them. */
export function parseWhole(text: string): Manifest[] {
  return parseAllDocuments(text, { version: '1.1' }).map((document) => document.toJS()).filter((manifest) => manifest);
}

/** All objects of a program, without their digests. `test/golden.test.ts` checks that they equal the objects of the files. */
export function objectsOf(...apps: App[]): Manifest[] {
  return wholeObjectsOf(...apps).map(withoutDigest);
}

/** All objects of a program, as they are written. */
export function wholeObjectsOf(...apps: App[]): Manifest[] {
  return [...jsonOf(apps).values()].flatMap((objects) => JSON.parse(objects) as Manifest[]);
}

/** A copy without the digest, which changes with every field. */
export function withoutDigest(object: Manifest): Manifest {
  const { annotations, ...metadata } = object.metadata ?? {};
  if (annotations?.[DIGEST] === undefined) return object;
  const { [DIGEST]: _, ...others } = annotations;
  return { ...object, metadata: Object.keys(others).length > 0 ? { annotations: others, ...metadata } : metadata };
}

/** The objects of a program as JSON, by chart. */
export function jsonOf(apps: App[]): Map<string, string> {
  return new Map(chartsOf(apps).map((chart) => [chart.node.path, JSON.stringify(chart.toJson())]));
}

/** The key that identifies an object in a cluster. */
export function keyOf({ apiVersion, kind, metadata }: Manifest): string {
  return `${apiVersion.split('/').slice(0, -1).join('/')}/${kind} ${metadata.namespace ?? '-'}/${metadata.name}`;
}

/** The one object of a kind and name. */
export function find(objects: Manifest[], kind: string, name: string, namespace?: string): Manifest {
  const found = objects.filter((object) => object.kind === kind && object.metadata.name === name
    && (namespace === undefined || object.metadata.namespace === namespace));
  if (found.length !== 1) {
    const existing = objects.filter((object) => object.kind === kind).map(keyOf);
    throw new Error(`${found.length} objects ${kind} ${name}; existing objects: ${existing.join(', ') || 'none of that kind'}`);
  }
  return found[0];
}

/** Names of the objects of a kind. */
export function names(objects: Manifest[], kind: string): string[] {
  return objects.filter((object) => object.kind === kind).map(({ metadata }) => metadata.name).sort();
}
