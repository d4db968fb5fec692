import { createHash } from 'crypto';
import { JsonPatch, Yaml } from 'cdk8s';
import { k8s } from 'cdk8s-plus-27';
import { Construct } from 'constructs';
import { bootstrapName, maxConnectionsFor, renderBootstrap } from './bootstrap';
import { connectionSettings } from './connection-settings';
import { renderCredential } from './credential';
import { annotate, emit, emitTyped, lazyField } from './emit';
import { Telemetry, TelemetrySpec } from '../../imports/telemetry.istio.io';
import { BOUNDARY_PORT } from '../model/constants';
import { GatewayConfig, Peer, BoundaryConfig } from '../model/model';
import { PREFIX } from '../model/names';
import { compare } from '../model/order';
import { injectedLabels } from '../model/protected';

/*
 * Pods, Service and autoscaling of a boundary gateway. istiod of the mesh injects the proxy; the pods run unprivileged,
 * without a token for the Kubernetes API.
 */

/** ConfigMap with one CA file for each peer that the egress gateway calls. */
export const EGRESS_TRUST = `${PREFIX.egress}-trust`;
/** Annotation of a Deployment whose namespace somebody else creates (`createNamespace: false`), for BoundaryValidation. */
export const EXISTING_NAMESPACE = 'existing-namespace';
/** Directory where the egress gateway mounts these CA files. */
export const TRUST_DIRECTORY = '/etc/federation/trust';
/**
 * Directory where the Istio agent writes the egress gateway's own certificate at each renewal. No part of the path may
 * be a symbolic link (`/var/run` is one): the agent misses every renewal of linked files but the first, and the gateway
 * ends up with an expired certificate (docs/adr/0011).
 */
export const WORKLOAD_CERTIFICATE = '/etc/federation/workload';

/**
 * Directory where the egress gateway mounts a certificate that its mesh does not issue. The kubelet replaces
 * certificate and key at once, at each renewal.
 */
export const CREDENTIAL_DIRECTORY = '/etc/federation/credential';

/** File with one peer's CA certificates in `TRUST_DIRECTORY`. */
export function trustFileName(peer: Peer): string {
  return `${peer.name}.crt`;
}

/** File with one peer's revocation lists in `TRUST_DIRECTORY`. */
export function revocationFileName(peer: Peer): string {
  return `${peer.name}.crl`;
}

/**
 * Envoy statistics (regular expressions) besides Istio's own metrics, which do not contain the peer: responses by
 * listener, failed handshakes, unreachable peers, and memory pressure.
 */
const STATS_INCLUSIONS = [
  'http\\..*\\.downstream_rq_[1-5]xx',
  'overload\\..*',
  `listener\\..*_${BOUNDARY_PORT}\\.(no_filter_chain_match|ssl\\.(handshake|connection_error|fail_verify_.*))`,
  `cluster\\.outbound\\|${BOUNDARY_PORT}\\|.*;\\.(upstream_cx_total|upstream_cx_connect_fail|upstream_rq_[1-5]xx|ssl\\.(connection_error|fail_verify_.*))`,
];

/** Values in the objects of a gateway that depend on later declarations, so they are read when the chart is written. */
export interface WorkloadContext {
  /** Namespaces to which the Service of the egress gateway is exported. */
  readonly callerNamespaces: string[];
  /** Peers that the egress gateway calls. */
  readonly calledPeers: Peer[];
  /** Those of them whose CA certificates are in an externally managed ConfigMap. */
  readonly externalTrust: { readonly peer: Peer; readonly configMapName: string }[];
  /** Whether the gateway may set trace headers in what it forwards. */
  readonly tracePropagation: boolean;
  /** Memory limit of the gateway, as a Kubernetes quantity. */
  readonly memoryLimit: string;
}

