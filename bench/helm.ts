import { execFileSync } from 'child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'fs';
import { tmpdir } from 'os';
import { join } from 'path';
import { performance } from 'perf_hooks';
import Table from 'cli-table3';
import { ModuleKind, ScriptTarget, transpileModule } from 'typescript';
import { stringify } from 'yaml';
import { DOCUMENTS_PER_SERVICE } from './federation';
import { median } from './synth';

const ROUNDS = 5;
const SERVICES = [100, 1000, 2000];
const MAX_OUTPUT = 1e9;

/** Values of the four releases that the charts need for two meshes: one for the mesh and one for the namespace, on both sides. */
function releases(services: number): { readonly chart: string; readonly values: any }[] {
  const ports = [{ number: 8080, name: 'http', protocol: 'HTTP' }];
  const hostnames = Array.from({ length: services }, (_, index) => `service-${index}.mesh.global`);
  const exporter = { defaultServicePorts: ports, local: { export: hostnames.map((hostname) => ({ hostname })) } };
  const importer = {
    defaultServicePorts: ports,
    gateways: { egress: { enabled: true } },
    remote: [{ mesh: 'east', network: 'east', addresses: ['192.0.2.1'], port: 15443, importedServices: hostnames }],
  };
  return [
    { chart: 'mesh-admin', values: { global: exporter } },
    { chart: 'namespace-admin', values: { global: exporter, export: hostnames.map((hostname) => ({ hostname, ports, labelSelector: { app: hostname.split('.')[0] } })) } },
    { chart: 'mesh-admin', values: { global: importer } },
    { chart: 'namespace-admin', values: { global: importer, import: hostnames.map((hostname) => ({ hostname, ports })) } },
  ];
}

/** Creates the program of the other measurements as JavaScript that uses the compiled library and prints its output. */
function appIn(directory: string): string {
  const compiled = join(__dirname, '..', 'lib', 'src');
  if (!existsSync(compiled)) throw new Error('the library is not compiled: npx projen compile');
  const paths = { '../src': compiled, 'cdk8s': require.resolve('cdk8s') };
  const program = Object.entries(paths).reduce((text, [from, to]) => text.replaceAll(`require("${from}")`, `require(${JSON.stringify(to)})`),
    transpileModule(readFileSync(join(__dirname, 'federation.ts'), 'utf8'), { compilerOptions: { module: ModuleKind.CommonJS, target: ScriptTarget.ES2022 } }).outputText
      .replaceAll('__dirname', JSON.stringify(__dirname)));
  const app = join(directory, 'app.js');
  writeFileSync(app, `${program}
    const [, , services, outdir] = process.argv;
    require(${JSON.stringify(compiled)}).ManifestWriter.write(federation(Number(services), outdir));
    for (const mesh of ['east', 'west']) process.stdout.write(require('fs').readFileSync(outdir + '/' + mesh + '.k8s.yaml'));
  `);
  return app;
}

/** Measures complete commands of Helm and of a cdk8s app. */
export function helm(program: string, charts: string, sizes: number[]): void {
  if (!program || !charts) throw new Error('pass the paths of the program helm and of a copy of mesh-federation-helm-charts: npx projen bench helm HELM CHARTS');
  const directory = mkdtempSync(join(tmpdir(), 'bench-'));
  try {
    const app = appIn(directory);
    const head = ['services', 'Helm', 'documents', 'policies', 'library, writer', 'documents', 'policies'];
    const table = new Table({ head, style: { head: [], border: [] }, colAligns: head.map(() => 'right') });
    for (const services of sizes.length > 0 ? sizes : SERVICES) {
      const commands = releases(services).map(({ chart, values }, index) => {
        const file = join(directory, `${services}-${index}.yaml`);
        writeFileSync(file, stringify(values, { aliasDuplicateObjects: false }));
        return () => execFileSync(program, ['template', 'federation', join(charts, chart), '--values', file], { encoding: 'utf8', maxBuffer: MAX_OUTPUT });
      });
      const theirs = rounds(() => commands.map((run) => run()).join('---\n'));
      const ours = rounds(() => execFileSync(process.execPath, [app, String(services), join(directory, 'dist')], { encoding: 'utf8', maxBuffer: MAX_OUTPUT }));
      table.push([services, ...[theirs, ours].flatMap(({ milliseconds, output }) =>
        [`${(milliseconds / 1000).toFixed(2)} s`, count(output, 'kind: '), count(output, 'kind: AuthorizationPolicy$')])]);
    }
    process.stdout.write(`Whole commands, medians of ${ROUNDS}; about ${DOCUMENTS_PER_SERVICE} documents a service from the library\n${table.toString()}\n`);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function rounds(run: () => string) {
  const measured = Array.from({ length: ROUNDS }, () => {
    const started = performance.now();
    const output = run();
    return { milliseconds: performance.now() - started, output };
  });
  return { milliseconds: median(measured.map(({ milliseconds }) => milliseconds)), output: measured[0].output };
}

function count(output: string, line: string): number {
  return [...output.matchAll(new RegExp(`^${line}`, 'gm'))].length;
}
