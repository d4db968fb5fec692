import Table from 'cli-table3';
import type { Mutant } from './sources';

/** The classification of a mutant. CONTRIBUTING.md explains each verdict. */
export type Verdict = 'type error' | 'wording' | 'behaviour' | 'endless' | 'text only' | 'alive';

/** One mutant and the test that detected it. */
export interface Finding {
  readonly mutant: Mutant;
  readonly verdict: Verdict;
  /** The test that failed. */
  readonly test?: string;
  readonly failure?: string;
}

/** The number of mutants of a room by verdict. */
export interface Score {
  readonly room: string;
  readonly counts: { readonly [verdict in Verdict]: number };
  /** Type-correct mutants outside of messages. */
  readonly counted: number;
  readonly killed: number;
}

/** Returns the scores of each room and of all rooms. */
export function scoresOf(findings: readonly Finding[]): Score[] {
  const rooms = [...new Set(findings.map(({ mutant }) => mutant.room))].sort();
  return [...rooms.map((room) => scoreOf(room, findings.filter(({ mutant }) => mutant.room === room))), ...rooms.length > 1 ? [scoreOf('all', findings)] : []];
}

function scoreOf(room: string, findings: readonly Finding[]): Score {
  const count = (verdict: Verdict) => findings.filter((finding) => finding.verdict === verdict).length;
  const counts = {
    'type error': count('type error'),
    'wording': count('wording'),
    'behaviour': count('behaviour'),
    'endless': count('endless'),
    'text only': count('text only'),
    'alive': count('alive'),
  };
  // Whoever runs the tests notices a mutant that never ends.
  const killed = counts.behaviour + counts.endless;
  return { room, counts, killed, counted: killed + counts['text only'] + counts.alive };
}

/**
 * The upper bound of the share of killed mutants (Wilson, one-sided, 95 %) for a sample, and the exact share for all mutants. A sample
 * fails only when this bound is below the threshold; otherwise chance can explain the difference.
 */
export function possibleShare(killed: number, counted: number, isSample: boolean): number {
  if (counted === 0) return 1;
  const share = killed / counted;
  if (!isSample) return share;
  const z = 1.645;
  const middle = share + z * z / (2 * counted);
  const deviation = z * Math.sqrt(share * (1 - share) / counted + z * z / (4 * counted * counted));
  return (middle + deviation) / (1 + z * z / counted);
}

/** Returns one sentence for each room below its threshold. */
export function shortfalls(scores: readonly Score[], thresholds: ReadonlyMap<string, number>, isSample: boolean): string[] {
  return scores.flatMap(({ room, killed, counted }) => {
    const threshold = thresholds.get(room);
    if (threshold === undefined || possibleShare(killed, counted, isSample) >= threshold) return [];
    return [`${room}: behaviour tests kill ${killed} of ${counted} mutants, ${percent(killed / counted)}; the threshold is ${percent(threshold)}`];
  });
}

/** Returns the table of all rooms. */
export function tableOf(scores: readonly Score[], thresholds: ReadonlyMap<string, number>): string {
  const table = new Table({
    head: ['room', 'mutants', 'type error', 'wording', 'behaviour', 'endless', 'text only', 'alive', 'score', 'threshold'],
    style: { head: [], border: [], compact: true },
    colAligns: ['left', ...Array<'right'>(9).fill('right')],
  });
  for (const { room, counts, counted, killed } of scores) {
    const all = Object.values(counts).reduce((sum, n) => sum + n, 0);
    const threshold = thresholds.get(room);
    table.push([
      room, all, counts['type error'], counts.wording, counts.behaviour, counts.endless, counts['text only'], counts.alive,
      counted === 0 ? '' : percent(killed / counted), threshold === undefined ? '' : percent(threshold),
    ]);
  }
  return table.toString();
}

/** Returns the position and the change of a mutant on one line. */
export function lineOf({ file, line, change }: Mutant): string {
  return `${file}:${line}  ${short(change.original)} → ${short(change.mutated)}`;
}

function short(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length > 90 ? `${line.slice(0, 87)}…` : line;
}

function percent(share: number): string {
  return `${Math.floor(share * 1000 + 1e-9) / 10} %`;
}
