import * as ts from 'typescript';
import type { Change } from './mutators';
import type { Numbers } from './uses';

/*
 * One text for all mutants of a file: it contains the original and each mutant, and the function `__mutant` selects one at run time. So
 * nothing is compiled or loaded for a single mutant, and the tests that reach it can be counted.
 */

/** Name of a module parameter: the function that returns whether a mutant is active. */
export const SWITCH = '__mutant';

/** Returns the text of a file with one change, for the compiler. */
export function mutatedText(file: ts.SourceFile, { node, form, text }: Change): string {
  const [start, end] = [node.getStart(file), node.end];
  const behind = file.text.slice(end);
  if (form === 'expression') return `${file.text.slice(0, start)}(${text})${behind}`;
  // An element is removed with its comma: the one behind it, or for the last element the one before it.
  const comma = /^\s*,/.exec(behind);
  if (form === 'statement') return file.text.slice(0, start) + ';' + behind;
  const before = comma ? file.text.slice(0, start) : file.text.slice(0, start).replace(/,\s*$/, '');
  return before + behind.slice(comma?.[0].length ?? 0);
}

/** Returns the text of a file in which each change can be activated by its number, and which reports the number of each function that runs. */
export function instrumented(file: ts.SourceFile, changes: ReadonlyMap<number, Change>, numbers: Numbers = new Map()): string {
  const byNode = new Map<ts.Node, [number, Change][]>();
  for (const [id, change] of changes) byNode.set(change.node, [...byNode.get(change.node) ?? [], [id, change]]);

  const emit = (node: ts.Node): string => {
    let text = '';
    let at = node.getStart(file);
    const children: ts.Node[] = [];
    ts.forEachChild(node, (child) => { children.push(child); });
    for (const child of children.sort((a, b) => a.pos - b.pos)) {
      // Some nodes, such as the omitted parts of a declaration, have no text.
      if (child.getStart(file) < at || child.end <= child.getStart(file)) continue;
      text += file.text.slice(at, child.getStart(file)) + emit(child);
      at = child.end;
    }
    text += file.text.slice(at, node.end);
    text = switched(text, byNode.get(node) ?? []);
    const number = numbers.get(node.parent);
    if (number === undefined || (node.parent as ts.FunctionLikeDeclaration).body !== node) return text;
    return ts.isBlock(node) ? `{ ${SWITCH}(${number}); ${text.slice(1)}` : `(${SWITCH}(${number}), ${text})`;
  };
  return emit(file) + file.text.slice(file.end);
}

function switched(original: string, changes: readonly [number, Change][]): string {
  const expressions = changes.filter(([, { form }]) => form === 'expression');
  const removals = changes.filter(([, { form }]) => form !== 'expression');
  let text = original;
  if (expressions.length > 0) {
    // `c ? (x) : (y)` could begin an arrow function with a type; `(0, x)` cannot.
    text = `(${expressions.map(([id, change]) => `${SWITCH}(${id}) ? (0, ${change.text}) : `).join('')}(${text}))`;
  }
  for (const [id, { form }] of removals) {
    if (form === 'statement') text = `if (!${SWITCH}(${id})) { ${text} }`;
    else text = form === 'property' ? `...(${SWITCH}(${id}) ? {} : { ${text} })` : `...(${SWITCH}(${id}) ? [] : [${text}])`;
  }
  return text;
}
