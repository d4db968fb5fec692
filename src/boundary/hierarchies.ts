import { IConstruct } from 'constructs';
import { Chain, Hierarchy } from '../pki/hierarchy';
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

/** The CAs of a bundle, and all CAs of the program above and below them. The bundle need not be that of a registered mesh. */
export function chainOf({ node: { root } }: IConstruct, { _certificates, _authorities }: TrustBundle): Chain {
  return (hierarchies.get(root) ?? new Hierarchy()).chainOf(_certificates, _authorities);
}
