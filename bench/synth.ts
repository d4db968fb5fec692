/**
 * What the library adds to the time of cdk8s itself: building a federation and writing its files, against the same documents as raw
 * ApiObjects. Each run is a process of its own, the two kinds in turn, so that a machine that changes speed changes both.
 *
 *     npx projen bench [documents…]
 *
 * A measurement, never a test.
 */
import { execFileSync } from 'child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'fs';
import { cpus, tmpdir } from 'os';
import { join } from 'path';
import { performance } from 'perf_hooks';
import { ApiObject, App, Chart } from 'cdk8s';
import Table from 'cli-table3';
import { Caller, FederatedMesh, LocalName, LocalService, ServicePort, TrustBundle } from '../src';

const SIZES = [1000, 5000, 20000];
const ROUNDS = 5;
/** What one more service adds: policy and route for the exporter, eight objects for the consumer. */
const DOCUMENTS_PER_SERVICE = 10;

interface Measured { readonly milliseconds: number; readonly megabytes: number; readonly documents: number }

/** Two meshes and as many services as make about that many documents. */
function federation(documents: number, outdir: string): App {
  const app = new App({ outdir });
  const [east, west] = ['east', 'west'].map((meshName) => new FederatedMesh(new Chart(app, meshName), 'Mesh', {
    meshName,
    trustDomain: `${meshName}.example`,
    trustBundle: TrustBundle.fromPemFile(join(__dirname, '..', 'examples', 'bookinfo', 'trust', `${meshName}.pem`)),
    endpoints: [{ address: `federation.${meshName}.example` }],
  }));
  east.addPeer(west);
  west.addPeer(east);
  for (let index = 0; index < documents / DOCUMENTS_PER_SERVICE; index++) {
    const service = east.expose(`Service${index}`, {
      service: LocalService.fromName(`service-${index}`, 'default'), exportName: `service-${index}`, ports: [ServicePort.http(8080)],
    });
    service.allowFrom(west, { http: [{ methods: ['GET'], paths: ['/items/*'] }] });
    west.bind(`Service${index}`, { source: service, localName: LocalName.newService(`service-${index}`, 'default') })
      .allowFrom(Caller.serviceAccount('client', 'default'));
  }
  return app;
}

/** The same documents, as they are. */
function raw(documents: { readonly [chart: string]: any[] }, outdir: string): App {
  const app = new App({ outdir });
  for (const [id, objects] of Object.entries(documents)) {
    const chart = new Chart(app, id);
    objects.forEach((object, index) => new ApiObject(chart, `Object${index}`, object));
  }
  return app;
}

/** One run in this process: the work between the two clocks, modules and input loaded before. */
function run(kind: string, size: number, input: string, outdir: string): Measured {
  const documents = kind === 'raw' ? JSON.parse(readFileSync(input, 'utf8')) : {};
  const started = performance.now();
  const app = kind === 'raw' ? raw(documents, outdir) : federation(size, outdir);
  app.synth();
  const milliseconds = performance.now() - started;
  const count = app.node.findAll().filter((construct) => ApiObject.isApiObject(construct)).length;
  return { milliseconds, megabytes: process.resourceUsage().maxRSS / 1024, documents: count };
}

function measure(kind: string, size: number, input: string, outdir: string): Measured {
  const answer = execFileSync(process.execPath, [...process.execArgv, '-r', 'ts-node/register/transpile-only', __filename, kind, String(size), input, outdir], {
    encoding: 'utf8', env: { ...process.env, TS_NODE_PROJECT: join(__dirname, 'tsconfig.json') }, maxBuffer: 1_000_000,
  });
  return JSON.parse(answer.trim().split('\n').at(-1)!);
}

function median(values: number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
}

function compare(size: number, directory: string): (string | number)[] {
  const input = join(directory, `${size}.json`);
  const app = federation(size, join(directory, 'unused'));
  writeFileSync(input, JSON.stringify(Object.fromEntries(app.charts.map((chart) => [chart.node.id, chart.toJson()]))));
  const pairs = Array.from({ length: ROUNDS }, () => ['library', 'raw'].map((kind) => measure(kind, size, input, join(directory, kind))));
  const [library, plain] = [0, 1].map((index) => pairs.map((pair) => pair[index]));
  const { documents } = library[0];
  if (plain[0].documents !== documents) throw new Error(`${plain[0].documents} raw documents against ${documents}`);
  return [
    documents,
    Math.round(median(library.map(({ milliseconds }) => milliseconds))),
    Math.round(median(plain.map(({ milliseconds }) => milliseconds))),
    median(pairs.map(([a, b]) => a.milliseconds / b.milliseconds)).toFixed(2),
    (median(library.map(({ milliseconds }) => milliseconds)) / documents).toFixed(3),
    Math.round(median(library.map(({ megabytes }) => megabytes))),
    Math.round(median(plain.map(({ megabytes }) => megabytes))),
  ];
}

const [kind, size, input, outdir] = process.argv.slice(2);
if (kind === 'library' || kind === 'raw') {
  process.stdout.write(`${JSON.stringify(run(kind, Number(size), input, outdir))}\n`);
} else {
  const directory = mkdtempSync(join(tmpdir(), 'bench-'));
  try {
    const head = ['documents', 'library ms', 'raw ms', 'ratio', 'ms each', 'library MB', 'raw MB'];
    const table = new Table({ head, style: { head: [], border: [] }, colAligns: head.map(() => 'right') });
    for (const documents of process.argv.length > 2 ? process.argv.slice(2).map(Number) : SIZES) table.push(compare(documents, directory));
    process.stdout.write(`Node ${process.version}, ${cpus().length} cores; medians of ${ROUNDS} processes each, in turn\n${table.toString()}\n`);
  } finally {
    rmSync(directory, { recursive: true });
  }
}
