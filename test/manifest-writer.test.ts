import { existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'fs';
import { tmpdir } from 'os';
import { join } from 'path';
import { isDeepStrictEqual } from 'util';
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
    const failed = ['ours', 'theirs'].map((name) => {
      const outdir = join(directory, name);
      for (const folder of ['app.k8s.yaml', 'second.k8s.yaml', 'ConfigMap.two.k8s.yaml']) mkdirSync(join(outdir, folder), { recursive: true });
      writeFileSync(join(outdir, 'first.k8s.yaml'), 'old');
      writeFileSync(join(outdir, 'second'), 'a file');
      const before = readdirSync(outdir, { recursive: true });
      const app = new App({ outdir, yamlOutputType });
      configMap(new Chart(app, 'first'), 'a', {}, 'one');
      configMap(new Chart(app, 'second'), 'a', {}, 'two');
      let message = '';
      try {
        if (name === 'ours') ManifestWriter.write(app);
        else app.synth();
      } catch (error) {
        message = (error as Error).message.replace(outdir, '');
      }
      return { message, untouched: isDeepStrictEqual(readdirSync(outdir, { recursive: true }), before) && filesIn(outdir)['first.k8s.yaml'] === 'old' };
    });
    expect(failed[0]).toEqual({ message: expect.stringMatching(/^E(ISDIR|EXIST): /), untouched: true });
    expect(failed[0].message).toBe(failed[1].message);
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
