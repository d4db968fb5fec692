import { annotationOf, OURS } from './emit';
import { secretIn } from '../internal/jwks';
import type { Manifest } from '../internal/resources';
import { dedicatedGateway } from '../internal/site';

/*
 * What the laws refuse, found in manifests of whatever origin.
 */

/** The pods of boundary gateways that nobody else runs. */
export interface GatewayPods {
  readonly namespaceName: string;
  readonly labels: { readonly [name: string]: string };
}

/** What is known of the boundaries to which manifests may belong. */
export interface Boundaries {
  readonly pods: GatewayPods[];
  readonly rootNamespaceName: string;
}

export interface Rule {
  readonly name: string;
  readonly recommendation: string;
  readonly fix: string;
  /** What is wrong with one document, as texts. */
  readonly mistakesIn: (document: any, boundaries: Boundaries) => string[];
}

/** Rules in the order of a report. */
export const RULES: Rule[] = [
  {
    name: 'private-keys',
    recommendation: 'Private keys have no place in manifests: whoever reads the repository could be the gateway.',
    fix: 'Treat the key as leaked. Use the identity that the mesh gives to its gateways, or a Secret that is made in the cluster (GatewayCredential).',
    mistakesIn: privateKeys,
  },
  {
    name: 'weak-tls',
    recommendation: 'Every listener of a boundary gateway, and every connection to one, demands certificates of both sides.',
    fix: 'Let FederatedMesh.expose and .bind write the object, or use mode MUTUAL (ISTIO_MUTUAL inside the mesh) with TLS 1.3.',
    mistakesIn: weakTls,
  },
  {
    name: 'wildcard-hosts',
    recommendation: 'A listener of a boundary gateway is for one server name of one peer: "./<server name>".',
    fix: 'Expose each service by a name of its own: FederatedMesh.expose.',
    mistakesIn: wildcardHosts,
  },
  {
    name: 'unpinned-peers',
    recommendation: 'Whoever presents a certificate names the server and the identity that it expects: sni and subjectAltNames together.',
    fix: 'Let FederatedMesh.bind write the object, or state sni and subjectAltNames, and for a peer the egress gateway as workloadSelector.',
    mistakesIn: unpinnedPeers,
  },
  {
    name: 'foreign-objects',
    recommendation: 'Objects of others that reach the pods of a boundary gateway could open or freeze it.',
    fix: 'Select pods of your own, in a namespace of your own. What the boundary shall do is said with FederatedMesh.',
    mistakesIn: foreignObjects,
  },
];

