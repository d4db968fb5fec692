import { chmodSync, closeSync, existsSync, lstatSync, mkdirSync, mkdtempSync, openSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'fs';
import { dirname, join } from 'path';
import { jsonOf, ManifestFile } from './synthesis';
import { documentOf } from './yaml';

/** Number of objects between two reports of progress. */
const REPORT_INTERVAL = 1000;
/** Characters that are collected for one write to a file. */
const CHUNK = 1_000_000;

/** Files that are written to a temporary directory and moved into place together. */
export class Staging {
  private readonly directory: string;
  /** Temporary path of each file. */
  private readonly files = new Map<string, string>();

  constructor(private readonly outdir: string) {
    mkdirSync(outdir, { recursive: true });
    this.directory = mkdtempSync(join(outdir, '.writing-'));
  }

  /** Writes the documents of a manifest file. */
  public write({ path, documents }: ManifestFile, progress: Progress): void {
    const file = openSync(this.temporaryPath(path), 'w');
    try {
      let text = '';
      for (const [index, document] of documents.entries()) {
        text += index === 0 ? '' : '---\n';
        text += documentOf(jsonOf(document));
        progress.step();
        if (text.length > CHUNK) {
          writeFileSync(file, text);
          text = '';
        }
      }
      writeFileSync(file, text);
    } finally {
      closeSync(file);
    }
  }

  /** Writes a text file. */
  public writeText(path: string, text: string): void {
    writeFileSync(this.temporaryPath(path), text);
  }

  /** Creates the folders, and moves all files into place. */
  public publish(folders: string[]): void {
    const files = [...this.files].map(([path, written]) => ({ written, target: join(this.outdir, path) }));
    const directories = [...new Set([...folders.map((folder) => join(this.outdir, folder)), ...files.map(({ target }) => dirname(target))])];
    // Throws the errors of app.synth() before the first file is moved.
    directories.filter((path) => existsSync(path) && !statSync(path).isDirectory()).forEach((path) => mkdirSync(path));
    files.filter(({ target }) => existsSync(target)).forEach(({ target }) => closeSync(openSync(target, 'r+')));
    directories.forEach((path) => mkdirSync(path, { recursive: true }));
    files.forEach(({ written, target }) => moveIntoPlace(written, target));
  }

  /** Removes the temporary directory. */
  public remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
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
}

/** Replaces a file. Preserves an existing symbolic link and the file mode. */
function moveIntoPlace(written: string, target: string): void {
  const before = lstatSync(target, { throwIfNoEntry: false });
  if (before?.isSymbolicLink()) return writeFileSync(target, readFileSync(written));
  if (before) chmodSync(written, before.mode);
  renameSync(written, target);
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
