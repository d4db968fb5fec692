/**
 * Both sides of a federation, read from their manifests: the requests that one mesh allows, and the calls that the other makes.
 */
import { find, Manifest } from './manifests';
import { allows, deniesByDefault, issuersIn, namedIn, principalsOf, rbacOf, Sample } from './rbac';

/** A TLS server of an ingress gateway for one TLS server name (SNI). */
export interface Server {
  /** Whether its gateway is an existing one with other listeners, so that policies can only deny. */
  readonly isShared: boolean;
  /** Namespace of its boundary. */
  readonly boundary: string;
  readonly sni: string;
  /** The identity of the certificate that it presents. */
  readonly serverIdentity: string;
  /** The identities of client certificates that it accepts in the handshake, and the CA that must have issued them. */
  readonly clientIdentities: string[];
  readonly ca: string;
  /** Revocation lists of that CA. */
  readonly lists?: string;
  /** The principals that ALLOW policies list, empty for a shared gateway, and those that DENY policies except. */
  readonly allowed: string[];
  readonly notDenied: string[];
  /** The sample requests that the RBAC rules allow and that the routes match, as `METHOD path` with headers. */
  readonly allowedOperations: string[];
  readonly routedOperations: string[];
  /** Whether it handles HTTP or gRPC requests, and the issuers of the end-user JWTs that these require. */
  readonly http: boolean;
  readonly issuers: string[];
  readonly backend: string;
}

/** The path of a call to one local name and port. */
export interface Call {
  /** Namespace of the egress gateway. */
  readonly boundary: string;
  readonly local: string;
  /** The callers that pass the handshake at the egress gateway, that its RBAC rules allow, and that a DENY policy excepts. */
  readonly callers: string[];
  readonly allowed: string[];
  readonly notDenied?: string[];
  /**
   * Namespaces with a DestinationRule to the egress gateway, namespaces that see its Service, the local name and its route, and namespaces
   * that the NetworkPolicy allows.
   */
  readonly routedNamespaces: string[];
  readonly gatewayVisibleTo: string[];
  readonly nameVisibleTo: string[];
  readonly routeVisibleTo: string[];
  readonly networkOpenTo: string[];
  /** The identity of the egress gateway, the SNI and authority that it sends, and the server that it requires. */
  readonly clientIdentity: string;
  readonly sni: string;
  readonly authority: string;
  readonly serverIdentities: string[];
  readonly ca: string;
  readonly lists?: string;
  readonly addresses: string[];
}

