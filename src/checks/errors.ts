import { Construct, IConstruct } from 'constructs';

/** All error codes with their titles in `docs/errors.md`. A test fails when a code has no entry there, or no test that triggers it. */
export const ERRORS = {
  FED101: 'mesh name is no DNS label',
  FED102: 'trust domain cannot be used at a boundary',
  FED103: 'trust domain of a peer equals ours',
  FED104: 'endpoint is no address',
  FED105: 'private address at the boundary',
  FED106: 'DNS names and IP addresses mixed',
  FED107: 'no endpoint where peers reach us',
  FED108: 'peer is not added on our side',
  FED109: 'peer added twice with different options',
  FED110: 'two peers of one name',
  FED111: 'name that Kubernetes refuses',
  FED112: 'objects of two meshes in one chart',
  FED113: 'two boundaries in one namespace',
  FED114: 'reason is missing or too short',
  FED115: 'day is no date',
  FED116: 'gateway option that cannot be met',
  FED117: 'identity outside the trust domain',
  FED118: 'namespace that is reserved',
  FED119: 'two peers with one certificate authority',
  FED120: 'value of another kind',
  FED121: 'namespace restricted twice',
  FED122: 'host that cannot be allowed',
  FED124: 'header that cannot be taken away',
  FED125: 'option that was not proved with that Istio',
  FED126: 'limit that no gateway can keep',
  FED127: 'gateway of others that cannot be a boundary',
  FED128: 'option that a gateway of others cannot keep',
  FED131: 'certificate that cannot be had',
  FED132: 'one Secret for two gateways',
  FED133: 'trust domain that a certificate does not have',
  FED134: 'trust ConfigMap that cannot be used',
  FED135: 'object that the API server cannot store',
  FED136: 'memory limit that the configuration does not fit in',
  FED137: 'identity that is not stated',
  FED138: 'name that a peer uses for us is not stated',
  FED201: 'private key in a trust bundle',
  FED202: 'certificate is not a CA',
  FED203: 'trust bundle is empty',
  FED204: 'trust bundle is unreadable',
  FED205: 'trust file cannot be read',
  FED206: 'not a SPIFFE ID',
  FED207: 'revocation list is unreadable',
  FED208: 'revocation list of another CA',
  FED209: 'rotation that changes nothing',
  FED301: 'export name cannot be a server name',
  FED302: 'export name used twice',
  FED303: 'port list is wrong',
  FED304: 'port that the service does not have',
  FED305: 'construct is no Service',
  FED306: 'port that is not exported',
  FED307: 'path of another form',
  FED308: 'rule that cannot be met',
  FED309: 'grants with and without rules for one port',
  FED310: 'rule for another protocol',
  FED311: 'time that no proxy can keep',
  FED312: 'pods of a workload are not known',
  FED313: 'workload locked twice',
  FED314: 'token that cannot be demanded',
  FED315: 'grants with and without a token for one port',
  FED316: 'two key sets for one issuer',
  FED317: 'signing key in a key set',
  FED401: 'local name taken twice',
  FED402: 'local name is a service that exists',
  FED403: 'binding to what we are not allowed',
  FED404: 'port mapping is wrong',
  FED405: 'caller without an identity of its own',
  FED406: 'service that the peer does not expose',
  FED407: 'dealing with ourselves',
  FED408: 'caller that no handshake can check',
  FED409: 'shares that do not go together',
  FED410: 'sources that speak differently',
  FED411: 'pods behind a new name',
  FED412: 'additional host that cannot lead to a peer',
} as const;

/** One of the codes. */
export type ErrorCode = keyof typeof ERRORS;

/** Where an error is: a construct, the path of a construct to be, or the call that was given the wrong value. */
export type Where = IConstruct | string;

/** The error that every call throws. Programs read its fields, people read its one line. */
export class FederationError extends Error {
  public override readonly name = 'FederationError';
  /** Path of the construct, or name of the call. */
  public readonly path: string;

  constructor(public readonly code: ErrorCode, where: Where, public readonly problem: string, public readonly fix: string) {
    super(describeError(code, where, problem, fix));
    this.path = pathOf(where);
  }
}

/** `FED104 east/Mesh: the problem → the fix` */
export function describeError(code: ErrorCode, where: Where, problem: string, fix: string): string {
  return `${code} ${pathOf(where)}: ${problem} → ${fix}`;
}

/** Throws a FederationError: every error that a user of the library can cause is thrown here, or reported by a validation of cdk8s. */
export function fail(code: ErrorCode, where: Where, problem: string, fix: string): never {
  throw new FederationError(code, where, problem, fix);
}

/** Path of a construct that does not exist yet: what its constructor refuses leaves nothing in the tree. */
export function pathIn(scope: Construct, id: string): string {
  return [scope.node.path, id].filter((part) => part !== '').join('/');
}

/** A value as messages show it: quoted, on one line, at most 120 characters. */
export function show(value: unknown): string {
  const text = textOf(value);
  return text.length > 120 ? `${text.slice(0, 117)}…"` : text;
}

function pathOf(where: Where): string {
  return typeof where === 'string' ? where : where.node.path;
}

function textOf(value: unknown): string {
  if (Construct.isConstruct(value)) return `the construct ${value.node.path}`;
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return String(value); // a circle, or a number that JSON does not know
  }
}
