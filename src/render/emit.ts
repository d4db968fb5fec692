import {
  ApiObject, ApiObjectMetadataDefinition, App, Chart, GroupVersionKind, ImplicitTokenResolver, JsonPatch, Lazy, LazyResolver,
  NumberStringUnionResolver,
} from 'cdk8s';
import { Construct, IConstruct } from 'constructs';
import { isKept, keep, ownerOf } from './kept';
import { applyOrderOf } from './phases';
import { errorsInSize, roughSizeOf } from './size';
import { errorsInTexts } from './texts';
import { DIGEST, digestOf, WITHOUT_DIGEST } from '../model/digest';
import { Annotations, Texts } from '../model/model';

/** Name and namespace of an object. Without namespace it is cluster-scoped. */
interface Named {
  readonly name: string;
  readonly namespace?: string;
}

/**
 * Labels of every generated object, which identify this library as its owner. Pods do not have them: Istio derives the
 * names of workloads from labels of this kind.
 */
export const OWN_LABELS = { 'app.kubernetes.io/managed-by': 'cdk8s-mesh-federation', 'app.kubernetes.io/part-of': 'mesh-federation' };

/** Label with the name of the mesh. */
export const MESH_LABEL = annotationKey('mesh');
/** The mesh of a chart, and of what is in it. */
const meshNames = new WeakMap<IConstruct, string>();

/** Says of which mesh the generated objects in a chart are. */
export function setMesh(chart: Chart, meshName: string): void {
  meshNames.set(chart, meshName);
}

/** The mesh of generated objects in a construct. The library's own charts are inside that of the program. */
function meshNameIn(scope: IConstruct): string {
  const meshName = meshNames.get(scope) ?? meshNameIn(scope.node.scope!);
  meshNames.set(scope, meshName);
  return meshName;
}

interface Labelled extends Named {
  readonly labels?: { [name: string]: string };
  readonly annotations?: { [name: string]: string };
}

/** Metadata of a generated object, with its labels and the annotation for its place in the apply order. */
function metadataIn(scope: Construct, { name, namespace, labels, annotations }: Labelled): Labelled {
  const order = applyOrderOf(scope);
  return {
    name,
    namespace,
    labels: { ...labels, ...OWN_LABELS, [MESH_LABEL]: meshNameIn(scope) },
    ...(annotations || order) && { annotations: { ...annotations, ...order } },
  };
}

/** Creates an object whose spec is computed when the chart is written. */
export function emit<Spec>(scope: Construct, gvk: GroupVersionKind, named: Labelled, spec: () => Spec): ApiObject {
  return sealed(named, new RenderedObject(scope, idIn(scope, gvk.kind, named), gvk, named, spec), [], spec);
}

/**
 * Creates an object of a class that has its type, with our metadata. `additions` are fields that are newer than the class,
 * which would drop them.
 */
export function emitTyped<Props, Made extends ApiObject>(
  scope: Construct,
  type: { readonly GVK: GroupVersionKind; new(scope: Construct, id: string, props: Props): Made },
  named: Labelled,
  fields: Omit<Props, 'metadata'>,
  additions: JsonPatch[] = [],
): Made {
  return sealed(named, new type(scope, idIn(scope, type.GVK.kind, named), { metadata: metadataIn(scope, named), ...fields } as Props), additions);
}

/**
 * Creates such an object with its kind as construct id, for parents of which there are many. `constructs` keeps
 * children as keys of an object, and with some 1,500 different first keys V8 runs out of shapes for empty objects: the
 * whole program gets slow (docs/adr/0009).
 */
export function emitWithKindId<Spec>(scope: Construct, gvk: GroupVersionKind, named: Labelled, spec: () => Spec): ApiObject {
  const kinds = createdKinds.get(scope) ?? new Map<string, number>();
  const number = (kinds.get(gvk.kind) ?? 0) + 1;
  createdKinds.set(scope, kinds.set(gvk.kind, number));
  return sealed(named, new RenderedObject(scope, unusedId(scope, gvk.kind, number), gvk, named, spec), [], spec);
}

/** Labels and annotations that the library declares for an object, as they were given to cdk8s. */
interface Declared {
  readonly labels: { readonly [name: string]: unknown };
  readonly annotations: { [name: string]: unknown };
}

