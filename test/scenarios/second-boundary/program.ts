import { App, Chart } from 'cdk8s';
import { Caller, FederatedMesh, HttpRule, IExposedService, LocalName, LocalService, ServicePort } from '../../../src';
import { meshOf } from '../../support/meshes';

/** West has two boundaries: one for a sister company, and one for a partner with another peer, port and namespace. */
export function program(): App[] {
  const app = new App();
  const [east, north, west] = ['east', 'north', 'west'].map((name) => meshOf(app, name));
  const partners = new FederatedMesh(new Chart(app, 'west-partners'), 'Mesh', {
    meshName: 'west',
    trustDomain: west.trustDomain,
    trustBundle: west.trustBundle,
    namespaceName: 'partner-federation',
    endpoints: [{ address: 'federation.west.example', port: 8443 }],
  });
  const expose = (mesh: FederatedMesh, name: string) => mesh.expose(name, {
    service: LocalService.fromName(name, 'default'), exportName: name, ports: [ServicePort.http(9080)],
  });
  const bind = (mesh: FederatedMesh, source: IExposedService) => mesh.bind('Bound', {
    source, localName: LocalName.newService(source.exportName, 'partners'),
  }).allowFrom(Caller.serviceAccount('client', 'partners'));
  for (const [one, other] of [[west, east], [partners, north]]) {
    one.addPeer(other);
    other.addPeer(one);
    const [from, to] = [expose(one, 'details'), expose(other, other === east ? 'reviews' : 'ratings')];
    from.allowFrom(other, { http: [HttpRule.allow({ methods: ['GET'] })] });
    to.allowFrom(one);
    bind(one, to);
    bind(other, from);
  }
  return [app];
}
