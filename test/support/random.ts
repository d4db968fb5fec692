/** The parameters of a property test. The seed is fixed, so a failure is caused by the change. FC_SEED and FC_RUNS override them. */
export function parametersOf(numRuns: number): { seed: number; numRuns: number } {
  return { seed: Number(process.env.FC_SEED ?? 20261123), numRuns: Number(process.env.FC_RUNS ?? numRuns) };
}
