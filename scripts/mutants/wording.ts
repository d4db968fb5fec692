import * as ts from 'typescript';

/*
 * Which expressions are only the wording of a message. Tests compare parts of messages, so a surviving mutant there means no missing test.
 */

/** Functions that create messages, and the index of their first wording argument, which follows the code and the place. */
const MESSAGES = /^(?:fail|describe(?:Error|Problem))$/;
const FIRST_WORDING = 2;

/** A table of error codes holds the title of each. */
const CODE = /^FED\d{3}$/;

/** Returns a function that tests whether an expression, or an enclosing one in the same function, is only the wording of a message. */
export function wordingOf(files: readonly ts.SourceFile[]): (node: ts.Node) => boolean {
  /** The parameters that each function passes on as wording, by its file and name; for an exported function also by its name alone. */
  const passedOn = new Map<string, Set<number>>();
  const nodes = new Set<ts.Node>();
  const isWordingArgument = (callee: ts.Identifier, i: number) => {
    const { text: name } = callee;
    if (MESSAGES.test(name)) return i >= FIRST_WORDING;
    const file = callee.getSourceFile();
    return (passedOn.get(`${file.fileName}#${name}`) ?? (imports(file, name) ? passedOn.get(name) : undefined))?.has(i) ?? false;
  };

  /** Marks the wording arguments of a call, and the variables and parameters of enclosing functions that they use. */
  const mark = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && ts.isIdentifier(node.expression)) {
      const callee = node.expression;
      node.arguments.filter((_, i) => isWordingArgument(callee, i)).forEach(markWording);
    }
    if (ts.isPropertyAssignment(node) && CODE.test(node.name.getText())) nodes.add(node.initializer);
    ts.forEachChild(node, mark);
  };
  const markWording = (argument: ts.Node): void => {
    nodes.add(argument);
    const visit = (node: ts.Node): void => {
      if (ts.isIdentifier(node)) markDeclaration(node);
      // Arguments of a nested call are values, not wording.
      if (!ts.isCallExpression(node)) ts.forEachChild(node, visit);
    };
    visit(argument);
  };
  const markDeclaration = (use: ts.Identifier): void => {
    for (let scope: ts.Node = use; scope; scope = scope.parent) {
      if (ts.isFunctionLike(scope)) {
        const i = scope.parameters.findIndex(({ name }) => ts.isIdentifier(name) && name.text === use.text);
        if (i >= 0) {
          for (const name of namesOfFunction(scope)) passedOn.set(name, (passedOn.get(name) ?? new Set()).add(i));
          return;
        }
      }
      if (ts.isBlock(scope) || ts.isSourceFile(scope)) {
        const declared = scope.statements.filter(ts.isVariableStatement).flatMap(({ declarationList }) => [...declarationList.declarations])
          .find(({ name }) => ts.isIdentifier(name) && name.text === use.text);
        if (declared) {
          const text = declared.initializer;
          if (text && (ts.isStringLiteralLike(text) || ts.isTemplateExpression(text) || ts.isConditionalExpression(text))) nodes.add(text);
          return;
        }
      }
    }
  };

  // A helper may pass on texts to a helper of another file, so this repeats until nothing is added.
  for (let before = -1; before !== count(passedOn);) {
    before = count(passedOn);
    files.forEach(mark);
  }
  return (node) => {
    for (let around = node; around && !ts.isFunctionLike(around); around = around.parent) if (nodes.has(around)) return true;
    return false;
  };
}

function count(passedOn: ReadonlyMap<string, ReadonlySet<number>>): number {
  return [...passedOn.values()].reduce((sum, { size }) => sum + size, 0);
}

function namesOfFunction(node: ts.SignatureDeclaration): string[] {
  const file = node.getSourceFile().fileName;
  if (ts.isFunctionDeclaration(node) && node.name) {
    const { text } = node.name;
    return node.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) ? [`${file}#${text}`, text] : [`${file}#${text}`];
  }
  return ts.isVariableDeclaration(node.parent) && ts.isIdentifier(node.parent.name) ? [`${file}#${node.parent.name.text}`] : [];
}

function imports(file: ts.SourceFile, name: string): boolean {
  return file.statements.some((statement) => ts.isImportDeclaration(statement) && statement.importClause?.namedBindings
    && ts.isNamedImports(statement.importClause.namedBindings)
    && statement.importClause.namedBindings.elements.some((element) => element.name.text === name));
}
