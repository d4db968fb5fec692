import { checkAccountability } from './checks';
import { fail, show, Where } from './errors';
import { Demand, demandOf } from './jwt-checks';
import { checkFields } from './kind-checks';
import { Grant, Protocol } from './model';
import { isLimited } from './open-port';
import { checkProved } from './peer-checks';
import { checkGrpcMethods, checkOperations, checkSpellings } from './rule-checks';
import type { AllowFromOptions } from '../grant';
import type { IstioVersion } from '../istio-version';
import type { ServicePort } from '../service';

/*
 * Whether a grant fits its ports, and what was granted there before.
 */

const FIELDS = ['ports', 'http', 'grpcMethods', 'jwt', 'purpose', 'owner', 'dataCategories', 'approvedBy', 'ticket', 'reviewBy'];

/** The options that rule requests, and the protocols of which they can. */
const RULES = { http: ['http'], grpcMethods: ['grpc'], jwt: ['http', 'grpc'] } as const;

/** What to say about a port when no port speaks what the option is for. */
const INSTEAD: { readonly [protocol in Protocol]: (option: string) => string } = {
  http: () => 'rule the requests with http: [{ paths: […] }], or export the port as ServicePort.grpc',
  grpc: () => 'name the methods instead: grpcMethods: ["/package.Service/Method"]',
  tcp: (option) => `take ${option} away: nobody sees requests on such a port`,
  tls: (option) => `take ${option} away: nobody sees requests on such a port`,
};

/** The options by themselves. */
export function checkGrant(where: Where, options: AllowFromOptions): void {
  checkFields(where, 'allowFrom', options, FIELDS);
  checkAccountability(where, options);
  if (options.http !== undefined) checkOperations(where, options.http);
  if (options.grpcMethods !== undefined) checkGrpcMethods(where, options.grpcMethods);
}

/** Istio leaves out a rule about requests where it sees none. */
export function checkProtocol(where: Where, port: ServicePort, options: AllowFromOptions, all: ServicePort[]): void {
  for (const [option, protocols] of Object.entries(RULES)) {
    const speaksOne = ({ _protocol }: ServicePort) => protocols.some((protocol) => protocol === _protocol);
    if (options[option as keyof typeof RULES] === undefined || speaksOne(port)) continue;
    const fitting = all.filter(speaksOne).map(({ exportPort }) => exportPort);
    fail('FED310', where, `${option} would rule port ${port.exportPort}, which speaks ${port._protocol}`,
      fitting.length > 0 ? `name the ports that speak ${protocols.join(' or ')}: ports: [${fitting.join(', ')}]` : INSTEAD[port._protocol](option));
  }
}

/** Grants add up, so one that asks for less would make the other's rules or token mean nothing. */
export function checkAddsUp(where: Where, peerName: string, grant: Grant & { readonly limited: boolean }, options: AllowFromOptions): void {
  if ((grant.issuers.length > 0) !== (options.jwt !== undefined)) {
    fail('FED315', where, `mesh ${show(peerName)} has a grant with a token and one without for port ${grant.exportPort}`,
      'demand one in each of them, or offer what needs none on a port of its own');
  }
  if (grant.limited === isLimited(options)) return checkSpellings(where, [...grant.operations, ...options.http ?? []]);
  fail('FED309', where, `mesh ${show(peerName)} has a grant with rules and one without for port ${grant.exportPort}`,
    'take the one without rules away, since it allows every request, or the rules');
}

/** The token that a grant demands. */
export function checkDemand(where: Where, { jwt, http }: AllowFromOptions, istioVersion: IstioVersion): Demand | undefined {
  if (jwt === undefined) return undefined;
  checkProved(where, 'jwt', istioVersion);
  if (http?.some(({ requiredHeaders }) => requiredHeaders?.authorization !== undefined)) {
    fail('FED314', where, 'requiredHeaders names the header "authorization", which holds the token', 'take the header away: jwt says what must be in it');
  }
  return demandOf(where, jwt);
}