/** Creates all objects of one gateway's workload. */
export function renderWorkload(scope: Construct, config: BoundaryConfig, gateway: GatewayConfig, context: () => WorkloadContext): void {
  const named = { name: gateway.serviceName, namespace: gateway.namespaceName };
  const { minReplicas, maxReplicas } = gateway.settings;
  emitTyped(scope, k8s.KubeServiceAccount, { ...named, name: gateway.serviceAccountName }, {
    automountServiceAccountToken: false,
  });
  renderCredential(scope, config, gateway);
  renderBootstrap(scope, gateway, () => context().memoryLimit);
  renderDeployment(scope, config, gateway, context, maxReplicas > minReplicas ? undefined : minReplicas);
  renderService(scope, gateway, context);
  if (minReplicas > 1) {
    emitTyped(scope, k8s.KubePodDisruptionBudget, named, {
      spec: {
        minAvailable: k8s.IntOrString.fromNumber(1),
        // A pod that never became ready must not block the drain of its node.
        unhealthyPodEvictionPolicy: 'AlwaysAllow',
        selector: { matchLabels: gateway.podLabels },
      },
    });
  }
  emit<TelemetrySpec>(scope, Telemetry.GVK, named, () => ({
    selector: { matchLabels: gateway.selector },
    accessLogging: [{ providers: [{ name: config.accessLogProvider }] }],
    // A gateway that takes part in traces sets trace headers itself, after the routes have removed them. It does so for
    // all peers or for none. It still reports its own spans where Istio can separate the two.
    tracing: context().tracePropagation ? undefined
      : [config.disableContextPropagation ? { disableContextPropagation: true } : { disableSpanReporting: true }],
  }));
}

/** All labels of the pods, injected ones included: any of them may be selected by objects of other owners. */
export function allPodLabels({ settings, podLabels }: GatewayConfig): { [name: string]: string } {
  const declared = { ...sortedLabels({ ...settings.labels }), ...sortedLabels(podLabels) };
  return { ...declared, ...injectedLabels(declared) };
}

/** Labels sorted by name: maps of some jsii languages have another order in each run. */
export function sortedLabels(labels: { readonly [name: string]: string }): { [name: string]: string } {
  return Object.fromEntries(Object.entries(labels).sort(([a], [b]) => compare(a, b)));
}

function renderDeployment(scope: Construct, config: BoundaryConfig, gateway: GatewayConfig, context: () => WorkloadContext, replicas?: number): void {
  const { settings, podLabels } = gateway;
  const named = { name: gateway.serviceName, namespace: gateway.namespaceName };
  const egress = gateway.role === 'egress';
  const deployment = emitTyped(scope, k8s.KubeDeployment, { ...named, labels: podLabels }, {
    spec: {
      replicas,
      selector: { matchLabels: podLabels },
      template: {
        metadata: {
          labels: {
            ...settings.labels,
            ...podLabels,
            'sidecar.istio.io/inject': 'true',
            'istio.io/dataplane-mode': 'none',
            ...config.revision === undefined ? {} : { 'istio.io/rev': config.revision },
          },
          annotations: lazyField(() => ({
            'inject.istio.io/templates': ['gateway', ...settings.injectionTemplates].join(','),
            'sidecar.istio.io/bootstrapOverride': bootstrapName(gateway),
            'proxy.istio.io/config': proxyConfig(config, gateway, context().memoryLimit),
            ...egress ? revocationAnnotation(context().calledPeers) : {},
          })),
        },
        spec: {
          serviceAccountName: gateway.serviceAccountName,
          automountServiceAccountToken: false,
          terminationGracePeriodSeconds: 60 + settings.shutdownDelaySeconds,
          securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
          topologySpreadConstraints: [{
            maxSkew: 1,
            topologyKey: 'kubernetes.io/hostname',
            whenUnsatisfiable: 'ScheduleAnyway',
            labelSelector: { matchLabels: podLabels },
          }],
          nodeSelector: settings.nodeSelector,
          tolerations: settings.tolerations?.map(({ key, value, effect }) =>
            ({ key, value, effect, operator: value === undefined ? 'Exists' : 'Equal' })),
          priorityClassName: settings.priorityClassName,
          imagePullSecrets: settings.imagePullSecretNames?.map((name) => ({ name })),
          volumes: egress ? lazyField(() => egressVolumes(gateway, context().externalTrust)) : undefined,
          containers: [container(gateway, context)],
        },
      },
    },
  }, sleepBeforeStop(settings.shutdownDelaySeconds));
  annotate(deployment, { [EXISTING_NAMESPACE]: config.createNamespace ? undefined : 'true' });
}

