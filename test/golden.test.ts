import { existsSync, readdirSync, readFileSync } from 'fs';
import { join } from 'path';
import { filesOf, keyOf, Manifest, parse } from './support/manifests';
import { SCENARIOS } from './support/scenarios';

const golden = join(__dirname, 'golden');

describe.each(Object.keys(SCENARIOS))('%s', (scenario) => {
  const files = filesOf(SCENARIOS[scenario]());

  test('is what was reviewed, file by file', () => {
    expect(readdirSync(join(golden, scenario)).sort()).toEqual([...files.keys()].map((chart) => `${chart}.yaml`).sort());
    for (const [chart, text] of files) {
      const file = join(golden, scenario, `${chart}.yaml`);
      expect({ file, text: existsSync(file) ? readFileSync(file, 'utf8') : undefined }).toEqual({ file, text });
    }
  });

  test('is the same when it is rendered again, and when the program runs again', () => {
    const apps = SCENARIOS[scenario]();
    expect(filesOf(apps)).toEqual(files);
    expect(filesOf(apps)).toEqual(files);
  });

  test('names each object once in each mesh', () => {
    for (const text of files.values()) {
      const keys = parse(text).map(keyOf);
      expect(keys).toEqual([...new Set(keys)]);
    }
  });

  test('writes protection before openness', () => {
    for (const text of files.values()) {
      const phases = parse(text).map(phaseOf);
      expect(phases).toEqual([...phases].sort((a, b) => a - b));
    }
  });
});

test('the golden folder holds the scenarios and nothing else', () => {
  expect(readdirSync(golden).sort()).toEqual(Object.keys(SCENARIOS).sort());
});

/** Namespace, trust, policies, workloads, upstreams, listeners, routes; then the application's own, where the route comes last. */
function phaseOf({ kind, metadata }: Manifest): number {
  const inBoundary = metadata.namespace === 'istio-federation' || metadata.namespace === undefined;
  if (!inBoundary) return 10 + ['DestinationRule', 'Service', 'VirtualService'].indexOf(kind);
  return [
    ['Namespace'], ['ConfigMap'], ['ValidatingAdmissionPolicy', 'ValidatingAdmissionPolicyBinding'], ['AuthorizationPolicy'], ['NetworkPolicy'],
    ['ServiceAccount', 'Deployment', 'Service', 'HorizontalPodAutoscaler', 'PodDisruptionBudget', 'Telemetry'],
    ['ServiceEntry', 'DestinationRule'], ['Gateway'], ['VirtualService'],
  ].findIndex((kinds) => kinds.includes(kind));
}
