import {
  accessSync, chmodSync, closeSync, constants, linkSync, lstatSync, mkdirSync, mkdtempSync, openSync, readFileSync, readlinkSync, renameSync,
  rmdirSync, rmSync, statSync, writeFileSync,
} from 'fs';
import { dirname, join, resolve } from 'path';
import { jsonOf, ManifestFile } from './synthesis';
import { documentOf } from './yaml';

/** Number of objects between two reports of progress. */
const REPORT_INTERVAL = 1000;
/** Characters that are collected for one write to a file. */
const CHUNK = 1_000_000;

/** A path of the output that the operating system refuses to write. */
export class OutputError extends Error {
  constructor(public readonly path: string, public readonly reason: string) {
    super(`${path}: ${reason}`);
  }
}

/** Files that are written to a temporary directory and moved into place together, or not at all. */
export class Staging {
  private readonly directory: string;
  /** Temporary path of each file. */
  private readonly files = new Map<string, string>();
  /** Directories that did not exist before, the innermost of each path first. */
  private readonly created: string[] = [];
  private isPublished = false;

  constructor(private readonly outdir: string) {
    this.createDirectory(outdir);
    this.directory = attempt(outdir, () => resolve(mkdtempSync(join(outdir, '.writing-'))));
  }

  /** Writes the documents of a manifest file. */
  public write({ path, documents }: ManifestFile, progress: Progress): void {
    const temporary = this.temporaryPath(path);
    const file = attempt(this.targetOf(path), () => openSync(temporary, 'w'));
    const append = (text: string) => attempt(this.targetOf(path), () => writeFileSync(file, text));
    try {
      let text = '';
      for (const [index, document] of documents.entries()) {
        text += index === 0 ? '' : '---\n';
        text += documentOf(jsonOf(document));
        progress.step();
        if (text.length > CHUNK) {
          append(text);
          text = '';
        }
      }
      append(text);
    } finally {
      closeSync(file);
    }
  }

  /** Writes a text file. */
  public writeText(path: string, text: string): void {
    attempt(this.targetOf(path), () => writeFileSync(this.temporaryPath(path), text));
  }

  /** Creates the folders, and moves all files into place. After an error, all files are as before. */
  public publish(folders: string[]): void {
    const files = [...this.files].map(([path, written]) => ({ written, target: this.targetOf(path) }));
    [...folders.map((folder) => this.targetOf(folder)), ...files.map(({ target }) => dirname(target))].forEach((path) => this.createDirectory(path));
    files.forEach(({ target }) => attempt(target, () => checkWritable(target)));
    const undo: (() => void)[] = [];
    try {
      files.forEach(({ written, target }) => attempt(target, () => undo.push(moveIntoPlace(written, target))));
      this.isPublished = true;
    } catch (error) {
      undo.reverse().forEach((putBack) => putBack());
      throw error;
    }
  }

  /** Removes the temporary directory and, if nothing was published, the directories that were created. */
  public remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
    if (!this.isPublished) this.created.forEach(removeIfEmpty);
  }

  private targetOf(path: string): string {
    return join(this.outdir, path);
  }

  /**
   * Temporary path of a file: a number without extension, so that no tool applies the files of a killed run as
   * manifests.
   */
  private temporaryPath(path: string): string {
    const written = this.files.get(path) ?? join(this.directory, String(this.files.size));
    this.files.set(path, written);
    return written;
  }

  private createDirectory(path: string): void {
    const first = attempt(path, () => mkdirSync(path, { recursive: true }));
    if (first === undefined) return;
    const created = [resolve(path)];
    while (created.at(-1) !== resolve(first)) created.push(dirname(created.at(-1)!));
    this.created.unshift(...created);
  }
}

/** Reports a failure of the operating system with the path of the output, not of the temporary file. */
function attempt<Result>(path: string, run: () => Result): Result {
  try {
    return run();
  } catch (error) {
    throw new OutputError(path, (error as NodeJS.ErrnoException).code ?? String(error));
  }
}

/** Throws if a file cannot be written or replaced. A symbolic link may lead to a file that does not exist yet. */
function checkWritable(target: string): void {
  const final = endOf(target);
  const before = lstatSync(final, { throwIfNoEntry: false });
  if (before?.isDirectory()) throw Object.assign(new Error(), { code: 'EISDIR' });
  if (before?.isFile()) closeSync(openSync(final, constants.O_WRONLY));
  if (!before) accessSync(dirname(final), constants.W_OK);
}

/** Number of symbolic links that Linux follows in one path. */
const MAX_LINKS = 40;

/** Where the symbolic links of a file end. */
function endOf(target: string): string {
  let path = target;
  for (let links = 0; lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink(); links++) {
    if (links === MAX_LINKS) throw Object.assign(new Error(), { code: 'ELOOP' });
    path = resolve(dirname(path), readlinkSync(path));
  }
  return path;
}

/** Replaces a file, and returns how to put the previous one back. Preserves an existing symbolic link and the file mode. */
function moveIntoPlace(written: string, target: string): () => void {
  const before = lstatSync(target, { throwIfNoEntry: false });
  if (before && !before.isFile()) return writeInPlace(written, target);
  const kept = `${written}-before`;
  try {
    // A run that is killed here loses nothing: the previous file has a name throughout.
    if (before) linkSync(target, kept);
    if (before) chmodSync(written, before.mode);
    renameSync(written, target);
  } catch {
    // A file system without hard links, or a file or folder that is mounted on its own.
    return writeInPlace(written, target);
  }
  return () => before ? renameSync(kept, target) : rmSync(target);
}

/** Writes into an existing file, behind a symbolic link, or into a device or pipe, which has no content to put back. */
function writeInPlace(written: string, target: string): () => void {
  const final = endOf(target);
  const before = statSync(final, { throwIfNoEntry: false });
  const content = before?.isFile() ? readFileSync(final) : undefined;
  const putBack = () => {
    if (content) writeFileSync(final, content);
    else if (!before) rmSync(final, { force: true });
  };
  try {
    writeFileSync(final, readFileSync(written));
  } catch (error) {
    putBack();
    throw error;
  }
  return putBack;
}

function removeIfEmpty(directory: string): void {
  try {
    rmdirSync(directory);
  } catch {
    // Somebody else wrote a file there.
  }
}

/** Progress report on one line of a terminal. */
export class Progress {
  private done = 0;

  constructor(private readonly shown: boolean, private readonly total: number) {}

  public step(): void {
    this.done++;
    if (this.shown && (this.done % REPORT_INTERVAL === 0 || this.done === this.total)) process.stderr.write(`\r${this.done} of ${this.total} objects`);
  }

  public end(): void {
    if (this.shown && this.done > 0) process.stderr.write('\n');
  }
}
