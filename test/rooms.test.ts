import { execFileSync } from 'child_process';
import { existsSync, readFileSync } from 'fs';
import { dirname, join, relative, resolve } from 'path';
import * as ts from 'typescript';

/*
 * The order of the rooms of src/: import cycles, those of types included, and the README of each room.
 */

const root = join(__dirname, '..');
const sources = execFileSync('git', ['ls-files', '-co', '--exclude-standard', 'src'], { cwd: root, encoding: 'utf8' })
  .split('\n').filter((file) => file.endsWith('.ts') && existsSync(join(root, file)));

interface Import {
  readonly from: string;
  readonly to: string;
  readonly typeOnly: boolean;
}

/** Every import and re-export between files of src/. It includes imports of types, whose cycles lint does not detect. */
const imports: Import[] = sources.flatMap((from) => {
  const file = ts.createSourceFile(from, readFileSync(join(root, from), 'utf8'), ts.ScriptTarget.ES2022);
  return file.statements.filter((one) => ts.isImportDeclaration(one) || ts.isExportDeclaration(one)).flatMap((statement) => {
    const specifier = statement.moduleSpecifier && (statement.moduleSpecifier as ts.StringLiteral).text;
    if (!specifier?.startsWith('.')) return [];
    const path = resolve(root, dirname(from), specifier);
    const to = [`${path}.ts`, join(path, 'index.ts')].find(existsSync);
    const typeOnly = ts.isImportDeclaration(statement) && statement.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword;
    return to === undefined ? [] : [{ from, to: relative(root, to), typeOnly }];
  });
}).filter(({ to }) => to.startsWith('src/'));

/** Files that a file imports, directly or indirectly, by imports that pass the filter. */
function reachable(start: string, taken: (one: Import) => boolean): Set<string> {
  const seen = new Set<string>();
  const waiting = [start];
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    for (const { to } of imports.filter((one) => one.from === file && taken(one))) {
      if (seen.has(to)) continue;
      seen.add(to);
      waiting.push(to);
    }
  }
  return seen;
}

const circular = (taken: (one: Import) => boolean) => sources.filter((file) => reachable(file, taken).has(file)).sort();

test('no file of src imports itself indirectly, except by types of mesh.ts, expose.ts and bind.ts', () => {
  expect(sources.length).toBeGreaterThan(60);
  expect(circular(() => true)).toEqual(['src/bind.ts', 'src/expose.ts', 'src/mesh.ts']);
});

test('no file of src imports itself indirectly at run time', () => {
  expect(circular(({ typeOnly }) => !typeOnly)).toEqual([]);
});

test('every room has a README with its title, its allowed imports and how to add something', () => {
  const rooms = [...new Set(sources.map((file) => dirname(file)).filter((folder) => !['src', 'src/analysis/rules'].includes(folder)))];
  expect(rooms.sort()).toEqual(['analysis', 'boundary', 'checks', 'model', 'output', 'pki', 'render'].map((room) => `src/${room}`));
  for (const room of rooms) {
    const readme = readFileSync(join(root, room, 'README.md'), 'utf8');
    expect(readme).toMatch(/^# /);
    expect(readme).toMatch(/may import/i);
    expect(readme).toMatch(/To add/);
  }
});

const CONTRIBUTORS = ['ARCHITECTURE.md', 'CONTRIBUTING.md', ...['analysis', 'boundary', 'checks', 'model', 'output', 'pki', 'render'].map((room) => `src/${room}/README.md`)];

test.each(CONTRIBUTORS)('every path and every function with its file that %s names exists, and no line of prose has more than 120 characters', (page) => {
  const text = readFileSync(join(root, page), 'utf8');
  const paths = [...text.matchAll(/`((?:src|test|scripts|lab|docs|examples|api|imports|crds)\/[\w./-]*)`/g)].map(([, path]) => path);
  expect(paths.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  const functions = [...text.matchAll(/`(?:\w+\.)?(\w+)(?:\(\))?` \(`(src\/[\w./-]+\.ts)`\)/g)];
  expect(functions.filter(([, name, path]) => !new RegExp(`\\b${name}\\b`).test(readFileSync(join(root, path), 'utf8'))).map(([named]) => named)).toEqual([]);
  const prose = text.replace(/^```[^]*?^```$/gm, '').split('\n').filter((line) => !/^\s*\|/.test(line));
  expect(prose.filter((line) => line.length > 120)).toEqual([]);
});

test('ARCHITECTURE.md has the question of every suite', () => {
  const text = readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8');
  const suites = execFileSync('git', ['ls-files', '-co', '--exclude-standard', 'test/*.test.ts'], { cwd: root, encoding: 'utf8' })
    .match(/(?<=^test\/)[\w.-]+(?=\.test\.ts$)/gm)!.filter((name) => existsSync(join(root, 'test', `${name}.test.ts`)));
  const listed = [...text.slice(text.indexOf('| suite | question |')).matchAll(/^\| ([^|]+) \|/gm)].flatMap(([, cell]) => [...cell.matchAll(/`([\w-]+)`/g)].map(([, name]) => name));
  expect(listed.filter((name) => !suites.includes(name))).toEqual([]);
  expect(suites.filter((name) => !name.endsWith('.errors') && !listed.includes(name))).toEqual([]);
});
