import { readdirSync, readFileSync, statSync } from 'fs';
import { join } from 'path';
import * as ts from 'typescript';
import { Change, changesOf } from './mutators';
import { Numbers, numbersOf } from './uses';
import { wordingOf } from './wording';

/** One mutant of the library. */
export interface Mutant {
  /** Unique in a run, above zero. */
  readonly id: number;
  /** Relative to the root of the project. */
  readonly file: string;
  readonly room: string;
  /** Counted from one. */
  readonly line: number;
  readonly change: Change;
  /** Whether it only changes the wording of a message. */
  readonly wording: boolean;
}

/** The parsed library. */
export interface Sources {
  readonly files: ReadonlyMap<string, ts.SourceFile>;
  readonly mutants: readonly Mutant[];
  /** The number of each function. */
  readonly numbers: Numbers;
}

/** The room of the public nouns, which are the files directly in `src`. Mutated only with `--room nouns` or `--file`. */
export const NOUNS = 'nouns';

/** How objects are written fast, and no field of them: a room of its own, so that `render` is what is emitted. */
const PLUMBING: { readonly [file: string]: string } = { 'src/render/emit.ts': 'emit' };

/** Returns the room of a file: its folder in `src`. */
export function roomOf(file: string): string {
  if (file in PLUMBING) return PLUMBING[file];
  const parts = file.split('/');
  return parts.length > 2 ? parts[1] : NOUNS;
}

/** Returns whether a path matches a pattern with `*`, `**` and `{a,b}`. */
export function matches(path: string, pattern: string): boolean {
  const regex = pattern.replace(/[.+^$()|[\]\\]/g, '\\$&')
    .replace(/\*\*\/|\*\*|\*|\?|\{[^}]*\}/g, (token) => {
      if (token === '**/') return '(?:.*/)?';
      if (token === '**') return '.*';
      if (token === '*') return '[^/]*';
      return token === '?' ? '[^/]' : `(?:${token.slice(1, -1).split(',').join('|')})`;
    });
  return new RegExp(`^${regex}$`).test(path);
}

/** Returns the TypeScript files below a folder, relative to the root, in a fixed order. */
export function filesBelow(root: string, folder: string): string[] {
  return readdirSync(join(root, folder)).sort().flatMap((name) => {
    const path = `${folder}/${name}`;
    if (statSync(join(root, path)).isDirectory()) return filesBelow(root, path);
    return name.endsWith('.ts') && !name.endsWith('.d.ts') ? [path] : [];
  });
}

/** Parses the library and numbers all mutants in the order of its files. */
export function readSources(root: string): Sources {
  const files = new Map(filesBelow(root, 'src').map((file) =>
    [file, ts.createSourceFile(file, readFileSync(join(root, file), 'utf8'), ts.ScriptTarget.ES2022, true)]));
  const isWording = wordingOf([...files.values()]);
  const mutants: Mutant[] = [];
  for (const [path, file] of files) {
    for (const change of changesOf(file)) {
      const line = file.getLineAndCharacterOfPosition(change.node.getStart(file)).line + 1;
      mutants.push({ id: mutants.length + 1, file: path, room: roomOf(path), line, change, wording: isWording(change.node) });
    }
  }
  return { files, mutants, numbers: numbersOf(files.values()) };
}
