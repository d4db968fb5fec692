import { Construct } from 'constructs';

/**
 * The order of the file, protection before openness: a foreign object in the cluster must never meet our listeners before our policies.
 * cdk8s writes objects in the order of the construct tree, so each phase is a child, created in this order.
 */
export class Phases {
  public readonly namespace: Construct;
  public readonly trust: Construct;
  public readonly admission: Construct;
  public readonly authorization: Construct;
  public readonly network: Construct;
  public readonly workload: Construct;
  public readonly upstreams: Construct;
  public readonly listeners: Construct;
  public readonly routes: Construct;

  public constructor(mesh: Construct) {
    this.namespace = new Construct(mesh, 'Namespace');
    this.trust = new Construct(mesh, 'Trust');
    this.admission = new Construct(mesh, 'Admission');
    this.authorization = new Construct(mesh, 'Authorization');
    this.network = new Construct(mesh, 'Network');
    this.workload = new Construct(mesh, 'Workload');
    this.upstreams = new Construct(mesh, 'Upstreams');
    this.listeners = new Construct(mesh, 'Listeners');
    this.routes = new Construct(mesh, 'Routes');
  }
}
