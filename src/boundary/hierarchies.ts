import { IConstruct } from 'constructs';
import { Hierarchy } from '../pki/hierarchy';
import type { TrustBundle } from '../trust';

/*
 * The CA certificates of all meshes of a program: a chain between two peers may pass through a certificate of a third
 * mesh.
 */

const hierarchies = new WeakMap<IConstruct, Hierarchy>();

/** Registers the certificates of a mesh of the program. */
export function claimTrust({ node: { root } }: IConstruct, trustBundle: TrustBundle): void {
  const hierarchy = hierarchies.get(root) ?? new Hierarchy();
  hierarchies.set(root, hierarchy);
  hierarchy.add(trustBundle._certificates);
}

/** Keys of the CAs of a bundle, and of all CAs of the program above and below them. */
export function chainOf({ node: { root } }: IConstruct, { _authorities }: TrustBundle): ReadonlySet<string> {
  return hierarchies.get(root)?.related(_authorities) ?? new Set(_authorities);
}
