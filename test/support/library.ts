/**
 * The library as JavaScript, for programs that run in a separate process. It is compiled without type checks; `npm test` runs those first.
 */
import { readdirSync, readFileSync } from 'fs';
import { join } from 'path';
import * as ts from 'typescript';

const root = join(__dirname, '..', '..');

/** The compiled files of these folders, by path. */
export function compiled(...folders: string[]): { [path: string]: string } {
  const compilerOptions = { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022, esModuleInterop: true };
  const sources = folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((file) => join(folder, file)).filter((file) => file.endsWith('.ts')));
  return Object.fromEntries(sources.map((file) =>
    [file.replace(/ts$/, 'js'), ts.transpileModule(readFileSync(join(root, file), 'utf8'), { compilerOptions }).outputText]));
}
