import { App } from 'cdk8s';
import { Caller, HttpRule, LocalName, LocalService, ServicePort } from '../../../src';
import { meshOf } from '../../support/meshes';

/** East exports one backend with three protocols twice: without rules, and with rules. */
export function program(): App[] {
  const app = new App();
  const [east, west] = ['east', 'west'].map((name) => meshOf(app, name));
  east.addPeer(west);
  west.addPeer(east);
  const ports = [ServicePort.http(8080), ServicePort.grpc(9090), ServicePort.tcp(7001)];
  const [ours, ruled] = ['ours', 'ruled'].map((exportName) => {
    const source = east.expose(exportName, { service: LocalService.fromName('backend', 'bench'), exportName, ports });
    west.bind(exportName, { source, localName: LocalName.newService(exportName, 'bench') }).allowFrom(Caller.serviceAccount('client', 'bench'));
    return source;
  });
  ours.allowFrom(west);
  ruled.allowFrom(west, { ports: [8080], http: [HttpRule.allow({ methods: ['GET'], paths: ['/bench/*'] })] });
  ruled.allowFrom(west, { ports: [9090], grpcMethods: ['/lab.Echo/*'] });
  ruled.allowFrom(west, { ports: [7001] });
  return [app];
}
