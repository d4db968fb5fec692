import { App } from 'cdk8s';
import { Caller, LocalName, LocalService, ServicePort } from '../../../src';
import { meshOf } from '../../support/meshes';

/** Kinds of Services: gRPC ports whose Services declare HTTP or nothing, and a headless Service. */
export function program(): App[] {
  const app = new App();
  const east = meshOf(app, 'east');
  const west = meshOf(app, 'west', { endpoints: undefined });
  east.addPeer(west);
  west.addPeer(east);
  for (const [name, ...ports] of [
    ['misnamed', ServicePort.grpc(9001)],
    ['unnamed', ServicePort.grpc(9002)],
    ['headless', ServicePort.http(8081), ServicePort.tcp(7002)],
  ] as [string, ...ServicePort[]][]) {
    const source = east.expose(name, { service: LocalService.fromName(name, 'kinds'), exportName: name, ports });
    source.allowFrom(west);
    west.bind(name, { source, localName: LocalName.newService(name, 'shop') }).allowFrom(Caller.serviceAccount('api', 'shop'));
  }
  return [app];
}
