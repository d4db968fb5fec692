import { join } from 'path';
import * as ts from 'typescript';
import { hostWith } from './support/typescript';

/*
 * The public names, and TypeScript that jsii would silently omit in other languages. assembly.test.ts tests the assembly of jsii.
 */

const root = join(__dirname, '..');
const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile);
const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);

/** The exports of a module. */
function exportsOf(file: string, text?: string): ts.Symbol[] {
  const program = ts.createProgram([file], options, hostWith(new Map(text === undefined ? [] : [[file, text]]), options));
  const checker = program.getTypeChecker();
  return checker.getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(file)!)!);
}

/** Public TypeScript that jsii omits without an error. */
function omittedByJsii(symbols: readonly ts.Symbol[]): string[] {
  // eslint-disable-next-line no-bitwise
  const others = symbols.filter(({ flags }) => (flags & (ts.SymbolFlags.Class | ts.SymbolFlags.Interface | ts.SymbolFlags.Enum)) === 0);
  const ofTypes = symbols.flatMap((symbol) => (symbol.declarations ?? []).flatMap((declaration) => {
    if (!ts.isClassDeclaration(declaration) && !ts.isInterfaceDeclaration(declaration)) return [];
    const methods = new Set<string>();
    const members = declaration.members.flatMap((member) => {
      const name = member.name?.getText() ?? '';
      const nameless = [ts.SyntaxKind.IndexSignature, ts.SyntaxKind.CallSignature, ts.SyntaxKind.ConstructSignature];
      if (nameless.includes(member.kind)) return [member.getText()];
      if (!ts.isMethodDeclaration(member) && !ts.isMethodSignature(member)) return [];
      const isOverload = methods.has(name);
      methods.add(name);
      return [...member.typeParameters ? [`${name}<>`] : [], ...isOverload ? [`${name}, another signature`] : []];
    });
    return [...declaration.typeParameters ? ['<>'] : [], ...members].map((what) => `${symbol.name}: ${what}`);
  }));
  return [...others.map(({ name }) => name), ...ofTypes];
}

const all = exportsOf(join(root, 'src', 'index.ts'));
const isInternal = (symbol: ts.Symbol) => symbol.getJsDocTags().some(({ name }) => name === 'internal');
const exported = all.filter((symbol) => !isInternal(symbol));

test('the public API contains no TypeScript that jsii silently omits', () => {
  expect(omittedByJsii(exported)).toEqual([]);
});

test('functions, constants, type aliases, index signatures, type parameters and overloads are detected as omitted by jsii', () => {
  const text = `
    export function helper() {}
    export const LIMIT = 3;
    export type Either = string;
    export interface Headers { readonly [name: string]: string }
    export interface Call { (name: string): void }
    export class Box<T> { public map<U>(value: U): U { return value; } }
    export class Two { public open(name: string): void; public open(name: number): void; public open() {} }
  `;
  expect(omittedByJsii(exportsOf(join(root, 'src', 'broken.ts'), text))).toEqual([
    'helper', 'LIMIT', 'Either', 'Headers: readonly [name: string]: string', 'Call: (name: string): void', 'Box: <>', 'Box: map<>',
    'Two: open, another signature', 'Two: open, another signature',
  ]);
});

test('BoundaryValidation, which only cdk8s-cli uses, is the only internal export', () => {
  expect(all.filter(isInternal).map(({ name }) => name)).toEqual(['BoundaryValidation']);
});

test('the public API exports exactly the listed names', () => {
  expect(exported.map(({ name }) => name).sort()).toEqual([
    'Accountability', 'AddPeerOptions', 'AllowFromOptions', 'BoundaryGateway', 'BoundaryGatewayAttributes', 'Caller', 'CertManagerOptions',
    'DedicatedGatewayOptions', 'Delivery', 'ExistingGatewayOptions', 'ExposedService', 'ExposedServiceOptions', 'ExposedServiceProps',
    'FederatedMesh', 'FederatedMeshProps',
    'GatewayCredential', 'GatewayEndpoint', 'GatewayServiceType', 'HttpRule', 'HttpRuleOptions', 'IExposedService', 'IMeshPeer', 'IstioVersion', 'Justification', 'JwtRule',
    'KeyAlgorithm', 'LocalName', 'LocalService', 'LocalSourceOptions', 'LockWorkloadOptions', 'ManifestWriter', 'NetworkDestination', 'NodeToleration', 'PeerLimits', 'PortMapping', 'RemoteMesh',
    'RemoteMeshProps', 'RemoteServiceBinding', 'RemoteServiceBindingOptions', 'RemoteServiceBindingProps', 'RemoteServiceProps',
    'RestrictNamespaceOptions', 'ServiceAccountIdentity', 'ServicePort', 'ServicePortOptions', 'SourceOptions', 'SpiffeId',
    'TrustBundle', 'UpstreamLimits', 'WriteOptions',
  ]);
});
