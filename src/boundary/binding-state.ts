import { GrowingList } from './growing-list';
import { DeclaredDestination, DeclaredPort, matchesOf } from '../model/destinations';
import { Binding, BindingName, CallerIdentity, LocalPort } from '../model/model';
import { compare } from '../model/order';

/** A binding with a fixed local name. Its callers and destinations grow until the chart is written. */
export class BindingState implements Binding {
  /** Sorted by principal. */
  public readonly growingCallers = new GrowingList<CallerIdentity>((a, b) => compare(a.principal, b.principal));

  constructor(public readonly name: BindingName, private readonly destinations: () => Map<number, DeclaredDestination[]>) {}

  public get declaredPorts(): DeclaredPort[] {
    return [...this.destinations()].map(([localPort, destinations]) => ({ localPort, destinations })).sort((a, b) => a.localPort - b.localPort);
  }

  public get ports(): LocalPort[] {
    return this.declaredPorts.map(({ localPort, destinations }) => ({
      localPort, protocol: destinations.find(({ route }) => route)!.route!.upstream.protocol, matches: matchesOf(destinations),
    }));
  }

  public get callers(): CallerIdentity[] {
    return [...this.growingCallers.all];
  }

  public addCaller(caller: CallerIdentity): void {
    if (!this.callers.some(({ principal }) => principal === caller.principal)) this.growingCallers.add(caller);
  }
}
