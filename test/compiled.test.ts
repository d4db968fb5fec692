import { readFileSync } from 'fs';
import { join } from 'path';
import { pages } from './support/pages';
import { compile } from './support/typescript';

/*
 * Programs that must compile, and programs that must not. The compiler is called once for all of them.
 */

const line = (text: string) => `export function mistake(m: FederatedMesh, e: ExposedService, b: RemoteServiceBinding) { ${text} }`;
const imports = `import { BoundaryGateway, Caller, Delivery, ExposedService, FederatedMesh, GatewayCredential, IstioVersion, LocalName, LocalService,
  RemoteServiceBinding, ServicePort, SpiffeId, TrustBundle } from 'cdk8s-mesh-federation';\n`;
const mistakes = {
  'a string is no caller': 'b.allowFrom(\'default/productpage\');',
  'a name is no caller': 'b.allowFrom(LocalName.newService(\'reviews\', \'default\'));',
  'a peer is allowed at an export, a caller at a binding': 'b.allowFrom(m);',
  'a caller is allowed at a binding, a peer at an export': 'e.allowFrom(Caller.serviceAccount(\'a\', \'b\'));',
  'a string is no local name': 'm.bind(\'X\', { source: e, localName: \'reviews\' });',
  'a service of ours is no new name': 'm.bind(\'X\', { source: e, localName: LocalService.fromName(\'reviews\', \'default\') });',
  'a gateway is no credential': 'const x: GatewayCredential = BoundaryGateway.dedicated();',
  'a credential is no way of delivery': 'const x: Delivery = GatewayCredential.workloadIdentity();',
  'a port says what it speaks': 'const x: ServicePort = { port: 1, exportPort: 1 };',
  'an identity has been parsed': 'const x: SpiffeId = { uri: \'\', principal: \'\', trustDomain: \'\', path: \'\' };',
  'a bundle has been read': 'const x: TrustBundle = { fingerprint: \'\' };',
  'a version is one that is supported': 'const x: IstioVersion = { minor: \'1.29\' };',
  'options are known words': 'm.addPeer(m, { isolate: true });',
  'a private key has no place': 'm.addPeer(m, { privateKey: \'\' });',
};

const inPages = pages.flatMap((page) => [...readFileSync(join(__dirname, '..', page), 'utf8').matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, program], index) => {
  const module = /^import /m.test(program) ? program : `${program}\nexport {};`;
  return [`page ${page} ${index + 1}`.replaceAll('/', ' '), module] as const;
}));
const refused = compile(new Map([
  ...Object.entries(mistakes).map(([name, text]) => [name, imports + line(text)] as const),
  ['right', imports + line('b.allowFrom(Caller.serviceAccount(\'a\', \'b\')); e.allowFrom(m);')],
  ...inPages,
]));

test('every program in the pages compiles', () => {
  expect(inPages.length).toBeGreaterThanOrEqual(3);
  expect(refused.filter((text) => text.startsWith('page '))).toEqual([]);
});

test('mistakes about what a value is do not compile', () => {
  expect(refused.filter((text) => !/^(page |right:)/.test(text)).map((text) => text.split(':')[0])).toEqual(Object.keys(mistakes));
});

test('the same calls with the right values compile', () => {
  expect(refused.filter((text) => text.startsWith('right:'))).toEqual([]);
});
