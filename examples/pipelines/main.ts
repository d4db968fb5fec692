/**
 * Two meshes for a pipeline. Each mesh has a folder, with one subfolder for the boundary and one for each application namespace.
 *
 *     rendered.sh synth dist
 */
import { join } from 'path';
import { App, Chart, YamlOutputType } from 'cdk8s';
import { // in your own program: from 'cdk8s-mesh-federation'
  Caller, Delivery, FederatedMesh, HttpRule, LocalName, LocalService, RemoteServiceBinding, ServicePort, TrustBundle,
} from '../../src';

/** Declares both meshes. `trust` is the folder with their public root certificates. */
export function federation(outdir: string, delivery: Delivery, trust = 'trust'): App[] {
  // One App for each mesh: all of its manifests are in one folder, which is removed with the mesh.
  const appOf = (mesh: string) => new App({ outdir: join(outdir, mesh), yamlOutputType: YamlOutputType.FOLDER_PER_CHART_FILE_PER_RESOURCE });
  const [eastApp, westApp] = [appOf('east'), appOf('west')];

  const east = new FederatedMesh(new Chart(eastApp, 'boundary'), 'Mesh', {
    meshName: 'east',
    trustDomain: 'east.example',
    trustBundle: TrustBundle.fromPemFile(join(trust, 'east.pem')),
    endpoints: [{ address: 'federation.east.example' }],
    delivery,
  });
  const west = new FederatedMesh(new Chart(westApp, 'boundary'), 'Mesh', {
    meshName: 'west',
    trustDomain: 'west.example',
    trustBundle: TrustBundle.fromPemFile(join(trust, 'west.pem')),
    delivery,
  });
  east.addPeer(west);
  west.addPeer(east);

  const reviews = east.expose('Reviews', {
    service: LocalService.fromName('reviews', 'bookinfo'),
    exportName: 'reviews',
    ports: [ServicePort.http(9080)],
    owner: 'reviews team',
  });
  reviews.allowFrom(west, { http: [HttpRule.allow({ methods: ['GET'], paths: ['/reviews/*'] })], purpose: 'show reviews on the product page' });

  // One chart for each application namespace, with the same name. Do not remove it with its last binding: Flux only prunes existing folders.
  const bookinfo = new Chart(westApp, 'bookinfo', { namespace: 'bookinfo' });
  const binding = new RemoteServiceBinding(bookinfo, 'Reviews', {
    mesh: west,
    source: reviews,
    localName: LocalName.newService('reviews', 'bookinfo'),
  });
  binding.allowFrom(Caller.serviceAccount('bookinfo-productpage', 'bookinfo'));

  return [eastApp, westApp];
}

if (require.main === module) {
  const apps = federation(process.env.CDK8S_OUTDIR ?? 'dist', Delivery.argoCd()); // or Delivery.flux()
  apps.forEach((app) => app.synth());
}
