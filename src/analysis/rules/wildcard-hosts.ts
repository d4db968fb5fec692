import { Boundaries, boundaryServers } from '../boundaries';
import { listOf } from '../documents';
import type { Rule } from '../rule';

export const wildcardHosts: Rule = {
  name: 'wildcard-hosts',
  recommendation: 'A listener of a boundary gateway is for one server name of one peer: "./<server name>".',
  fix: 'Expose each service by a name of its own: FederatedMesh.expose.',
  errorsIn,
};

function errorsIn(document: any, boundaries: Boundaries): string[] {
  return boundaryServers(document, boundaries).flatMap(({ path, server }) => listOf(server.hosts).flatMap((host, index) => {
    const [namespaceName, name] = String(host).includes('/') ? String(host).split('/') : ['*', String(host)];
    if (name.includes('*')) return [`${path}.hosts[${index}] is ${host}: for every name`];
    return namespaceName === '*' ? [`${path}.hosts[${index}] is ${host}: routes of every namespace may take it`] : [];
  }));
}
