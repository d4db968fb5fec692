import { join } from 'path';
import * as ts from 'typescript';
import { mutatedText } from './instrument';
import type { Mutant, Sources } from './sources';

/** Maximum number of variants in one program; the syntax trees of more would fill the memory. */
const BATCH = 120;

/**
 * Finds the mutants that the compiler rejects. Many mutants are checked in one program, each as a file beside the original, because a
 * program takes a second and a file some milliseconds. A mutant that changes the declarations of its file is checked again alone, with the
 * files that import it. So is each mutant of a file that only compiles at its own path.
 */
export class TypeChecker {
  private readonly options: ts.CompilerOptions;
  private readonly parsed = new Map<string, ts.SourceFile | undefined>();
  private readonly replaced = new Map<string, string>();
  private readonly declarations = new Map<string, string>();
  private readonly importers = new Map<string, Set<string>>();
  private program?: ts.Program;

  constructor(private readonly root: string, private readonly sources: Sources) {
    const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile);
    this.options = {
      ...ts.parseJsonConfigFileContent(config, ts.sys, root).options,
      noEmitOnError: false,
      declaration: true,
      composite: false,
      incremental: false,
    };
    for (const [path, file] of sources.files) {
      for (const { fileName } of ts.preProcessFile(file.text).importedFiles.filter((imported) => imported.fileName.startsWith('.'))) {
        const target = join(path, '..', fileName);
        const imported = [`${target}.ts`, `${target}/index.ts`].find((candidate) => sources.files.has(candidate));
        if (imported) this.importers.set(imported, (this.importers.get(imported) ?? new Set()).add(path));
      }
    }
  }

  /** Returns those of some mutants that the compiler rejects. */
  public rejected(mutants: readonly Mutant[]): Set<Mutant> {
    const rejected = new Set<Mutant>();
    const alone: Mutant[] = [];
    for (let i = 0; i < mutants.length; i += BATCH) {
      const batch = mutants.slice(i, i + BATCH);
      const paths = new Map(batch.map((mutant) => [mutant, variantPath(mutant.file, mutant.id)]));
      const originals = [...new Set(batch.map(({ file }) => file))];
      for (const file of originals) this.replaced.set(this.absolute(variantPath(file, 0)), this.sources.files.get(file)!.text);
      for (const [mutant, path] of paths) this.replaced.set(this.absolute(path), mutatedText(this.sources.files.get(mutant.file)!, mutant.change));
      const program = this.compile([...this.replaced.keys()]);
      const movable = new Set(originals.filter((file) => !this.hasErrors(program, variantPath(file, 0))));
      for (const file of originals) this.declarations.set(file, this.declarationsOf(program, variantPath(file, 0)));
      for (const [mutant, path] of paths) {
        if (!movable.has(mutant.file)) alone.push(mutant);
        else if (this.hasErrors(program, path)) rejected.add(mutant);
        else if (this.declarationsOf(program, path) !== this.declarations.get(mutant.file)) alone.push(mutant);
      }
      for (const path of this.replaced.keys()) this.parsed.delete(path);
      this.replaced.clear();
    }
    for (const mutant of alone) if (this.isRejectedInPlace(mutant)) rejected.add(mutant);
    return rejected;
  }

  private isRejectedInPlace(mutant: Mutant): boolean {
    const path = this.absolute(mutant.file);
    const original = this.parsed.get(path);
    this.parsed.delete(path);
    this.replaced.set(path, mutatedText(this.sources.files.get(mutant.file)!, mutant.change));
    const program = this.compile([]);
    const concerned = new Set([mutant.file]);
    for (const file of concerned) this.importers.get(file)?.forEach((importer) => concerned.add(importer));
    const rejected = [...concerned].some((file) => this.hasErrors(program, file));
    this.replaced.clear();
    this.parsed.set(path, original);
    return rejected;
  }

  private compile(more: readonly string[]): ts.Program {
    const host = ts.createCompilerHost(this.options);
    const { fileExists, readFile, getSourceFile } = host;
    host.fileExists = (file) => this.replaced.has(file) || fileExists(file);
    host.readFile = (file) => this.replaced.get(file) ?? readFile(file);
    host.getSourceFile = (file, languageVersion, ...rest) => {
      if (!this.parsed.has(file)) {
        const text = this.replaced.get(file);
        this.parsed.set(file, text === undefined ? getSourceFile(file, languageVersion, ...rest)
          : ts.createSourceFile(file, text, languageVersion, true));
      }
      return this.parsed.get(file);
    };
    this.program = ts.createProgram([this.absolute('src/index.ts'), ...more], this.options, host, this.program);
    return this.program;
  }

  private hasErrors(program: ts.Program, path: string): boolean {
    const file = program.getSourceFile(this.absolute(path))!;
    return program.getSyntacticDiagnostics(file).length > 0 || program.getSemanticDiagnostics(file).length > 0;
  }

  private declarationsOf(program: ts.Program, path: string): string {
    let text = '';
    program.emit(program.getSourceFile(this.absolute(path)), (_, written) => { text = written; }, undefined, true);
    return text;
  }

  private absolute(path: string): string {
    return join(this.root, path);
  }
}

/** Returns the path of a file beside the original, where relative imports resolve to the same modules. */
function variantPath(file: string, id: number): string {
  return file.replace(/\.ts$/, `.mutant-${id}.ts`);
}
