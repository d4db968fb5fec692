import { App, Duration } from 'cdk8s';
import { BoundaryGateway, Caller, FederatedMesh, GatewayCredential, HttpRule, LocalName, LocalService, ServicePort } from '../../../src';
import { meshOf, trustOf } from '../../support/meshes';

/** Existing, shared ingress gateways: that of east presents its workload certificate, that of west a certificate of the boundary. */
export function program(): App[] {
  const app = new App();
  const ingressGateway = (credential?: GatewayCredential) => BoundaryGateway.fromExisting({
    namespaceName: 'istio-ingress', serviceAccountName: 'shared', serviceName: 'shared', podLabels: { app: 'shared', istio: 'shared' }, credential,
  });
  const east = meshOf(app, 'east', {
    endpoints: [{ address: 'federation.east.example', port: 443 }], ingressGateway: ingressGateway(), connectAfterHandshake: true,
  });
  const west = meshOf(app, 'west', {
    trustDomain: 'boundary.west.example',
    workloadTrustDomain: 'west.example',
    trustBundle: trustOf('west-boundary'),
    endpoints: [{ address: 'federation.west.example', port: 443 }],
    ingressGateway: ingressGateway(GatewayCredential.fromCertManager({ issuerName: 'boundary-ca' })),
    egressGateway: BoundaryGateway.dedicated({ credential: GatewayCredential.fromSecret('partner-egress') }),
    connectAfterHandshake: true,
  });
  const expose = (mesh: FederatedMesh, name: string, namespaceName: string, port: ServicePort) =>
    mesh.expose(`Own-${name}`, { service: LocalService.fromName(name, namespaceName), exportName: name, ports: [port] });
  const reviews = expose(east, 'reviews', 'default', ServicePort.http(9080));
  const mysql = expose(east, 'mysql', 'db', ServicePort.tcp(3306));
  const details = expose(west, 'details', 'default', ServicePort.http(9080));
  reviews.allowFrom(west, { http: [HttpRule.allow({ methods: ['GET'], paths: ['/reviews/*'] }), HttpRule.allow({ methods: ['POST'], paths: ['/votes'] })] });
  mysql.allowFrom(west);
  details.allowFrom(east);
  for (const [name, source] of Object.entries({ reviews, mysql })) {
    west.bind(name, { source, localName: LocalName.newService(name, 'default') }).allowFrom(Caller.serviceAccount('bookinfo-productpage', 'default'));
  }
  east.bind('Details', { source: details, localName: LocalName.newService('details', 'catalogue') })
    .allowFrom(Caller.serviceAccount('bookinfo-reviews', 'default'));
  east.addPeer(west, { limits: { maxConnectionDuration: Duration.minutes(30) } });
  west.addPeer(east);
  return [app];
}
