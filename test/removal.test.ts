import { ApiObject, App, Chart } from 'cdk8s';
import { Construct, IConstruct } from 'constructs';
import { Caller, ExposedService, FederatedMesh, LocalName, LocalService, ManifestWriter, RemoteMesh, RemoteServiceBinding, ServicePort } from '../src';
import { trustOf, meshOf } from './support/meshes';
import { bankWith } from './support/pair';
import { errorOf } from './support/rejections';

/*
 * Removed constructs: synthesis fails if the program removes a construct of the library, because other objects would keep what it allowed.
 */

/** East exports to west and to the bank, and binds an export of each; some constructs are in charts of applications. */
function program() {
  const app = new App();
  const [east, west] = [meshOf(app, 'east'), meshOf(app, 'west')];
  const books = new Chart(app, 'books');
  const web = new Chart(app, 'web');
  const bank = bankWith({ knownAs: 'east' });
  [west, bank].forEach((peer) => east.addPeer(peer));
  west.addPeer(east);
  const exposed = (scope: Construct, mesh: FederatedMesh, id: string) => new ExposedService(scope, id, {
    mesh, service: LocalService.fromName(id, 'books'), exportName: id, ports: [ServicePort.http(80)],
  });
  const [ledger, reviews, details] = [exposed(books, east, 'ledger'), exposed(east, east, 'reviews'), exposed(west, west, 'details')];
  ledger.allowFrom(west);
  ledger.lockWorkload({ reason: 'listed callers only', podLabels: { app: 'ledger' } });
  reviews.allowFrom(bank);
  details.allowFrom(east);
  const binding = new RemoteServiceBinding(web, 'Details', { mesh: east, source: details, localName: LocalName.newService('details', 'web') });
  binding.allowFrom(Caller.serviceAccount('page', 'web'));
  const cards = east.bind('Cards', { source: bank.exposedService('cards'), localName: LocalName.newService('cards', 'web') });
  return { app, east, west, bank, books, web, ledger, reviews, details, binding, cards };
}
type Made = ReturnType<typeof program>;

const remove = ({ node }: IConstruct) => node.scope!.node.tryRemoveChild(node.id);
/** Code and path of each error of synthesis. */
const errorsOf = ({ app }: Pick<Made, 'app'>) => [...errorOf(() => app.synthYaml()).message.matchAll(/\[(.+?)\] (FED\d+) (.+?):/g)]
  .map(([, validated, code, path]) => `${code} ${path} at ${validated}`).sort();

test('the program of these tests is valid', () => {
  expect(errorsOf(program())).toEqual([]);
});

test.each<[string, (made: Made) => IConstruct, string[]]>([
  ['an export in its mesh', ({ reviews }) => reviews, ['FED147 east/Mesh/reviews at east/Mesh']],
  ['an export in the chart of an application', ({ ledger }) => ledger, ['FED147 books/ledger at east/Mesh']],
  ['the chart of an export', ({ books }) => books, ['FED147 books/ledger at east/Mesh']],
  ['a bound export', ({ details }) => details, ['FED147 west/Mesh/details at east/Mesh', 'FED147 west/Mesh/details at west/Mesh']],
  ['a binding in the chart of an application', ({ binding }) => binding, ['FED147 web/Details at east/Mesh']],
  ['the chart of a binding', ({ web }) => web, ['FED147 web/Details at east/Mesh']],
  ['a binding without callers', ({ cards }) => cards, ['FED147 east/Mesh/Cards at east/Mesh']],
  ['a mesh that is a peer', ({ west }) => west, ['FED147 west/Mesh at east/Mesh', 'FED147 west/Mesh/details at east/Mesh']],
  ['the chart of a mesh', ({ east }) => Chart.of(east), ['FED147 east/Mesh at books/ledger', 'FED147 east/Mesh at web/Details', 'FED147 east/Mesh at west/Mesh']],
  ['an export of a remote mesh', ({ bank }) => bank.exposedService('cards'), ['FED147 Bank/cards at east/Mesh']],
])('synthesis rejects the removal of %s', (_, choose, errors) => {
  const made = program();
  remove(choose(made));
  expect(errorsOf(made)).toEqual(errors);
});

test('synthesis rejects the removal of a remote mesh, with its export', () => {
  const made = program();
  const app = new App();
  const bank = new RemoteMesh(app, 'Core', {
    meshName: 'core',
    trustDomain: 'core.example',
    trustBundle: trustOf('core'),
  });
  made.east.addPeer(bank);
  remove(bank);
  expect(errorsOf(made)).toEqual(['FED147 Core at east/Mesh']);
});

test('a remote mesh that nothing uses can be removed', () => {
  const made = program();
  remove(bankWith());
  expect(errorsOf(made)).toEqual([]);
});

test('synthesis rejects the removal of each single generated object, wherever it is, and of each construct that groups them', () => {
  const all = program().app.node.findAll().filter((construct) => !Chart.isChart(construct) && construct.node.scope !== undefined);
  expect(all.filter((construct) => ApiObject.isApiObject(construct)).length).toBeGreaterThan(50);
  const accepted = all.filter(({ node: { path } }) => {
    const made = program();
    remove(made.app.node.findAll().find(({ node }) => node.path === path)!);
    return !made.app.node.findAll().some(({ node }) => node.validate().some((error) => error.startsWith('FED147')));
  });
  expect(accepted.map(({ node }) => node.path)).toEqual([]);
});

test('ManifestWriter rejects the removal of a policy and names it', () => {
  const made = program();
  const policies = made.app.node.findAll().filter(ApiObject.isApiObject).filter(({ kind }) => kind === 'AuthorizationPolicy');
  policies.forEach(remove);
  const { message } = errorOf(() => ManifestWriter.write(made.app));
  for (const { node } of policies) expect(message).toContain(`FED147 ${node.path}: the construct was removed from the construct tree`);
});

test('synthesis rejects a removed export that another construct with its id replaces', () => {
  const made = program();
  remove(made.reviews);
  made.east.expose('reviews', { service: LocalService.fromName('other', 'books'), exportName: 'other', ports: [ServicePort.http(80)] });
  expect(errorsOf(made)).toEqual(['FED147 east/Mesh/reviews at east/Mesh']);
});

test('the export name of a removed export cannot be used again', () => {
  const made = program();
  remove(made.reviews);
  expect(errorOf(() => made.east.expose('reviews', { service: LocalService.fromName('reviews', 'books'), exportName: 'reviews', ports: [ServicePort.http(80)] })).message)
    .toContain('FED302');
});

test('synthesis rejects an export that is removed before it is allowed to a peer', () => {
  const made = program();
  const late = made.east.expose('Late', { service: LocalService.fromName('late', 'books'), exportName: 'late', ports: [ServicePort.http(80)] });
  remove(late);
  late.allowFrom(made.west);
  expect(errorsOf(made)).toEqual(['FED147 east/Mesh/Late at east/Mesh']);
});

test('synthesis rejects the removal of one of two boundaries of a mesh', () => {
  const made = program();
  const second = new FederatedMesh(new Chart(made.app, 'second'), 'Mesh', {
    meshName: 'east', trustDomain: 'east.example', trustBundle: trustOf('east'), namespaceName: 'partners',
  });
  expect(errorsOf(made)).toEqual([]);
  remove(second);
  expect(errorsOf(made)).toEqual(['FED147 second/Mesh at east/Mesh']);
});

test('children that a program has added to a mesh can be removed', () => {
  const made = program();
  const own = new ApiObject(made.east, 'Own', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'own' } });
  remove(own);
  expect(errorsOf(made)).toEqual([]);
});
