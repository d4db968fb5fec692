import { createRequire } from 'module';

/*
 * A test runner that stays in one process: it can run some tests of a suite, stop at the first failure, and be reused for the next
 * mutant. Jest would need two seconds for each suite and each mutant, most of them for loading modules again. The functions that tests
 * call are Jest's own: `expect`, `jest.spyOn` and `.each`.
 */

/** Resolves the packages that Jest consists of, which npm installs beside it. */
const ofJest = createRequire(__filename);
const { expect } = ofJest('expect') as { readonly expect: unknown };
const { bind } = ofJest('jest-each') as { bind(register: unknown, supportsDone?: boolean): unknown };
const { ModuleMocker } = ofJest('jest-mock') as { readonly ModuleMocker: new (global: unknown) => Mocker };

interface Mocker {
  fn(): unknown;
  spyOn(target: object, method: string): unknown;
  clearAllMocks(): void;
  restoreAllMocks(): void;
}

type Action = () => unknown;
type HookKind = 'beforeAll' | 'afterAll' | 'beforeEach' | 'afterEach';

interface Block {
  readonly title: string;
  readonly parent?: Block;
  readonly hooks: { readonly [kind in HookKind]: Action[] };
}

/** One test of a suite. */
export interface Test {
  /** Starts with the titles of the enclosing blocks. */
  readonly title: string;
  readonly block: Block;
  readonly run: Action;
}

/** The result of one test. */
export interface Outcome {
  readonly index: number;
  readonly milliseconds: number;
  /** The message of the failure. */
  readonly failure?: string;
}

/** Callbacks before and after each test of a run. */
export interface Listener {
  before?(index: number): void;
  /** Returns whether to run the next test. */
  after(outcome: Outcome): boolean;
}

const mocker = new ModuleMocker(globalThis);

/** Collects the tests that a function registers, usually by loading a test file. */
export function collect(load: Action): Test[] {
  const tests: Test[] = [];
  let block: Block = blockOf('');
  const describe = (title: string, body: Action) => {
    const around = block;
    block = blockOf(String(title), around);
    try {
      body();
    } finally {
      block = around;
    }
  };
  const test = (title: string, run: Action) => tests.push({ title: titleOf(block, title), block, run });
  const hook = (kind: HookKind) => (run: Action) => block.hooks[kind].push(run);
  const each = (register: unknown) => bind(register, false);
  Object.assign(globalThis, {
    expect,
    describe: Object.assign(describe, { each: each(describe) }),
    test: Object.assign(test, { each: each(test) }),
    it: Object.assign(test, { each: each(test) }),
    beforeAll: hook('beforeAll'),
    afterAll: hook('afterAll'),
    beforeEach: hook('beforeEach'),
    afterEach: hook('afterEach'),
    // The parent process enforces time limits: it kills this process.
    jest: {
      fn: mocker.fn.bind(mocker), spyOn: mocker.spyOn.bind(mocker), restoreAllMocks: mocker.restoreAllMocks.bind(mocker), setTimeout: () => undefined,
    },
  });
  load();
  return tests;
}

/** Runs some tests of a suite in order, with their hooks. */
export async function runTests(tests: readonly Test[], indices: readonly number[], listener: Listener): Promise<void> {
  const opened = new Map<Block, unknown>();
  try {
    for (const index of indices) {
      listener.before?.(index);
      const start = performance.now();
      const failure = await failureOf(() => runTest(tests[index], opened));
      mocker.clearAllMocks();
      if (!listener.after({ index, milliseconds: performance.now() - start, failure })) return;
    }
  } finally {
    for (const { hooks } of [...opened.keys()].reverse()) await failureOf(() => runAll(hooks.afterAll));
  }
}

async function runTest({ block, run }: Test, opened: Map<Block, unknown>): Promise<void> {
  const blocks = pathOf(block);
  for (const around of blocks) {
    if (!opened.has(around)) opened.set(around, await failureOf(() => runAll(around.hooks.beforeAll)));
    const failure = opened.get(around);
    if (failure !== undefined) throw new Error(`beforeAll: ${failure}`);
  }
  const failed = await failureOf(async () => {
    await runAll(blocks.flatMap(({ hooks }) => hooks.beforeEach));
    await run();
  });
  const cleaned = await failureOf(() => runAll([...blocks].reverse().flatMap(({ hooks }) => hooks.afterEach)));
  // The first failure is the cause; the clean-up after it often fails as well.
  const failure = failed ?? cleaned;
  if (failure !== undefined) throw new Error(failure);
}

async function runAll(actions: readonly Action[]): Promise<void> {
  for (const action of actions) await action();
}

/** The message of the error that an action throws, or undefined. */
export async function failureOf(action: () => unknown): Promise<string | undefined> {
  try {
    await action();
    return undefined;
  } catch (error) {
    return error instanceof Error || (error as Error | undefined)?.message !== undefined ? (error as Error).message : String(error);
  }
}

function blockOf(title: string, parent?: Block): Block {
  return { title, parent, hooks: { beforeAll: [], afterAll: [], beforeEach: [], afterEach: [] } };
}

function pathOf(block: Block): Block[] {
  return block.parent ? [...pathOf(block.parent), block] : [block];
}

function titleOf(block: Block, title: string): string {
  return [...pathOf(block).map((around) => around.title), title].filter((part) => part !== '').join(' › ');
}
