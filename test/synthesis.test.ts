import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'fs';
import { tmpdir } from 'os';
import { join } from 'path';
import { ApiObject, App, Chart } from 'cdk8s';
import { Construct } from 'constructs';
import { Caller, LocalName, LocalService, ManifestWriter, ServicePort } from '../src';
import { parse } from './support/manifests';
import { meshOf } from './support/meshes';
import { errorOf } from './support/rejections';

/*
 * Synthesis before files are written: validations and the order of objects.
 */

let directory: string;
beforeEach(() => { directory = mkdtempSync(join(tmpdir(), 'synthesis-')); });
afterEach(() => { rmSync(directory, { recursive: true }); });

describe('validation errors', () => {
  test('ManifestWriter writes nothing when any construct reports a validation error', () => {
    const outdir = join(directory, 'new');
    const app = new App({ outdir });
    const object = new ApiObject(new Chart(app, 'chart'), 'object', { apiVersion: 'v1', kind: 'ConfigMap' });
    object.node.addValidation({ validate: () => ['the only one'] });
    expect(errorOf(() => ManifestWriter.write(app)).message).toContain('[chart/object] the only one');
    expect(existsSync(outdir)).toBe(false);
  });

  test.each<[string, (app: App) => void]>([
    ['FED107', (app) => {
      meshOf(app, 'east', { endpoints: undefined })
        .expose('Reviews', { service: LocalService.fromName('reviews', 'default'), exportName: 'reviews', ports: [ServicePort.http(80)] });
    }],
    ['FED403', (app) => {
      const [east, west] = [meshOf(app, 'east'), meshOf(app, 'west')];
      east.addPeer(west);
      west.addPeer(east);
      const reviews = east.expose('Reviews', { service: LocalService.fromName('reviews', 'default'), exportName: 'reviews', ports: [ServicePort.http(80)] });
      west.bind('Reviews', { source: reviews, localName: LocalName.newService('reviews', 'web') }).allowFrom(Caller.serviceAccount('page', 'web'));
    }],
  ])('ManifestWriter writes nothing when validation reports %s', (code, declare) => {
    const outdir = join(directory, 'new');
    const app = new App({ outdir });
    declare(app);
    expect(errorOf(() => ManifestWriter.write(app)).message.match(/FED\d{3}/g)).toEqual([code]);
    expect(existsSync(outdir)).toBe(false);
  });
});

test('objects of a construct that depends on a later construct of its chart are written after those of the later construct', () => {
  const program = (outdir: string) => {
    const app = new App({ outdir });
    const chart = new Chart(app, 'chart');
    const [p, q] = ['p', 'q'].map((id) => new Construct(chart, id));
    for (const [parent, name] of [[p, 'p1'], [p, 'p2'], [q, 'q1'], [q, 'q2']] as const) {
      new ApiObject(parent, name, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } });
    }
    p.node.addDependency(q);
    return app;
  };
  const namesIn = (outdir: string) => readdirSync(outdir).flatMap((file) => parse(readFileSync(join(outdir, file), 'utf8'))).map(({ metadata }) => metadata.name);
  const [ours, theirs] = ['ours', 'theirs'].map((name) => join(directory, name));
  ManifestWriter.write(program(ours));
  program(theirs).synth();
  expect(namesIn(ours)).toEqual(['q1', 'q2', 'p1', 'p2']);
  expect(namesIn(theirs)).toEqual(['q1', 'q2', 'p1', 'p2']);
});
