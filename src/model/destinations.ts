import { ExactHeaders, LocalRoute, RouteMatch, WeightedDestination } from './model';
import { compare } from './order';

/*
 * Distribution of the requests of a local port over its sources.
 */

/**
 * A declared source of a local port, with its weight and required headers. Without route it is the Service's own pods.
 */
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

/** Route matches of a port, those with more headers first, so that the most specific match of a request applies. */
export function matchesOf(declared: DeclaredDestination[]): RouteMatch[] {
  const withHeaders = declared.filter(({ headers }) => headers !== undefined)
    .map(({ route, headers }) => ({ headers, destinations: [{ route, weight: 100 }] }));
  withHeaders.sort((a, b) => Object.keys(b.headers!).length - Object.keys(a.headers!).length
    || compare(headersKey(a.headers!), headersKey(b.headers!)));
  return [...withHeaders, { headers: undefined, destinations: percentages(declared.filter(({ headers }) => headers === undefined)) }];
}

/** Key that is equal for equal headers, whatever their order. */
export function headersKey(headers: ExactHeaders): string {
  return JSON.stringify(Object.entries(headers).sort(([a], [b]) => compare(a, b)));
}

/** Key that is equal for equal destinations. */
export function destinationKey(route?: LocalRoute): string {
  return route?.bindingHost ?? '';
}

/**
 * Weights as whole percentages that add up to 100, by the largest remainder method. Istio accepts only whole numbers;
 * with this method none differs from its exact value by one or more.
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
