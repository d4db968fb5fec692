import { ApiObject } from 'cdk8s';
import { IConstruct } from 'constructs';
import { describeError } from '../checks/errors';
import { LARGEST_ANNOTATIONS } from '../model/constants';
import { Texts } from '../model/model';

/*
 * The sizes that API servers accept. They reject a larger object but apply the rest of the file, so access that the
 * object revokes would stay open.
 */

/** Maximum size of an object in bytes of JSON: the request limit of etcd, minus what the API server adds. */
const LARGEST_OBJECT = 1_400_000;
/** Maximum size of all values of a ConfigMap. */
const LARGEST_DATA = 1024 ** 2;
/** No character of a text needs more bytes in JSON. */
const LONGEST_ESCAPE = 6;

/**
 * The errors of an object that the API server would reject for its size. An object is rendered a second time, for its
 * exact size, only if its rough size allows that it is too large.
 */
export function errorsInSize(owner: IConstruct, object: ApiObject, annotations: Texts, roughSize: number): string[] {
  const inAnnotations = bytesOf(annotations);
  return [
    ...inAnnotations > LARGEST_ANNOTATIONS
      ? [describeError('FED143', owner, `the annotations of ${nameOf(object)} have ${inAnnotations} bytes`,
        `use shorter or fewer texts, at most ${LARGEST_ANNOTATIONS} bytes: the API server accepts 256 KiB of annotations`)]
      : [],
    ...(roughSize + inAnnotations) * LONGEST_ESCAPE > LARGEST_DATA ? errorsInBytes(owner, object) : [],
  ];
}

function errorsInBytes(owner: IConstruct, object: ApiObject): string[] {
  const json: unknown = object.toJson();
  const { kind, data = {} } = json as { readonly kind: string; readonly data?: Texts };
  const inData = kind === 'ConfigMap' ? Object.values(data).reduce((sum, value) => sum + Buffer.byteLength(value), 0) : 0;
  if (inData > LARGEST_DATA) {
    return [describeError('FED135', owner, `the data of ${nameOf(object)} have ${inData} bytes, but the API server accepts 1 MiB`,
      'keep only current certificates and revocation lists in the trust bundles, or move some of the peers to a second boundary '
        + '(a FederatedMesh with another namespaceName)')];
  }
  const bytes = Buffer.byteLength(JSON.stringify(json));
  if (bytes <= LARGEST_OBJECT) return [];
  return [describeError('FED135', owner, `${nameOf(object)} has ${bytes} bytes, but etcd accepts 1.5 MB`,
    'move some of the peers and their bindings to a second boundary (a FederatedMesh with another namespaceName), or write shorter lists')];
}

function nameOf({ kind, name, metadata: { namespace } }: ApiObject): string {
  return `the ${kind} ${namespace === undefined ? name : `${namespace}/${name}`}`;
}

function bytesOf(annotations: Texts): number {
  let sum = 0;
  for (const name in annotations) sum += name.length + Buffer.byteLength(String(annotations[name]));
  return sum;
}

/** Rough size of plain data: the characters of each key and text, and the punctuation of each value. */
export function roughSizeOf(value: unknown): number {
  const size = 8;
  if (typeof value === 'string') return size + value.length;
  if (Array.isArray(value)) return value.reduce<number>((sum, item) => sum + roughSizeOf(item), size);
  if (typeof value !== 'object' || value === null) return size;
  let sum = size;
  for (const key in value) sum += key.length + roughSizeOf(value[key as keyof typeof value]);
  return sum;
}
