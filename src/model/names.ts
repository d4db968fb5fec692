import { createHash } from 'crypto';

/*
 * Names of objects and names on the wire. A name depends on declared values only, and two declarations never have the
 * same name (docs/adr/0004).
 */

/** Maximum length of a DNS name. */
export const MAX_NAME = 253;
/** Maximum length of a DNS label. */
const MAX_LABEL = 63;
const HASH_DIGITS = 8;

/**
 * Prefixes of the names of generated objects. BoundaryValidation takes them as reserved: an object of somebody else that
 * has such a name replaces one of the library.
 */
export const PREFIX = {
  /** Objects of the ingress gateway, in its namespace. */
  ingress: 'fed-in',
  /** Objects of the egress gateway, in its namespace. */
  egress: 'fed-out',
  /** DestinationRule for all workloads of the mesh, in the namespace of the egress gateway. */
  anyCaller: 'fed-any',
  /** DestinationRule for the callers in one namespace. */
  caller: 'fed-call',
  /** Route and hosts of a local name. */
  localName: 'fed-name',
  /** Lock of an exported workload. */
  lock: 'fed-lock',
  /** Restriction of a namespace. */
  restriction: 'fed-restricted',
} as const;
/** Name of the NetworkPolicy that denies all traffic of a namespace, and prefix of that name where it has a suffix. */
export const DEFAULT_DENY = 'federation-default-deny';

/** The full name of a Kubernetes Service. */
export function serviceHost(serviceName: string, namespaceName: string, clusterDomain: string): string {
  return `${serviceName}.${namespaceName}.svc.${clusterDomain}`;
}

/** Suffix of all SNIs of a mesh: those of its exports and those of its egress gateway. */
export function exportDomain(trustDomain: string): string {
  return `.fed.${trustDomain}`;
}

/** Suffix of the SNIs of all exports of a mesh for one peer. */
export function exportDomainFor(peerName: string, trustDomain: string): string {
  return `.${peerName}${exportDomain(trustDomain)}`;
}

/** Suffix of all SNIs of the egress gateway. */
export function bindingDomain(trustDomain: string): string {
  return `.egress${exportDomain(trustDomain)}`;
}

/** Suffix of the SNIs of the egress gateway that are routed to one peer. */
export function bindingDomainFor(peerName: string, trustDomain: string): string {
  return `.${peerName}${bindingDomain(trustDomain)}`;
}

/**
 * TLS server name (SNI) of one exported port for one peer. `peerName` is the name that the exporting mesh uses for the
 * peer.
 */
export function sniOf(exportName: string, exportPort: number, peerName: string, trustDomain: string): string {
  return `p${exportPort}.${exportName}${exportDomainFor(peerName, trustDomain)}`;
}

/** Common suffix of the SNIs of all exports of one peer for us: the SNI without port and export name. */
export function sniSuffixOf(exportName: string, exportPort: number, sni: string): string {
  return sni.slice(`p${exportPort}.${exportName}`.length);
}

/**
 * A port of a local name, and the peer to which it is routed. A variant distinguishes several exports of the same peer.
 */
export interface BindingParts {
  readonly serviceName: string;
  readonly namespaceName: string;
  readonly localPort: number;
  readonly peerName: string;
  readonly variant: string | undefined;
}

/**
 * SNI and host of one port of a local name at the egress gateway. It never leaves the mesh, so a hash may replace the
 * names in it.
 */
export function bindingHostOf({ serviceName, namespaceName, localPort, peerName, variant }: BindingParts, trustDomain: string): string {
  const domain = bindingDomainFor(peerName, trustDomain);
  const port = variant === undefined ? `p${localPort}` : `p${localPort}-${hash(variant)}`;
  const plain = `${port}.${serviceName}.${namespaceName}${domain}`;
  return plain.length <= MAX_NAME ? plain : `${port}.${hash(serviceName, namespaceName)}${domain}`;
}

