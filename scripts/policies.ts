/**
 * Prints the admission policies of west in programs of test/scenarios, as a JSON object by program.
 *
 *     ts-node scripts/policies.ts <program>…
 */
import { ApiObject } from 'cdk8s';
import { programOf } from '../test/scenarios';

const policies: { [program: string]: unknown } = {};
for (const name of process.argv.slice(2)) {
  const west = programOf(name)().flatMap((app) => app.charts).find(({ node }) => node.path === 'west')!;
  const errors = west.node.findAll().flatMap(({ node }) => node.validate());
  if (errors.length > 0) throw new Error(errors.join('\n'));
  const policy = west.node.findAll().find((construct) => ApiObject.isApiObject(construct) && construct.kind === 'ValidatingAdmissionPolicy') as ApiObject;
  policies[name] = policy.toJson();
}
process.stdout.write(JSON.stringify(policies));
