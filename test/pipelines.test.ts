import { cpSync, mkdirSync, mkdtempSync, readFileSync, statSync } from 'fs';
import { join } from 'path';
import { Delivery } from '../src';
import { Event, foldersOf, githubJobs, gitlabJobs, Job, written } from './support/pipelines';
import { bash, copyArtifact, Example, Files, Origin } from './support/repositories';

/*
 * The pipelines of GitHub and GitLab, job by job. Each runs in a fresh clone, with what the jobs before it left, as its file
 * says. `npm ci` is the only command that is not the real one; GitHub and GitLab themselves were not run.
 */

jest.setTimeout(180_000);

let origin: Origin;
let example: Example;
beforeAll(() => { example = new Example(); });
afterAll(() => example.remove());
afterEach(() => origin.remove());

interface Ran { readonly jobs: string[]; readonly output: string; readonly failed?: string; readonly kept: string }

async function pipeline(jobs: Job[], commit: string): Promise<Ran> {
  const kept = mkdtempSync(join(origin.directory, 'artifacts-'));
  const ran: string[] = [];
  let output = '';
  for (const job of jobs) {
    const clone = origin.clone(commit);
    for (const path of job.takes) copyArtifact(join(kept, path), join(clone, path));
    const outcome = await bash(clone, job.script, { PATH: example.path, SOURCE_BRANCH: 'main', RENDERED_BRANCH: 'rendered' });
    ran.push(job.name);
    output += outcome.output;
    if (outcome.code !== 0) return { jobs: ran, output, failed: job.name, kept };
    for (const path of job.leaves) {
      mkdirSync(join(kept, path, '..'), { recursive: true });
      if (statSync(join(clone, path)).isDirectory()) copyArtifact(join(clone, path), join(kept, path));
      else cpSync(join(clone, path), join(kept, path));
    }
  }
  return { jobs: ran, output, kept };
}

const TOOLS: [string, (event: Event) => Job[]][] = [['GitHub', githubJobs], ['GitLab', gitlabJobs]];
const GRANT = /^ {2}reviews\.allowFrom\(.*$\n/m;
const BINDING = /^ {2}const binding = [\s\S]*?^ {2}binding\.allowFrom\(.*$\n/m;

function without(files: { [path: string]: string }, ...patterns: RegExp[]): { [path: string]: string } {
  const program = patterns.reduce((text, pattern) => {
    expect(text).toMatch(pattern);
    return text.replace(pattern, '');
  }, files['main.ts']);
  return { ...files, 'main.ts': program };
}

/** Ran to its end, with these jobs. Its output is what a person reads when it has not. */
function expectDone({ failed, jobs, output }: Ran, names: string[]): void {
  expect([failed && `${failed}: ${output}`, jobs]).toEqual([undefined, names]);
}

describe.each(TOOLS)('%s', (_, jobsOf) => {
  const push = (files: Files) => pipeline(jobsOf('push'), origin.commit(files));

  /** A repository whose first commit was pushed. Each test has a copy of it. */
  let published: Origin;
  let first: Ran;
  beforeAll(async () => {
    origin = published = new Origin();
    first = await push(example.files());
  }, 180_000);
  afterAll(() => published.remove());
  beforeEach(() => { origin = new Origin(published); });

  test('a commit on main brings to the branch what the program writes', () => {
    expectDone(first, ['render', 'publish']);
    expect(origin.files()).toEqual(written(Delivery.argoCd()));
  });

  test('a program or a validation that refuses leaves the branch as it was', async () => {
    const before = origin.history();
    expect(before).toHaveLength(1);
    const program = await push(without(example.files(), GRANT));
    expect(program).toMatchObject({ failed: 'render', jobs: ['render'], output: expect.stringContaining('FED403') });
    const validations = example.files()['cdk8s.yaml'].replace('BoundaryValidation', 'Refuses');
    const validation = await push({ ...without(example.files(), GRANT, BINDING), 'cdk8s.yaml': validations });
    expect(validation).toMatchObject({ failed: 'render', jobs: ['render'], output: expect.stringContaining('Validation failed') });
    expect(origin.history()).toEqual(before);
  });

  test('a request to change shows what would change, and writes nothing', async () => {
    const before = origin.history();
    const preview = await pipeline(jobsOf('change'), origin.commit(without(example.files(), GRANT, BINDING)));
    expectDone(preview, ['render', 'preview']);
    const diff = readFileSync(join(preview.kept, 'manifests.diff'), 'utf8');
    expect(diff).toContain('--- a/east/boundary/Gateway.fed-in-west.k8s.yaml\n+++ /dev/null');
    expect(preview.output).toContain(diff);
    expect(origin.history()).toEqual(before);
  });
});

test('a withdrawn call is gone from both meshes, and every folder stays, so that Flux prunes what was in it', async () => {
  origin = new Origin();
  const files = example.files();
  const flux = { ...files, 'main.ts': files['main.ts'].replace('Delivery.argoCd()); // or Delivery.flux()', 'Delivery.flux());') };
  const folders = () => [...new Set(Object.keys(origin.files()).map((path) => path.split('/').slice(0, 2).join('/')))].sort();
  await pipeline(githubJobs('push'), origin.commit(flux));
  expect(folders()).toEqual(foldersOf(Delivery.flux()));
  expectDone(await pipeline(githubJobs('push'), origin.commit(without(flux, GRANT, BINDING))), ['render', 'publish']);
  expect(folders()).toEqual(foldersOf(Delivery.flux()));
  const left = Object.keys(origin.files()).filter((path) => !path.endsWith('/no-manifests'));
  expect(left.filter((path) => path.startsWith('west/') || path.includes('-openness-'))).toEqual([]);
  expect(left.filter((path) => path.startsWith('east/'))).toContainEqual(expect.stringContaining('/Deployment.federation-ingress.'));
  expect(origin.history()).toHaveLength(2);
});
