/**
 * Programs at random: meshes with one or two boundaries each, remote meshes, and declarations of every kind in their charts and in those of
 * applications. A declaration may be rejected.
 */
import { Duration } from 'cdk8s';
import { Dice } from './dice';
import { trustOf } from './meshes';
import { Binding, Boundary, Export, Grant, Made, Protocol, Source, Statement, trustDomainOf } from './statements';
import {
  Accountability, AddPeerOptions, AllowFromOptions, BoundaryGateway, Caller, Delivery, ExposedService, FederatedMesh, GatewayCredential, HttpRule,
  IMeshPeer, IstioVersion, LocalName, LocalService, RemoteMesh, RemoteServiceBinding, ServicePort, SourceOptions, SpiffeId,
} from '../../src';

const REASON = { reason: 'agreed with the security team', ticket: 'SEC-1' };
const MESHES = ['east', 'west', 'north', 'core'];
const REMOTES = ['bank', 'cloud'];
const NAMES = ['a', 'b', 'a-b', 'b-c', 'guard', 'guard-a', 'a-80', 'a-80-b', 'isolated-a', 'f'.repeat(63), 'cafe-deadbeef'];
const NAMESPACES = ['apps', 'a', 'a-b', 'web'];
const PORTS = [80, 443, 8080, 9080];
const PATHS = ['/', '/a', '/a/*', '/a/b', '/b/*', '/*'];

