import { readdirSync, readFileSync } from 'fs';
import { join } from 'path';
import { REJECTIONS } from './errors';
import { makeCertificates } from './errors/trust';
import { errorOf, Rejection, sentenceOf, SYNTHESIS } from './support/rejections';
import { ERRORS, show } from '../src/checks/errors';

/*
 * Every error code is documented, triggered and raised by the calls that its documentation names. Rows are data here:
 * test/<noun>.errors.test.ts tests that each throws its code from its call.
 */

const rows = Object.values(REJECTIONS).flat();

test('every error code has a row that triggers it', () => {
  expect([...new Set(rows.map(({ code }) => code))].sort()).toEqual(Object.keys(ERRORS).sort());
});

test('every noun in test/errors is registered and has a test file', () => {
  const nouns = Object.keys(REJECTIONS).sort();
  expect(readdirSync(join(__dirname, 'errors')).sort()).toEqual([...nouns, 'index'].map((noun) => `${noun}.ts`).sort());
  expect(readdirSync(__dirname).filter((file) => file.endsWith('.errors.test.ts'))).toEqual(nouns.map((noun) => `${noun}.errors.test.ts`).sort());
  expect(nouns.filter((noun) => REJECTIONS[noun].length === 0)).toEqual([]);
});

test('every row has a unique sentence', () => {
  const sentences = rows.map(sentenceOf);
  expect(sentences.filter((sentence, index) => sentences.indexOf(sentence) !== index)).toEqual([]);
});

const page = readFileSync(join(__dirname, '..', 'docs', 'errors.md'), 'utf8');
const sections = page.split(/^## /m).slice(1).map((section) => {
  const [, code, title] = /^(FED\d{3}): (.+)$/m.exec(section)!;
  const raised = /^\* \*\*Raised\*\* ([^]*?)(?=^\* |\n\n)/m.exec(section)?.[1] ?? '';
  const messages = [...section.matchAll(/^FED\d{3} .*$/gm)].map(([line]) => line);
  return { code, title, raised, messages, calls: [...raised.matchAll(/`((?:new )?[\w.]+)`/g)].map(([, call]) => call).filter(isCall) };
});

test('docs/errors.md has one section for every error code and no other section', () => {
  expect(Object.fromEntries(sections.map(({ code, title }) => [code, title]))).toEqual(ERRORS);
});

test('the sections of docs/errors.md are sorted by code, each with an anchor that does not depend on its title', () => {
  const codes = sections.map(({ code }) => code);
  expect(codes).toEqual([...codes].sort());
  expect([...page.matchAll(/^<a id="(fed\d{3})"><\/a>\n\n## FED/gm)].map(([, id]) => id.toUpperCase())).toEqual(codes);
});

describe('"Raised" in docs/errors.md', () => {
  test.each(sections)('"Raised" in docs/errors.md names exactly the calls that throw $code', ({ code, raised, calls }) => {
    const own = rows.filter((row) => row.code === code);
    const atOnce = own.filter(({ call }) => call !== SYNTHESIS);
    // A section that names calls must name all of them, and no others.
    const missing = calls.length === 0 ? [] : atOnce.filter(({ call }) => !calls.some((name) => isFor(name, call))).map(sentenceOf);
    const untested = calls.filter((name) => !atOnce.some(({ call }) => isFor(name, call)));
    expect({ missing, untested }).toEqual({ missing: [], untested: [] });
    expect({ atOnce: /^at once/.test(raised), atTheEnd: /end of synthesis|is synthesised/.test(raised) })
      .toEqual({ atOnce: atOnce.length > 0, atTheEnd: own.length > atOnce.length });
  });
});

/** A message without the values and names of one program. */
function shapeOf(message: string): string {
  return message
    .replace(/^(FED\d{3}) [^:]+: /, '$1 ')
    .replace(/"[^"]*"|\b([0-9A-F]{2}:)+([0-9A-F]{2}|…)|(?<=it is a )\w+|(?<=use one of )[^→]*?(?=,? or |$)|\b[\w-]+(\/[\w-]+)+|\b\d+/g, '…')
    .replace(/…(, ?…)+/g, '…');
}

beforeAll(makeCertificates);

describe('docs/errors.md quotes messages that the library writes', () => {
  test.each(sections.filter(({ messages }) => messages.length > 0))('$code', ({ code, messages }) => {
    const missing = new Map(messages.map((message) => [shapeOf(message), message]));
    for (const row of rows.filter((one) => one.code === code)) {
      if (missing.size === 0) break;
      errorOf(row.run).message.split('\n').forEach((line) => missing.delete(shapeOf(line.replace(/^.*\] (?=FED)/, ''))));
    }
    expect([...missing.values()]).toEqual([]);
  });
});

test('a message shows a value of up to 120 characters with its quotes, and the beginning of a longer one', () => {
  expect(show('x'.repeat(118))).toBe(`"${'x'.repeat(118)}"`);
  expect(show('x'.repeat(119))).toBe(`"${'x'.repeat(117)}…"`);
});

/** Whether a name in backticks is a call: option names are in backticks as well. */
function isCall(name: string): boolean {
  return rows.some(({ call }) => isFor(name, call)) || /^new |\./.test(name);
}

/** The page names methods with or without their class, and constructors of exports and bindings by the methods of the mesh. */
function isFor(name: string, call: Rejection['call']): boolean {
  const documented: { readonly [call: string]: string } = { 'new ExposedService': 'expose', 'new RemoteServiceBinding': 'bind' };
  return name === call || name === (documented[call] ?? call.split('.').at(-1));
}
