import { Boundaries, boundaryServers } from '../boundaries';
import { listOf } from '../documents';
import type { Rule } from '../rule';

export const wildcardHosts: Rule = {
  name: 'wildcard-hosts',
  recommendation: 'Each server of a boundary gateway must have one exact host, the SNI of one export for one peer: "./<SNI>".',
  fix: 'Export each service under its own export name: FederatedMesh.expose.',
  errorsIn: ({ document }, boundaries) => errorsIn(document, boundaries),
};

function errorsIn(document: any, boundaries: Boundaries): string[] {
  return boundaryServers(document, boundaries).flatMap(({ path, server }) => listOf(server.hosts).flatMap((host, index) => {
    const [namespaceName, name] = String(host).includes('/') ? String(host).split('/') : ['*', String(host)];
    if (name.includes('*')) return [`${path}.hosts[${index}] is ${host}: a wildcard matches other SNIs as well`];
    return namespaceName === '*' ? [`${path}.hosts[${index}] is ${host}: VirtualServices of every namespace can attach`] : [];
  }));
}
