import { mkdtempSync, readFileSync, rmSync } from 'fs';
import { tmpdir } from 'os';
import { join } from 'path';
import { App, Chart } from 'cdk8s';
import * as ts from 'typescript';
import * as library from '../src';
import { Call, callsOf, Server, serversOf } from './support/contract';
import { objectsOf } from './support/manifests';
import { meshOf } from './support/meshes';

/*
 * Two owners with separate repositories: the programs of docs/how-to/repositories.md. Neither owner has the other's program, and one team
 * has its own chart. The page describes which changes one side can make first.
 */

const page = readFileSync(join(__dirname, '..', 'docs', 'how-to', 'repositories.md'), 'utf8');
const [bank, shop, team] = [...page.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, program]) => program);
const home = process.cwd();
const outdir = mkdtempSync(join(tmpdir(), 'repositories-'));
beforeAll(() => process.chdir(__dirname));
afterAll(() => {
  process.chdir(home);
  rmSync(outdir, { recursive: true });
});

/** Runs a program as Node does. Returns its exports and the Apps that it created. */
function run(program: string): { readonly apps: App[]; readonly exported: any } {
  const { outputText } = ts.transpileModule(program, { compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 } });
  const apps: App[] = [];
  class Recorded extends App {
    constructor() {
      super({ outdir });
      apps.push(this);
    }
  }
  const modules: { [name: string]: unknown } = { 'cdk8s': { App: Recorded, Chart }, 'cdk8s-mesh-federation': library };
  const module = { exports: {} };
  new Function('require', 'module', 'exports', outputText)((name: string) => modules[name], module, module.exports);
  return { apps, exported: module.exports };
}

interface Change { readonly bank?: [string, string][]; readonly shop?: [string, string][] }
interface Halves { readonly servers: Server[]; readonly calls: Call[] }

/** Both halves of the federation, after changes on one side. */
function halves(change: Change = {}): Halves {
  const changed = (program: string, replacements: [string, string][] = []) => replacements.reduce((text, [from, to]) => {
    expect(text).toContain(from);
    return text.replaceAll(from, to);
  }, program);
  return {
    servers: serversOf(objectsOf(...run(changed(bank, change.bank)).apps)),
    calls: callsOf(objectsOf(...run(changed(shop, change.shop)).apps)),
  };
}

/** For each call the first mismatch, in the order in which the gateways check, or `fits`. */
function obstacles({ servers, calls }: Halves, { addresses }: { readonly addresses: string[] }): string[] {
  return calls.map((call) => {
    if (!call.addresses.some((address) => addresses.includes(address.replace(/:.*/, '')))) return 'no connection';
    const server = servers.find(({ sni }) => sni === call.sni);
    if (!server) return 'unknown SNI';
    if (!call.serverIdentities.includes(server.serverIdentity)) return 'other server';
    if (!server.clientIdentities.includes(call.clientIdentity)) return 'other caller';
    return 'fits';
  });
}
const AT = { addresses: ['federation.bank.example'] };

test('the two programs agree on the SNI, the CAs, the identities and the rule', () => {
  const fitting = halves();
  expect(obstacles(fitting, AT)).toEqual(['fits']);
  const [[server], [call]] = [fitting.servers, fitting.calls];
  expect(call).toMatchObject({ local: 'card-auth.checkout.svc.cluster.local:443', sni: 'p443.card-auth.retail.fed.bank.example' });
  expect(server.allowedOperations).toEqual(['POST /authorizations']);
  expect(server.ca.trim()).toBe(readFileSync('trust/shop.pem', 'utf8').trim());
  expect(call.ca.trim()).toBe(readFileSync('trust/bank.pem', 'utf8').trim());
});

