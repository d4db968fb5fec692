/**
 * Tables of options: for each option of an options object one value, the place of the output where it belongs, and what stands there. A table
 * covers `Required<Options>`, so a new option does not compile until it has a row.
 */
import { isDeepStrictEqual } from 'util';

/** One option, and where the output shows it. */
export interface Option<Value, Given, Output> {
  /** The value with which the program is written. */
  readonly value: Value;
  /** The place of the output that this option decides. */
  readonly seen: (output: Output) => unknown;
  /** What stands at that place with `value`. Without the option something else stands there. */
  readonly expected: unknown;
  /** What the option needs beside it, in both programs. */
  readonly beside?: Partial<Given>;
  /** What the option takes the place of, in the program with `value` alone. */
  readonly instead?: Partial<Given>;
}

export type Options<Given, Output> = { readonly [option in keyof Required<Given>]: Option<Required<Given>[option], Given, Output> };

/** The options objects that have a table. */
export const TABLES = new Set<string>();

/**
 * One test for each option: the program with it, and the program with `base` alone. An option that `base` has needs another value than there.
 */
export function everyOption<Given extends object, Output>(
  name: string, base: Given, write: (given: Given) => Output, table: Options<Given, Output>, where = '',
): void {
  TABLES.add(name);
  const rows = Object.entries<Option<unknown, Given, Output>>(table);
  describe(`every option of ${name} reaches the output${where}`, () => {
    let plain: Output | undefined;
    test.each(rows)(`the option %s of ${name} is where it belongs`, (option, { value, seen, expected, beside, instead }) => {
      const without = beside ? write({ ...base, ...beside }) : plain ??= write(base);
      const output = write({ ...base, ...beside, [option]: value, ...instead });
      if (isDeepStrictEqual(output, without)) throw new Error(`the option ${option} of ${name} changes nothing in the output`);
      expect(seen(output)).toEqual(expected);
      expect(placeIn(without, seen)).not.toEqual(expected);
    });
  });
}

/** A place that is not there without the option. */
function placeIn<Output>(output: Output, seen: (output: Output) => unknown): unknown {
  try {
    return seen(output);
  } catch {
    return undefined;
  }
}