/**
 * Lets the proxy work on for a while after Kubernetes has removed the pod from its Service. The field is newer than
 * cdk8s-plus-27. A command is no alternative: images of the proxy without a shell have none that waits.
 */
function sleepBeforeStop(seconds: number): JsonPatch[] {
  if (seconds === 0) return [];
  return [JsonPatch.add('/spec/template/spec/containers/0/lifecycle', { preStop: { sleep: { seconds } } })];
}

function container(gateway: GatewayConfig, context: () => WorkloadContext): k8s.Container {
  const quantity = (name: 'cpuRequest' | 'cpuLimit' | 'memoryRequest') => k8s.Quantity.fromString(gateway.settings[name]);
  return {
    // The injector completes the container of this name, and replaces the image `auto` by the mesh's proxy image.
    name: 'istio-proxy',
    image: 'auto',
    ports: [
      { name: 'tls-federation', containerPort: BOUNDARY_PORT, protocol: 'TCP' },
      { name: 'http-envoy-prom', containerPort: 15090, protocol: 'TCP' },
    ],
    resources: {
      requests: { cpu: quantity('cpuRequest'), memory: quantity('memoryRequest') },
      limits: { cpu: quantity('cpuLimit'), memory: lazyField(() => k8s.Quantity.fromString(context().memoryLimit)) },
    },
    securityContext: {
      allowPrivilegeEscalation: false,
      privileged: false,
      readOnlyRootFilesystem: true,
      runAsNonRoot: true,
      capabilities: { drop: ['ALL'] },
    },
    volumeMounts: gateway.role === 'egress'
      ? [
        gateway.credential === undefined
          ? { name: 'federation-workload', mountPath: WORKLOAD_CERTIFICATE }
          : { name: 'federation-credential', mountPath: CREDENTIAL_DIRECTORY, readOnly: true },
        { name: 'federation-trust', mountPath: TRUST_DIRECTORY, readOnly: true },
      ]
      : undefined,
  };
}

function egressVolumes({ credential }: GatewayConfig, externalTrust: WorkloadContext['externalTrust']): k8s.Volume[] {
  return [
    credential === undefined
      // The agent writes the gateway's private key here: in memory, never on a disk.
      ? { name: 'federation-workload', emptyDir: { medium: 'Memory', sizeLimit: k8s.Quantity.fromString('1Mi') } }
      : { name: 'federation-credential', secret: { secretName: credential.secretName } },
    externalTrust.length === 0 ? { name: 'federation-trust', configMap: { name: EGRESS_TRUST, optional: true } } : {
      name: 'federation-trust',
      // Each source is optional: a missing ConfigMap of one peer must not affect the trust in the others.
      projected: {
        sources: [
          { configMap: { name: EGRESS_TRUST, optional: true } },
          ...externalTrust.map(({ peer, configMapName }) =>
            ({ configMap: { name: configMapName, optional: true, items: [{ key: 'ca.crt', path: trustFileName(peer) }] } })),
        ],
      },
    },
  ];
}

/**
 * Annotation that restarts the pods when a revocation list changes: Envoy reads the file only at start (docs/adr/0014).
 */
