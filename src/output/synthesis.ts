import { ApiObject, App, Chart, DependencyGraph, Names, YamlOutputType } from 'cdk8s';
import { IConstruct } from 'constructs';

/*
 * What `app.synth()` does before it writes: validations, dependencies, and which object goes into which file in which order. cdk8s does
 * some of it once more for each chart, and walks the whole program for it; here it is done once.
 */

/** One file of an app. */
export interface ManifestFile {
  /** Relative to the output directory. */
  readonly path: string;
  /** Its documents, or what makes them: an object is asked when its turn comes. */
  readonly documents: unknown[];
}

/** Throws with all that is wrong, as `app.synth()` does. */
export function validate(all: IConstruct[]): void {
  const errors = all.flatMap(({ node }) => node.validate().map((mistake) => `[${node.path}] ${mistake}`));
  if (errors.length > 0) throw new Error(`Validation failed with the following errors:\n  ${errors.join('\n  ')}`);
}

/**
 * Every dependency between constructs becomes one between their charts and one between each two of their objects. Says whether a chart
 * depends on another.
 */
export function resolveDependencies(all: IConstruct[]): boolean {
  let betweenCharts = false;
  for (const outer of all.filter(Chart.isChart)) {
    for (const inner of outer.node.children.filter(Chart.isChart)) {
      outer.node.addDependency(inner);
      betweenCharts = true;
    }
  }
  const dependencies = () => all.flatMap((source) => source.node.dependencies.map((target) => ({ source, target })));
  for (const { source, target } of dependencies()) {
    if (Chart.of(source) === Chart.of(target)) continue;
    Chart.of(source).node.addDependency(Chart.of(target));
    betweenCharts = true;
  }
  for (const { source, target } of dependencies()) {
    for (const before of objectsOf(target)) {
      objectsOf(source).filter((after) => after !== before).forEach((after) => after.node.addDependency(before));
    }
  }
  return betweenCharts;
}

/** The charts of an app, those first on which others depend. */
export function chartsOf(app: App, all: IConstruct[]): Chart[] {
  if (hasDependencies(all)) return app.charts;
  // By path, as cdk8s keeps them: an object puts keys that are numbers first.
  return Object.values(Object.fromEntries(all.filter(Chart.isChart).map((chart) => [chart.node.path, chart as Chart])));
}

/** The objects of a chart, without those of charts inside it, those first on which others depend. */
export function orderedObjects(chart: Chart): ApiObject[] {
  const all = chart.node.findAll();
  const ordered = hasDependencies(all) ? new DependencyGraph(chart.node).topology() : all;
  return ordered.filter((one): one is ApiObject => ApiObject.isApiObject(one) && one.chart === chart);
}

/** The folders of an app, also of charts without objects: who removes a call takes objects away, not the place that a tool looks at. */
export function foldersOf(app: App, charts: Chart[], betweenCharts: boolean): string[] {
  const inFolders = app.yamlOutputType === YamlOutputType.FOLDER_PER_CHART_FILE_PER_RESOURCE;
  return inFolders ? charts.map((chart, index) => nameOf(chart, index, betweenCharts)) : [];
}

/** The files of an app, as its `yamlOutputType` says. */
export function* filesOf(app: App, charts: Chart[], betweenCharts: boolean): Generator<ManifestFile> {
  const extension = app.outputFileExtension;
  switch (app.yamlOutputType) {
    case YamlOutputType.FILE_PER_APP:
      if (charts.length > 0) yield { path: `app${extension}`, documents: charts.flatMap(documentsOf) };
      return;
    case YamlOutputType.FILE_PER_CHART:
      for (const [index, chart] of charts.entries()) yield { path: nameOf(chart, index, betweenCharts) + extension, documents: documentsOf(chart) };
      return;
    case YamlOutputType.FILE_PER_RESOURCE:
      for (const document of charts.flatMap(documentsOf).map(jsonOf)) {
        if (document !== undefined) yield { path: fileOf(document) + extension, documents: [document] };
      }
      return;
    default:
      for (const [index, chart] of charts.entries()) {
        const folder = nameOf(chart, index, betweenCharts);
        for (const object of orderedObjects(chart)) yield { path: `${folder}/${fileOf(object)}${extension}`, documents: [object] };
      }
  }
}

/** A chart with a `toJson` of its own is asked for its documents, the others for their objects. */
function documentsOf(chart: Chart): unknown[] {
  return chart.toJson === Chart.prototype.toJson ? orderedObjects(chart) : Object.values(chart.toJson());
}

/** An object as it is written; other documents are as they are. */
export function jsonOf(document: unknown): any {
  return ApiObject.isApiObject(document) ? document.toJson() : document;
}

function objectsOf(construct: IConstruct): ApiObject[] {
  const chart = Chart.of(construct);
  return construct.node.findAll().filter((one): one is ApiObject => ApiObject.isApiObject(one) && Chart.of(one) === chart);
}

function hasDependencies(all: IConstruct[]): boolean {
  return all.some(({ node }) => node.dependencies.length > 0);
}

function nameOf(chart: Chart, index: number, betweenCharts: boolean): string {
  const name = Names.toDnsLabel(chart);
  return betweenCharts ? `${String(index).padStart(4, '0')}-${name}` : name;
}

function fileOf({ kind, metadata }: { readonly kind: string; readonly metadata: { readonly name?: string } }): string {
  return `${kind}.${metadata.name}`.replace(/[^0-9a-zA-Z-_.]/g, '');
}
