import { mkdtempSync, readFileSync, rmSync } from 'fs';
import { tmpdir } from 'os';
import { join } from 'path';
import { ApiObject, App, Chart, Duration } from 'cdk8s';
import {
  Accountability, AddPeerOptions, AllowFromOptions, BoundaryGateway, Caller, CertManagerOptions, DedicatedGatewayOptions, Delivery,
  ExistingGatewayOptions, ExposedService, ExposedServiceOptions, ExposedServiceProps, FederatedMesh, FederatedMeshProps, GatewayCredential,
  GatewayEndpoint, GatewayServiceType, HttpRule, HttpRuleOptions, IstioVersion, Justification, JwtRule, KeyAlgorithm, LocalName,
  LocalService, LocalSourceOptions, LockWorkloadOptions, ManifestWriter, NetworkDestination, NodeToleration, PeerLimits, PortMapping, RemoteMesh,
  RemoteMeshProps, RemoteServiceBinding, RemoteServiceBindingOptions, RemoteServiceBindingProps, RemoteServiceProps,
  RestrictNamespaceOptions, ServiceAccountIdentity, ServicePort, ServicePortOptions, SourceOptions, SpiffeId, UpstreamLimits, WriteOptions,
} from '../src';
import { find, Manifest, names, parse, withoutDigest } from './support/manifests';
import { meshOf, TRUST, trustOf } from './support/meshes';
import { everyOption, Option, TABLES } from './support/options';
import { bankWith } from './support/pair';
import { rbacOf } from './support/rbac';
import { errorOf } from './support/rejections';

/*
 * Every option of the public API, with the field of the output that it determines. A new option does not compile until it has a row here.
 */

const PREFIX = 'cdk8s-mesh-federation/';
const REASON = 'agreed with the security team';

/* Parts of programs. */

/** A copy of the objects of the chart of a mesh. */
const objectsIn = (mesh: FederatedMesh): Manifest[] => JSON.parse(JSON.stringify(Chart.of(mesh).toJson().map(withoutDigest)));
const reviewsOf = (mesh: FederatedMesh, options: Partial<ExposedServiceOptions> = {}) => mesh.expose('Reviews', {
  service: LocalService.fromName('reviews', 'default'), exportName: 'reviews', ports: [ServicePort.http(9080)], ...options,
});
const page = Caller.serviceAccount('page', 'web');
/** A mesh as scope of its parts, or a chart if the program has something else in its place. */
const scopeIn = (mesh: unknown) => mesh instanceof FederatedMesh ? mesh : new Chart(new App(), 'apps');

/** The objects of east, whose peer west may call the given export. */
function exporting(exported: (east: FederatedMesh) => ExposedService, allowed: AllowFromOptions = {}, options: AddPeerOptions = {}): Manifest[] {
  const app = new App();
  const [east, west] = [meshOf(app, 'east'), meshOf(app, 'west')];
  east.addPeer(west, options);
  exported(east).allowFrom(west, allowed);
  return objectsIn(east);
}

/** A peer that exports three services to us: two of HTTP, one of TCP. */
const bank = (props: Partial<RemoteMeshProps> = {}) => bankWith({
  exposedServices: [
    { exportName: 'cards', ports: [ServicePort.http(443), ServicePort.http(8443)] },
    { exportName: 'loans', ports: [ServicePort.http(443), ServicePort.http(8443)] },
    { exportName: 'ledger', ports: [ServicePort.tcp(3306)] },
  ],
  knownAs: 'east',
  ...props,
});

/** The objects of east, which binds an export of its peer. */
function binding(bound: (east: FederatedMesh, peer: RemoteMesh) => RemoteServiceBinding, peer = bank(), options: AddPeerOptions = {}): Manifest[] {
  const east = meshOf(new App(), 'east');
  east.addPeer(peer, options);
  bound(east, peer).allowFrom(page);
  return objectsIn(east);
}

/* Fields of an output. */

const gateway = (objects: Manifest[], name: string) => find(objects, 'Gateway', name).spec;
const ingressRoute = (objects: Manifest[], name = 'fed-in-reviews-9080-west') => find(objects, 'VirtualService', name);
const deployment = (objects: Manifest[], role = 'ingress') => find(objects, 'Deployment', `federation-${role}`);
const pod = (objects: Manifest[], role?: string) => deployment(objects, role).spec.template;
const service = (objects: Manifest[], role = 'ingress') => find(objects, 'Service', `federation-${role}`);
const patchesOf = (objects: Manifest[], name: string): Manifest[] => find(objects, 'EnvoyFilter', name).spec.configPatches;
/** An annotation of the library, by its name without the prefix. */
const annotation = ({ metadata }: Manifest, name: string) => metadata.annotations?.[`${PREFIX}${name}`];

/** Rows for the fields of Accountability, which are annotations of one object. */
function accountable(object: (objects: Manifest[]) => Manifest) {
  const at = <Value>(value: Value, name: string, expected: unknown = value) =>
    ({ value, seen: (objects: Manifest[]) => annotation(object(objects), name), expected });
  return {
    purpose: at('deliver results', 'purpose'),
    owner: at('results team', 'owner'),
    dataCategories: at(['health', 'billing'], 'data-categories', 'billing, health'),
    approvedBy: at('security board', 'approved-by'),
    ticket: at('CHG-4411', 'ticket'),
    reviewBy: at('2027-06-30', 'review-by'),
  } satisfies { [field in keyof Required<Accountability>]: Option<Required<Accountability>[field], object, Manifest[]> };
}

/** Rows for the fields of a Justification, which are one annotation of one object. */
function justified<Given extends Justification>(object: (objects: Manifest[]) => Manifest, name: string) {
  const at = (value: string, expected: string): Option<string, Given, Manifest[]> =>
    ({ value, seen: (objects) => annotation(object(objects), name), expected });
  return {
    reason: at('another reason that is long enough', 'another reason that is long enough'),
    approvedBy: at('the board', `${REASON} (approved by the board)`),
    ticket: at('CHG-7', `${REASON} (ticket CHG-7)`),
  } satisfies { [field in keyof Required<Justification>]: Option<string, Given, Manifest[]> };
}

/* The mesh and its gateways. */

