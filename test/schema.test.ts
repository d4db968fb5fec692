import { App, Duration } from 'cdk8s';
import { BoundaryGateway, LocalService, NetworkDestination, ServicePort } from '../src';
import { programOf } from './scenarios';
import { filesOf, keyOf, objectsOf, parse } from './support/manifests';
import { meshOf } from './support/meshes';
import { FILES, manifestsIn } from './support/output';
import { ISTIO_VERSIONS, schemaErrors } from './support/schemas';
import { NEWEST, SUPPORTED } from './support/versions';

/*
 * The schemas and CEL rules of API servers accept every object, for each supported Istio version.
 */

test('the vendored schemas cover exactly the supported Istio versions', () => {
  expect(ISTIO_VERSIONS).toEqual(SUPPORTED);
});

describe.each(ISTIO_VERSIONS)('schemas of Istio %s', (version) => {
  test.each(FILES())(`the schemas of Istio ${version} and Kubernetes accept %s`, (file) => {
    const errors = manifestsIn(file).flatMap((manifest) => schemaErrors(manifest, version).map((error) => `${keyOf(manifest)}: ${error}`));
    expect(errors).toEqual([]);
  });
});

test('the schemas accept every object of the demo, including those of Bookinfo', () => {
  const objects = [...filesOf(programOf('bookinfo')()).values()].flatMap((file) => parse(file));
  expect(objects.length).toBeGreaterThan(30);
  expect(objects.flatMap((manifest) => schemaErrors(manifest, NEWEST))).toEqual([]);
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
  expect(objects.flatMap((manifest) => schemaErrors(manifest, NEWEST))).toEqual([]);
});

describe('schemaErrors', () => {
  const [gateway] = manifestsIn('two-meshes-http/east').filter(({ kind }) => kind === 'Gateway');
  const [entry] = manifestsIn('two-meshes-http/west').filter(({ kind }) => kind === 'ServiceEntry');
  const [rule] = manifestsIn('two-meshes-http/west').filter(({ kind }) => kind === 'DestinationRule');
  const [deployment] = manifestsIn('two-meshes-http/east').filter(({ kind }) => kind === 'Deployment');

  test('the schema validator rejects an unknown field of an Istio object', () => {
    expect(schemaErrors({ ...gateway, spec: { ...gateway.spec, bogus: 1 } }, NEWEST)).toEqual([expect.stringContaining('bogus')]);
  });

  test('the schema validator rejects an unknown value of an enumeration', () => {
    const servers = [{ ...gateway.spec.servers[0], tls: { ...gateway.spec.servers[0].tls, mode: 'MUTUALLY' } }];
    expect(schemaErrors({ ...gateway, spec: { ...gateway.spec, servers } }, NEWEST)).not.toEqual([]);
  });

  test('the schema validator rejects a list that violates a CEL rule', () => {
    const ports = [entry.spec.ports[0], { ...entry.spec.ports[0], name: 'again' }];
    expect(schemaErrors({ ...entry, spec: { ...entry.spec, ports } }, NEWEST)).toEqual([expect.stringContaining('/spec/ports')]);
  });

  test('the schema validator rejects a duration that CEL cannot parse', () => {
    const trafficPolicy = { connectionPool: { tcp: { connectTimeout: 'soon' } } };
    expect(schemaErrors({ ...rule, spec: { ...rule.spec, trafficPolicy } }, NEWEST)).toEqual([expect.stringContaining('connectTimeout')]);
  });

  test('the schema validator rejects an unknown nested field of a core object', () => {
    const copy = structuredClone(deployment);
    copy.spec.template.spec.containers[0].imagePullPolice = 'Always';
    expect(schemaErrors(copy, NEWEST)).toEqual([expect.stringContaining('imagePullPolice')]);
  });

  test('the schema validator rejects an unknown kind', () => {
    expect(schemaErrors({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'a' } }, NEWEST)).toEqual(['no schema for v1 Secret']);
  });
});
