/**
 * Programs that are compiled but not run: the examples of the documentation, and programs with type errors.
 */
import { join } from 'path';
import * as ts from 'typescript';

const root = join(__dirname, '..', '..');
const sources = new Map<string, ts.SourceFile | undefined>();

/** A compiler host that reads each file once for all programs of a test file, with additional virtual files. */
export function hostWith(files: ReadonlyMap<string, string>, options: ts.CompilerOptions): ts.CompilerHost {
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists, readFile } = host;
  host.fileExists = (file) => files.has(file) || fileExists(file);
  host.readFile = (file) => files.get(file) ?? readFile(file);
  host.getSourceFile = (file, ...rest) => {
    const text = files.get(file);
    if (text !== undefined) return ts.createSourceFile(file, text, ts.ScriptTarget.ES2022, true);
    if (!sources.has(file)) sources.set(file, getSourceFile(file, ...rest));
    return sources.get(file);
  };
  return host;
}

/** Returns the compiler errors of each program, with the strict options of the project. Programs import from `cdk8s-mesh-federation`. */
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
  const program = ts.createProgram([...files.keys()], settings, hostWith(files, settings));
  return [...files.keys()].flatMap((file) => ts.getPreEmitDiagnostics(program, program.getSourceFile(file)).map((diagnostic) => {
    const { line } = ts.getLineAndCharacterOfPosition(diagnostic.file!, diagnostic.start ?? 0);
    return `${file.slice(root.length + 6).replace('.virtual.ts', '')}:${line + 1} ${ts.flattenDiagnosticMessageText(diagnostic.messageText, ' ')}`;
  }));
}
