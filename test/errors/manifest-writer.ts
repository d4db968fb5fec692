import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'fs';
import { tmpdir } from 'os';
import { join } from 'path';
import { ApiObject, App, Chart, YamlOutputType } from 'cdk8s';
import { ManifestWriter } from '../../src';
import { Rejection, rejectionsOf } from '../support/rejections';

export const errors: Rejection[] = [];

const write = rejectionsOf(errors, 'ManifestWriter.write');
const any = (value: unknown) => value as any;

/** Writes an app with one object, whose name is given, into a directory that `prepare` has filled. */
function writeOne(prepare: (outdir: string) => void, name = 'one', below = ''): void {
  const outdir = mkdtempSync(join(tmpdir(), 'rejected-'));
  try {
    prepare(outdir);
    const app = new App({ outdir: join(outdir, below), yamlOutputType: YamlOutputType.FILE_PER_RESOURCE });
    new ApiObject(new Chart(app, 'chart'), 'object', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } });
    ManifestWriter.write(app);
  } finally {
    rmSync(outdir, { recursive: true });
  }
}

write.rejects('FED120', 'a chart in place of the app', () => ManifestWriter.write(any(new Chart(new App(), 'chart'))), 'must be an App, not the construct chart', 'use the App itself');
write.rejects('FED155', 'an object whose name is too long for a file name', () => writeOne(() => {}, 'a'.repeat(250)), '(ENAMETOOLONG)', 'YamlOutputType.FILE_PER_CHART');
write.rejects('FED155', 'a symbolic link to itself', () => writeOne((outdir) => symlinkSync('ConfigMap.one.k8s.yaml', join(outdir, 'ConfigMap.one.k8s.yaml'))),
  'ConfigMap.one.k8s.yaml" cannot be written (ELOOP), and all files are as before', 'remove the symbolic links');
write.rejects('FED155', 'an output directory below a file', () => writeOne((outdir) => writeFileSync(join(outdir, 'dist'), 'a file'), 'one', 'dist/mesh'),
  'dist/mesh" cannot be written (ENOTDIR)', 'remove the file that has the name of a directory');
