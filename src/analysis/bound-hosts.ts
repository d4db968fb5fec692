import { isGeneratedAs, listOf } from './documents';
import type { Inventory } from './inventory';
import { Manifest, ownDomains } from './manifests';
import { DEFAULT_CLUSTER_DOMAIN } from '../model/constants';
import { PREFIX } from '../model/names';

/*
 * Host names that belong to a boundary: local names with their additional hosts, and the SNIs of both sides. They are
 * read from the generated objects.
 */

/** A name that a binding uses in its mesh. */
interface BoundName {
  readonly namespaceName: string;
  readonly mesh: Manifest['mesh'];
  /** Whether it is a local name and not an additional host. */
  readonly local: boolean;
}

export interface BoundHosts {
  /** Bound names by each form of the host that callers use: `reviews.default`, and the full name. */
  readonly localNames: ReadonlyMap<string, readonly BoundName[]>;
  /** Bound names by additional host. */
  readonly additionalHosts: ReadonlyMap<string, readonly BoundName[]>;
  /** Bound names by each suffix of these hosts, for wildcards: `.svc.cluster.local`. */
  readonly suffixes: ReadonlyMap<string, readonly BoundName[]>;
  /** Suffixes of the SNIs of the mesh and of its peers, such as `.fed.east.example`. */
  readonly domains: ReadonlySet<string>;
  /** These suffixes, and shorter ones down to the trust domain. */
  readonly wildcards: ReadonlySet<string>;
}

/** The hosts of all boundaries among manifests. */
export function boundHostsIn(manifests: readonly Manifest[]): BoundHosts {
  const localNames = new Index();
  const additionalHosts = new Index();
  const suffixes = new Index();
  const domains = new Set<string>();
  for (const { document, mesh } of manifests) {
    const { metadata, spec } = document;
    const namespaceName = String(metadata?.namespace);
    const addAdditional = (hosts: unknown[]) => hosts.forEach((host) => {
      const name = { namespaceName, mesh, local: false };
      additionalHosts.add(String(host), name);
      suffixesOf(String(host)).forEach((suffix) => suffixes.add(suffix, name));
    });
    const addLocal = (serviceName: string, clusterDomain: string) => {
      const name = { namespaceName, mesh, local: true };
      const short = `${serviceName}.${namespaceName}`;
      const full = `${short}.svc.${clusterDomain}`;
      [short, `${short}.svc`, full].forEach((host) => localNames.add(host, name));
      suffixesOf(full).forEach((suffix) => suffixes.add(suffix, name));
    };
    if (isGeneratedAs(document, 'VirtualService', `${PREFIX.localName}-`)) {
      const [full, ...others] = listOf(spec?.hosts);
      const [serviceName, , , ...domain] = String(full).split('.');
      addLocal(serviceName, domain.join('.'));
      addAdditional(others);
    } else if (isGeneratedAs(document, 'Service', '') && spec?.selector === undefined) {
      // The route exists only for a name with callers; the Service of a new name exists before.
      addLocal(metadata.name, DEFAULT_CLUSTER_DOMAIN);
    } else if (isGeneratedAs(document, 'ServiceEntry', `${PREFIX.localName}-`)) {
      addAdditional(listOf(spec?.hosts));
    } else if (isGeneratedAs(document, 'DestinationRule', `${PREFIX.egress}-`)) {
      const domain = peerDomain(spec);
      if (domain !== undefined) domains.add(domain);
    }
    ownDomains(document).forEach((domain) => domains.add(domain));
  }
  const wildcards = new Set([...domains].flatMap(upToTrustDomain));
  return { localNames: localNames.names, additionalHosts: additionalHosts.names, suffixes: suffixes.names, domains, wildcards };
}

