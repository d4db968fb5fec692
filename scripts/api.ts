/**
 * Compares `.jsii` with `api/assembly.json`, the public API that users rely on, and updates the latter:
 *
 *     npx projen compile && npx projen compat     # prints the breaking changes
 *     npx projen api:update                       # stores the current API
 */
import { spawnSync } from 'child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'fs';
import { tmpdir } from 'os';
import { join } from 'path';

const root = join(__dirname, '..');
const stored = join(root, 'api/assembly.json');

/** Fields whose changes break no program: documentation, line numbers, versions of tools. */
const IGNORED = [
  'author', 'bin', 'contributors', 'dependencyClosure', 'description', 'docs', 'fingerprint', 'homepage', 'jsiiVersion', 'keywords', 'locationInModule',
  'metadata', 'readme', 'repository', 'symbolId', 'usedFeatures',
];

/** Returns an assembly without the ignored fields, with sorted keys. */
export function surfaceOf(assembly: object): Record<string, unknown> {
  const strip = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(strip);
    if (typeof value !== 'object' || value === null) return value;
    const compared = Object.entries(value).filter(([key]) => !IGNORED.includes(key));
    return Object.fromEntries(compared.sort(([a], [b]) => a < b ? -1 : 1).map(([key, inner]) => [key, strip(inner)]));
  };
  return strip(assembly) as Record<string, unknown>;
}

/** Returns the breaking changes that jsii-diff finds between two APIs; none if every program of the first compiles with the second. */
export function breaks(before: object, after: object): string[] {
  const directory = mkdtempSync(join(tmpdir(), 'api-'));
  try {
    symlinkSync(join(root, 'node_modules'), join(directory, 'node_modules'));
    for (const [name, assembly] of Object.entries({ before, after })) {
      const surface = surfaceOf(assembly);
      mkdirSync(join(directory, name));
      writeFileSync(join(directory, name, 'package.json'), JSON.stringify({ name: surface.name, version: surface.version, dependencies: surface.dependencies, jsii: {} }));
      // The loader requires these fields, which have no effect here.
      writeFileSync(join(directory, name, '.jsii'), JSON.stringify({ ...surface, fingerprint: '', jsiiVersion: '' }));
    }
    const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, 'node_modules/jsii-diff/bin/jsii-diff'), 'before', 'after'], { cwd: directory, encoding: 'utf8' });
    const lines = `${stdout}\n${stderr}`.split('\n').filter((line) => line.startsWith('err  - '));
    if (status !== 0 && lines.length === 0) throw new Error(`jsii-diff failed: ${stdout}${stderr}`);
    return lines.map((line) => line.slice('err  - '.length).replaceAll(`${(before as { name: string }).name}.`, ''));
  } finally {
    rmSync(directory, { recursive: true });
  }
}

if (require.main === module) {
  const current = JSON.parse(readFileSync(join(root, '.jsii'), 'utf8'));
  if (process.argv[2] === 'update') {
    if (process.env.CI) throw new Error('api/assembly.json is never updated in CI: run this by hand and review the diff');
    mkdirSync(join(root, 'api'), { recursive: true });
    writeFileSync(stored, `${JSON.stringify(surfaceOf(current), undefined, 1)}\n`);
  } else {
    const broken = breaks(JSON.parse(readFileSync(stored, 'utf8')), current);
    for (const line of broken) console.log(line);
    if (broken.length > 0) {
      console.log('Programs that use this would no longer compile. See "Breaking changes" in CONTRIBUTING.md.');
      process.exitCode = 1;
    }
  }
}
