import { collect, failureOf, runTests, Test } from './harness';
import { Modules } from './modules';
import type { Answer, Baseline, Job, Step, TestRecord } from './protocol';

/*
 * A process that runs tests: first each suite once without a mutant, then for each mutant the tests that reach it.
 */

const [root] = process.argv.slice(2);
let active = 0;
let reached = new Set<number>();
let isCounting = false;

const modules = new Modules(root, (id) => {
  if (isCounting) reached.add(id);
  return id === active;
});
/** Tests that were seen to pass alone, without a mutant. */
const reliable = new Set<string>();
/** Tests that fail so: they need what another test did. */
const unreliable = new Set<string>();

function send(message: Answer): void {
  process.send!(message);
}

/** Loads a suite; what it or the library does while it is loaded may fail by the mutant, too. */
function loadSuite(suite: string): Test[] | string {
  process.chdir(root);
  try {
    return collect(() => modules.load(suite));
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

async function baseline(suite: string): Promise<Baseline> {
  modules.forget();
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

/** The first test of the steps that a mutant fails. */
async function firstFailure(mutant: number, steps: readonly Step[]): Promise<Answer> {
  modules.forget();
  active = mutant;
  const loaded = new Map<string, Test[] | string>();
  for (const { suite, tests: indices, limits } of steps) {
    if (!loaded.has(suite)) {
      send({ kind: 'progress', limit: 10_000 });
      loaded.set(suite, loadSuite(suite));
    }
    const tests = loaded.get(suite)!;
    if (typeof tests === 'string') return { kind: 'result', suite, title: '(the suite cannot be loaded)', failure: tests, memory: memory() };
    let failed: { readonly index: number; readonly failure: string } | undefined;
    // A table of tests that the library gives may be shorter with the mutant.
    let remaining = indices.filter((index) => index < tests.length);
    while (remaining.length > 0) {
      failed = undefined;
      process.chdir(root);
      await runTests(tests, remaining, {
        before: (index) => send({ kind: 'progress', limit: limits[indices.indexOf(index)] }),
        after: ({ index, failure }) => {
          if (failure === undefined || unreliable.has(`${suite} ${index}`)) return true;
          failed = { index, failure };
          return false;
        },
      });
      if (!failed) break;
      const { index, failure } = failed;
      if (await isCaused(suite, index)) return { kind: 'result', suite, title: tests[index].title, failure, memory: memory() };
      remaining = remaining.slice(remaining.indexOf(index) + 1);
    }
  }
  active = 0;
  return { kind: 'result', memory: memory() };
}

/** Whether a test fails because of the mutant, and not because of the tests before it: alone it fails with the mutant, and passes without. */
async function isCaused(suite: string, index: number): Promise<boolean> {
  const key = `${suite} ${index}`;
  if (!reliable.has(key)) (await passesAlone(suite, index, 0) ? reliable : unreliable).add(key);
  return reliable.has(key) && !await passesAlone(suite, index, active);
}

async function passesAlone(suite: string, index: number, mutant: number): Promise<boolean> {
  const before = active;
  active = mutant;
  process.chdir(root);
  let failure: string | undefined;
  const thrown = await failureOf(() => modules.apart(async () => {
    const tests = collect(() => modules.load(suite));
    await runTests(tests, [index], { after: (outcome) => { failure = outcome.failure; return true; } });
  }));
  active = before;
  return (thrown ?? failure) === undefined;
}

function memory(): number {
  return process.memoryUsage().rss;
}

process.on('unhandledRejection', () => undefined);
process.on('message', (job: Job) => {
  const answer = job.kind === 'baseline' ? baseline(job.suite).then((record): Answer => ({ kind: 'baseline', record })) : firstFailure(job.mutant, job.steps);
  answer.then(send, (error: Error) => send({ kind: 'broken', failure: error.stack ?? error.message }));
});
