import { IstioVersion } from '../../src';

/** The Istio versions that a mesh may run, from the oldest to the newest. */
export const SUPPORTED = Object.values(IstioVersion).map(({ minor }: IstioVersion) => minor);

/** The default Istio version of a mesh. */
export const NEWEST = SUPPORTED.at(-1)!;
