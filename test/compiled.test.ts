import { readFileSync } from 'fs';
import { join } from 'path';
import { pages } from './support/pages';
import { compile } from './support/typescript';

/*
 * Programs that must compile, and programs that must not. The compiler runs once for all of them.
 */

const line = (text: string) => `export function invalid(m: FederatedMesh, e: ExposedService, b: RemoteServiceBinding) { ${text} }`;
const imports = `import { BoundaryGateway, Caller, Delivery, ExposedService, FederatedMesh, GatewayCredential, IstioVersion, LocalName, LocalService,
  RemoteServiceBinding, ServicePort, SpiffeId, TrustBundle } from 'cdk8s-mesh-federation';\n`;
const invalidPrograms = {
  'a string is not a Caller': 'b.allowFrom(\'default/productpage\');',
  'a LocalName is not a Caller': 'b.allowFrom(LocalName.newService(\'reviews\', \'default\'));',
  'a binding does not allow a peer': 'b.allowFrom(m);',
  'an export does not allow a caller': 'e.allowFrom(Caller.serviceAccount(\'a\', \'b\'));',
  'a string is not a LocalName': 'm.bind(\'X\', { source: e, localName: \'reviews\' });',
  'a LocalService is not a LocalName': 'm.bind(\'X\', { source: e, localName: LocalService.fromName(\'reviews\', \'default\') });',
  'a BoundaryGateway is not a GatewayCredential': 'const x: GatewayCredential = BoundaryGateway.dedicated();',
  'a GatewayCredential is not a Delivery': 'const x: Delivery = GatewayCredential.workloadIdentity();',
  'a plain object is not a ServicePort': 'const x: ServicePort = { port: 1, exportPort: 1 };',
  'a plain object is not a SpiffeId': 'const x: SpiffeId = { uri: \'\', principal: \'\', trustDomain: \'\', path: \'\' };',
  'a plain object is not a TrustBundle': 'const x: TrustBundle = { fingerprints: [] };',
  'a plain object is not an IstioVersion': 'const x: IstioVersion = { minor: \'1.29\' };',
  'peer options do not accept an unknown field': 'm.addPeer(m, { isolate: true });',
  'peer options do not accept a private key': 'm.addPeer(m, { privateKey: \'\' });',
};

const inPages = pages.flatMap((page) => [...readFileSync(join(__dirname, '..', page), 'utf8').matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, program], index) => {
  const module = /^import /m.test(program) ? program : `${program}\nexport {};`;
  return [`page ${page} ${index + 1}`.replaceAll('/', ' '), module] as const;
}));
const failures = compile(new Map([
  ...Object.entries(invalidPrograms).map(([name, text]) => [name, imports + line(text)] as const),
  ['right', imports + line('b.allowFrom(Caller.serviceAccount(\'a\', \'b\')); e.allowFrom(m);')],
  ...inPages,
]));

test('every TypeScript program in the documentation compiles', () => {
  expect(inPages.length).toBeGreaterThanOrEqual(3);
  expect(failures.filter((text) => text.startsWith('page '))).toEqual([]);
});

test('values of a wrong type do not compile', () => {
  expect(failures.filter((text) => !/^(page |right:)/.test(text)).map((text) => text.split(':')[0])).toEqual(Object.keys(invalidPrograms));
});

test('calls with values of the right type compile', () => {
  expect(failures.filter((text) => text.startsWith('right:'))).toEqual([]);
});
