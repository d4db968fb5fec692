import { App, Duration } from 'cdk8s';
import { BoundaryGateway, LocalService, NetworkDestination, ServicePort } from '../src';
import { programOf } from './scenarios';
import { filesOf, keyOf, Manifest, objectsOf, parse } from './support/manifests';
import { meshOf } from './support/meshes';
import { FILES, manifestsIn } from './support/output';
import { EXISTING_GATEWAY } from './support/pair';
import { schemaErrors, vendored } from './support/schemas';
import { everythingFor } from './support/supported';
import { ISTIO_VERSIONS, SUPPORTED } from './support/versions';
import { IstioMinor, isSupported } from '../src/model/istio-support';

/*
 * The schemas and CEL rules of API servers accept every object, for each supported version of Istio, Kubernetes and cert-manager.
 */

type Versions = Parameters<typeof schemaErrors>[1];
const errorsOf = (objects: Manifest[], versions?: Versions) =>
  objects.flatMap((manifest) => schemaErrors(manifest, versions).map((error) => `${keyOf(manifest)}: ${error}`));

test('the vendored schemas cover exactly the supported Istio versions', () => {
  expect(vendored('istio')).toEqual(SUPPORTED);
});

describe.each(SUPPORTED)('schemas of Istio %s', (istio) => {
  test.each(FILES())(`the schemas of Istio ${istio} accept %s`, (file) => {
    // The golden manifests are written for the default version. For an older one, stripTracing writes another field.
    const older = isSupported('disableContextPropagation', istio as IstioMinor) ? undefined : '"disableContextPropagation"';
    expect(errorsOf(manifestsIn(file), { istio }).filter((error) => older === undefined || !error.includes(older))).toEqual([]);
  });
});

describe.each(ISTIO_VERSIONS.map((version): [string, typeof version] => [version.minor, version]))('manifests for Istio %s', (istio, version) => {
  test.each([['dedicated gateways', undefined], ['an existing gateway', EXISTING_GATEWAY]])(`the schemas of Istio ${istio} accept all that is written for it, with %s`, (_, existing) => {
    const objects = everythingFor(version, existing);
    expect(objects.length).toBeGreaterThan(30);
    expect(errorsOf(objects, { istio })).toEqual([]);
  });
});

test.each(['kubernetes', 'cert-manager'].flatMap((product) => vendored(product).map((version) => [product, version])))('the schemas of %s %s accept every object', (product, version) => {
  expect(FILES().flatMap((file) => errorsOf(manifestsIn(file), { [product]: version }))).toEqual([]);
});

test('the schemas accept every object of the demo, including those of Bookinfo', () => {
  const objects = [...filesOf(programOf('bookinfo')()).values()].flatMap((file) => parse(file));
  expect(objects.length).toBeGreaterThan(30);
  expect(errorsOf(objects)).toEqual([]);
});

test('the schemas accept a gateway with every option that other platforms need', () => {
  const app = new App();
  meshOf(app, 'east', {
    infrastructure: [NetworkDestination.podsIn('cert-manager', [6443]), NetworkDestination.addresses('2001:db8::/64', [443])],
    networkIdleTimeout: Duration.seconds(10.5),
    ingressGateway: BoundaryGateway.dedicated({ proxyProtocol: true, shutdownDelay: Duration.minutes(2) }),
  }).expose('Reviews', { service: LocalService.fromName('reviews', 'default'), exportName: 'reviews', ports: [ServicePort.http(9080)] });
  const objects = objectsOf(app);
  expect(JSON.stringify(objects)).toContain('"preStop":{"sleep":{"seconds":120}}');
  expect(errorsOf(objects)).toEqual([]);
});

describe('schemaErrors', () => {
  const [gateway] = manifestsIn('two-meshes-http/east').filter(({ kind }) => kind === 'Gateway');
  const [entry] = manifestsIn('two-meshes-http/west').filter(({ kind }) => kind === 'ServiceEntry');
  const [rule] = manifestsIn('two-meshes-http/west').filter(({ kind }) => kind === 'DestinationRule');
  const [deployment] = manifestsIn('two-meshes-http/east').filter(({ kind }) => kind === 'Deployment');

  test('the schema validator rejects an unknown field of an Istio object', () => {
    expect(schemaErrors({ ...gateway, spec: { ...gateway.spec, bogus: 1 } })).toEqual([expect.stringContaining('bogus')]);
  });

  test('the schema validator rejects an unknown value of an enumeration', () => {
    const servers = [{ ...gateway.spec.servers[0], tls: { ...gateway.spec.servers[0].tls, mode: 'MUTUALLY' } }];
    expect(schemaErrors({ ...gateway, spec: { ...gateway.spec, servers } })).not.toEqual([]);
  });

  test('the schema validator rejects a list that violates a CEL rule', () => {
    const ports = [entry.spec.ports[0], { ...entry.spec.ports[0], name: 'again' }];
    expect(schemaErrors({ ...entry, spec: { ...entry.spec, ports } })).toEqual([expect.stringContaining('/spec/ports')]);
  });

  test('the schema validator rejects a duration that CEL cannot parse', () => {
    const trafficPolicy = { connectionPool: { tcp: { connectTimeout: 'soon' } } };
    expect(schemaErrors({ ...rule, spec: { ...rule.spec, trafficPolicy } })).toEqual([expect.stringContaining('connectTimeout')]);
  });

  test('the schema validator rejects an unknown nested field of a core object', () => {
    const copy = structuredClone(deployment);
    copy.spec.template.spec.containers[0].imagePullPolice = 'Always';
    expect(schemaErrors(copy)).toEqual([expect.stringContaining('imagePullPolice')]);
  });

  test('the schema validator uses the schema of the version', () => {
    const trafficPolicy = { tls: { mode: 'MUTUAL', credentialName: 'builtin://', caCertCredentialName: 'configmap://roots' } };
    const errors = SUPPORTED.map((istio) => schemaErrors({ ...rule, spec: { ...rule.spec, trafficPolicy } }, { istio }).length);
    expect(errors).toEqual([1, 1, 1, 1, 0]);
    const limits = vendored('kubernetes').map((version) => schemaErrors({ ...deployment, spec: { ...deployment.spec, selector: undefined } }, { kubernetes: version }));
    expect(limits).toEqual(limits.map(() => [expect.stringContaining('selector')]));
  });

  test.each([['annotations', 5], ['annotations', { a: 1 }], ['labels', true], ['labels', null]])('the schema validator rejects %s of a custom resource with the value %j', (field, value) => {
    const metadata = { ...gateway.metadata, [field]: { 'example.com/purpose': value } };
    expect(schemaErrors({ ...gateway, metadata })).toEqual([expect.stringContaining(`/metadata/${field}/example.com~1purpose must be string`)]);
  });

  test('the schema validator rejects an unknown field in the metadata of a custom resource', () => {
    expect(schemaErrors({ ...gateway, metadata: { ...gateway.metadata, anotations: {} } })).toEqual([expect.stringContaining('anotations')]);
  });

  test('the schema validator rejects an unknown kind', () => {
    expect(schemaErrors({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'a' } })).toEqual(['no schema for v1 Secret']);
  });
});
