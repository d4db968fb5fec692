import { ApiObject } from 'cdk8s';
import { BoundaryValidation } from '../src';
import { Dice } from './support/dice';
import { keyOf, Manifest } from './support/manifests';
import { changeEverything } from './support/mutations';
import { statementsOf } from './support/random-programs';
import { schemaErrors } from './support/schemas';
import { Boundary, Export, Made, reordered, Source, Statement, trustDomainOf } from './support/statements';
import { FederationError } from '../src/checks/errors';

/*
 * Properties of programs at random, with two to four meshes of one or two boundaries each. PROGRAM=<number> npx jest random-programs runs one
 * of them again, FC_SEED and FC_RUNS run others.
 */

const FIRST = Number(process.env.FC_SEED ?? 20261130) * 100_000;
const NUMBERS = process.env.PROGRAM ? [Number(process.env.PROGRAM)]
  : Array.from({ length: Number(process.env.FC_RUNS ?? 60) }, (_, index) => FIRST + index);

/** The objects of a program by chart and key, and its errors at the end of synthesis. */
interface State { readonly objects: Map<string, string>; readonly errors: string[] }
interface Run { readonly made: Made; readonly accepted: Statement[]; readonly codes: string[] }

/** Runs statements in their order. Those that are rejected, and those that need their constructs, are left out. */
function run(statements: readonly Statement[]): Run {
  const made = new Made();
  const accepted: Statement[] = [];
  const codes: string[] = [];
  for (const statement of statements) {
    if (statement.needs.some((id) => !made.constructs.has(id))) continue;
    try {
      made.constructs.set(statement.id, statement.run(made));
      accepted.push(statement);
    } catch (error) {
      if (!(error instanceof FederationError)) throw error;
      codes.push(error.code);
    }
  }
  return { made, accepted, codes };
}

const objectsOf = ({ app }: Made) => app.node.findAll().filter((construct) => ApiObject.isApiObject(construct));
/** Written objects with the boundary or mesh whose chart has them. */
const documentsOf = (made: Made) => objectsOf(made).map((object) => ({ chart: object.chart.node.path.split('/')[0], document: object.toJson() as Manifest }));

function stateOf(made: Made): State {
  const objects = documentsOf(made).map(({ chart, document }): [string, string] => [`${chart} ${keyOf(document)}`, JSON.stringify(document)]);
  return { objects: new Map(objects.sort()), errors: made.app.node.findAll().flatMap(({ node }) => node.validate()).sort() };
}

const nameOf = (boundaries: Boundary[], id: string) => boundaries.find((boundary) => boundary.id === id)?.mesh ?? id;
const sniOf = ({ exportName, owner }: Export, port: number, user: string, boundaries: Boundary[]) =>
  `p${port}.${exportName}.${boundaries.some(({ id }) => id === owner) ? user : 'us'}.fed.${trustDomainOf(nameOf(boundaries, owner))}`;

/** What the accepted statements open: SNIs at the ingress gateways, and SNIs that the egress gateways call. */
function openedBy(accepted: readonly Statement[]): string[] {
  const boundaries = accepted.flatMap(({ boundary }) => boundary ?? []);
  const isolated = new Set(accepted.flatMap(({ adds }) => adds?.isolated ? [`${adds.boundary.id} ${adds.peer}`] : []));
  const grants = accepted.flatMap((statement) => statement.grants ?? []);
  const grantedPorts = (exported: Export, user: string) => grants.filter((grant) => grant.exported === exported && grant.peer === user)
    .flatMap(({ ports }) => ports ?? exported.ports.map(([, exportPort]) => exportPort));
  const incoming = grants.filter(({ exported, peer }) => !isolated.has(`${exported.owner} ${peer}`)).flatMap(({ exported, peer, ports }) =>
    (ports ?? exported.ports.map(([, exportPort]) => exportPort)).map((port) =>
      `in ${exported.owner} ${sniOf(exported, port, nameOf(boundaries, peer), boundaries)}`));
  const sources: { readonly id: string; readonly boundary: Boundary; readonly source: Source }[] = accepted.flatMap(({ binds, sourceOf }) =>
    binds ? [binds] : sourceOf ? [{ ...sourceOf.binding, source: sourceOf.source }] : []);
  const called = new Set(accepted.flatMap(({ calls }) => calls?.binding.id ?? []));
  const outgoing = sources.filter(({ id, boundary, source }) => called.has(id) && !isolated.has(`${boundary.id} ${source.exported.owner}`))
    .flatMap(({ boundary, source: { exported, mappings } }) => {
      const remote = !boundaries.some(({ id }) => id === exported.owner);
      const ports = mappings?.map(([, exportPort]) => exportPort)
        ?? (remote ? exported.ports.map(([, exportPort]) => exportPort) : grantedPorts(exported, boundary.id));
      return ports.map((port) => `out ${boundary.id} ${sniOf(exported, port, boundary.mesh, boundaries)}`);
    });
  return [...new Set([...incoming, ...outgoing])].sort();
}

