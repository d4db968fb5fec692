import { App, Duration } from 'cdk8s';
import { Caller, HttpRule, LocalName, LocalService, ServicePort } from '../../../src';
import { meshOf } from '../../support/meshes';

/** All protocols: a database whose server sends first, TLS of the application, gRPC, WebSocket, and a service with three protocols. */
export function program(): App[] {
  const app = new App();
  const east = meshOf(app, 'east');
  const west = meshOf(app, 'west', { endpoints: undefined });
  east.addPeer(west);
  west.addPeer(east);
  const expose = (name: string, namespaceName: string, ...ports: ServicePort[]) =>
    east.expose(name, { service: LocalService.fromName(name, namespaceName), exportName: name, ports, requestTimeout: name === 'chat' ? Duration.seconds(2) : undefined });
  const mysql = expose('mysql', 'db', ServicePort.tcp(3306));
  const vault = expose('vault', 'vault', ServicePort.tls(8200));
  const search = expose('search', 'search', ServicePort.grpc(9000));
  const echo = expose('echo', 'events', ServicePort.tcp(7000, { exportPort: 443 }));
  const chat = expose('chat', 'chat', ServicePort.http(8080));
  const multi = expose('multi', 'multi', ServicePort.http(8080), ServicePort.grpc(9090), ServicePort.tcp(7001));
  [mysql, vault, echo].forEach((source) => source.allowFrom(west));
  search.allowFrom(west, { grpcMethods: ['/search.Query/*', '/search.Admin/Status'] });
  chat.allowFrom(west, {
    http: [
      HttpRule.allow({ methods: ['GET'], paths: ['/rooms/*'], exceptPaths: ['/rooms/private/*'] }),
      HttpRule.allow({ methods: ['GET'], paths: ['/rooms/private/*'], requiredHeaders: { 'x-member': 'yes' } }),
    ],
  });
  multi.allowFrom(west, { ports: [8080], http: [HttpRule.allow({ paths: ['/public/*'] })] });
  multi.allowFrom(west, { ports: [9090], grpcMethods: ['/multi.Api/Get'] });
  multi.allowFrom(west, { ports: [7001] });
  const api = Caller.serviceAccount('api', 'shop');
  for (const [name, source] of Object.entries({ mysql, vault, search, chat, multi })) {
    const additionalHosts = name === 'vault' ? ['vault.east.example'] : name === 'chat' ? ['chat.east.example', 'talk.east.example'] : undefined;
    const binding = west.bind(name, { source, localName: LocalName.newService(name, 'shop'), additionalHosts });
    binding.allowFrom(api);
    if (name === 'chat') binding.allowFrom(Caller.serviceAccount('resolver', 'elsewhere'));
  }
  // The local port equals that of another local name in the namespace, and differs from the export port.
  west.bind('events', { source: echo, localName: LocalName.newService('events', 'shop'), portMappings: [{ localPort: 3306, exportPort: 443 }] }).allowFrom(api);
  return [app];
}
