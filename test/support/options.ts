/**
 * Tables of options: for each option of an options object a value, a field of the output, and the expected value of this field. A table
 * covers `Required<Options>`, so a new option does not compile until it has a row.
 */
import { isDeepStrictEqual } from 'util';
import { errorOf } from './rejections';

/** One option, and the field of the output that it determines. */
export interface Option<Value, Given, Output> {
  /** The value of the option. */
  readonly value: Value;
  /** Reads the field of the output that this option determines. */
  readonly seen: (output: Output) => unknown;
  /** The field with `value`. Without the option, the field has another value. */
  readonly expected: unknown;
  /** Options that this option requires, in both programs. */
  readonly beside?: Partial<Given>;
  /** Options that this option replaces, only in the program with `value`. */
  readonly instead?: Partial<Given>;
}

export type Options<Given, Output> = { readonly [option in keyof Required<Given>]: Option<Required<Given>[option], Given, Output> };

/** Values of types that an option may not have. The first one is what an empty key of a YAML file gives. */
const WRONG: unknown[] = [null, { 'not valid': 5 }, [{}], [5], () => 'a function', 5, '5', true];

/** Those that have another type than the value of an option. */
function wrongFor(value: unknown): unknown[] {
  return WRONG.filter((wrong) => typeof wrong !== typeof value || typeof wrong === 'object');
}

/** The options objects that have a table. */
export const TABLES = new Set<string>();

/**
 * One test for each option, which compares the program with the option and the program with `base` alone. The value of an option must
 * differ from that in `base`.
 */
export function everyOption<Given extends object, Output>(
  name: string, base: Given, write: (given: Given) => Output, table: Options<Given, Output>, where = '',
): void {
  TABLES.add(name);
  const rows = Object.entries<Option<unknown, Given, Output>>(table);
  describe(`options of ${name}${where}`, () => {
    let plain: Output | undefined;
    test.each(rows)(`the option %s of ${name} sets its field of the output${where}`, (option, { value, seen, expected, beside, instead }) => {
      const without = beside ? write({ ...base, ...beside }) : plain ??= write(base);
      const output = write({ ...base, ...beside, [option]: value, ...instead });
      if (isDeepStrictEqual(output, without)) throw new Error(`the option ${option} of ${name} changes nothing in the output`);
      expect(seen(output)).toEqual(expected);
      expect(fieldIn(without, seen)).not.toEqual(expected);
    });

    test.each(rows)(`the option %s of ${name} rejects values of a wrong type${where}`, (option, { value, beside, instead }) => {
      const accepted = wrongFor(value)
        .filter((wrong) => !/FED\d{3} /.test(errorOf(() => write({ ...base, ...beside, [option]: wrong, ...instead })).message));
      expect(accepted).toEqual([]);
    });
  });
}

/** Reads a field that may not exist without the option. */
function fieldIn<Output>(output: Output, seen: (output: Output) => unknown): unknown {
  try {
    return seen(output);
  } catch {
    return undefined;
  }
}
