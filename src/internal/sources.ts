import { Alias, CallerSite, ExactHeaders, LocalPort, LocalRoute, Notes, Share, Way } from './model';
import { compare } from './order';
import type { PortMapping } from '../bind';
import type { IExposedService } from '../expose';

/*
 * A local name, who may use it, and how the sources behind each of its ports share the requests.
 */

/** A source as it was declared. */
export interface DeclaredSource {
  readonly source: IExposedService;
  readonly weight?: number;
  readonly headers?: ExactHeaders;
  /** None: every port that we are allowed, under the same number. */
  readonly mappings?: PortMapping[];
  /** Its routes so far, by ports: a route never changes. */
  readonly routes: Map<string, LocalRoute>;
}

/** One source of one port, as it was declared. Without a route it is the pods of our own. */
export interface DeclaredShare {
  readonly route?: LocalRoute;
  readonly weight?: number;
  readonly headers?: ExactHeaders;
}

/** A port and what was declared for it. */
export interface DeclaredPort {
  readonly localPort: number;
  readonly shares: DeclaredShare[];
}

/** The exported port that a source has behind a local one, whether it is allowed us or not. */
export function mappedPort({ mappings }: DeclaredSource, localPort: number): number | undefined {
  return mappings ? mappings.find((mapping) => mapping.localPort === localPort)?.exportPort : localPort;
}

/** The name and who may use it; both grow until the chart is written. */
export class BoundName implements Alias {
  public readonly serviceName: string;
  public readonly namespaceName: string;
  public readonly host: string;
  public readonly additionalHosts: string[];
  public readonly existing: boolean;
  public readonly notes: Notes;
  private readonly known = new Map<string, CallerSite>();

  constructor(name: Omit<Alias, 'callers' | 'ports'>, private readonly currentShares: () => Map<number, DeclaredShare[]>) {
    this.serviceName = name.serviceName;
    this.namespaceName = name.namespaceName;
    this.host = name.host;
    this.additionalHosts = name.additionalHosts;
    this.existing = name.existing;
    this.notes = name.notes;
  }

  public get portShares(): DeclaredPort[] {
    return [...this.currentShares()].map(([localPort, shares]) => ({ localPort, shares })).sort((a, b) => a.localPort - b.localPort);
  }

  public get ports(): LocalPort[] {
    return this.portShares.map(({ localPort, shares }) => ({
      localPort, protocol: shares.find(({ route }) => route)!.route!.upstream.protocol, ways: waysOf(shares),
    }));
  }

  public get callers(): CallerSite[] {
    return [...this.known.values()].sort((a, b) => compare(a.principal, b.principal));
  }

  /** Namespaces that are named by some caller. */
  public get callerNamespaces(): string[] {
    return [...new Set(this.callers.flatMap(({ namespaceName }) => namespaceName ?? []))];
  }

  public get isForEverybody(): boolean {
    return this.callers.some(({ namespaceName }) => namespaceName === undefined);
  }

  public addCaller(caller: CallerSite): void {
    this.known.set(caller.principal, caller);
  }
}

/** The ways of a port, those with more headers first, so that a request goes where most of what was said about it is true. */
export function waysOf(shares: DeclaredShare[]): Way[] {
  const special = shares.filter(({ headers }) => headers !== undefined).map(({ route, headers }) => ({ headers, shares: [{ route, weight: 100 }] }));
  special.sort((a, b) => Object.keys(b.headers!).length - Object.keys(a.headers!).length || compare(headersKey(a.headers!), headersKey(b.headers!)));
  return [...special, { shares: percentages(shares.filter(({ headers }) => headers === undefined)) }];
}

/** The same text for the same headers, in whatever order they were written. */
export function headersKey(headers: ExactHeaders): string {
  return JSON.stringify(Object.entries(headers).sort(([a], [b]) => compare(a, b)));
}

/** The same text for the same destination. */
export function destinationKey(route?: LocalRoute): string {
  return route?.bindingHost ?? '';
}

/**
 * Whole percentages that add up to 100, by the largest remainder: Istio takes whole numbers, and none is further from its exact share
 * than one.
 */
function percentages(shares: DeclaredShare[]): Share[] {
  const sorted = [...shares].sort((a, b) => compare(destinationKey(a.route), destinationKey(b.route)));
  const weights = sorted.map(({ weight = 1 }) => weight);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const exact = weights.map((weight) => weight * 100 / total);
  const whole = exact.map(Math.floor);
  const missing = 100 - whole.reduce((sum, weight) => sum + weight, 0);
  const byRemainder = exact.map((_, index) => index).sort((a, b) => (exact[b] - whole[b]) - (exact[a] - whole[a]) || a - b);
  byRemainder.slice(0, missing).forEach((index) => { whole[index] += 1; });
  return sorted.map(({ route }, index) => ({ route, weight: whole[index] }));
}
