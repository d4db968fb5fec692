import { programOf } from './scenarios';
import { filesOf, keyOf, parse } from './support/manifests';
import { FILES, manifestsIn } from './support/output';
import { ISTIO_VERSIONS, refusals } from './support/schemas';
import { NEWEST, SUPPORTED } from './support/versions';

/*
 * API servers accept every object, for each supported Istio version, with CEL rules evaluated.
 */

test('the supported Istio versions are validated, and no other', () => {
  expect(ISTIO_VERSIONS).toEqual(SUPPORTED);
});

describe.each(ISTIO_VERSIONS)('Istio %s and Kubernetes accept', (version) => {
  test.each(FILES())('%s, with unknown fields refused and CEL evaluated', (file) => {
    const refused = manifestsIn(file).flatMap((manifest) => refusals(manifest, version).map((refusal) => `${keyOf(manifest)}: ${refusal}`));
    expect(refused).toEqual([]);
  });
});

test('an API server accepts every object of the demo, those of Bookinfo included', () => {
  const objects = [...filesOf(programOf('bookinfo')()).values()].flatMap((file) => parse(file));
  expect(objects.length).toBeGreaterThan(30);
  expect(objects.flatMap((manifest) => refusals(manifest, NEWEST))).toEqual([]);
});

describe('the validator', () => {
  const [gateway] = manifestsIn('two-meshes-http/east').filter(({ kind }) => kind === 'Gateway');
  const [entry] = manifestsIn('two-meshes-http/west').filter(({ kind }) => kind === 'ServiceEntry');
  const [rule] = manifestsIn('two-meshes-http/west').filter(({ kind }) => kind === 'DestinationRule');
  const [deployment] = manifestsIn('two-meshes-http/east').filter(({ kind }) => kind === 'Deployment');

  test('refuses an unknown field of an Istio object', () => {
    expect(refusals({ ...gateway, spec: { ...gateway.spec, bogus: 1 } }, NEWEST)).toEqual([expect.stringContaining('bogus')]);
  });

  test('refuses a word that is not in an enumeration', () => {
    const servers = [{ ...gateway.spec.servers[0], tls: { ...gateway.spec.servers[0].tls, mode: 'MUTUALLY' } }];
    expect(refusals({ ...gateway, spec: { ...gateway.spec, servers } }, NEWEST)).not.toEqual([]);
  });

  test('refuses what a CEL rule over a list forbids', () => {
    const ports = [entry.spec.ports[0], { ...entry.spec.ports[0], name: 'again' }];
    expect(refusals({ ...entry, spec: { ...entry.spec, ports } }, NEWEST)).toEqual([expect.stringContaining('/spec/ports')]);
  });

  test('refuses a duration that CEL cannot read', () => {
    const trafficPolicy = { connectionPool: { tcp: { connectTimeout: 'soon' } } };
    expect(refusals({ ...rule, spec: { ...rule.spec, trafficPolicy } }, NEWEST)).toEqual([expect.stringContaining('connectTimeout')]);
  });

  test('refuses an unknown field deep in a core object', () => {
    const copy = structuredClone(deployment);
    copy.spec.template.spec.containers[0].imagePullPolice = 'Always';
    expect(refusals(copy, NEWEST)).toEqual([expect.stringContaining('imagePullPolice')]);
  });

  test('refuses a kind that it does not know', () => {
    expect(refusals({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'a' } }, NEWEST)).toEqual(['no schema for v1 Secret']);
  });
});
