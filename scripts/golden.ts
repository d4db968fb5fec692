/**
 * Writes test/golden anew. The diff is reviewed like code: what changes there changes in clusters.
 *
 *     npx projen golden:update
 */
import { mkdirSync, rmSync, writeFileSync } from 'fs';
import { join } from 'path';
import { filesOf } from '../test/support/manifests';
import { SCENARIOS } from '../test/support/scenarios';

if (process.env.CI) throw new Error('golden manifests are never updated in CI: run this by hand and review the diff');

const golden = join(__dirname, '..', 'test', 'golden');
rmSync(golden, { recursive: true, force: true });
for (const [scenario, program] of Object.entries(SCENARIOS)) {
  mkdirSync(join(golden, scenario), { recursive: true });
  for (const [chart, text] of filesOf(program())) writeFileSync(join(golden, scenario, `${chart}.yaml`), text);
}
