import { ChildProcess, execFileSync, fork } from 'child_process';
import { join } from 'path';
import type { Answer, Baseline, Job, Step } from './protocol';

/** A process above this is replaced: programs that tests make leave something behind. */
const MOST_MEMORY = 1_300_000_000;

/** How long a suite may take without a mutant. */
const BASELINE_MILLISECONDS = 300_000;

/** How long a process may take to begin. */
const START_MILLISECONDS = 60_000;

/** How often a process gets its time again while others leave it none of the computer. */
const MOST_EXTENSIONS = 30;

/** What happened to a mutant. */
export type Fate =
  | { readonly kind: 'survived' }
  | { readonly kind: 'endless' }
  | { readonly kind: 'failed'; readonly suite: string; readonly title: string; readonly failure: string };

/** Processes that run tests of the copy, each one job at a time. */
export class Pool {
  private readonly idle: ChildProcess[] = [];

  constructor(private readonly root: string, private readonly size: number) {}

  /** Runs one function for each item, as many at a time as there are processes. */
  public async all<T>(items: Iterable<T>, run: (item: T) => Promise<void>): Promise<void> {
    const left = items[Symbol.iterator]();
    await Promise.all(Array.from({ length: this.size }, async () => {
      for (let next = left.next(); next.done !== true; next = left.next()) await run(next.value);
    }));
  }

  /** One suite without a mutant. */
  public async baseline(suite: string): Promise<Baseline> {
    const answer = await this.ask({ kind: 'baseline', suite }, BASELINE_MILLISECONDS);
    if (answer?.kind === 'baseline') return answer.record;
    const failure = answer?.kind === 'broken' ? answer.failure : 'it does not end';
    return { suite, loading: { milliseconds: 0, constants: [], reached: [] }, tests: [], failure, isRefused: false };
  }

  /** One mutant and the tests that may notice it. */
  public async fateOf(mutant: number, steps: readonly Step[]): Promise<Fate> {
    if (steps.length === 0) return { kind: 'survived' };
    const job: Job = { kind: 'mutant', mutant, steps };
    // What ended the process once may have been its memory, which the programs of earlier mutants had filled.
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

  /** The answer to a job; none when the process ends, or a test takes too long. */
  private async ask(job: Job, limit: number): Promise<Answer | undefined> {
    const child = this.idle.pop() ?? this.start();
    const answer = await new Promise<Answer | undefined>((resolve) => {
      let timer: NodeJS.Timeout;
      /** Time that passes is no time that a process had: what counts in the end is its own. */
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
      // What tests print is nothing to read here.
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
  }
}

/** The seconds of a processor that a process has used; where nobody can say, as many as have passed. */
function secondsOf({ pid }: ChildProcess): number {
  try {
    const [seconds, minutes, hours] = execFileSync('ps', ['-o', 'cputime=', '-p', String(pid)], { encoding: 'utf8' }).trim()
      .split(/[-:]/).reverse().map(Number);
    return seconds + 60 * (minutes ?? 0) + 3600 * (hours ?? 0);
  } catch {
    return Date.now() / 1000;
  }
}
