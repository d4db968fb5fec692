import { Construct, IConstruct } from 'constructs';
import { mayContainKey } from '../model/private-keys';

/** All error codes with their titles in `docs/errors.md`. Tests require a section there and a test for each code. */
export const ERRORS = {
  FED101: 'mesh name is not a DNS label',
  FED102: 'trust domain is invalid or ambiguous',
  FED103: 'two meshes have the same trust domain',
  FED104: 'endpoint is not valid',
  FED105: 'endpoint is a private address',
  FED106: 'endpoints mix DNS names and IP addresses',
  FED107: 'mesh has no endpoint',
  FED108: 'mesh is not added as a peer',
  FED109: 'peer is added twice with different options',
  FED110: 'two peers have the same name',
  FED111: 'name is not valid in Kubernetes',
  FED112: 'chart does not belong to one mesh',
  FED113: 'two boundaries share a namespace',
  FED114: 'reason is missing or too short',
  FED115: 'date is not valid',
  FED116: 'gateway option is not valid',
  FED117: 'identity is outside of the trust domain',
  FED118: 'namespace is reserved',
  FED119: 'two peers share a certificate authority',
  FED120: 'value has the wrong type',
  FED121: 'namespace is restricted twice',
  FED122: 'host cannot be allowed',
  FED123: 'construct id is used twice',
  FED124: 'header cannot be removed',
  FED125: 'option is not supported with the Istio version',
  FED126: 'limit is not valid',
  FED127: 'existing gateway cannot be used',
  FED128: 'option is not available with an existing gateway',
  FED131: 'certificate options are not valid',
  FED132: 'two gateways share one Secret',
  FED133: 'gateway certificate has the wrong trust domain',
  FED134: 'trust ConfigMap cannot be used',
  FED135: 'object is too large for the API server',
  FED136: 'memory limit is too small for the configuration',
  FED137: 'identity of the peer is not set',
  FED138: 'knownAs is not set',
  FED143: 'text is not valid',
  FED147: 'construct was removed',
  FED148: 'peer is isolated in one boundary only',
  FED149: 'annotation does not match the gateway',
  FED150: 'network destination is not valid',
  FED151: 'idle timeout of the network is not valid',
  FED152: 'namespace label cannot be set',
  FED155: 'output cannot be written',
  FED201: 'trust bundle contains a private key',
  FED202: 'certificate is not a CA',
  FED203: 'trust bundle is empty',
  FED204: 'trust bundle is not valid PEM',
  FED205: 'trust file cannot be read',
  FED206: 'SPIFFE ID is not valid',
  FED207: 'revocation list is not valid',
  FED208: 'revocation lists do not match the CAs',
  FED209: 'rotation adds no certificate',
  FED210: 'CA certificate is too weak',
  FED301: 'export name cannot be part of a TLS server name',
  FED302: 'export name is used twice',
  FED303: 'port list is not valid',
  FED304: 'Service does not have the port',
  FED305: 'construct is not a Service',
  FED306: 'port is not exported',
  FED307: 'path pattern is not supported',
  FED308: 'rule is not valid',
  FED309: 'port is allowed both with and without rules',
  FED310: 'rule does not match the protocol of the port',
  FED311: 'timeout is not valid',
  FED312: 'pods of the workload are unknown',
  FED313: 'workload is locked twice',
  FED314: 'JWT rule is not valid',
  FED315: 'port is allowed both with and without a JWT',
  FED316: 'issuer has two key sets',
  FED317: 'key set contains a signing key',
  FED318: 'Service port has another protocol',
  FED319: 'kind of Service cannot be exported',
  FED320: 'Service is the API server',
  FED321: 'existing Service cannot be bound',
  FED401: 'local name is bound twice',
  FED402: 'local name is an existing Service',
  FED403: 'peer does not allow the binding',
  FED404: 'port mapping is not valid',
  FED405: 'caller has no identity of its own',
  FED406: 'peer does not export the service',
  FED407: 'mesh federates with itself',
  FED408: 'caller cannot be verified in the handshake',
  FED409: 'weights or headers of the sources are not valid',
  FED410: 'sources do not match the protocol of the port',
  FED411: 'local source needs an existing Service',
  FED412: 'additional host is not valid',
} as const;