describe('one side changes first', () => {
  const EGRESS = 'spiffe://shop.example/ns/istio-federation/sa/federation-egress';
  test.each<[string, Change, string]>([
    ['a call has an unknown SNI when the bank renames the export', { bank: [['\'card-auth\'', '\'card-authorization\'']] }, 'unknown SNI'],
    ['a call has an unknown SNI when the bank exports another port', { bank: [['exportPort: 443', 'exportPort: 8443']] }, 'unknown SNI'],
    ['a call has an unknown SNI when the bank uses another mesh name for the shop', { bank: [['meshName: \'retail\'', 'meshName: \'store\'']] }, 'unknown SNI'],
    ['a call has an unknown SNI when the bank changes its trust domain', { bank: [['trustDomain: \'bank.example\'', 'trustDomain: \'bank.example.org\'']] }, 'unknown SNI'],
    ['a call rejects the server when the bank moves its gateways to another namespace', { bank: [['meshName: \'bank\',', 'meshName: \'bank\', namespaceName: \'edge\',']] }, 'other server'],
    ['a call has an unknown SNI when the bank revokes the grant', { bank: [['.allowFrom(retail, { http: [HttpRule.allow({ methods: [\'POST\'], paths: [\'/authorizations\'] })] })', '']] }, 'unknown SNI'],
    ['a call still fits when the bank moves the Service of the export', { bank: [['fromName(\'authorize\', \'cards\')', 'fromName(\'decide\', \'core\')'], ['http(8080', 'http(9090']] }, 'fits'],
    ['a call still fits when the shop renames its local name and its caller', {
      shop: [['newService(\'card-auth\', \'checkout\')', 'newService(\'cards\', \'till\')'], ['(\'checkout\', \'checkout\')', '(\'till\', \'till\')']],
    }, 'fits'],
    ['the bank rejects a call when the shop moves its gateways to another namespace', { shop: [['meshName: \'shop\',', 'meshName: \'shop\', namespaceName: \'edge\',']] }, 'other caller'],
    ['the bank rejects a call when the bank configures another egress identity of the shop', { bank: [[EGRESS, EGRESS.replace('federation-egress', 'egress')]] }, 'other caller'],
  ])('%s', (_, change, obstacle) => {
    expect(obstacles(halves(change), AT)).toEqual([obstacle]);
  });

  test('when the bank moves to another address, calls of a shop that lists both addresses fit before and after', () => {
    const both = halves({ shop: [['[{ address: \'federation.bank.example\' }]', '[{ address: \'federation.bank.example\' }, { address: \'new.bank.example\' }]']] });
    expect([AT, { addresses: ['new.bank.example'] }].map((at) => obstacles(both, at))).toEqual([['fits'], ['fits']]);
    expect(obstacles(halves(), { addresses: ['new.bank.example'] })).toEqual(['no connection']);
  });

  test('the bank can rename an export without downtime by exporting it under two names', () => {
    const twice = bank.replace('app.synth();', `bank.expose('Again', {
      service: LocalService.fromName('authorize', 'cards'), exportName: 'card-authorization', ports: [ServicePort.http(8080, { exportPort: 443 })],
    }).allowFrom(retail);`);
    const servers = serversOf(objectsOf(...run(twice).apps));
    for (const name of ['card-auth', 'card-authorization']) {
      const { calls } = halves({ shop: [['exportName: \'card-auth\'', `exportName: '${name}'`], ['exposedService(\'card-auth\')', `exposedService('${name}')`]] });
      expect(obstacles({ servers, calls }, AT)).toEqual(['fits']);
    }
  });

  test('the bank can rename a peer without downtime by adding it under two names', () => {
    const fields = 'const { trustDomain, trustBundle, ingressIdentity, egressIdentity } = retail;';
    const twice = bank.replace('bank.expose(\'CardAuth\'', 'const cardAuth = bank.expose(\'CardAuth\'').replace('}).allowFrom(retail', '});\ncardAuth.allowFrom(retail')
      .replace('app.synth();', `${fields}
        const store = new RemoteMesh(app, 'Store', { meshName: 'store', trustDomain, trustBundle, ingressIdentity, egressIdentity });
        bank.addPeer(store);
        cardAuth.allowFrom(store);
        app.synth();`);
    const servers = serversOf(objectsOf(...run(twice).apps));
    for (const name of ['retail', 'store']) {
      expect(obstacles({ servers, calls: halves({ shop: [['knownAs: \'retail\'', `knownAs: '${name}'`]] }).calls }, AT)).toEqual(['fits']);
    }
  });
});

test('the function of a team adds objects of its namespace to its own chart, and all others to the chart of the mesh', () => {
  const app = new App();
  const [west, east] = ['west', 'east'].map((name) => meshOf(app, name));
  west.addPeer(east);
  east.addPeer(west);
  const cardAuth = east.expose('CardAuth', {
    service: library.LocalService.fromName('authorize', 'cards'), exportName: 'card-auth', ports: [library.ServicePort.http(8080)],
  });
  cardAuth.allowFrom(west);
  const chart = new Chart(app, 'checkout', { namespace: 'checkout' });
  run(team).exported.checkout(chart, { mesh: west, cardAuth });
  const namespaces = (of: Chart) => [...new Set(of.toJson().map(({ metadata }: any) => metadata.namespace))].filter((name) => name !== undefined);
  expect(namespaces(chart)).toEqual(['checkout']);
  expect(namespaces(Chart.of(west))).toEqual(['istio-federation']);
  expect(callsOf(objectsOf(app)).map(({ local }) => local)).toEqual(['card-auth.checkout.svc.cluster.local:8080']);
});
