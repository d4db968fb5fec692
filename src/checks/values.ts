import { Duration } from 'cdk8s';
import { Accountability, Justification } from '../accountability';
import { fail, ErrorCode, show, Where } from './errors';
import { checkGiven, checkList, checkText, fieldsOf, parseFields } from './kinds';
import { endsInNumber, parseCidr } from '../model/addresses';

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

/** Whether a text is a DNS name that no resolver reads as an IP address. istiod rejects other hosts. */
export function isHostName(text: string): boolean {
  return isDnsName(text) && !endsInNumber(text);
}

/** Whether a label and its value are valid for a pod. cdk8s cannot write a map with the key `constructor`. */
export function isPodLabel(name: string, value: unknown): boolean {
  if (name === 'constructor') return false;
  const [prefix, own] = name.includes('/') ? [name.slice(0, name.indexOf('/')), name.slice(name.indexOf('/') + 1)] : [undefined, name];
  return (prefix === undefined || isDnsName(prefix)) && LABEL_PART.test(own) && typeof value === 'string' && (value === '' || LABEL_PART.test(value));
}

/** Maximum number of labels in the selector of an EnvoyFilter. */
export const MOST_SELECTOR_LABELS = 256;

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

/** The name of a Service with the longest name and namespace must be a valid host. */
const LONGEST_CLUSTER_DOMAIN = 253 - `${'x'.repeat(63)}.${'x'.repeat(63)}.svc.`.length;

export function checkClusterDomain(where: Where, domain: string): void {
  if (typeof domain !== 'string' || !isHostName(domain) || domain.length > LONGEST_CLUSTER_DOMAIN) {
    fail('FED111', where, `${show(domain)} is not a valid cluster domain`,
      `use DNS labels joined by dots, in lower case, at most ${LONGEST_CLUSTER_DOMAIN} characters, for example "corp.internal"`);
  }
}

export function checkPort(where: Where, code: ErrorCode, port: number, what: string): void {
  if (!Number.isInteger(port) || port < 1 || port > 65535) {
    fail(code, where, `${show(port)} is not a valid ${what}`, 'use a whole number from 1 to 65535');
  }
}

/** The longest duration of Go, in milliseconds (292 years): the API server and istiod reject longer ones. */
export const LONGEST_DURATION = 9_223_372_036_854;

/** Checks a duration and returns it in milliseconds, the smallest unit of the proxies. */
export function parseDuration(where: Where, code: ErrorCode, what: string, duration: Duration): number {
  checkGiven(where, what, duration, Duration);
  const milliseconds = duration.toMilliseconds({ integral: false });
  if (!Number.isInteger(milliseconds) || milliseconds < 1) {
    fail(code, where, `${what} is ${milliseconds} ms`, 'use whole milliseconds, at least one, or omit it');
  }
  if (milliseconds > LONGEST_DURATION) fail(code, where, `${what} is ${milliseconds} ms, but Istio accepts at most 292 years`, 'use a shorter duration, or omit it');
  return milliseconds;
}

/** Checks a range of addresses as Kubernetes does. */
export function checkCidr(where: Where, code: ErrorCode, what: string, range: unknown): void {
  const cidr = typeof range === 'string' ? parseCidr(range) : undefined;
  if (!cidr) return fail(code, where, `${what} ${show(range)} is not a valid CIDR`, 'use CIDR notation without leading zeros, for example "203.0.113.0/28"');
  if (cidr.network !== undefined) fail(code, where, `${what} ${show(range)} has bits set after its mask, which Kubernetes rejects`, `use ${show(cidr.network)}`);
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
  for (const field of ['reason', 'approvedBy', 'ticket'] as const) checkAnnotation(where, field, justification[field]);
}

/** Longest text of an annotation. All annotations of an object may have 256 KiB together. */
const LONGEST_TEXT = 4096;

/** Checks a text that becomes an annotation, or undefined. */
export function checkAnnotation(where: Where, what: string, text: unknown): void {
  checkText(where, what, text);
  if (text === undefined) return;
  const { length } = Buffer.from(text as string);
  if (length > LONGEST_TEXT) fail('FED143', where, `${what} has ${length} bytes`, `use at most ${LONGEST_TEXT} bytes: the text becomes an annotation`);
  checkCharacters(where, what, text as string);
}

/**
 * Characters that no YAML parser reads as they are written: control characters except tab and line ends, other line and
 * paragraph separators, the byte order mark and what is no character.
 */
const UNWRITABLE = /[\p{Cs}\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/u;

/**
 * Whether kubectl reads a text as a number, such as `0o17`, `0B1` or `0XCAFE`. cdk8s writes YAML 1.2 and leaves out quotes
 * where that version needs none. kubectl reads YAML 1.1 as well.
 */
export function isNumberToKubectl(text: string): boolean {
  return /^[-+]?0[oOBX][\da-fA-F_]+$/.test(text);
}

/** Checks the characters of a text that is written as it is given. kubectl would reject the whole file, or change the text. */
export function checkCharacters(where: Where, what: string, text: string): void {
  if (isNumberToKubectl(text)) {
    fail('FED143', where, `${what} is ${show(text)}, which cdk8s writes without quotes and kubectl reads as a number`, 'add a word to the text');
  }
  const [character] = UNWRITABLE.exec(text) ?? [];
  if (character === undefined) return;
  const code = character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0');
  fail('FED143', where, `${what} has the character U+${code}${/\p{Cs}/u.test(character) ? ', an unpaired surrogate' : ''}, which YAML cannot hold`,
    'remove it: use text that was not cut, and no control characters');
}

export function checkAccountability(where: Where, accountability: Accountability): void {
  for (const field of ['purpose', 'owner', 'approvedBy', 'ticket'] as const) checkAnnotation(where, field, accountability[field]);
  if (accountability.dataCategories !== undefined) checkList(where, 'dataCategories', accountability.dataCategories);
  accountability.dataCategories?.forEach((category) => checkCategory(where, category));
  if (accountability.reviewBy !== undefined && !isDay(accountability.reviewBy)) {
    fail('FED115', where, `reviewBy is ${show(accountability.reviewBy)}, which is not a valid date`, 'use an existing date as YYYY-MM-DD');
  }
}

function checkCategory(where: Where, category: unknown): void {
  if (category === undefined) fail('FED120', where, 'a category in dataCategories is undefined', 'use a string, in quotes');
  checkAnnotation(where, 'a category in dataCategories', category);
}

function isDay(text: string): boolean {
  if (typeof text !== 'string' || !/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const day = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text);
}
