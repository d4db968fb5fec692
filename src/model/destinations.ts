import { ExactHeaders, LocalRoute, RouteMatch, WeightedDestination } from './model';
import { compare } from './order';

/*
 * How the sources behind a local port share its requests.
 */

/** One source of one port, as declared. Without a route it is the Service's own pods. */
export interface DeclaredDestination {
  readonly route: LocalRoute | undefined;
  readonly weight: number | undefined;
  readonly headers: ExactHeaders | undefined;
}

/** A local port and its sources. */
export interface DeclaredPort {
  readonly localPort: number;
  readonly destinations: DeclaredDestination[];
}

/** The route matches of a port, those with more headers first: of several that a request has, the most specific one takes it. */
export function matchesOf(declared: DeclaredDestination[]): RouteMatch[] {
  const special = declared.filter(({ headers }) => headers !== undefined)
    .map(({ route, headers }) => ({ headers, destinations: [{ route, weight: 100 }] }));
  special.sort((a, b) => Object.keys(b.headers!).length - Object.keys(a.headers!).length || compare(headersKey(a.headers!), headersKey(b.headers!)));
  return [...special, { headers: undefined, destinations: percentages(declared.filter(({ headers }) => headers === undefined)) }];
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
function percentages(declared: DeclaredDestination[]): WeightedDestination[] {
  const sorted = [...declared].sort((a, b) => compare(destinationKey(a.route), destinationKey(b.route)));
  const weights = sorted.map(({ weight = 1 }) => weight);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const exact = weights.map((weight) => weight * 100 / total);
  const whole = exact.map(Math.floor);
  const missing = 100 - whole.reduce((sum, weight) => sum + weight, 0);
  const byRemainder = exact.map((_, index) => index).sort((a, b) => (exact[b] - whole[b]) - (exact[a] - whole[a]) || a - b);
  byRemainder.slice(0, missing).forEach((index) => { whole[index] += 1; });
  return sorted.map(({ route }, index) => ({ route, weight: whole[index] }));
}
