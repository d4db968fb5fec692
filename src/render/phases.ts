import { Chart } from 'cdk8s';
import { Construct } from 'constructs';
import { keep } from './kept';
import { BoundaryConfig } from '../model/model';

const WAVE = 'argocd.argoproj.io/sync-wave';
const waves = new WeakMap<Construct, number>();

/**
 * The phases of a boundary in apply order: policies before listeners and routes, so that no listener exists without its
 * policies (docs/adr/0016). cdk8s writes objects in the order of the construct tree, so each phase is a construct,
 * created in this order.
 */
export class Phases {
  public readonly namespace: Construct;
  public readonly trust: Construct;
  public readonly admission: Construct;
  public readonly authorization: Construct;
  public readonly network: Construct;
  public readonly workload: Construct;
  /** Objects that listeners and routes need: ServiceEntries and DestinationRules of peers, and EnvoyFilters. */
  public readonly upstreams: Construct;
  public readonly listeners: Construct;
  public readonly routes: Construct;
  public readonly autoscaling: Construct;

  public constructor(root: Construct, delivery: BoundaryConfig['delivery']) {
    // For Flux three charts instead of nine: each needs a Flux object of its own, and none of the three is empty in a
    // boundary that is used.
    const chart = (name: string) => delivery === 'flux' ? keep(new Chart(root, name)) : root;
    let wave = -9;
    const phase = (scope: Construct, name: string) => {
      const construct = keep(new Construct(scope, name));
      if (delivery === 'argoCd') waves.set(construct, wave++);
      return construct;
    };
    const protection = chart('Protection');
    this.namespace = phase(protection, 'Namespace');
    this.trust = phase(protection, 'Trust');
    this.admission = phase(protection, 'Admission');
    this.authorization = phase(protection, 'Authorization');
    this.network = phase(protection, 'Network');
    this.workload = phase(chart('Workload'), 'Workload');
    const openness = chart('Openness');
    this.upstreams = phase(openness, 'Upstreams');
    this.listeners = phase(openness, 'Listeners');
    this.routes = phase(openness, 'Routes');
    // After the local names, whose wave is 1.
    wave = 2;
    this.autoscaling = phase(openness, 'Autoscaling');
  }
}

/** Annotation that sets the apply order for Argo CD: the sync wave of the phase that contains an object. */
export function applyOrderOf(scope: Construct): { [name: string]: string } | undefined {
  const wave = waves.get(scope);
  return wave === undefined ? undefined : { [WAVE]: String(wave) };
}

/** The same for the VirtualService of a local name: the last wave, because it needs all other objects. */
export function applyOrderOfLocalName({ delivery }: BoundaryConfig): { [name: string]: string } | undefined {
  return delivery === 'argoCd' ? { [WAVE]: '1' } : undefined;
}
