import { Construct } from 'constructs';
import type { DeclaredBinding, Declarations } from './declarations';
import type { BoundaryObjects } from './objects';
import { BoundaryConfig, CallerIdentity, isUnlisted, LocalRoute } from '../model/model';
import { annotate, keep, renderAdditionalHosts, renderCallerDestination, renderLocalName, renderLocalNameRoute } from '../render';

/*
 * The objects of one binding. Those in namespaces of applications are in the chart of the binding's construct, so that an
 * application team can apply them; those of the egress gateway are in the chart of the mesh.
 */

export class BindingObjects {
  /** Created before the local name and its route: sidecars receive the egress gateway before the local name. */
  private readonly destinations: Construct;
  private readonly created = new Set<string>();

  constructor(
    private readonly binding: DeclaredBinding, private readonly config: BoundaryConfig, private readonly declared: Declarations,
    private readonly objects: BoundaryObjects,
  ) {
    const { construct, state } = binding;
    const { name } = state;
    this.destinations = keep(new Construct(construct, 'Destinations'));
    if (!name.existing) declared.addLocalNameService(annotate(renderLocalName(construct, state), name.annotations));
    if (name.additionalHosts.length > 0) annotate(renderAdditionalHosts(construct, state), name.annotations);
    state.routes.forEachNowAndLater((route) => state.growingCallers.forEachNowAndLater((caller) => this.add(route, caller)));
  }

  /** Creates the objects for one caller of one route. */
  private add(route: LocalRoute, caller: CallerIdentity): void {
    const { objects, declared } = this;
    const { bindingHost } = route;
    this.once(bindingHost, () => {
      declared.addRoute(route);
      objects.addRoute(route);
    });
    if (isUnlisted(caller)) this.once(`${bindingHost} unlisted`, () => objects.guardUnlisted(route));
    if (caller.namespaceName === undefined) {
      this.once(`${bindingHost} *`, () =>
        objects.addDestinationForEverybody(route, (namespaceName) => this.addDestination(route, namespaceName)));
    } else {
      this.addDestination(route, caller.namespaceName);
    }
    this.once('route', () => this.addLocalNameRoute());
  }

  private addDestination(route: LocalRoute, namespaceName: string): void {
    this.once(`${route.bindingHost} ${namespaceName}`, () => {
      renderCallerDestination(this.destinations, this.config, route, namespaceName);
      this.objects.addDestinationNamespace(namespaceName);
    });
  }

  private addLocalNameRoute(): void {
    const { construct, state } = this.binding;
    const route = renderLocalNameRoute(construct, this.config, state);
    if (state.name.existing) annotate(route, state.name.annotations);
  }

  private once(key: string, create: () => void): void {
    if (this.created.has(key)) return;
    this.created.add(key);
    create();
  }
}
