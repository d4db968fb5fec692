import { isGenerated } from '../documents';
import { attachedRoutes, declaredHosts, gatewayApi, routedHosts } from '../foreign-routes';
import { selectedGateways } from '../foreign-selection';
import { accountTokens, addedEndpoints, imitatedGateways } from '../foreign-workloads';
import { reservedNames } from '../reserved-names';
import type { ErrorsIn, Rule } from '../rule';

/** Reports an object that would overwrite a generated one. */
const replacedObjects: ErrorsIn = (manifest, { inventory, namespaceNames }) =>
  inventory.replaced(manifest, namespaceNames) ? ['metadata.name is that of a generated object: the delivery tool would apply only one of the two'] : [];

const CHECKS: ErrorsIn[] = [
  replacedObjects, selectedGateways, imitatedGateways, accountTokens, addedEndpoints, attachedRoutes, routedHosts, declaredHosts, gatewayApi,
];

export const foreignObjects: Rule = {
  name: 'foreign-objects',
  recommendation: 'Only generated objects may select the pods of a boundary gateway, attach to its Gateways or use its hosts: '
    + 'others could add or block listeners, change its policies or send its requests elsewhere.',
  fix: 'Select your own pods, in your own namespace, and use your own Gateways and hosts. To change the boundary itself, use FederatedMesh.',
  errorsIn: (manifest, boundaries) => {
    if (isGenerated(manifest.document)) return [];
    const errors = CHECKS.flatMap((check) => check(manifest, boundaries));
    // What an object reaches tells more than its name.
    return errors.length > 0 ? errors : reservedNames(manifest, boundaries);
  },
};
