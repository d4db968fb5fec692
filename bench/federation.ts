import { join } from 'path';
import { App, Chart } from 'cdk8s';
import { Caller, FederatedMesh, HttpRule, LocalName, LocalService, ServicePort, TrustBundle } from '../src';

/** Number of documents that one more service adds to both meshes. */
export const DOCUMENTS_PER_SERVICE = 7;

/** Number of services of two meshes: the rules of more would not fit into one object (FED135). */
const SERVICES_OF_A_PAIR = 2000;

/** Two meshes: east exports services, and west binds each of them for one caller. Large federations have more pairs. */
export function federation(services: number, outdir?: string): App {
  const app = new App({ outdir });
  let { east, west } = meshes(app);
  for (let index = 0; index < services; index++) {
    if (index > 0 && index % SERVICES_OF_A_PAIR === 0) ({ east, west } = meshes(app, `-${index / SERVICES_OF_A_PAIR + 1}`));
    const service = expose(east, index);
    service.allowFrom(west, { http: [HttpRule.allow({ methods: ['GET'], paths: ['/items/*'] })] });
    west.bind(`Service${index}`, { source: service, localName: LocalName.newService(`service-${index}`, 'default') })
      .allowFrom(Caller.serviceAccount('client', 'default'));
  }
  return app;
}

export function meshes(app: App, suffix = '') {
  const [east, west] = ['east', 'west'].map((side) => new FederatedMesh(new Chart(app, `${side}${suffix}`), 'Mesh', {
    meshName: `${side}${suffix}`,
    trustDomain: `${side}${suffix}.example`,
    trustBundle: TrustBundle.fromPemFile(join(__dirname, '..', 'examples', 'bookinfo', 'trust', `${side}.pem`)),
    endpoints: [{ address: `federation.${side}${suffix}.example` }],
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
