import { execFileSync } from 'child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'fs';
import { cpus, tmpdir } from 'os';
import { join } from 'path';
import { performance } from 'perf_hooks';
import { ApiObject, App, Chart, Yaml } from 'cdk8s';
import Table from 'cli-table3';
import { DOCUMENTS_PER_SERVICE, federation } from './federation';
import { ManifestWriter } from '../src';

const SIZES = [1000, 5000, 20_000, 50_000, 100_000];
/** Number of rounds; fewer for the largest sizes, which take minutes. */
const roundsFor = (size: number) => size > 20_000 ? 3 : 5;

/** Kinds of measurement. Each runs in a separate process, in turn, so that a change of the machine's speed affects all kinds. */
const KINDS = {
  raw: 'the same documents as raw ApiObjects, app.synth()',
  library: 'the library, app.synth()',
  writer: 'the library, ManifestWriter.write(app)',
  rawWriter: 'the raw ApiObjects, ManifestWriter.write(app)',
  yaml: 'the YAML library alone, from plain data to text',
};
type Kind = keyof typeof KINDS;

interface Measured { readonly milliseconds: number; readonly megabytes: number; readonly documents: number }

/** An app with the same documents as raw ApiObjects. */
function raw(documents: { readonly [chart: string]: any[] }, outdir: string): App {
  const app = new App({ outdir });
  for (const [id, objects] of Object.entries(documents)) {
    const chart = new Chart(app, id);
    objects.forEach((object, index) => new ApiObject(chart, `Object${index}`, object));
  }
  return app;
}

/** Measures one run in this process, after modules and input have been loaded. */
export function measureHere([kind, size, input, outdir]: string[]): void {
  const documents = ['raw', 'rawWriter', 'yaml'].includes(kind) ? JSON.parse(readFileSync(input, 'utf8')) : {};
  const started = performance.now();
  let count = 0;
  if (kind === 'yaml') {
    for (const objects of Object.values<any[]>(documents)) {
      for (const object of objects) count += Yaml.stringify(object).length > 0 ? 1 : 0;
    }
  } else {
    const app = kind.startsWith('raw') ? raw(documents, outdir) : federation(Number(size) / DOCUMENTS_PER_SERVICE, outdir);
    if (kind.toLowerCase().endsWith('writer')) ManifestWriter.write(app);
    else app.synth();
    count = app.node.findAll().filter((construct) => ApiObject.isApiObject(construct)).length;
  }
  const milliseconds = performance.now() - started;
  const measured: Measured = { milliseconds, megabytes: process.resourceUsage().maxRSS / 1024, documents: count };
  process.stdout.write(`${JSON.stringify(measured)}\n`);
}

function measure(kind: Kind, size: number, input: string, outdir: string): Measured {
  const answer = execFileSync(process.execPath, ['-r', 'ts-node/register/transpile-only', join(__dirname, 'main.ts'), 'measure', kind, String(size), input, outdir], {
    encoding: 'utf8', env: { ...process.env, TS_NODE_PROJECT: join(__dirname, 'tsconfig.json') }, maxBuffer: 1_000_000,
  });
  return JSON.parse(answer.trim().split('\n').at(-1)!);
}

export function median(values: number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
}

function compare(size: number, directory: string): string[] {
  const input = join(directory, `${size}.json`);
  const app = federation(size / DOCUMENTS_PER_SERVICE, join(directory, 'unused'));
  writeFileSync(input, JSON.stringify(Object.fromEntries(app.charts.map((chart) => [chart.node.id, chart.toJson()]))));
  const kinds = Object.keys(KINDS) as Kind[];
  const rounds = Array.from({ length: roundsFor(size) }, () =>
    Object.fromEntries(kinds.map((kind) => [kind, measure(kind, size, input, join(directory, kind))])) as Record<Kind, Measured>);
  const [{ library: { documents } }] = rounds;
  for (const kind of kinds) if (rounds[0][kind].documents !== documents) throw new Error(`${kind} wrote ${rounds[0][kind].documents} documents, not ${documents}`);
  const time = (kind: Kind) => median(rounds.map((round) => round[kind].milliseconds));
  const ratio = (kind: Kind) => median(rounds.map((round) => round[kind].milliseconds / round.raw.milliseconds)).toFixed(2);
  const memory = (kind: Kind) => Math.round(median(rounds.map((round) => round[kind].megabytes)));
  return [
    documents.toLocaleString('en'),
    ...(['raw', 'yaml', 'library', 'writer', 'rawWriter'] as const).map((kind) => `${(time(kind) / 1000).toFixed(2)} s`),
    ratio('library'), ratio('writer'), ratio('rawWriter'),
    `${(time('library') / documents).toFixed(3)} ms`, `${(time('writer') / documents).toFixed(3)} ms`,
    `${memory('raw')} / ${memory('library')} / ${memory('writer')} MB`,
  ];
}

export function synth(sizes: number[]): void {
  const directory = mkdtempSync(join(tmpdir(), 'bench-'));
  try {
    const head = ['documents', 'raw', 'yaml alone', 'library', 'writer', 'raw, writer', 'library : raw', 'writer : raw', 'raw, writer : raw', 'library each', 'writer each', 'memory'];
    const table = new Table({ head, style: { head: [], border: [] }, colAligns: head.map(() => 'right') });
    for (const size of sizes.length > 0 ? sizes : SIZES) table.push(compare(size, directory));
    process.stdout.write(`Node ${process.version}, ${cpus().length} cores; medians of processes in turn\n${Object.entries(KINDS).map(([kind, text]) => `${kind}: ${text}`).join('\n')}\n${table.toString()}\n`);
  } finally {
    rmSync(directory, { recursive: true });
  }
}
