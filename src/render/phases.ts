import { Chart } from 'cdk8s';
import { Construct } from 'constructs';
import { BoundaryConfig } from '../model/model';

const WAVE = 'argocd.argoproj.io/sync-wave';
const waves = new WeakMap<Construct, number>();

/**
 * The order of delivery, protection before openness: a foreign object in the cluster must never meet our listeners before our policies.
 * cdk8s writes objects in the order of the construct tree, so each phase is a child, created in this order.
 */
export class Phases {
  public readonly namespace: Construct;
  public readonly trust: Construct;
  public readonly admission: Construct;
  public readonly authorization: Construct;
  public readonly network: Construct;
  public readonly workload: Construct;
  /** What listeners and routes lean on: peers as our proxies know them, and what only Envoy can do. */
  public readonly upstreams: Construct;
  public readonly listeners: Construct;
  public readonly routes: Construct;

  public constructor(root: Construct, delivery: BoundaryConfig['delivery']) {
    // Three charts and not nine: none of them is ever empty in a boundary that is used, and each needs an object of Flux's own.
    const file = (name: string) => delivery === 'flux' ? new Chart(root, name) : root;
    let wave = -9;
    const phase = (scope: Construct, name: string) => {
      const construct = new Construct(scope, name);
      if (delivery === 'argoCd') waves.set(construct, wave++);
      return construct;
    };
    const protection = file('Protection');
    this.namespace = phase(protection, 'Namespace');
    this.trust = phase(protection, 'Trust');
    this.admission = phase(protection, 'Admission');
    this.authorization = phase(protection, 'Authorization');
    this.network = phase(protection, 'Network');
    this.workload = phase(file('Workload'), 'Workload');
    const openness = file('Openness');
    this.upstreams = phase(openness, 'Upstreams');
    this.listeners = phase(openness, 'Listeners');
    this.routes = phase(openness, 'Routes');
  }
}

/** What tells Argo CD when an object of a phase is due. */
export function applyOrderOf(scope: Construct): { [name: string]: string } | undefined {
  const wave = waves.get(scope);
  return wave === undefined ? undefined : { [WAVE]: String(wave) };
}

/** The same for what leads callers away, which is due when all that it needs is there. */
export function applyOrderOfLocalName({ delivery }: BoundaryConfig): { [name: string]: string } | undefined {
  return delivery === 'argoCd' ? { [WAVE]: '1' } : undefined;
}
