import { App, Duration } from 'cdk8s';
import { GatewayCredential, LocalService, ServicePort } from '../src';
import { find, objectsOf } from './support/manifests';
import { meshOf } from './support/meshes';
import { bankWith } from './support/pair';

/*
 * The smallest and largest values that are accepted. The next ones, which are rejected, are rows of test/errors.
 */

test('expose accepts timeouts of one millisecond', () => {
  const app = new App();
  const mesh = meshOf(app, 'east');
  const bank = bankWith();
  mesh.addPeer(bank);
  mesh.expose('Reviews', {
    service: LocalService.fromName('reviews', 'default'),
    exportName: 'reviews',
    ports: [ServicePort.http(80)],
    requestTimeout: Duration.millis(1),
    idleTimeout: Duration.millis(1),
  }).allowFrom(bank);
  const objects = objectsOf(app);
  expect(find(objects, 'VirtualService', 'fed-in-reviews-80-bank').spec.http[0].timeout).toBe('1ms');
  expect(find(objects, 'EnvoyFilter', 'fed-in-idle-reviews-80-bank').spec.configPatches[0].patch.value.typed_config.common_http_protocol_options)
    .toEqual({ idle_timeout: '1ms' });
});

test('FederatedMesh accepts a mesh name of 63 characters', () => {
  expect(meshOf(new App(), 'east', { meshName: 'x'.repeat(63) }).meshName).toBe('x'.repeat(63));
});

test('GatewayCredential.fromCertManager accepts an issuer kind of 63 characters', () => {
  const kind = `K${'x'.repeat(62)}`;
  const credential = GatewayCredential.fromCertManager({ issuerName: 'ca', issuerKind: kind });
  expect(credential._configOf('federation-ingress')!.certificate!.issuer.kind).toBe(kind);
});

test.each(['1.0.0.0', '9.255.255.255', '11.0.0.0', '100.63.255.255', '100.128.0.0', '126.255.255.255', '128.0.0.0', '169.253.255.255', '169.255.0.0', '172.15.255.255',
  '172.32.0.0', '192.167.255.255', '192.169.0.0', '223.255.255.255', '2000::1', '3ffe::1', '64:ff9b::8.8.8.8'])('FederatedMesh accepts the public address %s next to a private network', (address) => {
  expect(meshOf(new App(), 'east', { endpoints: [{ address }] }).endpoints).toEqual([{ address }]);
});
