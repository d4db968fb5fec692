/**
 * Generated federations: ambiguous names, and calls in any order.
 */
import { App, Chart } from 'cdk8s';
import fc from 'fast-check';
import { trustOf } from './meshes';
import {
  Caller, ExposedService, FederatedMesh, HttpRule, HttpRuleOptions, LocalName, LocalService, PortMapping, RemoteServiceBinding,
  ServicePort,
} from '../../src';

/** Names of certificates of the tests. The generator gives the meshes other names. */
const CERTIFICATES = ['east', 'west', 'north', 'core'];
const MESH_NAMES = ['a', 'b', 'a-b', 'b-c', 'c', '80', 'b-80-c', '9080-b', 'guard', 'deadbeef', 'x'.repeat(63)];
const NAMES = ['a', 'b', 'a-b', 'b-c', 'guard', 'guard-a', 'a-80', 'a-80-b', 'guard-9080-b', 'default-deny', 'f'.repeat(63), 'cafe-deadbeef'];
const EXPORT_NAMES = [...NAMES, 'a.b', 'a.80.b', '80', `${'l'.repeat(60)}.v1`];
const PORTS = [80, 443, 8080, 9080];
const ISSUERS = ['https://a.example', 'https://a.example/', 'a-example', 'https://a.example/b'];
const PATHS = ['/', '/a', '/a/*', '/a/b', '/*'];

type Protocol = 'http' | 'grpc' | 'tcp' | 'tls';
export interface Grant {
  readonly exportIndex: number;
  readonly peer: number;
  readonly ports?: number[];
  readonly rules?: HttpRuleOptions[];
  /** The issuer of the JWTs that it requires. */
  readonly issuer?: string;
}
export interface Export {
  readonly mesh: number; readonly exportName: string; readonly service: string; readonly ports: [port: number, exportPort: number, Protocol][];
}
export interface Binding {
  readonly grant: number;
  readonly name: string;
  readonly namespace: string;
  readonly mappings?: PortMapping[];
  readonly callers: [string, string][];
  /** Indices of grants for additional sources, which get separate local ports. `wide`: callers by namespace or mesh. */
  readonly more: number[];
  readonly existing: boolean;
  readonly wide: 'no one' | 'namespace' | 'mesh';
}
export interface Federation {
  readonly meshes: string[];
  readonly exportedServices: Export[];
  readonly grants: Grant[];
  readonly bindings: Binding[];
}

const rule: fc.Arbitrary<HttpRuleOptions> = fc.record({
  methods: fc.option(fc.uniqueArray(fc.constantFrom('GET', 'POST', 'HEAD'), { minLength: 1 }), { nil: undefined }),
  paths: fc.uniqueArray(fc.constantFrom(...PATHS), { minLength: 1, maxLength: 3 }),
});

/** A federation that the library accepts. */
export const federation: fc.Arbitrary<Federation> = fc.uniqueArray(fc.constantFrom(...MESH_NAMES), { minLength: 2, maxLength: 4 })
  .chain((meshes) => fc.uniqueArray(exportIn(meshes.length), { minLength: 1, maxLength: 5, selector: (one) => `${one.mesh} ${one.exportName}` })
    .chain((exportedServices) => {
      const grant = fc.nat(exportedServices.length - 1).chain((index) => grantOf(exportedServices, index, meshes.length));
      return fc.uniqueArray(grant, { minLength: 1, maxLength: 6, selector: (one) => `${one.exportIndex} ${one.peer}` }).chain((grants) => {
        const binding = fc.nat(grants.length - 1).chain((index) => bindingTo(exportedServices, grants, index));
        const selector = (one: Binding) => `${grants[one.grant].peer} ${one.name} ${one.namespace}`;
        return fc.uniqueArray(binding, { maxLength: 6, selector }).map((bindings) => ({ meshes, exportedServices, grants, bindings }));
      });
    }));

function exportIn(meshes: number): fc.Arbitrary<Export> {
  const port = fc.tuple(fc.constantFrom(...PORTS), fc.constantFrom(...PORTS), fc.constantFrom<Protocol>('http', 'http', 'grpc', 'tcp', 'tls'));
  return fc.record({
    mesh: fc.nat(meshes - 1),
    exportName: fc.constantFrom(...EXPORT_NAMES),
    service: fc.constantFrom('one', 'two'),
    ports: fc.uniqueArray(port, { minLength: 1, maxLength: 2, selector: ([, exportPort]) => exportPort }),
  });
}

function grantOf(exportedServices: Export[], index: number, meshes: number): fc.Arbitrary<Grant> {
  const numbers = exportedServices[index].ports.map(([, exportPort]) => exportPort);
  const onlyHttp = exportedServices[index].ports.every(([, , protocol]) => protocol === 'http');
  const requests = exportedServices[index].ports.every(([, , protocol]) => protocol === 'http' || protocol === 'grpc');
  return fc.record({
    exportIndex: fc.constant(index),
    peer: fc.nat(meshes - 1).filter((peer) => peer !== exportedServices[index].mesh),
    ports: fc.option(fc.uniqueArray(fc.constantFrom(...numbers), { minLength: 1 }), { nil: undefined }),
    rules: onlyHttp ? fc.option(fc.array(rule, { minLength: 1, maxLength: 2 }), { nil: undefined }) : fc.constant(undefined),
    issuer: requests ? fc.option(fc.constantFrom(...ISSUERS), { nil: undefined }) : fc.constant(undefined),
  });
}