/** What the objects open, in the same form. */
function openedIn(made: Made): string[] {
  return documentsOf(made).flatMap(({ chart, document: { kind, metadata, spec } }) => {
    if (kind === 'Gateway' && metadata.name.startsWith('fed-in-')) {
      return spec.servers.map(({ hosts }: Manifest) => `in ${chart} ${hosts[0].replace('./', '')}`);
    }
    return kind === 'ServiceEntry' && metadata.name.startsWith('fed-out-') ? [`out ${chart} ${spec.hosts[0]}`] : [];
  }).sort();
}

/** What BoundaryValidation reports about the manifests of each mesh. */
async function violationsIn(made: Made): Promise<string[]> {
  const found: string[] = [];
  const byMesh = new Map<string, Manifest[]>();
  for (const { chart, document } of documentsOf(made)) {
    const mesh = /^[a-z]+/.exec(chart)![0];
    byMesh.set(mesh, [...byMesh.get(mesh) ?? [], document]);
  }
  for (const [mesh, documents] of byMesh) {
    await new BoundaryValidation().validate({
      manifests: [mesh],
      parseManifest: () => JSON.parse(JSON.stringify(documents)),
      report: { addViolation: (violation) => { found.push(JSON.stringify(violation)); }, submit: () => undefined },
    });
  }
  return found;
}

/** All that was tried, so that the programs are not empty or all rejected. */
const total = { programs: 0, valid: 0, objects: 0, openings: 0, accepted: 0, rejected: 0, changed: 0, refused: 0 };
const seenCodes = new Set<string>();

async function check(number: number): Promise<void> {
  const dice = new Dice(number + 1);
  const { made: first, accepted, codes } = run(statementsOf(number));
  const state = stateOf(first);
  const documents = documentsOf(first);
  codes.forEach((code) => seenCodes.add(code));
  total.programs += 1;
  total.valid += state.errors.length === 0 ? 1 : 0;
  total.objects += documents.length;
  total.accepted += accepted.length;
  total.rejected += codes.length;

  // No two objects of one kind, namespace and name in a mesh.
  const keys = documents.map(({ chart, document }) => `${/^[a-z]+/.exec(chart)![0]} ${keyOf(document)}`);
  expect(keys.filter((key, index) => keys.indexOf(key) !== index)).toEqual([]);

  // Rejected calls leave no trace, and the same program gives the same objects.
  const again = run(accepted);
  expect(again.codes).toEqual([]);
  expect(stateOf(again.made)).toEqual(state);

  // Changes of what the program gave and received have no effect.
  const { made } = again;
  const constructs = new Set([...made.constructs.values()]);
  const inside = (construct: object) => constructs.has(construct);
  [...made.given, ...constructs].forEach((value) => changeEverything(value, inside, total));
  expect(stateOf(made)).toEqual(state);

  // The order of the calls has no effect.
  const shuffled = run(reordered(accepted, dice));
  expect(shuffled.codes).toEqual([]);
  expect(stateOf(shuffled.made)).toEqual(state);

  // Exactly what both sides declare is open, also without one of the grants.
  expect(openedIn(first)).toEqual(openedBy(accepted));
  total.openings += openedIn(first).length;
  const grants = accepted.filter((statement) => statement.grants);
  if (grants.length > 0) {
    const removed = dice.pick(grants);
    const without = run(accepted.filter((statement) => statement !== removed));
    expect(without.codes).toEqual([]);
    expect(openedIn(without.made)).toEqual(openedBy(without.accepted));
  }

  if (state.errors.length > 0) return;
  expect(documents.flatMap(({ document }) => schemaErrors(document).map((error) => `${keyOf(document)}: ${error}`))).toEqual([]);
  expect(await violationsIn(first)).toEqual([]);
}

test('programs at random: any order gives the same objects, rejected calls and later changes have no effect, and only what is declared is open', async () => {
  const failed: string[] = [];
  for (const number of NUMBERS) {
    try {
      await check(number);
    } catch (error) {
      failed.push(`PROGRAM=${number} npx jest random-programs\n${(error as Error).stack}`);
      if (failed.length >= Number(process.env.FAILURES ?? 1)) break;
    }
  }
  if (process.env.FC_RUNS) process.stdout.write(`${JSON.stringify(total)}\n${[...seenCodes].sort().join(' ')}\n`);
  expect(failed.join('\n\n')).toBe('');
  if (process.env.PROGRAM) return;
  // The programs are neither empty nor all rejected.
  expect(total.valid / total.programs).toBeGreaterThan(0.25);
  expect(total.objects / total.programs).toBeGreaterThan(40);
  expect(total.openings / total.programs).toBeGreaterThan(2);
  expect(total.changed / total.programs).toBeGreaterThan(100);
}, 7_200_000);
