import { join } from 'path';
import { App, Chart } from 'cdk8s';
import { Caller, FederatedMesh, HttpRule, LocalName, LocalService, ServicePort, TrustBundle } from '../src';

/** Number of documents that one more service adds to both meshes. */
export const DOCUMENTS_PER_SERVICE = 7;

/** Two meshes: east exports services, and west binds each of them for one caller. */
export function federation(services: number, outdir?: string): App {
  const app = new App({ outdir });
  const { east, west } = meshes(app);
  for (let index = 0; index < services; index++) {
    const service = expose(east, index);
    service.allowFrom(west, { http: [HttpRule.allow({ methods: ['GET'], paths: ['/items/*'] })] });
    west.bind(`Service${index}`, { source: service, localName: LocalName.newService(`service-${index}`, 'default') })
      .allowFrom(Caller.serviceAccount('client', 'default'));
  }
  return app;
}

export function meshes(app: App) {
  const [east, west] = ['east', 'west'].map((meshName) => new FederatedMesh(new Chart(app, meshName), 'Mesh', {
    meshName,
    trustDomain: `${meshName}.example`,
    trustBundle: TrustBundle.fromPemFile(join(__dirname, '..', 'examples', 'bookinfo', 'trust', `${meshName}.pem`)),
    endpoints: [{ address: `federation.${meshName}.example` }],
  }));
  east.addPeer(west);
  west.addPeer(east);
  return { east, west };
}

export function expose(mesh: FederatedMesh, index: number) {
  return mesh.expose(`Service${index}`, {
    service: LocalService.fromName(`service-${index}`, 'default'), exportName: `service-${index}`, ports: [ServicePort.http(8080)],
  });
}
