import { createHash } from 'crypto';

/*
 * Every name that goes on the wire or on an object. Names come from declared values alone, and two declarations never share one.
 */

/** Longest DNS name, and longest DNS label. */
export const MAX_NAME = 253;
const MAX_LABEL = 63;
const HASH_DIGITS = 8;

/** The full name of a Kubernetes Service. */
export function serviceHost(serviceName: string, namespaceName: string, clusterDomain: string): string {
  return `${serviceName}.${namespaceName}.svc.${clusterDomain}`;
}

/** All that peers may ask of a mesh lies below this. */
export function exportDomain(trustDomain: string): string {
  return `.fed.${trustDomain}`;
}

/** All that one peer may ask of a mesh lies below this. */
export function exportDomainFor(peerName: string, trustDomain: string): string {
  return `.${peerName}${exportDomain(trustDomain)}`;
}

/** All that callers may ask of the egress gateway lies below this. */
export function bindingDomain(trustDomain: string): string {
  return `.egress${exportDomain(trustDomain)}`;
}

/** All that callers may ask of the egress gateway and that leads to one peer lies below this. */
export function bindingDomainFor(peerName: string, trustDomain: string): string {
  return `.${peerName}${bindingDomain(trustDomain)}`;
}

/** The TLS server name of one exported port for one peer, as the exporter calls that peer. */
export function sniOf(exportName: string, exportPort: number, peerName: string, trustDomain: string): string {
  return `p${exportPort}.${exportName}${exportDomainFor(peerName, trustDomain)}`;
}

/** What the SNIs of all exports of one peer for us have in common: all behind port and export name. */
export function sniSuffixOf(exportName: string, exportPort: number, sni: string): string {
  return sni.slice(`p${exportPort}.${exportName}`.length);
}

/** One port of a local name, and the peer to which it leads. A variant tells several exports of the same peer apart. */
export interface BindingParts {
  readonly serviceName: string;
  readonly namespaceName: string;
  readonly localPort: number;
  readonly peerName: string;
  readonly variant?: string;
}

/** What the egress gateway calls one port of one local name. Never leaves the mesh, so a hash may stand for the names in it. */
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

/** Name of an object for one port of a local name and one peer: `fed-out-reviews-9080-default-east`; without prefix its subset. */
export function bindingObjectName(prefix: string, parts: BindingParts): string {
  return joinBinding(prefix, parts, [], /^(.+)-(\d+)-(.+)-([^-]+)$/);
}

/** Name of the rule that leads the callers of one namespace to a listener: unlike what it leads to, it stands in many namespaces. */
export function callerObjectName(parts: BindingParts, callerNamespace: string): string {
  return joinBinding('fed-call', parts, [callerNamespace], /^(.+)-(\d+)-(.+)-([^-]+)-([^-]+)$/);
}

/** Name of an object for one Service: the route of a local name is `fed-name-reviews-default`. */
export function serviceObjectName(prefix: string, serviceName: string, namespaceName: string): string {
  return join(prefix, [serviceName, namespaceName], isUnambiguous(/^(.+)-([^-]+)$/, [serviceName, namespaceName]));
}

/** Name of what says whose tokens are believed. An issuer is a text of any form, so the hash is what tells it from others. */
export function issuerObjectName(prefix: string, issuer: string): string {
  const readable = `${prefix}-${issuer.toLowerCase().replace(/^https?:/, '').replace(/[^a-z0-9]+/g, '-')}`.replace(/--+/g, '-');
  return `${readable.slice(0, MAX_LABEL - HASH_DIGITS - 1).replace(/-+$/, '')}-${hash(prefix, issuer)}`;
}

/** Value of the label that selects a gateway's pods, and no other boundary's. */
export function gatewayLabel(namespaceName: string, role: string): string {
  return join('', [namespaceName, role], true);
}

/**
 * Whether the parts can be read out of the joined name again. Joining with dashes is ambiguous (`a-b` and `c`, `a` and `b-c`); of all
 * the parts that give one name, exactly one reading is the pattern's, and only that one may have the plain name. The others, and what
 * could be taken for another object's prefix or for a hash, get a hash: always, not only when both are declared, so that a name never
 * depends on what else a program says.
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
