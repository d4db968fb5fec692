/**
 * Writes the manifests of the Bookinfo federation into dist/, and prints an explanation for new users.
 *
 *     npm run demo
 */
import { join } from 'path';
import { bookinfo } from './main';
import { summary } from './summary';

const outdir = join(__dirname, '..', '..', 'dist');
const { app, meshes } = bookinfo({ outdir });
app.synth();
process.stdout.write(summary(app, meshes));
