import * as ts from 'typescript';

/*
 * Which functions can notice a mutant in a constant of a module. A constant is evaluated once, while the library is loaded, so all tests
 * reach it; only those that run a function that names it, or a constant made from it, can see a difference.
 */

/** What gives each function of the library a number below zero. */
export type Numbers = ReadonlyMap<ts.Node, number>;

/** Whether a node is a function whose run can be seen: not a signature. */
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
  /** The innermost function around, if there is one. */
  readonly inside?: ts.Node;
  /** Outside of functions, the constants that are made with it; none where that cannot be seen. */
  readonly makes?: readonly string[];
}

/** Finds the functions that use the constant that a node is part of; none when they cannot be told. */
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
    // Constants that are made from constants are added while the list is read.
    for (const { name, file } of names) {
      for (const use of uses.get(name) ?? []) {
        if (use.file !== file && !exported.has(name)) continue;
        if (use.inside) found.add(numbers.get(use.inside)!);
        else if (!use.makes) return undefined;
        const made = (use.makes ?? []).filter((other) => !names.some((known) => known.name === other && known.file === use.file));
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

/** Whether a name stands where it is made, and not where it is used. */
function isDeclared(node: ts.Identifier): boolean {
  const { parent } = node;
  return (ts.isVariableDeclaration(parent) || ts.isBindingElement(parent) || ts.isPropertyDeclaration(parent) || ts.isPropertyAssignment(parent)
    || ts.isParameter(parent)) && parent.name === node;
}
