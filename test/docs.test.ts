import { execFileSync } from 'child_process';
import { createHash } from 'crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'fs';
import { tmpdir } from 'os';
import { dirname, join, relative } from 'path';
import { pages } from './support/pages';
import { DEFAULT } from './support/versions';

/*
 * Links, commands, programs and checksums in the documentation. Links have a target, commands exist, and checksums match.
 */

const root = join(__dirname, '..');
const read = (file: string) => readFileSync(join(root, file), 'utf8');
const tracked = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { cwd: root, encoding: 'utf8' }).trim().split('\n');

test('the list of documentation pages contains the main pages', () => {
  expect(pages).toEqual(expect.arrayContaining([
    'docs/quick-start.md', 'docs/errors.md', 'docs/threat-model.md', 'docs/troubleshooting.md', 'docs/adr/README.md',
  ]));
});

test('every Python, Java and Go program in the documentation is part of an example that npm run languages runs', () => {
  const page = read('docs/how-to/languages.md');
  const missing = ['python', 'java', 'go'].flatMap((language) => {
    const sources = tracked.filter((file) => file.startsWith(`examples/languages/${language}/`)).map((file) => read(file));
    const snippets = [...page.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'))].map(([, snippet]) => snippet);
    expect(snippets.length).toBeGreaterThanOrEqual(3);
    return snippets.filter((snippet) => !sources.some((source) => source.includes(snippet)));
  });
  expect(missing).toEqual([]);
});

test('every link inside the repository has an existing target', () => {
  const broken = pages.flatMap((page) => [...read(page).matchAll(/\]\((?!https?:|mailto:)([^)#\s]*)(#[^)\s]*)?\)/g)].flatMap(([, path, anchor]) => {
    const target = path === '' ? page : relative(root, join(root, dirname(page), path));
    if (!existsSync(join(root, target))) return [`${page}: ${path}`];
    const anchors = target.endsWith('.md') ? anchorsIn(read(target)) : [];
    return anchor && !anchors.includes(anchor) ? [`${page}: ${path}${anchor}`] : [];
  }));
  expect(broken).toEqual([]);
});

test('every npm and projen command in the documentation exists', () => {
  const { scripts } = JSON.parse(read('package.json'));
  const tasks = Object.keys(JSON.parse(read('.projen/tasks.json')).tasks);
  const unknown = pages.flatMap((page) => [
    ...[...read(page).matchAll(/npm run ([a-z:-]+)/g)].map(([, name]) => name).filter((name) => !(name in scripts)),
    ...[...read(page).matchAll(/npx projen ([a-z:-]+)/g)].map(([, name]) => name).filter((name) => !tasks.includes(name)),
  ].map((name) => `${page}: ${name}`));
  expect(unknown).toEqual([]);
});

test('the README contains the two quick-start commands and installs once', () => {
  expect(read('README.md')).toMatch(/^```sh\nnpm ci && npm run demo( +#.*)?\nnpm test( +#.*)?\n```$/m);
  expect(read('README.md').match(/npm ci &&/g)).toHaveLength(1);
});

test.each(['crds/README.md'])('the checksums in %s match the vendored files', (page) => {
  const rows = [...read(page).matchAll(/^\| `([^`]+)` \|.*\| `([0-9a-f]{64})` \|$/gm)];
  expect(rows.length).toBeGreaterThanOrEqual(3);
  const actual = rows.map(([, file]) => [file, createHash('sha256').update(read(join(dirname(page), file))).digest('hex')]);
  expect(actual).toEqual(rows.map(([, file, sum]) => [file, sum]));
});

test('cdk8s import generates imports/ from the vendored CRDs', () => {
  const directory = mkdtempSync(join(tmpdir(), 'imports-'));
  try {
    for (const file of [`istio-${DEFAULT}`, 'cert-manager-1.21']) {
      execFileSync(join(root, 'node_modules/.bin/cdk8s'), [
        'import', `crds/${file}.yaml`, '--language', 'typescript', '--output', directory, '--no-save', '--no-check-upgrade',
      ], { cwd: root, stdio: 'pipe' });
    }
    expect(readdirSync(directory).sort()).toEqual(readdirSync(join(root, 'imports')).sort());
    for (const file of readdirSync(directory)) {
      expect(readFileSync(join(directory, file), 'utf8') === read(join('imports', file))).toBe(true);
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
}, 60_000);

test('the repository contains no private key', () => {
  const key = new RegExp(`-----BEGIN ([A-Z]+ )?${'PRIVATE'} KEY-----\\n[A-Za-z0-9+/=]{40}`);
  expect(tracked.filter((file) => existsSync(join(root, file)) && key.test(read(file)))).toEqual([]);
});

test('every test file begins with a comment whose first sentence the reporter prints', () => {
  const silent = tracked.filter((file) => /^test\/[^/]+\.test\.ts$/.test(file) && existsSync(join(root, file)))
    .filter((file) => !/^\/\*\n \* [A-Z][^.]+\./m.test(read(file)) && !/^testRejections\('/m.test(read(file)));
  expect(silent).toEqual([]);
});

test('only src/render uses the generated types', () => {
  const sources = tracked.filter((file) => file.startsWith('src/') && !file.startsWith('src/render/'));
  expect(sources.length).toBeGreaterThan(10);
  expect(sources.filter((file) => /imports\/|cdk8s-plus|istio\.io\/v|networking\.istio(?!\.io\/exportTo)/.test(read(file).replace(/^ *(\/?\*|\/\/).*$/gm, '')))).toEqual([]);
});

/** The anchors of a page: those of its headings, and explicit ones. */
function anchorsIn(page: string): string[] {
  return [
    ...[...page.matchAll(/^#+ (.+)$/gm)].map(([, title]) => anchorOf(title)),
    ...[...page.matchAll(/^<a id="([^"]+)"><\/a>$/gm)].map(([, id]) => `#${id}`),
  ];
}

/** As GitHub makes them. */
function anchorOf(title: string): string {
  return `#${title.toLowerCase().replace(/[^\p{L}\p{N} _-]/gu, '').replaceAll(' ', '-')}`;
}
