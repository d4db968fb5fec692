import { collect, runTests, Test } from './harness';
import { Modules } from './modules';
import type { Answer, Baseline, Job, Step, TestRecord } from './protocol';

/*
 * A process that runs tests: each suite once without a mutant, then for each mutant the tests that reach it.
 */

const [root] = process.argv.slice(2);
/** How long a suite may take to load. */
const LOADING_MILLISECONDS = 10_000;

let active = 0;
let reached = new Set<number>();
let isCounting = false;

const modules = new Modules(root, (id) => {
  if (isCounting) reached.add(id);
  return id === active;
});
/** Tests that pass alone, without a mutant. */
const reliable = new Set<string>();
/** Tests that fail alone, without a mutant: they depend on another test. */
const unreliable = new Set<string>();

function send(message: Answer): void {
  process.send!(message);
}

/** Loads a suite, or returns the error: a mutant may also fail while the suite or the library is loaded. */
function loadSuite(suite: string): Test[] | string {
  process.chdir(root);
  try {
    return collect(() => modules.reload(suite));
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

async function baseline(suite: string): Promise<Baseline> {
  modules.unload();
  modules.refusals = 0;
  isCounting = true;
  const constants = new Set<number>();
  reached = constants;
  modules.load('src/index.ts');
  reached = new Set();
  const start = performance.now();
  const tests = loadSuite(suite);
  const loading = { milliseconds: performance.now() - start, constants: [...constants], reached: [...reached] };
  if (typeof tests === 'string') return { suite, loading, tests: [], failure: tests, isRefused: modules.refusals > 0 };
  const records: TestRecord[] = [];
  await runTests(tests, tests.map((_, i) => i), {
    before: () => { reached = new Set(); },
    after: ({ milliseconds, failure, index }) => {
      records.push({ title: tests[index].title, milliseconds, reached: [...reached], failure });
      return true;
    },
  });
  isCounting = false;
  return { suite, loading, tests: records, isRefused: modules.refusals > 0 };
}

/** Finds the first test of the steps that fails with a mutant. */
async function firstFailure(mutant: number, steps: readonly Step[]): Promise<Answer> {
  modules.unload();
  for (const { suite, tests: indices, limits } of steps) {
    for (let left = indices; left.length > 0;) {
      send({ kind: 'progress', limit: LOADING_MILLISECONDS });
      const failed = await run(suite, left, mutant, (index) => send({ kind: 'progress', limit: limits[indices.indexOf(index)] }));
      if (!failed) break;
      const { title, index } = failed;
      const failure = await causedBy(mutant, suite, index, failed.failure);
      if (failure !== undefined) return { kind: 'result', suite, title, failure, memory: memory() };
      left = left.slice(left.indexOf(index) + 1);
    }
  }
  return { kind: 'result', memory: memory() };
}

interface Failed {
  /** The position of the test; -1 when its suite cannot be loaded. */
  readonly index: number;
  readonly title: string;
  readonly failure: string;
}

/** Loads a suite and runs some of its tests, up to the first failure. */
async function run(suite: string, indices: readonly number[], mutant: number, before?: (index: number) => void): Promise<Failed | undefined> {
  active = mutant;
  let failed: Failed | undefined;
  const tests = loadSuite(suite);
  if (typeof tests === 'string') {
    failed = { index: -1, title: '(the suite cannot be loaded)', failure: tests };
  } else {
    // With the mutant, a table of tests that is generated from the library may be shorter.
    await runTests(tests, indices.filter((index) => index < tests.length), {
      before,
      after: ({ index, failure }) => {
        if (failure === undefined || unreliable.has(`${suite} ${index}`)) return true;
        failed = { index, title: tests[index].title, failure };
        return false;
      },
    });
  }
  active = 0;
  return failed;
}

/**
 * Returns the failure of a test that runs alone with a mutant, if it passes alone without the mutant. Otherwise the failure may be an
 * effect of earlier tests.
 */
async function causedBy(mutant: number, suite: string, index: number, first: string): Promise<string | undefined> {
  if (index < 0) return first;
  const key = `${suite} ${index}`;
  if (!reliable.has(key)) (await modules.isolated(() => run(suite, [index], 0)) ? unreliable : reliable).add(key);
  return reliable.has(key) ? (await modules.isolated(() => run(suite, [index], mutant)))?.failure : undefined;
}

function memory(): number {
  return process.memoryUsage().rss;
}

process.on('unhandledRejection', () => undefined);
// Without its parent, the process has nothing to do.
process.on('disconnect', () => process.exit());
process.on('message', (job: Job) => {
  const answer = job.kind === 'baseline' ? baseline(job.suite).then((record): Answer => ({ kind: 'baseline', record })) : firstFailure(job.mutant, job.steps);
  answer.then(send, (error: Error) => send({ kind: 'broken', failure: error.stack ?? error.message }));
});
