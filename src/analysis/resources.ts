import { existsSync, readFileSync } from 'fs';
import { basename, dirname, join } from 'path';

/*
 * Which construct wrote an object. cdk8s records it for each app beside its files, by the name of the object alone, the last of that name.
 */

/** A document of some file. */
export interface Manifest {
  readonly file: string;
  readonly document: any;
}

/** Constructs by names of objects. */
export interface ConstructPaths { [name: string]: { readonly path: string } }

const RECORD = 'construct-metadata.json';
/** A program may have several apps, each with a directory of its own and folders in it. */
const LEVELS = 3;

export class Resources {
  private readonly records = new Map<string, ConstructPaths>();
  /** Where the record of the files of a folder is. */
  private readonly places = new Map<string, string>();
  /** How many objects have a name, in each app, in each folder and in each file. */
  private readonly counts = new Map<string, number>();

  /** `given` is what cdk8s-cli knows of the app in the output directory itself, and what it shows from. */
  constructor(manifests: Manifest[], private readonly given: ConstructPaths) {
    for (const { file, document } of manifests) {
      for (const place of [this.recordFor(file), dirname(file), file]) {
        const key = this.keyIn(place, document);
        this.counts.set(key, (this.counts.get(key) ?? 0) + 1);
      }
    }
  }

  /** What cdk8s-cli is told of an object. It shows the path that it has for the resource's name. */
  public describe(manifest: Manifest, errors: string[]) {
    const resourceName = nameOf(manifest.document);
    const path = this.pathOf(manifest);
    if (path !== undefined) this.given[resourceName] = { path };
    return { resourceName, manifestPath: manifest.file, locations: errors };
  }

  /** Of several objects with one name only the last is recorded: it is this one if nobody else in the file or folder of its chart has the name. */
  private pathOf({ file, document }: Manifest): string | undefined {
    const record = this.recordFor(file);
    const path = this.recorded(record)[document.metadata?.name]?.path;
    if (path === undefined || this.counts.get(this.keyIn(record, document)) === 1) return path;
    const [chart] = path.split('/');
    const place = basename(dirname(file)) === chart ? dirname(file) : basename(file).startsWith(`${chart}.`) ? file : undefined;
    return place !== undefined && this.counts.get(this.keyIn(place, document)) === 1 ? path : undefined;
  }

  private recordFor(file: string): string {
    const folder = dirname(file);
    const place = this.places.get(folder) ?? recordAbove(folder);
    this.places.set(folder, place);
    return place;
  }

  private recorded(record: string): ConstructPaths {
    const known = this.records.get(record) ?? (record === '' ? this.given : JSON.parse(readFileSync(record, 'utf8')).resources);
    this.records.set(record, known);
    return known;
  }

  private keyIn(place: string, { metadata }: any): string {
    return `${place}\n${metadata?.name}`;
  }
}

/** `Kind namespace/name` */
export function nameOf({ kind, metadata }: any): string {
  return `${kind} ${metadata?.namespace === undefined ? '' : `${metadata.namespace}/`}${metadata?.name}`;
}

/** The record of the app that wrote into a folder, or nothing. */
function recordAbove(folder: string): string {
  let directory = folder;
  for (let level = 0; level < LEVELS; level++) {
    const record = join(directory, RECORD);
    if (existsSync(record)) return record;
    directory = dirname(directory);
  }
  return '';
}
