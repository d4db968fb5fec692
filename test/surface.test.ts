import { join } from 'path';
import * as ts from 'typescript';
import { compile } from './support/typescript';

/*
 * What jsii accepts in silence and other languages do not get: unions, and exported functions and constants.
 */

const root = join(__dirname, '..');
const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile);
const program = ts.createProgram([join(root, 'src', 'index.ts')], ts.parseJsonConfigFileContent(config, ts.sys, root).options);
const checker = program.getTypeChecker();
const exported = checker.getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(join(root, 'src', 'index.ts'))!)!);

test('only classes, interfaces and enumerations are public', () => {
  const kinds = ts.SymbolFlags.Class + ts.SymbolFlags.Interface + ts.SymbolFlags.Enum;
  // eslint-disable-next-line no-bitwise
  expect(exported.filter(({ flags }) => (flags & kinds) === 0).map(({ name }) => name)).toEqual([]);
});

test('no public member has a union type', () => {
  const unions: string[] = [];
  const visit = (owner: string, node: ts.Node): void => {
    if (ts.isUnionTypeNode(node) && node.types.some((type) => type.kind !== ts.SyntaxKind.UndefinedKeyword)) unions.push(`${owner}: ${node.getText()}`);
    ts.forEachChild(node, (child) => visit(owner, child));
  };
  for (const symbol of exported) {
    for (const declaration of symbol.declarations ?? []) {
      if (!ts.isClassDeclaration(declaration) && !ts.isInterfaceDeclaration(declaration)) continue;
      for (const member of declaration.members) {
        const hidden = ts.canHaveModifiers(member) && ts.getModifiers(member)?.some(({ kind }) => kind === ts.SyntaxKind.PrivateKeyword);
        const internal = member.name?.getText().startsWith('_');
        if (hidden || internal) continue;
        ts.forEachChild(member, (child) => {
          if (!ts.isBlock(child)) visit(`${symbol.name}.${member.name?.getText() ?? 'constructor'}`, child);
        });
      }
    }
  }
  expect(unions).toEqual([]);
});

test('the public names are these', () => {
  expect(exported.map(({ name }) => name).sort()).toEqual([
    'Accountability', 'AddPeerOptions', 'AllowFromOptions', 'BoundaryGateway', 'BoundaryGatewayAttributes', 'Caller', 'CertManagerOptions',
    'DedicatedGatewayOptions', 'Delivery', 'ExistingGatewayOptions', 'ExposedService', 'ExposedServiceOptions', 'ExposedServiceProps',
    'FederatedMesh', 'FederatedMeshProps',
    'GatewayCredential', 'GatewayEndpoint', 'GatewayServiceType', 'HttpRule', 'IExposedService', 'IMeshPeer', 'IstioVersion', 'Justification', 'JwtRule',
    'KeyAlgorithm', 'LocalName', 'LocalService', 'LockWorkloadOptions', 'ManifestWriter', 'NodeToleration', 'PeerLimits', 'PortMapping', 'RemoteMesh',
    'RemoteMeshProps', 'RemoteServiceBinding', 'RemoteServiceBindingOptions', 'RemoteServiceBindingProps', 'RemoteServiceProps',
    'RestrictNamespaceOptions', 'ServiceAccountIdentity', 'ServicePort', 'ServicePortOptions', 'SourceOptions', 'SourceShare', 'SpiffeId',
    'TrustBundle', 'WriteOptions',
  ]);
});

test('mistakes about what a value is do not compile', () => {
  const line = (text: string) => `export function mistake(m: FederatedMesh, e: ExposedService, b: RemoteServiceBinding) { ${text} }`;
  const imports = `import { BoundaryGateway, Caller, Delivery, ExposedService, FederatedMesh, GatewayCredential, IstioVersion, LocalName, LocalService,
    RemoteServiceBinding, ServicePort, SpiffeId, TrustBundle } from 'cdk8s-mesh-federation';\n`;
  const mistakes = {
    'a string is no caller': 'b.allowFrom(\'default/productpage\');',
    'a name is no caller': 'b.allowFrom(LocalName.newService(\'reviews\', \'default\'));',
    'a peer is allowed at an exposure, a caller at a binding': 'b.allowFrom(m);',
    'and the other way round': 'e.allowFrom(Caller.serviceAccount(\'a\', \'b\'));',
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
  const refused = compile(new Map(Object.entries(mistakes).map(([name, text]) => [name, imports + line(text)])));
  expect(refused.map((text) => text.split(':')[0])).toEqual(Object.keys(mistakes));
  expect(compile(new Map([['right', imports + line('b.allowFrom(Caller.serviceAccount(\'a\', \'b\')); e.allowFrom(m);')]]))).toEqual([]);
});
