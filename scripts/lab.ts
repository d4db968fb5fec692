/**
 * Writes the manifests that the lab applies: the golden and the lab-only scenarios of test/scenarios, with the root certificates of the
 * running meshes. The programs of `grow`, `names` and `bench` are only written when they are named.
 *
 *     TRUST_DIRECTORY=<folder with east.pem, …> ts-node scripts/lab.ts <folder> [scenario …]
 */
import { mkdirSync, writeFileSync } from 'fs';
import { join } from 'path';
import { LAB_SCENARIOS, programOf } from '../test/scenarios';
import { filesOf } from '../test/support/manifests';

const [folder, ...wanted] = process.argv.slice(2);
for (const name of wanted.length > 0 ? wanted : Object.keys(LAB_SCENARIOS)) {
  mkdirSync(join(folder, name), { recursive: true });
  for (const [chart, text] of filesOf(programOf(name)())) writeFileSync(join(folder, name, `${chart}.yaml`), text);
}
