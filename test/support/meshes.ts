/**
 * Meshes with everything that a test or a scenario does not care about.
 */
import { join } from 'path';
import { App, Chart } from 'cdk8s';
import { FederatedMesh, FederatedMeshProps, TrustBundle } from '../../src';

/** The public roots: those of the tests, or of real meshes. */
export const TRUST = process.env.TRUST_DIRECTORY ?? join(__dirname, '..', 'trust');

/** Each bundle is read once: some tests declare thousands of meshes. */
const bundles = new Map<string, TrustBundle>();

export function trustOf(meshName: string): TrustBundle {
  const bundle = bundles.get(meshName) ?? TrustBundle.fromPemFile(join(TRUST, `${meshName}.pem`));
  bundles.set(meshName, bundle);
  return bundle;
}

/** A mesh in a chart of its name. */
export function meshOf(app: App, meshName: string, props: Partial<FederatedMeshProps> = {}): FederatedMesh {
  return new FederatedMesh(new Chart(app, meshName), 'Mesh', {
    meshName,
    trustDomain: `${meshName}.example`,
    trustBundle: trustOf(meshName),
    endpoints: [{ address: `federation.${meshName}.example` }],
    ...props,
  });
}
