/**
 * Both sides of a boundary, read from their files alone: what one mesh would let in, and what the other would send.
 */
import { find, Manifest } from './manifests';
import { allows, deniesByDefault, issuersIn, namedIn, principalsOf, rbacOf, Sample } from './rbac';

/** What an ingress gateway lets in on one server name. */
export interface Server {
  /** Whether its gateway has listeners of others, so that policies can only deny. */
  readonly amongOthers: boolean;
  /** Namespace of its boundary. */
  readonly boundary: string;
  readonly sni: string;
  /** The certificate that it presents. */
  readonly serverIdentity: string;
  /** The certificates that it accepts in the handshake, and the CA that must have issued them. */
  readonly clientIdentities: string[];
  readonly ca: string;
  /** Revocation lists of that CA. */
  readonly lists?: string;
  /** Whom the policies allow, which a shared gateway has none of, and everybody but whom they deny. */
  readonly allowed: string[];
  readonly notDenied: string[];
  /** What passes of a sample of requests, by the rules of the virtual host and by the routes: `METHOD path`, with the headers that it has. */
  readonly allowedOperations: string[];
  readonly routedOperations: string[];
  /** Whether it sees requests, and whose tokens these must have. */
  readonly http: boolean;
  readonly issuers: string[];
  readonly backend: string;
}

/** What callers of one local name and port get to. */
export interface Call {
  /** Namespace of the egress gateway. */
  readonly boundary: string;
  readonly local: string;
  /** Who passes the handshake at the egress gateway, whom the rules of the local name allow there, and whom a policy does not deny. */
  readonly callers: string[];
  readonly allowed: string[];
  readonly notDenied?: string[];
  /** Namespaces that are led to the egress gateway, that see its Service, the local name and its route, and that the network lets in. */
  readonly ledNamespaces: string[];
  readonly gatewayVisibleTo: string[];
  readonly nameVisibleTo: string[];
  readonly routeVisibleTo: string[];
  readonly networkOpenTo: string[];
  /** What the egress gateway presents, asks for and insists on. */
  readonly clientIdentity: string;
  readonly sni: string;
  readonly authority: string;
  readonly serverIdentities: string[];
  readonly ca: string;
  readonly lists?: string;
  readonly addresses: string[];
}

