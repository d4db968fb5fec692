/**
 * Keeps `api/assembly.json`, the public surface that users rely on, and says where `.jsii` breaks it:
 *
 *     npx projen compile && npx projen compat     # what a program of the kept surface would miss
 *     npx projen api:update                       # keeps today's surface
 */
import { spawnSync } from 'child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'fs';
import { tmpdir } from 'os';
import { join } from 'path';

const root = join(__dirname, '..');
const kept = join(root, 'api/assembly.json');

/** What breaks no program when it changes: words, lines, versions of tools. */
const MEANINGLESS = [
  'author', 'bin', 'contributors', 'dependencyClosure', 'description', 'docs', 'fingerprint', 'homepage', 'jsiiVersion', 'keywords', 'locationInModule',
  'metadata', 'readme', 'repository', 'symbolId', 'usedFeatures',
];

/** An assembly without them, in one order. */
export function surfaceOf(assembly: object): Record<string, unknown> {
  const strip = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(strip);
    if (typeof value !== 'object' || value === null) return value;
    const meant = Object.entries(value).filter(([key]) => !MEANINGLESS.includes(key));
    return Object.fromEntries(meant.sort(([a], [b]) => a < b ? -1 : 1).map(([key, inner]) => [key, strip(inner)]));
  };
  return strip(assembly) as Record<string, unknown>;
}

/** What jsii-diff says of the way from one surface to another: nothing when every program of the first compiles with the second. */
export function breaks(before: object, after: object): string[] {
  const directory = mkdtempSync(join(tmpdir(), 'api-'));
  try {
    symlinkSync(join(root, 'node_modules'), join(directory, 'node_modules'));
    for (const [name, assembly] of Object.entries({ before, after })) {
      const surface = surfaceOf(assembly);
      mkdirSync(join(directory, name));
      writeFileSync(join(directory, name, 'package.json'), JSON.stringify({ name: surface.name, version: surface.version, dependencies: surface.dependencies, jsii: {} }));
      // The loader asks for fields that say nothing here.
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
  const today = JSON.parse(readFileSync(join(root, '.jsii'), 'utf8'));
  if (process.argv[2] === 'update') {
    if (process.env.CI) throw new Error('the kept surface is never updated in CI: run this by hand and review the diff');
    mkdirSync(join(root, 'api'), { recursive: true });
    writeFileSync(kept, `${JSON.stringify(surfaceOf(today), undefined, 1)}\n`);
  } else {
    const broken = breaks(JSON.parse(readFileSync(kept, 'utf8')), today);
    for (const line of broken) console.log(line);
    if (broken.length > 0) {
      console.log('Programs that use this would no longer compile. CONTRIBUTING.md, "Break something", says what to do.');
      process.exitCode = 1;
    }
  }
}
