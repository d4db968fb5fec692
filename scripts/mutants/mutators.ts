import * as ts from 'typescript';
import { regexVariants } from './regex';

/*
 * The mutants of a file. Each is one small change, as a developer could make it accidentally.
 */

/** How `instrument.ts` writes the switch between the original and a mutant. */
export type Form = 'expression' | 'property' | 'element' | 'statement';

/** One change of one file. */
export interface Change {
  /** The node that is replaced as a whole. */
  readonly node: ts.Node;
  readonly form: Form;
  /** The replacement of the node; empty when the node is removed. */
  readonly text: string;
  /** The changed part before the change, for reports. */
  readonly original: string;
  readonly mutated: string;
}

const OPERATORS: { readonly [operator: string]: readonly string[] } = {
  '===': ['!=='],
  '!==': ['==='],
  '<': ['<=', '>='],
  '>': ['>=', '<='],
  '<=': ['<', '>'],
  '>=': ['>', '<'],
  '+': ['-'],
  '-': ['+'],
  '*': ['/'],
  '/': ['*'],
  '%': ['*'],
  '&&': ['||'],
  '||': ['&&'],
  '+=': ['-='],
  '-=': ['+='],
  '??=': ['='],
  '||=': ['='],
};
/** Operators of which one side can be removed. */
const SIDES = ['&&', '||', '??'];

const METHODS: ReadonlyMap<string, string> = new Map([
  ['some', 'every'], ['startsWith', 'endsWith'], ['min', 'max'], ['floor', 'ceil'], ['push', 'unshift'], ['find', 'findLast'],
  ['indexOf', 'lastIndexOf'], ['toLowerCase', 'toUpperCase'], ['values', 'keys'],
].flatMap(([one, other]) => [[one, other], [other, one]] as const));
/** Methods whose call can be removed, because they return a variant of their receiver. */
const FILTERS = ['filter', 'sort', 'toSorted', 'reverse', 'toReversed', 'slice', 'trim', 'concat', 'flat', 'toLowerCase', 'replace', 'replaceAll'];

/** All changes of a file, in the order of its text. */
export function changesOf(file: ts.SourceFile): Change[] {
  const changes: Change[] = [];
  const visit = (node: ts.Node): void => {
    if (isSkipped(node)) return;
    changes.push(...changesAt(node, file));
    ts.forEachChild(node, visit);
  };
  visit(file);
  const keys = new Set<string>();
  return changes.filter(({ node, text, form }) => {
    const key = `${node.getStart(file)} ${node.end} ${form} ${text}`;
    return !keys.has(key) && keys.add(key);
  });
}

/** Types and imports do not exist at run time; a name or a tagged template cannot be replaced by an expression. */
function isSkipped(node: ts.Node): boolean {
  return ts.isImportDeclaration(node) || ts.isExportDeclaration(node) || ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node)
    || ts.isTypeNode(node) || ts.isEnumDeclaration(node) || ts.isDecorator(node) || ts.isHeritageClause(node) || isName(node);
}

function isName(node: ts.Node): boolean {
  if (!ts.isStringLiteralLike(node) && !ts.isNumericLiteral(node) && !ts.isTemplateExpression(node)) return false;
  const { name, template } = node.parent as { readonly name?: ts.Node; readonly template?: ts.Node };
  return name === node || template === node;
}

function changesAt(node: ts.Node, file: ts.SourceFile): Change[] {
  const text = node.getText(file);
  const replace = (mutated: string) => change(file, node, node.getStart(file), node.end, mutated);
  if (ts.isStringLiteralLike(node)) return [replace(node.text === '' ? '\'mutant\'' : '\'\'')];
  if (ts.isTemplateExpression(node)) return [replace('\'\'')];
  if (ts.isNumericLiteral(node)) return [replace(String(Number(node.text) + 1))];
  if (ts.isRegularExpressionLiteral(node)) {
    const end = text.lastIndexOf('/');
    return regexVariants(text.slice(1, end)).map((source) => replace(`/${source}/${text.slice(end + 1)}`));
  }
  if (node.kind === ts.SyntaxKind.TrueKeyword) return [replace('false')];
  if (node.kind === ts.SyntaxKind.FalseKeyword) return [replace('true')];
  if (ts.isPrefixUnaryExpression(node) || ts.isPostfixUnaryExpression(node)) return unary(node, file);
  if (ts.isBinaryExpression(node)) return binary(node, file);
  if (ts.isIfStatement(node)) return ['true', 'false'].map((value) => condition(node.expression, value, file));
  if (ts.isWhileStatement(node)) return [condition(node.expression, 'false', file)];
  if (ts.isConditionalExpression(node)) return ['true', 'false'].map((value) => condition(node.condition, value, file));
  if (ts.isReturnStatement(node) || ts.isArrowFunction(node)) return results(node, file);
  if (ts.isArrayLiteralExpression(node)) return elements(node, node.elements, '[]', 'element', file);
  if (ts.isObjectLiteralExpression(node)) return elements(node, node.properties, '{}', 'property', file);
  if (ts.isCallExpression(node) || ts.isNewExpression(node)) return [...calls(node, file), ...optional(node, file)];
  if (ts.isPropertyAccessExpression(node) || ts.isElementAccessExpression(node)) return optional(node, file);
  if (ts.isExpressionStatement(node)) return statement(node, file);
  return [];
}

