import { BlockList, isIP } from 'net';

/*
 * What an address or a name means, whatever its spelling. Documentation ranges (TEST-NETs, 2001:db8::/32) count as
 * public: examples and tests use them, and nothing answers there.
 */

/** IPv4 networks that other organisations cannot reach (RFC 6890). */
const PRIVATE_IPV4 = [
  ['0.0.0.0', 8], ['10.0.0.0', 8], ['100.64.0.0', 10], ['127.0.0.0', 8], ['169.254.0.0', 16], ['172.16.0.0', 12], ['192.0.0.0', 24],
  ['192.88.99.0', 24], ['192.168.0.0', 16], ['198.18.0.0', 15], ['224.0.0.0', 3],
] as const;
/** The same for IPv6. Teredo (2001::/32) tunnels to addresses behind NAT; `::/96` embeds IPv4 and is not routed. */
const PRIVATE_IPV6 = [
  ['::', 96], ['64:ff9b:1::', 48], ['100::', 64], ['2001::', 32], ['2001:2::', 48], ['2001:10::', 28], ['2001:20::', 28], ['5f00::', 16], ['fc00::', 7], ['fe80::', 9],
  ['ff00::', 8],
] as const;
/** Hosts of cloud platforms that give credentials to whoever asks from inside, and link-local addresses. */
const METADATA_IPV4 = [['0.0.0.0', 8], ['127.0.0.0', 8], ['169.254.0.0', 16], ['100.100.100.200', 32], ['168.63.129.16', 32], ['192.0.0.192', 32]] as const;
const METADATA_NAME = new RegExp('^(localhost|metadata|instance-data)$|\\.localhost$|^localhost[46]?\\.localdomain[46]?$'
  + '|^(metadata|instance-data)\\.([a-z0-9.-]+\\.)?internal$|^metadata\\.(goog|tencentyun\\.com|packet\\.net|platformequinix\\.com)$');
/**
 * Endings of names that only a local network or a certain program resolves: special-use domains (RFC 2606, 6761, 6762, 7686,
 * 8375, 9476; `arpa` is the infrastructure of the DNS), those that ICANN reserves or does not delegate, and those of
 * Kubernetes (with the namespaces of every cluster), Consul, Nomad and Azure.
 */
const LOCAL_NAME = new RegExp('\\.(alt|arpa|consul|corp|home|internal|internal\\.cloudapp\\.net|intra|intranet|invalid|lan|local|localdomain|localhost|localnet|mail'
  + '|nomad|onion|pod|private|svc|test|default|kube-(system|public|node-lease))$|\\.svc\\.');
/** A top-level domain of the public DNS has letters only, or is in another script. Names of namespaces also have digits and dashes. */
const TOP_LEVEL = /\.([a-z]+|xn--[a-z0-9-]+)$/;
/** Load balancers of AWS inside a VPC. The public DNS gives their private addresses; names of others cannot begin so. */
const INTERNAL_BALANCER = /^internal-[a-z0-9-]+\.([a-z0-9-]+\.)?elb\.amazonaws\.com(\.cn)?$/;
/** Domains of the public DNS below which every name has the address 127.0.0.1. */
const LOOPBACK_DOMAINS = [
  '127-0-0-1.org.uk', 'ddev.site', 'fuf.me', 'lacolhost.com', 'lndo.site', 'local.gd', 'localho.st', 'localhost.direct', 'localhst.co.uk', 'localtest.me', 'lvh.me', 'vcap.me',
];
/** Domains of the public DNS below which a name has the address that is written in it: `10.0.0.1.nip.io`, `10-0-0-1.sslip.io`. */
const ADDRESS_DOMAINS = ['backname.io', 'local-ip.sh', 'my.local-ip.co', 'nip.io', 'plex.direct', 'sslip.io', 'traefik.me', 'xip.io'];

