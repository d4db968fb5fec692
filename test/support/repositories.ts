/**
 * Git repositories for pipelines: a bare origin, and a fresh shallow clone of one commit for each job.
 */
import { execFileSync, spawn, spawnSync } from 'child_process';
import { chmodSync, copyFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'fs';
import { tmpdir } from 'os';
import { dirname, join } from 'path';
import { compiled } from './library';

export const PIPELINES = join(__dirname, '..', '..', 'examples', 'pipelines');

/** Environment without the Git configuration of the machine. */
const ENVIRONMENT = { ...process.env, HOME: '/nonexistent', GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1', GIT_TERMINAL_PROMPT: '0' };
const USER = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.com'];

export interface Files { readonly [path: string]: string }
export interface Outcome { readonly code: number | null; readonly output: string }

export class Origin {
  public readonly directory = mkdtempSync(join(tmpdir(), 'pipelines-'));
  private readonly bare = join(this.directory, 'origin.git');
  private readonly work = join(this.directory, 'work');

  /** Creates an empty origin, or a copy of another one. */
  public constructor(from?: Origin) {
    if (from) {
      cpSync(from.directory, this.directory, { recursive: true });
      this.git(this.work, 'remote', 'set-url', 'origin', this.bare);
      return;
    }
    this.git(this.directory, 'init', '-q', '--bare', '--initial-branch=main', this.bare);
    this.git(this.directory, 'clone', '-q', this.bare, this.work);
    this.git(this.work, 'checkout', '-q', '-b', 'main');
  }

  public remove(): void {
    rmSync(this.directory, { recursive: true });
  }

  /** Creates a commit on main with exactly these files, at a fixed time. */
  public commit(files: Files): string {
    const date = '2026-11-28T12:00:00Z';
    this.git(this.work, 'rm', '-q', '-r', '--ignore-unmatch', '.');
    write(this.work, files);
    if ('rendered.sh' in files) chmodSync(join(this.work, 'rendered.sh'), 0o755);
    this.git(this.work, 'add', '--all');
    execFileSync('git', [...USER, 'commit', '-q', '--allow-empty', '-m', 'a change'], {
      cwd: this.work, env: { ...ENVIRONMENT, GIT_AUTHOR_DATE: date, GIT_COMMITTER_DATE: date },
    });
    this.git(this.work, 'push', '-q', 'origin', 'main');
    return this.git(this.work, 'rev-parse', 'HEAD');
  }

  /** A clone like that of actions/checkout and the GitLab runner: one commit without history or other branches. */
  public clone(commit: string): string {
    const clone = mkdtempSync(join(this.directory, 'clone-'));
    this.git(clone, 'init', '-q');
    this.git(clone, 'remote', 'add', 'origin', `file://${this.bare}`);
    this.git(clone, 'fetch', '-q', '--depth=1', '--no-tags', 'origin', commit);
    this.git(clone, 'checkout', '-q', '--detach', commit);
    return clone;
  }

  /** Pushes a commit to a branch that no pipeline created. */
  public commitByHand(branch: string, files: Files): void {
    const clone = join(mkdtempSync(join(this.directory, 'other-')), 'clone');
    this.git(this.directory, 'clone', '-q', '--branch', branch, this.bare, clone);
    write(clone, files);
    this.git(clone, 'add', '--all');
    this.git(clone, ...USER, 'commit', '-q', '-m', 'by hand');
    this.git(clone, 'push', '-q', 'origin', branch);
  }

  /** Adds a server-side Git hook. */
  public hook(name: string, script: string): void {
    write(this.bare, { [`hooks/${name}`]: script });
    chmodSync(join(this.bare, 'hooks', name), 0o755);
  }

  /** Commits of a branch, newest first; empty if the branch does not exist. */
  public history(branch = 'rendered'): string[] {
    const { status, stdout } = spawnSync('git', ['rev-list', branch, '--'], { cwd: this.bare, env: ENVIRONMENT, encoding: 'utf8' });
    return status === 0 ? stdout.trim().split('\n') : [];
  }

  public message(commit: string): string {
    return this.git(this.bare, 'show', '-s', '--format=%B', commit);
  }

  public files(branch = 'rendered'): Files {
    const paths = this.git(this.bare, 'ls-tree', '-r', '--name-only', branch).split('\n');
    const objects = execFileSync('git', ['cat-file', '--batch'], { cwd: this.bare, env: ENVIRONMENT, input: paths.map((path) => `${branch}:${path}\n`).join('') });
    // For each path a line that ends with the size, the content, and a line feed.
    let at = 0;
    return Object.fromEntries(paths.map((path) => {
      const start = objects.indexOf('\n', at) + 1;
      const end = start + Number(objects.toString('utf8', at, start).trim().split(' ').at(-1));
      at = end + 1;
      return [path, objects.toString('utf8', start, end)];
    }));
  }

  /** Modes of the files of a branch. */
  public modes(branch = 'rendered'): string[] {
    return [...new Set(this.git(this.bare, 'ls-tree', '-r', branch).split('\n').map((line) => line.split(' ')[0]))];
  }

  public git(cwd: string, ...args: string[]): string {
    return execFileSync('git', args, { cwd, env: ENVIRONMENT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();
  }
}

export function write(directory: string, files: Files): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), text);
  }
}