/** A change of a part of an expression. Inside an optional chain, the whole chain is replaced, because parentheses would end it early. */
function change(file: ts.SourceFile, node: ts.Node, start: number, end: number, mutated: string): Change {
  let top = node;
  while (ts.isOptionalChain(top.parent) && top.parent.expression === top) top = top.parent;
  const text = file.text.slice(top.getStart(file), start) + mutated + file.text.slice(end, top.end);
  return { node: top, form: 'expression', text, original: file.text.slice(start, end), mutated };
}

function condition(node: ts.Expression, value: string, file: ts.SourceFile): Change {
  return change(file, node, node.getStart(file), node.end, value);
}

function unary(node: ts.PrefixUnaryExpression | ts.PostfixUnaryExpression, file: ts.SourceFile): Change[] {
  const operator = ts.tokenToString(node.operator)!;
  const operand = node.operand.getText(file);
  if (operator === '++' || operator === '--') {
    const other = operator === '++' ? '--' : '++';
    return [change(file, node, node.getStart(file), node.end, ts.isPrefixUnaryExpression(node) ? other + operand : operand + other)];
  }
  return operator === '!' || operator === '-' ? [change(file, node, node.getStart(file), node.end, operand)] : [];
}

function binary(node: ts.BinaryExpression, file: ts.SourceFile): Change[] {
  const operator = node.operatorToken.getText(file);
  const [left, right] = [node.left, node.right].map((side) => side.getText(file));
  const others = (OPERATORS[operator] ?? []).map((other) => change(file, node, node.getStart(file), node.end, `${left} ${other} ${right}`));
  const sides = SIDES.includes(operator) ? [left, right].map((side) => change(file, node, node.getStart(file), node.end, side)) : [];
  return [...others, ...sides];
}

/** A boolean function always returns the same value. */
function results(node: ts.ReturnStatement | ts.ArrowFunction, file: ts.SourceFile): Change[] {
  const result = ts.isArrowFunction(node) ? node.body : node.expression;
  let around: ts.Node = node;
  while (!ts.isFunctionLike(around) && !ts.isSourceFile(around)) around = around.parent;
  const type = ts.isFunctionLike(around) ? around.type : undefined;
  const isBoolean = type && (type.kind === ts.SyntaxKind.BooleanKeyword || ts.isTypePredicateNode(type));
  if (!result || ts.isBlock(result) || !isBoolean) return [];
  return ['true', 'false'].map((value) => condition(result, value, file));
}

/** An array or an object without any of its elements, and without each single one. */
function elements(node: ts.Expression, inside: readonly ts.Node[], empty: string, form: Form, file: ts.SourceFile): Change[] {
  const isTarget = ts.isBinaryExpression(node.parent) && node.parent.left === node && node.parent.operatorToken.kind === ts.SyntaxKind.EqualsToken;
  if (inside.length === 0 || isTarget) return [];
  const all = change(file, node, node.getStart(file), node.end, empty);
  if (inside.length === 1) return [all];
  const removable = inside.filter((child) => !ts.isMethodDeclaration(child) && !ts.isAccessor(child) && !ts.isOmittedExpression(child));
  return [all, ...removable.map((child) => ({ node: child, form, text: '', original: child.getText(file), mutated: '(removed)' }))];
}

function calls(node: ts.CallExpression | ts.NewExpression, file: ts.SourceFile): Change[] {
  const spreads = (node.arguments ?? []).filter(ts.isSpreadElement)
    .map((child) => ({ node: child, form: 'element' as const, text: '', original: child.getText(file), mutated: '(removed)' }));
  if (!ts.isCallExpression(node) || !ts.isPropertyAccessExpression(node.expression)) return spreads;
  const { name, expression: receiver } = node.expression;
  const other = METHODS.get(name.text);
  const renamed = other === undefined ? [] : [change(file, node, name.getStart(file), name.end, other)];
  const left = FILTERS.includes(name.text)
    ? [{ ...change(file, node, receiver.end, node.end, ''), original: file.text.slice(receiver.end, node.end), mutated: '(removed)' }] : [];
  return [...spreads, ...renamed, ...left];
}

function optional(node: ts.Expression & { readonly questionDotToken?: ts.QuestionDotToken }, file: ts.SourceFile): Change[] {
  const token = node.questionDotToken;
  if (!token) return [];
  const access = ts.isPropertyAccessExpression(node) ? '.' : '';
  const { text, node: top } = change(file, node, token.getStart(file), token.end, access);
  const original = node.getText(file);
  const at = token.getStart(file) - node.getStart(file);
  return [{ node: top, form: 'expression', text, original, mutated: original.slice(0, at) + access + original.slice(at + 2) }];
}

function statement(node: ts.ExpressionStatement, file: ts.SourceFile): Change[] {
  const { expression } = node;
  // A constructor without its super() always throws, which every test would detect.
  if (ts.isCallExpression(expression) && expression.expression.kind === ts.SyntaxKind.SuperKeyword) return [];
  return [{ node, form: 'statement', text: '', original: node.getText(file), mutated: '(removed)' }];
}
