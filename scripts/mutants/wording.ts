import * as ts from 'typescript';

/*
 * Which expressions only word a message. A test reads parts of messages, so a mutant in them says nothing about a promise of the library.
 */

/** Functions that make messages, and the first of their arguments that is wording: the code and the place before it are not. */
const MESSAGES = /^(?:fail|describe(?:Mistake|Error|Problem))$/;
const FIRST_WORDING = 2;

/** A table of error codes holds the title of each. */
const CODE = /^FED\d{3}$/;

/** Tells whether an expression, or one around it in the same function, only words a message. */
export function wordingOf(files: readonly ts.SourceFile[]): (node: ts.Node) => boolean {
  /** Of each function, by its file and name, the parameters that it hands on as wording; of an exported one by its name as well. */
  const handsOn = new Map<string, Set<number>>();
  const nodes = new Set<ts.Node>();
  const isWordingArgument = (callee: ts.Identifier, i: number) => {
    const { text: name } = callee;
    if (MESSAGES.test(name)) return i >= FIRST_WORDING;
    const file = callee.getSourceFile();
    return (handsOn.get(`${file.fileName}#${name}`) ?? (imports(file, name) ? handsOn.get(name) : undefined))?.has(i) ?? false;
  };

  /** Marks what a call words, and the variables and parameters of the functions around it that it names there. */
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
      // What is only shown inside of a message is computed elsewhere, too.
      if (!ts.isCallExpression(node)) ts.forEachChild(node, visit);
    };
    visit(argument);
  };
  const markDeclaration = (use: ts.Identifier): void => {
    for (let scope: ts.Node = use; scope; scope = scope.parent) {
      if (ts.isFunctionLike(scope)) {
        const i = scope.parameters.findIndex(({ name }) => ts.isIdentifier(name) && name.text === use.text);
        if (i >= 0) {
          for (const name of namesOfFunction(scope)) handsOn.set(name, (handsOn.get(name) ?? new Set()).add(i));
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

  // A helper may hand on to a helper of another file: until nothing is added.
  for (let before = -1; before !== count(handsOn);) {
    before = count(handsOn);
    files.forEach(mark);
  }
  return (node) => {
    for (let around = node; around && !ts.isFunctionLike(around); around = around.parent) if (nodes.has(around)) return true;
    return false;
  };
}

function count(handsOn: ReadonlyMap<string, ReadonlySet<number>>): number {
  return [...handsOn.values()].reduce((sum, { size }) => sum + size, 0);
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
