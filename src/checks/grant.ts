import { fail, show, Where } from './errors';
import { checkSpellings, parseGrpcMethods } from './http-rule';
import { checkSupported } from './istio-version';
import { checkGiven, checkList, fieldsOf, parseFields } from './kinds';
import type { DeclaredPeer } from './peer';
import { ACCOUNTABILITY, checkAccountability } from './values';
import type { AllowFromOptions } from '../grant';
import { HttpRule } from '../http-rule';
import type { IMeshPeer } from '../mesh-peer';
import { annotationsOf } from '../model/annotations';
import type { IstioMinor } from '../model/istio-support';
import type { Grant, HttpOperation, Protocol } from '../model/model';
import { hasRules, Permission } from '../model/permission';
import type { ServicePort } from '../service';

/*
 * The options of `allowFrom`, and whether they match the ports and earlier calls.
 */

const FIELDS = fieldsOf<AllowFromOptions>({ ...ACCOUNTABILITY, ports: true, http: true, grpcMethods: true, jwt: true });

/** The options that restrict requests, and the protocols that they support. */
const RULES = { http: ['http'], grpcMethods: ['grpc'], jwt: ['http', 'grpc'] } as const;

/** The fix when no port of the export has a protocol that the option supports. */
const INSTEAD: { readonly [protocol in Protocol]: (option: string) => string } = {
  http: () => 'use http: [HttpRule.allow({ paths: […] })] instead, or export the port as ServicePort.grpc',
  grpc: () => 'use grpcMethods: ["/package.Service/Method"] instead',
  tcp: (option) => `remove ${option}: proxies see no requests on a tcp port`,
  tls: (option) => `remove ${option}: proxies see no requests on a tls port`,
};

/** Requires a peer whose egress gateway can be verified. */
export function checkAllowedPeer(where: Where, us: IMeshPeer, peer: DeclaredPeer): void {
  if (peer.construct === us) {
    fail('FED407', where, `the service is allowed from its own mesh ${show(peer.meshName)}`,
      'allow a peer: traffic inside the mesh does not pass the boundary');
  }
  if (peer.egressIdentity === undefined) {
    fail('FED137', where, `the egressIdentity of mesh ${show(peer.meshName)} is not set, so its egress gateway cannot be verified`,
      `set egressIdentity of ${peer.construct.node.path} to the SPIFFE ID that its egress gateway presents`);
  }
}

/** Checks the options of `allowFrom`, except `jwt`, which `src/pki/` parses. */
export function parsePermission(
  where: Where, given: AllowFromOptions, istioVersion: IstioMinor,
): Omit<Permission, 'jwt'> & Pick<AllowFromOptions, 'jwt'> {
  const options = parseFields(where, 'the options of allowFrom', given, FIELDS);
  checkAccountability(where, options);
  const http = options.http === undefined ? undefined : parseHttpRules(where, options.http);
  const grpcMethods = options.grpcMethods === undefined ? undefined : parseGrpcMethods(where, options.grpcMethods);
  if (options.jwt !== undefined) checkSupported(where, 'jwt', istioVersion);
  if (options.jwt !== undefined && http?.some(({ headers }) => headers?.authorization !== undefined)) {
    fail('FED314', where, 'requiredHeaders lists the header "authorization", which holds the token', 'remove the header: jwt verifies the token');
  }
  return { ports: parsePorts(where, options.ports), http, grpcMethods, jwt: options.jwt, annotations: annotationsOf(options) };
}

/** Rejects rules for a port whose requests proxies cannot inspect: Istio would ignore them. */
export function checkProtocol(where: Where, port: ServicePort, permission: Permission, all: readonly ServicePort[]): void {
  for (const [option, protocols] of Object.entries(RULES)) {
    const speaksOne = ({ _protocol }: ServicePort) => protocols.some((protocol) => protocol === _protocol);
    if (permission[option as keyof typeof RULES] === undefined || speaksOne(port)) continue;
    const fitting = all.filter(speaksOne).map(({ exportPort }) => exportPort);
    fail('FED310', where, `${option} does not apply to port ${port.exportPort}, whose protocol is ${port._protocol}`,
      fitting.length > 0 ? `list only ports with the protocol ${protocols.join(' or ')}: ports: [${fitting.join(', ')}]` : INSTEAD[port._protocol](option));
  }
}

/**
 * Rejects a permission that would cancel the rules or the token of an earlier one, or the reverse: permissions add up.
 */
export function checkAddsUp(
  where: Where, peerName: string, granted: Grant & { readonly limited: boolean; readonly spellings: HttpOperation[] }, permission: Permission,
): void {
  const { exportPort } = granted.port;
  if ((granted.issuers.length > 0) !== (permission.jwt !== undefined)) {
    fail('FED315', where, `port ${exportPort} is allowed for mesh ${show(peerName)} both with and without jwt`,
      'set jwt in every allowFrom for this port and peer, or export a second port for requests without a token');
  }
  if (granted.limited === hasRules(permission)) return checkSpellings(where, [...granted.spellings, ...permission.http ?? []]);
  fail('FED309', where, `port ${exportPort} is allowed for mesh ${show(peerName)} both with and without rules`,
    'remove the call without rules, which allows every request, or remove the rules');
}

/** Checks all rules together: where one has exceptions, the gateway rejects spellings that another rule may list. */
function parseHttpRules(where: Where, rules: HttpRule[]): HttpOperation[] {
  checkList(where, 'http', rules);
  if (rules.length === 0) {
    fail('FED308', where, 'http is an empty list, which would allow nothing', 'add a rule, or omit http to allow every request');
  }
  rules.forEach((rule) => checkGiven(where, 'a rule in http', rule, HttpRule));
  const operations = rules.map(({ _operation }) => _operation);
  checkSpellings(where, operations);
  return operations;
}

function parsePorts(where: Where, ports: number[] | undefined): number[] | undefined {
  if (ports === undefined) return undefined;
  checkList(where, 'ports', ports);
  if (ports.length === 0) fail('FED306', where, 'ports is an empty list', 'list exported ports, or omit ports to allow every port');
  return [...new Set(ports)];
}