describe('the mesh and its gateways', () => {
  /** East exports to west over HTTP and TCP, and binds an export of west. The objects of both, and the error of a restricted root namespace. */
  function both(props: FederatedMeshProps) {
    const app = new App();
    const east = new FederatedMesh(new Chart(app, 'east'), 'Mesh', props);
    const west = meshOf(app, 'west');
    east.addPeer(west);
    west.addPeer(east);
    const reviews = reviewsOf(east, { ports: [ServicePort.http(9080), ServicePort.tcp(3306)] });
    const details = west.expose('Details', { service: LocalService.fromName('details', 'default'), exportName: 'details', ports: [ServicePort.http(9080)] });
    reviews.allowFrom(west);
    details.allowFrom(east);
    east.bind('Details', { source: details, localName: LocalName.newService('details', 'web') }).allowFrom(page);
    west.bind('Reviews', { source: reviews, localName: LocalName.newService('reviews', 'web') }).allowFrom(page);
    const written = { east: objectsIn(east), west: objectsIn(west) };
    return { ...written, rejected: errorOf(() => east.restrictNamespace('mesh-system', { reason: REASON })).message.slice(0, 6) };
  }
  type Output = ReturnType<typeof both>;

  everyOption<FederatedMeshProps, Output>('FederatedMeshProps', {
    meshName: 'east', trustDomain: 'east.example', trustBundle: trustOf('east'), endpoints: [{ address: 'federation.east.example' }],
  }, both, {
    meshName: { value: 'orient', seen: ({ west }) => names(west, 'Gateway'), expected: ['fed-in-orient', 'fed-out-orient'] },
    trustDomain: {
      value: 'corp.east.example',
      seen: ({ east }) => gateway(east, 'fed-in-west').servers.map(({ hosts }: Manifest) => hosts),
      expected: [['./p3306.reviews.west.fed.corp.east.example'], ['./p9080.reviews.west.fed.corp.east.example']],
    },
    trustBundle: { value: trustOf('north'), seen: ({ west }) => find(west, 'ConfigMap', 'fed-in-trust-east').data, expected: { 'ca.crt': trustOf('north')._pem } },
    endpoints: {
      value: [{ address: '203.0.113.5' }, { address: '203.0.113.6' }],
      seen: ({ west }) => find(west, 'ServiceEntry', 'fed-out-reviews-9080-east').spec.endpoints,
      expected: [{ address: '203.0.113.5' }, { address: '203.0.113.6' }],
    },
    credential: {
      value: GatewayCredential.fromCertManager({ issuerName: 'boundary-ca' }),
      seen: ({ east }) => names(east, 'Certificate'),
      expected: ['federation-egress', 'federation-ingress'],
    },
    workloadTrustDomain: {
      value: 'workloads.east.example',
      beside: { credential: GatewayCredential.fromCertManager({ issuerName: 'boundary-ca' }) },
      seen: ({ east }) => gateway(east, 'fed-out-west').servers[0].tls.subjectAltNames,
      expected: ['spiffe://workloads.east.example/ns/web/sa/page'],
    },
    namespaceName: { value: 'partner-boundary', seen: ({ east }) => names(east, 'Namespace'), expected: ['partner-boundary'] },
    createNamespace: { value: false, seen: ({ east }) => names(east, 'Namespace'), expected: [] },
    namespaceLabels: {
      value: { team: 'edge' }, seen: ({ east }) => find(east, 'Namespace', 'istio-federation').metadata.labels.team, expected: 'edge',
    },
    ingressGateway: {
      value: BoundaryGateway.dedicated({ priorityClassName: 'edge' }),
      seen: ({ east }) => ['ingress', 'egress'].map((role) => pod(east, role).spec.priorityClassName),
      expected: ['edge', undefined],
    },
    egressGateway: {
      value: BoundaryGateway.dedicated({ priorityClassName: 'edge' }),
      seen: ({ east }) => ['ingress', 'egress'].map((role) => pod(east, role).spec.priorityClassName),
      expected: [undefined, 'edge'],
    },
    istioVersion: {
      value: IstioVersion.V1_30,
      seen: ({ east }) => ['fed-in-edge', 'fed-out-edge'].map((name) => patchesOf(east, name).some(({ applyTo }) => applyTo === 'LISTENER')),
      expected: [true, true],
    },
    connectAfterHandshake: {
      value: true,
      seen: ({ east }) => names(east, 'EnvoyFilter'),
      expected: ['fed-in-connect-after-tls', 'fed-in-edge', 'fed-out-edge'],
    },
    revision: {
      value: 'stable', seen: ({ east }) => ['ingress', 'egress'].map((role) => pod(east, role).metadata.labels['istio.io/rev']), expected: ['stable', 'stable'],
    },
    // No object contains it; it determines which namespaces are rejected.
    rootNamespaceName: { value: 'mesh-system', seen: ({ rejected }) => rejected, expected: 'FED118' },
    clusterDomain: { value: 'k8s.east', seen: ({ east }) => find(east, 'VirtualService', 'fed-name-details-web').spec.hosts, expected: ['details.web.svc.k8s.east'] },
    monitoringNamespaceName: {
      value: 'observability',
      seen: ({ east }) => ['ingress', 'egress'].map((role) => find(east, 'NetworkPolicy', `federation-${role}`).spec.ingress.at(-1).from),
      expected: Array(2).fill([{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'observability' } } }]),
    },
    infrastructure: {
      value: [NetworkDestination.podsIn('cert-manager', [6443]), NetworkDestination.addresses('198.51.100.8/32', [443])],
      seen: ({ east }) => ['ingress', 'egress'].map((role) => find(east, 'NetworkPolicy', `federation-${role}`).spec.egress.slice(3, 5)),
      expected: Array(2).fill([
        {
          to: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'cert-manager' } } }],
          ports: [{ port: 6443, protocol: 'UDP' }, { port: 6443, protocol: 'TCP' }],
        },
        { to: [{ ipBlock: { cidr: '198.51.100.8/32' } }], ports: [{ port: 443, protocol: 'UDP' }, { port: 443, protocol: 'TCP' }] },
      ]),
    },
    networkIdleTimeout: {
      value: Duration.seconds(60),
      seen: ({ east }) => {
        const { tcp, http } = find(east, 'DestinationRule', 'fed-out-details-9080-west').spec.trafficPolicy.connectionPool;
        const listener = patchesOf(east, 'fed-in-edge').find(({ patch }) => patch.value.socket_options);
        return [tcp.tcpKeepalive, http.idleTimeout, listener.patch.value.socket_options.map(({ int_value: value }: Manifest) => value)];
      },
      expected: [{ time: '30s', interval: '7s', probes: 3 }, '45s', [1, 30, 7, 3]],
    },
    accessLogProvider: {
      value: 'boundary-log',
      seen: ({ east }) => ['ingress', 'egress'].map((role) => find(east, 'Telemetry', `federation-${role}`).spec.accessLogging),
      expected: Array(2).fill([{ providers: [{ name: 'boundary-log' }] }]),
    },
    delivery: {
      value: Delivery.argoCd(),
      seen: ({ east }) => find(east, 'VirtualService', 'fed-name-details-web').metadata.annotations['argocd.argoproj.io/sync-wave'],
      expected: '1',
    },
    allowHeadersWithUnderscores: {
      value: { reason: REASON },
      seen: ({ east }) => ['ingress', 'egress'].map((role) => /underscore/i.test(pod(east, role).metadata.annotations['proxy.istio.io/config'])),
      expected: [false, false],
    },
    withoutAdmissionPolicy: { value: { reason: REASON }, seen: ({ east }) => names(east, 'ValidatingAdmissionPolicy'), expected: [] },
  });

  /** The objects of east with this ingress gateway, which exports to west. */
  const withIngress = (ingressGateway: BoundaryGateway, props: Partial<FederatedMeshProps> = {}) => {
    const app = new App();
    const [east, west] = [meshOf(app, 'east', { ...props, ingressGateway }), meshOf(app, 'west')];
    east.addPeer(west);
    reviewsOf(east).allowFrom(west);
    return objectsIn(east);
  };
  /** The objects of east with this egress gateway, through which it calls the bank. */
  const withEgress = (egressGateway: BoundaryGateway) => {
    const east = meshOf(new App(), 'east', { egressGateway });
    const peer = bank();
    east.addPeer(peer);
    east.bind('Cards', { source: peer.exposedService('cards'), localName: LocalName.newService('cards', 'web') }).allowFrom(page);
    return objectsIn(east);
  };

  /** The options that apply to both gateways. */
  type Common = Omit<
    DedicatedGatewayOptions,
    | 'serviceType' | 'serviceAnnotations' | 'loadBalancerClass' | 'sourceRanges' | 'healthCheckSourceRanges' | 'proxyProtocol' | 'preserveClientAddress'
    | 'dualStack'
  >;
  const common = (role: 'ingress' | 'egress') => {
    const resources = (objects: Manifest[]) => pod(objects, role).spec.containers[0].resources;
    return {
      minReplicas: { value: 3, seen: (objects) => find(objects, 'HorizontalPodAutoscaler', `federation-${role}`).spec.minReplicas, expected: 3 },
      maxReplicas: { value: 7, seen: (objects) => find(objects, 'HorizontalPodAutoscaler', `federation-${role}`).spec.maxReplicas, expected: 7 },
      cpuRequest: { value: '250m', seen: (objects) => resources(objects).requests.cpu, expected: '250m' },
      cpuLimit: { value: '4', seen: (objects) => resources(objects).limits.cpu, expected: '4' },
      memoryRequest: { value: '256Mi', seen: (objects) => resources(objects).requests.memory, expected: '256Mi' },
      memoryLimit: { value: '2Gi', seen: (objects) => resources(objects).limits.memory, expected: '2Gi' },
      nodeSelector: { value: { pool: 'dmz' }, seen: (objects) => pod(objects, role).spec.nodeSelector, expected: { pool: 'dmz' } },
      tolerations: {
        value: [NodeToleration.exists('dmz'), NodeToleration.equal('zone', 'edge', 'NoSchedule')],
        seen: (objects) => pod(objects, role).spec.tolerations,
        expected: [{ key: 'dmz', operator: 'Exists' }, { key: 'zone', value: 'edge', effect: 'NoSchedule', operator: 'Equal' }],
      },
      priorityClassName: { value: 'edge', seen: (objects) => pod(objects, role).spec.priorityClassName, expected: 'edge' },
      imagePullSecretNames: { value: ['registry'], seen: (objects) => pod(objects, role).spec.imagePullSecrets, expected: [{ name: 'registry' }] },
      injectionTemplates: {
        value: ['spire', 'audit.v1'],
        seen: (objects) => pod(objects, role).metadata.annotations['inject.istio.io/templates'],
        expected: 'gateway,spire,audit.v1',
      },
      labels: { value: { team: 'platform' }, seen: (objects) => pod(objects, role).metadata.labels.team, expected: 'platform' },
      shutdownDelay: {
        value: Duration.minutes(2),
        seen: (objects) => [pod(objects, role).spec.containers[0].lifecycle, pod(objects, role).spec.terminationGracePeriodSeconds],
        expected: [{ preStop: { sleep: { seconds: 120 } } }, 180],
      },
      namespaceName: { value: 'dmz', seen: (objects) => deployment(objects, role).metadata.namespace, expected: 'dmz' },
      credential: role === 'ingress'
        ? {
          value: GatewayCredential.fromSecret('partner'),
          seen: (objects) => gateway(objects, 'fed-in-west').servers[0].tls.credentialName,
          expected: 'partner',
        }
        : {
          value: GatewayCredential.fromSecret('partner'),
          seen: (objects) => pod(objects, role).spec.volumes[0],
          expected: { name: 'federation-credential', secret: { secretName: 'partner' } },
        },
    } satisfies { [option in keyof Required<Common>]: Option<Required<Common>[option], DedicatedGatewayOptions, Manifest[]> };
  };

  everyOption<DedicatedGatewayOptions, Manifest[]>('DedicatedGatewayOptions', {}, (options) => withIngress(BoundaryGateway.dedicated(options)), {
    ...common('ingress'),
    serviceType: { value: GatewayServiceType.CLUSTER_IP, seen: (objects) => service(objects).spec.type, expected: 'ClusterIP' },
    serviceAnnotations: {
      value: { 'cloud.example/scheme': 'internet-facing' },
      seen: (objects) => service(objects).metadata.annotations,
      expected: { 'cloud.example/scheme': 'internet-facing' },
    },
    loadBalancerClass: { value: 'cloud.example/nlb', seen: (objects) => service(objects).spec.loadBalancerClass, expected: 'cloud.example/nlb' },
    sourceRanges: {
      value: ['203.0.113.0/28'],
      seen: (objects) => [service(objects).spec.loadBalancerSourceRanges, find(objects, 'NetworkPolicy', 'federation-ingress').spec.ingress[0].from],
      expected: [['203.0.113.0/28'], [{ ipBlock: { cidr: '203.0.113.0/28' } }]],
    },
    healthCheckSourceRanges: {
      value: ['10.0.0.0/20'],
      beside: { sourceRanges: ['203.0.113.0/28'] },
      seen: (objects) => [service(objects).spec.loadBalancerSourceRanges, find(objects, 'NetworkPolicy', 'federation-ingress').spec.ingress[0]],
      expected: [['203.0.113.0/28'], {
        from: [{ ipBlock: { cidr: '203.0.113.0/28' } }, { ipBlock: { cidr: '10.0.0.0/20' } }], ports: [{ port: 15443, protocol: 'TCP' }],
      }],
    },
    proxyProtocol: {
      value: true,
      seen: (objects) => parse(pod(objects).metadata.annotations['proxy.istio.io/config'])[0].gatewayTopology,
      expected: { forwardClientCertDetails: 'SANITIZE_SET', proxyProtocol: {} },
    },
    preserveClientAddress: { value: false, seen: (objects) => service(objects).spec.externalTrafficPolicy, expected: undefined },
    dualStack: { value: true, seen: (objects) => service(objects).spec.ipFamilyPolicy, expected: 'RequireDualStack' },
  }, ' at the ingress gateway');

  everyOption<Common, Manifest[]>('DedicatedGatewayOptions', {}, (options) => withEgress(BoundaryGateway.dedicated(options)), common('egress'), ' at the egress gateway');

  everyOption<ExistingGatewayOptions, Manifest[]>('ExistingGatewayOptions', {
    namespaceName: 'istio-ingress', serviceAccountName: 'shared', serviceName: 'shared', podLabels: { app: 'shared' },
  }, (options) => {
    // The lock of the workload allows the gateway by its identity. The attributes of the gateway are public properties of the mesh.
    const app = new App();
    const [east, west] = [meshOf(app, 'east', { ingressGateway: BoundaryGateway.fromExisting(options) }), meshOf(app, 'west')];
    east.addPeer(west);
    const reviews = reviewsOf(east);
    reviews.allowFrom(west);
    reviews.lockWorkload({ reason: REASON, podLabels: { app: 'reviews' } });
    return [...objectsIn(east), { kind: 'Attributes', metadata: { name: 'ingress' }, spec: east.ingressGateway }];
  }, {
    namespaceName: { value: 'edge', seen: (objects) => find(objects, 'Gateway', 'fed-in-west').metadata.namespace, expected: 'edge' },
    serviceAccountName: {
      value: 'edge-gateway',
      seen: (objects) => find(objects, 'AuthorizationPolicy', 'fed-lock-reviews-default').spec.rules[0].from[0].source.notPrincipals,
      expected: ['east.example/ns/istio-ingress/sa/edge-gateway'],
    },
    // No object contains the Service of an existing gateway; programs can read its name.
    serviceName: { value: 'edge', seen: (objects) => find(objects, 'Attributes', 'ingress').spec.serviceName, expected: 'edge' },
    podLabels: { value: { istio: 'edge' }, seen: (objects) => gateway(objects, 'fed-in-west').selector, expected: { istio: 'edge' } },
    credential: {
      value: GatewayCredential.fromSecret('partner'),
      seen: (objects) => gateway(objects, 'fed-in-west').servers[0].tls.credentialName,
      expected: 'partner',
    },
  });

  everyOption<CertManagerOptions, Manifest[]>('CertManagerOptions', { issuerName: 'boundary-ca' }, (options) => withIngress(BoundaryGateway.dedicated({
    credential: GatewayCredential.fromCertManager(options),
  })), {
    issuerName: { value: 'other-ca', seen: (objects) => find(objects, 'Certificate', 'federation-ingress').spec.issuerRef.name, expected: 'other-ca' },
    issuerKind: { value: 'Issuer', seen: (objects) => find(objects, 'Certificate', 'federation-ingress').spec.issuerRef.kind, expected: 'Issuer' },
    issuerGroup: { value: 'awspca.example', seen: (objects) => find(objects, 'Certificate', 'federation-ingress').spec.issuerRef.group, expected: 'awspca.example' },
    duration: { value: Duration.hours(2), seen: (objects) => find(objects, 'Certificate', 'federation-ingress').spec.duration, expected: '2h0m0s' },
    renewBefore: { value: Duration.minutes(10), seen: (objects) => find(objects, 'Certificate', 'federation-ingress').spec.renewBefore, expected: '0h10m0s' },
    commonName: { value: 'federation.shop.example', seen: (objects) => find(objects, 'Certificate', 'federation-ingress').spec.commonName, expected: 'federation.shop.example' },
    keyAlgorithm: {
      value: KeyAlgorithm.RSA_3072,
      seen: (objects) => find(objects, 'Certificate', 'federation-ingress').spec.privateKey,
      expected: { algorithm: 'RSA', size: 3072, rotationPolicy: 'Always' },
    },
  });

  /** The endpoints of east in the ServiceEntry of west and in the Service of east. */
  everyOption<GatewayEndpoint, { readonly east: Manifest[]; readonly west: Manifest[] }>('GatewayEndpoint', { address: 'federation.east.example' }, (endpoint) =>
    both({ meshName: 'east', trustDomain: 'east.example', trustBundle: trustOf('east'), endpoints: [endpoint] }), {
    address: {
      value: 'edge.east.example', seen: ({ west }) => find(west, 'ServiceEntry', 'fed-out-reviews-9080-east').spec.endpoints, expected: [{ address: 'edge.east.example' }],
    },
    port: {
      value: 443,
      seen: ({ east, west }) => [service(east).spec.ports[0].port, find(west, 'ServiceEntry', 'fed-out-reviews-9080-east').spec.endpoints[0].ports],
      expected: [443, { 'http2-federation': 443 }],
    },
    privateAddress: { value: { reason: REASON }, seen: ({ east }) => annotation(service(east), 'private-address'), expected: `federation.east.example: ${REASON}` },
  });
});