function revocationAnnotation(peers: Peer[]): { [name: string]: string } {
  const lists = peers.map(({ revocationLists }) => revocationLists).filter((list) => list !== undefined);
  if (lists.length === 0) return {};
  return { 'cdk8s-mesh-federation/revocation-lists': `sha256:${createHash('sha256').update(lists.join('')).digest('hex')}` };
}

/**
 * ProxyConfig of the pods, for settings that no route can make. For example Envoy adds `x-envoy-original-host`, which
 * contains the local name, after the route has removed headers.
 */
function proxyConfig(config: BoundaryConfig, gateway: GatewayConfig, memoryLimit: string): string {
  const egress = gateway.role === 'egress';
  return Yaml.stringify({
    terminationDrainDuration: '30s',
    // These two are inherited from the mesh if they are not set. Envoy's runtime has precedence over settings of clusters,
    // for example over the one that errors eject no address.
    drainDuration: '45s',
    runtimeValues: {},
    gatewayTopology: { forwardClientCertDetails: egress ? 'SANITIZE' : 'SANITIZE_SET', ...gateway.settings.proxyProtocol ? { proxyProtocol: {} } : {} },
    proxyHeaders: {
      attemptCount: { disabled: true },
      envoyDebugHeaders: { disabled: true },
      server: { disabled: true },
      // Istio's default. It is set because headers that are not set here are inherited from the mesh: without an id of
      // its own, a gateway would forward the id of the hop before it.
      requestId: { disabled: false },
    },
    proxyStatsMatcher: { inclusionRegexps: STATS_INCLUSIONS },
    ...config.connectionSettings ? { connectionSettings: connectionSettings(config) } : {},
    proxyMetadata: {
      // Istio's connection limit has no field in ProxyConfig.
      ISTIO_META_GLOBAL_DOWNSTREAM_MAX_CONNECTIONS: String(maxConnectionsFor(memoryLimit)),
      // With "true", a pod that stops would take new connections until its last one ends.
      EXIT_ON_ZERO_ACTIVE_CONNECTIONS: 'false',
      ...egress && gateway.credential === undefined ? { OUTPUT_CERTS: WORKLOAD_CERTIFICATE } : {},
    },
  });
}

function renderService(scope: Construct, gateway: GatewayConfig, context: () => WorkloadContext): void {
  const { settings, podLabels, servicePorts } = gateway;
  const named = { name: gateway.serviceName, namespace: gateway.namespaceName };
  const type = settings.serviceType;
  const isExternal = gateway.role === 'ingress' && type !== 'ClusterIP';
  const service = emitTyped(scope, k8s.KubeService, {
    ...named,
    labels: podLabels,
    annotations: gateway.role === 'egress'
      ? { 'networking.istio.io/exportTo': lazyField(() => context().callerNamespaces.join(',') || '.') }
      : settings.serviceAnnotations,
  }, {
    spec: {
      type: gateway.role === 'egress' ? 'ClusterIP' : type,
      ipFamilyPolicy: settings.dualStack ? 'RequireDualStack' : undefined,
      externalTrafficPolicy: isExternal && settings.preserveClientAddress ? 'Local' : undefined,
      loadBalancerClass: settings.loadBalancerClass,
      loadBalancerSourceRanges: type === 'LoadBalancer' && settings.sourceRanges ? [...settings.sourceRanges] : undefined,
      selector: podLabels,
      ports: servicePorts.map((port) => ({
        name: servicePorts.length === 1 ? 'tls-federation' : `tls-federation-${port}`,
        port,
        targetPort: k8s.IntOrString.fromNumber(BOUNDARY_PORT),
        nodePort: type === 'NodePort' && isNodePort(port) ? port : undefined,
        protocol: 'TCP',
      })),
    },
  });
  annotate(service, gateway.annotations);
}

/** Whether a port is in the default range of Kubernetes for node ports. */
function isNodePort(port: number): boolean {
  return port >= 30000 && port <= 32767;
}
