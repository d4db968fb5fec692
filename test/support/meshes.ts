/**
 * Meshes with default values for every required option.
 */
import { join } from 'path';
import { App, Chart } from 'cdk8s';
import { FederatedMesh, FederatedMeshProps, TrustBundle } from '../../src';

/** Folder of the public root certificates: those of the tests, or those of real meshes. */
export const TRUST = process.env.TRUST_DIRECTORY ?? join(__dirname, '..', 'trust');

/** Each bundle is read once: some tests declare thousands of meshes. */
const bundles = new Map<string, TrustBundle>();

export function trustOf(meshName: string): TrustBundle {
  const bundle = bundles.get(meshName) ?? TrustBundle.fromPemFile(join(TRUST, `${meshName}.pem`));
  bundles.set(meshName, bundle);
  return bundle;
}

/** A mesh in a chart with the same name. */
export function meshOf(app: App, meshName: string, props: Partial<FederatedMeshProps> = {}): FederatedMesh {
  return new FederatedMesh(new Chart(app, meshName), 'Mesh', {
    meshName,
    trustDomain: `${meshName}.example`,
    trustBundle: trustOf(meshName),
    endpoints: [{ address: `federation.${meshName}.example` }],
    ...props,
  });
}
