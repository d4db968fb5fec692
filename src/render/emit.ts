import {
  ApiObject, ApiObjectMetadataDefinition, App, GroupVersionKind, ImplicitTokenResolver, JsonPatch, Lazy, LazyResolver, NumberStringUnionResolver,
} from 'cdk8s';
import { Construct } from 'constructs';
import { applyOrderOf } from './phases';
import { Annotations } from '../model/model';

/** Name of an object; without namespace it is cluster-scoped. */
export interface Named {
  readonly name: string;
  readonly namespace?: string;
}

/** What tells people and tools whose an object is. Pods do not have it: Istio's names for workloads come from labels of this kind. */
export const OWN_LABELS = { 'app.kubernetes.io/managed-by': 'cdk8s-mesh-federation', 'app.kubernetes.io/part-of': 'mesh-federation' };

interface Labelled extends Named {
  readonly labels?: { [name: string]: string };
  readonly annotations?: { [name: string]: string };
}

/** Metadata of an object of ours, with its place in the order of delivery. */
export function metadataIn(scope: Construct, { name, namespace, labels, annotations }: Labelled): Labelled {
  const order = applyOrderOf(scope);
  return {
    name,
    ...namespace !== undefined && { namespace },
    labels: labels ? { ...labels, ...OWN_LABELS } : OWN_LABELS,
    ...(annotations || order) && { annotations: { ...annotations, ...order } },
  };
}

/** Names an object of ours, its fields read when the chart is written. */
export function emit<Spec>(scope: Construct, gvk: GroupVersionKind, named: Labelled, spec: () => Spec, id = idOf(gvk.kind, named)): ApiObject {
  return new RenderedObject(scope, id, gvk, named, spec);
}

/**
 * The same for an object in a parent of its own, of which there are many: its id is the same in each. Children are keys of an object, and
 * with some 1,500 different first keys V8 has no more shapes for empty objects: all of the program gets slow (docs/adr/0009).
 */
export function emitWithKindId<Spec>(scope: Construct, gvk: GroupVersionKind, named: Labelled, spec: () => Spec): ApiObject {
  const before = scope.node.children.filter((child) => ApiObject.isApiObject(child) && child.kind === gvk.kind).length;
  return emit(scope, gvk, named, spec, before === 0 ? gvk.kind : `${gvk.kind}${before + 1}`);
}

/**
 * An object whose spec is plain data when it is asked for. cdk8s looks for tokens in every value of an object, and walks up the whole
 * tree for each: there are none here, so only metadata that are more than texts go that way (docs/adr/0009 has the figures).
 */
class RenderedObject extends ApiObject {
  private ownPatches?: JsonPatch[];

  constructor(scope: Construct, id: string, private readonly gvk: GroupVersionKind, named: Labelled, private readonly spec: () => unknown) {
    super(scope, id, { apiVersion: gvk.apiVersion, kind: gvk.kind, metadata: metadataIn(scope, named) });
  }

  public override addJsonPatch(...operations: JsonPatch[]): void {
    this.ownPatches = [...this.ownPatches ?? [], ...operations];
  }

  public override toJson(): any {
    const json = { ...this.gvk, metadata: this.plainMetadata() ?? this.metadata.toJson(), spec: ordered(this.spec()) };
    return this.ownPatches ? JsonPatch.apply(json, ...this.ownPatches) : json;
  }

  /** Not where resolvers of the app may find tokens in texts. */
  private plainMetadata(): object | undefined {
    return App.of(this).resolvers.every(({ constructor }) => OWN_RESOLVERS.has(constructor)) ? plainMetadata(this.metadata) : undefined;
  }
}

/** What cdk8s keeps of an object's metadata. */
interface Kept {
  readonly labels?: { [name: string]: unknown };
  readonly annotations?: { [name: string]: unknown };
  readonly finalizers?: unknown[];
  readonly ownerReferences?: unknown[];
  readonly _additionalAttributes?: object;
}

/** Those of cdk8s. */
const OWN_RESOLVERS = new Set<unknown>([LazyResolver, ImplicitTokenResolver, NumberStringUnionResolver]);
const OWN_ATTRIBUTES = new Set(['name', 'namespace', 'labels', 'annotations']);

/**
 * Metadata that are texts alone, as `toJson` gives them: a third of the time that an object takes is spent there on looking for tokens. What
 * is read is private to cdk8s, so whatever is not as expected leaves it to cdk8s.
 */
function plainMetadata(metadata: ApiObjectMetadataDefinition): object | undefined {
  const { labels, annotations, finalizers, ownerReferences, _additionalAttributes: others } = metadata as unknown as Kept;
  if (!labels || !annotations || !others || finalizers?.length !== 0 || ownerReferences?.length !== 0) return undefined;
  for (const key in others) if (!OWN_ATTRIBUTES.has(key)) return undefined;
  const json: { [key: string]: unknown } = {};
  for (const [key, values] of [['annotations', annotations], ['labels', labels]] as const) {
    const texts: { [name: string]: unknown } = {};
    for (const name of sortedKeys(values)) {
      const value = values[name];
      texts[name] = value instanceof Lazy ? value.produce() : value;
      if (typeof texts[name] !== 'string') return undefined;
    }
    if (Object.keys(texts).length > 0) json[key] = texts;
  }
  json.name = metadata.name;
  if (metadata.namespace !== undefined) json.namespace = metadata.namespace;
  return json;
}

/** The same data with its keys in order and without those that have no value, as cdk8s writes them. */
function ordered(value: any): any {
  // Always a copy: a list that stands twice in a document would become a YAML alias.
  if (Array.isArray(value)) return typeof value[0] === 'string' ? [...value] : value.map(ordered);
  if (value === null || typeof value !== 'object') return value;
  const result: { [key: string]: unknown } = {};
  for (const key of sortedKeys(value)) {
    if (value[key] !== undefined) result[key] = ordered(value[key]);
  }
  return result;
}

/** Most are written in order, and looking is cheaper than sorting. */
function sortedKeys(value: object): string[] {
  const keys = Object.keys(value);
  for (let index = 1; index < keys.length; index++) {
    if (keys[index - 1] > keys[index]) return keys.sort();
  }
  return keys;
}

/** A field of a typed object that is read when the chart is written. */
export function late<Value>(produce: () => Value): Value {
  return Lazy.any({ produce }) as Value;
}

/** Id of an object's construct: unique within its parent, and it tells which object it is. */
export function idOf(kind: string, { name, namespace }: Named): string {
  return [kind, namespace, name].filter((part) => part !== undefined).join('.');
}

/** cdk8s stamps the namespace of a chart on every object of it, and the API server refuses one on a cluster-scoped object. */
export function clusterScoped<Kind extends ApiObject>(object: Kind): Kind {
  if (object.chart.namespace !== undefined) object.addJsonPatch(JsonPatch.remove('/metadata/namespace'));
  return object;
}

/** Under which name an object keeps a note. */
export function annotationKey(note: string): string {
  return `cdk8s-mesh-federation/${note}`;
}

/** Keeps what people stated about an object with the object. */
export function annotate(object: ApiObject, annotations: Annotations): ApiObject {
  for (const name in annotations) {
    const text = annotations[name];
    if (text !== undefined) object.metadata.addAnnotation(annotationKey(name), text);
  }
  return object;
}
