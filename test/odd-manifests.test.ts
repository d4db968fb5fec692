import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'fs';
import { tmpdir } from 'os';
import { join } from 'path';
import { parseAllDocuments } from 'yaml';
import { BoundaryValidation } from '../src';
import { Manifest, parseWhole } from './support/manifests';
import { textIn } from './support/output';
import { violationsIn } from './support/plugin';

/*
 * BoundaryValidation reads every file that kubectl would apply, and no value in a manifest makes it fail itself.
 */

let directory: string;
beforeAll(() => { directory = mkdtempSync(join(tmpdir(), 'odd-')); });
afterAll(() => rmSync(directory, { recursive: true }));

/** What BoundaryValidation reports about the text of a file, which is parsed like by cdk8s-cli, and the number of documents. */
async function validate(text: string | Buffer): Promise<{ found: string[]; success: boolean; documents: string }> {
  const file = join(directory, 'a.yaml');
  writeFileSync(file, text);
  const result = { found: [] as string[], success: true, documents: '' };
  await new BoundaryValidation().validate({
    manifests: [file],
    parseManifest: (path) => parseAllDocuments(readFileSync(path, 'utf8')).map((document) => document.toJS()),
    report: {
      addViolation: ({ ruleName, violatingResources }) => {
        result.found.push(...violatingResources.flatMap(({ resourceName, locations }) => locations.map((location) => `${ruleName}: ${resourceName.replace(file, 'a.yaml')}: ${location}`)));
      },
      submit: (status, summary) => { Object.assign(result, { success: status === 'success', documents: summary!.documents }); },
    },
  });
  return result;
}

/** A Service that selects the pods of an ingress gateway. */
const service = (metadata: object = { namespace: 'istio-federation' }) =>
  ({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'theirs', ...metadata }, spec: { selector: { istio: 'istio-federation-ingress' } } });
const FOUND = ['foreign-objects: Service istio-federation/theirs: the object selects pods of the boundary gateways in namespace istio-federation'];
const SERVICE = `apiVersion: v1
kind: Service
metadata: { name: theirs, namespace: istio-federation }
spec: { selector: { istio: istio-federation-ingress } }
`;

test.each<[string, string]>([
  ['YAML', SERVICE],
  ['a list', JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [service()] })],
  ['a list in a list', JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [{ kind: 'ServiceList', apiVersion: 'v1', items: [service()] }] })],
  ['a list of Services without kinds', JSON.stringify({ apiVersion: 'v1', kind: 'ServiceList', items: [{ ...service(), apiVersion: undefined, kind: undefined }] })],
  ['a list of any kind, which kubectl applies', JSON.stringify({ apiVersion: 'v1', kind: 'Other', items: [service()] })],
  ['a list whose kind is a list', JSON.stringify({ apiVersion: 'v1', kind: ['List'], items: [service()] })],
  ['a list whose kind is a number', JSON.stringify({ apiVersion: 'v1', kind: 5, items: [null, 5, service()] })],
  ['a list with an object as kind and a string as metadata', JSON.stringify({ apiVersion: 'v1', kind: {}, metadata: 'x', items: [[], service()] })],
  ['a list in the namespace of its chart', JSON.stringify({ apiVersion: 'v1', kind: 'List', metadata: { namespace: 'istio-federation' }, items: [service({})] })],
  ['a list in another namespace than its item', JSON.stringify({ apiVersion: 'v1', kind: 'List', metadata: { namespace: 'shop' }, items: [service()] })],
  ['a merge key', SERVICE.replace('spec: {', 'base: &base\n  selector: { istio: istio-federation-ingress }\nspec: { <<: *base } #')],
  ['a list of merge keys', SERVICE.replace('spec: {', 'one: &one { selector: { istio: istio-federation-ingress } }\ntwo: &two { selector: {} }\nspec: { <<: [*one, *two] } #')],
  ['a merge key for the whole object', `base: &base ${JSON.stringify(service())}\n<<: *base\n`],
  ['binary texts', SERVICE.replace('kind: Service', 'kind: !!binary U2VydmljZQ==')],
  ['a key that occurs twice, of which kubectl takes the last', SERVICE.replace('spec: {', 'spec: {}\nspec: {')],
  ['an anchor and an alias', `names: &names { name: theirs, namespace: istio-federation }\n${SERVICE.replace(/metadata: .*/, 'metadata: *names')}`],
  ['a byte order mark and carriage returns', `\ufeff${SERVICE.replace(/\n/g, '\r\n')}`],
  ['several documents, of which some are empty', `---\n---\n# nothing\n---\n${SERVICE}---\n`],
  ['several JSON documents on one line', `${JSON.stringify({ kind: 'Other', text: '}{"' })}${JSON.stringify(service())}`],
  ['several JSON documents on several lines', `\n${JSON.stringify({ kind: 'Other' }, null, 2)}\n${JSON.stringify(service(), null, 2)}\n`],
  ['YAML that begins with a brace', `{ kind: Other }\n---\n${SERVICE}`],
])('BoundaryValidation reports an object in %s', async (_, text) => {
  expect(await validate(text)).toMatchObject({ found: FOUND, success: false });
});