const INTERNAL = networks(PRIVATE_IPV4);
for (const [network, prefix] of PRIVATE_IPV6) INTERNAL.addSubnet(network, prefix, 'ipv6');
/** Addresses that can be global: what IANA assigns (2000::/3), and IPv4 behind the well-known prefix of NAT64. */
const GLOBAL = new BlockList();
GLOBAL.addSubnet('2000::', 3, 'ipv6');
GLOBAL.addSubnet('64:ff9b::', 96, 'ipv6');
const METADATA = networks(METADATA_IPV4);
// AWS and Google Cloud
for (const address of ['::1', 'fd00:ec2::254', 'fd20:ce::254']) METADATA.addAddress(address, 'ipv6');
METADATA.addSubnet('fe80::', 10, 'ipv6');

/** Networks of IPv4, and the IPv6 addresses that embed them: mapped, NAT64 and 6to4. */
function networks(ipv4: readonly (readonly [string, number])[]): BlockList {
  const list = new BlockList();
  for (const [network, prefix] of ipv4) {
    list.addSubnet(network, prefix, 'ipv4');
    const [a, b, c, d] = network.split('.').map((byte) => Number(byte).toString(16).padStart(2, '0'));
    list.addSubnet(`::ffff:${a}${b}:${c}${d}`, 96 + prefix, 'ipv6');
    list.addSubnet(`64:ff9b::${a}${b}:${c}${d}`, 96 + prefix, 'ipv6');
    list.addSubnet(`2002:${a}${b}:${c}${d}::`, 16 + prefix, 'ipv6');
  }
  return list;
}

/**
 * Whether peers outside of the network cannot reach an address: it is private (RFC 1918, 6598, 4193), link-local or
 * multicast, or a name that only a local network or the cluster resolves, or that resolves to such an address.
 */
export function isInternal(address: string, cluster: ClusterNames): boolean {
  if (isMetadataHost(address)) return true;
  const family = isIP(address);
  if (family === 4) return INTERNAL.check(address, 'ipv4');
  if (family === 6) return INTERNAL.check(address, 'ipv6') || !GLOBAL.check(address, 'ipv6') && !isMappedIpv4(address);
  return !TOP_LEVEL.test(address) || LOCAL_NAME.test(address) || INTERNAL_BALANCER.test(address) || isWithin(address, cluster.clusterDomain)
    || cluster.namespaceNames.some((name) => isShortName(address, name)) || addressesIn(address).some((written) => isInternal(written, cluster));
}

/** Names of a cluster that mean something there only: its domain, and namespaces whose Services pods call by `<name>.<namespace>`. */
export interface ClusterNames {
  readonly clusterDomain: string;
  readonly namespaceNames: readonly string[];
}

/** Whether a name is the short name of a Service in a namespace. */
function isShortName(name: string, namespaceName: string): boolean {
  return name.endsWith(`.${namespaceName}`) && name.split('.').length === 2;
}

/** Whether a host is the computer itself, link-local, or a metadata service of a cloud platform. */
export function isMetadataHost(host: string): boolean {
  const family = isIP(host);
  if (family !== 0) return METADATA.check(host, family === 4 ? 'ipv4' : 'ipv6');
  return METADATA_NAME.test(host) || LOOPBACK_DOMAINS.some((domain) => isWithin(host, domain)) || addressesIn(host).some(isMetadataHost);
}

/** The addresses that a name may contain, if it belongs to a service that resolves names to the addresses in them. */
function addressesIn(name: string): string[] {
  const domain = ADDRESS_DOMAINS.find((one) => isWithin(name, one));
  if (domain === undefined) return [];
  const labels = name.slice(0, -domain.length).split('.').filter((label) => label !== '');
  const parts = labels.flatMap((label) => label.split('-'));
  const ipv4 = parts.map((_, index) => parts.slice(index, index + 4).join('.'));
  const hexadecimal = parts.filter((part) => /^[0-9a-f]{8}$/.test(part)).map((part) => addressOf(BigInt(`0x${part}`), 4));
  return [...ipv4.filter((text) => isIP(text) === 4), ...hexadecimal, ...labels.flatMap(ipv6In)];
}

/** The IPv6 address at the end of a label, with dashes in place of colons: `app-fd00--1`. */
function ipv6In(label: string): string[] {
  const starts = [0, ...Array.from(label.matchAll(/-/g), ({ index }) => index + 1)];
  const found = starts.map((start) => label.slice(start).replaceAll('-', ':')).find((text) => isIP(text) === 6);
  return found === undefined ? [] : [found];
}

