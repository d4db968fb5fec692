/**
 * The jobs of the pipelines for GitHub and GitLab: which jobs run for an event, their scripts, and the artifacts that they download and
 * upload. Also the files that the example program generates.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'fs';
import { tmpdir } from 'os';
import { join } from 'path';
import { parse } from 'yaml';
import { PIPELINES } from './repositories';
import { federation } from '../../examples/pipelines/main';
import { Delivery } from '../../src';

export type Event = 'push' | 'change'; // a commit on main, or a pull or merge request
export interface Job { readonly name: string; readonly script: string; readonly downloads: string[]; readonly uploads: string[] }

export const readPipeline = (file: string) => parse(readFileSync(join(PIPELINES, file), 'utf8'));

const github = readPipeline('github/rendered.yml');
const gitlab = readPipeline('gitlab/.gitlab-ci.yml');

export function githubJobs(event: Event): Job[] {
  const name = event === 'push' ? 'push' : 'pull_request';
  return Object.entries<any>(github.jobs)
    .filter(([, job]) => job.if === undefined || job.if === `github.event_name == '${name}'`)
    .map(([job, { steps }]) => {
      const paths = (action: string) => steps.filter(({ uses }: any) => uses?.startsWith(`actions/${action}@`)).map((step: any) => step.with.path);
      return {
        name: job,
        script: steps.map(({ run }: any) => run).filter((run: unknown) => run !== undefined).join('\n'),
        downloads: paths('download-artifact'),
        uploads: paths('upload-artifact'),
      };
    });
}

export function gitlabJobs(event: Event): Job[] {
  const source = event === 'push' ? 'push' : 'merge_request_event';
  return Object.entries<any>(gitlab)
    .filter(([, job]) => job.script && (job.rules ?? [{ if: source }]).some((rule: any) => rule.if.includes(source)))
    .sort(([, a], [, b]) => gitlab.stages.indexOf(a.stage) - gitlab.stages.indexOf(b.stage))
    .map(([name, { script, artifacts, stage }], _, all) => ({
      name,
      script: script.join('\n'),
      downloads: all.filter(([, before]) => gitlab.stages.indexOf(before.stage) < gitlab.stages.indexOf(stage))
        .flatMap(([, before]) => before.artifacts?.paths ?? []),
      uploads: artifacts?.paths ?? [],
    }));
}

/** The files that the example program generates, by path. */
export function written(delivery: Delivery): { [path: string]: string } {
  const out = mkdtempSync(join(tmpdir(), 'written-'));
  try {
    synthesize(out, delivery);
    const paths = readdirSync(out, { recursive: true, encoding: 'utf8' }).filter((path) => statSync(join(out, path)).isFile());
    return Object.fromEntries(paths.map((path) => [path, readFileSync(join(out, path), 'utf8')]));
  } finally {
    rmSync(out, { recursive: true });
  }
}

/** The folders that delivery tools apply, including those without objects: `<mesh>/<chart>`. */
export function foldersOf(delivery: Delivery): string[] {
  const out = mkdtempSync(join(tmpdir(), 'folders-'));
  try {
    synthesize(out, delivery);
    return readdirSync(out).flatMap((mesh) => readdirSync(join(out, mesh)).map((chart) => `${mesh}/${chart}`)).sort();
  } finally {
    rmSync(out, { recursive: true });
  }
}

function synthesize(out: string, delivery: Delivery): void {
  federation(out, delivery, join(PIPELINES, '..', 'bookinfo', 'trust')).forEach((app) => app.synth());
}
