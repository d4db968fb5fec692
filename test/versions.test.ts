import { readdirSync, readFileSync } from 'fs';
import { join } from 'path';
import { parse } from 'yaml';
import { pages } from './support/pages';
import { schemaErrors, vendored } from './support/schemas';
import { DEFAULT, ISTIO_VERSIONS, SUPPORTED } from './support/versions';
import { NODES } from '../scripts/nodes';
import { LANGUAGES } from '../scripts/packages';
import { Feature, FEATURES, ISTIO_PATCHES, isSupported, supportOf } from '../src/model/istio-support';

/*
 * The versions in the documentation are those of the code, the schemas, the lab and the tests.
 */

const root = join(__dirname, '..');
const read = (file: string) => readFileSync(join(root, file), 'utf8');
const page = read('docs/versions.md');

/** The cells of each row of the tables below a heading, without the rows of dashes. */
function rowsOf(heading: string): string[][] {
  const section = page.split(/^## /m).find((one) => one.startsWith(`${heading}\n`))!;
  return section.split('\n').filter((line) => line.startsWith('|') && !line.startsWith('|---')).map((line) => line.slice(1, -1).split('|').map((cell) => cell.trim()));
}

describe('Istio in docs/versions.md', () => {
  const [head, patches, ...features] = rowsOf('Istio');

  test('the columns of the table of Istio are the members of IstioVersion, with their first patch releases', () => {
    expect(head.slice(1)).toEqual(SUPPORTED);
    expect(patches.slice(1)).toEqual(SUPPORTED.map((minor) => ISTIO_PATCHES[minor as keyof typeof ISTIO_PATCHES]));
    expect(Object.keys(ISTIO_PATCHES)).toEqual(SUPPORTED);
  });

  test('the table of Istio has the support of every option and version, as the checks use it', () => {
    const named = (label: string) => /`(\w+)`/.exec(label)![1] as Feature;
    expect(features.map(([label, ...support]) => [named(label), ...support]))
      .toEqual(FEATURES.map((feature) => [feature, ...ISTIO_VERSIONS.map(({ _minor }) => supportOf(feature, _minor))]));
  });

  test('only the version that the lab runs is tested, and it is the default', () => {
    const tested = FEATURES.map((feature) => ISTIO_VERSIONS.filter(({ _minor }) => supportOf(feature, _minor) === 'tested').map(({ minor }) => minor));
    expect(tested).toEqual(FEATURES.map(() => [DEFAULT]));
    expect(page).toContain(`The lab runs istiod ${DEFAULT}, a commit of branch`);
  });

  test('an option that a version supports is supported by every later version', () => {
    const supported = FEATURES.map((feature) => ISTIO_VERSIONS.map(({ _minor }) => isSupported(feature, _minor)));
    expect(supported).toEqual(supported.map((row) => [...row].sort((a, b) => Number(a) - Number(b))));
  });

  test('1.29 and 1.30 start with the patch release that reads renewed certificates', () => {
    expect([ISTIO_PATCHES['1.29'], ISTIO_PATCHES['1.30']]).toEqual(['1.29.3', '1.30.3']);
    for (const member of ['V1_29', 'V1_30'] as const) {
      const comment = new RegExp(`/\\*\\*((?:(?!\\*/)[^])*)\\*/\\s+public static readonly ${member}:`).exec(read('src/istio-version.ts'))![1];
      expect(comment).toContain(`Istio ${ISTIO_PATCHES[member.slice(1).replace('_', '.') as '1.29']} or later.`);
    }
    for (const file of ['docs/quick-start.md', 'docs/threat-model.md', 'README.md']) expect([file, read(file).includes('1.30.3')]).toEqual([file, true]);
  });
});

test('no page names a version on which options were tested, except for the decisions and the changes', () => {
  const others = pages.filter((file) => !/^docs\/(adr|proof|performance)|CHANGELOG/.test(file));
  expect(others.filter((file) => /tested with Istio|rejected for 1\.\d\d/.test(read(file)))).toEqual([]);
});

describe('other products in docs/versions.md', () => {
  const rows = Object.fromEntries(rowsOf('Others').map(([product, ...cells]) => [product, cells]));
  const versionsIn = (cell: string) => [...cell.matchAll(/(?<![\d.])\d+\.\d+\b(?!\.)/g)].map(([version]) => version);

  test.each([
    ['Kubernetes', ['kubernetes']], ['cert-manager', ['cert-manager']], ['trust-manager', ['trust-manager-bundle', 'trust-manager-clusterbundle']],
    ['Gateway API', ['gateway-api']], ['Argo CD', ['argo-cd']], ['Flux', ['flux-kustomizations', 'flux-gitrepositories']],
  ])('%s is validated against exactly the vendored versions', (product, files) => {
    for (const file of files) expect(versionsIn(rows[product][1])).toEqual(vendored(file));
  });

  test('every vendored version has a row in the table', () => {
    const products = new Set(readdirSync(join(root, 'crds')).map((file) => /^([a-z-]+)-\d/.exec(file)?.[1]).filter((product) => product !== undefined));
    expect([...products].sort()).toEqual([
      'argo-cd', 'cert-manager', 'flux-gitrepositories', 'flux-kustomizations', 'gateway-api', 'istio', 'kubernetes', 'trust-manager-bundle', 'trust-manager-clusterbundle',
    ]);
  });

  test('Kubernetes is tested with the version of the lab', () => {
    expect(rows.Kubernetes[0]).toBe(/k8s\.io\/kubernetes v(\d+\.\d+)\./.exec(read('lab/go.mod'))![1]);
  });
});

describe('Node and languages in docs/versions.md', () => {
  test('the versions of Node are the oldest of package.json and those that CI runs', () => {
    const [, [oldest], [others]] = rowsOf('Node.js');
    expect(JSON.parse(read('package.json')).engines.node).toBe(`>= ${/[\d.]+/.exec(oldest)![0]}.0`);
    expect(others.split(', ')).toEqual(NODES);
    expect(read('.ci/run')).toMatch(/^ {2}suite .* npx projen nodes$/m);
    expect(parse(read('.github/workflows/build.yml')).jobs.build.strategy.matrix.node).toEqual(['20.x', '24.x']);
  });

  test('the tested languages are TypeScript and those that npm run languages packs', () => {
    const [, tested] = /^TypeScript, (.*) are tested and write the same bytes\. C# is generated and not tested\.$/m.exec(page)!;
    expect(tested.toLowerCase().split(/, | and /)).toEqual(LANGUAGES);
  });
});

describe('trust-manager', () => {
  const examples = [...read('docs/how-to/trust.md').matchAll(/^```yaml\n([^]*?)^```$/gm)].map(([, text]) => parse(text)).filter(({ kind }) => /Bundle$/.test(kind));

  test('the schemas of trust-manager accept the Bundle and the ClusterBundle of the documentation', () => {
    expect(examples.map(({ kind }) => kind)).toEqual(['Bundle', 'ClusterBundle']);
    expect(examples.flatMap((example) => schemaErrors(example))).toEqual([]);
  });

  test('both write the key ca.crt of the ConfigMap bank-roots', () => {
    expect(examples.map(({ metadata }) => metadata.name)).toEqual(['bank-roots', 'bank-roots']);
    expect([examples[0].spec.target.configMap.key, ...examples[1].spec.target.configMap.data.map(({ key }: { key: string }) => key)]).toEqual(['ca.crt', 'ca.crt']);
  });

  test('the schemas of trust-manager reject an unknown field of each', () => {
    expect(examples.map((example) => schemaErrors({ ...example, spec: { ...example.spec, bogus: 1 } }).length)).toEqual([1, 1]);
  });
});

test('the schemas of the Gateway API have the kinds that route traffic', () => {
  const kinds = ['Gateway', 'HTTPRoute', 'GRPCRoute', 'TLSRoute', 'TCPRoute', 'UDPRoute', 'ListenerSet'];
  const errors = kinds.map((kind) => schemaErrors({ apiVersion: 'gateway.networking.k8s.io/v1', kind, metadata: { name: 'a' }, spec: { bogus: 1 } }));
  expect(errors.map((own) => own.some((error) => error.includes('bogus')))).toEqual(kinds.map(() => true));
});
