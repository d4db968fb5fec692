/**
 * Runs the demo in Python, Java and Go, as users of the packages write it. Each must write the same bytes as the TypeScript demo, pass its
 * own tests, and print the errors that docs/how-to/languages.md shows.
 *
 *     npm run languages               # all of them
 *     npm run languages -- python go  # only some of them
 */
import { spawnSync } from 'child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'fs';
import { basename, delimiter, join } from 'path';
import { stripVTControlCharacters } from 'util';
import { Language, LANGUAGES, MAVEN_REPOSITORY, pack } from './packages';
import { bookinfo } from '../examples/bookinfo/main';
import { values } from '../test/languages/values';

/** A program with one error, and the expected output of `cdk8s synth`. */
interface ErrorCase {
  readonly title: string;
  readonly line: string;
  readonly replacement: string;
  readonly expected: string[];
}

interface Toolchain {
  readonly commands: string[];
  readonly program: string;
  /** Path of the program of test/languages in the copy of the example. */
  readonly values: string;
  /** Configures a copy of the example to use the unpublished packages. */
  readonly install: (directory: string, packages: string) => void;
  readonly path?: (directory: string) => string;
  /** Commands of the language's own tools that must succeed. */
  readonly checks: Record<string, string[]>;
  readonly errors: ErrorCase[];
}

const root = join(__dirname, '..');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

function errorCase(title: string, line: string, replacement: string, ...expected: string[]): ErrorCase {
  return { title, line, replacement, expected };
}

const BAD_NAME = ['FED101 east/Mesh: "East_1" is not a valid mesh name → use one DNS label: at most 63 lower-case letters, digits and dashes'];
const NO_PEER = [
  'Error: Validation failed with the following errors:',
  '[west/Mesh] FED108 west/Mesh: west-bookinfo/Reviews refers to mesh "east", which is not a peer → call addPeer(…) with the construct east/Mesh',
];