function bindingTo(exportedServices: Export[], grants: Grant[], index: number): fc.Arbitrary<Binding> {
  const { exportIndex, ports, peer } = grants[index];
  const allowed = ports ?? exportedServices[exportIndex].ports.map(([, exportPort]) => exportPort);
  // At most one source for each export, because a destination can be only once behind a port.
  const others = grants.map((_, at) => at).filter((at) => at !== index && grants[at].peer === peer && grants[at].exportIndex !== exportIndex);
  const bytes = [index, ...others].some((at) => exportedServices[grants[at].exportIndex].ports.some(([, , protocol]) => protocol === 'tcp' || protocol === 'tls'));
  return fc.record({
    grant: fc.constant(index),
    name: fc.constantFrom(...NAMES),
    namespace: fc.constantFrom('a', 'b', 'a-b', 'b-c', 'c'),
    mappings: fc.option(fc.constant(allowed.map((exportPort, at) => ({ exportPort, localPort: 1000 + at }))), { nil: undefined }),
    callers: fc.array(fc.tuple(fc.constantFrom('x', 'y'), fc.constantFrom('a', 'a-b', 'web')), { maxLength: 3 }),
    more: fc.subarray(others),
    existing: fc.boolean(),
    wide: bytes ? fc.constant('no one' as const) : fc.constantFrom<Binding['wide']>('no one', 'no one', 'namespace', 'mesh'),
  });
}

/** Runs a federation as a program; `order` ranks its statements. */
export function build(whole: Federation, order: number[] = []): App {
  const { meshes, exportedServices, grants, bindings } = whole;
  const app = new App();
  const owned = meshes.map((meshName, index) => ownMesh(app, meshName, index));
  const exposed = exportedServices.map(({ mesh, exportName, service, ports }, index) => owned[mesh].expose(`Export${index}`, {
    exportName,
    service: LocalService.fromName(service, 'apps'),
    ports: ports.map(([port, exportPort, protocol]) => ServicePort[protocol](port, { exportPort })),
  }));
  const bound: RemoteServiceBinding[] = [];
  const bind = (index: number) => bound[index] ??= bindingOf(owned, exposed, grants, bindings[index], index);
  const statements = [
    ...owned.flatMap((mesh) => owned.filter((peer) => peer !== mesh).map((peer) => () => mesh.addPeer(peer))),
    ...grants.map(({ exportIndex, peer, ports, rules, issuer }) => () => exposed[exportIndex].allowFrom(owned[peer], {
      ports, http: rules?.map((one) => HttpRule.allow(one)), jwt: issuer ? { issuer, jwksUri: 'https://a.example/keys', audiences: ['b', 'a'] } : undefined,
    })),
    ...bindings.flatMap(({ callers, more, existing, wide }, index) => [
      () => { bind(index); },
      ...more.map((grant) => () => addSource(bind(index), exposed, whole, grant)),
      ...existing ? [() => bind(index).addLocalSource()] : [],
      ...wide === 'no one' ? [] : [() => bind(index).allowFrom(wide === 'mesh' ? Caller.anyInMesh() : Caller.anyInNamespace('a-b'))],
      ...callers.map(([account, namespace]) => () => bind(index).allowFrom(Caller.serviceAccount(account, namespace))),
    ]),
  ];
  const ranked = statements.map((run, index) => ({ run, rank: order[index % Math.max(order.length, 1)] ?? 0, index }));
  ranked.sort((a, b) => a.rank - b.rank || a.index - b.index).forEach(({ run }) => run());
  return app;
}

/** Adds a source with local ports of its own, because it may have another protocol. */
function addSource(binding: RemoteServiceBinding, exposed: ExposedService[], { exportedServices, grants }: Federation, grant: number): void {
  const { exportIndex, ports } = grants[grant];
  const allowed = ports ?? exportedServices[exportIndex].ports.map(([, exportPort]) => exportPort);
  const portMappings = allowed.map((exportPort, at) => ({ exportPort, localPort: 2000 + 10 * exportIndex + at }));
  binding.addSource(exposed[exportIndex], { portMappings });
}

/** The federation without one grant and the bindings that use it. */
export function withoutGrant(whole: Federation, removed: number): Federation {
  const bindings = whole.bindings.filter(({ grant, more }) => grant !== removed && !more.includes(removed));
  const moved = (grant: number) => grant > removed ? grant - 1 : grant;
  return {
    ...whole,
    grants: whole.grants.filter((_, index) => index !== removed),
    bindings: bindings.map((binding) => ({ ...binding, grant: moved(binding.grant), more: binding.more.map(moved) })),
  };
}

function ownMesh(app: App, meshName: string, index: number): FederatedMesh {
  return new FederatedMesh(new Chart(app, `mesh${index}`), 'Mesh', {
    meshName, trustDomain: `m${index}.example`, trustBundle: trustOf(CERTIFICATES[index]), endpoints: [{ address: `federation.${CERTIFICATES[index]}.example` }],
  });
}

function bindingOf(owned: FederatedMesh[], exposed: ExposedService[], grants: Grant[], binding: Binding, index: number): RemoteServiceBinding {
  const { exportIndex, peer } = grants[binding.grant];
  return owned[peer].bind(`Binding${index}`, {
    source: exposed[exportIndex],
    localName: binding.existing ? LocalName.existingService(binding.name, binding.namespace) : LocalName.newService(binding.name, binding.namespace),
    portMappings: binding.mappings,
    additionalHosts: binding.existing ? [`${binding.name}.${binding.namespace}.other.example`] : undefined,
  });
}
