import { readFileSync } from 'fs';
import { join } from 'path';
import { App } from 'cdk8s';
import { BoundaryGateway, Caller, FederatedMesh, HttpRule, LocalName, LocalService, ServicePort } from '../../../src';
import { meshOf, TRUST } from '../../support/meshes';

/** One excepted path for each form whose spellings backends may fold. */
const EXCEPTED = [
  '/orders/drafts/*', '/orders/secret', '/orders/report.html', '/orders/admin.php', '/orders/a+b@c', '/orders/docs/index.html', '/orders/kiosk',
];

/**
 * Rules with excepted paths for all kinds of backends: with methods and paths, without both, with an end-user JWT, at an existing gateway.
 * One export has no rules, to observe which requests reach a backend.
 */
export function program(): App[] {
  const app = new App();
  const east = meshOf(app, 'east');
  const west = meshOf(app, 'west', { endpoints: undefined });
  const north = meshOf(app, 'north', {
    endpoints: [{ address: 'federation.north.example', port: 443 }],
    ingressGateway: BoundaryGateway.fromExisting({
      namespaceName: 'istio-ingress', serviceAccountName: 'shared', serviceName: 'shared', podLabels: { app: 'shared', istio: 'shared' },
    }),
  });
  const expose = (mesh: FederatedMesh, exportName: string, service = 'reviews') =>
    mesh.expose(exportName, { service: LocalService.fromName(service, 'default'), exportName, ports: [ServicePort.http(9080)] });
  const ruled = HttpRule.allow({ methods: ['GET'], paths: ['/orders/*'], exceptPaths: EXCEPTED });
  const [orders, everything, users, open, shared] = [
    expose(east, 'orders'), expose(east, 'everything'), expose(east, 'users'), expose(east, 'open'), expose(north, 'shared', 'ratings'),
  ];
  // A second rule allows an excepted path with a header, in exactly one spelling.
  orders.allowFrom(west, { http: [ruled, HttpRule.allow({ methods: ['GET'], paths: ['/orders/drafts/*'], requiredHeaders: { 'x-editor': 'yes' } })] });
  everything.allowFrom(west, { http: [HttpRule.allow({ exceptPaths: EXCEPTED })] });
  users.allowFrom(west, {
    http: [ruled], jwt: { issuer: 'https://login.example', jwks: readFileSync(join(TRUST, 'login.jwks'), 'utf8'), audiences: ['orders'] },
  });
  open.allowFrom(west);
  shared.allowFrom(west, { http: [ruled] });
  for (const mesh of [east, north]) {
    west.addPeer(mesh);
    mesh.addPeer(west);
  }
  for (const source of [orders, everything, users, open, shared]) {
    west.bind(source.exportName, { source, localName: LocalName.newService(source.exportName, 'shop') }).allowFrom(Caller.serviceAccount('api', 'shop'));
  }
  return [app];
}
