import { isIP } from 'net';
import { Duration } from 'cdk8s';
import { Accountability, Justification } from '../accountability';
import { fail, ErrorCode, show, Where } from './errors';
import { checkGiven, checkList, checkText, fieldsOf, parseFields } from './kinds';

const LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
/** The name of a label without its prefix, or the value of a label. */
const LABEL_PART = /^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/;
const SERVICE_NAME = /^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/;

/** Whether a text is a DNS label: at most 63 lower-case letters, digits and dashes. */
export function isLabel(text: string): boolean {
  return LABEL.test(text);
}

/** Whether a text consists of DNS labels joined by dots. */
export function isDnsName(text: string): boolean {
  return text.length <= 253 && text.split('.').every(isLabel);
}

/** Whether a label and its value are valid for a pod. */
export function isPodLabel(name: string, value: unknown): boolean {
  const [prefix, own] = name.includes('/') ? [name.slice(0, name.indexOf('/')), name.slice(name.indexOf('/') + 1)] : [undefined, name];
  return (prefix === undefined || isDnsName(prefix)) && LABEL_PART.test(own) && typeof value === 'string' && (value === '' || LABEL_PART.test(value));
}

export function checkNamespace(where: Where, namespaceName: string): void {
  if (typeof namespaceName !== 'string' || !isLabel(namespaceName)) {
    fail('FED111', where, `${show(namespaceName)} is not a valid namespace name`,
      'use at most 63 lower-case letters, digits and dashes, starting and ending with a letter or digit');
  }
}

export function checkServiceName(where: Where, serviceName: string): void {
  if (typeof serviceName !== 'string' || !SERVICE_NAME.test(serviceName)) {
    const hint = typeof serviceName === 'string' && serviceName.includes('.')
      ? 'use the name alone: the namespace is a separate argument'
      : 'use at most 63 lower-case letters, digits and dashes, starting with a letter';
    fail('FED111', where, `${show(serviceName)} is not a valid Service name`, hint);
  }
}

/** Checks the name of a service account, ConfigMap or other object: DNS labels joined by dots. */
export function checkObjectName(where: Where, name: string, what: string): void {
  if (typeof name !== 'string' || !isDnsName(name)) {
    fail('FED111', where, `${show(name)} is not a valid ${what} name`, 'use lower-case letters, digits, dashes and dots, as in Kubernetes names');
  }
}

/** Checks a revision, which is the value of a pod label. */
export function checkRevision(where: Where, revision: string): void {
  if (typeof revision !== 'string' || !isLabel(revision)) {
    fail('FED111', where, `${show(revision)} is not a valid revision`, 'use at most 63 lower-case letters, digits and dashes, as in the label istio.io/rev');
  }
}

export function checkDomain(where: Where, domain: string, code: ErrorCode, what: string): void {
  if (typeof domain !== 'string' || !isDnsName(domain)) {
    fail(code, where, `${show(domain)} is not a valid ${what}`, 'use DNS labels joined by dots, in lower case, for example "east.example"');
  }
}

export function checkPort(where: Where, code: ErrorCode, port: number, what: string): void {
  if (!Number.isInteger(port) || port < 1 || port > 65535) {
    fail(code, where, `${show(port)} is not a valid ${what}`, 'use a whole number from 1 to 65535');
  }
}

/** Checks a duration and returns it in milliseconds, the smallest unit of the proxies. */
export function parseDuration(where: Where, code: ErrorCode, what: string, duration: Duration): number {
  checkGiven(where, what, duration, Duration);
  const milliseconds = duration.toMilliseconds({ integral: false });
  if (!Number.isInteger(milliseconds) || milliseconds < 1) {
    fail(code, where, `${what} is ${milliseconds} ms`, 'use whole milliseconds, at least one, or omit it');
  }
  return milliseconds;
}

/** The fields of Justification, for the field lists of options that extend it. */
export const JUSTIFICATION = {
  reason: true, approvedBy: true, ticket: true,
} as const satisfies { [field in keyof Required<Justification>]: true };
const JUSTIFICATION_FIELDS = fieldsOf<Justification>(JUSTIFICATION);
/** The fields of Accountability, for the field lists of options that extend it. */
export const ACCOUNTABILITY = {
  purpose: true, owner: true, dataCategories: true, approvedBy: true, ticket: true, reviewBy: true,
} as const satisfies { [field in keyof Required<Accountability>]: true };

/** Checks an option whose value is a Justification. */
export function parseDeviation(where: Where, what: string, given: Justification): Justification {
  const justification = parseFields(where, `the justification for ${what}`, given, JUSTIFICATION_FIELDS);
  checkJustification(where, what, justification);
  return justification;
}

export function checkJustification(where: Where, what: string, justification: Justification): void {
  if (typeof justification.reason !== 'string' || justification.reason.trim().length < 10) {
    fail('FED114', where, `the reason for ${what} is ${show(justification.reason)}`,
      'write at least ten characters that a later reader understands');
  }
  for (const field of ['approvedBy', 'ticket'] as const) checkText(where, field, justification[field]);
}

export function checkAccountability(where: Where, accountability: Accountability): void {
  for (const field of ['purpose', 'owner', 'approvedBy', 'ticket'] as const) checkText(where, field, accountability[field]);
  if (accountability.dataCategories !== undefined) checkList(where, 'dataCategories', accountability.dataCategories);
  accountability.dataCategories?.forEach((category) => checkText(where, 'a category in dataCategories', category));
  if (accountability.reviewBy !== undefined && !isDay(accountability.reviewBy)) {
    fail('FED115', where, `reviewBy is ${show(accountability.reviewBy)}, which is not a valid date`, 'use an existing date as YYYY-MM-DD');
  }
}

/** Whether a text is a CIDR of IPv4 or IPv6. */
export function isCidr(text: string): boolean {
  const [address, prefix, ...rest] = String(text).split('/');
  const family = isIP(address);
  return family !== 0 && !address.includes('%') && rest.length === 0 && /^\d{1,3}$/.test(prefix ?? '') && Number(prefix) <= (family === 4 ? 32 : 128);
}

function isDay(text: string): boolean {
  if (typeof text !== 'string' || !/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const day = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text);
}
