import { App, Yaml } from 'cdk8s';
import Table from 'cli-table3';
import { expose, meshes } from './federation';
import { Caller, ExposedService, HttpRule, LocalName } from '../src';

interface Size { readonly documents: number; readonly bytes: number }

/** The size of the output for each mesh. */
function sizesOf(app: App): Size[] {
  return app.charts.map((chart) => {
    const documents = chart.toJson();
    return { documents: documents.length, bytes: Buffer.byteLength(Yaml.stringify(...documents)) };
  });
}

const RULES = { http: [HttpRule.allow({ methods: ['GET'], paths: ['/items/*'] })] };
const localName = (index: number) => LocalName.newService(`service-${index}`, 'default');
const caller = (name: string) => Caller.serviceAccount(name, 'default');

/** The sizes of a federation with two services and further declarations. */
function program(further: (parts: ReturnType<typeof meshes> & { readonly services: ExposedService[]; readonly bindings: any[] }) => void): Size[] {
  const app = new App();
  const both = meshes(app);
  const services = [0, 1].map((index) => expose(both.east, index));
  services.forEach((service) => service.allowFrom(both.west, RULES));
  const bindings = services.map((source, index) => both.west.bind(`Service${index}`, { source, localName: localName(index) }));
  bindings.forEach((binding) => binding.allowFrom(caller('client')));
  further({ ...both, services, bindings });
  return sizesOf(app);
}

/** Further declarations. Each step includes the previous ones, and a row shows the difference. */
const STEPS: [string, (parts: any) => void][] = [
  ['an export', (parts) => { parts.third = expose(parts.east, 2); }],
  ['a grant with a rule', (parts) => { parts.third.allowFrom(parts.west, RULES); }],
  ['a binding', (parts) => { parts.binding = parts.west.bind('Service2', { source: parts.third, localName: localName(2) }); }],
  ['its first caller', (parts) => { parts.binding.allowFrom(caller('client')); }],
  ['a caller in the same namespace', (parts) => { parts.binding.allowFrom(caller('other')); }],
  ['a caller in another namespace', (parts) => { parts.binding.allowFrom(Caller.serviceAccount('client', 'elsewhere')); }],
  ['a second local name for the same service', (parts) => {
    parts.west.bind('Again', { source: parts.third, localName: LocalName.newService('again', 'default') }).allowFrom(caller('client'));
  }],
];

export function growth(): void {
  const head = ['each further', 'documents, exporter', 'bytes, exporter', 'documents, consumer', 'bytes, consumer'];
  const table = new Table({ head, style: { head: [], border: [] }, colAligns: ['left', ...head.slice(1).map(() => 'right' as const)] });
  let before = program(() => undefined);
  table.push(['two services (total)', ...before.flatMap(({ documents, bytes }) => [documents, bytes])]);
  STEPS.forEach(([title], index) => {
    const after = program((parts) => { const shared = { ...parts }; STEPS.slice(0, index + 1).forEach(([, step]) => step(shared)); });
    table.push([title, ...after.flatMap(({ documents, bytes }, mesh) => [documents - before[mesh].documents, bytes - before[mesh].bytes])]);
    before = after;
  });
  process.stdout.write(`${table.toString()}\n`);
}
