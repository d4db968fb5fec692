import { ApiObject, Chart } from 'cdk8s';
import { Construct, IConstruct } from 'constructs';
import type { Boundary } from './boundary';
import { chartsOf, isChartOfOther } from './charts';
import { namespacesOf } from './config';
import { BoundaryObjects } from './objects';
import type { IMeshPeer } from '../mesh-peer';
import { serviceHost } from '../model/names';
import type { ServiceManifest } from '../model/services';

/*
 * What a program says about the cluster of a mesh: the Services and the namespaces in its charts.
 */

type Mesh = IMeshPeer & Construct;

/** The Services in the charts of a mesh by host, except Services that bindings have created. */
export function servicesInCharts(mesh: Mesh, { config, siblings }: Boundary): Map<string, () => ServiceManifest> {
  const hostOf = (name: string, namespace = 'default') => serviceHost(name, namespace, config.clusterDomain);
  const isOurs = (object: ApiObject) => siblings.some(({ declared }) => declared.localNameServices.has(object));
  return new Map(objectsInCharts(mesh).flatMap((object): [string, () => ServiceManifest][] => {
    if (isList(object)) return servicesInList(object.toJson()).map((one) => [hostOf(one.metadata.name, one.metadata.namespace), () => one]);
    if (object.kind !== 'Service' || object.apiVersion !== 'v1' || isOurs(object)) return [];
    return [[hostOf(object.name, object.metadata.namespace), () => object.toJson()]];
  }));
}

/** The namespaces of a mesh that a program uses: for its boundaries, in what is declared for them, and in its charts. */
export function namespacesInProgram(mesh: Mesh, { siblings }: Boundary): Set<string> {
  const inCharts = objectsInCharts(mesh).flatMap((object) => object.kind === 'Namespace' ? [object.name] : object.metadata.namespace ?? []);
  const ofBoundaries = siblings.flatMap(({ config, declared }) =>
    [...namespacesOf(config), config.rootNamespaceName, ...declared.applicationNamespaces]);
  return new Set([...inCharts, ...ofBoundaries]);
}

/** The Services in the manifest of a list, and in lists within it. Items of a ServiceList need no kind. */
function servicesInList(list: any): any[] {
  const items: any[] = Array.isArray(list?.items) ? list.items : [];
  return items.flatMap((item) => {
    if (isList(item)) return servicesInList(item);
    return (item?.kind ?? list.kind.replace(/List$/, '')) === 'Service' && item?.metadata ? [item] : [];
  });
}

function isList(object: { readonly apiVersion?: string; readonly kind?: string } | undefined): boolean {
  return object?.apiVersion === 'v1' && (object.kind === 'List' || object.kind === 'ServiceList');
}

/** The objects in the charts of a mesh, and in charts within them that do not belong to another mesh. */
function objectsInCharts(mesh: Mesh): ApiObject[] {
  const objects = new Set<ApiObject>();
  for (const chart of chartsOf(mesh, mesh.trustDomain)) collect(chart, mesh.trustDomain, objects);
  return [...objects];
}

/** Collects objects below a construct. The many objects of boundaries contain nothing of an application. */
function collect(scope: IConstruct, trustDomain: string, objects: Set<ApiObject>): void {
  for (const child of scope.node.children) {
    if (BoundaryObjects.holds(child) || Chart.isChart(child) && isChartOfOther(child, trustDomain)) continue;
    if (ApiObject.isApiObject(child)) objects.add(child);
    collect(child, trustDomain, objects);
  }
}
