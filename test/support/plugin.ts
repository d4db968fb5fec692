/**
 * What BoundaryValidation reports about documents.
 */
import { Manifest } from './manifests';
import { BoundaryValidation } from '../../src';

/** Violations as `rule: Kind namespace/name: message`, of documents by file. */
export async function violationsIn(files: { readonly [file: string]: readonly Manifest[] }, properties: object = {}): Promise<string[]> {
  const found: string[] = [];
  await new BoundaryValidation(properties).validate({
    manifests: Object.keys(files),
    parseManifest: (file) => [...files[file]],
    report: {
      addViolation: ({ ruleName, violatingResources }) => {
        found.push(...violatingResources.flatMap(({ resourceName, locations }) => locations.map((location) => `${ruleName}: ${resourceName}: ${location}`)));
      },
      submit: () => {},
    },
  });
  return found;
}
