import { chmodSync, existsSync, lchownSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync, symlinkSync, writeFileSync } from 'fs';
import { tmpdir } from 'os';
import { join } from 'path';
import { ApiObject, App, AppProps, Chart, JsonPatch, Lazy, YamlOutputType } from 'cdk8s';
import { Construct } from 'constructs';
import * as fc from 'fast-check';
import { SCENARIOS } from './scenarios';
import { rememberIncludes } from './support/includes';
import { parametersOf } from './support/random';
import { bookinfo } from '../examples/bookinfo/main';
import { ManifestWriter } from '../src';

/*
 * ManifestWriter writes the files of any app exactly as app.synth() does.
 */

rememberIncludes();

/** The module itself, whose functions can be replaced: an import is a copy. */
const fs = jest.requireActual<typeof import('fs')>('fs');

let directory: string;
beforeEach(() => { directory = mkdtempSync(join(tmpdir(), 'writer-')); });
afterEach(() => {
  rmSync(directory, { recursive: true });
  jest.restoreAllMocks();
});

const TYPES = [
  YamlOutputType.FILE_PER_APP, YamlOutputType.FILE_PER_CHART, YamlOutputType.FILE_PER_RESOURCE, YamlOutputType.FOLDER_PER_CHART_FILE_PER_RESOURCE,
];

/** Every file below a directory with its content. */
function filesIn(root: string, below = ''): { [path: string]: string } {
  return Object.fromEntries(readdirSync(join(root, below)).sort().flatMap((name) => {
    const path = join(below, name);
    return statSync(join(root, path)).isDirectory() ? Object.entries(filesIn(root, path)) : [[path, readFileSync(join(root, path), 'utf8')]];
  }));
}

/** Compares the files of one program that is synthesized by cdk8s with those that ManifestWriter writes. */
function expectSameFiles(program: (props: AppProps) => App, props: AppProps = {}): void {
  const [ours, theirs] = ['ours', 'theirs'].map((name) => mkdtempSync(join(directory, name)));
  program({ ...props, outdir: theirs }).synth();
  ManifestWriter.write(program({ ...props, outdir: ours }));
  expect(filesIn(ours)).toEqual(filesIn(theirs));
}

function configMap(scope: Construct, id: string, data: unknown = {}, name?: string): ApiObject {
  return new ApiObject(scope, id, { apiVersion: 'v1', kind: 'ConfigMap', metadata: name === undefined ? {} : { name }, data });
}

function twoCharts(yamlOutputType: YamlOutputType, outdir = directory, name = 'two', outputFileExtension = '.k8s.yaml'): App {
  const app = new App({ outdir, yamlOutputType, outputFileExtension });
  configMap(new Chart(app, 'first'), 'a', {}, 'one');
  configMap(new Chart(app, 'second'), 'a', {}, name);
  return app;
}

/** An app whose second file is a symbolic link. */
function linkedTo(target: string): (outdir: string) => App {
  return (outdir) => {
    symlinkSync(target, join(outdir, 'second.k8s.yaml'));
    return twoCharts(YamlOutputType.FILE_PER_CHART);
  };
}

/** Every path below the directory of the test, with the content or link. */
function everything(): unknown[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' }).sort().map((path) => {
    const file = lstatSync(join(directory, path));
    return [path, file.isSymbolicLink() ? readlinkSync(join(directory, path)) : file.isDirectory() ? 'directory' : readFileSync(join(directory, path), 'utf8')];
  });
}

function expectUnchanged(write: () => void, message: RegExp): void {
  const before = everything();
  expect(write).toThrow(/^FED155 ManifestWriter.write: .* cannot be written \([A-Z]+\), and all files are as before → /);
  expect(write).toThrow(message);
  expect(everything()).toEqual(before);
}

/** Runs without the rights of root, whom no file mode stops. */
function asUser(owned: string, run: () => void): void {
  if (process.getuid!() !== 0) return run();
  [owned, ...readdirSync(owned).map((name) => join(owned, name))].forEach((path) => lchownSync(path, NOBODY, NOBODY));
  process.seteuid!(NOBODY);
  try {
    run();
  } finally {
    process.seteuid!(0);
  }
}

const NOBODY = 65534;