/** The statements of the program of this number. */
export function statementsOf(number: number): Statement[] {
  const dice = new Dice(number);
  const statements: Statement[] = [];
  const about = (): Accountability => ({
    purpose: dice.maybe(() => dice.pick(['show reviews', 'pay']), 6),
    owner: dice.maybe(() => dice.pick(['team a', 'team b']), 6),
    dataCategories: dice.maybe(() => dice.some(['cardholder', 'public'], 1), 8),
  });

  // Boundaries and remote meshes.
  const boundaries: Boundary[] = [];
  for (const mesh of MESHES.slice(0, 2 + dice.below(3))) {
    const separate = dice.once(8);
    const settings = {
      istioVersion: dice.once(10) ? IstioVersion.V1_30 : undefined,
      workloadTrustDomain: separate ? `${mesh}-workloads.example` : undefined,
    };
    dice.list(1, dice.once(3) ? 2 : 1, (index) => {
      const existing = dice.once(5);
      const boundary = { id: `${mesh}${index || ''}`, mesh, existing };
      boundaries.push(boundary);
      const props = {
        delivery: dice.maybe(() => dice.pick(['argoCd', 'flux'] as const), 6),
        connectAfterHandshake: dice.maybe(() => true, 3),
        createNamespace: dice.maybe(() => false, 8),
        withoutAdmissionPolicy: dice.once(8),
        underscores: dice.once(8),
        dmz: dice.once(6),
        credential: separate || dice.once(8) ? dice.pick(['certManager', 'secret']) : undefined,
        minReplicas: dice.pick([1, 2]),
        port: dice.pick([443, 15443]),
        twoAddresses: dice.once(4),
      };
      statements.push({
        id: boundary.id,
        needs: [],
        boundary,
        run: (made) => {
          const credential = (name: string) => props.credential === 'certManager' ? GatewayCredential.fromCertManager(made.give({ issuerName: 'ca' }))
            : props.credential === 'secret' ? GatewayCredential.fromSecret(`${name}-tls`) : undefined;
          const ingressGateway = existing
            ? BoundaryGateway.fromExisting(made.give({
              namespaceName: `edge${index || ''}`, serviceAccountName: 'edge', serviceName: 'edge', podLabels: { app: 'edge' }, credential: credential('edge'),
            }))
            : BoundaryGateway.dedicated(made.give({
              minReplicas: props.minReplicas,
              sourceRanges: ['203.0.113.0/28'],
              labels: { team: 'edge' },
              nodeSelector: { pool: 'dmz' },
              credential: credential('in'),
              namespaceName: props.dmz ? `dmz${index || ''}` : undefined,
            }));
          return new FederatedMesh(made.chart(boundary.id), 'Mesh', made.give({
            ...settings,
            meshName: mesh,
            trustDomain: trustDomainOf(mesh),
            trustBundle: trustOf(mesh),
            namespaceName: index === 0 ? undefined : 'partners',
            endpoints: [{ address: `fed.${boundary.id}.example`, port: props.port }, ...props.twoAddresses ? [{ address: `fed2.${boundary.id}.example` }] : []],
            ingressGateway,
            egressGateway: BoundaryGateway.dedicated(made.give({ credential: credential('out') })),
            delivery: props.delivery && Delivery[props.delivery](),
            connectAfterHandshake: props.connectAfterHandshake,
            createNamespace: props.createNamespace,
            withoutAdmissionPolicy: props.withoutAdmissionPolicy ? { ...REASON } : undefined,
            allowHeadersWithUnderscores: props.underscores ? { ...REASON } : undefined,
          }));
        },
      });
    });
  }
  const ports = (): [number, number, Protocol][] => {
    const numbers = dice.some(PORTS, 1, 2);
    return numbers.map((exportPort) => [dice.pick(PORTS), exportPort, dice.pick(['http', 'http', 'http', 'grpc', 'tcp', 'tls'] as const)]);
  };
  const servicePorts = (made: Made, list: readonly [number, number, Protocol][]) =>
    list.map(([port, exportPort, protocol]) => ServicePort[protocol](port, made.give({ exportPort })));
  const exports: Export[] = [];
  const remotes = REMOTES.slice(0, dice.below(3));
  for (const remote of remotes) {
    const services = dice.some(NAMES, 1, 3).map((exportName): Export => ({ id: `${remote} ${exportName}`, owner: remote, exportName, ports: ports() }));
    exports.push(...services);
    statements.push({
      id: remote,
      needs: [],
      run: (made) => {
        const identity = (side: string) => SpiffeId.parse(`spiffe://${trustDomainOf(remote)}/ns/dmz/sa/${side}`);
        const mesh = new RemoteMesh(made.chart('remotes'), remote, made.give({
          meshName: remote,
          trustDomain: trustDomainOf(remote),
          trustBundle: trustOf(remote),
          ingressIdentity: identity('in'),
          egressIdentity: identity('out'),
          endpoints: [{ address: `fed.${remote}.example` }],
          knownAs: 'us',
          exposedServices: services.map(({ exportName, ports: list }) => ({ exportName, ports: servicePorts(made, list) })),
        }));
        services.forEach(({ id, exportName }) => made.constructs.set(id, mesh.exposedService(exportName)));
        return mesh;
      },
    });
  }

  // Peers: of each other mesh at most one boundary, since two of them would have the same name.
  const peersOf = new Map<Boundary, string[]>();
  const isolatedPeers = new Map<string, boolean>();
  for (const boundary of boundaries) {
    const others = MESHES.filter((mesh) => mesh !== boundary.mesh).flatMap((mesh) => {
      const candidates = boundaries.filter((one) => one.mesh === mesh).map(({ id }) => id);
      return candidates.length > 0 && !dice.once(5) ? [dice.pick(candidates)] : [];
    });
    const peers = [...others, ...dice.some(remotes)];
    peersOf.set(boundary, peers);
    for (const peer of peers) {
      const isolated = isolatedPeers.get(`${boundary.mesh} ${peer}`) ?? dice.once(10);
      isolatedPeers.set(`${boundary.mesh} ${peer}`, isolated);
      const plain = {
        ...about(),
        limits: dice.maybe(() => ({ maxConnections: 100, requestsPerSecond: dice.maybe(() => 50), maxConnectionDuration: dice.maybe(() => 1) }), 4),
        upstreamLimits: dice.maybe(() => ({ maxConnections: 100 }), 5),
        stripTracing: dice.maybe(() => true, 8),
        removeRequestHeaders: dice.maybe(() => dice.some(['x-team', 'x-cost', 'x-a'], 1), 5),
        allowTls12: dice.once(8),
        trustConfigMapName: dice.maybe(() => `${peer}-roots`, 8),
      };
      statements.push({
        id: `${boundary.id} adds ${peer}`,
        needs: [boundary.id, peer],
        adds: { boundary, peer, isolated },
        run: (made) => {
          const hours = plain.limits?.maxConnectionDuration;
          const options: AddPeerOptions = made.give({
            ...structuredClone(plain),
            limits: plain.limits && { ...plain.limits, maxConnectionDuration: hours === undefined ? undefined : Duration.hours(hours) },
            allowTls12: plain.allowTls12 ? { ...REASON } : undefined,
            isolated: isolated ? { ...REASON } : undefined,
          });
          (made.constructs.get(boundary.id) as FederatedMesh).addPeer(made.constructs.get(peer) as IMeshPeer, options);
        },
      });
    }
  }

  // Exports, locks and grants.
  const grants: Grant[] = [];
  const own: (Export & { readonly boundary: Boundary })[] = dice.list(1, 6, (index) => ({
    id: `export${index}`, boundary: dice.pick(boundaries), owner: '', exportName: dice.pick([...NAMES, 'a.b', '80']), ports: ports(),
  })).map((one) => ({ ...one, owner: one.boundary.id }));
  for (const exported of own) {
    exports.push(exported);
    const { id, boundary } = exported;
    const [service, namespace] = [dice.pick(['one', 'two', 'a']), dice.pick(NAMESPACES)];
    const plain = { ...about(), requestTimeout: dice.maybe(() => 10, 5), idleTimeout: dice.maybe(() => 60, 5) };
    const inChart = dice.once(3);
    statements.push({
      id,
      needs: [boundary.id],
      run: (made) => {
        const mesh = made.constructs.get(boundary.id) as FederatedMesh;
        const options = made.give({
          ...structuredClone(plain),
          service: LocalService.fromName(service, namespace),
          exportName: exported.exportName,
          ports: servicePorts(made, exported.ports),
          requestTimeout: plain.requestTimeout && Duration.seconds(plain.requestTimeout) || undefined,
          idleTimeout: plain.idleTimeout && Duration.seconds(plain.idleTimeout) || undefined,
        });
        return inChart ? new ExposedService(made.chart(`${boundary.mesh}-${namespace}`), id, { ...options, mesh }) : mesh.expose(id, options);
      },
    });
    if (dice.once(4)) {
      const callers = dice.list(0, 2, () => [dice.pick(['x', 'y']), dice.pick(NAMESPACES)] as const);
      statements.push({
        id: `${id} locks`,
        needs: [id],
        run: (made) => (made.constructs.get(id) as ExposedService).lockWorkload(made.give({
          ...REASON, podLabels: { app: service }, localCallers: callers.map(([account, where]) => Caller.serviceAccount(account, where)),
        })),
      });
    }
    const users = peersOf.get(boundary)!;
    if (users.length === 0) continue;
    dice.list(0, 3, (index) => {
      const peer = dice.pick(users);
      const numbers = dice.maybe(() => dice.some(exported.ports.map(([, exportPort]) => exportPort), 1));
      const chosen = exported.ports.filter(([, exportPort]) => numbers?.includes(exportPort) ?? true).map(([, , protocol]) => protocol);
      const only = (...protocols: Protocol[]) => chosen.every((protocol) => protocols.includes(protocol));
      const rules = only('http') ? dice.maybe(() => dice.list(1, 2, () => ({
        methods: dice.maybe(() => dice.some(['GET', 'POST', 'HEAD'], 1)),
        paths: dice.some(PATHS, 1, 2),
        requiredHeaders: dice.maybe(() => ({ 'x-tester': 'yes' }), 4),
        exceptPaths: dice.maybe(() => dice.some(['/a/b', '/b/c/*', '/a/drafts/*'], 1, 2), 4),
      }))) : undefined;
      const allowed = {
        ...about(),
        ports: numbers,
        grpcMethods: only('grpc') ? dice.maybe(() => dice.some(['/a.B/C', '/a.B/*', '/D/E'], 1)) : undefined,
        jwt: only('http', 'grpc') ? dice.maybe(() => ({
          issuer: dice.pick(['https://a.example', 'https://b.example']),
          jwksUri: 'https://a.example/keys',
          audiences: dice.some(['a', 'b'], 1),
          claims: dice.maybe(() => ({ scope: dice.some(['read', 'write'], 1) })),
        }), 4) : undefined,
      };
      const granted: Grant = { exported, peer, ports: numbers };
      grants.push(granted);
      statements.push({
        id: `${id} allows ${peer} ${index}`,
        needs: [id, peer],
        grants: granted,
        run: (made) => {
          const http = rules?.map((rule) => HttpRule.allow(made.give(structuredClone(rule))));
          const options: AllowFromOptions = made.give({ ...structuredClone(allowed), http });
          (made.constructs.get(id) as ExposedService).allowFrom(made.constructs.get(peer) as IMeshPeer, options);
        },
      });
    });
  }

  // Bindings of what is granted, sometimes of what is not.
  const isGranted = (exported: Export, user: string) => grants.some((grant) => grant.exported === exported && grant.peer === user);
  const reachable = (boundary: Boundary) => exports.filter(({ owner }) => peersOf.get(boundary)!.includes(owner))
    .filter((exported) => remotes.includes(exported.owner) || dice.once(12) || isGranted(exported, boundary.id));
  for (const boundary of boundaries) {
    const sources = reachable(boundary);
    if (sources.length === 0) continue;
    dice.list(0, 3, (index) => {
      const id = `${boundary.id} binds ${index}`;
      const exported = dice.pick(sources);
      const allowedPorts = exported.ports.map(([, exportPort]) => exportPort);
      const granted = grants.filter((grant) => grant.exported === exported && grant.peer === boundary.id)
        .flatMap((grant) => grant.ports ?? allowedPorts);
      const usable = remotes.includes(exported.owner) ? allowedPorts : [...new Set(granted)];
      const mappings = usable.length > 0 ? dice.maybe(() => usable.map((exportPort, at): [number, number] => [1000 + at, exportPort]), 3) : undefined;
      const binding: Binding = { id, boundary, source: { exported, mappings } };
      const [name, namespace, existing] = [dice.pick(NAMES), dice.pick(NAMESPACES), dice.once(3)];
      const shared = existing && dice.once(2);
      const described = {
        ...about(), additionalHosts: dice.maybe(() => dice.some(['a.other.example', 'b.other.example'], 1), 5), weight: shared ? 10 : undefined,
      };
      const options = (made: Made, source: Source): SourceOptions =>
        made.give({ portMappings: source.mappings?.map(([localPort, exportPort]) => ({ localPort, exportPort })) });
      const inChart = dice.once(2);
      statements.push({
        id,
        needs: [boundary.id, exported.id.startsWith('export') ? exported.id : exported.owner],
        binds: binding,
        run: (made) => {
          const mesh = made.constructs.get(boundary.id) as FederatedMesh;
          const props = made.give({
            ...structuredClone(described),
            ...options(made, binding.source),
            source: made.constructs.get(exported.id),
            localName: existing ? LocalName.existingService(name, namespace) : LocalName.newService(name, namespace),
          });
          const construct = `Binding${boundary.id}${index}`;
          return inChart ? new RemoteServiceBinding(made.chart(`${boundary.mesh}-${namespace}`), construct, { ...props, mesh }) : mesh.bind(construct, props);
        },
      });
      if (shared) {
        statements.push({
          id: `${id} here`, needs: [id], run: (made) => (made.constructs.get(id) as RemoteServiceBinding).addLocalSource(made.give({ weight: 90 })),
        });
      }
      const other = dice.pick(sources);
      if (!shared && other !== exported && dice.once(3)) {
        const source: Source = { exported: other, mappings: other.ports.map(([, exportPort], at) => [2000 + at, exportPort]) };
        statements.push({
          id: `${id} too`,
          needs: [id, other.id.startsWith('export') ? other.id : other.owner],
          sourceOf: { binding, source },
          run: (made) => (made.constructs.get(id) as RemoteServiceBinding).addSource(made.constructs.get(other.id), options(made, source)),
        });
      }
      const tester = shared && exported.ports.every(([, , protocol]) => protocol === 'http') && dice.once(2) ? dice.pick(sources) : undefined;
      if (tester) {
        const source: Source = { exported: tester, mappings: mappings ?? undefined };
        statements.push({
          id: `${id} testers`,
          needs: [id, tester.id.startsWith('export') ? tester.id : tester.owner],
          sourceOf: { binding, source },
          run: (made) => (made.constructs.get(id) as RemoteServiceBinding)
            .addSource(made.constructs.get(tester.id), made.give({ ...options(made, source), whenHeaders: { 'x-tester': 'yes' } })),
        });
      }
      const requests = exported.ports.every(([, , protocol]) => protocol === 'http' || protocol === 'grpc');
      dice.list(0, 3, (at) => {
        const [account, where] = [dice.pick(['x', 'y']), dice.pick(NAMESPACES)];
        const wide = requests && dice.once(5) ? dice.pick(['mesh', 'namespace'] as const) : undefined;
        statements.push({
          id: `${id} for ${at}`,
          needs: [id],
          calls: { binding },
          run: (made) => (made.constructs.get(id) as RemoteServiceBinding).allowFrom(
            wide === 'mesh' ? Caller.anyInMesh() : wide === 'namespace' ? Caller.anyInNamespace(where) : Caller.serviceAccount(account, where)),
        });
      });
    });
    if (dice.once(3)) {
      const [namespace, allowedHosts] = [dice.pick(NAMESPACES), dice.maybe(() => dice.some(['egress/api.acquirer.example', './b.example', '*/c.example'], 1))];
      statements.push({
        id: `${boundary.id} restricts`,
        needs: [boundary.id],
        run: (made) => (made.constructs.get(boundary.id) as FederatedMesh)
          .restrictNamespace(namespace, made.give({ ...REASON, allowedHosts: allowedHosts && [...allowedHosts] })),
      });
    }
  }
  return statements;
}