/* Exports and allow rules. */

describe('exports', () => {
  const ledgerRoute = (objects: Manifest[]) => ingressRoute(objects, 'fed-in-ledger-80-west');

  everyOption<ExposedServiceOptions, Manifest[]>('ExposedServiceOptions', {
    service: LocalService.fromName('ledger', 'books'), exportName: 'ledger', ports: [ServicePort.http(80)],
  }, (options) => exporting((east) => east.expose('Ledger', options)), {
    service: {
      value: LocalService.fromName('books', 'archive'),
      seen: (objects) => ledgerRoute(objects).spec.http[0].route[0].destination.host,
      expected: 'books.archive.svc.cluster.local',
    },
    exportName: { value: 'ledger.v1', seen: (objects) => gateway(objects, 'fed-in-west').servers[0].hosts, expected: ['./p80.ledger.v1.west.fed.east.example'] },
    ports: {
      value: [ServicePort.http(80), ServicePort.grpc(90)],
      seen: (objects) => gateway(objects, 'fed-in-west').servers.flatMap(({ hosts }: Manifest) => hosts),
      expected: ['./p80.ledger.west.fed.east.example', './p90.ledger.west.fed.east.example'],
    },
    requestTimeout: { value: Duration.seconds(7), seen: (objects) => ledgerRoute(objects).spec.http[0].timeout, expected: '7s' },
    idleTimeout: {
      value: Duration.seconds(90),
      seen: (objects) => patchesOf(objects, 'fed-in-idle-ledger-80-west').map(({ patch }) => patch.value.typed_config.common_http_protocol_options),
      expected: [{ idle_timeout: '90s' }],
    },
    ...accountable(ledgerRoute),
  });

  everyOption<Omit<ExposedServiceProps, keyof ExposedServiceOptions>, Manifest[]>('ExposedServiceProps', { mesh: meshOf(new App(), 'west') }, ({ mesh }) => {
    new ExposedService(scopeIn(mesh), 'Ledger', { mesh, service: LocalService.fromName('ledger', 'books'), exportName: 'ledger', ports: [ServicePort.http(80)] });
    return objectsIn(mesh);
  }, {
    mesh: {
      value: meshOf(new App(), 'east'),
      seen: (objects) => find(objects, 'AuthorizationPolicy', 'fed-in-guard').spec.rules[0].when,
      expected: [{ key: 'connection.sni', notValues: ['*.fed.east.example'] }],
    },
  });

  everyOption<ServicePortOptions, Manifest[]>('ServicePortOptions', {}, (options) => exporting((east) => reviewsOf(east, { ports: [ServicePort.http(9080, options)] })), {
    exportPort: {
      value: 80,
      seen: (objects) => ingressRoute(objects, 'fed-in-reviews-80-west').spec,
      expected: expect.objectContaining({
        hosts: ['p80.reviews.west.fed.east.example'],
        http: [expect.objectContaining({ route: [{ destination: { host: 'reviews.default.svc.cluster.local', port: { number: 9080 } } }] })],
      }),
    },
  });

  const allowing = (options: AllowFromOptions) =>
    exporting((east) => reviewsOf(east, { ports: [ServicePort.http(80), ServicePort.grpc(90)] }), options);
  everyOption<AllowFromOptions, Manifest[]>('AllowFromOptions', {}, allowing, {
    ports: { value: [90], seen: (objects) => names(objects, 'VirtualService'), expected: ['fed-in-reviews-90-west'] },
    http: {
      value: [HttpRule.allow({ methods: ['GET'] })],
      beside: { ports: [80] },
      seen: (objects) => ingressRoute(objects, 'fed-in-reviews-80-west').spec.http.map(({ name, match }: Manifest) => [name, match]),
      expected: [['reviews-80-west', [{ method: { exact: 'GET' } }]], ['reviews-80-west-refused', undefined]],
    },
    grpcMethods: {
      value: ['/books.Export/Stream'],
      beside: { ports: [90] },
      seen: (objects) => ingressRoute(objects, 'fed-in-reviews-90-west').spec.http.at(-2).match,
      expected: [{ method: { exact: 'POST' }, uri: { exact: '/books.Export/Stream' } }],
    },
    jwt: {
      value: { issuer: 'https://login.example', jwksUri: 'https://login.example/keys', audiences: ['accounts'] },
      seen: (objects) => objects.filter(({ kind }) => kind === 'RequestAuthentication').flatMap(({ spec }) => spec.jwtRules.map(({ issuer }: Manifest) => issuer)),
      expected: ['https://login.example'],
    },
    ...accountable((objects) => ingressRoute(objects, 'fed-in-reviews-90-west')),
  });

  const matches = (objects: Manifest[]) => ingressRoute(objects).spec.http.filter(({ directResponse }: Manifest) => !directResponse)
    .map(({ match }: Manifest) => match);
  const rules = (objects: Manifest[]) => Object.values<Manifest>(rbacOf(objects, 'p9080.reviews.west.fed.east.example').policies).map(({ permissions }) => permissions);
  everyOption<HttpRuleOptions, Manifest[]>('HttpRuleOptions', { methods: ['GET'] }, (options) => exporting(reviewsOf, { http: [HttpRule.allow(options)] }), {
    methods: { value: ['PUT'], seen: matches, expected: [[{ method: { exact: 'PUT' } }]] },
    paths: { value: ['/a/*'], seen: matches, expected: [[{ method: { exact: 'GET' }, uri: { prefix: '/a/' } }]] },
    exceptPaths: {
      value: ['/a/b'],
      beside: { paths: ['/a/*'] },
      seen: (objects) => ingressRoute(objects).spec.http.filter(({ name }: Manifest) => /-1-refused$/.test(name)),
      expected: [
        { name: 'reviews-9080-west-1-refused', match: [{ uri: { exact: '/a/b' } }], directResponse: { status: 403 } },
        expect.objectContaining({ name: 'reviews-9080-west-like-1-refused' }),
      ],
    },
    requiredHeaders: {
      value: { 'x-tester': 'yes' }, seen: matches, expected: [[{ method: { exact: 'GET' }, headers: { 'x-tester': { exact: 'yes' } } }]],
    },
  });
  everyOption<HttpRuleOptions, Manifest[]>('HttpRuleOptions', { methods: ['GET'] }, (options) => exporting(reviewsOf, { http: [HttpRule.allow(options)] }), {
    methods: { value: ['PUT'], seen: (objects) => JSON.stringify(rules(objects)).includes('PUT'), expected: true },
    paths: { value: ['/a/*'], seen: (objects) => JSON.stringify(rules(objects)).includes('"prefix":"/a/"'), expected: true },
    exceptPaths: { value: ['/a/b'], beside: { paths: ['/a/*'] }, seen: (objects) => JSON.stringify(rules(objects)).includes('"exact":"/a/b"'), expected: true },
    requiredHeaders: { value: { 'x-tester': 'yes' }, seen: (objects) => JSON.stringify(rules(objects)).includes('"name":"x-tester"'), expected: true },
  }, ' in the RBAC rules');

  const jwks = readFileSync(join(TRUST, 'login.jwks'), 'utf8');
  const trusted = (objects: Manifest[]) => objects.filter(({ kind }) => kind === 'RequestAuthentication').flatMap(({ spec }) => spec.jwtRules);
  const demanded = (objects: Manifest[]) => ingressRoute(objects).spec.http[0].match[0].headers;
  everyOption<JwtRule, Manifest[]>('JwtRule', { issuer: 'https://login.example', jwksUri: 'https://login.example/keys', audiences: ['accounts'] }, (jwt) =>
    exporting(reviewsOf, { jwt }), {
    issuer: {
      value: 'https://staff.example',
      seen: (objects) => [trusted(objects)[0].issuer, demanded(objects)['@request.auth.claims[iss]']],
      expected: ['https://staff.example', { exact: 'https://staff.example' }],
    },
    jwksUri: { value: 'https://keys.example/', seen: (objects) => trusted(objects)[0].jwksUri, expected: 'https://keys.example/' },
    jwks: {
      value: jwks,
      instead: { jwksUri: undefined },
      seen: (objects) => trusted(objects).map(({ jwks: keys, jwksUri }) => [JSON.parse(keys).keys.map(({ kid }: Manifest) => kid), jwksUri]),
      expected: [[JSON.parse(jwks).keys.map(({ kid }: Manifest) => kid), undefined]],
    },
    audiences: { value: ['cards'], seen: (objects) => demanded(objects)['@request.auth.claims[aud]'], expected: { exact: 'cards' } },
    claims: { value: { scope: ['read'] }, seen: (objects) => demanded(objects)['@request.auth.claims[scope]'], expected: { exact: 'read' } },
  });

  everyOption<LockWorkloadOptions, Manifest[]>('LockWorkloadOptions', { reason: REASON, podLabels: { app: 'reviews' } }, (options) => exporting((east) => {
    const reviews = reviewsOf(east);
    reviews.lockWorkload(options);
    return reviews;
  }), {
    ...justified((objects) => find(objects, 'AuthorizationPolicy', 'fed-lock-reviews-default'), 'locked'),
    localCallers: {
      value: [page],
      seen: (objects) => find(objects, 'AuthorizationPolicy', 'fed-lock-reviews-default').spec.rules[0].from[0].source.notPrincipals,
      expected: ['east.example/ns/istio-federation/sa/federation-ingress', 'east.example/ns/web/sa/page'],
    },
    podLabels: {
      value: { app: 'other' },
      seen: (objects) => [
        find(objects, 'AuthorizationPolicy', 'fed-lock-reviews-default').spec.selector.matchLabels,
        find(objects, 'EnvoyFilter', 'fed-lock-reviews-default').spec.workloadSelector.labels,
      ],
      expected: [{ app: 'other' }, { app: 'other' }],
    },
  });
});

