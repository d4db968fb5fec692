import { isUtf8 } from 'buffer';
import { existsSync, readFileSync } from 'fs';

/*
 * The documents in the files of an app, as kubectl reads them. cdk8s-cli parses YAML 1.2: it leaves merge keys as they
 * are, turns tagged values into objects, and reads the first one of several JSON documents only.
 */

/** One file with its documents. A file without problems was read completely. */
export interface SourceFile {
  readonly file: string;
  readonly parsed: readonly unknown[];
  readonly problems: readonly string[];
}

/** Reads a file with the parser of cdk8s-cli. */
export function readSource(file: string, parse: (file: string) => unknown[]): SourceFile {
  const problems: string[] = [];
  const attempt = <Result>(what: string, run: () => Result): Result | undefined => {
    try {
      return run();
    } catch (error) {
      problems.push(`${what} cannot be read: ${error instanceof Error ? error.message.split('\n')[0] : error}`);
      return undefined;
    }
  };
  const documents = attempt('the file', () => jsonDocuments(textOf(file)) ?? parse(file)) ?? [];
  const parsed = documents.map((document, index) => attempt(`document ${index + 1}`, () => plainData(document, 0)));
  return { file, parsed, problems };
}

/** The text of a file. cdk8s-cli takes UTF-16, which kubectl may read, for other characters. */
function textOf(file: string): string {
  const bytes = existsSync(file) ? readFileSync(file) : Buffer.alloc(0);
  if (!isUtf8(bytes) || bytes.includes(0)) throw new Error('it is not UTF-8');
  return bytes.toString();
}

/** Several JSON documents without `---` between them, which kubectl applies one by one. */
function jsonDocuments(whole: string): unknown[] | undefined {
  const text = whole.trim();
  if (!text.startsWith('{')) return undefined;
  const parts = [...topLevelObjects(text)];
  try {
    return parts.length > 1 ? parts.map((part) => JSON.parse(part)) : undefined;
  } catch {
    return undefined; // YAML that begins with a brace
  }
}

function* topLevelObjects(text: string): Generator<string> {
  let [depth, start] = [0, 0];
  for (const { 0: token, index } of text.matchAll(/"(?:[^"\\]|\\.)*"|[{}]/gs)) {
    if (token === '{') depth++;
    else if (token === '}') depth--;
    else continue;
    if (depth > 0) continue;
    yield text.slice(start, index + 1);
    start = index + 1;
  }
}

/** cdk8s-cli's parser omits, without an error, what is nested about 800 levels deep. No kind needs half of that. */
const MAX_DEPTH = 400;

/** A copy of a value that consists of objects, lists and scalars, with merge keys resolved. */
function plainData(value: unknown, depth: number): unknown {
  if (value === null || typeof value !== 'object') return value;
  if (depth > MAX_DEPTH) throw new Error(`it is nested more than ${MAX_DEPTH} levels deep`);
  const inner = (one: unknown) => plainData(one, depth + 1);
  if (Array.isArray(value)) return value.map(inner);
  if (value instanceof Uint8Array) return Buffer.from(value).toString('latin1');
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Set) return Object.fromEntries([...value].map((member) => [String(member), null]));
  const entries = value instanceof Map ? [...value].map(([key, one]) => [String(key), one]) : Object.entries(value);
  return merged(Object.fromEntries(entries.map(([key, one]) => [key, inner(one)])));
}

/** An object with the fields of the objects under its key `<<`, unless it has the fields itself. */
function merged(object: { [key: string]: unknown }): object {
  const { '<<': base, ...own } = object;
  const bases = Array.isArray(base) ? base : [base];
  if (!bases.every((one) => one !== null && typeof one === 'object' && !Array.isArray(one))) return object;
  return Object.assign({}, ...bases.reverse(), own);
}
