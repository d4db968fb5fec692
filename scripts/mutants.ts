import { writeFileSync } from 'fs';
import { availableParallelism } from 'os';
import { join } from 'path';
import { parseArgs } from 'util';
import { makeCopy, removeCopy } from './mutants/copy';
import { planOf } from './mutants/plan';
import { Pool } from './mutants/pool';
import type { Baseline } from './mutants/protocol';
import { Finding, lineOf, scoresOf, shortfalls, tableOf } from './mutants/report';
import { quotas, shuffled } from './mutants/sample';
import { filesBelow, matches, Mutant, NOUNS, readSources } from './mutants/sources';
import { TypeChecker } from './mutants/types';
import { usersOf } from './mutants/uses';

/*
 * Changes the library in one place at a time, and counts the changes that a test of behaviour detects. CONTRIBUTING.md explains the verdicts.
 */

const USAGE = `npm run mutants -- [options]

  --sample <n>        run this many mutants, spread over the rooms, instead of all
  --seed <n>          seed of the sample (default: 1)
  --room <name>       one folder of src/, "emit" for src/render/emit.ts, or "nouns" for the files directly in
                      src/; may be repeated
  --file <pattern>    files that match, such as 'src/**/*-checks.ts'; can be repeated
  --threshold <room>=<percent>   fail below this score; can be repeated
  --text <names>      suites that compare texts: the first part of their names, or a folder (default: golden,reference,schema)
  --list-alive        list only the mutants that no behaviour test kills
  --report <file>     write every mutant with its verdict as JSON
  --workers <n>       number of processes that run tests (default: one for each core)
`;

/** Default thresholds: the percentage of mutants that behaviour tests must kill. `render` generates everything that is emitted. */
const THRESHOLDS: { readonly [room: string]: number } = { render: 95, checks: 90, boundary: 90 };

/** Number of mutants between two lines of progress. */
const PROGRESS = 20;

const root = join(__dirname, '..');

const { values: options, positionals } = parseArgs({
  // projen passes arguments to a shell, which may replace a pattern by file names.
  allowPositionals: true,
  options: {
    'sample': { type: 'string' },
    'seed': { type: 'string', default: '1' },
    'room': { type: 'string', multiple: true },
    'file': { type: 'string', multiple: true },
    'threshold': { type: 'string', multiple: true, default: [] },
    'text': { type: 'string', default: 'golden,reference,schema' },
    'list-alive': { type: 'boolean', default: false },
    'report': { type: 'string' },
    'workers': { type: 'string', default: String(availableParallelism()) },
    'help': { type: 'boolean', default: false },
  },
});

const started = Date.now();
/** Writes a line of progress to stderr, with the seconds since the start. */
function log(text: string): void {
  process.stderr.write(`${String(Math.round((Date.now() - started) / 1000)).padStart(5)} s  ${text}\n`);
}

/** Returns the selected mutants: without an option those of all rooms but the public nouns. */
function wanted(mutants: readonly Mutant[]): Mutant[] {
  const { room: rooms } = options;
  const patterns = options.file && [...options.file, ...positionals];
  return mutants.filter(({ room, file }) => (rooms ? rooms.includes(room) : patterns !== undefined || room !== NOUNS)
    && (patterns?.some((pattern) => matches(file, pattern)) ?? true));
}

/** Returns the type-correct mutants to run, and the findings for other mutants that were checked. */
function select(all: readonly Mutant[], checker: TypeChecker): { readonly run: Mutant[]; readonly findings: Finding[] } {
  const verbose = all.filter(({ wording }) => !wording);
  const findings: Finding[] = options.sample ? [] : all.filter(({ wording }) => wording).map((mutant) => ({ mutant, verdict: 'wording' }));
  const rooms = new Map<string, Mutant[]>();
  for (const mutant of shuffled(verbose, Number(options.seed), lineOf)) rooms.set(mutant.room, [...rooms.get(mutant.room) ?? [], mutant]);
  const left = quotas(new Map([...rooms].map(([room, { length }]) => [room, length])), options.sample ? Number(options.sample) : Infinity);
  const run: Mutant[] = [];
  // For a sample, more mutants than needed are checked, until enough are type-correct.
  for (let next = takeNext(rooms, left); next.length > 0; next = takeNext(rooms, left)) {
    const rejected = checker.rejected(next);
    for (const mutant of next) {
      if (rejected.has(mutant)) {
        findings.push({ mutant, verdict: 'type error' });
      } else if (left.get(mutant.room)! > 0) {
        run.push(mutant);
        left.set(mutant.room, left.get(mutant.room)! - 1);
      }
    }
  }
  return { run: run.sort((a, b) => a.id - b.id), findings };
}

/** Takes 1.8 times as many mutants as are needed, because four of ten are type errors. */
function takeNext(rooms: ReadonlyMap<string, Mutant[]>, left: ReadonlyMap<string, number>): Mutant[] {
  return [...rooms].flatMap(([room, mutants]) => mutants.splice(0, Math.ceil(left.get(room)! * 1.8)));
}