const TOOLCHAINS: Record<Language, Toolchain> = {
  python: {
    commands: ['python3'],
    program: 'main.py',
    values: 'test_values.py',
    install: (directory, wheel) => {
      must(directory, ['python3', '-m', 'venv', '.venv']);
      must(directory, ['.venv/bin/pip', 'install', '--quiet', '--disable-pip-version-check', wheel, '-r', 'requirements.txt', 'mypy']);
    },
    path: (directory) => join(directory, '.venv', 'bin'),
    checks: {
      'its own tests pass': ['python', '-m', 'unittest'],
      'mypy finds nothing': ['mypy', '--strict', 'main.py'],
    },
    errors: [
      errorCase('a mesh name that is not valid', 'mesh_name="east"', 'mesh_name="East_1"',
        'main.py", line ', 'RuntimeError: ', ...BAD_NAME),
      errorCase('a missing peer', 'west.add_peer(east)', '',
        'main.py", line ', 'RuntimeError: ', ...NO_PEER),
      errorCase('a misspelt field', 'trust_domain="east.example"', 'trust_domian="east.example"',
        "TypeError: FederatedMesh.__init__() got an unexpected keyword argument 'trust_domian'"),
      errorCase('a missing field', 'trust_domain="east.example",', '',
        "TypeError: FederatedMesh.__init__() missing 1 required keyword-only argument: 'trust_domain'"),
      errorCase('a number instead of a port', 'ports=[ServicePort.http(9080)]', 'ports=[9080]',
        'TypeError: type of argument ports[0] must be cdk8s_mesh_federation.ServicePort; got int instead'),
      errorCase('a string instead of an Istio version', 'mesh_name="west",', 'mesh_name="west", istio_version="1.30",',
        'TypeError: type of argument istio_version must be one of (cdk8s_mesh_federation.IstioVersion, NoneType); got str instead'),
    ],
  },
  java: {
    commands: ['java', 'mvn'],
    program: 'src/main/java/example/Bookinfo.java',
    values: 'src/test/java/example/ValuesTest.java',
    install: (directory, repository) => {
      // Maven does not fetch a cached version again.
      rmSync(join(MAVEN_REPOSITORY, 'dev', 'cdk8s-mesh-federation'), { recursive: true, force: true });
      mkdirSync(join(directory, '.mvn'));
      writeFileSync(join(directory, '.mvn', 'maven.config'), '--settings settings.xml\n');
      writeFileSync(join(directory, '.mvn', 'jvm.config'), '-XX:TieredStopAtLevel=1\n'); // faster for programs as short as these
      writeFileSync(join(directory, 'settings.xml'), `<settings>
  <localRepository>${MAVEN_REPOSITORY}</localRepository>
  <profiles><profile><id>packages</id><repositories>
    <repository><id>packages</id><url>file://${repository}</url></repository>
  </repositories></profile></profiles>
  <activeProfiles><activeProfile>packages</activeProfile></activeProfiles>
</settings>
`);
      edit(join(directory, 'pom.xml'), '<version>0.0.0</version>', `<version>${version}</version>`);
    },
    checks: { 'its own tests pass': ['mvn', '--quiet', '--batch-mode', 'test'] },
    errors: [
      errorCase('a mesh name that is not valid', '.meshName("east")', '.meshName("East_1")',
        ...BAD_NAME),
      errorCase('a missing peer', 'west.addPeer(east);', '',
        ...NO_PEER),
      errorCase('a misspelt field', '.trustDomain("east.example")', '.trustDomian("east.example")',
        'Bookinfo.java:[', 'cannot find symbol', 'symbol:   method trustDomian(java.lang.String)'),
      errorCase('a missing field', '.trustDomain("east.example")', '',
        'trustDomain is required'),
      errorCase('a number instead of a port', 'ServicePort.http(9080)', '9080',
        'Bookinfo.java:[', 'incompatible types: ', 'dev.cdk8smeshfederation.ServicePort'),
      errorCase('a string instead of an Istio version', '.meshName("west")', '.meshName("west").istioVersion("1.30")',
        'incompatible types: java.lang.String cannot be converted to dev.cdk8smeshfederation.IstioVersion'),
    ],
  },
  go: {
    commands: ['go'],
    program: 'main.go',
    values: 'values_test.go',
    install: (directory, modules) => {
      for (const [module, folder] of [
        ['github.com/cdk8s-mesh-federation/cdk8s-mesh-federation-go/cdk8smeshfederation', 'cdk8smeshfederation'],
        ['github.com/cdk8s-team/cdk8s-core-go/cdk8s/v2', 'cdk8s'],
        ['github.com/cdk8s-team/cdk8s-plus-go/cdk8splus27/v2', 'cdk8splus27'],
      ]) must(directory, ['go', 'mod', 'edit', '-replace', `${module}=${join(modules, folder)}`]);
      must(directory, ['go', 'mod', 'tidy']);
    },
    checks: {
      'its own tests pass': ['go', 'test', '-count=1', './...'],
      'go vet finds nothing': ['go', 'vet', './...'],
      'gofmt changes nothing': ['sh', '-c', 'test -z "$(gofmt -l main.go application.go main_test.go)"'],
    },
    errors: [
      errorCase('a mesh name that is not valid', 'MeshName:    jsii.String("east")', 'MeshName:    jsii.String("East_1")',
        'panic: ', 'main.go:', ...BAD_NAME),
      errorCase('a missing peer', 'west.AddPeer(east, nil)', '',
        'panic: ', 'main.go:', ...NO_PEER),
      errorCase('a misspelt field', 'TrustDomain: jsii.String("east.example")', 'TrustDomian: jsii.String("east.example")',
        'main.go:', 'unknown field TrustDomian in struct literal of type cdk8smeshfederation.FederatedMeshProps'),
      errorCase('a missing field', 'TrustDomain: jsii.String("east.example"),', '',
        'panic: ', 'TrustDomain is required, but has nil value'),
      errorCase('a number instead of a port', 'federation.ServicePort_Http(jsii.Number(9080), nil)', 'jsii.Number(9080)',
        'main.go:', 'cannot use jsii.Number(9080) (value of type *float64) as cdk8smeshfederation.ServicePort value'),
      errorCase('a string instead of an Istio version', 'trust("west"),', 'trust("west"), IstioVersion: jsii.String("1.30"),',
        'cannot use jsii.String("1.30") (value of type *string) as cdk8smeshfederation.IstioVersion value'),
      errorCase('a string instead of a local name', 'federation.LocalName_NewService(jsii.String("reviews"), jsii.String("default"))', 'jsii.String("reviews")',
        "Key 'localName': Unable to deserialize value as cdk8s-mesh-federation.LocalName", 'Failing value is a string'),
    ],
  },
};

let passed = 0;
let failed = 0;

/** Prints the result of a check, which has passed if there is no failure. */
function check(title: string, failure: string | undefined): void {
  process.stdout.write(failure === undefined ? `ok      ${title}\n` : `FAILED  ${title}\n${failure}\n`);
  if (failure === undefined) passed++;
  else failed++;
}

