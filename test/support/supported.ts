/**
 * A boundary with every option that an Istio version supports and that depends on Istio.
 */
import { App, Duration } from 'cdk8s';
import { Manifest, objectsOf } from './manifests';
import { meshOf } from './meshes';
import { bankWith } from './pair';
import {
  BoundaryGateway, Caller, ExistingGatewayOptions, GatewayCredential, HttpRule, IstioVersion, LocalName, LocalService, ServicePort,
} from '../../src';
import { Feature, isSupported } from '../../src/model/istio-support';

const REASON = 'agreed with the security team';
const PORTS = [ServicePort.http(80), ServicePort.grpc(90), ServicePort.tcp(3306)];

/** The objects of the boundary. Its ingress gateway is dedicated, or an existing one. */
export function everythingFor(istioVersion: IstioVersion, existing?: ExistingGatewayOptions): Manifest[] {
  const has = (feature: Feature) => isSupported(feature, istioVersion._minor);
  const app = new App();
  const mesh = meshOf(app, 'east', {
    istioVersion,
    connectAfterHandshake: has('connectAfterHandshake'),
    credential: existing ? undefined : GatewayCredential.fromCertManager({ issuerName: 'boundary-ca' }),
    ingressGateway: existing && BoundaryGateway.fromExisting(existing),
  });
  const bank = bankWith({ knownAs: 'east', exposedServices: [{ exportName: 'cards', ports: PORTS }] });
  mesh.addPeer(bank, {
    upstreamLimits: { maxConnections: 10, maxRequests: 10 },
    stripTracing: existing === undefined,
    removeRequestHeaders: ['x-team'],
    allowTls12: { reason: REASON },
    limits: has('limits') ? { maxConnections: 5, maxConnectionDuration: Duration.minutes(5), requestsPerSecond: 50 } : undefined,
  });
  const reviews = mesh.expose('Reviews', {
    service: LocalService.fromName('reviews', 'default'),
    exportName: 'reviews',
    ports: PORTS,
    requestTimeout: Duration.seconds(5),
    idleTimeout: has('idleTimeout') ? Duration.minutes(1) : undefined,
  });
  reviews.allowFrom(bank, { ports: [90, 3306] });
  reviews.allowFrom(bank, {
    ports: [80],
    http: [HttpRule.allow({ methods: ['GET'], paths: ['/a/*'], exceptPaths: ['/a/admin/*'], requiredHeaders: { 'x-a': 'b' } })],
    jwt: has('jwt') && !existing ? { issuer: 'https://login.example', jwksUri: 'https://login.example/keys', audiences: ['a'] } : undefined,
  });
  reviews.lockWorkload({ reason: REASON, podLabels: { app: 'reviews' } });
  mesh.restrictNamespace('web', { reason: REASON });
  mesh.bind('Cards', { source: bank.exposedService('cards'), localName: LocalName.newService('cards', 'web') })
    .allowFrom(Caller.serviceAccount('page', 'web'));
  return objectsOf(app);
}
