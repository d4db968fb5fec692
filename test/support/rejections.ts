/**
 * Rejections as rows: which public call throws which code for which input. test/errors/<noun>.ts lists them, test/<noun>.errors.test.ts
 * runs those of one noun, and test/errors.test.ts compares all of them with docs/errors.md.
 */
import { ErrorCode } from '../../src/checks/errors';

/** The call of an error that is only raised when the program is complete. */
export const SYNTHESIS = 'app.synth';

/** One input that is rejected. */
export interface Rejection {
  readonly code: ErrorCode;
  /** The public call that throws, such as `FederatedMesh.addPeer` or `new RemoteMesh`. */
  readonly call: string;
  /** What is rejected, as the object of a sentence: "addPeer rejects <title>". */
  readonly title: string;
  /** What the message must contain beside its code. */
  readonly parts: readonly string[];
  run(): unknown;
}

/** Adds rows for one call. */
export interface Rejects {
  rejects(code: ErrorCode, title: string, run: () => unknown, ...parts: string[]): void;
}

/** Rows of `call`, which are added to `rows`. */
export function rejectionsOf(rows: Rejection[], call: string): Rejects {
  return { rejects: (code, title, run, ...parts) => rows.push({ code, call, title, run, parts }) };
}

/** Three rows for a parameter that takes an object of fields: a field that does not exist, null, and a string. */
export function rejectFields(
  call: Rejects, what: string, given: (value: any) => () => unknown, misspelt: object, unknown: string, known: string,
): void {
  call.rejects('FED120', `${what} with the unknown field ${unknown}`, given(misspelt), `unknown field "${unknown}"`, known);
  call.rejects('FED120', `null in place of ${what}`, given(null), 'null');
  call.rejects('FED120', `a string in place of ${what}`, given('a text'), 'must be an object, not "a text"', known);
}

/** A sentence that can be read alone. */
export function sentenceOf({ code, call, title }: Rejection): string {
  return `${call} rejects ${title} with ${code}`;
}

/** Runs each row: the message contains the code, the place, the value and the fix, and the call of the row throws it. */
export function testRejections(noun: string, rows: readonly Rejection[]): void {
  describe(`Errors of ${noun}`, () => {
    test.each(rows.map((row) => [sentenceOf(row), row] as const))('%s', (_, { code, call, run, parts }) => {
      const error = errorOf(run);
      expect(error.message).toMatch(new RegExp(`(^|\\] )${code} [^:]+.*: .+ → .+`, 'm'));
      for (const part of parts) expect(error.message).toContain(part);
      expect(callOf(error)).toBe(call);
    });
  });
}

/** What a call throws, with its whole stack. */
export function errorOf(run: () => unknown): Error {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = Infinity;
  try {
    run();
  } catch (error) {
    void (error as Error).stack; // formatted while the limit is off
    return error as Error;
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
  return new Error('nothing was rejected');
}

/** The public call that threw an error: the outermost frame of src/<noun>.ts, unless a frame of cdk8s is outside of it. */
export function callOf(error: Error): string {
  const frames = error.stack!.split('\n').reverse();
  const frame = frames.find((line) => /\/src\/[\w-]+\.ts:|\/node_modules\/cdk8s\//.test(line)) ?? '';
  if (frame === '' || frame.includes('/node_modules/')) return SYNTHESIS;
  const [, created, owner, method, file] = /at (new )?(\w+)(?:\.(\w+))? .*?(\/[^():]*\/src\/[\w-]+\.ts):/.exec(frame)!;
  if (created) return `new ${owner}`;
  // Node before 22 writes "Function" in place of the class of a static method.
  return `${owner === 'Function' ? classWith(method, file) : owner}.${method}`;
}

function classWith(method: string, file: string): string {
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  const found = Object.values<object>(require(file)).filter((exported) => Object.hasOwn(exported, method));
  return found.map((exported) => (exported as { name: string }).name).join(' or ');
}