function run(directory: string, [command, ...args]: string[], path?: string): { readonly status: number | null; readonly output: string } {
  const env = {
    ...process.env,
    PATH: [path, process.env.PATH].filter(Boolean).join(delimiter),
    LC_ALL: 'C.UTF-8', // Java writes question marks otherwise
    JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION: '20',
  };
  const { status, error, stdout, stderr } = spawnSync(command, args, { cwd: directory, env, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  return { status, output: stripVTControlCharacters(`${stdout ?? ''}${stderr ?? ''}${error ?? ''}`) };
}

function must(directory: string, command: string[]): void {
  const { status, output } = run(directory, command);
  if (status !== 0) throw new Error(`${command.join(' ')}\n${output}`);
}

function edit(file: string, line: string, replacement: string): void {
  const text = readFileSync(file, 'utf8');
  if (!text.includes(line)) throw new Error(`${file} does not contain ${line}`);
  writeFileSync(file, text.replace(line, () => replacement));
}

function synthesize(directory: string, toolchain: Toolchain) {
  return run(directory, [join(root, 'node_modules', '.bin', 'cdk8s'), 'synth', '--no-check-upgrade'], toolchain.path?.(directory));
}

/** Files by name. */
function manifestsIn(directory: string): Map<string, string> {
  if (!existsSync(directory)) return new Map();
  return new Map(readdirSync(directory).sort().map((file) => [file, readFileSync(join(directory, file), 'latin1')]));
}

/** Lines of the page that no output contains. In the page, `[...]` marks an omission. */
function missingLines(language: Language, outputs: string[]): string[] {
  const page = readFileSync(join(root, 'docs', 'how-to', 'languages.md'), 'utf8');
  const section = page.split(/^## /m).find((text) => text.toLowerCase().startsWith(language)) ?? '';
  const excerpts = [...section.matchAll(/^```text\n([\s\S]*?)^```$/gm)].map(([, excerpt]) => excerpt.trim().split('\n'));
  if (!excerpts.length) return [`the page has no output for ${language}`];
  return excerpts.flatMap((lines) => {
    const missing = (output: string) => lines.filter((line) => !line.trim().split('[...]').every((part) => output.includes(part.trim())));
    return outputs.map(missing).sort((a, b) => a.length - b.length)[0];
  });
}

function tryLanguage(language: Language, work: string, expected: Map<string, string>): void {
  const toolchain = TOOLCHAINS[language];
  const packages = pack(language);
  const directory = join(work, 'languages', language);
  cpSync(join(root, 'examples', 'languages', language), directory, { recursive: true });
  cpSync(join(root, 'test', 'languages', basename(toolchain.values)), join(directory, toolchain.values));
  toolchain.install(directory, packages);
  check(`${language}: the packages install`, undefined);

  const { status, output } = synthesize(directory, toolchain);
  check(`${language}: cdk8s synth runs the program`, status === 0 ? undefined : output);
  const actual = manifestsIn(join(directory, 'dist'));
  check(`${language}: the program writes the same files as TypeScript`, [...actual.keys()].join() === [...expected.keys()].join() ? undefined : [...actual.keys()].join());
  for (const [file, text] of expected) check(`${language}: the program writes the same bytes to ${file}`, actual.get(file) === text ? undefined : join(directory, 'dist', file));

  for (const [title, command] of Object.entries(toolchain.checks)) {
    const result = run(directory, command, toolchain.path?.(directory));
    check(`${language}: ${title}`, result.status === 0 ? undefined : result.output);
  }
  const written = join(directory, 'values.yaml');
  const isSame = existsSync(written) && readFileSync(written, 'utf8') === values(join(work, 'bookinfo', 'trust')).synthYaml();
  check(`${language}: a program with every kind of value writes the same bytes`, isSame ? undefined : written);

  const outputs = toolchain.errors.map(({ title, line, replacement, expected: texts }) => {
    const program = readFileSync(join(directory, toolchain.program), 'utf8');
    edit(join(directory, toolchain.program), line, replacement);
    const result = synthesize(directory, toolchain);
    writeFileSync(join(directory, toolchain.program), program);
    const failures = [
      ...texts.filter((text) => !result.output.includes(text)).map((text) => `the output does not contain: ${text}`),
      ...(result.status === 0 ? ['the command succeeds'] : []),
      ...(manifestsIn(join(directory, 'dist')).size ? ['manifests were written'] : []),
    ];
    check(`${language}: the program with ${title} is rejected`, failures.length ? `${failures.join('\n')}\n${result.output}` : undefined);
    return result.output;
  });
  const missing = missingLines(language, outputs);
  check(`${language}: the outputs contain the lines that the page shows`, missing.length ? missing.join('\n') : undefined);
}

function main(named: string[]): void {
  const unknown = named.filter((name) => !LANGUAGES.some((language) => language === name));
  if (unknown.length) throw new Error(`unknown language ${unknown.join(', ')}: use ${LANGUAGES.join(', ')}`);
  const languages = LANGUAGES.filter((language) => !named.length || named.includes(language));

  const work = join(root, 'dist', 'examples');
  rmSync(work, { recursive: true, force: true });
  cpSync(join(root, 'examples', 'bookinfo', 'trust'), join(work, 'bookinfo', 'trust'), { recursive: true });
  bookinfo({ outdir: join(work, 'typescript') }).app.synth();
  const expected = manifestsIn(join(work, 'typescript'));

  for (const language of languages) {
    const missing = TOOLCHAINS[language].commands.filter((command) => run(root, [command, command === 'go' ? 'version' : '--version']).status !== 0);
    if (missing.length) {
      check(`${language}: the tools are installed`, `${missing.join(', ')} cannot be run. To skip ${language}, name the other languages: npm run languages -- …`);
      continue;
    }
    try {
      tryLanguage(language, work, expected);
    } catch (error) {
      check(`${language}: all checks ran`, String(error));
    }
  }
  process.stdout.write(`${passed} passed, ${failed} failed\n`);
  process.exitCode = failed ? 1 : 0;
}

main(process.argv.slice(2));
