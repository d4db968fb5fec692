import { boundHostsIn, BoundHosts } from './bound-hosts';
import { isGeneratedAs, isIstio, listOf } from './documents';
import { ExternalHosts, externalHostsIn } from './external-hosts';
import { Inventory } from './inventory';
import { isGateway, Manifest } from './manifests';
import { Selector, selects } from './selection';
import { dedicatedGateway } from '../boundary/config';
import { PREFIX } from '../model/names';
import { injectedLabels } from '../model/protected';

/*
 * The boundaries to which manifests may belong.
 */

/** Pods of a boundary gateway. */
export interface GatewayPods {
  readonly namespaceName: string;
  /** All labels, injected ones included. */
  readonly labels: { readonly [name: string]: string };
  /** Whether the library runs the pods. Those of an existing gateway belong to somebody else. */
  readonly managed: boolean;
}

/** What the rules know about the boundaries to which manifests may belong. */
export interface Boundaries {
  readonly pods: readonly GatewayPods[];
  /** Namespaces of these pods. */
  readonly namespaceNames: ReadonlySet<string>;
  readonly rootNamespaceName: string;
  readonly boundHosts: BoundHosts;
  readonly externalHosts: ExternalHosts;
  readonly inventory: Inventory;
}

/** Boundaries whose gateways are among the manifests, and boundaries of other programs in the given namespaces. */
export function boundariesIn(manifests: readonly Manifest[], namespaceNames: string[], rootNamespaceName: string): Boundaries {
  const ofOtherPrograms = namespaceNames.flatMap((namespaceName) => (['ingress', 'egress'] as const).map((role) =>
    podsIn(namespaceName, dedicatedGateway(role, namespaceName).podLabels, true)));
  const managed = manifests.filter(({ document }) => isGateway(document)).map(({ document }) =>
    podsIn(String(document.metadata.namespace), document.spec?.template?.metadata?.labels ?? {}, true));
  const existing = manifests.filter(({ document }) => selectsGateway(document))
    .map(({ document: { metadata, spec } }) => podsIn(String(metadata.namespace), spec?.selector?.matchLabels ?? spec?.selector ?? {}, false));
  const pods = distinctPods([...managed, ...ofOtherPrograms, ...existing]);
  return {
    pods,
    namespaceNames: new Set(pods.map(({ namespaceName }) => namespaceName)),
    rootNamespaceName,
    boundHosts: boundHostsIn(manifests),
    externalHosts: externalHostsIn(manifests),
    inventory: new Inventory(manifests),
  };
}

/** Whether a generated object selects the pods of a gateway: of an existing one, nothing else is among the manifests. */
function selectsGateway(document: any): boolean {
  return [PREFIX.ingress, PREFIX.egress].some((prefix) =>
    isGeneratedAs(document, 'Gateway', `${prefix}-`) || isGeneratedAs(document, 'AuthorizationPolicy', `${prefix}-guard`));
}

function podsIn(namespaceName: string, labels: { [name: string]: string }, managed: boolean): GatewayPods {
  return { namespaceName, labels: { ...labels, ...injectedLabels(labels) }, managed };
}

/** Each kind of pods once. A generated object also selects the pods that the library runs. */
function distinctPods(all: GatewayPods[]): GatewayPods[] {
  const byLabels = new Map<string, GatewayPods>();
  for (const pods of all) {
    const key = [pods.namespaceName, pods.labels.app, pods.labels.istio].join('\n');
    const known = byLabels.has(key) || !pods.managed && [...byLabels.values()].some(({ namespaceName, labels }) =>
      namespaceName === pods.namespaceName && labels.istio === pods.labels.istio);
    if (!known) byLabels.set(key, pods);
  }
  return [...byLabels.values()];
}

/** The pods of a gateway in a namespace that a selector selects. */
export function podsSelected(selector: Selector, pods: readonly GatewayPods[]): GatewayPods | undefined {
  return pods.find(({ labels }) => selects(selector, labels));
}

/** Whether a host is the Service of a boundary gateway, which has the name of the label `app`. */
export function isGatewayService(host: string, pods: readonly GatewayPods[]): boolean {
  const [name, namespaceName] = host.split('.');
  return pods.some((pod) => pod.namespaceName === namespaceName && pod.labels.app === name);
}

/** Servers of a Gateway that is generated or selects pods of a boundary gateway that the library runs. */
export function boundaryServers(document: any, { pods }: Boundaries): { readonly path: string; readonly server: any }[] {
  if (!isIstio(document, 'Gateway')) return [];
  const onBoundary = isGeneratedAs(document, 'Gateway', '') || podsSelected({ matchLabels: document.spec?.selector }, pods.filter(({ managed }) => managed));
  return onBoundary ? listOf(document.spec?.servers).map((server, index) => ({ path: `spec.servers[${index}]`, server: server ?? {} })) : [];
}
