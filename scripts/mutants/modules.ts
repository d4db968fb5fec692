import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'fs';
import { createRequire } from 'module';
import { dirname, join, relative } from 'path';
import { Script } from 'vm';
import * as ts from 'typescript';
import { SWITCH } from './instrument';

/*
 * Loads the modules of the copy. The library is loaded again for each mutant, so that constants of modules are mutated as well; everything
 * else is loaded once.
 */

/** Folder of the copy with the compiled files. */
export const COMPILED = '.compiled';

/** The package name that users of the library import. */
const PACKAGE = 'cdk8s-mesh-federation';

/**
 * Functions that start another program, or read the files of the copy as text. Neither contains mutants, so a test that calls them cannot
 * detect one. An empty list means every function of a package.
 */
const REFUSED: ReadonlyMap<string, readonly string[]> = new Map([
  ['child_process', []], ['jsii', []], ['typescript', ['createProgram', 'createLanguageService']],
]);

const OPTIONS: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.CommonJS, esModuleInterop: true, experimentalDecorators: true,
};

/** Compiles one file to JavaScript. */
export function compiled(text: string): string {
  return ts.transpileModule(text, { compilerOptions: OPTIONS }).outputText;
}

type Wrapper = (exports: unknown, require: unknown, module: unknown, file: string, folder: string, isActive: (id: number) => boolean) => void;

interface Loaded {
  readonly module: { exports: unknown };
  /** Whether the module belongs to the library, or imports it. */
  library: boolean;
}

export class Modules {
  /** How often a test called one of the refused functions. */
  public refusals = 0;
  private readonly wrappers = new Map<string, Wrapper>();
  private readonly lasting = new Map<string, Loaded>();
  private fresh = new Map<string, Loaded>();

  constructor(private readonly root: string, private readonly isActive: (id: number) => boolean) {}

  /** Unloads the library and every module that imports it. */
  public unload(): void {
    this.fresh = new Map();
  }

  /** Runs an action with a separate instance of the library. */
  public async isolated<T>(action: () => Promise<T>): Promise<T> {
    const before = this.fresh;
    this.unload();
    try {
      return await action();
    } finally {
      this.fresh = before;
    }
  }

  /** Loads a test file of the copy again, because its `afterAll` may have removed what its tests need. */
  public reload(file: string): unknown {
    this.fresh.delete(join(this.root, file));
    return this.load(file);
  }

  /** Loads a file of the copy. */
  public load(file: string): unknown {
    return this.loaded(join(this.root, file)).module.exports;
  }

  private loaded(path: string): Loaded {
    const cached = this.lasting.get(path) ?? this.fresh.get(path);
    if (cached) return cached;
    const file = relative(this.root, path);
    const isSuite = file.endsWith('.test.ts');
    const made: Loaded = { module: { exports: {} }, library: isSuite || file.startsWith('src/') };
    this.fresh.set(path, made);
    const native = createRequire(path);
    const require = (name: string) => {
      const members = REFUSED.get(name.replace(/^node:/, ''));
      if (members) return members.length === 0 ? this.refused(name) : this.without(native(name) as object, name, members);
      const target = this.resolve(name, dirname(path));
      if (target === undefined) return native(name) as unknown;
      const imported = this.loaded(target);
      made.library ||= imported.library;
      return imported.module.exports;
    };
    try {
      this.wrapper(path)(made.module.exports, Object.assign(require, { resolve: native.resolve }), made.module, path, dirname(path), this.isActive);
    } catch (error) {
      this.fresh.delete(path);
      throw error;
    }
    if (!made.library) this.lasting.set(path, made);
    return made;
  }

  /** The TypeScript file of the copy that an import refers to, or undefined. */
  private resolve(name: string, folder: string): string | undefined {
    if (name !== PACKAGE && !name.startsWith('.')) return undefined;
    const target = name === PACKAGE ? join(this.root, 'src') : join(folder, name);
    return [`${target}.ts`, join(target, 'index.ts')].find((path) => existsSync(path));
  }

  private wrapper(path: string): Wrapper {
    const cached = this.wrappers.get(path);
    if (cached) return cached;
    const compiledFile = join(this.root, COMPILED, `${relative(this.root, path)}.js`);
    if (!existsSync(compiledFile)) {
      mkdirSync(dirname(compiledFile), { recursive: true });
      writeFileSync(compiledFile, compiled(readFileSync(path, 'utf8')));
    }
    const text = `(function (exports, require, module, __filename, __dirname, ${SWITCH}) {${readFileSync(compiledFile, 'utf8')}\n})`;
    const wrapper = new Script(text, { filename: path }).runInThisContext() as Wrapper;
    this.wrappers.set(path, wrapper);
    return wrapper;
  }

  /** Returns a package without some of its functions. */
  private without(original: object, name: string, members: readonly string[]): unknown {
    return new Proxy(original, {
      get: (target, key) => members.includes(String(key)) ? this.refused(`${name}.${String(key)}`) : (target as Record<string | symbol, unknown>)[key],
    });
  }

  /** Replaces a package, or a part of it, that no test may call here. Its constants can be read. */
  private refused(name: string): unknown {
    const refuse = () => {
      this.refusals++;
      throw new Error(`${name} cannot be called here`);
    };
    return new Proxy(() => undefined, {
      get: (_, key) => key === '__esModule' ? true : this.refused(`${name}.${String(key)}`),
      apply: refuse,
      construct: refuse,
    });
  }
}
