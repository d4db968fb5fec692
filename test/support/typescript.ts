/**
 * Programs that are compiled and not run: the examples of the docs, and mistakes that must not compile.
 */
import { join } from 'path';
import * as ts from 'typescript';

const root = join(__dirname, '..', '..');

/** What the compiler says of each program, under the strict options of the project. Programs import from `cdk8s-mesh-federation`. */
export function compile(programs: ReadonlyMap<string, string>): string[] {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  const settings: ts.CompilerOptions = {
    ...options,
    noEmit: true,
    rootDir: undefined,
    noUnusedLocals: false,
    noUnusedParameters: false,
    inlineSourceMap: false,
    inlineSources: false,
    declaration: false,
    paths: { 'cdk8s-mesh-federation': [join(root, 'src', 'index.ts')] },
  };
  const files = new Map([...programs].map(([name, text]) => [join(root, 'test', `${name}.virtual.ts`), text]));
  const host = ts.createCompilerHost(settings);
  const { getSourceFile, fileExists, readFile } = host;
  host.fileExists = (file) => files.has(file) || fileExists(file);
  host.readFile = (file) => files.get(file) ?? readFile(file);
  host.getSourceFile = (file, ...rest) => {
    const text = files.get(file);
    return text === undefined ? getSourceFile(file, ...rest) : ts.createSourceFile(file, text, ts.ScriptTarget.ES2022, true);
  };
  const program = ts.createProgram([...files.keys()], settings, host);
  return [...files.keys()].flatMap((file) => ts.getPreEmitDiagnostics(program, program.getSourceFile(file)).map((diagnostic) => {
    const { line } = ts.getLineAndCharacterOfPosition(diagnostic.file!, diagnostic.start ?? 0);
    return `${file.slice(root.length + 6).replace('.virtual.ts', '')}:${line + 1} ${ts.flattenDiagnosticMessageText(diagnostic.messageText, ' ')}`;
  }));
}