/* Peers. */

describe('peers', () => {
  /** The objects of east, which exports reviews to west and binds details of west, with these peer options. */
  const withPeerOptions = (options: AddPeerOptions) => {
    const app = new App();
    const [east, west] = [meshOf(app, 'east'), meshOf(app, 'west')];
    east.addPeer(west, options);
    west.addPeer(east);
    reviewsOf(east).allowFrom(west);
    const details = west.expose('Details', { service: LocalService.fromName('details', 'default'), exportName: 'details', ports: [ServicePort.http(9080)] });
    details.allowFrom(east);
    east.bind('Details', { source: details, localName: LocalName.newService('details', 'web') }).allowFrom(page);
    return objectsIn(east);
  };
  const egressRoute = (objects: Manifest[]) => find(objects, 'VirtualService', 'fed-out-details-9080-web-west').spec.http[0];
  const pool = (objects: Manifest[]) => find(objects, 'DestinationRule', 'fed-out-details-9080-west').spec.trafficPolicy.connectionPool;

  everyOption<AddPeerOptions, Manifest[]>('AddPeerOptions', {}, withPeerOptions, {
    ...accountable((objects) => find(objects, 'Gateway', 'fed-in-west')),
    trustConfigMapName: {
      value: 'west-roots',
      seen: (objects) => gateway(objects, 'fed-in-west').servers[0].tls.caCertCredentialName,
      expected: 'configmap://istio-federation/west-roots',
    },
    limits: {
      value: { maxConnections: 5 },
      seen: (objects) => names(objects, 'EnvoyFilter'),
      expected: ['fed-in-edge', 'fed-in-limits-west', 'fed-out-edge'],
    },
    upstreamLimits: { value: { maxConnections: 5 }, seen: (objects) => pool(objects).tcp.maxConnections, expected: 5 },
    stripTracing: {
      value: true,
      seen: (objects) => [ingressRoute(objects).spec.http[0], egressRoute(objects)].map(({ headers }) =>
        ['request', 'response'].map((side) => headers[side].remove.includes('traceparent'))),
      expected: [[true, true], [true, true]],
    },
    removeRequestHeaders: { value: ['x-cost-centre'], seen: (objects) => egressRoute(objects).headers.request.remove.includes('x-cost-centre'), expected: true },
    allowTls12: { value: { reason: REASON }, seen: (objects) => gateway(objects, 'fed-in-west').servers[0].tls.minProtocolVersion, expected: 'TLSV1_2' },
    agreementId: {
      value: 'ISA-1', seen: (objects) => ['fed-in-west', 'fed-out-west'].map((name) => annotation(find(objects, 'Gateway', name), 'agreement-id')), expected: ['ISA-1', 'ISA-1'],
    },
    contact: {
      value: 'mailto:security@west.example',
      seen: (objects) => ['fed-in-west', 'fed-out-west'].map((name) => annotation(find(objects, 'Gateway', name), 'contact')),
      expected: ['mailto:security@west.example', 'mailto:security@west.example'],
    },
    isolated: { value: { reason: REASON }, seen: (objects) => names(objects, 'Gateway'), expected: [] },
  });

  const isEmpty = (options: object) => Object.keys(options).length === 0;
  const limited = (objects: Manifest[]) => patchesOf(objects, 'fed-in-limits-west').map(({ patch }) => patch.value.typed_config);
  everyOption<PeerLimits, Manifest[]>('PeerLimits', {}, (limits) => withPeerOptions(isEmpty(limits) ? {} : { limits }), {
    maxConnections: { value: 5, seen: (objects) => limited(objects)[0].max_connections, expected: 5 },
    maxConnectionDuration: {
      value: Duration.minutes(5),
      seen: (objects) => limited(objects)[0].common_http_protocol_options,
      expected: { max_connection_duration: '300s' },
    },
    requestsPerSecond: {
      value: 50, seen: (objects) => limited(objects)[0].token_bucket, expected: { max_tokens: 50, tokens_per_fill: 50, fill_interval: '1s' },
    },
  });

  everyOption<UpstreamLimits, Manifest[]>('UpstreamLimits', {}, (upstreamLimits) => withPeerOptions(isEmpty(upstreamLimits) ? {} : { upstreamLimits }), {
    maxConnections: { value: 5, seen: (objects) => pool(objects).tcp.maxConnections, expected: 5 },
    maxRequests: {
      value: 50, seen: (objects) => [pool(objects).http.http1MaxPendingRequests, pool(objects).http.http2MaxRequests], expected: [50, 50],
    },
  });

  /** The objects of east, which exports to a RemoteMesh with these props and binds its first export. */
  const withRemoteMesh = (props: RemoteMeshProps) => {
    const east = meshOf(new App(), 'east');
    const peer = new RemoteMesh(new App(), 'Bank', props);
    east.addPeer(peer);
    reviewsOf(east).allowFrom(peer);
    const [first] = props.exposedServices!;
    east.bind('Bound', { source: peer.exposedService(first.exportName), localName: LocalName.newService('cards', 'web') }).allowFrom(page);
    return objectsIn(east);
  };
  const identity = (account: string) => SpiffeId.parse(`spiffe://bank.example/ns/dmz/sa/${account}`);
  const described: RemoteMeshProps = {
    meshName: 'bank',
    trustDomain: 'bank.example',
    trustBundle: trustOf('bank'),
    ingressIdentity: identity('in'),
    egressIdentity: identity('out'),
    endpoints: [{ address: 'fed.bank.example' }],
    exposedServices: [{ exportName: 'cards', ports: [ServicePort.http(443)] }],
    knownAs: 'east',
  };
  const upstreamTls = (objects: Manifest[], name = 'fed-out-cards-443-bank') => find(objects, 'DestinationRule', name).spec.trafficPolicy.tls;

  everyOption<RemoteMeshProps, Manifest[]>('RemoteMeshProps', described, withRemoteMesh, {
    meshName: { value: 'partner', seen: (objects) => names(objects, 'Gateway'), expected: ['fed-in-partner', 'fed-out-partner'] },
    trustDomain: {
      value: 'corp.bank.example',
      instead: {
        ingressIdentity: SpiffeId.parse('spiffe://corp.bank.example/ns/dmz/sa/in'), egressIdentity: SpiffeId.parse('spiffe://corp.bank.example/ns/dmz/sa/out'),
      },
      seen: (objects) => upstreamTls(objects).sni,
      expected: 'p443.cards.east.fed.corp.bank.example',
    },
    trustBundle: {
      value: trustOf('north'),
      seen: (objects) => [find(objects, 'ConfigMap', 'fed-in-trust-bank').data, find(objects, 'ConfigMap', 'fed-out-trust').data],
      expected: [{ 'ca.crt': trustOf('north')._pem }, { 'bank.crt': trustOf('north')._pem }],
    },
    ingressIdentity: {
      value: identity('front'), seen: (objects) => upstreamTls(objects).subjectAltNames, expected: ['spiffe://bank.example/ns/dmz/sa/front'],
    },
    egressIdentity: {
      value: identity('back'),
      seen: (objects) => [gateway(objects, 'fed-in-bank').servers[0].tls.subjectAltNames, find(objects, 'AuthorizationPolicy', 'fed-in-peer-bank').spec.rules[0].from],
      expected: [['spiffe://bank.example/ns/dmz/sa/back'], [{ source: { principals: ['bank.example/ns/dmz/sa/back'] } }]],
    },
    endpoints: {
      value: [{ address: '203.0.113.7', port: 8443 }],
      seen: (objects) => find(objects, 'ServiceEntry', 'fed-out-cards-443-bank').spec.endpoints,
      expected: [{ address: '203.0.113.7', ports: { 'http2-federation': 8443 } }],
    },
    exposedServices: {
      value: [{ exportName: 'loans', ports: [ServicePort.http(443)] }], seen: (objects) => names(objects, 'ServiceEntry'), expected: ['fed-out-loans-443-bank'],
    },
    knownAs: { value: 'partner-7', seen: (objects) => upstreamTls(objects).sni, expected: 'p443.cards.partner-7.fed.bank.example' },
  });

  everyOption<RemoteServiceProps, Manifest[]>('RemoteServiceProps', { exportName: 'cards', ports: [ServicePort.http(443)] }, (exposed) =>
    withRemoteMesh({ ...described, exposedServices: [exposed] }), {
    exportName: { value: 'loans', seen: (objects) => names(objects, 'ServiceEntry'), expected: ['fed-out-loans-443-bank'] },
    ports: {
      value: [ServicePort.tcp(3306)],
      seen: (objects) => find(objects, 'ServiceEntry', 'fed-out-cards-3306-bank').spec.ports,
      expected: [{ number: 15443, name: 'tcp-federation', protocol: 'TCP' }],
    },
  });

  everyOption<ServiceAccountIdentity, Manifest[]>('ServiceAccountIdentity', {
    trustDomain: 'bank.example', namespaceName: 'dmz', serviceAccountName: 'in',
  }, (parts) => {
    const ingressIdentity = SpiffeId.forServiceAccount(parts);
    return withRemoteMesh({
      ...described, trustDomain: parts.trustDomain, ingressIdentity, egressIdentity: SpiffeId.parse(`spiffe://${parts.trustDomain}/ns/dmz/sa/out`),
    });
  }, {
    trustDomain: { value: 'corp.bank.example', seen: (objects) => upstreamTls(objects).subjectAltNames, expected: ['spiffe://corp.bank.example/ns/dmz/sa/in'] },
    namespaceName: { value: 'edge', seen: (objects) => upstreamTls(objects).subjectAltNames, expected: ['spiffe://bank.example/ns/edge/sa/in'] },
    serviceAccountName: { value: 'front', seen: (objects) => upstreamTls(objects).subjectAltNames, expected: ['spiffe://bank.example/ns/dmz/sa/front'] },
  });

  /* Accountability and Justification, for each declaration that takes them. */

  const exposed = { service: LocalService.fromName('reviews', 'default'), exportName: 'reviews', ports: [ServicePort.http(9080)] };
  const ACCOUNTABLE: [string, (given: Accountability) => Manifest[], (objects: Manifest[]) => Manifest][] = [
    ['an export', (given) => exporting((east) => east.expose('Reviews', { ...exposed, ...given })), (objects) => ingressRoute(objects)],
    ['an allow rule', (given) => exporting(reviewsOf, given), (objects) => ingressRoute(objects)],
    ['a peer at the ingress gateway', (given) => withPeerOptions(given), (objects) => find(objects, 'Gateway', 'fed-in-west')],
    ['a peer at the egress gateway', (given) => withPeerOptions(given), (objects) => find(objects, 'Gateway', 'fed-out-west')],
    ['a new local name', (given) => binding((east, peer) => east.bind('Cards', {
      source: peer.exposedService('cards'), localName: LocalName.newService('cards', 'web'), ...given,
    })), (objects) => find(objects, 'Service', 'cards')],
    ['an existing local name', (given) => binding((east, peer) => east.bind('Cards', {
      source: peer.exposedService('cards'), localName: LocalName.existingService('cards', 'web'), ...given,
    })), (objects) => find(objects, 'VirtualService', 'fed-name-cards-web')],
  ];
  for (const [what, write, object] of ACCOUNTABLE) everyOption<Accountability, Manifest[]>('Accountability', {}, write, accountable(object), ` for ${what}`);

  const meshWith = (props: Partial<FederatedMeshProps>) => {
    const mesh = meshOf(new App(), 'east', props);
    reviewsOf(mesh);
    return objectsIn(mesh);
  };
  const JUSTIFIED: [string, string, (given: Justification) => Manifest[], (objects: Manifest[]) => Manifest][] = [
    ['TLS 1.2', 'allow-tls-1.2', (given) => withPeerOptions({ allowTls12: given }), (objects) => find(objects, 'Gateway', 'fed-in-west')],
    ['isolation', 'isolated', (given) => withPeerOptions({ isolated: given }), (objects) => find(objects, 'AuthorizationPolicy', 'fed-in-isolated-west')],
    ['headers with underscores', 'headers-with-underscores', (given) => meshWith({ allowHeadersWithUnderscores: given }),
      (objects) => find(objects, 'AuthorizationPolicy', 'fed-in-default-deny')],
    ['a boundary without admission policy', 'without-admission-policy', (given) => meshWith({ withoutAdmissionPolicy: given }),
      (objects) => find(objects, 'AuthorizationPolicy', 'fed-in-default-deny')],
  ];
  for (const [what, name, write, object] of JUSTIFIED) {
    everyOption<Justification, Manifest[]>('Justification', { reason: REASON }, write, justified(object, name), ` for ${what}`);
  }
});