const bomb = ['a: &a [x, x, x, x, x, x, x, x, x]', ...['b', 'c', 'd', 'e', 'f', 'g'].map((name, index) => `${name}: &${name} [${Array(9).fill(`*${'abcdefg'[index]}`).join(', ')}]`)].join('\n');
const nested = (depth: number) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;

const UTF_16 = Buffer.from(`\ufeff${SERVICE}`, 'utf16le');

test.each<[string, string | Buffer, string]>([
  ['UTF-16', UTF_16, 'the file cannot be read: it is not UTF-8'],
  ['UTF-16 of the other order', Buffer.from(UTF_16).swap16(), 'the file cannot be read: it is not UTF-8'],
  ['UTF-16 without a byte order mark', UTF_16.subarray(2), 'the file cannot be read: it is not UTF-8'],
  ['a byte of Latin-1', Buffer.from('a: caf\xe9\n', 'latin1'), 'the file cannot be read: it is not UTF-8'],
  ['aliases that repeat each other', `${SERVICE}data:\n  ${bomb.replace(/\n/g, '\n  ')}\n`, 'the file cannot be read: Excessive alias count indicates a resource exhaustion attack'],
  ['an alias that contains itself', `${SERVICE}data: &data { a: *data }\n`, 'document 1 cannot be read: it is nested more than 400 levels deep'],
  ['a document that the parser reads in part', `---\na: 1\n---\na: ${nested(5000)}\n`, 'document 2 cannot be read: it is nested more than 400 levels deep'],
])('BoundaryValidation reports a file with %s', async (_, text, problem) => {
  const { found, success } = await validate(text);
  expect(found).toEqual([`unreadable-files: a.yaml: ${problem}`]);
  expect(success).toBe(false);
});

test('BoundaryValidation checks the other documents of a file with one that it cannot read', async () => {
  expect((await validate(`${SERVICE}---\na: &a { b: *a }\n---\n${SERVICE}`)).found).toEqual([...FOUND, ...FOUND, 'unreadable-files: a.yaml: document 2 cannot be read: it is nested more than 400 levels deep']);
});

test.each<[string, string, number]>([
  ['no text', '', 0],
  ['characters of other alphabets', 'a: Grüße, 你好, 🙂\n', 1],
  ['comments', '# nothing\n---\n# more\n', 0],
  ['a JSON patch for kustomize', '- op: replace\n  path: /spec/a\n  value: b\n', 1],
  ['a text', 'just a text\n', 1],
  ['values of a Helm chart', 'replicas: 2\nitems: all\n', 1],
  ['a list without items', 'apiVersion: v1\nkind: List\nitems: []\n', 0],
  ['items that are a number', 'apiVersion: v1\nkind: List\nitems: 5\n', 1],
  ['items that are null', 'apiVersion: v1\nkind: List\nitems: [null]\n', 1],
  ['data with the key of a merge', 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: a }\ndata: { "<<": text }\n', 1],
  ['an object that is nested 300 levels deep', `apiVersion: v1\nkind: Other\nspec: ${nested(300)}\n`, 1],
  ['dates, sets and ordered maps', 'apiVersion: v1\nkind: Other\nspec: { a: !!timestamp 2001-01-01, b: !!set { x }, c: !!omap [{ x: y }] }\n', 1],
])('BoundaryValidation accepts a file with %s', async (_, text, documents) => {
  expect(await validate(text)).toEqual({ found: [], success: true, documents: String(documents) });
});

