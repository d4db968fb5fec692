import { ApiObject, GroupVersionKind, JsonPatch, Lazy } from 'cdk8s';
import { Construct } from 'constructs';
import { orderOf } from './phases';
import { Notes } from '../internal/model';

/** Name of an object; without namespace it is cluster-scoped. */
export interface Named {
  readonly name: string;
  readonly namespace?: string;
}

/** What tells people and tools whose an object is. Pods do not have it: Istio's names for workloads come from labels of this kind. */
const OURS = { 'app.kubernetes.io/managed-by': 'cdk8s-mesh-federation', 'app.kubernetes.io/part-of': 'mesh-federation' };

interface Labelled extends Named {
  readonly labels?: { [name: string]: string };
  readonly annotations?: { [name: string]: string };
}

/** Metadata of an object of ours, with its place in the order of delivery. */
export function metadataIn(scope: Construct, named: Labelled): Labelled {
  const annotations = { ...named.annotations, ...orderOf(scope) };
  return {
    ...named,
    labels: { ...named.labels, ...OURS },
    ...Object.keys(annotations).length === 0 ? {} : { annotations },
  };
}

/** Names an object of ours, its fields read when the chart is written. */
export function emit<Spec>(scope: Construct, gvk: GroupVersionKind, named: Labelled, spec: () => Spec): ApiObject {
  return new RenderedObject(scope, idOf(gvk.kind, named), gvk, named, spec);
}

/**
 * An object whose spec is plain data when it is asked for. cdk8s looks for tokens in every value of an object, and walks up the whole
 * tree for each: there are none here, so only metadata goes that way (docs/adr/0009 has the figures).
 */
class RenderedObject extends ApiObject {
  private readonly ownPatches: JsonPatch[] = [];

  constructor(scope: Construct, id: string, private readonly gvk: GroupVersionKind, named: Labelled, private readonly spec: () => unknown) {
    super(scope, id, { ...gvk, metadata: metadataIn(scope, named) });
  }

  public override addJsonPatch(...operations: JsonPatch[]): void {
    this.ownPatches.push(...operations);
  }

  public override toJson(): any {
    const json = { ...this.gvk, metadata: this.metadata.toJson(), spec: ordered(this.spec()) };
    return this.ownPatches.length === 0 ? json : JsonPatch.apply(json, ...this.ownPatches);
  }
}

/** The same data with its keys in order and without those that have no value, as cdk8s writes them. */
function ordered(value: any): any {
  // Always a copy: a list that stands twice in a document would become a YAML alias.
  if (Array.isArray(value)) return typeof value[0] === 'string' ? [...value] : value.map(ordered);
  if (value === null || typeof value !== 'object') return value;
  const result: { [key: string]: unknown } = {};
  for (const key of Object.keys(value).sort()) {
    if (value[key] !== undefined) result[key] = ordered(value[key]);
  }
  return result;
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

/** Keeps what people stated about an object with the object. */
export function annotate(object: ApiObject, notes: Notes): ApiObject {
  for (const [name, text] of Object.entries(notes)) {
    if (text !== undefined) object.metadata.addAnnotation(`cdk8s-mesh-federation/${name}`, text);
  }
  return object;
}
