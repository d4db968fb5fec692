import { existsSync, readdirSync, readFileSync } from 'fs';
import { join } from 'path';
import { LAB_SCENARIOS, programOf, SCENARIOS } from './scenarios';
import { filesOf, jsonOf, keyOf, Manifest, parse } from './support/manifests';

/*
 * The manifests of the golden scenarios are those that were reviewed, and the same when they are written again.
 */

const scenarios = join(__dirname, 'scenarios');

describe.each(Object.keys(SCENARIOS))('%s', (scenario) => {
  const apps = SCENARIOS[scenario]();
  const files = filesOf(apps);
  const parsed = new Map([...files].map(([chart, text]) => [chart, parse(text)]));

  test('is what was reviewed, file by file', () => {
    expect(readdirSync(join(scenarios, scenario)).sort()).toEqual([...[...files.keys()].map((chart) => `${chart}.yaml`), 'program.ts'].sort());
    for (const [chart, text] of files) {
      const file = join(scenarios, scenario, `${chart}.yaml`);
      expect({ file, text: existsSync(file) ? readFileSync(file, 'utf8') : undefined }).toEqual({ file, text });
    }
  });

  test('is the same when it is rendered again, and when the program runs again', () => {
    const first = jsonOf(apps);
    const again = SCENARIOS[scenario]();
    expect(jsonOf(apps)).toEqual(first);
    expect(jsonOf(again)).toEqual(first);
    expect(jsonOf(again)).toEqual(first);
  });

  test('says in its files what the objects are', () => {
    for (const [chart, objects] of jsonOf(apps)) expect(parsed.get(chart)).toEqual(JSON.parse(objects));
  });

  test('names each object once in each mesh', () => {
    for (const objects of parsed.values()) {
      const keys = objects.map(keyOf);
      expect(keys).toEqual([...new Set(keys)]);
    }
  });

  test('has nothing that Helm would take for a template', () => {
    for (const text of files.values()) expect(text).not.toContain('{{');
  });

  test('writes protection before openness', () => {
    for (const objects of parsed.values()) {
      const phases = objects.map(phaseOf);
      expect(phases).toEqual([...phases].sort((a, b) => a - b));
    }
  });

  test('writes the route of a local name after what it needs', () => {
    for (const objects of parsed.values()) {
      for (const [index, { spec, metadata }] of [...objects.entries()].filter(([, object]) => isNameRoute(object))) {
        const routes: Manifest[] = [...spec.http ?? [], ...spec.tcp ?? []].flatMap(({ route }) => route);
        const subsets = routes.flatMap(({ destination }) => destination.subset ?? []);
        const needed = ({ kind, metadata: other, spec: { subsets: own = [] } }: Manifest) => kind === 'DestinationRule'
          ? own.some(({ name }: Manifest) => subsets.includes(name))
          : kind === 'Service' && other.namespace === metadata.namespace && spec.hosts[0].startsWith(`${other.name}.`);
        const later = objects.slice(index).filter(needed);
        expect(later.map(keyOf)).toEqual([]);
        expect(subsets.length).toBeGreaterThan(0);
      }
    }
  });
});

test('each folder of a scenario holds a program, and manifests only if they are compared here', () => {
  const folders = readdirSync(scenarios).filter((name) => name !== 'index.ts');
  expect(folders).toEqual(expect.arrayContaining(Object.keys(SCENARIOS)));
  for (const folder of folders.filter((name) => !Object.hasOwn(SCENARIOS, name))) expect([folder, readdirSync(join(scenarios, folder))]).toEqual([folder, ['program.ts']]);
});

function isNameRoute({ kind, spec }: Manifest): boolean {
  return kind === 'VirtualService' && spec.gateways[0] === 'mesh';
}

/** Namespace, trust, policies, network and restrictions, workloads, upstreams, listeners, routes; then the application's own. */
function phaseOf({ kind: written, metadata }: Manifest): number {
  // What denies by default stands with the policies.
  const kind = ['fed-in-edge', 'fed-out-edge'].includes(metadata.name) ? 'AuthorizationPolicy'
    : ['fed-in-bootstrap', 'fed-out-bootstrap'].includes(metadata.name) ? 'Deployment' : written;
  const inBoundary = ['istio-federation', 'partner-federation', 'federation-in', 'federation-out', 'istio-ingress', undefined].includes(metadata.namespace);
  if (!inBoundary && !metadata.name.startsWith('fed-restricted-')) return 10;
  return [
    ['Namespace'], ['ConfigMap'], ['ValidatingAdmissionPolicy', 'ValidatingAdmissionPolicyBinding'], ['AuthorizationPolicy'], ['NetworkPolicy', 'Sidecar'],
    ['ServiceAccount', 'Certificate', 'Role', 'RoleBinding', 'Deployment', 'Service', 'HorizontalPodAutoscaler', 'PodDisruptionBudget', 'Telemetry'],
    ['ServiceEntry', 'DestinationRule', 'EnvoyFilter'], ['Gateway', 'RequestAuthentication'], ['VirtualService'],
  ].findIndex((kinds) => kinds.includes(kind));
}

test.each([...Object.keys(LAB_SCENARIOS).filter((name) => !Object.hasOwn(SCENARIOS, name)), 'grow-10', 'bench'])('the scenario %s, which only the lab has, is written', (name) => {
  const files = filesOf(programOf(name)());
  expect(files.size).toBeGreaterThan(0);
  for (const text of files.values()) expect(text).toContain('kind: ');
});