/** Whether an address is IPv4 written as IPv6: `::ffff:192.0.2.1`. */
export function isMappedIpv4(address: string): boolean {
  return isIP(address) === 6 && MAPPED.check(address, 'ipv6');
}

const MAPPED = new BlockList();
MAPPED.addSubnet('::ffff:0:0', 96, 'ipv6');

/** Whether a name is a domain or below it. */
export function isWithin(name: string, domain: string): boolean {
  return `.${name}`.endsWith(`.${domain}`);
}

/**
 * Whether a name ends in a number, as no domain name does: resolvers read `127.1`, `0x7f.0.0.1` and `2130706433` as IPv4
 * addresses, and istiod rejects a numeric top-level domain.
 */
export function endsInNumber(name: string): boolean {
  return /(^|\.)(\d+|0x[0-9a-f]*)$/i.test(name);
}

/** A CIDR range, with its network if bits are set after the mask. */
interface Cidr {
  readonly family: 4 | 6;
  /** The same range without these bits; undefined if there are none. */
  readonly network: string | undefined;
}

/**
 * Parses a CIDR range as Kubernetes does from 1.36 on: no leading zeros, no blanks, no zone, no IPv4 written as IPv6.
 * Undefined if it is not valid.
 */
export function parseCidr(text: string): Cidr | undefined {
  const [, address, length] = /^([0-9a-fA-F.:]+)\/(0|[1-9]\d{0,2})$/.exec(text) ?? [];
  const family = isIP(address ?? '');
  const bits = family === 4 ? 32 : 128;
  if (family === 0 || isMappedIpv4(address) || Number(length) > bits) return undefined;
  const value = valueOf(address);
  const rest = value % 2n ** BigInt(bits - Number(length));
  return { family: family === 4 ? 4 : 6, network: rest === 0n ? undefined : `${addressOf(value - rest, family)}/${length}` };
}

/**
 * Whether ranges have every public address of IPv4 or of IPv6 together, in any number of parts. Ranges without the
 * private addresses are a usual way to write "everywhere".
 */
export function coverInternet(ranges: readonly string[]): boolean {
  const own = ranges.map(intervalOf);
  const privately = [...PRIVATE_IPV4, ...PRIVATE_IPV6].map(([network, prefix]) => intervalOf(`${network}/${prefix}`));
  return [intervalOf('0.0.0.0/0'), intervalOf('2000::/3')].some((whole) =>
    own.some(({ family }) => family === whole.family) && isCovered(whole, [...own, ...privately]));
}

interface Interval {
  readonly family: number;
  readonly first: bigint;
  readonly last: bigint;
}

function intervalOf(range: string): Interval {
  const [address, length] = range.split('/');
  const family = isIP(address);
  const size = 2n ** BigInt((family === 4 ? 32 : 128) - Number(length));
  const first = valueOf(address);
  return { family, first, last: first + size - 1n };
}

function isCovered({ family, first, last }: Interval, parts: Interval[]): boolean {
  const sorted = parts.filter((part) => part.family === family).sort((a, b) => a.first < b.first ? -1 : 1);
  let next = first;
  for (const part of sorted) if (part.first <= next && part.last >= next) next = part.last + 1n;
  return next > last;
}

function valueOf(address: string): bigint {
  if (isIP(address) === 4) return address.split('.').reduce((value, byte) => value * 256n + BigInt(byte), 0n);
  const [left, right] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::').map((side) => side.split(':').filter((group) => group !== ''));
  const groups = right === undefined ? left : [...left, ...Array<string>(8 - left.length - right.length).fill('0'), ...right];
  return groups.reduce((value, group) => value * 65536n + BigInt(`0x${group}`), 0n);
}

function addressOf(value: bigint, family: number): string {
  if (family === 4) return digitsOf(value, 256n, 4).join('.');
  const groups = digitsOf(value, 65536n, 8).map((group) => group.toString(16)).join(':');
  return new URL(`http://[${groups}]`).hostname.slice(1, -1);
}

function digitsOf(value: bigint, base: bigint, count: number): bigint[] {
  return Array.from({ length: count }, (_, index) => value / base ** BigInt(count - 1 - index) % base);
}