const declaredMetadata = new WeakMap<ApiObject, Declared>();

/**
 * Registers an object as ours, and gives it an annotation with the digest of what is generated. What the program adds,
 * JSON patches and metadata, is not in the digest, so that BoundaryValidation reports it.
 */
function sealed<Made extends ApiObject>(
  { namespace, labels, annotations }: Labelled, object: Made, additions: readonly JsonPatch[] = [], spec?: () => unknown,
): Made {
  const declared = { labels: { ...object.chart.labels, ...labels, [MESH_LABEL]: meshNameIn(object) }, annotations: { ...annotations } };
  declaredMetadata.set(object, declared);
  const ofClass = object.toJson.bind(object);
  const render = () => additions.length > 0 ? JsonPatch.apply(ofClass(), ...additions) : ofClass();
  const patches: JsonPatch[] = [];
  object.addJsonPatch = (...operations) => { patches.push(...operations); };
  object.toJson = () => {
    const json = WITHOUT_DIGEST.includes(object.kind) ? render() : withDigest(render(), namespace, declared, object.metadata);
    return patches.length > 0 ? JsonPatch.apply(json, ...patches) : json;
  };
  return keep(object, () => {
    const owner = ownerOf(object);
    const content = (patches.length === 0 ? spec?.() : undefined) ?? object.toJson();
    const metadata = metadataOf(object);
    return [
      ...errorsInTexts(owner, object, [metadata, content]),
      ...errorsInSize(owner, object, metadata.annotations ?? {}, roughSizeOf(content)),
    ];
  });
}

function metadataOf({ metadata }: ApiObject): { readonly annotations?: Texts } {
  return plainMetadata(metadata) ?? metadata.toJson();
}

/** `namespace` is the declared one: cdk8s also gives that of a chart to a cluster-scoped object. */
function withDigest(json: any, namespace: string | undefined, declared: Declared, current: ApiObjectMetadataDefinition): any {
  const { labels, annotations } = current as unknown as PrivateMetadata;
  const metadata = {
    name: json.metadata.name,
    namespace,
    labels: declaredValues(declared.labels, labels, json.metadata.labels),
    annotations: declaredValues(declared.annotations, annotations, json.metadata.annotations),
  };
  const withAnnotation = { ...json.metadata.annotations, [annotationKey(DIGEST)]: digestOf({ ...json, metadata }) };
  return { ...json, metadata: ordered({ ...json.metadata, annotations: withAnnotation }) };
}

/** The declared values as cdk8s renders them; one that the program has replaced, as it was declared. */
function declaredValues(declared: Declared['labels'], current: Declared['labels'] = {}, rendered: Declared['labels'] = {}): Declared['labels'] {
  return Object.fromEntries(Object.keys(declared).map((name) => [name, current[name] === declared[name] ? rendered[name] : declared[name]]));
}

/** How many objects of each kind were created with their kind as id, by their parents. */
const createdKinds = new WeakMap<Construct, Map<string, number>>();

/**
 * An object whose spec is plain data. cdk8s looks for tokens in every value of an object, and walks up the whole tree
 * for each. These specs contain no tokens, so only metadata with other values than strings are given to cdk8s
 * (docs/adr/0009 has the figures).
 */
class RenderedObject extends ApiObject {
  constructor(scope: Construct, id: string, private readonly gvk: GroupVersionKind, named: Labelled, private readonly spec: () => unknown) {
    super(scope, id, { apiVersion: gvk.apiVersion, kind: gvk.kind, metadata: metadataIn(scope, named) });
  }

  public override toJson(): any {
    return { ...this.gvk, metadata: this.plainMetadata() ?? this.metadata.toJson(), spec: ordered(this.spec()) };
  }

  /** Undefined if the app has resolvers of its own, which may find tokens in strings. */
  private plainMetadata(): object | undefined {
    return App.of(this).resolvers.every(({ constructor }) => CDK8S_RESOLVERS.has(constructor)) ? plainMetadata(this.metadata) : undefined;
  }
}

/** The private fields of cdk8s' metadata that are read here. */
interface PrivateMetadata {
  readonly labels?: { [name: string]: unknown };
  readonly annotations?: { [name: string]: unknown };
  readonly finalizers?: unknown[];
  readonly ownerReferences?: unknown[];
  readonly _additionalAttributes?: object;
}

