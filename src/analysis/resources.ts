import { existsSync, readFileSync } from 'fs';
import { basename, dirname, join } from 'path';
import { objectName } from './documents';
import type { Manifest } from './manifests';

/*
 * Construct paths of objects, for the report. cdk8s records them in one file for each app, by object name only: of
 * several objects with one name it records the last.
 */

/** Construct paths by object name. */
export interface ConstructPaths { [name: string]: { readonly path: string } }

/** File in which cdk8s records construct paths. */
const RECORD = 'construct-metadata.json';
/**
 * Number of directories that are searched upwards: a program may have several apps, each with an output directory and
 * folders in it.
 */
const MAX_LEVELS = 3;

/** Objects of manifests, with the constructs that created them. */
export class Resources {
  private readonly records = new Map<string, ConstructPaths>();
  /** Path of the record for the files of each folder. */
  private readonly recordPaths = new Map<string, string>();
  /** Number of objects with each name, in each app, in each folder and in each file. */
  private readonly counts = new Map<string, number>();

  /**
   * `given` is cdk8s-cli's record for the app in the output directory itself. cdk8s-cli looks up the paths of its
   * report there.
   */
  constructor(manifests: Manifest[], private readonly given: ConstructPaths) {
    for (const { file, document } of manifests) {
      for (const place of [this.recordFor(file), dirname(file), file]) {
        const key = this.keyIn(place, document);
        this.counts.set(key, (this.counts.get(key) ?? 0) + 1);
      }
    }
  }

  /**
   * Entry of the report for one object. Adds its construct path to `given`, where cdk8s-cli looks it up by resource
   * name.
   */
  public describe(manifest: Manifest, errors: string[]) {
    const resourceName = objectName(manifest.document);
    const path = this.pathOf(manifest);
    if (path !== undefined) this.given[resourceName] = { path };
    return { resourceName, manifestPath: manifest.file, locations: errors };
  }

  /**
   * Construct path of an object, or undefined if it is ambiguous. Of several objects with one name only the last is
   * recorded: this is the object if no other in the file or folder of the recorded chart has the name.
   */
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
    const place = this.recordPaths.get(folder) ?? recordAbove(folder);
    this.recordPaths.set(folder, place);
    return place;
  }

  private recorded(record: string): ConstructPaths {
    const paths = this.records.get(record) ?? (record === '' ? this.given : JSON.parse(readFileSync(record, 'utf8')).resources);
    this.records.set(record, paths);
    return paths;
  }

  private keyIn(place: string, { metadata }: any): string {
    return `${place}\n${metadata?.name}`;
  }
}

/** Path of the record of the app that wrote a folder, or an empty string. */
function recordAbove(folder: string): string {
  let directory = folder;
  for (let level = 0; level < MAX_LEVELS; level++) {
    const record = join(directory, RECORD);
    if (existsSync(record)) return record;
    directory = dirname(directory);
  }
  return '';
}
