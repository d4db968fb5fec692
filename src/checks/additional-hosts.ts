import { fail, show, Where } from './errors';
import { checkList } from './kinds';
import type { DeclaredPeer } from './peer';
import { isHostName } from './values';
import { isMetadataHost, isWithin } from '../model/addresses';
import { SYSTEM_NAMESPACE } from '../model/constants';
import type { BoundaryConfig } from '../model/model';
import { exportDomain } from '../model/names';
import { isApiServer, isClusterName, serviceOf } from '../model/services';

/*
 * Additional hosts of a binding. They are names outside of the cluster, so they must not be read as a Service by pods. A
 * pod looks up a name with fewer than five dots below the domains of its cluster first (`search` and `ndots` of its
 * resolv.conf): `svc.cluster.local` completes `payments.prod` to a Service, and `db-0.db.prod` to a pod of a headless
 * Service. Its sidecar also has `payments.prod` and `payments.prod.svc` as domains of that Service, and of two services
 * with one domain istiod keeps the first one.
 */

/**
 * Top-level domains of countries and of the European Union (ISO 3166-1, with `ac`, `eu`, `su` and `uk`), without `bi`,
 * `cd`, `ci`, `gw`, `ml`, `mq` and `qa`: these also abbreviate what a namespace is for.
 */
const COUNTRIES = [
  ...'ac ad ae af ag ai al am ao aq ar as at au aw ax az ba bb bd be bf bg bh bj bm bn bo br bs bt bv bw by bz ca cc'.split(' '),
  ...'cf cg ch ck cl cm cn co cr cu cv cw cx cy cz de dj dk dm do dz ec ee eg er es et eu fi fj fk fm fo fr ga gd ge gf'.split(' '),
  ...'gg gh gi gl gm gn gp gq gr gs gt gu gy hk hm hn hr ht hu id ie il im in io iq ir is it je jm jo jp ke kg kh ki km'.split(' '),
  ...'kn kp kr kw ky kz la lb lc li lk lr ls lt lu lv ly ma mc md me mg mh mk mm mn mo mp mr ms mt mu mv mw mx my mz'.split(' '),
  ...'na nc ne nf ng ni nl no np nr nu nz om pa pe pf pg ph pk pl pm pn pr ps pt pw py re ro rs ru rw sa sb sc sd se sg'.split(' '),
  ...'sh si sj sk sl sm sn so sr ss st su sv sx sy sz tc td tf tg th tj tk tl tm tn to tr tt tv tw tz ua ug uk us uy uz va'.split(' '),
  ...'vc ve vg vi vn vu wf ws ye yt za zm zw'.split(' '),
];
/**
 * Other top-level domains which are hardly the name of a namespace: early generic ones, and the one for documentation.
 * The hundreds of newer ones are words that name namespaces as well, such as `prod`, `dev`, `shop` or `bank`, and so are
 * `int` and the endings of private networks, such as `internal`. A list of all of them would decide nothing.
 */
const COMMON_DOMAINS = new Set([...COUNTRIES, 'com', 'edu', 'gov', 'info', 'mil', 'net', 'org', 'example']);
/** The beginning of a top-level domain in another script. */
const OTHER_SCRIPT = 'xn--';

/** Maximum number of hosts and of ports of a ServiceEntry. */
export const LARGEST_ENTRY = 256;

