/**
 * Installs the packages for npm and Python into empty directories outside of the checkout, as a user would, and runs the quick start
 * program there. The last line is `N passed, N failed`.
 *
 *     npx projen compile && npx projen snippets && npx projen consumers
 */
import * as assert from 'assert';
import { spawnSync } from 'child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'fs';
import { builtinModules } from 'module';
import { tmpdir } from 'os';
import { delimiter, join } from 'path';
import { parse } from 'yaml';
import { installNode, NODES } from './nodes';
import { pack } from './packages';
import { translate } from './snippets';

const root = join(__dirname, '..');
const home = mkdtempSync(join(tmpdir(), 'consumers-'));
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const quickStart = readFileSync(join(root, 'docs/quick-start.md'), 'utf8');
const program = /^```ts\n([\s\S]*?)^```$/m.exec(quickStart)![1];

/** A program whose Service and caller are constructs of cdk8s-plus for another Kubernetes version than that of the library. */
const OTHER_PLUS = `
import { App, Chart } from 'cdk8s';
import { Caller, FederatedMesh, LocalName, LocalService, ServicePort, TrustBundle } from 'cdk8s-mesh-federation';
import { Deployment, ServiceAccount } from 'cdk8s-plus-33';

const app = new App();
const [east, west] = ['east', 'west'].map((name) => new FederatedMesh(new Chart(app, name), 'Mesh', {
  meshName: name, trustDomain: name + '.example', trustBundle: TrustBundle.fromPemFile('trust/' + name + '.pem'),
  endpoints: [{ address: 'federation.' + name + '.example' }],
}));
east.addPeer(west);
west.addPeer(east);
const shop = new Deployment(new Chart(app, 'east-shop', { namespace: 'shop' }), 'Shop', { containers: [{ image: 'shop', portNumber: 8080 }] });
const exposed = east.expose('Shop', {
  service: LocalService.fromConstruct(shop.exposeViaService({ ports: [{ port: 8080, name: 'http' }] })), exportName: 'shop', ports: [ServicePort.http(8080)],
});
exposed.allowFrom(west);
const chart = new Chart(app, 'west-till', { namespace: 'till' });
const serviceAccount = new ServiceAccount(chart, 'Account', { metadata: { name: 'till-account' } });
const till = new Deployment(chart, 'Till', { containers: [{ image: 'till' }], serviceAccount });
west.bind('Shop', { source: exposed, localName: LocalName.newService('shop', 'till') }).allowFrom(Caller.fromConstruct(till));
app.synth();
`;

/** Files that the tarball may contain, and the maximum sizes of the packages. */
const CONTENTS = /^(lib\/(src|imports)\/.+\.(js|d\.ts)|\.jsii(\.tabl\.json)?|package\.json|README\.md|CHANGELOG\.md|LICENSE)$/;
const PACKED_KB = 440;
const WHEEL_KB = 520;

let passed = 0;
let failed = 0;

/** Runs one check of something that a user does, and prints its result. */
function check(title: string, body: () => void): void {
  try {
    body();
    passed++;
    console.log(`ok      ${title}`);
  } catch (error) {
    failed++;
    console.log(`FAILED  ${title}\n${error instanceof Error ? error.message : error}`);
  }
}

interface Result { readonly status: number | null; readonly output: string }

