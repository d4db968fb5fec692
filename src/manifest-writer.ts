import { chmodSync, closeSync, existsSync, lstatSync, mkdirSync, mkdtempSync, openSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'fs';
import { dirname, join } from 'path';
import { ApiObject, App } from 'cdk8s';
import { fail, show } from './internal/errors';
import { checkFields } from './internal/kind-checks';
import { chartsOf, filesOf, foldersOf, jsonOf, ManifestFile, orderedObjects, resolveDependencies, validate } from './internal/synthesis';
import { documentOf } from './internal/yaml';

/**
 * A large federation, written in less than half of the time, in place of `app.synth()`:
 *
 *     ManifestWriter.write(app);
 *
 * `cdk8s synth` runs a program with this line as it runs any other.
 */

/** Options of `ManifestWriter.write`. */
export interface WriteOptions {
  /**
   * Whether to tell on the standard error how far it is.
   * @default - when that is a terminal
   */
  readonly progress?: boolean;
}

/** Objects between two reports of progress. */
const REPORTED = 1000;
/** Characters that are collected for one call of the file system. */
const CHUNK = 1_000_000;

/** Writes the manifests of any cdk8s app: the same bytes in the same files as `app.synth()`, faster. */
export class ManifestWriter {
  /**
   * Writes all files of an app, whatever its `yamlOutputType`.
   *
   * All validations run, each once: `app.synth()` runs them once more for each chart. Files come into their places when all are written;
   * when something is wrong, the output directory stays as it was. Throws what `app.synth()` throws, and FED120 for what is no app.
   *
   * @param app the app, with objects of whatever constructs
   */
  public static write(app: App, options: WriteOptions = {}): void {
    if (typeof app?.synth !== 'function') fail('FED120', 'ManifestWriter.write', `the app is ${show(app)}, no App`, 'give the App itself, not a chart of it');
    checkFields('ManifestWriter.write', 'WriteOptions', options, ['progress']);
    const all = app.node.findAll();
    validate(all);
    const betweenCharts = resolveDependencies(all);
    const charts = chartsOf(app, all);
    const progress = new Progress(options.progress ?? process.stderr.isTTY, all.filter(ApiObject.isApiObject).length);
    const staged = new Staging(app.outdir);
    try {
      for (const file of filesOf(app, charts, betweenCharts)) staged.write(file, progress);
      // Where `cdk8s synth` with validations finds the construct of an object. cdk8s keeps the switch to itself.
      if ((app as any).recordConstructMetadata) {
        const resources = Object.fromEntries(charts.flatMap(orderedObjects).map(({ name, node }) => [name, { path: node.path }]));
        staged.keep('construct-metadata.json', JSON.stringify({ version: '1.0.0', resources }));
      }
      staged.publish(foldersOf(app, charts, betweenCharts));
    } finally {
      staged.remove();
      progress.end();
    }
  }

  private constructor() {}
}

/** Files that come into their places together. */
class Staging {
  private readonly directory: string;
  /** Where each file is until it comes into its place. */
  private readonly files = new Map<string, string>();

  constructor(private readonly outdir: string) {
    mkdirSync(outdir, { recursive: true });
    this.directory = mkdtempSync(join(outdir, '.writing-'));
  }

  public write({ path, documents }: ManifestFile, progress: Progress): void {
    const file = openSync(this.writtenFor(path), 'w');
    try {
      let text = '';
      for (const [index, document] of documents.entries()) {
        text += index === 0 ? '' : '---\n';
        text += documentOf(jsonOf(document));
        progress.step();
        if (text.length > CHUNK) {
          writeFileSync(file, text);
          text = '';
        }
      }
      writeFileSync(file, text);
    } finally {
      closeSync(file);
    }
  }

  public keep(path: string, text: string): void {
    writeFileSync(this.writtenFor(path), text);
  }

  public publish(folders: string[]): void {
    const files = [...this.files].map(([path, written]) => ({ written, place: join(this.outdir, path) }));
    const directories = [...new Set([...folders.map((folder) => join(this.outdir, folder)), ...files.map(({ place }) => dirname(place))])];
    // Fails as app.synth() does, before the first file is in its place.
    directories.filter((path) => existsSync(path) && !statSync(path).isDirectory()).forEach((path) => mkdirSync(path));
    files.filter(({ place }) => existsSync(place)).forEach(({ place }) => closeSync(openSync(place, 'r+')));
    directories.forEach((path) => mkdirSync(path, { recursive: true }));
    files.forEach(({ written, place }) => put(written, place));
  }

  public remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }

  /** Under a number, which no tool takes for a manifest: what a run leaves that is killed must not be applied. */
  private writtenFor(path: string): string {
    const written = this.files.get(path) ?? join(this.directory, String(this.files.size));
    this.files.set(path, written);
    return written;
  }
}

/** Who linked a file elsewhere, or let nobody else read it, finds it so again. */
function put(written: string, place: string): void {
  const before = lstatSync(place, { throwIfNoEntry: false });
  if (before?.isSymbolicLink()) return writeFileSync(place, readFileSync(written));
  if (before) chmodSync(written, before.mode);
  renameSync(written, place);
}

/** How far it is, on one line of a terminal. */
class Progress {
  private done = 0;

  constructor(private readonly shown: boolean, private readonly total: number) {}

  public step(): void {
    this.done++;
    if (this.shown && (this.done % REPORTED === 0 || this.done === this.total)) process.stderr.write(`\r${this.done} of ${this.total} objects`);
  }

  public end(): void {
    if (this.shown && this.done > 0) process.stderr.write('\n');
  }
}
