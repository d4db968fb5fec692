import { execFileSync } from 'child_process';
import { existsSync, readFileSync } from 'fs';
import { join } from 'path';
import { parse } from 'yaml';

/*
 * The jobs, permissions and secrets of the release workflows, and their description on the page for maintainers.
 */

interface Step { readonly name?: string; readonly uses?: string; readonly run?: string; readonly env?: Record<string, string> }
interface Job {
  readonly needs?: string | string[];
  readonly uses?: string;
  readonly environment?: string;
  readonly permissions: Record<string, string>;
  readonly steps?: Step[];
}

const root = join(__dirname, '..');
const read = (file: string) => readFileSync(join(root, file), 'utf8');
const jobsOf = (workflow: string): Record<string, Job> => parse(read(`.github/workflows/${workflow}.yml`)).jobs;
const build = jobsOf('build');
const release = jobsOf('release');
const publishing = Object.keys(release).filter((name) => name.startsWith('release_'));
const page = read('docs/how-to/release.md');

test('each registry has a separate publishing job', () => {
  expect(publishing.sort()).toEqual(['release_github', 'release_golang', 'release_maven', 'release_npm', 'release_nuget', 'release_pypi']);
});

test('the release workflow builds after all checks have passed, and publishes after the build', () => {
  expect(release.checks.uses).toBe('./.github/workflows/build.yml');
  expect(build.build.steps!.at(-1)!.run).toContain('.ci/run');
  expect(release.release.needs).toEqual(['checks']);
  for (const name of publishing) expect([release[name].needs].flat()).toContain('release');
  expect([release.release_github.needs].flat().sort()).toEqual(['release', ...publishing.filter((name) => name !== 'release_github')].sort());
});

test('each publishing job requires the release environment, and only the last job may write to the repository', () => {
  expect(publishing.filter((name) => release[name].environment !== 'release')).toEqual([]);
  const rights = Object.entries({ ...build, ...release }).flatMap(([name, { permissions }]) =>
    Object.entries(permissions).filter(([, level]) => level === 'write').map(([right]) => `${name}: ${right}`));
  expect(rights.sort()).toEqual(['release_github: contents', 'release_npm: id-token', 'release_nuget: id-token', 'release_pypi: id-token']);
});

test('npm, PyPI and NuGet authenticate the workflow by trusted publishing, without a secret', () => {
  const env = (job: string) => release[job].steps!.find(({ name }) => name === 'Release')!.env!;
  expect(env('release_npm')).toMatchObject({ NPM_TRUSTED_PUBLISHER: 'true', NPM_CONFIG_PROVENANCE: 'true' });
  expect(env('release_pypi')).toMatchObject({ PYPI_TRUSTED_PUBLISHER: 'true' });
  expect(env('release_nuget')).toMatchObject({ NUGET_TRUSTED_PUBLISHER: 'true' });
  for (const job of ['release_npm', 'release_pypi']) expect(JSON.stringify(release[job])).not.toContain('secrets.');
});

test('the page for maintainers lists exactly the secrets that the workflows use', () => {
  const used = ['build', 'release'].flatMap((name) => [...read(`.github/workflows/${name}.yml`).matchAll(/secrets\.([A-Z_]+)/g)].map(([, secret]) => secret));
  const named = [...page.matchAll(/^\| `([A-Z_]+)` \|/gm)].map(([, secret]) => secret);
  expect(named.sort()).toEqual([...new Set(used)].filter((secret) => secret !== 'GITHUB_TOKEN').sort());
});

test('every action is pinned to a commit or a full version', () => {
  const actions = Object.values({ ...build, ...release }).flatMap(({ steps = [] }) => steps.flatMap(({ uses }) => uses ?? []));
  expect(actions.length).toBeGreaterThan(20);
  expect(actions.filter((action) => !/^actions\/[a-z-]+@([0-9a-f]{40}|v\d+\.\d+\.\d+)$/.test(action))).toEqual([]);
});

test('all publishing jobs use the same version of publib', () => {
  const tools = [...read('.github/workflows/release.yml').matchAll(/publib@([^']+)'/g)].map(([, version]) => version);
  expect(new Set(tools).size).toBe(1);
  expect(tools[0]).toMatch(/^\d+\.\d+\.\d+$/);
});

test('no tracked file contains the address of a package registry', () => {
  const hosts = new RegExp(['registry\\.npmjs', 'npmjs\\.com', 'yarnpkg', 'pythonhosted', '[^a-z]pypi\\.org', 'repo1?\\.maven', 'sonatype\\.', 'nuget\\.org', 'proxy\\.golang']
    .join('|'));
  const tracked = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { cwd: root, encoding: 'utf8' }).trim().split('\n');
  const naming = tracked.filter((file) => file !== 'test/release.test.ts' && existsSync(join(root, file)) && hosts.test(read(file)));
  expect(naming).toEqual([]);
});
