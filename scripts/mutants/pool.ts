import { ChildProcess, execFileSync, fork } from 'child_process';
import { join } from 'path';
import type { Answer, Baseline, Job, Step } from './protocol';

/** Bytes of memory above which a process is replaced, because the apps that tests create are not freed completely. */
const MOST_MEMORY = 1_300_000_000;

/** How long a suite may take without a mutant. */
const BASELINE_MILLISECONDS = 300_000;

/** How long a process may take to start. */
const START_MILLISECONDS = 60_000;

/** How often the time limit of a process is extended while other processes leave it no processor time. */
const MOST_EXTENSIONS = 30;

/** The result of the tests for one mutant. */
export type Fate =
  | { readonly kind: 'survived' }
  | { readonly kind: 'endless' }
  | { readonly kind: 'failed'; readonly suite: string; readonly title: string; readonly failure: string };

/** Processes that run tests of the copy. Each runs one job at a time. */
export class Pool {
  private readonly idle: ChildProcess[] = [];

  constructor(private readonly root: string, private readonly size: number) {}

  /** Runs a function for each item, at most as many at a time as there are processes. */
  public async all<T>(items: Iterable<T>, run: (item: T) => Promise<void>): Promise<void> {
    const left = items[Symbol.iterator]();
    await Promise.all(Array.from({ length: this.size }, async () => {
      for (let next = left.next(); next.done !== true; next = left.next()) await run(next.value);
    }));
  }

  /** Runs one suite without a mutant. */
  public async baseline(suite: string): Promise<Baseline> {
    const answer = await this.ask({ kind: 'baseline', suite }, BASELINE_MILLISECONDS);
    if (answer?.kind === 'baseline') return answer.record;
    const failure = answer?.kind === 'broken' ? answer.failure : 'it does not end';
    return { suite, loading: { milliseconds: 0, constants: [], reached: [] }, tests: [], failure, isRefused: false };
  }

  /** Runs the tests that may detect one mutant. */
  public async fateOf(mutant: number, steps: readonly Step[]): Promise<Fate> {
    if (steps.length === 0) return { kind: 'survived' };
    const job: Job = { kind: 'mutant', mutant, steps };
    // The process may have ended because apps of earlier mutants had filled its memory.
    const answer = await this.ask(job, START_MILLISECONDS) ?? await this.ask(job, START_MILLISECONDS);
    if (answer === undefined) return { kind: 'endless' };
    if (answer.kind !== 'result') throw new Error(`mutant ${mutant}: ${answer.kind === 'broken' ? answer.failure : answer.kind}`);
    const { suite, title, failure } = answer;
    return suite === undefined ? { kind: 'survived' } : { kind: 'failed', suite, title: title!, failure: failure! };
  }

  /** Ends all processes. */
  public close(): void {
    this.idle.splice(0).forEach((child) => child.kill());
  }

  /** Returns the answer to a job, or undefined when the process ends or a test takes too long. */
  private async ask(job: Job, limit: number): Promise<Answer | undefined> {
    const child = this.idle.pop() ?? this.start();
    const answer = await new Promise<Answer | undefined>((resolve) => {
      let timer: NodeJS.Timeout;
      /** Wall time is not processor time: a process counts as endless by the time that it has used itself. */
      const allow = (milliseconds: number, since?: number, extensions = 0) => {
        timer = setTimeout(() => {
          const used = secondsOf(child);
          const isEndless = since !== undefined && (used - since) * 1000 >= milliseconds / 2;
          if (isEndless || extensions >= MOST_EXTENSIONS) child.kill('SIGKILL');
          else allow(milliseconds, since ?? used, extensions + 1);
        }, milliseconds);
      };
      allow(limit);
      const done = (result: Answer | undefined) => {
        clearTimeout(timer);
        child.removeAllListeners();
        resolve(result);
      };
      child.on('message', (message: Answer) => {
        if (message.kind !== 'progress') return done(message);
        clearTimeout(timer);
        allow(message.limit);
      });
      child.on('exit', () => done(undefined));
      child.send(job);
    });
    if (answer?.kind === 'result' && answer.memory < MOST_MEMORY || answer?.kind === 'baseline') this.idle.push(child);
    else child.kill();
    return answer;
  }

  private start(): ChildProcess {
    return fork(join(__dirname, 'worker.ts'), [this.root], {
      cwd: this.root,
      execArgv: ['--max-old-space-size=1536', '--require', require.resolve('ts-node/register/transpile-only')],
      env: { ...process.env, TS_NODE_PROJECT: join(__dirname, '..', 'tsconfig.json') },
      // The output of tests is discarded.
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
  }
}

/** The processor time of a process in seconds; where `ps` is missing, the wall time. */
function secondsOf({ pid }: ChildProcess): number {
  try {
    const [seconds, minutes, hours] = execFileSync('ps', ['-o', 'cputime=', '-p', String(pid)], { encoding: 'utf8' }).trim()
      .split(/[-:]/).reverse().map(Number);
    return seconds + 60 * (minutes ?? 0) + 3600 * (hours ?? 0);
  } catch {
    return Date.now() / 1000;
  }
}