/* Bindings. */

describe('bindings', () => {
  const THE_BANK = bank();
  const ofBank = (exportName: string) => THE_BANK.exposedService(exportName);
  const base: RemoteServiceBindingOptions = { source: ofBank('cards'), localName: LocalName.existingService('cards', 'web') };
  const nameRoute = (objects: Manifest[]) => find(objects, 'VirtualService', 'fed-name-cards-web').spec;
  /** The weight of each export, and of the local pods. */
  const weights = (objects: Manifest[]) => Object.fromEntries(nameRoute(objects).http[0].route.map(({ weight, destination: { subset } }: Manifest) =>
    [subset === undefined ? 'local' : /loans/.test(subset) ? 'loans' : 'cards', weight]));
  const headers = (objects: Manifest[]) => nameRoute(objects).http.map(({ match }: Manifest) => match[0].headers);
  /** Mapping of one local port. */
  const ofCards = { portMappings: [{ localPort: 443, exportPort: 443 }] };
  const bound = (options: RemoteServiceBindingOptions, more?: (made: RemoteServiceBinding) => void) => binding((east) => {
    const made = east.bind('Cards', options);
    more?.(made);
    return made;
  }, THE_BANK);

  everyOption<RemoteServiceBindingOptions, Manifest[]>('RemoteServiceBindingOptions', { ...base, ...ofCards, weight: 1 }, (options) =>
    bound(options, (made) => made.addLocalSource(options.weight === undefined ? {} : { weight: 1 })), {
    source: { value: ofBank('loans'), seen: (objects) => names(objects, 'ServiceEntry'), expected: ['fed-out-loans-443-bank'] },
    localName: {
      value: LocalName.existingService('payments', 'shop'), seen: (objects) => find(objects, 'VirtualService', 'fed-name-payments-shop').spec.hosts, expected: ['payments.shop.svc.cluster.local'],
    },
    additionalHosts: {
      value: ['cards.bank.example'], seen: (objects) => nameRoute(objects).hosts, expected: ['cards.web.svc.cluster.local', 'cards.bank.example'],
    },
    portMappings: {
      value: [{ localPort: 80, exportPort: 8443 }], seen: (objects) => nameRoute(objects).http[0].match, expected: [{ port: 80 }],
    },
    weight: { value: 3, seen: weights, expected: { cards: 75, local: 25 } },
    whenHeaders: { value: { 'x-tester': 'yes' }, instead: { weight: undefined }, seen: headers, expected: [{ 'x-tester': { exact: 'yes' } }, undefined] },
    ...accountable((objects) => find(objects, 'VirtualService', 'fed-name-cards-web')),
  });

  everyOption<Omit<RemoteServiceBindingProps, keyof RemoteServiceBindingOptions>, Manifest[]>('RemoteServiceBindingProps', { mesh: meshOf(new App(), 'west') }, ({ mesh }) => {
    const peer = bank();
    const made = new RemoteServiceBinding(scopeIn(mesh), 'Cards', { ...base, mesh, source: peer.exposedService('cards') });
    mesh.addPeer(peer);
    made.allowFrom(page);
    return objectsIn(mesh);
  }, {
    mesh: {
      value: meshOf(new App(), 'north'),
      seen: (objects) => gateway(objects, 'fed-out-bank').servers[0].tls.subjectAltNames,
      expected: ['spiffe://north.example/ns/web/sa/page'],
    },
  });

  everyOption<SourceOptions, Manifest[]>('SourceOptions', { ...ofCards, weight: 1 }, (options) =>
    bound({ ...base, ...ofCards, weight: options.weight === undefined ? undefined : 1 }, (made) => made.addSource(ofBank('loans'), options)), {
    portMappings: {
      value: [{ localPort: 8080, exportPort: 8443 }],
      seen: (objects) => nameRoute(objects).http.map(({ match }: Manifest) => match),
      expected: [[{ port: 443 }], [{ port: 8080 }]],
    },
    weight: { value: 3, seen: weights, expected: { cards: 25, loans: 75 } },
    whenHeaders: { value: { 'x-tester': 'yes' }, instead: { weight: undefined }, seen: headers, expected: [{ 'x-tester': { exact: 'yes' } }, undefined] },
  });

  everyOption<LocalSourceOptions, Manifest[]>('LocalSourceOptions', { weight: 1 }, (options) =>
    bound({ ...base, ...ofCards, weight: options.weight === undefined ? undefined : 1 }, (made) => made.addLocalSource(options)), {
    weight: { value: 3, seen: weights, expected: { cards: 25, local: 75 } },
    whenHeaders: { value: { 'x-tester': 'yes' }, instead: { weight: undefined }, seen: headers, expected: [{ 'x-tester': { exact: 'yes' } }, undefined] },
  });

  everyOption<PortMapping, Manifest[]>('PortMapping', { localPort: 443, exportPort: 443 }, (mapping) => bound({ ...base, portMappings: [mapping] }), {
    localPort: { value: 80, seen: (objects) => nameRoute(objects).http[0].match, expected: [{ port: 80 }] },
    exportPort: { value: 8443, seen: (objects) => find(objects, 'ServiceEntry', 'fed-out-cards-8443-bank').spec.hosts, expected: ['p8443.cards.east.fed.bank.example'] },
  });

  everyOption<RestrictNamespaceOptions, Manifest[]>('RestrictNamespaceOptions', { reason: REASON }, (options) => {
    const east = meshOf(new App(), 'east');
    east.restrictNamespace('finance', options);
    return objectsIn(east);
  }, {
    ...justified((objects) => find(objects, 'Sidecar', 'fed-restricted-finance'), 'restricted'),
    allowedHosts: {
      value: ['egress/api.acquirer.example'],
      seen: (objects) => find(objects, 'Sidecar', 'fed-restricted-finance').spec.egress,
      expected: [{ hosts: ['*/*.svc.cluster.local', 'egress/api.acquirer.example'] }],
    },
  });
});

