import { celList, celMapOf, celParts, celText, CelVariable } from './cel';
import { localNameRouteName } from './local-name';
import { Binding, BoundaryConfig } from '../model/model';
import { exportDomain } from '../model/names';
import { compare, distinct } from '../model/order';

/*
 * The hosts of an object in the admission policy: which of them belong to the boundary, and which of them are bound.
 *
 * Hosts are looked up by their domain, so no expression compares each host of an object with each host of the mesh.
 */

/** The hosts that an object names, in lower case and without a dot at the end. */
export function hostVariables({ clusterDomain }: BoundaryConfig): CelVariable[] {
  // Istio treats an empty list like an absent one.
  const ifSet = (kinds: string, field: string, otherwise: string, value = `object.spec.${field}`) =>
    `${kinds} && has(object.spec) && has(object.spec.${field}) && size(object.spec.${field}) > 0 ? ${value} : ${otherwise}`;
  const service = `.svc.${clusterDomain}`;
  return [
    {
      name: 'hosts',
      expression: `(${ifSet('object.kind in [\'VirtualService\', \'ServiceEntry\']', 'hosts', ifSet('variables.isGatewayApi', 'hostnames', '[]'))})\n`
        + '  .map(h, h.endsWith(\'.\') ? h.lowerAscii().substring(0, size(h) - 1) : h.lowerAscii())',
    },
    { name: 'gateways', expression: ifSet('object.kind == \'VirtualService\'', 'gateways', '[\'mesh\']') },
    { name: 'parents', expression: ifSet('variables.isGatewayApi', 'parentRefs', '[]') },
    {
      name: 'onlyOwnNamespace',
      expression: ifSet('object.kind == \'VirtualService\'', 'exportTo', 'false', 'object.spec.exportTo.all(e, e == \'.\' || e == object.metadata.namespace)'),
    },
    // Hosts that apply to the sidecars of callers. Hosts of a route at another gateway do not.
    { name: 'meshHosts', expression: 'variables.isGatewayApi || (object.kind == \'VirtualService\' && !(\'mesh\' in variables.gateways)) ? [] : variables.hosts' },
    // Each of these hosts as [first label, domain]: as it is written, and as the short name of a Service (`name`,
    // `name.namespace`, `name.namespace.svc`). A route of the Gateway API names Services as its parents.
    {
      name: 'names',
      expression: [
        '(variables.meshHosts + variables.meshHosts.map(h,',
        `  h.endsWith('.svc') ? h + '.${clusterDomain}' : h.contains('.') ? h + '${service}' : h + '.' + object.metadata.namespace + '${service}') +`,
        ' variables.parents.filter(p, has(p.kind) && p.kind == \'Service\').map(p,',
        `  p.name + '.' + (has(p.namespace) ? p.namespace : object.metadata.namespace) + '${service}'))`,
        '.filter(n, n.contains(\'.\')).map(n, n.split(\'.\', 2))',
      ].join('\n'),
    },
    // Wildcards that take precedence over an exact host. Of TCP and TLS routes Istio takes the oldest that matches, of
    // HTTP routes the exact host wins. A TCPRoute can be attached to a ServiceEntry, and then applies to its wildcards.
    {
      name: 'wildcards',
      expression: [
        'variables.meshHosts.filter(h, h.startsWith(\'*\') && (object.kind == \'ServiceEntry\'',
        `  ? h.endsWith('.${clusterDomain}') || '.${clusterDomain}'.endsWith(h.substring(1))`,
        '  : has(object.spec.tcp) || has(object.spec.tls)))',
      ].join('\n'),
    },
  ];
}

/** The hosts of an object that end with the domain of the boundary's own SNIs, or of the SNIs of a peer for it. */
export function boundaryHostVariables({ trustDomain }: BoundaryConfig, sniSuffixes: string[]): CelVariable[] {
  const domains = distinct([exportDomain(trustDomain), ...sniSuffixes].map((suffix) => suffix.slice(1)));
  const sizes = [...new Set(domains.map((domain) => domain.split('.').length))].sort((a, b) => a - b);
  return [
    ...celParts('boundaryDomains', domains, ({ length }) => length + 9, (part) => celMapOf(part.map((domain) => [domain, 'true']))),
    // The numbers of labels of these domains: what remains of a host behind its other labels is looked up.
    { name: 'boundaryDomainSizes', expression: celList(sizes.map(String)) },
    // To Istio a wildcard is everything that ends with its text. One that begins within the first label of a domain is
    // compared with each of them.
    {
      name: 'takenBoundaryHosts',
      expression: [
        'variables.hosts.filter(h, variables.boundaryDomainSizes.exists(n, h.split(\'.\').size() > n && variables.boundaryDomains.exists(d,',
        '  h.split(\'.\', h.split(\'.\').size() - n + 1)[h.split(\'.\').size() - n] in d)) ||',
        '  (h.startsWith(\'*\') && !h.startsWith(\'*.\') && variables.boundaryDomainSizes.exists(n, h.split(\'.\').size() == n && variables.boundaryDomains.exists(d,',
        '    d.exists(k, k.endsWith(h.substring(1)))))))',
      ].join('\n'),
    },
  ];
}