/** Checks additional hosts, except in relation to other declarations. */
export function parseHosts(where: Where, config: BoundaryConfig, hosts: string[] = []): string[] {
  const { clusterDomain, trustDomain } = config;
  checkList(where, 'additionalHosts', hosts);
  if (hosts.length > LARGEST_ENTRY) {
    fail('FED412', where, `additionalHosts has ${hosts.length} hosts, but a ServiceEntry takes ${LARGEST_ENTRY}`,
      'bind the source under several local names, each with a part of the hosts');
  }
  hosts.forEach((host, index) => {
    const reject = (what: string, fix: string) => fail('FED412', where, `the additional host ${show(host)} ${what}`, fix);
    if (typeof host !== 'string' || !isHostName(host) || !host.includes('.')) {
      reject('is not a fully qualified name', 'use DNS labels joined by dots, in lower case, for example "vault.east.example"');
    }
    if (isClusterName(host, clusterDomain)) {
      const [serviceName, namespaceName, kind] = host.split('.');
      const bindable = kind === 'svc' && !isApiServer(serviceName, namespaceName) && !isReserved(config, namespaceName);
      reject(`is in the domain ${show(clusterDomain)} of our cluster`,
        bindable ? localNameFor(serviceName, namespaceName) : `choose a host outside of ${show(clusterDomain)}`);
    }
    if (isMetadataHost(host)) reject('is the computer itself, or a metadata service of a cloud platform', 'choose another host name');
    if (host.endsWith(exportDomain(trustDomain))) reject('is reserved for the boundary', 'choose another host name');
    if (hosts.indexOf(host) !== index) reject('is listed twice', 'remove one of them');
  });
  return [...hosts].sort();
}

/**
 * Rejects hosts that may be a Service, or a pod of one. The peer's own domain is a domain: one of its endpoints is below
 * it. `ownerOf` returns to whom a namespace without applications belongs.
 */
export function checkShortHosts(
  where: Where, hosts: readonly string[], peer: DeclaredPeer, ownerOf: (namespaceName: string) => string | undefined,
): void {
  for (const host of hosts) {
    const named = serviceOf(host);
    if (named === undefined) continue;
    const { podName, serviceName, namespaceName } = named;
    if (podName !== undefined && isDomainOf(peer, host)) continue;
    const owner = ownerOf(namespaceName) ?? (isApiServer(serviceName, namespaceName) ? 'the API server' : undefined);
    if (owner !== undefined) {
      fail('FED412', where, `the additional host ${show(host)} is ${podName === undefined ? '' : 'a pod of '}the Service ${show(serviceName)} of ${owner}`,
        'choose a host outside of the cluster');
    }
    if (podName !== undefined) {
      // Every cluster has this namespace, and no public domain ends so.
      if (namespaceName === 'default') fail('FED412', where, ...shadowed(host));
      continue;
    }
    if (COMMON_DOMAINS.has(namespaceName) || namespaceName.startsWith(OTHER_SCRIPT) || isDomainOf(peer, host)) continue;
    fail('FED412', where,
      `the additional host ${show(host)} is also the short name of a Service in a namespace ${show(namespaceName)}, which pods look up first`,
      `for a domain, choose a name below it, such as ${show(`www.${host}`)}, or set an endpoint of peer ${show(peer.meshName)} below it; `
      + `for a Service, ${localNameFor(serviceName, namespaceName)}`);
  }
}

/** Whether an endpoint of a peer is below a name, or below the domain of a name of three labels: `api.acquirer.bank`. */
export function isDomainOf({ endpoints }: DeclaredPeer, host: string): boolean {
  const domain = host.split('.').slice(-2).join('.');
  return endpoints.some(({ address }) => isWithin(address, domain));
}

/** Whether a namespace contains no applications. */
function isReserved({ rootNamespaceName, namespaceName, ingress, egress }: BoundaryConfig, name: string): boolean {
  return SYSTEM_NAMESPACE.test(name) || [rootNamespaceName, namespaceName, ingress.namespaceName, egress.namespaceName].includes(name);
}

/** The problem and the fix of an additional host that is a short name in a namespace which the program uses. */
export function shadowed(host: string): [problem: string, fix: string] {
  const { podName, serviceName, namespaceName } = serviceOf(host)!;
  const otherName = `choose a host that does not end in ${show(`.${namespaceName}`)}`;
  return podName === undefined
    ? [`the additional host ${show(host)} is also the short name of a Service in the namespace ${show(namespaceName)}, which pods look up first`,
      `${localNameFor(serviceName, namespaceName)}; for a domain, ${otherName}`]
    : [`the additional host ${show(host)} is also the short name of a pod of a headless Service ${show(serviceName)} in the namespace ${show(namespaceName)}, `
      + 'which pods look up first', otherName];
}

function localNameFor(serviceName: string, namespaceName: string): string {
  return `use that Service as the local name of a binding: LocalName.newService(${show(serviceName)}, ${show(namespaceName)})`;
}