/** Runs a script as the pipelines do: it stops at the first command that fails. */
export async function bash(cwd: string, script: string, environment: { [name: string]: string } = {}): Promise<Outcome> {
  const child = spawn('bash', ['--noprofile', '--norc', '-eo', 'pipefail', '-c', script], { cwd, env: { ...ENVIRONMENT, ...environment } });
  let output = '';
  child.stdout.on('data', (data) => { output += data; });
  child.stderr.on('data', (data) => { output += data; });
  const code = await new Promise<number | null>((done) => child.on('close', done));
  return { code, output };
}

/** The files of a repository with the example, and the packages that `npm ci` would install. The library is compiled from its sources. */
export class Example {
  /** PATH with a replacement of `npm` that links the modules without network access. */
  public readonly path: string;
  private readonly directory = mkdtempSync(join(tmpdir(), 'example-'));
  private readonly modules = join(this.directory, 'node_modules');

  public constructor() {
    const root = join(__dirname, '..', '..');
    const library = join(this.modules, 'cdk8s-mesh-federation');
    write(library, {
      ...compiled('src', 'imports'),
      'package.json': '{ "name": "cdk8s-mesh-federation", "version": "0.0.0", "main": "index.js" }',
      'index.js': `
        class Accepts { async validate(context) { context.report.submit('success'); } }
        class Rejects { async validate(context) { context.report.submit('failure'); } }
        module.exports = { BoundaryValidation: Accepts, ...require('./src'), Rejects };`,
    });
    mkdirSync(join(this.modules, '.bin'));
    for (const name of ['cdk8s', 'constructs', 'cdk8s-plus-27', 'typescript', '@types', '.bin/cdk8s', '.bin/ts-node']) {
      symlinkSync(join(root, 'node_modules', name), join(this.modules, name));
    }
    write(this.directory, { 'bin/npm': `#!/bin/sh\n[ "$*" = "ci --ignore-scripts" ] && ln -s ${this.modules} node_modules\n` });
    chmodSync(join(this.directory, 'bin', 'npm'), 0o755);
    this.path = `${join(this.directory, 'bin')}:${process.env.PATH}`;
  }

  public remove(): void {
    rmSync(this.directory, { recursive: true });
  }

  /** The files that a platform engineer copies into a repository. */
  public files(): { [path: string]: string } {
    const read = (file: string) => readFileSync(join(PIPELINES, file), 'utf8');
    const trust = (mesh: string) => readFileSync(join(PIPELINES, '..', 'bookinfo', 'trust', `${mesh}.pem`), 'utf8');
    return {
      '.gitignore': 'node_modules\ndist\n',
      'cdk8s.yaml': read('cdk8s.yaml'),
      'main.ts': read('main.ts').replace("'../../src'", "'cdk8s-mesh-federation'"),
      'rendered.sh': read('rendered.sh'),
      'trust/east.pem': trust('east'),
      'trust/west.pem': trust('west'),
      'tsconfig.json': '{ "compilerOptions": { "module": "commonjs", "target": "es2022", "rootDir": "/" } }',
    };
  }
}

/** Copies an artifact between jobs, without hidden files and empty folders, which GitHub omits. */
export function copyArtifact(from: string, to: string): void {
  const found = execFileSync('find', ['.', '-type', 'f', '-not', '-path', '*/.*'], { cwd: from, encoding: 'utf8' });
  for (const file of found.split('\n').filter((path) => path !== '')) {
    mkdirSync(dirname(join(to, file)), { recursive: true });
    copyFileSync(join(from, file), join(to, file));
  }
}
