import { DIGEST, digestOf, WITHOUT_DIGEST } from '../../model/digest';
import { annotationKey } from '../../render/emit';
import { digestIn, isGenerated } from '../documents';
import type { ErrorsIn, Rule } from '../rule';

/*
 * Generated objects that somebody changed afterwards, by hand, with a JSON patch or with a tool.
 */

/** What Istio reads as true. */
const TRUE = /^(1|t|true)$/i;

const errorsIn: ErrorsIn = (manifest, { inventory }) => {
  const { document } = manifest;
  if (!isGenerated(document)) return [];
  return [
    ...inventory.repeats(manifest) ? ['metadata.name occurs twice among the generated objects of this chart: the delivery tool would apply only one of them'] : [],
    ...TRUE.test(document.metadata.annotations?.['istio.io/dry-run'] ?? '')
      ? ['metadata.annotations["istio.io/dry-run"] is true: proxies do not enforce the policy'] : [],
    ...digestErrors(document),
  ];
};

function digestErrors(document: any): string[] {
  const [found, expected] = [digestIn(document.metadata), digestOf(document)];
  if (found === expected || found === undefined && WITHOUT_DIGEST.includes(document.kind)) return [];
  const field = `metadata.annotations["${annotationKey(DIGEST)}"]`;
  if (found === undefined) return [`${field} is missing, although the labels say that the library generated the object`];
  const content = Object.keys(document).filter((key) => !['apiVersion', 'kind', 'metadata', 'status'].includes(key));
  return [`${['metadata', ...content].join(' or ')} was changed after the object was generated: ${field} is ${found}, but the object has ${expected}`];
}

export const changedObjects: Rule = {
  name: 'changed-objects',
  recommendation: 'Generated objects must be as FederatedMesh wrote them: a change can open the boundary in ways that no other rule knows.',
  fix: 'Declare the change in the program, or undo it: generate the manifests anew. Labels and annotations of delivery tools may differ.',
  errorsIn,
};
