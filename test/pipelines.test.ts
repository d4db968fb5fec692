import { cpSync, mkdirSync, mkdtempSync, readFileSync, statSync } from 'fs';
import { join } from 'path';
import { Delivery } from '../src';
import { Event, foldersOf, githubJobs, gitlabJobs, Job, written } from './support/pipelines';
import { bash, copyArtifact, Example, Files, Origin } from './support/repositories';

/*
 * The jobs of the pipelines for GitHub and GitLab. Each job runs in a fresh clone with the artifacts of earlier jobs, as its file
 * configures. Only `npm ci` is replaced; GitHub and GitLab themselves were not tested.
 */

jest.setTimeout(180_000);

let origin: Origin;
let example: Example;
beforeAll(() => { example = new Example(); });
afterAll(() => example.remove());
afterEach(() => origin.remove());

interface Run { readonly jobs: string[]; readonly output: string; readonly failed?: string; readonly artifacts: string }

async function pipeline(jobs: Job[], commit: string): Promise<Run> {
  const artifacts = mkdtempSync(join(origin.directory, 'artifacts-'));
  const ran: string[] = [];
  let output = '';
  for (const job of jobs) {
    const clone = origin.clone(commit);
    for (const path of job.downloads) copyArtifact(join(artifacts, path), join(clone, path));
    const outcome = await bash(clone, job.script, { PATH: example.path, SOURCE_BRANCH: 'main', RENDERED_BRANCH: 'rendered' });
    ran.push(job.name);
    output += outcome.output;
    if (outcome.code !== 0) return { jobs: ran, output, failed: job.name, artifacts };
    for (const path of job.uploads) {
      mkdirSync(join(artifacts, path, '..'), { recursive: true });
      if (statSync(join(clone, path)).isDirectory()) copyArtifact(join(clone, path), join(artifacts, path));
      else cpSync(join(clone, path), join(artifacts, path));
    }
  }
  return { jobs: ran, output, artifacts };
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

/** Expects that these jobs ran and none failed. A failure shows the output of the job. */
function expectDone({ failed, jobs, output }: Run, names: string[]): void {
  expect([failed && `${failed}: ${output}`, jobs]).toEqual([undefined, names]);
}

describe.each(TOOLS)('%s', (tool, jobsOf) => {
  const push = (files: Files) => pipeline(jobsOf('push'), origin.commit(files));

  /** A repository after the push of its first commit. Each test uses a copy. */
  let published: Origin;
  let first: Run;
  beforeAll(async () => {
    origin = published = new Origin();
    first = await push(example.files());
  }, 180_000);
  afterAll(() => published.remove());
  beforeEach(() => { origin = new Origin(published); });

  test(`the pipeline of ${tool} publishes the generated files to the branch for a commit on main`, () => {
    expectDone(first, ['render', 'publish']);
    expect(origin.files()).toEqual(written(Delivery.argoCd()));
  });

  test(`the pipeline of ${tool} does not change the branch when the program or a validation fails`, async () => {
    const before = origin.history();
    expect(before).toHaveLength(1);
    const program = await push(without(example.files(), GRANT));
    expect(program).toMatchObject({ failed: 'render', jobs: ['render'], output: expect.stringContaining('FED403') });
    const validations = example.files()['cdk8s.yaml'].replace('BoundaryValidation', 'Rejects');
    const validation = await push({ ...without(example.files(), GRANT, BINDING), 'cdk8s.yaml': validations });
    expect(validation).toMatchObject({ failed: 'render', jobs: ['render'], output: expect.stringContaining('Validation failed') });
    expect(origin.history()).toEqual(before);
  });

  test(`the pipeline of ${tool} shows the diff for a pull or merge request, and does not change the branch`, async () => {
    const before = origin.history();
    const preview = await pipeline(jobsOf('change'), origin.commit(without(example.files(), GRANT, BINDING)));
    expectDone(preview, ['render', 'preview']);
    const diff = readFileSync(join(preview.artifacts, 'manifests.diff'), 'utf8');
    expect(diff).toContain('--- a/east/boundary/Gateway.fed-in-west.k8s.yaml\n+++ /dev/null');
    expect(preview.output).toContain(diff);
    expect(origin.history()).toEqual(before);
  });
});

test('a revoked grant and binding are removed from both meshes, and empty folders remain so that Flux prunes them', async () => {
  origin = new Origin();
  const files = example.files();
  const flux = { ...files, 'main.ts': files['main.ts'].replace('Delivery.argoCd()); // or Delivery.flux()', 'Delivery.flux());') };
  const folders = () => [...new Set(Object.keys(origin.files()).map((path) => path.split('/').slice(0, 2).join('/')))].sort();
  await pipeline(githubJobs('push'), origin.commit(flux));
  expect(folders()).toEqual(foldersOf(Delivery.flux()));
  expectDone(await pipeline(githubJobs('push'), origin.commit(without(flux, GRANT, BINDING))), ['render', 'publish']);
  expect(folders()).toEqual(foldersOf(Delivery.flux()));
  const left = Object.keys(origin.files()).filter((path) => !path.endsWith('/no-manifests'));
  // Autoscalers are applied last, so that of a gateway that is left is alone in its folder.
  expect(left.filter((path) => path.startsWith('west/') || path.includes('-openness-')))
    .toEqual([expect.stringMatching(/^east\/boundary-.*-openness-.*\/HorizontalPodAutoscaler\.federation-ingress\./)]);
  expect(left.filter((path) => path.startsWith('east/'))).toContainEqual(expect.stringContaining('/Deployment.federation-ingress.'));
  expect(origin.history()).toHaveLength(2);
});
