import { execFileSync } from 'child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'fs';
import { tmpdir } from 'os';
import { dirname, join } from 'path';
import { instrumented } from './instrument';
import { COMPILED, compiled } from './modules';
import type { Mutant, Sources } from './sources';

/** Folders that no test with mutants needs; packages are linked. */
const LEFT_OUT = /^(?:(?:lab|api|rosetta)\/|node_modules$)/;

/** Copies the checkout, because tests with a mutant may write or delete any path. Returns the path of the copy. */
export function makeCopy(root: string, { files, numbers }: Sources, mutants: readonly Mutant[]): string {
  const copy = mkdtempSync(join(tmpdir(), 'mutants-'));
  const tracked = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: root, encoding: 'utf8' });
  for (const file of tracked.split('\0').filter((name) => name !== '' && !LEFT_OUT.test(name) && existsSync(join(root, name)))) {
    mkdirSync(dirname(join(copy, file)), { recursive: true });
    cpSync(join(root, file), join(copy, file));
  }
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  for (const [path, file] of files) {
    const changes = new Map(mutants.filter((mutant) => mutant.file === path).map(({ id, change }) => [id, change]));
    const target = join(copy, COMPILED, `${path}.js`);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, compiled(instrumented(file, changes, numbers)));
  }
  return copy;
}

/** Removes a copy. */
export function removeCopy(copy: string): void {
  rmSync(copy, { recursive: true, force: true });
}
