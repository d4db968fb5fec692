import { IstioVersion } from '../../src';

/** The Istio versions that a mesh may run, from the oldest to the newest. */
export const SUPPORTED = Object.values(IstioVersion).map(({ minor }: IstioVersion) => minor);

/** What a mesh runs unless it says otherwise. */
export const NEWEST = SUPPORTED.at(-1)!;