/** All server names of a mesh. */
export function serversOf(objects: Manifest[]): Server[] {
  return objects.filter((object) => object.kind === 'Gateway' && object.metadata.name.startsWith('fed-in-')).flatMap((gateway) =>
    gateway.spec.servers.map((server: Manifest): Server => {
      const sni = server.hosts[0].replace(/^\.\//, '');
      const route = objects.find(({ kind, spec }) => kind === 'VirtualService' && spec.hosts[0] === sni && spec.gateways[0].includes('/fed-in-'));
      const amongOthers = podsOf(objects, gateway).length === 0;
      if (amongOthers) expectNothingOfOthers(objects, gateway, sni);
      const routes: Manifest[] = route.spec.http ?? route.spec.tcp;
      const [open] = routes.filter((one) => one.route);
      const rules = route.spec.http ? rbacOf(objects, sni) : undefined;
      const samples = rules ? samplesOf(rules, routes) : [];
      if (rules) expect(deniesByDefault(objects, gateway.metadata.namespace, sni)).toBe(true);
      expect(server.port.protocol).toBe(route.spec.http ? 'HTTPS' : 'TLS');
      expect(server.tls).toMatchObject({ mode: 'MUTUAL' });
      // Less than TLS 1.3 only with a reason, and never without forward secrecy.
      const reason = gateway.metadata.annotations['cdk8s-mesh-federation/allow-tls-1.2'];
      expect(server.tls.minProtocolVersion).toBe(reason ? 'TLSV1_2' : 'TLSV1_3');
      expect(server.tls.cipherSuites?.every((suite: string) => suite.startsWith('ECDHE-') && suite.includes('-GCM-'))).toBe(reason ? true : undefined);
      expect(route.spec.gateways).toEqual([`${gateway.metadata.namespace}/${gateway.metadata.name}`]);
      if (route.spec.http) expect(routes.at(-1)).toEqual(open.match ? expect.objectContaining({ directResponse: { status: 403 } }) : open);
      return {
        amongOthers,
        boundary: gateway.metadata.namespace,
        sni,
        serverIdentity: presented(objects, server.tls.credentialName, `spiffe://${sni.split('.fed.')[1]}/${identityOf(objects, gateway)}`),
        clientIdentities: server.tls.subjectAltNames,
        ca: trustAt(objects, server.tls.caCertCredentialName)['ca.crt'],
        lists: trustAt(objects, server.tls.caCertCredentialName)['ca.crl'],
        allowed: amongOthers ? [] : policyFor(objects, 'ALLOW', sni).spec.rules[0].from[0].source.principals,
        notDenied: policyFor(objects, 'DENY', sni, 'fed-in-guard-').spec.rules[0].from[0].source.notPrincipals,
        allowedOperations: samples.filter((sample) => allows(rules, sample)).map(textOf),
        routedOperations: samples.filter((sample) => routeOf(routes, sample)?.route).map(textOf),
        http: route.spec.http !== undefined,
        issuers: rules ? issuersIn(rules) : [],
        backend: `${open.route[0].destination.host}:${open.route[0].destination.port.number}`,
      };
    }));
}

/** All local names and ports of a mesh that lead to a peer. */
export function callsOf(objects: Manifest[]): Call[] {
  return objects.filter(({ kind, spec }) => kind === 'VirtualService' && spec.gateways[0] === 'mesh').flatMap((alias) =>
    remoteRoutes(alias).flatMap(({ http, destination, headers }): Call[] => {
      const leads = objects.filter(({ kind, spec }) => kind === 'DestinationRule' && spec.host === destination.host
        && spec.subsets.some((subset: Manifest) => subset.name === destination.subset));
      const bindingHost = leads[0].spec.subsets[0].trafficPolicy.tls.sni;
      for (const { spec } of leads) expect(spec.subsets[0].trafficPolicy.tls.sni).toBe(bindingHost);
      if (alias.spec.http?.includes(http)) expect(headers.request.set.Host).toBe(bindingHost);
      const gateway = objects.find(({ kind, spec }) => kind === 'Gateway'
        && spec.servers.some((candidate: Manifest) => candidate.hosts[0] === `./${bindingHost}`));
      if (!gateway) {
        expect(policyFor(objects, 'DENY', bindingHost).metadata.annotations['cdk8s-mesh-federation/isolated']).toBeDefined();
        return [];
      }
      const boundary: string = gateway.metadata.namespace;
      const server = gateway.spec.servers.find((candidate: Manifest) => candidate.hosts[0] === `./${bindingHost}`);
      const route = objects.find(({ kind, spec }) => kind === 'VirtualService' && spec.hosts[0] === bindingHost);
      const [onward] = route.spec.http ?? route.spec.tcp;
      const sni = onward.route[0].destination.host;
      const entry = objects.find(({ kind, spec }) => kind === 'ServiceEntry' && spec.hosts[0] === sni);
      const rule = objects.find(({ kind, spec }) => kind === 'DestinationRule' && spec.host === sni);
      const { tls } = rule.spec.trafficPolicy;
      const service = objects.find(({ kind, metadata }) => kind === 'Service' && alias.spec.hosts[0].startsWith(`${metadata.name}.${metadata.namespace}.`));
      const guards = objects.filter(({ metadata }) => metadata.name.startsWith('fed-out-guard-')).filter(({ spec }) => spec.rules[0].when[0].values[0] === bindingHost);
      expect(tls).toMatchObject({ mode: 'MUTUAL', sni });
      expect(server.tls.mode).toBe('ISTIO_MUTUAL');
      expect(policyFor(objects.filter(({ metadata }) => metadata.namespace === boundary), 'ALLOW', bindingHost).metadata.name).toBe('fed-out-mesh');
      if (route.spec.http) expect(deniesByDefault(objects, boundary, bindingHost)).toBe(true);
      if (service) {
        expect(service.spec.ports.map(({ port }: Manifest) => port)).toContain(http.match[0].port);
        expect(service.spec.selector).toBeUndefined();
      }
      return [{
        boundary,
        local: `${alias.spec.hosts[0]}:${http.match[0].port}`,
        callers: server.tls.subjectAltNames ?? [],
        allowed: principalsOf(rbacOf(objects, bindingHost)),
        notDenied: guards[0]?.spec.rules[0].from[0].source.notPrincipals,
        ledNamespaces: leads.map(({ metadata }) => metadata.namespace).sort(),
        gatewayVisibleTo: exportTo(find(objects, 'Service', 'federation-egress', boundary)),
        nameVisibleTo: service ? exportTo(service) : ['*'],
        routeVisibleTo: alias.spec.exportTo.map((name: string) => name === '.' ? alias.metadata.namespace : name).sort(),
        networkOpenTo: find(objects, 'NetworkPolicy', 'federation-egress', boundary).spec.ingress[0].from
          .map(({ namespaceSelector }: Manifest) => namespaceSelector.matchLabels?.['kubernetes.io/metadata.name'] ?? '*').sort(),
        clientIdentity: presented(objects, credentialOf(objects, tls, boundary), `spiffe://${bindingHost.split('.egress.fed.')[1]}/${identityOf(objects, gateway)}`),
        sni,
        authority: route.spec.http ? onward.rewrite.authority : sni,
        serverIdentities: tls.subjectAltNames,
        ca: trustFile(objects, tls.caCertificates, boundary),
        lists: tls.caCrl && trustFile(objects, tls.caCrl, boundary),
        addresses: entry.spec.endpoints.map(({ address, ports }: Manifest) => `${address}:${ports?.[entry.spec.ports[0].name] ?? 15443}`),
      }];
    }));
}

/** Where the routes of a local name lead to a peer. */
function remoteRoutes({ spec }: Manifest): Manifest[] {
  return [...spec.http ?? [], ...spec.tcp ?? []].flatMap((http: Manifest) => http.route.map((one: Manifest) => ({ http, ...one })))
    .filter(({ destination }: Manifest) => destination.subset);
}

/** Gateways that are in no file, by namespace. */
const RUN_BY_OTHERS: { readonly [namespace: string]: string } = { 'istio-ingress': 'ns/istio-ingress/sa/shared' };

function podsOf(objects: Manifest[], gateway: Manifest): Manifest[] {
  return objects.filter(({ kind, spec }) => kind === 'Deployment' && Object.entries(gateway.spec.selector)
    .every(([label, value]) => spec.template.metadata.labels[label] === value));
}

/** On a shared gateway, nothing of ours is for other listeners than our own. */
function expectNothingOfOthers(objects: Manifest[], gateway: Manifest, sni: string): void {
  const { namespace } = gateway.metadata;
  const there = objects.filter(({ metadata }) => metadata.namespace === namespace);
  expect(there.filter(({ kind }) => !['AuthorizationPolicy', 'Certificate', 'ConfigMap', 'EnvoyFilter', 'Gateway', 'Role', 'RoleBinding', 'VirtualService'].includes(kind))).toEqual([]);
  for (const { spec } of there.filter(({ kind }) => kind === 'AuthorizationPolicy')) {
    expect(spec.action).toBe('DENY');
    for (const { when } of spec.rules) expect(when[0]).toMatchObject({ key: 'connection.sni', values: [expect.stringContaining('.fed.')] });
  }
  for (const { match } of there.filter(({ kind }) => kind === 'EnvoyFilter').flatMap(({ spec }) => spec.configPatches)) {
    expect(match.listener?.filterChain.sni ?? match.routeConfiguration.vhost.name).toContain('.fed.');
  }
  const [{ notValues }] = find(objects, 'AuthorizationPolicy', 'fed-in-guard', namespace).spec.rules[0].when;
  expect(notValues.some((value: string) => sni.endsWith(value.slice(1)))).toBe(true);
}

/** The namespace and account of the pods that a Gateway selects. */
function identityOf(objects: Manifest[], gateway: Manifest): string {
  const pods = podsOf(objects, gateway);
  if (pods.length === 0) return RUN_BY_OTHERS[gateway.metadata.namespace];
  expect(pods).toHaveLength(1);
  return `ns/${pods[0].metadata.namespace}/sa/${pods[0].spec.template.spec.serviceAccountName}`;
}

/** The one policy that says this of a server name; a guard may say it of a whole suffix. */
function policyFor(objects: Manifest[], action: string, sni: string, begin = 'fed-'): Manifest {
  const policies = objects.filter(({ kind, metadata, spec }) => kind === 'AuthorizationPolicy' && spec.action === action && metadata.name.startsWith(begin)
    && !spec.rules[0].when?.[0].notValues
    && spec.rules[0].when?.[0].values?.some((value: string) => value === sni || value.startsWith('*') && sni.endsWith(value.slice(1))));
  expect(policies).toHaveLength(1);
  return policies[0];
}

function trustAt(objects: Manifest[], reference: string): Manifest {
  const [namespace, name] = reference.replace('configmap://', '').split('/');
  const own = objects.find(({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === name && metadata.namespace === namespace);
  return own?.data ?? { 'ca.crt': keptByOthers(name) };
}

function trustFile(objects: Manifest[], path: string, boundary: string): string {
  const file = path.replace('/etc/federation/trust/', '');
  const { volumes } = find(objects, 'Deployment', 'federation-egress', boundary).spec.template.spec;
  const sources: Manifest[] = volumes.find(({ name }: Manifest) => name === 'federation-trust').projected?.sources ?? [];
  const others = sources.find(({ configMap }) => configMap.items?.some((item: Manifest) => item.key === 'ca.crt' && item.path === file));
  return others ? keptByOthers(others.configMap.name) : find(objects, 'ConfigMap', 'fed-out-trust', boundary).data[file];
}

function keptByOthers(name: string): string {
  return `kept by others in ${name}`;
}

/** Where the egress gateway's certificate comes from, by its files and the volume that holds them. */
function credentialOf(objects: Manifest[], tls: Manifest, boundary: string): string {
  const { volumes, containers } = find(objects, 'Deployment', 'federation-egress', boundary).spec.template.spec;
  const mount = containers[0].volumeMounts.find(({ mountPath }: Manifest) => tls.clientCertificate.startsWith(`${mountPath}/`));
  expect(tls.privateKey.startsWith(`${mount.mountPath}/`)).toBe(true);
  return volumes.find(({ name }: Manifest) => name === mount.name).secret?.secretName ?? 'builtin://';
}

/** The identity in what a gateway presents: that of its pods, or what cert-manager is asked for. A Secret of others cannot be looked into. */
function presented(objects: Manifest[], credentialName: string, own: string): string {
  const certificate = objects.find(({ kind, spec }) => kind === 'Certificate' && spec.secretName === credentialName);
  return certificate ? certificate.spec.uris.join() : own;
}

function exportTo(service: Manifest): string[] {
  return service.metadata.annotations['networking.istio.io/exportTo'].split(',')
    .map((name: string) => name === '.' ? service.metadata.namespace : name).sort();
}

/** Requests that try every method, path, header and claim that either side names, each with and without the others. */
function samplesOf(rules: Manifest, routes: Manifest[]): Sample[] {
  const matches: Manifest[] = routes.flatMap(({ match }) => match ?? []).filter(({ uri, headers }) => !uri?.regex && !headers?.[':path']);
  const named = namedIn(rules);
  const patterns = [...named.patterns, ...matches.flatMap(({ uri }) => uri ? [uri.exact ?? `${uri.prefix}*`] : [])];
  const methods = ['DELETE', ...named.methods, ...matches.flatMap(({ method }) => method ? (method.exact ?? method.regex).split('|') : [])];
  const headerSets = [{}, ...named.headerSets].map((headers) => JSON.stringify(headers));
  const paths = ['/elsewhere', ...patterns.map((pattern) => pattern.replace(/\*$/, 'below'))];
  return [...new Set(methods)].sort().flatMap((method) => [...new Set(paths)].sort().flatMap((path) =>
    [...new Set(headerSets)].map((headers) => ({ method, path, headers: JSON.parse(headers) }))));
}

function routeOf(routes: Manifest[], sample: Sample): Manifest | undefined {
  return routes.find(({ match }) => !match || match.some((one: Manifest) => routeTakes(one, sample)));
}

function routeTakes({ method, uri, headers = {}, withoutHeaders = {} }: Manifest, sample: Sample): boolean {
  const has = ([name, { exact, regex }]: [string, Manifest]) => {
    const value = name === ':path' ? sample.path : sample.headers[name];
    return regex ? fitsWhole(regex, value ?? '') : value === exact;
  };
  return (!method || (method.exact ?? method.regex).split('|').includes(sample.method))
    && (!uri || matchesUri(uri, sample.path))
    && Object.entries<Manifest>(headers).every(has) && !Object.entries<Manifest>(withoutHeaders).some(has);
}

function matchesUri({ regex, prefix, exact }: Manifest, path: string): boolean {
  if (regex) return fitsWhole(regex, path);
  return prefix === undefined ? path === exact : path.startsWith(prefix);
}

/** Envoy's patterns fit whole texts, and know a flag for upper and lower case. */
function fitsWhole(regex: string, text: string): boolean {
  const pattern = regex.replace(/^\(\?i\)/, '');
  return new RegExp(`^(${pattern})$`, pattern === regex ? '' : 'i').test(text);
}

function textOf({ method, path, headers }: Sample): string {
  return [method, path, ...Object.entries(headers).map(([name, value]) => `${name}=${value}`)].join(' ');
}