describe('ManifestWriter.write', () => {
  test('ManifestWriter creates the folder of a chart without objects, as app.synth() does', () => {
    const program = (outdir: string) => {
      const app = new App({ outdir, yamlOutputType: YamlOutputType.FOLDER_PER_CHART_FILE_PER_RESOURCE });
      configMap(new Chart(app, 'full'), 'One');
      new Chart(new Chart(app, 'outer'), 'inner');
      return app;
    };
    const [ours, theirs] = ['ours', 'theirs'].map((name) => mkdtempSync(join(directory, name)));
    program(theirs).synth();
    ManifestWriter.write(program(ours));
    expect(readdirSync(ours).sort()).toEqual(readdirSync(theirs).sort());
    expect(readdirSync(ours)).toHaveLength(3);
  });

  test.each(TYPES)('ManifestWriter writes the Bookinfo federation as app.synth() does, with output type %s', (yamlOutputType) => {
    expectSameFiles((props) => bookinfo(props).app, { yamlOutputType });
  });

  test.each(TYPES)('ManifestWriter writes the construct metadata that cdk8s synth reads, with output type %s', (yamlOutputType) => {
    expectSameFiles((props) => bookinfo(props).app, { yamlOutputType, recordConstructMetadata: true });
  });

  test.each(Object.keys(SCENARIOS))('ManifestWriter writes the scenario %s as app.synth() does', (name) => {
    SCENARIOS[name]().forEach((_, index) => expectSameFiles(({ outdir }) => Object.assign(SCENARIOS[name]()[index], { outdir })));
  });

  test('ManifestWriter writes nested, empty and numeric charts and all kinds of dependencies as app.synth() does', () => {
    const program = (props: AppProps) => {
      const app = new App(props);
      const [second, first, empty, tenth] = ['second', 'first', 'empty', '10'].map((id) => new Chart(app, id));
      new Chart(app, '9');
      const inner = new Chart(second, 'inner');
      const group = new Construct(first, 'group');
      configMap(second, 'a').addDependency(configMap(second, 'b', { of: Lazy.any({ produce: () => 'later' }) }));
      configMap(inner, 'c');
      configMap(group, 'd');
      configMap(group, 'e');
      configMap(tenth, 'f').addDependency(group);
      second.addDependency(first);
      expect(empty.node.children).toEqual([]);
      return app;
    };
    for (const yamlOutputType of TYPES) expectSameFiles(program, { yamlOutputType });
  });

  test('ManifestWriter writes no file for an app without charts', () => {
    for (const yamlOutputType of TYPES) expectSameFiles((props) => new App(props), { yamlOutputType });
  });

  test('ManifestWriter writes the documents that an overridden toJson of a chart returns', () => {
    class Renamed extends Chart {
      public override toJson(): any[] {
        return [...super.toJson().map((json) => ({ ...json, kind: 'Other' })), undefined];
      }
    }
    const program = (props: AppProps) => {
      const app = new App(props);
      configMap(new Renamed(app, 'renamed'), 'a');
      return app;
    };
    for (const yamlOutputType of TYPES) expectSameFiles(program, { yamlOutputType });
  });

  test('ManifestWriter names files of single objects as cdk8s does, also when a patch changes the name', () => {
    const program = (props: AppProps) => {
      const app = new App(props);
      const chart = new Chart(app, 'chart');
      configMap(chart, 'a', {}, 'a:strange/name').addJsonPatch(JsonPatch.replace('/metadata/name', 'patched'));
      configMap(chart, 'b', {}, 'same');
      configMap(chart, 'c', { second: true }, 'same');
      return app;
    };
    for (const yamlOutputType of TYPES) expectSameFiles(program, { yamlOutputType });
  });

  test('ManifestWriter writes generated programs of charts, constructs, objects and dependencies as app.synth() does', () => {
    const step = fc.record({ kind: fc.constantFrom('chart', 'group', 'object', 'dependency', 'dependency'), from: fc.nat(50), to: fc.nat(50), text: fc.string({ maxLength: 10 }) });
    // Dependencies follow the ranks, so they are acyclic themselves: some point to earlier declarations, some to later ones.
    const ranks = fc.array(fc.nat(1000), { minLength: 25, maxLength: 25 });
    const generated = { toEarlier: 0, toLater: 0, cycles: 0 };
    fc.assert(fc.property(fc.array(step, { minLength: 8, maxLength: 20, size: 'max' }), ranks, fc.constantFrom(...TYPES), (steps, ranked, yamlOutputType) => {
      const used = { toEarlier: 0, toLater: 0 };
      const program = (props: AppProps) => {
        const app = new App(props);
        const scopes: Construct[] = [new Chart(app, 'chart')];
        const all: Construct[] = [...scopes];
        steps.forEach(({ kind, from, to, text }, index) => {
          const scope = scopes[from % scopes.length];
          const id = `c${index}`;
          if (kind === 'chart') {
            all.push(scopes[scopes.push(new Chart(from % 2 === 0 ? app : scope, id)) - 1]);
          } else if (kind === 'group') {
            all.push(scopes[scopes.push(new Construct(scope, id)) - 1]);
          } else if (kind === 'object') {
            all.push(configMap(scope, id, { text }));
          } else {
            const [target, source] = [from % all.length, to % all.length].sort((a, b) => ranked[a] - ranked[b] || a - b).map((at) => all[at]);
            const areUnrelated = [source, target].every((one, side) => !one.node.scopes.includes([target, source][side]));
            if (!areUnrelated) return;
            source.node.addDependency(target);
            used[all.indexOf(target) < all.indexOf(source) ? 'toEarlier' : 'toLater']++;
          }
        });
        return app;
      };
      let isCyclic = false;
      try {
        program({ outdir: join(directory, 'unused') }).synth();
      } catch {
        isCyclic = true;
      }
      // Two unrelated constructs can still depend on each other through the constructs in them.
      if (isCyclic) generated.cycles++;
      else for (const direction of ['toEarlier', 'toLater'] as const) generated[direction] += used[direction];
      if (isCyclic) expect(() => ManifestWriter.write(program({ outdir: join(directory, 'unused'), yamlOutputType }))).toThrow();
      else expectSameFiles(program, { yamlOutputType });
    }), parametersOf(150));
    expect(Math.min(generated.toEarlier, generated.toLater)).toBeGreaterThan(20);
    expect(generated.cycles).toBeLessThan(75);
  });

  test('ManifestWriter runs each validation once, where app.synth() runs it for every chart', () => {
    const runs = { ours: 0, theirs: 0 };
    const program = (count: () => void) => {
      const app = new App({ outdir: directory });
      for (const id of ['a', 'b', 'c']) configMap(new Chart(app, id), 'object').node.addValidation({ validate: () => { count(); return []; } });
      return app;
    };
    ManifestWriter.write(program(() => { runs.ours++; }));
    program(() => { runs.theirs++; }).synth();
    expect(runs).toEqual({ ours: 3, theirs: 12 });
  });

  test('ManifestWriter throws the validation errors of app.synth(), and does not create the output directory', () => {
    const program = (outdir: string) => {
      const app = new App({ outdir });
      const chart = new Chart(app, 'chart');
      chart.node.addValidation({ validate: () => ['first', 'second'] });
      configMap(chart, 'a').node.addValidation({ validate: () => ['third'] });
      return app;
    };
    const messageOf = (run: () => void) => {
      try {
        run();
      } catch (error) {
        return (error as Error).message;
      }
      return 'nothing';
    };
    const outdir = join(directory, 'new');
    expect(messageOf(() => ManifestWriter.write(program(outdir)))).toBe(messageOf(() => program(join(directory, 'theirs')).synth()));
    expect(existsSync(outdir)).toBe(false);
  });

  test('ManifestWriter changes no file when the last object cannot be rendered', () => {
    writeFileSync(join(directory, 'a.k8s.yaml'), 'old');
    const app = new App({ outdir: directory });
    for (let index = 0; index < 3; index++) configMap(new Chart(app, 'abc'[index]), 'object', { late: Lazy.any({ produce: () => { if (index === 2) throw new Error('too late'); } }) });
    expect(() => ManifestWriter.write(app)).toThrow(/Failed serializing construct at path 'c\/object'.*too late/);
    expect(filesIn(directory)).toEqual({ 'a.k8s.yaml': 'old' });
  });

  test.each(TYPES)('ManifestWriter changes nothing when a path is taken by a folder or a file, with output type %s', (yamlOutputType) => {
    for (const folder of ['app.k8s.yaml', 'second.k8s.yaml', 'ConfigMap.two.k8s.yaml']) mkdirSync(join(directory, folder), { recursive: true });
    writeFileSync(join(directory, 'first.k8s.yaml'), 'old');
    writeFileSync(join(directory, 'second'), 'a file');
    expectUnchanged(() => ManifestWriter.write(twoCharts(yamlOutputType)), /cannot be written \((EISDIR|EEXIST)\)/);
  });

  test.each<[string, RegExp, (outdir: string) => App]>([
    ['a file name of more than 255 bytes', /ENAMETOOLONG.*FILE_PER_CHART/, (outdir) => twoCharts(YamlOutputType.FILE_PER_RESOURCE, outdir, 'n'.repeat(240))],
    ['an extension of more than 255 bytes and fewer characters', /ENAMETOOLONG/, (outdir) => twoCharts(YamlOutputType.FILE_PER_CHART, outdir, 'two', `${'é'.repeat(130)}.yaml`)],
    ['a symbolic link into a directory that does not exist', /ENOENT.*create the directory/, linkedTo('nowhere/second')],
    ['a symbolic link to itself', /ELOOP/, linkedTo('second.k8s.yaml')],
    ['a symbolic link to a directory', /EISDIR/, linkedTo('.')],
    ['a symbolic link through a file', /ENOTDIR/, linkedTo('first.k8s.yaml/second')],
    ['an output directory that is a file', /EEXIST/, (outdir) => twoCharts(YamlOutputType.FILE_PER_CHART, join(outdir, 'first.k8s.yaml'))],
    ['an output directory below a file', /ENOTDIR/, (outdir) => twoCharts(YamlOutputType.FILE_PER_CHART, join(outdir, 'first.k8s.yaml', 'a', 'b'))],
    ['an output directory with a name that is too long', /ENAMETOOLONG/, (outdir) => twoCharts(YamlOutputType.FILE_PER_CHART, join(outdir, '界'.repeat(90)))],
    ['an output directory that is a dangling link', /ENOENT/, (outdir) => {
      symlinkSync('nowhere', join(outdir, 'dangling'));
      return twoCharts(YamlOutputType.FILE_PER_CHART, join(outdir, 'dangling'));
    }],
    ['a folder of a chart that is a file', /EEXIST/, (outdir) => {
      writeFileSync(join(outdir, 'second'), 'a file');
      return twoCharts(YamlOutputType.FOLDER_PER_CHART_FILE_PER_RESOURCE);
    }],
    ['a file in the folder of a chart that is a directory', /EISDIR/, (outdir) => {
      mkdirSync(join(outdir, 'second', 'ConfigMap.two.k8s.yaml'), { recursive: true });
      return twoCharts(YamlOutputType.FOLDER_PER_CHART_FILE_PER_RESOURCE);
    }],
  ])('ManifestWriter rejects %s with FED155 and changes nothing', (_, message, prepare) => {
    writeFileSync(join(directory, 'first.k8s.yaml'), 'old');
    writeFileSync(join(directory, 'ConfigMap.one.k8s.yaml'), 'old');
    const app = prepare(directory);
    expectUnchanged(() => ManifestWriter.write(app), message);
  });

  test.each<[string, (outdir: string) => void]>([
    ['a read-only file', (outdir) => chmodSync(join(outdir, 'second.k8s.yaml'), 0o444)],
    ['a read-only output directory', (outdir) => chmodSync(outdir, 0o555)],
    ['a symbolic link into a read-only directory', (outdir) => {
      mkdirSync(join(outdir, 'elsewhere'), { mode: 0o555 });
      rmSync(join(outdir, 'second.k8s.yaml'));
      symlinkSync('elsewhere/second', join(outdir, 'second.k8s.yaml'));
    }],
  ])('ManifestWriter rejects %s with FED155 and changes nothing', (_, prepare) => {
    for (const name of ['first.k8s.yaml', 'second.k8s.yaml']) writeFileSync(join(directory, name), 'old');
    prepare(directory);
    asUser(directory, () => expectUnchanged(() => ManifestWriter.write(twoCharts(YamlOutputType.FILE_PER_CHART)), /EACCES.*allow the user/));
    chmodSync(directory, 0o755);
  });

  test('ManifestWriter rejects with FED155 an output directory that another program removes meanwhile', () => {
    const outdir = join(directory, 'dist');
    const app = twoCharts(YamlOutputType.FILE_PER_CHART, outdir);
    configMap(app.charts[1], 'late', { late: Lazy.any({ produce: () => { rmSync(outdir, { recursive: true }); return 1; } }) });
    expect(() => ManifestWriter.write(app)).toThrow(/^FED155 ManifestWriter.write: ".*first.k8s.yaml" cannot be written \(ENOENT\)/);
    expect(readdirSync(directory)).toEqual([]);
  });

  test('ManifestWriter puts back files and links, and removes new files, when the last file cannot be moved', () => {
    const app = twoCharts(YamlOutputType.FILE_PER_CHART);
    for (const id of ['linked', 'new', 'zombie']) configMap(new Chart(app, id), 'a');
    writeFileSync(join(directory, 'first.k8s.yaml'), 'old', { mode: 0o600 });
    writeFileSync(join(directory, 'elsewhere'), 'linked');
    symlinkSync('elsewhere', join(directory, 'linked.k8s.yaml'));
    symlinkSync('nothing', join(directory, 'second.k8s.yaml'));
    const { renameSync, writeFileSync: write } = { ...fs };
    const full = (target: unknown) => { if (String(target).endsWith('zombie.k8s.yaml')) throw Object.assign(new Error('full'), { code: 'ENOSPC' }); };
    jest.spyOn(fs, 'renameSync').mockImplementation((from, to) => { full(to); renameSync(from, to); });
    jest.spyOn(fs, 'writeFileSync').mockImplementation((to, ...rest) => { full(to); write(to, ...rest); });
    expectUnchanged(() => ManifestWriter.write(app), /zombie.k8s.yaml" cannot be written \(ENOSPC\).*free some space/);
    expect(lstatSync(join(directory, 'first.k8s.yaml')).mode).toBe(0o100600);
  });

  test('ManifestWriter replaces files where there are no hard links', () => {
    writeFileSync(join(directory, 'first.k8s.yaml'), 'old', { mode: 0o600 });
    jest.spyOn(fs, 'linkSync').mockImplementation(() => { throw Object.assign(new Error(), { code: 'EPERM' }); });
    ManifestWriter.write(twoCharts(YamlOutputType.FILE_PER_CHART));
    expect(filesIn(directory)).toEqual({ 'first.k8s.yaml': expect.stringContaining('one'), 'second.k8s.yaml': expect.stringContaining('two') });
    expect(lstatSync(join(directory, 'first.k8s.yaml')).mode).toBe(0o100600);
  });

  test('ManifestWriter creates the file behind a dangling link, as app.synth() does', () => {
    const [ours, theirs] = ['ours', 'theirs'].map((name) => {
      const outdir = join(directory, name);
      mkdirSync(join(outdir, 'elsewhere'), { recursive: true });
      symlinkSync('elsewhere/created', join(outdir, 'first.k8s.yaml'));
      const app = twoCharts(YamlOutputType.FILE_PER_CHART, outdir);
      if (name === 'ours') ManifestWriter.write(app);
      else app.synth();
      return readdirSync(outdir, { recursive: true, encoding: 'utf8' }).map((file) => [file, lstatSync(join(outdir, file)).mode]);
    });
    expect(ours).toEqual(theirs);
    expect(readFileSync(join(directory, 'ours', 'elsewhere', 'created'), 'utf8')).toContain('one');
  });

  test('ManifestWriter does not leave a new output directory behind when an object cannot be rendered', () => {
    const app = twoCharts(YamlOutputType.FILE_PER_CHART, join(directory, 'a', 'b'));
    configMap(app.charts[1], 'late', { late: Lazy.any({ produce: () => { throw new Error('too late'); } }) });
    expect(() => ManifestWriter.write(app)).toThrow('too late');
    expect(readdirSync(directory)).toEqual([]);
  });

  test('ManifestWriter preserves an existing symlink and the file mode', () => {
    const [ours, theirs] = ['ours', 'theirs'].map((name) => {
      const outdir = join(directory, name);
      mkdirSync(outdir);
      writeFileSync(join(outdir, 'secret.k8s.yaml'), 'old', { mode: 0o600 });
      writeFileSync(join(outdir, 'elsewhere'), 'old', { mode: 0o640 });
      symlinkSync('elsewhere', join(outdir, 'linked.k8s.yaml'));
      const app = new App({ outdir });
      for (const id of ['linked', 'new', 'secret']) configMap(new Chart(app, id), 'a');
      if (name === 'ours') ManifestWriter.write(app);
      else app.synth();
      return readdirSync(outdir).map((file) => [file, lstatSync(join(outdir, file)).mode, readFileSync(join(outdir, file), 'utf8')]);
    });
    expect(ours).toEqual(theirs);
    expect(ours.find(([file]) => file === 'elsewhere')![2]).toContain('kind: ConfigMap');
  });

  test.each(TYPES)('ManifestWriter stages files under names that no tool applies, with output type %s', (yamlOutputType) => {
    const app = new App({ outdir: directory, yamlOutputType });
    configMap(new Chart(app, 'first'), 'a');
    let staged: string[] = [];
    configMap(new Chart(app, 'second'), 'b', { late: Lazy.any({ produce: () => { staged = readdirSync(directory, { recursive: true, encoding: 'utf8' }); return 1; } }) });
    ManifestWriter.write(app);
    expect(staged).not.toEqual([]);
    expect(staged.filter((path) => /\.(ya?ml|json)$/.test(path))).toEqual([]);
  });

  test('ManifestWriter removes its temporary files, and no file that it did not write', () => {
    mkdirSync(join(directory, 'sub'));
    writeFileSync(join(directory, 'sub', 'notes.txt'), 'theirs');
    const app = new App({ outdir: directory });
    configMap(new Chart(app, 'chart'), 'a');
    ManifestWriter.write(app);
    expect(Object.keys(filesIn(directory))).toEqual(['chart.k8s.yaml', 'sub/notes.txt']);
  });

  test('ManifestWriter writes the same files a second time, as app.synth() does afterwards', () => {
    const { app } = bookinfo({ outdir: directory });
    ManifestWriter.write(app);
    const first = filesIn(directory);
    ManifestWriter.write(app);
    expect(filesIn(directory)).toEqual(first);
    app.synth();
    expect(filesIn(directory)).toEqual(first);
  });

  test('ManifestWriter writes files that are longer than its buffer', () => {
    expectSameFiles((props) => {
      const app = new App(props);
      const chart = new Chart(app, 'chart');
      for (let index = 0; index < 40; index++) configMap(chart, `object${index}`, { text: `${index} ${'word '.repeat(20_000)}` });
      return app;
    });
  });

  test('ManifestWriter prints its progress to stderr with the option progress, and nothing without it', () => {
    const stderr = jest.spyOn(process.stderr, 'write').mockReturnValue(true);
    const program = () => {
      const app = new App({ outdir: directory });
      const chart = new Chart(app, 'chart');
      for (let index = 0; index < 2500; index++) configMap(chart, `object${index}`);
      return app;
    };
    ManifestWriter.write(program());
    expect(stderr.mock.calls).toEqual([]);
    ManifestWriter.write(program(), { progress: true });
    expect(stderr.mock.calls.map(([text]) => text)).toEqual(['\r1000 of 2500 objects', '\r2000 of 2500 objects', '\r2500 of 2500 objects', '\n']);
  });

  test('ManifestWriter rejects a value that is not an App, and unknown options, with FED120', () => {
    const app = new App({ outdir: directory });
    expect(() => ManifestWriter.write(new Chart(app, 'chart') as any)).toThrow('FED120 ManifestWriter.write: the app must be an App, not the construct chart → use the App itself, not one of its charts');
    expect(() => ManifestWriter.write(undefined as any)).toThrow('FED120 ManifestWriter.write: the app must be an App, not undefined → use the App itself, not one of its charts');
    expect(() => ManifestWriter.write(app, { verbose: true } as any)).toThrow('FED120 ManifestWriter.write: unknown field "verbose" in WriteOptions → use only progress');
  });
});