/** The hosts of an object that a binding uses, unless the object is the binding's own or affects its author only. */
export function boundHostVariables({ clusterDomain }: BoundaryConfig, bindings: Binding[]): CelVariable[] {
  // Limited to its own namespace, a VirtualService affects its author only; not so in the binding's namespace.
  const isDenied = (owner: string) => `${owner} != variables.owner && (!variables.onlyOwnNamespace || ${owner}.startsWith(object.metadata.namespace + '/'))`;
  return [
    { name: 'owner', expression: 'variables.isGatewayApi ? \'\' : object.metadata.namespace + \'/\' + object.metadata.name' },
    // By domain and first label: the VirtualService and ServiceEntry that may use the host. Parent domains have no labels.
    ...celParts('boundHosts', boundHosts(clusterDomain, bindings), ({ domain, label, owner }) => domain.length + label.length + owner.length + 16, literal),
    {
      name: 'takenNames',
      expression: 'variables.names.filter(n, variables.boundHosts.exists(b, n[1] in b && n[0] in b[n[1]] &&\n'
        + `  ${isDenied('b[n[1]][n[0]]')})).map(n, n.join('.'))`,
    },
    // Only a wildcard of a domain with bound hosts is compared with each of them.
    {
      name: 'takenWildcards',
      expression: [
        'variables.wildcards.filter(w, variables.boundHosts.exists(b, (w.contains(\'.\') ? w.split(\'.\', 2)[1] : \'\') in b))',
        `  .filter(w, variables.boundHosts.exists(b, b.exists(d, b[d].exists(l, ${isDenied('b[d][l]')} &&`,
        '    (l + \'.\' + d).endsWith(w.substring(1))))))',
      ].join('\n'),
    },
    { name: 'takenBoundHosts', expression: 'variables.takenNames + variables.takenWildcards' },
  ];
}

/** A bound host. A domain with an empty label is a parent of domains with bound hosts. */
interface BoundHost {
  readonly domain: string;
  readonly label: string;
  readonly owner: string;
}

function boundHosts(clusterDomain: string, bindings: Binding[]): BoundHost[] {
  const hosts = bindings.flatMap(({ name }) => {
    const owner = `${name.namespaceName}/${localNameRouteName(name)}`;
    const local = { domain: `${name.namespaceName}.svc.${clusterDomain}`, label: name.serviceName, owner };
    return [local, ...name.additionalHosts.map((host) => ({ domain: parentOf(host), label: host.split('.', 1)[0], owner }))];
  });
  const parents = new Set<string>();
  for (const { domain } of hosts) {
    for (let parent = domain; parent !== '' && !parents.has(parent); parent = parentOf(parent)) parents.add(parent);
  }
  if (hosts.length > 0) parents.add('');
  for (const { domain } of hosts) parents.delete(domain);
  return [...hosts, ...[...parents].map((domain) => ({ domain, label: '', owner: '' }))]
    .sort((a, b) => compare(a.domain, b.domain) || compare(a.label, b.label));
}

/** The domain without its first label. */
function parentOf(domain: string): string {
  return domain.split('.').slice(1).join('.');
}

/** `{'default.svc.cluster.local': {'reviews': 'default/fed-name-reviews-default'}, 'svc.cluster.local': {}, …}` */
function literal(hosts: BoundHost[]): string {
  const byDomain = new Map<string, string[]>(hosts.map(({ domain }) => [domain, []]));
  for (const { domain, label, owner } of hosts) if (label !== '') byDomain.get(domain)!.push(`${celText(label)}: ${celText(owner)}`);
  return `{${[...byDomain].map(([domain, labels]) => `${celText(domain)}: {${labels.join(',\n  ')}}`).join(',\n ')}}`;
}
