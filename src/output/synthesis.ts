import { ApiObject, App, Chart, DependencyGraph, Names, YamlOutputType } from 'cdk8s';
import { IConstruct } from 'constructs';

/*
 * The steps of `app.synth()` before it writes: validation, dependencies, and the files and order of objects. cdk8s
 * repeats some steps for each chart, and walks the whole construct tree each time; here each step runs once.
 */

/** One file of an app. */
export interface ManifestFile {
  /** Relative to the output directory. */
  readonly path: string;
  /** Its documents. An ApiObject among them is rendered only when it is written. */
  readonly documents: unknown[];
}

/** Throws one error with all validation errors, as `app.synth()` does. */
export function validate(all: IConstruct[]): void {
  const errors = all.flatMap(({ node }) => node.validate().map((error) => `[${node.path}] ${error}`));
  if (errors.length > 0) throw new Error(`Validation failed with the following errors:\n  ${errors.join('\n  ')}`);
}

/**
 * Turns every dependency between constructs into dependencies between their charts, and between each two of their
 * objects. Returns whether a chart depends on another.
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

/** The charts of an app in order of their dependencies. */
export function chartsOf(app: App, all: IConstruct[]): Chart[] {
  if (hasDependencies(all)) return app.charts;
  // Keyed by path like in cdk8s: a JavaScript object has numeric keys first, which affects the order.
  return Object.values(Object.fromEntries(all.filter(Chart.isChart).map((chart) => [chart.node.path, chart as Chart])));
}

/** The objects of a chart in order of their dependencies, without those of nested charts. */
export function orderedObjects(chart: Chart): ApiObject[] {
  const all = chart.node.findAll();
  const ordered = hasDependencies(all) ? new DependencyGraph(chart.node).topology() : all;
  return ordered.filter((one): one is ApiObject => ApiObject.isApiObject(one) && one.chart === chart);
}

/**
 * The folders of an app, including those of charts without objects: a delivery tool may read the folder even if it is
 * empty.
 */
export function foldersOf(app: App, charts: Chart[], betweenCharts: boolean): string[] {
  const inFolders = app.yamlOutputType === YamlOutputType.FOLDER_PER_CHART_FILE_PER_RESOURCE;
  return inFolders ? charts.map((chart, index) => chartName(chart, index, betweenCharts)) : [];
}

/** The files of an app, according to its `yamlOutputType`. */
export function* filesOf(app: App, charts: Chart[], betweenCharts: boolean): Generator<ManifestFile> {
  const extension = app.outputFileExtension;
  switch (app.yamlOutputType) {
    case YamlOutputType.FILE_PER_APP:
      if (charts.length > 0) yield { path: `app${extension}`, documents: charts.flatMap(documentsOf) };
      return;
    case YamlOutputType.FILE_PER_CHART:
      for (const [index, chart] of charts.entries()) {
        yield { path: chartName(chart, index, betweenCharts) + extension, documents: documentsOf(chart) };
      }
      return;
    case YamlOutputType.FILE_PER_RESOURCE:
      for (const document of charts.flatMap(documentsOf).map(jsonOf)) {
        if (document !== undefined) yield { path: fileName(document) + extension, documents: [document] };
      }
      return;
    default:
      for (const [index, chart] of charts.entries()) {
        const folder = chartName(chart, index, betweenCharts);
        for (const object of orderedObjects(chart)) yield { path: `${folder}/${fileName(object)}${extension}`, documents: [object] };
      }
  }
}

/** The documents of a chart: the result of `toJson` if the chart overrides it, otherwise its objects. */
function documentsOf(chart: Chart): unknown[] {
  return chart.toJson === Chart.prototype.toJson ? orderedObjects(chart) : Object.values(chart.toJson());
}

/** The JSON of an ApiObject. Other documents are returned unchanged. */
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

function chartName(chart: Chart, index: number, betweenCharts: boolean): string {
  const name = Names.toDnsLabel(chart);
  return betweenCharts ? `${String(index).padStart(4, '0')}-${name}` : name;
}

function fileName({ kind, metadata }: { readonly kind: string; readonly metadata: { readonly name?: string } }): string {
  return `${kind}.${metadata.name}`.replace(/[^0-9a-zA-Z-_.]/g, '');
}
