/**
 * A program with every kind of value that it can pass to the library or read from it. `npm run languages` compares its output in each
 * language.
 */
import { join } from 'path';
import { ApiObject, App, Chart, Duration, JsonPatch } from 'cdk8s';
import {
  BoundaryGateway, Caller, Delivery, FederatedMesh, GatewayCredential, GatewayServiceType, HttpRule, IstioVersion, KeyAlgorithm, LocalName,
  LocalService, NodeToleration, RemoteMesh, ServicePort, SpiffeId, TrustBundle,
} from '../../src';

export function values(trust: string): App {
  const app = new App();
  const bank = new FederatedMesh(new Chart(app, 'bank'), 'Mesh', {
    meshName: 'bank',
    trustDomain: 'bank.example',
    trustBundle: TrustBundle.fromPemFile(join(trust, 'east.pem')),
    endpoints: [{ address: '10.0.0.1', port: 443, privateAddress: { reason: 'a leased line to the shop' } }],
    istioVersion: IstioVersion.V1_31,
    delivery: Delivery.argoCd(),
    createNamespace: false,
    credential: GatewayCredential.fromCertManager({ issuerName: 'boundary', keyAlgorithm: KeyAlgorithm.ECDSA_P384, duration: Duration.days(2) }),
    ingressGateway: BoundaryGateway.dedicated({
      minReplicas: 3,
      labels: { tier: 'edge', team: 'platform' },
      tolerations: [NodeToleration.exists('dmz')],
      serviceType: GatewayServiceType.NODE_PORT,
    }),
  });
  const shop = new RemoteMesh(app, 'Shop', {
    meshName: 'shop',
    trustDomain: 'shop.example',
    trustBundle: TrustBundle.fromPemFile(join(trust, 'west.pem')),
    ingressIdentity: SpiffeId.parse('spiffe://shop.example/ns/istio-federation/sa/federation-ingress'),
    egressIdentity: SpiffeId.forServiceAccount({
      trustDomain: 'shop.example', namespaceName: 'istio-federation', serviceAccountName: 'federation-egress',
    }),
    endpoints: [{ address: 'federation.shop.example' }],
    exposedServices: [{ exportName: 'orders', ports: [ServicePort.http(8080), ServicePort.tcp(9000, { exportPort: 19000 })] }],
    knownAs: 'bank',
  });
  bank.addPeer(shop, { stripTracing: true, limits: { maxConnections: 100, maxConnectionDuration: Duration.hours(1) } });

  const accounts = bank.expose('Accounts', {
    service: LocalService.fromName('accounts', 'ledger'),
    exportName: 'accounts.v1',
    ports: [ServicePort.http(8080), ServicePort.grpc(9090)],
    requestTimeout: Duration.seconds(5),
  });
  accounts.allowFrom(shop, {
    ports: [8080],
    http: [HttpRule.allow({
      paths: ['/accounts/*'], exceptPaths: ['/accounts/drafts'], requiredHeaders: { 'x-region': 'eu', 'x-channel': 'shop' },
    })],
    jwt: {
      issuer: 'https://login.example', audiences: ['accounts'], jwksUri: 'https://login.example/keys', claims: { scope: ['read'], groups: ['a', 'b'] },
    },
  });
  const orders = bank.bind('Orders', {
    source: shop.exposedService('orders'),
    localName: LocalName.newService('orders', 'ledger'),
    portMappings: [{ exportPort: 8080, localPort: 80 }],
  });
  orders.allowFrom(Caller.anyInNamespace('ledger'));

  const read = new ApiObject(new Chart(app, 'read'), 'Read', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'read' } });
  read.addJsonPatch(JsonPatch.add('/read', [
    orders.host,
    accounts.sniFor(shop, 8080),
    String(bank.endpoints[0].port),
    bank.endpoints[0].privateAddress!.reason,
    bank.ingressGateway.podLabels.istio,
    shop.exposedService('orders').mesh.egressIdentity!.uri,
    String(shop.exposedService('orders').ports[1].exportPort),
    bank.trustBundle.fingerprints[0],
  ]));
  return app;
}
