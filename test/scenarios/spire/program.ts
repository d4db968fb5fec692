import { App } from 'cdk8s';
import { BoundaryGateway, Caller, GatewayCredential, HttpRule, LocalName, LocalService, ServicePort } from '../../../src';
import { meshOf, trustOf } from '../../support/meshes';

const MOUNTED = BoundaryGateway.dedicated({ injectionTemplates: ['spire'] });
const GATEWAYS = { ingressGateway: MOUNTED, egressGateway: MOUNTED };
const REVIEWS = { service: LocalService.fromName('reviews', 'default'), exportName: 'reviews', ports: [ServicePort.http(9080)] };

/** A boundary with a CA of its own. */
const withOwnCa = (app: App, name: string) => meshOf(app, name, {
  trustDomain: `spire.${name}.example`,
  workloadTrustDomain: `${name}.example`,
  trustBundle: trustOf(`${name}-boundary`),
  credential: GatewayCredential.fromCertManager({ issuerName: 'boundary-ca' }),
  ...GATEWAYS,
});

/** SPIRE issues the certificates of workloads in two meshes, whose boundaries have CAs of their own. */
export function program(): App[] {
  const app = new App();
  const [east, west] = ['east', 'west'].map((name) => withOwnCa(app, name));
  east.addPeer(west);
  west.addPeer(east);
  const reviews = east.expose('Reviews', REVIEWS);
  reviews.allowFrom(west, { http: [HttpRule.allow({ methods: ['GET'], paths: ['/reviews/*'] })] });
  west.bind('BoundReviews', { source: reviews, localName: LocalName.newService('reviews', 'default') })
    .allowFrom(Caller.serviceAccount('bookinfo-productpage', 'default'));
  return [app];
}

/** The same for the boundary of north, with the default credential: a certificate of the mesh, which Istio's agent does not write beside SPIRE's. */
export function defaultCredential(): App[] {
  const app = new App();
  const east = withOwnCa(app, 'east');
  const north = meshOf(app, 'north', GATEWAYS);
  east.addPeer(north);
  north.addPeer(east);
  const reviews = east.expose('Reviews', REVIEWS);
  reviews.allowFrom(north);
  north.bind('BoundReviews', { source: reviews, localName: LocalName.newService('reviews', 'shop') })
    .allowFrom(Caller.serviceAccount('api', 'shop'));
  return [app];
}
