import { Chart } from 'cdk8s';
import { IConstruct } from 'constructs';
import { fail, show, Where } from './errors';

/*
 * A chart is a file that somebody applies to one cluster, so it holds objects of one mesh only.
 */

interface Owner {
  readonly meshName: string;
  readonly trustDomain: string;
}

const owners = new WeakMap<Chart, Owner & { readonly because: string }>();
const charts = new WeakMap<IConstruct, Map<string, Set<Chart>>>();

/** Says that the chart of a construct belongs to a mesh. */
export function claimChart(construct: IConstruct, owner: Owner, where: Where): Chart {
  const chart = chartOf(construct, where);
  const earlier = owners.get(chart);
  if (earlier && earlier.trustDomain !== owner.trustDomain) {
    fail('FED112', where, `it belongs to mesh ${show(owner.meshName)}, but its chart ${show(chart.node.path)} holds ${earlier.because} `
      + `of mesh ${show(earlier.meshName)}`, 'give each mesh a chart of its own: a chart is a file that is applied to one cluster');
  }
  if (!earlier) {
    const { meshName, trustDomain } = owner;
    owners.set(chart, { meshName, trustDomain, because: typeof where === 'string' ? where : where.node.path });
    const ofApp = charts.get(chart.node.root) ?? new Map<string, Set<Chart>>();
    charts.set(chart.node.root, ofApp.set(trustDomain, (ofApp.get(trustDomain) ?? new Set()).add(chart)));
  }
  return chart;
}

/** The charts of a mesh in the app of a construct. */
export function chartsOf(construct: IConstruct, trustDomain: string): Chart[] {
  return [...charts.get(construct.node.root)?.get(trustDomain) ?? []];
}

function chartOf(construct: IConstruct, where: Where): Chart {
  try {
    return Chart.of(construct);
  } catch {
    return fail('FED112', where, 'it stands in no chart', 'create it in a Chart: a chart is a file that is applied to one cluster');
  }
}
