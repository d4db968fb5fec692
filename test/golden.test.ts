import { existsSync, readdirSync, readFileSync } from 'fs';
import { join } from 'path';
import { LAB_SCENARIOS, programOf, SCENARIOS } from './scenarios';
import { filesOf, jsonOf, keyOf, Manifest, parseWhole } from './support/manifests';

/*
 * The manifests of the golden scenarios equal the reviewed ones, and are the same when they are generated again.
 */

const scenarios = join(__dirname, 'scenarios');

describe.each(Object.keys(SCENARIOS))('the scenario %s', (scenario) => {
  const apps = SCENARIOS[scenario]();
  const files = filesOf(apps);
  const parsed = new Map([...files].map(([chart, text]) => [chart, parseWhole(text)]));

  test('the generated manifests equal the reviewed files', () => {
    expect(readdirSync(join(scenarios, scenario)).sort()).toEqual([...[...files.keys()].map((chart) => `${chart}.yaml`), 'program.ts'].sort());
    for (const [chart, text] of files) {
      const file = join(scenarios, scenario, `${chart}.yaml`);
      expect({ file, text: existsSync(file) ? readFileSync(file, 'utf8') : undefined }).toEqual({ file, text });
    }
  });

  test('the output is the same when it is rendered again and when the program runs again', () => {
    const first = jsonOf(apps);
    const again = SCENARIOS[scenario]();
    expect(jsonOf(apps)).toEqual(first);
    expect(jsonOf(again)).toEqual(first);
    expect(jsonOf(again)).toEqual(first);
  });

  test('the files contain the same objects as the charts', () => {
    for (const [chart, objects] of jsonOf(apps)) expect(parsed.get(chart)).toEqual(JSON.parse(objects));
  });

  test('no mesh contains two objects with the same kind, namespace and name', () => {
    for (const objects of parsed.values()) {
      const keys = objects.map(keyOf);
      expect(keys).toEqual([...new Set(keys)]);
    }
  });

  test('the files contain no Helm template syntax', () => {
    for (const text of files.values()) expect(text).not.toContain('{{');
  });

  test('policies come before workloads, listeners and routes', () => {
    for (const objects of parsed.values()) {
      const phases = objects.map(phaseOf);
      expect(phases).toEqual([...phases].sort((a, b) => a - b));
    }
  });

  test('the route of a local name comes after its Service and its DestinationRules', () => {
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

test('each scenario folder contains a program, and manifests only for golden scenarios', () => {
  const folders = readdirSync(scenarios).filter((name) => name !== 'index.ts');
  expect(folders).toEqual(expect.arrayContaining(Object.keys(SCENARIOS)));
  for (const folder of folders.filter((name) => !Object.hasOwn(SCENARIOS, name))) expect([folder, readdirSync(join(scenarios, folder))]).toEqual([folder, ['program.ts']]);
});

function isNameRoute({ kind, spec }: Manifest): boolean {
  return kind === 'VirtualService' && spec.gateways[0] === 'mesh';
}

/** Namespace, trust, policies, network and restrictions, workloads, upstreams, listeners, routes; then the application's own. */
function phaseOf({ kind: written, metadata }: Manifest): number {
  // The default-deny EnvoyFilters are applied with the policies.
  const kind = ['fed-in-edge', 'fed-out-edge'].includes(metadata.name) ? 'AuthorizationPolicy'
    : ['fed-in-bootstrap', 'fed-out-bootstrap'].includes(metadata.name) ? 'Deployment' : written;
  const inBoundary = ['istio-federation', 'partner-federation', 'federation-in', 'federation-out', 'istio-ingress', undefined].includes(metadata.namespace);
  if (!inBoundary && !metadata.name.startsWith('fed-restricted-')) return 10;
  return [
    ['Namespace'], ['ConfigMap'], ['ValidatingAdmissionPolicy', 'ValidatingAdmissionPolicyBinding'], ['AuthorizationPolicy'], ['NetworkPolicy', 'Sidecar'],
    ['ServiceAccount', 'Certificate', 'Role', 'RoleBinding', 'Deployment', 'Service', 'PodDisruptionBudget', 'Telemetry'],
    ['ServiceEntry', 'DestinationRule', 'EnvoyFilter'], ['Gateway', 'RequestAuthentication'], ['VirtualService'], ['HorizontalPodAutoscaler'],
  ].findIndex((kinds) => kinds.includes(kind));
}

test.each([...Object.keys(LAB_SCENARIOS).filter((name) => !Object.hasOwn(SCENARIOS, name)), 'grow-10', 'bench'])('the lab scenario %s generates manifests', (name) => {
  const files = filesOf(programOf(name)());
  expect(files.size).toBeGreaterThan(0);
  for (const text of files.values()) expect(text).toContain('kind: ');
});