/** An error code. */
export type ErrorCode = keyof typeof ERRORS;

/** Location of an error: a construct, the path of a construct that is not created yet, or the name of a call. */
export type Where = IConstruct | string;

/** The error that every call of the library throws. Its message is one line; its fields are for programs. */
export class FederationError extends Error {
  public override readonly name = 'FederationError';
  /** Path of the construct, or name of the call. */
  public readonly path: string;

  constructor(public readonly code: ErrorCode, where: Where, public readonly problem: string, public readonly fix: string) {
    super(describeError(code, where, problem, fix));
    this.path = pathOf(where);
  }
}

/** The message of an error: `FED104 east/Mesh: the problem → the fix`. */
export function describeError(code: ErrorCode, where: Where, problem: string, fix: string): string {
  return `${code} ${pathOf(where)}: ${problem} → ${fix}`;
}

/** Throws a FederationError. Errors of users are thrown here, or returned to a cdk8s validation by `describeError`. */
export function fail(code: ErrorCode, where: Where, problem: string, fix: string): never {
  throw new FederationError(code, where, problem, fix);
}

/** Whether a value has the path of a construct, which may be of another copy of the library `constructs`. */
export function hasPath(value: unknown): value is IConstruct {
  try {
    return typeof (value as Partial<IConstruct> | undefined | null)?.node?.path === 'string';
  } catch {
    return false;
  }
}

/** Path of a construct that is not created yet, with an id that its scope does not have yet: a rejected constructor call must not leave a construct in the tree. */
export function pathIn(scope: Construct, id: string): string {
  if (!hasPath(scope) || typeof scope.node.tryFindChild !== 'function') fail('FED120', `the construct ${show(id)}`, `its scope must be a construct, not ${show(scope)}`, 'use the Chart or the construct that contains it');
  if (typeof id !== 'string' || id === '') fail('FED120', scope, `the id must be a string, not ${show(id)}`, 'use a text that is unique in its scope');
  // `constructs` keeps children in a plain object, which has these keys already.
  if (id in Object.prototype) fail('FED120', scope, `the id ${show(id)} is a word of JavaScript`, 'choose another id: it does not appear in the output');
  const path = [scope.node.path, id].filter((part) => part !== '').join('/');
  if (scope.node.tryFindChild(id)) {
    fail('FED123', path, `another construct in the same scope has the id ${show(id)}`, 'choose another id: it does not appear in the output');
  }
  return path;
}

/** Longest value that a message shows, with its quotes. */
const MAX_SHOWN = 120;

/** Formats a value for a message: quoted, on one line, at most 120 characters. Messages end up in logs of pipelines. */
export function show(value: unknown): string {
  if (ArrayBuffer.isView(value)) return `(${value.byteLength} bytes)`;
  const text = textOf(value);
  if (mayContainKey(text)) return '(a value that may hold a private key, not shown)';
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN - 2)}…"` : text;
}

function pathOf(where: Where): string {
  return typeof where === 'string' ? where : where.node.path;
}

function textOf(value: unknown): string {
  try {
    if (Construct.isConstruct(value)) return `the construct ${value.node.path}`;
    if (typeof value === 'function') return `the ${/^class\b/.test(Function.prototype.toString.call(value)) ? 'class' : 'function'} ${JSON.stringify(value.name)}`;
    return typeof value === 'bigint' ? String(value) : JSON.stringify(value) ?? String(value);
  } catch {
    return `a value of the type ${typeof value} that cannot be shown`; // a circular structure, or a getter that throws
  }
}