async function measure(pool: Pool, suites: readonly string[]): Promise<Baseline[]> {
  const baselines: Baseline[] = [];
  await pool.all(suites, async (suite) => { baselines.push(await pool.baseline(suite)); });
  for (const { suite, failure, tests, isRefused } of baselines) {
    const failed = failure === undefined ? tests.filter((test) => test.failure !== undefined) : [{ title: 'all', failure }];
    if (isRefused) log(`${suite}: skips tests that start a program or compile (${failure === undefined ? failed.length : 'all'})`);
    else for (const test of failed) log(`${suite}: skips a test that fails without a mutant: ${test.title}: ${test.failure!.split('\n')[0]}`);
  }
  return baselines;
}

async function judge(pool: Pool, mutants: readonly Mutant[], baselines: readonly Baseline[], users: ReturnType<typeof usersOf>): Promise<Finding[]> {
  const texts = options.text.split(',');
  const isText = (suite: string) => suite.split('/').some((part) => texts.includes(part.split('.')[0]));
  const kills = new Map<string, number>();
  const findings: Finding[] = [];
  await pool.all(mutants, async (mutant) => {
    const target = { mutant: mutant.id, users: users(mutant.change.node) };
    const steps = planOf(target, baselines, isText, (suite) => kills.get(`${mutant.file} ${suite}`) ?? 0);
    const fate = await pool.fateOf(mutant.id, steps);
    if (fate.kind === 'failed') {
      const { suite, title, failure } = fate;
      const key = `${mutant.file} ${suite}`;
      kills.set(key, (kills.get(key) ?? 0) + 1);
      findings.push({ mutant, verdict: isText(suite) ? 'text only' : 'behaviour', test: `${suite}: ${title}`, failure });
    } else {
      findings.push({ mutant, verdict: fate.kind === 'endless' ? 'endless' : 'alive' });
    }
    if (findings.length % PROGRESS === 0) log(`${findings.length} of ${mutants.length} mutants`);
  });
  return findings;
}

async function main(): Promise<boolean> {
  if (options.help) {
    process.stdout.write(USAGE);
    return true;
  }
  const sources = readSources(root);
  const all = wanted(sources.mutants);
  if (all.length === 0) throw new Error('no file of the library matches --room and --file');
  const { run, findings } = select(all, new TypeChecker(root, sources));
  log(`${run.length} type-correct mutants${options.sample ? `, sample of seed ${options.seed}` : ''}`);
  const copy = makeCopy(root, sources, run);
  const pool = new Pool(copy, Number(options.workers));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      removeCopy(copy);
      process.exit(2);
    });
  }
  try {
    const suites = filesBelow(copy, 'test').filter((file) => file.endsWith('.test.ts'));
    const baselines = await measure(pool, suites);
    log(`${baselines.reduce((sum, { tests }) => sum + tests.length, 0)} tests ran without a mutant`);
    findings.push(...await judge(pool, run, baselines, usersOf([...sources.files.values()], sources.numbers)));
  } finally {
    pool.close();
    removeCopy(copy);
  }
  log('done');
  return report(findings.sort((a, b) => a.mutant.id - b.mutant.id));
}

function report(findings: readonly Finding[]): boolean {
  const thresholds = new Map(Object.entries(THRESHOLDS));
  for (const [room, percent] of options.threshold.map((text) => text.split('='))) thresholds.set(room, Number(percent));
  thresholds.forEach((percent, room) => thresholds.set(room, percent / 100));
  const scores = scoresOf(findings);
  const missing = shortfalls(scores, thresholds, options.sample !== undefined);
  for (const verdict of ['alive', 'text only']) {
    const such = findings.filter((finding) => finding.verdict === verdict);
    if (such.length > 0) process.stdout.write(`${verdict}:\n${such.map(({ mutant, test }) => `  ${lineOf(mutant)}${test ? `  [${test}]` : ''}\n`).join('')}\n`);
  }
  if (!options['list-alive']) process.stdout.write(`${tableOf(scores, thresholds)}\n${missing.map((line) => `${line}\n`).join('')}`);
  if (options.report) {
    writeFileSync(options.report, JSON.stringify({
      seed: options.sample ? Number(options.seed) : undefined,
      scores,
      mutants: findings.map(({ mutant: { file, line, room, change: { original, mutated } }, verdict, test, failure }) =>
        ({ file, line, room, original, mutated, verdict, test, failure: failure?.split('\n')[0] })),
    }, undefined, 1) + '\n');
  }
  return missing.length === 0;
}

main().then((isEnough) => { process.exitCode = isEnough ? 0 : 1; }, (error: Error) => {
  process.stderr.write(`${error.stack ?? error.message}\n`);
  process.exitCode = 2;
});
