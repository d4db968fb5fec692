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
/** Where Maven keeps what it has downloaded. */
export const MAVEN_REPOSITORY = join(cache, 'maven');

/** The bindings of other owners. Some registries do not carry them, so they are made from the modules that the library is compiled against. */
const DEPENDENCIES = ['cdk8s', 'cdk8s-plus-27'];

/**
 * What a user of the language installs: the wheel for Python; for Java a Maven repository and for Go a directory of modules, with the
 * bindings of cdk8s and cdk8s-plus beside the library's.
 */
export function pack(language: Language): string {
  const directory = join(packages, language);
  rmSync(directory, { recursive: true, force: true });
  if (language !== 'python') cpSync(dependencies(language), directory, { recursive: true });
  pacmak(language, packages, []);
  if (language !== 'python') return directory;
  const wheel = readdirSync(directory).find((file) => file.endsWith('.whl'));
  if (!wheel) throw new Error(`jsii-pacmak left no wheel in ${directory}`);
  return join(directory, wheel);
}

/** Made once for each version: javac and go take minutes for them. */
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

/** jsii-pacmak looks for the bindings of dependencies in its output directory first. */
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
    const known = LANGUAGES.find((name) => name === language);
    if (!known) throw new Error(`no language ${language}: one of ${LANGUAGES.join(', ')}`);
    process.stdout.write(`${known}: ${pack(known)}\n`);
  }
}
