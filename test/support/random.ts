/** The parameters of a property: a fixed seed, so that a red run is about the change. FC_SEED and FC_RUNS look further. */
export function parametersOf(numRuns: number): { seed: number; numRuns: number } {
  return { seed: Number(process.env.FC_SEED ?? 20261123), numRuns: Number(process.env.FC_RUNS ?? numRuns) };
}
