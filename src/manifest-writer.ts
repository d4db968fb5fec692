import { ApiObject, App } from 'cdk8s';
import { fail, hasPath, show } from './checks/errors';
import { checkFlag, fieldsOf, parseFields } from './checks/kinds';
import { Progress, Staging } from './output/staging';
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
   * them are written, so that the output directory is unchanged after an error. Throws the errors of `app.synth()`, and
   * FED120 for a value that is not an App.
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

  private constructor() {}
}
