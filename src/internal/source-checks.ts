import { isIP } from 'net';
import { checkPort, isDnsName } from './checks';
import { describeMistake, fail, show, Where } from './errors';
import { checkFields, checkList } from './kind-checks';
import { Alias, isUnlisted, Site, speaksHttp } from './model';
import { exportDomain } from './names';
import { checkHeaders } from './rule-checks';
import { DeclaredPort, DeclaredShare, destinationKey, headersKey } from './sources';
import type { PortMapping, SourceShare } from '../bind';
import type { IExposedService } from '../expose';

/** Ports that a source has, each under a number of its own. */
export function checkMappings(where: Where, source: IExposedService, mappings?: PortMapping[]): void {
  if (mappings === undefined) return;
  checkList(where, 'portMappings', mappings);
  if (mappings.length === 0) fail('FED404', where, 'portMappings is an empty list', 'map a port, or leave the option out to bind all');
  const known = source.ports.map(({ exportPort }) => exportPort);
  mappings.forEach((mapping, index) => {
    checkFields(where, 'an entry of portMappings', mapping, ['localPort', 'exportPort']);
    const { localPort, exportPort } = mapping;
    checkPort(where, 'FED404', localPort, 'local port');
    if (!known.includes(exportPort)) {
      fail('FED404', where, `${show(source.exportName)} does not export port ${show(exportPort)}`, `choose among ${known.join(', ')}`);
    }
    if (mappings.findIndex((other) => other.localPort === localPort) !== index) {
      fail('FED404', where, `the local port ${localPort} stands there twice`, 'give each exported port a local port of its own');
    }
  });
}

/** Names that nobody but the mesh's own DNS gives another meaning, sorted. */
export function checkedHosts(where: Where, { clusterDomain, trustDomain }: Site, hosts: string[] = []): string[] {
  checkList(where, 'additionalHosts', hosts);
  hosts.forEach((host, index) => {
    const refuse = (what: string, cure: string) => fail('FED412', where, `the additional host ${show(host)} ${what}`, cure);
    if (typeof host !== 'string' || !isDnsName(host) || !host.includes('.') || isIP(host) !== 0) {
      refuse('is no full name', 'use DNS labels joined by dots, lower case, for example "vault.east.example"');
    }
    if (`.${host}`.endsWith(`.${clusterDomain}`) || /\.svc(\.|$)/.test(host)) {
      refuse('lies in the domain of a cluster', 'bind the Service of that name: LocalName.newService(…)');
    }
    if (host.endsWith(exportDomain(trustDomain))) refuse('is one of the boundary\'s own', 'choose another name');
    if (hosts.indexOf(host) !== index) refuse('stands there twice', 'take one of them away');
  });
  return [...hosts].sort();
}

/** A share as it stands alone. */
export function checkShare(where: Where, { weight, whenHeaders }: SourceShare): void {
  if (weight !== undefined && !(Number.isFinite(weight) && weight >= 0)) {
    fail('FED409', where, `the weight ${show(weight)} is no share`, 'use a number from 0 on: shares are relative to each other');
  }
  if (whenHeaders === undefined) return;
  checkHeaders(where, 'whenHeaders', 'FED409', whenHeaders);
  if (weight !== undefined) {
    fail('FED409', where, `a source has the weight ${show(weight)} and whenHeaders ${show(whenHeaders)}`,
      'take one of them away: requests with the headers all go there, others never do');
  }
}

/** What the sources of one port and its callers say together. */
export function mistakesInPort(where: Where, alias: Alias, { localPort, shares }: DeclaredPort): string[] {
  const port = `port ${localPort} of ${show(alias.host)}`;
  const protocols = [...new Set(shares.flatMap(({ route }) => route?.upstream.protocol ?? []))].sort();
  const bytes = !protocols.every(speaksHttp);
  const unlisted = alias.callers.find(isUnlisted);
  return [
    ...protocols.length > 1
      ? [describeMistake('FED410', where, `the sources of ${port} speak ${protocols.join(' and ')}`,
        'give the sources of one local port one protocol, or map them to different local ports')]
      : [],
    ...bytes && shares.some(({ headers }) => headers)
      ? [describeMistake('FED410', where, `${port} is not HTTP or gRPC, but a source has whenHeaders`, 'use weights: there are no headers to look at')]
      : [],
    ...bytes && unlisted
      ? [describeMistake('FED408', where, `${port} is not HTTP or gRPC, but callers are allowed as ${show(unlisted.principal)}`,
        'name each caller: Caller.serviceAccount(…). Only identities that are listed can be checked in the handshake, before a server speaks')]
      : [],
    ...mistakesInShares(where, port, shares),
  ];
}

function mistakesInShares(where: Where, port: string, shares: DeclaredShare[]): string[] {
  const refuse = (what: string, cure: string) => describeMistake('FED409', where, what, cure);
  const weighted = shares.filter(({ headers }) => headers === undefined);
  const special = shares.filter(({ headers }) => headers !== undefined).map(({ headers }) => headersKey(headers!));
  const twice = weighted.map(({ route }) => destinationKey(route)).find((key, index, all) => all.indexOf(key) !== index);
  const sameHeaders = special.find((key, index) => special.indexOf(key) !== index);
  return [
    ...weighted.length === 0
      ? [refuse(`every source of ${port} has whenHeaders, so other requests have nowhere to go`, 'add one without, for example addLocalSource()')]
      : [],
    ...twice === undefined ? [] : [refuse(`one source stands twice behind ${port}`, 'add its weights up, or give one of them whenHeaders')],
    ...sameHeaders === undefined ? [] : [refuse(`two sources of ${port} take requests with the same headers ${sameHeaders}`, 'give each headers of its own')],
    ...new Set(weighted.map(({ weight }) => weight === undefined)).size > 1
      ? [refuse(`some sources of ${port} have a weight and some have none`, 'give all a weight, or none')]
      : [],
    ...weighted.length > 0 && weighted.every(({ weight }) => weight === 0)
      ? [refuse(`all sources of ${port} have the weight 0`, 'give the one that takes the traffic a weight')]
      : [],
  ];
}