test('BoundaryValidation leaves an item without namespace where the list has none, and where the namespace is another one', async () => {
  expect(await violationsIn({ 'a.yaml': [{ apiVersion: 'v1', kind: 'List', items: [service({})] }] })).toEqual([]);
  expect(await violationsIn({ 'a.yaml': [{ apiVersion: 'v1', kind: 'List', metadata: { namespace: 'shop' }, items: [service({})] }] })).toEqual([]);
});

test('BoundaryValidation accepts the output of the library in a list with a namespace', async () => {
  const items = parseWhole(textIn('both-directions/east'));
  expect(await violationsIn({ 'a.yaml': [{ apiVersion: 'v1', kind: 'List', metadata: { namespace: 'shop' }, items }] })).toEqual([]);
});

const ODD: unknown[] = [null, 5, 'x', [], {}, [null], [5], { a: null }];
const istio = (kind: string, spec: object) => ({ apiVersion: 'networking.istio.io/v1', kind, metadata: { name: 'theirs', namespace: 'istio-federation', labels: { a: 'b' } }, spec });
const OTHERS: Manifest[] = [
  service(),
  istio('Gateway', { selector: { istio: 'istio-federation-ingress' }, servers: [{ port: { number: 1 }, hosts: ['./a'], tls: { mode: 'MUTUAL', subjectAltNames: ['a'] } }] }),
  istio('VirtualService', { hosts: ['a'], gateways: ['b/c'], exportTo: ['.'], tcp: [{}] }),
  istio('ServiceEntry', { hosts: ['a'], ports: [{ protocol: 'TCP' }], subjectAltNames: ['a'] }),
  istio('EnvoyFilter', { workloadSelector: { labels: { a: 'b' } }, configPatches: [{ match: { context: 'ANY' } }] }),
  istio('DestinationRule', {
    host: 'a', workloadSelector: { matchLabels: { a: 'b' } }, trafficPolicy: { tls: { mode: 'MUTUAL' }, portLevelSettings: [{ tls: {} }] }, subsets: [{ trafficPolicy: { tls: {} } }],
  }),
  { ...istio('HTTPRoute', { hostnames: ['a'], parentRefs: [{ name: 'a' }], targetRef: { name: 'a' }, listeners: [{ hostname: 'a' }] }), apiVersion: 'gateway.networking.k8s.io/v1' },
  { ...istio('NetworkPolicy', { podSelector: { matchExpressions: [{ key: 'a', operator: 'In', values: ['b'] }] }, egress: [{ ports: [{ port: 53 }] }] }), apiVersion: 'networking.k8s.io/v1' },
  { ...istio('CronJob', { jobTemplate: { spec: { template: { metadata: { labels: { app: 'a' } } } } } }), apiVersion: 'batch/v1' },
  { apiVersion: 'v1', kind: 'List', metadata: { name: 'a', namespace: 'b' }, items: [{ metadata: { name: 'c' } }] },
];

function pathsIn(value: any, path: string[] = []): string[][] {
  const below = value !== null && typeof value === 'object' ? Object.keys(value).flatMap((key) => pathsIn(value[key], [...path, key])) : [];
  return path.length > 0 ? [path, ...below] : below;
}

function replaced(value: any, [key, ...rest]: string[], odd: unknown): any {
  if (key === undefined) return odd;
  const copy = Array.isArray(value) ? [...value] : { ...value };
  copy[key] = replaced(copy[key], rest, odd);
  return copy;
}

test('no odd value in any field of a document makes BoundaryValidation fail', async () => {
  const ours = parseWhole(textIn('both-directions/east'));
  const perShape = new Map([...ours, ...OTHERS].flatMap((document) => pathsIn(document).map((path) =>
    [`${document.kind} ${path.map((key) => key.replace(/\d+/, 'n')).join('.')}`, { document, path }] as const)));
  expect(perShape.size).toBeGreaterThan(300);
  for (const { document, path } of perShape.values()) {
    for (const odd of ODD) {
      const changed = replaced(document, path, odd);
      const asTheirs = { ...changed, metadata: { ...changed.metadata, labels: undefined, annotations: undefined } };
      for (const one of [changed, asTheirs]) await expect(violationsIn({ 'a.yaml': [ours[ours.length - 1], one] })).resolves.toEqual(expect.any(Array));
    }
  }
});