/** Suffix of the SNIs of a peer's exports for us: its name for us, `.fed.` and its trust domain. */
function peerDomain(spec: any): string | undefined {
  const trustDomain = /^spiffe:\/\/([^/]+)\//.exec(String(spec?.trafficPolicy?.tls?.subjectAltNames?.[0]))?.[1];
  const host = String(spec?.host);
  if (trustDomain === undefined || !host.endsWith(`.fed.${trustDomain}`)) return undefined;
  return host.slice(host.lastIndexOf('.', host.length - `.fed.${trustDomain}`.length - 1));
}

/** A host with small letters, without the dot that ends a fully qualified name. */
export function plain(host: unknown): string {
  return String(host).toLowerCase().replace(/\.$/, '');
}

/** Whether a host, as `plain` returns it, belongs to the SNIs of a boundary, or is a wildcard for one of their suffixes. */
export function isBoundaryHost(host: string, { domains }: Pick<BoundHosts, 'domains'>): boolean {
  return domains.size > 0 && (suffixesOf(host).some((suffix) => domains.has(suffix)) || endsWithin(host, domains));
}

/** Whether a wildcard matches names among which are SNIs of a boundary: `*.fed.east.example`, `*.east.example`. */
export function coversBoundary(host: string, bound: BoundHosts): boolean {
  return host.startsWith('*') && (bound.wildcards.has(host.slice(1)) || endsWithin(host, bound.wildcards) || isBoundaryHost(host, bound));
}

/**
 * Whether a wildcard begins within the first label of one of these suffixes. To Istio a wildcard is everything that ends
 * with its text: `*st.fed.east.example` matches `.west.fed.east.example`.
 * @see https://github.com/istio/istio/blob/1.31.0/pkg/config/host/name.go
 */
function endsWithin(host: string, suffixes: ReadonlySet<string>): boolean {
  if (!/^\*[^.]/.test(host)) return false;
  return [...suffixes].some((suffix) => suffix.endsWith(host.slice(1)) && host.length - 1 > suffix.length - suffix.indexOf('.', 1));
}

/** `.west.fed.east.example`, `.fed.east.example` and `.east.example` for the first of them. */
function upToTrustDomain(domain: string): string[] {
  const trustDomain = domain.slice(domain.indexOf('.fed.') + '.fed'.length);
  return suffixesOf(domain).filter((suffix) => suffix.length >= trustDomain.length);
}

/**
 * The bound names that an object of another owner takes with a host, if it may be of the same mesh. `wildcards` says
 * whether the wildcards of the object take precedence over exact hosts.
 */
export function namesTaken(host: string, manifest: Manifest, bound: BoundHosts, inventory: Inventory, wildcards = false): BoundName[] {
  const { metadata } = manifest.document;
  const found = host.startsWith('*')
    ? wildcards ? namesMatching(host.slice(1), bound) : []
    : [...bound.localNames.get(host.includes('.') ? host : `${host}.${metadata?.namespace}`) ?? [], ...bound.additionalHosts.get(host) ?? []];
  return found.filter((name) => inventory.mayBeOf(manifest, name.mesh));
}

/** The bound names with a suffix. Istio also accepts a part of a label, as in `*views.default.svc.cluster.local`. */
function namesMatching(suffix: string, { suffixes, localNames, additionalHosts }: BoundHosts): readonly BoundName[] {
  if (suffix === '' || suffix.startsWith('.')) return suffixes.get(suffix) ?? [];
  return [...localNames, ...additionalHosts].filter(([host]) => host.endsWith(suffix)).flatMap(([, names]) => names);
}

/** `.b.c`, `.c` and an empty string for `a.b.c`. */
export function suffixesOf(host: string): string[] {
  const suffixes = [''];
  for (let dot = host.indexOf('.'); dot >= 0; dot = host.indexOf('.', dot + 1)) suffixes.push(host.slice(dot));
  return suffixes;
}

class Index {
  public readonly names = new Map<string, BoundName[]>();

  public add(key: string, name: BoundName): void {
    const known = this.names.get(key);
    if (known) known.push(name);
    else this.names.set(key, [name]);
  }
}