/* Files. */

describe('files', () => {
  afterEach(() => { jest.restoreAllMocks(); });

  /** The text that ManifestWriter writes to stderr. */
  everyOption<WriteOptions, string>('WriteOptions', { progress: false }, (options) => {
    const outdir = mkdtempSync(join(tmpdir(), 'options-'));
    const printed: unknown[] = [];
    jest.spyOn(process.stderr, 'write').mockImplementation((text) => printed.push(text) > 0);
    const app = new App({ outdir });
    new ApiObject(new Chart(app, 'one'), 'One', { apiVersion: 'v1', kind: 'ConfigMap' });
    ManifestWriter.write(app, options);
    rmSync(outdir, { recursive: true });
    return printed.join('');
  }, {
    progress: { value: true, seen: (printed) => printed, expected: '\r1 of 1 objects\n' },
  });
});

/** Structs without a table. */
const WITHOUT_TABLE = {
  BoundaryGatewayAttributes: 'the type of properties of a mesh, and the base of ExistingGatewayOptions',
};

test('every options object of the public API has a table', () => {
  const files = [...readFileSync(join(__dirname, '..', 'src', 'index.ts'), 'utf8').matchAll(/^export \* from '\.\/(.+)';$/gm)].map(([, file]) => file);
  const structs = files.flatMap((file) => [...readFileSync(join(__dirname, '..', 'src', `${file}.ts`), 'utf8').matchAll(/^export interface (\w+)/gm)])
    .map(([, name]) => name).filter((name) => !/^I[A-Z]/.test(name));
  expect(structs.length).toBeGreaterThan(25);
  expect([...TABLES, ...Object.keys(WITHOUT_TABLE)].sort()).toEqual(structs.sort());
});
