import { ApiObject, App, Chart } from 'cdk8s';
import { fail, hasPath, show } from './checks/errors';
import { checkFlag, fieldsOf, parseFields } from './checks/kinds';
import { OutputError, Progress, Staging } from './output/staging';
import { chartsOf, filesOf, foldersOf, orderedObjects, resolveDependencies, validate } from './output/synthesis';

/**
 * Options of `ManifestWriter.write`: whether it reports progress.
 *
 * @exampleMetadata fixture=meshes
 * @example
 * ManifestWriter.write(app, { progress: false }); // never, also on a terminal
 */
export interface WriteOptions {
  /**
   * Whether to report progress on the standard error.
   * @default - if the standard error is a terminal
   */
  readonly progress?: boolean;
}

const FIELDS = fieldsOf<WriteOptions>({ progress: true });

/**
 * Writes the manifests of any cdk8s app: the same bytes in the same files as `app.synth()`, in less than half of the
 * time for a large federation.
 *
 * Call it where a program calls `app.synth()`. `cdk8s synth` runs such a program as it runs any other.
 *
 * @exampleMetadata fixture=meshes
 * @example
 * ManifestWriter.write(app); // instead of app.synth()
 */
export class ManifestWriter {
  /**
   * Writes all files of an app, whatever its `yamlOutputType`.
   *
   * Runs every validation once; `app.synth()` runs them again for each chart. Files are moved into place after all of
   * them are written, so that the output directory is unchanged after an error. Throws the validation errors of
   * `app.synth()`, FED120 for a value that is not an App, and FED155 for a file that cannot be written.
   *
   * @param app the app, with objects of any constructs
   */
  public static write(app: App, options: WriteOptions = {}): void {
    if (!hasPath(app) || typeof app.synth !== 'function') {
      fail('FED120', 'ManifestWriter.write', `the app must be an App, not ${show(app)}`, 'use the App itself, not one of its charts');
    }
    const { progress: reports = process.stderr.isTTY } = parseFields('ManifestWriter.write', 'WriteOptions', options, FIELDS);
    checkFlag('ManifestWriter.write', 'progress', reports);
    const all = app.node.findAll();
    validate(all);
    const betweenCharts = resolveDependencies(all);
    const charts = chartsOf(app, all);
    const progress = new Progress(reports, all.filter(ApiObject.isApiObject).length);
    try {
      publish(app, charts, betweenCharts, progress);
    } catch (error) {
      if (error instanceof OutputError) rejectPath(error);
      throw error;
    }
  }

  private constructor() {}
}

/** Writes all files to a temporary directory, and moves them into place together. */
function publish(app: App, charts: Chart[], betweenCharts: boolean, progress: Progress): void {
  const staged = new Staging(app.outdir);
  try {
    for (const file of filesOf(app, charts, betweenCharts)) staged.write(file, progress);
    // `cdk8s synth` with validations looks up the constructs of objects in this file. The option is private in cdk8s.
    if ((app as any).recordConstructMetadata) {
      const resources = Object.fromEntries(charts.flatMap(orderedObjects).map(({ name, node }) => [name, { path: node.path }]));
      staged.writeText('construct-metadata.json', JSON.stringify({ version: '1.0.0', resources }));
    }
    staged.publish(foldersOf(app, charts, betweenCharts));
  } finally {
    staged.remove();
    progress.end();
  }
}

/** What to do about the errors of operating systems that have a cause in the program or its surroundings. */
const FIXES: { readonly [reason: string]: string } = {
  EACCES: 'allow the user of the program to write there',
  EEXIST: 'remove the file that has the name of a directory, or set another outdir',
  EISDIR: 'remove the directory that has the name of the file, or set another outdir',
  ELOOP: 'remove the symbolic links, which lead to each other',
  ENAMETOOLONG: 'use a shorter name, or an output type without the names of objects: YamlOutputType.FILE_PER_CHART',
  ENOENT: 'create the directory to which the symbolic link leads, and let no other program remove the output directory meanwhile',
  ENOSPC: 'free some space',
  ENOTDIR: 'remove the file that has the name of a directory, or set another outdir',
  EPERM: 'allow the user of the program to write there',
  EROFS: 'use a directory of a file system that can be written',
};

function rejectPath({ path, reason }: OutputError): never {
  fail('FED155', 'ManifestWriter.write', `${show(path)} cannot be written (${reason}), and all files are as before`,
    FIXES[reason] ?? 'set an outdir that can be written');
}
