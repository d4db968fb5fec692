import * as ts from 'typescript';

/*
 * Which functions a mutant in a constant of a module affects. A constant is evaluated once, while the library is loaded, so all tests
 * reach it. Only tests that run a function that uses the constant, or a constant derived from it, can fail.
 */

/** A number below zero for each function of the library. */
export type Numbers = ReadonlyMap<ts.Node, number>;

/** Returns whether a node is a function with a body, not only a signature. */
export function isRunnable(node: ts.Node): node is ts.FunctionLikeDeclaration {
  return ts.isFunctionLike(node) && 'body' in node && node.body !== undefined;
}

/** Numbers all functions of the library. */
export function numbersOf(files: Iterable<ts.SourceFile>): Map<ts.Node, number> {
  const numbers = new Map<ts.Node, number>();
  const visit = (node: ts.Node): void => {
    if (isRunnable(node)) numbers.set(node, -1 - numbers.size);
    ts.forEachChild(node, visit);
  };
  for (const file of files) visit(file);
  return numbers;
}

interface Use {
  readonly file: ts.SourceFile;
  /** The innermost enclosing function, if any. */
  readonly inside?: ts.Node;
  /** Outside of functions, the constants that are derived from it; undefined if they are unknown. */
  readonly makes?: readonly string[];
}

/** Finds the functions that use the constant that a node is part of; returns undefined if they are unknown. */
export function usersOf(files: readonly ts.SourceFile[], numbers: Numbers): (node: ts.Node) => ReadonlySet<number> | undefined {
  const uses = new Map<string, Use[]>();
  const exported = new Set<string>();
  for (const file of files) {
    const visit = (node: ts.Node, inside?: ts.Node): void => {
      if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node) || ts.isTypeNode(node)) return;
      if (ts.isVariableStatement(node) && node.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)) {
        constantsOf(node)!.forEach((name) => exported.add(name));
      }
      if (ts.isIdentifier(node) && !isDeclared(node)) {
        uses.set(node.text, [...uses.get(node.text) ?? [], { file, inside, makes: inside ? undefined : constantsOf(node) }]);
      }
      ts.forEachChild(node, (child) => visit(child, isRunnable(node) ? node : inside));
    };
    visit(file);
  }
  return (node) => {
    const found = new Set<number>();
    const names = constantsOf(node)?.map((name) => ({ name, file: node.getSourceFile() }));
    if (!names) return undefined;
    // The loop adds constants that are derived from constants to the list that it reads.
    for (const { name, file } of names) {
      for (const use of uses.get(name) ?? []) {
        if (use.file !== file && !exported.has(name)) continue;
        if (use.inside) found.add(numbers.get(use.inside)!);
        else if (!use.makes) return undefined;
        const made = (use.makes ?? []).filter((other) => !names.some((listed) => listed.name === other && listed.file === use.file));
        names.push(...made.map((other) => ({ name: other, file: use.file })));
      }
    }
    return found;
  };
}

/** The names of the module's constant that a node outside of functions is part of. */
function constantsOf(node: ts.Node): string[] | undefined {
  for (let around = node; around && !ts.isSourceFile(around); around = around.parent) {
    if (ts.isPropertyDeclaration(around)) return ts.isIdentifier(around.name) ? [around.name.text] : undefined;
    if (ts.isVariableDeclaration(around)) return namesIn(around.name);
    if (ts.isVariableStatement(around)) return around.declarationList.declarations.flatMap(({ name }) => namesIn(name));
  }
  return undefined;
}

function namesIn(name: ts.BindingName): string[] {
  return ts.isIdentifier(name) ? [name.text] : name.elements.flatMap((element) => ts.isOmittedExpression(element) ? [] : namesIn(element.name));
}

/** Returns whether an identifier is a declaration, not a use. */
function isDeclared(node: ts.Identifier): boolean {
  const { parent } = node;
  return (ts.isVariableDeclaration(parent) || ts.isBindingElement(parent) || ts.isPropertyDeclaration(parent) || ts.isPropertyAssignment(parent)
    || ts.isParameter(parent)) && parent.name === node;
}
