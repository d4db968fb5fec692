import { GrowingList } from './growing-list';
import { DeclaredDestination, DeclaredPort, matchesOf } from '../model/destinations';
import { Annotations, Binding, CallerIdentity, LocalPort } from '../model/model';
import { compare } from '../model/order';

/** A binding with a fixed local name. Its callers and destinations grow until the chart is written. */
export class BindingState implements Binding {
  public readonly serviceName: string;
  public readonly namespaceName: string;
  public readonly host: string;
  public readonly additionalHosts: string[];
  public readonly existing: boolean;
  public readonly annotations: Annotations;
  /** Sorted by principal. */
  public readonly growingCallers = new GrowingList<CallerIdentity>((a, b) => compare(a.principal, b.principal));

  constructor(name: Omit<Binding, 'callers' | 'ports'>, private readonly destinations: () => Map<number, DeclaredDestination[]>) {
    this.serviceName = name.serviceName;
    this.namespaceName = name.namespaceName;
    this.host = name.host;
    this.additionalHosts = name.additionalHosts;
    this.existing = name.existing;
    this.annotations = name.annotations;
  }

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