const PRIVATE_KEY = /-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----/;
/** Server names of exports end with the exporter's trust domain behind this label. */
const PEER_HOST = /^p\d+\..+\.fed\.[^.]/;
const WORKLOADS = ['Pod', 'Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'Job', 'CronJob'];
/** Kinds that concern pods of their own namespace only, and those that also do so from Istio's root namespace. */
const LOCAL_KINDS = ['Service', 'NetworkPolicy', 'Sidecar', 'ProxyConfig', 'DestinationRule', ...WORKLOADS];
const POLICY_KINDS = ['AuthorizationPolicy', 'RequestAuthentication', 'PeerAuthentication', 'EnvoyFilter', 'WasmPlugin', 'Telemetry', 'TrafficExtension'];
const ISTIO = /^(networking|security|telemetry|extensions)\.istio\.io\//;

/** The boundaries whose gateways are among the manifests, and those that are elsewhere, in these namespaces. */
export function boundariesOf(manifests: Manifest[], namespaceNames: string[], rootNamespaceName: string): Boundaries {
  const run = manifests.filter(({ document }) => document.kind === 'Deployment' && isOurs(document)).map(({ document }) => ({
    namespaceName: String(document.metadata.namespace), labels: document.spec?.template?.metadata?.labels ?? {},
  }));
  const elsewhere = namespaceNames.flatMap((namespaceName) => (['ingress', 'egress'] as const).map((role) =>
    ({ namespaceName, labels: dedicatedGateway(role, namespaceName).podLabels })));
  return {
    pods: [...run, ...elsewhere.filter(({ namespaceName, labels: { app } }) =>
      !run.some((pods) => pods.namespaceName === namespaceName && pods.labels.app === app))],
    rootNamespaceName,
  };
}

function isOurs({ metadata }: any): boolean {
  return Object.entries(OURS).every(([name, value]) => metadata?.labels?.[name] === value);
}

// ---- private-keys ------------------------------------------------------------------------------------------------------

function privateKeys(document: any): string[] {
  return textsIn(document).flatMap(({ path, text }) => {
    const isBase64 = document.kind === 'Secret' && path.startsWith('data.') || document.kind === 'ConfigMap' && path.startsWith('binaryData.');
    const readings = isBase64 ? [text, Buffer.from(text, 'base64').toString('latin1')] : [text];
    const isTls = document.kind === 'Secret' && /^(?:data|stringData)\.tls\.key$/.test(path) && text !== '';
    return isTls || readings.some((reading) => PRIVATE_KEY.test(reading) || holdsSigningKey(reading)) ? [`${path} holds a private key`] : [];
  });
}

/** One key, a list of some or a set. */
function holdsSigningKey(text: string): boolean {
  if (!text.includes('"kty"')) return false;
  try {
    const parsed = JSON.parse(text);
    const keys = Array.isArray(parsed.keys) ? parsed.keys : [parsed].flat();
    return keys.some((key: any) => key?.kty !== undefined && secretIn(key) !== undefined);
  } catch {
    return false;
  }
}

function textsIn(value: unknown, path: string[] = []): { readonly path: string; readonly text: string }[] {
  if (typeof value === 'string') return [{ path: path.join('.'), text: value }];
  if (value === null || typeof value !== 'object') return [];
  return Object.entries(value).flatMap(([key, child]) => textsIn(child, [...path, key]));
}

// ---- weak-tls, wildcard-hosts, unpinned-peers --------------------------------------------------------------------------

/** TLS settings of a DestinationRule, wherever they stand in it. */
function clientTls(document: any): { readonly path: string; readonly tls: any }[] {
  const inPolicy = (path: string, policy: any) => [
    { path: `${path}.tls`, tls: policy?.tls },
    ...listOf(policy?.portLevelSettings).map((setting, index) => ({ path: `${path}.portLevelSettings[${index}].tls`, tls: setting?.tls })),
  ];
  return [
    ...inPolicy('spec.trafficPolicy', document.spec?.trafficPolicy),
    ...listOf(document.spec?.subsets).flatMap((subset, index) => inPolicy(`spec.subsets[${index}].trafficPolicy`, subset?.trafficPolicy)),
  ].filter(({ tls }) => tls);
}

function weakTls(document: any, boundaries: Boundaries): string[] {
  if (isIstio(document, 'DestinationRule')) {
    const demanded = isPeerHost(document) ? 'MUTUAL' : isGatewayHost(document, boundaries) ? 'ISTIO_MUTUAL' : undefined;
    return clientTls(document).flatMap(({ path, tls }) => [
      ...tls.insecureSkipVerify ? [`${path}.insecureSkipVerify takes any certificate`] : [],
      ...demanded && tls.mode !== demanded ? [`${path}.mode is ${tls.mode ?? 'DISABLE'}, to a boundary it is ${demanded}`] : [],
    ]);
  }
  return boundaryServers(document, boundaries).flatMap(({ path, server: { tls } }) => {
    if (!tls) return [`${path} has no tls: it listens in plain text`];
    if (!['MUTUAL', 'ISTIO_MUTUAL'].includes(tls.mode)) return [`${path}.tls.mode is ${tls.mode ?? 'PASSTHROUGH'}`];
    if (tls.mode === 'ISTIO_MUTUAL') return [];
    const agreed = document.metadata?.annotations?.[annotationOf('allow-tls-1.2')] !== undefined ? ['TLSV1_3', 'TLSV1_2'] : ['TLSV1_3'];
    return agreed.includes(tls.minProtocolVersion) ? [] : [`${path}.tls.minProtocolVersion is ${tls.minProtocolVersion ?? 'not stated'}`];
  });
}

function wildcardHosts(document: any, boundaries: Boundaries): string[] {
  return boundaryServers(document, boundaries).flatMap(({ path, server }) => listOf(server.hosts).flatMap((host, index) => {
    const [namespaceName, name] = String(host).includes('/') ? String(host).split('/') : ['*', String(host)];
    if (name.includes('*')) return [`${path}.hosts[${index}] is ${host}: for every name`];
    return namespaceName === '*' ? [`${path}.hosts[${index}] is ${host}: routes of every namespace may take it`] : [];
  }));
}

function unpinnedPeers(document: any, boundaries: Boundaries): string[] {
  if (isIstio(document, 'DestinationRule')) {
    const inside = isGatewayHost(document, boundaries);
    return clientTls(document).flatMap(({ path, tls }) => [
      ...tls.mode === 'MUTUAL' || inside && tls.mode === 'ISTIO_MUTUAL' ? missing(path, tls, inside ? ['sni'] : ['sni', 'subjectAltNames']) : [],
      ...tls.mode === 'MUTUAL' && isPeerHost(document) && !document.spec.workloadSelector?.matchLabels
        ? ['spec.workloadSelector is missing: every sidecar would present the gateway\'s certificate'] : [],
    ]);
  }
  return boundaryServers(document, boundaries).filter(({ server: { tls } }) => tls?.mode === 'MUTUAL')
    .flatMap(({ path, server: { tls } }) => missing(`${path}.tls`, tls, ['subjectAltNames']));
}

function missing(path: string, tls: any, fields: string[]): string[] {
  return fields.filter((field) => !tls[field]?.length).map((field) => `${path}.${field} is missing`);
}

/** Servers of a Gateway on pods of a boundary. */
function boundaryServers(document: any, boundaries: Boundaries): { readonly path: string; readonly server: any }[] {
  const isOnBoundary = isIstio(document, 'Gateway') && (isOurs(document) || selected(document, boundaries) !== undefined);
  return isOnBoundary ? listOf(document.spec?.servers).map((server, index) => ({ path: `spec.servers[${index}]`, server: server ?? {} })) : [];
}

function isPeerHost({ spec }: any): boolean {
  return PEER_HOST.test(String(spec?.host)) && !String(spec.host).includes('.egress.fed.');
}

function isGatewayHost({ metadata, spec }: any, { pods }: Boundaries): boolean {
  const [name, namespaceName = metadata?.namespace] = String(spec?.host).split('.');
  return pods.some(({ namespaceName: own, labels: { app } }) => own === namespaceName && app === name);
}

// ---- foreign-objects ---------------------------------------------------------------------------------------------------

function foreignObjects(document: any, boundaries: Boundaries): string[] {
  if (isOurs(document)) return [];
  const { kind } = document;
  if (isIstio(document, 'VirtualService')) {
    const namespaceNames = new Set<string | undefined>(boundaries.pods.map(({ namespaceName }) => namespaceName));
    return listOf(document.spec?.gateways).filter((gateway) => namespaceNames.has(namespaceOf(String(gateway), document)))
      .map((gateway) => `spec.gateways has ${gateway}, a Gateway of a boundary`);
  }
  if (isIstio(document, 'ServiceEntry')) {
    return listOf(document.spec?.hosts).filter((host) => PEER_HOST.test(String(host))).map((host) => `spec.hosts has ${host}, a server name of a peer`);
  }
  const concerned = kind === 'Gateway' || LOCAL_KINDS.includes(kind) || POLICY_KINDS.includes(kind);
  if (!concerned || !(isCore(document) || ISTIO.test(document.apiVersion))) return [];
  const namespaceName = selected(document, boundaries);
  return namespaceName === undefined ? [] : [`it selects the pods of a gateway of the boundary ${namespaceName}`];
}

/** `mesh` is no Gateway. Beside `namespace/name` Istio still takes `name.namespace`. */
function namespaceOf(gateway: string, { metadata }: any): string | undefined {
  if (gateway === 'mesh') return undefined;
  const [namespaceName, name] = gateway.includes('/') ? gateway.split('/') : gateway.split('.').slice(0, 2).reverse();
  return name === undefined || namespaceName === '.' ? metadata?.namespace : namespaceName;
}

/** The namespace of the boundary that an object reaches. */
function selected(document: any, { pods, rootNamespaceName }: Boundaries): string | undefined {
  const { kind, metadata } = document;
  const labels = selectorOf(document);
  if (labels === undefined) return undefined;
  const fromRoot = POLICY_KINDS.includes(kind) && metadata?.namespace === rootNamespaceName;
  return pods.find((pod) => {
    const fits = Object.entries(labels).every(([name, value]) => pod.labels[name] === value);
    const beside = metadata?.namespace === pod.namespaceName;
    if (WORKLOADS.includes(kind)) return beside && ['app', 'istio'].some((name) => pod.labels[name] !== undefined && labels[name] === pod.labels[name]);
    // Without istiod's PILOT_SCOPE_GATEWAY_TO_NAMESPACE a Gateway reaches pods of any namespace.
    if (kind === 'Gateway') return fits;
    if (fromRoot) return fits && (Object.keys(labels).length > 0 || ['EnvoyFilter', 'WasmPlugin'].includes(kind) && reachesGateways(document));
    return beside && fits;
  })?.namespaceName;
}

/** Without labels for all pods of its reach; undefined for what selects none. */
function selectorOf({ kind, metadata, spec }: any): { readonly [name: string]: unknown } | undefined {
  if (kind === 'Pod') return metadata?.labels ?? {};
  if (kind === 'CronJob') return spec?.jobTemplate?.spec?.template?.metadata?.labels ?? {};
  if (WORKLOADS.includes(kind)) return spec?.template?.metadata?.labels ?? {};
  if (kind === 'Service') return spec?.selector && Object.keys(spec.selector).length > 0 ? spec.selector : undefined;
  // Policies of this kind add up, so one that names nobody opens nothing.
  if (kind === 'NetworkPolicy') return [...listOf(spec?.ingress), ...listOf(spec?.egress)].length > 0 ? spec?.podSelector?.matchLabels ?? {} : undefined;
  if (kind === 'DestinationRule') return spec?.workloadSelector?.matchLabels ?? {};
  if (kind === 'Gateway') return spec?.selector ?? {};
  return spec?.workloadSelector?.labels ?? spec?.selector?.matchLabels ?? {};
}

/** A patch for sidecars alone, as one of Istio's root namespace often is, leaves gateways alone. */
function reachesGateways({ kind, spec }: any): boolean {
  return kind !== 'EnvoyFilter' || listOf(spec?.configPatches).some((patch) => !/^SIDECAR_/.test(patch?.match?.context ?? 'ANY'));
}

function isIstio({ apiVersion, kind }: any, wanted: string): boolean {
  return kind === wanted && ISTIO.test(apiVersion);
}

function isCore({ apiVersion }: any): boolean {
  return ['v1', 'apps/v1', 'batch/v1', 'networking.k8s.io/v1'].includes(apiVersion);
}

function listOf(value: unknown): any[] {
  return Array.isArray(value) ? value : [];
}
