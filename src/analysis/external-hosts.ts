import { plain } from './bound-hosts';
import { isIstio, listOf } from './documents';
import type { Manifest } from './manifests';

/*
 * What ServiceEntries say about the hosts of DestinationRules: Istio verifies the names that an entry lists, and
 * verifies the host itself only where requests are HTTP.
 */

export interface ExternalHosts {
  /** Hosts with subjectAltNames in a ServiceEntry. */
  readonly pinned: ReadonlySet<string>;
  /** Hosts of ServiceEntries whose ports are all TCP. */
  readonly withoutHttp: ReadonlySet<string>;
}

const HTTP = /^(HTTPS?|HTTP2|GRPC(-WEB)?)$/i;

export function externalHostsIn(manifests: readonly Manifest[]): ExternalHosts {
  const entries = manifests.map(({ document }) => document).filter((document) => isIstio(document, 'ServiceEntry')).map(({ spec }) => ({
    hosts: listOf(spec?.hosts).map(plain),
    pinned: listOf(spec?.subjectAltNames).length > 0,
    http: listOf(spec?.ports).some((port) => HTTP.test(String(port?.protocol))),
  }));
  const http = new Set(entries.filter((entry) => entry.http).flatMap(({ hosts }) => hosts));
  return {
    pinned: new Set(entries.filter(({ pinned }) => pinned).flatMap(({ hosts }) => hosts)),
    withoutHttp: new Set(entries.flatMap(({ hosts }) => hosts).filter((host) => !http.has(host))),
  };
}