/** Name of an object for one peer or one local name: `fed-in-west`. */
export function singleObjectName(prefix: string, name: string): string {
  return join(prefix, [name], !endsLikeHash(name));
}

/** Name of an object for one exported port and one peer: `fed-in-reviews-9080-west`; without prefix its listener. */
export function exportObjectName(prefix: string, exportName: string, port: number, peerName: string): string {
  return join(prefix, [exportName, String(port), peerName], isUnambiguous(/^(.+)-(\d+)-(.+)$/, [exportName, String(port), peerName]));
}

/**
 * Name of an object for one port of a local name and one peer: `fed-out-reviews-9080-default-east`; without prefix its
 * subset.
 */
export function bindingObjectName(prefix: string, parts: BindingParts): string {
  return joinBinding(prefix, parts, [], /^(.+)-(\d+)-(.+)-([^-]+)$/);
}

/**
 * Name of the DestinationRule with which the callers of one namespace reach a listener. There is one in each namespace
 * with callers.
 */
export function callerObjectName(parts: BindingParts, callerNamespace: string): string {
  return joinBinding(PREFIX.caller, parts, [callerNamespace], /^(.+)-(\d+)-(.+)-([^-]+)-([^-]+)$/);
}

/** Name of an object for one Service: the route of a local name is `fed-name-reviews-default`. */
export function serviceObjectName(prefix: string, serviceName: string, namespaceName: string): string {
  return join(prefix, [serviceName, namespaceName], isUnambiguous(/^(.+)-([^-]+)$/, [serviceName, namespaceName]));
}

/**
 * Name of the RequestAuthentication of an issuer. An issuer is an arbitrary string, so a hash makes the name unique.
 */
export function issuerObjectName(prefix: string, issuer: string): string {
  const readable = `${prefix}-${issuer.toLowerCase().replace(/^https?:/, '').replace(/[^a-z0-9]+/g, '-')}`.replace(/--+/g, '-');
  return `${readable.slice(0, MAX_LABEL - HASH_DIGITS - 1).replace(/-+$/, '')}-${hash(prefix, issuer)}`;
}

/** Value of the label that selects the pods of one gateway, and those of no other boundary. */
export function gatewayLabel(namespaceName: string, role: string): string {
  return join('', [namespaceName, role], true);
}

/**
 * Whether parts may have the plain joined name, without a hash. Joining with dashes is ambiguous (`a-b` and `c`, `a`
 * and `b-c`). Of all parts with the same joined name, only those that the pattern reads from it have the plain name.
 * All others get a hash, as do names that look like the prefix of another object or end like a hash. They always get
 * it, not only if both are declared, so that a name does not depend on other declarations of a program.
 */
function isUnambiguous(pattern: RegExp, parts: string[]): boolean {
  const name = parts.join('-');
  const read = pattern.exec(name)?.slice(1);
  return !name.includes('.') && !/^(guard|isolated)(-|$)/.test(name) && !endsLikeHash(name) && parts.every((part, index) => part === read?.[index]);
}

function joinBinding(prefix: string, binding: BindingParts, more: string[], pattern: RegExp): string {
  const { serviceName, namespaceName, localPort, peerName, variant } = binding;
  const parts = [serviceName, String(localPort), namespaceName, peerName, ...more];
  return variant === undefined ? join(prefix, parts, isUnambiguous(pattern, parts)) : join(prefix, [...parts, variant], false);
}

function endsLikeHash(name: string): boolean {
  return /(^|-)[0-9a-f]{8}$/.test(name);
}

function join(prefix: string, parts: string[], plain: boolean): string {
  const name = [prefix, ...parts].filter((part) => part !== '').join('-').replaceAll('.', '-');
  if (plain && name.length <= MAX_LABEL) return name;
  return `${name.slice(0, MAX_LABEL - HASH_DIGITS - 1).replace(/-+$/, '')}-${hash(prefix, ...parts)}`;
}

function hash(...parts: string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, HASH_DIGITS);
}
