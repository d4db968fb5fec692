import { readFileSync } from 'fs';
import { join } from 'path';
import { App, Duration } from 'cdk8s';
import { BoundaryGateway, Caller, GatewayCredential, LocalName, LocalService, ServicePort } from '../../../src';
import { meshOf, TRUST, trustOf } from '../../support/meshes';

/** Both boundaries have separate CAs: cert-manager issues certificates in east, whose root is being rotated; west has Secrets and a CRL. */
export function program(workloadTrustDomain?: string): App[] {
  const app = new App();
  const east = meshOf(app, 'east', {
    trustDomain: 'boundary.east.example',
    workloadTrustDomain: workloadTrustDomain ?? 'east.example',
    trustBundle: trustOf('east-boundary').withNext(trustOf('east-boundary-next')),
    credential: GatewayCredential.fromCertManager({ issuerName: 'boundary-ca', renewBefore: Duration.hours(12) }),
  });
  const west = meshOf(app, 'west', {
    trustDomain: 'boundary.west.example',
    workloadTrustDomain: workloadTrustDomain ?? 'west.example',
    trustBundle: trustOf('west-boundary').withRevocationList(readFileSync(join(TRUST, 'west-boundary.crl'), 'utf8')),
    ingressGateway: BoundaryGateway.dedicated({ credential: GatewayCredential.fromSecret('partner-ingress') }),
    egressGateway: BoundaryGateway.dedicated({ credential: GatewayCredential.fromSecret('partner-egress') }),
  });
  east.addPeer(west);
  west.addPeer(east);
  const reviews = east.expose('Reviews', {
    service: LocalService.fromName('reviews', 'default'), exportName: 'reviews', ports: [ServicePort.http(9080)],
  });
  const details = west.expose('Details', {
    service: LocalService.fromName('details', 'default'), exportName: 'details', ports: [ServicePort.http(9080)],
  });
  reviews.allowFrom(west);
  details.allowFrom(east);
  west.bind('BoundReviews', { source: reviews, localName: LocalName.newService('reviews', 'default') })
    .allowFrom(Caller.serviceAccount('bookinfo-productpage', 'default'));
  east.bind('BoundDetails', { source: details, localName: LocalName.newService('details', 'catalogue') })
    .allowFrom(Caller.serviceAccount('bookinfo-reviews', 'default'));
  return [app];
}
