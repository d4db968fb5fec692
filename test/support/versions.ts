import { IstioVersion } from '../../src';

/** The Istio versions that a mesh may run, from the oldest to the newest. */
export const ISTIO_VERSIONS: IstioVersion[] = Object.values(IstioVersion);

/** Their minor versions. */
export const SUPPORTED = ISTIO_VERSIONS.map(({ minor }) => minor);

/** The default Istio version of a mesh: the one that the lab runs. */
export const DEFAULT = IstioVersion.V1_31.minor;