/** The resolvers and the metadata attributes that cdk8s itself has. */
const CDK8S_RESOLVERS = new Set<unknown>([LazyResolver, ImplicitTokenResolver, NumberStringUnionResolver]);
const CDK8S_ATTRIBUTES = new Set(['name', 'namespace', 'labels', 'annotations']);

/**
 * Metadata that consist of strings only, in the form of `toJson`. There, the search for tokens takes a third of the
 * time of an object. The fields are private to cdk8s, so this returns undefined for anything unexpected, and cdk8s
 * renders the metadata.
 */
function plainMetadata(metadata: ApiObjectMetadataDefinition): { readonly annotations?: Texts } | undefined {
  const { labels, annotations, finalizers, ownerReferences, _additionalAttributes: others } = metadata as unknown as PrivateMetadata;
  if (!labels || !annotations || !others || finalizers?.length !== 0 || ownerReferences?.length !== 0) return undefined;
  for (const key in others) if (!CDK8S_ATTRIBUTES.has(key)) return undefined;
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

/** A copy with sorted keys and without undefined values, as cdk8s writes it. */
function ordered(value: any): any {
  // Always a copy: a list that occurs twice in a document would become a YAML alias.
  if (Array.isArray(value)) return typeof value[0] === 'string' ? [...value] : value.map(ordered);
  if (value === null || typeof value !== 'object') return value;
  const result: { [key: string]: unknown } = {};
  for (const key of sortedKeys(value)) {
    if (value[key] !== undefined) result[key] = ordered(value[key]);
  }
  return result;
}

/** Keys in order. Most objects are written in order already, and a check is cheaper than sorting. */
function sortedKeys(value: object): string[] {
  const keys = Object.keys(value);
  for (let index = 1; index < keys.length; index++) {
    if (keys[index - 1] > keys[index]) return keys.sort();
  }
  return keys;
}

/** A field of a typed object that is computed when the chart is written. */
export function lazyField<Value>(produce: () => Value): Value {
  return Lazy.any({ produce }) as Value;
}

/**
 * Construct id of an object: kind, namespace and name, so it is unique among ours within its parent. A second object of
 * ours with that id throws.
 */
export function idIn(scope: Construct, kind: string, { name, namespace }: Named): string {
  const id = [kind, namespace, name].filter((part) => part !== undefined).join('.');
  const child = scope.node.tryFindChild(id);
  return child && isKept(child) ? id : unusedId(scope, id);
}

/**
 * The first of `id`, `id2`, `id3` and so on that no child has, from a number on. Programs may add children with any id
 * to our constructs. Such a child must not make a call fail after it has registered something.
 */
function unusedId(scope: Construct, id: string, from = 1): string {
  const numbered = from === 1 ? id : `${id}${from}`;
  return scope.node.tryFindChild(numbered) ? unusedId(scope, id, from + 1) : numbered;
}

/**
 * Removes the namespace from a cluster-scoped object. cdk8s sets the namespace of a chart on each of its objects, and
 * the API server rejects it there.
 */
export function clusterScoped<Kind extends ApiObject>(object: Kind): Kind {
  if (object.chart.namespace !== undefined) object.addJsonPatch(JsonPatch.remove('/metadata/namespace'));
  return object;
}

/** Full key of an annotation of this library. */
export function annotationKey(name: string): string {
  return `cdk8s-mesh-federation/${name}`;
}

/** Adds the annotations that are set in `added`. Their texts may still grow, so they are read when the chart is written. */
export function annotateLater(object: ApiObject, added: Annotations, annotations: () => Annotations): void {
  for (const name in added) {
    if (added[name] !== undefined) object.metadata.addAnnotation(annotationKey(name), lazyField(() => annotations()[name]!));
  }
}

/** Adds what the program declares about an object, such as its purpose and owner, as annotations. */
export function annotate(object: ApiObject, annotations: Annotations): ApiObject {
  for (const name in annotations) {
    const text = annotations[name];
    if (text === undefined) continue;
    object.metadata.addAnnotation(annotationKey(name), text);
    declaredMetadata.get(object)!.annotations[annotationKey(name)] = text;
  }
  return object;
}
