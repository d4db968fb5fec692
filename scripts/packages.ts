/**
 * Packs the compiled library for the package managers of its languages, into dist/packages/<language>.
 *
 *     npx projen compile && ts-node scripts/packages.ts python go java
 */
import { spawnSync } from 'child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'fs';
import { homedir } from 'os';
import { join } from 'path';

export const LANGUAGES = ['python', 'java', 'go'] as const;
export type Language = typeof LANGUAGES[number];

const root = join(__dirname, '..');
const packages = join(root, 'dist', 'packages');
const cache = join(homedir(), '.cache', 'cdk8s-mesh-federation', 'languages');
/** Local repository of Maven. */
export const MAVEN_REPOSITORY = join(cache, 'maven');

/** Bindings of dependencies. Some registries do not provide them, so they are generated from the modules that the library is compiled against. */
const DEPENDENCIES = ['cdk8s', 'cdk8s-plus-27'];

/**
 * Returns the path of what a user of the language installs: a wheel for Python, a Maven repository for Java, or a directory of modules for
 * Go. The latter two include the bindings of cdk8s and cdk8s-plus.
 */
export function pack(language: Language): string {
  const directory = join(packages, language);
  rmSync(directory, { recursive: true, force: true });
  if (language !== 'python') cpSync(dependencies(language), directory, { recursive: true });
  pacmak(language, packages, []);
  if (language !== 'python') return directory;
  const wheel = readdirSync(directory).find((file) => file.endsWith('.whl'));
  if (!wheel) throw new Error(`jsii-pacmak created no wheel in ${directory}`);
  return join(directory, wheel);
}

/** Generates the bindings of dependencies once for each version, because javac and go take minutes. */
function dependencies(language: Language): string {
  const versions = [...DEPENDENCIES, 'jsii-pacmak'].map((name) => `${name}-${manifestOf(name).version}`).join('_');
  const made = join(cache, versions, language);
  if (!existsSync(made)) {
    const unfinished = join(cache, `${versions}.${process.pid}`);
    pacmak(language, unfinished, DEPENDENCIES.map((name) => join('node_modules', name)));
    mkdirSync(join(cache, versions), { recursive: true });
    renameSync(join(unfinished, language), made);
    rmSync(unfinished, { recursive: true });
  }
  return made;
}

/** Runs jsii-pacmak, which looks for the bindings of dependencies in its output directory first. */
function pacmak(language: Language, outdir: string, projects: string[]): void {
  run('jsii-pacmak', join(root, 'node_modules', '.bin', 'jsii-pacmak'), [
    '--target', language, '--outdir', outdir, '--no-npmignore',
    '--maven-local-repository', MAVEN_REPOSITORY, '--mvn-define=maven.javadoc.skip=true',
    ...projects,
  ]);
}

function manifestOf(name: string): { version: string } {
  return JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8'));
}

function run(name: string, command: string, args: string[]): void {
  const { status, error, stdout, stderr } = spawnSync(command, args, {
    cwd: root, encoding: 'utf8', maxBuffer: 256 * 1024 * 1024, env: { ...process.env, JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION: '20' },
  });
  if (status !== 0) throw new Error(`${name} ${args.join(' ')}\n${error ?? ''}${stdout}${stderr}`);
}

if (require.main === module) {
  for (const language of process.argv.slice(2)) {
    const named = LANGUAGES.find((name) => name === language);
    if (!named) throw new Error(`unknown language ${language}: use one of ${LANGUAGES.join(', ')}`);
    process.stdout.write(`${named}: ${pack(named)}\n`);
  }
}
