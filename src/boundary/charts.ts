import { Chart } from 'cdk8s';
import { IConstruct } from 'constructs';
import { fail, show, Where } from '../checks/errors';
import { setMesh } from '../render/emit';

/*
 * A chart is a file that is applied to one cluster, so it contains objects of one mesh only.
 */

/** The mesh to which a chart belongs. */
interface Owner {
  readonly meshName: string;
  readonly trustDomain: string;
}

const owners = new WeakMap<Chart, Owner & { readonly claimedBy: string }>();
const charts = new WeakMap<IConstruct, Map<string, Set<Chart>>>();

/**
 * Rejects a construct in a chart of another mesh. `construct` may be the scope of a construct that is not created yet.
 */
export function checkChart(construct: IConstruct, owner: Owner, where: Where): void {
  const chart = chartOf(construct);
  if (!chart) fail('FED112', where, 'the construct is not in a chart', 'create it in a Chart: a chart is a file that is applied to one cluster');
  const earlier = owners.get(chart);
  if (earlier && earlier.trustDomain !== owner.trustDomain) {
    fail('FED112', where, `the construct belongs to mesh ${show(owner.meshName)}, but its chart ${show(chart.node.path)} contains ${earlier.claimedBy} `
      + `of mesh ${show(earlier.meshName)}`, 'give each mesh a chart of its own: a chart is a file that is applied to one cluster');
  }
}

/** Registers the chart of a construct as one of the mesh. Messages name the construct `claimedBy`. */
export function claimChart(construct: IConstruct, { meshName, trustDomain }: Owner, claimedBy: IConstruct): void {
  const chart = Chart.of(construct);
  if (owners.has(chart)) return;
  setMesh(chart, meshName);
  owners.set(chart, { meshName, trustDomain, claimedBy: claimedBy.node.path });
  const ofApp = charts.get(chart.node.root) ?? new Map<string, Set<Chart>>();
  charts.set(chart.node.root, ofApp.set(trustDomain, (ofApp.get(trustDomain) ?? new Set()).add(chart)));
}

/** The charts of a mesh in the app of a construct. */
export function chartsOf(construct: IConstruct, trustDomain: string): Chart[] {
  return [...charts.get(construct.node.root)?.get(trustDomain) ?? []];
}

/** Whether a chart belongs to another mesh. A chart without a mesh of its own belongs to that of the chart around it. */
export function isChartOfOther(chart: Chart, trustDomain: string): boolean {
  const owner = owners.get(chart);
  return owner !== undefined && owner.trustDomain !== trustDomain;
}

function chartOf(construct: IConstruct): Chart | undefined {
  try {
    return Chart.of(construct);
  } catch {
    return undefined;
  }
}
