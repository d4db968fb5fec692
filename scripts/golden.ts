/**
 * Updates the manifests of the golden scenarios. Review the diff like code: these changes will be applied to clusters.
 *
 *     npx projen golden:update
 */
import { readdirSync, rmSync, writeFileSync } from 'fs';
import { join } from 'path';
import { SCENARIOS } from '../test/scenarios';
import { filesOf } from '../test/support/manifests';

if (process.env.CI) throw new Error('golden manifests are never updated in CI: run this by hand and review the diff');

const scenarios = join(__dirname, '..', 'test', 'scenarios');
const written = readdirSync(scenarios, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.yaml'));
written.forEach((file) => rmSync(join(scenarios, file)));
for (const [name, program] of Object.entries(SCENARIOS)) {
  for (const [chart, text] of filesOf(program())) writeFileSync(join(scenarios, name, `${chart}.yaml`), text);
}
