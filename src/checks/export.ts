import { fail, show, Where } from './errors';
import { checkSupported } from './istio-version';
import { checkGiven, checkList, fieldsOf, parseFields, readGiven } from './kinds';
import { ACCOUNTABILITY, checkAccountability, isDnsName, parseDuration } from './values';
import type { ExposedServiceOptions } from '../export-options';
import type { IMeshPeer } from '../mesh-peer';
import { annotationsOf } from '../model/annotations';
import type { IstioMinor } from '../model/istio-support';
import { Annotations, speaksHttp } from '../model/model';
import { MAX_NAME, sniOf } from '../model/names';
import { LocalService, ServicePort } from '../service';

const FIELDS = fieldsOf<ExposedServiceOptions>({
  ...ACCOUNTABILITY, service: true, exportName: true, ports: true, requestTimeout: true, idleTimeout: true,
});
const LONGEST_PEER_NAME = 'x'.repeat(63);

/** Timeouts of an export, in milliseconds. */
interface Timeouts {
  readonly requestTimeout: number | undefined;
  readonly idleTimeout: number | undefined;
}

/** The checked properties of an export. */
export interface CheckedExport {
  readonly service: LocalService;
  readonly exportName: string;
  readonly ports: readonly ServicePort[];
  readonly timeouts: Timeouts;
  readonly annotations: Annotations;
}

/** Rejects an unknown field in the options of `expose`, such as another mesh. Props of an export may name the same one. */
export function parseExportFields(
  where: Where, us: IMeshPeer, options: ExposedServiceOptions & { readonly mesh?: IMeshPeer },
): ExposedServiceOptions {
  return parseFields(where, 'the options of expose', options, readGiven(where, 'the options of expose', () => options?.mesh === us) ? ['mesh', ...FIELDS] : FIELDS);
}

/** Checks the properties of an export, except conflicts with other exports of the mesh. */
export function parseExport(where: Where, given: ExposedServiceOptions, trustDomain: string, istioVersion: IstioMinor): CheckedExport {
  const options = parseFields(where, 'the properties of ExposedService', given, ['mesh', ...FIELDS]);
  checkGiven(where, 'service', options.service, LocalService);
  checkList(where, 'ports', options.ports);
  checkAccountability(where, options);
  const { service, exportName, ports } = options;
  checkExport(where, exportName, ports, trustDomain);
  const requestTimeout = options.requestTimeout === undefined ? undefined : parseDuration(where, 'FED311', 'requestTimeout', options.requestTimeout);
  if (requestTimeout !== undefined && !ports.some(({ _protocol }) => speaksHttp(_protocol))) {
    fail('FED311', where, `requestTimeout is set, but ${show(exportName)} has no HTTP or gRPC port`, 'remove requestTimeout: it limits HTTP and gRPC requests only');
  }
  const idleTimeout = options.idleTimeout === undefined ? undefined : parseDuration(where, 'FED311', 'idleTimeout', options.idleTimeout);
  if (idleTimeout !== undefined) checkSupported(where, 'idleTimeout', istioVersion);
  return { service, exportName, ports, timeouts: { requestTimeout, idleTimeout }, annotations: annotationsOf(options) };
}

/** Checks export name and ports: the SNI must be valid for a peer with a name of any length. */
export function checkExport(where: Where, exportName: string, ports: ServicePort[], trustDomain: string): void {
  if (typeof exportName !== 'string' || !isDnsName(exportName)) {
    fail('FED301', where, `the export name ${show(exportName)} cannot be part of a TLS server name (SNI)`,
      'use DNS labels joined by dots, in lower case, for example "reviews" or "withdrawals.v1"');
  }
  const longest = sniOf(exportName, 65535, LONGEST_PEER_NAME, trustDomain).length;
  if (longest > MAX_NAME) {
    fail('FED301', where, `the export name ${show(exportName)} would make TLS server names (SNI) of up to ${longest} characters`,
      `use an export name of at most ${exportName.length - longest + MAX_NAME} characters: a TLS server name has at most ${MAX_NAME}`);
  }
  checkList(where, 'ports', ports);
  ports.forEach((port) => checkGiven(where, 'a port', port, ServicePort));
  if (ports.length === 0) fail('FED303', where, `the export ${show(exportName)} has no port`, 'list each port that peers may call');
  const numbers = ports.map(({ exportPort }) => exportPort);
  const twice = numbers.find((number, index) => numbers.indexOf(number) !== index);
  if (twice !== undefined) {
    fail('FED303', where, `the exported port ${twice} of ${show(exportName)} is listed twice`, 'set a different exportPort for each port');
  }
}

/** The exported ports with these numbers, or all of them. Rejects a number that is not exported. */
export function parseExportPorts(where: Where, ports: readonly ServicePort[], numbers: readonly number[] | undefined): readonly ServicePort[] {
  if (numbers === undefined) return ports;
  return numbers.map((number) => parseExportPort(where, ports, number));
}

/** The exported port with this number. Rejects a number that is not exported. `list` is where the program lists the ports. */
export function parseExportPort(where: Where, ports: readonly ServicePort[], number: number, list = 'ports of the export'): ServicePort {
  return ports.find(({ exportPort }) => exportPort === number) ?? fail('FED306', where,
    `port ${show(number)} is not exported`, `use one of the exported ports ${ports.map(({ exportPort }) => exportPort).join(', ')}, or add it to ${list}`);
}