function attempt(cwd: string, command: string, args: readonly string[], env: Record<string, string> = {}): Result {
  const path = [join(cwd, 'node_modules/.bin'), process.env.PATH].join(delimiter);
  const { status, error, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8', env: { ...process.env, PATH: path, ...env } });
  return { status, output: `${error ?? ''}${stdout}${stderr}` };
}

function run(cwd: string, command: string, args: readonly string[], env?: Record<string, string>): string {
  const { status, output } = attempt(cwd, command, args, env);
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${status}\n${output}`);
  return output;
}

/** Creates a directory with these files and the public root certificates of the demo. */
function directoryWith(name: string, files: Readonly<Record<string, string>>): string {
  const directory = join(home, name);
  mkdirSync(directory);
  cpSync(join(root, 'examples/bookinfo/trust'), join(directory, 'trust'), { recursive: true });
  for (const [file, text] of Object.entries(files)) writeFileSync(join(directory, file), text);
  return directory;
}

/** The files that a run has written, with their text. */
function written(directory: string, output: string): Record<string, string> {
  const files = readdirSync(join(directory, output)).sort();
  return Object.fromEntries(files.map((file) => [file, readFileSync(join(directory, output, file), 'utf8')]));
}

/** Creates the files of `cdk8s init typescript-app`, with the quick start program. */
function typescriptApp(name: string): string {
  return directoryWith(name, {
    'package.json': JSON.stringify({ name, version: '1.0.0', private: true }),
    'cdk8s.yaml': 'language: typescript\napp: npx ts-node main.ts\n',
    'tsconfig.json': JSON.stringify({ compilerOptions: { module: 'CommonJS', target: 'ES2022', lib: ['es2022'], strict: true, types: ['node'] }, include: ['*.ts'] }),
    'main.ts': program,
  });
}

const synth = (...args: string[]) => ['synth', '--no-check-upgrade', ...args];

function npm(): void {
  run(root, 'npm', ['pack', '--ignore-scripts', '--pack-destination', home]);
  const tarball = join(home, readdirSync(home).find((file) => file.endsWith('.tgz'))!);
  check('the npm package contains only compiled code, declarations, the assembly, its examples and four pages', () => {
    const files = run(home, 'tar', ['tzf', tarball]).trim().split('\n').map((file) => file.replace(/^package\//, ''));
    assert.deepStrictEqual(files.filter((file) => !CONTENTS.test(file)), []);
    for (const needed of ['.jsii', '.jsii.tabl.json', 'LICENSE', 'README.md', 'CHANGELOG.md', manifest.main, manifest.types]) assert.ok(files.includes(needed), needed);
  });
  check(`the npm package is smaller than ${PACKED_KB} kB`, () => {
    const size = Math.round(statSync(tarball).size / 1000);
    console.log(`        ${size} kB`);
    assert.ok(size < PACKED_KB, `${size} kB`);
  });

  const app = typescriptApp('typescript');
  check('the npm package installs with --strict-peer-deps and the newest peer dependencies', () => {
    run(app, 'npm', ['install', '--no-audit', '--no-fund', '--strict-peer-deps', tarball, 'cdk8s-cli@^2', 'ts-node@^10', 'typescript@~5.9', '@types/node@^20']);
    for (const peer of Object.keys(manifest.peerDependencies)) {
      console.log(`        ${peer} ${JSON.parse(readFileSync(join(app, 'node_modules', peer, 'package.json'), 'utf8')).version}`);
    }
  });
  check('the declarations are complete: a strict program compiles without skipLibCheck', () => {
    run(app, 'tsc', ['--noEmit', '--skipLibCheck', 'false']);
  });
  check('the declarations contain no internal member', () => {
    const folder = join(app, 'node_modules', manifest.name, 'lib/src');
    const declarations = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.d.ts'));
    assert.ok(declarations.length > 60, `${declarations.length} files`);
    assert.deepStrictEqual(declarations.filter((file) => /^\s+(readonly |static |get )*_\w+[?(:]/m.test(readFileSync(join(folder, file), 'utf8'))), []);
  });
  check('cdk8s synth writes a file for each chart of the quick start', () => {
    run(app, 'cdk8s', synth());
    assert.deepStrictEqual(Object.keys(written(app, 'dist')), ['east.k8s.yaml', 'west-bookinfo.k8s.yaml', 'west.k8s.yaml']);
  });
  const expected = existsSync(join(app, 'dist')) ? written(app, 'dist') : {};
  check('cdk8s synth --format helm writes a chart with the same files', () => {
    run(app, 'cdk8s', synth('--format', 'helm', '--chart-version', '1.2.3', '--output', 'chart'));
    const chart = parse(readFileSync(join(app, 'chart/Chart.yaml'), 'utf8'));
    assert.deepStrictEqual([chart.apiVersion, chart.version, chart.type], ['v2', '1.2.3', 'application']);
    assert.deepStrictEqual(written(app, 'chart/templates'), expected);
  });
  check('cdk8s synth prints the code and the fix of an error, and writes nothing', () => {
    writeFileSync(join(app, 'error.ts'), program.replace("paths: ['/reviews/*']", "paths: ['reviews']"));
    const { status, output } = attempt(app, 'cdk8s', synth('--app', 'npx ts-node error.ts', '--output', 'nothing'));
    assert.notStrictEqual(status, 0);
    assert.match(output, /FED307 HttpRule\.allow: .*→/);
    assert.ok(!existsSync(join(app, 'nothing')) || readdirSync(join(app, 'nothing')).length === 0, 'files were written');
  });
  check('an ES module can import the library by name', () => {
    writeFileSync(join(app, 'main.mjs'), program);
    run(app, process.execPath, ['main.mjs'], { CDK8S_OUTDIR: 'esm' });
    assert.deepStrictEqual(written(app, 'esm'), expected);
  });
  check('a CommonJS module can require the library', () => {
    writeFileSync(join(app, 'main.cjs'), program.replace(/^import (\{.*?\}) from ('.*?');$/gm, 'const $1 = require($2);'));
    run(app, process.execPath, ['main.cjs'], { CDK8S_OUTDIR: 'cjs' });
    assert.deepStrictEqual(written(app, 'cjs'), expected);
  });
  check('ManifestWriter writes the same files as app.synth()', () => {
    writeFileSync(join(app, 'writer.mjs'), `import { ManifestWriter } from 'cdk8s-mesh-federation';\n${program.replace('app.synth()', 'ManifestWriter.write(app)')}`);
    run(app, 'cdk8s', synth('--app', 'node writer.mjs', '--output', 'writer'));
    assert.deepStrictEqual(written(app, 'writer'), expected);
  });
  for (const major of NODES) {
    check(`Node ${major} runs cdk8s synth and an ES module, which write the same files`, () => {
      const PATH = [installNode(major, home), process.env.PATH].join(delimiter);
      assert.match(run(app, 'node', ['--version'], { PATH }), new RegExp(`^v${major}\\.`));
      run(app, join(app, 'node_modules/.bin/cdk8s'), synth('--output', `node-${major}`), { PATH });
      assert.deepStrictEqual(written(app, `node-${major}`), expected);
      run(app, 'node', ['main.mjs'], { PATH, CDK8S_OUTDIR: `esm-${major}` });
      assert.deepStrictEqual(written(app, `esm-${major}`), expected);
    });
  }
  check('cdk8s synth runs BoundaryValidation offline', () => {
    const plugin = `validations:\n  - package: ./node_modules/${manifest.name}\n    version: ${manifest.version}\n    class: BoundaryValidation\n`;
    writeFileSync(join(app, 'cdk8s.yaml'), `language: typescript\napp: node main.mjs\n${plugin}`);
    const offline = { npm_config_offline: 'true', HOME: join(app, 'no-home') };
    assert.match(run(app, 'cdk8s', synth('--output', 'validated'), offline), /Validations ended/);
    const gateway = "{ apiVersion: 'networking.istio.io/v1', kind: 'Gateway', spec: { selector: { istio: 'istio-federation-ingress' } } }";
    writeFileSync(join(app, 'open.mjs'), program.replace('import { App, Chart }', 'import { ApiObject, App, Chart }')
      .replace('app.synth()', `new ApiObject(new Chart(app, 'shop'), 'Open', ${gateway});\napp.synth()`));
    const { status, output } = attempt(app, 'cdk8s', synth('--app', 'node open.mjs', '--output', 'rejected'), offline);
    assert.notStrictEqual(status, 0);
    assert.match(output, /foreign-objects[\s\S]*Construct Path: shop\/Open/);
  });
  check('the library accepts workloads and Services of another cdk8s-plus version', () => {
    run(app, 'npm', ['install', '--no-audit', '--no-fund', '--strict-peer-deps', 'cdk8s-plus-33@^2']);
    writeFileSync(join(app, 'plus.mjs'), OTHER_PLUS);
    run(app, process.execPath, ['plus.mjs'], { CDK8S_OUTDIR: 'plus' });
    const west = written(app, 'plus')['west.k8s.yaml'];
    assert.match(west, /west\.example\/ns\/till\/sa\/till-account/);
  });
  check('synthesis fails with a second copy of cdk8s', () => {
    const second = join(app, 'node_modules/cdk8s-mesh-federation/node_modules/cdk8s');
    cpSync(join(app, 'node_modules/cdk8s'), second, { recursive: true });
    const { status, output } = attempt(app, process.execPath, ['main.cjs'], { CDK8S_OUTDIR: 'second' });
    rmSync(second, { recursive: true });
    assert.notStrictEqual(status, 0);
    assert.match(output, /can't render non-simple object of type 'Lazy'/);
  });
  check('the package imports only its peer dependencies and modules of Node', () => {
    const source = run(app, 'grep', ['-rhoE', 'require\\("[^".][^"]*"\\)', 'node_modules/cdk8s-mesh-federation/lib']);
    const modules = new Set(source.trim().split('\n').map((line) => line.slice('require("'.length, -2)));
    assert.ok(modules.has('cdk8s'));
    assert.deepStrictEqual([...modules].filter((name) => !(name in manifest.peerDependencies) && !builtinModules.includes(name)), []);
  });

  python(expected);
}

/** Runs the quick start program, translated to Python by jsii-rosetta, in an environment that contains only the wheel. */
function python(expected: Record<string, string>): void {
  let wheel = '';
  check(`the wheel is smaller than ${WHEEL_KB} kB`, () => {
    wheel = pack('python');
    const size = Math.round(statSync(wheel).size / 1000);
    console.log(`        ${size} kB`);
    assert.ok(size < WHEEL_KB, `${size} kB`);
  });
  const app = directoryWith('python', {});
  const bin = join(app, 'venv/bin');
  check('the wheel installs into an empty environment', () => {
    run(app, 'python3', ['-m', 'venv', 'venv']);
    run(app, join(bin, 'pip'), ['install', '--quiet', '--disable-pip-version-check', wheel]);
  });
  check('the documentation of the wheel has examples in Python', () => {
    const text = run(app, join(bin, 'python'), ['-c', 'import cdk8s_mesh_federation as m; print(m.FederatedMesh.__doc__)']);
    assert.match(text, /shop\.add_peer\(west\)/);
  });
  check('the quick start in Python writes the same files', () => {
    const { complaints, translations } = translate(JSON.parse(readFileSync(join(root, '.jsii'), 'utf8')), { 'docs/quick-start.md': quickStart });
    const source = translations.python?.find((text) => text.includes('RemoteServiceBinding'));
    assert.ok(source, complaints);
    writeFileSync(join(app, 'main.py'), source);
    run(app, join(bin, 'python'), ['main.py']);
    assert.deepStrictEqual(written(app, 'dist'), expected);
  });
  check('ManifestWriter in Python writes the same files', () => {
    const source = readFileSync(join(app, 'main.py'), 'utf8').replace('app.synth()', 'ManifestWriter.write(app)');
    writeFileSync(join(app, 'writer.py'), `from cdk8s_mesh_federation import ManifestWriter\n${source}`);
    run(app, join(bin, 'python'), ['writer.py'], { CDK8S_OUTDIR: 'writer' });
    assert.deepStrictEqual(written(app, 'writer'), expected);
  });
  check('an error in Python is an exception with the code and the fix', () => {
    writeFileSync(join(app, 'error.py'), readFileSync(join(app, 'main.py'), 'utf8').replace('"/reviews/*"', '"reviews"'));
    const { status, output } = attempt(app, join(bin, 'python'), ['error.py'], { CDK8S_OUTDIR: 'nothing' });
    assert.notStrictEqual(status, 0);
    assert.match(output, /FED307 HttpRule\.allow: .*→/);
    assert.ok(!existsSync(join(app, 'nothing')), 'files were written');
  });
}

try {
  npm();
} finally {
  if (failed === 0) rmSync(home, { recursive: true });
  else console.log(`files for inspection: ${home}`);
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
