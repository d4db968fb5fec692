import { ApiObject, GroupVersionKind, JsonPatch, Lazy } from 'cdk8s';
import { Construct } from 'constructs';
import { Notes } from '../internal/model';

/** Name of an object; without namespace it is cluster-scoped. */
export interface Named {
  readonly name: string;
  readonly namespace?: string;
}

/** Names an Istio object of ours, its fields read when the chart is written. */
export function emit<Spec>(scope: Construct, gvk: GroupVersionKind, named: Named & { namespace: string }, spec: () => Spec): ApiObject {
  return new ApiObject(scope, idOf(gvk.kind, named), { ...gvk, metadata: { ...named }, spec: Lazy.any({ produce: spec }) });
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
