import { chmodSync, closeSync, existsSync, lstatSync, mkdirSync, mkdtempSync, openSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'fs';
import { dirname, join } from 'path';
import { jsonOf, ManifestFile } from './synthesis';
import { documentOf } from './yaml';

/** Objects between two reports of progress. */
const REPORTED = 1000;
/** Characters that are collected for one call of the file system. */
const CHUNK = 1_000_000;

/** Files that come into their places together. */
export class Staging {
  private readonly directory: string;
  /** Where each file is until it comes into its place. */
  private readonly files = new Map<string, string>();

  constructor(private readonly outdir: string) {
    mkdirSync(outdir, { recursive: true });
    this.directory = mkdtempSync(join(outdir, '.writing-'));
  }

  public write({ path, documents }: ManifestFile, progress: Progress): void {
    const file = openSync(this.writtenFor(path), 'w');
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

  public keep(path: string, text: string): void {
    writeFileSync(this.writtenFor(path), text);
  }

  public publish(folders: string[]): void {
    const files = [...this.files].map(([path, written]) => ({ written, place: join(this.outdir, path) }));
    const directories = [...new Set([...folders.map((folder) => join(this.outdir, folder)), ...files.map(({ place }) => dirname(place))])];
    // Fails as app.synth() does, before the first file is in its place.
    directories.filter((path) => existsSync(path) && !statSync(path).isDirectory()).forEach((path) => mkdirSync(path));
    files.filter(({ place }) => existsSync(place)).forEach(({ place }) => closeSync(openSync(place, 'r+')));
    directories.forEach((path) => mkdirSync(path, { recursive: true }));
    files.forEach(({ written, place }) => put(written, place));
  }

  public remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }

  /** Under a number, which no tool takes for a manifest: what a run leaves that is killed must not be applied. */
  private writtenFor(path: string): string {
    const written = this.files.get(path) ?? join(this.directory, String(this.files.size));
    this.files.set(path, written);
    return written;
  }
}

/** Who linked a file elsewhere, or let nobody else read it, finds it so again. */
function put(written: string, place: string): void {
  const before = lstatSync(place, { throwIfNoEntry: false });
  if (before?.isSymbolicLink()) return writeFileSync(place, readFileSync(written));
  if (before) chmodSync(written, before.mode);
  renameSync(written, place);
}

/** How far it is, on one line of a terminal. */
export class Progress {
  private done = 0;

  constructor(private readonly shown: boolean, private readonly total: number) {}

  public step(): void {
    this.done++;
    if (this.shown && (this.done % REPORTED === 0 || this.done === this.total)) process.stderr.write(`\r${this.done} of ${this.total} objects`);
  }

  public end(): void {
    if (this.shown && this.done > 0) process.stderr.write('\n');
  }
}
