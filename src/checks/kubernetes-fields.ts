import { fail, show, Where } from './errors';
import { checkText } from './kinds';
import { checkCharacters, isPodLabel } from './values';
import type { DedicatedGatewayOptions } from '../gateway-options';
import { LARGEST_ANNOTATIONS } from '../model/constants';
import { GATEWAY_DEFAULTS } from '../model/model';
import { amountOf, isQuantity } from '../model/quantity';

/*
 * Rules of the API server for fields of Services and pods.
 */

/** The smallest amounts that can be meant: a smaller one has the wrong unit, or none. */
const SMALLEST = { cpu: { amount: 0.001, text: '1m' }, memory: { amount: 1024 ** 2, text: '1Mi' } } as const;
/** The largest 64-bit integer. Kubernetes silently lowers larger amounts to it. */
const LARGEST = 2 ** 63;

/** Checks the requests and limits of the pods. */
export function checkQuantities(where: Where, options: DedicatedGatewayOptions): void {
  const reject = (what: string, fix: string) => fail('FED116', where, what, fix);
  for (const what of ['cpu', 'memory'] as const) {
    for (const name of [`${what}Request`, `${what}Limit`] as const) {
      const value = options[name];
      if (value === undefined) continue;
      if (typeof value !== 'string' || !isQuantity(value) || amountOf(value) >= LARGEST) {
        reject(`${name} ${show(value)} is not a valid quantity`, 'use Kubernetes notation, for example "100m" CPUs or "1Gi" of memory');
      }
      const { amount, text } = SMALLEST[what];
      if (amountOf(value) < amount) reject(`${name} ${show(value)} is less than ${text}`, `use at least ${text}, or omit it for the default`);
    }
    const request = options[`${what}Request`] ?? GATEWAY_DEFAULTS[`${what}Request`];
    const limit = options[`${what}Limit`] ?? GATEWAY_DEFAULTS[`${what}Limit`];
    if (amountOf(request) > amountOf(limit)) reject(`${what}Request ${show(request)} is above ${what}Limit ${show(limit)}`, 'raise the limit, or lower the request');
  }
}

/** Annotations that an option of the library sets, or that tools write. */
const RESERVED_ANNOTATIONS: readonly [pattern: RegExp, fix: string][] = [
  [/^service\.beta\.kubernetes\.io\/load-balancer-source-ranges$/i, 'use the option sourceRanges, which the NetworkPolicy of the gateway also applies'],
  [/^argocd\.argoproj\.io\/sync-wave$/i, 'use the option delivery of the mesh'],
  // `galley.istio.io/analyze-suppress` only silences a tool.
  [/^(?!galley\.)([^/]+\.)?istio\.io\//i, 'remove it: Istio reads it as a setting of the Service of the gateway'],
  [/^(cdk8s-mesh-federation|kubectl\.kubernetes\.io)\//i, 'choose another name: these annotations are written by tools'],
];

/** Checks the annotations of the Service: names, values, and their size in total. */
export function checkServiceAnnotations(where: Where, annotations: { readonly [name: string]: string }): void {
  for (const [name, value] of Object.entries(annotations)) {
    // The API server compares names in lower case.
    if (!isPodLabel(name.toLowerCase(), '')) {
      fail('FED116', where, `the annotation ${show(name)} is not a valid name`, 'use a name with an optional prefix, for example "example.com/pool"');
    }
    if (value === undefined) fail('FED120', where, `the annotation ${show(name)} is undefined`, 'set a value, or remove it');
    checkText(where, `the annotation ${show(name)}`, value);
    checkCharacters(where, `the annotation ${show(name)}`, value);
    const [, fix] = RESERVED_ANNOTATIONS.find(([pattern]) => pattern.test(name)) ?? [];
    if (fix !== undefined) fail('FED116', where, `the annotation ${show(name)} is reserved`, fix);
  }
  const size = Object.entries(annotations).flat().reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  if (size > LARGEST_ANNOTATIONS) {
    fail('FED143', where, `serviceAnnotations have ${size} bytes`, `use at most ${LARGEST_ANNOTATIONS} bytes: the API server accepts 256 KiB of annotations`);
  }
}