/** All TLS servers of a mesh. */
export function serversOf(objects: Manifest[]): Server[] {
  return objects.filter((object) => object.kind === 'Gateway' && object.metadata.name.startsWith('fed-in-')).flatMap((gateway) =>
    gateway.spec.servers.map((server: Manifest): Server => {
      const sni = server.hosts[0].replace(/^\.\//, '');
      const route = objects.find(({ kind, spec }) => kind === 'VirtualService' && spec.hosts[0] === sni && spec.gateways[0].includes('/fed-in-'));
      const isShared = podsOf(objects, gateway).length === 0;
      if (isShared) expectOnlyOwnListeners(objects, gateway, sni);
      const routes: Manifest[] = route.spec.http ?? route.spec.tcp;
      const [open] = routes.filter((one) => one.route);
      const rules = route.spec.http ? rbacOf(objects, sni) : undefined;
      const samples = rules ? samplesOf(rules, routes) : [];
      if (rules) expect(deniesByDefault(objects, gateway.metadata.namespace, sni)).toBe(true);
      expect(server.port.protocol).toBe(route.spec.http ? 'HTTPS' : 'TLS');
      expect(server.tls).toMatchObject({ mode: 'MUTUAL' });
      // TLS 1.2 requires a reason, and cipher suites with forward secrecy.
      const reason = gateway.metadata.annotations['cdk8s-mesh-federation/allow-tls-1.2'];
      expect(server.tls.minProtocolVersion).toBe(reason ? 'TLSV1_2' : 'TLSV1_3');
      expect(server.tls.cipherSuites?.every((suite: string) => suite.startsWith('ECDHE-') && suite.includes('-GCM-'))).toBe(reason ? true : undefined);
      expect(route.spec.gateways).toEqual([`${gateway.metadata.namespace}/${gateway.metadata.name}`]);
      if (route.spec.http) expect(routes.at(-1)).toEqual(open.match ? expect.objectContaining({ directResponse: { status: 403 } }) : open);
      return {
        isShared,
        boundary: gateway.metadata.namespace,
        sni,
        serverIdentity: presented(objects, server.tls.credentialName, `spiffe://${sni.split('.fed.')[1]}/${identityOf(objects, gateway)}`),
        clientIdentities: server.tls.subjectAltNames,
        ca: trustAt(objects, server.tls.caCertCredentialName)['ca.crt'],
        lists: trustAt(objects, server.tls.caCertCredentialName)['ca.crl'],
        allowed: isShared ? [] : policyFor(objects, 'ALLOW', sni).spec.rules[0].from[0].source.principals,
        notDenied: policyFor(objects, 'DENY', sni, 'fed-in-guard-').spec.rules[0].from[0].source.notPrincipals,
        allowedOperations: samples.filter((sample) => allows(rules, sample)).map(requestLineOf),
        routedOperations: samples.filter((sample) => routeOf(routes, sample)?.route).map(requestLineOf),
        http: route.spec.http !== undefined,
        issuers: rules ? issuersIn(rules) : [],
        backend: `${open.route[0].destination.host}:${open.route[0].destination.port.number}`,
      };
    }));
}

/** All local names and ports of a mesh whose route has a remote destination. */
export function callsOf(objects: Manifest[]): Call[] {
  return objects.filter(({ kind, spec }) => kind === 'VirtualService' && spec.gateways[0] === 'mesh').flatMap((localName) =>
    remoteRoutes(localName).flatMap(({ http, destination, headers }): Call[] => {
      const rulesForCallers = objects.filter(({ kind, spec }) => kind === 'DestinationRule' && spec.host === destination.host
        && spec.subsets.some((subset: Manifest) => subset.name === destination.subset));
      const bindingHost = rulesForCallers[0].spec.subsets[0].trafficPolicy.tls.sni;
      for (const { spec } of rulesForCallers) expect(spec.subsets[0].trafficPolicy.tls.sni).toBe(bindingHost);
      if (localName.spec.http?.includes(http)) expect(headers.request.set.Host).toBe(bindingHost);
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
      const service = objects.find(({ kind, metadata }) => kind === 'Service' && localName.spec.hosts[0].startsWith(`${metadata.name}.${metadata.namespace}.`));
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
        local: `${localName.spec.hosts[0]}:${http.match[0].port}`,
        callers: server.tls.subjectAltNames ?? [],
        allowed: principalsOf(rbacOf(objects, bindingHost)),
        notDenied: guards[0]?.spec.rules[0].from[0].source.notPrincipals,
        routedNamespaces: rulesForCallers.map(({ metadata }) => metadata.namespace).sort(),
        gatewayVisibleTo: exportTo(find(objects, 'Service', 'federation-egress', boundary)),
        nameVisibleTo: service ? exportTo(service) : ['*'],
        routeVisibleTo: localName.spec.exportTo.map((name: string) => name === '.' ? localName.metadata.namespace : name).sort(),
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

/** The remote destinations in the routes of a local name. */
function remoteRoutes({ spec }: Manifest): Manifest[] {
  return [...spec.http ?? [], ...spec.tcp ?? []].flatMap((http: Manifest) => http.route.map((one: Manifest) => ({ http, ...one })))
    .filter(({ destination }: Manifest) => destination.subset);
}

/** Identities of existing gateways, which are in no manifest, by namespace. */
const EXISTING_GATEWAYS: { readonly [namespace: string]: string } = { 'istio-ingress': 'ns/istio-ingress/sa/shared' };

function podsOf(objects: Manifest[], gateway: Manifest): Manifest[] {
  return objects.filter(({ kind, spec }) => kind === 'Deployment' && Object.entries(gateway.spec.selector)
    .every(([label, value]) => spec.template.metadata.labels[label] === value));
}

/** Expects that objects at a shared gateway apply only to listeners of this boundary. */
function expectOnlyOwnListeners(objects: Manifest[], gateway: Manifest, sni: string): void {
  const { namespace } = gateway.metadata;
  const inNamespace = objects.filter(({ metadata }) => metadata.namespace === namespace);
  expect(inNamespace.filter(({ kind }) => !['AuthorizationPolicy', 'Certificate', 'ConfigMap', 'EnvoyFilter', 'Gateway', 'Role', 'RoleBinding', 'VirtualService'].includes(kind))).toEqual([]);
  for (const { spec } of inNamespace.filter(({ kind }) => kind === 'AuthorizationPolicy')) {
    expect(spec.action).toBe('DENY');
    for (const { when } of spec.rules) expect(when[0]).toMatchObject({ key: 'connection.sni', values: [expect.stringContaining('.fed.')] });
  }
  for (const { match } of inNamespace.filter(({ kind }) => kind === 'EnvoyFilter').flatMap(({ spec }) => spec.configPatches)) {
    expect(match.listener?.filterChain.sni ?? match.routeConfiguration.vhost.name).toContain('.fed.');
  }
  const [{ notValues }] = find(objects, 'AuthorizationPolicy', 'fed-in-guard', namespace).spec.rules[0].when;
  expect(notValues.some((value: string) => sni.endsWith(value.slice(1)))).toBe(true);
}

/** The namespace and account of the pods that a Gateway selects. */
function identityOf(objects: Manifest[], gateway: Manifest): string {
  const pods = podsOf(objects, gateway);
  if (pods.length === 0) return EXISTING_GATEWAYS[gateway.metadata.namespace];
  expect(pods).toHaveLength(1);
  return `ns/${pods[0].metadata.namespace}/sa/${pods[0].spec.template.spec.serviceAccountName}`;
}

/** The one policy with this action for an SNI, or for a suffix of it. */
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
  return own?.data ?? { 'ca.crt': externallyManaged(name) };
}

function trustFile(objects: Manifest[], path: string, boundary: string): string {
  const file = path.replace('/etc/federation/trust/', '');
  const { volumes } = find(objects, 'Deployment', 'federation-egress', boundary).spec.template.spec;
  const sources: Manifest[] = volumes.find(({ name }: Manifest) => name === 'federation-trust').projected?.sources ?? [];
  const external = sources.find(({ configMap }) => configMap.items?.some((item: Manifest) => item.key === 'ca.crt' && item.path === file));
  return external ? externallyManaged(external.configMap.name) : find(objects, 'ConfigMap', 'fed-out-trust', boundary).data[file];
}

function externallyManaged(name: string): string {
  return `externally managed in ${name}`;
}

/** The source of the egress gateway's certificate, by the volume of its files. */
function credentialOf(objects: Manifest[], tls: Manifest, boundary: string): string {
  const { volumes, containers } = find(objects, 'Deployment', 'federation-egress', boundary).spec.template.spec;
  const mount = containers[0].volumeMounts.find(({ mountPath }: Manifest) => tls.clientCertificate.startsWith(`${mountPath}/`));
  expect(tls.privateKey.startsWith(`${mount.mountPath}/`)).toBe(true);
  return volumes.find(({ name }: Manifest) => name === mount.name).secret?.secretName ?? 'builtin://';
}

/** The identity that a gateway presents: that of its pods, or that of its cert-manager Certificate. Secrets are in no manifest. */
function presented(objects: Manifest[], credentialName: string, own: string): string {
  const certificate = objects.find(({ kind, spec }) => kind === 'Certificate' && spec.secretName === credentialName);
  return certificate ? certificate.spec.uris.join() : own;
}

function exportTo(service: Manifest): string[] {
  return service.metadata.annotations['networking.istio.io/exportTo'].split(',')
    .map((name: string) => name === '.' ? service.metadata.namespace : name).sort();
}

/** Sample requests: every combination of the methods, paths, headers and claims in the rules and routes, and others. */
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
  return routes.find(({ match }) => !match || match.some((one: Manifest) => routeMatches(one, sample)));
}

function routeMatches({ method, uri, headers = {}, withoutHeaders = {} }: Manifest, sample: Sample): boolean {
  const has = ([name, { exact, regex, prefix }]: [string, Manifest]) => {
    const value = name === ':path' ? sample.path : sample.headers[name];
    return regex ? matchesWhole(regex, value ?? '') : prefix ? (value ?? '').startsWith(prefix) : value === exact;
  };
  return (!method || (method.exact ?? method.regex).split('|').includes(sample.method))
    && (!uri || matchesUri(uri, sample.path))
    && Object.entries<Manifest>(headers).every(has) && !Object.entries<Manifest>(withoutHeaders).some(has);
}

function matchesUri({ regex, prefix, exact }: Manifest, path: string): boolean {
  if (regex) return matchesWhole(regex, path);
  return prefix === undefined ? path === exact : path.startsWith(prefix);
}

/** Envoy's patterns match whole strings, and can have a flag for case-insensitive matching. */
function matchesWhole(regex: string, text: string): boolean {
  const pattern = regex.replace(/^\(\?i\)/, '');
  return new RegExp(`^(${pattern})$`, pattern === regex ? '' : 'i').test(text);
}

function requestLineOf({ method, path, headers }: Sample): string {
  return [method, path, ...Object.entries(headers).map(([name, value]) => `${name}=${value}`)].join(' ');
}
