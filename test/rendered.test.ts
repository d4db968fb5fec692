import { chmodSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'fs';
import { join } from 'path';
import { bash, Files, Origin, PIPELINES, write } from './support/repositories';

/*
 * The script rendered.sh, which commits manifests to the rendered branch. It runs in real Git repositories.
 */

jest.setTimeout(180_000);

const script = readFileSync(join(PIPELINES, 'rendered.sh'), 'utf8');
let origin: Origin;
beforeEach(() => { origin = new Origin(); });
afterEach(() => origin.remove());

const manifest = (name: string) => `kind: ConfigMap\nmetadata:\n  name: ${name}\n`;
const EAST = { 'east/boundary/Gateway.fed-in-west.k8s.yaml': manifest('gateway'), 'east/boundary/Namespace.istio-federation.k8s.yaml': manifest('namespace') };
const WEST = { 'west/boundary/Namespace.istio-federation.k8s.yaml': manifest('namespace'), 'west/bookinfo/Service.reviews.k8s.yaml': manifest('reviews') };

const source = (text: string) => origin.commit({ 'rendered.sh': script, 'main.ts': text });

/** Runs one job of a pipeline for a commit, whose program has generated these files. */
async function run(command: string, commit: string, manifests: Files, environment = {}, prepare: (clone: string) => void = () => {}) {
  const clone = origin.clone(commit);
  write(join(clone, 'dist'), manifests);
  prepare(clone);
  return bash(clone, `./rendered.sh ${command}`, environment);
}

const publish = (commit: string, manifests: Files) => run('publish dist', commit, manifests);

test('the first run of publish creates the branch with a folder for each mesh, and no other file of the repository', async () => {
  const commit = source('1');
  expect(await publish(commit, { ...EAST, ...WEST })).toMatchObject({ code: 0 });
  expect(origin.files()).toEqual({ ...EAST, ...WEST });
  expect(origin.history()).toHaveLength(1);
  expect(origin.message(origin.history()[0])).toBe(`Manifests of ${commit.slice(0, 12)}\n\nMesh: east\nMesh: west\nSource-Commit: ${commit}`);
});

test('publish removes the files of a revoked grant in a new commit on the branch, which lists the changed mesh', async () => {
  await publish(source('1'), { ...EAST, ...WEST });
  const [first] = origin.history();
  const { 'east/boundary/Gateway.fed-in-west.k8s.yaml': _, ...closed } = EAST;
  const commit = source('2');
  expect((await publish(commit, { ...closed, ...WEST })).output).toContain('Gateway.fed-in-west.k8s.yaml');
  expect(origin.files()).toEqual({ ...closed, ...WEST });
  expect(origin.history().slice(1)).toEqual([first]);
  expect(origin.message(origin.history()[0])).toBe(`Manifests of ${commit.slice(0, 12)}\n\nMesh: east\nSource-Commit: ${commit}`);
});

test.each([
  ['a file for each mesh', 'bank/boundary.k8s.yaml'],
  ['a file for the program', 'boundary.k8s.yaml'],
  ['a folder inside of a chart', 'bank/boundary/istio-federation/Gateway.fed-in-shop.k8s.yaml'],
])('publish rejects a layout that no ApplicationSet and no Kustomization deploys: %s', async (_, file) => {
  const commit = source('1');
  const { code, output } = await publish(commit, { ...EAST, [file]: manifest('gateway') });
  expect(code).not.toBe(0);
  expect(output).toContain(`may contain only <mesh>/<chart>/….k8s.yaml, not ./${file}: give each mesh an App with outdir <mesh> and yamlOutputType FOLDER_PER_CHART`);
  expect(origin.history()).toEqual([]);
});

test('publish removes the folder of a mesh that the program no longer has', async () => {
  await publish(source('1'), { ...EAST, ...WEST });
  expect(await publish(source('2'), WEST)).toMatchObject({ code: 0 });
  expect(origin.files()).toEqual(WEST);
});

test('diff does not make a complete clone shallow', async () => {
  await publish(source('1'), EAST);
  await publish(source('2'), WEST);
  const clone = origin.clone(source('3'));
  const { code, output } = await bash(clone, `git fetch --quiet --unshallow origin '+refs/heads/*:refs/remotes/origin/*'
    mkdir -p dist/east/boundary && echo 'kind: ConfigMap' > dist/east/boundary/a.k8s.yaml && ./rendered.sh diff dist > /dev/null
    git rev-parse --is-shallow-repository && git rev-list --count origin/rendered`);
  expect([code, output]).toEqual([0, 'false\n2\n']);
});

test('publish creates no commit when nothing has changed', async () => {
  await publish(source('1'), { ...EAST, ...WEST });
  const before = origin.history();
  const { code, output } = await publish(source('2'), { ...EAST, ...WEST });
  expect([code, output]).toEqual([0, 'rendered already contains these manifests\n']);
  expect(origin.history()).toEqual(before);
});

test('publish reverts manual commits to the branch', async () => {
  await publish(source('1'), EAST);
  origin.commitByHand('rendered', { 'east/boundary/Gateway.fed-in-west.k8s.yaml': manifest('open'), 'north/boundary/Gateway.k8s.yaml': manifest('north') });
  expect(await publish(source('2'), EAST)).toMatchObject({ code: 0 });
  expect(origin.files()).toEqual(EAST);
  expect(origin.history()).toHaveLength(3);
});

test('publish changes nothing for a commit that is not the head of main', async () => {
  const old = source('1');
  const head = source('2');
  await publish(head, EAST);
  const before = origin.history();
  const { code, output } = await publish(old, { ...EAST, ...WEST });
  expect(code).toBe(0);
  expect(output).toBe(`${old} is not the head of main (${head}), so nothing is written\n`);
  expect(origin.history()).toEqual(before);
});

test('two concurrent runs of publish for one commit create one commit', async () => {
  await publish(source('1'), EAST);
  const commit = source('2');
  const outcomes = await Promise.all([1, 2].map(() => publish(commit, { ...EAST, ...WEST })));
  expect(outcomes.map(({ code }) => code)).toEqual([0, 0]);
  expect(origin.history()).toHaveLength(2);
  expect(origin.files()).toEqual({ ...EAST, ...WEST });
});

test.each(['before the push reads the branch', 'after the push has read it'])('publish retries when another commit arrives %s', async (when) => {
  await publish(source('1'), EAST);
  const other = origin.clone(origin.history()[0]);
  writeFileSync(join(other, 'by-hand'), '');
  origin.git(other, 'add', '--all');
  origin.git(other, '-c', 'user.name=Eve', '-c', 'user.email=eve@example.com', 'commit', '-q', '-m', 'between');
  const tools = join(origin.directory, 'tools');
  const between = `mkdir ${tools}/once 2> /dev/null && (unset GIT_DIR; git -C ${other} push -q origin HEAD:rendered)\n`;
  const outcome = await run('publish dist', source('2'), { ...EAST, ...WEST }, { PATH: `${tools}:${process.env.PATH}` }, (clone) => {
    mkdirSync(tools);
    if (when.startsWith('before')) {
      const git = `#!/bin/sh\nexport PATH=${process.env.PATH}\n[ "$1" = push ] && ${between}exec git "$@"\n`;
      writeFileSync(join(tools, 'git'), git, { mode: 0o755 });
    } else {
      // Git calls the hook after it has asked the server for its refs and before it sends the pack.
      writeFileSync(join(clone, '.git', 'hooks', 'pre-push'), `#!/bin/sh\n${between}exit 0\n`, { mode: 0o755 });
    }
  });
  expect(outcome.code).toBe(0);
  expect(outcome.output).toContain('rejected');
  expect(origin.history()).toHaveLength(3);
  expect(origin.message(origin.history()[1])).toBe('between');
  expect(origin.files()).toEqual({ ...EAST, ...WEST });
});

test.each(['between its two reads of the remote', 'during its push'])('publish does not overwrite a newer run that finishes %s', async (when) => {
  await publish(source('1'), EAST);
  const old = source('2');
  const head = source('3');
  const bare = join(origin.directory, 'origin.git');
  origin.git(origin.directory, '--git-dir', bare, 'update-ref', 'refs/heads/main', old);
  const tools = join(origin.directory, 'tools');
  const other = origin.clone(head);
  write(join(other, 'dist'), WEST);
  const overtake = `(unset GIT_DIR; PATH=${process.env.PATH}; git --git-dir=${bare} update-ref refs/heads/main ${head}; cd ${other} && ./rendered.sh publish dist)`;
  const outcome = await run('publish dist', old, { ...EAST, ...WEST }, { PATH: `${tools}:${process.env.PATH}` }, (clone) => {
    mkdirSync(tools);
    if (when.startsWith('between')) {
      const git = `#!/bin/sh\nif [ "$1" = ls-remote ] && ! mkdir ${tools}/first 2> /dev/null; then mkdir ${tools}/second 2> /dev/null && ${overtake} >&2; fi\n`;
      writeFileSync(join(tools, 'git'), `${git}PATH=${process.env.PATH} exec git "$@"\n`, { mode: 0o755 });
    } else {
      writeFileSync(join(clone, '.git', 'hooks', 'pre-push'), `#!/bin/sh\n${overtake}\n`, { mode: 0o755 });
    }
  });
  expect(outcome.code).toBe(0);
  expect(outcome.output).toContain('so nothing is written');
  expect(origin.files()).toEqual(WEST);
  expect(origin.history()).toHaveLength(2);
});

test('publish fails after one attempt when the server rejects the push', async () => {
  await publish(source('1'), EAST);
  const before = origin.history();
  origin.hook('pre-receive', '#!/bin/sh\necho "protected branch" >&2\nexit 1\n');
  // Main is pushed without the hook, so only the push of the script triggers it.
  origin.git(join(origin.directory, 'work'), 'config', 'remote.origin.pushurl', join(origin.directory, 'origin.git'));
  const { code, output } = await publish(origin.git(join(origin.directory, 'work'), 'rev-parse', 'HEAD'), WEST);
  expect(code).toBe(1);
  expect(output.match(/protected branch/g)).toHaveLength(1);
  expect(output).toContain('the push to rendered was rejected, and the branch has not changed');
  expect(origin.history()).toEqual(before);
});

test('publish fails when the remote does not respond', async () => {
  const commit = source('1');
  const { code } = await run('publish dist', commit, EAST, {}, (clone) => origin.git(clone, 'remote', 'set-url', 'origin', join(clone, 'nowhere')));
  expect(code).not.toBe(0);
});

test('publish creates the same commit for the same source and branch, regardless of file modes', async () => {
  const ids = [];
  for (const mode of [0o600, 0o755]) {
    const { code } = await run('publish dist', source('1'), EAST, {}, (clone) => Object.keys(EAST).forEach((file) => chmodSync(join(clone, 'dist', file), mode)));
    expect(code).toBe(0);
    expect(origin.modes()).toEqual(['100644']);
    ids.push(...origin.history());
    origin.remove();
    origin = new Origin();
  }
  expect(ids).toEqual([ids[0], ids[0]]);
});

test('Git settings of a clone do not change what publish commits', async () => {
  const text = { 'east/boundary/ConfigMap.a.k8s.yaml': 'a: 1\r\nb: 2\n', 'east/boundary/ConfigMap.ignored.k8s.yaml': manifest('b') };
  const outcome = await run('publish dist', source('1'), text, {}, (clone) => {
    origin.git(clone, 'config', 'core.autocrlf', 'input');
    origin.git(clone, 'config', 'core.hooksPath', '/nonexistent');
    writeFileSync(join(clone, '.git', 'info', 'exclude'), '*ignored*\n');
  });
  expect(outcome.code).toBe(0);
  expect(origin.files()).toEqual(text);
});

test('RENDERED_BRANCH and SOURCE_BRANCH set the names of the branches', async () => {
  const commit = source('1');
  origin.git(join(origin.directory, 'work'), 'push', '-q', 'origin', 'main:trunk');
  expect(await run('publish dist', commit, EAST, { RENDERED_BRANCH: 'clusters', SOURCE_BRANCH: 'trunk' })).toMatchObject({ code: 0 });
  expect([origin.history('rendered'), origin.history('clusters')]).toEqual([[], [expect.any(String)]]);
});

test('diff shows added and removed files, and changes no branch', async () => {
  await publish(source('1'), EAST);
  const before = origin.history();
  const { 'east/boundary/Gateway.fed-in-west.k8s.yaml': _, ...closed } = EAST;
  const { code, output } = await run('diff dist', source('2'), { ...closed, ...WEST });
  expect(code).toBe(0);
  expect(output).toContain('deleted file mode 100644\n');
  expect(output).toContain('--- a/east/boundary/Gateway.fed-in-west.k8s.yaml\n+++ /dev/null');
  expect(output).toContain('+++ b/west/bookinfo/Service.reviews.k8s.yaml');
  expect(output).not.toContain('istio-federation.k8s.yaml | 3 ---');
  expect(origin.history()).toEqual(before);
});

test('diff shows all files when the branch does not exist', async () => {
  const { code, output } = await run('diff dist', source('1'), EAST);
  expect([code, output.match(/^new file mode/gm)]).toEqual([0, ['new file mode', 'new file mode']]);
  expect(origin.history()).toEqual([]);
});

describe('Errors of rendered.sh', () => {
  const rejected: [string, Files, ((dist: string) => void) | undefined, string][] = [
    ['a directory without manifests', {}, undefined, 'contains no manifest'],
    ['a file that is not a manifest', { ...EAST, 'east/boundary/.env': 'TOKEN=1' }, undefined, 'not ./east/boundary/.env'],
    ['a hidden folder', { ...EAST, '.github/workflows/x.k8s.yaml': 'on: push' }, undefined, 'not ./.github'],
    ['a kustomization.yaml', { ...EAST, 'east/boundary/kustomization.yaml': 'resources: []' }, undefined, 'not ./east/boundary/kustomization.yaml'],
    ['a manifest outside the folder of a mesh', { ...EAST, 'all.k8s.yaml': manifest('a') }, undefined, 'not ./all.k8s.yaml'],
    ['a manifest that is a symlink', EAST, (dist) => symlinkSync('/etc/hostname', join(dist, 'east', 'boundary', 'a.k8s.yaml')), 'not ./east/boundary/a.k8s.yaml'],
    ['a folder that is a symlink', EAST, (dist) => symlinkSync('/etc', join(dist, 'north')), 'not ./north'],
  ];
  test.each(rejected)('publish and diff reject %s', async (_, manifests, prepare, message) => {
    const commit = source('1');
    for (const command of ['publish dist', 'diff dist']) {
      const { code, output } = await run(command, commit, manifests, {}, (clone) => {
        mkdirSync(join(clone, 'dist'), { recursive: true });
        prepare?.(join(clone, 'dist'));
      });
      expect(code).toBe(1);
      expect(output).toContain(message);
    }
    expect(origin.history()).toEqual([]);
  });

  test.each([
    ['publish', 'usage'], ['push dist', 'unknown command push'], ['synth .', 'contains more than manifests'], ['publish /', 'contains more than manifests'],
  ])('the command `rendered.sh %s` fails and creates no branch', async (command, message) => {
    const { code, output } = await run(command, source('1'), EAST);
    expect([code, output]).toEqual([1, expect.stringContaining(message)]);
    expect(origin.history()).toEqual([]);
  });

  test('synth rejects the directory of the repository by another path', async () => {
    const clone = origin.clone(source('1'));
    symlinkSync(clone, `${clone}-link`);
    const { code, output } = await bash(clone, `cd ${clone}-link && ./rendered.sh synth .`);
    expect([code, output]).toEqual([1, expect.stringContaining('contains more than manifests')]);
    expect(existsSync(join(clone, '.git'))).toBe(true);
  });

  test('synth deletes nothing when cdk8s is not installed', async () => {
    const { code, output } = await run('synth dist || (find dist -type f | sort; exit 1)', source('1'), EAST, { PATH: '/usr/bin:/bin' });
    expect([code, output]).toEqual([1, `rendered.sh: cdk8s is not installed: install cdk8s-cli, for example with npm ci\n${Object.keys(EAST).map((file) => `dist/${file}\n`).join('')}`]);
  });

  test('synth deletes nothing in a directory that contains other files', async () => {
    const cdk8s = { PATH: `${join(__dirname, '..', 'node_modules', '.bin')}:${process.env.PATH}` };
    const { code, output } = await run('synth trust && ls trust || (ls trust; exit 1)', source('1'), EAST, cdk8s, (clone) => write(join(clone, 'trust'), { 'east.pem': 'root' }));
    expect([code, output]).toEqual([1, expect.stringMatching(/trust\/east\.pem is not a manifest: use a directory that contains only manifests\neast\.pem\n$/)]);
  });

  test('publish rejects the source branch as target', async () => {
    const { code, output } = await run('publish dist', source('1'), EAST, { RENDERED_BRANCH: 'main' });
    expect([code, output]).toEqual([1, expect.stringContaining('main cannot be both the source and the target')]);
  });
});
